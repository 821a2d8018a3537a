"""Every figure that a widget draws is looked at: can people read it?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from contrast import every_figure_is_legible


@pytest.fixture(autouse=True)
def _legible() -> Iterator[None]:
    with every_figure_is_legible():
        yield
