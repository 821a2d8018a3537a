"""Bounds on chance: right generators pass, wrong ones don't."""

import math
import random

import pytest

from assignments_lib.checks.chance import (
    follows,
    hoeffding,
    share_in_words,
    symmetric_beta,
    uniform,
    uniform_integers,
)


def test_a_right_share_is_said_as_it_should_be() -> None:
    generator = random.Random(0)
    for share in (0.2, 0.5, 0.8):
        for _ in range(200):
            hits = sum(generator.random() < share for _ in range(400))
            assert share_in_words(hits, 400, share) == f"about {share:g}"


def test_wrong_shares_are_told_apart() -> None:
    assert share_in_words(0, 400, 0.5) == "never"
    assert share_in_words(400, 400, 0.5) == "always"
    assert share_in_words(100, 400, 0.5) == "about 0.2, not 0.5"
    assert share_in_words(0, 400, 0.0) == "never"
    assert share_in_words(1, 400, 0.0) == "about 0, not 0"
    assert share_in_words(400, 400, 1.0) == "always"
    assert share_in_words(200, 400, 1.0) == "about 0.5, not 1"


def test_the_bound_shrinks_with_more_draws() -> None:
    assert hoeffding(400) == pytest.approx(2 * hoeffding(1600))


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_beta(alpha: float) -> None:
    generator = random.Random(1)
    cdf = symmetric_beta(alpha)
    assert (cdf(0.0), cdf(0.5), cdf(1.0)) == pytest.approx((0.0, 0.5, 1.0))
    assert follows([generator.betavariate(alpha, alpha) for _ in range(600)], cdf)
    assert not follows([generator.betavariate(alpha, 4 * alpha) for _ in range(600)], cdf)
    assert not follows([generator.betavariate(8, 8) for _ in range(600)], cdf)
    assert not follows([0.5] * 600, cdf)


def test_uniform_numbers() -> None:
    generator = random.Random(2)
    assert follows([generator.uniform(-30, 30) for _ in range(600)], uniform(-30, 30))
    assert not follows([generator.uniform(0, 30) for _ in range(600)], uniform(-30, 30))
    assert not follows([generator.gauss(0, 5) for _ in range(600)], uniform(-30, 30))
    assert not follows([], uniform(0, 1))
    assert not follows([math.nan] * 100, uniform(0, 1))


def test_uniform_integers_with_their_ties() -> None:
    generator = random.Random(3)
    assert follows([float(generator.randint(0, 4)) for _ in range(600)], uniform_integers(0, 4))
    assert not follows([float(generator.randint(0, 3)) for _ in range(900)], uniform_integers(0, 4))
    assert not follows([2.0] * 600, uniform_integers(0, 4))


def test_a_right_answer_hardly_ever_fails() -> None:
    """None in 2,000 trials: a bound that failed once in a thousand would show."""
    generator = random.Random(4)
    cdf = uniform(0, 1)
    assert all(follows([generator.random() for _ in range(50)], cdf) for _ in range(2000))
