"""What grading leaves behind: pages, tables, and the files that learning platforms take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from assignments_lib.atomic import write_atomically
from assignments_lib.grading import canvas, gradescope, moodle, tables
from assignments_lib.grading.class_report import class_report
from assignments_lib.grading.feedback import feedback
from assignments_lib.grading.roster import Report
from assignments_lib.grading.store import Store
from assignments_lib.marking.result import Graded


@dataclass(frozen=True)
class Gradebooks:
    """The instructor's own: Canvas's export, Moodle's worksheet, nbgrader's course folder."""

    canvas: Path | None = None
    moodle: Path | None = None
    nbgrader: Path | None = None


def write(
    results: Sequence[Graded],
    output: Path,
    gradebooks: Gradebooks,
    release: Path,
    store: Store,
    console: Console,
) -> list[Graded]:
    """Write everything, and return the results with the marks that people gave for written questions."""
    graded = list(results)
    if gradebooks.nbgrader is not None and graded:
        from assignments_lib.grading import formgrader

        for sentence in formgrader.put(graded, release, gradebooks.nbgrader):
            console.print(Text(sentence, style="yellow"), soft_wrap=True)
        marked = formgrader.read_back(gradebooks.nbgrader, graded)
        for before, after in zip(graded, marked, strict=True):
            if before != after:
                store.write(after)
        graded = marked
    for result in graded:
        name = store.path(result.student).stem
        write_atomically(output / "feedback" / f"{name}.html", feedback(result))
        gradescope.write(result, output / "gradescope" / name / "results.json")
    title = graded[0].title if graded else ""
    tables.write(graded, output / "grades.csv")
    write_atomically(output / "class_report.html", class_report(graded, title=title))
    if graded:
        canvas.write(graded, output / "canvas.csv", title)
    if gradebooks.canvas is not None:
        filled = output / f"canvas_{gradebooks.canvas.name}"
        _say(canvas.fill(gradebooks.canvas, graded, title, filled), filled, console)
    if gradebooks.moodle is not None:
        filled = output / f"moodle_{gradebooks.moodle.name}"
        _say(moodle.fill(gradebooks.moodle, graded, filled), filled, console)
    waiting = sum(len(result.waiting) for result in graded)
    console.print(
        f"Written to {output}: grades.csv, class_report.html, feedback/, canvas.csv, gradescope/",
        markup=False,
    )
    if waiting:
        where = "; --nbgrader puts them into formgrader"
        if gradebooks.nbgrader is not None:
            where = f" in formgrader: start JupyterLab in {gradebooks.nbgrader}"
        answers = (
            "answer to a written question waits" if waiting == 1 else "answers to written questions wait"
        )
        console.print(f"{waiting:,} {answers} to be read{where}.", markup=False)
    return graded


def _say(report: Report, path: Path, console: Console) -> None:
    """Whom a gradebook didn't know, by name: nobody is guessed."""
    console.print(f"{path}: {len(report.filled)} marks filled in.", markup=False)
    for what, names in (
        ("no row was found for", report.unmatched_results),
        ("undecided", report.ambiguous),
        ("left as it was", report.left),
        ("no submission belongs to", report.rows_without_result),
        ("written answers not read yet, so the mark will grow, of", report.waiting),
    ):
        if names:
            console.print(Text(f"  {what}: {', '.join(names)}", style="yellow"), soft_wrap=True)
