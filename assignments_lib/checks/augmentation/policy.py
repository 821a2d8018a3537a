"""Exercise 2.7: `RandAugment`, by what it does with operations that write down when they came, and how strong.

Each picture then carries the list of its own draws: which operations, in which order, with which strengths. The rule
for strengths is torchvision's for ``v2.RandAugment``: linear in the level, 30 levels up to the maximum, either sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from assignments_lib.checks import chance
from assignments_lib.checks.answer import Answer, Ref, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Observe, Part

_OPERATIONS = 4
_BATCH, _BATCHES = 40, 15
_STEPS = 6  # how many strengths a picture has room for


@dataclass(frozen=True)
class _Draws:
    """What was drawn for one picture, first to last."""

    numbers: list[int]  # of operations, from 1
    strengths: list[float]


def _maxima(draw: Draw) -> list[float]:
    """A maximum for each operation, none a simple multiple of another."""
    return [float(x) for x in (draw.uniform(_OPERATIONS) / 5 + torch.arange(1.0, _OPERATIONS + 1)).float()]


def _blank(draw: Draw, n: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """(n, C, 5, 3): a picture in channel 0, and room for notes in the others."""
    images = torch.zeros(n, 2 + _STEPS, 5, 3, dtype=dtype)
    images[:, 0] = draw.uniform(n, 5, 3, dtype=dtype)
    return images


def _read(augmented: Tensor) -> list[_Draws]:
    """The notes that the operations left: see ``Host.make``."""
    notes = augmented[:, 1:, 0, 0].double().nan_to_num().clamp(-1e9, 1e9)
    found = []
    for code, *strengths in notes.tolist():
        rest = round(code)
        numbers: list[int] = []
        while rest > 0 and len(numbers) < _STEPS:
            numbers.append(rest % (_OPERATIONS + 1))
            rest //= _OPERATIONS + 1
        found.append(_Draws(numbers[::-1], strengths[: len(numbers)][::-1]))
    return found


class _UnreadableError(Exception):
    """What came back tells nothing about draws; the message says in words what it is."""


class _Policy:
    """The answer's policy for these operations."""

    def __init__(self, answer: Answer, maxima: list[float], num_ops: int, level: int):
        self._answer = answer
        self.made = answer.call("RandAugment", answer.make("operations", maxima), num_ops, level)
        if not isinstance(self.made, Ref):
            raise _UnreadableError(f"RandAugment(...) makes {in_words(self.made)}, which is no nn.Module")

    def output(self, images: Tensor, mode: str = "train") -> Tensor:
        """What it makes of the pictures."""
        output = self._answer.run(self.made, images, mode=mode).output
        if not isinstance(output, Tensor) or output.shape != images.shape or output.dtype != images.dtype:
            raise _UnreadableError(_form(output))
        return output

    def draws(self, images: Tensor) -> list[_Draws]:
        """What is drawn for each picture."""
        return _read(self.output(images))

    def pairs(self, images: Tensor) -> list[_Draws]:
        """The same of a policy with two operations."""
        draws = self.draws(images)
        if any(len(each.numbers) != 2 for each in draws):
            raise _UnreadableError("another number of operations than num_ops = 2")
        return draws


def _form(value: Value) -> str:
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    return in_words(value)


def _readable(observe: Observe) -> Observe:
    """What can't be read is the last thing seen."""

    def observe_or_say(answer: Answer, draw: Draw) -> Iterator[Observation]:
        try:
            yield from observe(answer, draw)
        except _UnreadableError as error:
            yield "what comes back", str(error)

    return observe_or_say


# -- which operations ---------------------------------------------------------------------------------------


def _steps(answer: Answer, draw: Draw) -> Iterator[Observation]:
    maxima = _maxima(draw)
    answer.seed(draw.integer(0, 2**31))
    for n, dtype, num_ops in ((7, torch.float64, 2), (1, torch.float64, 1), (5, torch.float32, 3)):
        images = _blank(draw, n, dtype)
        output = _Policy(answer, maxima, num_ops, draw.integer(5, 25)).output(images)
        what = f"pictures {_form(images)}, num_ops = {num_ops}"
        yield f"{what}: operations applied to each", [len(draws.numbers) for draws in _read(output)]
        yield f"{what}: each comes back in its own place", torch.equal(output[:, 0], images[:, 0])


