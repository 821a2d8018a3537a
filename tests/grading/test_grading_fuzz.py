"""Ten thousand malformed inputs: nothing but the documented exceptions, no hang, and no mark."""

import io
import json
import struct
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from submissions import notebook_of, released

from assignments_lib.checks import wire
from assignments_lib.checks.answer import AnswerError, Entry, Lost, Ref, Run
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import evaluate
from assignments_lib.grading.suspicion import warnings_about
from assignments_lib.marking.matching import Code, Matched, match
from assignments_lib.marking.reading import SubmittedCell, SubmittedNotebook, Unreadable, notebooks
from assignments_lib.marking.release import defined, needed, parsed, plain

pytestmark = pytest.mark.slow


def inputs(number: int) -> settings:
    """The same inputs in every run."""
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


RELEASE = released("1_resnet34")
SOLVED = json.dumps(notebook_of("1_resnet34", solved=True)).encode()[:20_000]
BLANK = json.dumps(notebook_of("1_resnet34")).encode()
NAMES = ["cells", "metadata", "nbformat", "worksheets", "source", "input", "id", "cell_type", "nbgrader", "grade_id",
         "code", "markdown", "exercise-1-1", "exercise-1-2", "question-Q1", "assignments", "notebook"]  # fmt: skip
PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(NAMES)
)
JSON = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with a few places overwritten, cut out, doubled or cut off."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, max(0, len(changed) - 1)))
        length = draw(st.integers(0, 40))
        what = draw(st.sampled_from(["overwrite", "cut", "double", "end"]))
        if what == "overwrite":
            changed[start : start + length] = draw(st.binary(max_size=length))
        elif what == "cut":
            del changed[start : start + length]
        elif what == "double":
            changed[start:start] = changed[start : start + length]
        else:
            del changed[start:]
    return bytes(changed)


def read(data: bytes) -> None:
    try:
        found = notebooks("a.ipynb", data)
    except Unreadable:
        return
    for notebook in found:
        assert all(isinstance(cell, SubmittedCell) for cell in notebook.cells)
        assert isinstance(match(RELEASE, notebook), Matched)


@given(mutated(BLANK[:3000] + BLANK[-200:]))
@inputs(2000)
def test_mutated_notebooks(data: bytes) -> None:
    read(data)


@given(JSON)
@inputs(2000)
def test_json_that_may_be_a_notebook(value: Any) -> None:
    read(json.dumps(value).encode())
    read(
        json.dumps(
            {"cells": [value, {"cell_type": "code", "source": value, "metadata": value, "id": value}]}
        ).encode()
    )


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: b"PK\x03\x04" + tail))
@inputs(500)
def test_bytes(data: bytes) -> None:
    read(data)


CELLS = st.lists(
    st.builds(
        SubmittedCell,
        st.sampled_from(["code", "markdown", "raw"]),
        st.text(max_size=60)
        | st.sampled_from([cell["source"] for cell in notebook_of("1_resnet34")["cells"]][:30]),
        st.lists(st.sampled_from(NAMES), max_size=3).map(tuple),
    ),
    max_size=12,
)


@given(CELLS)
@inputs(1500)
def test_cells_in_any_order_and_number(cells: list[SubmittedCell]) -> None:
    matched = match(RELEASE, SubmittedNotebook("a.ipynb", tuple(cells), ""))
    assert {code.task for code in matched.cells} - {""} <= {blank.task for blank in RELEASE.answers}
    assert all(isinstance(code, Code) for code in matched.cells)
    assert matched.questions.keys() == {blank.task for blank in RELEASE.questions}


MESSAGE = wire.encode({"returned": [1, (2.5, "x"), {"a": None}, Ref(1)]})


@given(mutated(MESSAGE[0]), mutated(MESSAGE[1]))
@inputs(1000)
def test_mutated_messages(text: bytes, blob: bytes) -> None:
    for pair in ((text, MESSAGE[1]), (MESSAGE[0], blob), (text, blob)):
        with suppress(Lost):
            wire.decode(*pair)


