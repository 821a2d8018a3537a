"""One look for pictures, tables and pages: defined once, readable, and told apart with any kind of colour vision."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from contrast import contrast, luminance
from matplotlib.colors import to_rgb

from assignments_lib import look
from assignments_lib.checks.exercise import Exercise, Part, PartResult, Result
from assignments_lib.checks.report import Report
from assignments_lib.grading.page import STYLE

PACKAGE = Path(__file__).resolve().parents[1] / "assignments_lib"

# How colours look to people without one kind of cone, on linear RGB: Machado, Oliveira and Fernandes (2009), severity 1
VISION = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def lab(colour: str, vision: str) -> np.ndarray:
    """CIE L*a*b* of a colour as such eyes see it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(VISION[vision] @ linear, 0, 1)
    x, y, z = np.cbrt(np.maximum(_XYZ @ seen / _XYZ.sum(1), 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one: str, other: str, vision: str) -> float:
    """Their distance (CIE 1976); 2.3 is just noticeable."""
    return float(np.linalg.norm(lab(one, vision) - lab(other, vision)))


@pytest.mark.parametrize("vision", VISION)
def test_colours_are_told_apart(vision: str) -> None:
    """Without cones for blue, which is rare, some are nearer to each other: words, dashes and markers remain."""
    least = 8 if vision == "tritanopia" else 15
    grounds, lines = look.GROUNDS.values(), (look.BLUE, look.VERMILION, look.GREEN, look.INK)
    for one, other in [*combinations(grounds, 2), *combinations(lines, 2)]:
        assert apart(one, other, vision) >= least, (one, other)
    assert apart(look.GROUNDS[look.PASS], look.GROUNDS[look.FAIL], vision) >= 25


def test_a_red_and_a_green_that_many_men_cant_tell_apart_are_found() -> None:
    assert apart("#8e1b1b", "#1b5e20", "all cones") > 60
    assert apart("#8e1b1b", "#1b5e20", "deuteranopia") < 15


def test_words_on_grounds_have_contrast() -> None:
    assert all(contrast(to_rgb("white"), to_rgb(ground)) >= 7 for ground in look.GROUNDS.values())
    for theme in (look.LIGHT, look.DARK):
        for words in (theme.ink, theme.quiet):
            for ground in (theme.ground, theme.box):
                assert contrast(to_rgb(words), to_rgb(ground)) >= 4.5
    for tint in (look.PAPER, look.MIST, *look.BLUES[:3], *look.COUNTS, look.PALE_PURPLE, look.PALE_YELLOW):
        assert contrast(to_rgb(look.INK), to_rgb(tint)) >= 4.5


def test_blues_go_from_light_to_dark() -> None:
    values = [float(luminance(to_rgb(blue))) for blue in look.BLUES]
    assert values == sorted(values, reverse=True)


def test_a_status_looks_the_same_at_the_desk_and_on_a_page() -> None:
    parts = tuple(Part(status, 1, lambda answer, draw: iter(()), "") for status in ("a", "b", "c"))
    exercise = Exercise("9.1", "one", ("f",), parts, dict, ())
    statuses = (look.PASS, look.FAIL, look.BLANK)
    results = tuple(PartResult("it", 1, status) for status in statuses)
    table = Report(Result(exercise, results, seed=1))._repr_html_()
    for status, name in zip(statuses, ("pass", "fail", "blank"), strict=True):
        assert f'<span style="{look.badge_style(status)}">{status}</span>' in table
        assert f".{name} {{ {look.badge_style(status)} }}" in STYLE


def test_colours_and_sizes_of_type_stand_in_one_place() -> None:
    """Doodles and scenes are data, and a terminal has colours of its own."""
    colour = re.compile(r"#(?:[0-9a-fA-F]{8}|[0-9a-fA-F]{6}|[0-9a-fA-F]{3,4})\b")
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.name == "look.py" or "datasets" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        found += [
            f"{path.relative_to(PACKAGE)}: {each}"
            for each in colour.findall(text)
            if each not in ("#fff", "#000")
        ]
        found += [f"{path.relative_to(PACKAGE)}: {each}" for each in re.findall(r"fontsize=[\d.]+", text)]
    assert found == []
