"""Answers to exercise 2.7 in styles other than the check's: right ones keep all points, wrong ones are named."""

from typing import Any

import pytest
import torch
from torchvision.transforms import v2

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.augmentation.policy import EXERCISE
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.host import run_source

HEAD = """import random
import numpy as np
import torch
from torch import nn
from torchvision.transforms import v2

class RandAugment(nn.Module):
    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.operations, self.num_ops, self.level = operations, num_ops, level
"""

# Step by step, the pictures of one operation at a time.
GROUPED = (
    HEAD
    + """
    def forward(self, images):
        if not self.training:
            return images
        images = images.clone()
        for _ in range(self.num_ops):
            drawn = np.random.randint(0, len(self.operations), len(images))
            sign = torch.from_numpy(np.random.choice([-1.0, 1.0], len(images)))
            for number, (function, maximum) in enumerate(self.operations):
                chosen = torch.from_numpy(drawn == number)
                images[chosen] = function(images[chosen], sign[chosen] * maximum * self.level / 30)
        return images
"""
)

# Picture by picture, drawing pairs.
CHOICES = (
    HEAD
    + """
    def forward(self, images):
        return torch.cat([self.one(x) for x in images.split(1)]) if self.training else images

    def one(self, x):
        for function, maximum in random.choices(self.operations, k=self.num_ops):
            top = abs(maximum) * self.level / 30
            x = function(x, torch.tensor([random.choice([-top, top])]))
        return x
"""
)

# A plan for the whole batch first: (num_ops, N) numbers and strengths.
PLANNED = (
    HEAD
    + """        self.register_buffer("strengths", torch.tensor([m * level / 30 for _, m in operations]))

    def forward(self, images):
        if self.training:
            plan = torch.randint(len(self.operations), (self.num_ops, len(images)))
            signed = self.strengths[plan] * torch.bernoulli(torch.full(plan.shape, 0.5)).mul(2).sub(1)
            for numbers, strengths in zip(plan, signed):
                images = torch.stack([
                    self.operations[k][0](image[None], s[None])[0] for image, k, s in zip(images, numbers, strengths)
                ])
        return images
"""
)

STYLES = {"grouped": GROUPED, "choices": CHOICES, "planned": PLANNED}


def answer(source: str, *changes: tuple[str, str]) -> InProcess:
    for right, wrong in changes:
        assert right in source
        source = source.replace(right, wrong)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    run_source(source, "<cell 1>", namespace)
    return InProcess(namespace)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_right_answers_in_other_styles_keep_all_points(style: str) -> None:
    assert [evaluate(EXERCISE, answer(STYLES[style]), seed).earned for seed in range(20)] == [
        EXERCISE.points
    ] * 20


def test_level_thirty_is_the_maximum_in_torchvision_too() -> None:
    magnitudes, signed = v2.RandAugment._AUGMENTATION_SPACE["Rotate"]
    assert signed
    assert magnitudes(31, 10, 10)[9] == pytest.approx(magnitudes(31, 10, 10)[30] * 9 / 30)


