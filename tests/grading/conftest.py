"""What tests of grading need: a sandbox, the releases, and submissions made of them."""

import json
from collections.abc import Iterator

import pytest
import torch
from submissions import Submit, added, cell_of, need_sandbox, notebook_of, released

from assignments_lib.grading.sandbox import Sandbox
from assignments_lib.marking.release import Release
from assignments_lib.marking.room import Limits

SHORT = Limits(request=4, cell=4, exercise=8, memory=2 * 2**30)  # so that what hangs doesn't take long


@pytest.fixture(scope="session")
def room() -> Iterator[Sandbox]:
    """One sandbox for all tests that don't break it; every submission gets its own copy in it."""
    need_sandbox()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with Sandbox(SHORT) as made:
        yield made
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def resnet34() -> Release:
    """Assignment 1 as students get it."""
    return released("1_resnet34")


@pytest.fixture(scope="session")
def submit() -> Submit:
    """Makes a submission's bytes: of which notebook, solved or blank, with these answers by exercise, and cells added
    in front of the first answer and at the end."""

    def make(
        name: str = "1_resnet34",
        answers: dict[str, str] | None = None,
        *,
        solved: bool = False,
        first: str = "",
        last: str = "",
    ) -> bytes:
        notebook = notebook_of(name, solved)
        for task, source in (answers or {}).items():
            cell_of(notebook, f"exercise-{task.replace('.', '-')}")["source"] = source
        place = next(n for n, cell in enumerate(notebook["cells"]) if cell["id"].startswith("exercise-"))
        if first:
            notebook["cells"].insert(place, added(first))
        if last:
            notebook["cells"].append(added(last) | {"id": "added-last"})
        return json.dumps(notebook).encode()

    return make
