"""Answers to exercise 3.1 in styles other than the check's: right ones keep all points, wrong ones are named."""

import pytest
from answers import namespace_of

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.segmentation.head import EXERCISE

COPIED = """
import torch
from torch import nn

def convolutionalize(fc, kernel_size=1):
    channels = fc.in_features // kernel_size**2
    conv = nn.Conv2d(channels, fc.out_features, kernel_size, bias=fc.bias is not None, dtype=fc.weight.dtype)
    with torch.no_grad():
        conv.weight.copy_(fc.weight.view(fc.out_features, channels, kernel_size, kernel_size))
        if fc.bias is not None:
            conv.bias.copy_(fc.bias)
    return conv
"""

STATE = """
from torch import nn

def convolutionalize(fc, kernel_size=1):
    k = kernel_size
    state = {name: value.clone() for name, value in fc.state_dict().items()}
    state["weight"] = state["weight"].reshape(fc.out_features, -1, k, k)
    conv = nn.Conv2d(state["weight"].shape[1], fc.out_features, k, bias="bias" in state)
    conv.to(fc.weight.dtype).load_state_dict(state)
    return conv
"""

PARAMETERS = """
from torch import nn

def convolutionalize(fc, kernel_size=1):
    c = int(fc.in_features / kernel_size / kernel_size)
    conv = nn.Conv2d(c, fc.out_features, kernel_size)
    weight = fc.weight.detach().clone()
    weight = weight.reshape(fc.out_features, c, kernel_size, kernel_size)
    conv.weight = nn.Parameter(weight)
    conv.bias = None if fc.bias is None else nn.Parameter(fc.bias.detach().clone())
    return conv
"""

LOOPS = """
from torch import nn

def convolutionalize(fc, kernel_size=1):
    k = kernel_size
    channels = fc.in_features // (k * k)
    conv = nn.Conv2d(channels, fc.out_features, (k, k), bias=fc.bias is not None).type(fc.weight.dtype)
    for c in range(channels):
        for row in range(k):
            for column in range(k):
                number = c * k * k + row * k + column
                conv.weight.data[:, c, row, column] = fc.weight.data[:, number]
    if fc.bias is not None:
        conv.bias.data[:] = fc.bias.data
    return conv
"""

OWN_MODULE = """
import torch
from torch import nn
import torch.nn.functional as F

class Everywhere(nn.Module):
    def __init__(self, weight, bias, side):
        super().__init__()
        self.matrix = nn.Parameter(weight)
        self.offset = bias if bias is None else nn.Parameter(bias)
        self.side = side

    def forward(self, maps):
        k = self.side
        patches = F.unfold(maps, k)
        scores = torch.einsum("oi,nil->nol", self.matrix, patches)
        if self.offset is not None:
            scores = scores + self.offset[:, None]
        return scores.unflatten(2, (maps.shape[2] - k + 1, maps.shape[3] - k + 1))

def convolutionalize(fc, kernel_size=1):
    bias = None if fc.bias is None else fc.bias.detach().clone()
    return Everywhere(fc.weight.detach().clone(), bias, kernel_size)
"""

NUMPY = """
import numpy as np
import torch
from torch import nn

def convolutionalize(fc, kernel_size=1):
    double = fc.weight.detach().double().numpy()
    kernel = np.stack([row.reshape(-1, kernel_size, kernel_size) for row in double])
    conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel_size, bias=fc.bias is not None)
    conv = conv.to(fc.weight.dtype)
    conv.weight = nn.Parameter(torch.from_numpy(kernel).to(fc.weight.dtype))
    if fc.bias is not None:
        conv.bias = nn.Parameter(torch.from_numpy(fc.bias.detach().double().numpy().copy()).to(fc.weight.dtype))
    return conv
"""

STYLES = {
    "copied": COPIED,
    "state": STATE,
    "parameters": PARAMETERS,
    "loops": LOOPS,
    "own module": OWN_MODULE,
    "numpy": NUMPY,
}


def answer(source: str, *changes: tuple[str, str]) -> InProcess:
    for right, wrong in changes:
        assert right in source
        source = source.replace(right, wrong)
    return InProcess(namespace_of(source))


@pytest.mark.parametrize("style", STYLES)
def test_right_answers_in_other_styles_keep_all_points(style: str) -> None:
    assert [evaluate(EXERCISE, answer(STYLES[style]), seed).earned for seed in range(20)] == [
        EXERCISE.points
    ] * 20


