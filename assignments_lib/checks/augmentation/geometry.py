"""Exercise 2.2: `random_flip`, `random_crop` and `rotate`, against torchvision's ``horizontal_flip``, ``pad``,
``crop`` and ``rotate``.

What is random is said in words: which ways pictures come back, which windows come, how often. Draws are read off the
result, so that it doesn't matter which random numbers a right answer uses, nor in which order.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks import chance
from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each
from assignments_lib.datasets import doodles

# -- what all three have in common --------------------------------------------------------------------------


def _pictures(draw: Draw, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Pictures of which no two pixels are expected alike, and none is 0."""
    if dtype.is_floating_point:
        return (0.05 + 0.95 * draw.uniform(*shape)).to(dtype)
    return draw.integers(1, 255, *shape).to(dtype)


def _type(images: Tensor) -> str:
    return str(images.dtype).removeprefix("torch.")


def _form(name: str, result: Value, images: Tensor) -> Iterator[Observation]:
    """Shape and type."""
    form = f"a tensor of shape {tuple(result.shape)}" if isinstance(result, Tensor) else in_words(result)
    yield f"{name} of pictures with shape {tuple(images.shape)}", form
    same = isinstance(result, Tensor) and result.dtype == images.dtype
    yield f"{name} of {_type(images)} pictures gives {_type(images)}", same


def _fits(result: Value, images: Tensor) -> bool:
    return isinstance(result, Tensor) and result.shape == images.shape


def _listed(words: Sequence[str]) -> str:
    """Each word once, in alphabetical order."""
    return ", ".join(sorted(set(words))) or "nothing"


def _alike(a: Tensor, b: Tensor) -> Tensor:
    """(N,): which pictures of two batches are the same, up to rounding."""
    return ((a.double() - b.double()).abs() < 1e-5).flatten(1).all(1)


def _repeatable(answer: Answer, name: str, images: Tensor, argument: float) -> Iterator[Observation]:
    """Nothing but a seed settles the draws."""
    results = []
    for seed in (7, 7, 8):
        answer.seed(seed)
        results.append(answer.call(name, images, argument))
    same = [_fits(r, images) and torch.equal(r.double(), results[0].double()) for r in results]
    yield f"{name} draws the same again after the same seed", same[1]
    yield f"{name} draws the same after another seed", same[2]


# -- random_flip: which way did each picture come back? -----------------------------------------------------

_SAME, _MIRRORED = "as they were", "mirrored left-right"
_FLIPPED = (((2, 3, 5, 7), torch.uint8), ((3, 2, 6, 4), torch.float64), ((2, 1, 4, 5), torch.int64))


def _ways(flipped: Value, images: Tensor) -> list[str]:
    """Of each picture: how it came back."""
    if not _fits(flipped, images):
        return ["in another shape"]
    others = images.roll(1, 0)
    known = {
        _SAME: _alike(flipped, images),
        _MIRRORED: _alike(flipped, images.flip(-1)),
        "upside down": _alike(flipped, images.flip(-2)),
        "turned by 180 degrees": _alike(flipped, images.flip(-1, -2)),
        "with their channels in reverse order": _alike(flipped, images.flip(1)),
        "as another picture of the batch": _alike(flipped, images.flip(0)) | _alike(flipped, others),
    }
    planes, given = flipped.flatten(0, 1), images.flatten(0, 1)
    one_by_one = _alike(planes, given) | _alike(planes, given.flip(-1))
    known["mirrored in some of their channels"] = one_by_one.view(images.shape[:2]).all(1)
    ways = []
    for i in range(len(images)):
        ways.append(next((way for way, true in known.items() if true[i]), "as something else"))
    return ways


def _mirrors(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[tuple[int, ...], torch.dtype]) -> Iterator[Observation]:
        images = _pictures(draw, *case)
        # So often that each way is seen, even where the whole batch is flipped or not.
        calls = [answer.call("random_flip", images) for _ in range(30)]
        yield from _form("random_flip", calls[0], images)
        together = torch.cat(calls) if all(_fits(flipped, images) for flipped in calls) else None
        yield (
            "random_flip(images): the pictures come back ...",
            _listed(_ways(together, images.repeat(30, 1, 1, 1))),
        )

    yield from each(_FLIPPED, observe)
    narrow = _pictures(draw, (8, 2, 5, 1), torch.float32)
    yield "pictures one pixel wide come back ...", _listed(_ways(answer.call("random_flip", narrow), narrow))
    images = _pictures(draw, (40, 2, 3, 4), torch.float64)
    yield "random_flip changes the tensor it is given", answer.writes("random_flip", images, 0.5)


