"""A notebook's source: `notebooks/source/NAME.py`, read and checked against the registry.

It is jupytext's "percent" form of Python. What a cell is stands on its `# %%` line:

======================================  ==========================================================
``# %%``, ``# %% [markdown]``           teaching: the student reads and runs it, nobody edits it
``# %% exercise="1.2"``                 an answer, with solution marks; ``part="a"`` where there are several
``# %% check="1.2"``                    checks that exercise; its points come from the registry
``# %% [markdown] question="Q1"``       a written answer, with solution marks, marked by hand
``# %% tags=["parameters"]``            what ``assignments run --data`` replaces
``... needs="1.2 1.4"``                 a teaching cell that raises while these exercises are blank
``... gives="1.2"``                     help that quotes a line of this exercise's solution on purpose
``... editable=true``                   a teaching cell that students are meant to play with
======================================  ==========================================================

In text, ``{points: 1.1 1.2}`` stands for the points of these tasks, added up.
Other metadata (tags and the like) passes through. ``# %magic`` and ``# !command`` lines become magics.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import jupytext
from IPython.core.inputtransformer2 import TransformerManager

from assignments_lib.authoring import marks
from assignments_lib.authoring.checkout import shown
from assignments_lib.authoring.errors import BuildError, refuse
from assignments_lib.checks.registry import Assignment

Kind = Literal["code", "text", "exercise", "check", "question"]
Lookup = Callable[[str], Assignment]

_CELL = re.compile(r"# ?%%(?!%)")
_MAGIC = re.compile(r"^(\s*)# ([%!][A-Za-z].*)$", re.MULTILINE)
_POINTS = re.compile(r"\{points: ?([^}]+)\}")
_TASKS = ("exercise", "check", "question")
_OURS = (*_TASKS, "part", "needs", "gives")
_JUPYTEXT_NOISE = ("lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker")


@dataclass(frozen=True)
class Cell:
    """One cell of a source, solution marks and all."""

    kind: Kind
    id: str
    source: str
    line: int  # of its `# %%`
    first_line: int  # of its text
    task: str = ""  # "1.2", or "Q1"
    part: str = ""
    needs: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def markdown(self) -> bool:
        """Whether it is text, not code."""
        return self.kind in ("text", "question")

    @property
    def answer(self) -> bool:
        """Whether it holds a solution."""
        return self.kind in ("exercise", "question")

    @property
    def tags(self) -> list[str]:
        """Its Jupyter tags."""
        return list(self.metadata.get("tags", []))


@dataclass(frozen=True)
class Source:
    """A source that is in order: every exercise of the assignment is there, with a check and a solution."""

    name: str
    path: Path
    assignment: Assignment
    cells: tuple[Cell, ...]

    def place(self, line: int) -> str:
        """A line of the file, in the form that editors and terminals open on a click."""
        return f"{shown(self.path)}:{line}"

    def place_of(self, id: str, line: int | None = None) -> str:
        """Where the cell with this id begins, or where the line of its text is, counted from 1.

        A cell that isn't of the file, such as the one that `assignments run --data` puts in, is nowhere: "-".
        """
        for cell in self.cells:
            if cell.id == id:
                return self.place(cell.first_line + line - 1 if line else cell.line)
        return "-"


def read(path: Path, lookup: Lookup) -> Source:
    """Read a source and check it.

    Args:
        path: the file; its stem is the notebook's name.
        lookup: gives the assignment of a notebook, or raises KeyError where it has none (a lecture).

    Raises:
        BuildError: something is wrong with it; all problems found, each with file, line and id.
    """
    try:
        assignment = lookup(path.stem)
    except KeyError:
        assignment = Assignment(notebook=path.stem, title=path.stem, exercises=())
    cells = tuple(_with_points(cell, assignment, shown(path)) for cell in _cells(path))
    source = Source(path.stem, path, assignment, cells)
    refuse(_problems(source))
    return source


def _with_points(cell: Cell, assignment: Assignment, file: str) -> Cell:
    """Text cells say ``{points: 1.1 1.2}`` where the registry's points of these tasks, added up, should stand."""

    def points(found: re.Match[str]) -> str:
        try:
            return str(sum(assignment.task(id).points for id in found[1].split()))
        except KeyError as error:
            raise BuildError(f"{file}:{cell.line}: {found[0]}: {error.args[0]}") from None

    return replace(cell, source=_POINTS.sub(points, cell.source)) if cell.markdown else cell


def python(code: str) -> ast.Module:
    """The syntax tree of a code cell, magics included.

    Raises:
        SyntaxError: it isn't valid Python.
    """
    return ast.parse(TransformerManager().transform_cell(code))


def _cells(path: Path) -> Iterator[Cell]:
    """Cut the file into cells, each knowing where it stands."""
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if _CELL.match(line)]
    if not starts:
        raise BuildError(f"{shown(path)}:1: no cells; begin each with a line `# %%` or `# %% [markdown]`")
    for number, line in enumerate(lines[: starts[0]]):
        if line.strip() and not line.startswith("#"):
            raise BuildError(f"{shown(path)}:{number + 1}: code stands before the first `# %%`")

    text = "\n".join(lines[starts[0] :]) + "\n"
    # jupytext would take the comment "# cat pictures" for a shell command, so its own guess is switched off
    notebook = jupytext.reads(text, {"extension": ".py", "format_name": "percent", "comment_magics": False})
    if len(notebook.cells) != len(starts):
        raise BuildError(f"{shown(path)}: a line inside a string begins with `# %%`; indent it or reword it")

    seen: Counter[str] = Counter()
    for start, found in zip(starts, notebook.cells, strict=True):
        yield _cell(shown(path), start + 1, found, seen)


