"""One residual block, operation by operation, drawn from what its forward pass does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path
from torch import Tensor, nn

from assignments_lib.look import DIAGRAM, HEADING, PALE_BLUE, PALE_GREEN, PALE_PURPLE, PAPER, SMALL, TITLE
from assignments_lib.plots.picture import show
from assignments_lib.plots.style import INK, QUIET, new_canvas, style
from assignments_lib.plots.tracing import Step, _Recorder
from assignments_lib.training.precision import evaluating

# What an operation is called in the picture; one that isn't here is called what torch calls it
_NAMES = {
    "native_batch_norm": "BatchNorm",
    "_native_batch_norm_legit": "BatchNorm",
    "_native_batch_norm_legit_no_training": "BatchNorm",
    "cudnn_batch_norm": "BatchNorm",
    "native_group_norm": "GroupNorm",
    "native_layer_norm": "LayerNorm",
    "relu": "ReLU",
    "clamp_min": "ReLU",
    "gelu": "GELU",
    "silu": "SiLU",
    "leaky_relu": "LeakyReLU",
    "constant_pad_nd": "padding",
}
_UNSEEN = {"view", "_unsafe_view", "alias", "clone", "contiguous", "detach", "expand", "_to_copy"}
_COLOURS = {"convolution": PALE_BLUE, "norm": PALE_PURPLE, "activation": PALE_GREEN, "other": PAPER}

# Lengths are in inches
_WIDE, _TALL, _GAP = 1.9, 0.3, 0.24  # a box, and the arrow between two
_PLUS = 0.13  # radius of the addition
_BEND = 0.3  # radius of the shortcut's corners
_SPLIT = 0.1  # from there to where the shortcut begins
_ASIDE = 0.42  # from the boxes to the shortcut
_MARGIN, _BETWEEN = 0.2, 0.4  # at the sides, and between two blocks


@dataclass
class _Operation:
    """One box: what is computed, and the size (C, H, W) of what comes out."""

    label: str
    words: str
    kind: str  # one of _COLOURS' keys
    shape: tuple[int, ...]


@dataclass
class _Drawn:
    """A block as four stretches of operations: up to the split, the two ways, and from the addition on."""

    name: str
    parameters: int
    shape: tuple[int, ...]  # of the input
    before: list[_Operation]
    main: list[_Operation]
    shortcut: list[_Operation] | None  # empty for the identity, None where nothing is added
    after: list[_Operation]

    @property
    def rows(self) -> int:
        return len(self.before) + len(self.main) + len(self.after)

    @property
    def width(self) -> float:
        aside = 0.0 if self.shortcut is None else _WIDE + _ASIDE / 2 if self.shortcut else _ASIDE + 0.7
        return _WIDE + aside

    @property
    def height(self) -> float:
        addition = 0.0 if self.shortcut is None else _SPLIT + _GAP + 2 * _PLUS
        return 0.8 + self.rows * (_TALL + _GAP) + addition + _GAP + 0.3


def residual_block(
    block: nn.Module, channels: int, size: int = 56, *, title: str = "", alt: str = ""
) -> None:
    """Draw one residual block, from its input at the top to its output at the bottom.

    The operations, their order and the way of the shortcut are those of a forward pass in evaluation mode on
    ``channels`` x ``size`` x ``size`` numbers. Sizes stand where they change, as channels x height x width.
    After figure 2 of He et al., "Deep Residual Learning for Image Recognition" (2015).

    Raises:
        ValueError: there is more than one addition of feature maps, so it isn't one block.
        Exception: whatever the block raises; NotFilledIn while it is blank.
    """
    residual_blocks({title or type(block).__name__: block}, channels, size, alt=alt)


def residual_blocks(
    blocks: Mapping[str, nn.Module], channels: int, size: int = 56, *, title: str = "", alt: str = ""
) -> None:
    """Draw several residual blocks side by side, each under its name; otherwise as `residual_block`.

    All are given the same input: ``channels`` x ``size`` x ``size``.

    Raises:
        ValueError: there are no blocks, or one has more than one addition of feature maps.
        Exception: whatever a block raises; NotFilledIn while it is blank.
    """
    if not blocks:
        raise ValueError("there is no block to draw: give at least one, as {'its name': block}")
    drawn = [_read(name, block, channels, size) for name, block in blocks.items()]
    with style():
        top = 0.4 if title else 0.1
        width = 2 * _MARGIN + sum(each.width for each in drawn) + _BETWEEN * (len(drawn) - 1)
        height = top + max(each.height for each in drawn)
        figure, axes = new_canvas(width, height, bottom=top - height)
        if title:
            axes.text(_MARGIN, 0.28, title, fontsize=HEADING, fontweight="bold", va="top")
        left = _MARGIN
        for each in drawn:
            _draw(axes, each, left)
            left += each.width + _BETWEEN
        sentences = " ".join(_in_words(each) for each in drawn)
        show(figure, alt or (f"{title}. {sentences}" if title else sentences))


class _Names(_Recorder):
    """Records what each step is called, too, and which of the block's innermost modules it happened in."""

    def __init__(self, images: Tensor) -> None:
        super().__init__(images)
        self.names: dict[Step, str] = {}
        self.homes: dict[Step, tuple[str, int]] = {}  # class name of the module, and where its call began

    def _step(self, name: str, args: tuple[Any, ...], inputs: list[Step], output: Tensor) -> Step:
        step = super()._step(name, args, inputs, output)
        self.names[step] = name.removesuffix("_")
        return step

    @contextmanager
    def watching(self, block: nn.Module) -> Iterator[None]:
        """Within it, calls of the modules that have no children are noticed."""
        began: list[int] = []

        def enter(module: nn.Module, inputs: Any) -> None:
            began.append(len(self.steps))

        def leave(module: nn.Module, inputs: Any, output: Any) -> None:
            start = began.pop()
            for step in self.steps[start:]:
                self.homes[step] = (type(module).__name__, start)

        with ExitStack() as hooks:
            for module in block.modules():
                if next(module.children(), None) is None and module is not block:
                    hooks.callback(module.register_forward_pre_hook(enter).remove)
                    hooks.callback(module.register_forward_hook(leave).remove)
            yield


