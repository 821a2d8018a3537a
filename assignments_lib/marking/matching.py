"""Whose cell is whose: the answers of a submission, wherever they went, and the student's own cells between them."""

from __future__ import annotations

from dataclasses import dataclass

from assignments_lib.marking.reading import SubmittedCell, SubmittedNotebook
from assignments_lib.marking.release import Blank, Release, defined, normal, own_code, parsed, plain


@dataclass(frozen=True)
class Code:
    """One cell to run; ``task`` is the exercise it answers, "" for a cell that the student added."""

    source: str
    task: str = ""


@dataclass(frozen=True)
class Matched:
    """What a submission's notebook holds of an assignment: cells to run in order, words for the questions."""

    cells: tuple[Code, ...]
    questions: dict[str, str]
    found: int  # answers that are there, and questions where the notebook says that it is this assignment's
    remarks: tuple[str, ...]


def match(release: Release, notebook: SubmittedNotebook) -> Matched:
    """Find the answers by the ids of their cells, and where those are gone by what they define."""
    cells = notebook.cells
    remarks: list[str] = []
    chosen: dict[int, Blank] = {}
    passed_over: set[int] = set()
    missing: list[Blank] = []
    others = _defining(release, cells)
    for blank in release.answers:
        places = _bearing(blank.id, cells)
        if not places:
            places = [place for place in _elsewhere(others, blank) if place not in chosen][-1:]
            if places:
                remarks.append(
                    f"The cell of exercise {blank.task} is gone; what another cell defines under the name "
                    f"{_names(blank)} was graded."
                )
        if not places:
            missing.append(blank)
            continue
        filled = [place for place in places if not _untouched(cells[place], blank)] or places
        filled = [place for place in filled if cells[place].kind == "code"] or filled  # before a copy as text
        place = filled[-1]
        if len(filled) > 1:
            remarks.append(
                f"The cell of exercise {blank.task} is there {len(filled)} times; the last one was graded."
            )
        if cells[place].kind != "code":
            if parsed(cells[place].source) is None:
                remarks.append(
                    f"The cell of exercise {blank.task} was turned into text, and is not Python code."
                )
            else:
                remarks.append(
                    f"The cell of exercise {blank.task} was turned into text; it was run as code all the same."
                )
        if _untouched(cells[place], blank) and set(_elsewhere(others, blank)) - set(places):
            passed_over.update(places)
            remarks.append(
                f"Exercise {blank.task} is blank in its own cell; what another cell defines was graded."
            )
            continue
        passed_over.update(set(places) - {place})
        chosen[place] = blank
    inside = _inside(cells, chosen, missing)
    for blank, holder in inside:
        missing.remove(blank)
        remarks.append(
            f"The cell of exercise {blank.task} is gone; what the cell of exercise {holder.task} defines under the "
            f"name {_names(blank)} was graded."
        )
    run = _in_order(release, cells, chosen, passed_over)
    run += [Code(blank.stub, blank.task) for blank in missing]
    if missing:
        listed = ", ".join(dict.fromkeys(blank.task for blank in missing))
        remarks.append(
            f"No answer was found to {listed}: the cell is gone, and no other defines what it asks for."
        )
    questions, of_questions = _questions(release, cells)
    there = len(release.answers) - len(missing)
    if notebook.assignment == release.assignment.notebook:  # every assignment has a question Q1
        there += sum(bool(_bearing(blank.id, cells)) for blank in release.questions)
    return Matched(tuple(run), questions, there, (*remarks, *of_questions))


def _inside(
    cells: tuple[SubmittedCell, ...], chosen: dict[int, Blank], missing: list[Blank]
) -> list[tuple[Blank, Blank]]:
    """Of the answers whose cells are gone, those that stand in another answer's cell, as after merging the two."""
    names = {place: defined(cells[place].source) for place in chosen} if missing else {}
    return [
        (blank, chosen[places[-1]])
        for blank in missing
        if (places := [place for place in names if blank.defines and blank.defines <= names[place]])
    ]


def _bearing(id: str, cells: tuple[SubmittedCell, ...]) -> list[int]:
    """The places of the cells with an id: nbgrader's before the cell's own, as copies of a cell keep the former."""
    first = [place for place, cell in enumerate(cells) if cell.ids[:1] == (id,)]
    return first or [place for place, cell in enumerate(cells) if id in cell.ids]


def _untouched(cell: SubmittedCell, blank: Blank) -> bool:
    return not cell.source.strip() or normal(cell.source) == normal(blank.stub)


def _defining(release: Release, cells: tuple[SubmittedCell, ...]) -> dict[int, frozenset[str]]:
    """What each cell that the student added defines, by its place."""
    ids = {blank.id for blank in release.answers}
    return {
        place: defined(cell.source)
        for place, cell in enumerate(cells)
        if cell.kind == "code" and own_code(release, cell) and not set(cell.ids) & ids
    }


def _elsewhere(others: dict[int, frozenset[str]], blank: Blank) -> list[int]:
    """The places of the cells that define all that an exercise's own cell should."""
    return [place for place, names in others.items() if blank.defines and blank.defines <= names]


def _in_order(
    release: Release, cells: tuple[SubmittedCell, ...], chosen: dict[int, Blank], passed_over: set[int]
) -> list[Code]:
    run = []
    for place, cell in enumerate(cells):
        if place in chosen:
            run.append(Code(plain(cell.source), chosen[place].task))
        elif (
            place not in passed_over
            and cell.kind == "code"
            and cell.source.strip()
            and own_code(release, cell)
        ):
            run.append(Code(plain(cell.source)))
    return run


def _questions(release: Release, cells: tuple[SubmittedCell, ...]) -> tuple[dict[str, str], list[str]]:
    """The words given for each question; "" where it is as it was."""
    words, remarks = {}, []
    for blank in release.questions:
        places = _bearing(blank.id, cells)
        filled = [place for place in places if not _untouched(cells[place], blank)]
        if not places:
            remarks.append(f"The cell of question {blank.task} is gone.")
        elif len(filled) > 1:
            remarks.append(
                f"The cell of question {blank.task} is there {len(filled)} times; the last one counts."
            )
        words[blank.task] = _answer(cells[filled[-1]].source, blank) if filled else ""
    return words, remarks


def _answer(source: str, blank: Blank) -> str:
    """The student's words, without the question above them and the stub, where those are as they were."""
    question, _, stub = blank.stub.rstrip().rpartition("\n")
    text = source.replace("\r\n", "\n").strip()
    return text.removeprefix(question.strip()).replace(stub, "").strip()


def _names(blank: Blank) -> str:
    return " and ".join(sorted(blank.defines))
