"""Exercise 1.7: `train_one_epoch` and `evaluate`, against the same steps worked out by hand.

A small probe network (with BatchNorm, so that its mode shows) is trained by the answer; what its weights ought to be
is computed here from gradients and the rule of SGD with momentum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from assignments_lib.checks.answer import Answer, Ref, Value
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part

_PIXELS, _HIDDEN, _CLASSES = (1, 4, 4), 8, 3
_LAYERS: list[list[Any]] = [
    ["Flatten"],
    ["Linear", 16, _HIDDEN],
    ["BatchNorm1d", _HIDDEN],
    ["ReLU"],
    ["GraphCounter"],
    ["Linear", _HIDDEN, _CLASSES],
]
_RATE, _MOMENTUM = 0.3, 0.6
_BATCH = 8
_SIZE = 5 * _BATCH + 3  # the last batch is smaller


@dataclass(frozen=True)
class _Setting:
    """A drawn network and drawn data."""

    state: dict[str, Tensor]
    images: Tensor
    labels: Tensor

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(self.images.split(_BATCH), self.labels.split(_BATCH), strict=True)


def _setting(draw: Draw) -> _Setting:
    state = {
        "1.weight": draw.normal(_HIDDEN, 16) / 4,
        "1.bias": draw.normal(_HIDDEN) / 4,
        "2.weight": draw.normal(_HIDDEN).abs() + 0.5,
        "2.bias": draw.normal(_HIDDEN) / 4,
        "2.running_mean": draw.normal(_HIDDEN),
        "2.running_var": draw.normal(_HIDDEN).abs() + 1.0,
        "5.weight": draw.normal(_CLASSES, _HIDDEN),
        "5.bias": draw.normal(_CLASSES),
    }
    labels = draw.integers(0, _CLASSES - 1, _SIZE)
    images = draw.normal(_SIZE, *_PIXELS) + labels.view(-1, 1, 1, 1) / 2
    images[-3:] *= 3  # so that the smaller batch has another mean loss
    return _Setting(state, images, labels)


def _probe(answer: Answer, setting: _Setting) -> tuple[Ref, Ref]:
    """The probe network and its data on the answer's side."""
    model = answer.make("model", _LAYERS)
    answer.load(model, setting.state)
    return model, answer.make("loader", setting.images, setting.labels, _BATCH)


def _train(
    answer: Answer, setting: _Setting, *, evaluated_before: bool = False, train_mode: str | None = None
) -> tuple[Value, Ref]:
    """What the answer's `train_one_epoch` returned, and the network it trained."""
    model, loader = _probe(answer, setting)
    optimizer = answer.make("sgd", model, _RATE, _MOMENTUM)
    if evaluated_before:
        answer.run(model, setting.images[:2], mode="eval")
    extra = {} if train_mode is None else {"train_mode": answer.make("mode", train_mode)}
    return answer.call("train_one_epoch", model, loader, optimizer, "cpu", **extra), model


_WEIGHTS = "weights of a small network after one epoch of SGD with momentum"
_STATISTICS = "BatchNorm's running statistics after training a network that was in evaluation mode"
_MEAN_LOSS = f"mean training loss over {_SIZE} pictures in batches of {_BATCH} (the last one smaller)"
_RUN = "the network is run"
_GRAPHS = "graphs of earlier batches are kept in memory"
_OTHER_MODE = "weights after an epoch with train_mode=nn.Module.eval, which keeps BatchNorm's statistics"
_LOSS = f"mean loss over {_SIZE} pictures in batches of {_BATCH} (the last one smaller)"
_ACCURACY = f"accuracy over {_SIZE} pictures in batches of {_BATCH}"
_UNMOVED = "evaluation changes the network's weights or statistics"
_RECORDED = "evaluation records a graph for gradients"


def _weights(answer: Answer, draw: Draw) -> Iterator[Observation]:
    _, model = _train(answer, _setting(draw))
    yield from _learned(_WEIGHTS, answer.state(model))


def _learned(what: str, state: dict[str, Tensor]) -> Iterator[Observation]:
    for name in ("5.weight", "1.weight", "2.weight"):
        yield f"{what}: {name}", state[name]