MARKS = st.sampled_from(
    ["$tensor", "$ref", "$tuple", "$float", "$opaque", "$dict", "returned", "raised", "grad"]
)
WIRE = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(MARKS, inner, max_size=2),
    max_leaves=12,
)


class Deaf(Piped):
    """A pipe whose other side says what it has to say, whatever it is asked."""

    def __init__(self, said: bytes):
        super().__init__(io.BytesIO(), io.BytesIO(said), timeout=30)

    def _break(self) -> None:
        pass


def framed(value: Any) -> bytes:
    text = json.dumps(value).encode()
    return struct.pack(">QQ", len(text), len(MESSAGE[1])) + text + MESSAGE[1]


@given(WIRE, st.sampled_from(["returned", "raised"]))
@inputs(2000)
def test_replies_of_any_kind(value: Any, how: str) -> None:
    said = framed({"$dict": {how: value}})
    module = Ref(1)
    asks: list[tuple[Any, Any]] = [
        (lambda answer: answer.describe(module), list),
        (lambda answer: answer.state(module), dict),
        (lambda answer: answer.run(module, None), Run),
        (lambda answer: answer.make("model", []), Ref),
        (lambda answer: answer.writes("f"), bool),
        (lambda answer: answer.cell("x"), object),
    ]
    for ask, kind in asks:
        try:
            found = ask(Deaf(said))
        except AnswerError:
            continue
        assert isinstance(found, kind)
        if kind is list:
            assert all(isinstance(entry, Entry) for entry in found)


@given(st.lists(WIRE, min_size=1, max_size=4), st.binary(max_size=40))
@inputs(1000)
def test_no_stream_of_replies_earns_a_mark(values: list[Any], junk: bytes) -> None:
    said = b"".join(framed({"$dict": {"returned": value}}) for value in values) * 3 + junk
    result = evaluate(RELEASE.exercises[0], Deaf(said), seed=5)
    assert result.earned == 0


# -- more of the same: whole zips, messages with tensors, sources, and notebooks taken apart ----------------


def zipped(*contents: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(zipfile.ZipInfo(f"{number}.ipynb"), content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


ZIP = zipped(BLANK[:500], b'{"cells": []}')


@given(mutated(ZIP))
@inputs(1500)
def test_mutated_zips(data: bytes) -> None:
    read(data)


TENSORS = wire.encode(
    {"returned": [torch.ones(2, 3), {"w": torch.zeros(0, 3), "n": torch.arange(4)}, torch.tensor(True)]}
)


@st.composite
def headers(draw: st.DrawFn) -> bytes:
    """safetensors whose header may lie about everything."""
    size = st.integers(0, 16) | st.sampled_from([-1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1, 2**64]) | PLAIN
    dtypes = st.sampled_from(
        ["F32", "F64", "F16", "BF16", "I64", "U64", "BOOL", "F8_E4M3", "C64", "F4", "I128"]
    )
    tensor = st.fixed_dictionaries(
        {
            "dtype": dtypes,
            "shape": st.lists(size, max_size=4),
            "data_offsets": st.lists(size, min_size=2, max_size=2),
        }
    )
    table = draw(st.dictionaries(st.sampled_from(["0", "1", "__metadata__"]), tensor | PLAIN, max_size=3))
    text = json.dumps(table).encode()
    length = draw(st.just(len(text)) | st.integers(0, 2**64 - 1))
    return struct.pack("<Q", length) + text + draw(st.binary(max_size=32))


@given(mutated(TENSORS[0]), mutated(TENSORS[1]), headers())
@inputs(1500)
def test_messages_with_tensors(text: bytes, blob: bytes, lies: bytes) -> None:
    for pair in ((text, TENSORS[1]), (TENSORS[0], blob), (TENSORS[0], lies)):
        with suppress(Lost):
            for each in tensors_in(wire.decode(*pair)):
                assert each.numel() * each.element_size() <= len(pair[1])


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(inner)


@given(mutated(b"".join((struct.pack(">QQ", *map(len, TENSORS)), *TENSORS)) * 2))
@inputs(1000)
def test_mutated_streams(data: bytes) -> None:
    """From the lengths on; what is left of the stream is never more than there was."""
    stream = io.BytesIO(data)
    with suppress(Lost, EOFError):
        for _ in range(5):
            wire.read(stream)
    answer = Deaf(data)
    for _ in range(5):
        with suppress(AnswerError):
            answer.call("f")
        if answer.lost:
            with pytest.raises(Lost, match="has ended"):
                answer.call("f")
    assert answer.lost  # there are two messages at most, and five requests


LINES = st.sampled_from(
    ["%time", "!ls", "x?", "?x", "(", ")", "[1,", "]", '"""', "'''", "'", '"', "\\", "# (", "% 3", "x = 1", "  y = 2",
     "f(x)", "def f(): pass", "\r", "", "   ", "\0", "\ud800", "'\\", "f'{'", "if x:", "    %time", "é", "\x0c"]
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=15), max_size=12))
@inputs(2000)
def test_sources(lines: list[str]) -> None:
    source = "\n".join(lines)
    found = plain(source)
    assert found.count("\n") == source.count("\n")
    assert plain(found) == found
    for one, other in zip(source.split("\n"), found.split("\n"), strict=True):
        assert one == other or other.lstrip().startswith("pass  # ")
    assert parsed(source) is None or needed(source) is not None
    assert all(name.isidentifier() for name in defined(source))
    assert len(warnings_about([Code(found, "1.1")])) <= 20


