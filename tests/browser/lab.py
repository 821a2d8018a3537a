"""JupyterLab in a headless Chromium: a server, a browser, and a notebook to type into and run as a person does."""

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
from functools import cached_property
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page, TimeoutError, sync_playwright

# Everything is drawn, wherever the page is scrolled to; no questions about news
_SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@contextlib.contextmanager
def jupyterlab(folder: Path, **environment: str) -> Iterator[str]:
    """A server whose root is ``folder``, with these variables in its environment; gives its address."""
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
        f"--LabApp.workspaces_dir={folder / '.workspaces'}",
    ]  # fmt: skip
    log = folder / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | environment)
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
        context = browser.new_context(
            viewport={"width": width, "height": height}, permissions=["clipboard-read", "clipboard-write"]
        )
        yield context.new_page()
        browser.close()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook in the single-document view, and wait until it is drawn and its kernel is ready."""
    page.goto(f"{address}/doc/tree/{name}.ipynb?token=t&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=120_000)
    page.wait_for_timeout(1000)


def questions(page: Page) -> list[str]:
    """What stands in dialogs over the page, such as that the notebook is invalid, or that there is no kernel."""
    return page.locator(".jp-Dialog").all_inner_texts()


def menu(page: Page, *path: str) -> None:
    """Choose an entry of the menu bar, such as ("Settings", "Theme", "JupyterLab Dark")."""
    page.keyboard.press("Escape")
    page.click(f".lm-MenuBar-itemLabel:text-is('{path[0]}')")
    for name in path[1:-1]:
        page.hover(f".lm-Menu-itemLabel:text-is('{name}') >> visible=true")
    page.click(f".lm-Menu-itemLabel:text-is('{path[-1]}') >> visible=true")


def run_all(page: Page, seconds: float, entry: str = "Run All Cells") -> None:
    """Run cells by this entry of the menu "Run", and wait until none is running or waiting."""
    prompts = "[...document.querySelectorAll('.jp-InputPrompt')].map(e => e.textContent)"
    latest = f"Math.max(0, ...{prompts}.map(text => parseInt(text.replace(/[^0-9]/g, '')) || 0))"
    before = page.evaluate(latest)
    for attempt in range(4):  # on busy cores a click can come before the menu listens
        menu(page, "Run", entry)
        try:
            page.wait_for_function(
                f"before => {prompts}.some(text => text.includes('*')) || {latest} > before",
                arg=before,
                timeout=30_000,
            )
            break
        except TimeoutError:
            if attempt == 3:
                raise
    page.wait_for_function(f"() => !{prompts}.some(text => text.includes('*'))", timeout=seconds * 1000)
    page.wait_for_timeout(1500)


@dataclass
class Notebook:
    """The notebook that is open on the page; ``file`` is what was opened. Its cells go by their ids."""

    page: Page
    file: Path

    @cached_property
    def _places(self) -> dict[str, int]:
        cells = nbformat.read(self.file, as_version=4).cells
        return {cell.id: place for place, cell in enumerate(cells)}

    def cell(self, id: str) -> Locator:
        """Where a cell is on the page."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(self._places[id])

    def write(self, id: str, text: str) -> None:
        """Put a text in place of what is in a cell: click into it, select all, paste."""
        self.cell(id).locator(".cm-content").click()
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Control+V")
        self.page.wait_for_function(
            "([cell, text]) => [...cell.querySelectorAll('.cm-line')].map(e => e.textContent).join('\\n') === text",
            arg=[self.cell(id).element_handle(), text],
        )

    def run(self, id: str, seconds: float = 120.0) -> None:
        """Run one cell with the keyboard, and wait until it is done."""
        cell = self.cell(id)
        prompt = "cell.querySelector('.jp-InputPrompt').innerText"
        before = cell.locator(".jp-InputPrompt").inner_text()
        arguments = [cell.element_handle(), before]
        for attempt in range(4):  # on busy cores a key can come before the cell listens
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            try:
                self.page.wait_for_function(
                    f"([cell, before]) => {prompt} !== before", arg=arguments, timeout=15_000
                )
                break
            except TimeoutError:
                if attempt == 3:
                    raise
        self.page.wait_for_function(
            f"([cell, before]) => /[0-9]/.test({prompt}) && {prompt} !== before",
            arg=arguments,
            timeout=seconds * 1000,
        )
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')

    def run_above(self, id: str, seconds: float) -> None:
        """Run everything above a cell."""
        self.cell(id).locator(".cm-content").click()
        run_all(self.page, seconds, "Run All Above Selected Cell")

    def said(self, id: str) -> str:
        """What stands below a cell."""
        return "\n".join(self.cell(id).locator(".jp-OutputArea-output").all_inner_texts())

    def statuses(self, id: str) -> list[str]:
        """The words of a check's table, such as PASS, from its top to its bottom."""
        return self.cell(id).locator("table").first.locator("tbody td:first-child").all_inner_texts()

    def errors(self) -> list[str]:
        """All that stands on a red ground: errors and warnings."""
        kinds = ("error", "stderr")
        where = ", ".join(
            f'.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in kinds
        )
        return [text.strip() for text in self.page.locator(where).all_inner_texts()]
