"""Gradescope's results.json."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from assignments_lib.grading import gradescope
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark

FAILED = PartMark(
    "the size",
    4,
    1,
    "FAIL",
    what="size 7",
    given="<b>3</b>",
    expected="4",
    mistake="forgot_padding",
    hint="Padding goes on both sides.",
    look="the sum",
    lines=("def f():", "    return <script>"),
)
GRADED = Graded(
    student="김민수",
    assignment="1_resnet34",
    title="Assignment 1: ResNet34",
    file="1_resnet34.ipynb",
    digest="ab12",
    seed=42,
    exercises=(
        ExerciseMark(
            "1.1",
            "Output size",
            7,
            "FAIL",
            (PartMark("the type", 3, 3, "PASS"), FAILED),
            notes=("A note.",),
            not_covered="Speed.",
        ),
        ExerciseMark("1.2", "The block", 6, "NOT FILLED IN", ()),
    ),
    questions=(
        QuestionMark("Q1", "Why it trains", 5, "Because.", 5.0, "Well said."),
        QuestionMark("Q2", "When", 5, "Then."),
        QuestionMark("Q3", "Where", 5, ""),
        QuestionMark("Q4", "Who", 5, "Me.", 2.5),
    ),
    remarks=("A cell was missing.",),
    warnings=("It reads /proc.",),
)


def test_a_test_for_each_part_and_each_question():
    found = gradescope.results(GRADED)
    assert [
        (test["number"], test.get("score"), test.get("max_score"), test.get("status"))
        for test in found["tests"]
    ] == [
        ("1.1.1", 3, 3, "passed"),
        ("1.1.2", 1, 4, "failed"),
        ("1.2", 0, 6, "failed"),
        ("Q1", 5.0, 5, "passed"),
        ("Q2", None, None, None),
        ("Q3", 0, 5, "failed"),
        ("Q4", 2.5, 5, "failed"),
    ]
    assert [test["name"] for test in found["tests"]][:3] == [
        "1.1 Output size: the type",
        "1.1 Output size: the size",
        "1.2 The block",
    ]
    assert found["score"] == GRADED.earned == 11.5
    assert sum(test.get("score", 0) for test in found["tests"]) == found["score"]
    assert found["extra_data"] == {"seed": 42, "digest": "ab12"}


def test_a_part_that_isnt_right_is_explained_and_a_right_one_isnt():
    right, wrong, blank = gradescope.results(GRADED)["tests"][:3]
    assert right["output"] == "PASS"
    assert wrong["output"] == (
        "FAIL\nLooked at: size 7\nYours: <b>3</b>\nExpected: 4\nLikely mistake: Padding goes on both sides.\n"
        "Where to look: the sum\nYour lines:\ndef f():\n    return <script>\nA note.\nSpeed."
    )
    assert blank["output"] == "NOT FILLED IN"


def test_questions_say_where_they_stand():
    outputs = [test["output"] for test in gradescope.results(GRADED)["tests"][3:]]
    assert outputs[0].endswith("Well said.")
    assert outputs[1] == "Not marked yet, as a person reads it (5 points)."
    assert outputs[2] == "Not answered."
    assert outputs[3] == ""


def test_everything_is_text_and_nothing_is_for_the_instructor_only():
    found = gradescope.results(GRADED, "after_published")
    assert {each["output_format"] for each in (found, *found["tests"])} == {"text"}
    assert {each["visibility"] for each in (found, *found["tests"])} == {"after_published"}
    assert "/proc" not in json.dumps(found)
    assert found["output"] == "A cell was missing.\nNot marked yet, as a person reads it: Q2."


def test_what_could_not_be_graded_says_why():
    questions = tuple(replace(question, answer="", earned=None) for question in GRADED.questions)
    exercise = replace(GRADED.exercises[1], status="NOT GRADED")
    lost = replace(GRADED, exercises=(exercise,), questions=questions, remarks=(), problem="It isn't JSON.")
    found = gradescope.results(lost)
    assert (found["score"], found["output"]) == (0, "It isn't JSON.")
    assert [(test["name"], test["output"]) for test in found["tests"]] == [("1.2 The block", "NOT GRADED")]


@pytest.mark.parametrize("words", ["</script><b>", '"\n\r\t\0', "=cmd", "한국어", "x" * 100_000])
def test_hostile_words_come_back_from_the_file(tmp_path, words):
    part = replace(FAILED, given=words)
    hostile = replace(GRADED, exercises=(replace(GRADED.exercises[0], parts=(part,)),))
    gradescope.write(hostile, tmp_path / "results" / "results.json")
    found = json.loads((tmp_path / "results" / "results.json").read_bytes().decode("utf-8"))
    assert words in found["tests"][0]["output"]


def test_half_a_surrogate_pair_makes_no_bad_utf8(tmp_path):
    gradescope.write(replace(GRADED, problem="caf\udce9"), tmp_path / "results.json")
    text = (tmp_path / "results.json").read_bytes().decode("utf-8")
    assert json.loads(text)["output"].startswith("caf?")
    assert "\\ud" not in text
