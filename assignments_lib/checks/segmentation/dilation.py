"""Exercise 3.6: strides become dilation with the same weights (Yu & Koltun 2016), and how far a unit sees.

What `dilate` must do is a property: with f = old stride / new stride of a map, every f-th unit of the new map is a
unit of the old one. The units in between are told apart by a private reference, and so are the mistakes: each sets
the stride, dilation or padding of some convolution otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from assignments_lib.checks.answer import Answer, Raised, Ref, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.trunk import Trunk

# -- dilate: what is looked at -------------------------------------------------------------------------------------

_STRIDES = (4, 8, 16, 32)
_ORDINALS = ("first", "second", "third", "last")


def _trunk(answer: Answer, draw: Draw, widths: Sequence[int], depths: Sequence[int]) -> Ref:
    """A small trunk, in float32 as the student's own, with weights that all matter."""
    trunk = answer.make("trunk", list(widths), list(depths))
    state = {}
    for entry in answer.describe(trunk):
        if entry.is_float and len(entry.shape) == 4:
            fan = entry.shape[1] * entry.shape[2] * entry.shape[3]
            state[entry.name] = (draw.normal(*entry.shape) * (2 / fan) ** 0.5).float()
        elif entry.is_float:
            state[entry.name] = (0.5 + draw.uniform(*entry.shape)).float()
    answer.load(trunk, state)
    return trunk


def _dilated(answer: Answer, trunk: Ref, *output_stride: int) -> Ref:
    """What `dilate` returns or, where that is no module, the trunk it was given: another part asks which."""
    returned = answer.call("dilate", trunk, *output_stride)
    return returned if isinstance(returned, Ref) else trunk


