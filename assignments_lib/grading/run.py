"""Grading a class: what is there, what is new, grade that, and write everything that people and programs read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from assignments_lib.grading import finding, outputs, pool
from assignments_lib.grading.cluster import ClusterUnavailable
from assignments_lib.grading.cluster import grade_all as grade_on_cluster
from assignments_lib.grading.job import Job, load
from assignments_lib.grading.roster import GradebookError
from assignments_lib.grading.sandbox import SandboxUnavailable
from assignments_lib.grading.store import Store, key
from assignments_lib.marking.mark import digest_of, nothing
from assignments_lib.marking.reading import Unreadable
from assignments_lib.marking.release import Release, read
from assignments_lib.marking.result import Graded
from assignments_lib.marking.room import Limits

# What `assignments grade` exits with
ALL_GRADED, FAILED, SOME_NOT_GRADED, INTERRUPTED = 0, 1, 3, 130


@dataclass(frozen=True)
class Plan:
    """What is to be graded, how, and what is to come of it."""

    submissions: Path
    release: Path
    output: Path
    workers: int | None = None
    scheduler: str | None = None
    unsafe: bool = False
    dry_run: bool = False
    again: bool = False
    seed: int | None = None
    limits: Limits = field(default_factory=Limits)
    gradebooks: outputs.Gradebooks = field(default_factory=outputs.Gradebooks)


def run(plan: Plan, console: Console) -> int:
    """Grade, and return the command's exit code."""
    try:
        return _run(plan, console)
    except (Unreadable, SandboxUnavailable, ClusterUnavailable, GradebookError) as error:
        console.print(Text(str(error), style="red"), soft_wrap=True)
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        console.print(
            Text(
                f"Stopped: {what}. What is graded so far is kept; run the same command to go on.", style="red"
            ),
            soft_wrap=True,
        )
    return FAILED


def _run(plan: Plan, console: Console) -> int:
    if not plan.release.is_file():
        raise Unreadable(f"{plan.release} isn't there. Name the notebook as students got it with --release.")
    release_data = plan.release.read_bytes()
    release = read(plan.release.name, release_data)
    store = Store(plan.output)
    found = finding.find(plan.submissions, release.assignment.notebook)
    jobs, kept, unreadable = _sorted(plan, release, release_data, store, found)
    console.print(
        f"{release.assignment.title}: {_count(len(found), 'submission')}, "
        f"{len(jobs)} to grade, {len(kept)} graded before and unchanged."
    )
    others = finding.others(plan.submissions)
    if others:
        console.print(
            Text(f"Passed over, as they are no folder, zip or notebook: {', '.join(others)}", style="yellow"),
            soft_wrap=True,
        )
    if plan.dry_run:
        for job in jobs:
            console.print(
                f"  would grade {job.student}: {', '.join(name for name, _ in job.files) or 'no file'}",
                markup=False,
            )
        return ALL_GRADED
    if plan.unsafe and jobs:
        console.print(
            "No sandbox (--unsafe): submissions can do all that your account can.", style="bold red"
        )
    for result in unreadable:
        store.write(result)
    graded = [*kept, *unreadable]
    interrupted = False
    try:
        for result in _progress(console, jobs, plan):
            result = _with_marks_of_before(result, store.read(result.student))
            store.write(result)
            graded.append(result)
    except KeyboardInterrupt:
        interrupted = True
        console.print("Stopped. What is graded so far is kept; run the same command to go on.")
    graded.sort(key=lambda result: result.student)
    graded = outputs.write(graded, plan.output, plan.gradebooks, plan.release, store, console)
    if interrupted:
        return INTERRUPTED
    problems = [result for result in graded if result.problem]
    for result in problems:
        console.print(Text(f"Not graded: {result.student}: {result.problem}", style="yellow"), soft_wrap=True)
    return SOME_NOT_GRADED if problems else ALL_GRADED


def _sorted(
    plan: Plan, release: Release, release_data: bytes, store: Store, found: Sequence[finding.Found]
) -> tuple[list[Job], list[Graded], list[Graded]]:
    """What is to be graded; what was, with nothing changed since; and what can't be read from the disk."""
    seed = secrets.randbelow(2**31) if plan.seed is None else plan.seed
    jobs: list[Job] = []
    kept: list[Graded] = []
    unreadable: list[Graded] = []
    for each in found:
        try:
            files = load(each)
        except Unreadable as problem:
            unreadable.append(nothing(release, each.student, (), seed, str(problem)))
            continue
        key_now = key(release, digest_of(files), plan.limits)
        before = store.read(each.student)
        if before is not None and before.key == key_now and not plan.again:
            kept.append(before)
            continue
        jobs.append(
            Job(plan.release.name, release_data, each.student, files, seed, plan.limits, plan.unsafe, key_now)
        )
    return jobs, kept, unreadable


def _with_marks_of_before(result: Graded, before: Graded | None) -> Graded:
    """The same, with what a person gave for the written questions, where the words are as they were."""
    given = {question.id: question for question in before.questions} if before else {}
    return replace(
        result,
        questions=tuple(
            given[question.id]
            if question.id in given and given[question.id].answer == question.answer
            else question
            for question in result.questions
        ),
    )


def _progress(console: Console, jobs: list[Job], plan: Plan) -> Iterator[Graded]:
    """The results, with a bar that says how long the rest will take."""
    if not jobs:
        return
    if plan.scheduler:
        results = grade_on_cluster(jobs, plan.scheduler)
    else:
        results = pool.grade_all(jobs, pool.workers(plan.workers))
    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[student]}"),
    )
    with closing(results), Progress(*columns, console=console) as progress:  # type: ignore[type-var]
        task = progress.add_task("grading", total=len(jobs), student="loading torch")
        for result in results:
            progress.update(task, advance=1, student=result.student[:30])
            yield result


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
