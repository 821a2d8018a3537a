"""One student's page: what was right, what wasn't and why, and what to look at next."""

from __future__ import annotations

from collections.abc import Iterator

from assignments_lib.grading.page import badge, page, points, table, text
from assignments_lib.look import BLANK, FAIL, PASS, READ
from assignments_lib.marking.result import ExerciseMark, Graded, PartMark, QuestionMark


def feedback(graded: Graded) -> str:
    """The page as HTML. It shows no hidden input, and everything that came from the student as plain text."""
    return page(f"{graded.title}: feedback for {graded.student}", "\n".join(_body(graded)))


def _body(graded: Graded) -> Iterator[str]:
    yield f"<h1>{text(graded.title)}</h1>"
    yield f"<p>Feedback for <strong>{text(graded.student)}</strong></p>"
    if graded.problem:
        yield '<p class="sum">This could not be graded</p>'
        yield f'<p class="note">{text(graded.problem)}</p>'
        yield _appeal(graded)
        return
    yield f'<p class="sum">{points(graded.earned)} of {graded.points} points{_so_far(graded)}</p>'
    yield from _remarks(graded)
    yield _overview(graded)
    for exercise in graded.exercises:
        yield from _exercise(exercise)
    for question in graded.questions:
        yield from _question(question)
    yield _appeal(graded)


def _so_far(graded: Graded) -> str:
    waiting = sum(question.points for question in graded.waiting)
    return f" so far; {waiting} more are for written answers that nobody has read yet" if waiting else ""


def _remarks(graded: Graded) -> Iterator[str]:
    if graded.remarks:
        yield "<h2>About your notebook</h2>"
        yield f"<ul>{''.join(f'<li>{text(remark)}</li>' for remark in graded.remarks)}</ul>"


def _overview(graded: Graded) -> str:
    rows = [
        f'<tr><td>{badge(each.status)}</td><td class="number">{points(each.earned)} / {each.points}</td>'
        f'<th scope="row">{text(each.id)} {text(each.title)}</th></tr>'
        for each in graded.exercises
    ]
    rows += [
        f'<tr><td>{badge(_state(each))}</td><td class="number">{_given(each)} / {each.points}</td>'
        f'<th scope="row">{text(each.id)} {text(each.title)}</th></tr>'
        for each in graded.questions
    ]
    heads = ("Status", "Points", "Exercise")
    return "<h2>At a glance</h2>\n" + table("Points by exercise", heads, rows, numbers=(1,))


def _state(question: QuestionMark) -> str:
    if question.earned is not None:
        return READ
    return "NOT READ YET" if question.answer else BLANK


def _given(question: QuestionMark) -> str:
    return "-" if question.earned is None else points(question.earned)


def _exercise(exercise: ExerciseMark) -> Iterator[str]:
    yield f"<h2>{text(exercise.id)} {text(exercise.title)}: {exercise.earned} of {exercise.points} points</h2>"
    for note in exercise.notes:
        yield f'<p class="note">{text(note)}</p>'
    told: set[str] = set()
    for part in exercise.parts:
        if part.status != PASS:
            yield f"<h3>{badge(part.status)} {text(part.title)} ({part.earned} of {part.points})</h3>"
            yield from _explained(part, told)
    right = [part for part in exercise.parts if part.status == PASS]
    if right:
        items = (
            f"<li>{badge(part.status)} {text(part.title)} ({part.earned} of {part.points})</li>"
            for part in right
        )
        yield f'<ul class="parts">{"".join(items)}</ul>'
    if exercise.not_covered:
        yield f'<p class="quiet">Not covered by this check: {text(exercise.not_covered)}</p>'


def _explained(part: PartMark, told: set[str]) -> Iterator[str]:
    """The words under a part that isn't right. What was told once isn't told again."""
    if part.status == BLANK:
        if part.what not in told:
            yield f"<p>{text(part.what)}</p>"
        told.add(part.what)
        return
    if part.status != FAIL:
        return
    if part.given.startswith("it stopped with ") and part.given in told:
        yield "<p>It stopped in the same way as above.</p>"
        return
    told.add(part.given)
    pairs = [("Looked at", part.what), ("Yours", part.given), ("Expected", part.expected)]
    if part.mistake:
        hint = f"As above ({part.mistake})." if part.hint in told else part.hint
        told.add(part.hint)
        pairs.append(("Likely mistake", hint))
    pairs.append(("Where to look", part.look))
    described = "".join(f"<dt>{label}</dt><dd>{text(words)}</dd>" for label, words in pairs if words)
    if described:
        yield f"<dl>{described}</dl>"
    lines = "\n".join(part.lines)
    if lines and lines not in told:
        told.add(lines)
        yield f"<p>Your own lines that it came through:</p><pre>{text(lines)}</pre>"


def _question(question: QuestionMark) -> Iterator[str]:
    given = (
        "not read yet"
        if question.earned is None
        else f"{points(question.earned)} of {question.points} points"
    )
    if not question.answer and question.earned is None:
        given = "not filled in"
    yield f"<h2>{text(question.id)} {text(question.title)}: {given}</h2>"
    if question.answer:
        yield f'<h3>Your answer</h3><div class="words">{text(question.answer, 20_000)}</div>'
    if question.comment:
        yield f'<h3>Comment</h3><div class="words">{text(question.comment)}</div>'


def _appeal(graded: Graded) -> str:
    return (
        "<h2>If you think this is wrong</h2>\n"
        "<p>Tell your instructor what you expected and why, with these three lines: from them the same check can be "
        "run again on the same file.</p>\n"
        f"<dl><dt>File</dt><dd>{text(graded.file) or 'none'}</dd><dt>SHA-256</dt><dd>{text(graded.digest)}</dd>"
        f"<dt>Seed</dt><dd>{graded.seed}</dd></dl>"
    )
