"""From the bytes of one submission to its marks: what a student's self-check runs once, and a grader many times."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from time import monotonic

from assignments_lib.checks.answer import Lost
from assignments_lib.marking import receipt
from assignments_lib.marking.matching import Code, Matched, match
from assignments_lib.marking.reading import SubmittedNotebook, Unreadable, notebooks
from assignments_lib.marking.release import Release
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark
from assignments_lib.marking.room import Room
from assignments_lib.marking.score import Sitting, score

File = tuple[str, bytes]  # name, content


def mark(
    release: Release,
    student: str,
    files: Sequence[File],
    seed: int,
    room: Room,
    warnings_about: Callable[[Sequence[Code]], list[str]] = lambda cells: [],
    *,
    key: str = "",
) -> Graded:
    """Mark one submission.

    Args:
        release: what the student was given.
        student: their name, as the instructor's folder has it.
        files: the names and bytes of what they handed in.
        seed: what the checks' inputs are drawn from.
        room: where the answers run.
        warnings_about: what an instructor should know about the code, a sentence each.
        key: noted in the result.
    """
    begun = monotonic()
    digest = digest_of(files)
    try:
        notebook, matched, remarks = _chosen(release, files)
    except Unreadable as problem:
        return nothing(release, student, files, seed, str(problem), key)
    try:
        sitting = Sitting(room, release.preamble, matched.cells)
        marks, warnings = score(release, sitting, matched.cells, seed)
    except Lost as lost:
        return nothing(release, student, files, seed, f"The answers could not be run: {lost}.", key)
    against, doubts = receipt.compared(files, notebook, student, release.assignment.notebook)
    questions = tuple(
        QuestionMark(question.id, question.title, question.points, matched.questions.get(question.id, ""))
        for question in release.assignment.questions
    )
    return Graded(
        student,
        release.assignment.notebook,
        release.assignment.title,
        notebook.name,
        digest,
        seed,
        tuple(marks),
        questions,
        remarks=(*remarks, *against, *matched.remarks),
        warnings=(*warnings, *doubts, *warnings_about(matched.cells)),
        seconds=round(monotonic() - begun, 2),
        key=key,
    )


def nothing(
    release: Release, student: str, files: Sequence[File], seed: int, problem: str, key: str = ""
) -> Graded:
    """The result of a submission in which nothing could be graded: no points, and why."""
    exercises = tuple(
        ExerciseMark(
            exercise.id,
            exercise.title,
            exercise.points,
            "NOT GRADED",
            tuple(PartMark(part.title, part.points, 0, "NOT GRADED") for part in exercise.parts),
        )
        for exercise in release.exercises
    )
    questions = tuple(QuestionMark(q.id, q.title, q.points, "") for q in release.assignment.questions)
    name = files[0][0] if files else ""
    return Graded(
        student,
        release.assignment.notebook,
        release.assignment.title,
        name,
        digest_of(files),
        seed,
        exercises,
        questions,
        problem=problem,
        key=key,
    )


def digest_of(files: Sequence[File]) -> str:
    """SHA-256 of the file that was handed in; of several, of all their names and bytes."""
    if len(files) == 1:
        return hashlib.sha256(files[0][1]).hexdigest()
    digest = hashlib.sha256()
    for name, data in files:
        digest.update(len(name.encode(errors="replace")).to_bytes(8, "big") + name.encode(errors="replace"))
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _chosen(release: Release, files: Sequence[File]) -> tuple[SubmittedNotebook, Matched, list[str]]:
    """The one notebook that is the assignment's; others are named in remarks."""
    found: list[SubmittedNotebook] = []
    unreadable: list[Unreadable] = []
    for name, data in files:
        try:
            found += notebooks(name, data)
        except Unreadable as problem:
            unreadable.append(problem)
    if not found:
        if unreadable:
            raise unreadable[0]
        raise Unreadable("No notebook was handed in. Hand in the .ipynb file, or a zip with it.")
    name = release.assignment.notebook
    matches = [(match(release, notebook), notebook) for notebook in found]
    holding = [(matched, notebook) for matched, notebook in matches if matched.found]
    if not holding:
        other = next((notebook for notebook in found if notebook.assignment not in ("", name)), None)
        of = f": it is of {other.assignment}" if other else ""
        raise Unreadable(
            f"{found[0].name} holds no answer cell of {name}{of}. Hand in the notebook of {name}."
        )
    most = max(matched.found for matched, _ in holding)
    best = [(matched, notebook) for matched, notebook in holding if matched.found == most]
    if len({matched.cells for matched, _ in best}) > 1:
        named = " and ".join(notebook.name for _, notebook in best)
        raise Unreadable(f"There are several notebooks with answers: {named}. Hand in one of them, alone.")
    matched, notebook = best[0]
    remarks = [
        f"{other.name} was handed in too; {notebook.name} was graded."
        for other in found
        if other is not notebook
    ]
    return notebook, matched, [*remarks, *map(str, unreadable)]
