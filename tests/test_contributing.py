"""CONTRIBUTING.md: every path that it names is there, and its picture shows the imports as they are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = CHECKOUT / "assignments_lib"
TEXT = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FIRST_HOUR = (CHECKOUT / "docs" / "instructors_first_hour.md").read_text(encoding="utf-8")
PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`|\]\((?!http)([^)#]+)\)")
ARROW = re.compile(r"^\s*(\w+) --> (\w+)$", re.MULTILINE)


def paths(text: str) -> list[str]:
    """What is written as a path: with a folder, or an ending that files here have; and links."""
    found = []
    for code, link in PATH.findall(text):
        if link or "/" in code or code.endswith((".md", ".py", ".toml", ".yml")):
            found.append(link or code)
    return found + re.findall(r"uv run (?:pytest|python) (?:-\S+ )*([\w./]+/[\w./]+)", text)


@pytest.mark.parametrize("path", sorted(set(paths(TEXT))))
def test_every_path_that_it_names_is_there(path: str) -> None:
    if path == "notebooks/source/NAME.py":
        return
    assert (CHECKOUT / path).exists()
    assert (CHECKOUT / path).is_dir() or not path.endswith("/")


def test_enough_paths_were_found_to_be_looked_for() -> None:
    assert len(set(paths(TEXT))) > 50


def test_paths_of_the_first_hour_are_there_but_for_what_it_makes() -> None:
    made = {"assignments_lib/checks/resnet34/parameters.py", "release/"}
    for path in set(paths(FIRST_HOUR)) - made:
        if not path.startswith("grades/") and not path.startswith("samples"):
            assert (CHECKOUT / "docs" / path).exists() or (CHECKOUT / path).exists(), path


def test_every_row_says_what_where_and_with_which_test() -> None:
    table = TEXT.partition("## Where to change what")[2].partition("## Tests")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 15
    for row in rows:
        assert len(row) == 3, row
        assert all(cell.strip() for cell in row), row


def packages() -> set[str]:
    return {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()} | {"cli"}


def imports() -> set[tuple[str, str]]:
    """Which package imports which."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        one = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assignments_lib"):
                named = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                named = [alias.name for alias in node.names if alias.name.startswith("assignments_lib.")]
            else:
                continue
            found |= {(one, name.split(".")[1]) for name in named}
    return {(one, other) for one, other in found if one != other and {one, other} <= packages()}


def test_the_picture_shows_every_package_and_no_import_that_there_is_not() -> None:
    drawn = set(ARROW.findall(TEXT))
    assert {name for arrow in drawn for name in arrow} == packages()
    assert drawn <= imports()


def test_every_import_goes_down_the_picture() -> None:
    below: dict[str, set[str]] = {name: set() for name in packages()}
    for _ in below:
        for one, other in ARROW.findall(TEXT):
            below[one] |= {other} | below[other]
    assert {arrow for arrow in imports() if arrow[1] not in below[arrow[0]]} == set()
    assert not [name for name in below if name in below[name]]


def test_the_picture_has_a_description_for_those_who_cant_see_it() -> None:
    (described,) = re.findall(r"accDescr: (.*)", TEXT)
    assert len(described.split()) > 15
    assert "accTitle: " in TEXT
