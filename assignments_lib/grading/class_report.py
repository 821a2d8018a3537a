"""The class on one page: how many points, which part fails for how many, which mistake is commonest, what to read."""

from __future__ import annotations

import base64
import io
import math
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from typing import Any

from matplotlib.figure import Figure

from assignments_lib.grading.page import badge, page, points, table, text
from assignments_lib.look import BLANK, BLUE, FAIL, GROUNDS, INK, PASS, SMALL
from assignments_lib.marking.result import Graded
from assignments_lib.plots.style import new_figure, style

MOST_NAMES = 40  # of students in a list of which grades.csv has the rest
# Bars look as the words in the table do: on a ground, or in an empty frame; stripes tell them apart in grey, too
_STATUSES = (PASS, FAIL, BLANK)
_BARS: dict[str, dict[str, Any]] = {
    PASS: {"color": GROUNDS[PASS], "edgecolor": "white"},
    FAIL: {"color": GROUNDS[FAIL], "edgecolor": "white", "hatch": "//"},
    BLANK: {"color": "white", "edgecolor": INK},
}


def class_report(results: Sequence[Graded], *, title: str) -> str:
    """The page as HTML, for the instructor: it names students."""
    return page(f"{title or 'Grading'}: the class", "\n".join(_body(results, title)), pictures=True)


def _body(results: Sequence[Graded], title: str) -> Iterator[str]:
    graded = [result for result in results if not result.problem]
    yield f"<h1>{text(title or 'Grading')}: the class</h1>"
    yield f"<p>{_count(len(results), 'submission')}, {len(graded)} of them graded.</p>"
    yield from _not_graded([result for result in results if result.problem])
    if graded:
        yield from _points(graded)
        yield from _parts(graded)
        yield from _mistakes(graded)
        yield from _waiting(graded)
    yield from _warnings(results)
    if graded:
        yield from _time(graded)


def _not_graded(problems: Sequence[Graded]) -> Iterator[str]:
    if not problems:
        return
    yield "<h2>Not graded</h2>"
    # All of them: whoever isn't named here would be forgotten
    items = [
        f"<li><strong>{text(each.student, 200)}</strong>: {text(each.problem, 1000)}</li>"
        for each in problems
    ]
    yield f"<ul>{''.join(items)}</ul>"


