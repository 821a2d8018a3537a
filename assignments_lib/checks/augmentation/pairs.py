"""Exercise 2.4: `augment_pair`, against torchvision's flip, pad, crop and rotate of an image and its `tv_tensors.Mask`.

Coded pairs tell what happened to them. The channels of an image hold the place (x, y) of each pixel, a 1, and which
picture of the batch it is; the labels of its mask are the numbers of its pixels, row by row. So flip, angle and shift
can be read off, whatever the order of the three steps, and however they are done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as tv

from assignments_lib.checks import chance
from assignments_lib.checks.answer import Answer, Value
from assignments_lib.checks.compare import in_words
from assignments_lib.checks.demonstration import Demonstration
from assignments_lib.checks.exercise import Draw, Exercise, Mistake, Namespace, Observation, Part, each

# -- coded pairs --------------------------------------------------------------------------------------------

_IGNORE = 255
_MIRROR = torch.tensor([[-1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)


def _places(height: int, width: int) -> Tensor:
    """(2, H, W): x and y of every pixel, from the picture's centre."""
    y, x = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    return torch.stack([x - (width - 1) / 2, y - (height - 1) / 2])


def _coded(number: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Images (N, 4, H, W) float32 in [0, 1] and masks (N, H, W); their labels begin at another pixel in each."""
    place = _places(height, width) / max(height, width) + 0.5
    which = ((torch.arange(number) + 1.0) / number)[:, None, None, None].expand(-1, 1, height, width)
    images = [place.expand(number, -1, -1, -1), torch.ones(number, 1, height, width), which]
    pixels = torch.arange(height * width).view(height, width) + 37 * torch.arange(number)[:, None, None]
    return torch.cat(images, 1).float(), pixels % (height * width)


def _seen(images: Tensor) -> Tensor:
    """(N, 2, H, W): where the pixels of coded images come from."""
    return (images[:, :2] - 0.5 * images[:, 2:3]).double() * max(images.shape[-2:])


def _labelled(masks: Tensor) -> Tensor:
    """(N, 2, H, W): where the labels of coded masks come from; NaN for a label that no pixel has."""
    number, height, width = masks.shape
    pixel = (masks - 37 * torch.arange(number)[:, None, None]) % (height * width)
    places = _places(height, width).flatten(1)[:, pixel].movedim(1, 0)
    return places.masked_fill(((masks < 0) | (masks >= height * width))[:, None], math.nan)


@dataclass(frozen=True)
class _Moves:
    """How the images of a batch were moved: what stands at ``q`` comes from ``linear @ q + shift``.

    ``linear`` (N, 2, 2) and ``shift`` (N, 2), in pixels from the centre. ``error`` (N,) is by how many pixels the
    image fits no such map; infinite where nothing can be read off.
    """

    linear: Tensor
    shift: Tensor
    error: Tensor

    @classmethod
    def of(cls, places: Tensor, reach: float = 2.0) -> _Moves:
        """Read off the middle of images, as far from the centre as ``reach``."""
        here = _places(*places.shape[-2:])
        middle = (here.abs() <= reach).all(0)
        known = torch.cat([here[:, middle], torch.ones(1, int(middle.sum()))]).T  # (P, 3)
        seen = places[:, :, middle].mT  # (N, P, 2)
        readable = seen.isfinite().flatten(1).all(1)
        seen = seen.nan_to_num(0.0, 0.0, 0.0)
        solution = torch.linalg.pinv(known) @ seen  # (N, 3, 2)
        error = (known @ solution - seen).abs().flatten(1).amax(1)
        return cls(solution[:, :2].mT, solution[:, 2], error.masked_fill(~readable, math.inf))

    @property
    def mirrored(self) -> Tensor:
        """(N,) bool."""
        return torch.linalg.det(self.linear) < 0

    @property
    def idle(self) -> bool:
        """Whether all are where they were."""
        return bool((self.linear - torch.eye(2)).abs().amax() < 0.01 and self.shift.abs().amax() < 0.01)

    @property
    def degrees(self) -> Tensor:
        """(N,): the angle, from -180 to 180, once the mirror image is turned back."""
        turned = torch.where(self.mirrored[:, None, None], self.linear @ _MIRROR, self.linear)
        sine, cosine = turned[:, 1, 0] - turned[:, 0, 1], turned[:, 0, 0] + turned[:, 1, 1]
        return torch.rad2deg(torch.atan2(sine, cosine))

    @property
    def steps(self) -> Tensor:
        """(N, 2): by how many pixels the window was moved, before the rotation or after; NaN for no whole number."""
        turned_back = torch.linalg.pinv(self.linear) @ self.shift[..., None]
        before, after = _whole(self.shift), _whole(turned_back[..., 0])
        return torch.where(before.isnan(), after, before)


def _whole(shift: Tensor) -> Tensor:
    whole = ((shift - shift.round()).abs() < 0.02).all(1, keepdim=True)
    return shift.round().masked_fill(~whole, math.nan)


# -- what an answer gives back ------------------------------------------------------------------------------


def _pair(answer: Answer, images: Tensor, masks: Tensor, *arguments: float) -> tuple[Value, Value]:
    result = answer.call("augment_pair", images, masks, *arguments)
    return (
        (result[0], result[1]) if isinstance(result, (tuple, list)) and len(result) == 2 else (result, None)
    )


def _images_of(seen: Value, images: Tensor) -> Tensor | None:
    """The images, if they have the right shape."""
    return seen.detach().float() if isinstance(seen, Tensor) and seen.shape == images.shape else None


def _masks_of(seen: Value, masks: Tensor) -> Tensor | None:
    """The masks, if they have the right shape but for a channel more; what type they have is another question."""
    if isinstance(seen, Tensor) and seen.numel() == masks.numel() and seen.shape[-2:] == masks.shape[-2:]:
        return seen.detach().double().nan_to_num(nan=-1.0).view(masks.shape)
    return None


def _form(what: str, seen: Value, given: Tensor) -> Iterator[Observation]:
    """Shape and type; of a wrong type it doesn't matter which of its kind it is."""
    yield (
        f"{what} of shape {tuple(given.shape)} come back with shape",
        (str(tuple(seen.shape)) if isinstance(seen, Tensor) else in_words(seen)),
    )
    kind = ""
    if isinstance(seen, Tensor):
        other = "other floats" if seen.is_floating_point() else "whole numbers of another type"
        kind = str(seen.dtype).removeprefix("torch.") if seen.dtype == given.dtype else other
    yield f"{what} come back as", kind


# -- part: together -----------------------------------------------------------------------------------------


def _together(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def observe(case: tuple[int, int, int, int]) -> Iterator[Observation]:
        number, height, width, padding = case
        images, masks = _coded(number, height, width)
        seen, labels = _pair(answer, images, masks, 40.0, padding)
        new_images, new_masks = _images_of(seen, images), _masks_of(labels, masks)
        what = f"pictures of shape {(height, width)}: compared with their images, the masks are"
        if new_images is None or new_masks is None:
            yield what, "of another shape"
        else:
            yield what, _compared(new_images, new_masks.round().long())

    yield from each(((60, 15, 16, 2), (40, 17, 12, 1), (60, 14, 14, 2)), observe)
    images, masks = _coded(1, 15, 15)
    alone = []
    for _ in range(12):
        seen, labels = _pair(answer, images, masks, 40.0, 2)
        new_images, new_masks = _images_of(seen, images), _masks_of(labels, masks)
        alone.append(
            new_images is not None and new_masks is not None and _alike(new_images, new_masks.round().long())
        )
    yield "a pair alone in its batch: its mask shows what its image shows", all(alone)


def _alike(images: Tensor, masks: Tensor) -> bool:
    """Whether every mask shows what its image shows, wherever both show something at all.

    A label may be half a pixel away from the place that the image shows, and a little more for rounding.
    """
    seen, labelled = _seen(images), _labelled(masks)
    both = (images[:, 2] > 0.999) & labelled.isfinite().all(1)
    off = (seen - labelled).abs().amax(1)
    middle = (_places(*masks.shape[-2:]).abs() <= 2).all(0)
    return bool((off[both] < 0.52).all() and both[:, middle].all())


def _compared(images: Tensor, masks: Tensor) -> str:
    """What was done to the masks, compared with their images: the simplest story that fits all of them."""
    moves, places = _Moves.of(_seen(images)), _labelled(masks)
    if moves.idle:
        return "not to be judged, as no image is moved at all"
    if _alike(images, masks):
        return "moved alike"
    if not (moves.error < 1).all():
        return "not comparable, since the images can't be made out"
    linear, mirrored = moves.linear, moves.mirrored
    sure = moves.degrees.abs() > 15  # where it shows

    off = (_seen(images) - places).abs().amax(1)

    def fit(linear: Tensor, shift: Tensor | None = None) -> Tensor:
        return _fits(places, linear, shift)

    unmirrored = torch.where(mirrored[:, None, None], _MIRROR @ linear, linear)  # flipped first, or last
    unmirrored_last = torch.where(mirrored[:, None, None], linear @ _MIRROR, linear)
    upright = torch.where(mirrored[:, None, None], _MIRROR, torch.eye(2).double())
    never_mirrored = fit(unmirrored) | fit(unmirrored_last)
    stories = {
        "moved alike, but up to a pixel off": ((off < 1.1) | off.isnan() | (images[:, 2] < 0.999))
        .flatten(1)
        .all(1),
        "cut out of the padded picture at the middle": fit(linear, torch.zeros_like(moves.shift)),
        "mirrored and turned alike, but cut out at other places": fit(linear),
        "never mirrored": never_mirrored,
        "not turned": (fit(upright) | ~sure) & sure.any(),
        "turned the other way round": (fit(_MIRROR @ linear @ _MIRROR) | ~sure) & sure.any(),
        "neither mirrored nor turned": fit(torch.eye(2).double().expand_as(linear)) | ~sure,
        "mirrored on draws of their own": fit(linear) | fit(_MIRROR @ linear) | fit(linear @ _MIRROR),
        "turned by other angles": _Moves.of(places, 3.0).mirrored == mirrored,
    }
    ready = places[:, :, (_places(*masks.shape[-2:]).abs() <= 3).all(0)].isfinite().all()
    if not ready or not (_Moves.of(places, 3.0).error < 1.2).all():
        return "made of labels that no move explains"
    return next((story for story, fits in stories.items() if fits.all()), "moved on draws of their own")


def _fits(places: Tensor, linear: Tensor, shift: Tensor | None) -> Tensor:
    """(N,): whether the places may be ``linear @ q + shift`` (any shift, where none is given), rounded to pixels."""
    here = _places(*places.shape[-2:])
    middle = (here.abs() <= 3).all(0)
    rest = places[:, :, middle] - linear @ here[:, middle]  # (N, 2, P)
    if shift is None:
        return ((rest.amax(2) - rest.amin(2)) < 1.04).all(1)
    return ((rest - shift[..., None]).abs() < 0.52).flatten(1).all(1)


# -- part: the mask's labels --------------------------------------------------------------------------------


def _halves(number: int, height: int, width: int, first: int, second: int) -> Tensor:
    """Masks with one label above and another below, parted by a slope."""
    x, y = _places(height, width)
    return torch.where(y < 0.3 * x, first, second).expand(number, -1, -1).clone()


def _between(low: int, high: int) -> str:
    return str(low) if low == high else f"some from {low} to {high}"


def _labels(masks: Tensor | None, own: Sequence[int]) -> str:
    """Which labels there are, in words: those that were there before, and kinds of new ones."""
    if masks is None:
        return "masks of another shape"
    low, high = min(own), max(own)
    new = [label for label in masks.unique().tolist() if label not in own]
    kinds = {
        "fractions": any(label != round(label) for label in new),
        "0": 0 in new,
        _between(1, low - 1): any(0 < label < low for label in new),
        _between(low + 1, high - 1): any(low < label < high for label in new),
        _between(high + 1, _IGNORE - 1): any(high < label < _IGNORE for label in new),
        "255": _IGNORE in new,
        "negative ones, or over 255": any(label < 0 or label > _IGNORE for label in new),
    }
    kept = [str(label) for label in own if (masks == label).any()]
    return ", ".join([*kept, *(kind for kind, there in kinds.items() if there)])


def _mask_labels(answer: Answer, draw: Draw) -> Iterator[Observation]:
    number, height, width = 24, 13, 16
    images = draw.uniform(number, 3, height, width, dtype=torch.float32)
    first, second = draw.integer(2, 4), draw.integer(7, 12)
    masks = _halves(number, height, width, first, second)
    _, seen = _pair(answer, images, masks, 30.0, 2)
    yield from _form("masks", seen, masks)
    narrow = _pair(answer, images[:2, :, :, :1], masks[:2, :, :1], 30.0, 2)[1]
    yield "masks one pixel wide: their shape", str(tuple(narrow.shape)) if isinstance(narrow, Tensor) else ""

    middle = (_places(height, width).abs() <= 2).all(0)
    for label in (second, 0, _IGNORE):
        seen = _masks_of(_pair(answer, images, torch.full_like(masks, label), 30.0, 2)[1], masks)
        inner = None if seen is None else seen[:, middle]
        found = "masks of another shape" if inner is None else ", ".join(f"{n:g}" for n in inner.unique()[:3])
        yield f"masks that are {label} all over: the labels in their middle", found
    for max_degrees, padding, what in (
        (0.0, 0, "neither rotated nor cropped"),
        (40.0, 0, "rotated only (padding = 0)"),
        (0.0, 3, "cropped only (max_degrees = 0)"),
    ):
        # Four at a time, so that a few angles are large even where a batch shares one.
        batches = []
        for some, given in zip(images.split(4), masks.split(4), strict=True):
            batches.append(_masks_of(_pair(answer, some, given, max_degrees, padding)[1], given))
        together = [batch for batch in batches if batch is not None]
        found = _labels(torch.cat(together) if len(together) == len(batches) else None, [first, second])
        yield f"labels of masks with {first} and {second}, {what}", found


# -- part: the image ----------------------------------------------------------------------------------------


def _image_itself(answer: Answer, draw: Draw) -> Iterator[Observation]:
    images, masks = _coded(40, 17, 12)
    seen, _ = _pair(answer, images, masks, 40.0, 1)
    yield from _form("images", seen, images)
    moved = _images_of(seen, images)
    if moved is None:
        return
    moves = _Moves.of(_seen(moved))
    yield "images that can't be made out", _any(moves.error > 1)
    order = (moved[:, 3] - images[:, 3]).abs()[:, 7:10, 5:7] > 0.01
    yield "images that have changed places in the batch, or in which several are mixed", _any(order)
    yield "images in which pixels are blocks, not blends of their neighbours", _any(moves.error > 0.01)
    square = moves.linear.mT @ moves.linear - torch.eye(2).double()
    yield "images that are sheared or scaled", _any(square.abs() > 0.05)
    for max_degrees, padding, what in ((40.0, 0, "rotated"), (0.0, 3, "cropped")):
        moved = _images_of(_pair(answer, images, masks, max_degrees, padding)[0], images)
        if moved is None:
            return
        outside, inside = _outside_and_inside(moved)
        yield (
            f"numbers other than 0 where nothing of the {what} image is",
            _any(moved.abs().amax(1)[outside] > 1e-4),
        )
        yield f"parts of the {what} image that are missing", _any(moved[:, 2][inside] < 0.999)


def _any(wrong: Tensor) -> str:
    return "some" if wrong.any() else "none"


def _outside_and_inside(images: Tensor) -> tuple[Tensor, Tensor]:
    """(N, H, W) each: pixels where no image can be, and pixels where it must be in whatever order the steps come.

    A rotation after the crop loses what the crop cut off, and the other way round: those pixels are neither.
    """
    moves, here = _Moves.of(_seen(images)), _places(*images.shape[-2:])
    half = torch.tensor([(images.shape[-1] - 1) / 2, (images.shape[-2] - 1) / 2])[:, None, None]
    turned = torch.einsum("nij,jhw->nihw", moves.linear, here)
    source = turned + moves.shift[..., None, None]
    shifted = here + (torch.linalg.pinv(moves.linear) @ moves.shift[..., None])[..., None]
    outside = (source.abs() > half + 1.01).any(1)
    inside = torch.stack([(place.abs() < half - 1.01).all(1) for place in (source, turned, shifted)]).all(0)
    return outside, inside


# -- part: the draws ----------------------------------------------------------------------------------------


def _draws(answer: Answer, draw: Draw) -> Iterator[Observation]:
    def moves(number: int, size: tuple[int, int], *arguments: float) -> _Moves:
        """How an answer moved that many coded images, in batches of at most 60."""
        batches = []
        for start in range(0, number, 60):
            images, masks = _coded(min(60, number - start), *size)
            seen = _images_of(_pair(answer, images, masks, *arguments)[0], images)
            unreadable = torch.full((len(images), 2, *size), math.nan).double()
            batches.append(_Moves.of(unreadable if seen is None else _seen(seen), 1.0))
        return _Moves(*(torch.cat([getattr(b, n) for b in batches]) for n in ("linear", "shift", "error")))

    # What a few pairs show comes first, so that most mistakes are told apart soon.
    usual = moves(60, (15, 16))
    yield "all pairs of a batch come back as they were", usual.idle
    places = usual.steps.nan_to_num(99.0)
    shared = {
        "whether it is mirrored": len(usual.mirrored.unique()) == 1,
        "its angle": len(usual.degrees.abs().round(decimals=2).unique()) == 1,
        "its position": len(places.unique(dim=0)) == 1,
    }
    yield (
        "what all pairs of a batch share",
        ", ".join(what for what, one in shared.items() if one) or "nothing",
    )
    yield "how many pairs of a batch are mirrored", _how_many(usual.mirrored)
    turned = usual.degrees[~usual.mirrored] > 0.01
    yield "how many of the pairs that aren't mirrored turn counter-clockwise", _how_many(turned)
    yield "without being told: the largest shift in pixels", int(places.abs().max())
    largest = float(usual.degrees.abs().max())
    yield "without being told: the largest angle is between 20 and 30 degrees", 20 < largest < 30.1
    again = moves(60, (15, 16))
    yield "two calls draw the same", torch.allclose(usual.linear, again.linear, atol=1e-4)
    still = moves(60, (9, 8), 0.0, 0)
    yield "max_degrees = 0 and padding = 0: images that are turned", _any(still.degrees.abs() > 0.1)
    yield "max_degrees = 0 and padding = 0: images that are shifted", _any(still.shift.abs() > 0.02)
    yield from _repeatable(answer)
    images, masks = _coded(20, 9, 8)
    yield "augment_pair changes a tensor it is given", answer.writes("augment_pair", images, masks, 30.0, 2)

    places = moves(400, (9, 8), 0.0, 1).steps
    yield "padding = 1: shifts by a fraction of a pixel", _any(places.isnan())
    yield "padding = 1: shifts beyond it", _any(places.abs() > 1)
    there = {tuple(place) for place in places.nan_to_num(99.0).tolist()}
    yield "padding = 1: how many of the 9 positions come", len(there)
    # Rows and columns are draws of their own: together they say twice as much.
    middle = float((places == 0).double().mean()) - 1 / 3
    often = abs(middle) < chance.hoeffding(places.numel())
    yield "the positions in the middle come as often as those at the ends", often

    angles = moves(400, (9, 8), 25.0, 0)
    yield "max_degrees = 25: angles beyond it", _any(angles.degrees.abs() > 25.1)
    for what, chosen in (("mirrored pairs", angles.mirrored), ("the others", ~angles.mirrored)):
        found = angles.degrees[chosen].tolist()
        uniform = chance.follows(found, chance.uniform(-25, 25))
        yield f"max_degrees = 25: the angles of {what} are uniform from -25 to 25", uniform
    uniform = chance.follows(angles.degrees.tolist(), chance.uniform(-25, 25))
    yield "max_degrees = 25: all angles are uniform from -25 to 25", uniform
    mirrored = int(angles.mirrored.sum())
    yield "share that is mirrored", chance.share_in_words(mirrored, len(angles.mirrored), 0.5)


def _how_many(true: Tensor) -> str:
    return "all" if true.all() else "some" if true.any() else "none"


def _repeatable(answer: Answer) -> Iterator[Observation]:
    images, masks = _coded(20, 9, 8)
    results = []
    for seed in (7, 7, 8):
        answer.seed(seed)
        results.append(_images_of(_pair(answer, images, masks, 30.0, 2)[0], images))
    same = [r is not None and results[0] is not None and torch.equal(r, results[0]) for r in results]
    yield "the same draws come again after the same seed", same[1]
    yield "the same draws come after another seed", same[2]


# -- the reference ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Drawn:
    """What is drawn for one pair."""

    mirrored: bool
    top: int
    left: int
    degrees: float
    max_degrees: float
    padding: int

    @classmethod
    def anew(cls, max_degrees: float, padding: int) -> _Drawn:
        top, left = torch.randint(0, 2 * padding + 1, (2,)).tolist()
        degrees = float(2 * torch.rand(()) - 1) * max_degrees
        return cls(bool(torch.rand(()) < 0.5), top, left, degrees, max_degrees, padding)

    def again(self) -> _Drawn:
        """Another draw."""
        return _Drawn.anew(self.max_degrees, self.padding)


def _moved(
    picture: Tensor, drawn: _Drawn, mode: InterpolationMode, fill: float | None, padded: float | None = None
) -> Tensor:
    """Mirrored, cropped, rotated; ``padded`` is what the crop finds around the picture, where it isn't ``fill``."""
    size = picture.shape[-2:]
    if drawn.mirrored:
        picture = tv.horizontal_flip(picture)
    around = (fill or 0) if padded is None else padded
    picture = tv.crop(tv.pad(picture, [drawn.padding], fill=around), drawn.top, drawn.left, *size)
    return tv.rotate(picture, drawn.degrees, mode, fill=fill) if drawn.degrees else picture


def _move_image(image: Tensor, drawn: _Drawn) -> Tensor:
    return _moved(image, drawn, InterpolationMode.BILINEAR, None)


def _move_mask(mask: Tensor, drawn: _Drawn) -> Tensor:
    return _moved(tv_tensors.Mask(mask), drawn, InterpolationMode.NEAREST, _IGNORE).as_subclass(Tensor)


Move = Callable[[Tensor, _Drawn], Tensor]


def _draw_each(number: int, max_degrees: float, padding: int) -> list[_Drawn]:
    return [_Drawn.anew(max_degrees, padding) for _ in range(number)]


def _augmenting(
    image: Move = _move_image,
    mask: Move = _move_mask,
    draws: Callable[[int, float, int], list[_Drawn]] = _draw_each,
) -> Namespace:
    """The reference; a mistake changes how an image or a mask is moved, or what is drawn."""

    def augment_pair(
        images: Tensor, masks: Tensor, max_degrees: float = 30.0, padding: int = 4
    ) -> tuple[Tensor, Tensor]:
        drawn = draws(len(images), max_degrees, padding)
        new_images = torch.stack([image(picture, d) for picture, d in zip(images, drawn, strict=True)])
        return new_images, torch.stack([mask(labels, d) for labels, d in zip(masks, drawn, strict=True)])

    return {"augment_pair": augment_pair}


# -- typical mistakes ---------------------------------------------------------------------------------------


def _redrawn(change: Callable[[_Drawn], _Drawn]) -> Namespace:
    """Every pair's draws are changed, for image and mask alike."""
    return _augmenting(draws=lambda *arguments: [change(drawn) for drawn in _draw_each(*arguments)])


def _mask_by(change: Callable[[_Drawn], _Drawn]) -> Namespace:
    """The mask is moved by other draws than its image."""
    return _augmenting(mask=lambda mask, drawn: _move_mask(mask, change(drawn)))


def _mask_after(change: Callable[[Tensor], Tensor]) -> Namespace:
    """The mask is moved as it should be, then something is done to it."""
    return _augmenting(mask=lambda mask, drawn: change(_move_mask(mask, drawn)))


def _mask_filled(rotated: int, padded: int) -> Move:
    def move(mask: Tensor, drawn: _Drawn) -> Tensor:
        picture = tv_tensors.Mask(mask)
        return _moved(picture, drawn, InterpolationMode.NEAREST, rotated, padded).as_subclass(Tensor)

    return move


def _bilinear_mask(mask: Tensor, drawn: _Drawn) -> Tensor:
    """Labels are blended as colours are, and 255 is put where nothing of the mask is."""
    blended = _move_image(mask[None].double(), drawn).round().long()[0]
    inside = _move_image(torch.ones_like(mask)[None].double(), drawn)[0] > 0.5
    return blended.where(inside, torch.tensor(_IGNORE))


def _blended_mask(mask: Tensor, drawn: _Drawn) -> Tensor:
    """255 is blended too."""
    return _moved(mask[None].double(), drawn, InterpolationMode.BILINEAR, _IGNORE).round().long()[0]


def _zero_is_nothing(mask: Tensor, drawn: _Drawn) -> Tensor:
    moved = _mask_filled(0, 0)(mask, drawn)
    return moved.masked_fill(moved == 0, _IGNORE)


def _mask_corners_aligned(mask: Tensor, drawn: _Drawn) -> Tensor:
    """As the image, but with align_corners=True in one of the two places."""
    flat = _move_mask(mask, replace(drawn, degrees=0.0))
    height, width = mask.shape
    cos, sin = math.cos(math.radians(drawn.degrees)), math.sin(math.radians(drawn.degrees))
    theta = torch.tensor([[[cos, -sin * height / width, 0.0], [sin * width / height, cos, 0.0]]])
    grid = F.affine_grid(theta, [1, 1, height, width], align_corners=False)
    turned = F.grid_sample(flat[None, None].float() - _IGNORE, grid, "nearest", align_corners=True)
    return turned[0, 0].round().long() + _IGNORE


def _image_with_border(image: Tensor, drawn: _Drawn) -> Tensor:
    padded = tv.pad(image, [drawn.padding + 20], padding_mode="edge")
    height, width = image.shape[-2:]
    wide = replace(drawn, top=drawn.top + 20, left=drawn.left + 20, padding=0)
    if wide.mirrored:
        padded = tv.horizontal_flip(padded)
    around = tv.crop(padded, wide.top - 20, wide.left - 20, height + 40, width + 40)
    return tv.center_crop(tv.rotate(around, drawn.degrees, InterpolationMode.BILINEAR), [height, width])


def _sheared(image: Tensor, drawn: _Drawn, mode: str = "bilinear") -> Tensor:
    """The sines aren't corrected for the ratio of height and width."""
    flat = _move_image(image, replace(drawn, degrees=0.0))
    cos, sin = math.cos(math.radians(drawn.degrees)), math.sin(math.radians(drawn.degrees))
    grid = F.affine_grid(
        torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]]), list(image[None].shape), align_corners=False
    )
    return F.grid_sample(flat[None], grid, mode, align_corners=False)[0]


