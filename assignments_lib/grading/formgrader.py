"""nbgrader's formgrader: written answers go there to be marked by a person, and the marks come back.

formgrader reads two things: the gradebook's database, and the notebooks below ``autograded/``. Both are written here
through nbgrader's own interface. Whatever a person gave there stays, however often results are put in.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_grade, is_locked, is_solution
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets.config import Config, PyFileConfigLoader

from assignments_lib.atomic import write_atomically
from assignments_lib.authoring.build import NBGRADER_CONFIG as COURSE_CONFIG
from assignments_lib.authoring.notebooks import TEXT_STUB, as_text
from assignments_lib.grading.roster import GradebookError
from assignments_lib.marking.result import Graded, QuestionMark

CONFIG = "nbgrader_config.py"
_LONGEST = 255  # bytes that a folder's name may have
_ABOUT = "Written answers come first, then the marks of checks: why, says the student's page of feedback."
_UNANSWERED = "No response."  # nbgrader's own words
_INVISIBLE = "\u2060"  # WORD JOINER


def put(results: Sequence[Graded], release_notebook: str | Path, course_dir: str | Path) -> tuple[str, ...]:
    """Put a class's results into a nbgrader course, so that formgrader shows the written answers for marking.

    The assignment has the name of `Graded.assignment`, the notebook that of its file. An answered question waits for
    a person until it has a mark; a blank one has none and waits for nobody. A mark that was given in formgrader
    stays, and waits for a second look if the answer is another one by now. Marks of checks are put in as they are.

    Args:
        results: of one assignment.
        release_notebook: what the students were given.
        course_dir: the folder where formgrader is opened; it and its nbgrader_config.py are made if missing.

    Returns:
        A sentence for each result that could not be put in, saying why. The others are.

    Raises:
        GradebookError: the notebook can't be read or isn't that of the results, or the gradebook can't be written.
        OSError: a file could not be written.
    """
    release_notebook, course_dir = Path(release_notebook), Path(course_dir).resolve()
    release = _read(release_notebook)
    cells = _graded_cells(release, release_notebook)
    name = release_notebook.stem
    usable, left_out = _usable(results)
    assignments = {result.assignment for result in usable}
    if len(assignments) > 1:
        raise GradebookError(f"The results are of {' and '.join(sorted(assignments))}: put in one at a time.")
    for result in usable:
        _check_points(result, cells, release_notebook)
    if not usable:
        return tuple(left_out)

    assignment = assignments.pop()
    if not (course_dir / CONFIG).exists():
        write_atomically(course_dir / CONFIG, COURSE_CONFIG)
    course = _course(course_dir)
    # Its lists show assignments that have a source only
    source = Path(course.format_path(course.source_directory, ".", assignment), f"{name}.ipynb")
    if not source.exists():
        write_atomically(source, as_text(release))
    with _gradebook(course) as gradebook:
        _put_notebook(gradebook, assignment, name, release)
        for result in usable:
            target = _autograded(course, result, name)
            text = as_text(_answered(release, result))
            changed = _changed_answers(target, text)
            _put_submission(gradebook, course, result, name, changed)
            # After the database: if this fails, the next time still finds that an answer has changed
            write_atomically(target, text)
    return tuple(left_out)


def read_back(course_dir: str | Path, results: Sequence[Graded]) -> list[Graded]:
    """The results with the marks and comments that people gave to their written questions in formgrader.

    A question without a mark there, or whose answer has changed since it was marked, has none (None). Extra credit
    counts. Nothing else of a result changes, whatever was entered for its checks; who isn't in the gradebook comes
    back as given.

    Raises:
        GradebookError: there is no gradebook, or it can't be read.
    """
    course_dir = Path(course_dir).resolve()
    course = _course(course_dir)
    file = course.db_url.removeprefix("sqlite:///")
    if course.db_url.startswith("sqlite:///") and not Path(file).is_file():
        raise GradebookError(f"{file} isn't there: put the results into the course first.")
    with _gradebook(course) as gradebook:
        return [_marked(gradebook, result) for result in results]


def _marked(gradebook: Gradebook, result: Graded) -> Graded:
    try:
        submission = gradebook.find_submission(result.assignment, result.student)
    except (MissingEntry, UnicodeEncodeError):
        return result
    grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
    comments = {comment.name: comment for notebook in submission.notebooks for comment in notebook.comments}
    for question in result.questions:
        name = _question_cell(question.id)
        grade, comment = grades.get(name), comments.get(name)
        if grade is None:
            continue
        given = None
        if grade.manual_score is not None and not grade.needs_manual_grade:
            given = grade.manual_score + (grade.extra_credit or 0)
        words = (comment.manual_comment if comment else None) or ""
        result = result.marked(question.id, given, words)
    return result


def _usable(results: Sequence[Graded]) -> tuple[list[Graded], list[str]]:
    """The results that can be put in, and a sentence for each of the others."""
    usable, left_out = [], []
    count = Counter(result.student for result in results)
    for result in results:
        reason = _unusable_name(result.student)
        if result.problem:
            reason = result.problem
        elif count[result.student] > 1:
            reason = f"{count[result.student]} results have this name; give one."
        if reason:
            left_out.append(f"{result.student!r} is left out: {reason}")
        else:
            usable.append(result)
    return usable, left_out


def _unusable_name(student: str) -> str:
    """Why nbgrader, for which a student's name is a folder's name, can't have this one; or nothing."""
    if student in ("", ".", "..") or any(sign in student for sign in "/\\\0"):
        return "this is no name for a folder; rename the submission's folder."
    if any(sign in student for sign in '<>"'):
        return "formgrader's pages would take the name for HTML; rename the submission's folder."
    try:
        size = len(student.encode())
    except UnicodeEncodeError:
        return "the name is damaged; rename the submission's folder."
    return "the name is too long; rename the submission's folder." if size > _LONGEST else ""


