"""What students were given: the release's notebook, from which a submission's cells are told apart."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

from assignments_lib.checks.exercise import Exercise
from assignments_lib.checks.registry import Assignment, assignment
from assignments_lib.marking.reading import SubmittedCell, Unreadable, notebooks


@dataclass(frozen=True)
class Blank:
    """One cell to be filled in: its id, the exercise or question it belongs to, and its text as it was given."""

    id: str
    task: str
    stub: str
    defines: frozenset[str]


@dataclass(frozen=True)
class Release:
    """One assignment as it was given to students."""

    assignment: Assignment
    preamble: tuple[str, ...]  # of the cells that are no answers, what answers may rely on
    answers: tuple[Blank, ...]
    questions: tuple[Blank, ...]
    locked_ids: frozenset[str]
    locked_sources: frozenset[str]
    experiments: frozenset[str]  # names that only cells define which aren't run
    digest: str

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """The assignment's exercises."""
        return tuple(task for task in self.assignment.exercises if isinstance(task, Exercise))


@lru_cache(maxsize=8)
def read(name: str, data: bytes) -> Release:
    """The release in the bytes of a notebook as students got it; ``name`` is the file's.

    Raises:
        Unreadable: it isn't one.
    """
    notebook, *more = notebooks(name, data)
    try:
        found = assignment(notebook.assignment)
    except KeyError as error:
        raise Unreadable(f"{name} is not a released assignment: {error.args[0]}.") from None
    exercises = {task.id: task for task in found.exercises}
    try:
        tasks = _tasks(data)
        fits = (
            not more
            and len(tasks) == len(notebook.cells)
            and all(
                cell.ids and (kind == "question" or isinstance(exercises[id], Exercise))
                for cell, (kind, id) in zip(notebook.cells, tasks, strict=True)
                if kind in ("exercise", "question")
            )
        )
    except (LookupError, TypeError, ValueError, AttributeError):  # a zip, another format of notebooks
        fits = False
    if not fits:
        raise Unreadable(
            f"{name} is not a notebook as `assignments build` writes it. Name the one that students got."
        )
    answers, questions, locked, preamble = [], [], [], [_ALWAYS]
    names_run: set[str] = set()
    names_not_run: set[str] = set()
    for cell, task in zip(notebook.cells, tasks, strict=True):
        kind, id = task
        if kind == "exercise":
            exercise = exercises[id]
            assert isinstance(exercise, Exercise)
            defines = frozenset(exercise.defines) & defined(cell.source)
            answers.append(Blank(cell.ids[0], id, cell.source, defines or defined(cell.source)))
        elif kind == "question":
            questions.append(Blank(cell.ids[0], id, cell.source, frozenset()))
        else:
            locked.append(cell)
            if kind == "code" and cell.kind == "code":
                kept = needed(cell.source)
                preamble += kept
                names_run |= defined("\n".join(kept))
                names_not_run |= defined(cell.source)
    if not answers:
        raise Unreadable(f"{name} has no cells to be filled in: it isn't a released assignment.")
    return Release(
        found,
        tuple(preamble),
        tuple(answers),
        tuple(questions),
        frozenset(id for cell in locked for id in cell.ids),
        frozenset(normal(cell.source) for cell in locked),
        frozenset(names_not_run - names_run),
        hashlib.sha256(data).hexdigest(),
    )


_ALWAYS = "from IPython.display import display"  # every notebook has it


def _tasks(data: bytes) -> list[tuple[str, str]]:
    """(what, which) for each cell: ("exercise", "1.2"), ("check", "1.2"), ("question", "Q1"), ("code", "")."""
    tasks = []
    for cell in json.loads(data)["cells"]:
        ours = cell["metadata"].get("assignments", {})
        kinds = [kind for kind in ("exercise", "check", "question") if kind in ours]
        tasks.append((kinds[0], ours[kinds[0]]) if kinds else ("code", ""))
    return tasks


def normal(source: str) -> str:
    """A source without what editors change: line ends, spaces at them, empty lines."""
    return "\n".join(line.rstrip() for line in source.splitlines() if line.strip())


def parsed(source: str) -> ast.Module | None:
    """The source's tree; None where it isn't Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what somebody else wrote
            return ast.parse(plain(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


_HELP = re.compile(r"[\w.]+\?{1,2}")
_TOKEN = re.compile(r"""\\.|\"{3}|'{3}|["'#()\[\]{}]""")


def plain(source: str) -> str:
    """The source with IPython's magics and shell lines turned into comments, the number of its lines the same.

    A line that goes on with a statement or a text, as ``% 2`` inside brackets does, is left as it is.
    """
    lines: list[str] = []
    depth, quote = 0, ""
    for line in source.split("\n"):
        magic = line.strip()
        goes_on = depth or quote or (lines and lines[-1].rstrip("\r").endswith("\\"))
        if not goes_on and magic and (magic[0] in "%!?" or _HELP.fullmatch(magic)):
            lines.append(f"{line[: -len(line.lstrip())]}pass  # {magic}")
            continue
        depth, quote = _after(line, depth, quote)
        lines.append(line)
    return "\n".join(lines)


def _after(line: str, depth: int, quote: str) -> tuple[int, str]:
    """How many brackets are open after a line, and which quotation mark, "" for none."""
    for token in _TOKEN.findall(line):
        if quote:
            if token in (quote, 3 * quote):
                quote = ""
        elif token == "#":
            break
        elif token[0] in "\"'":
            quote = token
        elif token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth = max(0, depth - 1)
    if len(quote) == 1 and not line.rstrip("\r").endswith("\\"):
        quote = ""  # an error, as a line ends it
    return depth, quote


def defined(source: str) -> frozenset[str]:
    """The names that a cell's top level defines."""
    tree = parsed(source)
    names: set[str] = set()
    for statement in tree.body if tree else ():
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(statement.name)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
        else:
            names |= {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
    return frozenset(names)


def needed(source: str) -> list[str]:
    """Of a cell that isn't an answer, what answers may rely on, piece by piece.

    That is the set-up cell as a whole, and of the others the imports, functions, classes and plain values: no
    experiment is run.
    """
    tree = parsed(source)
    if tree is None:
        return []
    if any(
        isinstance(node, ast.ImportFrom) and "NotFilledIn" in {a.name for a in node.names}
        for node in tree.body
    ):
        return [source]
    return [ast.unparse(statement) for statement in tree.body if _is_plain(statement)]


def _is_plain(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)):
        return True
    if not isinstance(statement, ast.Assign):
        return False
    try:
        ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True


def own_code(release: Release, cell: SubmittedCell) -> bool:
    """Whether a code cell is the student's: not one of the release's, changed or not."""
    return not (set(cell.ids) & release.locked_ids) and normal(cell.source) not in release.locked_sources
