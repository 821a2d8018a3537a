"""The class on one page: nobody is forgotten, and nothing is computed of nothing."""

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from grades import made
from PIL import Image

from assignments_lib.grading.class_report import MOST_NAMES, class_report
from assignments_lib.marking.result import Graded, PartMark, QuestionMark


def first_picture(html: str) -> np.ndarray:
    found = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert found
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("RGB"))


def test_everybody_who_was_not_graded_is_named() -> None:
    number = 3 * MOST_NAMES
    html = class_report([made(f"student-{n}.", problem="It is empty.") for n in range(number)], title="A")
    assert all(f"student-{n}." in html for n in range(number))
    assert "Median" not in html


def test_many_warnings_of_some_do_not_hide_those_of_another() -> None:
    noisy = [replace(made(f"noisy {n}"), warnings=("It imports gc.",) * 20) for n in range(MOST_NAMES)]
    quiet = replace(made("Kim"), warnings=("The check of 1.1 could not cope.",))
    assert "The check of 1.1 could not cope." in class_report([*noisy, quiet], title="A")


def test_warnings_are_there_where_nothing_was_graded() -> None:
    result = replace(made("Kim", problem="It is empty."), warnings=("Look at this.",))
    assert "Look at this." in class_report([result], title="A")


@pytest.mark.parametrize(
    "exercises", [(), (replace(made().exercises[0], parts=()),)], ids=["none", "no part"]
)
def test_an_assignment_of_written_questions_alone(exercises: tuple) -> None:
    html = class_report([replace(made(), exercises=exercises)], title="A")
    assert "1 submission, 1 of them graded" in html
    assert "What is hard" not in html


def test_nobody_is_said_to_fail_where_everybody_passes() -> None:
    right = replace(made().exercises[0], parts=(PartMark("shape", 6, 6, "PASS"),))
    html = class_report([replace(made(), exercises=(right,))], title="A")
    assert "Nobody fails any." in html
    assert "Most fail" not in html


def test_more_than_full_marks_are_in_the_histogram() -> None:
    generous = replace(made(), questions=(QuestionMark("Q1", "why", 4, "because", 40.0),))
    assert (first_picture(class_report([generous], title="A")) == (0, 114, 178)).all(-1).any()


def test_a_mark_of_mathematics_in_a_title_is_a_letter() -> None:
    odd = replace(made().exercises[0], parts=(PartMark(r"cost in $\frac{$", 6, 0, "FAIL"),))
    assert r"cost in $\frac{$" in class_report([replace(made(), exercises=(odd,))], title="A")


def test_two_submissions_under_one_name_are_two_to_be_read() -> None:
    html = class_report([made("Kim"), made("Kim")], title="A")
    assert "Written answers of 2 students wait for you (Q1: 2)." in html


def test_the_pictures_do_not_depend_on_the_settings_of_the_moment() -> None:
    import matplotlib

    results: list[Graded] = [made()]
    plain = class_report(results, title="A")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert class_report(results, title="A") == plain