def _read(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise GradebookError(
            f"{path} can't be read as a notebook ({error}): give the notebook as it was released."
        ) from None


def _graded_cells(release: NotebookNode, path: Path) -> dict[str, NotebookNode]:
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in release.cells if is_grade(cell)}
    if not cells:
        raise GradebookError(
            f"{path} has no cells that nbgrader grades: give the notebook as it was released."
        )
    return cells


def _check_cell(exercise: str) -> str:
    return f"check-{exercise.replace('.', '-')}"


def _question_cell(question: str) -> str:
    return f"question-{question.replace('.', '-')}"


def _check_points(result: Graded, cells: dict[str, NotebookNode], path: Path) -> None:
    """Refuse results of another notebook, or of another version of it."""
    tasks = {_check_cell(exercise.id): exercise.points for exercise in result.exercises}
    tasks |= {_question_cell(question.id): question.points for question in result.questions}
    for name, points in tasks.items():
        there = cells[name].metadata.nbgrader.points if name in cells else "no"
        if there != points:
            raise GradebookError(
                f"{path} gives {there} points for {name}, the result of {result.student} {points}: give the notebook "
                "that the submissions were graded with, or grade them again."
            )


def _answered(release: NotebookNode, result: Graded) -> NotebookNode:
    """The release notebook's graded cells, with the student's words in the place of the stubs.

    What is to be read comes first. The cells of exercises are left out: formgrader would show their stubs as the
    student's answers.
    """
    notebook = nbformat.from_dict(release)
    graded = sorted(filter(is_grade, notebook.cells), key=lambda cell: cell.cell_type == "code")
    notebook.cells = [nbformat.v4.new_markdown_cell(f"# {result.title}\n\n{_ABOUT}", id="about"), *graded]
    answers = {_question_cell(question.id): question.answer for question in result.questions}
    for cell in notebook.cells:
        answer = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if answer:
            prompt = cell.source.replace(TEXT_STUB, "").strip()
            cell.source = f"{prompt}\n\n{_inert(answer)}"
    return notebook


def _inert(answer: str) -> str:
    """The answer as formgrader shows it and can't run it.

    formgrader's page shows HTML in an answer as HTML, scripts included, and stands on the instructor's own Jupyter
    server, which runs what it is told. So no tag, no entity and no script's address is left whole: an invisible
    character divides them. Markdown and formulas go on working.
    """
    answer = re.sub(r"<(?=[A-Za-z/!?])|&(?=[#A-Za-z])", lambda sign: sign[0] + _INVISIBLE, answer)
    return re.sub(r"(script)(?=[\\\s]*:)", lambda word: word[0] + _INVISIBLE, answer, flags=re.IGNORECASE)


def _changed_answers(target: Path, text: str) -> set[str]:
    """The cells that say something else than in the notebook as it was last put in."""
    try:
        before = _read(target)
    except GradebookError:
        return set()
    sources = {cell.get("id"): cell.source for cell in before.cells}
    return {
        cell.metadata.nbgrader.grade_id
        for cell in nbformat.reads(text, as_version=4).cells
        if is_grade(cell) and sources.get(cell.get("id"), cell.source) != cell.source
    }


def _course(course_dir: Path) -> CourseDirectory:
    """The course as nbgrader sees it, with what its configuration says of folders and of the database."""
    config = Config()
    if (course_dir / CONFIG).exists():
        config = PyFileConfigLoader(CONFIG, path=str(course_dir)).load_config()
    return CourseDirectory(config=config, root=str(course_dir))


def _autograded(course: CourseDirectory, result: Graded, name: str) -> Path:
    folder = course.format_path(course.autograded_directory, result.student, result.assignment)
    return Path(folder, f"{name}.ipynb")


