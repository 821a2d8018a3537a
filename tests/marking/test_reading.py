"""Whatever is handed in becomes cells, or a sentence that says what to do."""

import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assignments_lib.marking import reading
from assignments_lib.marking.reading import Unreadable, notebooks


def notebook(*sources: Any, **metadata: Any) -> dict[str, Any]:
    cells = [
        {"cell_type": "code", "source": source, "metadata": {}, "id": f"c{n}"}
        for n, source in enumerate(sources)
    ]
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def sources(data: bytes) -> list[str]:
    (found,) = notebooks("a.ipynb", data)
    return [cell.source for cell in found.cells]


@pytest.mark.parametrize(
    "old",
    [
        notebook("x = 1"),
        notebook(["x", " = ", "1"]),
        {"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}], "nbformat": 3},
        {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}], "nbformat": 2},
        {"cells": [{"cell_type": "code", "source": "x = 1"}]},
    ],
    ids=["4", "4, lists", "3", "2", "no version"],
)
def test_any_format_of_notebook(old: dict[str, Any]) -> None:
    assert sources(json.dumps(old).encode()) == ["x = 1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_any_encoding_that_editors_make(encoding: str) -> None:
    text = json.dumps(notebook("# 합성곱"), ensure_ascii=False)
    assert sources(text.encode(encoding)) == ["# 합성곱"]


def test_ids_are_nbgraders_then_the_cells_then_colabs() -> None:
    cell = {
        "cell_type": "code",
        "source": "",
        "id": "b",
        "metadata": {"nbgrader": {"grade_id": "a"}, "id": "c"},
    }
    (found,) = notebooks("a.ipynb", json.dumps({"cells": [cell]}).encode())
    assert found.cells[0].ids == ("a", "b", "c")


@pytest.mark.parametrize("odd", [None, 3, [1, 2], {"a": 1}, True, ["a", 3, None]])
def test_wrong_types_are_nothing(odd: Any) -> None:
    cell = {"cell_type": odd, "source": odd, "id": odd, "metadata": odd}
    (found,) = notebooks("a.ipynb", json.dumps({"cells": [odd, cell], "metadata": odd}).encode())
    assert found.cells[-1].source in ("", "a")
    assert (found.cells[-1].kind, found.cells[-1].ids, found.assignment) == ("raw", (), "")


def test_half_a_character_is_replaced() -> None:
    assert sources(b'{"cells": [{"cell_type": "code", "source": "\\ud800"}]}') == ["?"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"hello", "isn't JSON"),
        (b'{"cells": [', "isn't JSON"),
        (b"[" * 100_000, "isn't JSON"),
        (b"[1, 2]", "has no list of cells"),
        (b'{"cells": 3}', "has no list of cells"),
        (b"\x81\xff\x00\xfe" * 9, "isn't text"),
        (b"PK\x03\x04junk", "damaged zip"),
    ],
)
def test_what_is_no_notebook(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=rf"a\.ipynb.*{says}"):
        notebooks("a.ipynb", data)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("MAX_FILE", "can be graded"),
        ("MAX_NOTEBOOK", "has over"),
        ("MAX_CELLS", "2 cells"),
        ("MAX_CODE", "characters of code"),
    ],
)
def test_what_is_too_large(limit: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.dumps(notebook("x = 1", "y = 2")).encode()
    assert sources(data) == ["x = 1", "y = 2"]
    monkeypatch.setattr(reading, limit, 1)
    with pytest.raises(Unreadable, match=says):
        notebooks("a.ipynb", data)


def zipped(**files: bytes | str) -> bytes:
    """The same bytes at any time of day: tests are named after them, and two workers must find the same tests."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


ONE = json.dumps(notebook("x = 1"))


def test_a_zip_gives_its_notebooks_and_nothing_of_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = zipped(
        **{
            "../../out/a.ipynb": ONE,
            "/abs/b.ipynb": ONE,
            "deep\\er\\c.IPYNB": ONE,
            "__MACOSX/._a.ipynb": b"\0",
            ".ipynb_checkpoints/a-checkpoint.ipynb": ONE,
            "notes.txt": "hello",
            "torch.py": "raise SystemExit",
        }
    )
    assert sorted(found.name for found in notebooks("all.zip", data)) == ["a.ipynb", "b.ipynb", "c.IPYNB"]
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_a_zip_is_passed_over() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("a.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Unreadable, match="holds no notebook"):
        notebooks("a.zip", data.getvalue())


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_NOTEBOOK", 10**6)
    bomb = zipped(**{"a.ipynb": b" " * 10**8})
    assert len(bomb) < 10**6
    with pytest.raises(Unreadable, match=r"a\.ipynb has over"):
        notebooks("a.zip", bomb)


def test_a_zip_with_far_too_much() -> None:
    with pytest.raises(Unreadable, match="more than 10 notebooks"):
        notebooks("a.zip", zipped(**{f"{n}.ipynb": ONE for n in range(11)}))
    with pytest.raises(Unreadable, match="2,001 files"):
        notebooks("a.zip", zipped(**{f"{n}.txt": "" for n in range(2001)}))


@pytest.mark.parametrize("cut", range(5, 400, 37))
def test_a_zip_that_was_cut_off(cut: int) -> None:
    with pytest.raises(Unreadable, match=r"a\.zip"):
        notebooks("a.zip", zipped(**{"a.ipynb": os.urandom(300)})[:-cut])


# -- more formats, names and places ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "kind", "source"),
    [
        ({"cell_type": "code", "code": "x = 1", "prompt_number": 3}, "code", "x = 1"),  # format 1
        ({"cell_type": "text", "text": "words"}, "raw", "words"),
        ({"cell_type": "code", "input": "x = 1", "collapsed": False, "language": "python"}, "code", "x = 1"),
        ({"cell_type": "markdown", "source": ["a\n", "b"]}, "markdown", "a\nb"),
        ({"cell_type": "heading", "level": 1, "source": "words"}, "raw", "words"),
        ({"cell_type": "html", "source": "<b>"}, "raw", "<b>"),
        ({"cell_type": "code", "source": "x", "input": "y"}, "code", "x"),
        ({"cell_type": "code", "source": None, "input": "y"}, "code", ""),
        ({"cell_type": "code", "outputs": [{"text": "z"}]}, "code", ""),
        ({"cell_type": "Code", "source": "x"}, "raw", "x"),
        ({"source": "x"}, "raw", "x"),
    ],
)
@pytest.mark.parametrize("sheets", [True, False], ids=["worksheets", "cells"])
def test_cells_of_every_format(cell: dict[str, Any], kind: str, source: str, sheets: bool) -> None:
    whole = {"worksheets": [{"cells": []}, {"cells": [cell]}]} if sheets else {"cells": [cell]}
    (found,) = notebooks("a.ipynb", json.dumps(whole).encode())
    assert [(each.kind, each.source, each.ids) for each in found.cells] == [(kind, source, ())]


def test_worksheets_of_wrong_types_are_passed_over() -> None:
    whole = {"worksheets": [3, None, [], {"cells": 3}, {}, {"cells": [{"cell_type": "code", "input": "x"}]}]}
    assert sources(json.dumps(whole).encode()) == ["x"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_of_either_order(encoding: str) -> None:
    text = json.dumps(notebook("# 합성곱"), ensure_ascii=False)
    assert sources(f"\ufeff{text}".encode(encoding)) == ["# 합성곱"]


@pytest.mark.parametrize(
    "data", [ONE.encode("utf-16-le"), ONE.encode("utf-32"), ONE.encode("utf-16")[:-1], b"\xff\xfe", b"\xef\xbb\xbf"]
)  # fmt: skip
def test_other_encodings_are_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"a\.ipynb is not a notebook"):
        notebooks("a.ipynb", data)


def test_whole_characters_are_kept_and_halves_are_not() -> None:
    assert sources(b'{"cells": [{"cell_type": "code", "source": "\\ud83d\\ude00 \\ude00\\ud83d"}]}') == [
        "😀 ??"
    ]


def test_ids_are_cut_and_each_is_kept_once() -> None:
    same = {
        "cell_type": "code",
        "source": "",
        "id": "a",
        "metadata": {"id": "a", "nbgrader": {"grade_id": "a"}},
    }
    long = {"cell_type": "code", "source": "", "id": "x" * 10_000}
    (found,) = notebooks("a.ipynb", json.dumps({"cells": [same, long]}).encode())
    assert [cell.ids for cell in found.cells] == [("a",), ("x" * 200,)]


def test_the_assignment_that_a_notebook_says_it_is() -> None:
    data = json.dumps(notebook("x", assignments={"notebook": "1_resnet34"})).encode()
    assert notebooks("a.ipynb", data)[0].assignment == "1_resnet34"


def test_the_last_of_two_equal_keys_counts() -> None:
    assert sources(b'{"cells": [], "cells": [{"cell_type": "code", "source": "a", "source": "b"}]}') == ["b"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", "9" * 4000])
def test_odd_numbers_are_no_trouble(number: str) -> None:
    assert sources(
        f'{{"nbformat": {number}, "cells": [{{"cell_type": "code", "source": "x"}}]}}'.encode()
    ) == ["x"]


@pytest.mark.parametrize("depth", [100, 900, 5_000, 200_000])
def test_any_depth_is_read_or_refused(depth: int) -> None:
    data = f'{{"metadata": {"[" * depth}{"]" * depth}, "cells": [{{"cell_type": "code", "source": "x"}}]}}'.encode()
    if depth < 500:
        assert sources(data) == ["x"]
        return
    said = ""
    try:
        assert sources(data) == ["x"]
    except Unreadable as problem:
        said = str(problem)
    assert not said or "isn't JSON" in said


def test_a_source_is_cut_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_SOURCE", 3)
    assert sources(json.dumps(notebook("abcdef", ["ab", "cd"])).encode()) == ["abc", "abc"]


def test_only_code_counts_towards_the_limit_of_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_CODE", 5)
    words = {"cell_type": "markdown", "source": "many words here"}
    assert sources(json.dumps({"cells": [words]}).encode()) == ["many words here"]
    assert sources(json.dumps(notebook("abc", "de")).encode()) == ["abc", "de"]
    with pytest.raises(Unreadable, match="over 5 characters of code"):
        notebooks("a.ipynb", json.dumps(notebook("abc", "def")).encode())


def test_lists_without_end_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """50 MB of `[],[],[]` took 1.3 GB."""
    data = json.dumps(notebook("x", outputs=[[]] * 1000)).encode()
    assert sources(data) == ["x"]
    monkeypatch.setattr(reading, "MAX_BRACKETS", 1000)
    with pytest.raises(Unreadable, match="1,000 lists and objects"):
        notebooks("a.ipynb", data)


@pytest.mark.parametrize("limit", ["MAX_FILE", "MAX_NOTEBOOK", "MAX_CELLS", "MAX_CODE", "MAX_BRACKETS"])
def test_what_is_exactly_as_large_as_allowed(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.dumps(notebook("x = 1", "y = 2")).encode()
    size = {"MAX_CELLS": 2, "MAX_CODE": 10, "MAX_BRACKETS": data.count(b"[") + data.count(b"{")}
    monkeypatch.setattr(reading, limit, size.get(limit, len(data)))
    assert sources(data) == ["x = 1", "y = 2"]
    monkeypatch.setattr(reading, limit, size.get(limit, len(data)) - 1)
    with pytest.raises(Unreadable, match=r"a\.ipynb"):
        notebooks("a.ipynb", data)


WHAT_TO_DO = r"[Hh]and (it |that )?in|Take out"
BAD = [
    b"", b"hello", b"[]", b'{"cells": 3}', b"\x81\xff\x00\xfe" * 9, b"PK\x03\x04junk", zipped(), zipped(a="b"),
    zipped(**{"a.ipynb": "x"}), zipped(**{"a.ipynb": ""}), json.dumps({"cells": [{}] * 3000}).encode(),
    json.dumps(notebook(*["x" * 200_000] * 6)).encode(),
]  # fmt: skip


@pytest.mark.parametrize("data", BAD, ids=lambda data: repr(data[:20]))
def test_every_message_names_the_file_and_says_what_to_do(data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        notebooks("kim.ipynb", data)
    said = str(caught.value)
    assert "kim.ipynb" in said or "a.ipynb" in said
    assert said.endswith(".")
    assert re.search(WHAT_TO_DO, said), said


def test_a_name_is_shown_without_what_terminals_obey() -> None:
    with pytest.raises(Unreadable) as caught:
        notebooks("\x1b]0;mine\x07\ud800\n.ipynb", b"")
    assert str(caught.value).startswith("?]0;mine???.ipynb is empty")
    (found,) = notebooks("a.zip", zipped(**{"\x1b[31m김.ipynb": ONE}))
    assert found.name == "?[31m김.ipynb"
    (found,) = notebooks("x" * 10_000, ONE.encode())
    assert len(found.name) == 200


# -- zips that are odd -------------------------------------------------------------------------------------


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """The zip with something else in every header of that kind."""
    changed, place = bytearray(data), -1
    while (place := data.find(signature, place + 1)) >= 0:
        changed[place + offset : place + offset + len(value)] = value
    return bytes(changed)


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
WHOLE = zipped(**{"a.ipynb": ONE})
ODD_ZIPS = {
    "encrypted": (patched(WHOLE, CENTRAL, 8, b"\x01\x00"), "password"),
    "strongly encrypted": (patched(WHOLE, CENTRAL, 8, b"\x41\x00"), "password"),
    "patched data": (patched(WHOLE, CENTRAL, 8, b"\x20\x00"), "damaged zip"),
    "an unknown compression": (patched(WHOLE, CENTRAL, 10, b"\x63\x00"), "damaged zip"),
    "another checksum": (patched(WHOLE, CENTRAL, 16, b"\0\0\0\0"), "damaged zip"),
    "another compression": (patched(patched(WHOLE, CENTRAL, 10, b"\x0e\x00"), LOCAL, 8, b"\x0e\x00"), "a.zip"),
    "bzip2 that isn't": (patched(patched(WHOLE, CENTRAL, 10, b"\x0c\x00"), LOCAL, 8, b"\x0c\x00"), "a.zip"),
    "a place beyond the end": (patched(WHOLE, CENTRAL, 42, b"\xff\xff\xff\x7f"), "a.zip"),
    "a directory beyond the end": (patched(WHOLE, END, 16, b"\xff\xff\xff\x7f"), "damaged zip"),
    "a directory of 2 GB": (patched(WHOLE, END, 12, b"\xff\xff\xff\x7f"), "far too many files"),
    "no directory": (patched(WHOLE, END, 12, b"\0\0\0\0"), "holds no notebook"),
    "another name inside": (patched(WHOLE, LOCAL, 30, b"b"), "damaged zip"),
    "a name that isn't UTF-8": (patched(patched(WHOLE, CENTRAL, 8, b"\0\x08"), CENTRAL, 46, b"\xff"), "damaged zip"),
    "another signature": (WHOLE.replace(LOCAL, b"PK\x03\x05"), "damaged zip"),
    "deflated junk": (WHOLE.replace(WHOLE[40:60], b"\xff" * 20), "could not be unpacked"),
    "an earlier end": (WHOLE[:-22], "damaged zip"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_ZIPS)
def test_odd_zips(name: str) -> None:
    data, says = ODD_ZIPS[name]
    assert data != WHOLE
    with pytest.raises(Unreadable, match=says) as caught:
        notebooks("a.zip", data)
    assert "a.zip" in str(caught.value)
    assert re.search(WHAT_TO_DO, str(caught.value))


def test_every_place_of_a_zip_overwritten() -> None:
    for place in range(2, len(WHOLE)):
        for value in (0, 255, WHOLE[place] ^ 1):
            data, said = WHOLE[:place] + bytes([value]) + WHOLE[place + 1 :], "a.zip"
            try:
                assert [cell.source for cell in notebooks("a.zip", data)[0].cells] == ["x = 1"]
            except Unreadable as problem:
                said = str(problem)
            assert "a.zip" in said, place


def test_a_zip_with_a_comment() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.ipynb", ONE)
        archive.comment = b"PK\x01\x02" + b"?" * 100
    assert [found.name for found in notebooks("a.zip", data.getvalue())] == ["a.ipynb"]


def test_two_notebooks_of_one_name_and_folders_named_as_notebooks() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x.ipynb/", "")
        archive.writestr("one/a.ipynb", json.dumps(notebook("first")))
        archive.writestr("two/a.ipynb", json.dumps(notebook("second")))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("two/a.ipynb", json.dumps(notebook("third")))
        archive.writestr(".a.ipynb", "hidden")
        archive.writestr("__MACOSX/one/a.ipynb", "hidden")
        archive.writestr(".ipynb", "no name")
        archive.writestr("a.ipynb.txt", "no notebook")
    found = notebooks("a.zip", data.getvalue())
    assert [each.name for each in found] == ["a.ipynb"] * 3
    assert [each.cells[0].source for each in found][:2] == ["first", "second"]


@pytest.mark.parametrize("mode", [0o120777, 0o120000, 0o120644])
def test_links_of_any_mode_are_passed_over(mode: int) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = mode << 16
        archive.writestr(link, ONE)
        archive.writestr("a.ipynb", ONE)
    assert [found.name for found in notebooks("a.zip", data.getvalue())] == ["a.ipynb"]


def test_a_zip_in_a_zip_is_not_opened() -> None:
    with pytest.raises(Unreadable, match="holds no notebook"):
        notebooks("a.zip", zipped(**{"inner.zip": WHOLE}))


def test_a_zip_named_as_a_notebook_and_the_other_way_round() -> None:
    assert notebooks("kim.ipynb", WHOLE)[0].name == "a.ipynb"
    assert notebooks("kim.zip", ONE.encode())[0].name == "kim.zip"