# (the mistake's name, style, (right, wrong), ...)
CASES: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
    (
        "the last operation never drawn",
        "grouped",
        (("(0, len(self.operations), ", "(0, len(self.operations) - 1, "),),
    ),
    (
        "the first operation never drawn",
        "choices",
        (("choices(self.operations", "choices(self.operations[1:]"),),
    ),
    (
        "one too far in the list",
        "choices",
        (
            (
                "for function, maximum in random.choices(self.operations, k=self.num_ops):",
                "for _ in range(self.num_ops):",
            ),
            (
                "            top",
                "            function, maximum = self.operations[random.randint(0, 4)]\n            top",
            ),
        ),
    ),
    ("drawn without replacement", "choices", (("random.choices", "random.sample"),)),
    ("one operation applied again and again", "choices", (("k=self.num_ops", "k=1) * (self.num_ops"),)),
    (
        "one operation applied again and again",
        "planned",
        (("(self.num_ops, len(images)))", "(1, len(images))).expand(self.num_ops, -1)"),),
    ),
    (
        "one draw for the whole batch",
        "planned",
        (("(self.num_ops, len(images)))", "(self.num_ops, 1)).expand(-1, len(images))"),),
    ),
    (
        "drawn once, in __init__",
        "choices",
        (
            (
                "\n    def forward",
                "        self.drawn = random.choices(operations, k=num_ops)\n\n    def forward",
            ),
            ("random.choices(self.operations, k=self.num_ops)", "self.drawn"),
        ),
    ),
    (
        "always in the list's order",
        "planned",
        (("            signed", "            plan = plan.sort(0).values\n            signed"),),
    ),
    (
        "all operations applied",
        "choices",
        (("random.choices(self.operations, k=self.num_ops)", "self.operations"),),
    ),
    ("num_ops not used", "planned", (("(self.num_ops, len(images))", "(2, len(images))"),)),
    (
        "only the last operation counts",
        "choices",
        (("x = function(x,", "y = function(x,"), ("return x\n", "return y\n")),
    ),
    (
        "pictures come back in another order",
        "grouped",
        (
            ("        return images\n", "        return images[np.argsort(drawn, kind='stable')]\n"),
            (
                "return images[np.argsort(drawn, kind='stable')]\n        images = images.clone()",
                "return images\n        images = images.clone()",
            ),
        ),
    ),
    ("strength never negative", "choices", (("[-top, top]", "[top]"),)),
    (
        "one sign for the whole batch",
        "grouped",
        (
            (
                "np.random.choice([-1.0, 1.0], len(images))",
                "np.random.choice([-1.0, 1.0], 1).repeat(len(images))",
            ),
        ),
    ),
    (
        "one sign for all pictures with the same operation",
        "grouped",
        (("sign[chosen] *", "random.choice([-1, 1]) * torch.ones(int(chosen.sum())) *"),),
    ),
    (
        "one sign for all steps of a picture",
        "planned",
        (("torch.full(plan.shape, 0.5)", "torch.full(plan.shape[1:], 0.5)"),),
    ),
    ("level not used", "planned", (("m * level / 30", "m"),)),
    ("level not divided by 30", "choices", (("self.level / 30", "self.level"),)),
    ("level divided by 10", "grouped", (("self.level / 30", "self.level / 10"),)),
    ("level divided by 31", "planned", (("level / 30", "level / 31"),)),
    ("maximum not used", "grouped", (("maximum * self.level", "self.level"),)),
    (
        "maximum of another operation",
        "planned",
        (("self.strengths[plan]", "self.strengths[torch.randint(len(self.operations), plan.shape)]"),),
    ),
    ("random strength", "grouped", (("self.level / 30", "self.level / 30 * torch.rand(int(chosen.sum()))"),)),
    (
        "strengths that are plain numbers",
        "choices",
        (("torch.tensor([random.choice([-top, top])])", "random.choice([-top, top])"),),
    ),
    ("strengths that are plain numbers", "planned", (("s[None])[0]", "s)[0]"),)),
    ("applied in evaluation mode", "planned", (("if self.training:", "if torch.is_tensor(images):"),)),
    ("written into the input", "grouped", (("        images = images.clone()\n", ""),)),
    (
        "the same draw every time",
        "choices",
        (("        return torch.cat", "        random.seed(1)\n        return torch.cat"),),
    ),
    ("a generator of its own", "grouped", (("np.random.choice", "np.random.default_rng().choice"),)),
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
    class Fixed(torch.nn.Module):
        def __init__(self, operations: Any, num_ops: int = 2, level: int = 9) -> None:
            super().__init__()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images

    assert evaluate(EXERCISE, InProcess({"RandAugment": Fixed}), seed=3).earned == 0


def test_a_class_that_is_no_module_is_told_so() -> None:
    class Plain:
        def __init__(self, operations: Any, num_ops: int = 2, level: int = 9) -> None:
            pass

    result = evaluate(EXERCISE, InProcess({"RandAugment": Plain}), seed=3)
    assert result.earned == 0
    assert all("no nn.Module" in part.given for part in result.parts)
