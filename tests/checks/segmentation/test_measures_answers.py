"""Exercise 3.3: the reference agrees with torchmetrics; right answers in many styles keep all points; wrong ones,
written as students write them, are named."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_jaccard_index,
)
from torchmetrics.functional.segmentation import mean_iou as torchmetrics_mean_iou

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import Result, evaluate
from assignments_lib.checks.segmentation.measures import EXERCISE

Function = Callable[..., Any]
REFERENCE = EXERCISE.reference()


def graded(seed: int, **functions: Function) -> Result:
    return evaluate(EXERCISE, InProcess({**REFERENCE, **functions}), seed)


# -- the reference and torchmetrics -------------------------------------------------------------------------


def masks(seed: int, classes: int, *absent: int) -> tuple[Tensor, Tensor]:
    """Target (some of it 255) and prediction of three pictures, in which some classes occur nowhere."""
    generator = torch.Generator().manual_seed(seed)
    there = torch.tensor([k for k in range(classes) if k not in absent])
    target = there[torch.randint(len(there), (3, 9, 11), generator=generator)]
    noise = there[torch.randint(len(there), (3, 9, 11), generator=generator)]
    called = torch.where(torch.rand(3, 9, 11, generator=generator) < 0.4, noise, target)
    target[torch.rand(3, 9, 11, generator=generator) < 0.1] = 255
    return target, called


def counts_of(target: Tensor, called: Tensor, classes: int) -> Tensor:
    one = [
        multiclass_confusion_matrix(c, t, classes, ignore_index=255)
        for t, c in zip(target, called, strict=True)
    ]
    return torch.stack(one)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("absent", [(), (2,), (0, 4)])
def test_the_reference_agrees_with_torchmetrics(seed: int, absent: tuple[int, ...]) -> None:
    target, called = masks(seed, 5, *absent)
    counts = counts_of(target, called, 5)
    theirs = multiclass_jaccard_index(called, target, 5, average=None, ignore_index=255).double()
    theirs[list(absent)] = torch.nan  # torchmetrics gives 0
    mine = REFERENCE["iou"](counts.sum(0))
    torch.testing.assert_close(mine, theirs, equal_nan=True, rtol=1e-6, atol=1e-6)
    macro = multiclass_jaccard_index(called, target, 5, average="macro", ignore_index=255)
    assert float(REFERENCE["mean_iou"](counts)) == pytest.approx(float(macro), abs=1e-6)
    micro = multiclass_accuracy(called, target, 5, average="micro", ignore_index=255)
    assert float(REFERENCE["pixel_accuracy"](counts)) == pytest.approx(float(micro), abs=1e-6)


def test_the_mean_over_a_set_is_not_torchmetrics_mean_over_pictures() -> None:
    """Its MeanIoU is one of each picture; with one picture, and nothing ignored, the two are the same."""
    target, called = masks(0, 4)
    target = target.where(target != 255, called)
    counts = counts_of(target, called, 4)
    of_each = torchmetrics_mean_iou(called, target, num_classes=4, input_format="index")
    for one, theirs in zip(counts, of_each, strict=True):
        assert float(REFERENCE["mean_iou"](one)) == pytest.approx(float(theirs), abs=1e-6)
    assert float(REFERENCE["mean_iou"](counts)) != pytest.approx(float(of_each.mean()), abs=1e-4)


# -- right answers ------------------------------------------------------------------------------------------


def by_table(grey: Tensor, values: list[int]) -> Tensor:
    table = np.full(256, 255)
    table[values] = range(len(values))
    return torch.from_numpy(table[grey.numpy()])


def by_search(grey: Tensor, values: list[int]) -> Tensor:
    ordered, number = torch.tensor(values).sort()
    place = torch.searchsorted(ordered, grey.long()).clamp(max=len(values) - 1)
    return torch.where(ordered[place] == grey, number[place], 255)


def by_nested_where(grey: Tensor, values: list[int]) -> Tensor:
    labels = torch.tensor(255)
    for number, value in enumerate(values):
        labels = torch.where(grey == value, number, labels)
    return labels


def joined(counts: Tensor) -> Tensor:
    return counts.reshape(-1, *counts.shape[-2:]).sum(0)


def iou_by_loop(counts: Tensor) -> Tensor:
    scores = []
    for k in range(len(counts)):
        union = int(counts[k].sum() + counts[:, k].sum() - counts[k, k])
        scores.append(float(counts[k, k]) / union if union else math.nan)
    return torch.tensor(scores, dtype=torch.float64)


def iou_by_numpy(counts: Tensor) -> Any:
    c = counts.numpy()
    with np.errstate(invalid="ignore"):
        return np.diag(c) / (c.sum(0) + c.sum(1) - np.diag(c))


def iou_of_errors(counts: Tensor) -> Tensor:
    right = counts.diag().double()
    missed, wrong = counts.sum(1) - right, counts.sum(0) - right
    return right / (right + missed + wrong)


def mean_by_hand(counts: Tensor) -> float:
    found = [float(score) for score in iou_by_loop(joined(counts)) if score == score]
    return sum(found) / len(found) if found else math.nan


def mean_of_dice(counts: Tensor) -> Tensor:
    """IoU = D / (2 - D)."""
    c = joined(counts).double()
    dice = 2 * c.diagonal() / (c.sum(0) + c.sum(1))
    return (dice / (2 - dice)).nanmean()


def accuracy_by_hand(counts: Tensor) -> float:
    right = sum(int(one.trace()) for one in (counts if counts.ndim == 3 else [counts]))
    return right / int(counts.sum()) if counts.any() else float("nan")


RIGHT: dict[str, dict[str, Function]] = {
    "tables": {"to_labels": by_table, "iou": iou_by_numpy, "mean_iou": lambda c: np.float64(mean_of_dice(c))},
    "loops": {
        "to_labels": by_search,
        "iou": iou_by_loop,
        "mean_iou": mean_by_hand,
        "pixel_accuracy": accuracy_by_hand,
    },
    "tensors": {
        "to_labels": by_nested_where,
        "iou": iou_of_errors,
        "mean_iou": lambda c: iou_of_errors(joined(c)).nanmean(),
        "pixel_accuracy": lambda c: (c * torch.eye(c.shape[-1])).sum() / c.sum(),
    },
    "one-hot": {
        "to_labels": lambda g, v: (
            F.one_hot(by_table(g, v), 256)[..., : len(v)] @ torch.arange(len(v))
            + 255 * (by_table(g, v) == 255)
        ),
        "mean_iou": lambda c: iou_by_loop(joined(c))[joined(c + c.mT).sum(0) > 0].mean().float(),
        "pixel_accuracy": lambda c: joined(c).trace().item() / max(c.sum().item(), 1) if c.sum() else np.nan,
    },
}


@pytest.mark.parametrize("style", RIGHT)
def test_right_answers_keep_all_points(style: str) -> None:
    for seed in range(20):
        result = graded(seed, **RIGHT[style])
        assert [part.title for part in result.parts if part.earned < part.points] == []


# -- wrong answers ------------------------------------------------------------------------------------------


def chained(grey: Tensor, values: list[int]) -> Tensor:
    labels = grey.clone().long()
    for number, value in enumerate(values):
        labels[labels == value] = number
    return labels


def chained_and_ignored(grey: Tensor, values: list[int]) -> Tensor:
    labels = chained(grey, values)
    labels[labels >= len(values)] = 255
    return labels


def chained_backwards(grey: Tensor, values: list[int]) -> Tensor:
    labels = grey.int()
    for number in reversed(range(len(values))):
        labels = torch.where(labels == values[number], number, labels)
    return labels.long()


def chained_in_the_file(grey: Tensor, values: list[int]) -> Tensor:
    for number, value in enumerate(values):
        grey[grey == value] = number
    return grey.to(torch.int64)


def filled(start: Function, first: int = 0) -> Function:
    def to_labels(grey: Tensor, values: list[int]) -> Tensor:
        labels: Tensor = start(grey, values)
        for number, value in enumerate(values, first):
            labels[grey == value] = number
        return labels

    return to_labels


def keeping_255(grey: Tensor, values: list[int]) -> Tensor:
    labels = by_table(grey, values)
    labels[grey == 255] = 255
    return labels


TO_LABELS: list[tuple[str, Function]] = [
    ("grey values taken for class numbers", lambda g, v: g.long()),
    ("grey values taken for class numbers", lambda g, v: torch.where(g < 250, g.long(), 255)),
    ("grey values divided", lambda g, v: g.long() // 25),
    ("grey values divided", lambda g, v: (g / 40).round().long()),
    ("grey values divided", lambda g, v: (g.float() / 12).to(torch.int64)),
    ("ranks of the values that occur", lambda g, v: np.unique(g, return_inverse=True)[1].reshape(g.shape)),
    ("values sorted first", lambda g, v: by_table(g, sorted(v))),
    ("numbered from 1", filled(lambda g, v: torch.full(g.shape, 255), first=1)),
    ("replaced one after another", chained),
    ("replaced one after another", chained_and_ignored),
    ("replaced one after another, the last class first", chained_backwards),
    ("written into the grey picture", chained_in_the_file),
    ("other grey values become class 0", filled(lambda g, v: torch.zeros(g.shape, dtype=torch.int64))),
    ("other grey values become class 0", lambda g, v: (g[..., None] == torch.tensor(v)).int().argmax(-1)),
    ("other grey values stay", filled(lambda g, v: g.long())),
    ("other grey values become -1", filled(lambda g, v: -torch.ones(g.shape, dtype=torch.long))),
    ("other grey values become one more class", filled(lambda g, v: torch.full(g.shape, len(v)))),
    ("255 is never a class", keeping_255),
    ("labels of bytes", filled(lambda g, v: torch.full_like(g, 255))),
]  # fmt: skip


def figures(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Right pixels, those of the target, and those of the prediction, for each class."""
    return counts.diagonal().double(), counts.sum(1).double(), counts.sum(0).double()