def _cell(file: str, line: int, found: Any, seen: Counter[str]) -> Cell:
    """One cell from jupytext's; ``seen`` counts the teaching cells with the same text, for their ids."""
    metadata = {key: value for key, value in found.metadata.items() if key not in _JUPYTEXT_NOISE}
    for key in metadata:
        meant = get_close_matches(key, _OURS, n=1, cutoff=0.75)
        if meant and key not in _OURS and key != "id":
            raise BuildError(f"{file}:{line}: `{key}` is unknown; did you mean `{meant[0]}`?")
    ours = {key: metadata.pop(key) for key in _OURS if key in metadata}
    for key, value in ours.items():
        if not isinstance(value, str) or not value.strip():
            raise BuildError(f'{file}:{line}: write {key}="..." in quotes, not {key}={value}')
    tasks = [key for key in _TASKS if key in ours]
    if len(tasks) > 1:
        raise BuildError(f"{file}:{line}: a cell is either {' or '.join(tasks)}, not both")
    markdown = found.cell_type == "markdown"
    if found.cell_type == "raw" or (tasks and markdown != (tasks == ["question"])):
        raise BuildError(
            f"{file}:{line}: exercises and checks are code cells, questions are [markdown] cells, "
            f"and there are no others; this one is {found.cell_type}"
        )

    indent_of_text = line + (2 if markdown and found.metadata.get("cell_marker") else 1)
    leading = len(found.source) - len(found.source.lstrip("\n"))
    source = found.source.strip("\n")
    if not markdown:
        source = _MAGIC.sub(r"\1\2", source)
    kind: Any = tasks[0] if tasks else ("text" if markdown else "code")
    if tasks:
        id = "-".join(
            re.sub(r"[^A-Za-z0-9]+", "-", name) for name in (kind, ours[kind], ours.get("part")) if name
        )
    else:
        id = f"{kind}-{hashlib.sha256(source.encode()).hexdigest()[:10]}"
        seen[id] += 1
        id += f"-{seen[id]}" if seen[id] > 1 else ""
    return Cell(
        kind=kind,
        id=id,
        source=source,
        line=line,
        first_line=indent_of_text + leading,
        task=ours[kind] if tasks else "",
        part=ours.get("part", ""),
        needs=tuple(ours.get("needs", "").split()),
        gives=tuple(ours.get("gives", "").split()),
        metadata=metadata,
    )


def _problems(source: Source) -> Iterator[str]:
    """Everything that is wrong with a source, in the order of its lines, then what is missing."""
    exercises = {task.id for task in source.assignment.exercises}
    questions = {task.id for task in source.assignment.questions}
    ids: dict[str, int] = {}
    for cell in source.cells:
        where = f"{source.place(cell.line)}: {cell.kind} {cell.task}".rstrip()
        if cell.task and cell.task not in (questions if cell.kind == "question" else exercises):
            yield f"{where} is not in the registry ({_listed(source.assignment)})"
        for other in (*cell.needs, *cell.gives):
            if other not in exercises | questions:
                yield f"{where} names {other}, which is not in the registry ({_listed(source.assignment)})"
        if cell.id in ids:
            yield f'{where} has the id {cell.id} of the cell at line {ids[cell.id]}; give one a `part="a"`'
        ids.setdefault(cell.id, cell.line)
        for offset, problem in marks.problems(cell.source, cell.markdown, cell.answer):
            where_of_mark = f"{source.place(cell.first_line + offset)}: {cell.kind} {cell.task}".rstrip()
            yield f"{where_of_mark}: {problem}"
        if not cell.markdown:
            try:
                python(cell.source)
            except SyntaxError as error:
                line = cell.first_line + (error.lineno or 1) - 1
                yield (
                    f"{source.place(line)}: {cell.kind} {cell.task}".rstrip()
                    + f" isn't valid Python: {error.msg}"
                )

    last_answer = {cell.task: cell.line for cell in source.cells if cell.kind == "exercise"}
    checks = {cell.task: cell for cell in source.cells if cell.kind == "check"}
    asked = {cell.task for cell in source.cells if cell.kind == "question"}
    for task in source.assignment.exercises:
        name = f"{shown(source.path)}: exercise {task.id} ({task.title})"
        if task.id not in last_answer:
            yield f'{name} is in the registry and not in the source; add a cell `# %% exercise="{task.id}"`'
        elif task.id not in checks:
            yield (
                f"{source.place(last_answer[task.id])}: exercise {task.id} ({task.title}) has no check; "
                f'add a cell `# %% check="{task.id}"` below it'
            )
        elif checks[task.id].line < last_answer[task.id]:
            where = source.place(checks[task.id].line)
            yield f"{where}: check {task.id} stands above its exercise; move it below"
    for question in source.assignment.questions:
        if question.id not in asked:
            yield (
                f"{shown(source.path)}: question {question.id} ({question.title}) is in the registry and not "
                f'in the source; add a cell `# %% [markdown] question="{question.id}"`'
            )

    first_answer = next((cell for cell in source.cells if cell.kind == "exercise"), None)
    if first_answer is not None:
        above = source.cells[: source.cells.index(first_answer)]
        if not any(
            re.search(r"\bimport\b.*\bNotFilledIn\b", cell.source) for cell in above if cell.kind == "code"
        ):
            yield (
                f"{source.place(first_answer.line)}: exercise {first_answer.task} needs NotFilledIn; add "
                "`from assignments_lib import NotFilledIn` to the set-up cell above it"
            )


def _listed(assignment: Assignment) -> str:
    tasks = [task.id for task in (*assignment.exercises, *assignment.questions)]
    return f"{assignment.notebook} has {', '.join(tasks) or 'no exercises'}"
