"""The class on one page: how many points, which part fails for how many, which mistake is commonest, what to read."""

from __future__ import annotations

import base64
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from typing import Any

from matplotlib.figure import Figure

from assignments_lib.grading.page import badge, page, points, table, text
from assignments_lib.grading.result import Graded
from assignments_lib.plots.style import BLUE, FAINT

MOST_NAMES = 40  # of students in one list
_STATUSES = ("PASS", "FAIL", "NOT FILLED IN")
_COLOURS = {"PASS": BLUE, "FAIL": "#E69F00", "NOT FILLED IN": FAINT}  # their lightness differs, too


def class_report(results: Sequence[Graded], *, title: str) -> str:
    """The page as HTML, for the instructor: it names students."""
    return page(f"{title or 'Grading'}: the class", "\n".join(_body(results, title)), pictures=True)


def _body(results: Sequence[Graded], title: str) -> Iterator[str]:
    graded = [result for result in results if not result.problem]
    yield f"<h1>{text(title or 'Grading')}: the class</h1>"
    yield f"<p>{_count(len(results), 'submission')}, {len(graded)} of them graded.</p>"
    yield from _not_graded([result for result in results if result.problem])
    if not graded:
        return
    yield from _points(graded)
    yield from _parts(graded)
    yield from _mistakes(graded)
    yield from _waiting(graded)
    yield from _warnings(results)
    yield from _time(graded)


def _not_graded(problems: Sequence[Graded]) -> Iterator[str]:
    if not problems:
        return
    yield "<h2>Not graded</h2>"
    yield _list([f"<strong>{text(each.student)}</strong>: {text(each.problem)}" for each in problems])


def _points(graded: Sequence[Graded]) -> Iterator[str]:
    earned = [result.earned for result in graded]
    full = max(result.points for result in graded)
    yield "<h2>Points</h2>"
    words = f"Median {points(median(earned))} of {full}, from {points(min(earned))} to {points(max(earned))}"
    if len(earned) >= 4:
        low, _, high = quantiles(earned, n=4)
        words += f"; the middle half has {points(round(low, 1))} to {points(round(high, 1))}"
    yield f"<p>{words}. Written answers that nobody has read yet count nothing so far.</p>"
    figure, axes = _figure(7, 2.6)
    step = max(1, full // 20)
    axes.hist(earned, bins=list(range(0, full + 2 * step, step)), color=_COLOURS["PASS"], edgecolor="white")
    axes.set(xlabel="points", ylabel="students", xlim=(0, full + step))
    axes.yaxis.get_major_locator().set_params(integer=True)
    yield _picture(figure, f"Histogram of points of {_count(len(earned), 'student')}. {words}.")


def _parts(graded: Sequence[Graded]) -> Iterator[str]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for result in graded:
        for exercise in result.exercises:
            for part in exercise.parts:
                found.setdefault((exercise.id, part.title), Counter())[part.status] += 1
    yield "<h2>What is hard</h2>"
    figure, axes = _figure(8, 0.7 + 0.24 * len(found))
    left = [0] * len(found)
    names = [f"{id} {title}"[:48] for id, title in found]
    for status in _STATUSES:
        widths = [counts[status] for counts in found.values()]
        axes.barh(range(len(found)), widths, left=left, color=_COLOURS[status], label=status.lower())
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set(yticks=range(len(found)), yticklabels=names, xlabel="students", ylim=(len(found) - 0.4, -0.6))
    axes.tick_params(axis="y", labelsize=7)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False, fontsize=8)
    hardest = max(found, key=lambda key: found[key]["FAIL"])
    yield _picture(
        figure,
        "For each part of each exercise, how many students pass, fail, or left it blank; the table below has the "
        "numbers. "
        f"Most fail {hardest[0]}, {hardest[1]}: {found[hardest]['FAIL']} of {len(graded)}.",
    )
    rows = [
        f"<tr><td>{text(id)}</td><td>{text(title)}</td>"
        + "".join(f'<td class="number">{counts[status]}</td>' for status in _STATUSES)
        + "</tr>"
        for (id, title), counts in found.items()
    ]
    heads = ("Exercise", "Part", *map(badge, _STATUSES))
    yield table("Students by part", heads, rows, numbers=(2, 3, 4))


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
        f'<tr><td class="number">{number}</td><td>{text(id)}</td><td>{text(name)}</td><td>{text(hint)}</td></tr>'
        for (id, name, hint), number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]
    ]
    heads = ("Students", "Exercise", "Mistake", "What the student was told")
    yield table("Named mistakes", heads, rows, numbers=(0,))


def _waiting(graded: Sequence[Graded]) -> Iterator[str]:
    waiting = {result.student: ", ".join(q.id for q in result.waiting) for result in graded if result.waiting}
    if waiting:
        yield "<h2>To be read</h2>"
        yield f"<p>Written answers of {_count(len(waiting), 'student')} wait for you:</p>"
        yield _list([f"{text(student)}: {text(ids)}" for student, ids in waiting.items()])


def _warnings(results: Sequence[Graded]) -> Iterator[str]:
    found = [(result.student, warning) for result in results for warning in result.warnings]
    if found:
        yield "<h2>For your eyes</h2>"
        yield "<p>Code that no exercise asks for. It cost nobody a point, and is no proof of anything.</p>"
        yield _list([f"<strong>{text(student)}</strong>: {text(warning)}" for student, warning in found])


def _time(graded: Sequence[Graded]) -> Iterator[str]:
    seconds = [result.seconds for result in graded]
    slowest = max(graded, key=lambda result: result.seconds)
    words = (
        f"Median {median(seconds):.1f} s a submission; the slowest took {slowest.seconds:.1f} s "
        f"({slowest.student[:60]}), all together {sum(seconds):,.0f} s"
    )
    yield "<h2>Time taken</h2>"
    yield f"<p>{text(words)}.</p>"
    figure, axes = _figure(7, 2.2)
    axes.hist(seconds, bins=min(30, max(5, len(seconds) // 5)), color=_COLOURS["PASS"], edgecolor="white")
    axes.set(xlabel="seconds", ylabel="submissions")
    axes.yaxis.get_major_locator().set_params(integer=True)
    yield _picture(figure, f"Histogram of the time that grading took. {words}.")


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


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
