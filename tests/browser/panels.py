"""Panels with controls on a page of JupyterLab: find them, move what can be moved, and see whether pictures change."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import ElementHandle, Page


@dataclass
class Panel:
    """One panel of the page."""

    page: Page
    box: ElementHandle

    @property
    def title(self) -> str:
        """What stands in its first line."""
        return (self.box.query_selector("b") or self.box).inner_text().split("\n")[0]

    def pictures(self) -> list[str]:
        """The addresses of its pictures, data and all."""
        return [image.get_attribute("src") or "" for image in self.box.query_selector_all("img")]

    def said(self) -> str:
        """All its text."""
        return self.box.inner_text()

    def controls(self) -> list[ElementHandle]:
        """Sliders' handles, check boxes and drop-down lists."""
        return self.box.query_selector_all(".noUi-handle, input[type=checkbox], select")

    def changes(self, before: list[str], seconds: float) -> bool:
        """Whether the pictures become others than ``before`` within so many seconds."""
        for _ in range(int(seconds * 10)):
            if self.pictures() != before:
                return True
            self.page.wait_for_timeout(100)
        return False

    def settle(self) -> list[str]:
        """The pictures, once they have been the same for a moment."""
        now, calm = self.pictures(), 0
        while calm < 4:
            self.page.wait_for_timeout(100)
            later = self.pictures()
            now, calm = later, calm + 1 if later == now else 0
        return now


def panels(page: Page) -> list[Panel]:
    """All panels, in the order of the notebook."""
    return [Panel(page, box) for box in page.query_selector_all(".assignments-panel")]


def move(panel: Panel, control: ElementHandle, seconds: float = 20.0) -> str | None:
    """Move one control there and back again; what it was called if no picture changed, else None."""
    control.scroll_into_view_if_needed()
    before = panel.settle()
    kind = control.evaluate("e => e.tagName")
    name = control.evaluate(
        "e => (e.closest('.widget-inline-hbox, .jupyter-widgets') || e).innerText.split('\\n')[0]"
    )
    if kind == "SELECT":
        first = control.evaluate("e => e.selectedIndex")
        for index in range(control.evaluate("e => e.options.length")):
            if index != first:
                control.select_option(index=index)
                if panel.changes(before, seconds):
                    control.select_option(index=first)
                    return None
        control.select_option(index=first)
        return name
    if kind == "INPUT":
        control.click()
        changed = panel.changes(before, seconds)
        control.click()
        return None if changed else name
    where = "e => e.parentElement.style.transform"  # what is read aloud is rounded
    start = control.evaluate(where)
    for there, further, back in (
        ("ArrowRight", "PageUp", "ArrowLeft"),
        ("ArrowLeft", "PageDown", "ArrowRight"),
    ):
        control.press(there)
        if control.evaluate(where) == start:
            continue  # at its end
        changed = panel.changes(before, seconds / 4)
        if not changed:  # so small a step may not be seen: five more at once
            control.press(further)
            changed = panel.changes(before, seconds)
        for _ in range(6):
            if control.evaluate(where) != start:
                control.press(back)
        if changed:
            return None
    return name
