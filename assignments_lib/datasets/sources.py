"""What data sets there are: the one table that `load`, `assignments data` and `assignments doctor` read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Source:
    """One data set, and where to find out about it."""

    name: str
    what: str
    licence: str
    download: str  # how much, in words; empty where nothing is downloaded
    size: int  # side in pixels, where nobody asks for another
    channels: int

    @property
    def module(self) -> ModuleType:
        """The module with its ``load`` (imported only now: torchvision takes seconds)."""
        return import_module(f"assignments_lib.datasets.{self.name}")

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
    )
}
