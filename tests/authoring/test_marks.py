"""Solution marks: what is one, what may have been meant as one, and what is between."""

from __future__ import annotations

import pytest

from assignments_lib.authoring.marks import (
    looks_like_mark,
    mark,
    problems,
    regions,
    without_marks,
    without_solutions,
)

CELL = """\
def f(x):
    ### BEGIN SOLUTION
    y = x + 1
    ### END SOLUTION
    return y
"""


@pytest.mark.parametrize(
    ("line", "which"),
    [
        ("### BEGIN SOLUTION", "BEGIN"),
        ("        ### END SOLUTION", "END"),
        ("    ### END SOLUTION  ", "END"),
        ("### begin solution", None),
        ("x = 1", None),
    ],
)
def test_an_exact_mark(line, which):
    assert mark(line) == which


@pytest.mark.parametrize(
    "line",
    [
        "### begin solution",
        "### Begin Solution",
        "### BEGIN SOLUTIONS",
        "# ## BEGIN SOLUTION",
        "#### BEGIN SOLUTION",
        "## BEGIN SOLUTION",
        "# BEGIN SOLUTION",
        "###BEGIN SOLUTION",
        "###  BEGIN  SOLUTION",
        "### BEGIN SOLUTION:",
        "### BEGIN SOLUTION of 1.2",
        "### BEGIN THE SOLUTION",
        "### BEGIN_SOLUTION",
        "### BEGINSOLUTION",
        "### BEGIN SOLUTON",
        "### BEGN SOLUTION",
        "### END SOLUTION ###",
        "### End of solution",
        "### END SOLTUION",
        "### SOLUTION BEGIN",
        "### START SOLUTION",
        "### END ANSWER",
        "### SOLUTION",
        "// BEGIN SOLUTION",
        "% END SOLUTION",
        "-- begin solution",
        "/* END SOLUTION */",
        "<!-- BEGIN SOLUTION -->",
        "### ANFANG LÖSUNG",
        "### FIN SOLUTION",
        "x = 1  ### BEGIN SOLUTION",
        "x = 1  # begin solution",
        "'BEGIN SOLUTION'",
        "### BEGIN HIDDEN TESTS",
        "### END MARK SCHEME",
    ],
)
def test_what_may_have_been_meant_as_a_mark(line):
    assert mark(line) is None
    assert looks_like_mark(line)
    assert list(problems(f"### BEGIN SOLUTION\n{line}\nx = 1\n### END SOLUTION"))


@pytest.mark.parametrize(
    "line",
    [
        "return solution",
        "# the solution of a linear system",
        "# ends at the last layer",
        "end = solution + 1",
        "start, solution = 0, solve(start)",
        "# Begin with the stem, at half the resolution.",
        "# start resolution",
        "# find the solution by Newton's method",
        "x = 1",
        "",
        "@dataclass",
    ],
)
def test_code_that_only_speaks_of_solutions(line):
    assert not looks_like_mark(line)


@pytest.mark.parametrize(
    "line",
    [
        "At the end, solutions of this kind forget.",
        "- In the end the solution is short.",
        "## Solution",
        "Begin by reading the paper.",
    ],
)
def test_prose_that_only_speaks_of_solutions(line):
    assert not looks_like_mark(line, markdown=True)


@pytest.mark.parametrize("line", ["### begin solution", "<!-- begin solution -->", "#### BEGIN SOLUTION"])
def test_a_mistyped_mark_in_a_written_answer(line):
    assert looks_like_mark(line, markdown=True)


def test_marks_in_order_are_no_problem():
    assert list(problems(CELL)) == []


@pytest.mark.parametrize(
    ("source", "offset", "says"),
    [
        ("### BEGIN SOLUTION\nx = 1", 0, "without an '### END"),
        ("x = 1\n### END SOLUTION", 1, "without a '### BEGIN"),
        ("### BEGIN SOLUTION\ny\n### BEGIN SOLUTION\nx\n### END SOLUTION", 2, "again"),
        ("### BEGIN SOLUTION\n\n### END SOLUTION", 2, "nothing stands between"),
        ("def f():\n### BEGIN SOLUTION\n    return 1\n### END SOLUTION", 3, "indented"),
        ("x = 1", 0, "without a solution"),
        ("### begin solution\nx = 1\n### END SOLUTION", 0, "looks like"),
    ],
)
def test_marks_out_of_order(source, offset, says):
    found = list(problems(source))
    assert found[0][0] == offset
    assert says in found[0][1]


def test_a_mark_outside_an_answer():
    ((offset, problem), *_) = problems("x = 1\n### BEGIN SOLUTION\ny\n### END SOLUTION", answer=False)
    assert offset == 1
    assert "no answer" in problem


def test_only_what_is_between_the_marks_is_a_solution():
    (region,) = regions(CELL)
    assert region.lines == ("    y = x + 1",)
    assert without_marks(CELL) == "def f(x):\n    y = x + 1\n    return y\n"
    assert without_solutions(CELL) == "def f(x):\n    return y\n"


def test_several_regions():
    source = f"{CELL}\n{CELL.replace('y', 'z')}"
    assert [region.lines for region in regions(source)] == [("    y = x + 1",), ("    z = x + 1",)]
    assert "x + 1" not in without_solutions(source)