def _in_place() -> Namespace:
    right = _augmenting()["augment_pair"]

    def augment_pair(
        images: Tensor, masks: Tensor, max_degrees: float = 30.0, padding: int = 4
    ) -> tuple[Tensor, Tensor]:
        new_images, new_masks = right(images, masks, max_degrees, padding)
        return images.copy_(new_images), masks.copy_(new_masks)

    return {"augment_pair": augment_pair}


def _with_generator(seed: int | None) -> Callable[[int, float, int], list[_Drawn]]:
    """The same draws in every call for a seed; without one, draws that no seed settles."""
    own = torch.Generator()
    own.seed()

    def draws(number: int, max_degrees: float, padding: int) -> list[_Drawn]:
        with torch.random.fork_rng(devices=[]):
            if seed is None:
                torch.default_generator.set_state(own.get_state())
            else:
                torch.default_generator.manual_seed(seed)
            drawn = _draw_each(number, max_degrees, padding)
            own.set_state(torch.default_generator.get_state())
        return drawn

    return draws


_MISTAKES = (
    Mistake(
        "mask not mirrored",
        "The image is mirrored and its mask isn't, so that labels stand on the wrong side.",
        _mask_by(lambda drawn: replace(drawn, mirrored=False)),
    ),
    Mistake(
        "mask not rotated",
        "The image is rotated and its mask isn't.",
        _mask_by(lambda drawn: replace(drawn, degrees=0.0)),
    ),
    Mistake(
        "mask not cropped",
        "The image is cut out at a random position, its mask at the middle one or not at all.",
        _mask_by(lambda drawn: replace(drawn, top=drawn.padding, left=drawn.padding)),
    ),
    Mistake(
        "mask left as it was",
        "The masks come back unchanged, though their images are moved.",
        _augmenting(mask=lambda mask, drawn: mask.clone()),
    ),
    Mistake(
        "nothing is moved",
        "Images and masks come back as they were: return the new ones.",
        _redrawn(
            lambda drawn: replace(drawn, mirrored=False, top=drawn.padding, left=drawn.padding, degrees=0.0)
        ),
    ),
    Mistake(
        "mask drawn separately",
        "Image and mask are moved on draws of their own, since a random function is called once for each. Draw first, "
        "then move both by what was drawn; or move them together, in one tensor.",
        _mask_by(lambda drawn: drawn.again()),
    ),
    Mistake(
        "mask mirrored on a draw of its own",
        "Whether a mask is mirrored is drawn once more, and not as for its image. One draw must serve both.",
        _mask_by(lambda drawn: replace(drawn, mirrored=drawn.again().mirrored)),
    ),
    Mistake(
        "mask cropped at a position of its own",
        "The mask is cut out at a position of its own. One draw must serve image and mask.",
        _mask_by(lambda drawn: replace(drawn, top=drawn.again().top, left=drawn.again().left)),
    ),
    Mistake(
        "mask rotated by an angle of its own",
        "The mask is rotated by another angle than its image. One draw must serve both.",
        _mask_by(lambda drawn: replace(drawn, degrees=drawn.again().degrees)),
    ),
    Mistake(
        "mask rotated the other way",
        "The mask turns the other way than its image: the sign of its angle differs.",
        _mask_by(lambda drawn: replace(drawn, degrees=-drawn.degrees)),
    ),
    Mistake(
        "mask on another grid",
        "The mask is off by up to half a pixel: align_corners isn't the same for image and mask. It should be False "
        "everywhere.",
        _augmenting(mask=_mask_corners_aligned),
    ),
    Mistake(
        "bilinear on masks",
        "Labels are blended as colours are: between class 0 and class 2 class 1 appears. Labels are names, so take the "
        "nearest.",
        _augmenting(mask=_bilinear_mask),
    ),
    Mistake(
        "255 blended into labels",
        "Labels and the 255 around them are blended, so that new labels appear at the rim. Labels are names: take the "
        "nearest.",
        _augmenting(mask=_blended_mask),
    ),
    Mistake(
        "corners filled with class 0",
        "Where nothing of the picture is, the mask says 0, which is a class. It should say 255, which is ignored.",
        _augmenting(mask=_mask_filled(0, 0)),
    ),
    Mistake(
        "padding of the mask is class 0",
        "What the crop puts around the mask is 0, which is a class; only the corners left by the rotation are 255.",
        _augmenting(mask=_mask_filled(_IGNORE, 0)),
    ),
    Mistake(
        "rotation fills with class 0",
        "The corners that the rotation leaves are 0, which is a class; only the padding is 255. grid_sample puts 0 "
        "outside: how can 255 be what stands at 0 while you rotate?",
        _augmenting(mask=_mask_filled(0, _IGNORE)),
    ),
    Mistake(
        "class 0 becomes 255",
        "All of class 0 becomes 255, not only what has come in from outside. Tell the two apart before you rotate.",
        _augmenting(mask=_zero_is_nothing),
    ),
    Mistake(
        "255 becomes class 0",
        "Pixels that were 255 before come back as class 0. What was ignored before must stay so.",
        _augmenting(mask=lambda mask, drawn: _move_mask(mask.masked_fill(mask == _IGNORE, 0), drawn)),
    ),
    Mistake(
        "mask as float",
        "The mask comes back as floats, which cross_entropy takes for something else. Turn labels back into int64.",
        _mask_after(lambda mask: mask.float()),
    ),
    Mistake(
        "mask in a smaller type",
        "The mask comes back in a smaller type of whole numbers. cross_entropy wants int64.",
        _mask_after(lambda mask: mask.to(torch.uint8)),
    ),
    Mistake(
        "mask with a channel",
        "The mask comes back as (N, 1, H, W). The channel that it needed for grid_sample has to be removed again.",
        _mask_after(lambda mask: mask[None]),
    ),
    Mistake(
        "image filled with 255",
        "Where nothing of the picture is, the image is 255. That is for masks: in an image it should be 0.",
        _augmenting(image=lambda image, drawn: _moved(image, drawn, InterpolationMode.BILINEAR, _IGNORE)),
    ),
    Mistake(
        "image's border repeated",
        "Where nothing of the picture is, the image repeats its border. It should be 0.",
        _augmenting(image=_image_with_border),
    ),
    Mistake(
        "nearest for the image too",
        "The image is rotated with mode 'nearest', as its mask is. Colours may be blended: use 'bilinear' for it.",
        _augmenting(image=lambda image, drawn: _moved(image, drawn, InterpolationMode.NEAREST, None)),
    ),
    Mistake(
        "pictures sheared",
        "Image and mask are sheared, as they aren't square: in affine_grid, both sides run from -1 to 1. See rotate in "
        "exercise 2.2.",
        _augmenting(
            image=_sheared,
            mask=lambda mask, drawn: (
                _sheared((mask[None] - _IGNORE).double().float(), drawn, "nearest")[0].round().long()
                + _IGNORE
            ),
        ),
    ),
    Mistake(
        "one draw for the batch",
        "All pairs of a batch are moved by the same draws. Each pair needs its own.",
        _augmenting(draws=lambda number, *limits: [_Drawn.anew(*limits)] * number),
    ),
    Mistake(
        "one angle for the batch",
        "All pairs of a batch are rotated by the same angle. Each needs its own.",
        _augmenting(
            draws=lambda number, *limits: [
                replace(drawn, degrees=first.degrees)
                for first in [_Drawn.anew(*limits)]
                for drawn in _draw_each(number, *limits)
            ]
        ),
    ),
    Mistake(
        "max_degrees ignored",
        "max_degrees has no effect: angles go up to 30 whatever it says.",
        _augmenting(draws=lambda number, max_degrees, padding: _draw_each(number, 30.0, padding)),
    ),
    Mistake(
        "padding ignored",
        "padding has no effect: pictures move by up to 4 pixels whatever it says.",
        _augmenting(
            draws=lambda number, max_degrees, padding: [
                replace(drawn, padding=4) for drawn in _draw_each(number, max_degrees, 4)
            ]
        ),
    ),
    Mistake(
        "never a negative angle",
        "Angles run from 0 to max_degrees: all pictures turn the same way. They should run from -max_degrees on.",
        _redrawn(lambda drawn: replace(drawn, degrees=abs(drawn.degrees))),
    ),
    Mistake(
        "half of the angles",
        "Angles reach only half as far as max_degrees. How long is the interval from -max_degrees to max_degrees?",
        _redrawn(lambda drawn: replace(drawn, degrees=drawn.degrees / 2)),
    ),
    Mistake(
        "angles in radians",
        "Angles are converted to radians once too often, so that pictures hardly turn.",
        _redrawn(lambda drawn: replace(drawn, degrees=math.radians(drawn.degrees))),
    ),
    Mistake(
        "degrees taken for radians",
        "Pictures turn by far more than max_degrees: degrees are taken for radians.",
        _redrawn(lambda drawn: replace(drawn, degrees=math.degrees(drawn.degrees))),
    ),
    Mistake(
        "never mirrored",
        "No pair is ever mirrored. Half of them should be.",
        _redrawn(lambda drawn: replace(drawn, mirrored=False)),
    ),
    Mistake(
        "always mirrored",
        "All pairs are mirrored. Half of them should be.",
        _redrawn(lambda drawn: replace(drawn, mirrored=True)),
    ),
    Mistake(
        "never rotated",
        "Pairs are never rotated: they should be, by an angle from -max_degrees to max_degrees.",
        _redrawn(lambda drawn: replace(drawn, degrees=0.0)),
    ),
    Mistake(
        "never shifted",
        "Pairs are never shifted: each should be cut out of its padded picture at a random position.",
        _redrawn(lambda drawn: replace(drawn, top=drawn.padding, left=drawn.padding)),
    ),
    Mistake(
        "shifted along the diagonal only",
        "Pairs are shifted by the same number in both directions: one draw is used twice.",
        _redrawn(lambda drawn: replace(drawn, top=drawn.left)),
    ),
    Mistake(
        "the same draws in every call",
        "Every call draws the same numbers: a seed is set inside the function. Seeds belong at the beginning of the "
        "notebook.",
        _augmenting(draws=_with_generator(0)),
    ),
    Mistake(
        "a generator of its own",
        "The draws come from a random generator of their own, which seed_everything doesn't reach; each DataLoader "
        "worker would get a copy of it. Use the global functions, such as torch.rand.",
        _augmenting(draws=_with_generator(None)),
    ),
    Mistake(
        "written into the input",
        "augment_pair writes into the tensors it is given, so that the caller's pictures or masks change.",
        _in_place(),
    ),
)

