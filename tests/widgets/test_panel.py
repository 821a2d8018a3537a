"""The panel: controls that change pictures, and still pictures where nothing can be moved."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from PIL import Image

from assignments_lib import widgets
from assignments_lib.authoring.tidy import tidy
from assignments_lib.not_filled_in import NotFilledIn
from assignments_lib.plots.style import new_figure
from assignments_lib.widgets.panel import _live, _stills

CONTROLS = {
    "mirrored": widgets.Switch(),
    "shift": widgets.Slider(-3, 3, 0, still=2, step=1),
    "dark": widgets.Slider(0.0, 1.0, 0.0, still=0.5),
}


def show(mirrored: bool, shift: int, dark: float) -> dict[str, torch.Tensor]:
    image = torch.linspace(0, 1, 8).expand(1, 4, 8).roll(shift, -1) * (1 - dark)
    return {"a ramp": image.flip(-1) if mirrored else image, "its mask": (image[0] > 0.5).long()}


def test_the_stills_show_each_control(capsys: pytest.CaptureFixture[str]) -> None:
    widgets.panel(show, title="A ramp", **CONTROLS)
    said = capsys.readouterr().out
    assert said == "A ramp, with as it is, mirrored on, shift 2, dark 0.5.\n"


def test_every_still_has_its_words() -> None:
    page = _stills("A ramp", [("as it is", show(False, 0, 0.0)), ("shift 2", show(False, 2, 0.0))])
    assert page.count("<img ") == 4
    assert set(re.findall(r'alt="([^"]+)"', page)) == {
        "A ramp: a ramp, as it is",
        "A ramp: a ramp, shift 2",
        "A ramp: its mask, as it is",
        "A ramp: its mask, shift 2",
    }


def test_a_moved_control_changes_the_pictures() -> None:
    box = _live(show, "A ramp", CONTROLS)
    knobs, screen = box.children[-1].children
    before = screen.value
    assert before.count("<img ") == 2
    knobs.children[1].value = 2
    assert screen.value != before
    assert "shift 2" in screen.value
    knobs.children[1].value = 0
    assert screen.value == before
    knobs.children[0].value = True
    assert "mirrored on" in screen.value


def test_an_error_while_a_slider_moves_is_shown() -> None:
    def fails(dark: float) -> dict[str, torch.Tensor]:
        if dark > 0.5:
            raise RuntimeError("too <dark>")
        return {"a ramp": torch.rand(1, 2, 2)}

    box = _live(fails, "", {"dark": CONTROLS["dark"]})
    knobs, screen = box.children[-1].children
    knobs.children[0].value = 0.8
    assert screen.value == "<b>RuntimeError</b>: too &lt;dark&gt;"
    knobs.children[0].value = 0.1
    assert "<img " in screen.value


def test_a_blank_exercise_stops_the_panel_at_once() -> None:
    def blank(dark: float) -> dict[str, torch.Tensor]:
        raise NotFilledIn("Exercise 2.2")

    with pytest.raises(NotFilledIn, match=r"2\.2"):
        widgets.panel(blank, dark=CONTROLS["dark"])


def drawn(sides: int, filled: str) -> widgets.Pictures:
    figure = new_figure(3, 2)
    figure.subplots().plot(range(sides), color="black" if filled == "yes" else "grey")
    return {
        "the line": widgets.Drawing(figure, f"A line of {sides} points, {filled}."),
        "said": f"<{sides}> points",
    }


class Line(widgets.Demonstration):
    title = "A line"

    def controls(self) -> dict[str, widgets.Control]:
        return {
            "sides": widgets.Slider(2, 9, 3, still=5, step=1, on_release=True),
            "filled": widgets.Choice(("yes", "no"), "yes", still="no"),
        }

    def pictures(self, sides: int, filled: str) -> widgets.Pictures:
        return drawn(sides, filled)


def test_drawings_and_sentences_move_with_their_controls() -> None:
    line = Line()
    box = _live(line.pictures, line.title, line.controls())
    knobs, screen = box.children[-1].children
    assert not knobs.children[0].continuous_update
    before = screen.value
    assert 'alt="A line of 3 points, yes."' in before
    assert "&lt;3&gt; points" in before
    knobs.children[1].value = "no"
    assert 'alt="A line of 3 points, no."' in screen.value
    assert re.findall(r"base64,([^\"]+)", screen.value) != re.findall(r"base64,([^\"]+)", before)


def test_stills_of_drawings_stand_below_one_another_with_their_own_words() -> None:
    page = _stills("A line", [("as it is", drawn(3, "yes")), ("sides 5", drawn(5, "yes"))])
    assert re.findall(r'alt="([^"]+)"', page) == ["A line of 3 points, yes.", "A line of 5 points, yes."]
    assert page.index("3 points") < page.index("sides 5") < page.index("5 points")
    assert "&lt;5&gt; points" in page
    assert "<table" not in page


def test_stills_are_small_files() -> None:
    wide = new_figure(8, 2)
    wide.subplots().plot(range(9))
    shown = {"a line": widgets.Drawing(wide, "A line that rises from left to right.")}
    first, second = re.findall(r"base64,([^\"]+)", _stills("Wide", [("as it is", shown), ("again", shown)]))
    sizes = [Image.open(io.BytesIO(base64.b64decode(each))).width for each in (first, second)]
    assert sizes == [8 * 96, round(340 * 1.25)]
    assert len(second) < len(first) < len(base64.b64encode(shown["a line"].picture.png))


def test_stills_with_photographs_keep_their_colours() -> None:
    figure = new_figure(4, 3)
    figure.subplots().imshow(torch.rand(30, 40, 3, generator=torch.Generator().manual_seed(0)).numpy())
    shown = {"noise": widgets.Drawing(figure, "Noise of all colours there are.", colours=128)}
    page = _stills("Noise", [("as it is", shown), ("again", shown)])
    assert page.count("data:image/webp;base64,") == 2
    with Image.open(io.BytesIO(base64.b64decode(re.findall(r"base64,([^\"]+)", page)[1]))) as still:
        assert len(still.convert("RGB").getcolors(1 << 20)) > 1000


def test_a_demonstration_says_what_it_would_show(capsys: pytest.CaptureFixture[str]) -> None:
    Line().show()
    assert capsys.readouterr().out == "A line, with as it is, sides 5, filled no.\n"


def test_a_choice_is_one_of_its_options() -> None:
    with pytest.raises(ValueError, match="'maybe' is none of the options 'yes', 'no'"):
        widgets.Choice(("yes", "no"), "yes", still="maybe")


def test_a_demonstration_without_pictures_names_itself() -> None:
    class Empty(widgets.Demonstration):
        pass

    with pytest.raises(NotImplementedError, match="Empty must say what its controls are"):
        Empty().show()


@pytest.mark.slow
def test_in_a_kernel_there_are_controls_and_in_the_stored_notebook_still_pictures() -> None:
    source = (
        "import torch\nfrom assignments_lib import widgets\n"
        "widgets.panel(lambda dark: {'a ramp': torch.linspace(0, 1, 8).expand(1, 4, 8) * dark}, 'A ramp',\n"
        "              dark=widgets.Slider(0.0, 1.0, 0.5, still=0.1))"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    output: Any = notebook.cells[0].outputs[-1]
    assert "application/vnd.jupyter.widget-view+json" in output.data
    tidy(notebook)
    assert set(notebook.cells[0].outputs[-1].data) == {"text/html", "text/plain"}
    assert notebook.cells[0].outputs[-1].data["text/html"].count("<img ") == 2
