"""Exercise 3.1: `convolutionalize`, against the fully connected layer itself, applied to every window of the maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.checks.answer import Answer, Raised, Ref, Value
from assignments_lib.checks.compare import agree, in_words
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.checks.modules import count_parameters, count_trainable


@dataclass(frozen=True)
class _Case:
    """The sizes of a layer, and of maps larger than its own."""

    classes: int
    channels: int
    kernel: int
    height: int
    width: int

    @property
    def inputs(self) -> int:
        return self.channels * self.kernel**2

    def __str__(self) -> str:
        return f"fc with {self.inputs} inputs and {self.classes} classes, kernel_size {self.kernel}"


_POINTS = (_Case(4, 7, 1, 3, 5), _Case(5, 5, 1, 2, 4), _Case(3, 1, 1, 6, 1))
_WINDOWS = (_Case(3, 4, 3, 3, 6), _Case(5, 2, 2, 5, 3), _Case(4, 4, 4, 6, 5))


@dataclass(frozen=True)
class _Layer:
    """The drawn numbers of a fully connected layer."""

    weight: Tensor
    bias: Tensor

    @staticmethod
    def drawn(draw: Draw, case: _Case, dtype: torch.dtype = torch.float32) -> _Layer:
        return _Layer(
            draw.normal(case.classes, case.inputs, dtype=dtype), draw.normal(case.classes, dtype=dtype)
        )

    def fc(self, answer: Answer) -> Ref:
        return answer.make("linear", self.weight, self.bias)


def _converted(answer: Answer, fc: Ref, kernel: int) -> Ref:
    convolution = answer.call("convolutionalize", fc, *([kernel] if kernel > 1 else []))
    if not isinstance(convolution, Ref):
        given = in_words(convolution)
        raise Raised(
            "TypeError", f"convolutionalize gave {given}, where a convolution (nn.Module) was expected"
        )
    return convolution


def _maps(draw: Draw, case: _Case, pictures: int = 2, dtype: torch.dtype = torch.float32) -> Tensor:
    return draw.normal(pictures, case.channels, case.height, case.width, dtype=dtype)


# -- what is looked at --------------------------------------------------------------------------------------


def _probes(case: _Case) -> Tensor:
    """Maps of the layer's own size: one that is all 0, then for each input one in which only it is 1."""
    every = torch.cat([torch.zeros(1, case.inputs), torch.eye(case.inputs)])
    return every.reshape(-1, case.channels, case.kernel, case.kernel)


def _whose(numbers: Tensor, again: Tensor, fcs: Tensor) -> str:
    """Where numbers come from, in words; ``again`` are those of a second conversion of the same layer."""
    if not agree(numbers, again):
        return "numbers drawn at random"
    if not bool(numbers.any()):
        return "all 0"
    size = float(numbers.norm() / fcs.norm())
    if agree((numbers / size).flatten().sort().values, fcs.flatten().sort().values):
        return "fc's" if abs(size - 1) < 1e-3 else f"fc's times {size:.3g}"
    return "other numbers than fc's"


def _scores(answer: Answer, draw: Draw, case: _Case, layer: _Layer) -> Iterator[Observation]:
    convolution = _converted(answer, layer.fc(answer), case.kernel)
    given = answer.run(convolution, _probes(case)).output
    is_right = isinstance(given, Tensor) and given.shape == (1 + case.inputs, case.classes, 1, 1)
    shape = tuple(given.shape) if isinstance(given, Tensor) else in_words(given)
    yield f"{case}: shape of the scores of {1 + case.inputs} maps of its own size", shape
    if is_right:
        again = answer.run(_converted(answer, layer.fc(answer), case.kernel), _probes(case)).output
        yield f"{case}: the bias, read off the scores of empty maps", _whose(given[0], again[0], layer.bias)
        weight, weight_again = ((scores[1:] - scores[0]).flatten(1).T for scores in (given, again))
        words = _whose(weight, weight_again, layer.weight)
        yield f"{case}: the weights, read off maps with a single 1", words
    own = draw.normal(2, case.channels, case.kernel, case.kernel, dtype=torch.float32)
    yield f"{case}: scores of maps of its own size", answer.run(convolution, own).output
    larger = _maps(draw, case)
    yield f"{case}: scores of maps {tuple(larger.shape)}", answer.run(convolution, larger).output