# -- pictures -----------------------------------------------------------------------------------------------


def _scene() -> tuple[Tensor, Tensor]:
    """A house (2) on a meadow (1) under a sun (3) in the sky (0): an image (3, 33, 44) and its mask (33, 44)."""
    height, width = 33, 44
    x, y = _places(height, width)
    mask = (y > 6 + 0.1 * x).long()
    house = (x > -16) & (x < -3) & (y > -1) & (y < 10)
    roof = (y <= -1) & (y > -9) & ((x + 9.5).abs() < y + 10)
    mask[house | roof] = 2
    mask[(x - 12).square() + (y + 9).square() < 16] = 3
    colours = torch.tensor([[0.55, 0.75, 0.95], [0.35, 0.6, 0.25], [0.75, 0.35, 0.25], [1.0, 0.85, 0.2]])
    image = colours[mask].movedim(2, 0) * (1 - 0.012 * (y + 16)).float()
    image[:, (x > -8) & (x < -5) & (y > 3) & (y < 10)] = 0.25  # the door
    return image, mask


def _coded_scene() -> tuple[Tensor, Tensor]:
    """(1, 6, H, W) and (1, H, W): the scene with three channels that say where a pixel comes from."""
    image, mask = _scene()
    return torch.cat([image, _coded(1, *mask.shape)[0][0, :3]])[None], mask[None]


