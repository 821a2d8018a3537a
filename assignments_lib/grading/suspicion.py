"""What an instructor may want to read: code that looks at the grader, not at the exercise. It costs no points."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from assignments_lib.marking.matching import Code
from assignments_lib.marking.release import parsed

_MODULES = {
    "ctypes": "reaches below Python",
    "gc": "looks at all objects of the process",
    "inspect": "looks at the stack",
    "socket": "uses the network",
    "subprocess": "starts programs",
    "pickle": "pickles",
    "signal": "changes signals",
    "resource": "changes limits",
}
_NAMES = {
    "__class__",
    "__bases__",
    "__subclasses__",
    "_getframe",
    "__globals__",
    "settrace",
    "setprofile",
    "fork",
}


def warnings_about(cells: Sequence[Code]) -> list[str]:
    """One sentence for each thing in a submission's code that no exercise asks for and attacks are made of."""
    found: dict[str, None] = {}
    for cell in cells:
        tree = parsed(cell.source)
        where = f"The cell of {cell.task}" if cell.task else "A cell that the student added"
        for node in ast.walk(tree) if tree else ():
            for what in _looks(node):
                found.setdefault(f"{where} {what}. Have a look at it.")
    return list(found)[:20]


def _looks(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        modules = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        return [f"uses `{node.attr}`"]
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        base, names = node, [node.attr]
        while isinstance(base.value, ast.Attribute):
            base = base.value
            names.append(base.attr)
        if isinstance(base.value, ast.Name) and base.value.id in (
            "torch",
            "torchvision",
            "nn",
            "F",
            "np",
            "check",
            "sys",
        ):
            whole = ".".join([base.value.id, *reversed(names)])
            return [f"replaces `{whole[:100]}`"]
        return []
    else:
        return []
    said = [f"imports `{name}` ({_MODULES[name]})" for name in modules if name in _MODULES]
    inside = ("assignments_lib.checks.host", "assignments_lib.checks.serve", "assignments_lib.checks.wire")
    said += [f"imports `{name}`, a part of the grader" for name in modules if name.startswith(inside)]
    return said