def _choice(answer: Answer, draw: Draw) -> Iterator[Observation]:
    maxima, level, images = _maxima(draw), draw.integer(5, 25), _blank(draw, _BATCH)
    answer.seed(draw.integer(0, 2**31))
    policy = _Policy(answer, maxima, 2, level)
    batches = [[tuple(each.numbers) for each in policy.pairs(images)] for _ in range(_BATCHES)]
    others = [
        [each.numbers for each in _Policy(answer, maxima, 2, level).pairs(images[:4])] for _ in range(8)
    ]
    what = f"{_BATCHES} batches of {_BATCH} pictures, two of {_OPERATIONS} operations on each"
    own = any(len(set(batch)) > 1 for batch in batches)
    yield f"{what}: a batch's pictures get", "draws of their own" if own else "all the same operations"
    anew = any(batch != batches[0] for batch in batches)
    yield f"{what}: every batch gets", "other draws" if anew else "the same draws"
    differ = any(other != others[0] for other in others)
    yield f"{what}: eight other policies draw", "each its own" if differ else "all the same"

    pairs = [pair for batch in batches for pair in batch]
    drawn = Counter(number for pair in pairs for number in pair)
    numbers = range(1, _OPERATIONS + 1)
    yield f"{what}: operations that never come", [_name(number) for number in numbers if not drawn[number]]
    bound = chance.hoeffding(len(pairs))
    often = {number: drawn[number] / (2 * len(pairs)) - 1 / _OPERATIONS for number in numbers}
    yield f"{what}: operations that come too often", [_name(k) for k in numbers if often[k] > bound]
    yield f"{what}: operations that come too seldom", [_name(k) for k in numbers if often[k] < -bound]
    twice = sum(first == second for first, second in pairs)
    yield f"{what}: the same operation twice on a picture", _share(twice, len(pairs), 1 / _OPERATIONS)
    orders = {"as in the list" if a < b else "the other way round" for a, b in pairs if a != b}
    yield f"{what}: order of two different operations", sorted(orders)


def _name(number: int) -> str:
    return {1: "the first", _OPERATIONS: "the last"}.get(number, f"number {number}")


def _share(hits: int, draws: int, expected: float) -> str:
    """How often, in words that are the same for other random numbers."""
    words = chance.share_in_words(hits, draws, expected)
    if "not" not in words:
        return words
    return "too seldom" if hits < expected * draws else "too often"


# -- how strong ---------------------------------------------------------------------------------------------


