"""Answers to exercise 2.6 in styles other than the check's: right ones keep all points, wrong ones are named."""

from typing import Any

import pytest
import torch

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.mixing import EXERCISE
from assignments_lib.checks.demonstration import demonstrate
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.host import run_source

IMPORTS = "import math, random\nimport numpy as np\nimport torch\nimport torch.nn.functional as F\n"

# Picture by picture, with draws of Python's random module.
LOOPS = """
def mixup(images, labels, num_classes, alpha=1.0):
    mixed, soft = [], []
    for i in range(len(images)):
        lam = random.betavariate(alpha, alpha)
        j = random.randrange(len(images))
        mixed.append(lam * images[i] + (1 - lam) * images[j])
        label = np.zeros(num_classes, dtype=np.float32)
        label[labels[i]] += lam
        label[labels[j]] += 1 - lam
        soft.append(torch.from_numpy(label))
    return torch.stack(mixed), torch.stack(soft)

def cutmix(images, labels, num_classes, alpha=1.0):
    n, _, height, width = images.shape
    mixed = images.clone()
    soft = torch.zeros(n, num_classes)
    for i in range(n):
        lam = random.betavariate(alpha, alpha)
        h, w = height * (1 - lam) ** 0.5, width * (1 - lam) ** 0.5
        y, x = random.uniform(0, height), random.uniform(0, width)
        top, bottom = max(round(y - h / 2), 0), min(round(y + h / 2), height)
        left, right = max(round(x - w / 2), 0), min(round(x + w / 2), width)
        j = (i + 1) % n
        mixed[i, :, top:bottom, left:right] = images[j, :, top:bottom, left:right]
        share = (bottom - top) * (right - left) / (height * width)
        soft[i, labels[i]] += 1 - share
        soft[i, labels[j]] += share
    return mixed, soft
"""

# A whole batch at once, masks instead of slices, numpy's draws, lambda the partner's share.
MASKS = """
def mixup(images, labels, num_classes, alpha=1.0):
    order = np.random.permutation(len(images))
    lam = torch.as_tensor(np.random.beta(alpha, alpha, (len(images), 1, 1, 1)), dtype=images.dtype)
    soft = torch.eye(num_classes)[labels]
    share = lam.flatten(1).float()
    return images + lam * (images[order] - images), soft + share * (soft[order] - soft)

def cutmix(images, labels, num_classes, alpha=1.0):
    order = np.random.permutation(len(images))
    inside = True
    side = math.sqrt(np.random.beta(alpha, alpha))
    for axis in (2, 3):
        size = images.shape[axis]
        centre = np.random.rand() * size
        near = (torch.arange(size) + 0.5 - centre).abs() < side * size / 2
        inside = inside & near.view([-1 if d == axis else 1 for d in range(4)])
    soft = torch.eye(num_classes)[labels]
    return torch.where(inside, images[order], images), torch.lerp(soft, soft[order], inside.float().mean())
"""

# Partners in backward order; the box by its corners.
BACKWARDS = """
def mixup(images, labels, num_classes, alpha=1.0):
    first, second = torch._standard_gamma(torch.full((2,), float(alpha))).tolist()
    lam = first / (first + second)
    soft = F.one_hot(labels, num_classes).to(torch.float32)
    return lam * images + (1 - lam) * images.flip(0), lam * soft + (1 - lam) * soft.flip(0)

def cutmix(images, labels, num_classes, alpha=1.0):
    size = torch.tensor(images.shape[2:])
    lam = torch.distributions.Beta(alpha, alpha).sample()
    centre = torch.rand(2) * size
    half = size * torch.sqrt(1 - lam) / 2
    start = (centre - half).clamp(min=0).int()
    end = torch.minimum(centre + half, size).int()
    mixed = images.clone()
    region = np.s_[:, :, start[0] : end[0], start[1] : end[1]]
    mixed[region] = images.flip(0)[region]
    share = float((end - start).prod() / size.prod())
    soft = F.one_hot(labels, num_classes).float()
    return mixed, (1 - share) * soft + share * soft.flip(0)
"""

STYLES = {"loops": LOOPS, "masks": MASKS, "backwards": BACKWARDS}


def answer(source: str, *changes: tuple[str, str]) -> InProcess:
    for right, wrong in changes:
        assert right in source
        source = source.replace(right, wrong)
    namespace: dict[str, Any] = {}
    run_source(IMPORTS + source, "<cell 1>", namespace)
    return InProcess(namespace)


@pytest.mark.parametrize("style", STYLES)
def test_right_answers_in_other_styles_keep_all_points(style: str) -> None:
    assert evaluate(EXERCISE, answer(STYLES[style]), seed=11).earned == EXERCISE.points


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_right_answers_keep_all_points_for_many_seeds(style: str) -> None:
    assert [evaluate(EXERCISE, answer(STYLES[style]), seed).earned for seed in range(20)] == [14] * 20


