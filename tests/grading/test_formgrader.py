"""nbgrader's formgrader: what it is given, what a person does there, and what comes back."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.apps.api import NbGraderAPI
from nbgrader.apps.nbgraderapp import NbGraderApp
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.server_extensions.formgrader import handlers
from submissions import cell_of, notebook_of, released
from traitlets.config import Config

from assignments_lib.checks.registry import assignment
from assignments_lib.grading import formgrader
from assignments_lib.grading.roster import GradebookError
from assignments_lib.marking.matching import match
from assignments_lib.marking.reading import notebooks
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark

NAME = "1_resnet34"
RELEASE = Path(__file__).resolve().parents[2] / "notebooks" / f"{NAME}.ipynb"
KEPT = ("code-3c546ce61b", "exercise-1-1", "check-1-1", "check-1-2", "question-Q1", "question-Q2")
CELLS = {cell.id: cell for cell in nbformat.read(RELEASE, as_version=4).cells if cell.id in KEPT}


def short(*left_out):
    """A few cells of the real notebook, as nbgrader takes a while for all of them."""
    notebook = nbformat.read(RELEASE, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id in KEPT and cell.id not in left_out]
    return notebook


def graded(student, q1="Because gradients flow.", q2="When there are *few* pictures.", digest="ab12"):
    """Half marks for every exercise, and two answers."""
    exercises = []
    for id, cell in CELLS.items():
        if id.startswith("check-"):
            points = cell.metadata.nbgrader.points
            task = cell.metadata.assignments.check
            part = PartMark("all of it", points, points // 2, "FAIL")
            exercises.append(ExerciseMark(task, "A title", points, "FAIL", (part,)))
    questions = [QuestionMark("Q1", "Why", 5, q1), QuestionMark("Q2", "When", 5, q2)]
    return Graded(
        student, NAME, "Assignment 1", f"{NAME}.ipynb", digest, 42, tuple(exercises), tuple(questions)
    )


def put(results, course, notebook=None):
    """By default what stands beside the course."""
    return formgrader.put(results, notebook or course.parent / f"{NAME}.ipynb", course)


def db(course):
    return Gradebook(f"sqlite:///{course / 'gradebook.db'}", "")


def mark(course, student, question, score=None, comment=None, extra=None):
    """What formgrader's own handlers do on PUT (server_extensions/formgrader/apihandlers.py)."""
    with db(course) as gradebook:
        submission = gradebook.find_submission_notebook(NAME, NAME, student)
        grade = next(each for each in submission.grades if each.name == f"question-{question}")
        grade = gradebook.find_grade_by_id(grade.id)
        grade.manual_score, grade.extra_credit = score, extra
        grade.needs_manual_grade = grade.manual_score is None and grade.auto_score is None
        note = next(each for each in submission.comments if each.name == f"question-{question}")
        gradebook.find_comment_by_id(note.id).manual_comment = comment
        gradebook.db.commit()


def grades(course, student):
    with db(course) as gradebook:
        found = gradebook.find_submission_notebook(NAME, NAME, student).grades
        return {
            grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade) for grade in found
        }


def api(course):
    """nbgrader's as formgrader's handlers make it."""
    directory = CourseDirectory(root=str(course))
    return NbGraderAPI(directory)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """An empty gradebook, as nbgrader makes it with a command of its own, which takes a second."""
    course = tmp_path_factory.mktemp("fresh")
    with closing(db(course)):
        return (course / "gradebook.db").read_bytes()


@pytest.fixture
def course(tmp_path, fresh):
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "gradebook.db").write_bytes(fresh)
    nbformat.write(short(), tmp_path / f"{NAME}.ipynb")
    return folder


def questions(results):
    return [[(each.earned, each.comment) for each in result.questions] for result in results]


def test_marks_given_in_formgrader_come_back(course):
    results = [graded("kim"), graded("이영희")]
    assert put(results, course) == ()
    assert formgrader.read_back(course, results) == results

    mark(course, "kim", "Q1", 4.5, "Well said.")
    mark(course, "이영희", "Q2", 0, 'No: =cmd\n"two" lines', extra=0.5)
    back = formgrader.read_back(course, results)
    assert questions(back) == [
        [(4.5, "Well said."), (None, "")],
        [(None, ""), (0.5, 'No: =cmd\n"two" lines')],
    ]
    # Nothing else moved
    assert [each.marked("Q1", None, "").marked("Q2", None, "") for each in back] == results
    assert back[0].earned == results[0].earned + 4.5


