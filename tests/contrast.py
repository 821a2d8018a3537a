"""Whether the text in a figure stands out from what is behind it: WCAG 2.2, 1.4.3, level AA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

LEAST = 4.5
LARGE, LEAST_LARGE = (18.0, 14.0), 3.0  # points, plain and bold: such text may do with less
_CROSSED = 0.2  # of a text's box may be lines and edges that run through it


def luminance(colours: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Relative luminance of sRGB colours (..., 3) in [0, 1], as WCAG defines it."""
    rgb = np.asarray(colours, dtype=np.float64)[..., :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(one: npt.ArrayLike, other: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The contrast ratio, 1 to 21."""
    first, second = luminance(one), luminance(other)
    return (np.maximum(first, second) + 0.05) / (np.minimum(first, second) + 0.05)


def hard_to_read(figure: Figure) -> list[str]:
    """Each text of the figure whose contrast with what is behind it is too low, with that contrast."""
    canvas = FigureCanvasAgg(figure)
    texts: list[Text] = []
    with pytest.MonkeyPatch.context() as patch:
        # The figure as it is without its texts, and which of them would have been drawn
        patch.setattr(Text, "draw", lambda text, *_, **__: texts.append(text))
        canvas.draw()
        behind = np.asarray(canvas.buffer_rgba())[..., :3] / 255
    found = []
    for text in {id(each): each for each in texts}.values():
        if not text.get_text().strip() or not text.get_visible():
            continue
        least = LEAST_LARGE if text.get_fontsize() >= LARGE[_bold(text)] else LEAST
        lowest = _against(text, behind, canvas)
        if lowest < least:
            found.append(f"{text.get_text()!r}: {lowest:.1f} to 1, not {least}")
    return found


def _bold(text: Text) -> bool:
    weight = text.get_fontweight()
    return weight in ("bold", "heavy", "black") or (isinstance(weight, int | float) and weight >= 700)


def _against(text: Text, behind: npt.NDArray[np.float64], canvas: FigureCanvasAgg) -> float:
    """The contrast of a text with all but the worst few pixels behind it."""
    surroundings: npt.NDArray[np.float64]
    edges = [effect for effect in text.get_path_effects() if hasattr(effect, "_gc")]
    patch = text.get_bbox_patch()
    box = text.get_window_extent(canvas.get_renderer())
    height, width = behind.shape[:2]
    rows = slice(max(0, int(height - box.y1)), max(0, int(np.ceil(height - box.y0))))
    columns = slice(max(0, int(box.x0)), min(width, max(0, int(np.ceil(box.x1)))))
    surroundings = behind[rows, columns].reshape(-1, 3)
    outline = next((effect._gc.get("foreground") for effect in edges if "foreground" in effect._gc), None)
    if outline is not None:
        surroundings = np.array([to_rgba(outline)[:3]])
    elif patch is not None:
        red, green, blue, alpha = patch.get_facecolor()
        surroundings = alpha * np.array([red, green, blue]) + (1 - alpha) * surroundings
    if not len(surroundings):
        return 21.0  # outside the figure: nobody sees it
    colour = np.array(to_rgba(text.get_color()))
    alpha = colour[3] * (1.0 if text.get_alpha() is None else text.get_alpha())
    seen = alpha * colour[:3] + (1 - alpha) * surroundings
    return float(np.quantile(contrast(seen, surroundings), _CROSSED))


@contextmanager
def every_figure_is_legible() -> Iterator[None]:
    """Within it, every figure that becomes a picture is looked at; at the end, what is hard to read fails the test."""
    from assignments_lib.plots import picture

    found: list[str] = []
    render = picture.render

    def looked_at(figure: Figure, alt: str, colours: int = 256) -> picture.Picture:
        found.extend(f"{alt[:60]}...: {words}" for words in hard_to_read(figure))
        return render(figure, alt, colours)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "render", looked_at)
        patch.setattr(import_module("assignments_lib.widgets.panel"), "render", looked_at)
        yield
    if found:
        raise AssertionError("hard to read: " + "; ".join(found))
