"""JupyterLab in a headless Chromium: open a notebook, run it, and find the panels with their controls."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import ElementHandle, Page, TimeoutError, sync_playwright

# Everything is drawn, wherever the page is scrolled to; no questions about news
_SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@contextlib.contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A server whose root is ``folder``; gives its address."""
    settings = folder / ".settings"
    for name, values in _SETTINGS.items():
        file = settings / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter", "lab", f"--port={port}", "--no-browser", "--allow-root",
        "--IdentityProvider.token=t", f"--ServerApp.root_dir={folder}", f"--LabApp.user_settings_dir={settings}",
    ]  # fmt: skip
    log = folder / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=dict(os.environ))
    try:
        for _ in range(240):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.5)
        else:
            raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@contextlib.contextmanager
def chromium(width: int = 1280, height: int = 900) -> Iterator[Page]:
    """A page of a headless Chromium that talks to this machine only."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        yield page
        browser.close()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook in the single-document view, and wait until it is drawn and its kernel is ready."""
    page.goto(f"{address}/doc/tree/{name}.ipynb?token=t&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=120_000)
    page.wait_for_timeout(1000)


def run_all(page: Page, seconds: float) -> None:
    """Run all cells, and wait until none is running or waiting."""
    running = "[...document.querySelectorAll('.jp-InputPrompt')].some(e => e.textContent.includes('*'))"
    begun = "[...document.querySelectorAll('.jp-InputPrompt')].some(e => /[*0-9]/.test(e.textContent))"
    for attempt in range(4):  # on busy cores a click can come before the menu listens
        page.keyboard.press("Escape")
        page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        page.click(".lm-Menu-itemLabel:text-is('Run All Cells') >> visible=true")
        try:
            page.wait_for_function(f"() => {begun}", timeout=30_000)
            break
        except TimeoutError:
            if attempt == 3:
                raise
    page.wait_for_function(f"() => !{running}", timeout=seconds * 1000)
    page.wait_for_timeout(1500)


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
    for there, back in (("ArrowRight", "ArrowLeft"), ("ArrowLeft", "ArrowRight")):
        for steps in range(1, 7):
            start = control.get_attribute("aria-valuenow")
            control.press(there)
            if control.get_attribute("aria-valuenow") == start:
                break  # at its end
            if panel.changes(before, seconds if steps > 3 else seconds / 4):
                for _ in range(steps):
                    control.press(back)
                return None
    return name
