"""What data sets there are: the table that `load`, `load_masks`, `assignments data` and `assignments doctor` read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal

Kind = Literal["labels", "masks"]  # one a picture (`load`), or one a pixel (`load_masks`)
# The embedded sets, used where a real one can't be had
STAND_INS: dict[Kind, str] = {"labels": "doodles", "masks": "scenes"}


@dataclass(frozen=True)
class Source:
    """One data set, and where to find out about it."""

    name: str
    what: str
    licence: str
    download: str  # how much, in words; empty where nothing is downloaded
    size: int | None  # side in pixels, where nobody asks for another and it is a set of labels
    channels: int
    gives: tuple[Kind, ...] = ("labels",)
    origin: str = ""  # the environment variable that, like `--from`, names a copy or a mirror

    @property
    def module(self) -> ModuleType:
        """The module that fetches it, and knows what is there (imported only now: torchvision takes seconds)."""
        return import_module(f"assignments_lib.datasets.{self.name}")

    def module_for(self, kind: Kind) -> ModuleType:
        """The module whose ``load`` gives labels, or masks; of a set that gives both, masks are in `<name>_masks`."""
        if kind == self.gives[0]:
            return self.module
        return import_module(f"assignments_lib.datasets.{self.name}_{kind}")

    @property
    def stand_ins(self) -> str:
        """The embedded sets that are used where this one can't be had, in words."""
        return " or ".join(STAND_INS[kind] for kind in self.gives)

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
        Source(
            "pets",
            "photographs of cats and dogs, 37 breeds, with masks",
            "CC BY-SA 4.0",
            "811 MB",
            64,
            3,
            ("labels", "masks"),
        ),
        Source(
            "scenes",
            "the ten things before backgrounds, with masks",
            "MIT, as the package",
            "",
            None,
            3,
            ("masks",),
        ),
        Source(
            "camvid",
            "streets, with masks of 11 classes",
            "CC BY-NC 4.0",
            "about 190 MB",
            None,
            3,
            ("masks",),
        ),
        Source("nuclei", "cells under the microscope, with masks", "CC0", "about 80 MB", None, 3, ("masks",)),
        Source(
            "voc",
            "photographs of 20 kinds of things, with masks",
            "Flickr's terms of use",
            "2.0 GB; its server is often out of reach since late 2025: --from PATH_OR_URL takes a copy or a mirror",
            None,
            3,
            ("masks",),
            origin="ASSIGNMENTS_VOC",
        ),
    )
}