LABEL_J = "        label[labels[j]] += 1 - lam\n"
INSIDE_Y, INSIDE_X = "random.uniform(h / 2, height - h / 2)", "random.uniform(w / 2, width - w / 2)"

# (the mistake's name, style, (right, wrong), ...)
CASES: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
    (
        "MixUp: labels not mixed",
        "loops",
        ((LABEL_J, ""), ("label[labels[i]] += lam", "label[labels[i]] = 1")),
    ),
    ("MixUp: labels not mixed", "backwards", (("lam * soft + (1 - lam) * soft.flip(0)", "soft"),)),
    (
        "MixUp: the labels' shares swapped",
        "loops",
        (("labels[i]] += lam", "labels[i]] += 1 - lam"), ("labels[j]] += 1 - lam", "labels[j]] += lam")),
    ),
    (
        "MixUp: the labels' shares swapped",
        "masks",
        (("share * (soft[order] - soft)", "(1 - share) * (soft[order] - soft)"),),
    ),
    (
        "MixUp: another lambda for the labels",
        "loops",
        (("        label = np", "        lam = random.betavariate(alpha, alpha)\n        label = np"),),
    ),
    (
        "MixUp: labels of another partner",
        "masks",
        (("share * (soft[order] - soft)", "share * (soft[np.random.permutation(len(images))] - soft)"),),
    ),
    (
        "MixUp: hard labels",
        "loops",
        (("torch.from_numpy(label)", "torch.from_numpy((label == label.max()).astype('f'))"),),
    ),
    ("MixUp: float64 labels", "loops", (("dtype=np.float32", "dtype=float"),)),
    (
        "MixUp: class numbers mixed",
        "loops",
        (("torch.from_numpy(label)", "lam * labels[i] + (1 - lam) * labels[j]"),),
    ),
    ("MixUp: the second share overwrites the first", "loops", (("labels[j]] += 1", "labels[j]] = 1"),)),
    (
        "MixUp: number of classes guessed",
        "loops",
        (("np.zeros(num_classes", "np.zeros(int(labels.max()) + 1"),),
    ),
    (
        "MixUp: alpha not used",
        "loops",
        (("random.betavariate(alpha, alpha)\n        j", "random.random()\n        j"),),
    ),
    ("MixUp: alpha used once", "masks", (("np.random.beta(alpha, alpha, ", "np.random.beta(1.0, alpha, "),)),
    ("MixUp: lambda always 0.5", "backwards", (("first / (first + second)", "1 / 2"),)),
    ("MixUp: the larger share always its own", "backwards", (("first / (", "max(first, second) / ("),)),
    (
        "MixUp: each picture with itself",
        "masks",
        (("np.random.permutation(len(images))\n    lam", "np.arange(len(images))\n    lam"),),
    ),
    ("MixUp: one partner for all", "loops", (("j = random.randrange(len(images))", "j = 0"),)),
    (
        "MixUp: shares sum to more than 1",
        "backwards",
        (("lam * images + (1 - lam) * images.flip(0)", "images + (1 - lam) * images.flip(0)"),),
    ),
    (
        "MixUp: partners that are mixed already",
        "loops",
        (("mixed.append(", "images[i] = ("), ("torch.stack(mixed)", "images")),
    ),
    (
        "MixUp: another lambda for each channel",
        "masks",
        (("(len(images), 1, 1, 1)", "(1, images.shape[1], 1, 1)"), ("lam.flatten(1)", "lam[:, 0, :, 0]")),
    ),
    (
        "MixUp: written into the input",
        "backwards",
        (
            ("return lam * images +", "return images.mul_(1) if False else images.copy_(lam * images +"),
            ("images.flip(0), lam", "images.flip(0)), lam"),
        ),
    ),
    (
        "MixUp: the same draw every time",
        "loops",
        (("    mixed, soft = [], []\n", "    mixed, soft = [], []\n    random.seed(4)\n"),),
    ),
    (
        "MixUp: a generator of its own",
        "masks",
        (
            (
                "np.random.permutation(len(images))\n    lam",
                "np.random.default_rng().permutation(len(images))\n    lam",
            ),
        ),
    ),
    (
        "CutMix: lambda not corrected",
        "loops",
        (("share = (bottom - top) * (right - left) / (height * width)", "share = 1 - lam"),),
    ),
    (
        "CutMix: box not cut off",
        "loops",
        (
            ("max(round(y - h / 2), 0), min(round(y + h / 2), height)", "round(y - h / 2), round(y + h / 2)"),
            ("max(round(x - w / 2), 0), min(round(x + w / 2), width)", "round(x - w / 2), round(x + w / 2)"),
        ),
    ),
    ("CutMix: sides without the root", "backwards", (("torch.sqrt(1 - lam)", "(1 - lam)"),)),
    ("CutMix: height and width swapped", "loops", (("h, w = height", "w, h = height"),)),
    ("CutMix: a square box", "loops", (("width * (1 - lam)", "height * (1 - lam)"),)),
    (
        "CutMix: box always inside",
        "loops",
        (("random.uniform(0, height), random.uniform(0, width)", f"{INSIDE_Y}, {INSIDE_X}"),),
    ),
    ("CutMix: box always in the middle", "backwards", (("torch.rand(2) * size", "size / 2"),)),
    (
        "CutMix: only one channel pasted",
        "loops",
        (("mixed[i, :,", "mixed[i, -1,"), ("= images[j, :, top", "= images[j, -1, top")),
    ),
    ("CutMix: box blackened", "masks", (("images[order], images)", "0.0, images)"),)),
    (
        "CutMix: box from another place of the partner",
        "backwards",
        (("images.flip(0)[region]", "images.flip(0, 3)[region]"),),
    ),
    (
        "CutMix: alpha not used",
        "loops",
        (("betavariate(alpha, alpha)\n        h", "betavariate(1, 1)\n        h"),),
    ),
    (
        "CutMix: lambda always 0.5",
        "backwards",
        (("torch.distributions.Beta(alpha, alpha).sample()", "torch.tensor(0.5)"),),
    ),
    ("CutMix: labels not mixed", "backwards", (("(1 - share) * soft + share * soft.flip(0)", "soft"),)),
    (
        "CutMix: the labels' shares swapped",
        "masks",
        (("soft, soft[order], inside", "soft[order], soft, inside"),),
    ),
    (
        "CutMix: another box for the labels",
        "loops",
        (
            (
                "        share = (bottom",
                "        right = left + (width - left) * random.random() ** 2\n        share = (bottom",
            ),
        ),
    ),
    (
        "CutMix: labels of another partner",
        "loops",
        (("        share =", "        j = (i + 2) % n\n        share ="),),
    ),
    ("CutMix: hard labels", "masks", (("inside.float().mean())", "inside.float().mean()).round()"),)),
    (
        "CutMix: number of classes guessed",
        "backwards",
        (("    mixed = images.clone()", "    num_classes = labels.max() + 1\n    mixed = images.clone()"),),
    ),
    ("CutMix: each picture with itself", "loops", (("j = (i + 1) % n", "j = i"),)),
    ("CutMix: one partner for all", "loops", (("j = (i + 1) % n", "j = n // 2"),)),
    (
        "CutMix: written into the input",
        "loops",
        (("mixed = images.clone()", "images, mixed = images.clone(), images"),),
    ),
    (
        "CutMix: partners that are mixed already",
        "loops",
        (("mixed = images.clone()", "mixed = images"), ("j = (i + 1) % n", "j = random.randrange(n)")),
    ),
    (
        "CutMix: the same draw every time",
        "backwards",
        (("    lam = torch.dist", "    torch.manual_seed(3)\n    lam = torch.dist"),),
    ),
    (
        "CutMix: a generator of its own",
        "backwards",
        (
            ("torch.rand(2)", "torch.rand(2, generator=generator)"),
            ("def mixup", "generator = torch.Generator()\n\ndef mixup"),
        ),
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


def test_a_mistake_in_one_function_costs_nothing_in_the_other() -> None:
    result = evaluate(EXERCISE, answer(LOOPS, ("j = (i + 1) % n", "j = i")), seed=3)
    assert all(part.earned == part.points for part in result.parts if part.title.startswith("MixUp"))


@pytest.mark.slow
def test_fixed_results_earn_next_to_nothing() -> None:
    fixed = InProcess(
        {
            name: lambda images, labels, num_classes, alpha=1.0: (
                torch.full_like(images, 0.5),
                torch.full((len(images), num_classes), 1 / num_classes),
            )
            for name in ("mixup", "cutmix")
        }
    )
    assert evaluate(EXERCISE, fixed, seed=3).earned <= 2  # it changes no input


def test_pictures_show_the_right_answer_for_the_draw_that_was_made() -> None:
    for style in STYLES.values():
        assert [shown.verdict for shown in demonstrate(EXERCISE.demonstrations, answer(style))] == [
            "the same"
        ] * 2
    wrong = answer(
        LOOPS, ("lam * images[i] +", "images[i] +"), ("= images[j, :, top:bottom, left:right]", "= 0")
    )
    assert all("differs in" in shown.verdict for shown in demonstrate(EXERCISE.demonstrations, wrong))
