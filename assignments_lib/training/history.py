"""`History`: what `fit` recorded, an epoch a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Epoch:
    """One epoch. Losses are means a sample, the accuracy is in [0, 1], and the time is in seconds."""

    epoch: int  # counted from 1
    train_loss: float
    val_loss: float
    val_accuracy: float
    seconds: float


class History(list[Epoch]):
    """The epochs of one training run, first to last; displays as a small table.

    ``name`` is for titles and labels; ``planned`` is how many epochs were asked for, so that a live plot
    knows how wide it will be; ``measure`` is what ``val_accuracy`` holds, where that is another score.
    """

    def __init__(
        self, epochs: Iterable[Epoch] = (), *, name: str = "", planned: int = 0, measure: str = "accuracy"
    ) -> None:
        super().__init__(epochs)
        self.name = name
        self.planned = planned or len(self)
        self.measure = measure

    @property
    def last(self) -> Epoch:
        """The latest epoch.

        Raises:
            IndexError: nothing has been recorded yet.
        """
        return self._some()[-1]

    @property
    def best(self) -> Epoch:
        """The epoch with the highest validation accuracy, the earliest of them where several tie.

        Raises:
            IndexError: nothing has been recorded yet.
        """
        return max(self._some(), key=lambda epoch: epoch.val_accuracy)

    @property
    def seconds(self) -> float:
        """How long the epochs took together."""
        return sum(epoch.seconds for epoch in self)

    def column(self, name: str) -> list[float]:
        """One figure over the epochs, such as ``column("val_loss")``."""
        return [getattr(epoch, name) for epoch in self]

    def table(self) -> list[dict[str, float]]:
        """The rows as plain dictionaries, as `pandas.DataFrame` or JSON take them."""
        return [asdict(epoch) for epoch in self]

    def _some(self) -> History:
        if not self:
            raise IndexError("the history is empty: no epoch has been completed")
        return self

    def _cells(self) -> list[list[str]]:
        head = ["epoch", "training loss", "validation loss", f"validation {self.measure}", "seconds"]
        return [
            head,
            *(
                [
                    str(row.epoch),
                    f"{row.train_loss:.3f}",
                    f"{row.val_loss:.3f}",
                    percent(row.val_accuracy),
                    f"{row.seconds:.1f}",
                ]
                for row in self
            ),
        ]

    def __repr__(self) -> str:
        if not self:
            return "History: no epoch yet"
        cells = self._cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells
        )

    def _repr_html_(self) -> str:
        if not self:
            return "<p>History: no epoch yet</p>"
        head, *rows = self._cells()
        headings = "".join(f'<th scope="col">{cell}</th>' for cell in head)
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        return f"<table><thead><tr>{headings}</tr></thead><tbody>{body}</tbody></table>"


def percent(share: float) -> str:
    """A share as a percentage, 0.913 as "91.3 %"."""
    return f"{100 * share:.1f} %"
