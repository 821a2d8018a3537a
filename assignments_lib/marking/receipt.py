"""The slip in what `assignments submit` packs: whose it is, of which assignment, and the notebook's SHA-256.

It shows damage and mix-ups on the way to the instructor. It is no proof against fraud: whoever changes the notebook can
write a new slip.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from assignments_lib.marking.reading import SubmittedNotebook, receipt

FORMAT = 1


@dataclass(frozen=True)
class Receipt:
    """What a student packed: the id they typed, the assignment, the notebook's file name and SHA-256."""

    student: str
    assignment: str
    notebook: str
    sha256: str
    format: int = FORMAT


def to_json(slip: Receipt) -> str:
    """The slip as text."""
    return json.dumps(asdict(slip), ensure_ascii=False, indent=1) + "\n"


def from_json(data: bytes) -> Receipt:
    """The slip in somebody's bytes.

    Raises:
        ValueError: they are none.
    """
    try:
        found = json.loads(data)
        slip = Receipt(**found)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("it is no receipt") from None
    if slip.format != FORMAT or not all(isinstance(value, str) for value in list(asdict(slip).values())[:-1]):
        raise ValueError("it is no receipt of this format")
    return slip


def compared(
    files: Sequence[tuple[str, bytes]], notebook: SubmittedNotebook, student: str, assignment: str
) -> tuple[list[str], list[str]]:
    """What the slips among the files say against this notebook: for the student, and for the instructor only."""
    remarks: list[str] = []
    warnings: list[str] = []
    for name, data in files:
        slip = receipt(data)
        if slip is None:
            continue
        try:
            packed = from_json(slip)
        except ValueError as error:
            warnings.append(f"The receipt in {name} can't be read ({error}); it was passed over.")
            continue
        if packed.assignment != assignment:
            remarks.append(f"The receipt in {name} is of {packed.assignment[:50]}, not of {assignment}.")
        elif packed.sha256 != notebook.digest:
            remarks.append(
                f"{notebook.name} is not as it was when `assignments submit` packed it: its SHA-256 isn't the "
                "receipt's. It was graded as it is. If you didn't change it, pack it again and hand that in."
            )
        # A learning platform may put more into a folder's name than the id
        if packed.student.casefold() not in student.casefold():
            warnings.append(
                f"It was packed with the id {packed.student[:50]!r}, and handed in as {student!r}."
            )
    return remarks, warnings
