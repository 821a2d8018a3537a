"""The answer's side: objects by number, copies in and out, one pass through a module."""

import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import tv_tensors

from assignments_lib.checks.answer import InProcess, Raised, Ref
from assignments_lib.checks.host import summary_of


class Doubler(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0]))
        self.frozen = nn.Parameter(torch.tensor([1.0]), requires_grad=False)
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return x * self.weight


def test_a_module_is_described_filled_and_read() -> None:
    answer = InProcess({"make": Doubler})
    module = answer.call("make")
    assert [
        (e.name, e.shape, e.is_parameter, e.requires_grad, e.is_float) for e in answer.describe(module)
    ] == [
        ("weight", (1,), True, True, True),
        ("frozen", (1,), True, False, True),
        ("calls", (), False, False, False),
    ]
    answer.load(module, {"weight": torch.tensor([3.0], dtype=torch.float64)})
    state = answer.state(module)
    assert state["weight"].dtype == torch.float64
    assert state["weight"].item() == 3
    state["weight"].zero_()
    assert answer.state(module)["weight"].item() == 3


def test_summaries_say_of_a_tensor_what_its_values_give() -> None:
    values = torch.tensor([[0.0, 1.0, 1.0], [3.0, -2.0, 0.0]])
    summary = summary_of(values)
    assert summary.shape == (2, 3)
    assert (summary.zeros, summary.ones) == (2, 2)
    assert summary.total == 3
    assert summary.norm == pytest.approx(15**0.5)
    assert summary.deviation == pytest.approx(float(values.std()))
    assert math.isnan(summary_of(torch.tensor(1)).deviation)


@pytest.mark.parametrize("names", [None, ["frozen"]])
def test_a_module_is_summarised_as_its_state_is(names: list[str] | None) -> None:
    answer = InProcess({"make": Doubler})
    module = answer.call("make")
    state, found = answer.state(module, names), answer.summaries(module, names)
    assert [summary.shape for summary in found.values()] == [tuple(tensor.shape) for tensor in state.values()]
    assert [(name, summary.total) for name, summary in found.items()] == [
        (name, float(tensor.sum())) for name, tensor in state.items()
    ]


def test_gradients_are_summarised_on_request() -> None:
    answer = InProcess({"make": lambda: nn.Linear(3, 2)})
    module, x, towards = answer.call("make"), torch.randn(4, 3), torch.randn(4, 2)
    whole = answer.run(module, x, grad_output=towards)
    short = answer.run(module, x, grad_output=towards, summarize=True)
    assert not short.grads
    assert not whole.summaries
    assert short.summaries == {name: summary_of(grad) for name, grad in whole.grads.items()}
    assert short.summaries["weight"].norm > 0


def test_attributes_are_read_through_what_a_module_holds() -> None:
    answer = InProcess({"make": lambda: nn.Sequential(Doubler())})
    module = answer.call("make")
    assert answer.attribute(module, "training") is True
    assert answer.attribute(module, "0.weight").item() == 2
    assert answer.attribute(module, "0.weight.grad") is None
    assert answer.attribute(module, "0") == answer.attribute(module, "0")
    with pytest.raises(Raised, match="AttributeError"):
        answer.attribute(module, "1.weight")


def test_one_pass_forward_and_backward() -> None:
    answer = InProcess({"make": Doubler})
    module = answer.call("make")
    run = answer.run(module, torch.ones(2, 1), mode="train", grad_output=torch.ones(2, 1))
    assert torch.equal(run.output, torch.full((2, 1), 2.0))
    assert not run.output.requires_grad
    assert not run.input_changed
    assert run.grads.keys() == {"weight"}
    assert run.grads["weight"].item() == 2
    assert run.grad_input is not None
    assert torch.equal(run.grad_input, torch.full((2, 1), 2.0))
    assert answer.run(module, torch.ones(1)).grad_input is None


def test_a_module_that_writes_into_its_input() -> None:
    answer = InProcess({"make": lambda: nn.ReLU(inplace=True)})
    module = answer.call("make")
    images = torch.tensor([-1.0, 1.0])
    assert answer.run(module, images).input_changed
    assert answer.run(module, images, grad_output=torch.ones(2)).input_changed
    assert images.tolist() == [-1, 1]


def test_what_is_sent_is_copied() -> None:
    def spoil(x: torch.Tensor) -> None:
        x.zero_()

    sent = torch.ones(2)
    InProcess({"spoil": spoil}).call("spoil", sent)
    assert sent.tolist() == [1, 1]


def test_the_same_object_keeps_its_number() -> None:
    answer = InProcess({"make": Doubler, "same": lambda module: module})
    module = answer.call("make")
    assert answer.call("same", module) == module
    answer.forget()
    assert isinstance(answer.call("make"), Ref)


