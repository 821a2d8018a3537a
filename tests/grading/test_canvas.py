"""Canvas's gradebook: written from nothing, and the instructor's own export with one column filled in."""

from __future__ import annotations

import csv
import errno
import io
import os
import random
from dataclasses import replace

import pytest

from assignments_lib.grading import canvas, roster
from assignments_lib.grading.roster import GradebookError
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark

# As Canvas exports it: what is quoted, the spaces, the policy row, the read-only columns
EXPORT = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (501),Quiz (502),"
    "Current Score,Final Score\r\n"
    ",,,,,Manual Posting,,(read only),(read only)\r\n"
    "    Points Possible,,,,,20.00,10.00,(read only),(read only)\r\n"
    '"Doe, Jane",101,2021001,jane,"Section ""A"", 1",,9.00,88.1,77.0\r\n'
    '"García, José",102,2021002,jose@uni.edu,S2,,,"",\r\n'
    "김민수,103,2021003,minsu,S1,,8.50,,\r\n"
    '"Kim, Jane",104,2021004,kimjane,S1,3.00,,,\r\n'
    '"Student, Test",199,,a1b2c3,S1,,,,\r\n'
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


def cells(text, delimiter=","):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def fill(tmp_path, results, export=EXPORT, title="Lab 1", encoding="utf-8", **more):
    given, filled = tmp_path / "export.csv", tmp_path / "filled.csv"
    given.write_bytes(export.encode(encoding))
    report = canvas.fill(given, results, title, filled, **more)
    return report, filled.read_bytes()


def changes(before, after):
    """(row, column) -> the new cell, wherever it isn't the old one."""
    assert [len(row) for row in before] == [len(row) for row in after]
    return {
        (i, j): new
        for i, (old_row, new_row) in enumerate(zip(before, after, strict=True))
        for j, (old, new) in enumerate(zip(old_row, new_row, strict=True))
        if old != new
    }


def test_only_the_marks_change_cell_by_cell_and_byte_by_byte(tmp_path):
    report, data = fill(tmp_path, [graded("jane", 15), graded("minsu", 7)])
    text = data.decode()
    assert changes(cells(EXPORT), cells(text)) == {(3, 5): "17.50", (5, 5): "9.50"}
    assert text == EXPORT.replace('1",,9.00', '1",17.50,9.00').replace("S1,,8.50", "S1,9.50,8.50")
    assert report.filled == ("jane", "minsu")
    assert report.rows_without_result == ("García, José (jose@uni.edu)", "Kim, Jane (kimjane)")
    assert (report.unmatched_results, report.ambiguous, report.left, report.waiting) == ((), (), (), ())


@pytest.mark.parametrize(
    "student", ["jane", "JANE ", "2021001", "101", "Jane Doe", "jane doe", "Doe, Jane", "Jane_Doe"]
)
def test_a_student_is_known_by_login_numbers_and_name(tmp_path, student):
    report, data = fill(tmp_path, [graded(student)])
    assert report.filled == (student,)
    assert cells(data.decode())[3][5] == "17.50"


@pytest.mark.parametrize("student", ["Jose Garcia", "JOSÉ GARCÍA", "Jose\u0301 Garci\u0301a", "jose@uni.edu"])
def test_accents_and_case_of_a_name_dont_matter(tmp_path, student):
    report, data = fill(tmp_path, [graded(student)])
    assert report.filled == (student,)
    assert cells(data.decode())[4][5] == "17.50"


@pytest.mark.parametrize("student", ["김민수", "김 민수", "\u1100\u1175\u11b7\u1106\u1175\u11ab\u1109\u116e"])
def test_a_korean_name_with_a_space_or_as_a_mac_writes_it(tmp_path, student):
    report, data = fill(tmp_path, [graded(student)])
    assert report.filled == (student,)
    assert cells(data.decode())[5][5] == "17.50"