@contextmanager
def _gradebook(course: CourseDirectory) -> Iterator[Gradebook]:
    try:
        with _alembic_on_path():
            gradebook = Gradebook(course.db_url, course.course_id)
        with gradebook, warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, at each new submission
            yield gradebook
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise GradebookError(
            f"The gradebook {course.db_url} can't be used ({reason}): if formgrader is at work in it, wait and try "
            "again; if nbgrader is newer than it, run `nbgrader db upgrade` in its folder."
        ) from None


@contextmanager
def _alembic_on_path() -> Iterator[None]:
    """nbgrader makes a database with the command alembic, which is beside Python, but not always on the path."""
    before = os.environ.get("PATH", "")
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _put_notebook(gradebook: Gradebook, assignment: str, name: str, release: NotebookNode) -> None:
    """The assignment, its notebook, and the cells that carry marks, comments or the text as it was given out."""
    gradebook.update_or_create_assignment(assignment)
    notebook = gradebook.update_or_create_notebook(
        name, assignment, kernelspec=json.dumps(release.metadata.get("kernelspec", {}))
    )
    graded = {cell.metadata.nbgrader.grade_id for cell in release.cells if is_grade(cell)}
    gone = sorted(cell.name for cell in notebook.grade_cells if cell.name not in graded)
    if gone:
        raise GradebookError(
            f"The gradebook has marks for {', '.join(gone)}, which {name}.ipynb doesn't have: give the notebook "
            "that was put in before, or use another course folder."
        )
    for cell in release.cells:
        ours = cell.metadata.get("nbgrader")
        if ours is None:
            continue
        where = (ours.grade_id, name, assignment)
        if is_grade(cell):
            gradebook.update_or_create_grade_cell(
                *where, max_score=float(ours.points), cell_type=cell.cell_type
            )
        if is_solution(cell):
            gradebook.update_or_create_solution_cell(*where)
        if is_grade(cell) or is_solution(cell) or is_locked(cell):
            gradebook.update_or_create_source_cell(
                *where,
                cell_type=cell.cell_type,
                locked=is_locked(cell),
                source=cell.source,
                checksum=ours.get("checksum"),
            )


def _put_submission(
    gradebook: Gradebook, course: CourseDirectory, result: Graded, name: str, changed: set[str]
) -> None:
    """One student's marks: those of the checks as they are now, those that a person gave as they were."""
    submitted = Path(course.format_path(course.submitted_directory, result.student, result.assignment))
    timestamp = course.get_existing_timestamp(str(submitted))
    gradebook.update_or_create_student(result.student)
    # formgrader takes a submission for ungraded if its time isn't that of the file handed in
    gradebook.update_or_create_submission(
        result.assignment, result.student, **({"timestamp": timestamp} if timestamp else {})
    )
    submission = gradebook.find_submission_notebook(name, result.assignment, result.student)
    earned = {_check_cell(exercise.id): exercise.earned for exercise in result.exercises}
    questions = {_question_cell(question.id): question for question in result.questions}
    comments = _complete(gradebook, submission)
    for grade in submission.grades:
        if grade.name in questions:
            _put_question(grade, comments.get(grade.name), questions[grade.name], grade.name in changed)
        else:
            grade.auto_score = float(earned.get(grade.name, 0))
            grade.needs_manual_grade = False
    gradebook.db.commit()


def _put_question(grade: Grade, comment: Comment | None, question: QuestionMark, changed: bool) -> None:
    given = grade.manual_score is not None
    grade.auto_score = None
    if not given and question.earned is not None:
        grade.manual_score = question.earned
    if comment is not None:
        comment.auto_comment = None if question.answer else _UNANSWERED
        if not given and not comment.manual_comment and question.comment:
            comment.manual_comment = question.comment
    if grade.manual_score is None:
        grade.needs_manual_grade = bool(question.answer)
    elif not given:
        grade.needs_manual_grade = False
    elif changed:
        grade.needs_manual_grade = True


def _complete(gradebook: Gradebook, submission: SubmittedNotebook) -> dict[str, Comment]:
    """The submission's comments by cell, after giving it what its notebook got since it was put in first."""
    graded = {grade.cell_id for grade in submission.grades}
    commented = {comment.cell_id for comment in submission.comments}
    notebook = submission.notebook
    gradebook.db.add_all(
        Grade(cell_id=cell.id, notebook_id=submission.id)
        for cell in notebook.grade_cells
        if cell.id not in graded
    )
    gradebook.db.add_all(
        Comment(cell_id=cell.id, notebook_id=submission.id)
        for cell in notebook.solution_cells
        if cell.id not in commented
    )
    gradebook.db.commit()
    return {comment.name: comment for comment in submission.comments}
