"""The pipeline from a source to everything that is generated of it.

* read `notebooks/source/NAME.py` and check it: marks, ids, exercises against the registry (`source`);
* make the student's notebook: stubs for solutions, nbgrader's metadata, no outputs (`notebooks.student`);
* prove that it tells no line of a solution (`leaks`);
* write it to `notebooks/NAME.ipynb`;
* make the solution notebook: answers in place, marks gone (`notebooks.solution`);
* execute it from top to bottom, a bar a cell, no cell over the budget (`execute`), and strip what differs at
  every run (`tidy`);
* write it to `notebooks/solutions/NAME.ipynb`, if it isn't too large to live in git.

`stale` goes the same way without executing or writing, and says which files would come out differently.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from assignments_lib.authoring import BUDGET, notebooks
from assignments_lib.authoring.checkout import Checkout, shown
from assignments_lib.authoring.errors import refuse
from assignments_lib.authoring.execute import execute
from assignments_lib.authoring.leaks import leaks
from assignments_lib.authoring.progress import bar, failures_explained, print_slowest
from assignments_lib.authoring.sameness import does_the_same
from assignments_lib.authoring.source import Lookup, Source, read
from assignments_lib.checks.registry import assignment

LARGEST = 2_000_000  # bytes of a notebook that may live in git

NBGRADER_CONFIG = '''\
c = get_config()
c.ClearSolutions.code_stub = {
    "python": """# Your code here, in place of the lines below