def _strengths(answer: Answer, draw: Draw) -> Iterator[Observation]:
    maxima, images = _maxima(draw), _blank(draw, _BATCH)
    levels = draw.integer(4, 8), draw.integer(11, 26), 30
    answer.seed(draw.integer(0, 2**31))
    for level in levels:
        policy = _Policy(answer, maxima, 2, level)
        steps = [
            (maxima[number - 1], abs(strength))
            for _ in range(_BATCHES // 3)
            for each in policy.draws(images)
            for number, strength in zip(each.numbers, each.strengths, strict=True)
        ]
        yield f"strengths for level {level}, their sign put aside", _magnitude(steps, level, maxima)


def _magnitude(steps: Sequence[tuple[float, float]], level: int, maxima: Sequence[float]) -> str:
    """How strengths follow from maxima: ``steps`` are (maximum, strength)."""
    if not steps:
        return "none: no operation is applied"

    def all_near(strength: Callable[[float], float]) -> bool:
        return all(abs(seen - strength(maximum)) <= 1e-5 * max(1.0, seen) for maximum, seen in steps)

    known: dict[str, Callable[[float], float]] = {
        "maximum * level / 30": lambda maximum: maximum * level / 30,
        "the maximum, whatever the level": lambda maximum: maximum,
        "maximum * level": lambda maximum: maximum * level,
        "maximum * level / 10": lambda maximum: maximum * level / 10,
        "maximum * level / 31": lambda maximum: maximum * level / 31,
        "maximum * (level + 1) / 30": lambda maximum: maximum * (level + 1) / 30,
        "level / 30, whatever the maximum": lambda maximum: level / 30,
        "the level itself": lambda maximum: level,
        "0": lambda maximum: 0.0,
    }
    for text, strength in known.items():
        if all_near(strength):
            return text
    if all(min(abs(seen * 30 / level - maximum) for maximum in maxima) < 1e-4 for _, seen in steps):
        return "maximum * level / 30, but of another operation's maximum"
    shares = [seen / maximum for maximum, seen in steps]
    return "now this, now that" if max(shares) - min(shares) > 1e-5 else "another share of the maximum"


def _signs(answer: Answer, draw: Draw) -> Iterator[Observation]:
    policy, images = _Policy(answer, _maxima(draw), 2, 15), _blank(draw, _BATCH)
    answer.seed(draw.integer(0, 2**31))
    batches = [policy.pairs(images) for _ in range(_BATCHES)]
    yield "the signs of a batch's strengths", _company(batches)
    pairs = [(each.strengths[0] > 0, each.strengths[1] > 0) for batch in batches for each in batch]
    yield "how often a strength is positive", _share(sum(first for first, _ in pairs), len(pairs), 0.5)
    equal = sum(first == second for first, second in pairs)
    yield "how often the two strengths of a picture have the same sign", _share(equal, len(pairs), 0.5)


def _company(batches: Sequence[Sequence[_Draws]]) -> str:
    """Who shares a sign with whom."""
    firsts = [[(each.numbers[0], each.strengths[0] > 0) for each in batch] for batch in batches]
    signs = {positive for batch in firsts for _, positive in batch}
    if len(signs) == 1:
        return "all positive" if signs == {True} else "none positive"
    if all(len({positive for _, positive in batch}) == 1 for batch in firsts):
        return "one for the whole batch"
    if all(len(set(batch)) == len({number for number, _ in batch}) for batch in firsts):
        return "one for all pictures with the same operation"
    return "each picture's own"


# -- the rest -----------------------------------------------------------------------------------------------


def _modes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    policy, images = _Policy(answer, _maxima(draw), 2, draw.integer(5, 25)), _blank(draw, 6)
    for mode, text in (("train", "training"), ("eval", "evaluation"), ("train", "training")):
        yield f"the pictures change in {text} mode", not torch.equal(policy.output(images, mode), images)


def _repeatable(answer: Answer, draw: Draw) -> Iterator[Observation]:
    policy, images = _Policy(answer, _maxima(draw), 2, draw.integer(5, 25)), _blank(draw, 12)
    written = [answer.run(policy.made, images, mode="train").input_changed for _ in range(3)]
    yield "the policy changes the tensor it is given", any(written)

    def drawn(seed: int) -> Tensor:
        answer.seed(seed)
        return policy.output(images)

    first, again, other = drawn(7), drawn(7), drawn(8)
    yield "the policy draws the same again after the same seed", torch.equal(again, first)
    yield "the policy draws the same after another seed", torch.equal(other, first)


# -- the reference, and typical mistakes: one method of it changed ------------------------------------------


class _OneByOne(nn.Module):
    """Each picture by itself."""

    def __init__(self, operations: Any, num_ops: int = 2, level: float = 9):
        super().__init__()
        self.operations = operations
        self.num_ops, self.level = num_ops, level

    def forward(self, images: Tensor) -> Tensor:
        return self.augment(images) if self.training else images

    def augment(self, images: Tensor) -> Tensor:
        return torch.cat([self.apply_all(image, self.choose()) for image in images.split(1)])

    def choose(self) -> list[int]:
        return torch.randint(len(self.operations), (self.num_ops,)).tolist()

    def apply_all(self, images: Tensor, numbers: Sequence[int]) -> Tensor:
        for number in numbers:
            images = self.apply_one(images, number)
        return images

    def apply_one(self, images: Tensor, number: int) -> Tensor:
        function, maximum = self.operations[number]
        changed: Tensor = function(images, torch.full((len(images),), self.strength(maximum) * self.sign()))
        return changed

    def strength(self, maximum: float) -> float:
        return maximum * self.level / 30

    def sign(self) -> int:
        return 1 if torch.rand(()) < 0.5 else -1


def _reference() -> Namespace:
    return {"RandAugment": _OneByOne}


def _with(**methods: Callable[..., Any]) -> Namespace:
    return {"RandAugment": type("RandAugment", (_OneByOne,), methods)}


def _drawn_once(self: _OneByOne, operations: Any, num_ops: int = 2, level: float = 9) -> None:
    _OneByOne.__init__(self, operations, num_ops, level)
    numbers = _OneByOne.choose(self)
    object.__setattr__(self, "choose", lambda: numbers)


def _each_operation_together(self: _OneByOne, images: Tensor) -> Tensor:
    """Pictures come back sorted by the operations they got."""
    chosen = sorted((self.choose(), i) for i in range(len(images)))
    return torch.cat([self.apply_all(images[i : i + 1], numbers) for numbers, i in chosen])


def _same_every_time(self: _OneByOne, images: Tensor) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _OneByOne.augment(self, images)


_SOURCE = Random(5)


def _own_generator(self: _OneByOne, images: Tensor) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SOURCE.randrange(2**31))
        return _OneByOne.augment(self, images)


