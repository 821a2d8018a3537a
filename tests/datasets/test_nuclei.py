import hashlib
import io
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from assignments_lib.datasets import load_masks, nuclei
from assignments_lib.datasets.download import CorruptFileError, DownloadError

IDS = [hashlib.sha256(bytes([i])).hexdigest() for i in range(40)]
SIZES = [(256, 256), (320, 256), (347, 260), (40, 90)]  # width, height


def make(root: Path, ids: list[str] = IDS) -> Path:
    """A small set in the layout of the source: two touching nuclei a picture, white on black."""
    for i, name in enumerate(ids):
        width, height = SIZES[i % len(SIZES)]
        folder = nuclei.folder_of(root) / name
        (folder / "images").mkdir(parents=True)
        (folder / "masks").mkdir()
        x, y = width // 2, height // 2
        image = Image.new("RGBA", (width, height), (0, 0, 0, 255))
        for number, box in enumerate([(x - 8, y - 6, x, y + 6), (x, y - 6, x + 8, y + 6)]):
            image.paste((255, 200, 100, 255), box)
            mask = Image.new("L", (width, height), 0)
            mask.paste(255, box)
            mask.save(folder / "masks" / f"{number}.png")
        image.save(folder / "images" / f"{name}.png")
    return nuclei.folder_of(root)


def test_form_and_labels(tmp_path):
    make(tmp_path)
    pictures = nuclei.load("train", root=tmp_path)
    assert (pictures.name, pictures.classes) == ("nuclei", ("background", "nucleus"))
    assert pictures.images.shape[1:] == (3, 256, 256)
    assert pictures.masks.unique().tolist() == [0, 1]  # touching nuclei are united, and nothing is left out
    bright = pictures.images[:, 0] > 127
    assert (bright == (pictures.masks == 1)).float().mean() > 0.99
    assert pictures.images.amax((0, 2, 3)).tolist() == [255, 200, 100]  # the opacity is gone, not mixed in


def test_every_nucleus_is_in_the_mask(tmp_path):
    make(tmp_path)
    image, mask = nuclei.read(tmp_path, IDS[0])
    assert mask.sum() == 16 * 12
    assert mask.bool().equal(image[0] == 255)


def test_split_is_by_id_and_stays_when_more_arrive(tmp_path):
    make(tmp_path / "few", IDS[:20])
    make(tmp_path / "all", IDS)
    sides = {name: nuclei.split_of(name) for name in IDS}
    assert 2 <= list(sides.values()).count("test") <= 18
    for where, ids in (("few", IDS[:20]), ("all", IDS)):
        for split in ("train", "test"):
            expected = [sides[name] for name in ids].count(split)
            assert len(nuclei.load(split, size=(8, 8), root=tmp_path / where)) == expected


def test_number_takes_the_beginning(tmp_path):
    make(tmp_path)
    whole, few = (nuclei.load("train", number=number, size=(32, 32), root=tmp_path) for number in (None, 3))
    assert len(few) == 3
    assert whole.take(3).images.equal(few.images)


@pytest.mark.parametrize("size", [(64, 64), (64, 128), (100, 60)])
def test_nothing_is_squeezed(tmp_path, size):
    folder = make(tmp_path, IDS[:1]) / IDS[0]
    wide = Image.new("RGB", (400, 200))
    wide.paste((255, 255, 255), (150, 50, 250, 150))  # a square in the middle
    wide.save(folder / "images" / f"{IDS[0]}.png")
    for path in (folder / "masks").iterdir():
        wide.convert("L").save(path)
    image, mask = nuclei.in_proportion(*nuclei.read(tmp_path, IDS[0]), size)
    assert mask.shape[0] * size[1] == pytest.approx(mask.shape[1] * size[0], abs=max(size))
    assert 200 in mask.shape or 400 in mask.shape  # as much as fits
    assert image.shape[1:] == mask.shape
    split = nuclei.split_of(IDS[0])
    mask = load_masks("nuclei", split, size=size, root=tmp_path).masks[0]
    tall, broad = mask.any(1).sum(), mask.any(0).sum()
    assert abs(tall - broad) <= 2
    assert mask.flip(1).equal(mask) or (mask.flip(1) != mask).sum() <= 2 * tall  # in the middle still


def error_of(root: Path) -> str:
    with pytest.raises(CorruptFileError) as caught:
        nuclei.load(nuclei.split_of(IDS[2]), root=root)
    assert "to go on without it" in str(caught.value)
    return str(caught.value)


def mask_of(folder: Path, number: int = 1) -> Path:
    return folder / IDS[2] / "masks" / f"{number}.png"


def test_missing_picture(tmp_path):
    lost = make(tmp_path) / IDS[2] / "images" / f"{IDS[2]}.png"
    lost.unlink()
    assert f"{lost} is missing" in error_of(tmp_path)
    with pytest.raises(CorruptFileError, match="is missing"):
        nuclei.present(tmp_path)  # the doctor sees it too


