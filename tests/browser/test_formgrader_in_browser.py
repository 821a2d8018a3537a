"""Written answers in nbgrader's formgrader, in a real browser: found, read, marked, and the marks come back."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import chromium, jupyterlab
from playwright.sync_api import Page

NAME = "1_resnet34"
BLANK = Path(__file__).resolve().parents[2] / "notebooks" / f"{NAME}.ipynb"
WORDS = (
    "Because *gradients* reach the first layers, 이렇게.\n\n- <b>not bold</b>\n- so it learns $y = F(x) + x$"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not on the PATH"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap isn't installed"),
]


def grade(folder: Path) -> str:
    """As the README has it."""
    command = [
        *(
            Path(sys.executable).with_name("assignments"),
            "grade",
            folder / "submissions",
            "--assignment",
            NAME,
        ),
        *("--output", folder / "grades", "--nbgrader", folder / "course"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class of two, graded: Kim answered a question in words, Lee handed in the blank notebook."""
    folder = tmp_path_factory.mktemp("class")
    for student, words in (("kim", WORDS), ("lee", "")):
        notebook = json.loads(BLANK.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["id"] == "question-Q1" and words:
                cell["source"] += [f"\n\n{words}"]
        path = folder / "submissions" / student / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook), encoding="utf-8")
    assert "1 answer to a written question waits to be read in formgrader" in " ".join(grade(folder).split())
    return folder


@pytest.fixture(scope="module")
def formgrader(folder: Path) -> Iterator[tuple[Page, str]]:
    """JupyterLab started in the course's folder, and a browser that has shown it its token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder / "course")  # where nbgrader looks for its configuration
        with jupyterlab(folder / "course") as address, chromium() as page:
            page.goto(f"{address}/api/status?token=t")
            yield page, address


def test_an_answer_is_read_and_its_mark_comes_back(formgrader: tuple[Page, str], folder: Path) -> None:
    page, address = formgrader
    page.goto(f"{address}/formgrader")
    page.wait_for_selector(f"#main-table >> text={NAME}")
    page.click("text=Manual Grading")
    page.click(f"#main-table >> text={NAME}")  # the assignment
    page.click(f"#main-table >> text={NAME}")  # its notebook
    page.wait_for_selector("#main-table .needs-manual-grade .glyphicon-ok")
    assert page.locator("#main-table .needs-manual-grade .glyphicon-ok").count() == 1
    row = page.locator("#main-table tr", has=page.locator(".needs-manual-grade .glyphicon-ok"))
    row.locator("a.name-hidden").click()

    answer = page.locator(".nbgrader_cell", has=page.locator("#question-Q1"))
    answer.wait_for()
    assert answer.locator("em:text-is('gradients')").count() == 1
    assert answer.locator("b").count() == 0
    assert "이렇게" in answer.inner_text()
    page.wait_for_selector("#question-Q1.needs_manual_grade")
    assert page.locator("#question-Q2.needs_manual_grade").count() == 0
    for place, words in (("#question-Q1", "4.5"), ("#question-Q1-comment", "Yes; and the block?")):
        with page.expect_response(lambda response: response.request.method == "PUT") as saved:
            page.fill(place, words)
            page.press(place, "Tab")
        assert saved.value.ok

    assert "0 to grade, 2 graded before and unchanged" in " ".join(grade(folder).split())
    text = (folder / "grades" / "feedback" / "kim.html").read_text(encoding="utf-8")
    assert "4.5 of" in text
    assert "Yes; and the block?" in text
    with (folder / "grades" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        kim, lee = csv.DictReader(file)
    assert [float(kim["Total"]), float(lee["Total"])] == [4.5, 0]
    assert kim["Waiting questions"] == ""
