"""Feedback and class report: nothing that somebody wrote becomes a part of the page, and everybody can read it."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from contrast import contrast
from grades import HINT, made
from matplotlib.colors import to_rgb

from assignments_lib.grading.class_report import class_report
from assignments_lib.grading.feedback import feedback
from assignments_lib.grading.page import STYLE, text

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>*{display:none}</style>",
    "</pre></main></body>",
    "<a href='javascript:alert(1)'>here</a>",
    "&lt;script&gt;",
    "\u202egnp.exe\u2066",
    "a\x00b\x1b[31m",
]


def ratio(one: str, other: str) -> float:
    return float(contrast(to_rgb(one), to_rgb(other)))


class Page(HTMLParser):
    """The elements and attributes of a page, and its words."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def shape(self) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_student_writes_stays_text(hostile: str) -> None:
    harmless = "x" * 12
    for pages in (
        [feedback(made(words, words)) for words in (harmless, hostile)],
        [feedback(made(words, words, problem=words)) for words in (harmless, hostile)],
        [feedback(made(words, words, earned=3.0)) for words in (harmless, hostile)],
        [class_report([made(words, words)], title=words) for words in (harmless, hostile)],
        [class_report([made(words, words, problem=words)], title=words) for words in (harmless, hostile)],
    ):
        plain, attacked = map(Page, pages)
        assert attacked.shape == plain.shape
        assert not [tag for tag, _ in attacked.elements if tag in ("script", "a", "iframe", "form", "link")]
        assert not [
            name
            for _, names in attacked.elements
            for name in names
            if name.startswith("on") or name == "style"
        ]
        for hidden in "\u202e\u2066\x00\x1b":
            assert hidden not in pages[1]


def test_long_text_is_cut_and_says_so() -> None:
    assert text("a" * 5000) == "a" * 4000 + " ... (1,000 characters more)"
    assert text("<" * 10, 3) == "&lt;&lt;&lt; ... (7 characters more)"
    assert len(feedback(made(words="y" * 10**6))) < 100_000


def test_the_policy_allows_this_style_sheet_and_nothing_else() -> None:
    html = feedback(made())
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert found
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in found[1]
    assert "default-src 'none'" in found[1]
    assert "unsafe" not in found[1]
    assert f"<style>{STYLE}</style>" in html
    assert "img-src" not in found[1]


def test_words_and_grounds_have_contrast_in_both_themes() -> None:
    themes = re.findall(r"--ground: (#\w+); --ink: (#\w+); --quiet: (#\w+); --box: (#\w+);", STYLE)
    assert len(themes) == 2
    for ground, ink, quiet, box in themes:
        for words in (ink, quiet):
            assert ratio(words, ground) >= 4.5
        assert ratio(ink, box) >= 4.5


def test_a_page_of_feedback_says_what_happened() -> None:
    page = Page(feedback(made()))
    assert "2 of 10 points so far; 4 more are for written answers that nobody has read yet" in page.words
    assert page.words.count(HINT) == 1
    assert "As above (one short)." in page.words
    assert "Not covered by this check: speed." in page.words
    assert "Seed12345" in page.words.replace("\n", "")
    read = Page(feedback(made(earned=3.5)))
    assert "5.5 of 10 points" in read.words
    assert "so far" not in read.words
    assert "Q1 why: 3.5 of 4 points" in read.words
    problem = Page(feedback(made(problem="a.ipynb is empty.")))
    assert "This could not be graded" in problem.words
    assert "a.ipynb is empty." in problem.words


@pytest.mark.parametrize("number", [0, 1, 3, 300])
def test_a_class_of_any_size(number: int) -> None:
    results = [made(f"student {n}", seconds=1 + n / 10) for n in range(number)]
    page = Page(class_report(results, title="Assignment 1"))
    assert f"{number} submission{'' if number == 1 else 's'}, {number} of them graded" in page.words
    assert all(attributes.get("alt") for tag, attributes in page.elements if tag == "img")
    assert len([tag for tag, _ in page.elements if tag == "img"]) == (3 if number else 0)
    if number:
        assert "Median 2 of 10" in page.words
        assert f"{number}1.1one short{HINT}" in page.words
    if number == 300:
        assert "and 260 more" in page.words


def test_the_class_report_names_who_was_not_graded_and_what_to_look_at() -> None:
    page = Page(
        class_report([made("a", "odd code"), made("b", problem="b.ipynb is empty.")], title="Assignment 1")
    )
    assert "2 submissions, 1 of them graded" in page.words
    assert "b: b.ipynb is empty." in page.words
    assert "a: odd code" in page.words
    assert "a: Q1" in page.words