PARTS = [
    {key: cell[key] for key in ("cell_type", "id", "metadata", "source")}
    for cell in notebook_of("1_resnet34", solved=True)["cells"]
    if cell["id"].startswith(("exercise", "question"))
]


@st.composite
def taken_apart(draw: st.DrawFn) -> dict[str, Any]:
    """The solved notebook with cells deleted, doubled, moved, retyped, emptied, merged, and without ids."""
    cells = list(PARTS)
    for _ in range(draw(st.integers(1, 8))):
        if not cells:
            break
        place, other = (draw(st.integers(0, len(cells) - 1)) for _ in range(2))
        cell = cells[place]
        what = draw(
            st.sampled_from(["delete", "double", "move", "retype", "empty", "merge", "no ids", "odd"])
        )
        if what == "delete":
            del cells[place]
        elif what == "double":
            cells.insert(other, dict(cell))
        elif what == "move":
            cells.insert(other, cells.pop(place))
        elif what == "merge":
            cells[place] = cell | {"source": f"{cell['source']}\n{cells[other]['source']}"}
        else:
            cells[place] = (
                cell
                | {
                    "retype": {"cell_type": draw(st.sampled_from(["code", "markdown", "raw"]))},
                    "empty": {"source": ""},
                    "no ids": {"id": None, "metadata": None},
                    "odd": {draw(st.sampled_from(["source", "id", "metadata", "cell_type"])): draw(JSON)},
                }[what]
            )
    return {"cells": cells, "metadata": {"assignments": {"notebook": "1_resnet34"}}}


@given(taken_apart())
@inputs(1000)
def test_notebooks_taken_apart(notebook: dict[str, Any]) -> None:
    read_as_is = notebooks("a.ipynb", json.dumps(notebook).encode())[0]
    found = match(RELEASE, read_as_is)
    run = [code.task for code in found.cells if code.task]
    assert len(run) == len(set(run))  # no exercise is there twice
    stubs = {blank.stub for blank in RELEASE.answers}
    handed_in = {plain(cell.source) for cell in read_as_is.cells}
    assert {code.source for code in found.cells} <= handed_in | stubs  # nothing is run that nobody wrote
    assert 0 <= found.found <= len(RELEASE.answers) + len(RELEASE.questions)
    for blank in RELEASE.answers:
        if blank.task not in run:
            assert any(f"xercise {blank.task} is" in remark for remark in found.remarks), blank.task
