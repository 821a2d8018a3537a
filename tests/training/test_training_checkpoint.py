"""Checkpoints: loaded where they fit, said to be of no use where they don't, never half written."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from broken_disk import fill
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from assignments_lib.datasets.pictures import Pictures
from assignments_lib.training import History, fit, seed_everything
from assignments_lib.training.checkpoint import Checkpoint, DoesNotFit, probe, same_outputs
from assignments_lib.training.loop import Accuracy


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "checkpoints" / "toy" / "net.safetensors"


class Net(nn.Module):
    """Names of its own, a buffer (BatchNorm's), and one weight that two layers share."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.första = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.twice = nn.Linear(4, 4)
        self.again = nn.Linear(4, 4)
        self.again.weight = self.twice.weight
        self.head = nn.Linear(4, classes)

    def forward(self, images: Tensor) -> Tensor:
        features = self.norm(self.första(images)).relu().mean((2, 3))
        return self.head(self.again(self.twice(features).relu()))


class WithoutRelu(Net):
    """The same parameters, another network."""

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.again(self.twice(self.norm(self.första(images)).mean((2, 3)))))


class Trainer:
    """A stand-in for a training loop, which counts its calls and moves every parameter."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, model: nn.Module, loader: Any, optimizer: Any, device: str = "cpu") -> float:
        self.calls += 1
        model.train()
        for images, _ in loader:
            optimizer.zero_grad()
            model(images).square().mean().backward()
            optimizer.step()
        return 0.5


def pictures(count: int, name: str = "toys") -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(count)
    images = torch.randint(256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator)
    labels = torch.randint(2, (count,), generator=generator)
    return DataLoader(Pictures(images, labels, ("dark", "light"), name), batch_size=8)


def run(model: nn.Module, seed: int = 0, **changed: Any) -> tuple[History, int]:
    """The history, and how many epochs were really trained."""
    trainer = Trainer()
    seed_everything(seed)
    options: dict[str, Any] = {
        "epochs": 2,
        "train_one_epoch": trainer,
        "evaluate": lambda *_, **__: (0.25, 0.75),
        "device": "cpu",
        "checkpoint": "toy/net",
        "precision": "float32",
        **changed,
    }
    data = options.pop("data", pictures(32))
    optimizer = options.pop("optimizer", None) or torch.optim.SGD(model.parameters(), options.pop("lr", 0.1))
    return fit(model, data, pictures(16), optimizer, **options), trainer.calls


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_round_trip(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, again = Net(), Net()
    history, calls = run(first, name="toy")
    assert calls == 2
    assert data.is_file()
    assert [path.name for path in data.parent.iterdir()] == ["net.safetensors"]

    seen: list[History] = []
    capsys.readouterr()
    loaded, calls = run(again, watch=seen.append)
    assert calls == 0
    assert loaded == history
    assert loaded.name == "toy"
    assert seen == [loaded]
    assert equal(state(first), state(again))
    assert again.again.weight is again.twice.weight
    said = capsys.readouterr().out
    assert "Loaded data/checkpoints/toy/net.safetensors" in said
    assert "retrain=True" in said
    assert str(data.parent) not in said


def test_retrain_trains_and_replaces(data: Path) -> None:
    run(Net())
    before = data.read_bytes()
    model = Net()
    _, calls = run(model, retrain=True)
    assert calls == 2
    assert data.read_bytes() != before
    again = Net()
    assert run(again)[1] == 0
    assert equal(state(model), state(again))


def test_changed_forward_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    run(Net())
    changed = WithoutRelu()
    assert run(changed)[1] == 2
    assert "the network has changed" in capsys.readouterr().out


def test_a_refused_checkpoint_leaves_the_network_as_it_was() -> None:
    run(Net())
    changed = WithoutRelu()
    before = state(changed)
    seen: list[dict[str, Tensor]] = []

    def look(model: nn.Module, *_: Any, **__: Any) -> float:
        seen.append(state(model))
        return 0.5

    run(changed, train_one_epoch=look)
    assert equal(before, seen[0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": Net(3)}, "parameters (names and shapes)"),
        ({"epochs": 3}, "epochs: 2 then, 3 now"),
        ({"lr": 0.2}, "learning rates: [0.1] then, [0.2] now"),
        ({"data": pictures(24)}, "toys, 32 samples then, toys, 24 samples now"),
        ({"data": pictures(32, "others")}, "training data"),
    ],
)
def test_another_run_is_noticed(
    changed: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(Net())
    capsys.readouterr()
    model = changed.pop("model", None) or Net()
    _, calls = run(model, **changed)
    assert calls == changed.get("epochs", 2)
    assert said in capsys.readouterr().out


def test_frozen_backbone_is_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    run(Net())
    frozen = Net()
    frozen.första.requires_grad_(False)
    assert run(frozen)[1] == 2
    assert "trainable parameters" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "foreign"])
def test_damaged_file_is_noticed_and_replaced(
    damage: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(Net())
    if damage == "cut":
        data.write_bytes(data.read_bytes()[:-100])
    elif damage == "noise":
        data.write_bytes(os.urandom(2000))
    elif damage == "empty":
        data.write_bytes(b"")
    else:
        save_file({"weight": torch.ones(2)}, data)
    assert run(Net())[1] == 2
    assert "damaged" in capsys.readouterr().out
    assert run(Net())[1] == 0


def test_contents_are_what_was_trained_under_its_own_names(data: Path) -> None:
    assert Checkpoint("toy/net").contents() is None
    model = Net()
    run(model)
    contents = Checkpoint("toy/net").contents()
    assert contents is not None
    parameters, outputs = contents
    again = Net()
    assert equal(parameters, state(model))
    again.load_state_dict(parameters)
    with torch.no_grad():
        now = again.eval()(probe((1, 8, 8)))
    assert outputs is not None
    assert torch.allclose(now, outputs, atol=1e-6)
    assert same_outputs(now, outputs)
    assert not same_outputs(now.flip(1), outputs)


def test_contents_of_a_damaged_file(data: Path) -> None:
    run(Net())
    data.write_bytes(data.read_bytes()[:-100])
    with pytest.raises(DoesNotFit, match="damaged"):
        Checkpoint("toy/net").contents()


class Measured(Accuracy):
    name = "pixel accuracy"


def test_a_loaded_history_knows_what_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    run(Net(), evaluate=None, score=Measured)
    capsys.readouterr()
    loaded, calls = run(Net(), evaluate=None, score=Measured)
    assert (calls, loaded.measure) == (0, "pixel accuracy")
    assert "validation pixel accuracy" in capsys.readouterr().out


def test_interrupted_training_writes_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(*_: Any, **__: Any) -> float:
        raise KeyboardInterrupt

    history, _ = run(Net(), train_one_epoch=stop)
    assert not history
    assert not data.exists()
    assert "No checkpoint was written" in capsys.readouterr().out


def test_failed_write_loses_neither_training_nor_old_file(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(Net())
    before = data.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    history, calls = run(Net(), retrain=True)
    assert (len(history), calls) == (2, 2)
    assert "could not be written (No space left on device)" in capsys.readouterr().out
    assert data.read_bytes() == before
    assert [path.name for path in data.parent.iterdir()] == ["net.safetensors"]


@pytest.mark.parametrize("name", ["", "../net", "/net", "a/../../net", "c:/net"])
def test_names_stay_inside_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="1_resnet34/scratch"):
        run(Net(), checkpoint=name)


def test_loading_draws_no_random_numbers() -> None:
    run(Net())
    model = Net()
    run(model, seed=3)
    after = torch.rand(3)
    seed_everything(3)
    assert torch.equal(after, torch.rand(3))


# --- disks and files that fail


def test_what_could_not_be_written_is_written_later_without_training_again(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    trained = Net()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        history, calls = run(trained)
        assert calls == 2
        said = capsys.readouterr().out
        assert f"the disk that holds {data.parent} is full: free some space" in said
        assert "Nothing is lost" in said
        again = Net()
        loaded, calls = run(again, seed=1)  # the disk is still full
        assert (loaded, calls) == (history, 0)
        assert "Taken from this kernel's memory" in capsys.readouterr().out
        assert not list(data.parent.iterdir())
    loaded, calls = run(Net(), seed=1)
    assert (loaded, calls) == (history, 0)
    assert "Now it is written to data/checkpoints/toy/net.safetensors" in capsys.readouterr().out
    again = Net()
    assert run(again, seed=1)[1] == 0  # from the file
    assert "Loaded data/checkpoints/toy/net.safetensors" in capsys.readouterr().out
    assert equal(state(again), state(trained))


def test_what_is_in_memory_must_fit_as_a_file_must(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data.parent.parent.parent.mkdir()
    data.parent.parent.write_text("a file where the folder should be")
    run(Net())
    assert "there is a file where a folder should be" in capsys.readouterr().out
    assert run(WithoutRelu())[1] == 2
    assert "the network has changed" in capsys.readouterr().out


def test_a_really_full_disk(small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(small_disk))
    filler = fill(small_disk)
    trained = Net()
    assert run(trained)[1] == 2
    assert "is full" in capsys.readouterr().out
    assert not list(small_disk.rglob("*.safetensors*"))
    filler.unlink()
    assert run(Net(), seed=1)[1] == 0
    again = Net()
    assert run(again)[1] == 0
    assert "Loaded" in capsys.readouterr().out
    assert equal(state(again), state(trained))


def test_a_read_only_disk_is_read(
    small_disk: Path, read_only: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(small_disk))
    run(Net())
    with read_only(small_disk):
        assert run(Net())[1] == 0
        assert run(Net(), checkpoint="toy/other")[1] == 2
    said = capsys.readouterr().out
    assert "toy may not be written to: set the environment variable ASSIGNMENTS_DATA" in said
    assert "Nothing is lost" in said


def test_a_file_that_may_not_be_read_is_not_called_damaged(
    data: Path, forbidden: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run(Net())
    with forbidden(data):
        assert run(Net(), retrain=False)[1] == 2
    said = capsys.readouterr().out
    assert "can't be used: the file can't be read (Permission denied)" in said
    assert "damaged" not in said


@pytest.mark.parametrize("change", ["an unknown column", "a column gone", "no history"])
def test_a_checkpoint_of_another_version_is_said_to_be_one(
    data: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(Net())
    with safe_open(data, framework="pt") as file:
        about = json.loads(file.metadata()["about"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    if change == "an unknown column":
        about["history"][0]["colour"] = "red"
    elif change == "a column gone":
        del about["history"][0]["val_loss"]
    else:
        del about["history"]
    save_file(tensors, data, metadata={"about": json.dumps(about)})
    model = Net()
    assert run(model)[1] == 2
    assert "another version of assignments_lib wrote it" in capsys.readouterr().out
    assert run(Net())[1] == 0


@pytest.mark.slow
def test_a_process_killed_while_writing_leaves_no_half_checkpoint(data: Path) -> None:
    """SIGKILL between the bytes and the name: what is left isn't taken for a checkpoint, and is no hindrance."""
    program = """
import os, signal, sys
sys.path[:0] = sys.argv[1:]
import test_training_checkpoint as tests
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
tests.run(tests.Net())
"""
    died = subprocess.run([sys.executable, "-c", program, *sys.path], capture_output=True)
    assert died.returncode == -9, died.stderr
    assert [path.suffix for path in data.parent.iterdir()] == [".part"]
    assert run(Net())[1] == 2
    assert run(Net())[1] == 0
