"""How the ten things are painted: one file a thing, and a different one every time.

A function paints one in coordinates from about -1 to 1, x to the right and y down; the `Brush` adds the hand and
scales the result.
"""

from __future__ import annotations

from collections.abc import Callable

from ..brush import Brush
from .apple import apple
from .baseball import baseball
from .cat import cat
from .hospital import hospital
from .hourglass import hourglass
from .rainbow import rainbow
from .scissors import scissors
from .spoon import spoon
from .train import train
from .wine_bottle import wine_bottle

THINGS: dict[str, Callable[[Brush], None]] = {
    "apple": apple,
    "wine bottle": wine_bottle,
    "spoon": spoon,
    "rainbow": rainbow,
    "scissors": scissors,
    "hourglass": hourglass,
    "baseball": baseball,
    "hospital": hospital,
    "cat": cat,
    "train": train,
}
