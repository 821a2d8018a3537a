"""The scenes: exact masks, the same from a seed everywhere, every class in its share, cached without harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from assignments_lib.datasets import doodles, scenes
from assignments_lib.datasets.masked import MaskedPictures
from assignments_lib.datasets.scenes import composition
from assignments_lib.datasets.scenes.brush import Brush
from assignments_lib.datasets.scenes.clutter import CLUTTER
from assignments_lib.datasets.scenes.composition import Item
from assignments_lib.datasets.scenes.light import Light
from assignments_lib.datasets.scenes.paint import POTS
from assignments_lib.datasets.scenes.sprite import FINE, Place, sprite
from assignments_lib.datasets.scenes.things import THINGS

IGNORE = MaskedPictures.ignore_index


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def many(folder: Path) -> MaskedPictures:
    return scenes.load("train", number=300, root=folder)


def test_the_things_are_the_doodles_in_their_order() -> None:
    assert tuple(THINGS) == doodles.CLASSES
    assert ("background", *doodles.CLASSES) == scenes.CLASSES


def test_form(many: MaskedPictures) -> None:
    assert many.images.shape == (300, 3, *scenes.SIZE)
    assert many.masks.shape == (300, *scenes.SIZE)
    assert many.images.dtype == many.masks.dtype == torch.uint8
    assert many.classes == scenes.CLASSES
    assert many.name == "scenes"
    assert all(side % 32 for side in scenes.SIZE)


def test_labels_are_the_ten_the_background_and_the_rim(many: MaskedPictures) -> None:
    assert set(many.masks.unique().tolist()) == {*range(11), IGNORE}
    shown = [set(mask.unique().tolist()) - {0, IGNORE} for mask in many.masks]
    assert all(1 <= len(labels) <= 5 for labels in shown)
    assert len({len(labels) for labels in shown}) >= 4  # several at once, and not always as many


def test_every_class_has_its_share(many: MaskedPictures) -> None:
    counts = torch.bincount(many.masks.flatten().long(), minlength=256) / many.masks.numel()
    assert 0.5 < counts[0] < 0.7
    # In 300 scenes a share of 3 % is known to about 0.3 %.
    assert all(0.015 < counts[label] < 0.055 for label in range(1, 11)), counts[:11]
    assert 0.03 < counts[IGNORE] < 0.09


def test_two_labels_never_touch(many: MaskedPictures) -> None:
    masks = many.masks.numpy()
    for first, second in ((masks[:, 1:], masks[:, :-1]), (masks[:, :, 1:], masks[:, :, :-1])):
        differ = (first != second) & (first != IGNORE) & (second != IGNORE)
        assert not differ.any()


def test_the_rim_is_where_labels_meet_and_one_pixel_wide(many: MaskedPictures) -> None:
    masks = many.masks.long()
    rim = masks == IGNORE
    # Two pixels around every pixel of rim there is another label than in its own middle: it lies between two.
    low = -torch.nn.functional.max_pool2d(-torch.where(rim, 99, masks).float(), 5, 1, 2)
    high = torch.nn.functional.max_pool2d(torch.where(rim, -1, masks).float(), 5, 1, 2)
    between = (low < high)[rim].float().mean()
    assert between > 0.9  # the rest are parts too thin to cover a pixel, as the point of a blade
    thick = torch.nn.functional.avg_pool2d(rim.float(), 3, 1) == 1  # all of 3 x 3
    assert thick.sum() < 0.01 * rim.sum()


def test_a_slanted_edge_has_a_rim_of_the_pixels_it_crosses() -> None:
    """A half plane as a thing: each pixel's label against the exact side of each of its corners."""

    def wedge(brush: Brush) -> None:
        brush.slop = 0.0
        brush.path((-1, -1), (1, -0.4), (1, 1), (-1, 1), (-1, -1))
        brush.fill((1.0, 0.0, 0.0), rim=0)

    brush = Brush(np.random.default_rng(0))
    brush.rounding = 0
    wedge(brush)
    painting, place = brush.painting(), Place(20.0, 20.0, 12.0, 0.0)
    mask = composition.mask([Item(3, painting, place, sprite(painting, place, 40, 40))], 40, 40)
    outline = painting.parts[0].points * place.half + 20
    assert set(np.unique(mask)) == {0, 3, IGNORE}
    assert inside(outline, mask == 3, margin=-0.1)
    assert not inside(outline, mask == 0, margin=-0.1, some=True)
    rim_per_column = (mask[:20, 12:28] == IGNORE).sum(axis=0)
    assert rim_per_column.min() >= 1
    assert rim_per_column.max() <= 2