def _read(name: str, block: nn.Module, channels: int, size: int) -> _Drawn:
    parameters = list(block.parameters())
    images = torch.zeros(1, channels, size, size)
    images = images.to(parameters[0]) if parameters else images
    recorder = _Names(images)
    with evaluating(block), torch.no_grad(), recorder.watching(block), recorder:
        block(images)
    image, output = recorder.steps[0], recorder.steps[-1]
    additions = [step for step in recorder.steps if step.kind == "add" and len(step.shape) == 3]
    if len(additions) > 1:
        raise ValueError(
            f"{name}: feature maps are added {len(additions)} times in it, and one residual block adds them "
            "once; give one block, not a stage of several"
        )
    count = sum(each.numel() for each in parameters)
    if not additions:
        return _Drawn(name, count, image.shape, [], _operations(_way(output), recorder), None, [])
    addition = additions[0]
    ways = [_way(source) for source in addition.inputs[:2]]
    common = [one for one, other in zip(*ways, strict=False) if one is other]
    shortcut, main = sorted(
        (way[len(common) :] for way in ways),
        key=lambda way: (sum(step.kind == "conv" for step in way), len(way)),
    )
    after = _way(output)[len(_way(addition)) :]
    stretches = [_operations(stretch, recorder) for stretch in (common, main, shortcut, after)]
    return _Drawn(name, count, image.shape, *stretches)


def _way(step: Step) -> list[Step]:
    """From the image to this step; of an operation's inputs, the first one is the data."""
    way = [step]
    while way[-1].inputs:
        way.append(way[-1].inputs[0])
    return way[::-1]


