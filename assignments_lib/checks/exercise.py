"""Exercises, their parts, and the mistakes that they can name.

Everything is an *implementation behind an* `Answer`: the student's work, the independent reference, and each
typical mistake. A part *observes* an answer, as a sequence of named values, and passes when the reference shows
the same. When it fails, it is shown to the mistakes too: the one that behaves the same is the likely cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, TypeVar

import torch
from torch import Tensor

from assignments_lib.checks.answer import Answer, AnswerError, InProcess, Raised, Value
from assignments_lib.checks.compare import agree, differ
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.look import BLANK, FAIL, PASS
from assignments_lib.training.randomness import undisturbed

Namespace = Mapping[str, Callable[..., Any]]


class Draw:
    """Freshly drawn inputs: the same seed gives the same inputs, in every process."""

    def __init__(self, seed: int):
        self.seed = seed
        self._generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Standard normal values."""
        return torch.randn(shape, generator=self._generator, dtype=torch.float64).to(dtype)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Values spread evenly over [0, 1): pictures."""
        return torch.rand(shape, generator=self._generator, dtype=torch.float64).to(dtype)

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Integers from low to high, both included, int64."""
        return torch.randint(low, high + 1, shape, generator=self._generator)


# What was looked at, in words that continue "…", and what was seen there.
Observation = tuple[str, Value]
Observe = Callable[[Answer, Draw], Iterator[Observation]]
Case = TypeVar("Case")


def each(cases: Iterable[Case], observe: Callable[[Case], Iterator[Observation]]) -> Iterator[Observation]:
    """Observe every case, even when an earlier one raises: what happens in the others tells mistakes apart."""
    for case in cases:
        try:
            yield from observe(case)
        except Raised as error:
            if error.blank:
                raise
            yield _as_seen(error)


def _as_seen(error: AnswerError) -> Observation:
    """An error is kept without its way here: the frames hold networks, which may be many and large."""
    error.__context__ = None
    return "error", error.with_traceback(None)


@dataclass(frozen=True)
class Part:
    """One thing that an exercise must do, with its points.

    ``observe`` yields ``(what, seen)`` pairs; ``look`` says where to look when it fails. ``scripted`` stands in for
    the reference where there is no implementation to run it on: it yields what a right answer shows. ``manners``: it
    only says what an answer must not do, as one that does nothing doesn't either, so it counts beside another part.
    """

    title: str
    points: int
    observe: Observe
    look: str
    scripted: Callable[[Draw], Iterator[Observation]] | None = None
    manners: bool = False


@dataclass(frozen=True, eq=False)
class Mistake:
    """A typical wrong answer, as an implementation, and the hint a good teaching assistant would give."""

    name: str
    hint: str
    namespace: Namespace


@dataclass(frozen=True)
class Exercise:
    """One exercise: what it defines, its parts, its reference, and its catalogue of mistakes."""

    id: str
    title: str
    defines: tuple[str, ...]
    parts: tuple[Part, ...]
    reference: Callable[[], Namespace]
    mistakes: tuple[Mistake, ...]
    builds_on: tuple[str, ...] = ()  # ids of exercises whose answers it uses
    not_covered: str = ""
    demonstrations: tuple[Demonstration, ...] = ()

    @property
    def points(self) -> int:
        """Full marks."""
        return sum(part.points for part in self.parts)


@dataclass(frozen=True)
class PartResult:
    """What one part found. ``given``, ``expected`` and ``mistake`` are set for a failure."""

    title: str
    points: int
    status: str
    what: str = ""
    given: str = ""
    expected: str = ""
    mistake: Mistake | None = None
    look: str = ""
    error: AnswerError | None = None

    @property
    def earned(self) -> int:
        """All of the part's points, or none."""
        return self.points if self.status == PASS else 0


@dataclass(frozen=True)
class Result:
    """What a check found, part by part."""

    exercise: Exercise
    parts: tuple[PartResult, ...]
    seed: int
    notes: tuple[str, ...] = field(default=())

    @property
    def earned(self) -> int:
        """Points."""
        return sum(part.earned for part in self.parts)

    @property
    def status(self) -> str:
        """PASS when every part passed, NOT FILLED IN when nothing could be seen, else FAIL."""
        statuses = {part.status for part in self.parts}
        if statuses == {PASS}:
            return PASS
        return BLANK if statuses == {BLANK} else FAIL

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes named, each once."""
        return tuple(dict.fromkeys(part.mistake for part in self.parts if part.mistake is not None))


Shows = Callable[[Part, Mistake, int], Iterable[Observation]]


def show(part: Part, mistake: Mistake, seed: int) -> Iterator[Observation]:
    """What a mistake shows in a part, step by step."""
    return _steps(part, InProcess(mistake.namespace), seed)


def evaluate(exercise: Exercise, answer: Answer, seed: int, *, shows: Shows = show) -> Result:
    """Check one answer.

    ``shows`` gives what a mistake shows in a part: whoever checks many answers with one seed may remember it. The
    global random state is left as it was.
    """
    with undisturbed():
        seen = [_see(exercise, part, answer, seed) for part in exercise.parts]
        named = _diagnose(exercise, seen, seed, shows)
    parts = [
        _judge(part, outcome, named.get(index))
        for index, (part, outcome) in enumerate(zip(exercise.parts, seen, strict=True))
    ]
    if not any(
        found.status == PASS and not part.manners for part, found in zip(exercise.parts, parts, strict=True)
    ):
        parts = [_idle(found) if found.status == PASS else found for found in parts]
    return Result(exercise, tuple(parts), seed)


def _idle(part: PartResult) -> PartResult:
    """Good manners alone: they count as soon as something is done, too."""
    return replace(
        part,
        status=FAIL,
        given="no harm done, but by an answer of which no other part is right",
        expected="another part of this exercise that is right",
        look="This part counts as soon as another one does.",
    )


@dataclass
class _Outcome:
    """All that was seen of the answer, and the first thing that isn't as expected."""

    seen: list[Observation]
    mismatch: tuple[int, str, Value, Value] | None = None  # position, what, mine, expected
    blank: str = ""