raise NotFilledIn(
    "This exercise is not filled in yet: "
    "write it in its cell, run that cell, and come back here."
)"""
}
c.ClearSolutions.text_stub = "*Write your answer here.*"
'''


def build(
    checkout: Checkout,
    names: list[str],
    console: Console,
    *,
    run: bool = True,
    timeout: int | None = BUDGET,
    environment: dict[str, str] | None = None,
    lookup: Lookup = assignment,
) -> None:
    """Build the named notebooks, student's and solution.

    Args:
        checkout: where they are.
        names: which; all of them where empty.
        console: told what is written, and how long the slowest cells took.
        run: execute the solutions. Without it, a cell that does what it did keeps its outputs.
        timeout: seconds a cell may take; None for no limit.
        environment: variables for the kernel, such as ASSIGNMENTS_DATA.
        lookup: gives the assignment of a notebook.

    Raises:
        BuildError: a source is not in order, a solution would leak, a cell failed, or the result is huge.
    """
    sources = [read(checkout.source(name), lookup) for name in checkout.named(names)]
    students = [student_notebook(source) for source in sources]
    for source, blank in zip(sources, students, strict=True):
        _write(_student_file(checkout, source), notebooks.as_text(blank), console)
    for source in sources:
        solved = notebooks.solution(source)
        file = _solution_file(checkout, source)
        if run:
            with bar(console, source.name, solved) as on_cell, failures_explained(source):
                ran = execute(
                    solved, checkout.notebooks, timeout=timeout, environment=environment, on_cell=on_cell
                )
            print_slowest(console, source, ran)
        else:
            keep_outputs(solved, _stored(file))
        text = notebooks.as_text(solved)
        refuse(_too_large(source, solved, text))
        _write(file, text, console)


def student_notebook(source: Source) -> NotebookNode:
    """The student's notebook, proved to tell no solution.

    Raises:
        BuildError: it would.
    """
    blank = notebooks.student(source)
    refuse(leaks(source, blank))
    return blank


def write_nbgrader_course(
    checkout: Checkout, names: list[str], course: Path, console: Console, lookup: Lookup = assignment
) -> None:
    """Write the sources, marks and all, as nbgrader's `source/NAME/NAME.ipynb` below a course's folder.

    `nbgrader generate_assignment NAME` goes on from there. The course gets an nbgrader_config.py whose stub
    is NotFilledIn, unless it has one already.

    Raises:
        BuildError: a source is not in order.
    """
    for name in checkout.named(names):
        source = read(checkout.source(name), lookup)
        student_notebook(source)
        _write(
            course / "source" / name / f"{name}.ipynb", notebooks.as_text(notebooks.marked(source)), console
        )
    config = course / "nbgrader_config.py"
    if not config.exists():
        _write(config, NBGRADER_CONFIG, console)


def stale(checkout: Checkout, names: list[str], lookup: Lookup = assignment) -> Iterator[str]:
    """One sentence for each generated file that is not what its source gives now, and the command to mend it.

    Raises:
        BuildError: a source is not in order.
    """
    for name in checkout.named(names):
        source = read(checkout.source(name), lookup)
        mend = f"run `assignments build {name}` and commit the result."
        file = _student_file(checkout, source)
        fresh = notebooks.as_text(student_notebook(source)).encode()
        if not file.is_file():
            yield f"{shown(file)} is missing: {mend}"
        elif file.read_bytes() != fresh:
            yield f"{shown(file)} is not what {shown(source.path)} gives: {mend}"
        file = _solution_file(checkout, source)
        reason = _why_stale(_stored(file), notebooks.solution(source), source)
        if reason:
            yield f"{shown(file)} {reason}: {mend}"
    if not names:
        known = checkout.names()
        for file in (
            *sorted(checkout.notebooks.glob("*.ipynb")),
            *sorted(checkout.solutions.glob("*.ipynb")),
        ):
            if file.stem not in known:
                yield f"{shown(file)} has no source {shown(checkout.source(file.stem))}: delete it."


def keep_outputs(solved: NotebookNode, stored: NotebookNode | None) -> None:
    """Give the cells that do what they did, in place, the outputs they had: another docstring changes none.

    The set-up cell does nothing outside Colab, so a new one counts as run.
    """
    old = {cell.get("id"): cell for cell in stored.cells} if stored else {}
    for cell in solved.cells:
        before = old.get(cell.id)
        if notebooks.SET_UP in cell.metadata.get("tags", []):
            cell.execution_count = 1
        if cell.cell_type == "code" and before and does_the_same(before.get("source", ""), cell.source):
            cell.outputs, cell.execution_count = before.outputs, before.execution_count


def _why_stale(stored: NotebookNode | None, fresh: NotebookNode, source: Source) -> str | None:
    """Why a stored solution notebook is not what it should be, or None."""
    if stored is None:
        return "is missing, or is no notebook"
    if [cell.get("id") for cell in stored.cells] != [cell.id for cell in fresh.cells]:
        return f"has other cells than {shown(source.path)}"
    not_run: dict[str, Any] = {"outputs": [], "execution_count": None}
    for before, now in zip(stored.cells, fresh.cells, strict=True):
        place = source.place_of(now.id)
        code = now.cell_type == "code" and now.source.strip()
        if {**before, **not_run} != {**now, **not_run}:
            return f"has another cell {now.id} than {place}"
        if code and before.execution_count is None:
            return f"was not executed at {place}"
        raises = "raises-exception" in now.metadata.get("tags", [])
        if code and not raises and any(output.output_type == "error" for output in before.outputs):
            return f"holds an error at {place}"
    return None if stored.metadata == fresh.metadata else "has other metadata"


def _too_large(source: Source, notebook: NotebookNode, text: str) -> Iterator[str]:
    """That a notebook is too large for git, and which cells make it so."""
    if len(text.encode()) <= LARGEST:
        return
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    sizes = {cell.id: len(json.dumps(cell.outputs)) for cell in cells}
    largest = sorted(sizes, key=lambda id: -sizes[id])[:3]
    told = ", ".join(f"{source.place_of(id)} ({sizes[id] / 1e6:.1f} MB)" for id in largest)
    yield (
        f"The solution of {source.name} is {len(text.encode()) / 1e6:.1f} MB, and {LARGEST / 1e6:.0f} MB "
        f"is the most; draw smaller or fewer pictures, first at {told}"
    )


def _stored(file: Path) -> NotebookNode | None:
    """A notebook on disk; None where it is missing or unreadable."""
    try:
        stored = nbformat.read(file, as_version=4)
        nbformat.validate(stored)
    except Exception:  # a file that is no notebook makes nbformat raise almost anything
        return None
    return stored


def _student_file(checkout: Checkout, source: Source) -> Path:
    return checkout.notebooks / f"{source.name}.ipynb"


def _solution_file(checkout: Checkout, source: Source) -> Path:
    return checkout.solutions / f"{source.name}.ipynb"


def _write(file: Path, text: str, console: Console) -> None:
    """Write a file whole or not at all, and say so."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.part")
    half.write_text(text, encoding="utf-8", newline="\n")
    half.replace(file)
    console.print(f"[green]wrote[/] {shown(file)}, {len(text.encode()) / 1000:,.0f} kB", highlight=False)