def _flips(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def mirrored(batch: Tensor, p: float) -> list[bool]:
        """Anything that isn't the picture itself counts: which way it is turned is another part's business."""
        return [way != _SAME for way in _ways(answer.call("random_flip", batch, p), batch)]

    def how_often(flips: list[bool]) -> str:
        return "always" if all(flips) else "sometimes" if any(flips) else "never"

    images = _pictures(draw, (64, 1, 2, 3), torch.float64)
    for p in (0.0, 1.0):
        yield f"with p = {p:g} a picture is mirrored ...", how_often(mirrored(images, p))
    first, second = mirrored(images, 0.5), mirrored(images, 0.5)
    yield "with p = 0.5 all pictures of a batch are treated alike", len(set(first)) == 1
    yield "two calls mirror the same pictures of the batch", first == second
    alone = [flip for image in images[:32] for flip in mirrored(image[None], 0.5)]
    yield "with p = 0.5 a picture alone in its batch is mirrored ...", how_often(alone)
    batches = [mirrored(images, 0.2) for _ in range(15)]
    yield "every batch has the same number of mirrored pictures", len({sum(flips) for flips in batches}) == 1
    share = chance.share_in_words(sum(map(sum, batches)), 15 * len(images), 0.2)
    yield "share that is mirrored with p = 0.2", share
    yield from _repeatable(answer, "random_flip", images, 0.5)


# -- random_crop: which window of the padded picture came back? ---------------------------------------------

_INSIDE = "cut out of the picture with 0 around it"
_CROPPED = (
    ((60, 2, 5, 7), torch.uint8, 2),
    ((60, 1, 6, 4), torch.float64, 1),
    ((60, 1, 4, 6), torch.int64, 3),
    ((12, 1, 5, 1), torch.float32, 2),
    ((3, 2, 4, 3), torch.float32, 0),
    ((1, 3, 4, 3), torch.float32, 1),
)


def _windows(padded: Tensor, height: int, width: int) -> Tensor:
    """(N, rows * columns, C, H, W): all windows of that size, row by row."""
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # (N, C, rows, columns, H, W)
    return windows.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)


def _surroundings(images: Tensor, padding: int) -> dict[str, Tensor]:
    """The padded pictures in several ways, the right one first. NaN stands for any number but 0."""
    images = images.double()
    pads = [padding] * 4
    padded = {
        _INSIDE: F.pad(images, pads),
        "with their border repeated around them": F.pad(images, pads, "replicate"),
    }
    if padding < min(images.shape[-2:]):
        padded["with a mirror at their border"] = tv.pad(images, [padding], padding_mode="reflect")
        padded["with a mirror just outside their border"] = tv.pad(
            images, [padding], padding_mode="symmetric"
        )
        padded["with their other side around them"] = F.pad(images, pads, "circular")
    padded["with numbers other than 0 around them"] = F.pad(images, pads, value=math.nan)
    padded["cut beyond the padding"] = F.pad(images, [2 * padding] * 4)
    return padded


def _matches(cropped: Tensor, padded: Tensor) -> Tensor:
    """(N, positions): which window each picture is; NaN agrees with everything."""
    windows = _windows(padded, *cropped.shape[-2:])
    same = ((windows - cropped.double()[:, None]).abs() < 1e-5) | windows.isnan()
    return same.flatten(2).all(2)


def _cut_how(cropped: Value, images: Tensor, padding: int) -> str:
    """In which surroundings the windows lie, of all pictures that aren't simply as they were."""
    if not _fits(cropped, images):
        return "in another shape"
    moved = ~_alike(cropped, images)
    if not moved.any():
        return _SAME
    cropped, images = cropped[moved], images[moved]
    found = {way: _matches(cropped, padded).any(1) for way, padded in _surroundings(images, padding).items()}
    planes = cropped.flatten(0, 1)[:, None]
    alone = _matches(planes, F.pad(images.flatten(0, 1)[:, None].double(), [padding] * 4)).any(1)
    found["cut at another place in every channel"] = alone.view(cropped.shape[:2]).all(1)
    ways = []
    for i in range(len(cropped)):
        ways.append(
            next((way for way, true in found.items() if true[i]), "not cut out of the padded picture")
        )
    return _listed(ways)


def _cuts(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[tuple[int, ...], torch.dtype, int]) -> Iterator[Observation]:
        shape, dtype, padding = case
        images = _pictures(draw, shape, dtype)
        cropped = answer.call("random_crop", images, padding)
        yield from _form("random_crop", cropped, images)
        way = _cut_how(cropped, images, padding)
        alone = len(images) == 1  # and may stay where it was, by chance
        yield f"padding {padding}: the pictures come back ...", _INSIDE if alone and way == _SAME else way

    yield from each(_CROPPED, observe)
    images = _pictures(draw, (20, 1, 4, 3), torch.float64)
    yield "random_crop changes the tensor it is given", answer.writes("random_crop", images, 1)


