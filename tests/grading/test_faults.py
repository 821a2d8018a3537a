"""Faulty submissions among ten good ones: each costs itself at most, and says what is wrong."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults import FAULTS, Fault
from rich.console import Console
from submissions import NOTEBOOKS, need_sandbox, notebook_of

from assignments_lib.grading.run import SOME_NOT_GRADED, Plan, run
from assignments_lib.grading.store import Store
from assignments_lib.marking.result import Graded, to_json
from assignments_lib.marking.room import Limits

NAME = "3_classification_to_segmentation"
GOOD = 10
FULL = 90  # the checks'; ten more are for written questions


@dataclass(frozen=True)
class Class:
    """What grading the class gave."""

    code: int
    results: dict[str, Graded]
    output: Path
    said: str


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    """Good and faulty submissions in turn, graded in one run."""
    need_sandbox()
    folder = tmp_path_factory.mktemp("class")
    submissions, output = folder / "submissions", folder / "grades"
    solved = json.dumps(notebook_of(NAME, solved=True))
    for number in range(GOOD):
        place = submissions / f"good {number}"
        place.mkdir(parents=True)
        (place / "mine.ipynb").write_text(solved)
    for fault in FAULTS:
        place = submissions / f"fault {fault.name}"
        place.mkdir()
        for name, data in fault.change(json.loads(solved)).items():
            (place / name).write_bytes(data)
    console = Console(record=True, width=200, force_terminal=False)
    limits = Limits(request=4, cell=3, exercise=8, memory=2 * 2**30)
    code = run(Plan(submissions, NOTEBOOKS / f"{NAME}.ipynb", output, limits=limits), console)
    results = {result.student: result for result in Store(output).all()}
    return Class(code, results, output, console.export_text())


@pytest.mark.slow
def test_every_submission_has_a_result(graded: Class) -> None:
    assert len(graded.results) == GOOD + len(FAULTS)
    assert graded.code == SOME_NOT_GRADED


@pytest.mark.slow
def test_good_ones_among_faulty_ones_get_full_marks(graded: Class) -> None:
    good = [result for student, result in graded.results.items() if student.startswith("good")]
    assert [result.earned for result in good] == [FULL] * GOOD
    assert all(result.problem == "" and result.remarks == () for result in good)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_costs_itself_at_most_and_says_what_is_wrong(fault: Fault, graded: Class) -> None:
    result = graded.results[f"fault {fault.name}"]
    if fault.lost is None:
        assert (result.earned, result.problem != "") == (0, True)
        assert fault.name in graded.said
    else:
        assert result.problem == ""
        assert result.earned == FULL - fault.lost, [e for e in result.exercises if e.earned < e.points]
    assert fault.says in to_json(result)


@pytest.mark.slow
def test_everybody_gets_a_page_and_the_class_its_tables(graded: Class) -> None:
    assert len(list((graded.output / "feedback").glob("*.html"))) == len(graded.results)
    assert len(list((graded.output / "gradescope").glob("*/results.json"))) == len(graded.results)
    for name in ("grades.csv", "canvas.csv", "class_report.html"):
        assert (graded.output / name).stat().st_size > 500
