"""Exercise 3.5: `segmentation_loss`, `FCN` (Long et al. 2015, section 4.2) and `segment`.

The network is looked at through a trunk that only averages squares and mixes channels. Right answers enlarge in several
ways, which differ at the border and where sizes are odd; so exact values are compared where all of them agree: the
middle of constant pictures and of ramps, and a bright square that only the finest map sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.checks.answer import Answer, Raised, Ref, Value
from assignments_lib.checks.compare import agree, in_words
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.fill import role, values
from assignments_lib.datasets import doodles
from assignments_lib.trunk import Trunk

_SKIPS = (0, 1, 2)
_RESNET_STRIDES = (4, 8, 16, 32)


# -- the loss -----------------------------------------------------------------------------------------------

_LOSS_SHAPES = ((2, 5, 6, 4), (3, 3, 4, 3), (1, 4, 5, 7), (2, 2, 1, 8))  # (N, C, H, W)


def _logits_and_masks(draw: Draw, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The first picture has fewer pixels that count than the others, and the largest losses."""
    pictures, classes, height, width = shape
    logits = 2 * draw.normal(*shape)
    logits[0] *= 3
    masks = draw.integers(0, classes - 1, pictures, height, width)
    ignored = draw.uniform(pictures, height, width) < 0.2
    ignored[0, :, : width // 2] = True
    masks[0, -1, -1], ignored[0, -1, -1] = 0, False  # something always counts, some of it of class 0
    return logits, masks.masked_fill(ignored, 255)


def _mean_loss(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def of(shape: tuple[int, ...]) -> Iterator[Observation]:
        logits, masks = _logits_and_masks(draw, shape)
        what = f"the loss of logits {shape}, some pixels of the masks 255"
        yield what, answer.call("segmentation_loss", logits, masks)

    yield from each(_LOSS_SHAPES, of)
    whole = draw.integers(0, 4, 2, 6, 4)
    logits = draw.normal(2, 5, 6, 4, dtype=torch.float32)
    yield "the loss where every pixel counts, float32", answer.call("segmentation_loss", logits, whole)


def _gradient(answer: Answer, logits: Tensor, masks: Tensor) -> Value:
    """With respect to the logits."""
    function = answer.make("applied", "segmentation_loss", [masks])
    return answer.run(function, logits, grad_output=torch.ones((), dtype=logits.dtype)).grad_input


def _well_behaved(answer: Answer, draw: Draw) -> Iterator[Observation]:
    logits, masks = _logits_and_masks(draw, (2, 5, 6, 4))
    yield "the loss is attached to its graph", _attached(answer, logits, masks)
    yield "the loss's gradient with respect to the logits", _gradient(answer, logits, masks)
    sure = 1000 * draw.normal(2, 5, 6, 4)
    loss = answer.call("segmentation_loss", sure, masks)
    yield (
        "the loss of logits in the thousands is finite",
        isinstance(loss, Tensor) and bool(loss.isfinite().all()),
    )
    yield "the loss of logits in the thousands", loss
    yield "the loss changes the tensors it is given", answer.writes("segmentation_loss", logits, masks)


def _attached(answer: Answer, logits: Tensor, masks: Tensor) -> bool:
    loss = answer.call("segmentation_loss", logits.clone().requires_grad_(), masks)
    return isinstance(loss, Tensor) and loss.requires_grad


def _nothing_counts(answer: Answer, draw: Draw) -> Iterator[Observation]:
    logits, masks = draw.normal(2, 5, 6, 4), torch.full((2, 6, 4), 255)
    yield "the loss where every pixel is 255", answer.call("segmentation_loss", logits, masks)
    yield "the loss where every pixel is 255 is attached to its graph", _attached(answer, logits, masks)
    yield "its gradient with respect to the logits", _gradient(answer, logits, masks)


def _segmentation_loss(logits: Tensor, masks: Tensor) -> Tensor:
    each_pixel = F.cross_entropy(logits, masks, ignore_index=255, reduction="none")
    return each_pixel.sum() / max(int((masks != 255).sum()), 1)


# -- the network --------------------------------------------------------------------------------------------

_Fill = Callable[[tuple[int, ...]], Tensor]


def _identity(shape: tuple[int, ...]) -> Tensor:
    """Weights that hand the first channels on as they are; biases of 0."""
    weights = torch.zeros(shape, dtype=torch.float64)
    if len(shape) == 2:
        return nn.init.eye_(weights)
    return nn.init.dirac_(weights) if len(shape) == 4 else weights


def _drawn(draw: Draw) -> _Fill:
    return lambda shape: values(shape, draw.seed)


def _channels(draw: Draw) -> list[int]:
    """Of a trunk's four maps: all different, in any order, none of them a number of classes."""
    return (draw.uniform(7).argsort()[:4] + 6).tolist()


def _trunk(answer: Answer, channels: Sequence[int], strides: Sequence[int]) -> Ref:
    shapes = zip(channels, (3, *channels), strict=False)
    return answer.make("pyramid", [_identity(shape).float() for shape in shapes], list(strides))


def _called(classes: int, skips: int) -> str:
    return f"FCN(trunk, {classes}, skips={skips})"


def _built(answer: Answer, trunk: Ref, classes: int, skips: int) -> Ref:
    made = answer.call("FCN", trunk, classes, skips)
    if isinstance(made, Ref):
        return made
    wanted = "where a module (nn.Module) was expected"
    raise Raised("TypeError", f"{_called(classes, skips)} gave {in_words(made)}, {wanted}")


def _loaded(answer: Answer, trunk: Ref, classes: int, skips: int, fill: _Fill) -> Ref:
    """A network in float64 whose layers, the trunk's too, have values that their shapes decide.

    What enlarges starts bilinear, and is left as it starts.
    """
    network = _built(answer, trunk, classes, skips)
    for module in (trunk, network):
        shapes = {entry.name: entry.shape for entry in answer.describe(module) if entry.is_float}
        answer.load(
            module, {name: fill(shape) for name, shape in _without_enlarging(shapes, classes).items()}
        )
    return network


def _without_enlarging(shapes: Mapping[str, tuple[int, ...]], classes: int) -> dict[str, tuple[int, ...]]:
    """All tensors but the kernels of transposed convolutions, from class to class, and their biases."""
    kernels = {name for name, shape in shapes.items() if len(shape) == 4 and {*shape[:2]} <= {1, classes}}
    layers = {name.rpartition(".")[0] for name in kernels} - {""}
    return {
        name: shape
        for name, shape in shapes.items()
        if name not in kernels and not (len(shape) == 1 and name.rpartition(".")[0] in layers)
    }


def _score_layers(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = _channels(draw)

    def of(case: tuple[int, int]) -> Iterator[Observation]:
        classes, skips = case
        trunk = _trunk(answer, channels, _RESNET_STRIDES)
        network = _built(answer, trunk, classes, skips)
        trunks = {role(entry.shape) for entry in answer.describe(trunk)}
        shapes = {entry.name: entry.shape for entry in answer.describe(network) if entry.is_parameter}
        roles = [role(shape) for shape in _without_enlarging(shapes, classes).values()]
        weights = sorted(shape for shape in roles if len(shape) > 1 and shape not in trunks)
        what = f"{_called(classes, skips)} with maps of {channels} channels"
        yield (
            f"score layers of {what}, each as channels x classes",
            ", ".join("x".join(map(str, shape)) for shape in weights),
        )
        yield f"numbers in the biases of {what}", sum(shape[0] for shape in roles if len(shape) == 1)

    yield from each(((5, 0), (4, 1), (5, 2)), of)


def _logits(answer: Answer, network: Ref, images: Tensor) -> tuple[Value, Tensor | None]:
    """The shape of the logits of 5 classes, and the logits themselves where it is right."""
    given = answer.run(network, images).output
    if not isinstance(given, Tensor):
        return given, None
    fits = given.shape == (len(images), 5, *images.shape[2:])
    return tuple(given.shape), given if fits else None


def _middle(logits: Tensor, margin: int) -> Tensor:
    """Without the border, where ways to enlarge differ; float32, as is precise enough for a bilinear kernel."""
    return logits[..., margin:-margin, margin:-margin].float()


def _sums(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels, colour = _channels(draw), 10 * draw.normal(1, 3, 1, 1)
    images = torch.cat([colour, -colour]).expand(-1, -1, 160, 128)  # so that each class has scores below 0

    def of(skips: int) -> Iterator[Observation]:
        network = _loaded(answer, _trunk(answer, channels, _RESNET_STRIDES), 5, skips, _drawn(draw))
        what = f"the logits of {_called(5, skips)} for two pictures of one colour each, 160x128"
        shape, logits = _logits(answer, network, images)
        yield f"shape of {what}", shape
        if logits is not None:
            middle = _middle(logits, 48)
            flat = middle[..., :1, :1].expand_as(middle)
            yield f"{what}: constant in the middle", agree(middle, flat)
            yield f"{what}: their middle", middle[..., 0, 0]

    yield from each(_SKIPS, of)


def _ramps(height: int, width: int) -> Tensor:
    """(1, 3, H, W): distance from the left edge, from the upper edge, and 1; in pixels."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64), indexing="ij"
    )
    return torch.stack([x + 0.5, y + 0.5, torch.ones_like(x)])[None]


def _enlarging(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = _channels(draw)

    def ramps(skips: int) -> Iterator[Observation]:
        network = _loaded(answer, _trunk(answer, channels, _RESNET_STRIDES), 5, skips, _identity)
        what = f"the logits of {_called(5, skips)} for ramps, 160x128"
        shape, logits = _logits(answer, network, _ramps(160, 128))
        yield f"shape of {what}", shape
        if logits is not None:
            yield f"{what}: their middle", _middle(logits, 48)

    def square(skips: int) -> Iterator[Observation]:
        """One unit of the finest map used is bright, and only this map is scored."""
        unit, silent = _RESNET_STRIDES[3 - skips], channels[4 - skips :]

        def only_the_finest(shape: tuple[int, ...]) -> Tensor:
            scores_a_silent_map = len(shape) > 1 and shape[0] == 5 and shape[1] in silent
            return _identity(shape) * (not scores_a_silent_map)

        network = _loaded(answer, _trunk(answer, channels, _RESNET_STRIDES), 5, skips, only_the_finest)
        images = torch.zeros(1, 3, 160, 128, dtype=torch.float64)
        images[:, 0, 64 : 64 + unit, 64 : 64 + unit] = 10.0
        what = f"the logits of {_called(5, skips)} for a bright square of {unit}x{unit} pixels"
        shape, logits = _logits(answer, network, images)
        yield f"shape of {what}", shape
        if logits is not None:
            yield f"{what}, where only the map of stride {unit} is scored", _middle(logits, 32)

    yield from each(_SKIPS, ramps)
    yield from each(_SKIPS, square)


def _every_size(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = _channels(draw)

    def of(case: tuple[int, int, int]) -> Iterator[Observation]:
        height, width, skips = case
        network = _loaded(answer, _trunk(answer, channels, _RESNET_STRIDES), 5, skips, _identity)
        images = _ramps(height, width)
        what = f"the logits of {_called(5, skips)} for one picture of {height}x{width}"
        shape, logits = _logits(answer, network, images)
        yield f"shape of {what}", shape
        if logits is not None and min(height, width) > 4 * 32:
            moved = _middle(logits[:, :3] / (skips + 1) - images, 48).abs().amax((0, 2, 3))
            yield f"{what}: in the middle a constant stays constant", bool(moved[2] < 1e-4)
            yield (
                f"{what}: in the middle a ramp stays in its place, to 32 pixels",
                bool(moved[:2].max() <= 32),
            )

    sizes = ((32, 64), (33, 47), (65, 97), (100, 75), (161, 203), (190, 135))
    yield from each([(*size, skips) for size in sizes for skips in _SKIPS], of)


def _other_strides(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels = _channels(draw)

    def of(case: tuple[tuple[int, ...], int]) -> Iterator[Observation]:
        strides, skips = case
        unit = strides[-1]
        network = _loaded(answer, _trunk(answer, channels, strides), 5, skips, _identity)
        images = _ramps(5 * unit, 4 * unit)
        what = f"the logits of {_called(5, skips)} for ramps, a trunk of strides {strides}"
        shape, logits = _logits(answer, network, images)
        yield f"shape of {what}", shape
        if logits is not None:
            # each map sees the ramps as they are
            expected = F.pad((skips + 1) * images, (0, 0, 0, 0, 0, 2))
            margin = unit + unit // 2
            stays = agree(_middle(logits, margin), _middle(expected, margin))
            yield f"{what}: in the middle they are ramps in their places", stays

    cases = [(strides, skips) for strides in ((4, 8, 8, 8), (2, 4, 8, 16)) for skips in _SKIPS]
    yield from each(cases, of)


def _learns(answer: Answer, draw: Draw) -> Iterator[Observation]:
    channels, classes, skips = _channels(draw), 5, 2
    trunk = _trunk(answer, channels, _RESNET_STRIDES)
    network = _loaded(answer, trunk, classes, skips, _drawn(draw))
    entries = {entry.name: entry for entry in answer.describe(network) if entry.is_parameter}
    trunks = [entry.shape for entry in answer.describe(trunk)]
    held = [entry.shape for entry in entries.values() if entry.shape in trunks]
    yield "weights of the trunk among the network's parameters", len(held)
    shapes = _without_enlarging({name: entry.shape for name, entry in entries.items()}, classes)
    frozen = sorted(str(role(shape)) for name, shape in shapes.items() if not entries[name].requires_grad)
    yield "shapes of parameters that don't learn", ", ".join(frozen)
    images = draw.normal(2, 3, 64, 96)
    run = answer.run(network, images, mode="train", grad_output=draw.normal(2, classes, 64, 96))
    unreached = [
        shape for name, shape in shapes.items() if name not in run.grads or not run.grads[name].any()
    ]
    yield "shapes of parameters that no gradient reaches", ", ".join(sorted(str(role(s)) for s in unreached))
    before = answer.run(network, images).output
    answer.load(trunk, {name: 2 * value for name, value in answer.state(trunk).items()})
    after = answer.run(network, images).output
    yield "the logits change when the weights of the given trunk change", not agree(after, before)


class _Network(nn.Module):
    """Enlarges by interpolation. The mistakes override what they do otherwise."""

    scores: nn.ModuleList
    projections: nn.ModuleList  # of the mistakes that add features
    upsample: nn.ModuleList  # of the mistakes with transposed convolutions

    def __init__(self, trunk: Trunk, num_classes: int, skips: int = 0):
        super().__init__()
        self.trunk = trunk
        self.used = self.maps(skips)
        self.scores = nn.ModuleList(self.layer(trunk.channels[k], num_classes, k) for k in self.used)

    def maps(self, skips: int) -> list[int]:
        """Numbers of the maps used, coarsest first."""
        return [3, 2, 1][: skips + 1]

    def layer(self, channels: int, num_classes: int, k: int) -> nn.Module:
        return nn.Conv2d(channels, num_classes, 1)

    def features(self, images: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.trunk(images)
        return maps

    def score(self, number: int, features: Tensor) -> Tensor:
        scored: Tensor = self.scores[number](features)
        return scored

    def enlarge(self, x: Tensor, size: Sequence[int], factor: float) -> Tensor:
        return F.interpolate(x, tuple(size), mode="bilinear")

    def join(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return coarse + fine

    def last(self, x: Tensor, images: Tensor) -> Tensor:
        return self.enlarge(x, images.shape[-2:], self.trunk.strides[self.used[-1]])

    def forward(self, images: Tensor) -> Tensor:
        maps = self.features(images)
        x = self.score(0, maps[3])
        for number, (before, k) in enumerate(zip(self.used, self.used[1:], strict=False), start=1):
            y = self.score(number, maps[k])
            factor = self.trunk.strides[before] / self.trunk.strides[k]
            x = self.join(self.enlarge(x, y.shape[-2:], factor), y)
        return self.last(x, images)


# -- segment ------------------------------------------------------------------------------------------------

_CLASSES = 4
_LAYERS: list[list[Any]] = [
    ["Conv2d", 3, 6, 3, 1, 1],
    ["BatchNorm2d", 6],
    ["ReLU"],
    ["Dropout", 0.5],
    ["GraphCounter"],
    ["Conv2d", 6, _CLASSES, 1],
]


def _model(answer: Answer, draw: Draw) -> tuple[Ref, dict[str, Tensor]]:
    """A small segmenter in training mode, as every new one, and its weights and statistics."""
    state = {
        "0.weight": draw.normal(6, 3, 3, 3) / 3,
        "0.bias": draw.normal(6),
        "1.weight": draw.normal(6).abs() + 0.5,
        "1.bias": draw.normal(6),
        "1.running_mean": draw.normal(6),
        "1.running_var": draw.normal(6).abs() + 1.0,
        "5.weight": draw.normal(_CLASSES, 6, 1, 1),
        "5.bias": draw.normal(_CLASSES),
    }
    model = answer.make("model", _LAYERS)
    answer.load(model, state)
    return model, state


def _classes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def of(shape: tuple[int, ...]) -> Iterator[Observation]:
        model, _ = _model(answer, draw)
        images = draw.normal(*shape)
        answer.run(model, images, mode="eval")
        yield (
            f"classes of the pixels of images {shape}, network in evaluation mode",
            answer.call("segment", model, images),
        )

    yield from each(((3, 3, 9, 7), (1, 3, 5, 11), (_CLASSES, 3, 6, 4)), of)


_UNMOVED = "segmenting changes BatchNorm's statistics"
_DEPENDS = "the classes depend on the mode in which the network happens to be"
_RECORDED = "segmenting records a graph for gradients"


def _undisturbed(answer: Answer, draw: Draw) -> Iterator[Observation]:
    model, state = _model(answer, draw)
    images = draw.normal(3, 3, 12, 15)
    while_training = answer.call("segment", model, images)
    after = answer.state(model)
    yield "segment gives a tensor", isinstance(while_training, Tensor)
    yield _UNMOVED, any(not torch.equal(after[name], value) for name, value in state.items())
    yield _RECORDED, int(after["4.peak"]) > 0
    answer.load(model, state)
    answer.run(model, images, mode="eval")
    yield _DEPENDS, not agree(answer.call("segment", model, images), while_training)


def _segment(model: nn.Module, images: Tensor) -> Tensor:
    model.eval()
    with torch.inference_mode():
        logits: Tensor = model(images)
    return logits.argmax(1)


# -- the reference and typical mistakes ---------------------------------------------------------------------


def _reference() -> Namespace:
    return {"segmentation_loss": _segmentation_loss, "FCN": _Network, "segment": _segment}


def _loss(function: Callable[[Tensor, Tensor], Any]) -> Namespace:
    return {**_reference(), "segmentation_loss": function}


def _fcn(**overridden: Any) -> Namespace:
    return {**_reference(), "FCN": type("_Mistaken", (_Network,), overridden)}


def _segmenting(
    summary: Callable[[Tensor], Any], *, mode: bool | None = False, recorded: bool = False
) -> Namespace:
    def segment(model: nn.Module, images: Tensor) -> Any:
        if mode is not None:
            model.train(mode)
        with torch.set_grad_enabled(recorded):
            return summary(model(images))

    return {**_reference(), "segment": segment}


def _cross_entropy(logits: Tensor, masks: Tensor, **options: Any) -> Tensor:
    return F.cross_entropy(logits, masks, ignore_index=255, **options)


def _kept_as_a_class(logits: Tensor, masks: Tensor) -> Tensor:
    classes = logits.shape[1]
    more = torch.cat([logits, torch.zeros_like(logits[:, :1])], dim=1)
    return F.cross_entropy(more, masks.where(masks != 255, classes))


def _balanced(logits: Tensor, masks: Tensor) -> Tensor:
    counts = torch.bincount(masks[masks != 255], minlength=logits.shape[1])
    return _cross_entropy(logits, masks, weight=counts.sum() / counts.clamp(min=1).to(logits))


def _binary(logits: Tensor, masks: Tensor) -> Tensor:
    counted = masks != 255
    targets = F.one_hot(masks.where(counted, 0), logits.shape[1]).movedim(-1, 1).to(logits)
    losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return losses.mean(1)[counted].sum() / counted.sum().clamp(min=1)


def _reshaped(logits: Tensor, masks: Tensor) -> Tensor:
    return _segmentation_loss(logits.reshape(-1, logits.shape[1]), masks.reshape(-1))


def _log_of_softmax(logits: Tensor, masks: Tensor) -> Tensor:
    total = F.nll_loss(logits.softmax(1).log(), masks, ignore_index=255, reduction="sum")
    return total / (masks != 255).sum().clamp(min=1)


def _writing(logits: Tensor, masks: Tensor) -> Tensor:
    counted = masks != 255
    masks[~counted] = 0
    losses = F.cross_entropy(logits, masks, reduction="none")
    return (losses * counted).sum() / counted.sum().clamp(min=1)


def _per_picture(logits: Tensor, masks: Tensor) -> Tensor:
    pairs = zip(logits, masks, strict=True)
    return torch.stack([_segmentation_loss(x[None], mask[None]) for x, mask in pairs]).mean()


def _always_three(self: _Network, trunk: Trunk, num_classes: int, skips: int = 0) -> None:
    """All layers are made; forward uses those that it needs."""
    _Network.__init__(self, trunk, num_classes, 2)
    self.used = self.maps(skips)


def _projected_init(self: _Network, trunk: Trunk, num_classes: int, skips: int = 0) -> None:
    _Network.__init__(self, trunk, num_classes, skips)
    finest = trunk.channels[self.used[-1]]
    self.projections = nn.ModuleList(nn.Conv2d(trunk.channels[k], finest, 1) for k in self.used[:-1])
    self.scores = nn.ModuleList([nn.Conv2d(finest, num_classes, 1)])


def _projected_forward(self: _Network, images: Tensor) -> Tensor:
    maps = [self.trunk(images)[k] for k in self.used]
    total = maps[-1]
    for projection, features in zip(self.projections, maps[:-1], strict=True):
        total = total + self.enlarge(projection(features), total.shape[-2:], 1)
    return self.last(self.score(0, total), images)


def _stacked_init(self: _Network, trunk: Trunk, num_classes: int, skips: int = 0) -> None:
    _Network.__init__(self, trunk, num_classes, skips)
    together = sum(trunk.channels[k] for k in self.used)
    self.scores = nn.ModuleList([nn.Conv2d(together, num_classes, 1)])


def _stacked_forward(self: _Network, images: Tensor) -> Tensor:
    maps = [self.trunk(images)[k] for k in self.used]
    enlarged = [self.enlarge(features, maps[-1].shape[-2:], 1) for features in maps]
    return self.last(self.score(0, torch.cat(enlarged, dim=1)), images)


def _another_trunk(change: Callable[[Trunk], Any]) -> Callable[..., None]:
    """The network is built on what ``change`` makes of its trunk."""

    def init(self: _Network, trunk: Trunk, num_classes: int, skips: int = 0) -> None:
        _Network.__init__(self, change(trunk), num_classes, skips)

    return init


def _unregistered(self: _Network, trunk: Trunk, num_classes: int, skips: int = 0) -> None:
    _Network.__init__(self, trunk, num_classes, skips)
    del self.trunk
    object.__setattr__(self, "trunk", trunk)  # an attribute that PyTorch doesn't know of


def _detached(self: _Network, images: Tensor) -> list[Tensor]:
    with torch.no_grad():
        maps: list[Tensor] = self.trunk(images)
    return maps


def _rounded_down(self: _Network, images: Tensor) -> Tensor:
    height, width = (size // 32 * 32 for size in images.shape[-2:])
    return _Network.forward(self, images[..., :height, :width])


def _times(x: Tensor, factor: float) -> Tensor:
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear")


def _whole_units(self: _Network, x: Tensor, images: Tensor) -> Tensor:
    return _times(x, self.trunk.strides[self.used[-1]])


def _not_brought_to_size(self: _Network, x: Tensor, size: Sequence[int], factor: float) -> Tensor:
    return _times(x, factor)


def _cropped_at_the_corner(self: _Network, x: Tensor, size: Sequence[int], factor: float) -> Tensor:
    """A stamp of two units' size begins half a unit early: nothing is cut off there."""
    late = round(factor / 2)
    stamped = _times(F.pad(x, (1, 1, 1, 1)), factor)
    return stamped[..., late : late + size[0], late : late + size[1]]


def _doubled(self: _Network, x: Tensor, size: Sequence[int], factor: float) -> Tensor:
    return _times(x, 2)[..., : size[0], : size[1]]


def _resnets_factor(self: _Network, x: Tensor, images: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    return _times(x, {0: 32, 1: 16, 2: 8}[len(self.used) - 1])[..., :height, :width]


def _random_kernel_init(self: _Network, trunk: Trunk, num_classes: int, skips: int = 0) -> None:
    _Network.__init__(self, trunk, num_classes, skips)
    ends = [*(trunk.strides[k] for k in self.used[1:]), 1]
    factors = [trunk.strides[k] // end for k, end in zip(self.used, ends, strict=True)]
    self.upsample = nn.ModuleList(
        nn.ConvTranspose2d(num_classes, num_classes, 2 * f, f, f // 2) for f in factors
    )


def _random_kernel(self: _Network, x: Tensor, size: Sequence[int], factor: float) -> Tensor:
    layers = (layer for layer in self.upsample if isinstance(layer, nn.ConvTranspose2d))
    layer = next(layer for layer in layers if layer.stride[0] == factor)
    enlarged: Tensor = layer(x)
    return enlarged[..., : size[0], : size[1]]


_MISTAKES = (
    # of the loss
    Mistake(
        "softmax before the cross-entropy",
        "The loss is taken of probabilities. Cross-entropy in PyTorch wants logits: it takes the softmax itself.",
        _loss(lambda logits, masks: _segmentation_loss(logits.softmax(1), masks)),
    ),
    Mistake(
        "no log-softmax",
        "F.nll_loss expects log-probabilities and is given logits. F.cross_entropy does both steps.",
        _loss(
            lambda logits, masks: (
                F.nll_loss(logits, masks, ignore_index=255, reduction="sum")
                / (masks != 255).sum().clamp(min=1)
            )
        ),
    ),
    Mistake(
        "logarithm of a softmax",
        "The logarithm is taken of a softmax that was so small that it became 0: a network that is very sure has an "
        "infinite loss. log_softmax and cross_entropy do both steps at once, safely.",
        _loss(_log_of_softmax),
    ),
    Mistake(
        "255 taken for a class",
        "255 is taken for the number of a class, and there are only C of them. It marks pixels that don't count: the "
        "loss has an option that leaves them out.",
        _loss(lambda logits, masks: F.cross_entropy(logits, masks)),
    ),
    Mistake(
        "one-hot masks with 255 in them",
        "one_hot is given 255, which is no class. Cross-entropy takes masks of class numbers as they are; 255 has to "
        "be left out.",
        _loss(
            lambda logits, masks: F.cross_entropy(
                logits, F.one_hot(masks, logits.shape[1]).movedim(-1, 1).to(logits)
            )
        ),
    ),
    Mistake(
        "255 turned into class 0",
        "Pixels to be ignored are counted as background. They are undecided: no class is right or wrong there.",
        _loss(lambda logits, masks: F.cross_entropy(logits, masks.where(masks != 255, 0))),
    ),
    Mistake(
        "255 turned into the last class",
        "Pixels to be ignored are counted as the last class: 255 is clamped to the largest valid number. They should "
        "not count at all.",
        _loss(lambda logits, masks: F.cross_entropy(logits, masks.clamp(max=logits.shape[1] - 1))),
    ),
    Mistake(
        "255 kept as a class of its own",
        "Pixels to be ignored have become one more class, which the network is taught to predict. Leave them out.",
        _loss(_kept_as_a_class),
    ),
    Mistake(
        "class 0 ignored as well",
        "Background is left out together with 255. Class 0 is a class like any other, and counts.",
        _loss(lambda logits, masks: _segmentation_loss(logits, masks.where(masks != 0, 255))),
    ),
    Mistake(
        "divided by all pixels",
        "The sum is divided by the number of all pixels. Ignored ones count neither in the sum nor in the number.",
        _loss(lambda logits, masks: _cross_entropy(logits, masks, reduction="none").mean()),
    ),
    Mistake(
        "summed and not averaged",
        "The losses are summed, so that a larger picture has a larger loss. Divide by the number of pixels that count.",
        _loss(lambda logits, masks: _cross_entropy(logits, masks, reduction="sum")),
    ),
    Mistake(
        "no mean at all",
        "A loss for every pixel is returned. One number is asked for: their mean.",
        _loss(lambda logits, masks: _cross_entropy(logits, masks, reduction="none")),
    ),
    Mistake(
        "mean of the pictures' means",
        "Each picture's mean loss counts the same, however few of its pixels count. Take the mean over all pixels of "
        "the batch at once.",
        _loss(_per_picture),
    ),
    Mistake(
        "classes weighted",
        "Rare classes weigh more in this loss. Weights come in exercise 3.8; here every pixel weighs the same.",
        _loss(_balanced),
    ),
    Mistake(
        "each class a yes or no of its own",
        "Binary cross-entropy asks each class by itself, as if a pixel could have several. The classes exclude each "
        "other: softmax cross-entropy.",
        _loss(_binary),
    ),
    Mistake(
        "reshaped instead of permuted",
        "reshape(-1, C) cuts (N, C, H, W) into rows without moving the classes to the end, so that pixels and classes "
        "mix. Permute first, or give the 4-D logits to the loss.",
        _loss(_reshaped),
    ),
    Mistake(
        "arg max before the loss",
        "The loss sees the arg max, which is a step: it has no slope to learn from. It needs the logits themselves.",
        _loss(
            lambda logits, masks: _segmentation_loss(
                F.one_hot(logits.argmax(1), logits.shape[1]).movedim(-1, 1).to(logits), masks
            )
        ),
    ),
    Mistake(
        "nan where nothing counts",
        "In a batch without a pixel that counts, the mean is 0 / 0: nan, and one such batch ruins every weight. Look "
        "at the number that you divide by.",
        _loss(_cross_entropy),
    ),
    Mistake(
        "a bare 0 where nothing counts",
        "Where nothing counts, the loss is a new tensor without a graph, at which loss.backward() stops. Compute the 0 "
        "from the logits.",
        _loss(
            lambda logits, masks: (
                _cross_entropy(logits, masks) if (masks != 255).any() else torch.zeros((), dtype=logits.dtype)
            )
        ),
    ),
    Mistake(
        "a Python number",
        "The loss is a Python number: nothing can be learned from it. Return the tensor; item() is for printing.",
        _loss(lambda logits, masks: _segmentation_loss(logits, masks).item()),
    ),
    Mistake(
        "the loss cut off from its graph",
        "The number is right but has no graph, so that no gradient reaches the network: look for detach, .data, "
        "no_grad or torch.tensor(...).",
        _loss(lambda logits, masks: _segmentation_loss(logits.detach(), masks)),
    ),
    Mistake(
        "masks written into",
        "The masks that the caller handed over are changed (masks[...] = ... writes into them). Make new ones.",
        _loss(_writing),
    ),
    # of the network: which maps, and how they are scored
    Mistake(
        "skips ignored",
        "The network is FCN-32s whatever skips says: no finer map is scored.",
        _fcn(maps=lambda self, skips: [3]),
    ),
    Mistake(
        "skips always on",
        "The network is FCN-8s whatever skips says. skips=0 uses the coarsest map only.",
        _fcn(maps=lambda self, skips: [3, 2, 1]),
    ),
    Mistake(
        "skip scores never added",
        "Finer maps have score layers, but their scores don't reach the result.",
        _fcn(join=lambda self, coarse, fine: coarse),
    ),
    Mistake(
        "score layers that nothing uses",
        "There are score layers for maps that this network doesn't use: parameters that never learn. Make as many as "
        "skips asks for.",
        _fcn(__init__=_always_three),
    ),
    Mistake(
        "skips one stage too fine",
        "The skips come from one stage too fine. The first skip is the map before the coarsest: print their strides.",
        _fcn(maps=lambda self, skips: [3, 1, 0][: skips + 1]),
    ),
    Mistake(
        "skips counted from the finest map",
        "The skips are counted from the finest map on. The trunk lists its maps finest first; skips are counted from "
        "the other end.",
        _fcn(maps=lambda self, skips: [3, 0, 1][: skips + 1]),
    ),
    Mistake(
        "skips in the wrong order",
        "The finer skip is added before the coarser one, so that its detail is lost when the sum is brought to the "
        "coarser map's size. Go from coarse to fine.",
        _fcn(maps=lambda self, skips: [[3], [3, 2], [3, 1, 2]][skips]),
    ),
    Mistake(
        "features added before they are scored",
        "Feature maps are added, and their sum is scored. In an FCN each map is scored first, and scores are added.",
        _fcn(__init__=_projected_init, forward=_projected_forward),
    ),
    Mistake(
        "features concatenated before they are scored",
        "Feature maps are concatenated and scored together. In an FCN each map has its own score layer, and scores are "
        "added.",
        _fcn(__init__=_stacked_init, forward=_stacked_forward),
    ),
    Mistake(
        "one score layer for all maps",
        "The coarsest map's score layer is applied to finer maps too. They have other numbers of channels, and other "
        "features: each map has a layer of its own.",
        _fcn(score=lambda self, number, features: self.scores[0](features)),
    ),
    Mistake(
        "3x3 score layers",
        "The maps are scored by 3x3 convolutions. A score layer is 1x1: a linear classifier at every place.",
        _fcn(layer=lambda self, channels, classes, k: nn.Conv2d(channels, classes, 3, padding=1)),
    ),
    Mistake(
        "skips scored without bias",
        "The skips' score layers have no bias. Nothing normalises after them, so that each needs its own.",
        _fcn(layer=lambda self, channels, classes, k: nn.Conv2d(channels, classes, 1, bias=k == 3)),
    ),
    Mistake(
        "scored without bias",
        "No score layer has a bias. Nothing normalises after them, so that each needs its own.",
        _fcn(layer=lambda self, channels, classes, k: nn.Conv2d(channels, classes, 1, bias=False)),
    ),
    Mistake(
        "number of classes fixed",
        "The score layers always have 11 classes. They should have num_classes.",
        _fcn(layer=lambda self, channels, classes, k: nn.Conv2d(channels, 11, 1)),
    ),
    Mistake(
        "scores averaged",
        "Coarse and fine scores are averaged. They are added.",
        _fcn(join=lambda self, coarse, fine: (coarse + fine) / 2),
    ),
    Mistake(
        "scores multiplied",
        "Coarse and fine scores are multiplied. They are added.",
        _fcn(join=lambda self, coarse, fine: coarse * fine),
    ),
    Mistake(
        "scores concatenated",
        "Coarse and fine scores are concatenated, so that the logits have too many channels. They are added.",
        _fcn(join=lambda self, coarse, fine: torch.cat([coarse, fine], dim=1)),
    ),
    Mistake(
        "ReLU on the scores",
        "The scores go through a ReLU. A score may be negative: that says no.",
        _fcn(score=lambda self, number, features: self.scores[number](features).relu()),
    ),
    Mistake(
        "softmax on the scores of each map",
        "Each map's scores go through a softmax before they are added. Logits are added as they are.",
        _fcn(score=lambda self, number, features: self.scores[number](features).softmax(1)),
    ),
    Mistake(
        "softmax at the end",
        "The network gives probabilities. It should give logits: the loss takes the softmax itself.",
        _fcn(last=lambda self, x, images: _Network.last(self, x, images).softmax(1)),
    ),
    Mistake(
        "log-softmax at the end",
        "The network gives log-probabilities. It should give logits: the loss takes the softmax itself.",
        _fcn(last=lambda self, x, images: _Network.last(self, x, images).log_softmax(1)),
    ),
    Mistake(
        "classes instead of logits",
        "The network gives the arg max. That is segment's task; to learn, the loss needs the logits.",
        _fcn(last=lambda self, x, images: _Network.last(self, x, images).argmax(1)),
    ),
    # how they are enlarged
    Mistake(
        "nearest neighbour",
        "Scores are enlarged in steps. Logits are interpolated: mode='bilinear'. Nearest is for masks.",
        _fcn(enlarge=lambda self, x, size, factor: F.interpolate(x, size)),
    ),
    Mistake(
        "align_corners=True",
        "align_corners=True stretches the map: its outermost units go to the corners of the picture, and all others "
        "move. Leave it False.",
        _fcn(
            enlarge=lambda self, x, size, factor: F.interpolate(x, size, mode="bilinear", align_corners=True)
        ),
    ),
    Mistake(
        "bicubic",
        "Scores are enlarged bicubically, which overshoots beside edges. Bilinear is asked for.",
        _fcn(enlarge=lambda self, x, size, factor: F.interpolate(x, size, mode="bicubic")),
    ),
    Mistake(
        "kernel normalised to a sum of 1",
        "Scores shrink by the stride squared when they are enlarged: the transposed kernel is normalised to sum 1. Its "
        "stamps should add up to 1 at each pixel.",
        _fcn(enlarge=lambda self, x, size, factor: _Network.enlarge(self, x, size, factor) / factor**2),
    ),
    Mistake(
        "classes mixed while enlarging",
        "Enlarging adds up the scores of all classes: the bilinear kernel stands between every two channels. Only the "
        "diagonal should have it, or use groups.",
        _fcn(
            enlarge=lambda self, x, size, factor: _Network.enlarge(
                self, x.sum(1, keepdim=True).expand_as(x), size, factor
            )
        ),
    ),
    Mistake(
        "transposed convolution not bilinear",
        "A map of constant scores doesn't stay constant when it is enlarged: the transposed convolution should start "
        "with the bilinear kernel, of size 2s and with padding s / 2 for stride s.",
        _fcn(__init__=_random_kernel_init, enlarge=_random_kernel),
    ),
    Mistake(
        "cropped at the corner",
        "The result lies half a unit too far down and right: an unpadded transposed convolution begins half a unit "
        "early. Cut the same off on both sides.",
        _fcn(enlarge=_cropped_at_the_corner),
    ),
    Mistake(
        "left at the coarse size",
        "The logits have the size of a feature map. Enlarge the last sum to the pictures' height and width.",
        _fcn(last=lambda self, x, images: x),
    ),
    Mistake(
        "enlarged to whole units",
        "The logits are larger than the picture where its sides are no multiples of the stride. Crop them, or enlarge "
        "to the picture's size.",
        _fcn(last=_whole_units),
    ),
    Mistake(
        "maps that don't fit together",
        "For some sizes the doubled map is a row or column larger than the finer one, and can't be added. Bring it to "
        "the finer map's size first.",
        _fcn(enlarge=_not_brought_to_size),
    ),
    Mistake(
        "odd sizes rounded down",
        "The picture is cut to a multiple of 32, and the rest of it is dropped silently. Every pixel needs logits.",
        _fcn(forward=_rounded_down),
    ),
    Mistake(
        "factors fixed at 2, 32, 16 and 8",
        "The factors are ResNet34's. Those of this trunk are in trunk.strides; or enlarge to the size that is needed.",
        _fcn(enlarge=_doubled, last=_resnets_factor),
    ),
    # the trunk
    Mistake(
        "the trunk copied",
        "The network learns on a copy of the trunk. Keep the one that was given: self.trunk = trunk.",
        _fcn(__init__=_another_trunk(deepcopy)),
    ),
    Mistake(
        "the trunk frozen",
        "The trunk's parameters don't learn. Here the whole network learns, the trunk too.",
        _fcn(__init__=_another_trunk(lambda trunk: trunk.requires_grad_(False))),
    ),
    Mistake(
        "the features cut off from their graph",
        "No gradient reaches the trunk: its features are detached, or computed under no_grad.",
        _fcn(features=_detached),
    ),
    Mistake(
        "the trunk not registered",
        "The trunk's parameters are not among the network's, so that no optimizer sees them: PyTorch doesn't look into "
        "plain lists. Assign the trunk to an attribute of its own.",
        _fcn(__init__=_unregistered),
    ),
    # of segment
    Mistake(
        "left in training mode",
        "The network segments in the mode it happens to be in. In training mode Dropout drops at random, and BatchNorm "
        "looks at the other pictures and remembers them. Begin with model.eval().",
        _segmenting(lambda logits: logits.argmax(1), mode=None),
    ),
    Mistake(
        "put into training mode",
        "The network is put into training mode before it segments: Dropout drops at random, and BatchNorm looks at the "
        "batch and remembers it. Evaluation mode is asked for.",
        _segmenting(lambda logits: logits.argmax(1), mode=True),
    ),
    Mistake(
        "gradients recorded",
        "Segmenting records a graph that nobody needs, which costs time and memory. Use torch.no_grad() or "
        "torch.inference_mode().",
        _segmenting(lambda logits: logits.argmax(1), recorded=True),
    ),
    Mistake(
        "arg max over the batch",
        "The arg max is taken over the pictures. The classes stand in dimension 1.",
        _segmenting(lambda logits: logits.argmax(0)),
    ),
    Mistake(
        "arg max over the columns",
        "The arg max is taken over the last dimension, the columns. The classes stand in dimension 1.",
        _segmenting(lambda logits: logits.argmax(-1)),
    ),
    Mistake(
        "arg max over everything",
        "argmax without a dimension gives one number for the whole batch. The classes stand in dimension 1.",
        _segmenting(lambda logits: logits.argmax()),
    ),
    Mistake(
        "only the first picture",
        "Only the first picture of the batch is segmented.",
        _segmenting(lambda logits: logits[0].argmax(0)),
    ),
    Mistake(
        "one dimension too many",
        "The masks have a dimension of size 1 for the classes (keepdim=True, or [:, None]). Masks are (N, H, W).",
        _segmenting(lambda logits: logits.argmax(1, keepdim=True)),
    ),
    Mistake(
        "logits returned",
        "The logits are returned as they are. The number of the likeliest class is asked for at each pixel.",
        _segmenting(lambda logits: logits),
    ),
    Mistake(
        "probabilities returned",
        "Probabilities are returned. The number of the likeliest class is asked for at each pixel.",
        _segmenting(lambda logits: logits.softmax(1)),
    ),
    Mistake(
        "largest score, not its class",
        "The largest score is returned, not the class that has it: max gives values, argmax gives positions.",
        _segmenting(lambda logits: logits.amax(1)),
    ),
    Mistake(
        "values and positions both",
        "max over a dimension gives two tensors, the values and their positions. Only the positions are asked for.",
        _segmenting(lambda logits: tuple(logits.max(1))),
    ),
    Mistake(
        "class numbers as floats",
        "The class numbers are floats. Masks are int64, as argmax gives them.",
        _segmenting(lambda logits: logits.argmax(1).to(logits.dtype)),
    ),
    Mistake(
        "background can't win",
        "Class 0 is left out of the arg max, so that every pixel becomes a thing. All classes take part.",
        _segmenting(lambda logits: logits[:, 1:].argmax(1) + 1),
    ),
    Mistake(
        "background left out, and the numbers shifted",
        "Class 0 is left out of the arg max, and every other class number is one too small.",
        _segmenting(lambda logits: logits[:, 1:].argmax(1)),
    ),
)


# -- what it looks like -------------------------------------------------------------------------------------

_STRIDES_SHOWN = (2, 4, 8, 16)
_CHANNELS_SHOWN = (6, 7, 8, 9)


def _cat() -> Tensor:
    """(1, 3, 128, 128): bright lines; the margin is black, so that every way to enlarge gives the same there."""
    ink = torch.from_numpy(doodles.draw("cat", seed=3, size=96)).double() / 255
    return F.pad(ink, (16, 16, 16, 16)).expand(1, 3, -1, -1)


def _through(skips: int) -> Demonstration:
    """Each score is what its map sees of the picture, so that the logits are what all maps used see of it."""

    def yours(answer: Answer) -> Tensor:
        network = _loaded(answer, _trunk(answer, _CHANNELS_SHOWN, _STRIDES_SHOWN), 5, skips, _identity)
        logits: Tensor = answer.run(network, _cat()).output
        return logits[0] / (skips + 1)

    def target(found: Tensor | None) -> Tensor:
        """Step by step, or each map in one go: whichever is nearer."""
        maps = [F.avg_pool2d(_cat()[:, :1], s) for s in _STRIDES_SHOWN[3 - skips :]]
        straight = [_brought(features, (128, 128)) for features in maps]
        steps = maps[-1]
        for features in maps[-2::-1]:
            steps = features + _brought(steps, features.shape[-2:])
        ways = [(_brought(steps, (128, 128)) / len(maps))[0], torch.stack(straight).mean(0)[0]]
        if found is None or found.shape[-2:] != (128, 128):
            return ways[0]
        return min(ways, key=lambda way: float((found[:1] - way).abs().max()))

    used = ("its coarsest map", "its two coarsest maps", "its three coarsest maps")[skips]
    return Demonstration(f"a cat as the network sees it with skips={skips}: by {used}", yours, target)


def _brought(x: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(x, tuple(size), mode="bilinear")


EXERCISE = Exercise(
    id="3.5",
    title="fully convolutional network",
    defines=("segmentation_loss", "FCN", "segment"),
    parts=(
        Part(
            "the loss: a mean over the pixels that count",
            3,
            _mean_loss,
            "A mean is a sum, divided by a number. Which pixels are in the sum, which are in the number?",
        ),
        Part(
            "the loss: its gradient, and logits in the thousands",
            1,
            _well_behaved,
            "Print loss.requires_grad. What are exp(1000) and log(0)?",
        ),
        Part(
            "the loss: nothing counts",
            1,
            _nothing_counts,
            "What do you divide by when every pixel of a batch is 255?",
        ),
        Part(
            "the network: a score layer for each map used",
            1,
            _score_layers,
            "Print [(name, p.shape) for name, p in network.named_parameters()] without the trunk's.",
        ),
        Part(
            "the network: sums of scores",
            3,
            _sums,
            "Follow one constant map through your forward: what is it multiplied by, and what is added to it?",
        ),
        Part(
            "the network: bilinear enlarging",
            2,
            _enlarging,
            "Plot a row of the logits of a ramp: is it a straight line, in its place?",
        ),
        Part(
            "the network: every size of picture",
            2,
            _every_size,
            "Print the shapes of the maps of a picture of 65x97, and of each sum on the way.",
        ),
        Part(
            "the network: a trunk with other strides",
            1,
            _other_strides,
            "Which numbers in your code are really this trunk's?",
        ),
        Part(
            "the network: the given trunk learns along",
            1,
            _learns,
            "Print [(name, p.requires_grad) for name, p in network.named_parameters()] and look for the trunk.",
        ),
        Part(
            "segment: the class of each pixel",
            2,
            _classes,
            "In which dimension do the classes stand, and what remains without it?",
        ),
        Part(
            "segment: evaluation mode, no gradients recorded",
            1,
            _undisturbed,
            "Which layers behave otherwise while training? Who needs the graph of this pass?",
            manners=True,
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    not_covered="the logits along the border of a picture, where ways to enlarge differ.",
    demonstrations=tuple(_through(skips) for skips in _SKIPS),
)
