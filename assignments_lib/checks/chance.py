"""What chance allows: bounds that a right answer oversteps less than once in ten million checks.

What was seen is said in words or as a yes or no, so that two answers with other random numbers can be seen to behave
alike: ``"about 0.5"``, not 0.4873.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

RARE = 1e-7  # a part may ask a few such questions: together still below one in a million


def share_in_words(hits: int, draws: int, expected: float) -> str:
    """``"about 0.5"`` where that many hits are nothing unusual, else ``"never"``, ``"always"``, or the share seen.

    ``hits`` out of independent ``draws``, each with the chance ``expected`` (Hoeffding's bound, 1963, or an exact
    one where the chance is 0 or 1).
    """
    if hits == round(expected * draws) and expected in (0.0, 1.0):
        return _about(expected)
    if 0 < expected < 1 and abs(hits / draws - expected) <= hoeffding(draws):
        return _about(expected)
    if hits == 0:
        return "never"
    if hits == draws:
        return "always"
    tenth = round(10 * hits / draws) / 10
    return f"about {tenth:g}, not {expected:g}"


def _about(share: float) -> str:
    return {0.0: "never", 1.0: "always"}.get(share, f"about {share:g}")


def hoeffding(draws: int, chance: float = RARE) -> float:
    """How far a mean of ``draws`` numbers in [0, 1] strays from its expectation at most, but for ``chance``."""
    return math.sqrt(math.log(2 / chance) / (2 * draws))


def follows(samples: Sequence[float], cdf: Callable[[float], float], chance: float = RARE) -> bool:
    """Whether independent samples may come from the distribution with this ``cdf`` (continuous or not).

    The largest distance of the two distribution functions, against the bound of Dvoretzky, Kiefer and Wolfowitz
    (with Massart's constant, 1990).
    """
    ordered = sorted(samples)
    n = len(ordered)
    if n == 0 or not all(math.isfinite(x) for x in ordered):
        return False
    allowed = math.sqrt(math.log(2 / chance) / (2 * n)) + 1e-9
    position = 0
    while position < n:
        value = ordered[position]
        end = position
        while end < n and ordered[end] == value:
            end += 1
        # the empirical function steps from position/n to end/n at value
        if abs(end / n - cdf(value)) > allowed or abs(position / n - _before(cdf, value)) > allowed:
            return False
        position = end
    return True


def _before(cdf: Callable[[float], float], value: float) -> float:
    """The distribution function just below ``value``."""
    return cdf(value - 1e-9 * max(1.0, abs(value)))


def uniform(low: float, high: float) -> Callable[[float], float]:
    """The distribution function of a number drawn evenly between two others."""
    return lambda x: min(1.0, max(0.0, (x - low) / (high - low)))


def uniform_integers(low: int, high: int) -> Callable[[float], float]:
    """The distribution function of an integer drawn evenly from low to high, both included."""
    return lambda x: min(1.0, max(0.0, (math.floor(x) - low + 1) / (high - low + 1)))


def symmetric_beta(alpha: float) -> Callable[[float], float]:
    """The distribution function of Beta(alpha, alpha), for those with a simple one: alpha 0.5, 1 or 2."""
    forms: dict[float, Callable[[float], float]] = {
        0.5: lambda x: 2 / math.pi * math.asin(math.sqrt(x)),
        1.0: lambda x: x,
        2.0: lambda x: x * x * (3 - 2 * x),
    }
    form = forms[alpha]
    return lambda x: form(min(1.0, max(0.0, x)))
