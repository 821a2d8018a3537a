"""Whether two cells do the same: their code is equal but for comments, docstrings and layout."""

from __future__ import annotations

import ast

# no module: a string that is all of a cell is shown
_WITH_DOCSTRING = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def does_the_same(before: str, now: str) -> bool:
    """Whether two sources of a code cell run the same statements. With magics, only equal text is known to."""
    if before == now:
        return True
    try:
        return _statements(before) == _statements(now)
    except SyntaxError:
        return False


def _statements(source: str) -> str:
    """The syntax tree in words, without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
