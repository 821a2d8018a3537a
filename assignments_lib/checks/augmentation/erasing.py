"""Exercise 2.5: `random_erase`, against torchvision's ``RandomErasing`` on each picture by itself.

No pixel of the pictures given is 0, so that the rectangle can be read off what comes back: its place, its sides, and
whether it is one. What is said of many draws is said in words that hold for every right answer, whatever it draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from assignments_lib.checks import chance
from assignments_lib.checks.answer import Answer, Raised, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.datasets import doodles
from assignments_lib.training.randomness import undisturbed

_Range = tuple[float, float]
_Box = tuple[int, int, int, int]  # top, left, height, width

_LEFT_ALONE, _RIGHT = "left as it was", "a rectangle set to 0"


# -- reading a draw off the pictures ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Erased:
    """What was done to each of N pictures: ``words``, and the smallest box around it, (N,) each (0 for nothing)."""

    words: tuple[str, ...]
    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor
    changed: Tensor  # (N, C, H, W)

    def of_those_erased(self, numbers: Tensor) -> list[float]:
        return [float(number) for number in numbers[self.height > 0]]

    @property
    def hits(self) -> int:
        """How many pictures were changed at all."""
        return int((self.height > 0).sum())


def _extent(lines: Tensor) -> tuple[Tensor, Tensor]:
    """(N, lines) bool: the first line that is set, and how many from there to the last."""
    first = lines.int().argmax(1)
    after = lines.shape[1] - lines.flip(1).int().argmax(1)
    return first, torch.where(lines.any(1), after - first, 0)


def _read(given: Tensor, back: Tensor) -> _Erased:
    changed = back != given
    anywhere = changed.any(1)
    (top, height), (left, width) = _extent(anywhere.any(2)), _extent(anywhere.any(1))
    whole = anywhere.sum((1, 2)) == height * width
    the_rest = _extent((~anywhere).any(2))[1] * _extent((~anywhere).any(1))[1]
    all_but = (~anywhere).sum((1, 2)) == the_rest
    in_all_channels = (changed == anywhere[:, None]).flatten(1).all(1)
    to_zero = ~(changed & (back != 0)).flatten(1).any(1)
    found = torch.stack([height > 0, in_all_channels, whole, to_zero, all_but], 1).tolist()
    words = []
    for i, (any_change, through, rectangle, zero, inverted) in enumerate(found):
        if not any_change:
            words.append(_LEFT_ALONE)
        elif not through:
            words.append("changed in other places from channel to channel")
        elif rectangle:
            words.append(_RIGHT if zero else _of_another_colour(back[i], changed[i]))
        else:
            words.append(
                "changed everywhere but in a rectangle"
                if inverted
                else "changed in places that form no rectangle"
            )
    return _Erased(tuple(words), top, left, height, width, changed)


def _of_another_colour(picture: Tensor, changed: Tensor) -> str:
    channels = [values[where] for values, where in zip(picture, changed, strict=True)]
    plain = all(bool((values == values[0]).all()) for values in channels)
    return "a rectangle of one colour, but not 0" if plain else "a rectangle of many colours"


def _erase(answer: Answer, given: Tensor, *settings: Value) -> Tensor:
    """What comes back for these pictures.

    Raises:
        Raised: it isn't a tensor of their shape.
    """
    back = answer.call("random_erase", given, *settings)
    if not isinstance(back, Tensor) or back.shape != given.shape:
        shown = in_words(back)
        raise Raised(
            "TypeError", f"pictures {tuple(given.shape)} came back as {shown}, not in their own shape"
        )
    return back


def _once(answer: Answer, draw: Draw, shape: tuple[int, ...], *settings: Value) -> _Erased:
    return _often(answer, draw, shape, 1, *settings)


def _often(answer: Answer, draw: Draw, shape: tuple[int, ...], calls: int, *settings: Value) -> _Erased:
    """Many calls with few pictures each: so a single draw for a whole batch costs points where it is asked for only."""
    given = _pictures(draw, (calls * shape[0], *shape[1:]))
    back = [_erase(answer, few, *settings) for few in given.split(shape[0])]
    return _read(given, torch.cat(back))


def _pictures(draw: Draw, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
    return 0.1 + 0.9 * draw.uniform(*shape, dtype=dtype)


# -- a rectangle of 0 ---------------------------------------------------------------------------------------


def _rectangles(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[tuple[int, ...], int]) -> Iterator[Observation]:
        shape, calls = case
        seen = _often(answer, draw, shape, calls)
        done = sorted(set(seen.words) - {_LEFT_ALONE})
        yield f"pictures {shape}: what becomes of those that are erased", done
        channels = seen.changed.any(3).any(2).any(0)
        yield f"pictures {shape}: channels in which anything changes", int(channels.sum())

    yield from each((((3, 3, 24, 32), 24), ((2, 1, 20, 12), 30)), observe)
    seen = _often(answer, draw, (4, 2, 30, 1), 5, 1.0)  # most rectangles don't fit
    yield "pictures one pixel wide: done to them otherwise", sorted(set(seen.words) - {_LEFT_ALONE, _RIGHT})

    def types(dtype: torch.dtype) -> Iterator[Observation]:
        back = answer.call("random_erase", _pictures(draw, (1, 3, 9, 12), dtype))
        name = str(dtype).removeprefix("torch.")
        yield f"one {name} picture (1, 3, 9, 12)", _kind(back)

    yield from each((torch.float32, torch.float64), types)


def _kind(back: Value) -> Value:
    return (
        f"{str(back.dtype).removeprefix('torch.')} {tuple(back.shape)}" if isinstance(back, Tensor) else back
    )


# -- how large, and of what shape ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Wanted:
    """Sides (in fractions of a pixel) that leave nothing to chance, as settings of one picture size."""

    height: float
    width: float
    picture: tuple[int, int]

    @property
    def settings(self) -> tuple[float, _Range, _Range]:
        """``p``, and ``scale`` and ``ratio``: ranges so narrow that nothing is left to draw."""
        share, ratio = self.height * self.width / math.prod(self.picture), self.height / self.width
        return 0.5, (share, 1.0001 * share), (ratio, 1.0001 * ratio)


def _sizes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    picture = draw.integer(20, 25), draw.integer(27, 33)
    tall = _Wanted(draw.integer(8, 9) + 0.75, draw.integer(4, 5) + 0.7, picture)  # both sides rounded up
    broad = _Wanted(draw.integer(4, 5) + 0.3, draw.integer(9, 10) + 0.25, picture)  # both rounded down

    def observe(case: tuple[_Wanted, int]) -> Iterator[Observation]:
        wanted, channels = case
        seen = _often(answer, draw, (4, channels, *picture), 10, *wanted.settings)
        scale, ratio = wanted.settings[1][0], wanted.settings[2][0]
        what = f"pictures {(4, channels, *picture)}, scale {scale:.3g}, ratio {ratio:.3g}"
        height, width = int(seen.height.max()), int(seen.width.max())
        if not seen.hits:
            yield f"{what}: the rectangle's area", "there is none"
            return
        yield f"{what}: the rectangle's area", _area(height * width / (wanted.height * wanted.width))
        yield f"{what}: its height divided by its width", _proportion(height / width, ratio)
        yield f"{what}: its height and width", [height, width]

    yield from each(((tall, 3), (broad, 1)), observe)
    yield from _spread_of_sizes(answer, draw)
    # A third of the picture, but so flat or high that many don't fit: those are drawn anew, not cut to fit.
    seen = _often(answer, draw, (4, 1, 24, 36), 20, 0.5, (0.3, 0.3001), (0.5, 8.0))
    areas = (seen.height + 0.5) * (seen.width + 0.5)
    small = seen.of_those_erased(areas / (24 * 36))
    yield "rectangles smaller than scale allows, where many don't fit", any(area < 0.2999 for area in small)


def _spread_of_sizes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    height, width, scale, ratio = 40, 52, (0.04, 0.2), (0.2, 3.6)
    seen = _often(answer, draw, (4, 1, height, width), 150, 0.5, scale, ratio)
    area, proportion = _quantities(height, width, scale, ratio)
    what = f"scale from {scale[0]:g} to {scale[1]:g}, ratio from {ratio[0]:g} to {ratio[1]:g}"
    areas = seen.of_those_erased(seen.height * seen.width)
    yield f"{what}: areas are", _spread(areas, area, "uniform in scale")
    proportions = seen.of_those_erased(seen.height.double() / seen.width.clamp(min=1))
    yield f"{what}: height / width is", _spread(proportions, proportion, "uniform on a logarithmic scale")


def _area(times: float) -> str:
    if 0.88 < times < 1.13:
        return "as asked for"
    size = "small" if times < 1 else "large"
    return f"much too {size}" if not 0.55 < times < 1.9 else f"too {size}"


def _proportion(found: float, asked: float) -> str:
    if abs(math.log(found / asked)) < 0.13:
        return "as asked for"
    if abs(math.log(found * asked)) < 0.13:
        return "the other way round"
    return "1: a square" if abs(math.log(found)) < 0.13 else "another"


_Step = Callable[[float], float]


@lru_cache(maxsize=1)
def _quantities(height: int, width: int, scale: _Range, ratio: _Range) -> tuple[_Step, _Step]:
    """The distribution functions of area and height / width, after rounding to whole pixels, where all fit."""
    steps = (np.arange(400) + 0.5) / 400
    shares = scale[0] + (scale[1] - scale[0]) * steps[:, None]
    ratios = np.exp(math.log(ratio[0]) + math.log(ratio[1] / ratio[0]) * steps)
    high = np.rint(np.sqrt(height * width * shares * ratios))
    wide = np.rint(np.sqrt(height * width * shares / ratios))
    return _distribution(high * wide), _distribution(high / wide)


def _distribution(values: np.ndarray) -> _Step:
    ordered = np.sort(values.ravel())
    # A little more than x, and less than `chance` goes below a step: 7 / 3 counts as 7 / 3, however it is rounded.
    return lambda x: float(np.searchsorted(ordered, x + 5e-10, side="right") / len(ordered))


def _spread(samples: Sequence[float], distribution: _Step, right: str) -> str:
    if not samples:
        return "nothing is erased"
    if max(samples) < 1.15 * min(samples):
        return "always about the same"
    return right if chance.follows(samples, distribution) else "spread otherwise"


# -- where --------------------------------------------------------------------------------------------------


def _places(answer: Answer, draw: Draw) -> Iterator[Observation]:
    """A large square in a small picture: 3 x 4 positions."""
    side = draw.integer(6, 10)
    picture = side + 2, side + 3
    wanted = _Wanted(side + 0.2, side + 0.2, picture)
    seen = _often(answer, draw, (4, 1, *picture), 150, *wanted.settings)
    heights, widths = (set(seen.of_those_erased(sides)) for sides in (seen.height, seen.width))
    one_size = len(heights) == len(widths) == 1
    what = f"pictures {(4, 1, *picture)}, squares of one size"
    yield f"{what}: all of them are of this size", one_size
    reached = seen.changed.any(1).any(0)
    yield f"{what}: every pixel is erased once in a while", bool(reached.all())
    yield f"{what}: rows that are never erased", _indices(~reached.any(1))
    yield f"{what}: columns that are never erased", _indices(~reached.any(0))
    if not one_size:
        return
    room = picture[0] - int(heights.pop()), picture[1] - int(widths.pop())
    tops, lefts = seen.of_those_erased(seen.top), seen.of_those_erased(seen.left)
    yield f"{what}: all rows to begin at are equally likely", _even(tops, room[0])
    yield f"{what}: all columns to begin at are equally likely", _even(lefts, room[1])
    missing = len(set(product(range(room[0] + 1), range(room[1] + 1))) - set(zip(tops, lefts, strict=True)))
    yield f"{what}: places where it never lies", missing


def _indices(lines: Tensor) -> list[int]:
    return [int(i) for i in lines.nonzero().flatten()]


def _even(starts: Sequence[float], room: int) -> bool:
    return chance.follows(starts, chance.uniform_integers(0, room))


# -- how often, and each on its own -------------------------------------------------------------------------

_CALM = (
    (0.1, 0.25),
    (0.5, 2.0),
)  # scale and ratio with which every rectangle fits into 16 x 20, and none is empty


def _chances(answer: Answer, draw: Draw) -> Iterator[Observation]:
    shape = (200, 1, 16, 20)
    yield "a batch of 200 at p = 0.5", _mixed(_once(answer, draw, shape, 0.5, *_CALM))
    seen = _once(answer, draw, (12, 1, 16, 20), 1.0, *_CALM)
    boxes = set(zip(*(side.tolist() for side in (seen.top, seen.left, seen.height, seen.width)), strict=True))
    yield "the rectangles of a batch of 12 at p = 1", "all alike" if len(boxes) == 1 else "each its own"
    for p in (0.0, 0.1, 0.9, 1.0):
        seen = _once(answer, draw, shape, p, *_CALM)
        yield f"how often at p = {p:g}", chance.share_in_words(seen.hits, shape[0], p)
    seen = _once(answer, draw, (200, 1, 24, 32))
    yield "how often if p isn't given", chance.share_in_words(seen.hits, shape[0], 0.5)
    # One rectangle in ten is too high: ten misses in a row come once in 10^9 pictures.
    seen = _once(answer, draw, (200, 1, 24, 36), 1.0, (0.3, 0.3001), (0.5, 2.55))
    always = "in all pictures" if seen.hits == 200 else "not in all pictures"
    yield "at p = 1, where one rectangle in ten doesn't fit and is drawn anew, there is one", always
    yield from _repeatable(answer, draw)


def _mixed(seen: _Erased) -> str:
    return "some are erased" if 0 < seen.hits < len(seen.words) else "all are erased, or none"


def _repeatable(answer: Answer, draw: Draw) -> Iterator[Observation]:
    images = _pictures(draw, (40, 1, 16, 20))

    def again() -> Tensor:
        return _erase(answer, images, 0.5, *_CALM)

    answer.seed(7)
    first, second = again(), again()
    yield "the next call draws the same once more", torch.equal(first, second)
    answer.seed(7)
    yield "after the same seed the same is drawn", torch.equal(first, again())
    answer.seed(8)
    yield "after another seed something else is drawn", not torch.equal(first, again())


def _unchanged(answer: Answer, draw: Draw) -> Iterator[Observation]:
    images = _pictures(draw, (24, 2, 16, 20))
    written = [answer.writes("random_erase", images, 0.5, *_CALM) for _ in range(2)]
    yield "random_erase changes the tensor it is given", any(written)


# -- the reference ------------------------------------------------------------------------------------------


def _one_by_one(
    images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
) -> Tensor:
    erase = v2.RandomErasing(p, scale, ratio)
    return torch.stack([erase(image) for image in images])


def _reference() -> Namespace:
    return {"random_erase": _one_by_one}


# -- typical mistakes: torchvision's draw for a picture, with one thing changed -----------------------------


@lru_cache(maxsize=8)
def _eraser(scale: _Range, ratio: _Range) -> v2.RandomErasing:
    return v2.RandomErasing(1.0, scale, ratio)


def _drawn(picture: Tensor, scale: _Range, ratio: _Range, fineness: int = 1) -> _Box | None:
    """Torchvision's box for a picture, or for one with so many times as fine pixels."""
    height, width = picture.shape[-2:]
    canvas = torch.empty(1).expand(1, fineness * height, fineness * width)
    found = _eraser(scale, ratio).make_params([canvas])
    return None if found["v"] is None else (found["i"], found["j"], found["h"], found["w"])


