import copy

import pytest

from assignments_lib import NotFilledIn
from assignments_lib.not_there_yet import NotThereYet, assigned_names, stand_in

CELL = """
import math
history = fit(model)
for run in (history,):
    best: float = run.best
with open("x") as file:
    pass
def helper(x):
    inner = 1
squares = [each for each in range(3)]
model.head = 3
counts[0] = 1
a, (b, *c) = 1, (2, 3)
"""


def test_names_that_a_cell_defines():
    assert assigned_names(CELL) == {"history", "run", "best", "file", "helper", "squares", "a", "b", "c"}
    assert assigned_names("this is not python") == set()


def test_only_a_blank_exercise_leaves_stand_ins_and_only_for_names_that_are_missing():
    namespace = {"run": 3}
    stand_in(namespace, CELL, ValueError("no"))
    stand_in(namespace, CELL, None)
    assert namespace == {"run": 3}

    stand_in(namespace, CELL, NotFilledIn("Exercise 1.2 is blank"))
    assert namespace["run"] == 3
    assert isinstance(namespace["history"], NotThereYet)


@pytest.mark.parametrize(
    "use",
    [
        lambda value: value.last,
        lambda value: value(),
        lambda value: value[0],
        lambda value: list(value),
        lambda value: bool(value),
        lambda value: f"{value:.1%}",
        lambda value: print(value),
        lambda value: value + 1,
        lambda value: 1 - value,
        lambda value: value > 0.5,
        lambda value: value == 2,
        lambda value: float(value),
    ],
)
def test_any_use_says_which_exercise_is_blank(use):
    with pytest.raises(NotFilledIn, match=r"Exercise 1\.2 is blank"):
        use(NotThereYet("Exercise 1.2 is blank"))


def test_tools_may_look_it_over():
    value = NotThereYet("Exercise 1.2 is blank")
    assert "Exercise 1.2 is blank" in repr(value)
    assert not hasattr(value, "_repr_html_")
    assert isinstance(copy.copy(value), NotThereYet)