def _grouped_signs(self: _OneByOne, images: Tensor) -> Tensor:
    """Each step draws one sign for every operation."""
    for _ in range(self.num_ops):
        signs = [self.sign() for _ in self.operations]
        steps = [(image, int(torch.randint(len(self.operations), ()))) for image in images.split(1)]
        images = torch.cat([_signed(self, image, number, signs[number]) for image, number in steps])
    return images


def _signed(self: _OneByOne, images: Tensor, number: int, sign: int) -> Tensor:
    function, maximum = self.operations[number]
    changed: Tensor = function(images, torch.full((len(images),), sign * self.strength(maximum)))
    return changed


def _one_sign_a_picture(self: _OneByOne, images: Tensor, numbers: Sequence[int]) -> Tensor:
    sign = self.sign()
    for number in numbers:
        images = _signed(self, images, number, sign)
    return images


def _one_sign_a_batch(self: _OneByOne, images: Tensor) -> Tensor:
    sign = self.sign()
    results = []
    for image in images.split(1):
        for number in self.choose():
            image = _signed(self, image, number, sign)
        results.append(image)
    return torch.cat(results)


def _strengths_as_numbers(self: _OneByOne, images: Tensor, number: int) -> Tensor:
    function, maximum = self.operations[number]
    changed: Tensor = function(images, self.strength(maximum) * self.sign())
    return changed


def _another_maximum(self: _OneByOne, images: Tensor, number: int) -> Tensor:
    function, _ = self.operations[number]
    _, maximum = self.operations[int(torch.randint(len(self.operations), ()))]
    changed: Tensor = function(images, torch.full((len(images),), self.strength(maximum) * self.sign()))
    return changed


def _in_place(self: _OneByOne, images: Tensor) -> Tensor:
    return images.copy_(_OneByOne.augment(self, images))


