"""Whose cell is whose: the answers of a submission, wherever they went, and the student's own cells between them."""

from __future__ import annotations

from dataclasses import dataclass

from assignments_lib.grading.reading import SubmittedCell, SubmittedNotebook
from assignments_lib.grading.release import Blank, Release, defined, normal, own_code, parsed, plain


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
    found: int  # answer cells and questions that are there
    remarks: tuple[str, ...]


def match(release: Release, notebook: SubmittedNotebook) -> Matched:
    """Find the answers by the ids of their cells, and where those are gone by what they define."""
    cells = notebook.cells
    remarks: list[str] = []
    chosen: dict[int, Blank] = {}
    passed_over: set[int] = set()
    missing: list[Blank] = []
    for blank in release.answers:
        places = _bearing(blank.id, cells)
        if not places:
            places = [
                place
                for place, cell in enumerate(cells)
                if place not in chosen
                and cell.kind == "code"
                and own_code(release, cell)
                and not (set(cell.ids) & {other.id for other in release.answers})
                and blank.defines
                and blank.defines <= defined(cell.source)
            ][-1:]
            if places:
                remarks.append(
                    f"The cell of exercise {blank.task} is gone; what another cell defines under the name "
                    f"{_names(blank)} was graded."
                )
        if not places:
            missing.append(blank)
            continue
        filled = [place for place in places if not _untouched(cells[place], blank)] or places
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
        elsewhere = _elsewhere(release, cells, blank, places)
        if _untouched(cells[place], blank) and elsewhere:
            passed_over.update(places)
            remarks.append(
                f"Exercise {blank.task} is blank in its own cell; what another cell defines was graded."
            )
            continue
        passed_over.update(set(places) - {place})
        chosen[place] = blank
    run = _in_order(release, cells, chosen, passed_over)
    run += [Code(blank.stub, blank.task) for blank in missing]
    if missing:
        listed = ", ".join(dict.fromkeys(blank.task for blank in missing))
        remarks.append(
            f"No answer was found to {listed}: the cell is gone, and no other defines what it asks for."
        )
    questions, of_questions = _questions(release, cells)
    return Matched(tuple(run), questions, len(chosen) + len(questions), (*remarks, *of_questions))


def _bearing(id: str, cells: tuple[SubmittedCell, ...]) -> list[int]:
    """The places of the cells with an id: nbgrader's before the cell's own, as copies of a cell keep the former."""
    first = [place for place, cell in enumerate(cells) if cell.ids[:1] == (id,)]
    return first or [place for place, cell in enumerate(cells) if id in cell.ids]


def _untouched(cell: SubmittedCell, blank: Blank) -> bool:
    return not cell.source.strip() or normal(cell.source) == normal(blank.stub)


def _elsewhere(release: Release, cells: tuple[SubmittedCell, ...], blank: Blank, places: list[int]) -> bool:
    """Whether a cell that the student added defines all that the exercise's cell should."""
    return bool(blank.defines) and any(
        place not in places
        and cell.kind == "code"
        and own_code(release, cell)
        and not (set(cell.ids) & {other.id for other in release.answers})
        and blank.defines <= defined(cell.source)
        for place, cell in enumerate(cells)
    )


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
    """The student's words, without the question above them where that is as it was."""
    question = blank.stub.rstrip().rpartition("\n")[0].rstrip()  # the last line is the stub
    text = source.replace("\r\n", "\n")
    return text.removeprefix(question).strip() if question else text


def _names(blank: Blank) -> str:
    return " and ".join(sorted(blank.defines))