def _mode(answer: Answer, draw: Draw) -> Iterator[Observation]:
    _, model = _train(answer, _setting(draw), evaluated_before=True)
    yield _STATISTICS, answer.state(model)["2.running_mean"]


def _mean_loss(answer: Answer, draw: Draw) -> Iterator[Observation]:
    yield _MEAN_LOSS, _train(answer, _setting(draw))[0]


def _graphs(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """While a batch goes forward, the loss of the one before may still hold its graph: two at most."""
    loss, model = _train(answer, _setting(draw))
    yield _ran(answer, model)
    attached = isinstance(loss, Tensor) and loss.requires_grad
    yield _GRAPHS, attached or int(answer.state(model)["4.peak"]) > 2


def _ran(answer: Answer, model: Ref) -> Observation:
    """Whoever never runs the network does it no harm, and earns nothing by that."""
    return _RUN, int(answer.state(model, ["4.passes"])["4.passes"]) > 0


def _other_mode(answer: Answer, draw: Draw) -> Iterator[Observation]:
    _, model = _train(answer, _setting(draw), train_mode="eval")
    yield from _learned(_OTHER_MODE, answer.state(model))


def _evaluated(answer: Answer, draw: Draw) -> tuple[Value, Ref, _Setting]:
    """What the answer's `evaluate` returned for a network in training mode with dropout."""
    setting = _setting(draw)
    model, loader = _probe(answer, setting)
    return answer.call("evaluate", model, loader, "cpu"), model, setting


def _figure(position: int, what: str) -> Callable[[Answer, Draw], Iterator[Observation]]:
    def observe(answer: Answer, draw: Draw) -> Iterator[Observation]:
        returned = _evaluated(answer, draw)[0]
        is_pair = isinstance(returned, (tuple, list)) and len(returned) == 2
        yield "evaluate returns two numbers", is_pair
        figure = returned[position] if is_pair else returned
        yield what, float(figure) if type(figure) is int else figure

    return observe


def _evaluation_mode(answer: Answer, draw: Draw) -> Iterator[Observation]:
    _, model, setting = _evaluated(answer, draw)
    yield _ran(answer, model)
    after = answer.state(model)
    yield _UNMOVED, any(not torch.equal(after[name], value) for name, value in setting.state.items())


def _no_graph(answer: Answer, draw: Draw) -> Iterator[Observation]:
    returned, model, _ = _evaluated(answer, draw)
    yield _ran(answer, model)
    values = returned if isinstance(returned, (tuple, list)) else (returned,)
    attached = any(isinstance(value, Tensor) and value.requires_grad for value in values)
    yield _RECORDED, attached or int(answer.state(model)["4.peak"]) > 0


# -- what a right answer shows ------------------------------------------------------------------------------


def _probe_here(setting: _Setting) -> nn.Sequential:
    layers = [
        nn.Identity() if name == "GraphCounter" else getattr(nn, name)(*rest) for name, *rest in _LAYERS
    ]
    model = nn.Sequential(*layers).double()
    model.load_state_dict(setting.state, strict=False)
    return model


def _by_hand(setting: _Setting, *, training: bool = True) -> tuple[dict[str, Tensor], float]:
    """The state after one epoch and the mean loss, from gradients and the rule of SGD with momentum."""
    model = _probe_here(setting).train(training)
    weights = {name: p.detach().requires_grad_() for name, p in model.named_parameters()}
    velocity = {name: torch.zeros_like(w) for name, w in weights.items()}
    total = 0.0
    for images, labels in setting.batches():
        loss = F.cross_entropy(functional_call(model, weights, images), labels)
        slopes = torch.autograd.grad(loss, list(weights.values()))
        for (name, weight), slope in zip(weights.items(), slopes, strict=True):
            velocity[name] = _MOMENTUM * velocity[name] + slope
            weights[name] = (weight - _RATE * velocity[name]).detach().requires_grad_()
        total += loss.item() * len(images)
    learned = {name: w.detach() for name, w in weights.items()}
    return learned | {name: b.detach() for name, b in model.named_buffers()}, total / _SIZE


def _true_figures(setting: _Setting) -> tuple[float, float]:
    with torch.no_grad():
        logits = _probe_here(setting).eval()(setting.images)
    right = (logits.argmax(1) == setting.labels).double().mean()
    return float(F.cross_entropy(logits, setting.labels)), float(right)


def _true_weights(draw: Draw) -> Iterator[Observation]:
    yield from _learned(_WEIGHTS, _by_hand(_setting(draw))[0])


def _true_statistics(draw: Draw) -> Iterator[Observation]:
    yield _STATISTICS, _by_hand(_setting(draw))[0]["2.running_mean"]


def _true_mean_loss(draw: Draw) -> Iterator[Observation]:
    yield _MEAN_LOSS, _by_hand(_setting(draw))[1]


def _true_other_mode(draw: Draw) -> Iterator[Observation]:
    yield from _learned(_OTHER_MODE, _by_hand(_setting(draw), training=False)[0])


def _true_figure(position: int, what: str) -> Callable[[Draw], Iterator[Observation]]:
    def expected(draw: Draw) -> Iterator[Observation]:
        yield "evaluate returns two numbers", True
        yield what, _true_figures(_setting(draw))[position]

    return expected


def _never(what: str) -> Callable[[Draw], Iterator[Observation]]:
    def expected(draw: Draw) -> Iterator[Observation]:
        yield _RUN, True
        yield what, False

    return expected


# -- typical mistakes: one pass over the data with a bad habit ----------------------------------------------


def _training(
    *,
    mode: bool = True,
    given_mode: bool = True,
    stale: bool = False,
    idle: bool = False,
    doubled: bool = False,
    loss_of: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    summary: Callable[[list[Tensor], list[int]], Any] = lambda losses, sizes: float(losses[-1]),
    keep_graphs: bool = False,
) -> Namespace:
    """Gradients by hand; a summary that is the last batch's loss unless another is given."""

    def train_one_epoch(
        model: nn.Module,
        loader: Any,
        optimizer: torch.optim.Optimizer,
        device: str = "cpu",
        train_mode: Callable[[nn.Module], Any] = nn.Module.train,
    ) -> Any:
        if mode:
            (train_mode if given_mode else nn.Module.train)(model)
        weights = list(model.parameters())
        losses: list[Tensor] = []
        sizes: list[int] = []
        for images, labels in loader:
            loss = loss_of(model(images), labels)
            slopes = torch.autograd.grad(loss, weights, retain_graph=keep_graphs)
            for weight, slope in zip(weights, slopes, strict=True):
                weight.grad = slope + weight.grad if stale and weight.grad is not None else slope
            for _ in range(0 if idle else 2 if doubled else 1):
                optimizer.step()
            losses.append(loss if keep_graphs else loss.detach())
            sizes.append(len(images))
        return summary(losses, sizes)

    return {"train_one_epoch": train_one_epoch}


def _weighted(losses: list[Tensor], sizes: list[int]) -> float:
    return float(sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes))