@pytest.mark.parametrize(
    "student", ["Doe Jane", "José", "janes", "202100", "", "Student, Test", "a1b2c3", ","]
)
def test_nobody_is_guessed(tmp_path, student):
    report, data = fill(tmp_path, [graded(student)])
    assert report.unmatched_results == (student,)
    assert report.filled == ()
    assert data.decode() == EXPORT


def test_two_students_of_the_same_name_get_nothing_by_name_and_all_by_login(tmp_path):
    export = EXPORT + '"Doe, Jane",105,2021005,jane2,S2,,,,\r\n'
    report, data = fill(tmp_path, [graded("Jane Doe")], export)
    assert data.decode() == export
    assert report.ambiguous == ("Jane Doe may be Doe, Jane (jane) or Doe, Jane (jane2).",)
    assert "Doe, Jane (jane)" not in report.rows_without_result
    assert report.unmatched_results == ()

    report, data = fill(tmp_path, [graded("jane2"), graded("jane", 5)], export)
    assert changes(cells(export), cells(data.decode())) == {(3, 5): "7.50", (8, 5): "17.50"}
    assert report.ambiguous == ()


def test_two_results_for_one_row_get_nothing(tmp_path):
    report, data = fill(tmp_path, [graded("Jane Doe"), graded("jane doe", 3)])
    assert data.decode() == EXPORT
    assert report.ambiguous == ("Doe, Jane (jane) may be Jane Doe or jane doe.",)
    assert report.filled == ()


def test_a_login_is_surer_than_a_name(tmp_path):
    report, data = fill(tmp_path, [graded("Jane Doe", 3), graded("jane")])
    assert report.filled == ("jane",)
    assert cells(data.decode())[3][5] == "17.50"
    assert report.ambiguous == ("Jane Doe may be Doe, Jane (jane), who is jane already.",)


def test_a_number_that_is_one_students_id_and_anothers_login_is_nobodys(tmp_path):
    export = EXPORT.replace("kimjane", "101")
    report, data = fill(tmp_path, [graded("101")], export)
    assert data.decode() == export
    assert len(report.ambiguous) == 1


def test_an_absent_column_goes_before_the_read_only_ones(tmp_path):
    report, data = fill(tmp_path, [graded("jane")], title="Lab 2")
    before, after = cells(EXPORT), cells(data.decode())
    assert [row[:7] + row[8:] for row in after] == before
    assert [row[7] for row in after] == ["Lab 2", "", "20.00", "17.50", "", "", "", ""]
    assert report.filled == ("jane",)
    assert '"Section ""A"", 1",,9.00,17.50,88.1' in data.decode()


def test_an_absent_column_goes_last_where_nothing_is_read_only(tmp_path):
    export = "Student,ID,SIS Login ID,Section\nJane Doe,1,jane,S\n\nKim,2,kim\n"
    _, data = fill(tmp_path, [graded("jane"), graded("kim")], export, 'Lab, "2"')
    assert data.decode() == (
        'Student,ID,SIS Login ID,Section,"Lab, ""2"""\nJane Doe,1,jane,S,17.50\n\nKim,2,kim,,17.50\n'
    )


@pytest.mark.parametrize("title", ["Lab 1", "lab  1", "Lab 1 (501)"])
def test_the_column_is_found_with_and_without_canvas_number(tmp_path, title):
    _, data = fill(tmp_path, [graded("jane")], title=title)
    assert changes(cells(EXPORT), cells(data.decode())) == {(3, 5): "17.50"}


def test_two_columns_of_one_title_are_told_apart_by_number_only(tmp_path):
    export = EXPORT.replace("Quiz (502)", "Lab 1 (502)").replace("10.00", "20.00")
    with pytest.raises(GradebookError, match=r"Lab 1 \(501\) and Lab 1 \(502\)"):
        fill(tmp_path, [graded("jane")], export)
    _, data = fill(tmp_path, [graded("jane")], export, "Lab 1 (502)")
    assert changes(cells(export), cells(data.decode())) == {(3, 6): "17.50"}


