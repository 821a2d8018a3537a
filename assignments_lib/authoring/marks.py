"""Solution marks: the exact spelling, the regions they delimit, and the lines that look like one but aren't.

nbgrader silently leaves a region with a mistyped mark in the student's notebook, so everything that a person
may have meant as a mark is refused unless it is exactly one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"

_MARK = re.compile(r"[ \t]*### (?P<which>BEGIN|END) SOLUTION[ \t]*")
# What nbgrader would take for one of its marks wherever it stands in a line
_INSIDE_A_LINE = re.compile(r"(BEGIN|END)[\W_]*SOLUTION|(BEGIN|END)[\W_]*(HIDDEN[\W_]*TEST|MARK[\W_]*SCHEME)")
_VERBS = ("begin", "start", "end", "stop")
_NOUNS = ("solution", "answer")
_FOREIGN_VERBS = {"beginn", "anfang", "ende", "début", "debut", "fin", "inicio", "inizio", "fine"}
_FOREIGN_NOUNS = {"lösung", "loesung", "solución", "solucion", "soluzione", "réponse", "antwort"}
_OTHER_WORDS = {"resolution", "resolutions", "dissolution"}  # as like "solution" as a misspelling of it
_FILLERS = {"of", "the", "your", "my", "our", "model", "here", "de", "la", "der"}


@dataclass(frozen=True)
class Region:
    """One solution: the offsets of its marks within the cell (0 is the first line), and what is between."""

    begin: int
    end: int
    lines: tuple[str, ...]


def mark(line: str) -> str | None:
    """ "BEGIN" or "END" if the line is exactly a mark, else None."""
    match = _MARK.fullmatch(line)
    return match["which"] if match else None


def looks_like_mark(line: str, markdown: bool = False) -> bool:
    """Whether a person may have meant this line as a mark, whatever its case, spelling or comment sign."""
    if _INSIDE_A_LINE.search(line):
        return True
    words = [
        word for word in re.findall(r"[^\W\d_]+", _comment(line, markdown).lower()) if word not in _FILLERS
    ]
    if not words:
        return False
    if words == ["solution"] and not markdown:
        return True
    if re.match(r"(begin|end|start)(solution|answer)", words[0]):
        return True
    first, second = (_meaning(word) for word in (*words[:2], "")[:2])
    return {first, second} == {"when", "what"}


def problems(source: str, markdown: bool = False, answer: bool = True) -> Iterator[tuple[int, str]]:
    """What is wrong with the marks of one cell, as (offset of the line, sentence).

    Args:
        source: the cell's text.
        markdown: the cell is text, not code.
        answer: the cell is an exercise or a written question, which must have a solution; others mustn't.
    """
    begun: int | None = None
    regions = 0
    wrong = False
    lines = source.split("\n")
    for offset, line in enumerate(lines):
        which = mark(line)
        problem = None
        if which is None:
            if looks_like_mark(line, markdown):
                problem = f"{line.strip()!r} looks like a solution mark; write exactly {BEGIN!r} or {END!r}"
        elif not answer:
            problem = (
                f"{line.strip()!r} stands in a cell that is no answer; give the cell "
                '`exercise="..."` or `question="..."`, or take the mark away'
            )
        elif which == "BEGIN":
            if begun is not None:
                problem = f"{BEGIN!r} again before the {END!r} of the one above"
            begun = offset
            regions += 1
        elif begun is None:
            problem = f"{END!r} without a {BEGIN!r} above it"
        else:
            problem = _inside(lines[begun : offset + 1], markdown)
            begun = None
        if problem:
            wrong = True
            yield offset, problem
    if begun is not None:
        yield begun, f"{BEGIN!r} without an {END!r} below it in the same cell"
    elif answer and not regions and not wrong:
        yield 0, f"an answer without a solution; put it between {BEGIN!r} and {END!r}"


def regions(source: str) -> list[Region]:
    """The solutions of a cell whose marks are in order (see `problems`)."""
    found = []
    lines = source.split("\n")
    begin = 0
    for offset, line in enumerate(lines):
        which = mark(line)
        if which == "BEGIN":
            begin = offset
        elif which == "END":
            found.append(Region(begin, offset, tuple(lines[begin + 1 : offset])))
    return found


def without_marks(source: str) -> str:
    """The cell with its answers and without the marks: what the solution notebook shows."""
    return "\n".join(line for line in source.split("\n") if mark(line) is None)


def without_solutions(source: str) -> str:
    """The cell's lines outside the solutions, with nothing in their place."""
    lines = source.split("\n")
    for region in reversed(regions(source)):
        del lines[region.begin : region.end + 1]
    return "\n".join(lines)


def _inside(region: list[str], markdown: bool) -> str | None:
    """What is wrong with a region, its two marks included."""
    content = [line for line in region[1:-1] if line.strip()]
    if not content:
        return f"nothing stands between {BEGIN!r} and {END!r}"
    indent, indent_of_mark = (len(line) - len(line.lstrip()) for line in (content[0], region[0]))
    if not markdown and indent != indent_of_mark:
        # The stub takes the mark's indentation, so the blank notebook would be cut off at the wrong depth.
        return (
            f"the marks are indented by {indent_of_mark} spaces and the solution by {indent}; make them equal"
        )
    return None


def _comment(line: str, markdown: bool) -> str:
    """The part of a line that could be a mark: a comment in any language's spelling, or a heading."""
    text = line.strip()
    if text and not text[0].isalnum() and text[0] not in "([{\"'_@":
        return text
    if not markdown and "#" in text:
        return text[text.index("#") :]
    return text if text[:3] in ('"""', "'''") else ""


@lru_cache(maxsize=4096)
def _meaning(word: str) -> str:
    """ "when" for begin and end, "what" for solution, misspelt or not; else ""."""
    if word in _FOREIGN_NOUNS or (word not in _OTHER_WORDS and get_close_matches(word, _NOUNS, 1, 0.85)):
        return "what"
    if word in _FOREIGN_VERBS or get_close_matches(word, _VERBS, 1, 0.8):
        return "when"
    return ""
