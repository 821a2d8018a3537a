"""A receipt shows damage and mix-ups, and can do no harm."""

import io
import json
import zipfile

import pytest
from submissions import notebook_of

from assignments_lib.handin.pack import pack
from assignments_lib.marking import receipt
from assignments_lib.marking.reading import MAX_RECEIPT, notebooks
from assignments_lib.marking.reading import receipt as slip_in

NAME = "1_resnet34"


@pytest.fixture(scope="module")
def handed_in() -> bytes:
    return pack("a.ipynb", json.dumps(notebook_of(NAME)).encode(), "kim").data


def changed(data: bytes, **files: bytes) -> bytes:
    """The zip with other members."""
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(into, "w") as after:
        for name in before.namelist():
            after.writestr(name, files.get(name, before.read(name)))
    return into.getvalue()


def compared(data: bytes, student: str = "kim", assignment: str = NAME) -> tuple[list[str], list[str]]:
    (notebook,) = notebooks("kim.zip", data)
    return receipt.compared([("kim.zip", data)], notebook, student, assignment)


def test_what_came_as_it_was_packed_needs_no_words(handed_in: bytes) -> None:
    assert compared(handed_in) == ([], [])
    assert compared(handed_in, student="Kim_12345_assignsubmission_file") == ([], [])


def test_a_notebook_alone_needs_none_either() -> None:
    data = json.dumps(notebook_of(NAME)).encode()
    (notebook,) = notebooks("a.ipynb", data)
    assert receipt.compared([("a.ipynb", data)], notebook, "kim", NAME) == ([], [])


def test_a_notebook_that_was_changed_is_noticed(handed_in: bytes) -> None:
    other = json.dumps(notebook_of(NAME, solved=True)).encode()
    remarks, warnings = compared(changed(handed_in, **{f"{NAME}.ipynb": other}))
    assert len(remarks) == 1
    assert "SHA-256" in remarks[0]
    assert "pack it again" in remarks[0]
    assert warnings == []


def test_another_students_zip_is_noticed_by_the_instructor_only(handed_in: bytes) -> None:
    remarks, warnings = compared(handed_in, student="lee")
    assert remarks == []
    assert len(warnings) == 1
    assert "'kim'" in warnings[0]
    assert "'lee'" in warnings[0]


def test_another_assignments_receipt_is_noticed(handed_in: bytes) -> None:
    remarks, _ = compared(handed_in, assignment="2_data_augmentation")
    assert remarks == ["The receipt in kim.zip is of 1_resnet34, not of 2_data_augmentation."]


@pytest.mark.parametrize(
    "slip",
    [
        b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe\x00", b"[" * 9_999, b'{"student": "kim"}',
        b'{"student": 1, "assignment": "a", "notebook": "b", "sha256": "c", "format": 1}',
        b'{"student": "a", "assignment": "a", "notebook": "b", "sha256": "c", "format": 2}',
        b'{"student": "a", "assignment": "a", "notebook": "b", "sha256": "c", "extra": "d"}',
        b" " * (MAX_RECEIPT + 5),
    ],
    ids=lambda slip: slip[:30],
)  # fmt: skip
def test_a_receipt_that_is_none_is_passed_over_with_a_word(handed_in: bytes, slip: bytes) -> None:
    remarks, warnings = compared(changed(handed_in, **{"receipt.json": slip}))
    assert remarks == []
    assert len(warnings) == 1
    assert "passed over" in warnings[0]


def test_hostile_words_in_a_receipt_are_cut(handed_in: bytes) -> None:
    long = receipt.to_json(receipt.Receipt("x" * 5000, "y" * 1000, "b", "c")).encode()
    remarks, warnings = compared(changed(handed_in, **{"receipt.json": long}))
    assert max(map(len, remarks + warnings)) < 300


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"{}", b"PK" + b"\xff" * 500])
def test_no_zip_has_no_receipt(data: bytes) -> None:
    assert slip_in(data) is None
