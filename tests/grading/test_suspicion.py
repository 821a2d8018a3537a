"""What an instructor is told to look at, and that honest answers give nothing to look at."""

import pytest
from submissions import notebook_of, released

from assignments_lib.grading import suspicion
from assignments_lib.grading.suspicion import warnings_about
from assignments_lib.marking.matching import Code


@pytest.mark.parametrize("module", sorted(suspicion._MODULES))
@pytest.mark.parametrize("form", ["import {}", "import {} as x", "from {} import *", "import os, {}"])
def test_modules_that_attacks_are_made_of(module: str, form: str) -> None:
    says = f"imports `{module}` ({suspicion._MODULES[module]}). Have a look at it."
    assert warnings_about([Code(form.format(module), "1.2")]) == [f"The cell of 1.2 {says}"]
    assert warnings_about([Code(form.format(module))]) == [f"A cell that the student added {says}"]


@pytest.mark.parametrize("name", sorted(suspicion._NAMES))
def test_names_that_lead_out_of_an_answer(name: str) -> None:
    assert warnings_about([Code(f"def f(x):\n    return x.{name}", "1.1")]) == [
        f"The cell of 1.1 uses `{name}`. Have a look at it."
    ]


@pytest.mark.parametrize("part", ["host", "serve", "wire"])
@pytest.mark.parametrize(
    "form", ["import assignments_lib.checks.{}", "from assignments_lib.checks import {}",
             "from assignments_lib.checks.{} import *"],
)  # fmt: skip
def test_parts_of_the_grader(part: str, form: str) -> None:
    warnings = warnings_about([Code(form.format(part), "1.1")])
    assert (
        f"The cell of 1.1 imports `assignments_lib.checks.{part}`, a part of the grader. Have a look at it."
        in warnings
    )


@pytest.mark.parametrize("base", ["torch", "torchvision", "nn", "F", "np", "check", "sys"])
@pytest.mark.parametrize("rest", ["equal", "nn.functional.relu", "a.b.c.d"])
def test_what_is_replaced_in_libraries(base: str, rest: str) -> None:
    source = f"def f():\n    {base}.{rest} = lambda *args: True"
    assert warnings_about([Code(source, "1.1")]) == [
        f"The cell of 1.1 replaces `{base}.{rest}`. Have a look at it."
    ]


@pytest.mark.parametrize(
    "source",
    [
        "self.conv = nn.Conv2d(1, 1, 1)",
        "x.data = torch.zeros(1)",
        "model.fc.weight.grad = None",
        "y = torch.nn.functional.relu(x)",
        "torch[0].x = 1",
        "import torch, math, numpy as np",
        "from assignments_lib.checks import check",
        "from . import y",
        "from .. import signals",
        "# import ctypes",
        "text = 'import ctypes'",
        "def f(:",
        "",
        "\0",
        "import gcd",
    ],
)
def test_ordinary_code_is_not_suspicious(source: str) -> None:
    assert warnings_about([Code(source, "1.1")]) == []


def test_a_thing_is_said_once_a_cell() -> None:
    source = "import gc\nimport gc\nx.__class__\ny.__class__"
    cells = [Code(source, "1.1"), Code(source, "1.1"), Code(source, "1.2")]
    assert len(warnings_about(cells)) == 4


def test_there_are_at_most_twenty() -> None:
    source = "\n".join(f"torch.x{number} = 1" for number in range(100))
    assert len(warnings_about([Code(source, "1.1")])) == 20


@pytest.mark.parametrize("depth", [50, 1000, 2000, 50_000])
def test_names_in_names_without_end_are_no_trouble(depth: int) -> None:
    """Python gives up to parse the deepest of them; of the others a beginning is quoted."""
    warnings = warnings_about([Code(f"torch{'.a' * depth} = 1", "1.1")])
    assert all("replaces `torch.a.a.a" in warning and len(warning) < 200 for warning in warnings)
    assert len(warnings) == (depth < 10_000)


def test_what_is_quoted_can_be_written_on_one_line() -> None:
    warnings = warnings_about([Code("torch.\\\n  a \\\n .ᵇ = 1", "1.1")])
    assert warnings == ["The cell of 1.1 replaces `torch.a.b`. Have a look at it."]


@pytest.mark.parametrize("name", ["1_resnet34", "2_data_augmentation", "3_classification_to_segmentation"])
@pytest.mark.parametrize("solved", [True, False], ids=["solved", "blank"])
def test_no_warning_about_the_courses_own_answers(name: str, solved: bool) -> None:
    ids = {blank.id for blank in released(name).answers}
    cells = [
        Code(cell["source"], cell["id"]) for cell in notebook_of(name, solved)["cells"] if cell["id"] in ids
    ]
    assert len(cells) == len(ids)
    assert warnings_about(cells) == []
