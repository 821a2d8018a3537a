"""The answers of a submission are found wherever they went; what isn't an answer is left out."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from submissions import added, cell_of, notebook_of, released

from assignments_lib.grading.matching import Matched, match
from assignments_lib.grading.reading import notebooks
from assignments_lib.grading.release import defined, needed, normal, plain
from assignments_lib.grading.result import Graded, from_json, to_json
from assignments_lib.grading.sandbox import Limits
from assignments_lib.grading.store import Store, key
from assignments_lib.grading.suspicion import warnings_about

NAMES = ("1_resnet34", "2_data_augmentation", "3_classification_to_segmentation")
NAME = NAMES[0]
BLOCK = "exercise-1-2"


def matched(notebook: dict[str, Any], name: str = NAME) -> Matched:
    return match(released(name), notebooks("a.ipynb", json.dumps(notebook).encode())[0])


def answer_to(task: str, found: Matched) -> str:
    return "\n".join(code.source for code in found.cells if code.task == task)


def index(notebook: dict[str, Any], id: str) -> int:
    return next(n for n, cell in enumerate(notebook["cells"]) if cell["id"] == id)


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_is_its_answers_and_nothing_else(name: str) -> None:
    release = released(name)
    found = matched(notebook_of(name, solved=True), name)
    assert [code.task for code in found.cells] == [exercise.id for exercise in release.exercises]
    assert found.remarks == ()
    assert all(found.questions.values())
    assert not [
        words for words in found.questions.values() if "marked by hand" in words
    ]  # the question itself
    assert found.questions.keys() == {"Q1", "Q2"}
    assert warnings_about(found.cells) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_notebook_is_its_stubs(name: str) -> None:
    found = matched(notebook_of(name), name)
    assert all("raise NotFilledIn" in code.source for code in found.cells)
    assert set(found.questions.values()) == {""}


@pytest.mark.parametrize("name", NAMES)
def test_no_experiment_is_part_of_what_is_run(name: str) -> None:
    release = released(name)
    assert sum("NotFilledIn" in piece for piece in release.preamble) == 1
    for piece in release.preamble:
        for line in piece.splitlines():
            assert not line.startswith(("fit(", "learn(", "assess(", "plots.", "check.")), line
            assert " = load" not in line or line.startswith(" ")


def without_ids(notebook: dict[str, Any]) -> None:
    for number, cell in enumerate(notebook["cells"]):
        cell["id"], cell["metadata"] = f"c{number}", {}


def ids_as_colab_keeps_them(notebook: dict[str, Any]) -> None:
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"id": cell["id"]}
        cell["id"] = f"c{number}"


def windows(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def reversed_order(notebook: dict[str, Any]) -> None:
    notebook["cells"].reverse()


def doubled_blank(notebook: dict[str, Any]) -> None:
    stub = cell_of(notebook_of(NAME), BLOCK)
    notebook["cells"].append(stub | {"id": "copy"})


def locked_cells_changed(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not cell["id"].startswith("exercise"):
            cell["source"] += "\nraise SystemExit"


@pytest.mark.parametrize(
    "change",
    [without_ids, ids_as_colab_keeps_them, windows, reversed_order, doubled_blank, locked_cells_changed],
    ids=lambda change: change.__name__,
)
def test_every_answer_is_found_all_the_same(change: Callable[[dict[str, Any]], None]) -> None:
    notebook = notebook_of(NAME, solved=True)
    whole = matched(copy.deepcopy(notebook))
    change(notebook)
    found = matched(notebook)
    for task in (code.task for code in whole.cells):
        assert normal(answer_to(task, found)) == normal(answer_to(task, whole))
    assert [code for code in found.cells if not code.task] == []


def test_a_deleted_cell_is_blank_and_said_to_be_gone() -> None:
    notebook = notebook_of(NAME, solved=True)
    del notebook["cells"][index(notebook, BLOCK)]
    found = matched(notebook)
    assert "raise NotFilledIn" in answer_to("1.2", found)
    assert found.remarks == (
        "No answer was found to 1.2: the cell is gone, and no other defines what it asks for.",
    )


@pytest.mark.parametrize("above", [True, False])
def test_an_answer_in_a_new_cell_beside_the_stub_counts(above: bool) -> None:
    notebook = notebook_of(NAME)
    place = index(notebook, BLOCK)
    notebook["cells"].insert(place if above else place + 1, added("class BasicBlock: mine = 1"))
    found = matched(notebook)
    assert answer_to("1.2", found) == ""
    assert "class BasicBlock: mine = 1" in [code.source for code in found.cells]
    assert "what another cell defines was graded" in found.remarks[0]


def test_of_two_answers_the_last_counts() -> None:
    notebook = notebook_of(NAME, solved=True)
    place = index(notebook, BLOCK)
    notebook["cells"].insert(
        place + 1, notebook["cells"][place] | {"source": "class BasicBlock: second = 1", "id": "copy"}
    )
    found = matched(notebook)
    assert answer_to("1.2", found) == "class BasicBlock: second = 1"
    assert found.remarks == ("The cell of exercise 1.2 is there 2 times; the last one was graded.",)


def test_cells_of_ones_own_are_run_in_their_place() -> None:
    notebook = notebook_of(NAME, solved=True)
    notebook["cells"].insert(index(notebook, BLOCK), added("helper = 1"))
    tasks = [code.task or code.source for code in matched(notebook).cells]
    assert tasks[:3] == ["1.1", "helper = 1", "1.2"]


def test_magics_become_comments_and_lines_keep_their_numbers() -> None:
    source = "%matplotlib inline\nif True:\n    !ls\nx = 5 % 3\ny?\nz = x"
    assert plain(source).split("\n")[3] == "x = 5 % 3"
    assert plain(source).count("\n") == source.count("\n")
    namespace: dict[str, Any] = {}
    exec(plain(source), namespace)
    assert namespace["z"] == 2


def test_what_a_cell_defines_and_what_of_it_is_needed() -> None:
    source = "import a.b, c as d\nfrom e import f\nx, y = 1, 2\nclass G: pass\nfor i in range(3): j = i\nk = load(x)"
    assert defined(source) == {"a", "d", "f", "x", "y", "G", "i", "j", "k"}
    assert needed(source) == ["import a.b, c as d", "from e import f", "x, y = (1, 2)", "class G:\n    pass"]
    assert (defined("def f(:"), needed("def f(:")) == (frozenset(), [])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import ctypes", "imports `ctypes`"),
        ("from assignments_lib.checks import host", "a part of the grader"),
        ("import gc, math", "imports `gc`"),
        ("import sys\nsys._getframe(1)", "uses `_getframe`"),
        ("torch.allclose = None", "replaces `torch.allclose`"),
        ("torch.nn.functional.relu = None", "replaces `torch.nn.functional.relu`"),
        ("().__class__.__bases__", "uses `__bases__`"),
    ],
)
def test_code_that_looks_at_the_grader_is_listed(source: str, says: str) -> None:
    notebook = notebook_of(NAME)
    notebook["cells"].append(added(source))
    warnings = warnings_about(matched(notebook).cells)
    assert any(says in warning and "student added" in warning for warning in warnings)


@pytest.mark.parametrize(
    "student", ["a/../../b", "..", ".hidden", "a\0b", "가나다" * 99, "x" * 5000, "\ud800", "<b>", ""]
)
def test_a_result_stays_in_its_folder_whatever_the_name(student: str, tmp_path: Any) -> None:
    store = Store(tmp_path)
    path = store.path(student)
    assert path.parent == store.folder
    assert path.resolve().parent == store.folder.resolve()
    graded = Graded(student.replace("\ud800", "?"), "a", "t", "f", "d", 1, ())
    assert from_json(to_json(graded)) == graded
    store.write(graded)
    assert list(store.all()) == [graded]


def test_different_names_are_different_files(tmp_path: Any) -> None:
    names = ["a/b", "a%2Fb", "a b", "a_b", "A/b", "x" * 200, "x" * 201]
    assert len({Store(tmp_path).path(name) for name in names}) == len(names)


def test_the_key_changes_with_what_a_result_depends_on() -> None:
    first = released(NAME)
    keys = {
        key(first, "one", Limits()), key(first, "two", Limits()), key(released(NAMES[1]), "one", Limits()),
        key(first, "one", Limits(exercise=5)),
    }  # fmt: skip
    assert len(keys) == 4
    assert key(first, "one", Limits()) in keys
