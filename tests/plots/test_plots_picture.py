"""Every picture says in words what it shows, in the places where front ends look."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from assignments_lib.plots import picture, show
from assignments_lib.plots.style import INK, LINES, QUIET, style

ALT = 'Two lines: "training" falls from 2.1 to 0.3 & validation stays < 0.5.'


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def figure() -> Figure:
    drawn = Figure(figsize=(4, 2))
    drawn.subplots().plot([1, 2, 3])
    return drawn


def test_alt_is_where_front_ends_look_for_it(shown: Any) -> None:
    show(figure(), ALT)
    output = shown.only
    assert output.data.keys() == {"text/html", "image/png", "text/plain"}
    ((tag, attributes),) = Tags(output.data["text/html"]).found
    assert tag == "img"
    assert attributes["alt"] == output.metadata["image/png"]["alt"] == output.data["text/plain"] == ALT
    assert attributes["src"] == f"data:image/png;base64,{output.data['image/png']}"
    assert int(attributes["width"] or 0) == output.metadata["image/png"]["width"] == 4 * 96
    assert output.image.width == 1.5 * 4 * 96


@pytest.mark.parametrize(
    "alt", ["", "   ", "figure", "A picture.", "plot 3", "the figure of the plot", "img.png"]
)
def test_trivial_alt_is_refused(alt: str, shown: Any) -> None:
    with pytest.raises(ValueError, match="doesn't tell a person"):
        show(figure(), alt)
    assert not shown


def test_pyplot_figures_are_closed(shown: Any) -> None:
    drawn, _ = plt.subplots()
    show(drawn, ALT)
    assert not plt.fignum_exists(drawn.number)


def test_outside_a_notebook_nothing_happens(capsys: pytest.CaptureFixture[str]) -> None:
    show(figure(), ALT)
    assert capsys.readouterr() == ("", "")
    assert picture.publish(picture.render(figure(), ALT)) is None


def test_the_background_is_opaque_white(shown: Any) -> None:
    with matplotlib.rc_context({"savefig.transparent": True, "savefig.facecolor": "black"}):
        show(figure(), ALT)
    assert shown.only.image.getpixel((0, 0)) == (255, 255, 255)


def test_style_is_the_same_whatever_the_notebook_set_and_is_undone() -> None:
    with matplotlib.rc_context({"font.size": 3, "text.usetex": True}):
        with style():
            assert matplotlib.rcParams["font.size"] >= 9
            assert not matplotlib.rcParams["text.usetex"]
        assert matplotlib.rcParams["font.size"] == 3


def luminance(colour: Any) -> float:
    """WCAG 2 relative luminance."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in matplotlib.colors.to_rgb(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Any, other: Any) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_colours_have_aa_contrast() -> None:
    for colour in (INK, QUIET, *(look["color"] for look in LINES)):
        assert contrast(colour, "white") >= 4.5, colour


def test_numbers_in_the_confusion_matrix_have_aa_contrast() -> None:
    darkest = matplotlib.colormaps["Blues"](0.6)  # the limit that `confusion` keeps to
    assert contrast(INK, darkest) >= 4.5


def test_lines_differ_in_more_than_colour() -> None:
    assert len({str(look["linestyle"]) for look in LINES}) == len(LINES)
    assert len({look["marker"] for look in LINES}) == len(LINES)
