"""Target, yours and difference side by side, where an answer is a picture.

A demonstration is for the eyes: it costs and earns no points, and it is shown before a check passes and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from torch import Tensor

from assignments_lib.checks.answer import Answer, AnswerError, Raised, Value
from assignments_lib.plots.pixels import fitted, png, tag

_SIDE = 132  # CSS pixels of a picture's longer side


@dataclass(frozen=True)
class Demonstration:
    """One picture that an answer makes, and what it ought to be.

    ``yours`` asks the answer for a picture: (C, H, W) or (H, W), floats in [0, 1], or int64 labels of a mask.
    ``target`` gets that picture, or None where there is none, and gives the right one: so it can read off the random
    draws that the answer made. Only the first ``channels`` channels are shown; others may hold what ``target`` reads.
    """

    caption: str
    yours: Callable[[Answer], Tensor]
    target: Callable[[Tensor | None], Tensor]
    channels: int = 1


@dataclass(frozen=True)
class Shown:
    """A demonstration of one answer: PNGs, and in words how they differ."""

    caption: str
    target: bytes
    yours: bytes | None
    difference: bytes | None
    verdict: str
    size: tuple[int, int]  # CSS pixels, (width, height)

    def __str__(self) -> str:
        return f"{self.caption}: {self.verdict}"


def demonstrate(demonstrations: Sequence[Demonstration], answer: Answer) -> list[Shown]:
    """What each demonstration shows of an answer."""
    return [_demonstrate(demonstration, answer) for demonstration in demonstrations]


def _demonstrate(demonstration: Demonstration, answer: Answer) -> Shown:
    mine: Value = None
    try:
        answer.forget()
        mine = demonstration.yours(answer)
        verdict = ""
    except Raised as error:
        verdict = "nothing to show yet" if error.blank else f"it stopped with {error.type_name}"
    except AnswerError as error:
        verdict = str(error)
    found = mine if isinstance(mine, Tensor) and 2 <= mine.ndim <= 3 and mine.numel() else None
    target = _visible(demonstration.target(found), demonstration.channels)
    size = fitted(target, _SIDE)
    if found is None:
        verdict = verdict or "it isn't a picture"
        return Shown(demonstration.caption, png(target), None, None, verdict, size)
    yours = _visible(found, demonstration.channels)
    if yours.is_floating_point() != target.is_floating_point():
        types = [str(each.dtype).removeprefix("torch.") for each in (yours, target)]
        verdict = f"its numbers are of type {types[0]} instead of {types[1]}"
        return Shown(demonstration.caption, png(target), None, None, verdict, size)
    if yours.shape != target.shape:
        verdict = f"its shape is {tuple(yours.shape)} instead of {tuple(target.shape)}"
        return Shown(demonstration.caption, png(target), png(yours), None, verdict, size)
    gap = _gap(yours, target)
    return Shown(demonstration.caption, png(target), png(yours), png(1 - gap), _verdict(gap, yours), size)


def _visible(picture: Tensor, channels: int) -> Tensor:
    picture = picture.detach()
    return picture[:channels] if picture.ndim == 3 else picture


def _gap(yours: Tensor, target: Tensor) -> Tensor:
    """(H, W): 0 where they agree, at most 1."""
    if not target.is_floating_point():
        return (yours != target).double().reshape(-1, *target.shape[-2:]).amax(0)
    gap = (yours.double() - target.double()).abs().nan_to_num(nan=1.0)
    return gap.reshape(-1, *target.shape[-2:]).amax(0).clamp(max=1)


def _verdict(gap: Tensor, yours: Tensor) -> str:
    differing = int((gap > 1 / 255).sum())
    if not differing:
        return "the same"
    share = f"differs in {differing:,} of {gap.numel():,} pixels"
    return f"{share}, by up to {float(gap.max()):.2g}" if yours.is_floating_point() else share


def html(shown: Sequence[Shown]) -> str:
    """A table: a demonstration a row."""
    rows = []
    for each in shown:
        pictures = ((each.target, "target"), (each.yours, "yours"), (each.difference, "difference"))
        cells = "".join(
            f'<td style="padding:2px 10px 2px 0">{_image(file, f"{what}: {each.caption}", each.size)}</td>'
            for file, what in pictures
        )
        rows.append(
            f'<tr>{cells}<td style="text-align:left;padding:2px">{escape(each.caption)}: '
            f"<b>{escape(each.verdict)}</b></td></tr>"
        )
    heads = ("Target", "Yours", "Difference (dark)", "In words")
    head = "".join(
        f'<th scope="col" style="text-align:left;padding:2px 10px 2px 0">{text}</th>' for text in heads
    )
    return (
        f'<table style="border-collapse:collapse;margin:6px 0"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _image(file: bytes | None, alt: str, size: tuple[int, int]) -> str:
    return "none" if file is None else tag(file, alt, size)
