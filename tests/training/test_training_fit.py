"""`fit` around a toy loop: what it records, what it hands to the loop, how it stops."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from assignments_lib import NotFilledIn
from assignments_lib.training import History, TrainingStopped, fit, seed_everything


class Net(nn.Module):
    """Two convolutions and a head, enough for every path through `fit`."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(8, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images).mean((2, 3)))


def train(model: nn.Module, loader: Any, optimizer: Any, device: str = "cpu") -> float:
    model.train()
    total = 0.0
    for images, labels in loader:
        loss = F.cross_entropy(model(images.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model: nn.Module, loader: Any, device: str = "cpu") -> tuple[float, float]:
    model.eval()
    total, right = 0.0, 0
    for images, labels in loader:
        logits = model(images.to(device))
        total += F.cross_entropy(logits, labels.to(device), reduction="sum").item()
        right += int((logits.argmax(1).cpu() == labels).sum())
    return total / len(loader.dataset), right / len(loader.dataset)


def bright_or_dark(count: int, seed: int) -> TensorDataset:
    """Noise, brighter in class 1: learned in an epoch or two."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (count,), generator=generator)
    images = torch.rand(count, 1, 8, 8, generator=generator) * 0.5 + 0.5 * labels[:, None, None, None]
    return TensorDataset(images, labels)


def loaders() -> tuple[DataLoader[Any], DataLoader[Any]]:
    return (
        DataLoader(bright_or_dark(96, 0), batch_size=16, shuffle=True),
        DataLoader(bright_or_dark(40, 1), batch_size=16),
    )


def run(epochs: int = 2, lr: float = 0.05, **options: Any) -> tuple[nn.Module, History]:
    seed_everything(0)
    model = options.pop("model", None) or Net()
    options = {
        "train_one_epoch": train,
        "evaluate": evaluate,
        "device": "cpu",
        "precision": "float32",
        **options,
    }
    return model, fit(model, *loaders(), torch.optim.SGD(model.parameters(), lr), epochs=epochs, **options)


def test_history_is_what_the_functions_returned() -> None:
    given: list[Any] = []

    def remember(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*inputs: Any, **options: Any) -> Any:
            given.append(function(*inputs, **options))
            return given[-1]

        return call

    _, history = run(3, train_one_epoch=remember(train), evaluate=remember(evaluate), name="toy")
    assert [(row.train_loss, (row.val_loss, row.val_accuracy)) for row in history] == list(
        zip(given[0::2], given[1::2], strict=True)
    )
    assert [row.epoch for row in history] == [1, 2, 3]
    assert all(row.seconds > 0 for row in history)
    assert (history.name, history.planned) == ("toy", 3)
    assert history.last.train_loss < history[0].train_loss


def test_fit_trains_exactly_as_the_bare_loop_does() -> None:
    fitted, _ = run(2)
    seed_everything(0)
    bare = Net()
    optimizer = torch.optim.SGD(bare.parameters(), 0.05)
    train_loader, val_loader = loaders()
    for _ in range(2):
        train(bare, train_loader, optimizer)
        evaluate(bare, val_loader)
    assert all(torch.equal(a, b) for a, b in zip(fitted.parameters(), bare.parameters(), strict=True))


def test_the_watched_loader_passes_for_the_loader() -> None:
    train_loader, val_loader = loaders()

    def look(model: nn.Module, loader: Any, optimizer: Any, device: str = "cpu") -> float:
        assert len(loader) == len(train_loader) == 6
        assert loader.dataset is train_loader.dataset
        assert loader.batch_size == 16
        assert len(copy.copy(loader)) == 6
        assert [len(labels) for _, labels in loader] == [16] * 6
        assert device == "cpu"
        with pytest.raises(AttributeError, match="no_such_thing"):
            loader.no_such_thing  # noqa: B018
        return 1.0

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    fit(
        model,
        train_loader,
        val_loader,
        optimizer,
        epochs=1,
        train_one_epoch=look,
        evaluate=evaluate,
        device="cpu",
    )


def test_any_iterable_of_batches_will_do() -> None:
    images, labels = bright_or_dark(8, 0).tensors
    seen = []

    def count(model: nn.Module, loader: Any, optimizer: Any, device: str = "cpu") -> float:
        seen.append(sum(len(labels) for _, labels in loader))
        return 1.0

    class Stream:
        def __iter__(self) -> Any:
            yield images, labels

    model = Net()
    options: Any = {"epochs": 1, "train_one_epoch": count, "device": "cpu"}
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    fit(model, Stream(), [(images, labels)], optimizer, evaluate=lambda *_, **__: (1.0, 0.5), **options)
    assert seen == [8]


def test_scheduler_steps_once_an_epoch_and_watch_sees_each() -> None:
    seen = []
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    fit(
        model,
        *loaders(),
        optimizer,
        epochs=3,
        train_one_epoch=train,
        evaluate=lambda *_, **__: (1.0, 0.5),
        scheduler=torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1),
        watch=lambda history: seen.append((len(history), optimizer.param_groups[0]["lr"])),
        device="cpu",
    )
    assert [count for count, _ in seen] == [1, 2, 3]
    assert [rate for _, rate in seen] == pytest.approx([0.1, 0.01, 0.001])


def test_plateau_scheduler_gets_the_validation_loss() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    options: Any = {"train_one_epoch": lambda *_, **__: 1.0, "evaluate": lambda *_, **__: (2.0, 0.5)}
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    fit(model, *loaders(), optimizer, epochs=2, scheduler=plateau, device="cpu", **options)
    assert plateau.best == 2.0
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "returned None (is the return statement missing?)"),
        (torch.tensor(1.0, requires_grad=True), "still carries its graph"),
        (torch.ones(3), r"tensor of shape (3,)"),
        ("0.5", "something of type str"),
        ((0.5, 0.9), "a tuple of 2 values"),
    ],
)
def test_wrong_training_loss_is_named(given: Any, said: str) -> None:
    with pytest.raises(TrainingStopped) as stopped:
        run(train_one_epoch=lambda *_, **__: given)
    assert said in str(stopped.value)
    assert "train_one_epoch (exercise 1.7)" in str(stopped.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "returned None"),
        (0.8, "the single number 0.8"),
        ((0.5, 0.9, 1), "a tuple of 3 values"),
        ((0.5, None), "None (is the return statement missing?) as the accuracy"),
        ((0.5, 87.5), "87.5 as the accuracy, which is not in [0, 1]"),
    ],
)
def test_wrong_evaluation_is_named(given: Any, said: str) -> None:
    with pytest.raises(TrainingStopped) as stopped:
        run(evaluate=lambda *_, **__: given)
    assert said in str(stopped.value)
    assert "evaluate (exercise 1.7)" in str(stopped.value)


def test_numbers_of_other_kinds_are_numbers() -> None:
    _, history = run(
        1,
        train_one_epoch=lambda *_, **__: np.float32(0.5),
        evaluate=lambda *_, **__: (torch.tensor(0.25), np.float64(0.75)),
    )
    assert (history.last.train_loss, history.last.val_loss, history.last.val_accuracy) == (0.5, 0.25, 0.75)
    assert all(type(value) is float for value in (history.last.train_loss, history.last.val_loss))


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_loss_that_is_not_finite_stops_with_advice(loss: float) -> None:
    losses = iter([1.0, loss])
    with pytest.raises(TrainingStopped, match="learning rate is too high") as stopped:
        run(5, train_one_epoch=lambda *_, **__: next(losses))
    assert f"epoch 2 is {loss}" in str(stopped.value)
    assert len(stopped.value.history) == 1
    assert stopped.value._render_traceback_() == [f"TrainingStopped: {stopped.value}"]


def test_real_divergence_is_caught() -> None:
    with pytest.raises(TrainingStopped, match="learning rate"):
        run(4, lr=1e30)


@pytest.mark.parametrize("blank", ["train_one_epoch", "evaluate"])
def test_not_filled_in_passes_untouched(blank: str, capsys: pytest.CaptureFixture[str]) -> None:
    raised = NotFilledIn("Exercise 1.7 is not filled in yet")

    def stub(*_: Any, **__: Any) -> None:
        raise raised

    with pytest.raises(NotFilledIn) as caught:
        run(**{blank: stub})
    assert caught.value is raised
    assert capsys.readouterr() == ("", "")


def test_blank_network_passes_untouched() -> None:
    class Blank(Net):
        def forward(self, images: Tensor) -> Tensor:
            raise NotFilledIn("Exercise 1.4 is not filled in yet")

    with pytest.raises(NotFilledIn, match=r"1\.4"):
        run(model=Blank(), precision="auto")


def test_interrupt_keeps_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    losses = iter([0.9, 0.8])

    def until_stopped(*_: Any, **__: Any) -> float:
        try:
            return next(losses)
        except StopIteration:
            raise KeyboardInterrupt from None

    _, history = run(5, train_one_epoch=until_stopped, evaluate=lambda *_, **__: (1.0, 0.5))
    assert history.column("train_loss") == [0.9, 0.8]
    assert "stopped after 2 of 5 epochs" in capsys.readouterr().out


def test_without_watch_every_epoch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    run(2, train_one_epoch=lambda *_, **__: 0.5, evaluate=lambda *_, **__: (0.25, 0.875))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith(
        "epoch 2/2: training loss 0.500, validation loss 0.250, validation accuracy 87.5 %"
    )
    assert "2 epochs in" in lines[2]


class Half:
    """A score that is always a half, and has a name."""

    name = "mIoU"

    def update(self, logits: Tensor, labels: Tensor) -> None:
        assert len(logits) == len(labels)

    def compute(self) -> float:
        return 0.5


def test_a_score_is_called_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    _, history = run(1, evaluate=None, score=Half)
    assert (history.measure, history.last.val_accuracy) == ("mIoU", 0.5)
    assert "validation mIoU" in repr(history)
    assert '<th scope="col">validation mIoU</th>' in history._repr_html_()
    said = capsys.readouterr().out
    assert "validation mIoU 50.0 %" in said
    assert "best validation mIoU 50.0 % (epoch 1)" in said
    assert "accuracy" not in said + repr(history)


def test_without_a_name_or_with_a_function_of_ones_own_it_is_the_accuracy() -> None:
    assert run(1, evaluate=None, score=lambda: Half())[1].measure == "accuracy"
    assert run(1, evaluate=None)[1].measure == "accuracy"
    assert run(1, evaluate=evaluate, score=Half)[1].measure == "accuracy"


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"precision": "float16"}])
def test_senseless_arguments_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        run(**wrong)


def test_history_shows_as_a_table() -> None:
    _, history = run(2)
    assert len(repr(history).splitlines()) == 3
    assert history._repr_html_().count("<tr>") == 3
    assert 'scope="col"' in history._repr_html_()
    assert history.table()[1]["epoch"] == 2
    assert history.best.val_accuracy == max(history.column("val_accuracy"))
    assert repr(History()) == "History: no epoch yet"
    with pytest.raises(IndexError, match="empty"):
        History().last  # noqa: B018