def inside(outline: np.ndarray, chosen: np.ndarray, margin: float, some: bool = False) -> bool:
    """Whether the centres of the chosen pixels lie inside a convex outline: all of them, or some."""
    rows, columns = np.nonzero(chosen)
    centres = np.stack([columns + 0.5, rows + 0.5], axis=1)
    step = np.roll(outline, -1, axis=0) - outline
    long = np.hypot(*step.T)
    step, start = step[long > 1e-6], outline[long > 1e-6]
    away = step[:, None, 0] * (centres[None, :, 1] - start[:, None, 1])
    away = (away - step[:, None, 1] * (centres[None, :, 0] - start[:, None, 0])) / np.hypot(*step.T)[:, None]
    within = (away > margin).all(axis=0)
    return bool(within.any() if some else within.all())


def test_mask_and_picture_agree() -> None:
    """A thing painted in one colour on black: the mask's pixels are wholly of it, the background's not at all."""
    for name, paint in THINGS.items():
        brush = Brush(np.random.default_rng(1))
        paint(brush)
        painting, place = brush.painting(), Place(33.3, 27.8, 25.0, 1.0)
        pixels = sprite(painting, place, 60, 70)
        mask = composition.mask([Item(7, painting, place, pixels)], 60, 70)
        cover = np.zeros((60, 70))
        cover[pixels.where] = pixels.cover
        assert (cover[mask == 7] == 1).all(), name
        assert (cover[mask == 0] == 0).all(), name
        partly = (cover > 0) & (cover < 1)
        assert (mask[partly] == IGNORE).all(), name
        # Beyond those, rim is only where the edge runs exactly between two pixels.
        assert (mask == IGNORE).sum() < 1.6 * partly.sum(), name


def test_what_is_in_front_counts() -> None:
    def disc(label: int, x: float) -> Item:
        brush = Brush(np.random.default_rng(0))
        brush.circle(0, 0, 1)
        brush.fill((0.5, 0.5, 0.5))
        painting, place = brush.painting(), Place(x, 20.0, 10.0, 1.0)
        return Item(label, painting, place, sprite(painting, place, 40, 60))

    back, front, clutter = disc(1, 20), disc(2, 28), disc(0, 36)
    mask = composition.mask([back, front, clutter], 40, 60)
    assert [mask[20, x] for x in (14, 22, 32)] == [1, 2, 0]
    assert composition.mask([front, back], 40, 60)[20, 22] == 1
    assert composition.seen([back, front, clutter], 40, 60) == [back, front, clutter]
    hidden = disc(3, 28.5)
    assert composition.seen([hidden, front], 40, 60) == [front]  # but clutter may be hidden
    assert composition.seen([disc(0, 28.5), front], 40, 60)[1] == front


def test_holes_show_what_lies_behind() -> None:
    brush = Brush(np.random.default_rng(0))
    brush.circle(0, 0, 1)
    brush.fill((0.5, 0.5, 0.5))
    brush.circle(0, 0, 0.5)
    brush.hole()
    painting, place = brush.painting(), Place(20.0, 20.0, 15.0, 0.8)
    mask = composition.mask([Item(5, painting, place, sprite(painting, place, 40, 40))], 40, 40)
    across = [label for label in mask[20].tolist() if label != IGNORE]
    assert [label for label, before in zip(across, [None, *across], strict=False) if label != before] == [
        0,
        5,
        0,
        5,
        0,
    ]


@pytest.mark.parametrize("name", THINGS)
def test_a_thing_varies_in_shape_and_colour(name: str) -> None:
    shapes, colours = set(), []
    for seed in range(30):
        brush = Brush(np.random.default_rng(seed))
        THINGS[name](brush)
        painting = brush.painting()
        points = np.concatenate([part.points for part in painting.parts])
        assert abs(points).max() == pytest.approx(1)
        pixels = sprite(painting, Place(30.0, 30.0, 25.0, 1.0), 60, 60)
        shapes.add(pixels.solid.tobytes())
        colours.append(pixels.colour.sum(axis=(0, 1)) / pixels.cover.sum())
        assert 0.03 < pixels.cover.sum() / 50**2 < 1
    assert len(shapes) == 30
    assert np.std(colours, axis=0).max() > 0.06


