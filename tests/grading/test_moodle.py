"""Moodle's grading worksheet: grades go in, and every other character stays."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from assignments_lib.grading import moodle
from assignments_lib.grading.roster import GradebookError
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark

HEADER = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
)
WHEN = '"Monday, 2 November 2026, 9:00 AM"'
WORKSHEET = (
    HEADER + f'"Participant 123","Jane Doe",jane@uni.edu,"Submitted for grading - ",,20.00,Yes,{WHEN},-,\n'
    f'"Participant 124","Conan O\'Brien",conan@uni.edu,"Submitted",3.00,20.00,Yes,{WHEN},-,"<p>""Good"",\nyou</p>"\n'
    f'"Participant 125",김민수,minsu@uni.ac.kr,"Submitted",,20.00,No,{WHEN},{WHEN},\n'
    f'"Participant 126","José García",jg@uni.edu,"No submission",,20.00,Yes,-,-,\n'
)
KOREAN = (
    '"식별 번호",성명,"이메일 주소",상태,성적,"최대 성적","성적 변경 가능","최종 수정 (제출)","최종 수정 (성적)"\n'
    "참여자123,김민수,minsu@uni.ac.kr,제출됨,,20.00,예,-,-\n"
    "참여자124,이영희,younghee@uni.ac.kr,제출됨,,20.00,아니오,-,-\n"
)


def graded(student, earned=15, **more):
    part = PartMark("all of it", 15, min(earned, 15), "PASS")
    return Graded(
        student=student,
        assignment="1_resnet34",
        title="Assignment 1: ResNet34",
        file="1_resnet34.ipynb",
        digest="ab12",
        seed=42,
        exercises=(ExerciseMark("1.1", "Output size", 15, "PASS", (part,)),),
        questions=(QuestionMark("Q1", "Why it trains", 5, "Because.", 2.5),),
        **more,
    )


def cells(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def fill(tmp_path, results, worksheet=WORKSHEET, encoding="utf-8", **more):
    given, filled = tmp_path / "worksheet.csv", tmp_path / "filled.csv"
    given.write_bytes(worksheet.encode(encoding))
    report = moodle.fill(given, results, filled, **more)
    return report, filled.read_bytes().decode("utf-8-sig")


def grades(text):
    return [row[4] for row in cells(text)[1:]]


def test_only_grades_change(tmp_path):
    report, text = fill(tmp_path, [graded("jane"), graded("conan", 4)])
    assert text == WORKSHEET.replace('grading - ",,', 'grading - ",17.50,').replace("3.00", "6.50")
    assert report.filled == ("jane", "conan")
    assert report.rows_without_result == (
        "김민수 (Participant 125)",
        "José García (Participant 126)",
    )
    assert (report.unmatched_results, report.ambiguous, report.left, report.waiting) == ((), (), (), ())


@pytest.mark.parametrize(
    ("student", "row"),
    [
        ("Jane Doe_123_assignsubmission_file_", 0),
        ("Jane Doe_0123_assignsubmission_file", 0),
        ("jane@uni.edu", 0),
        ("JANE", 0),
        ("jane doe", 0),
        ("Doe, Jane", 0),
        ("Conan OBrien_124_assignsubmission_file_", 1),
        ("José García_126_assignsubmission_onlinetext_", 3),
        ("jose garcia", 3),
        ("Jose Garcia_999_assignsubmission_file_", 3),
    ],
)
def test_a_student_is_known_by_folder_address_and_name(tmp_path, student, row):
    report, text = fill(tmp_path, [graded(student)])
    assert report.filled == (student,)
    assert grades(text)[row] == "17.50"


@pytest.mark.parametrize(
    "student",
    ["123", "Participant 123", "Conan O", "uni.edu", "", "Lee_123_assignsubmission_file_", "Jane D"],
)
def test_nobody_is_guessed(tmp_path, student):
    """123 in the folder of another name is a number of another assignment."""
    report, text = fill(tmp_path, [graded(student)])
    assert report.unmatched_results == (student,)
    assert text == WORKSHEET


def test_two_students_of_the_same_name(tmp_path):
    worksheet = WORKSHEET + f'"Participant 127","Jane Doe",jd@uni.edu,"Submitted",,20.00,Yes,{WHEN},-,\n'
    report, text = fill(tmp_path, [graded("Jane Doe")], worksheet)
    assert text == worksheet
    assert report.ambiguous == ("Jane Doe may be Jane Doe (Participant 123) or Jane Doe (Participant 127).",)
    folders = [
        graded("Jane Doe_127_assignsubmission_file_"),
        graded("Jane Doe_123_assignsubmission_file_", 1),
    ]
    report, text = fill(tmp_path, folders, worksheet)
    assert grades(text) == ["3.50", "3.00", "", "", "17.50"]
    assert report.ambiguous == ()


def test_two_with_the_same_name_before_the_at(tmp_path):
    worksheet = WORKSHEET.replace("conan@uni.edu", "jane@other.edu")
    report, text = fill(tmp_path, [graded("jane")], worksheet)
    assert text == worksheet
    assert len(report.ambiguous) == 1


def test_names_may_be_hidden(tmp_path):
    worksheet = (
        "Identifier,Status,Grade,Maximum Grade\nParticipant 123,Submitted,,20.00\nParticipant 1230,,,20.00\n"
    )
    given, filled = tmp_path / "worksheet.csv", tmp_path / "filled.csv"
    given.write_text(worksheet)
    report = moodle.fill(given, [graded("Participant_123_assignsubmission_file_")], filled)
    assert report.filled == ("Participant_123_assignsubmission_file_",)
    assert filled.read_text() == worksheet.replace("Submitted,,", "Submitted,17.50,")


def test_a_grade_that_cant_be_changed_is_left(tmp_path):
    report, text = fill(tmp_path, [graded("minsu")])
    assert text == WORKSHEET
    assert report.left == (
        "김민수 (Participant 125) is left as it was: Moodle lets nobody change this grade.",
    )
    assert report.filled == ()
    assert "김민수 (Participant 125)" not in report.rows_without_result


def test_what_could_not_be_graded_is_left_and_what_is_unmarked_is_said(tmp_path):
    broken = replace(graded("jane"), exercises=(), problem="It isn't JSON.")
    report, text = fill(tmp_path, [broken, graded("conan").marked("Q1", None, "")])
    assert grades(text) == ["", "15.00", "", ""]
    assert report.left == ("Jane Doe (Participant 123) is left as it was: It isn't JSON.",)
    assert report.waiting == ("conan",)


def test_another_maximum_is_refused_or_scaled(tmp_path):
    worksheet = WORKSHEET.replace("20.00", "100.00")
    with pytest.raises(
        GradebookError, match=r"is 100\.00 in .*worksheet\.csv, and the assignment has 20 points"
    ):
        fill(tmp_path, [graded("jane")], worksheet)
    assert not (tmp_path / "filled.csv").exists()
    report, text = fill(tmp_path, [graded("jane")], worksheet, scale=True)
    assert grades(text)[0] == "87.50"
    assert report.filled == ("jane",)


@pytest.mark.parametrize("maximum", ["", "-", "Excellent", "0.00"])
def test_a_maximum_that_is_no_number_is_refused_even_scaled(tmp_path, maximum):
    with pytest.raises(GradebookError, match="no number that can be filled in"):
        fill(tmp_path, [graded("jane")], WORKSHEET.replace("20.00", maximum), scale=True)


def test_a_decimal_comma_is_kept(tmp_path):
    _, text = fill(tmp_path, [graded("jane")], WORKSHEET.replace("20.00", '"20,00"'))
    assert cells(text)[1][4:6] == ["17,50", "20,00"]
    assert '"17,50"' in text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_korean_headers(tmp_path, encoding):
    results = [graded("김민수_123_assignsubmission_file_"), graded("younghee")]
    report, text = fill(tmp_path, results, KOREAN, encoding)
    assert text == KOREAN.replace("제출됨,,20.00,예", "제출됨,17.50,20.00,예")
    assert report.filled == ("김민수_123_assignsubmission_file_",)
    assert report.left == ("이영희 (참여자124) is left as it was: Moodle lets nobody change this grade.",)


def test_headers_of_another_case_and_more_columns(tmp_path):
    worksheet = WORKSHEET.replace("Maximum Grade", "Maximum grade").replace("Status", "Group")
    _, text = fill(tmp_path, [graded("jane")], worksheet)
    assert grades(text)[0] == "17.50"


def test_what_is_no_worksheet_is_refused_with_the_headers_found(tmp_path):
    with pytest.raises(GradebookError) as caught:
        fill(tmp_path, [graded("jane")], "Kennung,Bewertung,Maximum Grade\nTeilnehmer 1,,20\n")
    said = str(caught.value)
    assert "no column Identifier and no Grade" in said
    assert "it has Kennung, Bewertung, Maximum Grade" in said
    assert "worksheet.csv" in said
    assert "Download it" in said


def test_hostile_names(tmp_path):
    names = ["=cmd|' /C calc'!A0", 'q"uote', "two\nlines", "x" * 100_000, "9" * 5000, "_1_assignsubmission_"]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [["Identifier", "Full name", "Status", "Maximum Grade", "Grade"]]
        + [[f"Participant {i}", name, "", "20.00", ""] for i, name in enumerate(names, 1000)]
    )
    results = [graded(f"{name}_{i}_assignsubmission_file_") for i, name in enumerate(names, 1000)]
    results.append(graded(f"x_{'9' * 5000}_assignsubmission_file_"))
    report, text = fill(tmp_path, results, out.getvalue())
    assert report.filled == tuple(result.student for result in results[:-1])
    assert [row[:4] for row in cells(text)] == [row[:4] for row in cells(out.getvalue())]
    assert grades(text) == ["17.50"] * len(names)
    assert len(report.unmatched_results) == 1
