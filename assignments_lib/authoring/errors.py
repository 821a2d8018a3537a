"""`BuildError`: what is wrong with a source, said to the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable


class BuildError(Exception):
    """One or more sentences, each naming the file, the line and what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def refuse(problems: Iterable[str]) -> None:
    """Raise all problems at once, so that a person mends them in one go.

    Raises:
        BuildError: there is at least one.
    """
    found = tuple(problems)
    if found:
        raise BuildError(*found)
