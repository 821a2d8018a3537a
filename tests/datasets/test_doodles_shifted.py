"""The shifted test set: the test drawings, each kind shifted as far as its ranges say and in no other way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from assignments_lib.datasets import doodles
from assignments_lib.datasets.doodles.shifted import render_shifted, slanted
from assignments_lib.datasets.pictures import Pictures

MANY = 20  # drawings of each class


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def usual(folder: Path) -> Pictures:
    return doodles.load("test", per_class=MANY, root=folder)


@pytest.fixture(scope="module")
def shifted(folder: Path) -> dict[str, Pictures]:
    return {kind: doodles.load_shifted(kind, per_class=MANY, root=folder) for kind in doodles.SHIFTS}


def boxes(images: torch.Tensor) -> torch.Tensor:
    """First and last row and column with ink: (N, 4), top, bottom, left, right, of images (N, 1, H, W)."""
    found = []
    for image in images[:, 0]:
        rows, columns = image.any(1).nonzero()[:, 0], image.any(0).nonzero()[:, 0]
        found.append((rows[0], rows[-1], columns[0], columns[-1]))
    return torch.tensor(found)


def sides(images: torch.Tensor) -> torch.Tensor:
    """The longer side of each drawing, in pixels."""
    top, bottom, left, right = boxes(images).T
    return 1 + torch.maximum(bottom - top, right - left)


def displaced(images: torch.Tensor) -> torch.Tensor:
    """How far the middle of each drawing is from the picture's, right and down, in pixels: (N, 2)."""
    top, bottom, left, right = boxes(images).T
    return torch.stack([(left + right + 1 - 28) / 2, (top + bottom + 1 - 28) / 2], 1)


@pytest.mark.parametrize("kind", doodles.SHIFTS)
def test_form_order_and_name(kind: str, shifted: dict[str, Pictures], usual: Pictures) -> None:
    pictures = shifted[kind]
    assert pictures.images.shape == usual.images.shape
    assert torch.equal(pictures.labels, usual.labels)
    assert pictures.classes == doodles.CLASSES
    assert kind in pictures.name
    assert (pictures.images.flatten(1).max(1).values > 180).all()
    different = [image.numpy().tobytes() for image in pictures.images]
    assert len(set(different)) == len(different)


def test_small_is_small_and_centred(shifted: dict[str, Pictures], usual: Pictures) -> None:
    small = shifted["small"].images
    scale = (sides(small) - 1.5) / (sides(usual.images) - 1.5)  # a line has about 1.5 pixels on top
    assert 0.36 < scale.min() < 0.52
    assert 0.58 < scale.max() < 0.74
    assert (displaced(small).abs() <= 1).all()


def test_off_centre_is_in_a_corner_and_whole(shifted: dict[str, Pictures]) -> None:
    images = shifted["off-centre"].images
    away = displaced(images)
    assert (away.abs() > 1).all()
    assert (away.norm(dim=1) > 3.5).all()
    corners = {(bool(x > 0), bool(y > 0)) for x, y in away}
    assert len(corners) == 4
    top, bottom, left, right = boxes(images).T
    assert (torch.minimum(top, 27 - bottom) <= 3).all()
    assert (torch.minimum(left, 27 - right) <= 5).all()
    assert (sides(images) < 23).all()


def test_thick_lines_lie_over_the_usual_ones(shifted: dict[str, Pictures], usual: Pictures) -> None:
    thick = shifted["thick"].images
    assert (thick >= usual.images).float().mean() > 0.995
    more = thick.flatten(1).float().sum(1) / usual.images.flatten(1).float().sum(1)
    assert (more > 1.25).all()
    assert 1.6 < more.median() < 2.6
    assert (displaced(thick).abs() <= 1).all()


def test_slanted_turns_and_leans_but_fills_the_frame(shifted: dict[str, Pictures], usual: Pictures) -> None:
    images = shifted["slanted"].images
    assert torch.isin(sides(images), torch.tensor([24, 25, 26])).all()
    assert (displaced(images).abs() <= 1).all()
    same = (images == usual.images).flatten(1).all(1)
    assert not same.any()


