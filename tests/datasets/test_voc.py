import hashlib
import shutil
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from assignments_lib.cli import app
from assignments_lib.datasets import load_masks, voc
from assignments_lib.datasets.download import CorruptFileError, DownloadError

LISTS = {
    "train": [f"2007_{i:06}" for i in range(8)],
    "val": [f"2011_{i:06}" for i in range(5)],
}
SIZES = [(100, 75), (75, 100), (100, 60)]  # width, height
PERSON, VOID = 15, 255


def make(folder: Path) -> Path:
    """A small set in VOC's layout, in ``folder``: left half red, a person; then void; right green, background."""
    for part in (
        "ImageSets/Segmentation",
        "ImageSets/Main",
        "JPEGImages",
        "SegmentationClass",
        "Annotations",
    ):
        (folder / part).mkdir(parents=True)
    for list_name, names in LISTS.items():
        text = "\n".join(names) + "\n"
        (folder / "ImageSets" / "Segmentation" / f"{list_name}.txt").write_text(text)
        for i, name in enumerate(names):
            width, height = SIZES[i % len(SIZES)]
            image, mask = Image.new("RGB", (width, height), (0, 200, 0)), Image.new("P", (width, height), 0)
            mask.putpalette([3 * i % 256 for i in range(256 * 3)])
            for picture, seam, inside in ((image, (0, 0, 200), (200, 0, 0)), (mask, VOID, PERSON)):
                picture.paste(seam, (0, 0, width // 2 + 2, height))
                picture.paste(inside, (0, 0, width // 2 - 2, height))
            image.save(folder / "JPEGImages" / f"{name}.jpg", quality=95)
            mask.save(folder / "SegmentationClass" / f"{name}.png")
    Image.new("RGB", (9, 9)).save(folder / "JPEGImages" / "2012_000001.jpg")  # most have no mask
    (folder / "Annotations" / "2007_000000.xml").write_text("<annotation/>")
    return folder


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch, nowhere):
    monkeypatch.delenv(voc.ORIGIN, raising=False)
    monkeypatch.setattr(voc, "ADDRESSES", (nowhere + f"/{voc.ARCHIVE}",))


@pytest.fixture
def there(tmp_path) -> Path:
    """A data folder that has it."""
    make(voc.folder_of(tmp_path))
    return tmp_path


def test_form_labels_and_splits(there):
    train, test = (voc.load(split, root=there) for split in ("train", "test"))
    assert (train.name, len(train.classes), train.classes[PERSON]) == ("voc", 21, "person")
    assert (len(train), len(test)) == (8, 5)
    assert train.images.shape == (8, 3, 96, 128)
    assert train.masks.dtype == torch.uint8
    assert train.masks.unique().tolist() == [0, PERSON, VOID]


@pytest.mark.parametrize("size", [(48, 64), (64, 48), (33, 70)])
def test_size_is_height_and_width_and_image_and_mask_stay_together(there, size):
    pictures = load_masks("voc", "train", size=size, root=there)
    assert pictures.images.shape == (8, 3, *size)
    for label, channel in ((PERSON, 0), (0, 1)):
        strongest = pictures.images.argmax(1)[pictures.masks == label]
        assert (strongest == channel).float().mean() > 0.97
    assert pictures.masks.unique().tolist() == [0, PERSON, VOID]  # none was made up between two labels


def test_a_smaller_set_is_the_beginning_of_a_larger_one_and_mixed(there):
    for i, name in enumerate(LISTS["train"]):
        Image.new("RGB", (100, 75), (10 * i, 0, 0)).save(
            voc.folder_of(there) / "JPEGImages" / f"{name}.jpg", quality=95
        )
        Image.new("L", (100, 75), 1).save(voc.folder_of(there) / "SegmentationClass" / f"{name}.png")
    whole, few = (voc.load("train", size=(8, 8), number=number, root=there) for number in (None, 3))
    assert whole.take(3).images.equal(few.images)
    order = whole.images[:, 0, 4, 4].tolist()
    assert order != sorted(order)


def test_the_labels_are_those_of_the_file_not_of_its_palette(there):
    path = voc.folder_of(there) / "SegmentationClass" / "2007_000000.png"
    assert np.array(Image.open(path))[0, 0] == PERSON
    assert np.array(Image.open(path).convert("L"))[0, 0] != PERSON


def test_a_part_of_the_set_will_do(there):
    for name in LISTS["train"][2:]:
        (voc.folder_of(there) / "JPEGImages" / f"{name}.jpg").unlink()
        (voc.folder_of(there) / "SegmentationClass" / f"{name}.png").unlink()
    assert len(voc.load("train", root=there)) == 2
    assert voc.present(there).startswith("2 of 1,464 train, 5 of 1,449 val pictures with masks, ")


def test_unknown_split(there):
    with pytest.raises(ValueError, match="no split 'val'; there are train and test"):
        voc.load("val", root=there)


@pytest.mark.parametrize(
    ("damage", "message"),
    {
        "no mask": "000000.jpg has no partner: .*000000.png is missing. Put it there, or delete picture and mask",
        "no picture": "000000.png has no partner: .*000000.jpg is missing",
        "another size": r"000000.png is 99x75 pixels, but its picture 100x75: delete picture and mask",
        "another label": r"000000.png has the label 21, which stands for nothing",
        "broken mask": r"000000.png can't be read",
        "broken picture": r"000000.jpg is no picture",
        "nothing listed": "has no pictures for 'train'",
        "unreadable list": "train.txt can't be read",
    }.items(),
)
def test_damage_is_named_with_what_to_do(there, damage, message):
    folder = voc.folder_of(there)
    picture, mask = (
        folder / "JPEGImages" / "2007_000000.jpg",
        folder / "SegmentationClass" / "2007_000000.png",
    )
    if damage == "no mask":
        mask.unlink()
    elif damage == "no picture":
        picture.unlink()
    elif damage == "another size":
        Image.new("L", (99, 75)).save(mask)
    elif damage == "another label":
        Image.new("L", (100, 75), 21).save(mask)
    elif damage == "broken mask":
        content = bytearray(mask.read_bytes())
        content[-30] ^= 1
        mask.write_bytes(content)
    elif damage == "broken picture":
        picture.write_text("not a picture")
    elif damage == "nothing listed":
        (folder / "ImageSets" / "Segmentation" / "train.txt").write_text("")
    elif damage == "unreadable list":
        (folder / "ImageSets" / "Segmentation" / "train.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(CorruptFileError, match=message) as caught:
        voc.load("train", root=there)
    assert str(folder) in str(caught.value)


# -- where it comes from ------------------------------------------------------------------------------------


def whole(root: Path) -> bool:
    """Whether all is there, as made, and nothing else: no photograph without a mask, nothing half done."""
    assert [path.name for path in root.iterdir()] == ["VOCdevkit"]
    assert [path.name for path in (root / "VOCdevkit").iterdir()] == ["VOC2012"]
    assert sorted(path.name for path in voc.folder_of(root).iterdir()) == [
        "ImageSets",
        "JPEGImages",
        "SegmentationClass",
    ]
    names = [name for names in LISTS.values() for name in names]
    assert sorted(path.stem for path in voc.folder_of(root).glob("JPEGImages/*")) == names
    return len(voc.load("train", root=root)) == 8 and len(voc.load("test", root=root)) == 5


@pytest.fixture
def archive(tmp_path, monkeypatch) -> Path:
    """The small set, packed as the official archive is."""
    made = tmp_path / "packed"
    make(made / "VOCdevkit" / "VOC2012")
    path = tmp_path / voc.ARCHIVE
    with tarfile.open(path, "w") as tar:
        tar.add(made / "VOCdevkit", "VOCdevkit")
    shutil.rmtree(made)
    monkeypatch.setattr(voc, "MD5", hashlib.md5(path.read_bytes()).hexdigest())
    return path


@pytest.mark.parametrize("mirror", [0, 1])
def test_from_its_server_or_the_next(archive, tmp_path, file_server, monkeypatch, nowhere, mirror):
    file_server.files[voc.ARCHIVE] = archive.read_bytes()
    addresses = (nowhere + "/voc.tar",) * mirror + (file_server.url(voc.ARCHIVE),)
    monkeypatch.setattr(voc, "ADDRESSES", addresses)
    root = tmp_path / "data"
    assert voc.present(root) == ""
    assert len(load_masks("voc", "test", root=root)) == 5
    assert whole(root)
    assert voc.fetch(root) == voc.folder_of(root)
    assert len(file_server.asked) == 1  # the second time there is nothing left to fetch


def test_an_archive_put_into_the_data_folder_by_hand(archive, tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    archive.rename(root / voc.ARCHIVE)
    voc.fetch(root)
    assert whole(root)


@pytest.mark.parametrize("place", [".", "VOC2012", "VOCdevkit/VOC2012", "a/VOCdevkit/VOC2012"])
def test_from_a_folder(tmp_path, place):
    make(tmp_path / "copy" / place)
    root = tmp_path / "data"
    voc.fetch(root, str(tmp_path / "copy"))
    assert whole(root)
    assert (
        tmp_path / "copy" / place / "JPEGImages" / "2012_000001.jpg"
    ).is_file()  # the copy is left as it was


def test_beside_other_years(tmp_path):
    make(tmp_path / "copy" / "VOC2012")
    for year in ("VOC2007", "VOC2013"):
        folder = make(tmp_path / "copy" / year)
        (folder / "ImageSets" / "Segmentation" / "train.txt").write_text("")
    voc.fetch(tmp_path / "data", str(tmp_path / "copy"))
    assert whole(tmp_path / "data")


def test_from_an_archive_packed_otherwise(tmp_path):
    made = make(tmp_path / "made" / "VOC2012_train_val")
    path = tmp_path / "from a friend.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for file in made.rglob("*"):
            packed.write(file, file.relative_to(tmp_path / "made"))
    voc.fetch(tmp_path / "data", str(path))
    assert whole(tmp_path / "data")
    assert path.is_file()  # it isn't ours to delete


def test_from_a_mirror(archive, tmp_path, file_server):
    file_server.files["somewhere/voc.tar"] = archive.read_bytes()
    voc.fetch(tmp_path / "data", file_server.url("somewhere/voc.tar"))
    assert whole(tmp_path / "data")
    assert archive.is_file()


def test_a_mirror_must_give_the_official_archive(archive, tmp_path, file_server):
    file_server.files["voc.tar"] = archive.read_bytes() + b"and more"
    with pytest.raises(DownloadError, match=r"its md5 is \w+ instead of") as caught:
        voc.fetch(tmp_path / "data", file_server.url("voc.tar"))
    assert "assignments data voc --from PATH_OR_URL" in str(caught.value)
    assert voc.present(tmp_path / "data") == ""


def test_from_what_the_environment_names(tmp_path, monkeypatch):
    monkeypatch.setenv(voc.ORIGIN, str(make(tmp_path / "copy")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_masks("voc", "train", number=3, root=tmp_path / "data").name == "voc"
    assert whole(tmp_path / "data")


def test_what_is_named_goes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(voc.ORIGIN, str(tmp_path / "nothing"))
    voc.fetch(tmp_path / "data", str(make(tmp_path / "copy")))
    assert whole(tmp_path / "data")


@pytest.mark.parametrize(
    ("origin", "error", "message"),
    [
        ("nothing", DownloadError, r"PASCAL VOC 2012 could not be downloaded: there is no \S+nothing"),
        ("empty", DownloadError, r"\S+empty has no folder with ImageSets/Segmentation, JPEGImages and Segm"),
        ("half.tar", CorruptFileError, r"half\.tar can't be unpacked \(.*\): get it anew, or name another"),
        ("text.rar", CorruptFileError, r"text\.rar can't be unpacked \(.*\): get it anew, or name another"),
        ("other.zip", DownloadError, r"other\.zip has no folder with ImageSets"),
    ],
)
def test_a_place_that_does_not_have_it(archive, tmp_path, origin, error, message):
    (tmp_path / "empty" / "JPEGImages").mkdir(parents=True)
    (tmp_path / "half.tar").write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    (tmp_path / "text.rar").write_text("not an archive")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as packed:
        packed.writestr("readme.txt", "something else")
    with pytest.raises(error, match=message):
        voc.fetch(tmp_path / "data", str(tmp_path / origin))
    assert not voc.folder_of(tmp_path / "data").exists()
    assert list(tmp_path.glob("data/VOCdevkit/*")) == []  # nothing half done is left


def test_offline_it_says_what_to_do(tmp_path):
    with pytest.raises(DownloadError, match="PASCAL VOC 2012 could not be downloaded") as caught:
        voc.load("train", root=tmp_path)
    message = str(caught.value)
    assert "since late 2025" in message
    assert f"By hand: save it as {tmp_path / voc.ARCHIVE}" in message
    assert "assignments data voc --from PATH_OR_URL" in message
    assert voc.ORIGIN in message
    assert caught.value.offline


def test_the_command_takes_a_place(tmp_path):
    copy, root = make(tmp_path / "copy"), tmp_path / "data"
    done = CliRunner().invoke(app, ["data", "voc", "--from", str(copy), "--root", str(root)])
    assert done.exit_code == 0, done.output
    assert "8 of 1,464 train, 5 of 1,449 val pictures with masks" in " ".join(done.output.split())
    assert whole(root)
    done = CliRunner().invoke(
        app, ["data", "voc", "--from", str(tmp_path / "no"), "--root", str(tmp_path / "other")]
    )
    assert done.exit_code == 1
    assert "there is no" in done.output
