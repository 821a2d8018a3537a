"""Exercise 3.7: one step of a U-Net's decoder (Ronneberger et al. 2015, figure 1), by what every right one shares.

Steps may enlarge, pad and crop in many ways. So nothing is compared with a reference's numbers: with all weights set to
1 and positive inputs no gradient is lost, and the gradients of an output unit show exactly what it sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod
from types import MethodType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks.answer import Answer, Raised, Ref, Run, Value
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.modules import build
from assignments_lib.datasets import doodles

# -- center_crop --------------------------------------------------------------------------------------------


def _crops(answer: Answer, draw: Draw, differences: tuple[tuple[int, int], ...]) -> Iterator[Observation]:
    """Features cropped by so many rows and columns."""

    def observe(difference: tuple[int, int]) -> Iterator[Observation]:
        height, width = draw.integer(4, 5), draw.integer(7, 9)
        rows, columns = difference
        features = draw.normal(draw.integer(1, 2), 3, height + rows, width + columns)
        size = " x ".join(map(str, features.shape))
        cropped = answer.call("center_crop", features, height, width)
        yield f"features {size}, cropped to {height} x {width}", cropped

    return each(differences, observe)


def _center_crop(features: Tensor, height: int, width: int) -> Tensor:
    """Padding by a negative number cuts."""
    rows, columns = features.shape[-2] - height, features.shape[-1] - width
    top, left = rows // 2, columns // 2
    return F.pad(features, [-left, left - columns, -top, top - rows])


# -- DecoderStep: building and running it -------------------------------------------------------------------

_CHANNELS = (5, 4, 16)  # in, skip, out: many come out, so that ReLU never leaves all of them at 0


def _step(answer: Answer) -> Ref:
    return build(answer, "DecoderStep", *_CHANNELS)


def _inputs(draw: Draw, number: int, sizes: tuple[int, int, int, int]) -> tuple[Tensor, Tensor]:
    """x and the skip, normal, for sizes (h, w, H, W)."""
    h, w, height, width = sizes
    x = 2 * draw.normal(number, _CHANNELS[0], h, w).float()
    return x, 2 * draw.normal(number, _CHANNELS[1], height, width).float()


def _run(answer: Answer, step: Ref, x: Tensor, skip: Tensor, **settings: Any) -> Run:
    joined = answer.make("joined", step, [list(x.shape), list(skip.shape)])
    return answer.run(joined, torch.cat([x.flatten(), skip.flatten()]), **settings)


def _output(answer: Answer, step: Ref, x: Tensor, skip: Tensor, mode: str = "eval") -> Tensor:
    """What comes out.

    Raises:
        Raised: that isn't (N, out_channels, H, W).
    """
    output = _run(answer, step, x, skip, mode=mode).output
    shape = _shape(output)
    if shape != (len(x), _CHANNELS[2], *skip.shape[-2:]):
        raise Raised("ValueError", f"x {tuple(x.shape)} and skip {tuple(skip.shape)} give {shape}")
    assert isinstance(output, Tensor)
    return output


def _shape(output: Value) -> Value:
    return tuple(output.shape) if isinstance(output, Tensor) else output


def _all_one(answer: Answer, step: Ref) -> None:
    """Every weight, scale and bias becomes 1: what is positive stays so, and nothing cancels."""
    parameters = [entry for entry in answer.describe(step) if entry.is_parameter]
    answer.load(step, {entry.name: torch.ones(entry.shape) for entry in parameters})


# -- DecoderStep: what is looked at -------------------------------------------------------------------------


def _sizes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    step = _step(answer)

    def observe(odd: tuple[int, int]) -> Iterator[Observation]:
        h, w = draw.integer(4, 6), draw.integer(8, 10)
        x, skip = _inputs(draw, 2, (h, w, 2 * h - odd[0], 2 * w - odd[1]))
        yield (
            f"shape of what x {tuple(x.shape)} and skip {tuple(skip.shape)} give",
            _shape(_run(answer, step, x, skip).output),
        )

    return each(((0, 0), (1, 1), (1, 0), (0, 1)), observe)


def _places(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(odd: tuple[int, int]) -> Iterator[Observation]:
        step = _step(answer)
        h, w = 10, 14
        height, width = 2 * h - odd[0], 2 * w - odd[1]
        size = f"{height} x {width}"
        x, skip = _inputs(draw, 2, (h, w, height, width))
        first = _output(answer, step, x, skip)
        for name, changed in (("x", (x.flip(0), skip)), ("the skip", (x, skip.flip(0)))):
            now = _output(answer, step, *changed)
            yield f"{size}: the output changes with {name}", not torch.allclose(first, now, atol=1e-6)

        rows, columns = _some_places(height), _some_places(width)
        units = [(row, column) for row in rows for column in columns]
        x_seen, skip_seen = _seen(answer, draw, step, units, (h, w, height, width))
        yield f"{size}: a unit sees the skip sharply, at most 7 x 7 of its pixels", _extent(skip_seen) <= 7
        blind_x = sum(not x_seen[i, row // 2, column // 2] for i, (row, column) in enumerate(units))
        blind_skip = sum(not skip_seen[i, row, column] for i, (row, column) in enumerate(units))
        yield f"{size}: units, of {len(units)}, that don't see x at their own place", blind_x
        yield f"{size}: units, of {len(units)}, that don't see the skip at their own place", blind_skip
        middle = [i for i, (row, column) in enumerate(units) if row in rows[2:4] and column in columns[2:4]]
        own = torch.tensor([units[i] for i in middle]).double()
        # A unit of x is two pixels wide. Half a unit this way or that is a matter of taste, as where to cut or to pad.
        yield (
            f"{size}: how far what a unit sees of x lies from its place",
            _offset(x_seen[middle], (own + 0.5) / 2 - 0.5, tolerance=0.75),
        )
        yield (
            f"{size}: how far what a unit sees of the skip lies from its place",
            _offset(skip_seen[middle], own, tolerance=0.25),
        )

    return each(((0, 1), (1, 0)), observe)


def _some_places(size: int) -> list[int]:
    """Along one side: both ends, and two neighbours in the middle."""
    return [0, 1, size // 2 - 1, size // 2, size - 2, size - 1]


def _seen(
    answer: Answer, draw: Draw, step: Ref, units: list[tuple[int, int]], sizes: tuple[int, int, int, int]
) -> tuple[Tensor, Tensor]:
    """(units, h, w) and (units, H, W): the units of x and of the skip that reach each of these output units.

    Each picture of a batch serves one of them; in evaluation mode pictures don't touch each other.
    """
    _all_one(answer, step)
    x, skip = (tensor.abs() + 0.1 for tensor in _inputs(draw, len(units), sizes))
    chosen = torch.zeros(len(units), _CHANNELS[2], *sizes[2:])
    for number, (row, column) in enumerate(units):
        chosen[number, :, row, column] = 1
    gradient = _run(answer, step, x, skip, grad_output=chosen).grad_input
    if gradient is None:
        gradient = torch.zeros(x.numel() + skip.numel())
    of_x, of_skip = gradient.split([x.numel(), skip.numel()])
    return (of_x.view_as(x) != 0).any(1), (of_skip.view_as(skip) != 0).any(1)


def _ends(seen: Tensor) -> Tensor:
    """(n, 2, 2) for (n, H, W): the first and last row, the first and last column of what is seen."""
    sides = []
    for axis in (2, 1):
        line = seen.any(axis).int()
        sides.append(torch.stack([line.argmax(1), line.shape[1] - 1 - line.flip(1).argmax(1)], 1))
    return torch.stack(sides, 1)


def _offset(seen: Tensor, own: Tensor, tolerance: float) -> str:
    """Where the middle of what is seen lies, on average, from ``own`` (n, 2)."""
    if not seen.flatten(1).any(1).all():
        return "it sees nothing"
    down, right = (_ends(seen).double().mean(2) - own).mean(0).tolist()
    if max(abs(down), abs(right)) <= tolerance:
        return "it lies there"
    return f"{round(down)} rows down, {round(right)} columns to the right"


def _extent(seen: Tensor) -> int:
    ends = _ends(seen)
    return int((ends[..., 1] - ends[..., 0] + 1).max())


def _layers_at_work(answer: Answer, draw: Draw) -> Iterator[Observation]:
    step = _step(answer)
    sizes = (5, 9, 10, 18)
    x, skip = _inputs(draw, 2, sizes)
    output = _output(answer, step, x, skip)
    same = torch.equal(output, _output(answer, step, x, skip))
    yield "the same input twice gives the same output, in evaluation mode", same
    yield "numbers below 0 in the output", bool((output < 0).any())

    # Where all three are positive the last ReLU does nothing: without another one, the step is linear there.
    middle = _output(answer, step, x.mean(0, keepdim=True), skip.mean(0, keepdim=True))[0]
    positive = (output > 0).all(0) & (middle > 0)
    gap = ((output.mean(0) - middle) * positive).abs().max() / output.abs().max().clamp(min=1e-9)
    yield (
        "something non-linear comes before the last ReLU (the mean of two inputs doesn't give the mean)",
        bool(gap > 1e-4),
    )

    other_x, other_skip = (
        torch.cat([t[:1], u[:1]]) for t, u in zip((x, skip), _inputs(draw, 1, sizes), strict=True)
    )
    for mode in ("train", "eval"):
        before = _output(answer, step, x, skip, mode=mode)[0]
        after = _output(answer, step, other_x, other_skip, mode=mode)[0]
        yield (
            f"a picture's output depends on the others of its batch, mode {mode}",
            not torch.allclose(before, after, rtol=1e-4, atol=1e-5),
        )

    learn = [e for e in answer.describe(step) if e.is_parameter and e.requires_grad]
    enough = sum(prod(entry.shape) for entry in learn) >= 9 * _CHANNELS[1] * _CHANNELS[2]
    yield "the weights of its 3x3 convolutions are among the step's parameters", enough
    _all_one(answer, step)
    grads = _run(answer, step, x.abs(), skip.abs(), grad_output=torch.ones(output.shape)).grads
    at_work = sum(bool(grad.abs().sum() > 0) for grad in grads.values())
    yield "parameters without influence on the output", len(learn) - at_work


def _manners(answer: Answer, draw: Draw) -> Iterator[Observation]:
    step = _step(answer)
    x, skip = _inputs(draw, 1, (4, 9, 8, 18))
    run = _run(answer, step, x, skip, mode="train")
    yield "shape for a batch of one, training mode", _shape(run.output)
    yield "x or the skip is changed, training mode", run.input_changed
    yield "x or the skip is changed, evaluation mode", _run(answer, step, x, skip).input_changed


# -- the reference, of which each mistake changes one thing -------------------------------------------------

Align = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Layers = Callable[[int, int], nn.Module]


def _aligned(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return F.interpolate(x, size=skip.shape[-2:]), skip


def _two_convolutions(
    channels: int,
    out_channels: int,
    norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
    between: Callable[[], nn.Module] = nn.ReLU,
    last: Callable[[], nn.Module] = nn.ReLU,
    padding: int = 1,
) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, out_channels, 3, padding=padding),
        norm(out_channels),
        between(),
        nn.Conv2d(out_channels, out_channels, 3, padding=padding),
        norm(out_channels),
        last(),
    )


class _Step(nn.Module):
    def __init__(self, channels: tuple[int, ...], align: Align, layers: Layers, dim: int) -> None:
        super().__init__()
        self.align, self.dim = align, dim
        self.layers = layers(channels[0] + channels[1], channels[2])

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        joined: Tensor = self.layers(torch.cat(self.align(x, skip), self.dim))
        return joined


def _with_step(align: Align = _aligned, layers: Layers = _two_convolutions, dim: int = 1) -> Namespace:
    return {
        "center_crop": _center_crop,
        "DecoderStep": lambda *channels: _Step(channels, align, layers, dim),
    }


def _with_crop(function: Callable[[Tensor, int, int], Tensor]) -> Namespace:
    return {**_with_step(), "center_crop": function}


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2)


def _changed(forward: Callable[[_Step, Tensor, Tensor], Tensor]) -> Namespace:
    """Another forward pass over the same layers."""

    def mistaken(*channels: int) -> nn.Module:
        step = _Step(channels, _aligned, _two_convolutions, 1)
        step.forward = MethodType(forward, step)  # type: ignore[method-assign]
        return step

    return {"center_crop": _center_crop, "DecoderStep": mistaken}


def _with_channels(change: Callable[..., tuple[int, ...]]) -> Namespace:
    return {
        "center_crop": _center_crop,
        "DecoderStep": lambda *channels: _Step(change(*channels), _aligned, _two_convolutions, 1),
    }


# -- typical mistakes ---------------------------------------------------------------------------------------


def _from(top: Callable[[int], int], swapped: bool = False) -> Namespace:
    """A window of the right size that begins where ``top`` of the difference says."""

    def crop(features: Tensor, height: int, width: int) -> Tensor:
        if swapped:
            height, width = width, height
        start = top(features.shape[-2] - height), top(features.shape[-1] - width)
        return features[..., start[0] : start[0] + height, start[1] : start[1] + width]

    return _with_crop(crop)


def _cut(stop: Callable[[int], int | None]) -> Namespace:
    """A slice from half of the difference on, to what ``stop`` says."""

    def crop(features: Tensor, height: int, width: int) -> Tensor:
        rows, columns = features.shape[-2] - height, features.shape[-1] - width
        return features[..., rows // 2 : stop(rows), columns // 2 : stop(columns)]

    return _with_crop(crop)


def _last_dimensions(features: Tensor, height: int, width: int) -> Tensor:
    """Channels last, as in pictures of other libraries."""
    rows, columns = features.shape[1] - height, features.shape[2] - width
    top, left = max(rows // 2, 0), max(columns // 2, 0)
    return features[:, top : top + height, left : left + width]


def _skip_padded(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    x = _twice(x)
    return x, F.pad(skip, [0, x.shape[-1] - skip.shape[-1], 0, x.shape[-2] - skip.shape[-2]])


def _cropped_to_the_smaller(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    """x comes out one short of twice its size, as transposed convolutions with a kernel of 3 give it."""
    x = _twice(x)[..., :-1, :-1]
    return x, skip[..., : x.shape[-2], : x.shape[-1]]


def _one_difference(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    x = _twice(x)
    cut = x.shape[-2] - skip.shape[-2]
    return x[..., : x.shape[-2] - cut, : x.shape[-1] - cut], skip


def _padded_only(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return F.pad(x, [0, skip.shape[-1] - x.shape[-1], 0, skip.shape[-2] - x.shape[-2]]), skip


def _padded_around(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    columns, rows = skip.shape[-1] - x.shape[-1], skip.shape[-2] - x.shape[-2]
    return F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2]), skip


def _tiles(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return x.repeat(1, 1, 2, 2)[..., : skip.shape[-2], : skip.shape[-1]], skip


def _swapped(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return F.interpolate(x, size=(skip.shape[-1], skip.shape[-2])), skip


def _even(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    """Both at the largest even size that fits into the skip."""
    height, width = skip.shape[-2] // 2 * 2, skip.shape[-1] // 2 * 2
    return _twice(x)[..., :height, :width], skip[..., :height, :width]


def _coarse(step: _Step, x: Tensor, skip: Tensor) -> Tensor:
    small = F.interpolate(skip, size=x.shape[-2:], mode="bilinear")
    return F.interpolate(step.layers(torch.cat([x, small], 1)), size=skip.shape[-2:])


def _added(step: _Step, x: Tensor, skip: Tensor) -> Tensor:
    added: Tensor = step.layers(_aligned(x, skip)[0] + skip)
    return added


def _before_the_skip(step: _Step, x: Tensor, skip: Tensor) -> Tensor:
    """The skip comes in again after the convolutions."""
    joined = step.layers(torch.cat(_aligned(x, skip), 1))
    return torch.cat([joined, skip], 1)


def _in_place(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return F.interpolate(x.relu_(), size=skip.shape[-2:]), skip.relu_()


def _made_anew(step: _Step, x: Tensor, skip: Tensor) -> Tensor:
    aligned = torch.cat(_aligned(x, skip), 1)
    fresh: Tensor = _two_convolutions(aligned.shape[1], _CHANNELS[2])(aligned)
    return fresh


class _Unregistered(nn.Module):
    """Layers in a list, which `nn.Module` doesn't look into."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.hidden = [_two_convolutions(channels, out_channels)]

    def forward(self, x: Tensor) -> Tensor:
        return self.hidden[0](x)


