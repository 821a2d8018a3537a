from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from assignments_lib.datasets import load_masks, pets, pets_masks
from assignments_lib.datasets.download import CorruptFileError
from assignments_lib.datasets.mixed_order import number_of

SIZES = [(90, 60), (60, 100), (128, 112)]  # width, height


def make(root: Path, number: int = 12) -> Path:
    """A small set in Pet's layout: a red pet in the middle before green, a blue seam of 3 pixels to either side."""
    base = pets.folder_of(root)
    (base / "images").mkdir(parents=True)
    (base / "annotations" / "trimaps").mkdir(parents=True)
    lists: dict[str, list[str]] = {"trainval": [], "test": []}
    for i in range(number):
        width, height = SIZES[i % len(SIZES)]
        image, trimap = Image.new("RGB", (width, height), (0, 200, 0)), Image.new("L", (width, height), 2)
        left, right = width // 3, 2 * width // 3
        for picture, seam, inside in ((image, (0, 0, 200), (200, 0, 0)), (trimap, 3, 1)):
            picture.paste(seam, (left - 3, 0, right + 3, height))
            picture.paste(inside, (left, 0, right, height))
        name = f"{'pug' if i % 2 else 'Abyssinian'}_{i}"
        image.save(base / "images" / f"{name}.jpg", quality=95)
        trimap.save(base / "annotations" / "trimaps" / f"{name}.png")
        lists["test" if i % 4 == 3 else "trainval"].append(f"{name} {1 + i % 2} 1 1")
    for split, lines in lists.items():
        (base / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return base


def test_form_labels_and_splits(tmp_path):
    make(tmp_path)
    train, test = (pets_masks.load(split, root=tmp_path) for split in ("train", "test"))
    assert (train.name, train.classes) == ("pets", ("background", "pet"))
    assert (len(train), len(test)) == (9, 3)
    assert train.images.shape == (9, 3, 112, 128)
    assert train.masks.dtype == torch.uint8
    assert train.masks.unique().tolist() == [0, 1, 255]


def test_the_numbers_of_a_trimap_become_labels(tmp_path):
    base = make(tmp_path)
    image, mask = pets_masks.read(tmp_path, "Abyssinian_0")
    numbers = torch.from_numpy(np.array(Image.open(base / "annotations" / "trimaps" / "Abyssinian_0.png")))
    assert mask.shape == image.shape[1:] == (60, 90)
    assert (mask == 1).equal(numbers == 1)
    assert (mask == 0).equal(numbers == 2)
    assert (mask == 255).equal(numbers == 3)


@pytest.mark.parametrize("size", [(48, 64), (64, 48), (33, 70)])
def test_size_is_height_and_width_and_image_and_mask_stay_together(tmp_path, size):
    make(tmp_path)
    pictures = load_masks("pets", "train", size=size, root=tmp_path)
    assert pictures.images.shape == (9, 3, *size)
    for label, channel in ((1, 0), (0, 1)):
        strongest = pictures.images.argmax(1)[pictures.masks == label]
        assert (strongest == channel).float().mean() > 0.97
    assert set(pictures.masks.unique().tolist()) <= {0, 1, 255}  # none was made up between two labels


def test_nothing_is_squeezed(tmp_path):
    make(tmp_path, 1)  # 90 x 60: of it, 60 x 60 in the middle
    mask = pets_masks.load("train", size=(30, 30), root=tmp_path).masks[0]
    assert (mask == 1).sum(1).unique().tolist() == [15]  # half of 30 columns; squeezed it would be a third


def test_a_smaller_set_is_the_beginning_of_a_larger_one_and_mixed(tmp_path):
    base = make(tmp_path)
    for i, line in enumerate((base / "annotations" / "trainval.txt").read_text().splitlines()):
        picture = Image.new("RGB", (90, 60), (10 * i, 0, 0))
        picture.save(base / "images" / f"{line.split()[0]}.jpg", quality=95)
        Image.new("L", (90, 60), 1).save(base / "annotations" / "trimaps" / f"{line.split()[0]}.png")
    whole, few = (pets_masks.load("train", size=(8, 8), number=number, root=tmp_path) for number in (None, 4))
    assert whole.take(4).images.equal(few.images)
    order = whole.images[:, 0, 4, 4].tolist()
    assert order != sorted(order)


def test_only_what_is_asked_for_is_decoded(tmp_path):
    base = make(tmp_path)
    lines = (base / "annotations" / "trainval.txt").read_text().splitlines()
    first = min((line.split()[0] for line in lines), key=number_of)
    for path in [*base.glob("images/*.jpg"), *base.glob("annotations/trimaps/*.png")]:
        if path.stem != first:
            path.write_bytes(b"damaged")
    assert len(pets_masks.load("train", number=1, root=tmp_path)) == 1
    with pytest.raises(CorruptFileError):
        pets_masks.load("train", number=2, root=tmp_path)


def test_a_palette_is_only_for_looking_at(tmp_path):
    path = make(tmp_path, 1) / "annotations" / "trimaps" / "Abyssinian_0.png"
    before = pets_masks.read(tmp_path, "Abyssinian_0")[1]
    with Image.open(path) as trimap:
        coloured = Image.frombytes("P", trimap.size, trimap.tobytes())
    coloured.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    coloured.save(path)
    assert pets_masks.read(tmp_path, "Abyssinian_0")[1].equal(before)


def damage(base: Path, how: str) -> None:
    picture, trimap = (
        base / "images" / "Abyssinian_0.jpg",
        base / "annotations" / "trimaps" / "Abyssinian_0.png",
    )
    if how == "no trimap":
        trimap.unlink()
    elif how == "no picture":
        picture.write_text("not a picture")
    elif how == "cut":
        picture.write_bytes(picture.read_bytes()[:-200])
    elif how == "another size":
        Image.new("L", (89, 60), 1).save(trimap)
    elif how == "another label":
        Image.new("L", (90, 60), 4).save(trimap)
    elif how == "colour":
        Image.new("RGB", (90, 60)).save(trimap)
    elif how == "no list":
        (base / "annotations" / "trainval.txt").unlink()
    elif how == "empty list":
        (base / "annotations" / "trainval.txt").write_text("")


@pytest.mark.parametrize(
    ("how", "message"),
    {
        "no trimap": r"Abyssinian_0\.png can't be read",
        "no picture": r"Abyssinian_0\.jpg is no picture",
        "cut": r"Abyssinian_0\.jpg can't be read .*truncated",
        "another size": r"Abyssinian_0\.png is 89x60 pixels, but its picture 90x60",
        "another label": r"Abyssinian_0\.png has the label 4",
        "colour": r"Abyssinian_0\.png has mode RGB instead of L or P",
        "no list": r"trainval\.txt can't be read",
        "empty list": "lists no pictures for 'train'",
    }.items(),
)
def test_damage_is_named_with_what_to_do(tmp_path, how, message):
    damage(make(tmp_path, 1), how)
    with pytest.raises(CorruptFileError, match=f"{message}.*: delete .*oxford-iiit-pet and load again"):
        pets_masks.load("train", root=tmp_path)


def test_unknown_split(tmp_path):
    with pytest.raises(ValueError, match="no split 'trainval'"):
        pets_masks.load("trainval", root=tmp_path)


def test_a_real_tree_in_this_layout(shared_data):
    root = shared_data / "pets_layout_standin"
    train, test = (pets_masks.load(split, root=root) for split in ("train", "test"))
    assert (len(train), len(test)) == (4, 3)
    for pictures in (train, test):
        assert {0, 1} <= set(pictures.masks.unique().tolist()) <= {0, 1, 255}
        assert 20 < pictures.images.float().mean() < 235
    image, mask = pets_masks.read(
        root, "crf_object_3"
    )  # 240 wide, 320 high: 8,456, 52,199 and 16,145 of 1, 2 and 3
    assert image.shape == (3, 320, 240)
    assert [int((mask == label).sum()) for label in (1, 0, 255)] == [8456, 52199, 16145]
