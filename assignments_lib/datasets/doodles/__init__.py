"""Doodles: line drawings in Quick, Draw!'s form and classes, drawn by a program instead of by millions of people.

Nothing here is traced from a real drawing: `things` says how people go about drawing a cat or a train, `pen` is
the hand that does it in a hurry, `raster` turns strokes into pixels as Quick, Draw!'s bitmaps were made.

    draw("cat", seed=3)                       one picture, 28 x 28 uint8
    load("train", per_class=800)              a labelled set, `Pictures`
    load_shifted("slanted", per_class=50)     the test drawings as other people draw: `SHIFTS`
    strokes("cat", np.random.default_rng(3))  the pen's path

The real data set: The Quick, Draw! Dataset, Google Creative Lab, https://github.com/googlecreativelab/quickdraw-dataset
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tqdm.auto import tqdm

from ..pictures import Pictures
from ..root import data_root
from . import cache
from .pen import Pen, Points
from .pretraining_things import PRETRAINING_THINGS
from .raster import render
from .shifted import SHIFTS, render_shifted
from .things import THINGS

__all__ = ["CLASSES", "PRETRAINING_CLASSES", "SHIFTS", "draw", "load", "load_shifted", "render", "strokes"]

CLASSES = tuple(THINGS)
PRETRAINING_CLASSES = tuple(PRETRAINING_THINGS)

_USES = {use: number for number, use in enumerate(("train", "test", "single", *SHIFTS))}
_ALL = THINGS | PRETRAINING_THINGS


def strokes(name: str, rng: np.random.Generator) -> list[Points]:
    """The pen's path of one drawing of ``name``: strokes (n, 2) of x and y in a unit square, y down.

    The longer side spans the square, the other begins at 0, coordinates are multiples of 1/255 and points that
    a line does not need are left out: the form of Quick, Draw!'s simplified drawings.
    Raises ValueError for a name that is in neither CLASSES nor PRETRAINING_CLASSES.
    """
    if name not in _ALL:
        raise ValueError(f"nobody has taught the pen to draw {name!r}; it knows {', '.join(_ALL)}")
    pen = Pen(rng)
    _ALL[name](pen)
    return pen.finish()


def draw(name: str, seed: int, size: int = 28) -> npt.NDArray[np.uint8]:
    """One picture (size, size) uint8 of ``name``: 0 is background, 255 is ink. Raises as `strokes` does."""
    return render(strokes(name, _rng(seed, "single", name, 0)), size)


def load(
    split: str = "train",
    *,
    classes: Sequence[str] = CLASSES,
    per_class: int = 1000,
    size: int = 28,
    seed: int = 0,
    root: str | Path | None = None,
) -> Pictures:
    """A set of ``per_class`` drawings of each of ``classes``; images (N, 1, size, size) uint8.

    The classes take turns (label 0, 1, ..., 0, 1, ...), so any beginning of the set is balanced; a smaller set
    is the beginning of a larger one, and a drawing is the same whatever else is drawn. The splits "train" and
    "test" share no drawing. Drawn once and then read from ``root`` (default `data_root()`) / "doodles".
    Raises ValueError for an unknown split or class.
    """
    if split not in ("train", "test"):
        raise ValueError(f'there is no split {split!r}; choose "train" or "test"')

    def picture(name: str, index: int) -> npt.NDArray[np.uint8]:
        return render(strokes(name, _rng(seed, split, name, index)), size)

    return _drawn(picture, f"{split}-{size}px-seed{seed}", "doodles", classes, per_class, size, root)


def load_shifted(
    kind: str,
    *,
    classes: Sequence[str] = CLASSES,
    per_class: int = 50,
    size: int = 28,
    seed: int = 0,
    root: str | Path | None = None,
) -> Pictures:
    """The drawings of the split "test", drawn the way other people draw; images (N, 1, size, size) uint8.

    ``kind`` is one of `SHIFTS`: "slanted", "small", "off-centre", "thick" or "mixed"; `shifted` says how far each
    goes. Picture i shows drawing i of ``load("test", ...)`` with the same classes and seed, so that the two can
    be compared pair by pair, and none of the training set. Order, cache and errors are those of `load`; raises
    ValueError for an unknown kind too.
    """
    if kind not in SHIFTS:
        raise ValueError(f"there is no shift {kind!r}; choose one of {', '.join(SHIFTS)}")

    def picture(name: str, index: int) -> npt.NDArray[np.uint8]:
        drawing = strokes(name, _rng(seed, "test", name, index))
        return render_shifted(drawing, kind, _rng(seed, kind, name, index), size)

    label = f"test-{kind}-{size}px-seed{seed}"
    return _drawn(picture, label, f"doodles, {kind}", classes, per_class, size, root)


def _drawn(
    picture: Callable[[str, int], npt.NDArray[np.uint8]],
    label: str,
    called: str,
    classes: Sequence[str],
    per_class: int,
    size: int,
    root: str | Path | None,
) -> Pictures:
    """The first ``per_class`` pictures ``picture(name, index)`` of each class, from the cache or drawn now."""
    unknown = [name for name in classes if name not in _ALL]
    if unknown or not classes:
        raise ValueError(f"nobody has taught the pen to draw {unknown}; it knows {', '.join(_ALL)}")
    if per_class < 1 or size < 1:
        raise ValueError(f"per_class and size must be at least 1, not {per_class} and {size}")
    folder = Path(root) if root is not None else data_root()
    found, missing = {}, []
    for name in classes:
        path = folder / "doodles" / f"{name.replace(' ', '-')}-{label}.npz"
        images = cache.read(path, per_class, size)
        if images is None:
            missing.append((name, path))
        else:
            found[name] = images
    for name, path in tqdm(missing, desc=f"drawing {called}", unit="class", leave=False, disable=not missing):
        found[name] = np.stack([picture(name, index) for index in range(per_class)])
        cache.write(path, found[name])
    images = np.stack([found[name] for name in classes], axis=1).reshape(-1, 1, size, size)
    labels = torch.arange(len(classes)).repeat(per_class)
    return Pictures(torch.from_numpy(images), labels, tuple(classes), called)


def _rng(seed: int, use: str, name: str, index: int) -> np.random.Generator:
    """A generator of its own for every drawing; the class enters by its name, not by its place in a list."""
    entropy = (seed, _USES[use], zlib.crc32(name.encode()), index)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