def test_a_mode_that_is_left_alone() -> None:
    answer = InProcess({"make": lambda: nn.Dropout(1.0).eval()})
    module = answer.call("make")
    assert answer.run(module, torch.ones(3), mode=None).output.sum() == 3
    assert answer.run(module, torch.ones(3), mode="train").output.sum() == 0


def test_inputs_that_exercises_ask_for() -> None:
    answer = InProcess({"look": lambda loader: [len(labels) for _, labels in loader]})
    assert answer.call("look", answer.make("loader", torch.zeros(5, 1), torch.zeros(5), 2)) == [2, 2, 1]
    with pytest.raises(ValueError, match="can't make a 'unicorn'"):
        answer.make("unicorn")


def test_operations_that_write_down_that_they_came() -> None:
    def apply(operations: Any, images: torch.Tensor, order: list[int]) -> Any:
        for step, number in enumerate(order):
            function, maximum = operations[number]
            images = function(images, torch.full((len(images),), maximum + step))
        return images

    answer = InProcess({"apply": apply})
    operations = answer.make("operations", [0.5, 3.0])
    images = torch.zeros(2, 4, 5, 6)
    images[:, 0] = torch.rand(2, 5, 6)
    applied = answer.call("apply", operations, images, [1, 0])
    assert torch.equal(applied[:, 0], images[:, 0])
    assert applied[:, 1:, 0, 0].tolist() == [[7, 1.5, 3.0]] * 2  # 3 * 2 + 1, then the strengths, latest first
    assert answer.call("apply", operations, images[:0], [0]).shape == (0, 4, 5, 6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda operation, images: operation(images, 0.5), "one number for each"),
        (lambda operation, images: operation(images, torch.tensor(0.5)), "one number for each"),
        (lambda operation, images: operation(images[0], torch.ones(1)), "not a tensor of 3 dimensions"),
    ],
)
def test_operations_say_what_they_take(call: Any, message: str) -> None:
    answer = InProcess({"call": lambda operations, images: call(operations[0][0], images)})
    with pytest.raises(Raised, match=message):
        answer.call("call", answer.make("operations", [1.0]), torch.zeros(2, 3, 4, 4))


def test_views_are_functions_of_images() -> None:
    answer = InProcess({"look": lambda views, images: [view(images) for view in views]})
    seen = answer.call("look", answer.make("views", [[1.0, 0.0], [2.0, -1.0]]), torch.tensor([1.0, 3.0]))
    assert [view.tolist() for view in seen] == [[1, 3], [1, 5]]


@pytest.mark.parametrize(("keep", "peak"), [(False, 1), (True, 3)])
def test_graphs_that_are_kept_are_counted(keep: bool, peak: int) -> None:
    def passes(model: nn.Module) -> None:
        kept = []
        for _ in range(3):
            out = model(torch.ones(1, 2)).sum()
            if keep:
                kept.append(out)
            del out

    answer = InProcess({"passes": passes})
    model = answer.make("model", [["Linear", 2, 2], ["GraphCounter"]])
    answer.call("passes", model)
    assert answer.state(model)["1.peak"].item() == peak


@pytest.mark.parametrize("bias", [True, False])
def test_linear_and_pointwise_layers_have_the_values_sent(bias: bool) -> None:
    answer = InProcess({"make": lambda: nn.Linear(1, 1)})
    weight, offset = torch.rand(5, 3, dtype=torch.float64), torch.rand(5, dtype=torch.float64)
    x = torch.rand(2, 3, dtype=torch.float64)
    linear = answer.make("linear", weight, offset if bias else None)
    expected = x @ weight.T + (offset if bias else 0)
    assert torch.allclose(answer.run(linear, x).output, expected)
    assert list(answer.state(linear)) == ["weight", *(["bias"] if bias else [])]
    if bias:
        pointwise = answer.make("pointwise", weight, offset)
        maps = x[:, :, None, None].expand(-1, -1, 4, 6)
        output = answer.run(pointwise, maps).output
        assert output.shape == (2, 5, 4, 6)
        assert torch.allclose(output, expected[:, :, None, None].expand_as(output))


STRIDES = [4, 8, 16, 32]


