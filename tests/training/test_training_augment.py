"""`fit(augment=...)`: training batches are augmented, nothing else is, and a checkpoint remembers by what."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from assignments_lib.augmentation import HorizontalFlip, MixUp, PaddedCrop, Pipeline, RandomAffine
from assignments_lib.training import History, fit, seed_everything
from assignments_lib.training.augmented import AugmentedLoader, effect

Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path))


def loader(count: int = 20, shuffle: bool = False) -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 1, 8, 8, generator=generator)
    return DataLoader(TensorDataset(images, torch.arange(count) % 2), batch_size=8, shuffle=shuffle)


def network() -> nn.Module:
    seed_everything(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))


class Seen:
    """Loops that only look."""

    def __init__(self) -> None:
        self.trained: list[tuple[Tensor, Tensor]] = []
        self.judged: list[tuple[Tensor, Tensor]] = []

    def train(self, model: nn.Module, batches: Any, optimizer: Any, device: str) -> float:
        self.trained += list(batches)
        return 0.5

    def evaluate(self, model: nn.Module, batches: Any, device: str) -> tuple[float, float]:
        self.judged += list(batches)
        return 0.5, 0.5


def run(augment: Augment | None, model: nn.Module | None = None, **options: Any) -> History:
    model = model or network()
    seed_everything(0)
    options = {"epochs": 1, "device": "cpu", "precision": "float32", **options}
    return fit(
        model, loader(), loader(), torch.optim.SGD(model.parameters(), 0.1), augment=augment, **options
    )


def brighter(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    return images + 1, labels


def test_training_batches_are_augmented_and_validation_batches_are_not() -> None:
    seen = Seen()
    run(brighter, train_one_epoch=seen.train, evaluate=seen.evaluate, epochs=2)
    plain = list(loader())
    assert len(seen.trained) == len(seen.judged) == 2 * len(plain)
    for (images, labels), trained, judged in zip(2 * plain, seen.trained, seen.judged, strict=True):
        assert torch.equal(trained[0], images + 1)
        assert torch.equal(judged[0], images)
        assert torch.equal(trained[1], labels)


def test_every_epoch_has_draws_of_its_own() -> None:
    seen = Seen()
    pipeline = Pipeline(PaddedCrop(3), HorizontalFlip())
    run(pipeline, train_one_epoch=seen.train, evaluate=seen.evaluate, epochs=2)
    half = len(seen.trained) // 2
    assert not torch.equal(seen.trained[0][0], seen.trained[half][0])


def test_the_library_loop_trains_on_soft_labels() -> None:
    history = run(Pipeline(PaddedCrop(1), MixUp(num_classes=2, alpha=0.2)), epochs=3)
    assert history.last.train_loss < history[0].train_loss
    assert 0 <= history.last.val_accuracy <= 1


def test_augmentation_records_no_gradients() -> None:
    seen = Seen()
    weight = torch.ones(1, requires_grad=True)
    run(lambda images, labels: (images * weight, labels), train_one_epoch=seen.train, evaluate=seen.evaluate)
    assert not seen.trained[0][0].requires_grad


def test_the_augmented_loader_passes_for_the_loader() -> None:
    plain = loader()
    augmented = AugmentedLoader(plain, brighter, torch.device("cpu"))
    assert len(augmented) == len(plain)
    assert augmented.dataset is plain.dataset
    assert augmented.batch_size == 8


def test_a_stream_can_be_augmented() -> None:
    class Stream:
        def __iter__(self) -> Any:
            return iter(loader())

    model, seen = network(), Seen()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    options: dict[str, Any] = {"epochs": 1, "device": "cpu", "train_one_epoch": seen.train}
    fit(model, Stream(), loader(), optimizer, augment=brighter, **options)
    assert len(seen.trained) == 3


@pytest.mark.parametrize(
    ("augment", "said"),
    [
        (lambda images, labels: images, "not Tensor"),
        (lambda images, labels: (images, None), "NoneType"),
        (lambda images, labels: (images[:3], labels), "3 images and 8 labels"),
    ],
)
def test_what_is_no_batch_is_refused(augment: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        run(augment)


def test_errors_of_the_augmentation_come_through() -> None:
    def broken(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(broken, checkpoint="augment/broken", precision="auto")


# --- checkpoints


def trained(augment: Augment | None, capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
    """Whether a run with a checkpoint trained, and what it said."""
    capsys.readouterr()
    run(augment, checkpoint="augment/net")
    said = capsys.readouterr().out
    return "Loaded" not in said, said


def test_checkpoint_of_the_same_augmentation_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    def make() -> Pipeline:
        return Pipeline(PaddedCrop(2), HorizontalFlip(), MixUp(num_classes=2))

    assert trained(make(), capsys)[0]
    assert not trained(make(), capsys)[0]
    assert not trained(make(), capsys)[0]


def test_checkpoint_of_another_augmentation_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    augmentations: list[Augment | None] = [
        None,
        Pipeline(HorizontalFlip()),
        Pipeline(HorizontalFlip(0.50001)),
        Pipeline(RandomAffine(degrees=10)),
        Pipeline(RandomAffine(degrees=10), ignore_index=0),
        brighter,
        None,
    ]
    for augment in augmentations:
        new, said = trained(augment, capsys)
        assert new
        if augment is not augmentations[0]:
            assert "augmentation:" in said
        assert " at 0x" not in said
        assert not trained(augment, capsys)[0]


def made(body: Callable[[Tensor], Tensor]) -> Augment:
    def mine(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return body(images), labels

    return mine


def test_a_function_that_calls_another_than_it_did_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    def rolled(images: Tensor) -> Tensor:
        return images.roll(int(torch.randint(5, ())), 3)

    def rolled_further(images: Tensor) -> Tensor:
        return images.roll(int(torch.randint(6, ())), 3)

    def by_numpy(images: Tensor) -> Tensor:
        return images * float(np.random.rand()) + random.random()

    assert trained(made(rolled), capsys)[0]
    assert not trained(made(rolled), capsys)[0]
    new, said = trained(made(rolled_further), capsys)
    assert new
    assert "what the augmentation does" in said
    assert trained(made(by_numpy), capsys)[0]
    assert not trained(made(by_numpy), capsys)[0]


def test_mixed_labels_are_part_of_what_it_does() -> None:
    def swapped(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return images, 1 - labels

    def kept(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return images, labels

    assert effect(swapped, loader()) != effect(kept, loader())


def test_random_numbers_of_its_own_leave_only_the_name() -> None:
    own = np.random.default_rng(0)
    assert effect(made(lambda images: images * float(own.random())), loader()) is None

    def broken(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        raise ValueError

    assert effect(broken, loader()) is None


def test_looking_what_it_does_draws_no_random_numbers() -> None:
    shuffled = loader(shuffle=True)
    seed_everything(3)
    wanted = random.random(), np.random.rand(), float(torch.rand(()))
    seed_everything(3)
    assert effect(Pipeline(PaddedCrop(2)), shuffled) is not None
    assert (random.random(), np.random.rand(), float(torch.rand(()))) == wanted


def test_another_loss_is_another_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert trained(None, capsys)[0]
    for smoothing in (0.1, 0.2):
        run(None, checkpoint="augment/net", loss=nn.CrossEntropyLoss(label_smoothing=smoothing))
        assert "loss and score" in capsys.readouterr().out
    run(None, checkpoint="augment/net", loss=nn.CrossEntropyLoss(label_smoothing=0.2))
    assert "Loaded" in capsys.readouterr().out
