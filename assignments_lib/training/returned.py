"""What the student's two functions gave back: the numbers, or a sentence that says what is wrong."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from assignments_lib.training.history import History

EXERCISE = "exercise 1.7"  # where the students write the two functions that `fit` calls


class TrainingStopped(RuntimeError):
    """Training can't go on; the message says why and what to try.

    ``history`` has the epochs that were completed. IPython shows the message without a traceback.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history

    def _render_traceback_(self) -> list[str]:
        return [f"TrainingStopped: {self}"]


def training_loss(given: Any, history: History, students: bool = True) -> float:
    """What ``train_one_epoch``, the student's or the library's, gave back, as a finite float.

    Raises:
        TrainingStopped: it is something else.
    """
    wanted = "It should return the mean training loss a sample, as a float."
    loss = _number(given, "train_one_epoch", "", wanted, history)
    return _finite(loss, "training loss", history, students)


def evaluation(given: Any, history: History, students: bool = True) -> tuple[float, float]:
    """What ``evaluate``, the student's or the library's, gave back, as a finite loss and an accuracy in [0, 1].

    Raises:
        TrainingStopped: it is something else.
    """
    wanted = "It should return two floats: the mean loss a sample and the accuracy in [0, 1]."
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise TrainingStopped(f"evaluate ({EXERCISE}) returned {_spell(given)}. {wanted}", history)
    loss = _number(given[0], "evaluate", " as the loss", wanted, history)
    accuracy = _number(given[1], "evaluate", " as the accuracy", wanted, history)
    loss = _finite(loss, "validation loss", history, students)
    if not 0 <= accuracy <= 1 and not students:
        raise TrainingStopped(f"The score came out as {accuracy:g}, which is not in [0, 1].", history)
    if not 0 <= accuracy <= 1:
        raise TrainingStopped(
            f"evaluate ({EXERCISE}) returned {accuracy:g} as the accuracy, which is not in [0, 1]: "
            "it is the number of right answers divided by the number of samples.",
            history,
        )
    return loss, accuracy


def _number(given: Any, function: str, role: str, wanted: str, history: History) -> float:
    if isinstance(given, Tensor) and given.requires_grad:
        raise TrainingStopped(
            f"{function} ({EXERCISE}) returned {_spell(given)}{role}. That keeps every batch's "
            f"graph in memory: take the number out with .item() in the loop. {wanted}",
            history,
        )
    # numpy's numbers and tensors of one element count as numbers, text that reads as one doesn't
    if isinstance(given, str | bytes | bool) or given is None:
        raise TrainingStopped(f"{function} ({EXERCISE}) returned {_spell(given)}{role}. {wanted}", history)
    try:
        return float(given)
    except (TypeError, ValueError, RuntimeError):
        raise TrainingStopped(
            f"{function} ({EXERCISE}) returned {_spell(given)}{role}. {wanted}", history
        ) from None


def _finite(loss: float, which: str, history: History, students: bool) -> float:
    if math.isfinite(loss):
        return loss
    mean = f", and that the mean in {EXERCISE} is taken over at least one sample" if students else ""
    raise TrainingStopped(
        f"The {which} of epoch {len(history) + 1} is {loss}. Most often the learning rate is too high: make "
        f"it three to ten times lower. Otherwise see that the images are finite and normalised{mean}. Then build "
        "the network again: its parameters may hold nan now.",
        history,
    )


def _spell(given: Any) -> str:
    if given is None:
        return "None (is the return statement missing?)"
    if isinstance(given, Tensor):
        graph = " that still carries its graph" if given.requires_grad else ""
        return f"a tensor of shape {tuple(given.shape)}{graph}"
    if isinstance(given, tuple | list):
        return f"a {type(given).__name__} of {len(given)} values"
    if isinstance(given, int | float):
        return f"the single number {given:g}" if not isinstance(given, bool) else str(given)
    return f"something of type {type(given).__name__}"