def per_class(score: Callable[[Tensor, Tensor, Tensor], Any]) -> Function:
    return lambda counts: score(*figures(counts))


def normalised(counts: Tensor) -> Tensor:
    return iou_of_errors(counts / counts.sum(1, keepdim=True).clamp(min=1))


def emptied(counts: Tensor) -> Tensor:
    right = counts.diagonal()
    counts.fill_diagonal_(0)
    return right.double() / (counts.sum(0) + counts.sum(1) + right)


def emptied_but_kept(counts: Tensor) -> Tensor:
    right = counts.diagonal().clone()
    counts.fill_diagonal_(0)
    return right.double() / (counts.sum(0) + counts.sum(1) + right)


IOU: list[tuple[str, Function]] = [
    ("intersection not subtracted", per_class(lambda r, t, p: r / (t + p))),
    ("Dice instead of IoU", per_class(lambda r, t, p: 2 / (t / r + p / r))),
    ("divided by the target alone", lambda c: (c.double() / c.sum(1, keepdim=True)).diagonal()),
    ("divided by the prediction alone", lambda c: (c.double() / c.sum(0)).diagonal()),
    ("divided by the errors alone", per_class(lambda r, t, p: r / (t + p - 2 * r))),
    ("divided by all pixels", lambda c: c.diagonal().double() / c.sum()),
    ("true negatives counted", per_class(lambda r, t, p: (t.sum() - t - p + 2 * r) / t.sum())),
    ("pooled over the classes", per_class(lambda r, t, p: float(r.sum() / (t + p - r).sum()))),
    ("rows turned into shares first", normalised),
    ("whole-number division", lambda c: (c.diag() // (c.sum(0) + c.sum(1) - c.diag())).double()),
    ("1 added above and below", per_class(lambda r, t, p: (r + 1) / (t + p - r + 1))),
    ("an absent class counts as 0", per_class(lambda r, t, p: r / (t + p - r + 1e-9))),
    ("an absent class counts as 0", per_class(lambda r, t, p: r / (t + p - r).clamp(min=1))),
    ("an absent class counts as 0", per_class(lambda r, t, p: r / (t + p - r).clamp(min=1e-6))),
    ("an absent class counts as 1", per_class(lambda r, t, p: (r + 1e-7) / (t + p - r + 1e-7))),
    ("an absent class counts as 1", per_class(lambda r, t, p: torch.where(t + p > 0, r / (t + p - r), 1.0))),
    ("only classes in the target", per_class(lambda r, t, p: (r / (t + p - r)).where(t > 0, torch.nan))),
    ("only classes that are called", per_class(lambda r, t, p: (r / (t + p - r)).where(p > 0, torch.nan))),
    ("only classes with a hit", per_class(lambda r, t, p: (r / (t + p - r)).where(r > 0, torch.nan))),
    ("only classes with a hit", per_class(lambda r, t, p: 1 / (t / r + p / r - 1))),
    ("a view of the diagonal that was emptied", emptied),
    ("written into the counts", emptied_but_kept),
    ("float32", lambda c: c.diag() / (c.sum(0) + c.sum(1) - c.diag())),
]  # fmt: skip


def first(counts: Tensor) -> Tensor:
    return counts[0] if counts.ndim > 2 else counts


def pictures(counts: Tensor) -> list[Tensor]:
    return list(counts) if counts.ndim > 2 else [counts]


def ious(counts: Tensor) -> Tensor:
    return torch.stack([iou_by_loop(one) for one in pictures(counts)])


def mean(scores: Tensor) -> float:
    return float(np.nanmean(scores)) if not scores.isnan().all() else math.nan


MEAN_IOU: list[tuple[str, Function]] = [
    ("mean of the pictures' mIoU", lambda c: torch.tensor([mean_by_hand(one) for one in pictures(c)]).nanmean()),
    ("each class's IoU averaged over the pictures", lambda c: mean(ious(c).nanmean(0))),
    ("mean of all IoUs of all pictures", lambda c: mean(ious(c))),
    ("nan in the mean", lambda c: float(np.mean(iou_by_numpy(joined(c))))),
    ("absent classes counted in the mean", lambda c: (iou_of_errors(joined(c)).nansum() / c.shape[-1]).item()),
    ("an absent class counts as 1", lambda c: iou_of_errors(joined(c)).nan_to_num(1).mean()),
    ("only classes in the target", lambda c: iou_of_errors(joined(c))[joined(c).sum(1) > 0].mean()),
    ("background left out", lambda c: mean(iou_by_loop(joined(c))[1:])),
    ("weighted by frequency", lambda c: (joined(c).sum(1) / c.sum() * iou_by_loop(joined(c))).nansum()),
    ("mean recall instead of mIoU", lambda c: (joined(c).diag() / joined(c).sum(1)).nanmean()),
    ("pixel accuracy instead of mIoU", accuracy_by_hand),
    ("mIoU of the first picture only", lambda c: mean_by_hand(first(c))),
    ("summed over the wrong dimension", lambda c: mean_by_hand(c.sum(-2) if c.ndim == 3 else c)),
    ("a single matrix is summed too", lambda c: iou_of_errors(c.sum(0)).nanmean()),
    ("a single matrix is summed too", lambda c: per_class(lambda r, t, p: r / (t + p - r))(c.sum(dim=0)).nanmean()),
    ("mIoU of nothing is 0", lambda c: mean_by_hand(c) if c.sum() else 0),
    ("mIoU in percent", lambda c: 100 * mean_of_dice(c)),
]  # fmt: skip

PIXEL_ACCURACY: list[tuple[str, Function]] = [
    ("mean of the classes' accuracies", lambda c: mean(joined(c).diag() / joined(c).sum(1))),
    ("mean of the pictures' accuracies", lambda c: mean(torch.tensor([accuracy_by_hand(one) for one in pictures(c)]))),
    ("divided by the number of pictures", lambda c: accuracy_by_hand(c) / (len(c) if c.ndim == 3 else 1)),
    ("pooled IoU instead of accuracy", lambda c: joined(c).trace() / (2 * c.sum() - joined(c).trace())),
    ("the number of right pixels", lambda c: float(joined(c).trace())),
    ("accuracy of the first picture only", lambda c: accuracy_by_hand(first(c))),
    ("the diagonal of the wrong dimensions", lambda c: (torch.diagonal(c).sum() / c.sum()).item()),
    ("accuracy of one matrix only", lambda c: torch.trace(c).item() / c.sum().item() if c.any() else math.nan),
    ("accuracy in whole numbers", lambda c: joined(c).trace() // c.sum() if c.any() else math.nan),
    ("accuracy of nothing is 0", lambda c: joined(c).trace() / c.sum().clamp(min=1)),
    ("stops where nothing was counted", lambda c: joined(c).trace().item() / c.sum().item()),
    ("accuracy in percent", lambda c: 100 * accuracy_by_hand(c)),
]  # fmt: skip

WRONG = [
    pytest.param(name, function, mistake, id=f"{name}-{mistake}-{number}")
    for name, wrong in (
        ("to_labels", TO_LABELS),
        ("iou", IOU),
        ("mean_iou", MEAN_IOU),
        ("pixel_accuracy", PIXEL_ACCURACY),
    )
    for number, (mistake, function) in enumerate(wrong)
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "function", "mistake"), WRONG)
@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_wrong_answers_lose_points_and_are_named(name: str, function: Function, mistake: str) -> None:
    for seed in (31, 32, 33):
        result = graded(seed, **{name: function})
        assert result.earned < EXERCISE.points
        assert mistake in [found.name for found in result.mistakes]


def test_a_wrong_iou_that_the_mean_is_built_on_has_one_cause() -> None:
    dice = per_class(lambda r, t, p: 2 * r / (t + p))
    result = graded(41, iou=dice, mean_iou=lambda c: dice(joined(c)).nanmean())
    assert [found.name for found in result.mistakes] == ["Dice instead of IoU"]
    assert result.earned == 6


def test_rows_and_columns_may_be_swapped() -> None:
    """No score here can tell."""
    functions = {
        name: (lambda f: lambda c: f(c.mT))(REFERENCE[name]) for name in ("iou", "mean_iou", "pixel_accuracy")
    }
    assert graded(43, **functions).earned == EXERCISE.points


@pytest.mark.slow
@pytest.mark.parametrize(
    "odd",
    [
        lambda *a: None,
        lambda *a: a[0].float() * math.nan,
        lambda *a: a[0][..., :1],
        lambda *a: "0.5",
        lambda *a: [[0.5], None],
        lambda *a: torch.tensor(math.inf),
        lambda *a: torch.zeros(0),
    ],
)
def test_whatever_comes_back_is_a_wrong_answer_and_no_crash(odd: Function) -> None:
    result = graded(47, to_labels=odd, iou=odd, mean_iou=odd, pixel_accuracy=odd)
    assert result.earned <= 1


def test_a_recorded_answer_is_no_answer() -> None:
    tape: dict[str, Any] = {}

    def recorded(name: str) -> Function:
        def play(given: Tensor, *values: Any) -> Any:
            return tape.setdefault(
                f"{name} {tuple(given.shape)} {tape.get('call', 0)}", REFERENCE[name](given, *values)
            )

        return play

    played = {name: recorded(name) for name in EXERCISE.defines}
    assert graded(52, **played).earned < EXERCISE.points
    assert sum(part.earned for part in graded(53, **played).parts if "types" not in part.title) == 0
