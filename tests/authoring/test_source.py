"""Reading a source: what its cells are, and everything that can be wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from assignments_lib.authoring.errors import BuildError
from assignments_lib.authoring.source import read


def test_each_kind_of_cell(reading, tiny):
    source = reading(tiny)
    assert [cell.kind for cell in source.cells if cell.kind not in ("text", "code")] == [
        *("exercise", "check", "exercise", "check", "question")
    ]
    assert [cell.id for cell in source.cells if cell.task] == [
        *("exercise-1-1", "check-1-1", "exercise-1-2", "check-1-2", "question-Q1")
    ]
    experiment = source.cells[-2]
    assert experiment.needs == ("1.1", "1.2")
    assert experiment.tags == ["report"]
    assert "needs" not in experiment.metadata


def test_a_cell_knows_its_lines(reading, tiny, line_of):
    source = reading(tiny)
    for cell in source.cells:
        first = cell.source.split("\n")[0].removeprefix("%")
        assert line_of(first) == cell.first_line
        assert cell.line < cell.first_line


def test_blank_lines_at_the_top_of_a_cell_count(reading, tiny, line_of):
    source = reading(tiny.replace('DATASET = "doodles"', '\n\nDATASET = "doodles"'))
    cell = next(cell for cell in source.cells if cell.tags == ["parameters"])
    assert cell.first_line == line_of('DATASET = "')


def test_text_in_a_string_knows_its_lines(reading, tiny, line_of):
    source = reading(f'{tiny}\n# %% [markdown]\n"""\nFarewell.\n"""\n')
    assert source.cells[-1].source == "Farewell."
    assert source.cells[-1].first_line == line_of("Farewell.")


def test_magics_are_magics_and_comments_are_comments(reading, tiny):
    setup = reading(tiny).cells[1].source.split("\n")
    assert "%matplotlib inline" in setup
    assert "# cat pictures come first" in setup


def test_two_cells_of_one_exercise(reading, tiny):
    second = 'exercise="1.2" part="b"\n### BEGIN SOLUTION\nanother = 1\n### END SOLUTION\n\n# %% check="1.2"'
    source = reading(tiny.replace('exercise="1.2"', 'exercise="1.2" part="a"').replace('check="1.2"', second))
    assert [cell.id for cell in source.cells if cell.kind == "exercise"][1:] == [
        "exercise-1-2-a",
        "exercise-1-2-b",
    ]


def test_ids_are_the_same_after_an_insertion(reading, tiny):
    before = [cell.id for cell in reading(tiny).cells]
    inserted = '# %% [markdown]\n# New.\n\n# %% tags=["parameters"]'
    after = [cell.id for cell in reading(tiny.replace('# %% tags=["parameters"]', inserted)).cells]
    assert len(after) == len(before) + 1
    assert [id for id in after if id in before] == before


def test_cells_with_the_same_text_have_ids_of_their_own(reading, tiny):
    cells = reading(f"{tiny}\n# %%\nagain = 1\n\n# %%\nagain = 1\n").cells
    assert cells[-1].id == f"{cells[-2].id}-2"


def test_a_lecture_needs_no_assignment(tmp_path: Path, lookup):
    file = tmp_path / "lecture.py"
    file.write_text("# %% [markdown]\n# Hello.\n", encoding="utf-8")
    assert [cell.source for cell in read(file, lookup).cells] == ["Hello."]


EXTRA = "\n# %% {}\nx = 1\n"
WRONG = {
    "an exercise that is not in the registry": ("", EXTRA.format('exercise="1.9"'), "exercise 1.9 is not in"),
    "a check that is not in the registry": ("", EXTRA.format('check="1.9"'), "check 1.9 is not in"),
    "a need that is not in the registry": ("", EXTRA.format('needs="1.7"'), "names 1.7"),
    "an exercise without its check": ('check="1.2"', "", "exercise 1.2 (Doubler) has no check"),
    "a second check": ('check="1.2"', 'check="1.1"', "has the id check-1-1"),
    "two answers without parts": ('exercise="1.2"', 'exercise="1.1"', "has the id exercise-1-1"),
    "a question left out": ('question="Q1"', "", "question Q1 (Why twice)"),
    "a number without quotes": ('exercise="1.2"', "exercise=1.2", 'write exercise="..." in quotes'),
    "a mistyped key": ('exercise="1.2"', 'excercise="1.2"', "did you mean `exercise`"),
    "a mistyped need": ("needs=", "need=", "did you mean `needs`"),
    "two things at once": ('check="1.2"', 'check="1.2" exercise="1.2"', "either exercise or check"),
    "an exercise in text": ('exercise="1.2"', '[markdown] exercise="1.2"', "exercises and checks are code"),
    "a question in code": ('[markdown] question="Q1"', 'question="Q1"', "questions are [markdown]"),
    "an answer without a solution": ("return number + number * 1", "", "nothing stands between"),
    "a mistyped mark": (
        "    ### BEGIN SOLUTION\n    return number",
        "    ### BEGIN SOLUTIONS\n    return number",
        "looks",
    ),
    "a mark in teaching code": ("doubler = Doubler()", "### BEGIN SOLUTION\ndoubler = 1", "no answer"),
    "a mark in teaching text": ("By the end you can double.", "### BEGIN SOLUTION", "no answer"),
    "no Python": ("doubler = Doubler()", "doubler = = 1", "isn't valid Python"),
    "no NotFilledIn": ("import NotFilledIn", "import __version__", "needs NotFilledIn"),
    "code before the first cell": ("# Edit this file", "import torch", "before the first"),
    "a cell in a string": ('"""Twice', '"""Twice\n# %% a number\n', "inside a string"),
}


@pytest.mark.parametrize(("old", "new", "says"), WRONG.values(), ids=WRONG)
def test_what_can_be_wrong(reading, tiny, old, new, says):
    text = tiny.replace(old, new, 1) if old else tiny + new
    assert text != tiny
    with pytest.raises(BuildError) as caught:
        reading(text)
    told = [problem for problem in caught.value.problems if says in problem]
    assert told
    assert "tiny.py" in told[0]


def test_a_check_above_its_exercise(reading, tiny):
    check = '# %% check="1.2"\nprint("1.2 is checked")\n\n'
    with pytest.raises(BuildError, match=r"check 1\.2 stands above"):
        reading(tiny.replace(check, "").replace('# %% exercise="1.2"', f'{check}# %% exercise="1.2"'))


def test_an_exercise_left_out(reading, tiny):
    start, end = tiny.index('# %% exercise="1.2"'), tiny.index('# %% needs="1.1 1.2"')
    with pytest.raises(
        BuildError, match=r"exercise 1\.2 \(Doubler\) is in the registry and not in the source"
    ):
        reading(tiny[:start] + tiny[end:])


def test_a_problem_names_its_line(reading, tiny, line_of):
    with pytest.raises(BuildError) as caught:
        reading(tiny.replace("    ### END SOLUTION\n\n# %% check", "    ### end solution\n\n# %% check", 1))
    assert f"tiny.py:{line_of('### end solution')}: exercise 1.1" in caught.value.problems[0]


def test_a_problem_in_text_names_its_line(reading, tiny, line_of):
    with pytest.raises(BuildError) as caught:
        reading(tiny.replace("# ### BEGIN SOLUTION", "# ### Begin solution"))
    assert f"tiny.py:{line_of('### Begin solution')}: question Q1" in caught.value.problems[0]


def test_all_problems_are_told_at_once(reading, tiny):
    with pytest.raises(BuildError) as caught:
        reading(tiny.replace('check="1.2"', "").replace("doubler = Doubler()", "doubler = = 1"))
    assert len(caught.value.problems) == 2


def test_points_in_text_come_from_the_registry(reading, tiny):
    text = "\n# %% [markdown]\n# Worth {points: 1.2}, and {points: 1.1 1.2 Q1} in all.\n"
    assert reading(tiny + text).cells[-1].source == "Worth 7, and 15 in all."
    with pytest.raises(BuildError, match=r"\{points: 9\.9\}.*no exercise or question '9\.9'"):
        reading(tiny + text.replace("1.1", "9.9").replace("1.2 Q1", "").replace(" 9.9 }", " 9.9}"))