def _uniform(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(()))


def _below(end: int) -> int:
    return int(torch.randint(max(end, 1), ()))


def _to_zero(picture: Tensor, box: _Box) -> None:
    top, left, height, width = box
    picture[:, top : top + height, left : left + width] = 0


def _erasing(
    *,
    coin: Callable[[float], bool] = lambda p: float(torch.rand(())) < p,
    box: Callable[[Tensor, _Range, _Range], _Box | None] = _drawn,
    paint: Callable[[Tensor, _Box], None] = _to_zero,
) -> Namespace:
    def random_erase(
        images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
    ) -> Tensor:
        result = images.clone()
        for picture in result:
            found = box(picture, (scale[0], scale[1]), (ratio[0], ratio[1])) if coin(p) else None
            if found is not None:
                paint(picture, found)
        return result

    return {"random_erase": random_erase}


def _moved(
    place: Callable[[Tensor, int, int], tuple[int, int]],
) -> Callable[[Tensor, _Range, _Range], _Box | None]:
    """A box of the right size whose corner is elsewhere: ``place`` gets the picture, height and width."""

    def box(picture: Tensor, scale: _Range, ratio: _Range) -> _Box | None:
        found = _drawn(picture, scale, ratio)
        return None if found is None else (*place(picture, found[2], found[3]), found[2], found[3])

    return box


