"""`assignments run`: a notebook executed headlessly, as a copy and as one page of HTML."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from rich.console import Console
from rich.text import Text

from assignments_lib.authoring import notebooks
from assignments_lib.authoring.blank import raised
from assignments_lib.authoring.build import student_notebook
from assignments_lib.authoring.checkout import Checkout, shown
from assignments_lib.authoring.errors import BuildError
from assignments_lib.authoring.execute import CellFailed, execute
from assignments_lib.authoring.progress import bar, explain, print_slowest
from assignments_lib.authoring.source import Lookup, Source, read
from assignments_lib.checks.registry import assignment
from assignments_lib.datasets.sources import SOURCES

REPORT = "report"  # the tag of cells whose text is printed at the end
_TRACEBACK_LINES = 12


def run(
    checkout: Checkout,
    name: str,
    console: Console,
    *,
    data: str | None = None,
    blank: bool = False,
    output: Path | None = None,
    timeout: int | None = None,
    environment: dict[str, str] | None = None,
    lookup: Lookup = assignment,
) -> int:
    """Build a notebook in memory, execute it, and write the executed copy and an HTML page.

    Args:
        checkout: where its source is.
        name: which notebook.
        console: told the progress, what is written, and what the cells tagged "report" printed.
        data: the data set to use in place of the embedded one.
        blank: the student's notebook, not the solution; errors are allowed and listed.
        output: the folder to write to; ``runs/`` of the checkout where None.
        timeout: seconds a cell may take; None for no limit.
        environment: variables for the kernel, such as ASSIGNMENTS_DATA.
        lookup: gives the assignment of a notebook.

    Returns:
        0, or 1 where a cell failed; what ran until then is written all the same.

    Raises:
        BuildError: there is no such notebook, its source is not in order, or it has no parameters cell.
    """
    source = read(checkout.source(checkout.named([name])[0]), lookup)
    notebook = student_notebook(source) if blank else notebooks.solution(source)
    if data:
        inject(notebook, source, data)
    failure = None
    try:
        with bar(console, source.name, notebook) as on_cell:
            ran = execute(
                notebook,
                checkout.notebooks,
                timeout=timeout,
                environment=environment,
                allow_errors=blank,
                on_cell=on_cell,
            )
        print_slowest(console, source, ran)
    except CellFailed as failed:
        failure = failed

    stem = "-".join(filter(None, (source.name, data, "student" if blank else None)))
    folder = output or checkout.runs
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.ipynb").write_text(notebooks.as_text(notebook), encoding="utf-8", newline="\n")
    (folder / f"{stem}.html").write_text(
        page(notebook, source.assignment.title), encoding="utf-8", newline="\n"
    )
    for suffix in ("ipynb", "html"):
        console.print(f"[green]wrote[/] {shown(folder / f'{stem}.{suffix}')}", highlight=False)

    if blank:
        _print_raised(console, source, notebook)
    for text in reports(notebook):
        console.print(Text(text.rstrip()), soft_wrap=True)
    if failure is None:
        return 0
    tail = failure.traceback.rstrip().split("\n")[-_TRACEBACK_LINES:]
    console.print(Text.from_ansi("\n".join(tail)))
    console.print(Text(explain(source, failure), style="bold red"), soft_wrap=True)
    return 1


def inject(notebook: NotebookNode, source: Source, data: str) -> None:
    """Set DATASET, in place, in a cell of its own below the cell tagged "parameters", as papermill does.

    A notebook that works with drawings and with masks has MASKS there too: a data set with masks is meant for that,
    and one that gives both, labels and masks, for both.

    Raises:
        BuildError: there is no such cell.
    """
    gives = SOURCES[data].gives if data in SOURCES else ("labels",)
    for index, cell in enumerate(notebook.cells):
        if notebooks.PARAMETERS in cell.metadata.get("tags", []):
            wanted = (("DATASET", "labels"), ("MASKS", "masks"))
            fitting = [name for name, kind in wanted if f"{name} =" in cell.source and kind in gives]
            given = nbformat.v4.new_code_cell(
                "\n".join(f"{name} = {data!r}" for name in fitting or ["DATASET"]),
                id="injected-parameters",
                metadata={"tags": ["injected-parameters"]},
            )
            notebook.cells.insert(index + 1, given)
            return
    raise BuildError(
        f"{shown(source.path)} always uses the same data: no cell of it is tagged "
        '`# %% tags=["parameters"]`, so --data has nothing to replace.'
    )


def page(notebook: NotebookNode, title: str) -> str:
    """A notebook as one page of HTML, pictures and all; only formulas are typeset from the web."""
    exporter = HTMLExporter(embed_images=True, require_js_url="", jquery_url="")
    html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    return str(html).replace(
        '<script src=""></script>', ""
    )  # what is left of the two libraries no page needs


def reports(notebook: NotebookNode) -> list[str]:
    """The text that cells tagged "report" put out, standard error aside."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and REPORT in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if output.output_type == "stream" and output.name == "stdout":
                    found.append(output.text)
                elif "text/plain" in output.get("data", {}) and "image/png" not in output.data:
                    found.append(output.data["text/plain"])
    return [text for text in found if text.strip()]


def _print_raised(console: Console, source: Source, notebook: NotebookNode) -> None:
    """The cells of a blank notebook that raised, and why."""
    stopped = raised(notebook)
    console.print(f"Cells that raised: {len(stopped)}")
    for id, name, message in stopped:
        console.print(Text(f"  {source.place_of(id)}: {id}: {name}: {message}"), soft_wrap=True)
