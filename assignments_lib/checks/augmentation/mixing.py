"""Exercise 2.6: `mixup` and `cutmix`, against torchvision's ``v2.MixUp`` and ``v2.CutMix``.

What an answer drew is read off its pictures. For MixUp: how much of every picture of the batch is in each result.
For CutMix every pixel carries a number of its own, which tells where it came from. So it doesn't matter whether an
answer draws once for the batch or once for each picture, or how it picks partners.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import v2

from assignments_lib.checks import chance
from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.compare import agree, in_words
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.datasets import doodles

_CLASSES = 11
_EXACT = 1e-5  # shares are float32 in some right answers
_STEADY = 1e4  # an alpha for which lambda is 0.5, give or take 0.02

# (N, C, H, W): non-square, one pixel wide, a batch of one
_SHAPES = (
    ((6, 3, 5, 8), torch.float64),
    ((5, 2, 12, 1), torch.float64),
    ((1, 3, 4, 6), torch.float64),
    ((4, 1, 9, 7), torch.float32),
)


# -- asking an answer ---------------------------------------------------------------------------------------


def _labels(draw: Draw, n: int) -> Tensor:
    """A class of its own for each picture; the last class is nobody's."""
    return draw.uniform(_CLASSES - 1).argsort()[:n]


def _ask(answer: Answer, name: str, images: Tensor, labels: Tensor, alpha: float) -> tuple[Value, Value]:
    """What came back: pictures and soft labels, or whatever it is and None."""
    returned = answer.call(name, images, labels, _CLASSES, alpha)
    if isinstance(returned, (tuple, list)) and len(returned) == 2:
        return returned[0], returned[1]
    return returned, None


def _form(value: Value) -> str:
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    return in_words(value)