def _from_one_number(picture: Tensor, height: int, width: int) -> tuple[int, int]:
    number = float(torch.rand(()))
    rows, columns = picture.shape[1] - height + 1, picture.shape[2] - width + 1
    return int(number * rows), int(number * columns)


def _with_sides(side: Callable[[float], int]) -> Callable[[Tensor, _Range, _Range], _Box | None]:
    """``side`` makes whole pixels of sides that are known to a hundredth."""

    def box(picture: Tensor, scale: _Range, ratio: _Range) -> _Box | None:
        found = _drawn(picture, scale, ratio, fineness=100)
        if found is None:
            return None
        rows, columns = picture.shape[-2:]
        height, width = min(side(found[2] / 100), rows), min(side(found[3] / 100), columns)
        return _below(rows - height + 1), _below(columns - width + 1), height, width

    return box


def _one_try(picture: Tensor, scale: _Range, ratio: _Range, *, cut: bool = False) -> _Box | None:
    """A box that doesn't fit is given up, or cut to fit."""
    height, width = picture.shape[-2:]
    share, proportion = _uniform(*scale), math.exp(_uniform(math.log(ratio[0]), math.log(ratio[1])))
    sides = [round(math.sqrt(height * width * share * f)) for f in (proportion, 1 / proportion)]
    if not cut and (sides[0] > height or sides[1] > width):
        return None
    return _fitted(picture, min(sides[0], height), min(sides[1], width))