def _evaluating(
    *,
    mode: bool = True,
    recorded: bool = False,
    dim: int = 1,
    summary: Callable[[Tensor, Tensor, list[int]], Any],
    logits_of: Callable[[Tensor], Tensor] = lambda logits: logits,
) -> Namespace:
    """``summary`` gets each batch's mean loss, each batch's number of hits, and the batches' sizes."""

    def evaluate(model: nn.Module, loader: Any, device: str = "cpu") -> Any:
        model.train(not mode)
        losses, hits, sizes = [], [], []
        for images, labels in loader:
            with torch.set_grad_enabled(recorded):
                logits = logits_of(model(images))
                losses.append(F.cross_entropy(logits, labels))
            hits.append((logits.argmax(dim) == labels).double().sum())
            sizes.append(len(images))
        return summary(torch.stack(losses), torch.stack(hits), sizes)

    return {"evaluate": evaluate}


def _right_summary(losses: Tensor, hits: Tensor, sizes: list[int]) -> tuple[float, float]:
    losses = losses.detach()
    return float((losses * torch.tensor(sizes)).sum() / sum(sizes)), float(hits.sum() / sum(sizes))


def _wrong_summary(
    change: Callable[[float, float, Tensor, Tensor, list[int]], Any],
) -> Callable[[Tensor, Tensor, list[int]], Any]:
    def summary(losses: Tensor, hits: Tensor, sizes: list[int]) -> Any:
        return change(*_right_summary(losses, hits, sizes), losses, hits, sizes)

    return summary