def _has_form(value: Value, like: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == like.shape and value.dtype == like.dtype


# -- reading pictures ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Mixed:
    """What one result shows: how much of each picture of the batch is in it, and what there is to say about it."""

    shares: Tensor  # (N,)
    looks: str
    box: tuple[int, int, int, int] | None = None  # top, bottom, left, right of what was pasted

    def partner(self, own: int) -> int | None:
        """The other picture in it, if there is one."""
        others = _others(self.shares, own)
        return others[0] if len(others) == 1 else None


def _others(shares: Tensor, own: int) -> list[int]:
    return [j for j, share in enumerate(shares.tolist()) if j != own and abs(share) > _EXACT]


class _Blends:
    """Pictures of which none is a mixture of others: the shares in a mixture are the solution of linear equations."""

    name = "mixup"
    right = "a share of itself and the rest of one partner"

    def __init__(self, draw: Draw, shape: Sequence[int], dtype: torch.dtype):
        self.images = draw.uniform(*shape, dtype=dtype)
        self._flat = self.images.double().flatten(1)
        self._inverse = torch.linalg.pinv(self._flat)

    def solve(self, mixed: Tensor) -> list[_Mixed]:
        """How much of every picture is in each."""
        results = mixed.double().flatten(1)
        shares = results @ self._inverse
        explained = ((shares @ self._flat - results).abs().amax(1) < _EXACT).tolist()
        return [_Mixed(row, self._looks(i, row, explained[i])) for i, row in enumerate(shares)]

    def _looks(self, own: int, shares: Tensor, explained: bool) -> str:
        total = float(shares.sum())
        if not explained:
            return "no mixture of the batch's pictures"
        if abs(total - 1) > 5 * _EXACT:
            return f"shares that sum to {'more' if total > 1 else 'less'} than 1"
        return self.right if len(_others(shares, own)) < 2 else "a mixture of several others"


class _Pixels:
    """Pictures in which no pixel is like another, so that each tells where it came from."""

    name = "cutmix"
    right = "itself, with a box of one partner"

    def __init__(self, draw: Draw, shape: Sequence[int], dtype: torch.dtype):
        self._offset = float(0.25 + draw.uniform(1) / 2)
        codes = torch.arange(math.prod(shape), dtype=torch.float64).view(*shape)
        self.images = ((codes + self._offset) / codes.numel()).to(dtype)

    def solve(self, mixed: Tensor) -> list[_Mixed]:
        """What was pasted into each picture, and where."""
        n, size = len(self.images), self.images[0].numel()
        codes = mixed.double() * self.images.numel() - self._offset
        origin = codes.round().nan_to_num(nan=-1.0)
        known = (codes - origin).abs().lt(0.1) & origin.ge(0) & origin.lt(self.images.numel())
        picture = origin.long().div(size, rounding_mode="floor").clamp(0, n - 1)
        own = torch.arange(n).view(n, 1, 1, 1)
        shares = (picture + n * own).flatten().bincount(minlength=n * n).view(n, n).double() / size
        foreign = picture != own
        pasted = foreign.any(1)
        moved = origin.long().remainder(size) != torch.arange(size).view(mixed.shape[1:])
        faults = {
            "pixels that are in no picture of the batch": ~known,
            "pixels from another place": moved,
            "a box in some channels only": foreign != pasted.unsqueeze(1),
        }
        faulty = {text: where.flatten(1).any(1).tolist() for text, where in faults.items()}
        edges = [_edges(pasted.any(2)), _edges(pasted.any(1))]
        areas = pasted.flatten(1).sum(1).tolist()

        def looks(i: int) -> str:
            for text, where in faulty.items():
                if where[i]:
                    return text
            if len(_others(shares[i], i)) > 1:
                return "pixels of several partners"
            box = math.prod(end - start for start, end in (edge[i] for edge in edges))
            return self.right if box == areas[i] else "pixels that don't form a box"

        def read(i: int) -> _Mixed:
            text = looks(i)
            visible = bool(areas[i]) and text == self.right
            return _Mixed(shares[i], text, (*edges[0][i], *edges[1][i]) if visible else None)

        return [read(i) for i in range(n)]


def _edges(filled: Tensor) -> list[tuple[int, int]]:
    """For each row of (N, L) where it begins to be True, and where it ends: (0, 0) if it never is."""
    start = filled.int().argmax(1)
    end = filled.shape[1] - filled.flip(1).int().argmax(1)
    return list(zip(start.tolist(), torch.where(filled.any(1), end, 0).tolist(), strict=True))


_Puzzle = type[_Blends] | type[_Pixels]


# -- the pictures -------------------------------------------------------------------------------------------


def _commonest_fault(words: Sequence[str], right: str) -> str:
    wrong = Counter(word for word in words if word != right)
    return wrong.most_common(1)[0][0] if wrong else right


def _company(calls: Sequence[Sequence[_Mixed]]) -> str:
    """Whom the pictures of a batch are mixed with."""
    partners = [[mixed.partner(own) for own, mixed in enumerate(call)] for call in calls]
    met = [[partner for partner in call if partner is not None] for call in partners]
    if not any(met):
        return "nobody"
    if all(len(set(call)) <= 1 for call in met):
        return "all with one and the same picture"
    return "with others of the batch"


def _pictures(puzzle_of: _Puzzle) -> Callable[[Answer, Draw], Iterator[Observation]]:
    name, right = puzzle_of.name, puzzle_of.right

    def observe(answer: Answer, draw: Draw) -> Iterator[Observation]:
        puzzles = [puzzle_of(draw, shape, dtype) for shape, dtype in _SHAPES]
        labels = _labels(draw, 6)
        answer.seed(draw.integer(0, 2**31))

        def of(puzzle: _Blends | _Pixels) -> Iterator[Observation]:
            images = puzzle.images
            what = f"pictures {_form(images)}, after {name}"
            calls = []
            for alpha in (1.0, _STEADY) * 5:
                mixed, _ = _ask(answer, name, images, labels[: len(images)], alpha)
                if not _has_form(mixed, images):
                    yield what, _form(mixed)
                    return
                calls.append(puzzle.solve(mixed))
            yield what, _form(images)
            yield f"{what}: each is", _commonest_fault([m.looks for call in calls for m in call], right)
            if len(images) > 3 and images.shape[-1] > 1:
                yield f"{what}: whom they are mixed with", _company(calls)

        yield from each(puzzles, of)

    return observe


# -- the soft labels ----------------------------------------------------------------------------------------

_AGREE = "the shares that are in the pictures"


@dataclass(frozen=True)
class _Row:
    """One picture's soft label, and what its pixels say it ought to be."""

    expected: Tensor  # (classes,)
    soft: Tensor  # (classes,)
    own: int  # class
    partner: int | None  # the partner's class, if a partner shows
    whole: bool  # a box that touches no edge

    def near(self, expected: Tensor, within: float = _EXACT) -> bool:
        return bool(((self.soft - expected).abs() < within).all())

    @property
    def swapped(self) -> Tensor:
        """The two shares in each other's place."""
        swapped = self.expected.clone()
        if self.partner is not None:
            swapped[[self.own, self.partner]] = self.expected[[self.partner, self.own]]
        return swapped


def _row(own: int, mixed: _Mixed, soft: Tensor, labels: Tensor, size: Sequence[int]) -> _Row:
    partner = mixed.partner(own)
    top, bottom, left, right = mixed.box or (0, 0, 0, 0)
    whole = top > 0 and left > 0 and bottom < size[-2] and right < size[-1]
    expected = mixed.shares @ F.one_hot(labels, _CLASSES).double()
    return _Row(
        expected, soft.double(), int(labels[own]), None if partner is None else int(labels[partner]), whole
    )


def _agreement(rows: Sequence[_Row]) -> str:
    """How soft labels agree with the pictures they belong to."""
    wrong = [row for row in rows if not row.near(row.expected)]

    def most(holds: Callable[[_Row], bool]) -> bool:
        return sum(map(holds, wrong)) > len(wrong) / 2

    if not wrong:
        return _AGREE
    if all(float(row.soft.max()) > 1 - _EXACT for row in rows):
        alone = {row.partner != row.own and int(row.soft.argmax()) == row.own for row in wrong}
        if len(alone) == 2:
            return "one label alone, now this one, now that"
        return "each picture's own label alone" if alone == {True} else "the partner's label alone"
    if most(lambda row: row.partner is not None and row.near(row.swapped)):
        return "the two shares in each other's place"
    if most(lambda row: bool((row.soft[row.own] - row.expected[row.own]).abs() < _EXACT)):
        return "the right share of its own label, the rest for another than the partner's"
    for text, target in (
        ("shares of a whole box, even where it is cut off", lambda row: row.expected),
        ("shares of a whole box in each other's place", lambda row: row.swapped),
    ):
        if _fits_whole_boxes(wrong, target):
            return text
    if most(lambda row: float(row.soft[row.own] + row.soft[row.partner or 0]) > 1 - _EXACT):
        return "other shares than those in the pictures"
    return "shares of other labels"


def _fits_whole_boxes(rows: Sequence[_Row], target: Callable[[_Row], Tensor], slack: float = 0.25) -> bool:
    """Whether labels are nearly right for boxes that touch no edge; rounding to whole pixels costs a little."""
    whole = [row for row in rows if row.whole]
    return len(whole) >= 3 and all(row.near(target(row), slack) for row in whole)


def _soft_labels(puzzle_of: _Puzzle) -> Callable[[Answer, Draw], Iterator[Observation]]:
    name, right = puzzle_of.name, puzzle_of.right

    def observe(answer: Answer, draw: Draw) -> Iterator[Observation]:
        puzzle = puzzle_of(draw, (5, 1, 16, 24), torch.float64)
        images, distinct = puzzle.images, _labels(draw, 5)
        answer.seed(draw.integer(0, 2**31))
        cases = (("five classes", distinct, 50), ("two classes", distinct[[0, 1, 0, 0, 1]], 12))
        what = f"soft labels of five pictures after {name}, {_CLASSES} classes in all"
        like = torch.zeros(5, _CLASSES)
        found: dict[str, list[_Row]] = {}
        for kind, labels, times in cases:
            rows = found.setdefault(kind, [])
            for _ in range(times):
                mixed, soft = _ask(answer, name, images, labels, 1.0)
                if not _has_form(soft, like):
                    yield what, _soft_form(soft, like)
                    return
                if not isinstance(mixed, Tensor) or mixed.shape != images.shape:
                    yield f"the pictures that go with {what}", _form(mixed)
                    return
                read = puzzle.solve(mixed)
                odd = [seen.looks for seen in read if seen.looks != right]
                if odd:
                    yield what, f"beyond judging, as a picture isn't {right}, but {odd[0]}"
                    return
                rows += [_row(own, read[own], soft[own], labels, images.shape) for own in range(5)]
        yield what, _form(like)
        yield f"{what}: the shares sum to", _sums([row for rows in found.values() for row in rows])
        for kind, rows in found.items():
            yield f"{what}, the batch is of {kind}: they are", _agreement(rows)
        _, soft = _ask(answer, name, images[:1], distinct[:1], 1.0)
        yield f"the soft label of a picture that is alone in its batch, after {name}", soft

    return observe


def _soft_form(soft: Value, like: Tensor) -> str:
    """In words that don't depend on which classes happen to be in the batch."""
    if isinstance(soft, Tensor) and soft.ndim == 2 and len(soft) == len(like) and soft.shape != like.shape:
        return f"{'fewer' if soft.shape[1] < like.shape[1] else 'more'} columns than there are classes"
    return _form(soft)


def _sums(rows: Sequence[_Row]) -> str:
    odd = [total for total in (float(row.soft.sum()) for row in rows) if abs(total - 1) > 5 * _EXACT]
    return "1" if not odd else "more than 1" if sum(odd) > len(odd) else "less than 1"


# -- lambda and the box -------------------------------------------------------------------------------------


def _median_of_uniform(draws: int) -> Callable[[float], float]:
    """The distribution function of the middle one of 2 a - 1 uniform draws, which is Beta(a, a)."""
    middle = (draws + 1) // 2

    def cdf(x: float) -> float:
        x = min(1.0, max(0.0, x))
        return sum(math.comb(draws, k) * x**k * (1 - x) ** (draws - k) for k in range(middle, draws + 1))

    return cdf


_LAWS = {20.0: _median_of_uniform(39), 1.0: chance.symmetric_beta(1.0), 0.5: chance.symmetric_beta(0.5)}


def _law(samples: Sequence[float], alpha: float) -> str:
    """The distribution that the samples seem to come from."""
    if not samples:
        return "unseen: no picture is mixed with another"
    low, high, mean = min(samples), max(samples), sum(samples) / len(samples)
    if high - low < _EXACT:
        return "always 0.5" if abs(mean - 0.5) < _EXACT else "always the same number"
    if chance.follows(samples, _LAWS[alpha]):
        return f"as from Beta({alpha:g}, {alpha:g})"
    if chance.follows(samples, chance.uniform(0, 1)):
        return "uniform from 0 to 1"
    if sum(abs(x - 0.5) for x in samples) / len(samples) > 0.35:
        return "mostly close to 0 or to 1"
    if low >= 0.5 - _EXACT or high <= 0.5 + _EXACT:
        return "always on the same side of 0.5"
    return "from another distribution"


def _lambdas(answer: Answer, draw: Draw) -> Iterator[Observation]:
    puzzle, labels = _Blends(draw, (4, 1, 2, 5), torch.float64), _labels(draw, 4)
    answer.seed(draw.integer(0, 2**31))

    def of(alpha: float) -> Iterator[Observation]:
        shares: list[tuple[float, float]] = []  # of itself, and what the partner leaves for it: one a call
        for _ in range(300):
            mixed, _ = _ask(answer, "mixup", puzzle.images, labels, alpha)
            if not isinstance(mixed, Tensor) or mixed.shape != puzzle.images.shape:
                break
            read = puzzle.solve(mixed)
            met = [(i, seen.partner(i), seen.shares.tolist()) for i, seen in enumerate(read)]
            shares += [(row[i], 1 - row[j]) for i, j, row in met if j is not None][:1]
        own = [share for share, _ in shares]
        # a share that never changes may have been forgotten: then the other one tells
        forgotten = bool(own) and max(own) - min(own) < _EXACT
        law = _law([rest for _, rest in shares] if forgotten else own, alpha)
        yield f"a picture's share of itself in 300 batches, alpha = {alpha:g}", law

    yield from each(_LAWS, of)


_HEIGHT, _WIDTH = 32, 56
_CALLS = 300


def _side(lengths: Sequence[int], size: int) -> str:
    """The side of boxes that touch no edge, where lambda is 1/2."""
    if not lengths:
        return "none that isn't cut off"
    expected = math.sqrt(0.5) * size
    if all(abs(length - expected) <= 2.5 for length in lengths):
        return "about 0.7 of the picture's"
    if max(lengths) - min(lengths) > 5:
        return "now this, now that, though lambda is always close to 0.5"
    return f"about {sum(lengths) / len(lengths) / size:.1f} of the picture's"


def _spread(centres: Sequence[float], slack: float) -> str:
    """Where centres lie in the picture, from 0 to 1."""
    allowed = slack + chance.hoeffding(_CALLS * 9 // 10)
    if not centres:
        return "nowhere"
    if max(centres) - min(centres) < slack:
        return "always at the same place"
    below = [sum(c < q / 10 for c in centres) / len(centres) for q in range(1, 10)]
    if all(abs(share - q / 10) <= allowed for q, share in enumerate(below, start=1)):
        return "everywhere alike"
    near = [c for c in centres if min(c, 1 - c) < 0.2]
    return "unevenly" if near else "never near the edge"


def _boxes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    answer.seed(draw.integer(0, 2**31))
    puzzle, labels = _Pixels(draw, (4, 1, _HEIGHT, _WIDTH), torch.float32), _labels(draw, 4)
    size = f"pictures {_HEIGHT} high and {_WIDTH} wide"

    def cut(alpha: float, times: int) -> list[list[_Mixed]]:
        calls = []
        for _ in range(times):
            mixed, _ = _ask(answer, "cutmix", puzzle.images, labels, alpha)
            if isinstance(mixed, Tensor) and mixed.shape == puzzle.images.shape:
                calls.append(puzzle.solve(mixed))
        return calls

    # With lambda close to 1/2 a box has 0.7 of the picture's sides, and its centre can be told even if it is cut off.
    steady = cut(_STEADY, _CALLS // 4)
    what = f"{size}, cut and mixed with lambda close to 0.5"
    boxes = _one_a_call(steady)
    moving = any(max(edge) - min(edge) > 2 for edge in zip(*boxes, strict=True))  # more than rounding
    yield f"{what}: boxes of all calls are", "here and there" if moving else "at one place"
    tall = [bottom - top for top, bottom, _, _ in boxes if top > 0 and bottom < _HEIGHT]
    broad = [right - left for _, _, left, right in boxes if left > 0 and right < _WIDTH]
    yield f"{what}: height of boxes that touch neither top nor bottom", _side(tall, _HEIGHT)
    yield f"{what}: width of boxes that touch neither side", _side(broad, _WIDTH)

    steady += cut(_STEADY, _CALLS - _CALLS // 4)
    boxes = _one_a_call(steady)
    empty = [seen.box is None for call in steady for seen in call]
    # where partners are drawn, one in four meets itself
    often = sum(empty) > len(empty) * (1 / 4 + chance.hoeffding(_CALLS))
    yield f"{what}: nothing is pasted", "often" if often else "hardly ever"
    down = [_cut(top, bottom, _HEIGHT) for top, bottom, _, _ in boxes]
    across = [_cut(left, right, _WIDTH) for _, _, left, right in boxes]
    corners = {
        f"{('top', 'bottom')[a]} {('left', 'right')[b]}"
        for a, b in zip(down, across, strict=True)
        if a is not None and b is not None
    }
    yield f"{what}: corners in which a box was cut off", sorted(corners)
    rows = [c for top, bottom, _, _ in boxes for c in _centre(top, bottom, _HEIGHT)]
    columns = [c for _, _, left, right in boxes for c in _centre(left, right, _WIDTH)]
    yield f"{what}: the boxes' centres lie, from top to bottom,", _spread(rows, 2 / _HEIGHT)
    yield f"{what}: the boxes' centres lie, from left to right,", _spread(columns, 2 / _WIDTH)

    areas = [float(1 - seen.shares[i]) for call in cut(1.0, 150) for i, seen in enumerate(call) if seen.box]
    kinds = {"small": any(area < 0.1 for area in areas), "large": any(area > 0.55 for area in areas)}
    yield (
        f"{size}, cut and mixed with alpha = 1: areas of the boxes",
        [k for k, some in kinds.items() if some],
    )


def _one_a_call(calls: Sequence[Sequence[_Mixed]]) -> list[tuple[int, int, int, int]]:
    """The first box of each call: those of other calls are independent."""
    found = [[seen.box for seen in call if seen.box is not None] for call in calls]
    return [boxes[0] for boxes in found if boxes]


def _cut(start: int, end: int, size: int) -> int | None:
    """0 for a box that reaches over the start of the picture, 1 over its end, None for neither."""
    if end - start > math.sqrt(0.5) * size - 3:
        return None
    return 0 if start == 0 else 1 if end == size else None


def _centre(start: int, end: int, size: int) -> list[float]:
    """The centre of a box of 0.7 of the size, even where it is cut off at one end."""
    half = math.sqrt(0.5) * size / 2
    if start > 0:
        return [((start + end) / 2 if end < size else start + half) / size]
    return [(end - half) / size] if end < size else []


# -- draws and the input ------------------------------------------------------------------------------------


def _repeatable(name: str) -> Callable[[Answer, Draw], Iterator[Observation]]:
    def observe(answer: Answer, draw: Draw) -> Iterator[Observation]:
        images, labels = draw.uniform(6, 2, 16, 24), _labels(draw, 6)
        written = [answer.writes(name, images, labels, _CLASSES, _STEADY) for _ in range(5)]
        yield f"{name} changes the tensors it is given", any(written)

        def drawn(seed: int) -> list[Value]:
            answer.seed(seed)
            return [_ask(answer, name, images, labels, 1.0)[0] for _ in range(4)]

        first, again, other = drawn(7), drawn(7), drawn(8)
        yield f"{name} draws the same again after the same seed", agree(again, first)
        yield f"{name} draws the same after another seed", agree(other, first)

    return observe


# -- the reference ------------------------------------------------------------------------------------------


def _mixup(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
    return v2.MixUp(alpha=alpha, num_classes=num_classes)(images, labels)


def _cutmix(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
    return v2.CutMix(alpha=alpha, num_classes=num_classes)(images, labels)


def _reference() -> Namespace:
    return {"mixup": _mixup, "cutmix": _cutmix}


# -- typical mistakes ---------------------------------------------------------------------------------------


def _one_hot(labels: Tensor, num_classes: int) -> Tensor:
    return F.one_hot(labels, num_classes).float()


def _share(alpha: float) -> float:
    """A lambda, drawn as torchvision does."""
    return float(torch.distributions.Beta(alpha, alpha).sample())


def _only_mixup(function: Callable[..., Any]) -> Namespace:
    """No `cutmix`: parts that ask for it need not ask this mistake."""
    return {"mixup": function}


def _only_cutmix(function: Callable[..., Any]) -> Namespace:
    return {"cutmix": function}


def _labels_changed(
    mix: Callable[..., Any], change: Callable[[Tensor, Tensor], Tensor]
) -> Callable[..., Any]:
    """Torchvision's pictures; ``change`` gets the right soft labels and those before mixing."""

    def changed(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
        mixed, soft = mix(images, labels, num_classes, alpha)
        return mixed, change(soft, _one_hot(labels, num_classes))

    return changed


def _not_mixed(soft: Tensor, hard: Tensor) -> Tensor:
    return hard


def _swapped(soft: Tensor, hard: Tensor) -> Tensor:
    return hard + hard.roll(1, 0) - soft


def _hardened(soft: Tensor, hard: Tensor) -> Tensor:
    return _one_hot(soft.argmax(1), soft.shape[1])


def _doubled(soft: Tensor, hard: Tensor) -> Tensor:
    return soft.double()


def _strangers(soft: Tensor, hard: Tensor) -> Tensor:
    """The partner's share goes to the picture on the other side."""
    hers = torch.linalg.vecdot(soft, hard).unsqueeze(1)
    return hers * hard + (1 - hers) * hard.roll(-1, 0)


def _classes_guessed(mix: Callable[..., Any]) -> Callable[..., Any]:
    return lambda images, labels, num_classes, alpha=1.0: mix(images, labels, int(labels.max()) + 1, alpha)


def _same_every_time(mix: Callable[..., Any]) -> Callable[..., Any]:
    def again(*args: Any) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return mix(*args)

    return again


def _own_generator(mix: Callable[..., Any]) -> Callable[..., Any]:
    source = Random(5)

    def drawn(*args: Any) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(source.randrange(2**31))
            return mix(*args)

    return drawn


def _in_place(mix: Callable[..., Any]) -> Callable[..., Any]:
    def written(images: Tensor, *rest: Any) -> Any:
        mixed, soft = mix(images, *rest)
        return images.copy_(mixed), soft

    return written


def _one_after_another(mix: Callable[..., Any]) -> Callable[..., Any]:
    """A loop that writes into the batch from which it goes on taking partners."""

    def mixed(images: Tensor, labels: Tensor, *rest: Any) -> Any:
        soft = []
        for i, j in enumerate(torch.randperm(len(images)).tolist()):
            pair, shares = mix(images[[j, i]], labels[[j, i]], *rest)
            images[i] = pair[1]
            soft.append(shares[1])
        return images, torch.stack(soft)

    return mixed


def _twice(mix: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: (mix(*args)[0], mix(*args)[1])


def _alone(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
    return images.clone(), _one_hot(labels, num_classes)


def _all_with_one(mix: Callable[..., Any]) -> Callable[..., Any]:
    """Torchvision mixes each picture with the one before it: here, a copy of the first one stands there."""

    def mixed(images: Tensor, labels: Tensor, *rest: Any) -> Any:
        n = len(images)
        order = torch.stack([torch.zeros(n, dtype=torch.int64), torch.arange(n)], dim=1).flatten()
        pictures, soft = mix(images[order], labels[order], *rest)
        return pictures[1::2], soft[1::2]

    return mixed


def _blending(
    lam: Callable[[float], float] = _share,
    blend: Callable[[Tensor, Tensor, float], Tensor] = lambda mine, other, lam: torch.lerp(other, mine, lam),
) -> Callable[..., Any]:
    def mixup(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
        share, hard = lam(alpha), _one_hot(labels, num_classes)
        return blend(images, images.roll(1, 0), share), torch.lerp(hard.roll(1, 0), hard, share)

    return mixup


def _channel_by_channel(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
    channels = [_mixup(channel, labels, num_classes, alpha) for channel in images.split(1, dim=1)]
    return torch.cat([mixed for mixed, _ in channels], dim=1), channels[0][1]


def _numbers_mixed(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
    mixed, soft = _mixup(images, labels, num_classes, alpha)
    return mixed, soft @ torch.arange(num_classes).float()


def _overwritten(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
    n, lam = len(images), _share(alpha)
    soft = torch.zeros(n, num_classes)
    soft[torch.arange(n), labels] = lam
    soft[torch.arange(n), labels.roll(1)] = 1 - lam
    return torch.lerp(images.roll(1, 0), images, lam), soft


_Sides = Callable[[int, int, float], tuple[float, float]]


def _root(height: int, width: int, area: float) -> tuple[float, float]:
    return height * math.sqrt(area), width * math.sqrt(area)


def _anywhere(side: float, size: int) -> float:
    return size * float(torch.rand(()))


def _cutting(
    sides: _Sides = _root,
    centre: Callable[[float, int], float] = _anywhere,
    lam: Callable[[float], float] = _share,
    *,
    clip: bool = True,
    corrected: bool = True,
    patch: Callable[[Tensor], Tensor] = lambda partner: partner,
    channels: slice = slice(None),
) -> Callable[..., Any]:
    def cutmix(images: Tensor, labels: Tensor, num_classes: int, alpha: float = 1.0) -> Any:
        size = (images.shape[-2], images.shape[-1])
        area = 1 - lam(alpha)
        window = []
        for side, length in zip(sides(*size, area), size, strict=True):
            start = round(centre(side, length) - side / 2)
            end = start + round(side)
            window.append(slice(max(start, 0), min(max(end, 0), length)) if clip else slice(start, end))
        if corrected:
            area = math.prod(w.stop - w.start for w in window) / math.prod(size)
        mixed, hard = images.clone(), _one_hot(labels, num_classes)
        where = (slice(None), channels, *window)
        mixed[where] = patch(images.roll(1, 0))[where]
        return mixed, torch.lerp(hard, hard.roll(1, 0), area)

    return cutmix


_GENERATOR = (
    "Random numbers come from a generator of its own, which seed_everything doesn't reach; DataLoader workers would "
    "each get a copy of it and draw the same. Use torch's global one."
)
_SAME = (
    "Every call draws the same numbers: is a seed set inside the function? Seed once, outside; each call then draws "
    "anew."
)
_GUESSED = (
    "The number of classes is guessed from the batch's labels. The last classes may be missing in a batch: use "
    "num_classes."
)
_WRITTEN = "Your function writes into the pictures it is given, so that the caller's batch changes. Write into a copy."
_OVERWRITTEN = (
    "Pictures are written into the batch from which later ones take their partners: those are mixtures by then. Write "
    "into a copy."
)
_LONELY = (
    "No picture is mixed with another: every one's partner is itself. Look whether the batch is reordered."
)
_ONE_PARTNER = "One picture is the partner of all. Each picture has a partner of its own: reorder the batch."
_HARD = "Soft labels are asked for: shares of two classes. Here all goes to one class: look for an argmax or a round."
_FLOAT64 = "The soft labels are float64. Networks compute in float32: build them as such, with .float()."

_MISTAKES = (
    Mistake(
        "MixUp: labels not mixed",
        "The pictures are mixed, but each label is still that of one picture. A picture that is 30 % cat is labelled "
        "30 % cat.",
        _only_mixup(_labels_changed(_mixup, _not_mixed)),
    ),
    Mistake(
        "MixUp: the labels' shares swapped",
        "The labels' shares are in each other's place: where a picture keeps lambda of itself, its own label counts "
        "1 - lambda.",
        _only_mixup(_labels_changed(_mixup, _swapped)),
    ),
    Mistake(
        "MixUp: another lambda for the labels",
        "Pictures are mixed with one lambda and labels with another. Draw it once, and use it for both.",
        _only_mixup(_twice(_blending())),
    ),
    Mistake(
        "MixUp: labels of another partner",
        "Pictures have one partner and labels another: is the order drawn twice? One order for both.",
        _only_mixup(_labels_changed(_mixup, _strangers)),
    ),
    Mistake("MixUp: hard labels", _HARD, _only_mixup(_labels_changed(_mixup, _hardened))),
    Mistake("MixUp: float64 labels", _FLOAT64, _only_mixup(_labels_changed(_mixup, _doubled))),
    Mistake(
        "MixUp: class numbers mixed",
        "Class numbers themselves are mixed: half of class 2 and half of class 4 is not class 3. Mix one-hot labels.",
        _only_mixup(_numbers_mixed),
    ),
    Mistake(
        "MixUp: the second share overwrites the first",
        "Where both pictures are of one class, the second share overwrites the first in the label. Add the two.",
        _only_mixup(_overwritten),
    ),
    Mistake("MixUp: number of classes guessed", _GUESSED, _only_mixup(_classes_guessed(_mixup))),
    Mistake(
        "MixUp: alpha not used",
        "Lambda is uniform whatever alpha is. It comes from Beta(alpha, alpha), which is uniform for alpha = 1 only.",
        _only_mixup(lambda images, labels, num_classes, alpha=1.0: _mixup(images, labels, num_classes, 1.0)),
    ),
    Mistake(
        "MixUp: alpha used once",
        "Lambda is mostly close to one end. The Beta distribution has two parameters, and both are alpha.",
        _only_mixup(_blending(lambda alpha: float(torch.distributions.Beta(alpha, 1.0).sample()))),
    ),
    Mistake(
        "MixUp: lambda always 0.5",
        "Lambda is always 0.5. Draw it anew from Beta(alpha, alpha) at every call.",
        _only_mixup(_blending(lambda alpha: 0.5)),
    ),
    Mistake(
        "MixUp: the larger share always its own",
        "Each picture always keeps the larger share. Take lambda as it was drawn: it may be below 0.5.",
        _only_mixup(_blending(lambda alpha: 0.5 + abs(_share(alpha) - 0.5))),
    ),
    Mistake("MixUp: each picture with itself", _LONELY, _only_mixup(_alone)),
    Mistake("MixUp: one partner for all", _ONE_PARTNER, _only_mixup(_all_with_one(_mixup))),
    Mistake(
        "MixUp: shares sum to more than 1",
        "The two shares sum to more than 1, so that pictures get too bright. What one of them takes, the other has "
        "to leave.",
        _only_mixup(_blending(blend=lambda mine, other, lam: lam * mine + other)),
    ),
    Mistake(
        "MixUp: the partner is scaled already",
        "The batch is scaled in place before partners are taken from it, so that they are scaled twice. Leave images "
        "as they are.",
        _only_mixup(_blending(blend=lambda mine, other, lam: mine.mul_(lam) + (1 - lam) * mine.roll(1, 0))),
    ),
    Mistake(
        "MixUp: another lambda for each channel",
        "A picture's channels are mixed with different shares. One lambda holds for the whole picture: shape "
        "(N, 1, 1, 1), or a number.",
        _only_mixup(_channel_by_channel),
    ),
    Mistake(
        "MixUp: float64 pictures",
        "float32 pictures come back as float64, which a float64 lambda of more than one number makes of them. Convert "
        "it to the images' type.",
        _only_mixup(_blending(blend=lambda mine, other, lam: torch.lerp(other, mine, lam).double())),
    ),
    Mistake("MixUp: written into the input", _WRITTEN, _only_mixup(_in_place(_mixup))),
    Mistake("MixUp: partners that are mixed already", _OVERWRITTEN, _only_mixup(_one_after_another(_mixup))),
    Mistake("MixUp: the same draw every time", _SAME, _only_mixup(_same_every_time(_mixup))),
    Mistake("MixUp: a generator of its own", _GENERATOR, _only_mixup(_own_generator(_mixup))),
    Mistake(
        "CutMix: lambda not corrected",
        "A box that reaches over the edge is cut off and so smaller, but the label still counts the whole of it. "
        "Count the pixels that were really pasted.",
        _only_cutmix(_cutting(corrected=False)),
    ),
    Mistake(
        "CutMix: box not cut off",
        "A box that reaches over the top or left edge starts at a negative index, which Python counts from the other "
        "end: then nothing is pasted. Limit the box to the picture.",
        _only_cutmix(_cutting(clip=False)),
    ),
    Mistake(
        "CutMix: sides without the root",
        "The boxes are too small: with sides of 1 - lambda of the picture's, their area is its square. The area "
        "is to be 1 - lambda.",
        _only_cutmix(_cutting(lambda height, width, area: (height * area, width * area))),
    ),
    Mistake(
        "CutMix: height and width swapped",
        "The box's height is taken from the picture's width and the other way round. Dimensions are (N, C, height, "
        "width).",
        _only_cutmix(_cutting(lambda height, width, area: _root(width, height, area))),
    ),
    Mistake(
        "CutMix: a square box",
        "The box is square even where the picture isn't. Its sides are shares of the picture's height and width.",
        _only_cutmix(
            _cutting(lambda height, width, area: _root(min(height, width), min(height, width), area))
        ),
    ),
    Mistake(
        "CutMix: box always inside",
        "The box always fits into the picture, so that its edges are hardly ever pasted. The centre is anywhere in "
        "the picture; what reaches over is cut off.",
        _only_cutmix(
            _cutting(centre=lambda side, size: side / 2 + (size - side) * float(torch.rand(()))),
        ),
    ),
    Mistake(
        "CutMix: box always in the middle",
        "The box is always in the same place. Draw its centre anew at every call, row and column.",
        _only_cutmix(_cutting(centre=lambda side, size: size / 2)),
    ),
    Mistake(
        "CutMix: box from lambda",
        "The box covers lambda of the picture, but the label says 1 - lambda: what is pasted is the partner's share.",
        _only_cutmix(_cutting(lambda height, width, area: _root(height, width, 1 - area), corrected=False)),
    ),
    Mistake(
        "CutMix: only one channel pasted",
        "The box is pasted into one channel only. It covers all of them: dimension 1 is the channels'.",
        _only_cutmix(_cutting(channels=slice(0, 1))),
    ),
    Mistake(
        "CutMix: box blackened",
        "What is in the box comes from no picture of the batch: paste the partner's pixels there.",
        _only_cutmix(_cutting(patch=torch.zeros_like)),
    ),
    Mistake(
        "CutMix: box from another place of the partner",
        "The box shows another region of the partner. Cut it out where it is pasted: the same rows and columns.",
        _only_cutmix(_cutting(patch=lambda partner: partner.roll(1, -2))),
    ),
    Mistake(
        "CutMix: alpha not used",
        "The boxes' sizes vary whatever alpha is. Lambda comes from Beta(alpha, alpha); a large alpha keeps it close "
        "to 0.5.",
        _only_cutmix(
            lambda images, labels, num_classes, alpha=1.0: _cutmix(images, labels, num_classes, 1.0)
        ),
    ),
    Mistake(
        "CutMix: lambda always 0.5",
        "All boxes are equally large. Draw lambda anew from Beta(alpha, alpha) at every call.",
        _only_cutmix(_cutting(lam=lambda alpha: 0.5)),
    ),
    Mistake(
        "CutMix: labels not mixed",
        "A box of the partner is pasted, but each label is still that of one picture. Its share of the pixels is its "
        "share of the label.",
        _only_cutmix(_labels_changed(_cutmix, _not_mixed)),
    ),
    Mistake(
        "CutMix: the labels' shares swapped",
        "The labels' shares are in each other's place: the larger the box, the more counts the partner's label.",
        _only_cutmix(_labels_changed(_cutmix, _swapped)),
    ),
    Mistake(
        "CutMix: another box for the labels",
        "The labels' shares have nothing to do with the box that was pasted. Draw it once, and use it for both.",
        _only_cutmix(_twice(_cutmix)),
    ),
    Mistake(
        "CutMix: labels of another partner",
        "The box comes from one partner and the label from another: is the order drawn twice? One order for both.",
        _only_cutmix(_labels_changed(_cutmix, _strangers)),
    ),
    Mistake("CutMix: hard labels", _HARD, _only_cutmix(_labels_changed(_cutmix, _hardened))),
    Mistake("CutMix: float64 labels", _FLOAT64, _only_cutmix(_labels_changed(_cutmix, _doubled))),
    Mistake("CutMix: number of classes guessed", _GUESSED, _only_cutmix(_classes_guessed(_cutmix))),
    Mistake("CutMix: each picture with itself", _LONELY, _only_cutmix(_alone)),
    Mistake("CutMix: one partner for all", _ONE_PARTNER, _only_cutmix(_all_with_one(_cutmix))),
    Mistake("CutMix: written into the input", _WRITTEN, _only_cutmix(_in_place(_cutmix))),
    Mistake(
        "CutMix: partners that are mixed already", _OVERWRITTEN, _only_cutmix(_one_after_another(_cutmix))
    ),
    Mistake("CutMix: the same draw every time", _SAME, _only_cutmix(_same_every_time(_cutmix))),
    Mistake("CutMix: a generator of its own", _GENERATOR, _only_cutmix(_own_generator(_cutmix))),
)


# -- for the eyes -------------------------------------------------------------------------------------------


def _two_drawings() -> Tensor:
    """(2, 2, 28, 28): a cat and a train; a second channel says which picture a pixel is of."""
    pair = (
        torch.stack([torch.from_numpy(doodles.draw(name, seed=3)) for name in ("cat", "train")]).float() / 255
    )
    return torch.stack([pair, torch.tensor([1.0, 0.0]).view(2, 1, 1).expand_as(pair)], dim=1)


def _first_of(name: str) -> Callable[[Answer], Tensor]:
    """The mixed cat. Where partners are drawn, it may meet itself: ask again."""

    def yours(answer: Answer) -> Tensor:
        for _ in range(30):
            mixed = answer.call(name, _two_drawings(), torch.tensor([0, 1]), 2, 8.0)
            mixed = mixed[0] if isinstance(mixed, (tuple, list)) and mixed else mixed
            picture: Tensor = (
                mixed[0] if isinstance(mixed, Tensor) and mixed.ndim == 4 and len(mixed) else mixed
            )
            if (
                not isinstance(picture, Tensor)
                or picture.shape != (2, 28, 28)
                or bool((picture[1] < 0.99).any())
            ):
                break
        return picture

    return yours


def _kept(found: Tensor | None) -> Tensor:
    """How much of the cat is left in each pixel; as if lambda were 1/2 where nothing is mixed."""
    if found is None or found.shape != (2, 28, 28) or bool((found[1] > 0.99).all()):
        return torch.full((28, 28), 0.5)
    return found[1].float().clamp(0, 1)


def _blended(found: Tensor | None) -> Tensor:
    cat, train = _two_drawings()[:, :1]
    return torch.lerp(train, cat, _kept(found).mean())


def _boxed(found: Tensor | None) -> Tensor:
    cat, train = _two_drawings()[:, :1]
    foreign = _kept(found) < 0.5
    if not bool(foreign.any()):
        foreign = torch.zeros(28, 28, dtype=torch.bool)
        foreign[4:24, 4:24] = True
    rows, columns = foreign.any(1).nonzero().flatten(), foreign.any(0).nonzero().flatten()
    target = cat.clone()
    box = (slice(None), slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    target[box] = train[box]
    return target


_SOURCES = "Which lines write into images? Where do the random numbers come from?"
_SKETCH = (
    "Sketch a box whose centre is near a corner of the picture: where are its four edges, before and after it is cut "
    "off?"
)

EXERCISE = Exercise(
    id="2.6",
    title="MixUp and CutMix",
    defines=("mixup", "cutmix"),
    parts=(
        Part(
            "MixUp: the pictures",
            2,
            _pictures(_Blends),
            "Which two pictures are added, and with which shares?",
        ),
        Part("MixUp: the soft labels", 2, _soft_labels(_Blends), "What does a picture's label say is in it?"),
        Part("MixUp: lambda", 2, _lambdas, "Which distribution does lambda come from, and when is it drawn?"),
        Part("MixUp: the input and the draws", 1, _repeatable("mixup"), _SOURCES),
        Part("CutMix: the pictures", 2, _pictures(_Pixels), "Which pixels are the partner's?"),
        Part("CutMix: the box", 2, _boxes, _SKETCH),
        Part(
            "CutMix: the soft labels", 2, _soft_labels(_Pixels), "How many pixels are really the partner's?"
        ),
        Part("CutMix: the input and the draws", 1, _repeatable("cutmix"), _SOURCES),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    demonstrations=(
        Demonstration("a cat mixed with a train by MixUp", _first_of("mixup"), _blended),
        Demonstration("a cat with a box of a train by CutMix", _first_of("cutmix"), _boxed),
    ),
)
