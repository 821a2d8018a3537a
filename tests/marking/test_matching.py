"""The answers of a submission are found wherever they went; what isn't an answer is left out."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from submissions import added, cell_of, notebook_of, released

from assignments_lib.grading.store import Store, key
from assignments_lib.grading.suspicion import warnings_about
from assignments_lib.marking import matching
from assignments_lib.marking.matching import Matched, match
from assignments_lib.marking.reading import notebooks
from assignments_lib.marking.release import defined, needed, normal, plain
from assignments_lib.marking.result import Graded, from_json, to_json
from assignments_lib.marking.room import Limits

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


# -- deterministic mutilations, of all three assignments ---------------------------------------------------


def tasks_of(name: str) -> list[str]:
    return [blank.task for blank in released(name).answers]


def middle(name: str) -> tuple[str, str]:
    """An exercise from the middle of a notebook: its number and the id of its cell."""
    task = tasks_of(name)[3]
    return task, f"exercise-{task.replace('.', '-')}"


def names_of(name: str, task: str) -> str:
    return " and ".join(sorted(next(blank for blank in released(name).answers if blank.task == task).defines))


def run_of(found: Matched) -> list[str]:
    """What is run, in order: the number of the exercise, or the source of a cell that the student added."""
    return [code.task or code.source for code in found.cells]


def solution(name: str) -> tuple[dict[str, Any], list[str], dict[str, str]]:
    notebook = notebook_of(name, solved=True)
    sources = {task: answer_to(task, matched(notebook, name)) for task in tasks_of(name)}
    return notebook, tasks_of(name), sources


every_assignment = pytest.mark.parametrize("name", NAMES)


@every_assignment
def test_each_cell_deleted_in_turn(name: str) -> None:
    stubs = {blank.task: blank.stub for blank in released(name).answers}
    for task in tasks_of(name):
        notebook, tasks, sources = solution(name)
        del notebook["cells"][index(notebook, f"exercise-{task.replace('.', '-')}")]
        found = matched(notebook, name)
        assert run_of(found) == [*(other for other in tasks if other != task), task]
        assert answer_to(task, found) == stubs[task]
        assert {other: answer_to(other, found) for other in tasks if other != task} == {
            other: source for other, source in sources.items() if other != task
        }
        assert found.remarks == (
            f"No answer was found to {task}: the cell is gone, and no other defines what it asks for.",
        )
        assert found.found == len(tasks) + 1  # 2 questions, one answer less


@every_assignment
def test_all_answer_cells_deleted(name: str) -> None:
    notebook, tasks, _ = solution(name)
    notebook["cells"] = [cell for cell in notebook["cells"] if not cell["id"].startswith("exercise-")]
    found = matched(notebook, name)
    assert run_of(found) == tasks
    assert all("raise NotFilledIn" in code.source for code in found.cells)
    assert found.remarks == (
        f"No answer was found to {', '.join(tasks)}: the cell is gone, and no other defines what it asks for.",
    )
    assert found.found == 2
    assert all(found.questions.values())


@every_assignment
@pytest.mark.parametrize("id", ["kept", "new"])
@pytest.mark.parametrize("first", [True, False], ids=["above", "below"])
@pytest.mark.parametrize("blank", ["stub", "", "  \n"], ids=["stub", "empty", "spaces"])
def test_a_blank_copy_above_or_below_is_nothing(name: str, id: str, first: bool, blank: str) -> None:
    notebook, tasks, sources = solution(name)
    cell_id = middle(name)[1]
    place = index(notebook, cell_id)
    source = cell_of(notebook_of(name), cell_id)["source"] if blank == "stub" else blank
    copy_ = notebook["cells"][place] | {"source": source, "id": cell_id if id == "kept" else "copy"}
    notebook["cells"].insert(place if first else place + 1, copy_)
    found = matched(notebook, name)
    assert run_of(found) == tasks
    assert {task: answer_to(task, found) for task in tasks} == sources
    assert found.remarks == ()


@every_assignment
@pytest.mark.parametrize("first", [True, False], ids=["above", "below"])
def test_of_two_different_answers_the_last(name: str, first: bool) -> None:
    notebook, tasks, sources = solution(name)
    task, cell_id = middle(name)
    place = index(notebook, cell_id)
    other = notebook["cells"][place] | {"source": f"{sources[task]}\nversion = 2", "id": "copy"}
    notebook["cells"].insert(place if first else place + 1, other)
    found = matched(notebook, name)
    assert run_of(found) == tasks
    assert ("version = 2" in answer_to(task, found)) is not first
    assert found.remarks == (f"The cell of exercise {task} is there 2 times; the last one was graded.",)


@every_assignment
def test_in_any_order(name: str) -> None:
    notebook, tasks, sources = solution(name)
    notebook["cells"] = notebook["cells"][1::2] + notebook["cells"][::2]
    found = matched(notebook, name)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert run_of(found) == sorted(tasks, key=lambda task: ids.index(f"exercise-{task.replace('.', '-')}"))
    assert run_of(found) != tasks
    assert {task: answer_to(task, found) for task in tasks} == sources
    assert found.remarks == ()


@every_assignment
@pytest.mark.parametrize("kind", ["markdown", "raw", "heading", None])
def test_an_answer_turned_into_text(name: str, kind: str | None) -> None:
    notebook, tasks, sources = solution(name)
    task, cell_id = middle(name)
    cell_of(notebook, cell_id)["cell_type"] = kind
    found = matched(notebook, name)
    assert (run_of(found), answer_to(task, found)) == (tasks, sources[task])
    assert found.remarks == (
        f"The cell of exercise {task} was turned into text; it was run as code all the same.",
    )
    cell_of(notebook, cell_id)["source"] = "My answer is that it works."
    assert matched(notebook, name).remarks == (
        f"The cell of exercise {task} was turned into text, and is not Python code.",
    )


@every_assignment
@pytest.mark.parametrize("first", [True, False], ids=["above", "below"])
def test_a_copy_kept_as_text_is_not_the_answer(name: str, first: bool) -> None:
    """An older version, put aside: the cell was copied, id and all, and turned into text."""
    notebook, tasks, sources = solution(name)
    task, cell_id = middle(name)
    place = index(notebook, cell_id)
    aside = notebook["cells"][place] | {"cell_type": "markdown", "source": "def old(): pass", "id": "copy"}
    notebook["cells"].insert(place if first else place + 1, aside)
    found = matched(notebook, name)
    assert (run_of(found), answer_to(task, found)) == (tasks, sources[task])
    assert found.remarks == ()


def ids_gone(cell: dict[str, Any]) -> None:
    cell["metadata"] = {}
    cell.pop("id")


def ids_in_metadata(cell: dict[str, Any]) -> None:
    cell["metadata"] = {"id": cell.pop("id")}


def ids_in_metadata_only_nbgrader_gone(cell: dict[str, Any]) -> None:
    cell["metadata"] = {"id": cell["id"], "executionInfo": {"user": {}}, "colab": {}}


def grade_ids_only(cell: dict[str, Any]) -> None:
    cell.pop("id")


def ids_drawn_anew(cell: dict[str, Any]) -> None:
    cell["id"] = cell["id"][::-1]
    cell["metadata"] = {"id": cell["id"]}


@every_assignment
@pytest.mark.parametrize("solved", [True, False], ids=["solved", "blank"])
@pytest.mark.parametrize(
    "strip",
    [ids_gone, ids_in_metadata, ids_in_metadata_only_nbgrader_gone, grade_ids_only, ids_drawn_anew],
    ids=lambda strip: strip.__name__,
)
def test_ids_and_metadata_as_editors_leave_them(
    name: str, solved: bool, strip: Callable[[dict[str, Any]], None]
) -> None:
    notebook = notebook_of(name, solved)
    whole = matched(copy.deepcopy(notebook), name)
    for cell in notebook["cells"]:
        strip(cell)
    found = matched(notebook, name)
    assert found.cells == whole.cells
    gone = strip in (ids_gone, ids_drawn_anew)
    assert found.remarks == (
        (
            *(
                f"The cell of exercise {task} is gone; what another cell defines under the name "
                f"{names_of(name, task)} was graded."
                for task in tasks_of(name)
            ),
            "The cell of question Q1 is gone.",
            "The cell of question Q2 is gone.",
        )
        if gone
        else ()
    )
    assert found.questions == (whole.questions if not gone else {"Q1": "", "Q2": ""})


@every_assignment
def test_without_ids_the_last_definition_counts_and_the_one_above_runs_too(name: str) -> None:
    notebook, tasks, sources = solution(name)
    task, cell_id = middle(name)
    notebook["cells"].insert(
        index(notebook, cell_id) + 1, added(f"{sources[task]}\nversion = 2") | {"id": "second"}
    )
    for cell in notebook["cells"]:
        ids_gone(cell)
    found = matched(notebook, name)
    place = tasks.index(task)
    assert run_of(found) == [*tasks[:place], sources[task], *tasks[place:]]
    assert answer_to(task, found).endswith("version = 2")


@every_assignment
@pytest.mark.parametrize("above", [True, False], ids=["above", "below"])
@pytest.mark.parametrize("stub", ["stub", "empty", "deleted"])
def test_an_answer_in_a_cell_of_ones_own(name: str, above: bool, stub: str) -> None:
    notebook, tasks, sources = solution(name)
    task, cell_id = middle(name)
    place = index(notebook, cell_id)
    given = cell_of(notebook_of(name), cell_id)["source"]
    notebook["cells"][place]["source"] = given if stub == "stub" else ""
    notebook["cells"].insert(place if above else place + 1, added(sources[task]))
    if stub == "deleted":
        del notebook["cells"][place + 1 if above else place]
    found = matched(notebook, name)
    assert found.found == len(tasks) + 2
    at = tasks.index(task)
    if stub == "deleted":
        assert run_of(found) == tasks
        assert answer_to(task, found) == sources[task]
        assert found.remarks == (
            f"The cell of exercise {task} is gone; what another cell defines under the name "
            f"{names_of(name, task)} was graded.",
        )
    else:
        assert run_of(found) == [*tasks[:at], sources[task], *tasks[at + 1 :]]
        assert found.remarks == (
            f"Exercise {task} is blank in its own cell; what another cell defines was graded.",
        )


@every_assignment
def test_a_cell_of_ones_own_with_half_an_answer_is_none(name: str) -> None:
    notebook = notebook_of(name)
    task = next(blank.task for blank in released(name).answers if len(blank.defines) > 1)
    half = f"def {names_of(name, task).split()[0]}(*args): return 1"
    notebook["cells"].append(added(half))
    found = matched(notebook, name)
    assert run_of(found) == [*tasks_of(name), half]
    assert found.remarks == ()


@every_assignment
def test_two_answer_cells_merged_into_one(name: str) -> None:
    """As JupyterLab merges cells: one id is left, and in its cell both answers."""
    notebook, tasks, sources = solution(name)
    first, second = tasks[2], tasks[3]
    upper, lower = (cell_of(notebook, f"exercise-{task.replace('.', '-')}") for task in (first, second))
    upper["source"] += f"\n\n{lower['source']}"
    notebook["cells"].remove(lower)
    found = matched(notebook, name)
    assert run_of(found) == [task for task in tasks if task != second]
    assert answer_to(first, found) == f"{sources[first]}\n\n{sources[second]}"
    assert found.found == len(tasks) + 2
    assert found.remarks == (
        f"The cell of exercise {second} is gone; what the cell of exercise {first} defines under the name "
        f"{names_of(name, second)} was graded.",
    )


@every_assignment
def test_an_edited_stub_is_an_answer(name: str) -> None:
    notebook = notebook_of(name)
    task, cell_id = middle(name)
    cell_of(notebook, cell_id)["source"] += "\n# I don't know"
    notebook["cells"].append(
        added("\n".join(f"def {each}(): pass" for each in names_of(name, task).split(" and ")))
    )
    found = matched(notebook, name)
    assert answer_to(task, found).endswith("# I don't know")
    assert found.remarks == ()


@every_assignment
@pytest.mark.parametrize("end", ["\r\n", " \n", "\n\n"], ids=ascii)
def test_line_ends_and_spaces_make_no_answer(name: str, end: str) -> None:
    notebook = notebook_of(name)
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].replace("\n", end)
    found = matched(notebook, name)
    assert run_of(found) == tasks_of(name)
    assert set(found.questions.values()) == {""}
    assert found.remarks == ()
    task = middle(name)[0]
    mine = "\n".join(f"def {each}(): pass" for each in names_of(name, task).split(" and "))
    notebook["cells"].append(added(mine))
    assert run_of(matched(notebook, name)) == [*(each for each in tasks_of(name) if each != task), mine]


@every_assignment
def test_locked_cells_are_not_run_whatever_is_done_to_them(name: str) -> None:
    notebook, tasks, sources = solution(name)
    release = released(name)
    for cell in list(notebook["cells"]):
        if cell["id"] in release.locked_ids:
            if cell["cell_type"] == "code":
                notebook["cells"].append(copy.deepcopy(cell) | {"id": f"{cell['id']}-copy"})
            cell["cell_type"] = "code"
            cell["source"] = "import os\nos._exit(0)"
    found = matched(notebook, name)
    assert run_of(found) == tasks
    assert {task: answer_to(task, found) for task in tasks} == sources


@every_assignment
def test_cells_of_ones_own_stay_in_order(name: str) -> None:
    notebook, tasks, _ = solution(name)
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        cells += [added(f"own = {number}") | {"id": f"own-{number}"}, cell]
    cells += [
        added("") | {"id": "e"},
        added("\n ") | {"id": "f"},
        added("words") | {"cell_type": "markdown", "id": "m"},
    ]
    ids = [cell["id"] for cell in cells]
    notebook["cells"] = cells
    found = run_of(matched(notebook, name))
    assert [each for each in found if each in tasks] == tasks
    own = [each for each in found if each not in tasks]
    assert own == [f"own = {number}" for number in range(len(own))]
    assert len(own) == sum(id.startswith("own-") for id in ids)
    for task in tasks:
        before = ids.index(f"exercise-{task.replace('.', '-')}") - 1
        assert found[found.index(task) - 1] == f"own = {ids[before].removeprefix('own-')}"


@every_assignment
def test_tags_and_the_files_name_change_nothing(name: str) -> None:
    notebook, _, _ = solution(name)
    whole = matched(copy.deepcopy(notebook), name)
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell"]
        cell["metadata"].setdefault("nbgrader", {}).update(
            solution=False, grade=True, locked=True, points=10**6
        )
    data = json.dumps(notebook).encode()
    for file in ("homework (2) FINAL.ipynb", "3_classification_to_segmentation.ipynb", "합성곱.ipynb"):
        assert match(released(name), notebooks(file, data)[0]) == whole


@every_assignment
def test_magics_in_answers_are_comments(name: str) -> None:
    notebook, _, sources = solution(name)
    task, cell_id = middle(name)
    cell_of(notebook, cell_id)["source"] = f"%%time\n{sources[task]}\n!nvidia-smi"
    found = matched(notebook, name)
    assert answer_to(task, found) == f"pass  # %%time\n{sources[task]}\npass  # !nvidia-smi"
    assert found.remarks == ()


@every_assignment
@pytest.mark.parametrize("solved", [True, False], ids=["solved", "blank"])
def test_another_notebook_is_none_of_this_assignment(name: str, solved: bool) -> None:
    """All have a question Q1: its cell alone makes no notebook this one."""
    for other in ("0_lecture_semantic_segmentation", *NAMES):
        if other != name:
            assert matched(notebook_of(other, solved), name).found == 0, other


@every_assignment
def test_words_for_a_question(name: str) -> None:
    notebook = notebook_of(name)
    place = index(notebook, "question-Q1")
    question = notebook["cells"][place]["source"]
    stub = question.rstrip().splitlines()[-1]

    def words(source: str) -> str:
        notebook["cells"][place]["source"] = source
        return matched(notebook, name).questions["Q1"]

    assert (
        words(question)
        == words(question.replace("\n", "\r\n"))
        == words("")
        == words(question + "\n\n ")
        == ""
    )
    assert words(question.replace(stub, "Because.")) == "Because."
    assert words(question.replace(stub, "Because.").replace("\n", "\r\n")) == "Because."
    assert words("Because.") == "Because."
    second = notebook["cells"][place] | {"source": "Better.", "id": "copy"}
    notebook["cells"].append(second)
    found = matched(notebook, name)
    assert found.questions == {"Q1": "Better.", "Q2": ""}
    assert found.remarks == ("The cell of question Q1 is there 2 times; the last one counts.",)
    del notebook["cells"][-1], notebook["cells"][place]
    found = matched(notebook, name)
    assert found.questions == {"Q1": "", "Q2": ""}
    assert found.remarks == ("The cell of question Q1 is gone.",)


@every_assignment
def test_nothing_at_all(name: str) -> None:
    found = matched({"cells": []}, name)
    assert run_of(found) == tasks_of(name)
    assert (found.found, found.questions) == (0, {"Q1": "", "Q2": ""})
    assert len(found.remarks) == 3


def test_each_cell_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every missing answer was looked for in every cell anew: a million characters took minutes."""
    looked: list[str] = []

    def counting(source: str) -> frozenset[str]:
        looked.append(source)
        return defined(source)

    monkeypatch.setattr(matching, "defined", counting)
    found = matched({"cells": [added(f"a = {number}") for number in range(50)]})
    assert len(found.cells) == 50 + len(tasks_of(NAME))
    assert sorted(looked) == sorted(f"a = {number}" for number in range(50))
