"""Cells that differ in comments and docstrings only do the same; all others may not."""

from __future__ import annotations

import pytest

from assignments_lib.authoring.sameness import does_the_same

CELL = '''class Block:
    """Old words."""

    def size(self, x):
        """Half."""
        return x // 2  # rounded down
'''


@pytest.mark.parametrize(
    "now",
    [
        CELL.replace("Old words.", "New words, and\n    more of them."),
        CELL.replace('        """Half."""\n', ""),
        CELL.replace("  # rounded down", ""),
    ],
)
def test_words_change_nothing(now):
    assert now != CELL
    assert does_the_same(CELL, now)


@pytest.mark.parametrize(
    "now",
    [
        CELL.replace("// 2", "// 3"),
        CELL.replace("def size(self, x)", "def size(self, x=0)"),
        CELL + "print('Old words.')\n",
        CELL + "%time 1\n",
    ],
)
def test_other_code_may_do_something_else(now):
    assert not does_the_same(CELL, now)


def test_a_string_that_is_shown_is_no_docstring():
    assert not does_the_same("'old'", "'new'")
    assert not does_the_same("x = 1\n'old'\n", "x = 1\n'new'\n")


def test_a_cell_with_magics_is_known_by_its_text():
    assert does_the_same("%time 1", "%time 1")
    assert not does_the_same("%time 1  # one", "%time 1")
