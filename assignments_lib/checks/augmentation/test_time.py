"""Exercise 2.8: `predict_with_views`, against the same predictions worked out step by step.

A small network with BatchNorm and Dropout (so that its mode shows) sees pictures brightened and darkened by known
views; the mean of its probabilities is computed here from its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assignments_lib.checks.answer import Answer, Ref, Value
from assignments_lib.checks.compare import agree
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each

_PIXELS, _HIDDEN, _CLASSES = (1, 4, 3), 8, 4
_LAYERS: list[list[Any]] = [
    ["Flatten"],
    ["Linear", 12, _HIDDEN],
    ["BatchNorm1d", _HIDDEN],
    ["ReLU"],
    ["Dropout", 0.5],
    ["GraphCounter"],
    ["Linear", _HIDDEN, _CLASSES],
]
_CASES = ((5, 3), (1, 2), (3, 1))  # pictures, views


@dataclass(frozen=True)
class _Setting:
    """A drawn network, pictures, and views: images -> factor * images + offset."""

    state: dict[str, Tensor]
    images: Tensor
    views: list[list[float]]

    @staticmethod
    def drawn(draw: Draw, pictures: int, views: int) -> _Setting:
        state = {
            "1.weight": draw.normal(_HIDDEN, 12) / 2,
            "1.bias": draw.normal(_HIDDEN) / 2,
            "2.weight": draw.normal(_HIDDEN).abs() + 0.5,
            "2.bias": draw.normal(_HIDDEN) / 2,
            "2.running_mean": draw.normal(_HIDDEN),
            "2.running_var": draw.normal(_HIDDEN).abs() + 1.0,
            "6.weight": 1.5 * draw.normal(_CLASSES, _HIDDEN),  # so that networks are sure of themselves
            "6.bias": draw.normal(_CLASSES),
        }
        factors = 0.4 + draw.uniform(views) * torch.tensor([1.0, -1.0]).repeat(views)[:views]
        changes = torch.stack([factors, draw.normal(views)], dim=1)
        return _Setting(state, draw.normal(pictures, *_PIXELS), changes.tolist())

    def model(self, answer: Answer) -> Ref:
        """The network on the answer's side, in training mode as every new one."""
        model = answer.make("model", _LAYERS)
        answer.load(model, self.state)
        return model

    def ask(self, answer: Answer, model: Ref) -> Value:
        return answer.call("predict_with_views", model, self.images, answer.make("views", self.views))

    def logits(self, images: Tensor) -> Tensor:
        """What the network says in evaluation mode, where Dropout does nothing."""
        s = self.state
        x = F.linear(images.flatten(1), s["1.weight"], s["1.bias"])
        x = F.batch_norm(x, s["2.running_mean"], s["2.running_var"], s["2.weight"], s["2.bias"])
        return F.linear(x.clamp(min=0), s["6.weight"], s["6.bias"])


_UNMOVED = "predicting changes BatchNorm's statistics"
_DEPENDS = "predictions depend on the mode in which the network happens to be"
_ATTACHED = "the predictions hold a graph for gradients"
_RECORDED = "predicting records a graph for gradients"


def _what(pictures: int, views: int) -> str:
    return f"probabilities of {_CLASSES} classes for {pictures} pictures in {views} views, network in evaluation mode"


def _means(answer: Answer, draw: Draw) -> Iterator[Observation]:
    settings = [_Setting.drawn(draw, *case) for case in _CASES]

    def of(setting: _Setting) -> Iterator[Observation]:
        model = setting.model(answer)
        answer.run(model, setting.images, mode="eval")
        yield _what(len(setting.images), len(setting.views)), setting.ask(answer, model)

    yield from each(settings, of)