def test_colour_alone_does_not_tell_the_class(many: MaskedPictures) -> None:
    """The nearest mean colour of a class names far fewer pixels than a segmenter should."""
    images, masks = many.images.permute(0, 2, 3, 1).float(), many.masks
    things = (masks > 0) & (masks != IGNORE)
    colours, labels = images[things][::7], masks[things][::7].long()
    means = torch.stack([colours[labels == label].mean(dim=0) for label in range(1, 11)])
    named = torch.cdist(colours, means).argmin(dim=1) + 1
    assert (named == labels).float().mean() < 0.3


def test_same_seed_same_scenes_in_a_fresh_process(tmp_path: Path) -> None:
    here = [scenes.draw(seed) for seed in range(6)]
    program = (
        "import sys, numpy as np; from assignments_lib.datasets import scenes;"
        "drawn = [scenes.draw(seed) for seed in range(6)];"
        "np.savez(sys.argv[1], images=[i for i, _ in drawn], masks=[m for _, m in drawn])"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "there.npz"], check=True)
    there = np.load(tmp_path / "there.npz")
    np.testing.assert_array_equal([image for image, _ in here], there["images"])
    np.testing.assert_array_equal([mask for _, mask in here], there["masks"])


def test_a_smaller_set_is_the_beginning_of_a_larger_one(many: MaskedPictures, tmp_path: Path) -> None:
    few = scenes.load("train", number=4, root=tmp_path)
    assert torch.equal(few.images, many.images[:4])
    assert torch.equal(few.masks, many.masks[:4])
    more = scenes.load("train", number=7, root=tmp_path)  # the four are read, three are drawn
    assert torch.equal(more.images, many.images[:7])
    assert torch.equal(more.masks, many.masks[:7])


def test_splits_and_seeds_share_no_scene(many: MaskedPictures, folder: Path) -> None:
    sets = [many, scenes.load("test", number=60, root=folder), scenes.load(number=60, seed=1, root=folder)]
    for what in ("images", "masks"):
        seen = [one.numpy().tobytes() for each in sets for one in getattr(each, what)]
        assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("size", [(16, 16), (33, 57), (97, 41), (161, 225)])
def test_odd_sizes_are_drawn_at_their_size(size: tuple[int, int]) -> None:
    for seed in range(4):
        image, mask = scenes.draw(seed, size)
        assert image.shape == (*size, 3)
        assert mask.shape == size
        assert set(np.unique(mask)) <= {*range(11), IGNORE}


def test_a_larger_scene_shows_the_same_more_finely() -> None:
    for seed in range(5):
        (_, small), (_, large) = scenes.draw(seed, (80, 112)), scenes.draw(seed, (240, 336))
        middles = large[1::3, 1::3]
        sure = (small != IGNORE) & (middles != IGNORE)
        assert (small == middles)[sure].mean() > 0.99
        assert (large == IGNORE).mean() < 0.7 * (small == IGNORE).mean()  # its rim is still one pixel wide


def test_pictures_have_light_and_dark_and_are_not_blown_out(many: MaskedPictures) -> None:
    bright = many.images.float().mean(dim=1)
    assert (bright.flatten(1).std(dim=1) > 8).all()
    assert ((many.images == 0) | (many.images == 255)).float().mean() < 0.15


@pytest.mark.parametrize("paint", CLUTTER)
def test_clutter_is_painted_like_a_thing(paint) -> None:  # type: ignore[no-untyped-def]
    brush = Brush(np.random.default_rng(0))
    paint(brush)
    assert sprite(brush.painting(), Place(20.0, 20.0, 15.0, 1.0), 40, 40).cover.sum() > 20


def test_paints_and_lights_are_in_range() -> None:
    brush = Brush(np.random.default_rng(0))
    assert all(0 <= x <= 1 for pot in POTS for x in brush.paint(pot))
    for _ in range(20):
        light = Light.chosen(brush)
        assert light.x**2 + light.y**2 == pytest.approx(1)


