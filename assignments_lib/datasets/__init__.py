"""Pictures to learn from: embedded by default, real by one word.

>>> pictures = load("doodles", "train", per_class=100)
>>> pictures = load("quickdraw", "train", per_class=100)
>>> print(pictures.name, len(pictures), pictures.classes)

With a label for every pixel:

>>> pictures = load_masks("scenes", "train", number=100)
>>> pictures = load_masks("camvid", "train", size=(96, 128))
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from assignments_lib.datasets.convert import resized, with_channels
from assignments_lib.datasets.download import CorruptFileError, DownloadError
from assignments_lib.datasets.masked import MaskedPictures
from assignments_lib.datasets.pictures import Pictures
from assignments_lib.datasets.root import data_root
from assignments_lib.datasets.selection import check_split
from assignments_lib.datasets.sources import SOURCES, STAND_INS, Kind, Source

__all__ = [
    "SOURCES",
    "CorruptFileError",
    "DownloadError",
    "MaskedPictures",
    "Pictures",
    "data_root",
    "load",
    "load_masks",
]


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
    """Pictures of a data set with a label each, by its name.

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
        ValueError: no set, split or class of that name, or the set gives masks; the message lists those there are.
        DownloadError: only with ``strict``: the set isn't there and can't be downloaded.
        CorruptFileError: a file is there but damaged; the message says which, and what to do.
    """
    source = _source(name, "labels")
    check_split(split)
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 or 3, not {channels!r}")
    if name == "doodles":
        return with_channels(_doodles(split, classes, per_class, size, root), channels)
    try:
        pictures: Pictures = source.module_for("labels").load(
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


def load_masks(
    name: str,
    split: str,
    *,
    size: tuple[int, int] | None = None,
    number: int | None = None,
    root: Path | None = None,
    strict: bool = False,
) -> MaskedPictures:
    """Pictures of a data set with a label for every pixel, by its name.

    Args:
        name: "scenes" (embedded), "camvid", "nuclei", "pets" or "voc" (real, downloaded on first use).
        split: "train" or "test".
        size: height and width in pixels; the set's own when None (scenes 80x112, camvid 360x480, nuclei 256x256,
            pets 112x128, voc 96x128).
        number: at most so many pictures; the set's usual number when None.
        root: where data lives; ``data_root()`` when None.
        strict: raise instead of falling back on the embedded scenes.

    Returns:
        The pictures and their masks. Where a real set can't be had, a warning says what was tried and what to do,
        and these are the embedded scenes, in the size asked for; ``.name`` and ``.classes`` say what they are.

    Raises:
        ValueError: no set or split of that name, or the set gives labels; the message lists those there are.
        DownloadError: only with ``strict``: the set isn't there and can't be downloaded.
        CorruptFileError: a file is there but damaged; the message says which, and what to do.
    """
    source = _source(name, "masks")
    check_split(split)
    if size is not None and not (isinstance(size, tuple | list) and len(size) == 2):
        raise ValueError(f"size must be height and width, (96, 128) for example, not {size!r}")
    given = {"size": size and tuple(size), "number": number, "root": root}
    given = {key: value for key, value in given.items() if value is not None}
    stand_in = SOURCES[STAND_INS["masks"]]
    pictures: MaskedPictures
    if source is stand_in:
        pictures = stand_in.module.load(split, **given)
        return pictures
    try:
        pictures = source.module_for("masks").load(split, **given, strict=strict)
    except DownloadError as error:
        if strict:
            raise
        warnings.warn(
            f"{name} can't be had, so these are the embedded {stand_in.name} instead.\n{error}", stacklevel=2
        )
        pictures = stand_in.module.load(split, **given)
    return pictures


def _source(name: str, kind: Kind) -> Source:
    """The set of that name, if it gives what is asked for."""
    source = SOURCES.get(name)
    if source is not None and kind in source.gives:
        return source
    there_are = ", ".join(each.name for each in SOURCES.values() if kind in each.gives)
    if source is None:
        raise ValueError(f"there is no data set {name!r}; there are {there_are}")
    (other,) = source.gives
    call = "load" if other == "labels" else "load_masks"
    raise ValueError(
        f"{name} gives {other}, not {kind}: {call}({name!r}, ...) loads it; with {kind} there are {there_are}"
    )


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
