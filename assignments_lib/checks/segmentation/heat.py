"""Exercise 3.2: `heat_map`, against torchvision's FCN with the same trunk and head; `hottest` and `peak`, by ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.segmentation import FCN

from assignments_lib.checks.answer import Answer, Ref, Value
from assignments_lib.checks.compare import agree, in_words
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.fill import fill
from assignments_lib.datasets import doodles
from assignments_lib.trunk import Trunk

_WIDTHS, _CLASSES = (7, 7, 7, 7), 5  # the head fits every map, so that a wrong one shows in its heat
# (N, 3, H, W): odd sides, whole multiples of the stride, no more than one unit high
_IMAGES = ((2, 3, 70, 45), (1, 3, 64, 96), (3, 3, 31, 100))
_PEAK = "stem.1.peak"  # of the graphs that are alive at once


# -- heat maps ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Setting:
    """A small network on the answer's side, in training mode as every new one."""

    answer: Answer
    trunk: Ref
    head: Ref

    @staticmethod
    def drawn(answer: Answer, draw: Draw) -> _Setting:
        trunk = answer.make("counted", answer.make("trunk", _WIDTHS, (1, 1, 1, 1)))
        answer.load(trunk, fill(answer.describe(trunk), draw.seed))
        weight, bias = draw.normal(_CLASSES, _WIDTHS[-1]), draw.normal(_CLASSES)
        return _Setting(answer, trunk, answer.make("pointwise", weight, bias))

    def ask(self, images: Tensor) -> Value:
        return self.answer.call("heat_map", self.trunk, self.head, images)

    def statistics(self) -> dict[str, Tensor]:
        state = self.answer.state(self.trunk)
        return {name: value for name, value in state.items() if "running" in name}


def _heat(answer: Answer, draw: Draw) -> Iterator[Observation]:
    setting = _Setting.drawn(answer, draw)

    def observe(shape: tuple[int, ...]) -> Iterator[Observation]:
        images = draw.normal(*shape)
        answer.run(setting.trunk, images, mode="eval")
        yield f"heat maps of {_CLASSES} classes for images {shape}", setting.ask(images)

    yield from each(_IMAGES, observe)


