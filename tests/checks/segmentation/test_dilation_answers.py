"""Exercise 3.6: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import resnet34

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import PASS, Result, evaluate
from assignments_lib.checks.segmentation.dilation import EXERCISE
from assignments_lib.trunk import Trunk

Function = Callable[..., Any]
REFERENCE = EXERCISE.reference()


def graded(seed: int, **changed: Function) -> Result:
    return evaluate(EXERCISE, InProcess({**REFERENCE, **changed}), seed)


# -- the reference meets the specification -------------------------------------------------------------------------


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_what_was_there_before_is_there_still(output_stride: int) -> None:
    torch.manual_seed(output_stride)
    trunk = Trunk.of(resnet34()).double().eval()
    images = torch.randn(1, 3, 97, 70, dtype=torch.float64)
    with torch.no_grad():
        before = trunk(images)
        after = REFERENCE["dilate"](trunk, output_stride)(images)
    for stride, old, new in zip((4, 8, 16, 32), before, after, strict=True):
        step = max(1, stride // output_stride)
        assert new.shape[-2:] == (-(-97 * step // stride), -(-70 * step // stride))
        assert torch.allclose(new[..., ::step, ::step], old, rtol=1e-9, atol=1e-9 * float(old.abs().max()))
    assert trunk.strides == tuple(min(stride, output_stride) for stride in (4, 8, 16, 32))


def test_the_field_is_that_of_theory() -> None:
    """1 + the sum of (k - 1) * d * product of the strides before (Dumoulin & Visin 2016; Araujo et al. 2019)."""
    network = nn.Sequential(nn.Conv2d(3, 4, 7, 2, 3), nn.Conv2d(4, 4, (3, 5), 2, dilation=(2, 1)))
    assert REFERENCE["field_by_gradient"](network, 60, 60) == (1 + 6 + 2 * 2 * 2, 1 + 6 + 4 * 2)


# -- right answers -------------------------------------------------------------------------------------------------


def by_recursion(trunk: Any, output_stride: int = 8) -> Any:
    """As many write it: a convolution that has the stride gets half of the new dilation."""

    def change(module: nn.Module, rate: int) -> None:
        if not isinstance(module, nn.Conv2d):
            return
        rate = rate // 2 if module.stride == (2, 2) else rate
        module.stride = (1, 1)
        if module.kernel_size == (3, 3):
            module.dilation, module.padding = (rate, rate), (rate, rate)

    for k in range(4):
        factor = trunk.strides[k] / output_stride
        if factor > 1:
            trunk.stages[k].apply(lambda module, rate=int(factor): change(module, rate))
    trunk.strides = [min(stride, output_stride) for stride in trunk.strides]
    return trunk


def with_new_layers(trunk: Any, output_stride: int = 8) -> Any:
    """Convolutions are made anew and take over the weights."""
    rate, strides = 1, []
    for stage, stride in zip(trunk.stages, trunk.strides, strict=True):
        for block in stage:
            if block.downsample is not None and block.conv1.stride[0] == 2 and stride > output_stride:
                block.conv1 = remade(block.conv1, rate)
                rate *= 2
                block.conv2 = remade(block.conv2, rate)
                block.downsample[0] = remade(block.downsample[0], rate)
            else:
                block.conv1 = remade(block.conv1, rate, block.conv1.stride)
                block.conv2 = remade(block.conv2, rate)
        strides.append(stride // rate)
    trunk.strides = tuple(strides)
    return trunk


def remade(old: nn.Conv2d, rate: int, stride: Any = 1) -> nn.Conv2d:
    sides = old.kernel_size
    padding = rate if sides == (3, 3) else 0
    new = nn.Conv2d(
        old.in_channels, old.out_channels, sides, stride, padding, dilation=rate, bias=old.bias is not None
    )
    new.load_state_dict(old.state_dict())
    return new


def with_integers(trunk: Any, output_stride: int = 8) -> Any:
    """Settings as plain numbers, and the 1x1 projections dilated as well, which does nothing."""
    new = [4, 8, min(16, output_stride), min(32, output_stride)]
    for k in (2, 3):
        rate, old_rate = (4, 8, 16, 32)[k] // new[k], (4, 8, 16, 32)[k - 1] // new[k - 1]
        if rate == 1:
            continue
        for name, module in trunk.stages[k].named_modules():
            if isinstance(module, nn.Conv2d):
                module.stride = 1
                module.dilation = old_rate if name == "0.conv1" else rate
                module.padding = module.dilation * (module.kernel_size[0] // 2)
    trunk.strides = tuple(new)
    return trunk


def by_phases(trunk: Any, output_stride: int = 8) -> Any:
    """Each convolution runs, as it was, over every n-th pixel, for each of the n * n places to begin with."""
    for k, stride in enumerate(trunk.strides):
        if stride <= output_stride:
            continue
        rate = stride // output_stride
        for name, module in trunk.stages[k].named_modules():
            if isinstance(module, nn.Conv2d):
                module.forward = phases(module, rate // 2 if name == "0.conv1" else rate)
    trunk.strides = tuple(min(stride, output_stride) for stride in trunk.strides)
    return trunk


def phases(convolution: nn.Conv2d, rate: int) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        result = x.new_zeros(x.shape[0], convolution.out_channels, *x.shape[2:])
        for top in range(min(rate, x.shape[2])):
            for left in range(min(rate, x.shape[3])):
                phase = x[:, :, top::rate, left::rate]
                padding = convolution.kernel_size[0] // 2
                result[:, :, top::rate, left::rate] = F.conv2d(phase, convolution.weight, padding=padding)
        return result

    return forward


RIGHT_DILATE: dict[str, Function] = {
    "by recursion": by_recursion,
    "with new layers": with_new_layers,
    "with integers": with_integers,
    "by phases": by_phases,
}


@pytest.mark.slow
@pytest.mark.parametrize("style", RIGHT_DILATE)
def test_right_ways_to_dilate_keep_all_points(style: str) -> None:
    for seed in range(20):
        result = graded(seed, dilate=RIGHT_DILATE[style])
        assert {part.status for part in result.parts} == {PASS}, result.parts


def bounds(matters: Any) -> tuple[int, int]:
    rows, columns = np.nonzero(np.asarray(matters))
    if len(rows) == 0:
        return 0, 0
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


def with_backward(network: nn.Module, height: int, width: int) -> Any:
    network = copy.deepcopy(network).eval()
    images = torch.randn(1, 3, height, width, requires_grad=True)
    features = network(images)
    features[:, :, features.size(2) // 2, features.size(3) // 2].sum().backward()
    assert images.grad is not None
    return bounds(images.grad.abs().sum((0, 1)) > 0)


def with_zero_grad(network: nn.Module, height: int, width: int) -> Any:
    was_training = network.training
    network.eval()
    images = torch.rand(1, 3, height, width, requires_grad=True)
    features = network(images)
    seed = torch.zeros_like(features)
    seed[0, :, features.shape[-2] // 2, features.shape[-1] // 2] = 1
    features.backward(seed)
    network.zero_grad()
    network.train(was_training)
    assert images.grad is not None
    heat = images.grad[0].abs().amax(0)
    rows, columns = heat.amax(1).nonzero(), heat.amax(0).nonzero()
    if rows.numel() == 0:
        return torch.tensor([0, 0])
    return torch.stack([rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1]).flatten()


def with_jacobian(network: nn.Module, height: int, width: int) -> Any:
    network.eval()

    def unit(images: Tensor) -> Tensor:
        features = network(images)
        return features[0, :, features.shape[2] // 2, features.shape[3] // 2]

    jacobian = torch.func.jacrev(unit)(torch.rand(1, 3, height, width))
    return bounds((jacobian.detach() != 0).flatten(0, 2).any(0))


def each_channel(network: nn.Module, height: int, width: int) -> Any:
    network.eval()
    images = (255 * torch.rand(1, 3, height, width)).requires_grad_()
    unit = network(images).permute(2, 3, 0, 1)
    unit = unit[len(unit) // 2, unit.shape[1] // 2].squeeze(0)
    total = torch.zeros(height, width)
    for channel in unit:
        total += torch.autograd.grad(channel, images, retain_graph=True)[0][0].abs().sum(0)
    return list(bounds(total))


def several_pictures(network: nn.Module, height: int, width: int) -> Any:
    """A random mixture of the unit's channels, three times."""
    frozen = {p: p.requires_grad for p in network.parameters()}
    network.eval().requires_grad_(False)
    seen = torch.zeros(height, width, dtype=torch.bool)
    for _ in range(3):
        images = 5 * torch.randn(1, 3, height, width).requires_grad_()
        images.retain_grad()
        features = network(images)
        unit = features[0, :, features.shape[2] // 2, features.shape[3] // 2]
        (unit * torch.randn_like(unit)).sum().backward()
        assert images.grad is not None
        seen |= (images.grad[0] != 0).any(0)
    for parameter, learns in frozen.items():
        parameter.requires_grad_(learns)
    where = seen.nonzero()
    if len(where) == 0:
        return (0, 0)
    return tuple((where.amax(0) - where.amin(0) + 1).tolist())


RIGHT_FIELD: dict[str, Function] = {
    "backward on a copy": with_backward,
    "gradients taken away": with_zero_grad,
    "jacobian": with_jacobian,
    "each channel": each_channel,
    "several pictures": several_pictures,
}


@pytest.mark.slow
@pytest.mark.parametrize("style", RIGHT_FIELD)
def test_right_ways_to_measure_keep_all_points(style: str) -> None:
    for seed in range(20):
        result = graded(seed, field_by_gradient=RIGHT_FIELD[style])
        assert {part.status for part in result.parts} == {PASS}, result.parts


# -- wrong answers -------------------------------------------------------------------------------------------------


def each_block(change: Callable[[Any, int, int], None]) -> Function:
    """A student's loop: ``change(block, its number, rate)`` for the stages that lose their stride."""

    def dilate(trunk: Any, output_stride: int = 8) -> Any:
        for stage, stride in zip(trunk.stages, trunk.strides, strict=True):
            for number, block in enumerate(stage):
                if stride > output_stride:
                    change(block, number, stride // output_stride)
        trunk.strides = tuple(min(stride, output_stride) for stride in trunk.strides)
        return trunk

    return dilate


def give(convolution: Any, **settings: int) -> None:
    for name, value in settings.items():
        setattr(convolution, name, (value, value))


def everything_dilated(block: Any, number: int, rate: int) -> None:
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            give(module, stride=1, dilation=rate, padding=rate if module.kernel_size == (3, 3) else 0)


def not_padded(block: Any, number: int, rate: int) -> None:
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            give(module, stride=1, dilation=rate)


def all_padded(block: Any, number: int, rate: int) -> None:
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            give(module, stride=1, dilation=rate, padding=rate)


def still_strided(block: Any, number: int, rate: int) -> None:
    for convolution in (block.conv1, block.conv2):
        give(convolution, dilation=rate, padding=rate)


def just_not_strided(block: Any, number: int, rate: int) -> None:
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = 1  # type: ignore[assignment]


def shortcut_forgotten(block: Any, number: int, rate: int) -> None:
    give(block.conv1, stride=1, dilation=rate, padding=rate)
    give(block.conv2, stride=1, dilation=rate, padding=rate)


def later_blocks(block: Any, number: int, rate: int) -> None:
    everything_dilated(block, number, rate if number else rate // 2)


def always_two(block: Any, number: int, rate: int) -> None:
    everything_dilated(block, number, 2)
    if number == 0:
        give(block.conv1, dilation=min(2, rate // 2), padding=min(2, rate // 2))


def with_fresh_layers(block: Any, number: int, rate: int) -> None:
    width = block.conv2.out_channels
    for name, first, d in (
        ("conv1", block.conv1.in_channels, rate if number else rate // 2),
        ("conv2", width, rate),
    ):
        setattr(block, name, nn.Conv2d(first, width, 3, padding=d, dilation=d, bias=False))
    if block.downsample is not None:
        block.downsample[0].stride = (1, 1)


def nothing_for_16(trunk: Any, output_stride: int = 8) -> Any:
    return by_recursion(trunk)


def from_its_own_stride_on(trunk: Any, output_stride: int = 8) -> Any:
    for k, stage in enumerate(trunk.stages):
        if trunk.strides[k] >= output_stride:
            for number, block in enumerate(stage):
                everything_dilated(block, number, 2 * trunk.strides[k] // output_stride)
    return trunk


def without_return(trunk: Any, output_stride: int = 8) -> None:
    with_integers(trunk, output_stride)


def of_a_copy(trunk: Any, output_stride: int = 8) -> Any:
    mine = copy.deepcopy(trunk)
    return by_recursion(mine, output_stride)


def silent(trunk: Any, output_stride: int = 8) -> Any:
    strides = trunk.strides
    by_recursion(trunk, output_stride)
    trunk.strides = strides
    return trunk


def counted_out(trunk: Any, output_stride: int = 8) -> Any:
    for b in range(6):
        block = trunk.stages[2][b]
        everything_dilated(block, b, 2)
    for b in range(3):
        everything_dilated(trunk.stages[3][b], b, 4)
    return trunk


WRONG_DILATE: list[tuple[str, Function]] = [
    ("first block dilated throughout", each_block(everything_dilated)),
    ("padding left at 1", each_block(not_padded)),
    ("projection padded", each_block(all_padded)),
    ("stride left", each_block(still_strided)),
    ("no dilation", each_block(just_not_strided)),
    ("projection's stride left", each_block(shortcut_forgotten)),
    ("first block left at the old rate", each_block(later_blocks)),
    ("not doubled again", each_block(always_two)),
    ("weights drawn anew", each_block(with_fresh_layers)),
    ("output_stride ignored", nothing_for_16),
    ("one stage too many", from_its_own_stride_on),
    ("nothing returned", without_return),
    ("a copy", of_a_copy),
    ("strides not updated", silent),
    ("ResNet34's numbers of blocks", counted_out),
]


@pytest.mark.slow
@pytest.mark.parametrize(("mistake", "wrong"), WRONG_DILATE, ids=[name for name, _ in WRONG_DILATE])
def test_wrong_ways_to_dilate_are_named(mistake: str, wrong: Function) -> None:
    for seed in (31, 32):
        result = graded(seed, dilate=wrong)
        assert result.earned < EXERCISE.points
        assert [found.name for found in result.mistakes][:1] == [mistake]


def student(
    judge: Callable[[Tensor], Any] = bounds,
    unit: Callable[[Tensor], Tensor] | None = None,
    images: Callable[..., Tensor] = torch.randn,
    clean: bool = True,
    ready: Callable[[nn.Module], Any] = nn.Module.eval,
) -> Function:
    """backward() on the picture, one thing wrong; ``judge`` sees the gradient, (3, height, width)."""

    def field(network: nn.Module, height: int, width: int) -> Any:
        ready(network)
        x = images(1, 3, height, width).requires_grad_()
        y = network(x)
        centre = y[..., y.shape[-2] // 2, y.shape[-1] // 2] if unit is None else unit(y)
        learn = [p for p in network.parameters() if p.requires_grad]
        centre.sum().backward()
        if clean:
            for parameter in learn:
                parameter.grad = None
        assert x.grad is not None
        return judge(x.grad[0])

    return field


def any_colour(gradient: Tensor) -> Tensor:
    return gradient.abs().amax(0) > 0


def only_sides(gradient: Tensor) -> tuple[int, int]:
    """As it is printed: width x height."""
    height, width = bounds(any_colour(gradient))
    return width, height


def number_of_pixels(gradient: Tensor) -> tuple[int, int]:
    side = int(np.sqrt(np.count_nonzero(any_colour(gradient).numpy())))
    return side, side


def lines(gradient: Tensor) -> list[int]:
    rows, columns = np.nonzero(any_colour(gradient).numpy())
    return [len(set(rows)), len(set(columns))]


def difference(gradient: Tensor) -> tuple[int, int]:
    rows, columns = np.nonzero(any_colour(gradient).numpy())
    return (int(np.ptp(rows)), int(np.ptp(columns))) if len(rows) else (0, 0)


def first_and_last(gradient: Tensor) -> tuple[int, int]:
    """IndexError where there is none."""
    rows = any_colour(gradient).any(dim=1).nonzero()
    columns = any_colour(gradient).any(dim=0).nonzero()
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1


def by_size_of_map(network: nn.Module, height: int, width: int) -> Any:
    field = student(lambda g: bounds(any_colour(g)), lambda y: y[0, :, height // 2, width // 2])
    return field(network, height, width)


def right(gradient: Tensor) -> tuple[int, int]:
    return bounds(any_colour(gradient))


WRONG_FIELD: list[tuple[str, Function]] = [
    ("gradient of the whole map", student(right, lambda y: y.mean((2, 3)))),
    ("the corner unit", student(right, lambda y: y.flatten(2)[..., 0])),
    ("the picture's centre", by_size_of_map),
    (
        "one unit before the centre",
        student(right, lambda y: y[0, :, int((y.size(2) - 1) / 2), int((y.size(3) - 1) / 2)]),
    ),
    ("last minus first", student(difference)),
    ("height and width swapped", student(only_sides)),
    ("rows and columns counted", student(lines)),
    ("root of the number of pixels", student(number_of_pixels)),
    ("red only", student(lambda g: bounds(g[0].abs() > 0))),
    ("one channel of the map", student(right, lambda y: y[0][0][len(y[0][0]) // 2][len(y[0][0][0]) // 2])),
    ("positive gradients only", student(lambda g: bounds(g.amax(0) > 0))),
    ("colours cancel", student(lambda g: bounds(g.mean(0).abs() > 0))),
    ("threshold", student(lambda g: bounds(g.abs().amax(0) > 0.01 * g.abs().max()))),
    ("threshold", student(lambda g: bounds(~torch.isclose(g, torch.zeros(())).all(0)))),
    ("a constant picture", student(right, images=torch.ones)),
    ("a constant picture", student(right, images=torch.zeros)),
    ("stops where no pixel counts", student(first_and_last)),
    ("training mode", student(right, ready=nn.Module.train)),
    ("training mode", student(right, ready=lambda network: None)),
    ("gradients left in the parameters", student(right, clean=False)),
    ("parameters frozen", student(right, ready=lambda network: network.eval().requires_grad_(False))),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mistake", "wrong"), WRONG_FIELD, ids=[f"{i}-{name}" for i, (name, _) in enumerate(WRONG_FIELD)]
)
def test_wrong_ways_to_measure_are_named(mistake: str, wrong: Function) -> None:
    for seed in (31, 32, 33):
        result = graded(seed, field_by_gradient=wrong)
        assert result.earned < EXERCISE.points
        assert mistake in [found.name for found in result.mistakes]


def test_one_cause_is_named_once() -> None:
    for mistake in EXERCISE.mistakes:
        result = evaluate(EXERCISE, InProcess(mistake.namespace), 61)
        assert [found.name for found in result.mistakes] == [mistake.name]


def test_doing_nothing_earns_nothing() -> None:
    result = graded(41, dilate=lambda trunk, output_stride=8: trunk, field_by_gradient=lambda *given: (0, 0))
    assert result.earned == 0


def test_maps_enlarged_afterwards_are_not_dilated() -> None:
    """Repeating units meets the specification at the old places, and nowhere else."""

    def repeating(trunk: Any, output_stride: int = 8) -> Any:
        strides, run = trunk.strides, trunk.forward
        new = [min(stride, output_stride) for stride in strides]

        def forward(images: Tensor) -> list[Tensor]:
            sizes = [[-(-side // stride) for side in images.shape[2:]] for stride in new]
            maps = zip(run(images), strides, new, sizes, strict=True)
            return [
                m.repeat_interleave(o // n, 2).repeat_interleave(o // n, 3)[..., : s[0], : s[1]]
                for m, o, n, s in maps
            ]

        trunk.forward, trunk.strides = forward, tuple(new)
        return trunk

    result = graded(42, dilate=repeating)
    earned = {part.title: part.earned for part in result.parts}
    assert earned["finer maps"] == 1
    assert earned["the same values at the old places"] == 0
    assert earned["any output stride, any trunk"] == 0


def test_a_recorded_answer_is_no_answer() -> None:
    tape: list[Any] = []

    def recorded(network: nn.Module, height: int, width: int) -> Any:
        tape.append(REFERENCE["field_by_gradient"](network, height, width))
        return tape[-1]

    def played(network: nn.Module, height: int, width: int) -> Any:
        return tape.pop(0)

    assert graded(51, field_by_gradient=recorded).earned == EXERCISE.points
    assert graded(52, field_by_gradient=played).earned < EXERCISE.points


def test_strides_are_read_from_another_process(child: Piped) -> None:
    source = f"from {EXERCISE.reference.__module__} import EXERCISE\nglobals().update(EXERCISE.reference())"
    assert child.define([source]) == []
    assert evaluate(EXERCISE, child, 71).earned == EXERCISE.points