@pytest.mark.parametrize("size", [(64, 96), (33, 47), (1, 5)])
def test_a_pyramid_leaves_constants_alone_and_rounds_sizes_up(size: tuple[int, int]) -> None:
    answer = InProcess({})
    trunk = answer.make("pyramid", [torch.eye(3)] * 4, STRIDES)
    colour = torch.tensor([1.0, -2.0, 3.0]).view(1, 3, 1, 1)
    maps = answer.run(trunk, colour.expand(2, -1, *size)).output
    assert len(maps) == 4
    for stride, each in zip(STRIDES, maps, strict=True):
        assert each.shape == (2, 3, -(-size[0] // stride), -(-size[1] // stride))
        assert torch.allclose(each, colour.expand_as(each))
    assert answer.attribute(trunk, "strides") == tuple(STRIDES)


@pytest.mark.parametrize("strides", [[4, 8, 16, 32], [1, 2, 2, 8]])
def test_a_pyramid_averages_squares_and_mixes_channels(strides: list[int]) -> None:
    answer = InProcess({})
    shapes = [(4, 3), (2, 4), (5, 2), (6, 5)]
    matrices = [torch.rand(shape, dtype=torch.float64) for shape in shapes]
    trunk = answer.make("pyramid", matrices, strides)
    images = torch.rand(2, 3, 64, 32, dtype=torch.float64)
    mixed = torch.eye(3, dtype=torch.float64)
    for matrix, stride, each in zip(matrices, strides, answer.run(trunk, images).output, strict=True):
        mixed = matrix @ mixed
        squares = images.unflatten(2, (-1, stride)).unflatten(4, (-1, stride)).mean((3, 5))
        assert torch.allclose(each, torch.einsum("oc,nchw->nohw", mixed, squares))
    assert answer.attribute(trunk, "channels") == (4, 2, 5, 6)


def test_a_trunk_of_blocks_is_built_as_told() -> None:
    answer = InProcess({})
    widths, depths = [4, 4, 8, 6], [1, 2, 1, 3]
    trunk = answer.make("trunk", widths, depths)
    maps = answer.run(trunk, torch.rand(2, 3, 33, 70)).output
    assert [tuple(each.shape[1:]) for each in maps] == [
        (width, -(-33 // stride), -(-70 // stride)) for width, stride in zip(widths, STRIDES, strict=True)
    ]
    blocks = {name.split(".conv")[0] for name in answer.state(trunk) if ".conv1" in name}
    assert blocks == {
        f"stages.{stage}.{block}" for stage, depth in enumerate(depths) for block in range(depth)
    }


@pytest.mark.parametrize(("how", "peak"), [("kept", 3), ("dropped", 1), ("no_grad", 0)])
def test_a_counted_trunk_gives_the_same_maps_and_counts_graphs(how: str, peak: int) -> None:
    def passes(trunk: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
        kept = []
        with torch.set_grad_enabled(how != "no_grad"):
            for _ in range(3):
                maps = trunk(images)
                if how == "kept":
                    kept.append(maps)
                detached = [each.detach() for each in maps]
                del maps
        return detached

    answer = InProcess({"passes": passes})
    plain = answer.make("trunk", [2, 2, 2, 2], [1, 1, 1, 1])
    images = torch.rand(2, 3, 32, 32)
    before = answer.run(plain, images, mode="eval").output
    counted = answer.make("counted", plain)
    after = answer.call("passes", counted, images)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert answer.state(counted)["stem.1.peak"].item() == peak


def test_an_error_while_loading_is_the_answers() -> None:
    answer = InProcess({"make": Doubler})
    module = answer.call("make")
    with pytest.raises(Raised, match="broadcast shape"):
        answer.load(module, {"weight": torch.ones(2, 3)})


def test_seeds_reach_all_three_global_generators() -> None:
    answer = InProcess(
        {
            "draw": lambda: [
                float(torch.rand(())),
                random.random(),
                float(np.random.rand()),
                float(torch.randint(1000, ())),
            ],
        }
    )
    answer.seed(7)
    first, second = answer.call("draw"), answer.call("draw")
    assert all(a != b for a, b in zip(first[:3], second[:3], strict=True))
    answer.seed(7)
    assert answer.call("draw") == first
    answer.seed(8)
    assert all(a != b for a, b in zip(answer.call("draw")[:3], first[:3], strict=True))
    answer.forget()
    again = answer.call("draw")
    answer.forget()
    assert answer.call("draw") == again


def test_who_writes_into_what_it_is_given() -> None:
    answer = InProcess(
        {"add": lambda x, y: x + y, "add_": lambda x, y: x.add_(y), "second": lambda x, y: y.zero_()}
    )
    x, y = torch.ones(2), torch.ones(2)
    assert not answer.writes("add", x, y)
    assert answer.writes("add_", x, y)
    assert answer.writes("second", x, y)
    assert x.tolist() == y.tolist() == [1, 1]
    with pytest.raises(Raised, match="is not defined"):
        answer.writes("nothing", x)


def test_a_tv_tensor_comes_out_as_a_plain_one() -> None:
    answer = InProcess({"make": lambda: tv_tensors.Image(torch.ones(3, 2, 2))})
    assert type(answer.call("make")) is torch.Tensor
