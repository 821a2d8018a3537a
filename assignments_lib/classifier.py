"""The classifier that the student trained in assignment 1, as torchvision's ResNet34.

Its checkpoint holds tensors under the names that the student chose. A ResNet34 has few shapes of layers, and names
count upwards; so the tensors are put in an order, tried in torchvision's network, and kept if that gives what the
student's own network gave.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import permutations, product

import torch
from torch import Tensor
from torchvision.models import ResNet, resnet34

from assignments_lib.training.checkpoint import Checkpoint, DoesNotFit, probe, same_outputs

CHECKPOINT = "1_resnet34/scratch_doodles"

_Layer = dict[str, Tensor]  # weight, bias, running_mean, running_var: what of these a layer has
_SIZES = (32, 28, 64)  # pixels: what students train it with
_ROUNDING = 1e-4  # of the largest output: no wrong order comes so close


def from_assignment_1(checkpoint: str = CHECKPOINT) -> ResNet | None:
    """The trained network in evaluation mode; None, with a sentence, where there is none or it can't be read."""
    store = Checkpoint(checkpoint)
    try:
        found = store.contents()
    except DoesNotFit as reason:
        print(f"{store.shown} can't be used: {reason}.")
        return None
    if found is None:
        print(f"There is no {store.shown} yet: assignment 1 makes it, in experiment A.")
        return None
    parameters, outputs = found
    network = None if outputs is None else _fitted(parameters, outputs)
    if network is None:
        print(f"{store.shown} isn't a ResNet34 whose layers can be told apart by their names and shapes.")
        return None
    print(f"Loaded your classifier from {store.shown}.")
    return network


def _fitted(parameters: Mapping[str, Tensor], outputs: Tensor) -> ResNet | None:
    """torchvision's network with the parameters in the order that gives these outputs for `probe`.

    Of several orders that do so nearly, the closest: a layer that changes little may have got into another's place.
    """
    network = resnet34(num_classes=outputs.shape[1]).eval()
    places, layers = _layers(network.state_dict()), _layers(parameters)
    best, apart = None, math.inf
    for size, order in product(_SIZES, list(_orders(places, layers))):
        state = {
            f"{place}.{leaf}": tensor for place, layer in order.items() for leaf, tensor in layer.items()
        }
        network.load_state_dict(state, strict=False)  # all but the counters of batches, which nothing reads
        with torch.no_grad():
            now = network(probe((3, size, size)))
        if same_outputs(now, outputs) and (distance := float((now - outputs).abs().max())) < apart:
            best, apart = state, distance
        if apart <= _ROUNDING * outputs.abs().max():
            break
    if best is None:
        return None
    network.load_state_dict(best, strict=False)
    return network


def _layers(state: Mapping[str, Tensor]) -> dict[str, _Layer]:
    """The state's tensors by the layer they belong to, layers in the order in which people count."""
    layers: dict[str, _Layer] = defaultdict(dict)
    for name in sorted(state, key=_counting):
        layer, _, leaf = name.rpartition(".")
        if leaf != "num_batches_tracked":
            layers[layer][leaf] = state[name]
    return dict(layers)


def _counting(name: str) -> list[tuple[int, str]]:
    """A key that puts layer 9 before layer 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _kind(layer: _Layer) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple(sorted((leaf, tuple(tensor.shape)) for leaf, tensor in layer.items()))


def _orders(places: dict[str, _Layer], layers: dict[str, _Layer]) -> Iterator[dict[str, _Layer]]:
    """Ways to put the layers into torchvision's places: in the order of their names, but for what names don't tell.

    Which of a block's convolutions or BatchNorms comes first is up to the names; so is the place of the stem.
    """
    by_kind: dict[object, list[str]] = defaultdict(list)
    for name, layer in layers.items():
        by_kind[_kind(layer)].append(name)
    wanted: dict[object, list[str]] = defaultdict(list)
    for place, layer in places.items():
        wanted[_kind(layer)].append(place)
    if {kind: len(names) for kind, names in by_kind.items()} != {k: len(v) for k, v in wanted.items()}:
        return
    twos, threes = list(permutations(range(2))), list(permutations(range(3)))
    for convolutions, pairs, triples, stem_last in product(twos, twos, threes, (False, True)):
        order = {}
        for kind, names in by_kind.items():
            taken = _in_blocks(wanted[kind], names, stem_last, convolutions, pairs, triples)
            order.update({place: layers[name] for place, name in zip(wanted[kind], taken, strict=True)})
        yield order


def _in_blocks(
    places: list[str],
    names: list[str],
    stem_last: bool,
    convolutions: tuple[int, ...],
    pairs: tuple[int, ...],
    triples: tuple[int, ...],
) -> list[str]:
    """The names in the places' order; within each block permuted as told."""
    rest = list(names)
    stem = ["stem"] if places[0] in ("conv1", "bn1") else []
    taken = [rest.pop(-1 if stem_last else 0)] if stem else []
    blocks = [".".join(place.split(".")[:2]) for place in places[len(stem) :]]
    for block in dict.fromkeys(blocks):
        count = blocks.count(block)
        here, rest = rest[:count], rest[count:]
        is_norm = any(".bn" in place for place in places if place.startswith(block))
        turn = {2: pairs if is_norm else convolutions, 3: triples}.get(count, tuple(range(count)))
        taken += [here[index] for index in turn]
    return taken
