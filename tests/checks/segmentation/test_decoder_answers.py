"""Exercise 3.7: right answers in many styles keep all points; wrong ones, written as students write them, are named."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.child import Piped
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import Result, evaluate
from assignments_lib.checks.report import Report
from assignments_lib.checks.segmentation.decoder import EXERCISE

Namespace = dict[str, Callable[..., Any]]


def check(namespace: Namespace, seed: int = 0) -> Result:
    return evaluate(EXERCISE, InProcess(namespace), seed)


# -- right answers ------------------------------------------------------------------------------------------


def center_crop(features: Tensor, height: int, width: int) -> Tensor:
    top = (features.size(2) - height) // 2
    left = (features.size(3) - width) // 2
    return features[:, :, top : top + height, left : left + width]


def by_index(features: Tensor, height: int, width: int) -> Tensor:
    rows = torch.arange(height) + (features.shape[2] - height) // 2
    columns = torch.arange(width) + (features.shape[3] - width) // 2
    return features[:, :, rows][..., columns]


def by_both_ends(features: Tensor, height: int, width: int) -> Tensor:
    """Off both ends in turn, from the bottom and from the right first."""
    while features.shape[2] > height:
        features = features[:, :, :-1] if (features.shape[2] - height) % 2 else features[:, :, 1:]
    while features.shape[3] > width:
        features = features[..., :-1] if (features.shape[3] - width) % 2 else features[..., 1:]
    return features


def conv(channels: int, out_channels: int, kernel_size: int = 3, **settings: Any) -> nn.Sequential:
    settings = {"padding": kernel_size // 2, "bias": False, **settings}
    layer = nn.Conv2d(channels, out_channels, kernel_size, **settings)
    return nn.Sequential(layer, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))


class TwoConvolutions(nn.Sequential):
    def __init__(self, channels: int, out_channels: int, middle: int | None = None) -> None:
        middle = middle or out_channels
        super().__init__(conv(channels, middle), conv(middle, out_channels))


class Unet(nn.Module):
    """As the most copied U-Net has it: a difference below 0 is cut off at the top and on the left."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels, kernel_size=2, stride=2)
        self.conv = TwoConvolutions(in_channels + skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        rows, columns = skip.size(2) - x.size(2), skip.size(3) - x.size(3)
        x = F.pad(x, [columns // 2, columns - columns // 2, rows // 2, rows - rows // 2])
        return self.conv(torch.cat([skip, x], dim=1))


class CornersAligned(nn.Module):
    """Bilinear with align_corners=True, cropped at the bottom and on the right; fewer channels in between."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv = TwoConvolutions(
            in_channels + skip_channels, out_channels, (in_channels + skip_channels) // 2
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([self.up(x)[..., : skip.shape[2], : skip.shape[3]], skip], 1))


class UpConvolution(nn.Module):
    """Nearest, then a 2x2 convolution that halves the channels, as in the paper; BatchNorm on both before joining."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        half = in_channels // 2
        self.up = nn.Sequential(nn.UpsamplingNearest2d(scale_factor=2), nn.ZeroPad2d((0, 1, 0, 1)))
        self.up.append(nn.Conv2d(in_channels, half, 2))
        self.norms = nn.ModuleList([nn.BatchNorm2d(half), nn.BatchNorm2d(skip_channels)])
        self.conv = TwoConvolutions(half + skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = center_crop(self.up(x), *skip.shape[2:])
        return self.conv(torch.cat([self.norms[0](x), self.norms[1](skip)], 1))


class Shuffle(nn.Module):
    """Sub-pixel convolution; resized to the skip's size only where it differs."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.Sequential(nn.Conv2d(in_channels, 4 * in_channels, 1), nn.PixelShuffle(2))
        self.conv = TwoConvolutions(in_channels + skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        if x.shape[-2:] != skip.shape[-2:]:
            x = F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
        return self.conv(torch.cat([x, skip], 1))


class OutputSize(nn.Module):
    """A transposed convolution that is told its output's size."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1)
        self.conv = TwoConvolutions(out_channels + skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([self.up(x, output_size=list(skip.shape[-2:])), skip], 1))


class Lazy(nn.Module):
    """Layers that learn their channels from the first input; bicubic; reflected where a row is missing."""

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(2):
            self.layers += [nn.LazyConv2d(out_channels, 3, padding=1), nn.LazyBatchNorm2d(), nn.ReLU()]

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2, mode="bicubic")[..., :-1, :-1]
        x = F.pad(x, (0, skip.shape[3] - x.shape[3], 0, skip.shape[2] - x.shape[2]), mode="reflect")
        x = torch.cat([skip, x], 1)
        for layer in self.layers:
            x = layer(x)
        return x


STEPS = [Unet, CornersAligned, UpConvolution, Shuffle, OutputSize, Lazy]
CROPS = [center_crop, by_index, by_both_ends]
STYLES = [{"DecoderStep": step, "center_crop": CROPS[i % 3]} for i, step in enumerate(STEPS)]


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES, ids=[step.__name__ for step in STEPS])
def test_a_right_answer_keeps_all_points(style: Namespace) -> None:
    for seed in range(20):
        result = check(style, seed)
        assert result.earned == 9, Report(result)


@pytest.mark.parametrize("style", STYLES, ids=[step.__name__ for step in STEPS])
def test_whatever_weights_a_right_answer_starts_with_it_passes(style: Namespace) -> None:
    for start in range(10):

        class Elsewhere(InProcess):
            def forget(self) -> None:
                super().forget()
                self.seed(1000 + start)  # noqa: B023

        assert evaluate(EXERCISE, Elsewhere(style), seed=start).earned == 9


@pytest.mark.parametrize("crop", CROPS)
def test_a_right_crop_is_shown_as_the_target(crop: Callable[..., Tensor]) -> None:
    shown = demonstrate(EXERCISE.demonstrations, InProcess({"center_crop": crop}))
    assert [picture.verdict for picture in shown] == ["the same"]


# -- wrong answers ------------------------------------------------------------------------------------------


def step(
    align: Callable[[Tensor, Tensor], tuple[Tensor, ...]],
    channels: Callable[[int, int], int] = lambda a, b: a + b,
    layers: Callable[[int, int], nn.Module] = TwoConvolutions,
    dim: int = 1,
) -> type[nn.Module]:
    """A student's class: what is concatenated, [skip, x], and the layers after it."""

    class DecoderStep(nn.Module):
        def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
            super().__init__()
            self.after = layers(channels(in_channels, skip_channels), out_channels)

        def forward(self, x: Tensor, skip: Tensor) -> Tensor:
            x, skip = align(x, skip)
            return self.after(torch.cat([skip, x], dim))

    return DecoderStep


def fitted(x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
    return F.interpolate(x, skip.shape[2:], mode="bilinear"), skip


def twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


class SkipPadded(Unet):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        skip = F.pad(skip, (0, x.size(3) - skip.size(3), 0, x.size(2) - skip.size(2)), mode="replicate")
        return self.conv(torch.cat([skip, x], 1))


class SkipCropped(OutputSize):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        return self.conv(torch.cat([x, center_crop(skip, *x.shape[2:])], 1))


class NeverMatched(Unet):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([self.up(x), skip], 1))


class SkipShrunk(Shuffle):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat([x, F.adaptive_avg_pool2d(skip, x.shape[2:])], 1))


class Plus(nn.Module):
    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = TwoConvolutions(in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(x, skip.shape[2:], mode="bilinear")
        x += skip
        return self.conv(x)


class XForgotten(nn.Module):
    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convs = TwoConvolutions(skip_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = F.interpolate(x, size=skip.shape[-2:])
        return self.convs(skip)


class SkipForgotten(nn.Module):
    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convs = TwoConvolutions(in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.convs(F.interpolate(x, size=skip.shape[-2:]))


class NoGradient(CornersAligned):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        with torch.no_grad():
            x = F.interpolate(x, skip.shape[2:])
        return self.conv(torch.cat([x, skip], 1))


class EnlargedAtLast(CornersAligned):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        small = F.adaptive_max_pool2d(skip, x.shape[2:])
        return F.interpolate(self.conv(torch.cat([x, small], 1)), skip.shape[2:], mode="bilinear")


class Listed(nn.Module):
    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels, 2, stride=2)
        self.convs = [conv(in_channels + skip_channels, out_channels), conv(out_channels, out_channels)]

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = torch.cat([self.up(x)[:, :, : skip.shape[2], : skip.shape[3]], skip], 1)
        for layers in self.convs:
            x = layers(x)
        return x


class MadeInForward(nn.Module):
    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.out_channels = out_channels

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = torch.cat(fitted(x, skip), 1)
        return conv(self.out_channels, self.out_channels)(conv(x.shape[1], self.out_channels)(x))


class IdleSkipConvolution(CornersAligned):
    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, skip_channels, out_channels)
        self.reduce = nn.Conv2d(skip_channels, out_channels, 1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        self.reduce(skip)
        return super().forward(x, skip)


class InPlace(Unet):
    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return super().forward(x, F.relu(skip, inplace=True))


def plain(
    norm: bool = True, between: bool = True, last: bool = True, **settings: Any
) -> Callable[..., nn.Module]:
    def layers(channels: int, out_channels: int) -> nn.Module:
        found: list[nn.Module] = []
        for number, active in ((channels, between), (out_channels, last)):
            found.append(nn.Conv2d(number, out_channels, 3, **{"padding": 1, **settings}))
            found += [nn.BatchNorm2d(out_channels)] * norm + [nn.ReLU()] * active
        return nn.Sequential(*found)

    return layers


def python_round(features: Tensor, height: int, width: int) -> Tensor:
    top, left = round((features.size(2) - height) / 2), round((features.size(3) - width) / 2)
    return features[:, :, top : top + height, left : left + width]


def both_ends(features: Tensor, height: int, width: int) -> Tensor:
    rows, columns = (features.size(2) - height) // 2, (features.size(3) - width) // 2
    return features[:, :, rows:-rows, columns:-columns]


def without_zero(features: Tensor, height: int, width: int) -> Tensor:
    rows, columns = (features.size(2) - height) // 2, (features.size(3) - width) // 2
    return features[:, :, rows : features.size(2) - rows, columns : features.size(3) - columns]


WRONG: list[tuple[str, str, Callable[..., Any]]] = [
    ("center_crop", "cropped at the corner", lambda f, h, w: f[..., :h, :w]),
    ("center_crop", "cropped at the far corner", lambda f, h, w: f[..., f.size(2) - h :, f.size(3) - w :]),
    (
        "center_crop",
        "the extra row cut off at the top",
        lambda f, h, w: center_crop(f.flip(2, 3), h, w).flip(2, 3),
    ),
    ("center_crop", "halves rounded to even", python_round),
    ("center_crop", "the same number cut off at both ends", both_ends),
    ("center_crop", "one row and column too many", without_zero),
    ("center_crop", "height and width swapped when cropping", lambda f, h, w: by_index(f, w, h)),
    ("center_crop", "not cropped", lambda f, h, w: f.clone()),
    (
        "center_crop",
        "resized instead of cropped",
        lambda f, h, w: F.interpolate(f, (h, w), mode="bilinear", antialias=True),
    ),
    ("DecoderStep", "an even size for an odd one", SkipPadded),
    ("DecoderStep", "the skip cropped to x", SkipCropped),
    ("DecoderStep", "sizes not matched", NeverMatched),
    ("DecoderStep", "always one row and column cut off", step(lambda x, s: (twice(x)[:, :, 1:, 1:], s))),
    (
        "DecoderStep",
        "height and width swapped",
        step(lambda x, s: (F.interpolate(x, (s.size(3), s.size(2))), s)),
    ),
    ("DecoderStep", "x not enlarged", step(lambda x, s: (x, s))),
    ("DecoderStep", "the skip shrunk to x", SkipShrunk),
    (
        "DecoderStep",
        "padded instead of enlarged",
        step(
            lambda x, s: (F.pad(x, (0, s.size(3) - x.size(3), 0, s.size(2) - x.size(2)), "constant", 1.0), s)
        ),
    ),
    (
        "DecoderStep",
        "repeated as tiles",
        step(lambda x, s: (torch.cat([torch.cat([x, x], 2)] * 2, 3)[:, :, : s.size(2), : s.size(3)], s)),
    ),
    ("DecoderStep", "joined at the coarse size, enlarged afterwards", EnlargedAtLast),
    ("DecoderStep", "x ignored", XForgotten),
    ("DecoderStep", "the skip ignored", SkipForgotten),
    ("DecoderStep", "x cut off from the gradient", NoGradient),
    ("DecoderStep", "added instead of concatenated", Plus),
    ("DecoderStep", "concatenated along the batch", step(fitted, dim=0)),
    ("DecoderStep", "concatenated along the width", step(fitted, dim=-1)),
    (
        "DecoderStep",
        "all channels that went in come out",
        step(fitted, layers=lambda channels, out: conv(channels, channels)),
    ),
    ("DecoderStep", "3x3 convolutions without padding", step(fitted, layers=plain(padding=0))),
    ("DecoderStep", "no ReLU at all", step(fitted, layers=plain(between=False, last=False))),
    ("DecoderStep", "no ReLU at the end", step(fitted, layers=plain(last=False))),
    ("DecoderStep", "no ReLU between the convolutions", step(fitted, layers=plain(between=False))),
    ("DecoderStep", "no BatchNorm", step(fitted, layers=plain(norm=False))),
    ("DecoderStep", "layers in a Python list", Listed),
    ("DecoderStep", "layers made in forward", MadeInForward),
    ("DecoderStep", "a layer that is never used", IdleSkipConvolution),
    ("DecoderStep", "written into the inputs", InPlace),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mistake", "wrong"), WRONG, ids=[mistake for _, mistake, _ in WRONG])
def test_a_wrong_answer_is_named(name: str, mistake: str, wrong: Callable[..., Any]) -> None:
    for seed in (3, 4):
        result = check({**STYLES[0], name: wrong}, seed)
        assert result.earned < 9
        assert [found.name for found in result.mistakes] == [mistake], Report(result)


def test_one_wrong_name_costs_only_its_own_points() -> None:
    assert check({**STYLES[0], "center_crop": lambda *arguments: None}).earned == 6
    assert check({**STYLES[0], "DecoderStep": lambda *arguments: None}).earned == 3


def test_sizes_that_dont_fit_leave_the_points_of_even_ones() -> None:
    assert check({**STYLES[0], "DecoderStep": NeverMatched}).earned == 5


@pytest.mark.parametrize("size", [14, 224])
def test_a_size_fixed_in_advance_loses_points(size: int) -> None:
    fixed = step(lambda x, skip: (F.interpolate(x, (size, size)), skip))
    assert check({**STYLES[0], "DecoderStep": fixed}).earned == 3


def test_a_remembered_crop_doesnt_pass() -> None:
    kept: dict[Any, Tensor] = {}

    def remembered(features: Tensor, height: int, width: int) -> Tensor:
        rows, columns = features.shape[2] - height, features.shape[3] - width
        return kept.setdefault((rows, columns), center_crop(features, height, width))

    assert check({**STYLES[0], "center_crop": remembered}, seed=1).earned == 9
    assert check({**STYLES[0], "center_crop": remembered}, seed=2).earned == 6


def test_several_tensors_cross_the_pipe_as_one(child: Piped) -> None:
    """Joined in a vector, they come apart at the other side, and so do their gradients."""
    source = """
import torch
class Pair(torch.nn.Module):
    def forward(self, x, y):
        return 2 * x.sum() + 3 * (y[:, 0] - y[:, 1])
"""
    assert not child.define([source])
    joined = child.make("joined", child.call("Pair"), [[2, 1, 1], [1, 2]])
    run = child.run(joined, torch.tensor([1.0, 2.0, 5.0, 4.0]), grad_output=torch.ones(1))
    assert run.output.tolist() == [9.0]
    assert run.grad_input is not None
    assert run.grad_input.tolist() == [2.0, 2.0, 3.0, -3.0]
