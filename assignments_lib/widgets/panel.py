"""A panel of controls beside the pictures that they change; a row of still pictures where nothing can be moved.

On GitHub, in a printed page, or in a notebook that nobody has run yet, the still pictures stand in, with all that they
show in words.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from assignments_lib.plots.picture import Picture, in_notebook, render
from assignments_lib.plots.pixels import fitted, png, tag
from assignments_lib.widgets.controls import Control

SIDE = 150  # CSS pixels of a picture's longer side
_STILL = (84, 64)  # a still tensor: CSS pixels of the longer side, colours
_STILL_WIDTH = "9em"  # of what stands above and below it
# Still drawings but the first are at most so many CSS pixels wide, with so many pixels of the file for each
_STILL_DRAWING, _STILL_SHARPNESS = 340, 1.25
_STILL_COLOURS = 24
_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Drawing:
    """A matplotlib figure and what it shows, in a sentence. ``colours`` is how many the file may have.

    Raises (when shown):
        ValueError: ``alt`` says no more than that there is a picture.
    """

    figure: Figure
    alt: str
    colours: int = 48

    @cached_property
    def picture(self) -> Picture:
        """The figure as a PNG."""
        return render(self.figure, self.alt, self.colours)


Pictures = Mapping[str, Tensor | Drawing | str]


def panel(show: Callable[..., Pictures], title: str = "", *, side: int = SIDE, **controls: Control) -> None:
    """Display the controls and what ``show(**values)`` gives for their values.

    Args:
        show: takes a value for each control, by its name, and gives pictures by their captions: (C, H, W) floats in
            [0, 1], masks (H, W) of integers, 255 where ignored, a `Drawing`, or a string: what there is to say.
        title: what is to be seen, in a few words.
        side: CSS pixels of the longer side of pictures that are tensors.
        controls: `Slider`, `Switch` or `Choice`, by the name of ``show``'s argument.

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

    box = _live(show, title, controls, side)
    if box is not None:
        view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
        display({_VIEW: view, **data}, raw=True)
    else:
        display(data, raw=True)


def _live(
    show: Callable[..., Pictures], title: str, controls: Mapping[str, Control], side: int = SIDE
) -> Any:
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
            screen.value = _row(show(**values), said=_said(values), side=side)
        except Exception as error:  # a panel that falls silent helps nobody
            screen.value = f"<b>{escape(type(error).__name__)}</b>: {escape(str(error))}"

    for knob in knobs.values():
        knob.observe(update, names="value")
    update()
    heading = [ipywidgets.HTML(f"<b>{escape(title)}</b>")] if title else []
    columns = ipywidgets.HBox(
        [ipywidgets.VBox(list(knobs.values())), screen], layout={"flex_flow": "row wrap"}
    )
    box = ipywidgets.VBox([*heading, columns])
    box.add_class("assignments-panel")  # by which browser tests find it
    return box


def _row(pictures: Pictures, said: str, side: int = SIDE, still: bool = False) -> str:
    """Pictures side by side, each over its caption, and below them what there is to say."""
    cells = "".join(
        '<div style="display:inline-block;vertical-align:top;padding:2px 8px;text-align:center">'
        f"{_image(picture, f'{caption}, {said}', side, still=still)}<br>{escape(caption)}</div>"
        for caption, picture in pictures.items()
        if not isinstance(picture, str)
    )
    return f"<div>{cells}</div>{_sentences(pictures)}"


def _stills(title: str, stills: list[tuple[str, Pictures]]) -> str:
    """The settings side by side, and below one another where there is no room: drawings begin with a large one."""
    large = any(isinstance(picture, Drawing) for picture in stills[0][1].values())
    first = _row(stills[0][1], stills[0][0], still=True) if large else ""
    shown = "".join(_setting(title, *each, captions=not large) for each in (stills[1:] if large else stills))
    return f"<div><b>{escape(title)}</b>{first}<div>{shown}</div></div>"


def _setting(title: str, setting: str, pictures: Pictures, captions: bool) -> str:
    """Small pictures of one setting, under its name; drawings say themselves what they are."""
    small = "".join(
        f"{_still(picture, _alt(title, caption, setting))}<br>{f'{escape(caption)}<br>' if captions else ''}"
        for caption, picture in pictures.items()
        if not isinstance(picture, str)
    )
    room = f"max-width:{_STILL_WIDTH};text-align:center;" if captions else ""
    return (
        f'<div style="display:inline-block;vertical-align:top;{room}margin:4px 12px 4px 0">'
        f"<b>{escape(setting)}</b><br>{small}{_sentences(pictures, '28em')}</div>"
    )


def _sentences(pictures: Pictures, width: str = "52em") -> str:
    """The strings among the pictures."""
    return "".join(
        f'<div style="padding:2px 8px;max-width:{width}"><b>{escape(caption)}:</b> {escape(said)}</div>'
        for caption, said in pictures.items()
        if isinstance(said, str)
    )


def _alt(title: str, caption: str, setting: str) -> str:
    return f"{title}: {caption}, {setting}" if title else f"{caption}, {setting}"


def _still(picture: Tensor | Drawing, alt: str) -> str:
    if isinstance(picture, Drawing):
        width = min(picture.picture.width, _STILL_DRAWING)
        return _drawn(picture, width, round(width * _STILL_SHARPNESS))
    return _image(picture, alt, *_STILL)


def _image(
    picture: Tensor | Drawing, alt: str, side: int = SIDE, colours: int | None = None, still: bool = False
) -> str:
    if isinstance(picture, Drawing):
        width = picture.picture.width
        return _drawn(picture, width, width if still else None)
    return tag(png(picture, colours), alt, fitted(picture, side))


def _drawn(drawing: Drawing, width: int, pixels: int | None = None) -> str:
    """The drawing, ``width`` CSS pixels wide; its file as it is, or a small one, so many ``pixels`` wide."""
    picture = drawing.picture
    file, kind = (picture.png, "png") if pixels is None else _small(picture.png, pixels, drawing.colours)
    encoded = base64.b64encode(file).decode()
    return (
        f'<img alt="{escape(picture.alt, quote=True)}" width="{width}" style="max-width:100%" '
        f'src="data:image/{kind};base64,{encoded}">'
    )


def _small(file: bytes, width: int, colours: int) -> tuple[bytes, str]:
    """A PNG made no wider than so many pixels, and its kind: still pictures must not make a notebook heavy.

    Few colours make a diagram small; where there are photographs in it, they would show, and WebP is smaller.
    """
    with Image.open(io.BytesIO(file)) as image:
        size = (min(width, image.width), round(image.height * min(width, image.width) / image.width))
        reduced = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    small = io.BytesIO()
    if colours > 64:
        reduced.save(small, "webp", quality=72, method=6)
        return small.getvalue(), "webp"
    few = reduced.quantize(_STILL_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(small, "png", optimize=True)
    return small.getvalue(), "png"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float | bool | str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else f"{value:g}"


def _said(values: Mapping[str, float | bool | str]) -> str:
    return _listed([f"{_words(name)} {_number(value)}" for name, value in values.items()])


def _listed(parts: list[str]) -> str:
    return ", ".join(parts)
