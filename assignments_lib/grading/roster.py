"""The class list that a learning system exports: read, matched with results, and changed in single cells only."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assignments_lib.atomic import write_atomically
from assignments_lib.marking.result import Graded

Shown = Callable[[int], str]  # a row, as a person knows it
Level = tuple[Callable[[Graded], set[str]], Callable[[int], set[str]]]  # a result's keys, and a row's

_NUMBER = re.compile(r"\d+(\.\d+|,\d{1,2})?")


class GradebookError(Exception):
    """A sentence that names the file, says what is wrong with it and what to do."""


@dataclass(frozen=True)
class Report:
    """What became of each result and each row; students and rows by the names they have where they come from.

    ``filled`` have their mark in the file. ``waiting`` are those of them whose written answers nobody has marked
    yet, so that the mark will grow. Nothing was written for the others: ``unmatched_results`` are in no row,
    ``rows_without_result`` have none, ``ambiguous`` are sentences that say between whom it is undecided, and
    ``left`` are sentences that say which row was left as it was, and why.
    """

    filled: tuple[str, ...] = ()
    unmatched_results: tuple[str, ...] = ()
    rows_without_result: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Cell:
    """Where a cell stands in the text, and what it says."""

    start: int
    end: int
    value: str


@dataclass
class Sheet:
    """A CSV file whose cells can be changed while every other character stays as it is."""

    path: Path
    text: str
    mark: str  # the byte order mark it is written with, or nothing
    delimiter: str
    rows: list[list[_Cell]]
    _edits: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def header(self) -> list[str]:
        """The first row, without spaces around the names."""
        return [cell.value.strip() for cell in self.rows[0]]

    def value(self, row: int, column: int | None) -> str:
        """What the cell says; nothing where the row is shorter or there is no such column."""
        cells = self.rows[row]
        return cells[column].value if column is not None and column < len(cells) else ""

    def blank(self, row: int) -> bool:
        """Whether the row is an empty line or has empty cells only."""
        return not any(cell.value.strip() for cell in self.rows[row])

    def set(self, row: int, column: int, value: str) -> None:
        """Put the value into the cell, in quotes if there were some."""
        cells = self.rows[row]
        if column < len(cells):
            cell = cells[column]
            quoted = self.text[cell.start : cell.start + 1] == '"'
            self._edits.append((cell.start, cell.end, self._written(value, quoted)))
        else:
            self._append(row, column, value)

    def insert_column(self, before: int, values: dict[int, str]) -> None:
        """Put in a column; ``values`` are those of the rows that get one. Empty lines stay empty."""
        for row, cells in enumerate(self.rows):
            value = values.get(row, "")
            if before < len(cells):
                start = cells[before].start
                self._edits.append((start, start, self._written(value) + self.delimiter))
            elif value or not self.blank(row):
                self._append(row, before, value)

    def save(self, path: str | Path) -> None:
        """Write it, changes included, as UTF-8.

        Raises:
            OSError: it could not be written; the old file is untouched.
        """
        parts, position = [self.mark], 0
        for start, end, value in sorted(self._edits, key=lambda edit: edit[:2]):
            parts += [self.text[position:start], value]
            position = end
        write_atomically(path, "".join([*parts, self.text[position:]]))

    def _append(self, row: int, column: int, value: str) -> None:
        cells = self.rows[row]
        missing = self.delimiter * (column - len(cells) + 1)
        self._edits.append((cells[-1].end, cells[-1].end, missing + self._written(value)))

    def _written(self, value: str, quoted: bool = False) -> str:
        if quoted or any(character in value for character in f'"\r\n{self.delimiter}'):
            return '"' + value.replace('"', '""') + '"'
        return value


def read(path: str | Path) -> Sheet:
    """Read a CSV in UTF-8, UTF-16 or Korean Windows' own encoding (cp949), divided by commas, semicolons or tabs.

    What isn't UTF-8 will be written as UTF-8 with a byte order mark, which Canvas, Moodle and Excel read alike.

    Raises:
        GradebookError: it can't be read, or has no rows.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GradebookError(
            f"{path} can't be read ({error.strerror or error}): check the path, and export the file again."
        ) from None
    text, mark = _decoded(path, data)
    if not text.strip():
        raise GradebookError(f"{path} is empty: export it again.")
    delimiter = max(",;\t", key=lambda each: len(_parsed(text, each, first_only=True)[0]))
    rows = _parsed(text, delimiter)
    return Sheet(path, text, mark, delimiter, rows)


