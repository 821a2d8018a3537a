"""Every student has one file, whatever their name; what is in it is a whole result, or nothing."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from grades import made
from submissions import released

from assignments_lib.grading import store as store_module
from assignments_lib.grading.store import Store, key
from assignments_lib.marking.result import FORMAT, Graded, from_json, to_json
from assignments_lib.marking.room import Limits

HOSTILE = [
    "",
    ".",
    "..",
    "...",
    ".hidden",
    "hidden",
    "..hidden",
    "%2Ehidden",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a%2Fb",
    "a\\b",
    "C:\\a",
    "a\0b",
    "a\nb",
    "a:b",
    "a*b?",
    "<script>alert(1)</script>",
    "김민지",
    "김" * 300,
    "김" * 301,
    "x" * 150,
    "x" * 151,
    "x" * 5000,
    "x" * 5001,
    "\ud800",
    "\ud801",
    "\udcff",
    "?",
    "%",
    "%3F",
    "Kim Min-ji (2)",
    "a.json",
    "~",
    "$HOME",
]


@pytest.mark.parametrize("student", HOSTILE, ids=lambda student: ascii(student)[:30])
def test_a_result_is_read_as_it_was_written(student: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.path(student)
    assert path.parent == store.folder
    assert path.resolve().parent == store.folder.resolve()
    assert len(os.fsencode(path.name)) <= 200
    assert not path.name.startswith(".")
    assert not set(path.name) & set('\\:*?"<>|\0\n\r')
    store.write(made(student))
    found = store.read(student)
    assert found is not None
    assert replace(found, student=student) == made(student)
    assert [file.name for file in store.folder.iterdir()] == [path.name]
    assert [file for file in tmp_path.rglob("*") if file.parent not in (tmp_path, store.folder)] == []


def test_no_two_students_share_a_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    names = [*HOSTILE, store.path("x" * 5000).stem, store.path("김" * 300).stem, store.path(".").stem]
    assert len({store.path(name) for name in names}) == len(names)


def test_a_name_can_be_read_in_the_files_name(tmp_path: Path) -> None:
    assert Store(tmp_path).path("Kim Min-ji, 2026").name == "Kim Min-ji, 2026.json"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[:-2],
        lambda text: text[: len(text) // 2],
        lambda text: b"\0" * len(text),
        lambda text: text.replace(b'"', b"'"),
        lambda text: b"\xff\xfe" + text,
        lambda text: b"[]",
        lambda text: b"null",
        lambda text: b"3",
        lambda text: b"{}",
        lambda text: b"[" * 100_000,
        lambda text: text.replace(b'"student"', b'"pupil"'),
        lambda text: text.replace(b'"exercises": [', b'"exercises": [3, '),
        lambda text: text.replace(b'"exercises": [', b'"exercises": 3, "e": ['),
        lambda text: text.replace(b'"parts": [', b'"parts": [{}, '),
        lambda text: text.replace(b'"questions": [', b'"questions": [{"id": "Q9"}, '),
        lambda text: text.replace(f'"format": {FORMAT}'.encode(), b'"format": 0'),
    ],
)
def test_a_damaged_result_is_graded_again(damage: object, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(made("kim"))
    store.write(made("lee"))
    whole = store.path("kim").read_bytes()
    damaged = damage(whole)  # type: ignore[operator]
    assert damaged != whole
    store.path("kim").write_bytes(damaged)
    assert store.read("kim") is None
    assert list(store.all()) == [made("lee")]
    store.write(made("kim"))
    assert store.read("kim") == made("kim")


def test_what_is_not_there_or_no_file_is_no_result(tmp_path: Path) -> None:
    store = Store(tmp_path / "never made")
    assert store.read("kim") is None
    assert list(store.all()) == []
    store.path("kim").mkdir(parents=True)
    assert store.read("kim") is None
    assert list(store.all()) == []


def test_a_second_result_takes_the_place_of_the_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(made("kim", seconds=1.0))
    store.write(made("kim", seconds=2.0))
    assert [result.seconds for result in store.all()] == [2.0]


def test_a_write_that_fails_leaves_the_result_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.write(made("kim", seconds=1.0))

    def no_space(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", no_space)
        with pytest.raises(OSError, match="No space"):
            store.write(made("kim", seconds=2.0))
    found = store.read("kim")
    assert found is not None
    assert found.seconds == 1.0
    assert [file.name for file in store.folder.iterdir()] == ["kim.json"]


def test_json_gives_back_what_it_was_given() -> None:
    graded = made("kim", 'quotes " \\ \n \x00 </script> 한글', problem="why", earned=2.5)
    assert from_json(to_json(graded)) == graded
    assert isinstance(from_json(to_json(graded)), Graded)
    assert "한글" in to_json(graded)  # a person may read it
    assert json.loads(to_json(graded))["questions"][0]["earned"] == 2.5


def test_the_key_is_that_of_the_bytes_the_release_the_limits_and_the_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = released("1_resnet34")
    first = key(release, "digest", Limits())
    changed = [
        key(release, "other digest", Limits()),
        key(released("2_data_augmentation"), "digest", Limits()),
        key(replace(release, digest=release.digest[::-1]), "digest", Limits()),
        *(
            key(release, "digest", replace(Limits(), **{name: 5}))
            for name in ("request", "cell", "exercise", "memory", "files")
        ),
    ]
    monkeypatch.setattr(store_module, "_code", lambda: "other code")
    changed.append(key(release, "digest", Limits()))
    assert len({first, *changed}) == len(changed) + 1


def test_the_key_does_not_change_by_itself() -> None:
    release = released("1_resnet34")
    assert key(release, "digest", Limits()) == key(replace(release), "digest", Limits())
    assert key(release, "digest", Limits()) == key(released("1_resnet34"), "digest", Limits(request=30.0))
    store_module._code.cache_clear()
    before = key(release, "digest", Limits())
    store_module._code.cache_clear()
    assert key(release, "digest", Limits()) == before
