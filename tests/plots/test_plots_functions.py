"""Each plot: what it says in words, how large it is, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from assignments_lib import plots
from assignments_lib.datasets.pictures import Pictures
from assignments_lib.plots import lines, picture
from assignments_lib.training import Epoch, History

CLASSES = ["cat", "train", "apple"]
KILOBYTES_60 = 60 * 1024


def history(epochs: int, planned: int = 0, name: str = "") -> History:
    rows = [Epoch(n, 2 / n, 2.2 / n, 1 - 0.6 / n, 3.0) for n in range(1, epochs + 1)]
    return History(rows, name=name, planned=planned)


def test_live_curves_update_one_output_and_say_the_latest(shown: Any) -> None:
    live = plots.LiveCurves("ResNet34 from scratch")
    growing = History(planned=4)
    live(growing)
    assert not shown
    for row in history(4):
        growing.append(row)
        live(growing)
    assert shown.only.updates == 3
    assert shown.only.alt.startswith(
        "ResNet34 from scratch, after 4 epochs: training loss 0.50 (2.00 in the first epoch)"
    )
    assert "validation loss 0.55, validation accuracy 85.0 % (best 85.0 % in epoch 4)" in shown.only.alt
    live(history(1, planned=3))
    assert len(shown) == 2
    assert "after 1 of 3 epochs" in shown[1].alt


def test_curves_compare_runs(shown: Any) -> None:
    plots.curves({"from scratch": history(6), "fine-tuned": history(3, 6), "empty": History()})
    assert "from scratch, after 6 epochs" in shown.only.alt
    assert "fine-tuned, after 3 of 6 epochs" in shown.only.alt
    assert len(shown.only.png) < KILOBYTES_60
    with pytest.raises(ValueError, match="empty"):
        plots.curves({"empty": History()})


@pytest.mark.parametrize(("measure", "headed"), [("accuracy", "Accuracy"), ("mIoU", "mIoU")])
def test_curves_are_headed_by_what_was_measured(
    measure: str, headed: str, shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = []

    def remember(figure: Figure, *rest: Any) -> picture.Picture:
        figures.append(figure)
        return picture.render(figure, *rest)

    monkeypatch.setattr(lines, "render", remember)
    monkeypatch.setattr(lines, "show", remember)
    measured = History(history(2), measure=measure)
    plots.LiveCurves("U-Net")(measured)
    plots.curves({"U-Net": measured})
    live, compared = ([axes.get_title("left") for axes in figure.axes] for figure in figures)
    assert live == ["Loss", headed]
    assert compared == ["Training loss", "Validation loss", f"Validation {measure}"]
    assert f"validation {measure} 70.0 % (best 70.0 % in epoch 2)" in shown.only.alt


def test_gradient_norms(shown: Any) -> None:
    plots.gradient_norms({"plain": [1e-6, 1e-3, 1.0], "residual": [0.5, 0.0, 0.7]})
    assert "plain: 1e-06 at the first of 3 layers, 1 at the last" in shown.only.alt
    with pytest.raises(ValueError, match="no gradient norms"):
        plots.gradient_norms({"plain": []})


@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (5, 3, 20, 40)])
def test_gallery_takes_bytes_floats_arrays_and_lists(shape: tuple[int, ...], shown: Any) -> None:
    images = torch.randint(256, shape, dtype=torch.uint8)
    titles = ["one", "two", "three", "four", "five"]
    for given in (images, images / 255, images.numpy(), list(images)):
        plots.gallery(given, titles, columns=3)
    assert len({output.png for output in shown}) == 1
    assert shown[0].alt == "Gallery: 5 pictures, row by row: one; two; three; four; five."


def test_gallery_stretches_normalised_images(shown: Any) -> None:
    images = torch.rand(2, 1, 8, 8)
    images[0, 0, 0, 0], images[0, 0, 0, 1] = 0, 1
    plots.gallery(images, ["a first one", "a second one"])
    plots.gallery((images - 0.2) * 5, ["a first one", "a second one"])
    assert shown[0].png == shown[1].png


def test_gallery_refuses_what_it_cannot_show(shown: Any) -> None:
    with pytest.raises(ValueError, match="titles"):
        plots.gallery(torch.rand(2, 1, 8, 8), ["one"])
    with pytest.raises(ValueError, match="description in words"):
        plots.gallery(torch.rand(2, 1, 8, 8))
    with pytest.raises(ValueError, match=r"\(N, 1 or 3, H, W\)"):
        plots.gallery(torch.rand(8, 8, 3), ["one"])
    assert not shown


@pytest.mark.parametrize("channels", [1, 3])
def test_contact_sheet_has_a_row_a_class(channels: int, shown: Any) -> None:
    images = torch.randint(256, (40, channels, 28, 28), dtype=torch.uint8)
    pictures = Pictures(images, torch.arange(40) % 2, ("cat", "train", "never"), "toys")
    plots.contact_sheet(pictures, per_class=4)
    assert shown.only.alt.startswith("toys: 40 pictures. 3 rows of up to 4 pictures, 28 by 28 pixels")
    assert "cat, train, never" in shown.only.alt
    with pytest.raises(ValueError, match="no pictures"):
        plots.contact_sheet(pictures.take(0))


def test_largest_contact_sheet_stays_small(shown: Any) -> None:
    """Ten classes of random noise compress worse than any drawing."""
    images = torch.randint(256, (120, 1, 28, 28), dtype=torch.uint8)
    classes = tuple("abcdefghij")
    plots.contact_sheet(Pictures(images, torch.arange(120) % 10, classes, "noise"))
    assert len(shown.only.png) < 6 * KILOBYTES_60


def test_confusion_is_told_in_words(shown: Any) -> None:
    plots.confusion(torch.tensor([[90, 8, 2], [0, 50, 0], [1, 0, 0]]), CLASSES)
    assert "of 3 classes: 140 of 151 right (92.7 %)" in shown.only.alt
    assert "cat taken for train (8), cat taken for apple (2), apple taken for cat (1)" in shown.only.alt
    assert len(shown.only.png) < KILOBYTES_60


def test_confusion_copes_with_nothing_and_refuses_nonsense(shown: Any) -> None:
    plots.confusion(np.zeros((3, 3), int), CLASSES)
    assert "No mistakes." in shown.only.alt
    with pytest.raises(ValueError, match="whole numbers"):
        plots.confusion(np.full((3, 3), 0.3), CLASSES)
    with pytest.raises(ValueError, match=r"\(3, 3\)"):
        plots.confusion(np.zeros((2, 2)), CLASSES)


def test_worst_mistakes_come_surest_first(shown: Any) -> None:
    probabilities = torch.tensor([[0.1, 0.9, 0], [0.03, 0.97, 0], [1, 0, 0], [0.2, 0.5, 0.3]])
    labels = torch.tensor([0, 2, 0, 0])
    plots.worst_mistakes(torch.rand(4, 1, 8, 8), labels, probabilities, CLASSES, n=2)
    assert (
        "2 of 3 wrong among 4 pictures. said train 97 %, is apple; said train 90 %, is cat." in shown.only.alt
    )
    assert "cat was taken for train (2 times)" in shown.only.alt


def test_worst_mistakes_without_mistakes_or_with_logits(
    shown: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
    plots.worst_mistakes(images, labels, torch.eye(3)[:2], CLASSES)
    assert capsys.readouterr().out == "No mistakes among 2 pictures.\n"
    with pytest.raises(ValueError, match="before the softmax"):
        plots.worst_mistakes(images, labels, torch.randn(2, 3) * 9, CLASSES)
    with pytest.raises(ValueError, match="go together"):
        plots.worst_mistakes(images, labels[:1], torch.eye(3)[:2], CLASSES)
    assert not shown


def test_receptive_field_names_each_size(shown: Any) -> None:
    plots.receptive_field([3, 5, 9], ["first", "second", "third"], image_size=16)
    assert (
        "3 by 3 pixels after first, 5 by 5 pixels after second, 9 by 9 pixels after third" in shown.only.alt
    )
    with pytest.raises(ValueError, match="sizes"):
        plots.receptive_field([])
    with pytest.raises(ValueError, match="names"):
        plots.receptive_field([3], ["one", "two"])