def _positions(cropped: Value, images: Tensor, padding: int) -> list[tuple[int, int]]:
    """(row, column) of the padded picture at which each window begins; (-1, -1) where that can't be seen.

    What stands around the pictures doesn't matter here.
    """
    if not _fits(cropped, images):
        return [(-1, -1)]
    found = _matches(cropped, F.pad(images.double(), [padding] * 4, value=math.nan))
    first = found.int().argmax(1).tolist()
    side = 2 * padding + 1
    return [
        divmod(at, side) if true else (-1, -1) for at, true in zip(first, found.any(1).tolist(), strict=True)
    ]


def _places(answer: Answer, draw: Draw) -> Iterator[Observation]:
    padding, batch = 2, 50
    images = _pictures(draw, (batch, 1, 4, 5), torch.float64)

    def positions(pictures: Tensor) -> list[tuple[int, int]]:
        return _positions(answer.call("random_crop", pictures, padding), pictures, padding)

    cropped = [answer.call("random_crop", images, padding) for _ in range(20)]
    together = torch.cat(cropped) if all(_fits(crop, images) for crop in cropped) else None
    seen = _positions(together, images.repeat(20, 1, 1, 1), padding)
    batches = [seen[:batch], seen[batch : 2 * batch]]
    yield "windows that no position explains", (-1, -1) in seen
    yield "all pictures of a batch are cut at the same position", len(set(batches[0])) == 1
    yield "two calls cut the batch at the same positions", batches[0] == batches[1]
    alone = [place for image in images[:20] for place in positions(image[None])]
    yield "a picture alone in its batch is always cut at the same position", len(set(alone)) == 1
    offsets = range(2 * padding + 1)
    for axis, what in enumerate(("rows", "columns")):
        missing = set(offsets) - {place[axis] for place in seen}
        yield (
            f"padding {padding}: {what} of the padded picture, 0 to {2 * padding}, at which no window begins",
            ", ".join(map(str, sorted(missing))) or "none",
        )
    never = [(row, column) for row in offsets for column in offsets if (row, column) not in seen]
    yield (
        "pairs (row, column) at which no window begins",
        f"some, such as {never[0]}" if never else "none",
    )
    # Rows and columns are draws of their own: together they say twice as much.
    uniform = chance.follows([n for place in seen for n in place], chance.uniform_integers(0, 2 * padding))
    often = [n in (0, 2 * padding) for place in seen for n in place]
    yield (
        "share of windows at the first or last row or column",
        chance.share_in_words(sum(often), len(often), 0.4),
    )
    yield "all rows and columns come equally often", uniform
    yield from _repeatable(answer, "random_crop", images, padding)


# -- rotate: values, and the angle in words -----------------------------------------------------------------

_MODES = {"bilinear": InterpolationMode.BILINEAR, "nearest": InterpolationMode.NEAREST}