def test_putting_twice_loses_no_mark_and_takes_new_results_of_checks(course):
    results = [graded("kim"), graded("lee")]
    put(results, course)
    mark(course, "kim", "Q1", 4.5, "Well said.")
    full = tuple(
        replace(each, parts=(replace(each.parts[0], earned=each.points),)) for each in results[0].exercises
    )
    again = [replace(results[0], exercises=full), results[1], graded("park")]
    put(again, course)
    assert grades(course, "kim")["question-Q1"] == (None, 4.5, False)
    assert grades(course, "kim")["question-Q2"] == (None, None, True)
    assert grades(course, "kim")["check-1-1"] == (float(assignment(NAME).task("1.1").points), None, False)
    assert questions(formgrader.read_back(course, again)) == [
        [(4.5, "Well said."), (None, "")],
        [(None, ""), (None, "")],
        [(None, ""), (None, "")],
    ]
    # Results that bring the marks along change nothing either
    put(formgrader.read_back(course, again), course)
    assert grades(course, "kim")["question-Q1"] == (None, 4.5, False)


def test_a_mark_for_another_answer_waits_for_a_second_look(course):
    put([graded("kim")], course)
    mark(course, "kim", "Q1", 4.5, "Well said.")
    handed_in_again = [graded("kim", q1="Something else.", digest="cd34")]
    put(handed_in_again, course)
    assert grades(course, "kim")["question-Q1"] == (None, 4.5, True)
    assert questions(formgrader.read_back(course, handed_in_again))[0][0] == (None, "Well said.")
    put(handed_in_again, course)
    assert grades(course, "kim")["question-Q1"] == (None, 4.5, True)

    mark(course, "kim", "Q1", 3, "Well said.")
    put(handed_in_again, course)
    assert questions(formgrader.read_back(course, handed_in_again))[0][0] == (3.0, "Well said.")


def test_only_an_answered_question_waits(course):
    results = [graded("kim", q2=""), graded("lee", q1="", q2="")]
    put(results, course)
    assert grades(course, "kim")["question-Q1"] == (None, None, True)
    assert grades(course, "kim")["question-Q2"] == (None, None, False)
    with db(course) as gradebook:
        needs = {each["student"]: each["needs_manual_grade"] for each in gradebook.submission_dicts(NAME)}
        comment = gradebook.find_comment("question-Q2", NAME, NAME, "kim")
        assert comment.auto_comment == "No response."
    assert needs == {"kim": True, "lee": False}
    assert questions(formgrader.read_back(course, results))[0] == [(None, ""), (None, "")]
    # A person may mark a blank one all the same
    mark(course, "lee", "Q1", 1, "Told me in class.")
    assert questions(formgrader.read_back(course, results))[1][0] == (1.0, "Told me in class.")


def test_a_mark_from_elsewhere_is_shown_and_the_one_in_formgrader_wins(course):
    result = graded("kim").marked("Q1", 2.5, "From paper.")
    put([result], course)
    assert grades(course, "kim")["question-Q1"] == (None, 2.5, False)
    assert formgrader.read_back(course, [result]) == [result]
    mark(course, "kim", "Q1", 5, "Better.")
    put([result], course)
    assert questions(formgrader.read_back(course, [result]))[0][0] == (5.0, "Better.")
    mark(course, "kim", "Q1")
    assert questions(formgrader.read_back(course, [result]))[0][0] == (None, "")


def test_auto_marks_never_change(course):
    result = graded("kim")
    put([result], course)
    with db(course) as gradebook:
        gradebook.find_grade("check-1-1", NAME, NAME, "kim").manual_score = 6.0
        gradebook.find_grade("check-1-2", NAME, NAME, "kim").auto_score = 16.0
        gradebook.db.commit()
    assert formgrader.read_back(course, [result]) == [result]
    put([result], course)
    assert grades(course, "kim")["check-1-1"] == (3.0, 6.0, False)  # the person's stays where it was given
    assert grades(course, "kim")["check-1-2"] == (8.0, None, False)