def _shown_image(answer: Answer) -> Value:
    image, mask = _coded_scene()
    moved, _ = _pair(answer, image, mask)
    seen = _images_of(moved, image)
    return moved if seen is None else seen[0]


def _shown_mask(answer: Answer) -> Value:
    """(4, H, W) int64: the mask, and in millionths where its image comes from."""
    image, mask = _coded_scene()
    moved, labels = _pair(answer, image, mask)
    seen, marked = _images_of(moved, image), _masks_of(labels, mask)
    if seen is None or marked is None:
        return labels
    return torch.cat([marked.long(), (seen[0, 3:].double() * 1e6).round().long()])


def _retraced(picture: Tensor, moves: _Moves, mode: InterpolationMode, fill: float | None) -> list[Tensor]:
    """The picture (C, H, W), moved so. What is lost at the edges depends on the order of the steps: all of them."""
    height, width = picture.shape[-2:]
    if moves.mirrored:
        picture = tv.horizontal_flip(picture)
        moves = replace(moves, linear=_MIRROR @ moves.linear, shift=moves.shift @ _MIRROR)
    degrees, wide = float(moves.degrees), 20

    def shifted(picture: Tensor, by: Tensor) -> Tensor:
        """The window moved by (x, y)."""
        x, y = by.round().long().flatten().tolist()
        rows, columns = picture.shape[-2:]
        return tv.crop(tv.pad(picture, [wide], fill=fill or 0), wide + y, wide + x, rows, columns)

    def turned(picture: Tensor) -> Tensor:
        return tv.rotate(picture, degrees, mode, fill=fill)

    first, last = (
        moves.shift[0],
        (moves.linear[0].mT @ moves.shift[0]),
    )  # a crop before the rotation, or after
    padded = tv.pad(picture, [wide], fill=fill or 0)
    whole = [turned(shifted(padded, first)), shifted(turned(padded), last)]
    return [
        turned(shifted(picture, first)),
        shifted(turned(picture), last),
        *(tv.center_crop(large, [height, width]) for large in whole),
    ]