def _fitted(picture: Tensor, height: int, width: int) -> _Box:
    rows, columns = picture.shape[-2:]
    return _below(rows - height + 1), _below(columns - width + 1), height, width


def _filled(value: Callable[[Tensor], Tensor | float]) -> Callable[[Tensor, _Box], None]:
    def paint(picture: Tensor, box: _Box) -> None:
        top, left, height, width = box
        inside = picture[:, top : top + height, left : left + width]
        fill = torch.as_tensor(value(inside), dtype=picture.dtype)
        inside.copy_(fill.expand_as(inside))

    return paint


def _everything_else(picture: Tensor, box: _Box) -> None:
    kept = picture.clone()
    _to_zero(kept, box)
    picture.sub_(kept)


def _scattered(picture: Tensor, box: _Box) -> None:
    share = box[2] * box[3] / math.prod(picture.shape[-2:])
    picture.mul_(torch.rand(picture.shape[-2:]) >= share)


def _own_in_each_channel(
    images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
) -> Tensor:
    return _one_by_one(images.flatten(0, 1)[:, None], p, scale, ratio).reshape(images.shape)


def _for_the_batch(
    images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
) -> Tensor:
    erased: Tensor = v2.RandomErasing(p, scale, ratio)(images)
    return erased


def _one_rectangle(
    images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
) -> Tensor:
    where = (torch.rand(len(images)) < p).reshape(-1, 1, 1, 1)
    return torch.where(where, _for_the_batch(images, 1.0, scale, ratio), images)


