"""A blank exercise shows as one sentence wherever it is met, in an executed notebook too."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from assignments_lib import NotFilledIn

SENTENCE = "Exercise 1.2 (BasicBlock) is not filled in yet: write it in its cell."
IMPORT = "from assignments_lib import NotFilledIn\n"

RAISED_IN_THE_CELL = f"raise NotFilledIn({SENTENCE!r})"
RAISED_IN_A_CLASS = f"""
class BasicBlock:
    def __call__(self, images):
        raise NotFilledIn({SENTENCE!r})

def fit(model):
    for step in range(2):
        try:
            model(step)
        finally:
            print("tidied up")

fit(BasicBlock())"""
RAISED_WHILE_HANDLING = f"""
try:
    1 / 0
except ZeroDivisionError:
    raise NotFilledIn({SENTENCE!r})"""
RAISED_INSIDE_TORCH = f"""
import torch
class BasicBlock(torch.nn.Module):
    def forward(self, images):
        raise NotFilledIn({SENTENCE!r})

torch.nn.Sequential(BasicBlock())(torch.zeros(1))"""


def test_it_is_a_not_implemented_error():
    with pytest.raises(NotImplementedError, match="Exercise 1"):
        raise NotFilledIn(SENTENCE)


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param([RAISED_IN_THE_CELL, RAISED_IN_A_CLASS, RAISED_WHILE_HANDLING], id="plain"),
        pytest.param([RAISED_INSIDE_TORCH], id="torch", marks=pytest.mark.slow),
    ],
)
def test_in_a_notebook_it_is_one_sentence(tmp_path, sources):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(IMPORT + source) for source in sources]
    )
    surroundings = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, allow_errors=True, resources=surroundings).execute()
    for cell in notebook.cells:
        output = cell.outputs[-1]
        assert output.ename == "NotFilledIn", cell.source
        assert output.traceback == [f"NotFilledIn: {SENTENCE}"], cell.source
