"""A run goes on where it was, grades what changed and nothing else, and loses nothing when it is stopped."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from submissions import NOTEBOOKS, Submit, need_sandbox

from assignments_lib.grading import finding
from assignments_lib.grading import run as module
from assignments_lib.grading.run import ALL_GRADED, FAILED, INTERRUPTED, SOME_NOT_GRADED, Plan, run
from assignments_lib.grading.store import Store
from assignments_lib.marking.reading import Unreadable
from assignments_lib.marking.result import Graded

NAME = "3_classification_to_segmentation"  # a seed's references take a third of a second; those of ResNet34 three
RELEASE = NOTEBOOKS / f"{NAME}.ipynb"
WRONG = "def class_weights(pixels):\n    return {}"


@pytest.fixture
def classroom(tmp_path: Path, submit: Submit) -> Path:
    """Six students; each answer is another, so that no two submissions are the same."""
    need_sandbox()
    for number in range(6):
        place = tmp_path / "submissions" / f"student {number}"
        place.mkdir(parents=True)
        (place / "a.ipynb").write_bytes(submit(NAME, {"3.8": WRONG.format(number)}))
    return tmp_path


def plan(folder: Path, **options: object) -> Plan:
    return Plan(folder / "submissions", RELEASE, folder / "grades", workers=1, **options)  # type: ignore[arg-type]


def quiet() -> Console:
    return Console(record=True, width=200)


def seeds(folder: Path) -> dict[str, int]:
    return {result.student: result.seed for result in Store(folder / "grades").all()}


@pytest.mark.slow
def test_a_second_run_grades_only_what_changed(classroom: Path, submit: Submit) -> None:
    assert run(plan(classroom), quiet()) == ALL_GRADED
    before = seeds(classroom)
    assert len(set(before.values())) == 1
    (classroom / "submissions" / "student 3" / "a.ipynb").write_bytes(
        submit(NAME, {"3.8": WRONG.format("pixels")})
    )
    console = quiet()
    assert run(plan(classroom), console) == ALL_GRADED
    after = seeds(classroom)
    assert {student for student in after if after[student] != before[student]} == {"student 3"}
    assert "1 to grade, 5 graded before" in console.export_text()


@pytest.mark.slow
def test_seeds_are_fresh_secret_and_can_be_asked_for_again(classroom: Path) -> None:
    run(plan(classroom), quiet())
    first = seeds(classroom)
    run(plan(classroom, again=True), quiet())
    second = seeds(classroom)
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())
    run(plan(classroom, again=True, seed=first["student 0"]), quiet())
    assert seeds(classroom) == first
    for page in (classroom / "submissions").rglob("*.ipynb"):
        assert str(first["student 0"]) not in page.read_text()


def test_a_dry_run_writes_nothing_and_says_what_it_would_do(classroom: Path) -> None:
    console = quiet()
    assert run(plan(classroom, dry_run=True), console) == ALL_GRADED
    assert "would grade student 5: a.ipynb" in console.export_text()
    assert not (classroom / "grades").exists()


@pytest.mark.slow
def test_marks_for_written_questions_stay_when_the_words_do(classroom: Path) -> None:
    run(plan(classroom), quiet())
    store = Store(classroom / "grades")
    marked = store.read("student 1")
    assert marked is not None
    store.write(marked.marked("Q1", 4.0, "nearly"))
    run(plan(classroom, again=True), quiet())
    again = store.read("student 1")
    assert again is not None
    assert (again.questions[0].earned, again.questions[0].comment) == (4.0, "nearly")
    assert again.seed != marked.seed


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_run_goes_on_where_it_was(classroom: Path, after: int) -> None:
    """SIGKILL, at the moment when so many results are there; then once more to the end."""
    command = [
        str(Path(sys.executable).with_name("assignments")), "grade", str(classroom / "submissions"),
        "--assignment", NAME, "--release", str(RELEASE), "--output", str(classroom / "grades"),
        "--workers", "1",
    ]  # fmt: skip
    results = classroom / "grades" / "results"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    patience = time.monotonic() + 240
    while (
        process.poll() is None and len(list(results.glob("*.json"))) < after and time.monotonic() < patience
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = seeds(classroom)
    assert len(before) >= after
    assert run(plan(classroom), quiet()) == ALL_GRADED
    after_all = seeds(classroom)
    assert len(after_all) == 6
    assert {student: after_all[student] for student in before} == before  # nothing was graded twice
    assert not [path for path in results.iterdir() if path.suffix != ".json"]


@pytest.mark.slow
def test_ctrl_c_leaves_what_is_done(classroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = Store.write, []

    def interrupted(self: Store, graded: Graded) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        write(self, graded)
        written.append(graded.student)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", interrupted)
        console = quiet()
        assert run(plan(classroom), console) == INTERRUPTED
    assert "What is graded so far is kept" in console.export_text()
    assert sorted(seeds(classroom)) == sorted(written)
    assert run(plan(classroom), quiet()) == ALL_GRADED
    assert len(seeds(classroom)) == 6


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_loses_nothing(
    classroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Store.write, []

    def full(self: Store, graded: Graded) -> None:
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path(graded.student)))
        write(self, graded)
        written.append(graded.student)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", full)
        console = quiet()
        assert run(plan(classroom), console) == FAILED
    said = console.export_text()
    assert "No space left on device" in said
    assert "run the same command to go on" in said
    assert sorted(seeds(classroom)) == sorted(written)
    assert run(plan(classroom), quiet()) == ALL_GRADED


@pytest.mark.slow
def test_a_damaged_result_is_graded_again(classroom: Path) -> None:
    run(plan(classroom), quiet())
    path = Store(classroom / "grades").path("student 2")
    path.write_text(path.read_text()[:100])
    console = quiet()
    assert run(plan(classroom), console) == ALL_GRADED
    assert "1 to grade" in console.export_text()
    assert len(seeds(classroom)) == 6


@pytest.mark.slow
def test_a_grader_that_dies_over_one_submission_goes_on(
    classroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker itself is killed whenever it has that one: it is given up, the others aren't."""
    from assignments_lib.grading import pool

    asked = pool._Worker._asked

    def dying(self: pool._Worker, job: pool.Job) -> Graded | BaseException:
        if job.student == "student 4":
            if self._process is not None:
                self._process.kill()
                self._process.join()
            raise EOFError
        return asked(self, job)

    monkeypatch.setattr(pool._Worker, "_asked", dying)
    console = quiet()
    assert run(plan(classroom), console) == SOME_NOT_GRADED
    results = {result.student: result for result in Store(classroom / "grades").all()}
    assert [student for student, result in results.items() if result.problem] == ["student 4"]
    assert "for your instructor to look at" in results["student 4"].problem


