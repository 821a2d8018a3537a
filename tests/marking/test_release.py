"""What a release says about its cells, and that of it no more is run than answers need."""

import ast
import io
import json
import re
import threading
import zipfile
from typing import Any

import pytest
from submissions import NOTEBOOKS, notebook_of, released

from assignments_lib.checks.exercise import Exercise
from assignments_lib.marking.reading import SubmittedCell, Unreadable
from assignments_lib.marking.release import defined, needed, normal, own_code, parsed, plain, read

NAMES = ("1_resnet34", "2_data_augmentation", "3_classification_to_segmentation")
DEFINES = {
    "1.1": {"conv_output_size", "receptive_field"},
    "1.2": {"BasicBlock"},
    "1.3": {"make_stage"},
    "1.4": {"ResNet34"},
    "1.5": {"initialize"},
    "1.6": {"load_pretrained"},
    "1.7": {"evaluate", "train_one_epoch"},
    "1.8": {"replace_head", "train_head_only"},
    "2.1": {"denormalize", "normalize"},
    "2.2": {"random_crop", "random_flip", "rotate"},
    "2.3": {"adjust_brightness", "adjust_contrast", "gaussian_blur"},
    "2.4": {"augment_pair"},
    "2.5": {"random_erase"},
    "2.6": {"cutmix", "mixup"},
    "2.7": {"RandAugment"},
    "2.8": {"predict_with_views"},
    "2.9": {"mean_and_spread"},
    "3.1": {"convolutionalize"},
    "3.2": {"heat_map", "hottest", "peak"},
    "3.3": {"iou", "mean_iou", "pixel_accuracy", "resize_masks", "to_labels"},
    "3.4": {"bilinear_upsampling", "overlaps", "transposed_size"},
    "3.5": {"FCN", "segment", "segmentation_loss"},
    "3.6": {"dilate", "field_by_gradient"},
    "3.7": {"DecoderStep", "center_crop"},
    "3.8": {"class_weights"},
}


def test_what_every_answer_defines() -> None:
    found = {blank.task: set(blank.defines) for name in NAMES for blank in released(name).answers}
    assert {id: found[id] for id in DEFINES} == DEFINES  # an instructor may have added others


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_and_question_has_a_cell(name: str) -> None:
    release = released(name)
    assert release.assignment.notebook == name
    assert [exercise.id for exercise in release.exercises] == [blank.task for blank in release.answers]
    assert all(isinstance(exercise, Exercise) for exercise in release.exercises)
    assert [question.id for question in release.assignment.questions] == [
        blank.task for blank in release.questions
    ]
    for blank in release.answers:
        assert blank.id == f"exercise-{blank.task.replace('.', '-')}"
        assert "raise NotFilledIn(" in blank.stub
        assert f"Exercise {blank.task} (" in blank.stub
    cells = {cell["id"]: cell for cell in notebook_of(name)["cells"]}
    blanks = {blank.id for blank in (*release.answers, *release.questions)}
    assert all(cells[id]["metadata"]["nbgrader"]["solution"] for id in blanks)
    assert release.locked_ids >= cells.keys() - blanks
    assert not release.locked_ids & blanks


def calls(tree: ast.AST) -> set[str]:
    """What is called at a piece's own level, not inside the functions and classes that it defines."""
    found: set[str] = set()
    for statement in ast.iter_child_nodes(tree):
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(statement, ast.Call):
            found.add(ast.unparse(statement.func))
        found |= calls(statement)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_preamble_runs_no_experiment(name: str) -> None:
    release = released(name)
    called = {call for piece in release.preamble for call in calls(ast.parse(piece))}
    assert called <= {"seed_everything", "choose_device", "plots.set_theme"}, called
    all_called = {
        call
        for cell in notebook_of(name)["cells"]
        if cell["cell_type"] == "code"
        for call in calls(parsed(cell["source"]) or ast.Module([], []))
    }
    assert {"load", "check"} & {call.split(".")[0] for call in all_called}  # there is something to leave out
    if name != "2_data_augmentation":
        assert "fit" in all_called


@pytest.mark.parametrize("name", NAMES)
def test_the_preamble_has_what_answers_rely_on(name: str) -> None:
    release = released(name)
    assert release.preamble[0] == "from IPython.display import display"
    names = defined("\n".join(release.preamble))
    assert {"torch", "nn", "F", "NotFilledIn", "display", "DATASET"} <= names
    assert sum("NotFilledIn" in piece for piece in release.preamble) == 1
    assert not release.experiments & names
    assert not {name for blank in release.answers for name in blank.defines} & release.experiments


@pytest.mark.parametrize("name", NAMES)
def test_what_a_solution_uses_of_the_notebook_is_there(name: str) -> None:
    """No answer of the solutions needs a name that only an experiment's cell defines."""
    release = released(name)
    answers = {blank.id for blank in release.answers}
    for cell in notebook_of(name, solved=True)["cells"]:
        if cell["id"] in answers:
            used = {node.id for node in ast.walk(ast.parse(cell["source"])) if isinstance(node, ast.Name)}
            own = {
                node.arg if isinstance(node, ast.arg) else node.id
                for node in ast.walk(ast.parse(cell["source"]))
                if isinstance(node, ast.arg)
                or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
            }
            assert not (used - own) & release.experiments, cell["id"]