def _points(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """What a layer gives doesn't come from somewhere else: first of all, another layer gives something else."""
    states = [
        answer.state(_converted(answer, _Layer.drawn(draw, case).fc(answer), 1)) for case in _POINTS[:2]
    ]
    yield "two different layers become the same convolution", bool(states[0]) and agree(*states)
    yield from each(_POINTS, lambda case: _scores(answer, draw, case, _Layer.drawn(draw, case)))


def _windows(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """With a bias of 0: whether a bias is taken along is looked at elsewhere."""

    def observe(case: _Case) -> Iterator[Observation]:
        layer = _Layer(_Layer.drawn(draw, case).weight, torch.zeros(case.classes))
        yield from _scores(answer, draw, case, layer)

    yield from each(_WINDOWS, observe)


def _bias(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Whatever the weights are."""
    case = _POINTS[0]
    layer, maps = _Layer.drawn(draw, case), _maps(draw, case)
    convolution = _converted(answer, layer.fc(answer), case.kernel)
    empty, given = (answer.run(convolution, x).output for x in (torch.zeros_like(maps), maps))
    yield f"{case}: the scores of empty maps are fc's bias", _is_everywhere(empty, layer.bias)
    try:
        convolution = _converted(answer, answer.make("linear", layer.weight, None), case.kernel)
    except Raised as error:
        if error.blank:
            raise
        yield f"{case}: stops where fc has no bias", True  # None is stumbled upon in several ways
        return
    yield f"{case}: stops where fc has no bias", False
    more = count_parameters(answer, convolution) > case.classes * case.inputs
    yield f"{case}, no bias: learns more numbers than fc does", more
    without = answer.run(convolution, maps).output
    alike = isinstance(given, Tensor) and isinstance(without, Tensor) and given.shape == without.shape
    gap = given - without if alike else None
    yield f"{case}: scores with fc's bias and without it differ by it", _is_everywhere(gap, layer.bias)


def _is_everywhere(scores: Value, bias: Tensor) -> bool:
    is_map = isinstance(scores, Tensor) and scores.ndim == 4 and scores.shape[1] == len(bias)
    return is_map and torch.allclose(scores, bias[:, None, None].expand_as(scores), atol=1e-4)


def _own_weights(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """Two layers that learn apart: whatever happens to one is nothing to the other."""
    case = _POINTS[0]
    fc = _Layer.drawn(draw, case).fc(answer)
    before = answer.state(fc)
    convolution = _converted(answer, fc, case.kernel)
    yield f"{case}: what convolutionalize did to fc", _changes(before, answer.state(fc))
    frozen = not all(entry.requires_grad for entry in answer.describe(fc))
    yield f"{case}: fc has stopped learning", frozen
    numbers = count_parameters(answer, convolution)
    yield f"{case}: numbers of the convolution that are parameters", numbers
    yield f"{case}: numbers that learn", count_trainable(answer, convolution)
    maps = _maps(draw, case)
    towards = torch.ones(len(maps), case.classes, case.height, case.width)
    grads = answer.run(convolution, maps, mode="train", grad_output=towards).grads
    yield f"{case}: numbers that a gradient reaches", sum(grad.numel() for grad in grads.values())
    _shift(answer, convolution)
    yield f"{case}: when the convolution learns, what happens to fc", _changes(before, answer.state(fc))
    scores = answer.run(convolution, maps).output
    _shift(answer, fc)
    moved = not agree(answer.run(convolution, maps).output, scores)
    yield f"{case}: when fc learns, the convolution's scores change", moved


def _shift(answer: Answer, module: Ref) -> None:
    """As a training step would: every number becomes another."""
    answer.load(module, {name: value + 1 for name, value in answer.state(module).items()})


def _changes(before: dict[str, Tensor], after: dict[str, Tensor]) -> str:
    changed = [
        f"its {name} has another shape"
        if name in after and after[name].shape != value.shape
        else f"its {name} changes"
        for name, value in before.items()
        if name not in after or not torch.equal(value, after[name])
    ]
    return " and ".join(changed) or "nothing"


def _types(answer: Answer, draw: Draw) -> Iterator[Observation]:
    case, dtype = _POINTS[0], torch.float64
    convolution = _converted(answer, _Layer.drawn(draw, case, dtype).fc(answer), case.kernel)
    what = "type of the scores, where fc and the maps are in float64"
    try:
        given = answer.run(convolution, _maps(draw, case, dtype=dtype)).output
    except Raised as error:
        if error.blank:
            raise
        yield what, "none, it stops"
        return
    yield what, str(given.dtype) if isinstance(given, Tensor) else in_words(given)


# -- the reference ------------------------------------------------------------------------------------------


class _EveryWindow(nn.Module):
    """A copy of the layer, applied to each window of the maps in turn."""

    def __init__(self, fc: nn.Linear, side: int) -> None:
        super().__init__()
        self.fc = deepcopy(fc)
        self.side = side

    def forward(self, maps: Tensor) -> Tensor:
        windows = maps.unfold(2, self.side, 1).unfold(3, self.side, 1)  # (N, C, h, w, side, side)
        scores: Tensor = self.fc(windows.permute(0, 2, 3, 1, 4, 5).flatten(3))
        return scores.movedim(-1, 1)


def _reference() -> Namespace:
    return {"convolutionalize": lambda fc, kernel_size=1: _EveryWindow(fc, kernel_size)}


# -- typical mistakes ---------------------------------------------------------------------------------------


def _afterwards(change: Callable[[_EveryWindow, nn.Linear], object]) -> Namespace:
    """Something is done to the layer applied everywhere, which may look at the original too."""

    def convolutionalize(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
        made = _EveryWindow(fc, kernel_size)
        with torch.no_grad():
            change(made, fc)
        return made

    return {"convolutionalize": convolutionalize}


def _beforehand(slip: Callable[[nn.Linear, int], object]) -> Namespace:
    """A line that raises, or changes fc, before the rest."""

    def convolutionalize(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
        slip(fc, kernel_size)
        return _EveryWindow(fc, kernel_size)

    return {"convolutionalize": convolutionalize}


def _kernel(rearrange: Callable[[Tensor, int], Tensor]) -> Namespace:
    """fc's numbers in another order; ``rearrange`` gets fc's weight and the kernel's side."""
    return _afterwards(
        lambda made, fc: made.fc.weight.copy_(rearrange(fc.weight, made.side).reshape(fc.weight.shape))
    )


def _channels_last(weight: Tensor, side: int) -> Tensor:
    return weight.unflatten(1, (side, side, -1)).movedim(3, 1)


def _rows_for_columns(weight: Tensor, side: int) -> Tensor:
    return weight.unflatten(1, (-1, side, side)).transpose(2, 3)


def _turned(weight: Tensor, side: int) -> Tensor:
    return weight.unflatten(1, (-1, side, side)).flip(2, 3)


class _Wrapped(nn.Module):
    """Something is done to the maps before, or to the scores after."""

    def __init__(
        self,
        inner: nn.Module,
        before: Callable[[Tensor], Tensor] = lambda maps: maps,
        after: Callable[[Tensor], Tensor] = lambda scores: scores,
    ) -> None:
        super().__init__()
        self.inner, self.before, self.after = inner, before, after

    def forward(self, maps: Tensor) -> Tensor:
        return self.after(self.inner(self.before(maps)))


def _padded(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    around = [(kernel_size - 1) // 2, kernel_size // 2] * 2
    return _Wrapped(_EveryWindow(fc, kernel_size), before=lambda maps: F.pad(maps, around))


def _in_strides(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    return _Wrapped(
        _EveryWindow(fc, kernel_size), after=lambda scores: scores[..., ::kernel_size, ::kernel_size]
    )


def _pooled(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    return _Wrapped(
        _EveryWindow(fc, kernel_size), before=lambda maps: F.adaptive_avg_pool2d(maps, kernel_size)
    )


def _bias_to_zero(made: _EveryWindow, fc: nn.Linear) -> None:
    if made.fc.bias is not None:
        made.fc.bias.zero_()


def _random_bias(made: _EveryWindow, fc: nn.Linear) -> None:
    if made.fc.bias is not None:
        made.fc.bias.uniform_(-1, 1)


def _bias_from_nowhere(made: _EveryWindow, fc: nn.Linear) -> None:
    if fc.bias is None:
        made.fc.bias = nn.Parameter(fc.weight.new_empty(fc.out_features).uniform_(-1, 1))


def _without_bias(made: _EveryWindow, fc: nn.Linear) -> None:
    made.fc.register_parameter("bias", None)


def _fresh(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    return _EveryWindow(nn.Linear(fc.in_features, fc.out_features), kernel_size)


def _from_elsewhere(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    """The layer that the notebook happens to have, of its own size."""
    elsewhere = nn.Linear(512, 10)
    with torch.no_grad():
        for numbers in elsewhere.parameters():
            numbers.copy_(torch.linspace(-1, 1, numbers.numel()).view_as(numbers))
    return _EveryWindow(elsewhere, kernel_size)


def _forgotten(*names: str, shared: bool = False) -> Callable[[_EveryWindow, nn.Linear], None]:
    """These tensors are no parameters of the copy: tensors of its own, or fc's."""

    def change(made: _EveryWindow, fc: nn.Linear) -> None:
        for name in names:
            own = getattr(fc, name)
            if own is not None and shared:
                setattr(made.fc, name, own)
            elif own is not None:
                delattr(made.fc, name)
                setattr(made.fc, name, own.detach().clone())

    return change


def _with_four_sides(fc: nn.Linear, kernel_size: int) -> None:
    fc.weight.data = fc.weight.data.unflatten(1, (-1, kernel_size, kernel_size))


def _reshaped_in_place(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    made = _EveryWindow(fc, kernel_size)
    _with_four_sides(fc, kernel_size)
    return made


def _left_flat(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    convolution = nn.Conv2d(fc.in_features, fc.out_features, kernel_size)
    convolution.weight.data = fc.weight.data.clone()
    return convolution


def _always_one(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    if kernel_size == 1:
        return _EveryWindow(fc, 1)
    return nn.Conv2d(fc.in_features, fc.out_features, 1)


def _assigned(fc: nn.Linear, kernel_size: int) -> None:
    nn.Conv2d(fc.in_features, fc.out_features, kernel_size).weight = fc.weight.detach()


def _recorded(fc: nn.Linear, kernel_size: int) -> None:
    convolution = nn.Conv2d(fc.in_features, fc.out_features, kernel_size)
    convolution.weight.copy_(torch.zeros(()))


def _recorded_in_part(fc: nn.Linear, kernel_size: int) -> None:
    convolution = nn.Conv2d(fc.in_features, fc.out_features, kernel_size)
    convolution.weight[:, :, 0, 0] = torch.zeros(())


def _shape(channels: Callable[[int, int], int]) -> Namespace:
    """A kernel with that many channels, of (inputs, side)."""

    def reshape(fc: nn.Linear, kernel_size: int) -> None:
        fc.weight.reshape(fc.out_features, channels(fc.in_features, kernel_size), kernel_size, kernel_size)

    return _beforehand(reshape)


def _sides_swapped(fc: nn.Linear, kernel_size: int) -> None:
    channels = fc.in_features // kernel_size**2
    swapped = fc.weight.new_empty(channels, fc.out_features, kernel_size, kernel_size)
    swapped.copy_(fc.weight.detach().view(swapped.transpose(0, 1).shape))


def _transposed(fc: nn.Linear, kernel_size: int = 1) -> nn.Module:
    convolution = nn.Conv2d(fc.in_features // kernel_size**2, fc.out_features, kernel_size)
    convolution.weight.data = convolution.weight.data.transpose(0, 1).contiguous()
    return convolution


def _expects_a_bias(fc: nn.Linear, kernel_size: int) -> None:
    fc.bias.detach()


_PLAIN = (
    "The numbers are right, but they are no parameters (nn.Parameter): an optimizer wouldn't find them, and they "
    "couldn't learn."
)
_SHARED = (
    " .data, view, reshape and [..., None] don't copy the numbers: when one of the two layers is trained, the other "
    "changes too. Make a copy."
)

_MISTAKES = (
    Mistake(
        "the weight transposed and reshaped",
        "fc's numbers are all there, but in other places: fc.weight is (classes, inputs) already, which is how a "
        "convolution keeps its kernel. After .T, reshape deals them out to the wrong classes.",
        _kernel(lambda weight, side: weight.T),
    ),
    Mistake(
        "the weight transposed",
        "The kernel is the wrong way round: fc.weight is (classes, inputs) already, which is how a convolution keeps "
        "its kernel. It needs two more dimensions, but no transposing.",
        {"convolutionalize": _transposed},
    ),
    Mistake(
        "channels and classes swapped",
        "Channels and classes are in each other's place, so that the sizes don't fit: nn.Conv2d(in_channels, "
        "out_channels, ...) keeps a weight (out_channels, in_channels, rows, columns), and fc (classes, inputs).",
        _beforehand(_sides_swapped),
    ),
    Mistake(
        "the kernel's channels last",
        "The kernel's numbers are dealt out as (rows, columns, channels). flatten(1) of maps (N, C, H, W) puts the "
        "channels first, rows next, columns last: so does fc.",
        _kernel(_channels_last),
    ),
    Mistake(
        "rows and columns of the kernel swapped",
        "In the kernel rows stand where columns should. flatten(1) of maps (N, C, H, W) runs along a row first.",
        _kernel(_rows_for_columns),
    ),
    Mistake(
        "the kernel turned round",
        "The kernel is flipped. What torch calls a convolution doesn't flip it (it is a cross-correlation): leave its "
        "numbers in order.",
        _kernel(_turned),
    ),
    Mistake(
        "no bias",
        "The convolution has no bias, so that all scores of a class are off by the same amount. fc has one: take it "
        "along.",
        _afterwards(_without_bias),
    ),
    Mistake(
        "the bias set to 0",
        "The convolution's bias is 0. Where fc has one, it is copied like the weight.",
        _afterwards(_bias_to_zero),
    ),
    Mistake(
        "the bias not copied",
        "The weights are fc's, but the bias is still the random one with which every nn.Conv2d starts.",
        _afterwards(_random_bias),
    ),
    Mistake(
        "the weight not copied",
        "The bias is fc's, but the weights are still the random ones with which every nn.Conv2d starts.",
        _afterwards(lambda made, fc: made.fc.weight.uniform_(-1, 1)),
    ),
    Mistake(
        "a bias that fc hasn't",
        "Where fc has no bias, the convolution has one, at its random start. nn.Conv2d takes bias=False.",
        _afterwards(_bias_from_nowhere),
    ),
    Mistake(
        "stops where fc has no bias",
        "fc.bias is None for a layer without a bias, and None can't be copied. Ask first whether there is one.",
        _beforehand(_expects_a_bias),
    ),
    Mistake(
        "a fresh layer",
        "Neither weights nor bias are fc's: they are random numbers of a new layer. Copy those of the layer you are "
        "given.",
        {"convolutionalize": _fresh},
    ),
    Mistake(
        "another layer than the argument",
        "Whatever layer is given, the same convolution comes out: the function reads a layer that the notebook knows "
        "by another name, not its argument fc.",
        {"convolutionalize": _from_elsewhere},
    ),
    Mistake("weights that are no parameters", _PLAIN, _afterwards(_forgotten("weight", "bias"))),
    Mistake("a bias that is no parameter", _PLAIN, _afterwards(_forgotten("bias"))),
    Mistake("a weight that is no parameter", _PLAIN, _afterwards(_forgotten("weight"))),
    Mistake(
        "frozen",
        "The convolution's parameters don't learn: their requires_grad is False. It is to be trained later on.",
        _afterwards(lambda made, fc: made.requires_grad_(False)),
    ),
    Mistake(
        "weight and bias shared with fc",
        "Weight and bias are fc's own." + _SHARED,
        _afterwards(_forgotten("weight", "bias", shared=True)),
    ),
    Mistake(
        "the weight shared with fc",
        "The weight is fc's own." + _SHARED,
        _afterwards(_forgotten("weight", shared=True)),
    ),
    Mistake(
        "the bias shared with fc",
        "The weight is a copy, but the bias is fc's own: when one of the two layers is trained, the other changes "
        "too. Make a copy.",
        _afterwards(_forgotten("bias", shared=True)),
    ),
    Mistake(
        "fc reshaped",
        "fc itself gets a weight of four dimensions, and no longer works as a fully connected layer. Reshape a copy.",
        {"convolutionalize": _reshaped_in_place},
    ),
    Mistake(
        "fc frozen",
        "fc no longer learns after it was converted. Leave the layer you are given as it was.",
        _afterwards(lambda made, fc: fc.requires_grad_(False)),
    ),
    Mistake(
        "kernel_size not used",
        "The kernel is always 1 x 1, over as many channels as fc has inputs. With kernel_size k there are only "
        "in_features / k² channels.",
        {"convolutionalize": _always_one},
    ),
    Mistake(
        "as many channels as inputs",
        "The kernel has as many channels as fc has inputs, and k² numbers for each of them: more than fc has. The "
        "inputs are shared out among the k x k places.",
        _shape(lambda inputs, side: inputs),
    ),
    Mistake(
        "inputs divided by kernel_size once",
        "fc.in_features is C times k², and not C times k: the kernel has k rows and k columns.",
        _shape(lambda inputs, side: inputs // side),
    ),
    Mistake(
        "padding",
        "The maps are padded, so that more scores come out than there are windows, and those at the border see zeros. "
        "fc never saw any: no padding.",
        {"convolutionalize": _padded},
    ),
    Mistake(
        "stride kernel_size",
        "The window jumps by its own size. It should stand at every place: stride 1.",
        {"convolutionalize": _in_strides},
    ),
    Mistake(
        "pooled first",
        "Larger maps are pooled to one window, so that one score comes out for all places. Where something is gets "
        "lost: leave the pooling out.",
        {"convolutionalize": _pooled},
    ),
    Mistake(
        "the weight left as a matrix",
        "The convolution's weight still has two dimensions. A kernel has four: classes, channels, rows, columns.",
        {"convolutionalize": _left_flat},
    ),
    Mistake(
        "a tensor assigned to a parameter",
        "A module takes only an nn.Parameter for its weight or bias. Wrap the tensor in one, or copy the numbers into "
        "the parameter that is there.",
        _beforehand(_assigned),
    ),
    Mistake(
        "copied while gradients are recorded",
        "A parameter can't be written into while torch records gradients. Copy under torch.no_grad().",
        _beforehand(_recorded),
    ),
    Mistake(
        "written into while gradients are recorded",
        "A parameter can't be written into, in whole or in part, while torch records gradients. Use torch.no_grad().",
        _beforehand(_recorded_in_part),
    ),
    Mistake(
        "a fully connected layer returned",
        "What is returned is still a fully connected layer, which takes the last dimension of the maps for its "
        "inputs. A convolution is asked for.",
        {"convolutionalize": lambda fc, kernel_size=1: deepcopy(fc)},
    ),
    Mistake(
        "flattened inside",
        "What is returned flattens the maps first, so that it works for one size only, as before. Let a convolution "
        "do the whole work.",
        {"convolutionalize": lambda fc, kernel_size=1: nn.Sequential(nn.Flatten(), deepcopy(fc))},
    ),
    Mistake(
        "a function returned",
        "A function is returned. A module is asked for (such as nn.Conv2d), which has parameters that can learn.",
        {"convolutionalize": lambda fc, kernel_size=1: _EveryWindow.forward},
    ),
    Mistake(
        "always float32",
        "The convolution is in float32 whatever type fc has. Make it with fc's type: dtype=fc.weight.dtype.",
        {"convolutionalize": lambda fc, kernel_size=1: _EveryWindow(fc, kernel_size).float()},
    ),
)

EXERCISE = Exercise(
    id="3.1",
    title="from a fully connected to a convolutional head",
    defines=("convolutionalize",),
    parts=(
        Part(
            "a 1 x 1 kernel",
            3,
            _points,
            "Compare convolutionalize(fc)(maps) with fc(maps.flatten(1)) for maps (N, C, 1, 1).",
        ),
        Part(
            "a larger kernel",
            3,
            _windows,
            "In which order does flatten(1) put channels, rows and columns? And how many windows has a larger map?",
        ),
        Part("with and without a bias", 1, _bias, "What is fc.bias of nn.Linear(4, 2, bias=False)?"),
        Part(
            "weights of its own, which learn",
            2,
            _own_weights,
            "Print dict(convolution.named_parameters()), change one in place, and look at fc.",
        ),
        Part("the same float type", 1, _types, "Try it with nn.Linear(4, 2).double().", manners=True),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
)