def _mode(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Asked in training mode first, then in evaluation mode."""
    setting, images = _Setting.drawn(answer, draw), draw.normal(*_IMAGES[0])
    before = setting.statistics()
    heat = setting.ask(images)
    yield "BatchNorm's statistics change", not agree(setting.statistics(), before)
    answer.load(setting.trunk, before)
    answer.run(setting.trunk, images, mode="eval")
    yield (
        "the heat depends on the mode in which the trunk happens to be",
        not agree(setting.ask(images), heat),
    )


def _no_graph(answer: Answer, draw: Draw) -> Iterator[Observation]:
    setting = _Setting.drawn(answer, draw)
    heat = setting.ask(draw.normal(*_IMAGES[0]))
    yield "the heat holds a graph for gradients", isinstance(heat, Tensor) and heat.requires_grad
    yield "a graph is recorded for gradients", int(answer.state(setting.trunk, [_PEAK])[_PEAK]) > 0


# -- the hottest pixels -------------------------------------------------------------------------------------


def _distinct(draw: Draw, height: int, width: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """(height, width) in (0, 1), a few large ones among many small ones, no two alike, the first not the largest."""
    ranks = draw.uniform(height * width).argsort().double() / (height * width)
    heat = 0.3 + 0.69 * (1 - ranks) ** 6
    return (heat if int(heat.argmax()) else heat.flip(0)).reshape(height, width).to(dtype)


def _marks(given: Value) -> Iterator[Observation]:
    """Of what kind they are, then which are marked."""
    is_tensor = isinstance(given, Tensor)
    if is_tensor and given.dtype != torch.bool and bool(((given == 0) | (given == 1)).all()):
        yield "what hottest gives", "numbers 0 and 1 instead of bools"
        given = given.bool()
    else:
        yield "what hottest gives", str(given.dtype) if is_tensor else in_words(given)
    yield "number of pixels marked", int(given.sum()) if is_tensor and given.dtype == torch.bool else None
    yield "the marks", given


def _hottest(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Sides and shares for which every rule of rounding gives the same number."""
    for height, width, share in ((20, 30, 0.05), (24, 25, 0.25), (30, 40, 0.01)):
        heat = _distinct(draw, height, width)
        args = [heat] if share == 0.05 else [heat, share]
        for what, seen in _marks(answer.call("hottest", *args)):
            yield f"heat {(height, width)}, share {share}: {what}", seen
    heat = _distinct(draw, 10, 20, torch.float32)
    yield "hottest changes the heat it is given", answer.writes("hottest", heat)


def _few(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Small maps, where rounding and one pixel more or less show."""
    for height, width, share in ((7, 9, 0.1), (1, 17, 0.8), (3, 4, 0.05), (2, 3, 0.05), (5, 1, 1.0)):
        given = answer.call("hottest", _distinct(draw, height, width), share)
        for what, seen in list(_marks(given))[1:]:
            yield f"heat {(height, width)}, share {share}: {what}", seen


# -- the peak -----------------------------------------------------------------------------------------------

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bools"),
    (int, "ints"),
    (float, "floats"),
    (Tensor, "tensors"),
)


def _kind(given: Value) -> str:
    for one, words in _KINDS:
        if isinstance(given, one):
            return words if isinstance(given, Tensor) else f"one of {words}"
        if isinstance(given, (tuple, list)) and given and all(isinstance(item, one) for item in given):
            return f"{len(given)} {words}" if one is not Tensor else words
    return in_words(given)


def _place(given: Value) -> Value:
    """Row and column as far as they can be read, whatever kind they are of."""
    if isinstance(given, Tensor):
        return given.flatten().tolist()
    if isinstance(given, (tuple, list)):
        return [item.item() if isinstance(item, Tensor) and item.numel() == 1 else item for item in given]
    return given


def _peak(answer: Answer, draw: Draw) -> Iterator[Observation]:
    for height, width in ((6, 9), (11, 4), (1, 7), (8, 1)):
        heat = _distinct(draw, height, width)
        given = answer.call("peak", heat)
        yield f"heat {(height, width)}: what peak gives", _kind(given)
        yield f"heat {(height, width)}: row and column", _place(given)
    cold = _distinct(draw, 5, 8, torch.float32).log()
    yield "heat (5, 8), all negative: row and column", _place(answer.call("peak", cold))
    yield "peak changes the heat it is given", answer.writes("peak", cold)


# -- the reference ------------------------------------------------------------------------------------------


class _Coarsest(nn.Module):
    """A trunk as torchvision expects one."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"out": self.trunk(images)[-1]}


def _heat_map(trunk: nn.Module, head: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        scores: Mapping[str, Tensor] = FCN(_Coarsest(trunk), head).eval()(images)
    return scores["out"].softmax(1)


def _warmer(heat: Tensor) -> Tensor:
    """How many pixels are warmer than each, (H, W)."""
    return (heat.flatten() > heat[..., None]).sum(-1)


def _hottest_by_ranks(heat: Tensor, share: float = 0.05) -> Tensor:
    return _warmer(heat) < max(1, round(share * heat.numel()))


def _peak_by_ranks(heat: Tensor) -> tuple[int, int]:
    row, column = (_warmer(heat) == 0).nonzero()[0].tolist()
    return row, column


def _reference() -> Namespace:
    return {"heat_map": _heat_map, "hottest": _hottest_by_ranks, "peak": _peak_by_ranks}


# -- typical mistakes ---------------------------------------------------------------------------------------

_Enlarge = Callable[[Tensor, Tensor], Tensor]
_Maps = Callable[[list[Tensor]], Any]


def _enlarged(scores: Tensor, images: Tensor) -> Tensor:
    return F.interpolate(scores, images.shape[-2:], mode="bilinear")


def _another_way(**how: Any) -> _Enlarge:
    return lambda scores, images: F.interpolate(scores, images.shape[-2:], **how)


def _in_strides(scores: Tensor, images: Tensor) -> Tensor:
    return F.interpolate(scores, scale_factor=32, mode="bilinear")


def _cut(scores: Tensor, images: Tensor) -> Tensor:
    return _in_strides(scores, images)[..., : images.shape[-2], : images.shape[-1]]


def _cut_all_round(scores: Tensor, images: Tensor) -> Tensor:
    large = _in_strides(scores, images)
    up, left = ((mine - its) // 2 for mine, its in zip(large.shape[-2:], images.shape[-2:], strict=True))
    return large[..., up : up + images.shape[-2], left : left + images.shape[-1]]


def _sides_swapped(scores: Tensor, images: Tensor) -> Tensor:
    return F.interpolate(scores, images.shape[:1:-1], mode="bilinear")


def _before(squash: Callable[[Tensor], Tensor]) -> _Enlarge:
    return lambda scores, images: _enlarged(squash(scores), images)


def _mapping(
    finish: Callable[[Tensor], Any] = lambda scores: scores.softmax(1),
    *,
    enlarge: _Enlarge = _enlarged,
    which: _Maps = lambda maps: maps[-1],
    score: Callable[[nn.Module, Any], Tensor] = lambda head, features: head(features),
    mode: bool = True,
    recorded: bool = False,
) -> Namespace:
    """Scores of which map, how enlarged, and what is made of them in the end."""

    def heat_map(trunk: Trunk, head: nn.Module, images: Tensor) -> Any:
        if mode:
            trunk.eval()
        with torch.set_grad_enabled(recorded):
            return finish(enlarge(score(head, which(trunk(images))), images))

    return {**_reference(), "heat_map": heat_map}


def _stretched(scores: Tensor) -> Tensor:
    low, high = scores.amin((2, 3), keepdim=True), scores.amax((2, 3), keepdim=True)
    return (scores - low) / (high - low)


def _marking(hottest: Callable[[Tensor, float], Any]) -> Namespace:
    return {**_reference(), "hottest": lambda heat, share=0.05: hottest(heat, share)}


def _as_many_as(count: Callable[[Tensor, float], float]) -> Namespace:
    """The hottest pixels, of a number of its own."""
    return _marking(lambda heat, share: _warmer(heat) < int(count(heat, share)))


def _over(threshold: Callable[[Tensor, float], Tensor | float]) -> Namespace:
    return _marking(lambda heat, share: heat >= threshold(heat, share))


def _unsorted(heat: Tensor, share: float) -> Tensor:
    numbers = heat.flatten()
    return numbers[min(int((1 - share) * len(numbers)), len(numbers) - 1)]


def _of_each_row(heat: Tensor, share: float) -> Tensor:
    return torch.stack([_hottest_by_ranks(row[None], share)[0] for row in heat])


def _of_the_sum(heat: Tensor, share: float) -> Tensor:
    """The fewest pixels that hold a share of all heat."""
    numbers = heat.flatten()
    warmer = numbers > numbers[:, None]
    return ((warmer * numbers).sum(1) < share * numbers.sum()).view_as(heat)


def _crossed_out(heat: Tensor, share: float) -> Tensor:
    marks = _hottest_by_ranks(heat, share)
    heat[marks] = -torch.inf
    return marks


def _pointing(peak: Callable[[Tensor], Any]) -> Namespace:
    return {**_reference(), "peak": peak}


def _rounded_mean(heat: Tensor) -> tuple[int, int]:
    rows, columns = (torch.arange(side, dtype=heat.dtype) for side in heat.shape)
    row = (heat.sum(1) * rows).sum() / heat.sum()
    column = (heat.sum(0) * columns).sum() / heat.sum()
    return round(float(row)), round(float(column))


def _from_zero(heat: Tensor) -> tuple[int, int]:
    return _peak_by_ranks(heat) if bool((heat > 0).any()) else (0, 0)


def _at(change: Callable[[int, Tensor], tuple[Any, ...]]) -> Namespace:
    """Row and column made of the peak's number in reading order."""
    return _pointing(lambda heat: change(int(heat.flatten().argmax()), heat))


_MISTAKES = (
    Mistake(
        "softmax over the batch",
        "The softmax is taken over the pictures (dimension 0), so that one picture's heat depends on the others, and a "
        "single picture is 1 everywhere. The classes stand in dimension 1.",
        _mapping(lambda scores: scores.softmax(0)),
    ),
    Mistake(
        "softmax over the width",
        "The softmax is taken over the width (dimension -1 or 3): the pixels of a row compete. At each pixel the "
        "classes, in dimension 1, should.",
        _mapping(lambda scores: scores.softmax(3)),
    ),
    Mistake(
        "softmax over the height",
        "The softmax is taken over the height (dimension 2 or -2): the pixels of a column compete. At each pixel the "
        "classes, in dimension 1, should.",
        _mapping(lambda scores: scores.softmax(2)),
    ),
    Mistake(
        "softmax over all pixels",
        "The softmax is taken over all pixels, so that a class's heat sums to 1 over the picture. At each pixel the "
        "classes' probabilities should.",
        _mapping(lambda scores: scores.flatten(2).softmax(2).view_as(scores)),
    ),
    Mistake(
        "softmax before enlarging",
        "The softmax comes before the enlarging: then probabilities are averaged between units and not scores. Enlarge "
        "first.",
        _mapping(lambda heat: heat, enlarge=_before(lambda scores: scores.softmax(1))),
    ),
    Mistake(
        "softmax twice",
        "There is a softmax of a softmax, which makes all classes nearly equally likely. One is enough.",
        _mapping(lambda scores: scores.softmax(1).softmax(1)),
    ),
    Mistake(
        "no softmax",
        "Scores are returned. Probabilities are asked for: non-negative, with sum 1 over the classes at each pixel.",
        _mapping(lambda scores: scores),
    ),
    Mistake(
        "log-probabilities",
        "Logarithms of probabilities are returned: log_softmax is for losses.",
        _mapping(lambda scores: scores.log_softmax(1)),
    ),
    Mistake(
        "sigmoid",
        "Each class has a sigmoid of its own. But a pixel belongs to one class: the softmax lets them compete.",
        _mapping(torch.sigmoid),
    ),
    Mistake(
        "stretched to 0 .. 1",
        "Each class's scores are stretched from 0 to 1, so that even a class that isn't there has a hot place. "
        "Probabilities are asked for: a softmax.",
        _mapping(_stretched),
    ),
    Mistake(
        "class numbers returned",
        "The likeliest class of each pixel is returned. Probabilities (N, C, H, W) are asked for; the arg max is the "
        "caller's.",
        _mapping(lambda scores: scores.argmax(1)),
    ),
    Mistake(
        "the largest probability only",
        "Only the likeliest class's probability is kept. The heat of every class is asked for: (N, C, H, W).",
        _mapping(lambda scores: scores.softmax(1).amax(1)),
    ),
    Mistake(
        "the first picture only",
        "Only the first picture's heat is returned. Images (N, 3, H, W) have heat (N, C, H, W), also where N is 1.",
        _mapping(lambda scores: scores.softmax(1)[0]),
    ),
    Mistake(
        "nearest enlarging",
        "The heat comes in square blocks: F.interpolate takes the nearest unit unless told mode='bilinear'.",
        _mapping(enlarge=_another_way()),
    ),
    Mistake(
        "align_corners=True",
        "With align_corners=True the outermost units are moved to the very corners, so that the heat is stretched and "
        "lies beside the things. Leave it False.",
        _mapping(enlarge=_another_way(mode="bilinear", align_corners=True)),
    ),
    Mistake(
        "bicubic enlarging",
        "The scores are enlarged bicubically, which overshoots: scores come out that no unit has. Bilinearly, please.",
        _mapping(enlarge=_another_way(mode="bicubic")),
    ),
    Mistake(
        "enlarged by the stride",
        "The scores are enlarged by the stride, which is too large where the sides are no multiples of it: the last "
        "units reach over the edge. Say the size: that of the images.",
        _mapping(enlarge=_in_strides),
    ),
    Mistake(
        "enlarged by the stride, then cut",
        "The scores are enlarged by the stride, then cut off at the right and the bottom. Enlarge to the images' size "
        "in one step: then nothing depends on the strides, and nothing has to be cut.",
        _mapping(enlarge=_cut),
    ),
    Mistake(
        "enlarged by the stride, then cut all round",
        "The scores are enlarged by the stride, then cropped to the middle, which moves the heat. Enlarge to the "
        "images' size itself.",
        _mapping(enlarge=_cut_all_round),
    ),
    Mistake(
        "height and width swapped",
        "The heat is as high as the images are wide. F.interpolate takes size=(height, width), which is "
        "images.shape[-2:].",
        _mapping(enlarge=_sides_swapped),
    ),
    Mistake(
        "not enlarged",
        "The heat has one number for each unit of the feature map. Enlarge the scores to the images' height and width.",
        _mapping(enlarge=lambda scores, images: scores),
    ),
    Mistake(
        "the finest map taken",
        "The head gets the first feature map. trunk gives them finest first: the head's is the last.",
        _mapping(which=lambda maps: maps[0]),
    ),
    Mistake(
        "the second coarsest map taken",
        "The head gets the last feature map but one. Its own is the very last: [-1].",
        _mapping(which=lambda maps: maps[-2]),
    ),
    Mistake(
        "all maps handed to the head",
        "The head gets the whole list of feature maps. It takes one: the last.",
        _mapping(which=lambda maps: maps),
    ),
    Mistake(
        "the head's bias left out",
        "The head's weight is used without its bias. Call the head itself: head(features).",
        _mapping(score=lambda head, features: F.conv2d(features, head.weight)),  # type: ignore[arg-type]
    ),
    Mistake(
        "averaged over the picture first",
        "The features are averaged over the picture before the head sees them, as in the classifier: the same heat "
        "everywhere. Leave the pooling out.",
        _mapping(score=lambda head, features: head(features.mean((2, 3), keepdim=True))),
    ),
    Mistake(
        "left in training mode",
        "The trunk works in the mode it happens to be in. In training mode BatchNorm looks at the other pictures of "
        "the batch, and remembers them. Begin with trunk.eval().",
        _mapping(mode=False),
    ),
    Mistake(
        "gradients recorded",
        "A graph is recorded that nobody needs, which costs time and memory. Use torch.no_grad() or "
        "torch.inference_mode().",
        _mapping(recorded=True),
    ),
    Mistake(
        "gradients recorded, then cut off",
        "The result has no graph any more, but one was recorded. Switch recording off while the trunk runs: "
        "torch.no_grad() or torch.inference_mode().",
        _mapping(lambda scores: scores.softmax(1).detach(), recorded=True),
    ),
    Mistake(
        "hottest: over 95 % of the maximum",
        "Pixels of more than 95 % of the largest heat are marked: one or a thousand, as it happens. A share of the "
        "*pixels* is asked for.",
        _over(lambda heat, share: (1 - share) * float(heat.max())),
    ),
    Mistake(
        "hottest: over 5 % of the maximum",
        "Pixels of more than 5 % of the largest heat are marked. A share of the *pixels* is asked for: the hottest of "
        "all.",
        _over(lambda heat, share: share * float(heat.max())),
    ),
    Mistake(
        "hottest: heat over 0.95",
        "Pixels whose heat is over 1 - share are marked: perhaps none. A share of the *pixels* is asked for, however "
        "hot they are.",
        _over(lambda heat, share: 1 - share),
    ),
    Mistake(
        "hottest: the coldest",
        "The coldest pixels are marked: which way round is it sorted?",
        _marking(lambda heat, share: _hottest_by_ranks(-heat, share)),
    ),
    Mistake(
        "hottest: all but the hottest",
        "The marks are the wrong way round: True belongs to the hottest pixels.",
        _marking(lambda heat, share: ~_hottest_by_ranks(heat, share)),
    ),
    Mistake(
        "hottest: 95 % instead of 5 %",
        "All but the coldest pixels are marked: 1 - share of them instead of share.",
        _as_many_as(lambda heat, share: round((1 - share) * heat.numel())),
    ),
    Mistake(
        "hottest: a share of the rows",
        "As many pixels are marked as are a share of the number of rows. Take it of the number of pixels: "
        "heat.numel().",
        _as_many_as(lambda heat, share: max(1, round(share * heat.shape[0]))),
    ),
    Mistake(
        "hottest: of each row",
        "The hottest of every row are marked, in cold rows too. Compare all pixels of the picture: flatten the heat "
        "first.",
        _marking(_of_each_row),
    ),
    Mistake(
        "hottest: a share of the heat",
        "Pixels are marked until they hold a share of all heat together. A share of the number of pixels is asked for.",
        _marking(_of_the_sum),
    ),
    Mistake(
        "hottest: a threshold from unsorted heat",
        "The threshold is taken from heat that isn't sorted: any pixel's. Sort first.",
        _over(_unsorted),
    ),
    Mistake(
        "hottest: a quantile's threshold",
        "A quantile lies between pixels, so that on a small map one pixel more or fewer is marked. Count: take the "
        "round(share * number of pixels) hottest, at least one.",
        _over(lambda heat, share: torch.quantile(heat, 1 - share)),
    ),
    Mistake(
        "hottest: one too few",
        "The pixel at the threshold is left out: with > the threshold itself isn't marked.",
        _as_many_as(lambda heat, share: max(1, round(share * heat.numel())) - 1),
    ),
    Mistake(
        "hottest: one too many",
        "One pixel too many is marked. Counting begins at 0: the k-th largest has the number k - 1.",
        _as_many_as(lambda heat, share: max(1, round(share * heat.numel())) + 1),
    ),
    Mistake(
        "hottest: rounded down",
        "The number of pixels is cut off instead of rounded: int(13.6) is 13.",
        _as_many_as(lambda heat, share: max(1, int(share * heat.numel()))),
    ),
    Mistake(
        "hottest: rounded up",
        "The number of pixels is rounded up. Use round, and mark at least one.",
        _as_many_as(lambda heat, share: -(-share * heat.numel() // 1)),
    ),
    Mistake(
        "hottest: none where the map is small",
        "On a small map no pixel is marked, as round(0.3) is 0. At least one should be.",
        _as_many_as(lambda heat, share: round(share * heat.numel())),
    ),
    Mistake(
        "hottest: rounded down, perhaps to none",
        "The number of pixels is cut off instead of rounded, and on a small map it is 0. Mark at least one.",
        _as_many_as(lambda heat, share: int(share * heat.numel())),
    ),
    Mistake(
        "hottest: share not used",
        "It is always 5 % of the pixels, whatever share says.",
        _marking(lambda heat, share: _hottest_by_ranks(heat)),
    ),
    Mistake(
        "hottest: share taken for percent",
        "share is divided by 100 as if it were in percent: 0.05 means 5 % already.",
        _as_many_as(lambda heat, share: max(1, round(share / 100 * heat.numel()))),
    ),
    Mistake(
        "hottest: only the peak",
        "Only one pixel is marked, the hottest of all. A share of them is asked for.",
        _as_many_as(lambda heat, share: 1),
    ),
    Mistake(
        "hottest: numbers instead of bools",
        "The marks are the numbers 0 and 1. Bools are asked for, as comparisons give them: a mask to index with.",
        _marking(lambda heat, share: _hottest_by_ranks(heat, share).to(heat.dtype)),
    ),
    Mistake(
        "hottest: heat instead of bools",
        "The heat of the hottest pixels is returned, and 0 for the others. Marks are asked for: True or False.",
        _marking(lambda heat, share: heat * _hottest_by_ranks(heat, share)),
    ),
    Mistake(
        "hottest: positions instead of marks",
        "Rows and columns of the hottest pixels are returned. A mask (H, W) of True and False is asked for.",
        _marking(lambda heat, share: _hottest_by_ranks(heat, share).nonzero()),
    ),
    Mistake(
        "hottest: flat",
        "The marks are one long row, (H * W,). They should have the heat's shape.",
        _marking(lambda heat, share: _hottest_by_ranks(heat, share).flatten()),
    ),
    Mistake(
        "hottest: written into the heat",
        "hottest writes into the heat it is given. The caller still needs it: work on a copy.",
        _marking(_crossed_out),
    ),
    Mistake(
        "peak: column before row",
        "Column and row are in the wrong order: first the row, as in heat[row, column].",
        _pointing(lambda heat: _peak_by_ranks(heat)[::-1]),
    ),
    Mistake(
        "peak: one number",
        "argmax without a dimension counts all pixels, row after row, and gives one number. Which row and which column "
        "is that?",
        _pointing(lambda heat: int(heat.flatten().argmax())),
    ),
    Mistake(
        "peak: divided by the height",
        "The pixels' numbers run along the rows, and a row has as many as the *width*: divide by that.",
        _at(lambda number, heat: divmod(number, heat.shape[0])),
    ),
    Mistake(
        "peak: divided by the height, column before row",
        "The number of the pixel is divided by the height, and the remainder taken for the row. A row has as many "
        "pixels as the *width*: the quotient by it is the row, the remainder the column.",
        _at(lambda number, heat: divmod(number, heat.shape[0])[::-1]),
    ),
    Mistake(
        "peak: not rounded",
        "The row is a fraction: use whole-number division, //.",
        _at(lambda number, heat: (number / heat.shape[1], number % heat.shape[1])),
    ),
    Mistake(
        "peak: tensors instead of ints",
        "Row and column are tensors. Python's ints are asked for: int(...) or .item().",
        _pointing(lambda heat: tuple(torch.tensor(_peak_by_ranks(heat)))),
    ),
    Mistake(
        "peak: the coldest",
        "This is where the heat is least: argmin instead of argmax?",
        _pointing(lambda heat: _peak_by_ranks(-heat)),
    ),
    Mistake(
        "peak: counted from 1",
        "Rows and columns are counted from 1. heat[row, column] counts from 0.",
        _pointing(lambda heat: tuple(side + 1 for side in _peak_by_ranks(heat))),
    ),
    Mistake(
        "peak: the hottest row and the hottest column",
        "Row and column are those with most heat in all. The hottest pixel may lie elsewhere: look for the largest "
        "single value.",
        _pointing(lambda heat: (int(heat.sum(1).argmax()), int(heat.sum(0).argmax()))),
    ),
    Mistake(
        "peak: the middle of the heat",
        "This is the heat's centre of mass, where it needn't be hot at all. Look for the largest single value.",
        _pointing(_rounded_mean),
    ),
    Mistake(
        "peak: the search begins at 0",
        "The largest value so far starts at 0, so that none is found where all are negative. Start with a pixel's "
        "value, or with minus infinity.",
        _pointing(_from_zero),
    ),
)


# -- to look at ---------------------------------------------------------------------------------------------

_SIZE, _STRIDES = (128, 192), (4, 8, 16, 32)  # whole units, so that heat lies on what is hot
_BRIGHT, _DARK = 14.0, -4.0  # the head's weight, of brightness, and its bias
_ORANGE = torch.tensor([0.9, 0.55, 0.0])[:, None, None]


def _scene() -> Tensor:
    """(1, 3, 128, 192): a cat in white, on a dark ground."""
    scene = torch.full((1, 3, *_SIZE), 0.1)
    scene[..., 20:116, 64:160] += 0.9 * torch.from_numpy(doodles.draw("cat", seed=3, size=96)) / 255
    return scene


def _over_the_scene(heat: Tensor) -> Tensor:
    """(3, H, W): the scene, orange where it is hot."""
    if heat.shape != _SIZE:
        return heat.expand(3, *heat.shape)
    return _scene()[0] + 0.8 * heat.detach() * (_ORANGE - _scene()[0])


def _cat_heat(answer: Answer) -> Value:
    """Heat for the second of two classes: the trunk averages, and the head takes bright places for a cat."""
    trunk = answer.make("pyramid", [torch.eye(3)] * 4, _STRIDES)
    weight, bias = torch.tensor([[0.0] * 3, [_BRIGHT / 3] * 3]), torch.tensor([0.0, _DARK])
    heat = answer.call("heat_map", trunk, answer.make("pointwise", weight, bias), _scene())
    is_right = isinstance(heat, Tensor) and heat.ndim == 4 and heat.shape[:2] == (1, 2)
    return _over_the_scene(heat[0, 1]) if is_right else heat


def _true_cat_heat() -> Tensor:
    averages = F.avg_pool2d(_scene()[:, :1], 32)
    scores = F.interpolate(_BRIGHT * averages + _DARK, _SIZE, mode="bilinear")
    return torch.sigmoid(scores[0, 0])  # of two classes, one with score 0


def _small_cat_heat() -> Tensor:
    """(32, 48): an answer may look at each pixel in turn."""
    return _true_cat_heat()[::4, ::4].contiguous()


def _cat_marks(answer: Answer) -> Value:
    marks = answer.call("hottest", _small_cat_heat())
    return marks.long() if isinstance(marks, Tensor) and marks.dtype == torch.bool else marks


EXERCISE = Exercise(
    id="3.2",
    title="a heat map",
    defines=("heat_map", "hottest", "peak"),
    parts=(
        Part(
            "the probability of each class at each pixel",
            4,
            _heat,
            "Which map does the head get, to which size are its scores enlarged, and over which dimension do "
            "probabilities sum to 1?",
        ),
        Part("evaluation mode", 1, _mode, "Which layers behave otherwise while training?", manners=True),
        Part(
            "no gradients are recorded",
            1,
            _no_graph,
            "What does a forward pass record, and who needs it here?",
            manners=True,
        ),
        Part("the hottest pixels", 1, _hottest, "Print hottest(heat).sum() / heat.numel(), and its dtype."),
        Part("as many as asked for", 1, _few, "How many pixels are 5 % of 12? And of 6?"),
        Part("the peak", 2, _peak, "Is heat[peak(heat)] the same as heat.max()?"),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    demonstrations=(
        Demonstration(
            "heat over a drawing of a cat, orange where it is hot",
            _cat_heat,
            lambda found: _over_the_scene(_true_cat_heat()),
            channels=3,
        ),
        Demonstration(
            "the hottest 5 % of this heat",
            _cat_marks,
            lambda found: _hottest_by_ranks(_small_cat_heat()).long(),
        ),
    ),
)
