"""What the lecture's demonstrations have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from assignments_lib.widgets.controls import Control
from assignments_lib.widgets.panel import SIDE, Pictures, panel


class Demonstration:
    """Pictures that depend on a few values, and a control for each of these.

    A demonstration says what its `controls` are and computes its `pictures` for their values: that part needs no
    notebook and is tested without one. `show` puts the two together.
    """

    title: ClassVar[str] = ""
    side: ClassVar[int] = SIDE  # CSS pixels of the longer side of pictures that are tensors

    def controls(self) -> Mapping[str, Control]:
        """A control for each argument of `pictures`, by its name."""
        raise NotImplementedError(f"{type(self).__name__} must say what its controls are")

    def pictures(self, *args: Any, **values: Any) -> Pictures:
        """The pictures for these values, by their captions: the same captions for all values."""
        raise NotImplementedError(f"{type(self).__name__} must say what its pictures are")

    def show(self) -> None:
        """Display the controls beside the pictures, in a notebook; else, say what would be there."""
        panel(self.pictures, self.title, side=self.side, **self.controls())