def test_a_release_is_told_by_its_bytes() -> None:
    path = NOTEBOOKS / "1_resnet34.ipynb"
    data = path.read_bytes()
    assert read("a.ipynb", data).digest == released("1_resnet34").digest
    assert read("a.ipynb", data + b"\n").digest != read("a.ipynb", data).digest


def changed(**changes: Any) -> bytes:
    notebook = notebook_of("1_resnet34")
    for cell in notebook["cells"]:
        if cell["id"] == "exercise-1-1":
            cell |= changes
            if "id" in changes:
                cell["metadata"].pop("nbgrader")
    return json.dumps(notebook).encode()


def test_the_changed_notebook_of_the_next_test_is_a_release_where_nothing_is_changed() -> None:
    assert read("a.ipynb", changed()).answers == released("1_resnet34").answers


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"hello", "isn't JSON"),
        (b'{"cells": []}', "is not a released assignment"),
        (
            b'{"cells": [], "metadata": {"assignments": {"notebook": "9_none"}}}',
            "is not a released assignment",
        ),
        (
            b'{"cells": [], "metadata": {"assignments": {"notebook": "1_resnet34"}}}',
            "no cells to be filled in",
        ),
        (b'{"cells": [3], "metadata": {"assignments": {"notebook": "1_resnet34"}}}', "assignments build"),
        (b'{"worksheets": [], "metadata": {"assignments": {"notebook": "1_resnet34"}}}', "assignments build"),
        (changed(metadata=None), "assignments build"),
        (changed(metadata={"assignments": 3}), "assignments build"),
        (changed(metadata={"assignments": {"exercise": "9.9"}}), "assignments build"),
        (changed(metadata={"assignments": {"exercise": ["1.1"]}}), "assignments build"),
        (changed(id=""), "assignments build"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_release(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as caught:
        read("a.ipynb", data)
    assert str(caught.value).startswith("a.ipynb ")


def test_a_zip_is_no_release() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("1.ipynb", (NOTEBOOKS / "1_resnet34.ipynb").read_bytes())
    with pytest.raises(Unreadable, match="assignments build"):
        read("a.zip", data.getvalue())


# -- magics --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    ["%matplotlib inline", "%%time", "!pip install torch", "!!ls", "?print", "??print", "print?", "torch.nn??",
     "% time x = 1", "  %time x", "\t!ls", "!echo \"it's", "%env A=(", "x?  ", "print?\r"],
)  # fmt: skip
def test_magics_become_comments(line: str) -> None:
    inside = line.startswith((" ", "\t"))
    source = f"a = 1\nif a:\n{line}\nb = 2" if inside else f"a = 1\n{line}\nb = 2"
    found = plain(source)
    assert found.count("\n") == source.count("\n")
    assert line.strip() in found
    space: dict[str, Any] = {}
    exec(found, space)
    assert (space["a"], space["b"]) == (1, 2)
    with pytest.raises(SyntaxError):
        ast.parse(source)


PYTHON = [
    "x = (7\n  % 4)",
    "x = (\n    10\n    % 4\n    % 3\n)",
    "x = [\n    1 if 1\n    != 2 else 0]",
    "x = 7 \\\n  % 4",
    "x = 7 \\\r\n  % 4",
    'x = """\n%matplotlib inline\n!ls\nwhy?\n"""',
    "x = '''\n!ls \"\"\"\n%time '''",
    "x = '(' \"[\" '''{'''  # ((\ny = 2",
    "x = f\"\"\"\n%d {1}\n\"\"\"",
    "x = '\\''; y = (3\n% 2)",
    "x = '\\\n%d'",
    'x = "" ; y = """a"""; z = (5\n% 3)',
    "def f():\n    '''Is it\n    right?\n    '''\n    return 5 % 3\nx = f()",
    "x = {'a': [(1, 2)], 'b': 7\n% 4}",
    "# don't ( say\nx = 5 % 3",
    "x = 5%3",
    "",
    "\n\n",
]  # fmt: skip


@pytest.mark.parametrize("source", PYTHON, ids=ascii)
def test_python_is_left_as_it_is(source: str) -> None:
    ast.parse(source)
    assert plain(source) == source


@pytest.mark.parametrize("source", PYTHON, ids=ascii)
def test_a_magic_below_python_is_found_all_the_same(source: str) -> None:
    assert plain(f"{source}\n%time") == f"{source}\npass  # %time"
    assert plain(f"%time\n{source}") == f"pass  # %time\n{source}"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("solved", [True, False], ids=["solved", "blank"])