_MISTAKES = (
    Mistake(
        "zero_grad missing",
        "Gradients of earlier batches are still there: backward() adds to them. Clear them for every batch with "
        "optimizer.zero_grad().",
        _training(stale=True, summary=_weighted),
    ),
    Mistake(
        "no step",
        "The weights never change. Is there an optimizer.step(), and does nothing clear the gradients between "
        "backward() and step()?",
        _training(idle=True, summary=_weighted),
    ),
    Mistake(
        "two steps a batch",
        "Each batch moves the weights twice. One backward pass, one step.",
        _training(doubled=True, summary=_weighted),
    ),
    Mistake(
        "not put into training mode",
        "The network is trained in the mode it happens to be in. After an evaluation that is the wrong one: begin with "
        "train_mode(model).",
        _training(mode=False, summary=_weighted),
    ),
    Mistake(
        "train_mode not used",
        "The argument train_mode has no effect: call train_mode(model) where you would call model.train(). Exercise "
        "1.8 needs it.",
        _training(given_mode=False, summary=_weighted),
    ),
    Mistake(
        "softmax before cross-entropy",
        "A softmax is applied before the cross-entropy, which applies one itself. Give it the logits.",
        _training(
            loss_of=lambda logits, labels: F.cross_entropy(logits.softmax(1), labels), summary=_weighted
        ),
    ),
    Mistake(
        "sum instead of mean in the loss",
        "The loss is summed over the batch, so that steps grow with the size of the batch. Use the mean.",
        _training(
            loss_of=lambda logits, labels: F.cross_entropy(logits, labels, reduction="sum"), summary=_weighted
        ),
    ),
    Mistake(
        "mean of batch means",
        "The batches' mean losses are averaged as if all batches had the same size. The last one is smaller: weight "
        "each by the number of its pictures.",
        _training(summary=lambda losses, sizes: float(torch.stack(losses).mean())),
    ),
    Mistake(
        "loss of the last batch",
        "Only the last batch's loss is returned, not the mean over the epoch.",
        _training(),
    ),
    Mistake(
        "loss not divided",
        "The losses are summed up but never divided by the number of pictures.",
        _training(summary=lambda losses, sizes: _weighted(losses, sizes) * sum(sizes)),
    ),
    Mistake(
        "summed batch losses divided by pictures",
        "The batches' mean losses are summed and divided by the number of pictures. A mean was divided twice: multiply "
        "each by its batch's size first.",
        _training(summary=lambda losses, sizes: float(torch.stack(losses).sum() / sum(sizes))),
    ),
    Mistake(
        "loss kept with its graph",
        "The losses you add up still hold their graphs, so that memory grows with every batch. Add numbers: "
        "loss.item().",
        _training(
            keep_graphs=True,
            summary=lambda losses, sizes: sum(x * n for x, n in zip(losses, sizes, strict=True)) / sum(sizes),
        ),
    ),
    Mistake(
        "a tensor returned",
        "A tensor is returned where a Python number is asked for: use .item().",
        _training(summary=lambda losses, sizes: torch.tensor(_weighted(losses, sizes), dtype=torch.float64)),
    ),
    Mistake(
        "nothing returned",
        "The function returns nothing. Its last line should return the mean loss.",
        _training(summary=lambda losses, sizes: None),
    ),
    Mistake(
        "BatchNorm left in training mode when evaluating",
        "The network is evaluated in training mode: BatchNorm normalises by the batch and changes its statistics, so "
        "that evaluating changes the network. Begin with model.eval().",
        _evaluating(mode=False, summary=_right_summary),
    ),
    Mistake(
        "gradients recorded when evaluating",
        "Evaluation records a graph that nobody needs, which costs time and memory. Use torch.no_grad() or "
        "torch.inference_mode().",
        _evaluating(recorded=True, summary=_right_summary),
    ),
    Mistake(
        "mean of batch losses when evaluating",
        "The batches' mean losses are averaged as if all batches had the same size. Weight each by the number of its "
        "pictures.",
        _evaluating(
            summary=_wrong_summary(lambda loss, acc, losses, hits, sizes: (float(losses.mean()), acc))
        ),
    ),
    Mistake(
        "mean of batch accuracies",
        "The batches' accuracies are averaged as if all batches had the same size. Count right answers over all "
        "batches, and divide once.",
        _evaluating(
            summary=_wrong_summary(
                lambda loss, acc, losses, hits, sizes: (loss, float((hits / torch.tensor(sizes)).mean()))
            )
        ),
    ),
    Mistake(
        "mean of batch losses and accuracies",
        "Losses and accuracies are averaged over batches, as if all had the same size. The last one is smaller: "
        "sum over pictures, and divide once.",
        _evaluating(
            summary=_wrong_summary(
                lambda loss, acc, losses, hits, sizes: (
                    float(losses.mean()),
                    float((hits / torch.tensor(sizes)).mean()),
                )
            )
        ),
    ),
    Mistake(
        "accuracy in percent",
        "The accuracy is in percent. A fraction between 0 and 1 is asked for.",
        _evaluating(summary=_wrong_summary(lambda loss, acc, losses, hits, sizes: (loss, 100 * acc))),
    ),
    Mistake(
        "number of right answers",
        "The number of right answers is returned. Divide it by the number of pictures.",
        _evaluating(summary=_wrong_summary(lambda loss, acc, losses, hits, sizes: (loss, float(hits.sum())))),
    ),
    Mistake(
        "right answers divided by batches",
        "The number of right answers is divided by the number of batches. Divide it by the number of pictures.",
        _evaluating(
            summary=_wrong_summary(
                lambda loss, acc, losses, hits, sizes: (loss, float(hits.sum()) / len(sizes))
            )
        ),
    ),
    Mistake(
        "accuracy before loss",
        "The two numbers are in the wrong order: first the loss, then the accuracy.",
        _evaluating(summary=_wrong_summary(lambda loss, acc, losses, hits, sizes: (acc, loss))),
    ),
    Mistake(
        "arg max over the batch",
        "The arg max is taken over the pictures (dimension 0). The classes stand in dimension 1.",
        _evaluating(dim=0, summary=_right_summary),
    ),
    Mistake(
        "softmax before cross-entropy when evaluating",
        "A softmax is applied before the cross-entropy, which applies one itself. Give it the logits.",
        _evaluating(summary=_right_summary, logits_of=lambda logits: logits.softmax(1)),
    ),
)