def _operations(steps: list[Step], recorder: _Names) -> list[_Operation]:
    found: list[_Operation] = []
    last: Any = None
    for step in steps:
        name = recorder.names.get(step, "image")
        if step.kind == "image" or name in _UNSEEN:
            continue
        known = step.kind != "other" or name in _NAMES
        # a module that computes its result by hand is one box: which sums it consists of is its own affair
        label, home = recorder.homes.get(step, (name, None)) if not known else (name, None)
        if home is not None and home == last:
            found[-1].shape = step.shape
        else:
            found.append(_operation(step, label if not known else _NAMES.get(name, step.kind)))
        last = home
    return found


def _operation(step: Step, label: str) -> _Operation:
    if step.kind == "conv":
        kernel, stride, channels = step.kernel, max(step.stride), step.shape[0]
        apart = f", stride {stride}" if stride > 1 else ""
        return _Operation(
            f"{kernel[0]}×{kernel[1]} conv, {channels}{apart}",
            f"{kernel[0]}×{kernel[1]} convolution with {channels} output channels{apart.replace(',', ' and')}",
            "convolution",
            step.shape,
        )
    low = label.lower()
    kind = "norm" if "norm" in low else "activation" if "lu" in low else "other"
    return _Operation(label, label, kind, step.shape)


class _Pen:
    """Draws a column of boxes from the top down, and notes a size beside the arrow where it has changed."""

    def __init__(self, axes: Axes, x: float, y: float, shape: tuple[int, ...], outwards: int) -> None:
        self.axes, self.x, self.y, self.shape = axes, x, y, shape
        self.outwards = outwards  # the side where sizes stand: -1 is left, 1 is right
        self.noted = shape

    def arrow(self, length: float = _GAP) -> None:
        _arrow(self.axes, (self.x, self.y), (self.x, self.y - length))
        self.y -= length
        self.note(self.y + length / 2)

    def note(self, y: float) -> None:
        if self.shape != self.noted:
            align = "right" if self.outwards < 0 else "left"
            x = self.x + 0.09 * self.outwards
            self.axes.text(x, y, _thin_size(self.shape), fontsize=SMALL, color=QUIET, ha=align, va="center")
            self.noted = self.shape

    def box(self, operation: _Operation) -> None:
        self.axes.add_patch(
            FancyBboxPatch(
                (self.x - _WIDE / 2, self.y - _TALL),
                _WIDE,
                _TALL,
                boxstyle="round,pad=0,rounding_size=0.05",
                facecolor=_COLOURS[operation.kind],
                edgecolor=INK,
                linewidth=0.9,
                zorder=3,
            )
        )
        middle = self.y - _TALL / 2
        self.axes.text(
            self.x, middle, operation.label, fontsize=DIAGRAM, ha="center", va="center_baseline", zorder=4
        )
        self.y -= _TALL
        self.shape = operation.shape

    def boxes(self, operations: list[_Operation]) -> None:
        for operation in operations:
            self.arrow()
            self.box(operation)


def _draw(axes: Axes, block: _Drawn, left: float) -> None:
    x = left + _WIDE / 2
    axes.text(left, -0.08, block.name, fontsize=TITLE, fontweight="bold", va="top")
    axes.text(left, -0.3, f"{block.parameters:,} parameters", fontsize=DIAGRAM, color=QUIET, va="top")
    axes.text(x, -0.68, _thin_size(block.shape), fontsize=DIAGRAM, ha="center", va="center")
    pen = _Pen(axes, x, -0.8, block.shape, -1)
    pen.boxes(block.before)
    if block.shortcut is None:
        pen.boxes(block.main)
    else:
        split = pen.y - _SPLIT
        axes.plot([x, x], [pen.y, split], color=INK, linewidth=1.2)
        axes.add_patch(Circle((x, split), 0.035, color=INK, zorder=4))
        pen.note(split)
        pen.y, shape = split, pen.shape
        pen.boxes(block.main)
        pen.arrow()
        pen.y -= _PLUS
        _shortcut(axes, x, split, pen.y, block.shortcut, shape)
        _plus(axes, x, pen.y)
        pen.y -= _PLUS
        pen.boxes(block.after)
    pen.noted = pen.shape  # the size of the output stands below the last arrow, changed or not
    pen.arrow()
    axes.text(x, pen.y - 0.12, _thin_size(pen.shape), fontsize=DIAGRAM, ha="center", va="center")


