"""The checkerboard that a transposed convolution leaves, its strength as a number, and what is done about it.

Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts" (Distill, 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor, nn

from assignments_lib.datasets import scenes
from assignments_lib.look import TEXT
from assignments_lib.plots.style import BLUE, QUIET, VERMILION, new_canvas, new_figure, style
from assignments_lib.widgets.controls import Choice, Control, Slider, Switch
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures

_BLUES = LinearSegmentedColormap.from_list("blues", ["white", BLUE])
_DARKEST = 0.7  # of the blue: still light enough for dark numbers


def checkerboard_strength(pictures: Tensor, period: int) -> Tensor:
    """How much of each picture is a pattern that repeats every ``period`` pixels: (N, C, H, W) floats -> (N,), 0 to 1.

    The pixels of a picture belong to period x period *phases*: (row mod period, column mod period). Where nothing
    repeats, all phases have the same mean. The strength is the standard deviation of the phases' means, divided by
    the root mean square of all pixels: 0 for a plain picture or a slope, 1 for a checkerboard of 1 and -1. Its square
    is the share of the picture's energy at the frequencies that are multiples of 1 / period, without the mean.

    First the mean of the ``period`` x ``period`` pixels around each pixel is taken away. It leaves the pattern as it
    is, but a picture that gets brighter from left to right no longer counts as one.

    Raises:
        ValueError: the period is below 1 or the pictures aren't (N, C, H, W) with at least two periods a side.
    """
    if period < 1 or pictures.ndim != 4 or min(pictures.shape[-2:]) < 2 * period:
        raise ValueError(
            f"pictures of shape {tuple(pictures.shape)} have no period of {period} to measure: give (N, C, H, W), "
            "height and width at least twice the period, and a period of at least 1"
        )
    smooth = F.avg_pool2d(pictures, period, stride=1)
    first = (period - 1) // 2
    height, width = (size // period for size in smooth.shape[-2:])
    detail = pictures[..., first : first + height * period, first : first + width * period]
    detail = detail - smooth[..., : height * period, : width * period]
    phases = detail.unflatten(-1, (width, period)).unflatten(-3, (height, period)).mean((-4, -2))
    size = pictures.square().mean((1, 2, 3)).sqrt()
    return phases.var((-2, -1), unbiased=False).mean(1).sqrt() / size.clamp(min=1e-12)


class Checkerboard(Demonstration):
    """A smooth map, enlarged by one transposed convolution: how many stamps meet, and what that leaves."""

    title = "One transposed convolution of a smooth map, before any training"
    weights = ("all equal", "random, above 0", "random, around 0")

    def __init__(self) -> None:
        coarse = torch.rand(1, 1, 3, 4, generator=torch.Generator().manual_seed(3))
        self.map = F.interpolate(coarse, size=(12, 15), mode="bilinear", align_corners=True) * 0.7 + 0.3

    def controls(self) -> Mapping[str, Control]:
        """The kernel's size, the stride, and where the weights come from."""
        return {
            "kernel_size": Slider(2, 8, 3, 4, 1),
            "stride": Slider(1, 4, 2, 3, 1),
            "weights": Choice(self.weights, "random, above 0", "all equal"),
            "seed": Slider(0, 9, 0, 1, 1),
        }

    def enlarged(self, kernel_size: int, stride: int, weights: str, seed: int) -> tuple[Tensor, Tensor]:
        """Stamps met by each pixel and the enlarged map, both (H, W), without the borders that some stamps miss."""
        shape = (1, 1, kernel_size, kernel_size)
        ones, generator = torch.ones(shape), torch.Generator().manual_seed(seed)
        kernels: dict[str, Callable[[], Tensor]] = {
            "all equal": lambda: ones,
            "random, above 0": lambda: torch.rand(shape, generator=generator),
            "random, around 0": lambda: torch.randn(shape, generator=generator),
        }
        border = slice(kernel_size - 1, -(kernel_size - 1))
        counts = F.conv_transpose2d(torch.ones_like(self.map), ones, stride=stride)
        picture = F.conv_transpose2d(self.map, kernels[weights](), stride=stride)
        return counts[0, 0, border, border], picture[0, 0, border, border]

    def pictures(self, kernel_size: int, stride: int, weights: str, seed: int) -> Pictures:
        """The overlap counts beside the enlarged map, and the strength of what repeats."""
        counts, picture = self.enlarged(kernel_size, stride, weights, seed)
        strength = float(checkerboard_strength(picture[None, None], stride))
        corner = counts[: 2 * stride, : 2 * stride].round().long()
        fewest, most = int(corner.min()), int(corner.max())
        many = f"{most} stamp{'s meet' if most > 1 else ' lies'} in every pixel"
        meet = many if fewest == most else f"{fewest} to {most} stamps meet in a pixel"
        with style():
            figure, _ = new_canvas(7.4, 3.3, 0)
            left = figure.add_axes((0.01, 0.03, 0.37, 0.84))
            right = figure.add_axes((0.42, 0.03, 0.57, 0.84))
            left.imshow(corner.numpy() / most * _DARKEST, cmap=_BLUES, vmin=0, vmax=1)
            for (row, column), count in np.ndenumerate(corner.numpy()):
                left.text(column, row, count, ha="center", va="center")
            _titled(left, "stamps that meet, two periods")
            right.imshow(picture.numpy(), cmap="gray")
            _titled(right, f"the enlarged map: checkerboard {strength:.0%}")
        return {
            "overlap and result": Drawing(
                figure,
                f"On the left, for a kernel of {kernel_size} with stride {stride}: {meet}. On the right the enlarged "
                f"map in grey, weights {weights}, seed {seed}: {strength:.0%} of its root mean square is a pattern "
                f"that repeats every {stride} pixels.",
                colours=96,
            ),
            "In numbers": f"{meet}, and {strength:.0%} of the picture repeats every {stride} pixels."
            if stride > 1
            else f"{meet}; with stride 1 nothing is enlarged and nothing can repeat.",
        }


