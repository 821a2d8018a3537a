"""Pictures to learn from: embedded by default, real by one word.

>>> pictures = load("doodles", "train", per_class=100)
>>> pictures = load("quickdraw", "train", per_class=100)
>>> print(pictures.name, len(pictures), pictures.classes)
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from assignments_lib.datasets.convert import resized, with_channels
from assignments_lib.datasets.download import CorruptFileError, DownloadError
from assignments_lib.datasets.pictures import Pictures
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split
from assignments_lib.datasets.sources import SOURCES

__all__ = ["SOURCES", "CorruptFileError", "DownloadError", "Pictures", "data_root", "load"]


def load(
    name: str,
    split: str,
    *,
    classes: Sequence[str] | None = None,
    per_class: int | None = None,
    size: int | None = None,
    root: Path | None = None,
    channels: int | None = None,
    strict: bool = False,
) -> Pictures:
    """Pictures of a data set, by its name.

    Args:
        name: "doodles" (embedded), "quickdraw", "cifar10" or "pets" (real, downloaded on first use).
        split: "train" or "test".
        classes: names of the classes wanted, in the order of their labels; the set's usual ones when None.
        per_class: at most so many pictures of each class; the set's usual number when None.
        size: side in pixels, resized with antialiasing; the set's own when None (28, 28, 32, 64).
        root: where data lives; ``data_root()`` when None.
        channels: 1 or 3; the set's own when None. Grey pictures become 3 channels without a copy.
        strict: raise instead of falling back on the embedded doodles.

    Returns:
        The pictures, labels from 0 in the order of ``classes``. Where a real set can't be had, a warning says
        what was tried and what to do, and these are the embedded doodles, of the size and channels expected;
        ``.name`` says which set it really is.

    Raises:
        ValueError: no set, split or class of that name; the message lists those there are.
        DownloadError: only with ``strict``: the set isn't there and can't be downloaded.
        CorruptFileError: a file is there but damaged; the message says which, and what to do.
    """
    if name not in SOURCES:
        raise ValueError(f"there is no data set {name!r}; there are {', '.join(SOURCES)}")
    check_split(split)
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 or 3, not {channels!r}")
    source = SOURCES[name]
    if name == "doodles":
        return with_channels(_doodles(split, classes, per_class, size, root), channels)
    try:
        pictures: Pictures = source.module.load(
            split, classes=classes, per_class=per_class, size=size, root=root, strict=strict
        )
    except DownloadError as error:
        if strict:
            raise
        warnings.warn(
            f"{name} can't be had, so these are the embedded doodles instead.\n{error}", stacklevel=2
        )
        pictures = _doodles(split, _known_to_doodles(classes), per_class, size or source.size, root)
        channels = channels or source.channels
    return with_channels(pictures, channels)


def _doodles(
    split: str, classes: Sequence[str] | None, per_class: int | None, size: int | None, root: Path | None
) -> Pictures:
    """The embedded set, with its own defaults for whatever is None.

    Drawn at 28 pixels, as the real ones are, and then resized: a network that learned from lines drawn crisply at 64
    named 78 % of real drawings, against 92 % (benchmarks/doodles_on_real.py). `doodles.load` draws at any size.
    """
    given = {"classes": classes, "per_class": per_class, "root": root}
    pictures: Pictures = SOURCES["doodles"].module.load(
        split, **{key: value for key, value in given.items() if value is not None}
    )
    return resized(pictures, size)


def _known_to_doodles(classes: Sequence[str] | None) -> Sequence[str] | None:
    """The classes asked of another set, if the doodles have them all too."""
    doodles = SOURCES["doodles"].module
    known = {*doodles.CLASSES, *doodles.PRETRAINING_CLASSES}
    return classes if classes is not None and known.issuperset(classes) else None
