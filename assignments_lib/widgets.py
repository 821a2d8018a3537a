"""A panel of controls beside the pictures that they change; a row of still pictures where nothing can be moved.

On GitHub, in a printed page, or in a notebook that nobody has run yet, the still pictures stand in, with all that they
show in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from torch import Tensor

from assignments_lib.plots.picture import in_notebook
from assignments_lib.plots.pixels import fitted, png, tag

Pictures = Mapping[str, Tensor]
_SIDE = 150  # CSS pixels of a picture's longer side
_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Slider:
    """A number from ``low`` to ``high``, first at ``value``; the still pictures show it at ``still``."""

    low: float
    high: float
    value: float
    still: float
    step: float = 0.05

    def widget(self, name: str) -> Any:
        """The control itself."""
        import ipywidgets

        whole = all(isinstance(number, int) for number in (self.low, self.high, self.value, self.step))
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        return kind(self.value, min=self.low, max=self.high, step=self.step, **_described(name))


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


def _described(name: str) -> dict[str, Any]:
    return {"description": name, "style": {"description_width": "7.5em"}, "layout": {"width": "22em"}}


def panel(show: Callable[..., Pictures], title: str = "", **controls: Slider | Switch) -> None:
    """Display the controls and what ``show(**values)`` gives for their values.

    Args:
        show: takes a value for each control, by its name, and gives pictures by their captions: (C, H, W) floats in
            [0, 1], or masks (H, W) of integers, 255 where ignored.
        title: what is to be seen, in a few words.
        controls: `Slider` or `Switch`, by the name of ``show``'s argument.

    Whatever ``show`` raises at the start is raised; what it raises while a slider moves is shown in the panel.
    """
    start = {name: control.value for name, control in controls.items()}
    stills = [("as it is", show(**start))]
    stills += [
        (f"{_words(name)} {_number(control.still)}", show(**{**start, name: control.still}))
        for name, control in controls.items()
    ]
    words = f"{title or 'Pictures'}, with {_listed([caption for caption, _ in stills])}."
    data = {"text/plain": words, "text/html": _stills(title, stills)}
    if not in_notebook():
        print(words)
        return
    from IPython.display import display

    box = _live(show, title, controls)
    if box is not None:
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        display({_VIEW: view, **data}, raw=True)
    else:
        display(data, raw=True)


def _live(show: Callable[..., Pictures], title: str, controls: Mapping[str, Slider | Switch]) -> Any:
    """The box with controls and pictures; None where ipywidgets can't be had."""
    try:
        import ipywidgets
    except ImportError:
        return None
    knobs = {name: control.widget(_words(name)) for name, control in controls.items()}
    screen = ipywidgets.HTML()

    def update(_: object = None) -> None:
        values = {name: knob.value for name, knob in knobs.items()}
        try:
            screen.value = _row(show(**values), said=_said(values))
        except Exception as error:  # a panel that falls silent helps nobody
            screen.value = f"<b>{escape(type(error).__name__)}</b>: {escape(str(error))}"

    for knob in knobs.values():
        knob.observe(update, names="value")
    update()
    heading = [ipywidgets.HTML(f"<b>{escape(title)}</b>")] if title else []
    columns = ipywidgets.HBox(
        [ipywidgets.VBox(list(knobs.values())), screen], layout={"flex_flow": "row wrap"}
    )
    return ipywidgets.VBox([*heading, columns])


def _row(pictures: Pictures, said: str) -> str:
    """Pictures side by side, each over its caption."""
    cells = "".join(
        f'<td style="padding:2px 8px;text-align:center">{_image(picture, f"{caption}, {said}")}'
        f"<br>{escape(caption)}</td>"
        for caption, picture in pictures.items()
    )
    return f"<table><tr>{cells}</tr></table>"


def _stills(title: str, stills: list[tuple[str, Pictures]]) -> str:
    """A table: the captions of the pictures down, the settings across."""
    cell = 'style="padding:2px 6px;text-align:center;font-weight:normal"'
    head = "".join(f'<th scope="col" {cell}>{escape(setting)}</th>' for setting, _ in stills)
    rows = "".join(
        f'<tr><th scope="row" {cell}>{escape(caption)}</th>'
        + "".join(
            f"<td {cell}>{_image(pictures[caption], _alt(title, caption, setting), 84, 64)}</td>"
            for setting, pictures in stills
        )
        + "</tr>"
        for caption in stills[0][1]
    )
    caption = f'<caption style="text-align:left"><b>{escape(title)}</b></caption>' if title else ""
    return f"<table>{caption}<thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _alt(title: str, caption: str, setting: str) -> str:
    return f"{title}: {caption}, {setting}" if title else f"{caption}, {setting}"


def _image(picture: Tensor, alt: str, side: int = _SIDE, colours: int | None = None) -> str:
    return tag(png(picture, colours), alt, fitted(picture, side))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}"


def _said(values: Mapping[str, float | bool]) -> str:
    return _listed([f"{_words(name)} {_number(value)}" for name, value in values.items()])


def _listed(parts: list[str]) -> str:
    return ", ".join(parts)