def test_formgraders_lists_show_the_submissions(course):
    results = [graded("kim"), graded("lee", q1="", q2="")]
    put(results, course)
    nbgrader = api(course)
    (listed,) = nbgrader.get_assignments()
    assert listed["name"] == NAME
    assert listed["max_score"] == results[0].points
    (notebook,) = nbgrader.get_notebooks(NAME)
    assert (notebook["name"], notebook["num_submissions"], notebook["needs_manual_grade"]) == (NAME, 2, True)
    assert notebook["max_written_score"] == 10
    submissions = {each["student"]: each for each in nbgrader.get_submissions(NAME)}
    assert submissions["kim"]["autograded"]
    assert submissions["kim"]["code_score"] == results[0].earned
    notebooks = {each["student"]: each for each in nbgrader.get_notebook_submissions(NAME, NAME)}
    assert notebooks["kim"]["needs_manual_grade"]
    assert not notebooks["lee"]["needs_manual_grade"]
    assert set(nbgrader.get_notebook_submission_indices(NAME, NAME).values()) == {0, 1}
    assert nbgrader.get_submission(NAME, "kim")["written_score"] == 0
    mark(course, "kim", "Q1", 4, "")
    mark(course, "kim", "Q2", 3, "")
    assert nbgrader.get_submission(NAME, "kim")["written_score"] == 7
    assert not nbgrader.get_submission(NAME, "kim")["needs_manual_grade"]


def test_a_submission_with_a_time_is_autograded_to_formgrader(course):
    """It compares the time of what was handed in with the gradebook's."""
    folder = course / "submitted" / "kim" / NAME
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2026-11-27 12:00:00 UTC")
    put([graded("kim")], course)
    assert api(course).get_autograded_students(NAME) == {"kim"}


