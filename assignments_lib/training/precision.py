"""bfloat16 where it is faster, out of the training loop's sight.

Only the network's ``forward`` runs under autocast, in the channels-last memory layout, and hands back
float32. So the loop around it (loss, ``backward``, ``.numpy()``) sees the numbers it would see anyway,
rounded a little. bfloat16 has float32's range, so no gradient scaling is needed.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# bfloat16 has to win by this much; below it the measurement is mostly noise and float32 is the simpler choice
WORTHWHILE = 1.15


def faster_in_bfloat16(device: torch.device | str) -> bool:
    """Whether convolutions train faster under bfloat16 autocast, measured once a process (about 0.3 s).

    Many CPUs, and GPUs older than Ampere, only imitate bfloat16, and are slower with it.
    """
    kind = torch.device(device).type
    if kind not in ("cpu", "cuda"):
        return False
    if kind == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return False
    return speedup(kind) >= WORTHWHILE


@functools.cache
def speedup(kind: str) -> float:
    """How many times as fast a few 3x3 convolutions train in bfloat16, channels last, as in float32."""
    generator = torch.Generator().manual_seed(0)  # its own, so that measuring leaves the global seeds alone
    images = torch.randn(16, 64, 16, 16, generator=generator).to(kind)
    weight = torch.randn(64, 64, 3, 3, generator=generator).mul_(0.06).to(kind).requires_grad_()

    def step(images: Tensor, weight: Tensor) -> None:
        for _ in range(3):
            images = F.conv2d(images, weight, padding=1)
            images = F.relu(F.batch_norm(images, None, None, training=True))
        images.float().mean().backward()

    def bfloat16_step() -> None:
        with torch.autocast(kind, torch.bfloat16):
            step(*(each.contiguous(memory_format=torch.channels_last) for each in (images, weight)))

    with torch.enable_grad():
        # In turns, so that a busy moment of the machine hits both; the least, as nothing makes a step faster
        rounds = [
            (_seconds(lambda: step(images, weight), kind), _seconds(bfloat16_step, kind)) for _ in range(9)
        ]
    exact, rounded = zip(*rounds[1:], strict=True)  # the first round sets up the kernels
    return min(exact) / min(rounded)


def _seconds(step: Callable[[], None], kind: str) -> float:
    started = time.perf_counter()
    step()
    if kind == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


@contextmanager
def bfloat16_forward(model: nn.Module) -> Iterator[None]:
    """Within it, ``model(images)`` runs in bfloat16 with channels last, and returns float32.

    Parameters, gradients and the optimizer stay in float32. On leaving, the network is as it was before.

    Raises:
        ValueError: this one network has had its ``forward`` replaced, as `torch.compile` does.
    """
    if "forward" in vars(model):
        raise ValueError(
            "the network's forward has been replaced (compiled?): train it with precision='float32'"
        )
    model.to(memory_format=torch.channels_last)
    # A bound method, because `copy.deepcopy(model)` binds it to the copy; a closure would run the original.
    vars(model)["forward"] = MethodType(_forward, model)
    try:
        yield
    finally:
        del vars(model)["forward"]
        model.to(memory_format=torch.contiguous_format)


def _forward(model: nn.Module, *inputs: Any, **options: Any) -> Any:
    kind = next(model.parameters()).device.type
    inputs = tuple(
        each.contiguous(memory_format=torch.channels_last)
        if isinstance(each, Tensor) and each.ndim == 4
        else each
        for each in inputs
    )
    with torch.autocast(kind, torch.bfloat16):
        outputs = type(model).forward(model, *inputs, **options)
    return _to_float32(outputs)


def _to_float32(outputs: Any) -> Any:
    if isinstance(outputs, Tensor):
        return outputs.float() if outputs.dtype == torch.bfloat16 else outputs
    if isinstance(outputs, dict):
        return type(outputs)((key, _to_float32(value)) for key, value in outputs.items())
    if type(outputs) in (tuple, list):
        return type(outputs)(_to_float32(value) for value in outputs)
    return outputs


def works_in_bfloat16(model: nn.Module, images: Tensor) -> bool:
    """Whether the network takes bfloat16 and channels last: a ``view`` where ``flatten`` is needed does not.

    ``images`` is a batch on the network's device. Parameters, buffers and the training mode stay as they are.
    """
    if any(each.dtype != torch.float32 for each in model.parameters()):
        return False
    try:
        with evaluating(model), bfloat16_forward(model), torch.no_grad():
            outputs = model(images)
    except Exception:  # in float32, if it fails there too, the loop will show the student's own frames
        return False
    return not isinstance(outputs, Tensor) or bool(outputs.isfinite().all())


_measured: dict[object, float] = {}


def speedup_of(model: nn.Module, images: Tensor) -> float:
    """How many times as fast this network trains on this batch in bfloat16 as in float32; measured once for each kind.

    A processor that is fast with large feature maps may be slow with small ones, where most of the time goes into
    converting weights. Weights, buffers, gradients and the training mode stay as they are.
    """
    kind = images.device.type
    parameters = [each for each in model.parameters() if each.requires_grad]
    key = (
        kind,
        tuple(images.shape),
        tuple(tuple(each.shape) for each in model.parameters()),
        len(parameters),
    )
    if not parameters:
        return 1.0  # nothing to train: the loop will say so
    if key in _measured:
        return _measured[key]

    def step() -> None:
        torch.autograd.grad(model(images).float().square().mean(), parameters, allow_unused=True)

    def bfloat16_step() -> None:
        with bfloat16_forward(model):
            step()

    with evaluating(model), torch.enable_grad():
        rounds = [(_seconds(step, kind), _seconds(bfloat16_step, kind)) for _ in range(3)]
    exact, rounded = zip(*rounds[1:], strict=True)  # the first round sets up the kernels
    _measured[key] = min(exact) / min(rounded)
    return _measured[key]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode within it; afterwards every module is in the mode it had (a frozen one may differ)."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