@pytest.mark.slow
def test_what_cant_be_read_costs_itself_and_what_is_no_submission_is_named(
    classroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (classroom / "submissions" / "kim.7z").write_bytes(b"7z")

    def load(found: finding.Found) -> Any:
        if found.student == "student 2":
            raise Unreadable("a.ipynb can't be read: Permission denied.")
        return real(found)

    real = module.load
    monkeypatch.setattr(module, "load", load)
    console = quiet()
    assert run(plan(classroom), console) == SOME_NOT_GRADED
    results = {result.student: result for result in Store(classroom / "grades").all()}
    assert [student for student, result in results.items() if result.problem] == ["student 2"]
    assert len(results) == 6
    assert "Passed over, as they are no folder, zip or notebook: kim.7z" in console.export_text()


@pytest.mark.parametrize(
    ("folder", "says"),
    [("nowhere", "is not a folder"), ("empty", "holds no submissions")],
)
def test_nothing_to_grade(folder: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    console = quiet()
    assert run(Plan(tmp_path / folder, RELEASE, tmp_path / "grades"), console) == FAILED
    assert says in console.export_text()


def test_a_notebook_that_is_no_release(tmp_path: Path) -> None:
    (tmp_path / "in" / "alice").mkdir(parents=True)
    (tmp_path / "in" / "alice" / "a.ipynb").write_text("{}")
    other = tmp_path / "other.ipynb"
    other.write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    console = quiet()
    assert run(Plan(tmp_path / "in", other, tmp_path / "grades"), console) == FAILED
    assert "other.ipynb is not a released assignment" in console.export_text()


def test_the_loop_of_the_progress_bar_ends_with_its_results(classroom: Path) -> None:
    assert list(module._progress(quiet(), [], plan(classroom))) == []