EXERCISE = Exercise(
    id="1.7",
    title="training and evaluation",
    defines=("train_one_epoch", "evaluate"),
    parts=(
        Part(
            "weights after one epoch",
            4,
            _weights,
            "The three lines that every training loop has: their order.",
            _true_weights,
        ),
        Part(
            "training mode",
            2,
            _mode,
            "What must the first line of an epoch say to BatchNorm?",
            _true_statistics,
        ),
        Part(
            "mean loss of the epoch",
            2,
            _mean_loss,
            "How many pictures are in the last batch?",
            _true_mean_loss,
        ),
        Part(
            "memory doesn't grow",
            1,
            _graphs,
            "What does loss hold besides its value?",
            _never(_GRAPHS),
            manners=True,
        ),
        Part(
            "the train_mode argument", 1, _other_mode, "The docstring of train_one_epoch.", _true_other_mode
        ),
        Part(
            "evaluation: mean loss",
            2,
            _figure(0, _LOSS),
            "The docstring of evaluate.",
            _true_figure(0, _LOSS),
        ),
        Part(
            "evaluation: accuracy",
            2,
            _figure(1, _ACCURACY),
            "The docstring of evaluate.",
            _true_figure(1, _ACCURACY),
        ),
        Part(
            "evaluation leaves the network as it was",
            3,
            _evaluation_mode,
            "Which mode is the network in while it is evaluated?",
            _never(_UNMOVED),
            manners=True,
        ),
        Part(
            "evaluation records no gradients",
            1,
            _no_graph,
            "What does a forward pass record, and who needs it here?",
            _never(_RECORDED),
            manners=True,
        ),
    ),
    reference=dict,
    mistakes=_MISTAKES,
    not_covered="whether images and labels are moved to the device: this check runs on the CPU.",
)