def match(
    results: Sequence[Graded],
    rows: Iterable[int],
    levels: Sequence[Level],
    shown: Shown,
) -> tuple[dict[int, Graded], Report]:
    """The result of each row, and a report of those without one (its ``filled`` is empty still).

    A level is a way to know a student: the keys of a result and the keys of a row, which belong together when they
    share one. The first level that finds a row decides, if it is one row only, and if no other result is found for
    it as surely. Nothing is ever guessed.
    """
    rows = list(rows)
    indices: list[dict[str, set[int]]] = []
    for _, row_keys in levels:
        index: dict[str, set[int]] = {}
        for row in rows:
            for key in row_keys(row):
                index.setdefault(key, set()).add(row)
        indices.append(index)

    claims: dict[int, list[tuple[int, Graded]]] = {}
    unmatched: list[str] = []
    ambiguous: list[str] = []
    undecided: set[int] = set()
    for result in results:
        options = (
            {row for key in result_keys(result) for row in index.get(key, ())}
            for (result_keys, _), index in zip(levels, indices, strict=True)
        )
        nobody: set[int] = set()
        level, candidates = next((each for each in enumerate(options) if each[1]), (0, nobody))
        if len(candidates) == 1:
            claims.setdefault(candidates.pop(), []).append((level, result))
        elif candidates:
            undecided |= candidates
            rivals = " or ".join(shown(row) for row in sorted(candidates))
            ambiguous.append(f"{result.student} may be {rivals}.")
        else:
            unmatched.append(result.student)

    matched: dict[int, Graded] = {}
    for row, claimed in claims.items():
        best = min(level for level, _ in claimed)
        surest = [result for level, result in claimed if level == best]
        if len(surest) > 1:
            undecided.add(row)
            ambiguous.append(f"{shown(row)} may be {' or '.join(result.student for _, result in claimed)}.")
            continue
        matched[row] = surest[0]
        ambiguous += [
            f"{other.student} may be {shown(row)}, who is {surest[0].student} already."
            for level, other in claimed
            if level != best
        ]
    without = tuple(shown(row) for row in rows if row not in matched and row not in undecided)
    return matched, Report((), tuple(unmatched), without, tuple(ambiguous))


def identity(text: str) -> set[str]:
    """The key of an identifier: a login, a number or an address. Empty for an empty one."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    return {plain} - {""}


def name_keys(text: str) -> set[str]:
    """The keys of a person's name: without case and accents, and "Last, First" as "First Last".

    A name in Hangul may stand with or without a space after the family name.
    """
    last, comma, first = text.replace("_", " ").partition(",")
    orders = [f"{first} {last}"] if comma and "," not in first else [text.replace("_", " ")]
    keys = {" ".join(plain(order).split()) for order in orders}
    letters = plain(f"{last}{first}" if comma else last)
    if letters and all("HANGUL" in unicodedata.name(letter, "") or letter.isspace() for letter in letters):
        keys.add("".join(letters.split()))
    return keys - {""}


def plain(text: str) -> str:
    """Without case and without accents, those of Latin, Greek and Cyrillic letters."""
    apart = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", apart).casefold()


def number(text: str) -> float | None:
    """The number in a cell, with a decimal point or comma; None if it is none."""
    text = text.strip()
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def written(value: float, like: str) -> str:
    """A mark with two decimals, with a decimal comma if ``like``, another number of the file, has one."""
    return f"{value:.2f}".replace(".", "," if "," in like else ".")


def points_of(results: Sequence[Graded]) -> int:
    """The full marks that all the results share.

    Raises:
        GradebookError: there are no results, or they aren't of one assignment in one version.
    """
    if not results:
        raise GradebookError("There are no results to write: grade the submissions first.")
    # What couldn't be graded may not know its exercises
    counted = Counter(result.points for result in results if not result.problem)
    if len(counted) > 1:
        some = ", ".join(f"{many} with {points} points" for points, many in sorted(counted.items()))
        raise GradebookError(
            f"The results aren't of one assignment in one version ({some}): grade all of them again, together."
        )
    return next(iter(counted), max(result.points for result in results))


def _decoded(path: Path, data: bytes) -> tuple[str, str]:
    """The text, and the byte order mark that it is to be written with."""
    mark = "\ufeff"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = [("utf-16", mark)]
    elif data.startswith(b"\xef\xbb\xbf"):
        encodings = [("utf-8-sig", mark)]
    else:
        encodings = [("utf-8", ""), ("cp949", mark)]
    for encoding, mark in encodings:
        try:
            return data.decode(encoding), mark
        except UnicodeDecodeError:
            continue
    raise GradebookError(
        f"{path} is neither in UTF-8 nor in UTF-16 or cp949: save it as CSV UTF-8, or export it again."
    )


def _parsed(text: str, delimiter: str, first_only: bool = False) -> list[list[_Cell]]:
    """The cells of each row, as Python's csv reads them, and where each stands.

    csv itself doesn't say where, and where it stands is what leaves the rest of the file alone.
    """
    plain = re.compile(f"[^{delimiter}\r\n]*")
    rows: list[list[_Cell]] = []
    row: list[_Cell] = []
    position = 0
    while True:
        start, quoted = position, ""
        if text.startswith('"', position):
            closing = text.find('"', position + 1)
            while closing != -1 and text.startswith('""', closing):
                closing = text.find('"', closing + 2)
            closing = len(text) if closing == -1 else closing
            quoted = text[position + 1 : closing].replace('""', '"')
            position = min(closing + 1, len(text))
        rest = plain.match(text, position)
        assert rest is not None  # nothing at all matches, too
        position = rest.end()
        row.append(_Cell(start, position, quoted + rest.group()))
        if text.startswith(delimiter, position):
            position += 1
            continue
        rows.append(row)
        row = []
        position += 2 if text.startswith("\r\n", position) else 1
        if position >= len(text) or first_only:
            return rows
