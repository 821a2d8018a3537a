"""The panel: controls that change pictures, and still pictures where nothing can be moved."""

from __future__ import annotations

import re
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from assignments_lib import widgets
from assignments_lib.authoring.tidy import tidy
from assignments_lib.not_filled_in import NotFilledIn

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
    page = widgets._stills("A ramp", [("as it is", show(False, 0, 0.0)), ("shift 2", show(False, 2, 0.0))])
    assert page.count("<img ") == 4
    assert set(re.findall(r'alt="([^"]+)"', page)) == {
        "A ramp: a ramp, as it is",
        "A ramp: a ramp, shift 2",
        "A ramp: its mask, as it is",
        "A ramp: its mask, shift 2",
    }


def test_a_moved_control_changes_the_pictures() -> None:
    box = widgets._live(show, "A ramp", CONTROLS)
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

    box = widgets._live(fails, "", {"dark": CONTROLS["dark"]})
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