def test_the_cache_is_read_and_survives_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = scenes.load("train", number=3, root=tmp_path)
    (path,) = (tmp_path / "scenes").iterdir()
    sound = path.read_bytes()

    def refuse(*_: object) -> None:
        raise AssertionError("drawn again")

    with monkeypatch.context() as patch:
        patch.setattr(scenes, "scene", refuse)
        again = scenes.load("train", number=3, root=tmp_path)
        assert torch.equal(again.images, drawn.images)
        assert torch.equal(again.masks, drawn.masks)
        assert torch.equal(scenes.load("train", number=2, root=tmp_path).masks, drawn.masks[:2])
        for request in ({"number": 4}, {"seed": 1}, {"size": (81, 112)}, {"split": "test"}):
            with pytest.raises(AssertionError, match="drawn again"):
                scenes.load(**{"split": "train", "number": 3, "root": tmp_path} | request)  # type: ignore[arg-type]
    flipped = len(sound) // 2
    for content in (
        b"",
        sound[:1000],
        sound[: len(sound) // 2],
        sound[:flipped] + bytes([sound[flipped] ^ 0xFF]) + sound[flipped + 1 :],
        b"<html>404</html>",
    ):
        path.write_bytes(content)
        mended = scenes.load("train", number=3, root=tmp_path)
        assert torch.equal(mended.images, drawn.images)
        assert torch.equal(mended.masks, drawn.masks)
        assert path.read_bytes()[:4] == sound[:4]
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # no left-overs


def test_scenes_of_an_older_brush_are_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = scenes.load("train", number=2, root=tmp_path)
    (path,) = (tmp_path / "scenes").iterdir()
    zeros = {"images": np.zeros((2, 3, 80, 112), np.uint8), "masks": np.zeros((2, 80, 112), np.uint8)}
    scenes.cache.write(path, "another version", "scenes", **zeros)
    assert torch.equal(scenes.load("train", number=2, root=tmp_path).images, drawn.images)
    # Of this version, but not what was asked for.
    scenes.cache.write(path, scenes.VERSION, "scenes", images=zeros["images"], masks=zeros["masks"][:, :9])
    assert torch.equal(scenes.load("train", number=2, root=tmp_path).masks, drawn.masks)


def test_a_folder_that_cannot_be_written_means_a_warning_and_the_scenes(tmp_path: Path) -> None:
    (tmp_path / "scenes").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="scenes could not be kept in"):
        assert len(scenes.load(number=2, root=tmp_path)) == 2


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"no split 'val'.*train"):
        scenes.load("val")
    with pytest.raises(ValueError, match="number must be at least 1, not 0"):
        scenes.load(number=0)
    for call in (lambda: scenes.draw(0, (8, 100)), lambda: scenes.load(size=(100, 8))):
        with pytest.raises(ValueError, match="at least 16 x 16"):
            call()


def test_samples_divide_evenly() -> None:
    brush = Brush(np.random.default_rng(0))
    THINGS["cat"](brush)
    pixels = sprite(brush.painting(), Place(3.0, 55.0, 20.0, 1.0), 60, 60)  # cut off on the left and below
    assert pixels.solid.shape == (pixels.cover.shape[0] * FINE, pixels.cover.shape[1] * FINE)
    assert pixels.where[1].start == 0
    assert pixels.where[0].stop == 60


@pytest.mark.parametrize("seed", [0, 12, 76])
def test_instances_are_the_things_of_the_mask(seed: int) -> None:
    _, mask = scenes.draw(seed)
    things, labels = scenes.instances(seed)
    assert set(np.unique(things)) - {0, 255} == set(range(1, len(labels) + 1))
    for number, label in enumerate(labels, start=1):
        assert set(mask[things == number]) == {label}
    known = (things != 255) & (mask != 255)
    assert np.array_equal(mask[known] == 0, things[known] == 0)
    # Where the mask knows the label and the map isn't sure, two things of one class meet.
    meeting = (things == 255) & (mask != 255)
    assert set(mask[meeting]) <= {label for label in labels if labels.count(label) > 1}


def test_touching_things_of_one_class_are_told_apart() -> None:
    _, mask = scenes.draw(12)  # one hourglass over another
    things, labels = scenes.instances(12)
    assert labels.count(scenes.CLASSES.index("hourglass")) == 2
    assert ((things == 255) & (mask == scenes.CLASSES.index("hourglass"))).any()


def test_instances_of_too_small_a_scene_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        scenes.instances(0, (8, 40))
