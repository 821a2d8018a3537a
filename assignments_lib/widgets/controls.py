"""What can be moved in a panel. Each control knows the value it starts with and the one its still picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Slider:
    """A number from ``low`` to ``high``, first at ``value``; the still pictures show it at ``still``.

    With ``on_release`` the pictures change when the slider is let go, for those that take their time.
    """

    low: float
    high: float
    value: float
    still: float
    step: float = 0.05
    on_release: bool = False

    def widget(self, name: str) -> Any:
        """The control itself."""
        import ipywidgets

        whole = all(isinstance(number, int) for number in (self.low, self.high, self.value, self.step))
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        return kind(
            self.value, min=self.low, max=self.high, step=self.step,
            continuous_update=not self.on_release, **_described(name),
        )  # fmt: skip


@dataclass(frozen=True)
class Switch:
    """On or off, first ``value``; the still pictures show it the other way."""

    value: bool = False

    @property
    def still(self) -> bool:
        """The other way."""
        return not self.value

    def widget(self, name: str) -> Any:
        """The control itself."""
        import ipywidgets

        return ipywidgets.Checkbox(self.value, indent=False, **_described(name))


@dataclass(frozen=True)
class Choice:
    """One of several words, first ``value``; the still pictures show it at ``still``.

    Raises:
        ValueError: one of the two is none of the options.
    """

    options: Sequence[str]
    value: str
    still: str

    def __post_init__(self) -> None:
        for word in (self.value, self.still):
            if word not in self.options:
                raise ValueError(f"{word!r} is none of the options {', '.join(map(repr, self.options))}")

    def widget(self, name: str) -> Any:
        """The control itself."""
        import ipywidgets

        return ipywidgets.Dropdown(options=list(self.options), value=self.value, **_described(name))


Control = Slider | Switch | Choice


def _described(name: str) -> dict[str, Any]:
    return {"description": name, "style": {"description_width": "8em"}, "layout": {"width": "23em"}}
