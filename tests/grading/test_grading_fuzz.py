"""Ten thousand malformed inputs: nothing but the documented exceptions, no hang, and no mark."""

import io
import json
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from submissions import notebook_of, released

from assignments_lib.checks import wire
from assignments_lib.checks.answer import AnswerError, Entry, Lost, Ref, Run
from assignments_lib.checks.child import Piped
from assignments_lib.checks.exercise import evaluate
from assignments_lib.grading.matching import Code, Matched, match
from assignments_lib.grading.reading import SubmittedCell, SubmittedNotebook, Unreadable, notebooks

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
