"""The assignments in JupyterLab, in a real browser, as a student meets them: blank, wrong, right; and they look well.

    uv run pytest tests/browser/test_assignments_in_lab.py --pictures docs

takes the README's pictures on the way.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from lab import Notebook, chromium, jupyterlab, open_notebook, questions, run_all
from looks import faults, take_picture
from panels import move, panels
from playwright.sync_api import Page

from assignments_lib.checks import augmentation, resnet34, segmentation
from assignments_lib.checks.registry import Assignment

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not on the PATH"),
]


@dataclass(frozen=True)
class Slip:
    """A typical wrong answer: the solution of an exercise with one thing changed."""

    assignment: Assignment
    exercise: str
    right: str
    wrong: str
    mistake: str  # its name in the catalogue
    uses: tuple[str, ...] = ()  # the exercises that it needs
    picture: str | None = None  # of the README, that shows what the check says

    @property
    def hint(self) -> str:
        """What the check tells who made this mistake."""
        mistakes = self.assignment.task(self.exercise).mistakes
        return next(mistake.hint for mistake in mistakes if mistake.name == self.mistake)


SLIPS = (
    Slip(
        resnet34.ASSIGNMENT,
        "1.2",
        "self.second_norm(self.second(residual))\n        return F.relu(residual + self.shortcut(x))",
        "F.relu(self.second_norm(self.second(residual)))\n        return residual + self.shortcut(x)",
        "ReLU before the addition",
        picture="check.png",
    ),
    Slip(
        augmentation.ASSIGNMENT,
        "2.4",
        'mode="nearest"',
        'mode="bilinear"',
        "bilinear on masks",
        uses=("2.2",),
        picture="masks.png",
    ),
    Slip(segmentation.ASSIGNMENT, "3.8", ".median()", ".mean()", "mean instead of median"),
)


@dataclass
class Student:
    """A student's blank notebook, open in JupyterLab, and what is to be typed into it."""

    notebook: Notebook
    solutions: dict[str, str]  # by the cell's id
    slip: Slip

    @property
    def page(self) -> Page:
        return self.notebook.page

    def answers(self, exercise: str) -> None:
        """Type the right answer to an exercise."""
        cell = f"exercise-{exercise.replace('.', '-')}"
        self.notebook.write(cell, self.solutions[cell])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, str, Path]]:
    """A browser, JupyterLab's address, and the folder with copies of the blank notebooks and the solved ones."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "solutions").mkdir()
    for name in (slip.assignment.notebook for slip in SLIPS):
        for file in (f"{name}.ipynb", f"solutions/{name}.ipynb"):
            shutil.copy(NOTEBOOKS / file, folder / file)
    # Checkpoints go where nobody finds them again, and how well something learns is nbval's matter
    environment = {"ASSIGNMENTS_DATA": str(folder / "data"), "ASSIGNMENTS_SECONDS": "5"}
    with jupyterlab(folder, **environment) as address, chromium(1440, 900) as page:
        yield page, address, folder


@pytest.fixture(scope="module")
def picture(request: pytest.FixtureRequest) -> Callable[[Notebook, str | None, str], None]:
    """Takes a picture into the folder that ``--pictures`` names; does nothing without that option."""
    folder = request.config.getoption("--pictures")

    def take(notebook: Notebook, cell: str | None, name: str) -> None:
        if folder:
            take_picture(notebook, cell, Path(folder) / name)

    return take


@pytest.fixture(scope="module", params=SLIPS, ids=lambda slip: slip.assignment.notebook)
def student(
    request: pytest.FixtureRequest, lab: tuple[Page, str, Path], picture: Callable[..., None]
) -> Student:
    """A blank notebook in which all cells were run, once."""
    page, address, folder = lab
    name = request.param.assignment.notebook
    open_notebook(page, address, name)
    assert questions(page) == []
    notebook = Notebook(page, folder / f"{name}.ipynb")
    if name == "1_resnet34":
        picture(notebook, None, "notebook.png")
    run_all(page, seconds=300)
    solved = nbformat.read(folder / "solutions" / f"{name}.ipynb", as_version=4)
    return Student(notebook, {cell.id: cell.source for cell in solved.cells}, request.param)


def test_it_opens_and_runs_until_an_exercise_which_it_names(student: Student) -> None:
    assert questions(student.page) == []
    first = student.slip.assignment.exercises[0]
    assert set(student.notebook.statuses(f"check-{first.id.replace('.', '-')}")) == {"NOT FILLED IN"}
    assert student.notebook.errors() == [
        f"NotFilledIn: Exercise {first.id} ({first.title}) is not filled in yet: "
        "write it in its cell, run that cell, and come back here."
    ]


def test_a_blank_becomes_a_mistake_that_is_named_and_then_a_pass(
    student: Student, picture: Callable[..., None]
) -> None:
    notebook, slip = student.notebook, student.slip
    for exercise in slip.uses:
        student.answers(exercise)
        notebook.run(f"exercise-{exercise.replace('.', '-')}")
    answer, check = (f"{kind}-{slip.exercise.replace('.', '-')}" for kind in ("exercise", "check"))
    points = slip.assignment.task(slip.exercise).points

    def checked() -> set[str]:
        notebook.run(answer)
        notebook.run(check)
        return set(notebook.statuses(check))

    assert checked() == {"NOT FILLED IN"}
    assert f": 0 of {points} points" in notebook.said(check)

    right = student.solutions[answer]
    assert slip.right in right
    notebook.write(answer, right.replace(slip.right, slip.wrong))
    assert "FAIL" in checked()
    assert f"Likely mistake: {slip.hint}" in notebook.said(check)
    if slip.picture:
        picture(notebook, check, slip.picture)
    assert faults(student.page) == []

    notebook.write(answer, right)
    assert checked() == {"PASS"}
    assert f": {points} of {points} points" in notebook.said(check)


def test_half_way_through_every_widget_moves_and_all_fits_the_screen(student: Student) -> None:
    notebook = student.notebook
    cells = nbformat.read(notebook.file, as_version=4).cells
    places = [place for place, cell in enumerate(cells) if "widgets.panel(" in cell.source]
    if not places:
        pytest.skip("there are no widgets in this notebook")
    last = cells[places[-1]]
    before = [cell.id for cell in cells[: places[-1]] if cell.id.startswith("exercise-")]
    if student.slip.assignment is segmentation.ASSIGNMENT:  # what stands above trains for more than a minute
        before = [f"exercise-{id.replace('.', '-')}" for id in last.metadata["assignments"]["needs"]]
        for cell in before:
            notebook.write(cell, student.solutions[cell])
            notebook.run(cell)
    else:
        for cell in before:
            notebook.write(cell, student.solutions[cell])
        notebook.run_above(last.id, seconds=300)
        assert notebook.errors() == []  # that of the blank exercise is gone, too
    notebook.run(last.id)
    shown = panels(student.page)
    assert len(shown) == len(places)
    assert all(panel.controls() for panel in shown)
    dead = [(panel.title, move(panel, control)) for panel in shown for control in panel.controls()]
    assert [(title, name) for title, name in dead if name is not None] == []
    assert [panel.said() for panel in shown if "Error" in panel.said()] == []
    assert faults(student.page) == []


@pytest.mark.parametrize("name", [slip.assignment.notebook for slip in SLIPS])
def test_what_a_finished_notebook_shows_fits_the_screen(
    lab: tuple[Page, str, Path], picture: Callable[..., None], name: str
) -> None:
    page, address, folder = lab
    open_notebook(page, address, f"solutions/{name}")
    assert questions(page) == []
    notebook = Notebook(page, folder / "solutions" / f"{name}.ipynb")
    if name == "1_resnet34":
        cells = nbformat.read(notebook.file, as_version=4).cells
        picture(notebook, next(cell.id for cell in cells if "EPOCHS = 3" in cell.source), "training.png")
    assert faults(page) == []