class _Idle(nn.Module):
    """One more layer, never used."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.used, self.idle = _two_convolutions(channels, out_channels), nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.used(x)


_CROP_MISTAKES = (
    Mistake(
        "cropped at the corner",
        "The window begins at the first row and column. In the middle, as much is cut off on the left as on the right.",
        _from(lambda difference: 0),
    ),
    Mistake(
        "cropped at the far corner",
        "The window ends at the last row and column: all is cut off at the top and on the left. Cut half of it there.",
        _from(lambda difference: difference),
    ),
    Mistake(
        "the extra row cut off at the top",
        "Where the difference is odd, the extra row or column is cut off at the top or left. Halves are rounded down "
        "there.",
        _from(lambda difference: -(-difference // 2)),
    ),
    Mistake(
        "halves rounded to even",
        "Python's round takes halves to the even neighbour: 0.5 to 0, but 1.5 to 2. So the extra row is cut now at the "
        "bottom, now at the top: use //.",
        _from(lambda difference: round(difference / 2)),
    ),
    Mistake(
        "start computed from half of each size",
        "The window's start is H // 2 - height // 2, which rounds twice. Halve the difference.",
        _with_crop(
            lambda f, h, w: f.narrow(2, f.shape[2] // 2 - h // 2, h).narrow(3, f.shape[3] // 2 - w // 2, w)
        ),
    ),
    Mistake(
        "the same number cut off at both ends",
        "Half of the difference, rounded down, is cut off at both ends: where the difference is odd one row too many "
        "stays, and where it is 0, [0:-0] is empty. Say where the window ends by its size.",
        _cut(lambda difference: -(difference // 2)),
    ),
    Mistake(
        "empty where there is nothing to cut",
        "Where there is nothing to cut, [0:-0] is empty: -0 is 0. Say where the window ends by its size.",
        _cut(lambda difference: -difference // 2),
    ),
    Mistake(
        "one row and column too many",
        "Where the difference is odd, one row or column too many stays. Say where the window ends by its size.",
        _cut(lambda difference: -(difference // 2) or None),
    ),
    Mistake(
        "one row and column too few",
        "The window is one too small: a slice's end isn't part of it.",
        _with_crop(lambda f, h, w: _center_crop(f, h, w)[..., : h - 1, : w - 1]),
    ),
    Mistake(
        "height and width swapped when cropping",
        "Height and width are in each other's place: features are (N, C, H, W).",
        _from(lambda difference: difference // 2, swapped=True),
    ),
    Mistake(
        "cropped as if channels came last",
        "Dimensions 1 and 2 are cut. Features are (N, C, H, W): height and width come last.",
        _with_crop(_last_dimensions),
    ),
    Mistake(
        "resized instead of cropped",
        "The features are squeezed to the new size, so that all of them are still there. A crop is a window: its "
        "values stay as they are.",
        _with_crop(lambda f, h, w: tv.resize(f, [h, w])),
    ),
    Mistake(
        "not cropped",
        "The features come back as they were.",
        _with_crop(lambda f, h, w: f),
    ),
)

_STEP_MISTAKES = (
    Mistake(
        "an even size for an odd one",
        "For a skip of odd size an even one comes out: the skip is padded to x enlarged. Bring x to the skip's size, "
        "which is the size that is asked for.",
        _with_step(_skip_padded),
    ),
    Mistake(
        "odd sizes cut to even ones",
        "The skip's last row or column is dropped where its size is odd. It must stay: bring x to the skip's size.",
        _with_step(_even),
    ),
    Mistake(
        "the skip cropped to x",
        "The skip is cropped to x enlarged, which is one short. Bring x to the skip's size: pad it, or enlarge it with "
        "output_padding=1.",
        _with_step(_cropped_to_the_smaller),
    ),
    Mistake(
        "sizes not matched",
        "x is always enlarged to twice its size, which doesn't fit a skip of odd size. Bring it to the skip's size "
        "before they are concatenated.",
        _with_step(lambda x, skip: (_twice(x), skip)),
    ),
    Mistake(
        "always one row and column cut off",
        "x always loses a row and a column. How many there are too many is for skip.shape to say, and may be 0.",
        _with_step(lambda x, skip: (_twice(x)[..., :-1, :-1], skip)),
    ),
    Mistake(
        "the height's difference for the width too",
        "The width is cut (or padded) by what the height lacks. Each has a difference of its own.",
        _with_step(_one_difference),
    ),
    Mistake(
        "height and width swapped",
        "x is brought to (width, height). Sizes go as (height, width), as in x.shape.",
        _with_step(_swapped),
    ),
    Mistake(
        "x not enlarged",
        "x has half of the skip's height and width. Enlarge it before they are concatenated.",
        _with_step(lambda x, skip: (x, skip)),
    ),
    Mistake(
        "the skip shrunk to x",
        "The skip is shrunk to x's size, which throws away the detail that it is there for. Enlarge x.",
        _with_step(lambda x, skip: (x, F.interpolate(skip, size=x.shape[-2:]))),
    ),
    Mistake(
        "padded instead of enlarged",
        "x is padded to the skip's size but not enlarged: it stays small, in a corner. Unit (i, j) of the output needs "
        "unit (i / 2, j / 2) of x.",
        _with_step(_padded_only),
    ),
    Mistake(
        "padded all round instead of enlarged",
        "x is padded to the skip's size but not enlarged: it stays small, in the middle. Unit (i, j) of the output "
        "needs unit (i / 2, j / 2) of x.",
        _with_step(_padded_around),
    ),
    Mistake(
        "repeated as tiles",
        "x is laid four times side by side (repeat). Enlarging repeats each of its units: unit (i, j) of the output "
        "needs unit (i / 2, j / 2) of x.",
        _with_step(_tiles),
    ),
    Mistake(
        "joined at the coarse size, enlarged afterwards",
        "The size is right, but the skip is shrunk, joined to x there, and enlarged afterwards: its fine detail is "
        "lost. Enlarge x first.",
        _changed(_coarse),
    ),
    Mistake(
        "x ignored",
        "x has no influence on the output: is it concatenated?",
        _with_step(lambda x, skip: (0 * _aligned(x, skip)[0], skip)),
    ),
    Mistake(
        "the skip ignored",
        "The skip has no influence on the output: is it concatenated?",
        _with_step(lambda x, skip: (_aligned(x, skip)[0], 0 * skip)),
    ),
    Mistake(
        "x cut off from the gradient",
        "No gradient reaches x, so that nothing before this step learns from it: look for detach, .data or no_grad.",
        _with_step(lambda x, skip: (_aligned(x.detach(), skip)[0], skip)),
    ),
    Mistake(
        "added instead of concatenated",
        "x and the skip are added, and their numbers of channels differ. Concatenate them along the channels.",
        _changed(_added),
    ),
    Mistake(
        "concatenated along the batch",
        "x and the skip are concatenated along the batch. Channels are dimension 1.",
        _with_step(dim=0),
    ),
    Mistake(
        "concatenated along the height",
        "x and the skip are concatenated along the height. Channels are dimension 1.",
        _with_step(dim=2),
    ),
    Mistake(
        "concatenated along the width",
        "x and the skip are concatenated along the width. Channels are dimension 1.",
        _with_step(dim=3),
    ),
    Mistake(
        "the skip's number of channels comes out",
        "As many channels come out as the skip has. It is out_channels that is asked for.",
        _with_channels(lambda a, b, c: (a, b, b)),
    ),
    Mistake(
        "x's number of channels comes out",
        "As many channels come out as x has. It is out_channels that is asked for.",
        _with_channels(lambda a, b, c: (a, b, a)),
    ),
    Mistake(
        "all channels that went in come out",
        "As many channels come out as x and the skip have together. The convolutions turn them into out_channels.",
        _with_channels(lambda a, b, c: (a, b, a + b)),
    ),
    Mistake(
        "concatenated after the convolutions",
        "The skip is concatenated to what the convolutions give. It comes in before them.",
        _changed(_before_the_skip),
    ),
    Mistake(
        "3x3 convolutions without padding",
        "Each 3x3 convolution takes a pixel off at every side, as in the paper. Here the size is to stay: padding=1.",
        _with_step(layers=partial(_two_convolutions, padding=0)),
    ),
    Mistake(
        "no ReLU at all",
        "Negative numbers come out, and there is nothing non-linear: two convolutions in a row could be one. A ReLU "
        "follows each BatchNorm.",
        _with_step(layers=partial(_two_convolutions, between=nn.Identity, last=nn.Identity)),
    ),
    Mistake(
        "no ReLU at the end",
        "Negative numbers come out. The second convolution too is followed by BatchNorm and ReLU.",
        _with_step(layers=partial(_two_convolutions, last=nn.Identity)),
    ),
    Mistake(
        "no ReLU between the convolutions",
        "Nothing non-linear stands between the two convolutions, so that they could be one.",
        _with_step(layers=partial(_two_convolutions, between=nn.Identity)),
    ),
    Mistake(
        "no BatchNorm",
        "There is no BatchNorm: in training mode each picture would be normalised with the others of its batch. One "
        "follows each convolution.",
        _with_step(layers=partial(_two_convolutions, norm=lambda channels: nn.Identity())),
    ),
    Mistake(
        "the batch's statistics in evaluation mode too",
        "In evaluation mode a picture's output still depends on the others of its batch. BatchNorm is to use what it "
        "remembers then.",
        _with_step(
            layers=partial(_two_convolutions, norm=partial(nn.BatchNorm2d, track_running_stats=False))
        ),
    ),
    Mistake(
        "layers made in forward",
        "New layers, with new random weights, are made in every pass: nothing can learn. Make them in __init__.",
        _changed(_made_anew),
    ),
    Mistake(
        "layers in a Python list",
        "The layers are in a Python list, where nn.Module doesn't find their parameters: use nn.ModuleList or "
        "nn.Sequential.",
        _with_step(layers=_Unregistered),
    ),
    Mistake(
        "a layer that is never used",
        "A layer is made in __init__ that forward doesn't use, or whose result is dropped.",
        _with_step(layers=_Idle),
    ),
    Mistake(
        "written into the inputs",
        "The step changes the x or skip it was given: an in-place operation (inplace=True, relu_, +=) is applied to "
        "them. The encoder may still need them.",
        _with_step(_in_place),
    ),
)


# -- to look at ---------------------------------------------------------------------------------------------


def _cat() -> Tensor:
    """(1, 1, 28, 28), float32."""
    return torch.from_numpy(doodles.draw("cat", seed=3))[None, None].float() / 255


def _cropped_cat(answer: Answer) -> Value:
    cropped = answer.call("center_crop", _cat(), 19, 22)
    return cropped[0] if isinstance(cropped, Tensor) and cropped.ndim == 4 and len(cropped) else cropped


EXERCISE = Exercise(
    id="3.7",
    title="a U-Net decoder step",
    defines=("center_crop", "DecoderStep"),
    parts=(
        Part(
            "center_crop: even differences",
            1,
            partial(_crops, differences=((6, 4), (2, 6), (4, 2))),
            "A picture of 4 x 6 on squared paper, cropped to 2 x 4: which rows and columns stay?",
        ),
        Part(
            "center_crop: odd differences, and none",
            2,
            partial(_crops, differences=((5, 3), (1, 3), (3, 5), (5, 2), (0, 1), (2, 0), (0, 0))),
            "Seven columns cropped to four: how many are cut off left, how many right? And seven to seven?",
        ),
        Part(
            "DecoderStep: size of the output",
            2,
            _sizes,
            "x.shape and skip.shape, printed just before they are concatenated.",
        ),
        Part(
            "DecoderStep: every unit sees x and the skip at its own place",
            2,
            _places,
            "Let one unit of x be 1 and all others 0: where does it come out?",
        ),
        Part(
            "DecoderStep: convolutions, BatchNorm, ReLU",
            1,
            _layers_at_work,
            "print(DecoderStep(5, 4, 16)): is each layer there, registered, and used in forward, in this order?",
        ),
        Part(
            "DecoderStep: batch of one; the inputs are left as they were",
            1,
            _manners,
            "Operations that write into their input end in _ or say inplace=True.",
        ),
    ),
    reference=_with_step,
    mistakes=_CROP_MISTAKES + _STEP_MISTAKES,
    not_covered="how many convolutions there are, and how x is enlarged.",
    demonstrations=(
        Demonstration(
            "the middle of a cat, cut out by center_crop",
            _cropped_cat,
            lambda yours: _center_crop(_cat(), 19, 22)[0],
        ),
    ),
)
