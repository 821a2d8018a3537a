"""Displaying a figure so that people who can't see it are told what it shows.

JupyterLab (4.6) drops the ``alt`` metadata of an image, while GitHub, LaTeX and others want ``image/png``. So every
picture is published both ways: as HTML, ``<img alt=...>``, which JupyterLab, Colab, VS Code and nbconvert prefer, and
as PNG with ``alt`` in its metadata. 256 colours at most keep the two together small.
"""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

SHARPNESS = 1.5  # pixels of the file a CSS pixel, so that a picture stays readable enlarged
_CSS_PIXELS = 96  # an inch

# Words that say that there is a picture, not what is on it
_EMPTY_WORDS = frozenset(
    "a an the of and image img picture pic figure fig plot graph chart photo output png".split(" ")  # noqa: SIM905
)


@dataclass(frozen=True)
class Picture:
    """A PNG, its width in CSS pixels, and what it shows in words."""

    png: bytes
    width: int
    alt: str

    def bundle(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Data and metadata, as `IPython.display.display(..., raw=True)` takes them."""
        encoded = base64.b64encode(self.png).decode()
        alt = html.escape(self.alt, quote=True)
        tag = f'<img alt="{alt}" width="{self.width}" style="max-width:100%" src="data:image/png;base64,{encoded}">'
        data = {"text/html": tag, "image/png": encoded, "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": self.width}}


def show(figure: Figure, alt: str, *, colours: int = 256) -> None:
    """Display ``figure`` in the notebook, described by ``alt``, and close it.

    ``alt`` says what is to be seen, as one would on the telephone. Outside a notebook nothing is displayed. Where
    there is hardly more than grey, fewer ``colours`` make a smaller file.

    Raises:
        ValueError: ``alt`` is empty or says no more than that there is a picture.
    """
    publish(render(figure, alt, colours))


def render(figure: Figure, alt: str, colours: int = 256) -> Picture:
    """The figure as a `Picture`; the figure is closed, so that no front end shows it a second time.

    Raises:
        ValueError: ``alt`` is empty or says no more than that there is a picture.
    """
    alt = " ".join(alt.split())
    words = {word for word in re.findall(r"[^\W\d_]+", alt.lower()) if word not in _EMPTY_WORDS}
    if len(words) < 3:
        raise ValueError(
            f"alt={alt!r} doesn't tell a person who can't see the picture what it shows; write a sentence, such "
            "as 'Validation accuracy rises from 60 % to 91 % over ten epochs.'"
        )
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_CSS_PIXELS * SHARPNESS, facecolor="white")
    _close(figure)
    with Image.open(drawn) as image:
        small = io.BytesIO()
        # few colours cost a fraction of the bytes, and in diagrams and drawings nobody sees the difference
        # Maximum coverage: a colour of few pixels, as in a legend beside photographs, keeps its hue
        few = image.convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(small, format="png", optimize=True)
        return Picture(small.getvalue(), round(image.width / SHARPNESS), alt)


def publish(picture: Picture, handle: Any = None) -> Any:
    """Display the picture, in place of what ``handle`` shows if there is one; gives the handle.

    Outside a notebook nothing happens, and the handle is None.
    """
    if not in_notebook():
        return None
    from IPython.display import display

    data, metadata = picture.bundle()
    if handle is not None:
        handle.update(data, metadata=metadata, raw=True)
        return handle
    return display(data, metadata=metadata, raw=True, display_id=True)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def _close(figure: Figure) -> None:
    import matplotlib.pyplot as plt

    plt.close(figure)
