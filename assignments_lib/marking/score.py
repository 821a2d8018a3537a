"""Marks for one submission: its cells run behind walls, its answers checked from outside them."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from time import monotonic
from typing import Any, cast

from assignments_lib.checks.answer import Answer, Lost, Raised
from assignments_lib.checks.child import Piped
from assignments_lib.checks.desk import groundwork
from assignments_lib.checks.exercise import (
    Exercise,
    Mistake,
    Observation,
    Part,
    PartResult,
    Result,
    evaluate,
    show,
)
from assignments_lib.checks.report import own_lines
from assignments_lib.look import BLANK, FAIL, PASS
from assignments_lib.marking.matching import Code
from assignments_lib.marking.release import Release
from assignments_lib.marking.result import ExerciseMark, PartMark
from assignments_lib.marking.room import Room
from assignments_lib.marking.shelf import END, Shelf

MOST_RESTARTS = 5  # of one submission, because of cells that hang or end their process


class Sitting:
    """One submission in a room: its cells have been run, and are run again when its process is lost.

    It is an `Answer`, and stands for the guest of the moment. ``errors`` holds what each cell raised, by its place;
    ``harmful`` the places of cells that hung or ended their process, which aren't run again.
    """

    def __init__(self, room: Room, preamble: Sequence[str], cells: Sequence[Code]):
        self._room = room
        self._preamble = preamble
        self._cells = cells
        self.errors: dict[int, Raised] = {}
        self.harmful: dict[int, str] = {}
        self.passed_over: set[int] = set()
        self.deadline: float | None = None
        self._guest: Piped | None = None
        self._sit_down()

    def __getattr__(self, name: str) -> Any:
        assert self._guest is not None
        return getattr(self._guest, name)

    def forget(self) -> None:
        """Drop what was made; a part of a check begins so. Where the process was lost, begin a new one."""
        guest = self._guest
        if guest is None or guest.lost:
            if self.deadline is not None and monotonic() > self.deadline:
                raise Lost("no time is left for this exercise")
            self._sit_down()
            guest = self._guest
            assert guest is not None
        guest.deadline = self.deadline
        guest.forget()

    def _sit_down(self) -> None:
        for _ in range(MOST_RESTARTS):
            if self._seated():
                return
        # Enough: those that are left aren't run
        self.passed_over |= {place for place in range(len(self._cells)) if place not in self.errors}
        self.passed_over -= self._run
        self._seated()

    def _seated(self) -> bool:
        """Run what may be run in a fresh process; False if one more cell proved harmful."""
        guest = self._guest = self._room.guest()
        guest.timeout = self._room.limits.cell
        self._run: set[int] = set()
        guest.define(self._preamble)
        for place, cell in enumerate(self._cells):
            if place in self.harmful or place in self.passed_over:
                continue
            try:
                raised = guest.cell(cell.source)
            except Lost as lost:
                self.harmful[place] = str(lost)
                return False
            self._run.add(place)
            if raised is not None:
                self.errors[place] = raised
        guest.timeout = self._room.limits.request
        return True


class Remembered:
    """What a mistake shows in a part, kept as far as somebody has looked.

    Most answers differ from most mistakes at once, so that most steps are never taken. Going on means beginning anew:
    a half-finished observation would keep its networks in memory, and its random numbers.
    """

    def __init__(self, part: Part, mistake: Mistake, seed: int):
        self._again = partial(show, part, mistake, seed)
        self._key = repr((part.title, part.look, mistake.name, mistake.hint, seed))
        self._seen: list[Observation] = []
        self._all = False

    def __iter__(self) -> Iterator[Observation]:
        yield from self._seen
        yield from self._from_the_shelf()
        if self._all:
            return
        try:
            for place, observation in enumerate(self._again()):
                if place >= len(self._seen):
                    self._seen.append(observation)
                    self._keep(observation)
                    yield observation
            self._all = True
            self._keep(END)
        finally:
            gc.collect()  # a network whose forward is replaced refers to itself, and is 85 MB

    def _from_the_shelf(self) -> Iterator[Observation]:
        """The steps that another process has taken."""
        while _shelf is not None and not self._all:
            found = _shelf.take(self._key, len(self._seen))
            if found is None:
                return
            if isinstance(found, str):
                self._all = True
            else:
                self._seen.append(found)
                yield found

    def _keep(self, step: Observation | str) -> None:
        if _shelf is not None:
            place = len(self._seen) - (0 if isinstance(step, str) else 1)
            _shelf.put(self._key, place, step)


_shelf: Shelf | None = None


def share(folder: Path) -> None:
    """From now on share what mistakes show with the other processes that were told of this folder."""
    global _shelf
    _shelf = Shelf(folder)


@lru_cache(maxsize=4096)
def remembered(part: Part, mistake: Mistake, seed: int) -> Iterable[Observation]:
    """What a mistake shows: kept, as a class is graded with one seed."""
    return Remembered(part, mistake, seed)


def score(
    release: Release, sitting: Sitting, cells: Sequence[Code], seed: int
) -> tuple[list[ExerciseMark], list[str]]:
    """The marks of every exercise, and warnings for the instructor. It never raises because of an answer."""
    marks: list[ExerciseMark] = []
    warnings: list[str] = []
    right: set[str] = set()
    for exercise in release.exercises:
        begun = monotonic()
        sitting.deadline = begun + sitting._room.limits.exercise
        try:
            result = evaluate(exercise, cast(Answer, sitting), seed, shows=remembered)
        except Exception as error:
            warnings.append(
                f"The check of {exercise.id} could not cope with this answer ({type(error).__name__}: {error}); it "
                "gave no points. Read the answer yourself."
            )
            result = _no_points(exercise, seed)
        if result.status == PASS:
            right.add(exercise.id)
        result = groundwork(release.assignment, result, right)
        notes = (*result.notes, *_notes(release, exercise, result, sitting, cells))
        marks.append(
            ExerciseMark(
                exercise.id,
                exercise.title,
                exercise.points,
                result.status,
                tuple(_mark(part) for part in result.parts),
                notes,
                exercise.not_covered,
                round(monotonic() - begun, 2),
            )
        )
    return marks, warnings


def _no_points(exercise: Exercise, seed: int) -> Result:
    given = "something that the check could not look at"
    parts = [
        PartResult(part.title, part.points, FAIL, given=given, look=part.look) for part in exercise.parts
    ]
    return Result(exercise, tuple(parts), seed)


def _mark(part: PartResult) -> PartMark:
    mistake = part.mistake
    return PartMark(
        part.title,
        part.points,
        part.earned,
        part.status,
        _cut(part.what),
        _cut(part.given),
        _cut(part.expected),
        mistake.name if mistake else "",
        mistake.hint if mistake else "",
        part.look if part.status == FAIL else "",
        tuple(_cut(line, 300) for line in own_lines(part.error)[:5]),
    )


def _cut(text: str, limit: int = 1000) -> str:
    return text if len(text) <= limit else text[:limit] + " ..."


def _notes(
    release: Release, exercise: Exercise, result: Result, sitting: Sitting, cells: Sequence[Code]
) -> list[str]:
    """What happened to the exercise's own cell, where that may be why it failed."""
    notes = []
    if result.status in (PASS, BLANK):
        return []
    for place, cell in enumerate(cells):
        if cell.task != exercise.id:
            continue
        if place in sitting.harmful:
            notes.append(f"Its cell was passed over: when it was run, {sitting.harmful[place]}.")
        elif place in sitting.passed_over:
            notes.append("Its cell was not run, as too many cells above hung or ended their process.")
        elif place in sitting.errors and not sitting.errors[place].blank:
            error = sitting.errors[place]
            where = "; ".join(own_lines(error)[-1:])
            notes.append(_cut(f"Its cell stopped with {error}{f' ({where})' if where else ''}."))
    for part in result.parts:
        if isinstance(part.error, Raised) and part.error.type_name == "NameError":
            missing = [name for name in release.experiments if f"'{name}'" in part.error.message]
            if missing:
                notes.append(
                    f"Your answer uses {missing[0]}, which only an experiment's cell defines. Experiments aren't run "
                    "for marks: an answer must get all that it needs through its arguments."
                )
                break
    return notes
