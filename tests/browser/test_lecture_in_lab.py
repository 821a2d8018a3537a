"""The lecture in JupyterLab, in a real browser: every control of every demonstration changes its picture."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from lab import chromium, jupyterlab, open_notebook, run_all
from looks import THEMES, pale, use_theme, without_words
from panels import Panel, move, panels
from playwright.sync_api import Page

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "0_lecture_semantic_segmentation"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not on the PATH"),
]


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The lecture as a student opens it, run from top to bottom."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(CHECKOUT / "notebooks" / f"{NAME}.ipynb", folder)
    with jupyterlab(folder) as address, chromium() as page:
        open_notebook(page, address, NAME)
        run_all(page, seconds=600)
        yield page


def test_nothing_raised_and_every_demonstration_is_there(lecture: Page) -> None:
    errors = lecture.query_selector_all(
        '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'
    )
    assert [error.inner_text()[:300] for error in errors] == []
    source = nbformat.read(CHECKOUT / "notebooks" / f"{NAME}.ipynb", as_version=4)
    shown = sum(cell.source.count(".show()") for cell in source.cells if cell.cell_type == "code")
    assert shown > 15
    assert len(panels(lecture)) == shown
    assert all(panel.controls() and panel.pictures() for panel in panels(lecture))


def test_every_control_of_every_demonstration_changes_a_picture(lecture: Page) -> None:
    dead = []
    for panel in panels(lecture):
        for control in panel.controls():
            name = move(panel, control)
            if name is not None:
                dead.append(f"{panel.title}: {name}")
            elif "Error" in panel.said():
                dead.append(f"{panel.title}: {panel.said()[-300:]}")
    assert dead == []


def test_the_controls_can_be_read_aloud(lecture: Page) -> None:
    def unnamed(panel: Panel) -> list[str]:
        return [
            f"{panel.title}: {image.get_attribute('alt')!r}"
            for image in panel.box.query_selector_all("img")
            if len((image.get_attribute("alt") or "").split()) < 4
        ]

    assert [words for panel in panels(lecture) for words in unnamed(panel)] == []


@pytest.mark.parametrize("theme", THEMES)
def test_no_picture_is_without_words_and_no_text_is_pale(lecture: Page, theme: str) -> None:
    use_theme(lecture, theme)
    assert without_words(lecture) == []
    assert pale(lecture) == []