def _coordinates(number: int, height: int, width: int) -> Tensor:
    """Pictures (N, 3, H, W) whose channels say where a pixel comes from: x, y, and 1 inside."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)]).expand(number, -1, -1, -1).clone()


def _angles(turned: Value, images: Tensor) -> str:
    """The angles, counter-clockwise, in whole degrees, read off turned coordinates."""
    if not _fits(turned, images):
        return "another shape"
    height, width = images.shape[-2:]
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    middle = (x - (width - 1) / 2).square() + (y - (height - 1) / 2).square() < 9
    here = torch.stack([x[middle], y[middle], torch.ones_like(x[middle])], 1)
    angles = []
    for picture in turned.detach().float():
        if not picture.isfinite().all():
            return "numbers that are NaN or infinite"
        there = torch.stack([picture[0][middle] * width, picture[1][middle] * height], 1)
        a = torch.linalg.lstsq(here, there).solution[:2].T  # there = a @ here + constant
        angle = round(math.degrees(math.atan2(a[1, 0] - a[0, 1], a[0, 0] + a[1, 1])))
        angles.append(str(angle) if torch.det(a) > 0 else "mirrored")
    return ", ".join(angles)


def _turned(answer: Answer, images: Tensor, degrees: Tensor, *mode: str) -> Value:
    """The answer's pictures, compared as float32: a right answer may compute its grid so.

    At the rim torchvision itself gives two things: with ``fill=0`` it fades a pixel twice. Either is right.
    """
    turned = answer.call("rotate", images, degrees, *mode)
    if not _fits(turned, images):
        return turned
    turned = turned.float()
    right, other = (_rotate(images, degrees, *mode).float(), _rotate_filled(images, degrees, *mode).float())
    return torch.where((turned - other).abs() < 1e-5, right, turned)


def _clear_angles(draw: Draw, number: int, height: int, width: int) -> Tensor:
    """Angles for which no pixel comes from halfway between two others, where "nearest" would be a matter of taste."""
    y, x = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    moved = (x.square() + y.square()) > 0.1
    found: list[float] = []
    while len(found) < number:
        angle = float(20 + 140 * draw.uniform()) * (-1) ** len(found)
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        there = torch.stack([c * x - s * y + (width - 1) / 2, s * x + c * y + (height - 1) / 2])[:, moved]
        if ((there - there.floor() - 0.5).abs() > 0.003).all():
            found.append(angle)
    return torch.tensor(found)


def _turns(answer: Answer, draw: Draw) -> Iterator[Observation]:
    images = _pictures(draw, (2, 3, 9, 9), torch.float32)
    yield "pictures turned by 0 degrees", _turned(answer, images, torch.zeros(2))
    degrees = torch.tensor([30.0, -75.0, 140.0]) + draw.integer(-9, 9)
    compass = _coordinates(3, 12, 12)
    yield (
        f"degrees = {[int(angle) for angle in degrees]}: the angles, counter-clockwise",
        _angles(answer.call("rotate", compass, degrees), compass),
    )
    yield "one picture turned on its own", _turned(answer, images[:1], degrees[:1])
    images = _pictures(draw, (4, 2, 10, 10), torch.float32)
    degrees = torch.cat([degrees, torch.tensor([90.0])])
    yield "square pictures, each turned by an angle of its own", _turned(answer, images, degrees)
    yield "rotate changes a tensor it is given", answer.writes("rotate", images, degrees)


def _wide_turns(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(shape: tuple[int, ...]) -> Iterator[Observation]:
        images = _pictures(draw, shape, torch.float32)
        degrees = 20 + 50 * draw.uniform(shape[0], dtype=torch.float32)
        degrees[1:] *= -1
        yield f"pictures of shape {shape}, turned", _turned(answer, images, degrees)

    yield from each(((2, 2, 6, 11), (3, 1, 9, 5), (1, 3, 7, 8), (2, 1, 6, 1)), observe)


def _modes(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def nearest(shape: tuple[int, ...]) -> Iterator[Observation]:
        images = _pictures(draw, shape, torch.float32)
        degrees = _clear_angles(draw, shape[0], *shape[-2:])
        yield f"pictures {shape} turned with mode='nearest'", _turned(answer, images, degrees, "nearest")

    yield from each(((3, 2, 8, 8), (2, 1, 9, 5)), nearest)
    images, degrees = _pictures(draw, (2, 1, 7, 7), torch.float32), torch.tensor([25.0, -50.0])
    yield "pictures turned with mode='bilinear'", _turned(answer, images, degrees, "bilinear")
    fine, degrees = images.double(), degrees.double()
    yield from _form("rotate", answer.call("rotate", fine, degrees), fine)
    yield "pictures of float64 turned", _turned(answer, fine, degrees)


# -- the reference ------------------------------------------------------------------------------------------


def _random_flip(images: Tensor, p: float = 0.5) -> Tensor:
    return torch.stack([tv.horizontal_flip(image) if torch.rand(()) < p else image for image in images])


def _crop(image: Tensor, padding: int, top: int, left: int) -> Tensor:
    return tv.crop(tv.pad(image, [padding]), top, left, *image.shape[-2:])


def _random_crop(images: Tensor, padding: int) -> Tensor:
    places = torch.randint(0, 2 * padding + 1, (len(images), 2)).tolist()
    return torch.stack([_crop(image, padding, *place) for image, place in zip(images, places, strict=True)])


def _rotate(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    angles = degrees.tolist()
    return torch.stack([tv.rotate(i, a, _MODES[mode]) for i, a in zip(images, angles, strict=True)])


def _rotate_filled(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    """The same with ``fill=0`` said aloud, which changes the rim."""
    angles = degrees.tolist()
    return torch.stack([tv.rotate(i, a, _MODES[mode], fill=0) for i, a in zip(images, angles, strict=True)])


def _reference() -> Namespace:
    return {"random_flip": _random_flip, "random_crop": _random_crop, "rotate": _rotate}


# -- typical mistakes ---------------------------------------------------------------------------------------


def _with(**changed: Callable[..., Any]) -> Namespace:
    return {**_reference(), **changed}


def _flipping(
    flip: Callable[[Tensor], Tensor] = tv.horizontal_flip,
    chosen: Callable[[int, float], Tensor] = lambda n, p: torch.rand(n) < p,
) -> Namespace:
    """`_random_flip` with another way to flip, or to choose the pictures that are flipped."""

    def random_flip(images: Tensor, p: float = 0.5) -> Tensor:
        return torch.where(chosen(len(images), p)[:, None, None, None], flip(images), images)

    return _with(random_flip=random_flip)


def _exactly(n: int, p: float) -> Tensor:
    """A random choice of p * n pictures."""
    return torch.randperm(n) < int(n * p)


def _flip_channels(images: Tensor, p: float = 0.5) -> Tensor:
    return _random_flip(images.flatten(0, 1)[:, None], p).view_as(images)


def _flip_by_arithmetic(images: Tensor, p: float = 0.5) -> Tensor:
    return _random_flip(images, p) * torch.ones((), dtype=torch.float32).expand(1)


def _cropping(
    pad: Callable[[Tensor, int], Tensor] = lambda image, padding: tv.pad(image, [padding]),
    places: Callable[[int, int], Tensor] = lambda n, padding: torch.randint(0, 2 * padding + 1, (n, 2)),
) -> Namespace:
    """`_random_crop` with another padding, or other positions."""

    def random_crop(images: Tensor, padding: int) -> Tensor:
        height, width = images.shape[-2:]
        padded = pad(images, padding)
        at = places(len(images), padding).tolist()
        windows = [padded[i, :, y : y + height, x : x + width] for i, (y, x) in enumerate(at)]
        return torch.stack(windows)

    return _with(random_crop=random_crop)


def _pad_as(mode: str) -> Callable[[Tensor, int], Tensor]:
    return lambda images, padding: F.pad(images.double(), [padding] * 4, mode).to(images.dtype)


def _crop_swapped(images: Tensor, padding: int) -> Tensor:
    """The window is as high as it should be wide."""
    height, width = images.shape[-2:]
    padded = tv.pad(images, [padding])
    places = torch.randint(0, 2 * padding + 1, (len(images), 2)).tolist()
    return torch.stack([tv.crop(p, y, x, width, height) for p, (y, x) in zip(padded, places, strict=True)])


def _crop_channels(images: Tensor, padding: int) -> Tensor:
    return _random_crop(images.flatten(0, 1)[:, None], padding).view_as(images)


def _crop_smaller(images: Tensor, padding: int) -> Tensor:
    """No padding, but a window that is smaller by it."""
    height, width = (max(side - padding, 1) for side in images.shape[-2:])
    places = torch.rand(len(images), 2).tolist()
    return torch.stack(
        [
            tv.crop(i, int(y * padding), int(x * padding), height, width)
            for i, (y, x) in zip(images, places, strict=True)
        ]
    )


def _rounded_places(n: int, padding: int) -> Tensor:
    return (torch.rand(n, 2) * 2 * padding).round().long()


def _turning(
    angle: Callable[[Tensor], Tensor] = torch.deg2rad,
    aspect: Callable[[int, int], tuple[float, float]] = lambda height, width: (
        height / width,
        width / height,
    ),
    corners: tuple[bool, bool] = (False, False),
    outside: str = "zeros",
    way: int = 1,
    shift: Callable[[Tensor, int, int], Tensor] = lambda radians, height, width: torch.zeros(len(radians), 2),
) -> Namespace:
    """`rotate` written out with one thing changed; as it stands it is the reference."""

    def rotate(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
        radians = way * angle(degrees)
        height, width = images.shape[-2:]
        a, b = aspect(height, width)
        cos, sin = radians.cos(), radians.sin()
        linear = torch.stack([torch.stack([cos, -a * sin], 1), torch.stack([b * sin, cos], 1)], 1)
        theta = torch.cat([linear, shift(radians, height, width)[:, :, None].to(linear)], 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pictures one pixel wide and align_corners=True
            grid = F.affine_grid(theta, list(images.shape), align_corners=corners[0])
        return F.grid_sample(images, grid, mode, outside, align_corners=corners[1])

    return _with(rotate=rotate)


def _about_corner(radians: Tensor, height: int, width: int) -> Tensor:
    """The shift that keeps the corner (-1, -1) where it is."""
    cos, sin = radians.cos(), radians.sin()
    return torch.stack([cos - sin * height / width - 1, sin * width / height + cos - 1], 1)


def _half_a_pixel_off(radians: Tensor, height: int, width: int) -> Tensor:
    """The shift of a rotation about the pixel (height / 2, width / 2)."""
    cos, sin = radians.cos(), radians.sin()
    return torch.stack([(1 - cos + sin) / width, (1 - sin - cos) / height], 1)


def _rotate_by_quarters(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    return _rotate(images, 90 * (degrees / 90).round(), mode)


def _rotate_expanded(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    return tv.rotate(images, float(degrees[0]), _MODES[mode], expand=True)


def _rotate_in(dtype: torch.dtype) -> Callable[..., Tensor]:
    def rotate(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
        return _rotate(images.to(dtype), degrees, mode)

    return rotate


def _grid_of_float32(images: Tensor, degrees: Tensor, mode: str = "bilinear") -> Tensor:
    grid = F.affine_grid(torch.eye(2, 3).expand(len(images), -1, -1), list(images.shape), align_corners=False)
    F.grid_sample(images, grid, align_corners=False)  # stops where the types differ
    return _rotate(images, degrees, mode)


def _in_place(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def writes(images: Tensor, *arguments: Any) -> Tensor:
        return images.copy_(function(images, *arguments))

    return writes


def _with_fixed_seed(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same draws in every call; torch's own generator stays as it was."""

    def same(*arguments: Any) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            return function(*arguments)

    return same


