"""How a page of JupyterLab looks: in both themes, on a desktop and on a tablet; and pictures of it for the README."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
from lab import Notebook, menu
from playwright.sync_api import Page

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
THEMES = ("JupyterLab Light", "JupyterLab Dark")
SIZES = {"desktop": (1440, 900), "tablet": (820, 1180)}
_PICTURE = (1280, 860)  # a page that can still be read when it is shrunk to the width of a README


def use_theme(page: Page, name: str) -> None:
    """Change the theme by the menu, unless it is that one."""
    now = "document.body.dataset.jpThemeName"
    if page.evaluate(now) != name:
        menu(page, "Settings", "Theme", name)
        page.wait_for_function(f"name => {now} === name", arg=name)
        page.wait_for_timeout(500)


def resize(page: Page, width: int, height: int) -> None:
    """Make the window so large, and wait until all is drawn anew."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(700)


def without_words(page: Page) -> list[str]:
    """Pictures that say nothing to those who can't see them, as axe finds them, in prose, outputs and panels."""
    page.evaluate(AXE.read_text())
    return page.evaluate(
        """async () => {
            const context = {include: [['.jp-RenderedHTMLCommon']]};
            const options = {runOnly: ['image-alt'], resultTypes: ['violations']};
            const result = await axe.run(context, options);
            return result.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 150)));
        }"""
    )


def pale(page: Page) -> list[str]:
    """Words with a contrast below 4.5:1 to their ground, which is what WCAG 2 asks for.

    Not axe's: it takes all of JupyterLab for hidden, whose body is 0 pixels high, and then looks at nothing.
    """
    return page.evaluate(
        """() => {
            const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
            const over = ([r, g, b, a = 1], under) => [r, g, b].map((each, i) => a * each + (1 - a) * under[i]);
            const ground = e => {
                if (!e) return [255, 255, 255];
                const colour = numbers(getComputedStyle(e).backgroundColor);
                return colour.length < 4 ? colour : over(colour, ground(e.parentElement));
            };
            const light = colour => colour.map(each => each / 255)
                .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)
                .reduce((sum, each, i) => sum + each * [0.2126, 0.7152, 0.0722][i], 0.05);
            const found = [];
            for (const area of document.querySelectorAll('.jp-RenderedHTMLCommon, .jp-OutputArea-output')) {
                const words = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
                while (words.nextNode()) {
                    const e = words.currentNode.parentElement, text = words.currentNode.data.trim();
                    if (!text || !e.checkVisibility() || e.closest('style, script')) continue;
                    const under = ground(e);
                    const both = [light(over(numbers(getComputedStyle(e).color), under)), light(under)];
                    const contrast = Math.max(...both) / Math.min(...both);
                    if (contrast < 4.5) found.push(`${contrast.toFixed(1)} to 1: ${text.slice(0, 60)}`);
                }
            }
            return found;
        }"""
    )


def too_wide(page: Page) -> list[str]:
    """Outputs that have to be scrolled sideways, by their first words, and the page itself if it has to."""
    return page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll('.jp-OutputArea-output')]
            .filter(e => e.scrollWidth > e.clientWidth + 1)
            .map(e => `${e.scrollWidth} pixels where there are ${e.clientWidth}: ${e.innerText.slice(0, 80)}`)"""
    )


def faults(page: Page) -> list[str]:
    """All that is too wide, too pale or without words, in both themes and on both screens; [] where all is well."""
    found = []
    for theme in THEMES:
        use_theme(page, theme)
        for screen, size in SIZES.items():
            resize(page, *size)
            found += [f"{theme}, {screen}: {fault}" for fault in too_wide(page)]
        found += [f"{theme}: {fault}" for fault in [*pale(page), *without_words(page)]]
    use_theme(page, THEMES[0])
    resize(page, *SIZES["desktop"])
    return found


def take_picture(notebook: Notebook, cell: str | None, file: Path) -> None:
    """A picture of the page, in the light theme, with this cell at its top; of the notebook's beginning if None."""
    page = notebook.page
    use_theme(page, THEMES[0])
    resize(page, *_PICTURE)
    page.mouse.move(_PICTURE[0] - 1, _PICTURE[1] // 2)  # what lies below the mouse is drawn in another colour
    first = page.locator(".jp-Notebook .jp-Cell").first
    (first if cell is None else notebook.cell(cell)).evaluate("e => e.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(800)
    page.screenshot(path=file)