def test_the_courses_own_cells_are_python(name: str, solved: bool) -> None:
    for cell in notebook_of(name, solved)["cells"]:
        if cell["cell_type"] == "code" and not re.search(r"^\s*[%!]", cell["source"], re.MULTILINE):
            assert plain(cell["source"]) == cell["source"]
        if cell["cell_type"] == "code":
            assert parsed(cell["source"]) is not None, cell["id"]


def test_a_mistake_in_python_stays_one_and_the_lines_below_are_looked_at() -> None:
    assert plain("x = 'abc\n%time") == "x = 'abc\npass  # %time"
    assert plain("x = ]\n%time") == "x = ]\npass  # %time"
    assert parsed("x = (\n%time") is None


SPACES, MANY = " " * 60_000, 60_000
HARD = {
    "spaces around a question": SPACES + "x?" + SPACES + "y",
    "questions": "?" * MANY + "x",
    "spaced questions": "? " * MANY,
    "spaces": SPACES * 3,
    "names": "a." * MANY + "?" + SPACES + "b",
    "brackets": "(" * MANY,
    "closing brackets": ")" * MANY,
    "quotes": "'" * MANY,
    "alternating quotes": "'\"" * MANY,
    "backslashes": "\\" * MANY,
    "backslashes on lines": "\\\n" * MANY,
    "minus": "-" * MANY + "1",
    "not": "not " * MANY + "1",
    "attributes": "a" + ".b" * MANY,
    "calls": "f(" * 150 + ")" * 150,
    "lambda": "lambda:" * (MANY // 10) + "1",
    "else": "1 if 1 else " * (MANY // 10) + "1",
    "sums": "1+" * MANY + "1",
    "lists": "[" * 150 + "]" * 150,
    "elif": "if 1: pass\n" + "elif 1: pass\n" * (MANY // 20),
    "f-strings": "f'{" * 1000,
    "a number": "9" * MANY,
    "lines": "a=1\n" * (MANY // 4),
    "NUL": "\0" * MANY,
    "surrogates": "\ud800" * 100,
    "indents": "".join(" " * n + "if 1:\n" for n in range(300)),
}


@pytest.mark.parametrize("name", HARD)
def test_nothing_makes_the_reader_of_sources_hang_or_stumble(name: str) -> None:
    """One regular expression that tried everything took minutes for the first of these."""
    done = []

    def look() -> None:
        source = HARD[name]
        assert plain(source).count("\n") == source.count("\n")
        done.append((parsed(source), defined(source), needed(source), normal(source)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "it hangs"
    assert done


# -- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(a): b = 1", {"f"}),
        ("async def f(): pass", {"f"}),
        ("class C:\n    x = 1\n    def m(self): pass", {"C"}),
        ("x: int = 1", {"x"}),
        ("(x, [y, *z]) = 1, [2]", {"x", "y", "z"}),
        ("x.y = 1; z[0] = 1", set()),
        ("if 1:\n    x = 1", {"x"}),
        ("with open('') as f: pass", {"f"}),
        ("for i in x: pass", {"i"}),
        ("while (n := 1): pass", {"n"}),
        ("import a.b.c", {"a"}),
        ("import a.b as c", {"c"}),
        ("from a import b as c, d", {"c", "d"}),
        ("x += 1", {"x"}),
        ("del x", set()),
        ("print(x)", set()),
        ("%time\nx = 1", {"x"}),
        ("x = (7\n% 4)", {"x"}),
        ("def f(:", set()),
        ("", set()),
    ],
)
def test_the_names_that_a_cell_defines(source: str, names: set[str]) -> None:
    assert defined(source) == names


def test_of_a_cell_only_what_costs_nothing_is_needed() -> None:
    source = "\n".join(
        ["import os", "from a import b", "def f(): fit()", "class C: pass", "X = 3", "Y = [(1, 'a'), {'b': None}]",
         "Z = -1.5", "fit(model)", "x = load('doodles')", "for i in range(3): fit(i)", "if 1: fit()",
         "with a: fit()", "y = X + 1", "print(1)", "z += 1", "display(x)", "w = f'{fit()}'"]
    )  # fmt: skip
    assert needed(source) == [
        "import os", "from a import b", "def f():\n    fit()", "class C:\n    pass", "X = 3",
        "Y = [(1, 'a'), {'b': None}]", "Z = -1.5",
    ]  # fmt: skip


def test_what_is_not_the_students() -> None:
    release = released("1_resnet34")
    locked = next(
        cell
        for cell in notebook_of("1_resnet34")["cells"]
        if cell["cell_type"] == "code" and cell["id"] in release.locked_ids
    )
    assert not own_code(release, SubmittedCell("code", locked["source"], ()))
    assert not own_code(release, SubmittedCell("code", f"\n{locked['source']}  \r\n\n", ("new",)))
    assert not own_code(release, SubmittedCell("code", "x = 1", (locked["id"],)))
    assert own_code(release, SubmittedCell("code", f"{locked['source']}\nx = 1", ("new",)))
    assert own_code(release, SubmittedCell("code", "x = 1", ()))
