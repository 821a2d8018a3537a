"""The kernel dies in the middle of a training: a new one goes on from the checkpoints, and trains nothing twice.

Each solved notebook runs in a kernel that is killed in its n-th training. A second kernel runs the cells from the top
again, as "Run All Above" does, and then what follows, to the end. The trainings are real and stored as always, but
see two batches of two epochs of small sets.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import nbformat
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

SOLUTIONS = Path(__file__).resolve().parents[2] / "notebooks" / "solutions"
MIDDLE = "in the middle of a training"
PATIENCE = 120.0  # seconds for one cell

# The first thing that runs in each kernel, before the notebook imports what it replaces.
SHORTENED = f"""
import itertools, time
import assignments_lib.datasets as _datasets, assignments_lib.training as _training

class _Few:
    def __init__(self, loader): self._loader = loader
    def __iter__(self): return itertools.islice(iter(self._loader), 2)
    def __len__(self): return min(2, len(self._loader))
    def __getattr__(self, name): return getattr(self.__dict__["_loader"], name)

_fit, _load, _load_masks = _training.fit, _datasets.load, _datasets.load_masks
_trainings = itertools.count(1)

def _short_fit(model, train, val, optimizer, *, epochs, watch=None, **options):
    number = next(_trainings)
    def watching(history):
        if number == STOP_IN and len(history) == 1:
            print({MIDDLE!r}, flush=True)
            time.sleep(600)
        if watch is not None:
            watch(history)
    return _fit(model, _Few(train), _Few(val), optimizer, epochs=min(2, epochs), watch=watching, **options)

_training.fit = _short_fit
_datasets.load = lambda *a, per_class=60, **k: _load(*a, per_class=min(60, per_class), **k)
_datasets.load_masks = lambda *a, number=40, **k: _load_masks(*a, number=min(40, number), **k)
"""


class Kernel:
    """A kernel of this Python for a notebook, in which trainings are short."""

    def __init__(self, stop_in: int, environment: dict[str, str]) -> None:
        self._manager: KernelManager
        self._client: BlockingKernelClient
        self._manager, self._client = start_new_kernel(
            kernel_name="python3", env=environment, cwd=str(SOLUTIONS.parent)
        )
        self.said = ""
        self.run(f"STOP_IN = {stop_in}\n{SHORTENED}")

    def run(self, code: str) -> bool:
        """Run a cell; False where it got into the training to stop in. What it prints is added to ``said``."""
        request = self._client.execute(code)
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=max(0.1, ends - time.monotonic()))
            except Empty:
                pytest.fail(f"this cell took more than {PATIENCE:g} s:\n{code}")
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                self.said += content["text"]
                if MIDDLE in content["text"]:
                    return False
            elif kind == "error":
                pytest.fail(f"{content['ename']}: {content['evalue']} in this cell:\n{code}")
            elif kind == "status" and content["execution_state"] == "idle":
                return True

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    kept = {key: value for key, value in os.environ.items() if key != "ASSIGNMENTS_SECONDS"}
    yield {
        **kept, "ASSIGNMENTS_DATA": str(tmp_path / "data"), "ASSIGNMENTS_OFFLINE": "1", "TORCH_HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stop_in", "finished", "stopped"),
    [
        ("1_resnet34", 2, "1_resnet34/scratch_doodles", "1_resnet34/pretrained"),
        (
            "2_data_augmentation", 4, "2_augmentation/none, 50 of doodles, seed 2",
            "2_augmentation/geometric, 50 of doodles, seed 0",
        ),
        (
            "3_classification_to_segmentation", 4, "3_segmentation/FCN-32s from scratch, scenes, seed 0",
            "3_segmentation/FCN-32s transferred, scenes, seed 0",
        ),
    ],
)  # fmt: skip
def test_a_killed_kernel_goes_on_from_the_checkpoints(
    name: str, stop_in: int, finished: str, stopped: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    notebook = nbformat.read(SOLUTIONS / f"{name}.ipynb", as_version=4)
    cells = [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and "check" not in cell.metadata.get("assignments", {})
    ]
    folder = tmp_path / "data" / "checkpoints"

    first = Kernel(stop_in, environment)
    try:
        ran = next(number for number, cell in enumerate(cells) if not first.run(cell))
    finally:
        first.kill()
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert folder / f"{finished}.safetensors" in kept
    assert len(kept) == stop_in - 1
    assert not (folder / f"{stopped}.safetensors").exists()

    second = Kernel(0, environment)
    try:
        for cell in cells[:ran]:
            assert second.run(cell)
        loaded_above = set(re.findall(r"Loaded (data/checkpoints/.*?\.safetensors)", second.said))
        for cell in cells[ran:]:
            assert second.run(cell)
    finally:
        second.kill()
    shown = {f"data/{path.relative_to(tmp_path / 'data').as_posix()}" for path in kept}
    loaded = set(re.findall(r"Loaded (data/checkpoints/.*?\.safetensors)", second.said))
    assert loaded >= shown
    assert (
        loaded_above >= shown if name != "2_data_augmentation" else loaded_above
    )  # its killed cell has several
    assert "can't be used" not in second.said
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert (folder / f"{stopped}.safetensors").is_file()
    assert not list(folder.rglob("*.part"))