def _one_coin(
    images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
) -> Tensor:
    return _one_by_one(images, float(float(torch.rand(())) < p), scale, ratio)


def _counting_channels(picture: Tensor, scale: _Range, ratio: _Range) -> _Box | None:
    low, high = (min(1.0, len(picture) * share) for share in scale)
    return _drawn(picture, (low, high), ratio)


def _one_proportion(draw: Callable[[_Range], float]) -> Callable[[Tensor, _Range, _Range], _Box | None]:
    def box(picture: Tensor, scale: _Range, ratio: _Range) -> _Box | None:
        proportions = [draw(ratio) for _ in range(10)]
        tries = (_drawn(picture, scale, (proportion, proportion)) for proportion in proportions)
        return next((found for found in tries if found is not None), None)

    return box


def _seeded(seed: Callable[[], Any]) -> Namespace:
    """Draws that the global seed has no part in."""

    def random_erase(
        images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
    ) -> Tensor:
        with undisturbed():
            seed()
            return _one_by_one(images, p, scale, ratio)

    return {"random_erase": random_erase}


def _in_place(
    images: Tensor, p: float = 0.5, scale: _Range = (0.02, 0.2), ratio: _Range = (0.3, 3.3)
) -> Tensor:
    return images.copy_(_one_by_one(images, p, scale, ratio))