METHODS: Mapping[str, Callable[[int], nn.Module]] = {
    "kernel 3, stride 2": lambda width: nn.ConvTranspose2d(width, 3, 3, 2, padding=1, output_padding=1),
    "kernel 4, stride 2": lambda width: nn.ConvTranspose2d(width, 3, 4, 2, padding=1),
    "nearest, then convolution": lambda width: nn.Sequential(
        nn.Upsample(scale_factor=2), nn.Conv2d(width, 3, 3, padding=1)
    ),
    "bilinear, then convolution": lambda width: nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(width, 3, 3, padding=1)
    ),
}


class TwoLayers(nn.Module):
    """A 3x3 convolution to 16 channels with ReLU, and a layer that enlarges: (N, 3, H, W) -> (N, 3, 2H, 2W).

    Colours are handed to the layers, and taken from them, with mean 0 and standard deviation 1, as nearly as that is
    known of scenes: the network learns faster.
    """

    def __init__(self, method: str) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), METHODS[method](16))

    def forward(self, images: Tensor) -> Tensor:
        """The images at twice the size."""
        enlarged: Tensor = self.layers((images - 0.5) / 0.25) * 0.25 + 0.5  # (N, 3, 2H, 2W)
        return enlarged


@dataclass(frozen=True)
class Cured:
    """What a network makes of the held-out scenes and of plain pictures.

    ``strength`` is that of the checkerboard in the plain ones, their root mean square: whatever repeats there, the
    network has made. ``error`` is the root mean square error of the scenes, as a share of black to white.
    """

    output: Tensor  # (N, 3, H, W), the scenes
    plain: Tensor  # (8, 3, h, w), the plain ones, borders cut off
    strength: float
    error: float


