"""Building, filling and running an answer's modules: what the checks of networks have in common."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import torch

from assignments_lib.checks.answer import Answer, Raised, Ref, Summary, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.exercise import Draw, Observation
from assignments_lib.checks.fill import fill, norms, role


def build(answer: Answer, target: str, *args: Value) -> Ref:
    """A module that the answer makes.

    Raises:
        Raised: the answer raised, or made something else.
    """
    made = answer.call(target, *args)
    if not isinstance(made, Ref):
        called = f"{target}({', '.join(map(str, args))})"
        raise Raised("TypeError", f"{called} gave {in_words(made)}, where a module (nn.Module) was expected")
    return made


def build_filled(
    answer: Answer, draw: Draw, target: str, *args: Value, dtype: torch.dtype = torch.float64
) -> Ref:
    """A module of this type whose weights are drawn from the seed and their shapes (`checks.fill`)."""
    module = build(answer, target, *args)
    answer.load(module, fill(answer.describe(module), draw.seed, dtype))
    return module


def count_parameters(answer: Answer, module: Ref) -> int:
    """How many numbers the module learns or could learn."""
    return sum(prod(entry.shape) for entry in answer.describe(module) if entry.is_parameter)


def count_trainable(answer: Answer, module: Ref) -> int:
    """How many numbers the module learns."""
    entries = answer.describe(module)
    return sum(prod(entry.shape) for entry in entries if entry.is_parameter and entry.requires_grad)


def tensor_mark(tensor: Summary) -> tuple[tuple[int, ...], float]:
    """Tells tensors apart by role and values, whatever they are called and whichever way round they are stored."""
    return role(tensor.shape), round(tensor.total, 3)


def output(
    answer: Answer, draw: Draw, module: Ref, shape: tuple[int, ...], what: str
) -> Iterator[Observation]:
    """What the module gives in evaluation mode for images of this shape."""
    yield f"{what}, evaluation mode", answer.run(module, draw.normal(*shape)).output


def training_pass(
    answer: Answer, draw: Draw, module: Ref, shape: tuple[int, ...], what: str
) -> Iterator[Observation]:
    """What the module gives in training mode, the gradients it sends back, and what BatchNorm remembers of it."""
    images = draw.normal(*shape)
    given = answer.run(module, images, mode="train").output
    yield f"{what}, training mode", given
    if not isinstance(given, torch.Tensor):
        return
    towards = draw.normal(*given.shape)
    run = answer.run(module, images, mode="train", grad_output=towards, summarize=True)
    yield f"{what}, gradient with respect to the input", run.grad_input
    yield f"{what}, norms of the parameters' gradients, each with its shape", norms(run.summaries)
    names = [entry.name for entry in answer.describe(module) if not entry.is_parameter and entry.is_float]
    yield (
        f"{what}, norms of BatchNorm's running statistics afterwards, each with its shape",
        norms(answer.summaries(module, names)),
    )
