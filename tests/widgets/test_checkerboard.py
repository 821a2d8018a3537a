"""The checkerboard's strength on patterns that are known, and what the four ways to enlarge do to it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from assignments_lib.widgets.checkerboard import METHODS, Checkerboard, Cures, checkerboard_strength
from assignments_lib.widgets.panel import Drawing, Pictures

ROW, COLUMN = torch.meshgrid(torch.arange(24.0), torch.arange(36.0), indexing="ij")


def drawn(pictures: Pictures) -> dict[str, bytes]:
    return {
        caption: picture.picture.png for caption, picture in pictures.items() if isinstance(picture, Drawing)
    }


def strength(picture: torch.Tensor, period: int) -> float:
    return float(checkerboard_strength(picture.expand(1, 3, -1, -1), period))


@pytest.mark.parametrize("period", [1, 2, 3, 4])
def test_where_nothing_repeats_there_is_no_checkerboard(period: int) -> None:
    assert strength(torch.full((24, 36), 0.7), period) < 1e-6
    assert strength(torch.zeros(24, 36), period) == 0
    assert strength(0.2 + 0.01 * ROW + 0.02 * COLUMN, period) < 1e-5  # a slope


def test_a_checkerboard_and_nothing_else_is_1() -> None:
    board = (-1) ** (ROW + COLUMN)
    assert strength(board, 2) == pytest.approx(1, abs=1e-6)
    assert strength(board, 3) < 0.02  # it repeats every 2 pixels, not every 3
    assert strength(board, 4) == pytest.approx(1, abs=1e-6)  # and so every 4


@pytest.mark.parametrize("period", [2, 3, 4])
def test_a_weak_pattern_on_grey_is_the_ratio_of_the_two(period: int) -> None:
    tile = torch.randn(period, period, generator=torch.Generator().manual_seed(period))
    tile = 0.05 * (tile - tile.mean()) / tile.std(unbiased=False)
    picture = 0.5 + tile.repeat(24 // period, 36 // period)
    assert strength(picture, period) == pytest.approx(0.05 / (0.5**2 + 0.05**2) ** 0.5, rel=1e-4)


def test_its_square_is_a_share_of_the_spectrum() -> None:
    noise = torch.randn(24, 36, generator=torch.Generator().manual_seed(0))
    picture = 1 + 0.3 * (ROW % 2) + 0.2 * ((ROW + COLUMN) % 2) + 0.001 * noise
    energy = torch.fft.fft2(picture).abs().square()
    at_half = energy[::12, ::18].sum() - energy[0, 0]  # the frequencies 0 and 1/2 a side, without the mean
    assert strength(picture, 2) ** 2 == pytest.approx(float(at_half / energy.sum()), rel=1e-2)


def test_each_picture_is_measured_by_itself() -> None:
    both = torch.stack([torch.ones(1, 8, 8), 1 + 0.5 * ((-1) ** ROW[None, :8, :8])])
    found = checkerboard_strength(both, 2)
    assert found.shape == (2,)
    assert found.tolist() == pytest.approx([0, 0.5 / 1.25**0.5], abs=1e-6)


@pytest.mark.parametrize(("shape", "period"), [((8, 8), 2), ((1, 1, 8, 5), 3), ((1, 1, 8, 8), 0)])
def test_what_has_no_period_is_refused(shape: tuple[int, ...], period: int) -> None:
    with pytest.raises(ValueError, match=rf"no period of {period} to measure"):
        checkerboard_strength(torch.ones(shape), period)


@pytest.mark.parametrize("weights", Checkerboard.weights)
@pytest.mark.parametrize(("kernel_size", "stride"), [(2, 4), (3, 2), (8, 1), (8, 4)])
def test_the_overlap_is_what_a_kernel_of_ones_gives(kernel_size: int, stride: int, weights: str) -> None:
    counts, picture = Checkerboard().enlarged(kernel_size, stride, weights, seed=1)
    assert counts.shape == picture.shape
    assert min(counts.shape) >= 2 * stride  # enough to measure
    reaching = [
        sum((offset + stride * step) < kernel_size for step in range(kernel_size)) for offset in range(stride)
    ]
    assert set(counts.round().int().flatten().tolist()) == {a * b for a in reaching for b in reaching}


def test_even_overlap_is_even_only_for_equal_weights() -> None:
    board = Checkerboard()

    def found(kernel_size: int, weights: str, seed: int = 0) -> float:
        return float(checkerboard_strength(board.enlarged(kernel_size, 2, weights, seed)[1][None, None], 2))

    assert found(3, "all equal") > 0.3
    assert found(4, "all equal") < 0.02  # the steps of a map enlarged by repeating
    for seed in range(10):
        assert found(4, "random, around 0", seed) > 0.3  # each phase has weights of its own
    positive = [[found(size, "random, above 0", seed) for seed in range(10)] for size in (3, 4)]
    assert sum(positive[0]) > 2 * sum(positive[1])


def test_every_control_of_the_checkerboard_changes_the_picture() -> None:
    board = Checkerboard()
    controls = board.controls()
    start = {name: control.value for name, control in controls.items()}
    first = board.pictures(**start)
    for name, control in controls.items():
        moved = board.pictures(**{**start, name: control.still})
        assert moved.keys() == first.keys()
        assert drawn(moved) != drawn(first), name


@pytest.fixture(scope="module")
def hasty() -> Cures:
    return Cures(steps=20)


def test_only_a_convolution_after_enlarging_leaves_no_pattern(hasty: Cures) -> None:
    assert set(hasty.measured) == {(name, trained) for name in METHODS for trained in (False, True)}
    for (name, _), cured in hasty.measured.items():
        assert (cured.strength < 1e-6) == name.endswith("convolution"), name
        assert cured.output.shape == (8, 3, 80, 112)


def test_training_lowers_the_error_and_is_repeatable(hasty: Cures) -> None:
    state = torch.random.get_rng_state()
    again = Cures(steps=20).measured
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's random numbers are touched
    for name in METHODS:
        assert hasty.measured[name, True].error < 0.7 * hasty.measured[name, False].error
        assert again[name, True].strength == pytest.approx(hasty.measured[name, True].strength, abs=1e-6)


def test_every_control_of_the_cures_changes_every_picture(hasty: Cures) -> None:
    controls = hasty.controls()
    start = {name: control.value for name, control in controls.items()}
    first = hasty.pictures(**start)
    for name, control in controls.items():
        moved = hasty.pictures(**{**start, name: control.still})
        assert moved.keys() == first.keys()
        for caption, png in drawn(moved).items():
            assert png != drawn(first)[caption], (name, caption)


def test_no_training_is_no_comparison() -> None:
    with pytest.raises(ValueError, match="at least 1 step, not 0"):
        Cures(steps=0)


@pytest.mark.slow
def test_trained_networks_beat_bilinear_enlarging_and_keep_a_trace() -> None:
    cures = Cures()
    _, images = cures.scenes
    bilinear = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2, mode="bilinear")
    error = float((bilinear - images).square().mean().sqrt())
    for name in METHODS:
        before, after = cures.measured[name, False], cures.measured[name, True]
        assert after.error < error, name
        if name.startswith("kernel"):
            assert 0.005 < after.strength < 0.3 * before.strength
