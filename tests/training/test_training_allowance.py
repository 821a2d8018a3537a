"""A training that must be done in time passes batches over, and says so."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from assignments_lib.training import allowance as module
from assignments_lib.training import fit
from assignments_lib.training.allowance import VARIABLE, Allowance


def slow_fit(seconds_a_batch: float, seen: list[int], **options: Any) -> Any:
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    data = TensorDataset(torch.rand(40, 3, 2, 2), torch.randint(2, (40,)))

    def train_one_epoch(model: nn.Module, loader: Any, optimizer: Any, device: str) -> float:
        assert len(loader) == 10
        seen.append(0)
        for _ in loader:
            time.sleep(seconds_a_batch)
            seen[-1] += 1
        return 1.0

    return fit(
        model, DataLoader(data, 4), DataLoader(data, 40), torch.optim.SGD(model.parameters(), lr=0.1),
        epochs=3, train_one_epoch=train_one_epoch, watch=lambda history: None, precision="float32", **options,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path))


def test_a_training_in_time_sees_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "60")
    seen: list[int] = []
    assert len(slow_fit(0.0, seen, checkpoint="in time")) == 3
    assert seen == [10, 10, 10]
    said = capsys.readouterr().out
    assert "Cut short" not in said
    assert "No checkpoint" not in said


def test_a_late_one_gives_every_epoch_its_part_and_keeps_no_checkpoint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "0.9")
    seen: list[int] = []
    assert len(slow_fit(0.1, seen, checkpoint="late")) == 3
    assert all(1 <= number <= 4 for number in seen), seen
    said = capsys.readouterr().out
    assert f"it saw {sum(seen) / 30:.0%} of its batches" in said
    assert "No checkpoint was written" in said
    assert "the training was cut short" in said


def test_trainings_of_one_cell_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1.6")
    shell = SimpleNamespace(parent_header={"header": {"msg_id": "one"}})
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    first: list[int] = []
    second: list[int] = []
    elsewhere: list[int] = []
    slow_fit(0.1, first)
    slow_fit(0.1, second)
    shell.parent_header = {"header": {"msg_id": "other"}}
    slow_fit(0.1, elsewhere)
    assert second == [1, 1, 1]
    assert sum(first) > 3
    assert sum(elsewhere) > 3


def test_without_the_variable_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    loader = [1, 2, 3]
    assert Allowance.of_environment(2).over(loader) is loader


@pytest.mark.parametrize("said", ["soon", "0", "-3", "nan"])
def test_nonsense_in_the_variable_is_named(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv(VARIABLE, said)
    with pytest.raises(ValueError, match=f"{VARIABLE} must be a number of seconds above 0, not '{said}'"):
        Allowance.of_environment(1)


def test_one_batch_is_always_given_and_time_for_evaluating_is_kept() -> None:
    allowance = Allowance(0.2, 2)
    allowance.evaluated(0.15)
    assert allowance.epoch_ends() - time.perf_counter() <= 0.05
    allowance.evaluated(10.0)  # hopelessly late
    assert list(allowance.over([1, 2, 3])) == [1]
    assert allowance.cut
    assert (allowance.taken, allowance.offered) == (1, 3)


def test_a_hopeless_training_is_cut_early_and_one_with_hope_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIAL", 0.3)
    monkeypatch.setenv(VARIABLE, "1000")
    seen: list[int] = []
    slow_fit(0.1, seen)
    assert seen == [10, 10, 10]
    allowance = Allowance(20.0, 3)
    assert not allowance.judge(0.2, 5, 1000)  # too early to say
    assert not allowance.judge(0.4, 2, 1000)  # too few batches to say
    assert allowance.judge(0.4, 4, 1000)  # 300 s, and there are 20
    assert allowance.epoch_ends() - time.perf_counter() <= 0.1  # a third of what it still has
    assert not allowance.judge(0.5, 5, 1000)  # it is said once
    assert not Allowance(20.0, 3).judge(0.4, 4, 60)  # 18 s
