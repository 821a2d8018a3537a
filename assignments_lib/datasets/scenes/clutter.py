"""Clutter: things that are none of the ten and so are background, with the same colours, outlines and shading."""

from __future__ import annotations

from collections.abc import Callable

from ..doodles.pen import mirrored
from .brush import Brush
from .paint import darker, lighter


def ball(brush: Brush) -> None:
    """A round thing without stem or seam, plain or with one stripe or patch."""
    brush.round, brush.gloss = 1.0, brush.between(0, 0.6)
    colour = brush.paint("any")
    with brush.placed(angle=brush.between(0, 360)):
        brush.circle(0, 0, 1, brush.between(0.8, 1))
        brush.fill(colour)
        if brush.chance(0.4):
            brush.path((-0.96, -0.2), (0, -0.28), (0.96, -0.2), (0.96, 0.2), (0, 0.12), (-0.96, 0.2))
            brush.fill(brush.paint("any"), rim=0)


def crate(brush: Brush) -> None:
    """A box, plain or crossed by a ribbon, without windows."""
    brush.round = brush.between(0.1, 0.4)
    colour, high = brush.paint("any"), brush.between(0.5, 1)
    with brush.placed(angle=brush.between(-15, 15)):
        brush.box(-1, -high, 1, high)
        brush.fill(colour)
        if brush.chance(0.5):
            x = brush.between(-0.6, 0.6)
            brush.box(x - 0.12, -high, x + 0.12, high)
            brush.fill(brush.paint("any"), rim=0.3)


def pencil(brush: Brush) -> None:
    """A straight stick, with or without a point: long like a spoon, with no bowl."""
    half = brush.between(0.06, 0.14)
    colour = brush.paint("any")
    with brush.placed(angle=brush.between(-180, 180)):
        brush.path((-1, -half), (-1, half), (0.75, half), (0.75, -half))
        brush.fill(colour)
        if brush.chance(0.6):
            brush.path((0.75, half), (1, 0), (0.75, -half))
            brush.fill(brush.paint("cream", "wood", "black"))


def jar(brush: Brush) -> None:
    """A vessel with a lid: glass like a bottle's, without a neck."""
    brush.round, brush.gloss = 0.8, brush.between(0.2, 0.8)
    wide = brush.between(0.5, 0.8)
    with brush.placed(angle=brush.between(-12, 12)):
        half = [(-0.9 * wide, -0.7), (-wide, -0.5), (-wide, 0.8), (-0.85 * wide, 1)]
        brush.curve(*half, (0, 1), *mirrored(half), closed=True)
        brush.fill(brush.paint("any"))
        brush.box(-0.85 * wide, -0.95, 0.85 * wide, -0.68)
        brush.fill(brush.paint("any"))


def ring(brush: Brush) -> None:
    """A hoop or a reel of tape: round and open, without blades."""
    brush.round = 0.7
    colour, hole = brush.paint("any"), brush.between(0.45, 0.75)
    brush.circle(0, 0, 1, 1)
    brush.fill(colour)
    brush.circle(0, 0, hole, hole)
    brush.hole()


def leaf(brush: Brush) -> None:
    """A leaf or a petal by itself."""
    colour = brush.paint("green", "lime", "orange", "brick", "teal", "yellow")
    with brush.placed(angle=brush.between(-180, 180)):
        wide = brush.between(0.3, 0.6)
        brush.curve((-1, 0), (-0.3, -wide), (1, 0), (-0.3, wide), closed=True)
        brush.fill(colour)
        brush.line(-0.9, 0, 0.8, 0)
        brush.trace(brush.pick([darker, lighter])(colour, 0.4), 0.05)


def patch(brush: Brush) -> None:
    """A blot, a stone, a cushion: bumps all around."""
    brush.round = brush.between(0, 0.8)
    brush.bumps(0, 0, 1, brush.between(0.5, 1), brush.count(4, 8))
    brush.fill(brush.paint("any"), rim=brush.pick([0, 1]))


CLUTTER: dict[Callable[[Brush], None], float] = {
    ball: 0.22,
    crate: 0.2,
    pencil: 0.16,
    jar: 0.14,
    ring: 0.08,
    leaf: 0.1,
    patch: 0.1,
}
