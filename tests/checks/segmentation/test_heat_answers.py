"""Answers to exercise 3.2 in styles other than the check's: right ones keep all points, wrong ones are named."""

from typing import Any

import pytest
import torch
from answers import namespace_of

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.segmentation.heat import EXERCISE

PLAIN = """
import torch
import torch.nn.functional as F

@torch.no_grad()
def heat_map(trunk, head, images):
    trunk.eval()
    features = trunk(images)[-1]
    scores = head(features)
    scores = F.interpolate(scores, size=images.shape[2:], mode="bilinear", align_corners=False)
    return F.softmax(scores, dim=1)

def hottest(heat, share=0.05):
    k = max(1, round(share * heat.numel()))
    values, places = heat.flatten().topk(k)
    marks = torch.zeros_like(heat, dtype=torch.bool)
    marks.view(-1)[places] = True
    return marks

def peak(heat):
    i = heat.argmax().item()
    return i // heat.shape[1], i % heat.shape[1]
"""

# The features are enlarged, and not the scores: a 1x1 convolution doesn't mind.
FEATURES = """
import torch
from torch import nn

def heat_map(trunk, head, images):
    before = trunk.training
    trunk.train(False)
    with torch.inference_mode():
        *_, last = trunk(images)
        enlarge = nn.Upsample(tuple(images.shape[-2:]), mode="bilinear")
        scores = head(enlarge(last))
        exp = torch.exp(scores - scores.amax(dim=1, keepdim=True))
        heat = exp / exp.sum(dim=1, keepdim=True)
    trunk.train(before)
    return heat

def hottest(heat, share=0.05):
    n = heat.shape[0] * heat.shape[1]
    k = max(round(n * share), 1)
    ordered = heat.reshape(-1).sort(descending=True).values
    return heat >= ordered[k - 1]

def peak(heat):
    rows, columns = torch.where(heat == heat.max())
    return int(rows[0]), int(columns[0])
"""

# Picture by picture and class by class, by the head's own weights.
LOOPS = """
import math
import torch
from torchvision.transforms.v2 import functional as tv

def heat_map(trunk, head, images):
    trunk.eval()
    maps = []
    for image in images:
        with torch.no_grad():
            features = trunk(image[None])[3][0]
            scores = torch.stack([
                (features * head.weight[c]).sum(0) + head.bias[c] for c in range(head.out_channels)
            ])
        scores = tv.resize(scores, list(image.shape[1:]), tv.InterpolationMode.BILINEAR, antialias=False)
        maps.append(scores.softmax(0))
    return torch.stack(maps)

def hottest(heat, share=0.05):
    left = heat.clone()
    marks = torch.zeros(heat.shape).bool()
    for _ in range(max(1, round(share * heat.numel()))):
        row, column = peak(left)
        marks[row, column] = True
        left[row, column] = -math.inf
    return marks

def peak(heat):
    best, most = (0, 0), heat[0, 0]
    for row, line in enumerate(heat.tolist()):
        for column, warmth in enumerate(line):
            if warmth > most:
                best, most = (row, column), warmth
    return best
"""

NUMPY = """
import numpy as np
import torch
import torch.nn.functional as F

def heat_map(trunk, head, images):
    for module in (trunk, head):
        module.eval()
    with torch.no_grad():
        scores = F.interpolate(head(trunk(images)[-1]), images.shape[-2:], mode="bilinear").numpy()
    odds = np.exp(scores - scores.max(1, keepdims=True))
    return torch.from_numpy(odds / odds.sum(1, keepdims=True))

def hottest(heat, share=0.05):
    numbers = heat.numpy().ravel()
    order = np.argsort(numbers)[::-1]
    marks = np.zeros(len(numbers), dtype=bool)
    marks[order[: max(1, round(share * len(numbers)))]] = True
    return torch.from_numpy(marks.reshape(heat.shape))

def peak(heat):
    return np.unravel_index(heat.numpy().argmax(), tuple(heat.shape))
"""

STYLES = {"plain": PLAIN, "features": FEATURES, "loops": LOOPS, "numpy": NUMPY}


def answer(source: str, *changes: tuple[str, str]) -> InProcess:
    for right, wrong in changes:
        assert right in source
        source = source.replace(right, wrong)
    return InProcess(namespace_of(source))


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_right_answers_in_other_styles_keep_all_points(style: str) -> None:
    assert [evaluate(EXERCISE, answer(STYLES[style]), seed).earned for seed in range(20)] == [
        EXERCISE.points
    ] * 20