class Cures(Demonstration):
    """Four ways to make a picture twice as large, before and after a few seconds' training.

    `TwoLayers` with each of the `METHODS` learn from the same crops, with the same seed and for as many steps, to give
    back scenes from copies of half the size. Then they enlarge plain pictures of eight strong colours, where every
    pattern is of their own making. They train when the numbers are first asked for, about three seconds on one core.

    Raises:
        ValueError: ``steps`` is below 1.
    """

    title = "Four ways to enlarge: the checkerboard before and after training"

    def __init__(self, steps: int = 300, seed: int = 0) -> None:
        if steps < 1:
            raise ValueError(f"training takes at least 1 step, not {steps}")
        self.steps, self.seed = steps, seed

    def controls(self) -> Mapping[str, Control]:
        """Which method's pictures to see, and whether it is trained."""
        names = tuple(METHODS)
        return {"method": Choice(names, names[0], names[2]), "trained": Switch()}

    @cached_property
    def measured(self) -> Mapping[tuple[str, bool], Cured]:
        """For each method, before (False) and after training (True)."""
        with torch.random.fork_rng(devices=[]):
            return {
                (name, trained): cured
                for name in METHODS
                for trained, cured in zip((False, True), self._both(name), strict=True)
            }

    @cached_property
    def scenes(self) -> tuple[Tensor, Tensor]:
        """Sixteen to learn from and eight to measure on, (N, 3, 80, 112) each."""
        images = np.stack([scenes.draw(seed)[0] for seed in range(24)])
        drawn = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255  # (24, 3, 80, 112)
        return drawn[:16], drawn[16:]

    def _both(self, name: str) -> tuple[Cured, Cured]:
        torch.manual_seed(self.seed)
        network = TwoLayers(name)
        before = self._measure(network)
        self._train(network)
        return before, self._measure(network)

    def _train(self, network: nn.Module) -> None:
        images, _ = self.scenes
        generator = torch.Generator().manual_seed(self.seed)
        optimizer = torch.optim.Adam(network.parameters())
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=self.steps)
        for _ in range(self.steps):
            chosen = torch.randperm(len(images), generator=generator)[:4]
            row, column = (
                int(torch.randint(size // 2 - 15, (), generator=generator)) * 2 for size in (80, 112)
            )
            large = images[chosen, :, row : row + 32, column : column + 32]  # (4, 3, 32, 32)
            loss = F.mse_loss(network(F.avg_pool2d(large, 2)), large)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()

    def _measure(self, network: nn.Module) -> Cured:
        _, images = self.scenes
        colours = torch.cartesian_prod(*[torch.tensor((0.2, 0.8))] * 3)  # (8, 3)
        with torch.no_grad():
            output = network(F.avg_pool2d(images, 2))
            plain = network(colours[:, :, None, None].expand(-1, -1, 16, 16))[
                ..., 8:-8, 8:-8
            ]  # (8, 3, 16, 16)
        strength = checkerboard_strength(plain, 2).square().mean().sqrt()
        return Cured(output, plain, float(strength), float((output - images).square().mean().sqrt()))

    def pictures(self, method: str, trained: bool) -> Pictures:
        """A scene enlarged, a plain picture enlarged, and all methods' checkerboards as bars."""
        cured = self.measured[method, trained]
        when = "after" if trained else "before"
        with style():
            figure, _ = new_canvas(7.4, 3.3, 0)
            left = figure.add_axes((0.01, 0.03, 0.52, 0.84))
            right = figure.add_axes((0.6, 0.03, 0.37, 0.84))
            left.imshow(_shown(cured.output[0, :, 20:64, 30:91], stretched=not trained))
            _titled(left, f"part of a scene, {when} training")
            plain = cured.plain[4]  # of a strong red
            right.imshow(_shown((plain - plain.mean((1, 2), keepdim=True)) * 10 + 0.5))
            _titled(right, "a plain picture, contrast × 10")
            bars = self._bars(method, trained)
        return {
            "enlarged": Drawing(
                figure,
                f"{method}, {when} training: on the left part of a scene, enlarged; on the right what becomes of a "
                "plain picture, its contrast 10 times as strong: "
                + ("grey, nothing repeats." if cured.strength < 1e-5 else "a pattern that repeats every 2 pixels."),
                colours=256,
            ),
            "measured": bars,
            "In numbers": f"{method}, {when} training: {_percent(cured.strength)} of plain pictures, enlarged, "
            f"repeats every 2 pixels. The error on scenes is {cured.error:.1%} of the range from black to white.",
        }  # fmt: skip

    def _bars(self, method: str, trained: bool) -> Drawing:
        said = []
        # One scale for both: what training buys is to be seen
        furthest = max(1e-4, *(each.strength for each in self.measured.values()))
        figure = new_figure(7.4, 2.3)
        for axes, after in zip(figure.subplots(1, 2, sharey=True), (False, True), strict=True):
            heights = [self.measured[name, after].strength for name in METHODS]
            chosen = [after == trained and name == method for name in METHODS]
            axes.barh(
                list(METHODS), heights, 0.6,
                color=[VERMILION if mine else BLUE for mine in chosen],
                hatch=["///" if mine else "" for mine in chosen],
                edgecolor="white", linewidth=0,
            )  # fmt: skip
            for line, (height, mine) in enumerate(zip(heights, chosen, strict=True)):
                weight = "bold" if mine else "normal"
                axes.text(
                    height + 0.03 * furthest, line, _percent(height) + " ◀" * mine, va="center", weight=weight
                )
            axes.set(xlim=(0, furthest * 1.45), xticks=[], title=f"{'after' if after else 'before'} training")
            axes.tick_params(left=False)
            said.append(
                f"{'after' if after else 'before'} training "
                + ", ".join(f"{name} {_percent(value)}" for name, value in zip(METHODS, heights, strict=True))
            )
        axes.invert_yaxis()  # shared: the first method on top
        return Drawing(figure, f"Bars of the checkerboard in plain pictures: {'; '.join(said)}.")


def _percent(share: float) -> str:
    return "0%" if share < 1e-5 else f"{share:.0%}" if share > 0.1 else f"{share:.2%}"


def _shown(picture: Tensor, stretched: bool = False) -> np.ndarray:
    """(3, H, W) -> (H, W, 3) in [0, 1]; if stretched, from its darkest to its lightest value."""
    if stretched:
        picture = (picture - picture.min()) / (picture.max() - picture.min()).clamp(min=1e-12)
    pixels: np.ndarray = picture.clamp(0, 1).permute(1, 2, 0).numpy()
    return pixels


def _titled(axes: Axes, title: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=TEXT, fontweight="normal")
    axes.spines[:].set(visible=True, color=QUIET)
