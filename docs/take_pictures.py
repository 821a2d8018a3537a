"""The README's pictures, taken of the real notebooks in JupyterLab with a headless Chromium.

    uv run python docs/take_pictures.py

It opens copies of the notebooks: the blank one, one in which an exercise is answered wrongly, and the solved one; runs
what is needed, and saves PNG files beside this script. Debian's `chromium` must be on the PATH.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parent
NOTEBOOKS = DOCS.parent / "notebooks"

# A second-year student's first try: the last ReLU comes before the addition.
WRONG_BLOCK = """
class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.project = None
        if stride != 1 or in_channels != out_channels:
            self.project = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return y + (x if self.project is None else self.project(x))
"""


def prepare(folder: Path) -> None:
    """Copies of the notebooks: blank, blank with one wrong answer, and solved."""
    blank = nbformat.read(NOTEBOOKS / "1_resnet34.ipynb", as_version=4)
    nbformat.write(blank, folder / "blank.ipynb")
    solved = nbformat.read(NOTEBOOKS / "solutions" / "1_resnet34.ipynb", as_version=4)
    right = {cell.id: cell.source for cell in solved.cells}
    for cell in blank.cells:
        if cell.id == "exercise-1-1":
            cell.source = right[cell.id]
        if cell.id == "exercise-1-2":
            cell.source = WRONG_BLOCK.strip()
    upto = [cell.id for cell in blank.cells].index("check-1-2")
    blank.cells = blank.cells[: upto + 1]
    nbformat.write(blank, folder / "wrong.ipynb")
    shutil.copy(NOTEBOOKS / "solutions" / "1_resnet34.ipynb", folder / "1_resnet34.ipynb")
    prepare_masks(folder)


def prepare_masks(folder: Path) -> None:
    """Assignment 2 up to 2.4, answered rightly but for a mask that is sampled as if it were a picture."""
    blank = nbformat.read(NOTEBOOKS / "2_data_augmentation.ipynb", as_version=4)
    solved = nbformat.read(NOTEBOOKS / "solutions" / "2_data_augmentation.ipynb", as_version=4)
    right = {cell.id: cell.source for cell in solved.cells if cell.id.startswith("exercise-2-")}
    right["exercise-2-4"] = right["exercise-2-4"].replace('mode="nearest"', 'mode="bilinear"')
    for cell in blank.cells:
        cell.source = right.get(cell.id, cell.source)
    upto = [cell.id for cell in blank.cells].index("check-2-4")
    blank.cells = blank.cells[: upto + 1]
    nbformat.write(blank, folder / "masks.ipynb")


def wait_for(port: int) -> None:
    """Until JupyterLab answers, a minute at most."""
    for _ in range(120):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise SystemExit("JupyterLab did not start")


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook in JupyterLab's single-document view, and wait until its kernel is ready."""
    page.goto(f"{address}/doc/tree/{name}.ipynb?token=t&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_timeout(4000)
    news = page.locator("button:text-is('No') >> visible=true")
    if news.count():
        news.first.click()
    if page.locator("#filebrowser >> visible=true").count():
        page.keyboard.press("Control+B")  # the side bar away
    page.wait_for_timeout(500)


def run_all(page: Page) -> None:
    """Run cells from the top until one stops, as JupyterLab does, and wait until nothing is running."""
    page.click(".lm-MenuBar-itemLabel:text-is('Run')")
    page.click(".lm-Menu-itemLabel:text-is('Run All Cells') >> visible=true")
    page.wait_for_timeout(2000)
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.jp-InputPrompt')].some(e => e.textContent.includes('*'))",
        timeout=90_000,
    )
    page.wait_for_timeout(1000)


def show(page: Page, text: str) -> None:
    """Scroll until a cell with this text is in view (JupyterLab draws cells only when they are near)."""
    page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
    for _ in range(200):
        found = page.locator(f".jp-Cell:has-text('{text}')").first
        if found.count():
            found.evaluate("cell => cell.scrollIntoView({block: 'start'})")
            page.wait_for_timeout(800)
            return
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollBy(0, 500)")
        page.wait_for_timeout(60)
    raise SystemExit(f"no cell with {text!r} was found")


def main(out: Path = DOCS) -> None:
    """Take the pictures."""
    folder = Path(tempfile.mkdtemp())
    prepare(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", f"--port={port}", "--no-browser", "--allow-root",
         "--IdentityProvider.token=t", f"--ServerApp.root_dir={folder}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
            )
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            address = f"http://127.0.0.1:{port}"
            open_notebook(page, address, "blank")
            page.screenshot(path=out / "notebook.png")
            run_all(page)
            show(page, "stem = [(7, 2)")
            page.screenshot(path=out / "blank.png")
            open_notebook(page, address, "wrong")
            run_all(page)
            show(page, "check.basic_block")
            page.screenshot(path=out / "check.png")
            open_notebook(page, address, "masks")
            run_all(page)
            show(page, "check.augment_pair")
            page.screenshot(path=out / "masks.png")
            open_notebook(page, address, "1_resnet34")
            show(page, "EPOCHS = 3")
            page.screenshot(path=out / "training.png")
            browser.close()
    finally:
        lab.terminate()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
