"""What a person sees while a notebook executes: the bar, the slowest cells, and where it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nbformat import NotebookNode
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from assignments_lib.authoring.errors import BuildError
from assignments_lib.authoring.execute import CellFailed, Ran
from assignments_lib.authoring.source import Source


@contextmanager
def bar(console: Console, name: str, notebook: NotebookNode) -> Iterator[Callable[[NotebookNode], None]]:
    """A progress bar over the code cells of a notebook; yields what to call with each cell before it runs."""
    total = sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in notebook.cells)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[cell]}", markup=True),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=total, cell="starting the kernel")
        begun = -1

        def on_cell(cell: NotebookNode) -> None:
            nonlocal begun
            begun += 1
            progress.update(task, completed=begun, cell=cell.id)

        yield on_cell
        progress.update(task, completed=total, cell="")


def print_slowest(console: Console, source: Source, ran: list[Ran], most: int = 5) -> None:
    """A table of the cells that took longest."""
    total = sum(one.seconds for one in ran)
    table = Table(title=f"{source.name}: {total:.0f} s; the slowest cells", title_justify="left", box=None)
    table.add_column("seconds", justify="right")
    table.add_column("cell")
    table.add_column("source")
    for one in sorted(ran, key=lambda one: -one.seconds)[:most]:
        table.add_row(f"{one.seconds:.1f}", one.cell, source.place_of(one.cell))
    console.print(table)


def explain(source: Source, failed: CellFailed) -> str:
    """Which cell failed, at which line of the source, and why."""
    return f"{source.place_of(failed.cell.id, failed.line)}: the cell {failed.cell.id} failed: {failed}"


@contextmanager
def failures_explained(source: Source) -> Iterator[None]:
    """Turn a cell's failure into a BuildError that names its line in the source."""
    try:
        yield
    except CellFailed as failed:
        raise BuildError(explain(source, failed)) from failed
