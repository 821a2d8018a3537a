"""The library's own loop: labels, soft labels and masks; what it gives is what torch gives on the whole set."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from assignments_lib.training import TrainingStopped, fit, seed_everything
from assignments_lib.training.loop import Accuracy, Loop, cross_entropy


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Classifier(nn.Module):
    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images).mean((2, 3)))


class Segmenter(nn.Module):
    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.all = nn.Conv2d(3, classes, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.all(images)


def data(kind: str, count: int = 22) -> TensorDataset:
    images = torch.rand(count, 3, 6, 7, generator=generator(1))
    if kind == "labels":
        return TensorDataset(images, torch.randint(4, (count,), generator=generator(2)))
    if kind == "soft":
        return TensorDataset(images, torch.rand(count, 4, generator=generator(2)).softmax(1))
    masks = torch.randint(4, (count, 6, 7), generator=generator(2))
    masks[torch.rand(count, 6, 7, generator=generator(3)) < 0.3] = 255
    masks[:8] = 255  # a whole batch of nothing, when read in eights
    return TensorDataset(images, masks)


def model_for(kind: str) -> nn.Module:
    seed_everything(0)
    return Segmenter() if kind == "masks" else Classifier()


@pytest.mark.parametrize("kind", ["labels", "soft", "masks"])
def test_evaluation_is_that_of_the_whole_set_at_once(kind: str) -> None:
    dataset, model = data(kind), model_for(kind)
    loss, accuracy = Loop(model=model, device="cpu").evaluate(DataLoader(dataset, batch_size=8))
    images, targets = dataset.tensors
    assert not model.training
    with torch.no_grad():
        logits = model(images)
    assert loss == pytest.approx(
        float(F.cross_entropy(logits, targets, ignore_index=255 if kind == "masks" else -100))
    )
    labels = targets.argmax(1) if kind == "soft" else targets
    right = (logits.argmax(1) == labels)[labels != 255]
    assert accuracy == pytest.approx(float(right.float().mean()))


@pytest.mark.parametrize("kind", ["labels", "soft", "masks"])
def test_training_takes_the_steps_of_a_plain_loop(kind: str) -> None:
    dataset = data(kind)
    model, other = model_for(kind), model_for(kind)
    optimizer, same = (torch.optim.SGD(each.parameters(), 0.1, momentum=0.9) for each in (model, other))
    loss = Loop(model=model, device="cpu").train(DataLoader(dataset, batch_size=8), optimizer)
    total, counted = 0.0, 0
    other.train()
    for images, targets in DataLoader(dataset, batch_size=8):
        weight = int((targets != 255).sum()) if kind == "masks" else len(targets)
        if not weight:  # a batch of nothing: no step, not even one by momentum
            continue
        one = F.cross_entropy(other(images), targets, ignore_index=255 if kind == "masks" else -100)
        same.zero_grad()
        one.backward()
        same.step()
        total, counted = total + weight * one.item(), counted + weight
    assert model.training
    assert loss == pytest.approx(total / counted)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_label_of_255_is_a_class_like_any_other() -> None:
    logits = torch.zeros(2, 300)
    logits[:, 255] = 3
    labels = torch.tensor([255, 255])
    assert float(cross_entropy(logits, labels)) == pytest.approx(float(F.cross_entropy(logits, labels)))
    score = Accuracy()
    score.update(logits, labels)
    assert score.compute() == 1


def test_masks_of_nothing_teach_nothing() -> None:
    model, before = model_for("masks"), model_for("masks")
    nothing = [(torch.rand(2, 3, 8, 8), torch.full((2, 8, 8), 255))]
    loop = Loop(model=model, device="cpu")
    assert loop.train(nothing, torch.optim.SGD(model.parameters(), 0.1)) == 0
    assert loop.evaluate(nothing) == (0, 0)
    for a, b in zip(model.parameters(), before.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("kind", ["labels", "soft", "masks"])
def test_fit_needs_no_loop(kind: str) -> None:
    model = model_for(kind)
    loaders = [DataLoader(data(kind), batch_size=8, shuffle=shuffle) for shuffle in (True, False)]
    history = fit(
        model,
        *loaders,
        torch.optim.Adam(model.parameters(), 0.01),
        epochs=4,
        device="cpu",
        precision="float32",
    )
    assert history.last.train_loss < history[0].train_loss
    assert (history.last.val_loss, history.last.val_accuracy) == pytest.approx(
        Loop(model=model, device="cpu").evaluate(loaders[1])
    )


def test_one_function_given_and_the_other_not() -> None:
    model = model_for("labels")
    loader = DataLoader(data("labels"), batch_size=8)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    options: dict[str, Any] = {"epochs": 1, "device": "cpu", "precision": "float32"}
    history = fit(model, loader, loader, optimizer, evaluate=lambda *_, **__: (0.25, 0.5), **options)
    assert (history.last.val_loss, history.last.val_accuracy) == (0.25, 0.5)
    history = fit(model, loader, loader, optimizer, train_one_epoch=lambda *_, **__: 0.125, **options)
    assert history.last.train_loss == 0.125
    assert history.last.val_loss == pytest.approx(Loop(model=model, device="cpu").evaluate(loader)[0])


class Constant:
    """A score that says how many batches it saw."""

    def __init__(self, share: float = 0.1) -> None:
        self.seen, self.share = 0, share

    def update(self, logits: Tensor, targets: Tensor) -> None:
        self.seen += 1

    def compute(self) -> float:
        return self.seen * self.share


def test_another_loss_and_score() -> None:
    model = model_for("masks")
    loader = DataLoader(data("masks"), batch_size=8)
    optimizer = torch.optim.SGD(model.parameters(), 0.0)  # so that nothing changes
    options: dict[str, Any] = {"epochs": 2, "device": "cpu", "precision": "float32"}

    def halved(logits: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(logits, targets) / 2

    plain = fit(model, loader, loader, optimizer, **options)
    other = fit(model, loader, loader, optimizer, loss=halved, score=Constant, **options)
    assert other.last.val_loss == pytest.approx(plain.last.val_loss / 2)
    # Begun anew for every epoch; a batch of nothing is passed over.
    assert other.column("val_accuracy") == pytest.approx([0.2, 0.2])
    with pytest.raises(TrainingStopped, match=r"score came out as 2, which is not in \[0, 1\]"):
        fit(model, loader, loader, optimizer, score=lambda: Constant(1.0), **options)


def test_diverging_is_said_without_speaking_of_an_exercise() -> None:
    model = model_for("labels")
    loader = DataLoader(data("labels"), batch_size=8)
    with pytest.raises(TrainingStopped, match="learning rate") as stopped:
        fit(model, loader, loader, torch.optim.SGD(model.parameters(), 1e30), epochs=3, device="cpu")
    assert "exercise" not in str(stopped.value)


def test_no_batches_at_all() -> None:
    with pytest.raises(ValueError, match="no batch"):
        Loop(model=model_for("labels"), device="cpu").evaluate([])
