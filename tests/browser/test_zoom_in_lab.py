"""Notebooks in JupyterLab at 200 % zoom: nothing that they show is cut off or squeezed, failed checks included.

A window of 1280 pixels at 200 % is one of 640 CSS pixels, of which JupyterLab's bars and prompts take a quarter.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from lab import chromium, jupyterlab, open_notebook
from playwright.sync_api import Page

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation import pairs
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.report import Report

SOLUTIONS = Path(__file__).resolve().parents[2] / "notebooks" / "solutions"
NAMES = sorted(path.stem for path in SOLUTIONS.glob("*.ipynb"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not on the PATH"),
]

# What sticks out of its cell, and pictures that are squeezed or too small to be made out
CUT = """() => [...document.querySelectorAll('.jp-RenderedHTMLCommon, .jp-RenderedText')].flatMap(area => {
    const found = [], edge = area.parentElement.getBoundingClientRect().right + 1;
    const name = area.closest('.jp-Cell').innerText.slice(0, 60);
    if (area.scrollWidth > area.clientWidth + 1)
        found.push(`${name}: ${area.scrollWidth} pixels in ${area.clientWidth}`);
    for (const each of area.querySelectorAll('img, table, pre')) {
        const box = each.getBoundingClientRect();
        if (!box.width || each.closest('details:not([open])')) continue;
        if (box.right > edge) found.push(`${name}: a ${each.tagName} sticks out by ${box.right - edge}`);
        if (each.tagName === 'IMG' && each.naturalWidth) {
            const ratio = (box.width / box.height) / (each.naturalWidth / each.naturalHeight);
            if (Math.abs(ratio - 1) > 0.1) found.push(`${name}: a picture is squeezed, ${ratio}`);
            if (box.width < 40) found.push(`${name}: a picture is ${box.width} pixels wide`);
        }
    }
    return found;
})"""


def wrong() -> nbformat.NotebookNode:
    """What the check of an image and its mask shows of wrong answers that it knows."""
    cells = []
    for number, mistake in enumerate(pairs.EXERCISE.mistakes[:4]):
        answer = InProcess(mistake.namespace)
        report = Report(
            evaluate(pairs.EXERCISE, answer, seed=number),
            tuple(demonstrate(pairs.EXERCISE.demonstrations, answer)),
        )
        data = {"text/html": report._repr_html_(), "text/plain": repr(report)}
        cells.append(
            nbformat.v4.new_code_cell("check", outputs=[nbformat.v4.new_output("display_data", data)])
        )
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, str]]:
    folder = tmp_path_factory.mktemp("lab")
    for name in NAMES:
        shutil.copy(SOLUTIONS / f"{name}.ipynb", folder)
    nbformat.write(wrong(), folder / "wrong.ipynb")
    with jupyterlab(folder) as address, chromium() as page:
        yield page, address


@pytest.mark.parametrize("name", [*NAMES, "wrong"])
def test_nothing_is_cut_off_at_200_percent(lab: tuple[Page, str], name: str) -> None:
    page, address = lab
    page.set_viewport_size(
        {"width": 1280, "height": 900}
    )  # in a small one the toolbar hides how the kernel is
    open_notebook(page, address, name)
    page.set_viewport_size({"width": 640, "height": 450})
    page.wait_for_timeout(1000)
    assert page.locator(".jp-OutputArea img").count() >= 8
    assert page.evaluate(CUT) == []