_MISTAKES = (
    Mistake(
        "the last operation never drawn",
        "The last operation of the list is never drawn: the upper end of torch.randint and numpy's randint isn't "
        "included.",
        _with(choose=lambda self: torch.randint(len(self.operations) - 1, (self.num_ops,)).tolist()),
    ),
    Mistake(
        "the first operation never drawn",
        "The first operation of the list is never drawn. Python counts from 0.",
        _with(choose=lambda self: torch.randint(1, len(self.operations), (self.num_ops,)).tolist()),
    ),
    Mistake(
        "one too far in the list",
        "Sometimes an operation is drawn that isn't there: the upper end of random.randint is included.",
        _with(choose=lambda self: torch.randint(len(self.operations) + 1, (self.num_ops,)).tolist()),
    ),
    Mistake(
        "drawn without replacement",
        "The same operation never comes twice on a picture. Each draw is from the whole list: operations may repeat.",
        _with(choose=lambda self: torch.randperm(len(self.operations))[: self.num_ops].tolist()),
    ),
    Mistake(
        "one operation applied again and again",
        "A picture gets the same operation num_ops times. Draw anew for every step.",
        _with(choose=lambda self: torch.randint(len(self.operations), (1,)).tolist() * self.num_ops),
    ),
    Mistake(
        "one draw for the whole batch",
        "All pictures of a batch get the same operations. Each picture is to have draws of its own.",
        _with(augment=lambda self, images: self.apply_all(images, self.choose())),
    ),
    Mistake(
        "drawn once, in __init__",
        "The operations are drawn when the policy is made, and never again. Draw in forward.",
        _with(__init__=_drawn_once),
    ),
    Mistake(
        "always in the list's order",
        "Operations are always applied in the order of the list. Apply them in the order in which they are drawn: "
        "turning and then shifting isn't shifting and then turning.",
        _with(choose=lambda self: sorted(_OneByOne.choose(self))),
    ),
    Mistake(
        "all operations applied",
        "Every operation is applied to every picture. Draw num_ops of them for each.",
        _with(choose=lambda self: list(range(len(self.operations)))),
    ),
    Mistake(
        "num_ops not used",
        "The number of operations is always 2, whatever num_ops is.",
        _with(choose=lambda self: torch.randint(len(self.operations), (2,)).tolist()),
    ),
    Mistake(
        "only the last operation counts",
        "However large num_ops is, one operation is applied. Every step has to start from the picture that the step "
        "before it made.",
        _with(apply_all=lambda self, images, numbers: self.apply_one(images, numbers[-1])),
    ),
    Mistake(
        "pictures come back in another order",
        "Pictures are grouped by operation and not put back in their places: they no longer match their labels.",
        _with(augment=_each_operation_together),
    ),
    Mistake(
        "strength never negative",
        "Strengths are never negative: pictures are turned one way only. Half of them ought to get the minus sign.",
        _with(sign=lambda self: 1),
    ),
    Mistake(
        "one sign for the whole batch",
        "All strengths in a batch have the same sign. Draw a sign for each picture and step.",
        _with(augment=_one_sign_a_batch),
    ),
    Mistake(
        "one sign for all pictures with the same operation",
        "Pictures that get the same operation get the same sign, too. Draw a sign for each picture.",
        _with(augment=_grouped_signs),
    ),
    Mistake(
        "one sign for all steps of a picture",
        "A picture's strengths all have the same sign. Draw a sign for every step.",
        _with(apply_all=_one_sign_a_picture),
    ),
    Mistake(
        "level not used",
        "The strength is always the operation's maximum. Level 30 is the maximum, level 15 half of it.",
        _with(strength=lambda self, maximum: maximum),
    ),
    Mistake(
        "level not divided by 30",
        "The strength is the maximum times the level. Levels go up to 30, where the strength is the maximum.",
        _with(strength=lambda self, maximum: maximum * self.level),
    ),
    Mistake(
        "level divided by 10",
        "The level is divided by 10: levels go up to 30, where the strength is the maximum.",
        _with(strength=lambda self, maximum: maximum * self.level / 10),
    ),
    Mistake(
        "level divided by 31",
        "The level is divided by 31. There are 31 levels if 0 is counted, but level 30 is the maximum.",
        _with(strength=lambda self, maximum: maximum * self.level / 31),
    ),
    Mistake(
        "maximum not used",
        "Strengths don't depend on the operation. Each has a maximum of its own, the second thing in its pair.",
        _with(strength=lambda self, maximum: self.level / 30),
    ),
    Mistake(
        "maximum of another operation",
        "Strengths belong to another operation than the one they are used for. Function and maximum are a pair: draw "
        "them together.",
        _with(apply_one=_another_maximum),
    ),
    Mistake(
        "random strength",
        "Strengths vary from picture to picture. Only their sign is drawn; how large they are follows from the level.",
        _with(strength=lambda self, maximum: maximum * self.level / 30 * float(torch.rand(()))),
    ),
    Mistake(
        "strengths that are plain numbers",
        "An operation is given a plain number as its strength. It takes a tensor (n,), a strength for each of its "
        "pictures, even if that is one.",
        _with(apply_one=_strengths_as_numbers),
    ),
    Mistake(
        "applied in evaluation mode",
        "Pictures are augmented in evaluation mode too. A module knows its mode: self.training.",
        _with(forward=lambda self, images: self.augment(images)),
    ),
    Mistake(
        "written into the input",
        "Your policy writes into the tensor it is given, so that the caller's pictures change. Write into a copy.",
        _with(augment=_in_place),
    ),
    Mistake(
        "the same draw every time",
        "Every call draws the same numbers: is a seed set inside the policy? Seed once, outside; each call then draws "
        "anew.",
        _with(augment=_same_every_time),
    ),
    Mistake(
        "a generator of its own",
        "Random numbers come from a generator of its own, which seed_everything doesn't reach; DataLoader workers "
        "would each get a copy of it and draw the same. Use torch's global one.",
        _with(augment=_own_generator),
    ),
)

EXERCISE = Exercise(
    id="2.7",
    title="a policy in the manner of RandAugment",
    defines=("RandAugment",),
    parts=(
        Part(
            "num_ops operations, one after another",
            2,
            _readable(_steps),
            "What does the second operation get to see?",
        ),
        Part("operations drawn", 2, _readable(_choice), "How often, and from which list, is there a draw?"),
        Part("strengths", 1, _readable(_strengths), "What is the strength at level 30, at 15, and at 0?"),
        Part("signs", 1, _readable(_signs), "For what is a sign drawn: the batch, the picture, or the step?"),
        Part("training and evaluation mode", 1, _readable(_modes), "In which mode is a network tested?"),
        Part(
            "the input and the draws",
            1,
            _readable(_repeatable),
            "Which lines write into images? Where do the random numbers come from?",
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
)
