"""The frame of a page: nothing that somebody wrote hides in it, on a screen or on paper."""

import re

import pytest
from contrast import contrast
from matplotlib.colors import to_rgb

from assignments_lib.grading.page import STYLE, badge, text

INVISIBLE = "\u00ad\u034f\u115f\u1160\u180b\u200b\u200d\u2028\u2029\u202e\u2060\u2066\u2800\u3164\ufeff\uffa0\U000e0041"


@pytest.mark.parametrize("character", INVISIBLE, ids=lambda character: f"U+{ord(character):04X}")
def test_what_cannot_be_seen_is_shown_by_its_number(character: str) -> None:
    assert text(f"a{character}b") == f"a[U+{ord(character):04X}]b"


def test_letters_of_any_language_stay_as_they_are() -> None:
    for words in ("Zoë Ramírez-Villanueva", "김민지", "مریم", "x² ≤ 3", "😀"):
        assert text(words) == words


def test_line_ends_of_windows_are_line_ends() -> None:
    assert text("one\r\ntwo") == "one\ntwo"
    assert text("one\rtwo") == "one[U+000D]two"


def test_on_paper_a_badge_is_legible_without_its_ground() -> None:
    paper = STYLE[STYLE.index("@media print") :]
    found = re.search(r"\.badge \{ background: (#\w+); border: [^;]*; color: (#\w+); \}", paper)
    assert found
    assert contrast(to_rgb(found[1]), to_rgb(found[2])) >= 7


def test_a_status_is_a_word_before_it_is_a_colour() -> None:
    assert ">NOT FILLED IN</span>" in badge("NOT FILLED IN")
    assert 'class="badge blank"' in badge("anything else")
