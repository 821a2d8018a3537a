"""Answers to exercise 2.8 in styles other than the check's: right ones keep all points, wrong ones are named."""

from typing import Any

import pytest
import torch

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.test_time import EXERCISE
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.host import run_source

# All views as one large batch.
BATCHED = """
import torch
import torch.nn.functional as F

@torch.no_grad()
def predict_with_views(model, images, views):
    model.eval()
    logits = model(torch.cat([view(images) for view in views]))
    return F.softmax(logits, dim=1).unflatten(0, (len(views), len(images))).mean(dim=0)
"""

# A loop with a running sum; the mode is put back as it was.
LOOP = """
import torch

def predict_with_views(model, images, views):
    before = model.training
    model.eval()
    total = 0
    with torch.inference_mode():
        for view in views:
            scores = model(view(images))
            exp = torch.exp(scores - scores.amax(dim=1, keepdim=True))
            total = total + exp / exp.sum(dim=1, keepdim=True)
    model.train(before)
    return total / len(views)
"""

# Picture by picture, in numpy.
NUMPY = """
import numpy as np
import torch

def predict_with_views(model, images, views):
    model.train(False)
    rows = []
    for image in images:
        votes = []
        for view in views:
            with torch.no_grad():
                logits = model(view(image[None]))[0].numpy()
            e = np.exp(logits - logits.max())
            votes.append(e / e.sum())
        rows.append(np.mean(votes, axis=0))
    return torch.from_numpy(np.stack(rows))
"""

STYLES = {"batched": BATCHED, "loop": LOOP, "numpy": NUMPY}


def answer(source: str, *changes: tuple[str, str]) -> InProcess:
    for right, wrong in changes:
        assert right in source
        source = source.replace(right, wrong)
    namespace: dict[str, Any] = {}
    run_source(source, "<cell 1>", namespace)
    return InProcess(namespace)


@pytest.mark.parametrize("style", STYLES)
def test_right_answers_in_other_styles_keep_all_points(style: str) -> None:
    assert [evaluate(EXERCISE, answer(STYLES[style]), seed).earned for seed in range(20)] == [
        EXERCISE.points
    ] * 20


# (the mistake's name, style, (right, wrong), ...)
CASES: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
    (
        "logits averaged",
        "batched",
        (
            (
                "F.softmax(logits, dim=1).unflatten(0, (len(views), len(images))).mean(dim=0)",
                "F.softmax(logits.unflatten(0, (len(views), len(images))).mean(dim=0), dim=1)",
            ),
        ),
    ),
    ("no softmax", "numpy", (("votes.append(e / e.sum())", "votes.append(logits)"),)),
    ("softmax twice", "loop", (("return total / len(views)", "return (total / len(views)).softmax(-1)"),)),
    (
        "softmax over the batch",
        "loop",
        (("exp.sum(dim=1", "exp.sum(dim=0"), ("scores.amax(dim=1", "scores.amax(dim=0")),
    ),
    ("log-probabilities", "numpy", (("np.mean(votes, axis=0)", "np.log(np.mean(votes, axis=0))"),)),
    ("summed and not averaged", "loop", (("return total / len(views)", "return total"),)),
    (
        "votes counted",
        "numpy",
        (("votes.append(e / e.sum())", "votes.append((e == e.max()).astype(float))"),),
    ),
    ("class numbers returned", "batched", ((".mean(dim=0)", ".mean(dim=0).argmax(1)"),)),
    ("the surest view only", "batched", ((".mean(dim=0)", ".max(dim=0).values"),)),
    ("only the last view", "loop", (("total = total + exp", "total = exp"), ("total / len(views)", "total"))),
    (
        "only the first view",
        "numpy",
        (
            (
                "            votes.append(e / e.sum())\n",
                "            votes.append(e / e.sum())\n            break\n",
            ),
        ),
    ),
    ("only the original", "loop", (("model(view(images))", "model(images)"),)),
    ("the original added", "numpy", (("in views", "in [lambda x: x] + views"),)),
    (
        "views chained",
        "loop",
        (
            (
                "            scores = model(view(images))",
                "            images = view(images)\n            scores = model(images)",
            ),
        ),
    ),
    (
        "views and pictures mixed up",
        "batched",
        (
            (
                "unflatten(0, (len(views), len(images))).mean(dim=0)",
                "unflatten(0, (len(images), len(views))).mean(dim=1)",
            ),
        ),
    ),
    ("left in training mode", "batched", (("    model.eval()\n", ""),)),
    ("left in training mode", "loop", (("    model.eval()\n", "    model.eval\n"),)),
    ("gradients recorded", "batched", (("@torch.no_grad()\n", ""),)),
    (
        "gradients recorded, then cut off",
        "numpy",
        (("with torch.no_grad():", "if True:"), ("[0].numpy()", "[0].detach().numpy()")),
    ),
]


@pytest.mark.parametrize(
    ("name", "style", "changes"), CASES, ids=[f"{name}, {style}" for name, style, _ in CASES]
)
def test_wrong_answers_in_other_styles_are_named(
    name: str, style: str, changes: tuple[tuple[str, str], ...]
) -> None:
    result = evaluate(EXERCISE, answer(STYLES[style], *changes), seed=5)
    assert result.earned < EXERCISE.points
    assert [mistake.name for mistake in result.mistakes] == [name]


def test_fixed_results_earn_next_to_nothing() -> None:
    def fixed(model: Any, images: torch.Tensor, views: Any) -> torch.Tensor:
        return torch.full((len(images), 4), 0.25, dtype=torch.float64)

    assert evaluate(EXERCISE, InProcess({"predict_with_views": fixed}), seed=3).earned <= 2
