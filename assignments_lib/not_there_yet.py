"""What a cell would have defined, had it not stopped at a blank exercise.

Without this, the cells that follow would fail with ``NameError: name 'history' is not defined``, which sends a student
looking in the wrong place. With it they stop with the same sentence as the first: which exercise is still blank.
"""

from __future__ import annotations

import ast
import sys
from typing import Any, NoReturn

from assignments_lib.not_filled_in import NotFilledIn


class NotThereYet:
    """Stands for a value that needs a blank exercise: any use of it raises `NotFilledIn`."""

    def __init__(self, message: str):
        self._message = message

    def __repr__(self) -> str:
        return f"<not there yet: {self._message}>"

    def _stop(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFilledIn(self._message)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):  # tools that look an object over, such as completion and display
            raise AttributeError(name)
        self._stop()

    __call__ = __iter__ = __len__ = __bool__ = __getitem__ = __setitem__ = __contains__ = _stop
    __str__ = __format__ = __float__ = __int__ = __index__ = __eq__ = __lt__ = __gt__ = __le__ = __ge__ = (
        _stop
    )
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _stop
    __hash__ = object.__hash__


def assigned_names(source: str) -> set[str]:
    """The names that a cell gives a value at its outermost level, functions' inner names left out."""
    try:
        module = ast.parse(source)
    except SyntaxError:
        return set()
    names: set[str] = set()
    pending: list[ast.AST] = list(module.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif not isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            pending.extend(ast.iter_child_nodes(node))
    return names


def stand_in(namespace: dict[str, Any], source: str, error: BaseException | None) -> None:
    """After a cell that stopped at a blank exercise: give the names it didn't get to a stand-in."""
    if isinstance(error, NotFilledIn):
        for name in assigned_names(source):
            namespace.setdefault(name, NotThereYet(str(error)))


def install() -> None:
    """Watch the cells of the running notebook, if there is one."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or getattr(shell, "_assignments_lib_watches", False):
        return

    def after_cell(result: Any) -> None:
        source = shell.transform_cell(result.info.raw_cell) if result.info is not None else ""
        stand_in(shell.user_ns, source, result.error_in_exec)

    shell.events.register("post_run_cell", after_cell)
    shell._assignments_lib_watches = True
