"""What is stripped from an executed notebook, and what is kept."""

from __future__ import annotations

import base64
import io

import nbformat
import numpy as np
import pytest
from PIL import Image

from assignments_lib.authoring.tidy import smaller_png, tidy, without_bars

WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}


def tidied(*outputs):
    cell = nbformat.v4.new_code_cell("x", outputs=list(outputs), execution_count=1)
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    tidy(notebook)
    assert "widgets" not in notebook.metadata
    assert "execution" not in cell.metadata
    return notebook.cells[0].outputs


def stream(text, name="stderr"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def display(data):
    return nbformat.v4.new_output("display_data", data=data)


def test_widgets_are_stripped():
    assert tidied(display({**WIDGET, "text/plain": "  0%|          | 0/3"})) == []


def test_a_widget_with_another_form_keeps_that():
    (kept,) = tidied(display({**WIDGET, "text/plain": "x", "text/html": "<p>x</p>"}))
    assert set(kept.data) == {"text/plain", "text/html"}


@pytest.mark.parametrize(
    "text",
    [
        "100%|██████████| 3/3 [00:00<00:00, 9341.43it/s]\n",
        "\r  0%|          | 0/3 [00:00<?, ?it/s]\r 33%|███▎      | 1/3 [00:01<00:02,  1.00s/it]",
        "epoch 1:  50%|█████     | 5/10 [00:01<00:01,  4.00it/s, loss=2.1]\n",
        "7it [00:00, 120.00it/s]\n",
    ],
)
def test_bars_are_stripped(text):
    assert without_bars(text) == ""
    assert tidied(stream(text)) == []


def test_what_else_is_on_stderr_stays():
    text = "UserWarning: 50% of the pictures are blank\n"
    assert without_bars(text) == text
    assert without_bars(f"{text}100%|██████████| 3/3 [00:00<00:00, 93.43it/s]\n") == text


def test_stdout_is_left_alone():
    (kept,) = tidied(stream("100%|██████████| 3/3 [00:00<00:00, 93.43it/s]\n", "stdout"))
    assert kept.text.startswith("100%")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_large_pictures_shrink_and_look_the_same(mode):
    ramp = np.linspace(0, 255, 400)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 255 - ramp[:, None]), -1)
    noise = np.random.default_rng(0).normal(0, 4, picture.shape)
    image = Image.fromarray(np.clip(picture + noise, 0, 255).astype(np.uint8)).convert(mode)
    raw = io.BytesIO()
    image.save(raw, "png")
    before = base64.b64encode(raw.getvalue()).decode()

    after = smaller_png(before)
    assert len(after) < len(before) / 2
    shrunk = Image.open(io.BytesIO(base64.b64decode(after))).convert("RGBA").convert("RGB")
    assert np.abs(np.asarray(shrunk, float) - np.asarray(image.convert("RGB"), float)).mean() < 16


def test_small_pictures_are_left_alone():
    raw = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(raw, "png")
    encoded = base64.b64encode(raw.getvalue()).decode()
    assert smaller_png(encoded) == encoded