def test_missing_masks(tmp_path):
    folder = make(tmp_path)
    for number in (0, 1):
        mask_of(folder, number).unlink()
    assert f"{folder / IDS[2] / 'masks'} has no mask in it" in error_of(tmp_path)


def test_wrong_size(tmp_path):
    path = mask_of(make(tmp_path))
    Image.open(path).resize((100, 50)).save(path)
    assert f"{path} is 100x50 pixels, but its picture 347x260" in error_of(tmp_path)


@pytest.mark.parametrize("value", [1, 128])
def test_unknown_value(tmp_path, value):
    path = mask_of(make(tmp_path))
    mask = np.array(Image.open(path))
    mask[5, 5] = value
    Image.fromarray(mask).save(path)
    assert f"{path} has the value {value}; there are only 0 and 255" in error_of(tmp_path)


def test_wrong_mode_of_a_mask(tmp_path):
    path = mask_of(make(tmp_path))
    Image.open(path).convert("RGBA").save(path)
    assert f"{path} has mode RGBA instead of L" in error_of(tmp_path)


def test_wrong_mode_of_a_picture(tmp_path):
    path = make(tmp_path) / IDS[2] / "images" / f"{IDS[2]}.png"
    Image.open(path).convert("L").save(path)
    assert f"{path} has mode L instead of RGB or RGBA" in error_of(tmp_path)


@pytest.mark.parametrize("keep", [0, 0.4, 0.9])
@pytest.mark.parametrize("part", ["images", "masks"])
def test_truncated(tmp_path, part, keep):
    path = sorted((make(tmp_path) / IDS[2] / part).iterdir())[0]
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    assert str(path) in error_of(tmp_path)


def test_too_few_for_a_split(tmp_path):
    make(tmp_path, [name for name in IDS if nuclei.split_of(name) == "train"][:3])
    assert len(nuclei.load("train", root=tmp_path)) == 3
    with pytest.raises(CorruptFileError, match="has 3 pictures, none of them for 'test': put more there"):
        nuclei.load("test", root=tmp_path)


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="no split 'val'; there are train and test"):
        nuclei.load("val", root=tmp_path)


@pytest.fixture
def served(tmp_path, monkeypatch, file_server):
    """The small set as its source packs it (no folder around the ids), on a server of this machine."""
    base = make(tmp_path / "made")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in base.rglob("*.png"):
            archive.write(path, path.relative_to(base))
    file_server.files["stage1_train.zip"] = packed.getvalue()
    monkeypatch.setattr(nuclei, "ADDRESSES", (file_server.url("stage1_train.zip"),))
    return file_server


def test_downloaded_and_unpacked(served, tmp_path):
    root = tmp_path / "data"
    assert nuclei.present(root) == ""
    sets = [load_masks("nuclei", split, size=(16, 16), root=root, strict=True) for split in ("train", "test")]
    assert sum(map(len, sets)) == len(IDS)
    assert len(served.asked) == 1
    assert [path.name for path in nuclei.folder_of(root).parent.iterdir()] == ["stage1_train"]
    assert nuclei.present(root).startswith("40 of 670 pictures with masks, ")


def test_a_damaged_archive_says_what_to_do(served, tmp_path):
    served.files["stage1_train.zip"] = served.files["stage1_train.zip"][:9000]
    with pytest.raises(
        CorruptFileError, match=r"stage1_train\.zip has no whole .*: delete it and load again"
    ):
        nuclei.load("train", root=tmp_path / "data")
    assert not nuclei.folder_of(tmp_path / "data").exists()


def test_offline(tmp_path, monkeypatch, nowhere):
    monkeypatch.setattr(nuclei, "ADDRESSES", (nowhere + "/stage1_train.zip",))
    with pytest.raises(DownloadError, match=r"save it as .*stage1_train\.zip") as caught:
        nuclei.load("train", root=tmp_path)
    assert caught.value.offline


def test_the_real_pictures(shared_data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train, test = (
            load_masks("nuclei", split, root=shared_data, strict=True) for split in ("train", "test")
        )
    assert len(train) > len(test) > 0
    assert len(train) + len(test) == len(list(nuclei.folder_of(shared_data).iterdir()))
    for pictures in (train, test):
        assert pictures.masks.unique().tolist() == [0, 1]
        # Fluorescence: nuclei glow on black. Stained: they are darker than what is around them.
        glowing = pictures.images.float().mean((1, 2, 3)) < 100
        brightness = pictures.images.float().mean(1)
        for light, mask, glows in zip(brightness, pictures.masks, glowing, strict=True):
            inside, outside = light[mask == 1].mean(), light[mask == 0].mean()
            assert (inside > outside) == glows


def test_real_masks_are_united_whole(shared_data):
    name = sorted(path.name for path in nuclei.folder_of(shared_data).iterdir())[0]
    _, mask = nuclei.read(shared_data, name)
    files = (nuclei.folder_of(shared_data) / name / "masks").glob("*.png")
    each = torch.stack([torch.from_numpy(np.array(Image.open(path))) for path in files])
    assert mask.bool().equal((each > 0).any(0))