def test_other_points_possible_are_refused_or_scaled(tmp_path):
    with pytest.raises(GradebookError, match=r"Quiz has 10\.00 points possible in .*export\.csv and 20"):
        fill(tmp_path, [graded("jane")], title="Quiz")
    assert not (tmp_path / "filled.csv").exists()
    _, data = fill(tmp_path, [graded("jane")], title="Quiz", scale=True)
    assert changes(cells(EXPORT), cells(data.decode())) == {(3, 6): "8.75"}


def test_who_is_excused_or_could_not_be_graded_is_left(tmp_path):
    export = EXPORT.replace("S1,3.00", "S1,EX")
    results = [graded("kimjane"), replace(graded("jane"), problem="It isn't JSON.")]
    report, data = fill(tmp_path, results, export)
    assert data.decode() == export
    assert report.filled == ()
    assert report.left == (
        "Doe, Jane (jane) is left as it was: It isn't JSON.",
        "Kim, Jane (kimjane) is excused in Canvas and is left so.",
    )
    assert "Kim, Jane (kimjane)" not in report.rows_without_result


def test_whose_written_answers_are_unmarked_is_said(tmp_path):
    report, data = fill(tmp_path, [graded("jane").marked("Q1", None, ""), graded("minsu")])
    assert report.waiting == ("jane",)
    assert cells(data.decode())[3][5] == "15.00"


@pytest.mark.parametrize(
    ("encoding", "marked"),
    [
        ("utf-8", False),
        ("utf-8-sig", True),
        ("cp949", True),
        ("utf-16", True),
        ("utf-16-le-bom", True),
    ],
)
def test_encodings_and_the_byte_order_mark(tmp_path, encoding, marked):
    export = EXPORT.replace("García, José", "이영희")  # cp949 has no accents
    if encoding == "utf-16-le-bom":
        export, encoding = "\ufeff" + export, "utf-16-le"
    _, data = fill(tmp_path, [graded("김민수"), graded("이영희", 1)], export, encoding=encoding)
    assert data.startswith(b"\xef\xbb\xbf") == marked
    assert changes(cells(export.lstrip("\ufeff")), cells(data.decode("utf-8-sig"))) == {
        (4, 5): "3.50",
        (5, 5): "17.50",
    }


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_and_tabs_and_a_decimal_comma(tmp_path, delimiter):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(cells(EXPORT.replace("20.00", '"20,00"')))
    _, data = fill(tmp_path, [graded("jane")], out.getvalue())
    assert changes(cells(out.getvalue(), delimiter), cells(data.decode(), delimiter)) == {(3, 5): "17,50"}