def _with_own_generator(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Draws that no seed settles."""
    own = torch.Generator()
    own.seed()

    def unsettled(*arguments: Any) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.set_state(own.get_state())
            result = function(*arguments)
            own.set_state(torch.default_generator.get_state())
        return result

    return unsettled


_MISTAKES = (
    Mistake(
        "flipped upside down",
        "The pictures are flipped along the wrong dimension, from top to bottom. In (N, C, H, W), which one runs from "
        "left to right?",
        _flipping(tv.vertical_flip),
    ),
    Mistake(
        "turned by 180 degrees instead of mirrored",
        "Both dimensions of the picture are flipped, which turns it by 180 degrees. A mirror swaps left and right.",
        _flipping(lambda images: images.flip(-1, -2)),
    ),
    Mistake(
        "channels flipped",
        "The channels change places, not left and right: dimension 1 of (N, C, H, W) is the channels.",
        _flipping(lambda images: images.flip(1)),
    ),
    Mistake(
        "batch flipped",
        "The order of the pictures in the batch is turned round: dimension 0 of (N, C, H, W) is the batch.",
        _flipping(lambda images: images.flip(0)),
    ),
    Mistake(
        "one coin for the batch when flipping",
        "One draw decides for the whole batch: all pictures are mirrored, or none. Each needs a draw of its own.",
        _flipping(chosen=lambda n, p: (torch.rand(1) < p).expand(n)),
    ),
    Mistake(
        "one coin for each channel",
        "Each channel has a draw of its own, so that the colours of a picture come apart. Draw once a picture.",
        _with(random_flip=_flip_channels),
    ),
    Mistake(
        "p turned round",
        "Pictures are mirrored with probability 1 - p. How often is a uniform random number below p?",
        _flipping(chosen=lambda n, p: torch.rand(n) >= p),
    ),
    Mistake(
        "p ignored",
        "p has no effect, or not the right one: compare a number that is uniform in [0, 1) with p itself.",
        _flipping(chosen=lambda n, p: torch.rand(n) < 0.5),
    ),
    Mistake(
        "a fixed number of pictures mirrored",
        "In every batch the same number of pictures is mirrored. Each picture's draw should not depend on the others', "
        "and a batch of one should be mirrored now and then.",
        _flipping(chosen=_exactly),
    ),
    Mistake(
        "random_flip changes the type",
        "The pictures come back in another type: multiplying by a float mask, or joining with floats, turns whole "
        "numbers into floats. Choose pictures instead of computing with them.",
        _with(random_flip=_flip_by_arithmetic),
    ),
    Mistake(
        "random_flip writes into its input",
        "random_flip writes into the tensor it is given, so that the caller's pictures change, and once more in the "
        "next epoch. Make a new tensor.",
        _with(random_flip=_in_place(_random_flip)),
    ),
    Mistake(
        "the last row and column can't be reached",
        "The window never begins at the last row and column. The upper end of torch.randint is not included; how many "
        "positions are there?",
        _cropping(places=lambda n, padding: torch.randint(0, max(2 * padding, 1), (n, 2))),
    ),
    Mistake(
        "the last column can't be reached",
        "The window never begins at the last column. Rows are right: compare the two lines.",
        _cropping(
            places=lambda n, padding: torch.stack(
                [torch.randint(0, 2 * padding + 1, (n,)), torch.randint(0, max(2 * padding, 1), (n,))], 1
            )
        ),
    ),
    Mistake(
        "the last row can't be reached",
        "The window never begins at the last row. Columns are right: compare the two lines.",
        _cropping(
            places=lambda n, padding: torch.stack(
                [torch.randint(0, max(2 * padding, 1), (n,)), torch.randint(0, 2 * padding + 1, (n,))], 1
            )
        ),
    ),
    Mistake(
        "one position for the batch",
        "One position is drawn for the whole batch. Each picture needs one of its own.",
        _cropping(places=lambda n, padding: torch.randint(0, 2 * padding + 1, (1, 2)).expand(n, 2)),
    ),
    Mistake(
        "windows on the diagonal only",
        "Row and column of a window are always the same number: one draw is used twice. Draw one for each.",
        _cropping(places=lambda n, padding: torch.randint(0, 2 * padding + 1, (n, 1)).expand(n, 2)),
    ),
    Mistake(
        "always the middle window",
        "The window is always the middle one, so that every picture comes back as it was. Draw its position.",
        _cropping(places=lambda n, padding: torch.full((n, 2), padding)),
    ),
    Mistake(
        "positions at the ends too rare",
        "Windows at the ends come half as often as the others: a rounded uniform number has only half an interval to "
        "round from there. Draw whole numbers.",
        _cropping(places=_rounded_places),
    ),
    Mistake(
        "one position for each channel",
        "Each channel is cut at a position of its own, so that the colours of a picture come apart.",
        _with(random_crop=_crop_channels),
    ),
    Mistake(
        "padded on one side only",
        "All of the padding stands at the right and at the bottom. It belongs on every side.",
        _cropping(pad=lambda images, padding: F.pad(images, [0, 2 * padding, 0, 2 * padding])),
    ),
    Mistake(
        "padded with the border",
        "What stands around the picture repeats its border. The exercise asks for 0 there.",
        _cropping(pad=_pad_as("replicate")),
    ),
    Mistake(
        "padded with a mirror image",
        "What stands around the picture is its mirror image. The exercise asks for 0 there.",
        _cropping(
            pad=lambda images, padding: _pad_as("reflect")(images, min(padding, min(images.shape[-2:]) - 1))
        ),
    ),
    Mistake(
        "rolled instead of cropped",
        "What leaves the picture at one side comes in again at the other, as torch.roll does. The exercise asks for 0 "
        "there.",
        _cropping(
            pad=lambda images, padding: _pad_as("circular")(images, min(padding, min(images.shape[-2:])))
        ),
    ),
    Mistake(
        "padded with other numbers than 0",
        "What stands around the picture is some number other than 0.",
        _cropping(pad=lambda images, padding: tv.pad(images, [padding], fill=1)),
    ),
    Mistake(
        "height and width swapped",
        "The window is as high as it should be wide. Images are (N, C, H, W): which number goes with which slice?",
        _with(random_crop=_crop_swapped),
    ),
    Mistake(
        "the picture becomes smaller",
        "The result is smaller than the picture. Pad first, then cut a window of the old size.",
        _with(random_crop=_crop_smaller),
    ),
    Mistake(
        "random_crop changes the type",
        "The pictures come back in another type: a canvas made by torch.zeros is float32 unless it is told the "
        "pictures' dtype.",
        _with(random_crop=lambda images, padding: _random_crop(images, padding).float()),
    ),
    Mistake(
        "random_crop writes into its input",
        "random_crop writes into the tensor it is given, so that the caller's pictures change. Make a new tensor.",
        _with(random_crop=_in_place(_random_crop)),
    ),
    Mistake(
        "the same draws in every call",
        "Every call draws the same numbers: a seed is set inside the function, or the draws are made only once. Seeds "
        "belong at the beginning of the notebook.",
        _with(random_flip=_with_fixed_seed(_random_flip), random_crop=_with_fixed_seed(_random_crop)),
    ),
    Mistake(
        "a generator of its own",
        "The draws come from a random generator of their own, which seed_everything doesn't reach; each DataLoader "
        "worker would get a copy of it. Use the global functions, such as torch.rand.",
        _with(random_flip=_with_own_generator(_random_flip), random_crop=_with_own_generator(_random_crop)),
    ),
    Mistake(
        "turned the wrong way",
        "The pictures turn clockwise. theta says for each pixel of the result where it comes from, and y points down: "
        "change the sign of the sines.",
        _turning(way=-1),
    ),
    Mistake(
        "degrees taken for radians",
        "Degrees are given to sine and cosine as if they were radians: convert them first.",
        _turning(angle=lambda degrees: degrees),
    ),
    Mistake(
        "converted the wrong way",
        "Degrees are converted as if they were radians that have to become degrees. 180 degrees are pi radians.",
        _turning(angle=torch.rad2deg),
    ),
    Mistake(
        "only the first angle used",
        "The first picture's angle is used for all. theta has the shape (N, 2, 3): one matrix for each picture.",
        _turning(angle=lambda degrees: torch.deg2rad(degrees[:1]).expand(len(degrees))),
    ),
    Mistake(
        "aspect ratio lost",
        "Pictures that aren't square are sheared. In affine_grid both sides run from -1 to 1, whatever their length: "
        "the sines must be corrected by the ratio of height and width.",
        _turning(aspect=lambda height, width: (1.0, 1.0)),
    ),
    Mistake(
        "aspect ratio turned upside down",
        "The sines are corrected by height and width, but with the ratio upside down: which of the two stands above "
        "the fraction bar in x, which in y?",
        _turning(aspect=lambda height, width: (width / height, height / width)),
    ),
    Mistake(
        "align_corners=True",
        "With align_corners=True, -1 and 1 are the centres of the outermost pixels and not the picture's edges: sides "
        "are then H - 1 and W - 1 long, and turned pictures are sheared. It should be False in both functions.",
        _turning(corners=(True, True)),
    ),
    Mistake(
        "align_corners=True in affine_grid only",
        "affine_grid has align_corners=True and grid_sample has not, so that pictures are scaled. It should be False "
        "in both.",
        _turning(corners=(True, False)),
    ),
    Mistake(
        "align_corners=True in grid_sample only",
        "grid_sample has align_corners=True and affine_grid has not, so that pictures are scaled. It should be False "
        "in both.",
        _turning(corners=(False, True)),
    ),
    Mistake(
        "the border repeated outside",
        "Where nothing of the picture is, its border is repeated. The exercise asks for 0: see padding_mode of "
        "grid_sample.",
        _turning(outside="border"),
    ),
    Mistake(
        "a mirror image outside",
        "Where nothing of the picture is, its mirror image stands. The exercise asks for 0: see padding_mode of "
        "grid_sample.",
        _turning(outside="reflection"),
    ),
    Mistake(
        "mode ignored, always bilinear",
        "mode='nearest' has no effect: pixels are still mixed. Pass mode on to grid_sample.",
        _with(rotate=lambda images, degrees, mode="bilinear": _rotate(images, degrees)),
    ),
    Mistake(
        "nearest where bilinear is asked for",
        "Pixels are taken from the nearest one, though mode is 'bilinear'. Pass mode on to grid_sample.",
        _with(rotate=lambda images, degrees, mode="bilinear": _rotate(images, degrees, "nearest")),
    ),
    Mistake(
        "turned about a corner",
        "The pictures turn about a corner and leave the frame. In affine_grid (0, 0) is the centre: what does the last "
        "column of theta do?",
        _turning(shift=_about_corner),
    ),
    Mistake(
        "centre off by half a pixel",
        "The centre of rotation is half a pixel off. Pixels 0 to W - 1 have their middle at (W - 1) / 2, not at W / 2.",
        _turning(shift=_half_a_pixel_off),
    ),
    Mistake(
        "turned in steps of 90 degrees",
        "The pictures turn in steps of 90 degrees. Any angle should do.",
        _with(rotate=_rotate_by_quarters),
    ),
    Mistake(
        "the canvas grows",
        "The result is larger than the picture. Its shape should stay: what turns out of the frame is lost.",
        _with(rotate=_rotate_expanded),
    ),
    Mistake(
        "rotate gives float32",
        "Pictures of float64 come back as float32. Let the result have the pictures' own type.",
        _with(rotate=_rotate_in(torch.float32)),
    ),
    Mistake(
        "theta is always float32",
        "For pictures of float64 grid_sample stops, since the grid is float32. Give theta the pictures' dtype.",
        _with(rotate=_grid_of_float32),
    ),
    Mistake(
        "rotate writes into its input",
        "rotate writes into a tensor it is given, the caller's pictures or degrees. Make a new one.",
        _with(rotate=_in_place(_rotate)),
    ),
)

# -- pictures -----------------------------------------------------------------------------------------------


def _cat() -> Tensor:
    """(1, 1, 28, 28) float."""
    return torch.from_numpy(doodles.draw("cat", seed=3))[None, None].float() / 255


def _first(result: Value) -> Value:
    """The first picture of a batch."""
    return result[0] if isinstance(result, Tensor) and result.ndim == 4 and len(result) else result


def _most_like(yours: Tensor | None, candidates: Sequence[Tensor]) -> Tensor:
    """The one that explains the picture best, which tells what was drawn."""
    if yours is None or yours.shape != candidates[0].shape:
        return candidates[0]
    return min(candidates, key=lambda candidate: float((candidate - yours).abs().sum()))


def _cropped_cats() -> list[Tensor]:
    windows = _windows(F.pad(_cat(), [6] * 4), 28, 28)[0]
    return list(windows)


_DEMONSTRATIONS = (
    Demonstration(
        "a cat, mirrored or not, by random_flip",
        lambda answer: _first(answer.call("random_flip", _cat())),
        lambda yours: _most_like(yours, [_cat()[0].flip(-1), _cat()[0]]),
    ),
    Demonstration(
        "a cat moved by up to 6 pixels by random_crop",
        lambda answer: _first(answer.call("random_crop", _cat(), 6)),
        lambda yours: _most_like(yours, _cropped_cats()),
    ),
    Demonstration(
        "a cat turned by 30 degrees, counter-clockwise",
        lambda answer: _first(answer.call("rotate", _cat(), torch.tensor([30.0]))),
        lambda yours: _rotate(_cat(), torch.tensor([30.0]))[0],
    ),
)

EXERCISE = Exercise(
    id="2.2",
    title="flip, crop, rotate",
    defines=("random_flip", "random_crop", "rotate"),
    parts=(
        Part("random_flip mirrors", 2, _mirrors, "Which dimension of (N, C, H, W) runs from left to right?"),
        Part("random_flip with probability p", 2, _flips, "How many random numbers does a batch of N need?"),
        Part(
            "random_crop cuts windows",
            3,
            _cuts,
            "What does the padded picture look like, and how large is it?",
        ),
        Part(
            "random_crop at every position",
            3,
            _places,
            "A picture of 1 pixel, padded by 1, is 3 wide. At which columns can a window of 1 pixel begin?",
        ),
        Part(
            "rotate square pictures",
            3,
            _turns,
            "theta tells for each pixel of the result, in coordinates from -1 to 1, where it comes from.",
        ),
        Part(
            "rotate pictures of any shape",
            3,
            _wide_turns,
            "How many pixels is a step of 0.1 in x, and how many in y, when the picture is twice as wide as high?",
        ),
        Part("rotate: mode and type", 2, _modes, "Where do mode and the pictures' dtype have to arrive?"),
    ),
    reference=_reference,
    mistakes=_MISTAKES,
    demonstrations=_DEMONSTRATIONS,
)
