"""Checks at the desk: run one in the notebook, show what it found, remember the points so far."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Container
from dataclasses import replace
from typing import Any

from torch import nn

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.demonstration import Shown, demonstrate
from assignments_lib.checks.exercise import FAIL, PASS, Exercise, Result, evaluate
from assignments_lib.checks.registry import Assignment
from assignments_lib.checks.report import Report, Summary, Trouble
from assignments_lib.training.randomness import undisturbed

_latest: dict[tuple[str, str], Result] = {}  # (notebook, exercise id) -> its latest result


def run_check(assignment: Assignment, exercise: Exercise, **answers: Callable[..., Any]) -> Any:
    """Check the answers and return what the notebook shows. It never raises.

    ``answers`` are the functions and classes that the exercise defines, by name. Inputs are drawn anew each time.
    """
    wrong = [
        name for name, answer in answers.items() if not callable(answer) or isinstance(answer, nn.Module)
    ]
    if wrong:
        return _shown(
            Trouble(
                exercise, f"{wrong[0]} is not a function or class. Give the check its name, without brackets."
            )
        )
    try:
        result = evaluate(exercise, InProcess(answers), seed=secrets.randbelow(2**31))
    except Exception as error:
        return _shown(
            Trouble(
                exercise,
                f"The check itself failed ({type(error).__name__}: {error}). This is not your fault: your work is "
                "unharmed, and no points are lost. Please send this message to your instructor.",
            )
        )
    result = groundwork(assignment, result, _right(assignment))
    _latest[assignment.notebook, exercise.id] = result
    return _shown(Report(result, _pictures(exercise, answers)))


def summary(assignment: Assignment) -> Any:
    """The points so far, what isn't checked yet, and what no check covers."""
    results = {id: result for (notebook, id), result in _latest.items() if notebook == assignment.notebook}
    return _shown(Summary(assignment, results))


def _right(assignment: Assignment) -> set[str]:
    """The exercises whose latest check passed."""
    return {
        id for (notebook, id), r in _latest.items() if notebook == assignment.notebook and r.status == PASS
    }


def forget_results() -> None:
    """Start again with no points."""
    _latest.clear()


def _pictures(exercise: Exercise, answers: dict[str, Callable[..., Any]]) -> tuple[Shown, ...]:
    """What the answers look like; nothing where they can't be shown, as no points hang on it."""
    try:
        with undisturbed():
            return tuple(demonstrate(exercise.demonstrations, InProcess(answers)))
    except Exception:
        return ()


def groundwork(assignment: Assignment, result: Result, right: Container[str]) -> Result:
    """Say so where a failure may come from an earlier exercise that isn't among those that are right."""
    shaky = [id for id in result.exercise.builds_on if id not in right]
    if result.status != FAIL or not shaky:
        return result
    named = " and ".join(f"{id} ({assignment.task(id).title})" for id in shaky)
    one = len(shaky) == 1
    first = "it passes its check" if one else "they pass their checks"
    note = (
        f"This exercise uses your {'answer' if one else 'answers'} to {named}. Make sure that {first} first."
    )
    return replace(result, notes=(note,))


def _shown(report: Report | Summary | Trouble) -> Any:
    """What the check cell's last line returns.

    nbgrader's autograder reads a number there as partial credit; people get the table.
    """
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return float(report.earned)
    return report
