"""What the tests of the checks need.

One thread, so that sums come out alike; a child process to talk to; and a memory for what mistakes show.
"""

import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch

from assignments_lib.checks import exercise
from assignments_lib.checks.answer import Answer, InProcess
from assignments_lib.checks.child import ChildProcess, Piped
from assignments_lib.checks.exercise import Observation, Part
from assignments_lib.grading import sandbox


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _all_of_the_package() -> Iterator[tuple[Path, str]]:
    """What the sandbox shows in these tests: catalogues too, as mistakes are to be run in it."""
    yield sandbox._PACKAGE, "/course/assignments_lib"
    for name in ("template.py", "walls.py"):
        yield sandbox._INSIDE / name, f"/course/{name}"


@pytest.fixture(scope="session")
def child(_one_thread: None) -> Iterator[Piped]:
    """One long-lived other process for all tests that don't break it: give it sources with `define`.

    It is a guest of the grader's sandbox, so that desk and grader are compared; without one, a plain child process.
    """
    if shutil.which("bwrap") is None:
        with ChildProcess(timeout=120) as process:
            process.define(["import torch\ntorch.set_num_threads(1)"])
            yield process
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_course", _all_of_the_package)
        room = sandbox.Sandbox(sandbox.Limits(request=120, memory=8 * 2**30))
    with room:
        yield room.guest()


class Remembered:
    """What was seen of a mistake: the first time as far as somebody looked, all of it as soon as that isn't enough.

    Most answers differ from most mistakes at once. Going on means beginning anew: a half-finished observation would
    keep its networks in memory, and others would draw from its random numbers.
    """

    def __init__(self, observe: Callable[[], Iterator[Observation]]) -> None:
        self._observe = observe
        self._seen: list[Observation] = []
        self._begun = self._all = False

    def __iter__(self) -> Iterator[Observation]:
        if not self._begun:
            self._begun = True
            for observation in self._observe():
                self._seen.append(observation)
                yield observation
            self._all = True
            return
        yield from (seen := self._seen)
        if not self._all:
            self._seen, self._all = list(self._observe()), True
            yield from self._seen[len(seen) :]


Kept = dict[Any, tuple[dict[str, Any], Remembered]]


@pytest.fixture(scope="session")
def _kept() -> tuple[Kept, list[Path]]:
    """What was seen of mistakes, and the folder whose tests saw it."""
    return {}, [Path()]


@pytest.fixture(scope="module", autouse=True)
def _those_of_one_assignment(_kept: tuple[Kept, list[Path]], request: pytest.FixtureRequest) -> None:
    """The mistakes of all assignments at once would take ten gigabytes."""
    kept, folder = _kept
    if folder[0] != request.path.parent:
        folder[0] = request.path.parent
        kept.clear()


@pytest.fixture(scope="session", autouse=True)
def _mistakes_observed_once(_kept: tuple[Kept, list[Path]]) -> Iterator[None]:
    """Every answer is compared with the same mistakes: keep what was seen of each of them, and of the reference.

    A full network takes a second or more, and so do statistics: observing 50 mistakes anew for each of 50 would take
    many minutes. Right answers in several styles are tried with 20 seeds each: the reference is kept for all of them.
    """
    steps = exercise._steps
    kept = _kept[0]

    def remembered(part: Part, answer: Answer, seed: int) -> Iterator[Observation]:
        if not isinstance(answer, InProcess) or len(answer._host.namespace) > 3:
            return steps(part, answer, seed)  # a child's, or a whole assignment's
        namespace = answer._host.namespace
        key = (part, seed, *((name, id(thing)) for name, thing in namespace.items()))
        if key not in kept:  # with the namespace, so that no id is used twice
            # An answer of its own each time: this one would keep the networks that it made, gigabytes in all
            kept[key] = (namespace, Remembered(lambda: steps(part, InProcess(namespace), seed)))
        return iter(kept[key][1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exercise, "_steps", remembered)
        patch.setattr(exercise, "_expected", lru_cache(maxsize=512)(exercise._expected.__wrapped__))
        yield


@pytest.fixture
def _numbers_are_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that opens a file takes 8 for a file descriptor, and would close it: pytest's, perhaps."""
    real = open

    def careful(file: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(file, int):
            raise OSError("not a file")
        return real(file, *args, **kwargs)

    monkeypatch.setattr("builtins.open", careful)
    monkeypatch.chdir(tmp_path)
