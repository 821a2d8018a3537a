"""The dense CRF's demonstration: what it counts, what it keeps, and that it mends more than it spoils."""

from __future__ import annotations

import pytest
import torch

from assignments_lib.datasets import scenes
from assignments_lib.segmentation import DenseCRF
from assignments_lib.widgets import Drawing
from assignments_lib.widgets import crf as module
from assignments_lib.widgets.crf import CRF, Change


@pytest.fixture(scope="module")
def small() -> CRF:
    drawn, labels = scenes.draw(46, (40, 56))
    return CRF(image=torch.from_numpy(drawn).permute(2, 0, 1) / 255, mask=torch.from_numpy(labels))


def test_every_changed_pixel_is_counted_once() -> None:
    generator = torch.Generator().manual_seed(0)
    before, after, truth = (torch.randint(0, 3, (9, 11), generator=generator) for _ in range(3))
    truth[0, :4] = 255
    counted = {"right_before": 0, "right_after": 0, "mended": 0, "spoiled": 0, "moved": 0}
    for was, now, right in zip(*(each.flatten().tolist() for each in (before, after, truth)), strict=True):
        if right == 255:
            continue
        counted["right_before"] += was == right
        counted["right_after"] += now == right
        if was != now:
            counted["mended" if now == right else "spoiled" if was == right else "moved"] += 1
    change = Change.between(before, after, truth)
    assert change == Change(pixels=95, **counted)
    assert change.right_after - change.right_before == change.mended - change.spoiled
    assert change.changed == int(((before != after) & (truth != 255)).sum())


def test_the_default_setting_improves_the_default_scene() -> None:
    shown = CRF()
    after = shown.refined(**{name: control.value for name, control in shown.controls().items()})
    change = Change.between(shown.rough, after, shown.truth)
    assert change.right_after - change.right_before > 0.03 * change.pixels
    spoon = shown.truth == shown.classes.index("spoon")
    assert (after == shown.truth)[spoon].sum() < (shown.rough == shown.truth)[
        spoon
    ].sum()  # what is thin vanishes


def test_without_iterations_the_mask_stays_rough(small: CRF) -> None:
    assert torch.equal(small.refined(10, 10, 3, 0), small.rough)


def test_leaving_unlikely_classes_out_changes_next_to_nothing(small: CRF) -> None:
    everything = module._roughened(small.truth, len(scenes.CLASSES))
    assert len(small.likely) < len(everything)
    all_classes = DenseCRF(small.image, position=10, colour=10, near=3)(everything, iterations=5).argmax(0)
    assert (small.refined(10, 10, 3, 5) == all_classes).float().mean() > 0.99


def test_kernels_are_computed_anew_only_where_they_change(
    monkeypatch: pytest.MonkeyPatch, small: CRF
) -> None:
    made = []

    class Counted(DenseCRF):
        def __init__(self, *args: object, **widths: float) -> None:
            made.append(widths)
            super().__init__(*args, **widths)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "DenseCRF", Counted)
    shown = CRF(image=small.image, mask=small.truth)
    for iterations in (1, 2, 5):
        shown.refined(8, 10, 3, iterations)
    shown.refined(9, 10, 3, 5)
    assert made == [{"position": 8, "colour": 10, "near": 3}, {"position": 9, "colour": 10, "near": 3}]


def test_each_control_moves_the_picture(small: CRF) -> None:
    start = {name: control.value for name, control in small.controls().items()}
    settings = [start, *({**start, name: control.still} for name, control in small.controls().items())]
    shown = [small.pictures(**values) for values in settings]
    drawings = [pictures["masks"] for pictures in shown]
    assert all(isinstance(each, Drawing) for each in drawings)
    assert len({each.picture.png for each in drawings if isinstance(each, Drawing)}) == len(settings)
    assert len({tuple(pictures) for pictures in shown}) == 1


def test_a_networks_own_probabilities_are_taken(small: CRF) -> None:
    probabilities = torch.zeros(11, *small.truth.shape)
    probabilities[3] = 1.0
    shown = CRF(probabilities, small.image, small.truth)
    assert shown.likely.tolist() == [3]
    assert (shown.refined(10, 10, 3, 2) == 3).all()


@pytest.mark.parametrize("given", [{"image": torch.rand(3, 8, 8)}, {"probabilities": torch.rand(2, 8, 8)}])
def test_half_of_what_belongs_together(given: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="belong together"):
        CRF(**given)


def test_sizes_that_differ() -> None:
    image, mask = torch.rand(3, 20, 20), torch.zeros(20, 20, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"image \(3, 20, 20\) and mask \(20, 19\)"):
        CRF(image=image, mask=mask[:, :19])
    with pytest.raises(ValueError, match=r"probabilities \(2, 9, 9\)"):
        CRF(torch.rand(2, 9, 9), image, mask)