def _true_means(draw: Draw) -> Iterator[Observation]:
    for setting in [_Setting.drawn(draw, *case) for case in _CASES]:
        total = torch.zeros(len(setting.images), _CLASSES, dtype=torch.float64)
        for factor, offset in setting.views:
            total += torch.exp(F.log_softmax(setting.logits(factor * setting.images + offset), dim=1))
        yield _what(len(setting.images), len(setting.views)), total / len(setting.views)


def _mode(answer: Answer, draw: Draw) -> Iterator[Observation]:
    setting = _Setting.drawn(draw, 5, 3)
    model = setting.model(answer)
    while_training = setting.ask(answer, model)
    after = answer.state(model, list(setting.state))
    yield _UNMOVED, any(not torch.equal(after[name], value) for name, value in setting.state.items())
    answer.load(model, setting.state)
    answer.run(model, setting.images, mode="eval")
    yield _DEPENDS, not agree(setting.ask(answer, model), while_training)


def _no_graph(answer: Answer, draw: Draw) -> Iterator[Observation]:
    setting = _Setting.drawn(draw, 5, 3)
    model = setting.model(answer)
    returned = setting.ask(answer, model)
    yield _ATTACHED, isinstance(returned, Tensor) and returned.requires_grad
    yield _RECORDED, int(answer.state(model)["5.peak"]) > 0


def _never(*whats: str) -> Callable[[Draw], Iterator[Observation]]:
    def expected(draw: Draw) -> Iterator[Observation]:
        for what in whats:
            yield what, False

    return expected


# -- typical mistakes ---------------------------------------------------------------------------------------

_Views = Sequence[Callable[[Tensor], Tensor]]


def _each_view(images: Tensor, views: _Views) -> list[Tensor]:
    return [view(images) for view in views]


def _predicting(
    summary: Callable[[Tensor], Tensor],
    *,
    mode: bool = True,
    recorded: bool = False,
    seen: Callable[[Tensor, _Views], list[Tensor]] = _each_view,
) -> Namespace:
    """``summary`` gets the logits (views, N, classes)."""

    def predict_with_views(model: nn.Module, images: Tensor, views: _Views) -> Tensor:
        if mode:
            model.eval()
        with torch.set_grad_enabled(recorded):
            return summary(torch.stack([model(batch) for batch in seen(images, views)]))

    return {"predict_with_views": predict_with_views}


def _agreed(logits: Tensor) -> Tensor:
    return logits.softmax(2).mean(0)


def _chained(images: Tensor, views: _Views) -> list[Tensor]:
    batches = []
    for view in views:
        images = view(images)
        batches.append(images)
    return batches


def _mixed_up(logits: Tensor) -> Tensor:
    """Views and pictures in each other's place."""
    views, pictures, classes = logits.shape
    return logits.softmax(2).reshape(pictures, views, classes).mean(1)