_MISTAKES = (
    Mistake(
        "one draw for the whole batch",
        "All pictures of a batch are erased at the same place, or none is. Each needs a coin and a rectangle of its "
        "own.",
        {"random_erase": _for_the_batch},
    ),
    Mistake(
        "one rectangle for the whole batch",
        "Each picture has its own coin, but all get the same rectangle. Draw one for each picture.",
        {"random_erase": _one_rectangle},
    ),
    Mistake(
        "one coin for the whole batch",
        "p is asked once for the whole batch: either all pictures are erased or none. Toss a coin for each picture.",
        {"random_erase": _one_coin},
    ),
    Mistake(
        "p the wrong way round",
        "Pictures are erased with probability 1 - p. Compare the direction: a number from [0, 1) is below p with "
        "probability p.",
        _erasing(coin=lambda p: float(torch.rand(())) > p),
    ),
    Mistake(
        "p ignored",
        "Half of the pictures are erased, whatever p is.",
        _erasing(coin=lambda p: float(torch.rand(())) < 0.5),
    ),
    Mistake(
        "always erased",
        "Every picture is erased, whatever p is. With probability 1 - p it stays as it is.",
        _erasing(coin=lambda p: True),
    ),
    Mistake(
        "cut off at the edge",
        "The rectangle reaches over the picture's edge, where slicing cuts it off: it gets smaller than its area says. "
        "It may only begin where it still fits inside.",
        _erasing(
            box=_moved(lambda picture, height, width: (_below(picture.shape[1]), _below(picture.shape[2])))
        ),
    ),
    Mistake(
        "the last row and column never reached",
        "The rectangle never touches the last row or column: the upper end of randint is left out, so the last place "
        "that fits needs one more.",
        _erasing(
            box=_moved(
                lambda picture, height, width: (
                    _below(picture.shape[1] - height),
                    _below(picture.shape[2] - width),
                )
            )
        ),
    ),
    Mistake(
        "row and column from one number",
        "Top and left are made of the same random number, so that all rectangles lie along the diagonal. Draw two.",
        _erasing(box=_moved(_from_one_number)),
    ),
    Mistake(
        "always in the middle",
        "The rectangle always lies in the middle. Every place at which it fits should be equally likely.",
        _erasing(
            box=_moved(
                lambda picture, height, width: (
                    (picture.shape[1] - height) // 2,
                    (picture.shape[2] - width) // 2,
                )
            )
        ),
    ),
    Mistake(
        "area taken for the side",
        "The rectangles are far too small: scale is a share of the picture's area, not of its sides. A "
        "square of area a has sides of length sqrt(a).",
        _erasing(
            box=lambda picture, scale, ratio: _drawn(picture, (scale[0] ** 2, scale[1] ** 2), ratio),
        ),
    ),
    Mistake(
        "channels counted as area",
        "The rectangles are too large in pictures of several channels: the area is height times width, and numel() "
        "counts the channels too.",
        _erasing(box=_counting_channels),
    ),
    Mistake(
        "always the largest area",
        "All rectangles have the same area. Draw its share anew for each, uniform between scale[0] and scale[1].",
        _erasing(box=lambda picture, scale, ratio: _drawn(picture, (scale[1], scale[1]), ratio)),
    ),
    Mistake(
        "always a square",
        "All rectangles are squares: ratio is ignored. The sides follow from two equations, height / width = r and "
        "height * width = a.",
        _erasing(box=lambda picture, scale, ratio: _drawn(picture, scale, (1.0, 1.0))),
    ),
    Mistake(
        "height and width swapped",
        "Height and width are in each other's place: ratio is height divided by width, so that a large one is tall. "
        "Ranges symmetric about 1 hide that.",
        _erasing(box=lambda picture, scale, ratio: _drawn(picture, scale, (1 / ratio[1], 1 / ratio[0]))),
    ),
    Mistake(
        "ratio uniform, not its logarithm",
        "The ratio itself is drawn uniformly, so that from 0.3 to 3.3 three rectangles in four are tall. Draw its "
        "logarithm: 2 and 1/2 are equally far from 1.",
        _erasing(box=_one_proportion(lambda ratio: _uniform(*ratio))),
    ),
    Mistake(
        "exp without log",
        "exp is taken of a number between ratio[0] and ratio[1]. It has to lie between their logarithms.",
        _erasing(box=_one_proportion(lambda ratio: math.exp(_uniform(*ratio)))),
    ),
    Mistake(
        "sides rounded down",
        "Both sides are rounded down (int does that), which makes all rectangles too small. Round to the nearest whole "
        "number.",
        _erasing(box=_with_sides(math.floor)),
    ),
    Mistake(
        "sides rounded up",
        "Both sides are rounded up, which makes all rectangles too large. Round to the nearest whole number.",
        _erasing(box=_with_sides(math.ceil)),
    ),
    Mistake(
        "one row and column too many",
        "The rectangle is one row and one column larger than drawn: a slice from top to top + height has height rows.",
        _erasing(box=_with_sides(lambda side: round(side) + 1)),
    ),
    Mistake(
        "given up after one try",
        "A rectangle that doesn't fit is given up, so that fewer pictures are erased than p says. Draw area and ratio "
        "anew, up to ten times.",
        _erasing(box=_one_try),
    ),
    Mistake(
        "cut to fit instead of drawn anew",
        "A rectangle that is too high or too wide is cut to the picture's size, which changes its area and ratio. Draw "
        "both anew until it fits.",
        _erasing(box=partial(_one_try, cut=True)),
    ),
    Mistake(
        "filled with noise",
        "The rectangle is filled with noise. That is a variant of the paper's; here it is set to 0.",
        _erasing(paint=_filled(torch.rand_like)),
    ),
    Mistake(
        "filled with another colour",
        "The rectangle is filled with a colour other than black, such as a mean or 1. Here it is set to 0.",
        _erasing(paint=_filled(lambda inside: 0.5)),
    ),
    Mistake(
        "only one channel erased",
        "Only the first channel is set to 0. The rectangle goes through all channels: they have an index of "
        "their own.",
        _erasing(paint=lambda picture, box: _to_zero(picture[:1], box)),
    ),
    Mistake(
        "a rectangle of its own for each channel",
        "Each channel is erased at another place, which leaves coloured patches. One rectangle for a picture, in all "
        "channels.",
        {"random_erase": _own_in_each_channel},
    ),
    Mistake(
        "everything else erased",
        "The rectangle is kept and all the rest is set to 0: the mask is the wrong way round.",
        _erasing(paint=_everything_else),
    ),
    Mistake(
        "scattered pixels erased",
        "Single pixels are erased all over the picture. Random erasing hides one connected rectangle, which the "
        "network can't fill in from the neighbours.",
        _erasing(paint=_scattered),
    ),
    Mistake(
        "the same draws in every call",
        "Every call draws the same: a seed is set inside the function, or the numbers are drawn only once. Leave the "
        "seed to the caller.",
        _seeded(lambda: torch.default_generator.manual_seed(0)),
    ),
    Mistake(
        "a generator of its own",
        "The same seed doesn't bring the same draws: they come from a generator of your own. Every worker of a "
        "DataLoader would have a copy of it. Use the global functions.",
        _seeded(torch.default_generator.seed),
    ),
    Mistake(
        "written into the input",
        "Your function writes into the tensor it is given, so that the caller's pictures stay erased for good. Clone "
        "it first.",
        {"random_erase": _in_place},
    ),
)