def _steps(part: Part, answer: Answer, seed: int) -> Iterator[Observation]:
    """The part's observations of an answer; what it raises is the last one."""
    try:
        answer.forget()
        yield from part.observe(answer, Draw(seed))
    except AnswerError as error:
        yield _as_seen(error)


@lru_cache(maxsize=64)
def _expected(exercise: Exercise, part: Part, seed: int) -> list[Observation]:
    """What a right answer shows: kept, as a class is graded with the same seed."""
    if part.scripted is not None:
        return list(part.scripted(Draw(seed)))
    return list(_steps(part, InProcess(exercise.reference()), seed))


def _see(exercise: Exercise, part: Part, answer: Answer, seed: int) -> _Outcome:
    outcome = _Outcome(list(_steps(part, answer, seed)))
    for position, (what, expected) in enumerate(_expected(exercise, part, seed)):
        _, mine = outcome.seen[position] if position < len(outcome.seen) else ("", None)
        if isinstance(mine, Raised) and mine.blank:
            outcome.blank = mine.message
            break
        if not _same(mine, expected):
            outcome.mismatch = (position, what, mine, expected)
            break
    return outcome


def _words(error: Value) -> list[str]:
    """An error's words in any order: a + b and b + a name the same two shapes."""
    return sorted(str(error).split())


def _same(mine: Value, expected: Value) -> bool:
    if isinstance(mine, AnswerError) or isinstance(expected, AnswerError):
        return type(mine) is type(expected) and _words(mine) == _words(expected)
    return agree(mine, expected)


def _diagnose(exercise: Exercise, seen: Sequence[_Outcome], seed: int, shows: Shows) -> dict[int, Mistake]:
    """For every failed part the mistake that behaves as the answer does.

    Where several do: the one that explains most parts, and most of what was seen in them; then the one that also
    passes where the answer passes.
    """
    failed = [
        index
        for index, outcome in enumerate(seen)
        if outcome.mismatch is not None and not _undefined(outcome.mismatch[2])
    ]
    likeness: dict[Mistake, float] = {}
    explains: dict[int, list[Mistake]] = {}
    for index in failed:
        # One cause usually explains all that failed: the mistakes found so far come first, the others only if need be.
        others = [mistake for mistake in exercise.mistakes if mistake not in likeness]
        for pool in (list(likeness), others):
            alike = {m: _likeness(seen[index], shows(exercise.parts[index], m, seed)) for m in pool}
            explains[index] = [mistake for mistake in pool if alike[mistake]]
            for mistake in explains[index]:
                likeness[mistake] = likeness.get(mistake, 0.0) + alike[mistake]
            if explains[index]:
                break

    @cache
    def passes_alike(mistake: Mistake) -> int:
        return sum(
            all(
                what == their_what and _same(theirs, mine)
                for (what, mine), (their_what, theirs) in zip(
                    outcome.seen, shows(part, mistake, seed), strict=False
                )
            )
            for part, outcome in zip(exercise.parts, seen, strict=True)
            if outcome.mismatch is None
        )

    named = {}
    for index, found in explains.items():
        if not found:
            continue
        most = max(likeness[mistake] for mistake in found)
        likely = [mistake for mistake in found if likeness[mistake] > most - 1e-9]
        named[index] = likely[0] if len(likely) == 1 else max(likely, key=passes_alike)
    return named


def _undefined(mine: Value) -> bool:
    """The name isn't there: no mistake in the catalogue is to blame."""
    return isinstance(mine, Raised) and mine.type_name == "NameError" and not mine.frames


def _likeness(outcome: _Outcome, shown: Iterable[Observation]) -> float:
    """0 where the mistake and the answer differ by the time the answer goes wrong; at most 1, if they never do."""
    assert outcome.mismatch is not None
    position = outcome.mismatch[0]
    alike = 0
    for (what, mine), (their_what, theirs) in zip(outcome.seen, shown, strict=False):
        if what != their_what or not _same(theirs, mine):
            break
        alike += 1
    return alike / len(outcome.seen) if alike > position else 0.0


def _judge(part: Part, outcome: _Outcome, mistake: Mistake | None) -> PartResult:
    if outcome.blank:
        return PartResult(part.title, part.points, BLANK, what=outcome.blank)
    if outcome.mismatch is None:
        return PartResult(part.title, part.points, PASS)
    _, what, mine, expected = outcome.mismatch
    if isinstance(mine, AnswerError):
        given, wanted = f"it stopped with {mine}", "no error"
        return PartResult(part.title, part.points, FAIL, what, given, wanted, mistake, part.look, mine)
    if isinstance(expected, AnswerError):
        given, wanted = differ(mine, None)[0], f"it to stop with {expected}"
    else:
        given, wanted = differ(mine, expected)
    return PartResult(part.title, part.points, FAIL, what, given, wanted, mistake, part.look)