def _weights_stay(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> bool:
    return before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


_SIZES_DIFFER = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")


def _maps(answer: Answer, trunk: Ref, images: Tensor, output_stride: int) -> list[Tensor] | Value:
    """The trunk's maps; in words what it gives instead, or why the two paths of a block can't be added."""
    try:
        maps = answer.run(trunk, images).output
    except Raised as error:
        found = _SIZES_DIFFER.search(error.message)
        if found is None:
            raise
        main, shortcut = int(found[1]), int(found[2])
        if main > shortcut:
            return "it stops: a block's shortcut gives a smaller map than its two convolutions"
        if main == -(-images.shape[-1] // output_stride):
            return "it stops: a block's shortcut gives a larger map than it should"
        return "it stops: a block's two convolutions give a smaller map than its shortcut"
    if isinstance(maps, (list, tuple)) and len(maps) == 4 and all(isinstance(m, Tensor) for m in maps):
        return list(maps)
    return f"no list of four maps, but {in_words(maps)}"


def _sizes_in_words(maps: list[Tensor] | Value) -> str:
    return maps if isinstance(maps, str) else ", ".join("x".join(map(str, m.shape[-2:])) for m in maps)


def _picture(images: Tensor) -> str:
    return f"images of {images.shape[-2]}x{images.shape[-1]}"


def _images(draw: Draw) -> Iterator[Tensor]:
    """One picture and several, sides even and odd, with coarsest maps of a few units."""
    yield draw.normal(1, 3, 2 * draw.integer(33, 45), 2 * draw.integer(46, 56) + 1).float()
    yield draw.normal(2, 3, 2 * draw.integer(46, 52) + 1, 32 * draw.integer(2, 3)).float()


def _sizes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    trunk = _trunk(answer, draw, (6, 8, 10, 12), (2, 2, 3, 2))
    images = list(_images(draw))
    dilated = _dilated(answer, trunk)
    for picture in images:
        maps = _maps(answer, dilated, picture, 8)
        yield f"the sizes of the four maps after dilate(trunk), {_picture(picture)}", _sizes_in_words(maps)


def _every(step: int, ordinal: str) -> str:
    if step == 1:
        return f"the {ordinal} map"
    which = "2nd" if step == 2 else f"{step}th"
    return f"every {which} unit of the {ordinal} map, across and down, which should be the map of before"


def _units(answer: Answer, trunk: Ref, images: Tensor, output_stride: int) -> Iterator[Observation]:
    """Each map at the places that it had before, then all of its units."""
    maps = _maps(answer, trunk, images, output_stride)
    yield f"the sizes of the four maps, {_picture(images)}", _sizes_in_words(maps)
    if isinstance(maps, str):
        return
    for ordinal, stride, found in zip(_ORDINALS, _STRIDES, maps, strict=True):
        step = max(1, stride // output_stride)
        yield f"{_every(step, ordinal)}, {_picture(images)}", found[..., ::step, ::step].contiguous()
        if step > 1:
            yield f"the units in between, {ordinal} map, {_picture(images)}", found


def _values(answer: Answer, draw: Draw) -> Iterator[Observation]:
    trunk = _trunk(answer, draw, (6, 8, 10, 12), (2, 2, 3, 2))
    images = list(_images(draw))
    before = answer.state(trunk)
    dilated = _dilated(answer, trunk, 8)
    yield "whether the weights are those of before", _weights_stay(before, answer.state(dilated))
    yield from each(images, lambda picture: _units(answer, dilated, picture, 8))


def _others(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[int, tuple[int, ...]]) -> Iterator[Observation]:
        output_stride, depths = case
        widths = [draw.integer(3, 6) + 3 * k for k in range(4)]
        trunk = _trunk(answer, draw, widths, depths)
        images = next(_images(draw))
        before = answer.state(trunk)
        dilated = _dilated(answer, trunk, output_stride)
        of = f"output_stride={output_stride}, stages of {', '.join(map(str, depths))} blocks"
        yield f"{of}: whether the weights stay", _weights_stay(before, answer.state(dilated))
        for what, seen in _units(answer, dilated, images, output_stride):
            yield f"{of}: {what}", seen

    cases = ((16, (2, 1, 2, 3)), (32, (1, 2, 1, 2)), (8, (1, 1, 1, 1)), (16, (1, 1, 1, 1)), (8, (3, 4, 6, 3)))
    yield from each(cases, observe)


def _returned(answer: Answer, trunk: Ref, output_stride: int) -> str:
    returned = answer.call("dilate", trunk, output_stride)
    if returned == trunk:
        return "the trunk itself"
    return "another module" if isinstance(returned, Ref) else in_words(returned)


def _listed(strides: Value) -> str:
    numbers = strides.tolist() if isinstance(strides, Tensor) else strides
    return in_words(list(numbers) if isinstance(numbers, (list, tuple)) else numbers)


def _in_place(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(output_stride: int) -> Iterator[Observation]:
        trunk = _trunk(answer, draw, (3, 4, 5, 6), (1, 2, 2, 2))
        entries, before = answer.describe(trunk), answer.state(trunk)
        of = f"after dilate(trunk, {output_stride})"
        yield f"what dilate(trunk, {output_stride}) returns", _returned(answer, trunk, output_stride)
        yield f"trunk.strides {of}", _listed(answer.attribute(trunk, "strides"))
        now = {entry.name: entry for entry in answer.describe(trunk)}
        yield f"names in the state dict that are new or gone {of}", sorted(now.keys() ^ before.keys())
        yield f"whether the weights are those of before {of}", _weights_stay(before, answer.state(trunk))
        same = [now[entry.name] == entry for entry in entries if entry.name in now]
        yield f"whether the same parameters learn {of}", all(same)

    yield from each((8, 16, 32), observe)


# -- field_by_gradient: what is looked at --------------------------------------------------------------------------


def _network(answer: Answer, layers: Sequence[Sequence[Any]], weights: Mapping[str, Tensor]) -> Ref:
    """A probe network in training mode, as every new one; parameters that aren't named start as PyTorch's do."""
    network = answer.make("model", [list(layer) for layer in layers])
    answer.load(network, {name: value.float() for name, value in weights.items()})
    return network


def _positive(draw: Draw, *shape: int) -> Tensor:
    return 0.5 + draw.uniform(*shape)


def _convolution(
    channels: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
) -> list[Any]:
    """A layer that pads by half of its (dilated) kernel."""
    padding = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    return ["Conv2d", *channels, kernel, stride, padding, dilation]


def _summing(answer: Answer, draw: Draw, *layers: list[Any]) -> Ref:
    """Convolutions with positive weights: no two paths to a pixel cancel."""
    weights = {
        f"{number}.weight": _positive(draw, layer[2], layer[1], *layer[3])
        for number, layer in enumerate(layers)
    }
    return _network(answer, layers, weights)


def _extent_seen(answer: Answer, network: Ref, height: int, width: int) -> Value:
    """Height x width, from whatever pair of numbers came back."""
    given = answer.call("field_by_gradient", network, height, width)
    numbers = given.tolist() if isinstance(given, Tensor) else given
    if not isinstance(numbers, (list, tuple)) or len(numbers) != 2:
        return given
    sides = [side.item() if isinstance(side, Tensor) and side.numel() == 1 else side for side in numbers]
    if not all(isinstance(side, (int, float)) for side in sides):
        return given
    return " x ".join(f"{side:g}" for side in sides)


# What the network is, and how to make it and the height and width of its picture.
_Probe = tuple[str, Callable[[Answer, Draw], tuple[Ref, int, int]]]


def _probed(probes: Sequence[_Probe], answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(probe: _Probe) -> Iterator[Observation]:
        what, make = probe
        network, height, width = make(answer, draw)
        what = f"the field (height x width) in a picture of {height}x{width}, {what}"
        yield what, _extent_seen(answer, network, height, width)

    yield from each(probes, observe)


def _two_convolutions(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    k, more = draw.integer(1, 2), draw.integer(2, 5)
    tall, wide = (2 * k + 1, 2 * k + 3), (3, 5)
    network = _summing(answer, draw, _convolution((3, 4), tall), _convolution((4, 5), wide))
    return network, 2 * k + 9 + more, 2 * k + 17 + more


def _one_dilated(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    """With holes: nothing after it fills them."""
    dilation = draw.integer(2, 3), draw.integer(4, 5)
    dilated = _convolution((3, 4), (3, 3), dilation=dilation)
    network = _summing(answer, draw, dilated, _convolution((4, 3), (1, 1)))
    return network, 2 * dilation[0] + draw.integer(5, 9), 2 * dilation[1] + draw.integer(5, 9)


def _strided(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    rate = draw.integer(1, 2)
    network = _summing(
        answer,
        draw,
        _convolution((3, 4), (5, 3), stride=(2, 2)),
        _convolution((4, 4), (3, 3), stride=(2, 1), dilation=(rate, 3 - rate)),
        _convolution((4, 3), (3, 3)),
    )
    return network, 41 + draw.integer(0, 6), 29 + draw.integer(0, 6)


def _extents(answer: Answer, draw: Draw) -> Iterator[Observation]:
    probes: Sequence[_Probe] = (
        ("two convolutions", _two_convolutions),
        ("a dilated convolution", _one_dilated),
        ("three convolutions, two of them with a stride", _strided),
    )
    yield from _probed(probes, answer, draw)


def _colour_blind(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    """Red has no influence."""
    weight = _positive(draw, 4, 3, 3, 5)
    weight[:, 0] = 0
    return _network(answer, [_convolution((3, 4), (3, 5))], {"0.weight": weight}), 8, 11


def _first_dead(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    weight = _positive(draw, 3, 3, 5, 3)
    weight[0] = 0
    return _network(answer, [_convolution((3, 3), (5, 3))], {"0.weight": weight}), 12, 9


def _darkening(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    weight = -_positive(draw, 2, 3, 3, 5)
    return _network(answer, [_convolution((3, 2), (3, 5))], {"0.weight": weight}), 9, 10


def _opponent(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    """Red against green, as a hue detector: what one adds the other takes away."""
    weight = torch.zeros(2, 3, 5, 3)
    weight[:, 0] = _positive(draw, 2, 5, 3)
    weight[:, 1] = -weight[:, 0]
    return _network(answer, [_convolution((3, 2), (5, 3))], {"0.weight": weight}), 11, 8


def _faint_rim(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    """As in a deep network, where only few paths lead to the rim of the field."""
    weight = 1e-9 * _positive(draw, 2, 3, 5, 7)
    weight[:, :, 2, 3] = 1
    return _network(answer, [_convolution((3, 2), (5, 7))], {"0.weight": weight}), 10, 12


def _rectified(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    """Each kernel beside its negative: of any picture one of the two passes the ReLU, of a constant one neither."""
    kernel = draw.integers(1, 9, 1, 3, 3, 3) * (2 * draw.integers(0, 1, 1, 3, 3, 3) - 1)
    kernel[0, 0, 1, 1] -= kernel.sum()
    weights = {"0.weight": torch.cat([kernel, -kernel]), "0.bias": torch.zeros(2)}
    weights["2.weight"] = _positive(draw, 2, 2, 3, 5)
    layers = [_convolution((3, 2), (3, 3)), ["ReLU"], _convolution((2, 2), (3, 5))]
    return _network(answer, layers, weights), 10, 13


def _cut_off(answer: Answer, draw: Draw) -> tuple[Ref, int, int]:
    """The map has 4x3 units, and the field of the centre one, 7x7 pixels, reaches over the left border only."""
    convolutions = _convolution((3, 4), (3, 3), stride=(2, 2)), _convolution((4, 2), (3, 3))
    return _summing(answer, draw, *convolutions), 8, 6


def _exacting(answer: Answer, draw: Draw) -> Iterator[Observation]:
    probes: Sequence[_Probe] = (
        ("a convolution that doesn't look at red", _colour_blind),
        ("a convolution whose channel 0 is always 0", _first_dead),
        ("a convolution with negative weights", _darkening),
        ("a convolution that weighs red against green", _opponent),
        ("a convolution with tiny weights around its centre", _faint_rim),
        ("a ReLU between two convolutions", _rectified),
        ("two convolutions, seeing beyond the border", _cut_off),
    )
    yield from _probed(probes, answer, draw)
    blind = _network(answer, [_convolution((3, 2), (3, 3))], {"0.weight": torch.zeros(2, 3, 3, 3)})
    yield "the field where all weights are 0, so that no pixel counts", _of_nothing(answer, blind)


def _of_nothing(answer: Answer, network: Ref) -> Value:
    """The empty set has no first element, and every library says so in another way."""
    try:
        return _extent_seen(answer, network, 7, 8)
    except Raised as error:
        if error.type_name not in ("IndexError", "RuntimeError", "ValueError", "TypeError"):
            raise
        return "it stops"


def _bystander(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """BatchNorm doesn't come last: PyTorch 2.15 sends a permuted gradient to the wrong places there (eval, CPU)."""
    layers = [
        _convolution((3, 4), (3, 5)),
        ["BatchNorm2d", 4],
        ["ReLU"],
        _convolution((4, 3), (3, 3)),
    ]
    weights = {
        "0.weight": _positive(draw, 4, 3, 3, 5),
        "1.weight": _positive(draw, 4),
        "1.bias": torch.full((4,), 1000.0),  # so that the ReLU lets everything pass
        "1.running_mean": draw.normal(4),
        "1.running_var": _positive(draw, 4),
        "3.weight": _positive(draw, 3, 4, 3, 3),
    }
    network = _network(answer, layers, weights)
    entries, before = answer.describe(network), answer.state(network)
    height, width = draw.integer(9, 12), draw.integer(13, 16)
    seen = _extent_seen(answer, network, height, width)
    yield f"the field (height x width) in a picture of {height}x{width}, convolutions and BatchNorm", seen
    yield "whether weights and BatchNorm's statistics stay", _weights_stay(before, answer.state(network))
    parameters = [entry.name for entry in entries if entry.is_parameter]
    left = [name for name in parameters if answer.attribute(network, f"{name}.grad") is not None]
    yield "parameters of the network that have a gradient afterwards", left
    yield "whether the same parameters learn afterwards", answer.describe(network) == entries


# -- dilate: the reference, and what is done otherwise -------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """One convolution of the trunk, and how much finer the maps are now in front of its stage and behind it."""

    stage: int
    block: int
    name: str  # conv1, conv2, projection
    before: int
    after: int

    @property
    def enters(self) -> bool:
        """It sees the map of the stage before."""
        return self.block == 0 and self.name == "conv1"


@dataclass(frozen=True)
class _Setting:
    stride: int | None
    rate: int
    padding: int


_Set = Callable[[_Place], _Setting | None]


def _at(place: _Place, rate: int) -> _Setting:
    return _Setting(1, rate, 0 if place.name == "projection" else rate)


def _right(place: _Place) -> _Setting | None:
    """None: left as it is."""
    if place.after == 1:
        return None
    return _at(place, place.before if place.enters else place.after)


def _convolutions(trunk: Trunk) -> Iterator[tuple[int, int, str, nn.Conv2d]]:
    """Numbers of stage and block, name, and the convolution."""
    for k, stage in enumerate(trunk.stages):
        for number, block in enumerate(cast(Iterable[BasicBlock], stage)):
            yield k, number, "conv1", block.conv1
            yield k, number, "conv2", block.conv2
            if block.downsample is not None:
                yield k, number, "projection", cast(nn.Conv2d, block.downsample[0])


def _set_all(trunk: Trunk, output_stride: int, setting: _Set) -> Trunk:
    strides = tuple(min(stride, output_stride) for stride in trunk.strides)
    finer = [old // new for old, new in zip(trunk.strides, strides, strict=True)]
    for k, number, name, convolution in _convolutions(trunk):
        found = setting(_Place(k, number, name, finer[max(0, k - 1)], finer[k]))
        if found is not None:
            convolution.stride = convolution.stride if found.stride is None else (found.stride,) * 2
            convolution.dilation = (found.rate,) * 2
            convolution.padding = (found.padding,) * 2
    trunk.strides = strides
    return trunk


def _dilate(trunk: Trunk, output_stride: int = 8) -> Trunk:
    return _set_all(trunk, output_stride, _right)


# -- field_by_gradient: the reference ------------------------------------------------------------------------------


def _unit(features: Tensor) -> Tensor:
    """The centre unit: one number for each channel."""
    return features[0, :, features.shape[2] // 2, features.shape[3] // 2]


def _gradient(
    network: nn.Module,
    height: int,
    width: int,
    *,
    unit: Callable[[Tensor], Tensor] = _unit,
    image: Callable[[int, int], Tensor] = lambda height, width: torch.rand(1, 3, height, width),
    mode: bool = False,
) -> Tensor:
    """Of the unit, by the picture's pixels: (3, height, width)."""
    network.train(mode)
    pixels = image(height, width).requires_grad_()
    with torch.enable_grad():
        (found,) = torch.autograd.grad(unit(network(pixels)).sum(), pixels)
    return found[0]


def _span(counts: Tensor) -> int:
    places = counts.nonzero().flatten().tolist()
    return places[-1] - places[0] + 1 if places else 0


def _extent(matters: Tensor) -> tuple[int, int]:
    """The rectangle around the True pixels of (height, width)."""
    return _span(matters.any(1)), _span(matters.any(0))


def _field(network: nn.Module, height: int, width: int, **otherwise: Any) -> tuple[int, int]:
    return _extent((_gradient(network, height, width, **otherwise) != 0).any(0))


def _reference() -> Namespace:
    return {"dilate": _dilate, "field_by_gradient": _field}


# -- typical mistakes ----------------------------------------------------------------------------------------------


def _setting(setting: _Set) -> Namespace:
    """Some convolutions are set otherwise."""
    return {
        **_reference(),
        "dilate": lambda trunk, output_stride=8: _set_all(trunk, output_stride, setting),
    }


def _where(condition: Callable[[_Place], bool], change: Callable[[_Place], _Setting]) -> Namespace:
    """Right but for the convolutions of changed stages for which the condition holds."""

    def setting(place: _Place) -> _Setting | None:
        return change(place) if place.after > 1 and condition(place) else _right(place)

    return _setting(setting)


def _dilating(dilate: Callable[..., Any]) -> Namespace:
    return {**_reference(), "dilate": dilate}


def _stride_left(place: _Place) -> _Setting | None:
    found = _right(place)
    return found and replace(found, stride=None)


def _rates_from(change: Callable[[_Place], _Place]) -> Namespace:
    """Right for other numbers before and after."""
    return _setting(lambda place: _right(change(place)))


def _last_only(trunk: Trunk, output_stride: int = 8) -> Trunk:
    return _dilate(trunk, 16 if output_stride < 32 else 32)


def _one_stage_more(trunk: Trunk, output_stride: int = 8) -> Trunk:
    return _dilate(trunk, output_stride // 2)


def _with_pooling_off(trunk: Trunk, output_stride: int = 8) -> Trunk:
    trunk.stem[3].stride = 1  # type: ignore[index]
    return _dilate(trunk, output_stride)


def _forgetful(trunk: Trunk, output_stride: int = 8) -> Trunk:
    """New convolutions with the right settings."""
    _dilate(trunk, output_stride)
    for _, _, name, convolution in _convolutions(trunk):
        if name != "projection" and convolution.dilation != (1, 1):
            convolution.reset_parameters()
    return trunk


def _strides_forgotten(trunk: Trunk, output_stride: int = 8) -> Trunk:
    before = trunk.strides
    _dilate(trunk, output_stride).strides = before
    return trunk


def _nothing_returned(trunk: Trunk, output_stride: int = 8) -> None:
    _dilate(trunk, output_stride)


def _as_deep_as_resnet34(trunk: Trunk, output_stride: int = 8) -> Trunk:
    for k in (2, 3):
        for number in range((3, 4, 6, 3)[k]):
            _ = trunk.stages[k][number]  # type: ignore[index]
    return _dilate(trunk, output_stride)


def _field_otherwise(**otherwise: Any) -> Namespace:
    return {**_reference(), "field_by_gradient": lambda *given: _field(*given, **otherwise)}


def _judging(judge: Callable[[Tensor], tuple[float, float]]) -> Namespace:
    """The right gradient (3, height, width), and something else made of it."""
    return {**_reference(), "field_by_gradient": lambda *given: judge(_gradient(*given))}


def _backward(network: nn.Module, height: int, width: int) -> tuple[int, int]:
    network.eval()
    pixels = torch.rand(1, 3, height, width, requires_grad=True)
    _unit(network(pixels)).sum().backward()
    assert pixels.grad is not None
    return _extent((pixels.grad[0] != 0).any(0))


def _freezing(network: nn.Module, height: int, width: int) -> tuple[int, int]:
    return _field(network.requires_grad_(False), height, width)


def _by_formula(network: nn.Module, height: int, width: int) -> tuple[int, int]:
    """1 + the sum of (k - 1) * d * product of the strides before."""
    sides, jumps = [1, 1], [1, 1]
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            for axis in (0, 1):
                sides[axis] += (layer.kernel_size[axis] - 1) * layer.dilation[axis] * jumps[axis]
                jumps[axis] *= layer.stride[axis]
    return sides[0], sides[1]


def _strict(gradient: Tensor) -> tuple[int, int]:
    """Fails where there is no pixel."""
    rows, columns = (gradient != 0).any(0).nonzero(as_tuple=True)
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


def _last_minus_first(gradient: Tensor) -> tuple[int, int]:
    height, width = _extent((gradient != 0).any(0))
    return max(0, height - 1), max(0, width - 1)


def _counted(gradient: Tensor) -> tuple[int, int]:
    matters = (gradient != 0).any(0)
    return int(matters.any(1).sum()), int(matters.any(0).sum())


def _root_of_count(gradient: Tensor) -> tuple[int, int]:
    side = int(float((gradient != 0).any(0).sum()) ** 0.5)
    return side, side


_DILATE_MISTAKES = (
    Mistake(
        "padding left at 1",
        "A 3x3 kernel with dilation d reaches d units to each side, but the padding is still 1, so that maps shrink. "
        "Padding grows with the dilation.",
        _where(lambda p: p.name != "projection", lambda p: _Setting(1, p.before if p.enters else p.after, 1)),
    ),
    Mistake(
        "stride left",
        "Convolutions are dilated, but still take every second unit only: the maps are as small as before. A stage "
        "that is dilated gives up its stride.",
        _setting(_stride_left),
    ),
    Mistake(
        "no dilation",
        "The strides are gone, but the kernels still look at direct neighbours, which are now closer together: they "
        "see another picture than the one they learned on. Dilate them.",
        _where(lambda p: True, lambda p: _Setting(1, 1, int(p.name != "projection"))),
    ),
    Mistake(
        "first block left at the old rate",
        "The first block of a stage keeps the stage before's dilation in both convolutions. Only its first one sees "
        "the map of before; behind the stride that was there, units are twice as close.",
        _where(lambda p: p.block == 0, lambda p: _at(p, p.before)),
    ),
    Mistake(
        "first block dilated throughout",
        "The first convolution of a stage sees the map of the stage before, in front of the stride: it needs that "
        "stage's dilation, not the doubled one.",
        _where(lambda p: p.enters, lambda p: _at(p, p.after)),
    ),
    Mistake(
        "second convolutions not dilated",
        "Only the first convolution of each block is dilated. All of a stage's 3x3 convolutions behind the stride that "
        "is gone need it.",
        _where(lambda p: p.name == "conv2", lambda p: _at(p, 1)),
    ),
    Mistake(
        "first blocks only",
        "Only the first block of a stage is dilated. The ones after it see the finer map just as much.",
        _where(lambda p: p.block > 0, lambda p: _at(p, 1)),
    ),
    Mistake(
        "projection's stride left",
        "The 1x1 projection on the shortcut has a stride too, and still has it: the two paths of the block don't fit "
        "together any more.",
        _where(lambda p: p.name == "projection", lambda p: _Setting(None, 1, 0)),
    ),
    Mistake(
        "projection padded",
        "The 1x1 projection gets padding as well, and so its map grows: it needs none, whatever its dilation.",
        _where(lambda p: p.name == "projection", lambda p: _Setting(1, p.after, p.after)),
    ),
    Mistake(
        "not doubled again",
        "Every dilated stage gets dilation 2. Strides multiply: after two strides that are gone, units are four times "
        "as close.",
        _rates_from(lambda p: replace(p, before=min(p.before, 2), after=min(p.after, 2))),
    ),
    Mistake(
        "doubled too early",
        "All dilations are twice what they should be: start from 1, and double it behind each stride that is gone.",
        _where(lambda p: p.name != "projection", lambda p: _at(p, 2 * (p.before if p.enters else p.after))),
    ),
    Mistake(
        "last stage only",
        "Only the last stage gives up its stride, so that the output stride is 16. For 8 the third one has to as well.",
        _dilating(_last_only),
    ),
    Mistake(
        "one stage too many",
        "A stage whose stride is exactly output_stride is dilated too. Only strides beyond it become dilation: > and "
        "not >=.",
        _dilating(_one_stage_more),
    ),
    Mistake(
        "pooling taken out",
        "The stem's max pooling loses its stride too: all maps come out twice as large. Only stages beyond "
        "output_stride change.",
        _dilating(_with_pooling_off),
    ),
    Mistake(
        "output_stride ignored",
        "The output stride is always 8, whatever output_stride says. Compare it with trunk.strides, stage by stage.",
        _dilating(lambda trunk, output_stride=8: _dilate(trunk, 8)),
    ),
    Mistake(
        "dilation fixed for each stage",
        "The last stage gets dilation 4 even where only its own stride is gone (output_stride 16). Dilation is old "
        "stride / new stride.",
        _rates_from(lambda p: replace(p, before=2, after=4) if p.stage == 3 and p.after > 1 else p),
    ),
    Mistake(
        "weights drawn anew",
        "New convolutions were made, with new random weights. What was learned is lost: change the settings of the "
        "ones that are there.",
        _dilating(_forgetful),
    ),
    Mistake(
        "ResNet34's numbers of blocks",
        "The numbers of blocks of ResNet34 are written into the code. Go through the blocks of each stage, however "
        "many there are.",
        _dilating(_as_deep_as_resnet34),
    ),
    Mistake(
        "a copy",
        "A copy is dilated, and the trunk itself stays as it was. The exercise asks for a change in place.",
        _dilating(lambda trunk, output_stride=8: _dilate(deepcopy(trunk), output_stride)),
    ),
    Mistake(
        "strides not updated",
        "trunk.strides still tells the old strides: whoever enlarges the maps to the picture's size goes by them.",
        _dilating(_strides_forgotten),
    ),
    Mistake(
        "nothing returned",
        "The trunk is dilated, but dilate returns None: a return is missing at its end.",
        _dilating(_nothing_returned),
    ),
)

_FIELD_MISTAKES = (
    Mistake(
        "gradient of the whole map",
        "The gradient is that of all units together, and together they see the whole picture. Go backward from the "
        "centre unit alone.",
        _field_otherwise(unit=lambda features: features),
    ),
    Mistake(
        "the corner unit",
        "The unit in the corner is measured: the border cuts its field off. The centre unit is at (h // 2, w // 2).",
        _field_otherwise(unit=lambda features: features[0, :, 0, 0]),
    ),
    Mistake(
        "the picture's centre",
        "The unit is looked up at half of the picture's height and width. The map is smaller: take half of the map's.",
        {
            **_reference(),
            "field_by_gradient": lambda network, height, width: _field(
                network, height, width, unit=lambda features: features[0, :, height // 2, width // 2]
            ),
        },
    ),
    Mistake(
        "one unit before the centre",
        "In a map of even size your centre is one unit too early: the exercise takes (h // 2, w // 2).",
        _field_otherwise(
            unit=lambda features: features[0, :, (features.shape[2] - 1) // 2, (features.shape[3] - 1) // 2]
        ),
    ),
    Mistake(
        "last minus first",
        "Both sides are one too small: from pixel 3 to pixel 7 there are five pixels, not four.",
        _judging(_last_minus_first),
    ),
    Mistake(
        "height and width swapped",
        "Width comes first in what you return; or rows are taken for columns. Height first, as in a tensor's shape.",
        _judging(lambda gradient: _extent((gradient != 0).any(0).T)),
    ),
    Mistake(
        "rows and columns counted",
        "Rows and columns with a gradient are counted. A dilated kernel has holes: what is asked for is the extent, "
        "from the first to the last.",
        _judging(_counted),
    ),
    Mistake(
        "root of the number of pixels",
        "The side comes from the number of pixels that count. Fields aren't square, and dilated ones have holes: take "
        "first and last row, first and last column.",
        _judging(_root_of_count),
    ),
    Mistake(
        "red only",
        "Only the gradient of the picture's channel 0 is looked at. A pixel counts if any of its colours does.",
        _judging(lambda gradient: _extent(gradient[0] != 0)),
    ),
    Mistake(
        "one channel of the map",
        "Only channel 0 of the unit is measured. It may always be 0, or see less than others: all channels count.",
        _field_otherwise(unit=lambda features: _unit(features)[:1]),
    ),
    Mistake(
        "positive gradients only",
        "Pixels with a negative gradient are left out. They matter just as much: ask whether it differs from 0.",
        _judging(lambda gradient: _extent((gradient > 0).any(0))),
    ),
    Mistake(
        "colours cancel",
        "Gradients of the three colours are added up, and may cancel. Take absolute values first.",
        _judging(lambda gradient: _extent(gradient.sum(0) != 0)),
    ),
    Mistake(
        "sum above 0",
        "Gradients of the three colours are added up, where they may cancel, and negative sums left out. Take absolute "
        "values first.",
        _judging(lambda gradient: _extent(gradient.sum(0) > 0)),
    ),
    Mistake(
        "threshold",
        "Small gradients are treated as 0. At the rim of a field they are tiny, as few paths lead there: only a "
        "gradient of exactly 0 means no influence.",
        _judging(lambda gradient: _extent((gradient.abs() > 1e-5).any(0))),
    ),
    Mistake(
        "a constant picture",
        "For a picture of zeros, or of ones, a ReLU may give 0 at every place and pass no gradient, though it does for "
        "other pictures. Take random pixels.",
        _field_otherwise(image=lambda height, width: torch.zeros(1, 3, height, width)),
    ),
    Mistake(
        "computed, not measured",
        "The size comes from kernels, strides and dilations, not from a gradient: borders, and weights that are 0, "
        "make the measured field smaller.",
        {**_reference(), "field_by_gradient": _by_formula},
    ),
    Mistake(
        "stops where no pixel counts",
        "Where all gradients are 0 there is no first pixel, and looking for it fails: ask first whether there is any.",
        _judging(_strict),
    ),
    Mistake(
        "training mode",
        "In training mode BatchNorm's statistics depend on every pixel, and they change. Measure in evaluation mode.",
        _field_otherwise(mode=True),
    ),
    Mistake(
        "gradients left in the parameters",
        "backward() puts gradients into all parameters, and the next optimiser step would take them. "
        "torch.autograd.grad gives that of the picture alone.",
        {**_reference(), "field_by_gradient": _backward},
    ),
    Mistake(
        "parameters frozen",
        "The parameters don't learn any more after the measurement: requires_grad was switched off, and not on again.",
        {**_reference(), "field_by_gradient": _freezing},
    ),
)


EXERCISE = Exercise(
    id="3.6",
    title="dilation, and what a unit sees",
    defines=("dilate", "field_by_gradient"),
    parts=(
        Part(
            "finer maps",
            1,
            _sizes,
            "A stage's stride is in two places of its first block. What does padding have to be under dilation?",
        ),
        Part(
            "the same values at the old places",
            3,
            _values,
            "How far apart are a kernel's weights, in pixels of the picture, before and after? Which convolution of a "
            "stage still sees the map of the stage before?",
        ),
        Part(
            "any output stride, any trunk",
            2,
            _others,
            "For which stages is the old stride larger than output_stride, and by which factor?",
        ),
        Part(
            "the trunk itself, changed in place",
            2,
            _in_place,
            "What does dilate return, and what do trunk.strides and trunk.state_dict() say afterwards?",
        ),
        Part(
            "how far the centre unit sees",
            2,
            _extents,
            "Show the gradient as a picture: which rows and columns does it begin and end with?",
        ),
        Part(
            "every pixel that counts, and no other",
            1,
            _exacting,
            "Which gradients are there, for all colours and all channels of the unit? Which are exactly 0?",
        ),
        Part(
            "the network stays as it was",
            1,
            _bystander,
            "In which mode is the network, and where does the backward pass leave gradients?",
        ),
    ),
    reference=_reference,
    mistakes=_DILATE_MISTAKES + _FIELD_MISTAKES,
    not_covered="a trunk that is dilated twice, and how much longer a dilated one takes.",
)
