"""A small source with everything in it, the assignment it belongs to, and a checkout around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assignments_lib.authoring.checkout import Checkout
from assignments_lib.authoring.source import Lookup, Source, read
from assignments_lib.checks.registry import Assignment, Question

TINY = '''\
# Edit this file, then run `assignments build tiny`.

# %% [markdown]
# # Tiny
#
# By the end you can double.

# %%
from assignments_lib import NotFilledIn

# cat pictures come first
# %matplotlib inline

# %% tags=["parameters"]
DATASET = "doodles"

# %% exercise="1.1"
def double(number: int) -> int:
    """Twice a number."""
    ### BEGIN SOLUTION
    return number + number * 1
    ### END SOLUTION

# %% check="1.1"
try:
    print("1.1", double(4) == 8)
except NotImplementedError as error:
    print("NOT FILLED IN", error)

# %% [markdown]
# <details><summary>I get half of it</summary>Add it to itself.</details>

# %% exercise="1.2"
class Doubler:
    def __init__(self):
        ### BEGIN SOLUTION
        self.how_often_doubled = 0
        ### END SOLUTION

    def __call__(self, number):
        """Doubles, and counts."""
        ### BEGIN SOLUTION
        self.how_often_doubled += 1
        return double(number)
        ### END SOLUTION

# %% check="1.2"
print("1.2 is checked")

# %% needs="1.1 1.2" tags=["report"]
doubler = Doubler()
print(f"on {DATASET}: {doubler(21)}")

# %% [markdown] question="Q1"
# **Q1.** Why is that twice?
#
# ### BEGIN SOLUTION
# Because a sum of two equal numbers is twice either.
# ### END SOLUTION
'''


@pytest.fixture
def tiny() -> str:
    """The text of a source that is in order."""
    return TINY


@pytest.fixture
def lookup() -> Lookup:
    """Gives the assignment of "tiny", and of nothing else."""
    exercises = (Question("1.1", "double", 5), Question("1.2", "Doubler", 7))
    known = {"tiny": Assignment("tiny", "Tiny", exercises, (Question("Q1", "Why twice", 3),))}
    return known.__getitem__


@pytest.fixture
def checkout(tmp_path: Path, tiny: str) -> Checkout:
    """A project with that one source."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "notebooks" / "source" / "tiny.py").write_text(tiny, encoding="utf-8")
    return Checkout(tmp_path)


@pytest.fixture
def reading(checkout: Checkout, lookup: Lookup) -> Callable[[str], Source]:
    """Reads a text as the source of "tiny"."""

    def reading(text: str) -> Source:
        checkout.source("tiny").write_text(text, encoding="utf-8")
        return read(checkout.source("tiny"), lookup)

    return reading


@pytest.fixture
def line_of(checkout: Checkout) -> Callable[[str], int]:
    """The number of the first line of the source, as it is on disk, that holds a piece of text."""

    def line_of(piece: str) -> int:
        lines = checkout.source("tiny").read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if piece in line)

    return line_of
