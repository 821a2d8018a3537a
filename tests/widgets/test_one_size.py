"""Flattening wants one size; a convolution with the same weights takes any."""

from __future__ import annotations

import pytest
import torch

from assignments_lib.widgets.one_size import SIDE, STRIDE, TRAINED, FlattenOrConvolve, OneByOne


@pytest.mark.parametrize("size", range(32, 97, 8))
def test_the_convolution_takes_any_size_and_the_layer_one(size: int) -> None:
    answers = FlattenOrConvolve().answers(size)
    assert answers.units == size // STRIDE
    assert answers.map.shape == (10, answers.units - SIDE + 1, answers.units - SIDE + 1)
    assert answers.fits == (size == TRAINED)
    assert answers.difference < 1e-5


@torch.no_grad()
def test_the_layer_itself_agrees_where_it_fits_and_refuses_where_not() -> None:
    demo = FlattenOrConvolve()
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(32))
    alone = demo.layer(demo.network(picture).flatten(1))[0]
    assert torch.allclose(alone, demo.answers(32).map[:, 0, 0], atol=1e-5)
    with pytest.raises(RuntimeError):
        demo.layer(demo.network(torch.rand(1, 3, 40, 40)).flatten(1))


def test_the_answers_differ_from_place_to_place() -> None:
    assert float(FlattenOrConvolve().answers(64).map.std((1, 2)).min()) > 0.01


def test_words_and_pictures_change_with_the_size() -> None:
    demo = FlattenOrConvolve()
    small, large = demo.pictures(32), demo.pictures(64)
    assert "it fits" in small["In numbers"]
    assert "it doesn't fit" in large["In numbers"]
    assert "384 numbers" in large["In numbers"]
    assert "5 by 5 answers" in large["both ways"].alt
    assert small["both ways"].picture.png != large["both ways"].picture.png


@torch.no_grad()
def test_a_1x1_convolution_is_the_layer_at_every_position() -> None:
    demo = OneByOne()
    scores = {}
    for row in range(demo.HEIGHT):
        for column in range(demo.WIDTH):
            alone, everywhere = demo.scores(row, column)
            by_hand = demo.layer.weight @ demo.map[:, row, column] + demo.layer.bias
            assert torch.allclose(alone, by_hand, atol=1e-6)
            assert torch.allclose(everywhere, by_hand, atol=1e-6)
            scores[row, column] = alone
    assert float(torch.stack(list(scores.values())).std(0).min()) > 0.1
    highest = torch.stack(list(scores.values())).abs().max()
    assert float(highest) < 3.2  # the bars stay inside


def test_moving_the_unit_moves_the_picture() -> None:
    demo = OneByOne()
    drawn = {demo.pictures(row, column)["one unit"].picture.png for row, column in ((2, 3), (4, 3), (2, 6))}
    assert len(drawn) == 3


def test_nobodys_seed_is_touched() -> None:
    before = torch.random.get_rng_state()
    FlattenOrConvolve().answers(32)
    OneByOne().scores(0, 0)
    assert torch.equal(torch.random.get_rng_state(), before)
