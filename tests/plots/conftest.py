"""`shown`: what a notebook would have been given to display."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from contrast import every_figure_is_legible
from PIL import Image

from assignments_lib.plots import picture


@dataclass
class Shown:
    """One displayed output, as it stands after updates."""

    data: dict[str, str]
    metadata: dict[str, Any]
    updates: int = 0

    @property
    def alt(self) -> str:
        return self.data["text/plain"]

    @property
    def png(self) -> bytes:
        return base64.b64decode(self.data["image/png"])

    @property
    def image(self) -> Image.Image:
        return Image.open(io.BytesIO(self.png)).convert("RGB")

    def update(self, data: dict[str, str], *, metadata: dict[str, Any], raw: bool) -> None:
        assert raw
        self.data, self.metadata = data, metadata
        self.updates += 1


@dataclass
class Screen(list[Shown]):
    """Everything displayed so far."""

    display_ids: list[bool] = field(default_factory=list)

    def display(
        self, data: dict[str, str], *, metadata: dict[str, Any], raw: bool, display_id: bool
    ) -> Shown:
        assert raw
        assert display_id
        self.append(Shown(data, metadata))
        return self[-1]

    @property
    def only(self) -> Shown:
        assert len(self) == 1
        return self[0]


@pytest.fixture(autouse=True)
def _legible() -> Iterator[None]:
    with every_figure_is_legible():
        yield


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr(picture, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", screen.display)
    return screen