def _points(graded: Sequence[Graded]) -> Iterator[str]:
    earned = [result.earned for result in graded]
    full = max(result.points for result in graded)
    yield "<h2>Points</h2>"
    words = f"Median {points(median(earned))} of {full}, from {points(min(earned))} to {points(max(earned))}"
    if len(earned) >= 4:
        low, _, high = quantiles(earned, n=4)
        words += f"; the middle half has {points(round(low, 1))} to {points(round(high, 1))}"
    yield f"<p>{words}. Written answers that nobody has read yet count nothing so far.</p>"
    most = max(full, math.ceil(max(earned)))  # a person may have given more than full marks
    step = max(1, most // 20)
    with style():
        figure, axes = _figure(7, 2.6)
        axes.hist(earned, bins=list(range(0, most + 2 * step, step)), color=BLUE, edgecolor="white")
        axes.set(xlabel="points", ylabel="students", xlim=(0, most + step))
        axes.yaxis.get_major_locator().set_params(integer=True)
        picture = _picture(figure, f"Histogram of points of {_count(len(earned), 'student')}. {words}.")
    yield picture


def _parts(graded: Sequence[Graded]) -> Iterator[str]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for result in graded:
        for exercise in result.exercises:
            for part in exercise.parts:
                found.setdefault((exercise.id, part.title), Counter())[part.status] += 1
    if not found:  # written questions alone
        return
    yield "<h2>What is hard</h2>"
    yield _bars(found, len(graded))
    rows = [
        f'<tr><td>{text(id)}</td><th scope="row">{text(title)}</th>'
        + "".join(f'<td class="number">{counts[status]}</td>' for status in _STATUSES)
        + "</tr>"
        for (id, title), counts in found.items()
    ]
    heads = ("Exercise", "Part", *map(badge, _STATUSES))
    yield table("Students by part", heads, rows, numbers=(2, 3, 4))


def _bars(found: dict[tuple[str, str], Counter[str]], students: int) -> str:
    """For each part a bar of how many passed, failed, and left it blank."""
    hardest = max(found, key=lambda key: found[key][FAIL])
    failed = found[hardest][FAIL]
    alt = (
        "For each part of each exercise, how many students pass, fail, or left it blank; the table below has the "
        "numbers. "
        + (
            f"Most fail {hardest[0]}, {hardest[1]}: {failed} of {students}."
            if failed
            else "Nobody fails any."
        )
    )
    with style():
        figure, axes = _figure(8, 0.9 + 0.27 * len(found))
        left = [0] * len(found)
        for status in _STATUSES:
            widths = [counts[status] for counts in found.values()]
            axes.barh(
                range(len(found)),
                widths,
                left=left,
                linewidth=0.6,
                label=status,
                **_BARS[status],
            )
            left = [a + b for a, b in zip(left, widths, strict=True)]
        axes.set(yticks=range(len(found)), xlabel="students", ylim=(len(found) - 0.4, -0.6))
        names = [textwrap.shorten(f"{id} {title}", 60, placeholder=" ...") for id, title in found]
        axes.set_yticklabels(names, fontsize=SMALL, parse_math=False)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
        return _picture(figure, alt)


def _mistakes(graded: Sequence[Graded]) -> Iterator[str]:
    """The named mistakes, each counted once a student."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for result in graded:
        counts.update(
            {
                (each.id, part.mistake, part.hint)
                for each in result.exercises
                for part in each.parts
                if part.mistake
            }
        )
    yield "<h2>Commonest mistakes</h2>"
    if not counts:
        yield "<p>No answer behaved like a mistake of the catalogue.</p>"
        return
    rows = [
        f'<tr><td class="number">{number}</td><td>{text(id)}</td>'
        f"<td><strong>{text(name)}</strong><div>{text(hint)}</div></td></tr>"
        for (id, name, hint), number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]
    ]
    heads = ("Students", "Exercise", "Mistake, and what the student was told")
    yield table("Named mistakes", heads, rows, numbers=(0,))


def _waiting(graded: Sequence[Graded]) -> Iterator[str]:
    waiting = [
        (result.student, ", ".join(q.id for q in result.waiting)) for result in graded if result.waiting
    ]
    if waiting:
        yield "<h2>To be read</h2>"
        answers = Counter(question.id for result in graded for question in result.waiting)
        by_question = ", ".join(f"{text(id)}: {number:,}" for id, number in sorted(answers.items()))
        yield f"<p>Written answers of {_count(len(waiting), 'student')} wait for you ({by_question}).</p>"
        yield _list([f"{text(student)}: {text(ids)}" for student, ids in waiting])


def _warnings(results: Sequence[Graded]) -> Iterator[str]:
    """All of them, a student at a time: many of one student's must not hide another's."""
    found = [result for result in results if result.warnings]
    if found:
        yield "<h2>For your eyes</h2>"
        yield (
            "<p>What grading noticed and only you are told. Code that no exercise asks for cost nobody a point, and "
            "is no proof of anything.</p>"
        )
        items = [
            f"<li><strong>{text(result.student, 200)}</strong>: "
            f"{'<br>'.join(text(warning, 500) for warning in result.warnings)}</li>"
            for result in found
        ]
        yield f"<ul>{''.join(items)}</ul>"


def _time(graded: Sequence[Graded]) -> Iterator[str]:
    seconds = [result.seconds for result in graded]
    slowest = max(graded, key=lambda result: result.seconds)
    words = (
        f"Median {median(seconds):.1f} s a submission; the slowest took {slowest.seconds:.1f} s "
        f"({slowest.student[:60]}), all together {sum(seconds):,.0f} s"
    )
    yield "<h2>Time taken</h2>"
    yield f"<p>{text(words)}.</p>"
    with style():
        figure, axes = _figure(7, 2.2)
        axes.hist(seconds, bins=min(30, max(5, len(seconds) // 5)), color=BLUE, edgecolor="white")
        axes.set(xlabel="seconds", ylabel="submissions")
        axes.yaxis.get_major_locator().set_params(integer=True)
        picture = _picture(figure, f"Histogram of the time that grading took. {words}.")
    yield picture


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = new_figure(width, height)
    return figure, figure.subplots()


def _picture(figure: Figure, alt: str) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    data = base64.b64encode(file.getvalue()).decode()
    return f'<p><img alt="{text(alt)}" src="data:image/png;base64,{data}"></p>'


def _list(items: Sequence[str]) -> str:
    more = f"<li>and {len(items) - MOST_NAMES:,} more</li>" if len(items) > MOST_NAMES else ""
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items[:MOST_NAMES])}{more}</ul>"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
