"""The embedded doodles: Quick, Draw!'s form, the same from a seed everywhere, cached without harm."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from assignments_lib.datasets import doodles
from assignments_lib.datasets.doodles import cache

EVERYTHING = doodles.CLASSES + doodles.PRETRAINING_CLASSES
QUICKDRAW = (
    "apple",
    "wine bottle",
    "spoon",
    "rainbow",
    "scissors",
    "hourglass",
    "baseball",
    "hospital",
    "cat",
    "train",
)


def test_classes_are_quickdraws_ten_and_ten_others() -> None:
    assert doodles.CLASSES == QUICKDRAW
    assert len(set(doodles.PRETRAINING_CLASSES)) == 10
    assert not set(doodles.PRETRAINING_CLASSES) & set(QUICKDRAW)


@pytest.mark.parametrize("name", EVERYTHING)
def test_strokes_have_the_form_of_simplified_drawings(name: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        drawing = doodles.strokes(name, rng)
        points = np.concatenate(drawing)
        assert all(stroke.shape[1] == 2 and len(stroke) >= 2 for stroke in drawing)
        # Simplification may leave out the outermost point of a curve, by two steps of the grid at most.
        assert points.min() >= 0
        assert (points.min(axis=0) <= 2 / 255).all()
        assert 1 - 2 / 255 <= points.max() <= 1
        np.testing.assert_array_equal(points, np.rint(points * 255) / 255)


@pytest.mark.parametrize("name", EVERYTHING)
def test_pictures_have_the_form_of_the_official_bitmaps(name: str) -> None:
    for seed in range(20):
        picture = doodles.draw(name, seed)
        assert picture.shape == (28, 28)
        assert picture.dtype == np.uint8
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        # The drawing is centred, and its longer side spans 26 of the 28 pixels: one stays free on either side.
        assert 0 <= 27 - rows[-1] - rows[0] + 1 <= 2
        assert 0 <= 27 - columns[-1] - columns[0] + 1 <= 2
        assert max(len(rows), rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) in (25, 26)
        assert picture.max() > 200


def test_line_width_and_anti_aliasing() -> None:
    level = [np.array([[0.0, 0.0], [1.0, 0.0]])]
    profile = doodles.render(level)[:, 14].astype(int)
    assert np.flatnonzero(profile).tolist() == [13, 14]
    assert profile[13] == profile[14]
    assert profile.sum() / 255 == pytest.approx(28 * 16 / 304, abs=0.02)
    # Eight times as large, the same line is eight times as wide, and only its rim is grey.
    large = doodles.render(level, 224)[:, 112].astype(int)
    assert large.sum() / 255 == pytest.approx(224 * 16 / 304, abs=0.1)
    assert ((large > 0) & (large < 255)).sum() <= 2
    assert doodles.render(level, 28, line=32).sum() > 1.6 * doodles.render(level, 28).sum()


def test_a_dot_and_an_empty_drawing_can_be_rendered() -> None:
    assert doodles.render([]).max() == 0
    dot = doodles.render([np.array([[0.5, 0.5]])])
    assert 0 < dot[12:16, 12:16].sum() == dot.sum()


@pytest.mark.parametrize("size", [29, 56, 100, 224])
def test_larger_pictures_are_drawn_anew_and_show_the_same(size: int) -> None:
    small, large = doodles.draw("cat", 5), doodles.draw("cat", 5, size)
    assert large.shape == (size, size)
    as_small = torch.nn.functional.interpolate(
        torch.from_numpy(large)[None, None].float(),
        size=(28, 28),
        mode="area" if size % 28 == 0 else "bilinear",
        antialias=size % 28 != 0,
    )[0, 0]
    assert np.corrcoef(as_small.numpy().ravel(), small.ravel())[0, 1] > 0.9


def test_drawings_vary() -> None:
    for name in EVERYTHING:
        pictures = {doodles.draw(name, seed).tobytes() for seed in range(50)}
        assert len(pictures) == 50


def test_same_seed_same_drawings_in_a_fresh_process(tmp_path: Path) -> None:
    here = np.stack([doodles.draw(name, 7) for name in EVERYTHING])
    again = np.stack([doodles.draw(name, 7) for name in EVERYTHING])
    np.testing.assert_array_equal(here, again)
    program = (
        "import sys, numpy as np; from assignments_lib.datasets import doodles as d;"
        "np.save(sys.argv[1], np.stack([d.draw(n, 7) for n in d.CLASSES + d.PRETRAINING_CLASSES]))"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "there.npy"], check=True)
    np.testing.assert_array_equal(here, np.load(tmp_path / "there.npy"))


def test_a_drawing_does_not_depend_on_what_else_is_drawn(tmp_path: Path) -> None:
    few = doodles.load("train", per_class=3, root=tmp_path / "a")
    many = doodles.load("train", per_class=8, root=tmp_path / "b")
    assert torch.equal(few.images, many.take(3).images)
    assert torch.equal(few.images, many.images[: len(few)])
    others = doodles.load("train", classes=("train", "sun", "cat"), per_class=3, root=tmp_path / "c")
    cats = few.images[few.labels == few.classes.index("cat")]
    assert torch.equal(cats, others.images[others.labels == 2])


def test_load_gives_balanced_labelled_pictures(tmp_path: Path) -> None:
    pictures = doodles.load("test", per_class=4, root=tmp_path)
    assert pictures.images.shape == (40, 1, 28, 28)
    assert pictures.classes == QUICKDRAW
    assert torch.bincount(pictures.labels).tolist() == [4] * 10
    assert torch.equal(pictures.labels[:10], torch.arange(10))
    assert doodles.load("test", classes=["cat"], per_class=2, size=40, root=tmp_path).images.shape == (
        2,
        1,
        40,
        40,
    )


def test_splits_and_seeds_share_no_drawing(tmp_path: Path) -> None:
    sets = [
        doodles.load(split, per_class=40, seed=seed, root=tmp_path)
        for split in ("train", "test")
        for seed in (0, 1)
    ]
    pictures = [image.numpy().tobytes() for each in sets for image in each.images]
    assert len(set(pictures)) == len(pictures)


def test_the_cache_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = doodles.load("train", per_class=3, root=tmp_path)

    def refuse(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(doodles, "render", refuse)
    assert torch.equal(doodles.load("train", per_class=3, root=tmp_path).images, drawn.images)
    assert torch.equal(doodles.load("train", per_class=2, root=tmp_path).images, drawn.take(2).images)
    for request in ({"per_class": 4}, {"seed": 1}, {"size": 30}, {"split": "test"}):
        with pytest.raises(AssertionError, match="drawn again"):
            doodles.load(**{"split": "train", "per_class": 3, "root": tmp_path} | request)  # type: ignore[arg-type]


def test_any_damage_to_the_cache_is_noticed_and_mended(tmp_path: Path) -> None:
    drawn = doodles.load("train", classes=["cat"], per_class=5, root=tmp_path)
    (path,) = (tmp_path / "doodles").iterdir()
    sound = path.read_bytes()
    damaged = [sound[:end] for end in range(0, len(sound), len(sound) // 40)]
    for at in range(0, len(sound), len(sound) // 200):
        damaged.append(sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :])
    noticed = 0
    for content in damaged:
        path.write_bytes(content)
        images = cache.read(path, 5, 28)  # either noticed, or the damage was where it does not matter
        noticed += images is None
        assert images is None or np.array_equal(images, drawn.images[:, 0].numpy())
    assert noticed > 0.8 * len(damaged)
    path.write_bytes(sound[: len(sound) // 2])
    assert cache.read(path, 5, 28) is None
    assert torch.equal(
        doodles.load("train", classes=["cat"], per_class=5, root=tmp_path).images, drawn.images
    )
    assert cache.read(path, 5, 28) is not None
    assert [file.name for file in path.parent.iterdir()] == [path.name]  # no left-overs


def test_pictures_of_an_older_pen_are_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = doodles.load("train", classes=["cat"], per_class=2, root=tmp_path)
    (path,) = (tmp_path / "doodles").iterdir()
    monkeypatch.setattr(cache, "VERSION", "another")
    cache.write(path, np.zeros((2, 28, 28), dtype=np.uint8))
    monkeypatch.undo()
    assert torch.equal(
        doodles.load("train", classes=["cat"], per_class=2, root=tmp_path).images, drawn.images
    )


def test_a_file_that_is_no_cache_at_all(tmp_path: Path) -> None:
    path = tmp_path / "cat.npz"
    assert cache.read(path, 1, 28) is None
    for content in (b"", b"PK\x03\x04 no zip", b"<html>404</html>"):
        path.write_bytes(content)
        assert cache.read(path, 1, 28) is None
    np.savez(path, images=np.zeros((1, 9, 9), np.uint8), version=np.array(cache.VERSION))
    assert cache.read(path, 1, 28) is None


def test_a_folder_that_cannot_be_written_means_a_warning_and_the_drawings(tmp_path: Path) -> None:
    (tmp_path / "doodles").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="could not be kept in"):
        pictures = doodles.load("train", classes=["cat"], per_class=2, root=tmp_path)
    assert len(pictures) == 2


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cat.npz"
    cache.write(path, np.ones((1, 28, 28), np.uint8))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(UserWarning, match="No space left"):
        cache.write(path, np.zeros((1, 28, 28), np.uint8))
    monkeypatch.undo()
    kept = cache.read(path, 1, 28)
    assert kept is not None
    assert kept.all()
    assert [file.name for file in tmp_path.iterdir()] == ["cat.npz"]


def test_default_folder_is_the_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSIGNMENTS_DATA", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        doodles.load("test", classes=["key"], per_class=1)
    assert len(list((tmp_path / "doodles").iterdir())) == 1


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"draw 'dog'.*apple"):
        doodles.draw("dog", 0)
    with pytest.raises(ValueError, match=r"no split 'val'.*train"):
        doodles.load("val")
    with pytest.raises(ValueError, match="'dog'"):
        doodles.load("train", classes=["cat", "dog"])
    with pytest.raises(ValueError, match="per_class"):
        doodles.load("train", per_class=0)