@pytest.mark.parametrize("quoting", [csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_quotes_and_line_ends_stay_as_they_were(tmp_path, quoting, end):
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator=end).writerows(cells(EXPORT))
    export = out.getvalue().removesuffix(end)  # a file may end without one
    _, data = fill(tmp_path, [graded("minsu")], export)
    quote = '"' if quoting == csv.QUOTE_ALL else ""
    old = f"{quote}S1{quote},{quote}{quote},{quote}8.50"
    assert old in export
    assert data.decode() == export.replace(old, f"{quote}S1{quote},{quote}17.50{quote},{quote}8.50")


def test_what_is_no_gradebook_is_refused_in_a_sentence(tmp_path):
    for export, words in [
        ("", "is empty"),
        ("Name,Mark\nkim,1\n", "names Name, Mark"),
        ("Student,Mark\nkim,1\n", "no gradebook of Canvas"),
    ]:
        with pytest.raises(GradebookError, match=words) as caught:
            fill(tmp_path, [graded("jane")], export)
        assert "export.csv" in str(caught.value)
        assert "xport it" in str(caught.value)
    with pytest.raises(GradebookError, match=r"missing\.csv can't be read"):
        canvas.fill(tmp_path / "missing.csv", [graded("jane")], "Lab 1", tmp_path / "filled.csv")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xff\x81")
    with pytest.raises(GradebookError, match="neither in UTF-8"):
        canvas.fill(tmp_path / "picture.csv", [graded("jane")], "Lab 1", tmp_path / "filled.csv")
    with pytest.raises(GradebookError, match="says who a student is"):
        fill(tmp_path, [graded("jane")], title="Section")
    assert not (tmp_path / "filled.csv").exists()


def test_results_of_two_versions_or_none_are_refused(tmp_path):
    with pytest.raises(GradebookError, match="no results"):
        fill(tmp_path, [])
    with pytest.raises(GradebookError, match="1 with 15 points, 1 with 20 points"):
        fill(tmp_path, [graded("jane"), replace(graded("minsu"), questions=())])


def test_a_full_disk_leaves_the_export_that_was_to_be_replaced(tmp_path, monkeypatch):
    path = tmp_path / "export.csv"
    path.write_text(EXPORT, newline="")

    def full_disk(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        canvas.fill(path, [graded("jane")], "Lab 1", path)
    assert path.read_bytes().decode() == EXPORT
    assert list(tmp_path.iterdir()) == [path]


def test_filling_twice_changes_nothing_more(tmp_path):
    _, once = fill(tmp_path, [graded("jane")], title="Lab 2")
    _, twice = fill(tmp_path, [graded("jane")], once.decode(), title="Lab 2")
    assert twice == once


def test_hostile_names_in_an_export_stay_as_they_are(tmp_path):
    names = ["=cmd|' /C calc'!A0", 'q"uote', "two\nlines", "x" * 100_000, ";;;", "'"]
    out = io.StringIO()
    csv.writer(out).writerows(
        [["Student", "ID", "SIS Login ID", "Section", "Lab 1"]]
        + [[name, i, name, "S", ""] for i, name in enumerate(names, 9000)]
    )
    report, data = fill(tmp_path, [graded(name) for name in names], out.getvalue())
    assert report.filled == tuple(names)
    assert changes(cells(out.getvalue()), cells(data.decode())) == {
        (row, 4): "17.50" for row in range(1, len(names) + 1)
    }


def test_from_nothing_as_canvas_reads_it(tmp_path):
    results = [
        graded("kim"),
        replace(graded("lee"), problem="It isn't JSON."),
        graded("=1+1"),
        graded('a\n"b'),
    ]
    canvas.write(results, tmp_path / "new.csv", "Lab 1")
    text = (tmp_path / "new.csv").read_bytes().decode()
    assert cells(text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Lab 1"],
        ["    Points Possible", "", "", "", "", "20"],
        ["kim", "", "", "kim", "", "17.5"],
        ["lee", "", "", "lee", "", ""],
        ["'=1+1", "", "", "'=1+1", "", "17.5"],
        ['a\n"b', "", "", 'a\n"b', "", "17.5"],
    ]


def test_what_was_written_from_nothing_can_be_filled(tmp_path):
    canvas.write([graded("kim"), graded("이영희")], tmp_path / "new.csv", "Lab 1")
    report = canvas.fill(tmp_path / "new.csv", [graded("이영희", 2)], "Lab 1", tmp_path / "filled.csv")
    assert report.filled == ("이영희",)
    assert cells((tmp_path / "filled.csv").read_bytes().decode())[3][5] == "4.50"


def test_cells_are_those_that_pythons_csv_reads(tmp_path):
    """On random text of all the signs that matter. csv skips empty lines, and takes a quote within a cell as text."""
    draw = random.Random(7)
    for _ in range(600):
        text = "".join(draw.choices(['"', '""', ",", "\n", "\r\n", "a", " ", "김"], k=draw.randint(1, 12)))
        if not text.strip():
            continue
        (tmp_path / "random.csv").write_bytes(text.encode())
        mine = [[cell.value for cell in row] for row in roster.read(tmp_path / "random.csv").rows]
        assert [row for row in mine if row != [""]] == [
            row for row in csv.reader(io.StringIO(text, newline="")) if row not in ([], [""])
        ], text