def _shortcut(
    axes: Axes, x: float, top: float, bottom: float, operations: list[_Operation], shape: tuple[int, ...]
) -> None:
    """From the split at ``top`` round the boxes to the addition at ``bottom``."""
    aside = x + _WIDE / 2 + _ASIDE + (_WIDE / 2 - _ASIDE / 2 if operations else 0)
    _bend(axes, [(x, top), (aside, top), (aside, top - _BEND)])
    _bend(axes, [(aside, bottom + _BEND), (aside, bottom), (x + _PLUS + 0.2, bottom)])
    inner = len(operations) * (_TALL + _GAP) - _GAP
    middle = (top + bottom) / 2
    if not operations:
        axes.plot([aside, aside], [top - _BEND, bottom + _BEND], color=INK, linewidth=1.2)
        axes.text(aside + 0.09, middle, "identity", fontsize=DIAGRAM, ha="left", va="center")
    else:
        pen = _Pen(axes, aside, top - _BEND, shape, 1)
        pen.arrow(top - _BEND - (middle + inner / 2))
        pen.box(operations[0])
        pen.boxes(operations[1:])
        axes.plot([aside, aside], [pen.y, bottom + _BEND], color=INK, linewidth=1.2)
        pen.note(pen.y - _GAP / 2)
    _arrow(axes, (x + _PLUS + 0.2, bottom), (x + _PLUS, bottom))


def _bend(axes: Axes, corner: list[tuple[float, float]]) -> None:
    """A line round a corner: straight towards it, then a quarter of a circle or nearly so."""
    (x0, y0), (x1, y1), (x2, y2) = corner
    before = (x1 - _BEND, y1) if y0 == y1 else (x0, y0)
    after = (x1 - _BEND, y1) if y1 == y2 else (x2, y2)
    points = [(x0, y0), before, (x1, y1), after, (x2, y2)]
    codes = [Path.MOVETO, Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO]
    axes.add_patch(PathPatch(Path(points, codes), fill=False, edgecolor=INK, linewidth=1.2, zorder=1))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=9,
            shrinkA=0,
            shrinkB=0,
            color=INK,
            linewidth=1.2,
            zorder=2,
        )
    )


def _plus(axes: Axes, x: float, y: float) -> None:
    axes.add_patch(Circle((x, y), _PLUS, facecolor="white", edgecolor=INK, linewidth=1.2, zorder=3))
    for across, up in ((0.55 * _PLUS, 0), (0, 0.55 * _PLUS)):
        axes.plot([x - across, x + across], [y - up, y + up], color=INK, linewidth=1.4, zorder=4)


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _thin_size(shape: tuple[int, ...]) -> str:
    return "\u2009×\u2009".join(map(str, shape))  # thin spaces: it has to fit beside an arrow


def _in_words(block: _Drawn) -> str:
    start = f"{block.name}: the input of size {_size(block.shape)}"
    if block.before:
        start += f" goes through {_listed(block.before)}, and the result"
    main = f"{start} goes through {_listed(block.main)}" if block.main else f"{start} goes on unchanged"
    if block.shortcut is None:
        return f"{main}. There is no shortcut. {_ending(block)}"
    way = f"a shortcut through {_listed(block.shortcut)}" if block.shortcut else "the identity shortcut"
    after = f", followed by {_listed(block.after)}" if block.after else ", and nothing follows"
    return f"{main}; {way} goes around them; the two are added{after}. {_ending(block)}"


def _listed(operations: list[_Operation]) -> str:
    return ", then ".join(operation.words for operation in operations)


def _ending(block: _Drawn) -> str:
    last = (block.after or block.main or block.before)[-1:]
    return f"The output has size {_size(last[0].shape if last else block.shape)}."
