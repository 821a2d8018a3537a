"""Feedback and class report in a real browser: no page breaks its own policy, and axe finds nothing to say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import chromium
from looks import AXE
from playwright.sync_api import Page

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.resnet34 import ASSIGNMENT, convolution
from assignments_lib.grading.class_report import class_report
from assignments_lib.grading.feedback import feedback
from assignments_lib.marking.result import ExerciseMark, Graded, QuestionMark
from assignments_lib.marking.score import _mark

HOSTILE = "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not on the PATH"),
]


def results() -> list[Graded]:
    """A class in which everybody makes another mistake in exercise 1.1."""
    found = []
    for number, mistake in enumerate(convolution.EXERCISE.mistakes):
        result = evaluate(convolution.EXERCISE, InProcess(mistake.namespace), seed=number)
        exercise = ExerciseMark(
            "1.1", "output size", 6, result.status, tuple(map(_mark, result.parts)), (HOSTILE,)
        )
        questions = (
            QuestionMark("Q1", "why", 5, HOSTILE),
            QuestionMark("Q2", "when", 5, "because", 4.0, "Nearly."),
        )
        found.append(
            Graded(
                f"student {number} {HOSTILE}",
                ASSIGNMENT.notebook,
                ASSIGNMENT.title,
                "a.ipynb",
                "ab" * 32,
                5,
                (exercise,),
                questions,
                remarks=(HOSTILE,),
                warnings=(HOSTILE,),
                seconds=2.0 + number,
            )
        )
    return found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A page of feedback, one of a submission that could not be graded, and the class report."""
    folder = tmp_path_factory.mktemp("pages")
    graded = results()
    problem = Graded(
        "b", "1_resnet34", "Assignment 1", "b.ipynb", "cd" * 32, 5, (), problem="b.ipynb is empty."
    )
    texts = {
        "feedback": feedback(graded[0]),
        "problem": feedback(problem),
        "class": class_report([*graded, problem], title=ASSIGNMENT.title),
    }
    for name, html in texts.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return [folder / f"{name}.html" for name in texts]


# A desktop's window at 200 % zoom has 640 CSS pixels
SCREENS = {
    "desktop, light": (1280, "light"),
    "200 %, light": (640, "light"),
    "200 %, dark": (640, "dark"),
    "phone, dark": (390, "dark"),
}


@pytest.fixture(params=SCREENS.values(), ids=SCREENS)
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = request.param
    with chromium(width) as opened:
        opened.emulate_media(color_scheme=scheme)
        yield opened


def test_pages_say_what_they_should_and_nothing_runs_in_them(page: Page, pages: list[Path]) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in pages:
        page.goto(path.as_uri())
        assert page.title() != "owned"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            "it scrolls sideways"
        )
        assert page.locator("script, a, iframe").count() == 0
        for image in page.query_selector_all("img"):
            assert image.evaluate("e => e.naturalWidth") > 100
            # As high as it should be, and whole
            assert image.evaluate(
                "e => Math.abs(e.width / e.height - e.naturalWidth / e.naturalHeight) < 0.05"
                " && e.getBoundingClientRect().right <= window.innerWidth"
            )
    assert complaints == []  # the browser says there what a policy forbade


def test_axe_finds_nothing(page: Page, pages: list[Path]) -> None:
    source = AXE.read_text()
    for path in pages:
        page.goto(path.as_uri())
        page.evaluate(
            f"() => {{ {source} }}"
        )  # the page's policy forbids scripts in it, not the browser's own
        found = page.evaluate("() => axe.run()")
        assert [
            (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]
        ] == []