# -- to look at ---------------------------------------------------------------------------------------------


def _card() -> Tensor:
    """(1, 2, 28, 28): a train in white on grey, and a channel of ones to read the rectangle off."""
    ink = torch.from_numpy(doodles.draw("train", seed=3)) / 255
    return torch.stack([0.35 + 0.65 * ink, torch.ones(28, 28)])[None]


def _yours(answer: Answer) -> Value:
    back = answer.call("random_erase", _card(), 1.0, (0.1, 0.2))
    return back[0] if isinstance(back, Tensor) and back.ndim == 4 and len(back) else back


def _target(found: Tensor | None) -> Tensor:
    """The train with the rectangle that was drawn, or with one in its middle where there is none to be seen."""
    card = _card()
    box: _Box = (9, 8, 10, 12)
    if found is not None and found.shape == card.shape[1:]:
        changed = found[1:] != 1
        for marks in (~changed, changed):  # the second, if it is a rectangle
            (top, height), (left, width) = _extent(marks.any(2)), _extent(marks.any(1))
            if 0 < int(marks.sum()) == int(height * width) < marks.numel():
                box = int(top), int(left), int(height), int(width)
    _to_zero(card[0], box)
    return card[0]


EXERCISE = Exercise(
    id="2.5",
    title="random erasing",
    defines=("random_erase",),
    parts=(
        Part(
            "a rectangle of 0",
            2,
            _rectangles,
            "Erase a white picture and show it: is what you see one black rectangle, in every channel?",
        ),
        Part(
            "how large, and of what shape",
            2,
            _sizes,
            "Solve height * width = area and height / width = ratio for height and width.",
        ),
        Part("where", 1, _places, "Which values can top and left take, the first and the last?"),
        Part(
            "how often, and each on its own",
            2,
            _chances,
            "How many random numbers does a batch of N pictures need?",
        ),
        Part(
            "the input stays as it is", 1, _unchanged, "Which tensor does the = 0 write into?", manners=True
        ),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    demonstrations=(Demonstration("a train with a rectangle erased", _yours, _target),),
)
