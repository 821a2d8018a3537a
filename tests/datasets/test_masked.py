import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from assignments_lib.datasets.masked import MaskedPictures, resized
from assignments_lib.datasets.mixed_order import number_of


def made(number: int = 4, dtype: torch.dtype = torch.uint8) -> MaskedPictures:
    images = torch.randint(0, 256, (number, 3, 6, 9), dtype=torch.uint8)
    masks = torch.randint(0, 3, (number, 6, 9)).to(dtype)
    masks[:, 0] = 255
    return MaskedPictures(images, masks, ("sky", "road", "car"), "made")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_a_pair_is_floats_and_labels(dtype):
    pictures = made(dtype=dtype)
    image, mask = pictures[1]
    assert (image.dtype, image.shape, mask.dtype, mask.shape) == (
        torch.float32,
        (3, 6, 9),
        torch.int64,
        (6, 9),
    )
    assert (image * 255).round().equal(pictures.images[1].float())
    assert mask.equal(pictures.masks[1].long())
    assert (mask[0] == pictures.ignore_index).all()


def test_it_is_a_data_set():
    pictures = made()
    batches = list(DataLoader(pictures, batch_size=3))
    assert [len(images) for images, _ in batches] == [3, 1]
    assert torch.cat([masks for _, masks in batches]).equal(pictures.masks.long())
    assert len(list(pictures)) == len(pictures) == 4


def test_masks_suit_the_loss_as_they_come():
    images, masks = next(iter(DataLoader(made(), batch_size=4)))
    logits = torch.randn(4, 3, *images.shape[-2:])
    loss = torch.nn.functional.cross_entropy(logits, masks, ignore_index=MaskedPictures.ignore_index)
    assert loss.isfinite()


def test_take():
    pictures = made()
    first = pictures.take(2)
    assert first.images.equal(pictures.images[:2])
    assert first.masks.equal(pictures.masks[:2])
    assert (first.classes, first.name) == (pictures.classes, "made")
    assert len(pictures.take(100)) == 4


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        (torch.zeros(2, 3, 4, 5), torch.zeros(2, 4, 5, dtype=torch.uint8), "images must be"),
        (
            torch.zeros(2, 1, 4, 5, dtype=torch.uint8),
            torch.zeros(2, 4, 5, dtype=torch.uint8),
            "images must be",
        ),
        (torch.zeros(2, 3, 4, 5, dtype=torch.uint8), torch.zeros(2, 5, 4, dtype=torch.uint8), r"\(2, 4, 5\)"),
        (
            torch.zeros(2, 3, 4, 5, dtype=torch.uint8),
            torch.zeros(2, 4, 5),
            "uint8 or int64, not .* torch.float32",
        ),
    ],
)
def test_another_form_is_refused(images, masks, words):
    with pytest.raises(ValueError, match=words):
        MaskedPictures(images, masks, ("sky",))


@pytest.mark.parametrize("label", [3, 254, -1])
def test_a_label_without_a_class_is_refused(label):
    pictures = made(dtype=torch.int64)
    pictures.masks[1, 3, 3] = label
    with pytest.raises(ValueError, match=f"the label {label}; there are 0 to 2, and 255 for no label"):
        MaskedPictures(pictures.images, pictures.masks, pictures.classes)


@pytest.mark.parametrize("size", [(5, 7), (6, 12), (24, 18)])
def test_resized_as_pillow_does_it(size):
    image = torch.randint(0, 256, (3, 12, 18), dtype=torch.uint8)
    mask = torch.randint(0, 11, (12, 18), dtype=torch.uint8)
    ours, ours_mask = resized(image, mask, size)
    pillow = Image.fromarray(image.permute(1, 2, 0).numpy()).resize(size[::-1], Image.Resampling.BILINEAR)
    pillow_mask = Image.fromarray(mask.numpy()).resize(size[::-1], Image.Resampling.NEAREST)
    assert (ours.int() - torch.from_numpy(np.array(pillow)).permute(2, 0, 1).int()).abs().max() <= 1
    assert ours_mask.equal(torch.from_numpy(np.array(pillow_mask)))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_resizing_invents_no_label(dtype):
    mask = torch.tensor([0, 7, 255]).repeat_interleave(40).expand(90, 120).to(dtype)
    image = torch.zeros(3, 90, 120, dtype=torch.uint8)
    small = resized(image, mask, (31, 41))[1]
    assert small.dtype == dtype
    assert small.unique().tolist() == [0, 7, 255]
    assert resized(image, mask, None)[1] is mask


def test_a_number_depends_on_the_name_alone_and_is_spread_evenly():
    assert number_of("0001TP_006690.png") == number_of("0001TP_006690.png")
    fifths = np.bincount([number_of(f"picture {i}") % 5 for i in range(10_000)], minlength=5)
    assert fifths.min() > 1800  # 2000 are expected, with a standard deviation of 40
