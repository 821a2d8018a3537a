"""What a student reads: words before colours, nothing of theirs taken for markup, nothing said twice."""

from html.parser import HTMLParser

import pytest

from assignments_lib.checks.answer import Frame, Raised
from assignments_lib.checks.exercise import BLANK, FAIL, PASS, Exercise, Mistake, Part, PartResult, Result
from assignments_lib.checks.registry import Assignment, Question
from assignments_lib.checks.report import Report, Summary, Trouble

SCRIPT = "<script>alert('x')</script> & more"
MISTAKE = Mistake("too <big>", "It is too big: make it smaller.", {})
EXERCISE = Exercise(
    id="9.1",
    title="an <exercise>",
    defines=("f",),
    parts=tuple(Part(f"part {n}", n, lambda answer, draw: iter(()), "Look here.") for n in (1, 2, 3)),
    reference=dict,
    mistakes=(MISTAKE,),
    not_covered="speed.",
)


def failure(error: Raised | None = None, mistake: Mistake | None = None) -> PartResult:
    given = f"it stopped with {error}" if error else f"values {SCRIPT}"
    return PartResult("part 1", 1, FAIL, "f(1)", given, "no error", mistake, "Look here.", error)


def report(*parts: PartResult, notes: tuple[str, ...] = ()) -> Report:
    return Report(Result(EXERCISE, parts, seed=1, notes=notes))


class Reader(HTMLParser):
    """Collects tags and text, and checks that what is opened is closed."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_status_is_a_word_in_text_and_in_html() -> None:
    shown = report(
        PartResult("part 1", 1, PASS),
        failure(),
        PartResult("part 3", 3, BLANK, what="Exercise 9.1 is blank."),
    )
    for text in (repr(shown), Reader(shown._repr_html_()).text):
        for word in (
            "PASS",
            "FAIL",
            "NOT FILLED IN",
            "1 of 6 points",
            "f(1)",
            "Look here.",
            "is blank",
            "speed.",
        ):
            assert word in text
    assert shown.earned == 1


def test_html_escapes_what_comes_from_the_student() -> None:
    error = Raised("ValueError", SCRIPT, [Frame("f<lambda>", 3, f"raise ValueError('{SCRIPT}')")])
    for shown in (report(failure(error, MISTAKE)), report(failure(mistake=MISTAKE), notes=(SCRIPT,))):
        html = shown._repr_html_()
        reader = Reader(html)
        assert "script" not in reader.tags
        assert "big" not in reader.tags
        assert SCRIPT in reader.text
    assert SCRIPT in Reader(Trouble(EXERCISE, SCRIPT)._repr_html_()).text


def test_order_of_a_message() -> None:
    error = Raised("ValueError", "no", [Frame("f", 3, "raise ValueError('no')")])
    text = repr(report(failure(error, MISTAKE)))
    places = [
        text.index(part)
        for part in (
            "Looked at: f(1)",
            "Yours: it stopped with ValueError: no",
            "Expected",
            "make it smaller",
        )
    ]
    places += [text.index("Where to look: Look here."), text.index("in f, line 3: raise ValueError('no')")]
    assert places == sorted(places)


def test_nothing_is_said_twice() -> None:
    error = Raised("ValueError", "no", [Frame("f", 3, "raise ValueError('no')")])
    blank = PartResult("part 2", 2, BLANK, what="Exercise 9.1 is blank.")
    shown = report(failure(error, MISTAKE), failure(error, MISTAKE), failure(mistake=MISTAKE), blank, blank)
    for text in (repr(shown), Reader(shown._repr_html_()).text):
        for sentence in ("ValueError: no", "make it smaller", "line 3", "is blank"):
            assert text.count(sentence) == 1, sentence
        assert "in the same way as above" in text
        assert "as above (too <big>)" in text


def test_points_are_counted_in_words() -> None:
    one = Exercise("9.2", "one", ("f",), (EXERCISE.parts[0],), dict, ())
    assert "1 of 1 point" in repr(Report(Result(one, (PartResult("part 1", 1, PASS),), seed=1)))
    assert "points" not in repr(Report(Result(one, (PartResult("part 1", 1, PASS),), seed=1)))


@pytest.mark.parametrize("questions", [(), (Question("Q1", "why", 4), Question("Q2", "when", 5))], ids=len)
def test_a_summary(questions: tuple[Question, ...]) -> None:
    assignment = Assignment("9_nothing", "Assignment <9>", (EXERCISE, Question("9.2", "later", 4)), questions)
    result = Result(EXERCISE, (PartResult("part 1", 1, PASS), failure()), seed=1)
    summary = Summary(assignment, {"9.1": result})
    for text in (repr(summary), Reader(summary._repr_html_()).text):
        assert "1 of 10 points from checks so far" in text
        assert "FAIL" in text
        assert "NOT CHECKED YET" in text
        assert ("Q1 and Q2" in text) == bool(questions)
        assert ("The other 9 of 19 points" in text) == bool(questions)
    assert summary.earned == 1


def test_trouble_earns_nothing_and_says_which_exercise() -> None:
    trouble = Trouble(EXERCISE, "Do this.")
    assert trouble.earned == 0
    assert "9.1" in repr(trouble)
    assert "was not checked. Do this." in repr(trouble)