# (the mistake's name, style, (right, wrong), ...)
CASES: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
    ("softmax over the batch", "plain", (("dim=1)", "dim=0)"),)),
    (
        "softmax over the batch",
        "features",
        (("amax(dim=1", "amax(dim=0"), ("exp.sum(dim=1", "exp.sum(dim=0")),
    ),
    ("softmax over the width", "plain", (("dim=1)", "dim=-1)"),)),
    ("softmax over the width", "numpy", (("odds.sum(1,", "odds.sum(3,"), ("scores.max(1,", "scores.max(3,"))),
    (
        "softmax before enlarging",
        "plain",
        (("head(features)", "head(features).softmax(1)"), ("F.softmax(scores, dim=1)", "scores")),
    ),
    ("no softmax", "loops", (("scores.softmax(0)", "scores"),)),
    ("sigmoid", "numpy", (("odds / odds.sum(1, keepdims=True)", "1 / (1 + np.exp(-scores))"),)),
    ("nearest enlarging", "features", ((', mode="bilinear"', ""),)),
    ("align_corners=True", "features", (('mode="bilinear"', 'mode="bilinear", align_corners=True'),)),
    ("bicubic enlarging", "loops", (("BILINEAR", "BICUBIC"),)),
    ("enlarged by the stride", "plain", (("size=images.shape[2:]", "scale_factor=trunk.strides[-1]"),)),
    (
        "enlarged by the stride, then cut",
        "numpy",
        (
            ("images.shape[-2:], mode", "scale_factor=32, mode"),
            (".numpy()\n    odds", "[:, :, : images.shape[2], : images.shape[3]].numpy()\n    odds"),
        ),
    ),
    (
        "height and width swapped",
        "features",
        (("tuple(images.shape[-2:])", "(images.shape[-1], images.shape[-2])"),),
    ),
    ("the finest map taken", "plain", (("trunk(images)[-1]", "trunk(images)[0]"),)),
    ("the second coarsest map taken", "features", (("*_, last =", "*_, last, _ ="),)),
    ("all maps handed to the head", "numpy", (("trunk(images)[-1]", "trunk(images)"),)),
    ("the head's bias left out", "loops", ((" + head.bias[c]", ""),)),
    ("class numbers returned", "plain", (("F.softmax(scores, dim=1)", "scores.max(1).indices"),)),
    ("the first picture only", "plain", (("F.softmax(scores, dim=1)", "F.softmax(scores[0], dim=0)"),)),
    ("left in training mode", "plain", (("    trunk.eval()\n", "    head.eval()\n"),)),
    ("gradients recorded", "plain", (("@torch.no_grad()\n", ""),)),
    (
        "gradients recorded, then cut off",
        "numpy",
        (("with torch.no_grad():", "if True:"), (".numpy()\n    odds", ".detach().numpy()\n    odds")),
    ),
    ("hottest: over 95 % of the maximum", "features", (("ordered[k - 1]", "(1 - share) * heat.max()"),)),
    ("hottest: the coldest", "numpy", (("[::-1]", ""),)),
    ("hottest: the coldest", "plain", (("topk(k)", "topk(k, largest=False)"),)),
    ("hottest: a quantile's threshold", "features", (("ordered[k - 1]", "heat.quantile(1 - share)"),)),
    (
        "hottest: a threshold from unsorted heat",
        "features",
        (("ordered[k - 1]", "heat.ravel()[min(n - 1, int(n * (1 - share)))]"),),
    ),
    ("hottest: a share of the rows", "plain", (("share * heat.numel()", "share * len(heat)"),)),
    ("hottest: one too few", "features", (("heat >= ordered", "heat > ordered"),)),
    ("hottest: rounded down", "numpy", (("round(share", "int(share"),)),
    (
        "hottest: none where the map is small",
        "plain",
        (("max(1, round(share * heat.numel()))", "round(share * heat.numel())"),),
    ),
    ("hottest: share not used", "loops", (("share * heat", "0.05 * heat"),)),
    (
        "hottest: numbers instead of bools",
        "features",
        (("return heat >=", "return 1 * (heat >="), ("[k - 1]", "[k - 1])")),
    ),
    ("hottest: numbers instead of bools", "loops", ((".bool()", ""),)),
    ("hottest: flat", "numpy", (("marks.reshape(heat.shape)", "marks"),)),
    ("hottest: written into the heat", "loops", (("left = heat.clone()", "left = heat"),)),
    ("peak: column before row", "loops", (("    return best", "    return best[1], best[0]"),)),
    ("peak: one number", "plain", (("return i // heat.shape[1], i % heat.shape[1]", "return i"),)),
    (
        "peak: divided by the height",
        "plain",
        (("i // heat.shape[1], i % heat.shape[1]", "i // heat.shape[0], i % heat.shape[0]"),),
    ),
    ("peak: not rounded", "plain", (("i // heat", "i / heat"),)),
    (
        "peak: tensors instead of ints",
        "features",
        (("int(rows[0]), int(columns[0])", "rows[0], columns[0]"),),
    ),
    (
        "peak: tensors instead of ints",
        "numpy",
        (
            (
                "np.unravel_index(heat.numpy().argmax(), tuple(heat.shape))",
                "(heat == heat.max()).nonzero()[0]",
            ),
        ),
    ),
    ("peak: the coldest", "numpy", (("argmax()", "argmin()"),)),
    (
        "peak: the search begins at 0",
        "loops",
        (("(0, 0), heat[0, 0]", "(0, 0), 0"),),
    ),
]


@pytest.mark.slow
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
    def even(trunk: Any, head: Any, images: torch.Tensor) -> torch.Tensor:
        return torch.full((len(images), 5, *images.shape[-2:]), 0.2, dtype=torch.float64)

    def first(heat: torch.Tensor, share: float = 0.05) -> torch.Tensor:
        marks = torch.zeros(heat.shape, dtype=torch.bool)
        marks.view(-1)[: max(1, round(share * heat.numel()))] = True
        return marks

    namespace = {"heat_map": even, "hottest": first, "peak": lambda heat: (0, 0)}
    assert evaluate(EXERCISE, InProcess(namespace), seed=3).earned <= 2  # no mode, no gradients


@pytest.mark.parametrize("style", STYLES)
def test_the_pictures_of_a_right_answer_are_the_target(style: str) -> None:
    shown = demonstrate(EXERCISE.demonstrations, answer(STYLES[style]))
    assert [each.verdict for each in shown] == ["the same", "the same"]


def test_the_pictures_of_a_wrong_answer_show_it() -> None:
    wrong = answer(
        FEATURES,
        (', mode="bilinear"', ""),
        ("return heat >= ordered[k - 1]", "return heat > 0.95 * heat.max()"),
    )
    assert all("differs in" in each.verdict for each in demonstrate(EXERCISE.demonstrations, wrong))
