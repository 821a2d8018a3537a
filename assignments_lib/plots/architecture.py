"""A picture of a network, drawn from what its forward pass does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path
from torch import nn

from assignments_lib.look import (
    BLUES,
    DIAGRAM,
    HEADING,
    PALE_GREEN,
    PALE_PURPLE,
    PALE_YELLOW,
    PAPER,
    SMALL,
    TEXT,
)
from assignments_lib.plots.picture import show
from assignments_lib.plots.style import INK, QUIET, new_canvas, style
from assignments_lib.plots.tracing import Block, Step, Trace, trace

_STAGES = BLUES  # light to dark: deeper in
_STEM, _POOL, _HEAD, _IMAGE = PALE_PURPLE, PALE_YELLOW, PALE_GREEN, PAPER

# Lengths are in inches
_TALL = 2.2  # the image's height
_GAP, _BLOCK_GAP, _GROUP_GAP = 0.05, 0.13, 0.14  # between slabs, where a block ends, between groups
_LETTER, _BOLD_LETTER = 0.071, 0.09  # about how wide a letter of a caption is
_PLUS = 0.045  # radius of an addition


@dataclass
class _Slab:
    """One layer: a rectangle, the higher the larger its feature map, the wider the more channels it has."""

    step: Step
    width: float
    height: float
    colour: str
    gap: float = _GAP  # to the next one
    x: float = 0.0  # left edge, once laid out

    @property
    def right(self) -> float:
        return self.x + self.width


@dataclass
class _Group:
    """Slabs that share a caption: a stage, the stem, a pool."""

    slabs: list[_Slab]
    heading: str
    lines: list[str]

    @property
    def inner(self) -> float:
        return sum(slab.width + slab.gap for slab in self.slabs) - self.slabs[-1].gap

    @property
    def width(self) -> float:
        return max(
            self.inner, len(self.heading) * _BOLD_LETTER, max(len(line) for line in self.lines) * _LETTER
        )


def network(
    model: nn.Module,
    image_size: int | tuple[int, int] = 224,
    in_channels: int = 3,
    *,
    title: str = "",
    alt: str = "",
) -> None:
    """Draw ``model`` as one forward pass goes: layers as slabs, stages, and the shortcuts above them.

    A slab's height follows the size of its feature map, its width the number of channels. Any network of
    convolutions will do, whatever its layers are called: the shortcuts are found by following the additions
    back to where their two inputs part. ``image_size`` is the side of the image, or (height, width).

    Raises:
        Whatever the network raises; NotFilledIn while part of it is blank.
    """
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    images = torch.zeros(1, in_channels, height, width)
    parameters = list(model.parameters())
    traced = trace(model, images.to(parameters[0]) if parameters else images)
    groups = _groups(traced)
    depth = sum(slab.step.kind in ("conv", "linear") for group in groups for slab in group.slabs)
    heading = title or type(model).__name__
    size = _count(sum(each.numel() for each in parameters))
    subtitle = f"{depth} layers with weights on the main path, {size} parameters"
    with style():
        room = max(_lay_out(groups) + 0.4, 7.6)  # the title and the legend need that much
        figure, axes = new_canvas(room, 3.85, bottom=-2.0)
        _slabs(axes, groups)
        _shortcuts(axes, groups, traced.blocks)
        _legend(axes, room - 2.9, traced.blocks)
        axes.text(0.1, 1.75, heading, fontsize=HEADING, fontweight="bold", va="top")
        axes.text(0.1, 1.49, subtitle, fontsize=DIAGRAM, color=QUIET, va="top")
        show(figure, alt or _in_words(heading, subtitle, groups, traced.blocks))


def _groups(traced: Trace) -> list[_Group]:
    """What is drawn, from the image to the output."""
    aside = {conv for block in traced.blocks for conv in block.shortcut}
    block_of = {conv: block for block in traced.blocks for conv in block.convs}
    ends = {block.convs[-1] for block in traced.blocks}
    path = [step for step in traced.steps if step.kind not in ("other", "add") and step not in aside]
    tallest = path[0].shape[1]

    def together(step: Step) -> Any:
        if step.kind != "conv":
            return step.kind, step.index
        return ("blocks", block_of[step].end.shape) if step in block_of else ("convs", step.shape)

    groups: list[_Group] = []
    stage = 0
    for (kind, *_), members in groupby(path, together):
        steps = list(members)
        first, last = steps[0], steps[-1]
        size = f"{last.shape[1]} × {last.shape[2]}" if len(last.shape) == 3 else "1 × 1"
        height = max(0.2, _TALL * (_side(last) / tallest) ** 0.45)  # in proportion, 7 of 224 would be a dot
        if kind == "image":
            groups.append(_Group([_Slab(first, 0.18, height, _IMAGE)], "image", [_channels(first), size]))
        elif kind == "linear":
            lines = [f"{first.inputs[-1].shape[-1]} → {first.shape[-1]}"]
            groups.append(_Group([_Slab(first, 0.16, 0.9, _HEAD)], "linear", lines))
        elif kind in ("max pool", "average pool"):
            lines = [_channels(first), size] if _side(last) == 1 else [*_layer(first, channels=False), size]
            groups.append(_Group([_Slab(first, 0.1, height, _POOL)], kind.replace("average", "avg"), lines))
        else:
            stem = kind == "convs" and stage == 0 and bool(traced.blocks)
            stage += not stem
            colour = _STEM if stem else _STAGES[min(stage, len(_STAGES)) - 1]
            slabs = [
                _Slab(
                    step,
                    min(0.26, 0.065 * max(1.0, step.shape[0] / 64) ** 0.38),
                    max(0.2, _TALL * (_side(step) / tallest) ** 0.45),
                    colour,
                    _BLOCK_GAP if step in ends else _GAP,
                )
                for step in steps
            ]
            blocks = _once(block_of[step] for step in steps if step in block_of)
            lines = [f"{len(blocks)} block{'s' * (len(blocks) > 1)} of"] if blocks else []
            lines += _layers(blocks[-1].convs if blocks else steps)
            groups.append(_Group(slabs, "stem" if stem else f"stage {stage}", [*lines, size]))
    return groups


def _channels(step: Step) -> str:
    return f"{step.shape[0]} channel{'s' * (step.shape[0] > 1)}"


def _side(step: Step) -> int:
    return step.shape[1] if len(step.shape) == 3 else 1


def _once(blocks: Iterable[Block]) -> list[Block]:
    return list(dict.fromkeys(blocks))


def _layer(step: Step, channels: bool = True) -> list[str]:
    kernel = _times(step.kernel) + (f", {step.shape[0]}" if channels else "")
    return [kernel, f"stride {max(step.stride)}"] if max(step.stride) > 1 else [kernel]


def _layers(convs: list[Step]) -> list[str]:
    if len(convs) == 1:
        return _layer(convs[0])
    each = [f"{_times(conv.kernel)}, {conv.shape[0]}" for conv in convs]
    if len(set(each)) == 1:
        return [f"{len(each)} × ({each[0]})"]
    if len(each) <= 3:
        return [" · ".join(each)]
    return [f"{times} × ({layer})" for layer, times in Counter(each).items()][:3]


def _times(kernel: tuple[int, int]) -> str:
    return f"{kernel[0]}×{kernel[1]}"


def _count(parameters: int) -> str:
    return f"{parameters / 1e6:.1f} million" if parameters >= 1e6 else f"{parameters:,}"


def _lay_out(groups: list[_Group]) -> float:
    """Give every slab its place; the right end of it all."""
    x = 0.1
    for group in groups:
        inside = x + (group.width - group.inner) / 2
        for slab in group.slabs:
            slab.x = inside
            inside += slab.width + slab.gap
        x += group.width + _GROUP_GAP
    return x - _GROUP_GAP


def _slabs(axes: Axes, groups: list[_Group]) -> None:
    first, last = groups[0].slabs[0], groups[-1].slabs[-1]
    axes.add_patch(
        FancyArrowPatch(
            (first.right, 0),
            (last.right + 0.38, 0),
            arrowstyle="-|>",
            mutation_scale=10,
            shrinkA=0,
            shrinkB=0,
            color=QUIET,
            zorder=1,
        )
    )
    for group in groups:
        for slab in group.slabs:
            axes.add_patch(
                FancyBboxPatch(
                    (slab.x, -slab.height / 2),
                    slab.width,
                    slab.height,
                    boxstyle="round,pad=0,rounding_size=0.025",
                    facecolor=slab.colour,
                    edgecolor=INK,
                    linewidth=0.8,
                    zorder=2,
                )
            )
            if max(slab.step.stride) > 1 and len(group.slabs) > 1:
                axes.text(
                    slab.x,
                    -slab.height / 2 - 0.06,
                    f"stride {max(slab.step.stride)}",
                    fontsize=SMALL,
                    va="top",
                )
        centre = group.slabs[0].x + group.inner / 2
        axes.text(centre, -1.2, group.heading, fontsize=TEXT, fontweight="bold", ha="center", va="top")
        axes.text(
            centre, -1.4, "\n".join(group.lines), fontsize=DIAGRAM, ha="center", va="top", linespacing=1.25
        )


def _shortcuts(axes: Axes, groups: list[_Group], blocks: list[Block]) -> None:
    place = {slab.step: slab for group in groups for slab in group.slabs}
    additions: set[float] = set()
    for block in blocks:
        slabs = [place[conv] for conv in block.convs]
        left, right = slabs[0].x - _BLOCK_GAP / 2, slabs[-1].right + _BLOCK_GAP / 2
        before = [x for x in additions if -0.01 < left - x < _GROUP_GAP]
        if before:  # the last block's addition is where this one begins
            left = max(before)
        else:
            axes.add_patch(Circle((left, 0), 0.028, color=INK, zorder=4))
        top = max(slab.height for slab in slabs) / 2
        rise = top + 0.16 + 0.25 * (right - left)
        outline = Path(
            [(left, 0), (left, top), (left, rise), (right, rise), (right, top), (right, _PLUS)],
            [Path.MOVETO, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO],
        )
        axes.add_patch(
            PathPatch(
                outline, fill=False, edgecolor=INK, linewidth=1.2, linestyle=_dash(block.projection), zorder=3
            )
        )
        axes.add_patch(Circle((right, 0), _PLUS, facecolor="white", edgecolor=INK, linewidth=0.9, zorder=4))
        for x, y in ((0.6 * _PLUS, 0), (0, 0.6 * _PLUS)):
            axes.plot([right - x, right + x], [-y, y], color=INK, linewidth=0.9, zorder=5)
        additions.add(right)


def _dash(projection: bool) -> Any:
    return (0, (2.2, 1.4)) if projection else "-"


def _legend(axes: Axes, x: float, blocks: list[Block]) -> None:
    entries = [(False, "identity shortcut")] if any(not block.projection for block in blocks) else []
    kernels = sorted({_times(conv.kernel) for block in blocks for conv in block.shortcut})
    if kernels:
        entries.append((True, f"projection shortcut ({', '.join(kernels)})"))
    for row, (projection, text) in enumerate(entries):
        y = 1.66 - 0.23 * row
        axes.plot([x, x + 0.42], [y, y], color=INK, linewidth=1.3, linestyle=_dash(projection))
        axes.text(x + 0.52, y, text, fontsize=DIAGRAM, va="center")


def _in_words(heading: str, subtitle: str, groups: list[_Group], blocks: list[Block]) -> str:
    parts = [f"{group.heading} ({', '.join(group.lines).replace(' of,', ' of')})" for group in groups]
    projections = sum(block.projection for block in blocks)
    shortcuts = (
        f"{len(blocks)} blocks with a shortcut: {len(blocks) - projections} identities and {projections} projections."
        if blocks
        else "There are no shortcuts."
    )
    return f"Diagram of {heading}: {subtitle}. From input to output: {'; '.join(parts)}. {shortcuts}"
