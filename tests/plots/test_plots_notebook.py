"""In a real kernel: what an executed notebook keeps of a training run, and what its HTML page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

SETUP = """
import matplotlib.pyplot as plt
import torch
from torch import nn
from assignments_lib import NotFilledIn, plots
from assignments_lib.training import fit

def train_one_epoch(model, loader, optimizer, device="cpu"):
    for images, labels in loader:
        pass
    return 0.5

def evaluate(model, loader, device="cpu"):
    for images, labels in loader:
        pass
    return 0.25, 0.75

def run(**changed):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.LazyLinear(2))
    model(torch.zeros(1, 1, 8, 8))
    batches = [(torch.zeros(2, 1, 8, 8), torch.zeros(2, dtype=torch.long))] * 3
    options = dict(epochs=3, train_one_epoch=train_one_epoch, evaluate=evaluate, precision="float32", device="cpu")
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    return fit(model, batches, batches, optimizer, **{**options, **changed})
"""
TRAIN = "history = run(watch=plots.LiveCurves('A toy'), name='A toy')"
TABLE = "history"
FIGURE = """
%matplotlib inline
figure, axes = plt.subplots()
axes.plot([1, 2])
plots.show(figure, "A straight line that rises from one to two.")
"""
BLANK = """
def blank(*_, **__):
    raise NotFilledIn("Exercise 1.7 is not filled in yet")
run(train_one_epoch=blank)
"""
WRONG = "run(train_one_epoch=lambda *_, **__: None)"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, TRAIN, TABLE, FIGURE, BLANK, WRONG)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder: Path = tmp_path_factory.mktemp("notebook")
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=where).execute()
    return notebook


@pytest.mark.slow
def test_training_leaves_one_sentence_and_one_picture(executed: Any) -> None:
    sentence, picture = executed.cells[1].outputs
    assert list(sentence["data"]) == ["text/plain"]
    assert re.fullmatch(
        r"A toy: 3 epochs in \d+ s; best validation accuracy 75\.0 % \(epoch 1\)\.",
        sentence["data"]["text/plain"],
    )
    assert "after 3 epochs" in picture["metadata"]["image/png"]["alt"]


@pytest.mark.slow
def test_history_displays_as_a_table(executed: Any) -> None:
    (table,) = executed.cells[2].outputs
    assert table["data"]["text/html"].count("<tr>") == 4
    assert table["data"]["text/plain"].splitlines()[0].split()[0] == "epoch"


@pytest.mark.slow
def test_a_shown_figure_appears_once(executed: Any) -> None:
    (output,) = executed.cells[3].outputs
    assert output["metadata"]["image/png"]["alt"] == "A straight line that rises from one to two."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "error"),
    [
        (4, "NotFilledIn: Exercise 1.7 is not filled in yet"),
        (5, "TrainingStopped: train_one_epoch (exercise 1.7)"),
    ],
)
def test_errors_are_one_sentence(cell: int, error: str, executed: Any) -> None:
    (output,) = [each for each in executed.cells[cell].outputs if each["output_type"] == "error"]
    (line,) = output["traceback"]
    assert line.startswith(error)
    assert len(executed.cells[4].outputs) == 1  # no bar was drawn before the blank exercise was noticed


@pytest.mark.slow
def test_every_image_of_the_page_has_its_alt(executed: Any) -> None:
    page, _ = HTMLExporter().from_notebook_node(executed)
    images = [tag for tag in re.findall(r"<img[^>]*>", page) if "data:image/png" in tag]
    assert len(images) == 2
    assert 'alt="A straight line that rises from one to two."' in images[1]
    assert 'alt="A toy, after 3 epochs' in images[0]
    assert "No description has been provided" not in page