def test_slant_by_hand() -> None:
    upright = [np.array([[0.5, 0.0], [0.5, 1.0]]), np.array([[0.0, 1.0], [1.0, 1.0]])]

    def angle(stroke: np.ndarray) -> float:  # clockwise from "to the right", y is down
        dx, dy = stroke[-1] - stroke[0]
        return float(np.degrees(np.arctan2(dy, dx)))

    stem, foot = slanted(upright, lean=20, turn=0)
    assert angle(stem) == pytest.approx(90 + 20, abs=0.5)  # its foot is to the left of its top
    assert angle(foot) == pytest.approx(0, abs=0.5)
    stem, foot = slanted(upright, lean=0, turn=25)
    assert angle(stem) == pytest.approx(90 + 25, abs=0.5)
    assert angle(foot) == pytest.approx(25, abs=0.5)
    points = np.concatenate([stem, foot])
    assert points.min() == 0
    assert points.max() == 1


def test_no_pixel_was_moved_lines_keep_their_width() -> None:
    line = [np.array([[0.0, 0.0], [1.0, 0.0]])]
    usual = doodles.render(line).astype(int)
    for seed in range(20):
        small = render_shifted(line, "small", np.random.default_rng(seed)).astype(int)
        middle = small[:, 14]
        assert middle.sum() == pytest.approx(usual[:, 14].sum(), rel=0.02)
        assert small.sum() < 0.75 * usual.sum()


def test_ink_stays_in_the_picture() -> None:
    """Shown with a wider margin, there is no more ink than without: nothing was cut off."""
    for kind in doodles.SHIFTS:
        for seed in range(40):
            drawing = doodles.strokes("cat", np.random.default_rng(seed))
            picture = render_shifted(drawing, kind, np.random.default_rng(seed), 280).astype(int)
            rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
            assert (rim == 255).sum() == 0


def test_the_centre_can_be_chosen() -> None:
    dot = [np.array([[0.5, 0.5]])]
    picture = doodles.render(dot, 40, centre=(0.25, 0.75))
    rows, columns = np.nonzero(picture)
    assert columns.mean() == pytest.approx(9.5)
    assert rows.mean() == pytest.approx(29.5)
    np.testing.assert_array_equal(doodles.render(dot, 40), doodles.render(dot, 40, centre=(0.5, 0.5)))


def test_same_seed_same_pictures_whatever_else_is_drawn(tmp_path: Path, shifted: dict[str, Pictures]) -> None:
    for kind in doodles.SHIFTS:
        few = doodles.load_shifted(kind, classes=("train", "cat"), per_class=2, root=tmp_path)
        cats = shifted[kind].images[shifted[kind].labels == doodles.CLASSES.index("cat")]
        assert torch.equal(few.images[few.labels == 1], cats[:2])
        others = doodles.load_shifted(kind, classes=("train", "cat"), per_class=2, seed=1, root=tmp_path)
        assert not torch.equal(few.images, others.images)


def test_none_shows_a_drawing_of_the_training_set(folder: Path, shifted: dict[str, Pictures]) -> None:
    train = {image.numpy().tobytes() for image in doodles.load("train", per_class=100, root=folder).images}
    for pictures in shifted.values():
        assert not train & {image.numpy().tobytes() for image in pictures.images}


def test_the_cache_is_read_and_its_files_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = {
        kind: doodles.load_shifted(kind, classes=["cat"], per_class=2, root=tmp_path)
        for kind in doodles.SHIFTS
    }
    usual = doodles.load("test", classes=["cat"], per_class=2, root=tmp_path)
    assert len(list((tmp_path / "doodles").iterdir())) == len(doodles.SHIFTS) + 1

    def refuse(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(doodles, "render", refuse)
    monkeypatch.setattr(doodles, "render_shifted", refuse)
    for kind, pictures in drawn.items():
        again = doodles.load_shifted(kind, classes=["cat"], per_class=2, root=tmp_path)
        assert torch.equal(again.images, pictures.images)
    assert torch.equal(doodles.load("test", classes=["cat"], per_class=2, root=tmp_path).images, usual.images)


def test_a_cache_that_cannot_be_written_is_told_where_the_set_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "doodles").write_text("a file where the folder should be")
    with pytest.warns(UserWarning, match="could not be kept in") as caught:
        doodles.load_shifted("thick", classes=["cat"], per_class=1, root=tmp_path)
    assert [warning.filename for warning in caught] == [__file__]


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"no shift 'large'.*slanted.*mixed"):
        doodles.load_shifted("large")
    with pytest.raises(ValueError, match=r"no shift 'large'"):
        render_shifted([np.zeros((1, 2))], "large", np.random.default_rng(0))
    with pytest.raises(ValueError, match="'dog'"):
        doodles.load_shifted("thick", classes=["dog"])
    with pytest.raises(ValueError, match="per_class"):
        doodles.load_shifted("thick", per_class=0)