def _target(
    picture: Tensor, mode: InterpolationMode, fill: float | None, yours: Tensor | None, places: Tensor | None
) -> Tensor:
    """The picture (C, H, W), moved as ``places`` (3, H, W) tell that yours was; in the order that explains it best."""
    if yours is None or places is None:
        return picture
    moves = _Moves.of(_seen(places[None]), 7.0)
    candidates = _retraced(picture, moves, mode, fill) if float(moves.error) < 1 else [picture]
    return min(candidates, key=lambda candidate: float((candidate.double() - yours.double()).abs().sum()))


def _target_image(yours: Tensor | None) -> Tensor:
    readable = yours is not None and yours.shape == _coded_scene()[0][0].shape
    places = yours[3:].float() if yours is not None and readable else None
    mine = yours[:3] if yours is not None and readable else None
    return _target(_scene()[0], InterpolationMode.BILINEAR, None, mine, places)


def _target_mask(yours: Tensor | None) -> Tensor:
    readable = yours is not None and yours.shape == (4, *_scene()[1].shape)
    places = (yours[1:] / 1e6).float() if yours is not None and readable else None
    mine = yours[:1] if yours is not None and readable else None
    mask = _target(_scene()[1][None].float(), InterpolationMode.NEAREST, _IGNORE, mine, places)
    return mask.round().long()


_DEMONSTRATIONS = (
    Demonstration("a house in the sun, moved", _shown_image, _target_image, channels=3),
    Demonstration("the mask of that picture, moved alike", _shown_mask, _target_mask),
)

EXERCISE = Exercise(
    id="2.4",
    title="an image and its mask",
    defines=("augment_pair",),
    parts=(
        Part(
            "image and mask move together",
            5,
            _together,
            "Draw the mask over its image. How often is each random number drawn?",
        ),
        Part(
            "the mask keeps its labels",
            4,
            _mask_labels,
            "What would a label between two others mean, and what does 0 mean where there is no picture?",
        ),
        Part(
            "the image",
            2,
            _image_itself,
            "How is an image sampled between pixels, and what stands outside?",
            manners=True,
        ),
        Part("what is drawn", 3, _draws, "For each pair: one coin, one position, one angle."),
    ),
    reference=_augmenting,
    mistakes=_MISTAKES,
    builds_on=("2.2",),
    demonstrations=_DEMONSTRATIONS,
)
