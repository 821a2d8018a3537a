"""The U is drawn from the network."""

from __future__ import annotations

import pytest

from assignments_lib.segmentation.unet import UNet, trace
from assignments_lib.widgets.u_shape import PADDED, PAPER, UShape, _columns


def test_the_papers_network() -> None:
    shape = UShape().shape(PAPER, 4, 64, 572)
    assert shape.layers == 23  # section 2
    assert (shape.side, shape.steps[-1].height) == (572, 388)  # figure 1
    assert shape.cropped == [(64, 56), (136, 104), (280, 200), (568, 392)]  # figure 1


@pytest.mark.parametrize("network", [PAPER, PADDED])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_shape_is_that_of_a_real_network(network: str, depth: int) -> None:
    padded = network == PADDED
    real = UNet(3 if padded else 1, 2, 8, depth, padded=padded, norm=padded)
    shape = UShape().shape(network, depth, 8, 204)
    assert list(shape.steps) == trace(real, (shape.side, shape.side))
    assert shape.parameters == sum(each.numel() for each in real.parameters())


def test_a_size_that_does_not_fit_gives_the_next_one_that_does() -> None:
    shape = UShape().shape(PAPER, 4, 8, 573)
    assert shape.side == 588
    assert UShape().shape(PADDED, 4, 8, 573).side == 573
    assert "A picture of 573 can't be halved that often; the next that can has 588." in str(
        UShape().pictures(PAPER, 4, 8, 573)["In numbers"]
    )


def test_what_is_pooled_stands_below_what_it_comes_from() -> None:
    steps = UShape().shape(PADDED, 3, 8, 188).steps
    columns = _columns(steps)
    for number, step in enumerate(steps[1:], 1):
        same = step.name in ("pooling", "up-convolution", "skip")
        assert columns[number] - columns[number - 1] == (0 if same else 1), step


def test_every_map_but_what_is_concatenated_has_its_numbers() -> None:
    demonstration = UShape()
    shape = demonstration.shape(PAPER, 2, 16, 188)
    figure = demonstration.pictures(PAPER, 2, 16, 188)["channels above, size below each map"].figure
    texts = [text.get_text() for text in figure.axes[0].texts]
    drawn = [
        s
        for s, after in zip(shape.steps, [*shape.steps[1:], None], strict=True)
        if after is None or after.name != "skip"
    ]
    wanted = [str(number) for step in drawn for number in (step.channels, step.height)]
    assert texts[: len(wanted)] == wanted


def test_no_two_numbers_of_the_largest_u_overlap() -> None:
    figure = UShape().pictures(PADDED, 4, 64, 572)["channels above, size below each map"].figure
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    overlapping = [(a, b) for n, a in enumerate(boxes) for b in boxes[:n] if a.overlaps(b)]
    assert overlapping == []


def test_all_controls_change_the_picture() -> None:
    demonstration = UShape()
    first = {name: control.value for name, control in demonstration.controls().items()} | {"width": 8}
    before = demonstration.pictures(**first)["channels above, size below each map"]
    assert "64 channels of 136" not in before.alt
    assert "32 channels of 136" in before.alt
    for name, control in demonstration.controls().items():
        after = demonstration.pictures(**{**first, name: control.still})[
            "channels above, size below each map"
        ]
        assert after.picture.png != before.picture.png, name
