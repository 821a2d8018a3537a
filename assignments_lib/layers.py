"""Two networks' layers side by side, as text: where does mine part from the reference?

What is compared is recorded from one forward pass, beneath `nn.Module`, so names of attributes don't matter, nor
whether a shortcut is computed before or after the main path. Layers without weights, additions, and the values
of the weights are not looked at: two networks that are "the same" here may still compute different things.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from torch import nn

from assignments_lib.layers_recorded import Layer, Recorder
from assignments_lib.not_filled_in import NotFilledIn


def side_by_side(mine: nn.Module, reference: nn.Module, image_size: int = 64, in_channels: int = 3) -> None:
    """Print the layers with weights of both networks, in the order of the forward pass.

    A line is a layer of ``mine`` beside one of ``reference``: kind, kernel and stride, channels in and out, height
    and width of the output, number of parameters. A normalisation stands in the line of its convolution; equal
    lines that follow each other are one line with how many there are. The first line where the networks differ
    says so, and the last line gives the totals and the verdict. Both run in evaluation mode on images of
    ``in_channels`` x ``image_size`` x ``image_size`` zeros and are left as they were.

    If ``mine`` raises, what ran so far is printed, and where it stopped.

    Raises:
        NotFilledIn: part of ``mine`` is still blank.
        Exception: whatever ``reference`` raises.
    """
    ours, theirs = Recorder(mine), Recorder(reference)
    stopped = ""
    try:
        ours.run(image_size, in_channels)
    except NotFilledIn:
        raise
    except Exception as error:
        stopped = f"Your network stopped {ours.where()}: {type(error).__name__}: {error}"
    theirs.run(image_size, in_channels)

    print(
        f"Layers with weights in the order of the forward pass, {in_channels}x{image_size}x{image_size} images."
    )
    print('"3x3 /2" is a 3x3 kernel with stride 2; "6 x" says that six equal layers follow each other.\n')
    pairs = _align(ours.in_order(), theirs.in_order())
    totals = [sum(each.numel() for each in network.parameters()) for network in (mine, reference)]
    same = all(one == other for one, other in pairs) and totals[0] == totals[1] and not stopped
    print(_table(pairs, totals, "the same" if same else "different", stopped or ours.unused()))


_Pair = tuple[Layer | None, Layer | None]


def _align(mine: list[Layer], reference: list[Layer]) -> list[_Pair]:
    """Each layer beside its like in the other network, with None where there is none."""
    keys = [[layer.cells() for layer in layers] for layers in (mine, reference)]
    pairs: list[_Pair] = []
    for _, a, b, c, d in SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
        pairs += zip_longest(mine[a:b], reference[c:d])
    return pairs


def _table(pairs: list[_Pair], totals: list[int], verdict: str, remark: str) -> str:
    heads = ("layer", "channels", "output", "parameters")
    rows: list[tuple[str, list[tuple[str, ...]], bool]] = []
    for _, same in groupby(pairs, key=lambda pair: tuple(each and each.cells() for each in pair)):
        folded = list(same)
        times = f"{len(folded)} x" if len(folded) > 1 else ""
        mine, reference = folded[0]
        rows.append((times, [each.cells() if each else ("",) * 4 for each in folded[0]], mine != reference))
    every = [heads, *(cells for _, sides, _ in rows for cells in sides)]
    every += [("", "", "", f"{total:,}") for total in totals]
    widths = [max(len(cells[column]) for cells in every) for column in range(4)]

    def line(times: str, sides: Iterable[tuple[str, ...]]) -> str:
        drawn = [
            "  ".join(
                cell.rjust(width) if column == 3 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            for cells in sides
        ]
        return f"{times:>4} {drawn[0]} | {drawn[1]}".rstrip()

    side = sum(widths) + 6
    lines = [f"     {'yours':{side}} | reference", line("", [heads, heads])]
    parted = False
    for times, sides, differs in rows:
        lines.append(line(times, sides) + ("  <- here they part" if differs and not parted else ""))
        parted |= differs
    lines += ["", remark] if remark else []
    lines.append(line("", [("total", "", "", f"{total:,}") for total in totals]) + f"  {verdict}")
    return "\n".join(lines)