# (the mistake's name, style, (right, wrong), ...)
CASES: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [
    (
        "the weight transposed and reshaped",
        "state",
        (('state["weight"].reshape', 'state["weight"].T.reshape'),),
    ),
    (
        "the weight transposed",
        "parameters",
        (("nn.Parameter(weight)", "nn.Parameter(weight.transpose(0, 1).contiguous())"),),
    ),
    (
        "channels and classes swapped",
        "copied",
        (("nn.Conv2d(channels, fc.out_features,", "nn.Conv2d(fc.out_features, channels,"),),
    ),
    (
        "the kernel's channels last",
        "loops",
        (("c * k * k + row * k + column", "(row * k + column) * channels + c"),),
    ),
    ("rows and columns of the kernel swapped", "loops", (("row * k + column", "column * k + row"),)),
    (
        "the kernel turned round",
        "numpy",
        (("reshape(-1, kernel_size, kernel_size)", "reshape(-1, kernel_size, kernel_size)[:, ::-1, ::-1]"),),
    ),
    (
        "no bias",
        "own module",
        (("bias = None if fc.bias is None else fc.bias.detach().clone()", "bias = None"),),
    ),
    (
        "no bias",
        "loops",
        (("bias=fc.bias is not None", "bias=False"), ("if fc.bias is not None", "if False")),
    ),
    ("the bias set to 0", "parameters", (("fc.bias.detach().clone()", "fc.bias.detach() * 0"),)),
    (
        "the bias not copied",
        "loops",
        (("    if fc.bias is not None:\n        conv.bias.data[:] = fc.bias.data\n", ""),),
    ),
    (
        "the weight not copied",
        "copied",
        (("conv.weight.copy_(fc.weight.view(fc.out_features, channels, kernel_size, kernel_size))", "pass"),),
    ),
    (
        "a bias that fc hasn't",
        "copied",
        (("bias=fc.bias is not None", "bias=True"),),
    ),
    (
        "a bias that fc hasn't",
        "own module",
        (("bias = None if fc.bias is None", "bias = torch.zeros(len(fc.weight)) if fc.bias is None"),),
    ),
    ("stops where fc has no bias", "parameters", (("None if fc.bias is None else ", ""),)),
    (
        "stops where fc has no bias",
        "copied",
        (("bias=fc.bias is not None", "bias=True"), ("if fc.bias is not None", "if True")),
    ),
    (
        "a fresh layer",
        "state",
        (
            (
                "    k = kernel_size\n",
                "    k = kernel_size\n    fc = nn.Linear(fc.in_features, fc.out_features)\n",
            ),
        ),
    ),
    (
        "another layer than the argument",
        "state",
        (
            ("def conv", "classifier = nn.Linear(12, 6)\n\ndef conv"),
            ("    k = kernel_size\n", "    k = kernel_size\n    fc = classifier\n"),
        ),
    ),
    (
        "weights that are no parameters",
        "own module",
        (
            ("self.matrix = nn.Parameter(weight)", "self.register_buffer('matrix', weight)"),
            ("nn.Parameter(bias)", "bias"),
        ),
    ),
    ("a bias that is no parameter", "own module", (("nn.Parameter(bias)", "bias"),)),
    ("frozen", "numpy", (("    return conv", "    return conv.requires_grad_(False)"),)),
    (
        "frozen",
        "copied",
        (
            (
                "    return conv",
                "    for p in conv.parameters():\n        p.requires_grad = False\n    return conv",
            ),
        ),
    ),
    (
        "weight and bias shared with fc",
        "parameters",
        (("fc.weight.detach().clone()", "fc.weight.data"), ("fc.bias.detach().clone()", "fc.bias.data")),
    ),
    ("the weight shared with fc", "own module", (("fc.weight.detach().clone()", "fc.weight"),)),
    ("the bias shared with fc", "parameters", (("nn.Parameter(fc.bias.detach().clone())", "fc.bias"),)),
    (
        "fc reshaped",
        "numpy",
        (("    return conv", "    fc.weight = nn.Parameter(conv.weight.detach().clone())\n    return conv"),),
    ),
    (
        "kernel_size not used",
        "copied",
        (("    channels", "    kernel_size = 1\n    channels"),),
    ),
    ("as many channels as inputs", "copied", (("fc.in_features // kernel_size**2", "fc.in_features"),)),
    ("inputs divided by kernel_size once", "copied", (("// kernel_size**2", "// kernel_size"),)),
    ("padding", "loops", (("(k, k), bias", "(k, k), padding='same', bias"),)),
    (
        "padding",
        "parameters",
        (("fc.out_features, kernel_size)", "fc.out_features, kernel_size, padding=kernel_size // 2)"),),
    ),
    ("stride kernel_size", "state", (("fc.out_features, k, bias", "fc.out_features, k, k, bias"),)),
    (
        "the weight left as a matrix",
        "parameters",
        (("    weight = weight.reshape(fc.out_features, c, kernel_size, kernel_size)\n", ""),),
    ),
    ("a tensor assigned to a parameter", "parameters", (("nn.Parameter(weight)", "weight"),)),
    ("copied while gradients are recorded", "copied", (("with torch.no_grad():", "if True:"),)),
    ("written into while gradients are recorded", "loops", ((".weight.data[:, c", ".weight[:, c"),)),
    ("always float32", "copied", ((", dtype=fc.weight.dtype", ""),)),
    ("always float32", "own module", (("fc.weight.detach().clone()", "fc.weight.detach().float().clone()"),)),
]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(
    ("name", "style", "changes"), CASES, ids=[f"{name}, {style}" for name, style, _ in CASES]
)
def test_wrong_answers_in_other_styles_are_named(
    name: str, style: str, changes: tuple[tuple[str, str], ...]
) -> None:
    result = evaluate(EXERCISE, answer(STYLES[style], *changes), seed=5)
    assert result.earned < EXERCISE.points
    assert [mistake.name for mistake in result.mistakes] == [name]


def test_the_right_shapes_alone_earn_next_to_nothing() -> None:
    shapes = """
from torch import nn

def convolutionalize(fc, kernel_size=1):
    return nn.Conv2d(fc.in_features // kernel_size**2, fc.out_features, kernel_size)
"""
    assert evaluate(EXERCISE, answer(shapes), seed=3).earned <= 2


def test_a_layer_without_bias_is_told_apart_from_other_errors() -> None:
    result = evaluate(EXERCISE, answer(PARAMETERS, ("None if fc.bias is None else ", "")), seed=3)
    lost = [part for part in result.parts if not part.earned]
    assert [part.title for part in lost] == ["with and without a bias"]
    assert (lost[0].given, lost[0].expected) == ("yes", "no")
