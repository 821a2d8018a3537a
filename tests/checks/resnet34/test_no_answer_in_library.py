"""Nothing that can be imported from the package solves an exercise."""

import inspect
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from answers import namespace_of
from library import check_of, solvers
from resnet34_variants import VARIANTS
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models.resnet import BasicBlock, ResNet

from assignments_lib.checks.exercise import Exercise
from assignments_lib.checks.resnet34 import ASSIGNMENT


def _small_training() -> tuple[nn.Module, DataLoader, torch.optim.Optimizer]:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    data = TensorDataset(torch.randn(6, 1, 2, 2), torch.tensor([0, 1, 2] * 2))
    return model, DataLoader(data, batch_size=3), torch.optim.SGD(model.parameters(), lr=0.1)


def _trains(function: Callable[..., Any]) -> bool:
    model, loader, optimizer = _small_training()
    return isinstance(function(model, loader, optimizer, "cpu"), float)


def _evaluates(function: Callable[..., Any]) -> bool:
    model, loader, _ = _small_training()
    return len(function(model, loader, "cpu")) == 2


_SMALL = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=10)  # a quarter of the weights: quickly copied


def _network(function: Callable[..., Any], *rest: Any) -> nn.Module:
    """A small network after the function has had it."""
    network = deepcopy(_SMALL)
    returned = function(network, *rest)
    return returned if isinstance(returned, nn.Module) else network


def _initialises(function: Callable[..., Any]) -> bool:
    return not torch.equal(_network(function).conv1.weight, _SMALL.conv1.weight)


def _loads(function: Callable[..., Any]) -> bool:
    state = {name: tensor + 1 for name, tensor in _SMALL.state_dict().items()}
    return torch.equal(_network(function, state).bn1.running_mean, state["bn1.running_mean"])


def _puts_a_head_on(function: Callable[..., Any]) -> bool:
    return _network(function, 7).eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 7)


def _stops_statistics(function: Callable[..., Any]) -> bool:
    return not any(m.training for m in _network(function).modules() if isinstance(m, nn.BatchNorm2d))


# For each name a quick look whether a candidate can play the part at all; what can is checked in full.
PLAUSIBLE: dict[str, Callable[[Callable[..., Any]], bool]] = {
    "conv_output_size": lambda f: f(224, kernel_size=7, stride=2, padding=3) == 112,
    "receptive_field": lambda f: f([(3, 1)]) == 3,
    "BasicBlock": lambda f: isinstance(f(8, 8), nn.Module),
    "make_stage": lambda f: isinstance(f(8, 8, 3, 1), nn.Module),
    "ResNet34": lambda f: isinstance(f(10, 3), nn.Module),
    "initialize": _initialises,
    "load_pretrained": _loads,
    "train_one_epoch": _trains,
    "evaluate": _evaluates,
    "replace_head": _puts_a_head_on,
    "train_head_only": _stops_statistics,
}


def plausible(name: str, candidate: Callable[..., Any]) -> bool:
    try:
        return PLAUSIBLE[name](candidate)
    except (Exception, SystemExit):
        return False


def _reset(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")


TARGETS = [
    (exercise, name)
    for exercise in ASSIGNMENT.exercises
    if isinstance(exercise, Exercise)
    for name in exercise.defines
    if not (name == "ResNet34" and exercise.id != "1.4")
]


def test_the_quick_look_lets_right_answers_through() -> None:
    right = namespace_of(VARIANTS["textbook"])
    right["load_pretrained"] = lambda model, state: model.load_state_dict(state)  # for this network
    right["initialize"] = lambda model: model.apply(_reset)
    assert [name for name in PLAUSIBLE if not plausible(name, right[name])] == []
    assert {
        name for _, name in TARGETS
    } >= PLAUSIBLE.keys()  # an instructor's own may come without a quick look


@pytest.mark.slow
@pytest.mark.parametrize(("exercise", "name"), TARGETS, ids=[f"{e.id}-{name}" for e, name in TARGETS])
@pytest.mark.usefixtures("_numbers_are_no_files")
def test_nothing_importable_solves_an_exercise(exercise: Exercise, name: str) -> None:
    assert solvers(exercise, name, plausible, namespace_of(VARIANTS["textbook"])) == []


def test_signatures_of_checks_name_what_the_exercises_define() -> None:
    from assignments_lib.checks import resnet34 as check

    for exercise in check.ASSIGNMENT.exercises:
        assert isinstance(exercise, Exercise)
        assert tuple(inspect.signature(check_of(check, exercise.id)).parameters) == exercise.defines
