"""What data sets there are: the table that `load`, `load_masks`, `assignments data` and `assignments doctor` read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal


@dataclass(frozen=True)
class Source:
    """One data set, and where to find out about it."""

    name: str
    what: str
    licence: str
    download: str  # how much, in words; empty where nothing is downloaded
    size: int | None  # side in pixels, where nobody asks for another and it is a set of labels
    channels: int
    gives: Literal["labels", "masks"] = "labels"  # one a picture (`load`), or one a pixel (`load_masks`)

    @property
    def module(self) -> ModuleType:
        """The module with its ``load`` (imported only now: torchvision takes seconds)."""
        return import_module(f"assignments_lib.datasets.{self.name}")

    @property
    def stand_in(self) -> str:
        """The embedded set that is used where this one can't be had."""
        return "doodles" if self.gives == "labels" else "scenes"

    def present(self, root: Path) -> str:
        """What there is of it below the data folder, in words; empty when nothing.

        Raises:
            CorruptFileError: a file of it is damaged.
        """
        if not self.download:
            return "always: drawn by the package"
        words: str = self.module.present(root)
        return words


SOURCES = {
    source.name: source
    for source in (
        Source("doodles", "ten things, drawn by a program", "MIT, as the package", "", 28, 1),
        Source(
            "quickdraw",
            "the same ten things, drawn by people in 20 seconds (345 classes in all)",
            "CC BY 4.0",
            "about 15 MB of 1 GB",
            28,
            1,
        ),
        Source("cifar10", "small photographs of ten things", "none stated", "170 MB", 32, 3),
        Source("pets", "photographs of cats and dogs, 37 breeds", "CC BY-SA 4.0", "811 MB", 64, 3),
        Source(
            "scenes",
            "the ten things before backgrounds, with masks",
            "MIT, as the package",
            "",
            None,
            3,
            "masks",
        ),
        Source(
            "camvid",
            "streets, with masks of 11 classes",
            "CC BY-NC 4.0",
            "about 190 MB",
            None,
            3,
            "masks",
        ),
        Source("nuclei", "cells under the microscope, with masks", "CC0", "about 80 MB", None, 3, "masks"),
    )
}
