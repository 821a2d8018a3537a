"""Counts against torchmetrics and against loops; bands against what the paper defines, pixel by pixel."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from assignments_lib import metrics
from assignments_lib.metrics import ConfusionMatrix, boundary_bands

devices = pytest.mark.parametrize(
    "device",
    ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))],
)


def drawn(seed: int, classes: int = 5, shape: tuple[int, ...] = (3, 13, 17)) -> tuple[Tensor, Tensor]:
    """Predictions, and masks in which a fifth is 255."""
    generator = torch.Generator().manual_seed(seed)
    predictions, masks = torch.randint(classes, (2, *shape), generator=generator)
    return predictions, masks.masked_fill(torch.rand(shape, generator=generator) < 0.2, 255)


def looped(predictions: Tensor, masks: Tensor, classes: int) -> Tensor:
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    for called, label in zip(predictions.flatten().tolist(), masks.flatten().tolist(), strict=True):
        if label != 255:
            counts[label, called] += 1
    return counts


# -- counts -------------------------------------------------------------------------------------------------


@devices
@pytest.mark.parametrize("seed", range(3))
def test_counts_are_torchmetrics_and_those_of_a_loop(device, seed):
    matrix, theirs = ConfusionMatrix(5), MulticlassConfusionMatrix(5, ignore_index=255)
    every = []
    for batch in range(3):
        predictions, masks = drawn(10 * seed + batch)
        matrix.update(predictions.to(device), masks.to(device))
        theirs.update(predictions, masks)
        every.append(looped(predictions, masks, 5))
    assert matrix.counts.device.type == "cpu"
    assert matrix.counts.dtype == torch.int64
    assert matrix.counts.equal(sum(every))
    assert matrix.counts.equal(theirs.compute())
    assert not matrix.counts.equal(matrix.counts.T)  # so that exchanging target and prediction would show


@devices
def test_of_logits_the_highest_decides(device):
    generator = torch.Generator().manual_seed(0)
    logits, (_, masks) = torch.randn(3, 5, 13, 17, generator=generator), drawn(1)
    matrix, theirs = ConfusionMatrix(5), MulticlassConfusionMatrix(5, ignore_index=255)
    for kind in (torch.float32, torch.bfloat16):
        matrix.update(logits.to(device, kind), masks.to(device))
        theirs.update(logits.to(kind).float(), masks)
    assert matrix.counts.equal(theirs.compute())


def test_labels_of_pictures_are_counted_too():
    logits = torch.eye(4)[[0, 2, 2, 3]]
    matrix = ConfusionMatrix(4)
    matrix.update(logits, torch.tensor([0, 1, 2, 255]))
    assert matrix.counts.nonzero().tolist() == [[0, 0], [1, 2], [2, 2]]


@pytest.mark.parametrize(
    ("called", "labels"), list(product([torch.uint8, torch.int32, torch.int64], repeat=2)), ids=str
)
def test_every_whole_number_type(called, labels):
    predictions, masks = drawn(2, classes=200)  # 255 * 200 + 199 is more than a byte, or two, can hold
    matrix = ConfusionMatrix(200)
    matrix.update(predictions.to(called), masks.to(labels))
    assert matrix.counts.equal(looped(predictions, masks, 200))


def test_two_classes_may_be_booleans():
    predictions, masks = torch.tensor([[[True, True, False]]]), torch.tensor([[[True, False, False]]])
    matrix = ConfusionMatrix(2)
    matrix.update(predictions, masks)
    assert matrix.counts.tolist() == [[1, 1], [0, 1]]


def test_more_pixels_than_one_piece(monkeypatch):
    predictions, masks = drawn(3)
    matrix = ConfusionMatrix(5)
    matrix.update(predictions, masks)
    monkeypatch.setattr(metrics, "PIECE", 50)
    in_pieces = ConfusionMatrix(5)
    in_pieces.update(predictions, masks)
    assert in_pieces.counts.equal(matrix.counts)


def test_views_are_counted_by_place_and_left_as_they_were():
    predictions, masks = drawn(4, shape=(3, 9, 9))
    turned = predictions.transpose(1, 2)
    before = predictions.clone(), masks.clone()
    matrix = ConfusionMatrix(5)
    matrix.update(turned, masks)
    assert matrix.counts.equal(looped(turned, masks, 5))
    assert predictions.equal(before[0])
    assert masks.equal(before[1])


@pytest.mark.parametrize(("classes", "ignored"), [(5, 255), (5, 2), (5, 5), (3, 0), (300, 255)])
def test_what_is_ignored_counts_nowhere(classes, ignored):
    predictions, masks = drawn(5, classes)
    masks[masks == 255] = ignored
    matrix = ConfusionMatrix(classes, ignore_index=ignored)
    matrix.update(predictions, masks)
    assert matrix.counts.sum() == (masks != ignored).sum()
    assert matrix.counts.equal(looped(predictions, masks.masked_fill(masks == ignored, 255), classes))


def test_nothing_labelled_and_nothing_at_all():
    matrix = ConfusionMatrix(3)
    matrix.update(torch.zeros(1, 4, 4, dtype=torch.int64), torch.full((1, 4, 4), 255))
    matrix.update(torch.zeros(0, 3, 4, 4), torch.zeros(0, 4, 4, dtype=torch.int64))
    assert matrix.counts.equal(torch.zeros(3, 3, dtype=torch.int64))


def test_reset_and_sums():
    (one, other), both = (ConfusionMatrix(5) for _ in range(2)), ConfusionMatrix(5)
    for matrix, seed in ((one, 0), (other, 1)):
        matrix.update(*drawn(seed))
        both.update(*drawn(seed))
    first = one.counts.clone()
    assert (one + other).counts.equal(both.counts)
    assert one.counts.equal(first)  # neither side changed
    kept = one.counts
    one.update(*drawn(2))
    assert kept.equal(first)  # counts taken earlier don't move
    one.reset()
    assert one.counts.sum() == 0
    one.update(*drawn(0))
    assert one.counts.equal(first)
    with pytest.raises(ValueError, match="not those of 5 classes ignoring 255 and 4 classes ignoring 255"):
        one + ConfusionMatrix(4)
    with pytest.raises(TypeError):
        one + 3


WRONG = {
    "a label between": (lambda p, m: (p, m.masked_fill(m == 4, 11)), "masks have the class 11; there are 0 to 4, and"),
    "a large label": (lambda p, m: (p, m.masked_fill(m == 4, 10**9)), "masks have the class 1000000000"),
    "a negative label": (lambda p, m: (p, m.masked_fill(m == 4, -1)), "masks have the class -1"),
    "a prediction too high": (lambda p, m: (p + 1, m), "predictions have the class 5; there are 0 to 4$"),
    "a negative prediction": (lambda p, m: (p - 1, m), "predictions have the class -1"),
    "other shapes": (lambda p, m: (p[:, :-1], m), r"same shape, not \(3, 12, 17\) and \(3, 13, 17\)"),
    "as many pixels, other shapes": (lambda p, m: (p.transpose(1, 2), m), "must have the same shape"),
    "float masks": (lambda p, m: (p, m.float()), "masks must hold whole numbers, such as int64, not torch.float32"),
    "float predictions": (lambda p, m: (p.float(), m), "neither logits"),
    "logits of other classes": (lambda p, m: (torch.randn(3, 4, 13, 17), m), "have 4 channels, but there are 5"),
    "masks with a channel": (lambda p, m: (torch.randn(3, 5, 13, 17), m[:, None]), "neither logits"),
    "another device": (lambda p, m: (p.to("meta"), m), "must be on one device, not meta and cpu"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_counted_is_refused_whole(what):
    spoil, message = WRONG[what]
    matrix = ConfusionMatrix(5)
    matrix.update(*drawn(6))
    before = matrix.counts.clone()
    with pytest.raises(ValueError, match=message):
        matrix.update(*spoil(*drawn(7)))
    assert matrix.counts.equal(before)


def test_a_wrong_pixel_in_a_later_piece_is_refused_too(monkeypatch):
    monkeypatch.setattr(metrics, "PIECE", 50)
    predictions, masks = drawn(8)
    masks[-1, -1, -1] = 100
    matrix = ConfusionMatrix(5)
    with pytest.raises(ValueError, match="masks have the class 100"):
        matrix.update(predictions, masks)
    assert matrix.counts.sum() == 0


@pytest.mark.parametrize(
    ("given", "message"), [((0,), "at least 1, not 0"), ((3, -100), "0 to 255, not -100")]
)
def test_impossible_matrices(given, message):
    with pytest.raises(ValueError, match=message):
        ConfusionMatrix(*given)


# -- bands --------------------------------------------------------------------------------------------------


def regions(seed: int, classes: int = 3, shape: tuple[int, int, int] = (2, 15, 12)) -> Tensor:
    """Masks of larger patches, without 255."""
    coarse = torch.randint(classes, (shape[0], 4, 4), generator=torch.Generator().manual_seed(seed))
    rows, columns = (torch.arange(side) * 4 // side for side in shape[1:])
    return coarse[:, rows][:, :, columns]


def banded(masks: Tensor, classes: int, distance: int, border: bool) -> Tensor:
    """As the definition says it, pixel by pixel."""
    bands = masks.clone()
    height, width = masks.shape[-2:]
    for n, row, column in product(range(len(masks)), range(height), range(width)):
        label = masks[n, row, column]
        edges = (row, column, height - 1 - row, width - 1 - column)
        rows, columns = (slice(max(0, at - distance), at + distance + 1) for at in (row, column))
        near = (border and min(edges) < distance) or bool((masks[n, rows, columns] != label).any())
        if label != 255 and not near:
            bands[n, row, column] = classes
    return bands


@devices
@pytest.mark.parametrize("border", [False, True])
@pytest.mark.parametrize("distance", [1, 2, 3])
def test_bands_are_those_of_the_definition(device, distance, border):
    masks = regions(distance, shape=(2, 30, 34))
    masks[0, 3:5, 2:9] = 255  # a region of its own while nothing is assumed
    ours = boundary_bands(masks.to(device), 3, distance, picture_border=border)
    assert ours.cpu().equal(banded(masks, 3, distance, border))
    assert set(ours.unique().tolist()) == {0, 1, 2, 3, 255}


def eroded(mask: Tensor, times: int) -> Tensor:
    """A (H, W) mask of one object after as many erosions by 3x3, outside being background."""
    for _ in range(times):
        around = torch.zeros(len(mask) + 2, mask.shape[1] + 2, dtype=torch.bool)
        around[1:-1, 1:-1] = mask
        shifted = [around[y : y + len(mask), x : x + mask.shape[1]] for y, x in product(range(3), repeat=2)]
        mask = torch.stack(shifted).all(0)
    return mask


def iou(counts: Tensor) -> Tensor:
    both = counts.diag().double()
    return both / (counts.sum(0) + counts.sum(1) - both)


@pytest.mark.parametrize("distance", [1, 2, 3])
def test_counts_of_bands_give_boundary_iou_as_its_authors_compute_it(distance):
    masks, predictions = regions(0), regions(0).roll(1, 2)
    matrix = ConfusionMatrix(4)
    matrix.update(*(boundary_bands(each, 3, distance, picture_border=True) for each in (predictions, masks)))
    for label in range(3):
        target, called = (
            torch.stack([mask & ~eroded(mask, distance) for mask in each == label])
            for each in (masks, predictions)
        )
        expected = (target & called).sum() / (target | called).sum()
        assert iou(matrix.counts)[label] == pytest.approx(float(expected))
        assert 0 < expected < 1


def test_the_edge_of_the_picture_is_no_border_unless_asked_for():
    masks = torch.zeros(1, 8, 8, dtype=torch.int64)
    assert (boundary_bands(masks, 2, 2) == 2).all()
    assert (boundary_bands(masks, 2, 2, picture_border=True) == 2).sum() == 16


def test_a_wide_band_takes_all_and_a_large_picture_is_no_matter():
    masks = regions(1)
    assert boundary_bands(masks, 3, 100).equal(masks)
    assert boundary_bands(masks, 3, 10**4, picture_border=True).equal(masks)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64])
def test_shape_type_and_input_are_kept(kind):
    masks = regions(2).to(kind)
    before = masks.clone()
    whole = boundary_bands(masks, 3, 2)
    assert (whole.dtype, whole.shape) == (kind, masks.shape)
    assert boundary_bands(masks[0], 3, 2).equal(whole[0])
    assert boundary_bands(masks[None], 3, 2).equal(whole[None])
    assert masks.equal(before)
    assert boundary_bands(masks[:0], 3, 2).shape == (0, 15, 12)


def with_rim(masks: Tensor) -> Tensor:
    """255 on the pixels whose right or lower neighbour is of another class, as between things in scenes."""
    right, below = masks.clone(), masks.clone()
    right[:, :, :-1], below[:, :-1] = masks[:, :, 1:], masks[:, 1:]
    return masks.masked_fill((right != masks) | (below != masks), 255)


@pytest.mark.parametrize("distance", [1, 2, 3])
def test_a_prediction_that_agrees_with_every_label_has_the_bands_of_the_target(distance):
    predictions = regions(3)
    masks = with_rim(predictions)
    assert (masks == 255).float().mean() > 0.1

    def scores(**given: Tensor) -> Tensor:
        matrix = ConfusionMatrix(4)
        matrix.update(boundary_bands(predictions, 3, distance), boundary_bands(masks, 3, distance, **given))
        return iou(matrix.counts)[:3]

    assert (scores(assume=predictions) == 1).all()
    assert (scores() < 1).any()  # what `assume` is for: the rim moved the border


def test_what_is_assumed_gives_no_border_away():
    masks = torch.tensor([[[0] * 6 + [255] + [1] * 6] * 3])
    nothing = torch.zeros_like(masks)
    bands = boundary_bands(masks, 2, 2, assume=nothing)
    assert bands[0, 0].tolist() == [2, 2, 2, 2, 2, 0, 255, 1, 1, 2, 2, 2, 2]
    matrix = ConfusionMatrix(3)
    matrix.update(boundary_bands(nothing, 2, 2), bands)
    assert matrix.counts[:2, :2].sum() == 0  # the missed border earns nothing


def test_only_labels_of_unlabelled_pixels_are_assumed():
    masks, predictions = with_rim(regions(4)), regions(5)
    bands = boundary_bands(masks, 3, 2, assume=predictions)
    assert ((bands == 255) == (masks == 255)).all()
    in_band = (bands != 255) & (bands != 3)
    assert bands[in_band].equal(masks[in_band])
    filled = torch.where(masks == 255, predictions, masks)
    assert bands.equal(boundary_bands(filled, 3, 2).masked_fill(masks == 255, 255))


BAD = {
    "floats": (lambda: boundary_bands(regions(0).float(), 3, 1), "whole numbers, not .* torch.float32"),
    "a row": (lambda: boundary_bands(torch.zeros(5, dtype=torch.int64), 3, 1), r"not \(5,\)"),
    "no distance": (lambda: boundary_bands(regions(0), 3, 0), "distance must be 1, 2, 3, ... pixels, not 0"),
    "half a pixel": (lambda: boundary_bands(regions(0), 3, 1.5), "not 1.5"),
    "too many classes": (lambda: boundary_bands(regions(0), 255, 1), "num_classes must be 1 to 254, not 255"),
    "an unknown label": (lambda: boundary_bands(regions(0), 2, 1), "the label 2; there are 0 to 1, and 255"),
    "a negative label": (lambda: boundary_bands(regions(0) - 1, 3, 1), "the label -1"),
    "another shape": (lambda: boundary_bands(regions(0), 3, 1, assume=regions(0)[:1]), "shape of masks"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_has_no_bands_is_refused(what):
    call, message = BAD[what]
    with pytest.raises(ValueError, match=message):
        call()


def test_no_score_is_in_the_library():
    """The student turns counts into scores: nothing here does."""
    assert not [
        name for name in dir(ConfusionMatrix) + dir(metrics) if "iou" in name.lower() or "accuracy" in name
    ]
    assert not hasattr(ConfusionMatrix, "compute")