def page(course, student):
    """The page on which a person marks, as formgrader's SubmissionHandler renders it."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    resources = dict(
        assignment_id=NAME,
        notebook_id=NAME,
        submission_id="1",
        index=0,
        total=1,
        base_url="",
        student=student,
    )
    resources |= dict(last_name=None, first_name=None, notebook_path="")
    file = course / "autograded" / student / NAME / f"{NAME}.ipynb"
    return HTMLExporter(config=config).from_filename(str(file), resources=resources)[0]


def test_the_page_shows_the_answer_and_takes_a_mark_and_a_comment(course):
    put([graded("kim")], course)
    html = page(course, "kim")
    assert "Because gradients flow." in html
    assert "<em>few</em>" in html
    assert 'id="question-Q1"' in html
    assert 'id="question-Q1-comment"' in html
    assert 'id="check-1-1"' in html


ATTACKS = [
    "<script>attack()</script>",
    "<img src=x onerror=attack()>",
    "</textarea><svg onload=attack()>",
    "[see](javascript:attack())",
    "[see](JavaScript\\:attack())",
    "[see](javascript&colon;attack())",
    "[see](&#106;avascript:attack())",
    "[see][1]\n\n[1]: javascript:attack()",
    "<javascript:attack()>",
    '![x](x" onerror="attack())',
    "$\\href{javascript:attack()}{x}$",
    "<!-- --><ScRiPt\n>attack()</ScRiPt>",
]


class Live(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            address = "".join((value or "").split()).lower()
            if (name.startswith("on") and "attack" in address) or address.startswith("javascript:"):
                self.found.append((tag, name, value))

    def handle_data(self, data):
        if self.cdata_elem and "attack" in data:
            self.found.append((self.cdata_elem, data))


def test_an_answer_runs_nothing_on_the_instructors_server(course):
    put([graded(f"student{i}", q1=attack) for i, attack in enumerate(ATTACKS)], course)
    for i, attack in enumerate(ATTACKS):
        html = page(course, f"student{i}")
        assert "attack()" in html, attack  # it is shown
        assert Live(html).found == [], attack
        assert "javascript:attack" not in html.lower(), attack


def test_the_attacks_are_attacks_where_nothing_is_done(course, monkeypatch):
    monkeypatch.setattr(formgrader, "_inert", lambda answer: answer)
    put([graded("kim", q1="\n\n".join(ATTACKS))], course)
    assert {tag for tag, *_ in Live(page(course, "kim")).found} >= {"script", "img", "svg", "a"}


def test_the_whole_release_notebook_goes_in(course):
    checks = [cell for cell in nbformat.read(RELEASE, as_version=4).cells if cell.id.startswith("check-")]
    exercises = []
    for cell in checks:
        points = cell.metadata.nbgrader.points
        part = PartMark("all of it", points, points, "PASS")
        exercises.append(ExerciseMark(cell.metadata.assignments.check, "A title", points, "PASS", (part,)))
    result = replace(graded("kim"), exercises=tuple(exercises))
    put([result], course, RELEASE)
    assert len(checks) > 5
    assert api(course).get_submission(NAME, "kim")["max_score"] == result.points
    assert api(course).get_submission(NAME, "kim")["score"] == result.earned


def test_the_page_shows_what_is_to_be_read_first_and_no_stub_as_an_answer(course):
    put([graded("kim", q2="")], course)
    file = course / "autograded" / "kim" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    release = short()
    about, *cells = notebook.cells
    assert about.source.startswith("# Assignment 1")
    assert [cell.id for cell in cells] == ["question-Q1", "question-Q2", "check-1-1", "check-1-2"]
    before = {cell.id: cell for cell in release.cells}
    assert [cell.metadata for cell in cells] == [before[cell.id].metadata for cell in cells]
    assert notebook.metadata == release.metadata
    assert [cell.id for cell in cells if cell.source != before[cell.id].source] == ["question-Q1"]
    answer = next(cell.source for cell in notebook.cells if cell.id == "question-Q1")
    assert answer.startswith("**Q1** (5 points, marked by hand).")
    assert answer.endswith("sentences.\n\nBecause gradients flow.")
    assert "Write your answer here" not in answer


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "edit",
    [
        lambda cell, stub: cell.replace(stub, "My words."),
        lambda cell, stub: cell + "\n\nMy words.\n",
        lambda cell, stub: "My words.",
    ],
    ids=["in place of the stub", "below the stub", "in place of everything"],
)
def test_the_question_stands_before_the_answer_once(course, edit, end):
    """From the cell as it was handed in to the page that a person reads."""
    notebook = notebook_of(NAME)
    whole = edit(CELLS["question-Q1"].source, "*Write your answer here.*").replace("\n", end)
    cell_of(notebook, "question-Q1")["source"] = whole
    (read,) = notebooks("a.ipynb", json.dumps(notebook).encode())
    put([graded("kim", q1=match(released(NAME), read).questions["Q1"])], course)
    file = course / "autograded" / "kim" / NAME / f"{NAME}.ipynb"
    answer = next(cell.source for cell in nbformat.read(file, as_version=4).cells if cell.id == "question-Q1")
    prompt = CELLS["question-Q1"].source.replace("*Write your answer here.*", "").strip()
    assert answer == f"{prompt}\n\nMy words."


def test_a_question_that_the_student_rewrote_is_shown_as_it_was_too(course):
    put([graded("kim", q1="**Q1** (500 points). <b>My</b> words.")], course)
    file = course / "autograded" / "kim" / NAME / f"{NAME}.ipynb"
    answer = next(cell.source for cell in nbformat.read(file, as_version=4).cells if cell.id == "question-Q1")
    assert answer.startswith("**Q1** (5 points, marked by hand).")
    assert answer.replace("\u2060", "").endswith("**Q1** (500 points). <b>My</b> words.")


def test_plain_mathematics_and_code_stay_as_written(course):
    words = "$a < b$ and `x < 3`, R&D: a & b\n\n```python\nif a<3: pass\n```"
    put([graded("kim", q1=words)], course)
    file = course / "autograded" / "kim" / NAME / f"{NAME}.ipynb"
    answer = next(cell.source for cell in nbformat.read(file, as_version=4).cells if cell.id == "question-Q1")
    assert answer.replace("\u2060", "").endswith(words)
    assert "$a < b$ and `x < 3`" in answer


def test_names_that_are_no_folders_cost_only_themselves(course):
    names = [
        "../../escaped",
        "a/b",
        "",
        ".",
        "..",
        "x" * 300,
        "nul\0",
        "caf\udce9",
        "<img src=x>",
        'a" onclick="b',
    ]
    odd = ["=cmd|'calc'!A0", "two\nlines", "q'uo{te}&", "김민수", "x" * 200, "[a-z]*", "%s"]
    twice = [graded("twin"), graded("twin", q1="")]
    broken = replace(graded("broken"), problem="It isn't JSON.")
    results = [graded(name) for name in (*names, *odd)]
    left_out = put([*results, *twice, broken], course)
    assert [each.partition(" is left out: ")[0] for each in left_out] == [
        *map(repr, names),
        "'twin'",
        "'twin'",
        "'broken'",
    ]
    assert left_out[-1] == "'broken' is left out: It isn't JSON."
    assert "'twin' is left out: 2 results have this name; give one." in left_out
    with db(course) as gradebook:
        assert {student for (student,) in gradebook.db.query(Student.id)} == set(odd)
        assert gradebook.db.query(SubmittedAssignment).count() == len(odd)
    assert {path.name for path in (course / "autograded").iterdir()} == set(odd)
    assert not list(course.parent.rglob("*escaped*"))
    for name in odd:
        mark(course, name, "Q1", 2, name)
    back = {result.student: result for result in formgrader.read_back(course, results)}
    assert [back[name].questions[0].earned for name in odd] == [2.0] * len(odd)
    assert [back[name].questions[0].comment for name in odd] == odd
    assert [back[name].questions[0].earned for name in names] == [None] * len(names)


def test_an_instructors_own_course_stays_theirs(course):
    source = course / "source" / NAME / f"{NAME}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text("theirs")
    config = 'c = get_config()\nc.CourseDirectory.autograded_directory = "marked"\n'
    config += 'c.CourseDirectory.course_id = "vision"\n'
    (course / "nbgrader_config.py").write_text(config)
    put([graded("kim")], course)
    assert source.read_text() == "theirs"
    assert (course / "nbgrader_config.py").read_text() == config
    assert (course / "marked" / "kim" / NAME / f"{NAME}.ipynb").is_file()
    assert not (course / "autograded").exists()
    with db(course) as gradebook:
        assert gradebook.find_assignment(NAME).course_id == "vision"


def test_a_course_without_a_config_gets_one_that_nbgrader_reads(course, monkeypatch):
    put([graded("kim")], course)
    monkeypatch.chdir(course)
    app = NbGraderApp()
    app.load_config_file()
    assert "NotFilledIn" in app.config.ClearSolutions.code_stub["python"]


def test_everything_is_made_where_nothing_is(course, tmp_path, monkeypatch):
    """Also where nbgrader's helper isn't on the path, as when `assignments` is called by its full path."""
    monkeypatch.setenv("PATH", "/nowhere")
    put([graded("kim")], tmp_path / "new" / "course", course.parent / f"{NAME}.ipynb")
    assert formgrader.read_back(tmp_path / "new" / "course", [graded("kim")]) == [graded("kim")]
    assert api(tmp_path / "new" / "course").get_autograded_students(NAME) == {"kim"}
    assert os.environ["PATH"] == "/nowhere"


def test_what_cant_be_used_is_refused_in_a_sentence(course, tmp_path):
    with pytest.raises(GradebookError, match=r"missing\.ipynb can't be read as a notebook"):
        put([graded("kim")], course, tmp_path / "missing.ipynb")
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(GradebookError, match=r"bad\.ipynb can't be read as a notebook"):
        put([graded("kim")], course, tmp_path / "bad.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "empty.ipynb")
    with pytest.raises(GradebookError, match="no cells that nbgrader grades"):
        put([graded("kim")], course, tmp_path / "empty.ipynb")
    other = replace(graded("kim"), questions=(QuestionMark("Q1", "Why", 7, "Because."),))
    with pytest.raises(GradebookError, match="gives 5 points for question-Q1, the result of kim 7"):
        put([other], course)
    with pytest.raises(GradebookError, match="one at a time"):
        put([graded("kim"), replace(graded("lee"), assignment="2_data_augmentation")], course)
    with pytest.raises(GradebookError, match=r"gradebook\.db isn't there"):
        formgrader.read_back(tmp_path / "nowhere", [graded("kim")])
    assert not (tmp_path / "nowhere").exists()
    (course / "gradebook.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(GradebookError, match="can't be used"):
        formgrader.read_back(course, [graded("kim")])


def test_a_notebook_without_a_question_that_has_marks_is_refused(course, tmp_path):
    put([graded("kim")], course)
    mark(course, "kim", "Q2", 3, "Good.")
    (tmp_path / "shorter").mkdir()
    shorter = tmp_path / "shorter" / f"{NAME}.ipynb"
    nbformat.write(short("question-Q2"), shorter)
    result = graded("kim")
    result = replace(result, questions=result.questions[:1])
    with pytest.raises(GradebookError, match="has marks for question-Q2"):
        put([result], course, shorter)
    assert grades(course, "kim")["question-Q2"] == (None, 3.0, False)


def test_a_question_that_came_later_is_added_to_those_who_are_there(course, tmp_path):
    (tmp_path / "shorter").mkdir()
    shorter = tmp_path / "shorter" / f"{NAME}.ipynb"
    nbformat.write(short("question-Q2"), shorter)
    result = graded("kim")
    put([replace(result, questions=result.questions[:1])], course, shorter)
    mark(course, "kim", "Q1", 3, "Good.")
    put([result], course)
    mark(course, "kim", "Q2", 4, "Better.")
    assert questions(formgrader.read_back(course, [result])) == [[(3.0, "Good."), (4.0, "Better.")]]