_MISTAKES = (
    Mistake(
        "logits averaged",
        "The logits are averaged, and then the softmax is taken. Then one view that is very sure outvotes the others: "
        "average probabilities.",
        _predicting(lambda logits: logits.mean(0).softmax(1)),
    ),
    Mistake(
        "no softmax",
        "Logits are returned. Probabilities are asked for: non-negative, with sum 1 over the classes.",
        _predicting(lambda logits: logits.mean(0)),
    ),
    Mistake(
        "softmax twice",
        "There is a softmax of a softmax, which makes all classes nearly equally likely. Mean probabilities need none.",
        _predicting(lambda logits: _agreed(logits).softmax(1)),
    ),
    Mistake(
        "softmax over the batch",
        "The softmax is taken over the pictures. The classes stand in dimension 1: their probabilities sum to 1.",
        _predicting(lambda logits: logits.softmax(1).mean(0)),
    ),
    Mistake(
        "softmax over the views",
        "The softmax is taken over the views, so that they compete with each other. Each view has probabilities of its "
        "own.",
        _predicting(lambda logits: logits.softmax(0).mean(0)),
    ),
    Mistake(
        "log-probabilities",
        "Logarithms of probabilities are returned: log_softmax is for losses.",
        _predicting(lambda logits: _agreed(logits).log()),
    ),
    Mistake(
        "summed and not averaged",
        "The views' probabilities are summed and not divided by the number of views.",
        _predicting(lambda logits: logits.softmax(2).sum(0)),
    ),
    Mistake(
        "votes counted",
        "Each view gives a whole vote to its likeliest class. Probabilities say more: average them as they are.",
        _predicting(
            lambda logits: F.one_hot(logits.argmax(2), _CLASSES).to(logits.dtype).mean(0),
        ),
    ),
    Mistake(
        "class numbers returned",
        "Numbers of classes are returned. Probabilities (N, classes) are asked for; the arg max is the caller's.",
        _predicting(lambda logits: _agreed(logits).argmax(1)),
    ),
    Mistake(
        "the surest view only",
        "For each class the largest probability of all views is taken. Take the mean.",
        _predicting(lambda logits: logits.softmax(2).amax(0)),
    ),
    Mistake(
        "only the last view",
        "Only the last view counts: look whether the loop overwrites its result.",
        _predicting(lambda logits: logits[-1].softmax(1)),
    ),
    Mistake(
        "only the first view",
        "Only the first view counts: look for a return inside the loop.",
        _predicting(lambda logits: logits[0].softmax(1)),
    ),
    Mistake(
        "the first view left out",
        "The first view is left out. All the views in the list count, and nothing but them.",
        _predicting(lambda logits: logits.softmax(2)[1:].sum(0) / max(1, len(logits) - 1)),
    ),
    Mistake(
        "only the original",
        "The network sees the original pictures every time. Give it view(images).",
        _predicting(_agreed, seen=lambda images, views: [images for _ in views]),
    ),
    Mistake(
        "the original added",
        "The original pictures count as one more view. If they are to count, views holds a function that leaves them "
        "as they are.",
        _predicting(_agreed, seen=lambda images, views: [images, *_each_view(images, views)]),
    ),
    Mistake(
        "views chained",
        "Each view is applied to what the view before it made. Every view starts from the pictures as given.",
        _predicting(_agreed, seen=_chained),
    ),
    Mistake(
        "views and pictures mixed up",
        "One picture's probabilities are averaged with another's: reshape doesn't exchange dimensions. Average over "
        "the dimension in which the views stand.",
        _predicting(_mixed_up),
    ),
    Mistake(
        "left in training mode",
        "The network predicts in the mode it happens to be in. In training mode Dropout drops at random, and BatchNorm "
        "looks at the other pictures of the batch and remembers them. Begin with model.eval().",
        _predicting(_agreed, mode=False),
    ),
    Mistake(
        "gradients recorded",
        "Predicting records a graph that nobody needs, which costs time and memory. Use torch.no_grad() or "
        "torch.inference_mode().",
        _predicting(_agreed, recorded=True),
    ),
    Mistake(
        "gradients recorded, then cut off",
        "The result has no graph any more, but one was recorded for every view. Switch recording off while the network "
        "runs: torch.no_grad() or torch.inference_mode().",
        _predicting(lambda logits: _agreed(logits).detach(), recorded=True),
    ),
)

EXERCISE = Exercise(
    id="2.8",
    title="test-time augmentation",
    defines=("predict_with_views",),
    parts=(
        Part(
            "the mean of the views' probabilities",
            3,
            _means,
            "What is averaged, over which dimension, and where does the softmax stand?",
            _true_means,
        ),
        Part(
            "evaluation mode",
            1,
            _mode,
            "Which layers behave otherwise while training?",
            _never(_UNMOVED, _DEPENDS),
            manners=True,
        ),
        Part(
            "no gradients are recorded",
            1,
            _no_graph,
            "What does a forward pass record, and who needs it here?",
            _never(_ATTACHED, _RECORDED),
            manners=True,
        ),
    ),
    reference=dict,
    mistakes=_MISTAKES,
    not_covered="views that change the size of the pictures.",
)
