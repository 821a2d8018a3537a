"""The console command `assignments`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

_FOR_INSTRUCTORS = find_spec("assignments_lib.authoring") is not None  # a student's wheel has no such part
if _FOR_INSTRUCTORS:
    from assignments_lib.authoring import BUDGET
else:
    BUDGET = 0

app = typer.Typer(
    help="The course's notebooks: "
    + ("build, run, release and grade them, " if _FOR_INSTRUCTORS else "")
    + "check and hand in yours, get data, see whether this machine is ready.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
# What the extra "instructor" installs; a student has none of it
_INSTRUCTOR = {
    "hatchling",
    "ipykernel",
    "jupytext",
    "jupyter_client",
    "nbclient",
    "nbconvert",
    "nbformat",
    "nbgrader",
}

_Root = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="The folder for data sets, caches and checkpoints, in place of data/."),
]


@app.command()
def build(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAMES]...", help="Such as 1_resnet34; all where none is given.", show_default=False
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if anything generated is out of date.")
    ] = False,
    no_execute: Annotated[
        bool,
        typer.Option(
            "--no-execute", help="Don't run the solutions; cells that are as they were keep outputs."
        ),
    ] = False,
    timeout: Annotated[
        int, typer.Option(metavar="SECONDS", help="How long a cell may take; 0 for any time.")
    ] = BUDGET,
    root: _Root = None,
    nbgrader: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Only write nbgrader's source/NAME/NAME.ipynb, marks and all, below DIR."
        ),
    ] = None,
) -> None:
    """Make the notebooks from notebooks/source: blank ones for students, and solutions with their outputs."""
    console, errors = Console(), Console(stderr=True)
    with _said(errors):
        from assignments_lib.authoring import build as authoring
        from assignments_lib.authoring.checkout import find

        checkout = find()
        if check:
            stale = list(authoring.stale(checkout, names or []))
            for sentence in stale:
                errors.print(Text(sentence, style="red"), soft_wrap=True)
            if stale:
                raise typer.Exit(1)
            console.print("Everything generated is what its source gives.")
        elif nbgrader:
            authoring.write_nbgrader_course(checkout, names or [], nbgrader, console)
        else:
            authoring.build(
                checkout,
                names or [],
                console,
                run=not no_execute,
                timeout=timeout or None,
                environment=_environment(root),
            )


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Such as 1_resnet34.")],
    data: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The data set in place of the embedded one: quickdraw, ..."),
    ] = None,
    student: Annotated[
        bool, typer.Option("--student", help="The blank notebook; errors are allowed, and listed.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write, in place of runs/.", show_default=False),
    ] = None,
    root: _Root = None,
    timeout: Annotated[
        int, typer.Option(metavar="SECONDS", help="How long a cell may take; 0 for any time.")
    ] = 0,
) -> None:
    """Execute a notebook without opening it; writes the executed copy and a page of HTML."""
    with _said(Console(stderr=True)):
        from assignments_lib.authoring.checkout import find
        from assignments_lib.authoring.run import run as execute

        code = execute(
            find(),
            name,
            Console(),
            data=data,
            blank=student,
            output=output,
            timeout=timeout or None,
            environment=_environment(root),
        )
    raise typer.Exit(code)


@app.command()
def data(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAMES]...",
            help="Such as quickdraw; lists them where none is given.",
            show_default=False,
        ),
    ] = None,
    root: _Root = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PATH_OR_URL",
            help="With voc: take it from a copy (folder or archive) or a mirror, as its server is hard to reach.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List the data sets, or download those named."""
    from assignments_lib.datasets.command import main as command

    raise typer.Exit(command(names or [], root, origin))


@app.command()
def doctor() -> None:
    """Say, one line a fact, whether this machine is ready, and what to do where it isn't."""
    from assignments_lib.doctor import main as command

    raise typer.Exit(command())


@app.command(
    epilog="Exit codes: 0 everything right; 1 could not be checked, with the reason; 2 wrong options; 3 something is "
    "wrong or blank."
)
def check(
    notebook: Annotated[
        Path, typer.Argument(metavar="FILE", help="Your notebook, or the zip made of it.", show_default=False)
    ],
) -> None:
    """Say what the grader would give for a notebook: part by part, what is blank, and what no check covers."""
    from assignments_lib.handin.command import check as command

    raise typer.Exit(command(notebook, Console()))


@app.command(
    epilog="Exit codes: 0 written; 1 refused, with the reason, and nothing written; 2 wrong options."
)
def submit(
    notebook: Annotated[
        Path, typer.Argument(metavar="NOTEBOOK", help="Your notebook (.ipynb).", show_default=False)
    ],
    student: Annotated[
        str,
        typer.Option(
            "--id", metavar="ID", prompt="Your id", help="As your instructor knows you.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where to write, in place of the notebook's folder.", show_default=False
        ),
    ] = None,
) -> None:
    """Pack a notebook into one zip to hand in: no outputs, nothing personal but the id, and a receipt."""
    from assignments_lib.handin.command import submit as command

    raise typer.Exit(command(notebook, student, output, Console()))


@app.command(
    epilog="Exit codes: 0 all graded; 1 stopped, with the reason; 2 wrong options; 3 done, but some submissions could "
    "not be graded; 130 interrupted. What is graded is kept: the same command goes on, and grades only what changed."
)
def grade(
    submissions: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder, a zip or a notebook for each student.")
    ],
    assignment: Annotated[str, typer.Option(metavar="NAME", help="Such as 1_resnet34.", show_default=False)],
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where marks and feedback go.")] = Path(
        "grades"
    ),
    release: Annotated[
        Path | None,
        typer.Option(
            metavar="NOTEBOOK",
            help="The notebook as students got it, in place of the checkout's.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Submissions at a time; one a core by itself.", show_default=False
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Grade on the Dask cluster there.", show_default=False),
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="How long an exercise's answer may take.")
    ] = 60,
    memory: Annotated[
        float, typer.Option(metavar="GB", min=0.5, help="How much memory a submission may use.")
    ] = 3,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Draw inputs from this, as after an appeal.", show_default=False
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Grade what is unchanged, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be graded.")] = False,
    canvas: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Canvas's export, to fill in a copy of it.", show_default=False),
    ] = None,
    moodle: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="Moodle's grading worksheet, to fill in a copy.", show_default=False
        ),
    ] = None,
    nbgrader: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="nbgrader's course folder: written answers go into it, marks come back.",
            show_default=False,
        ),
    ] = None,
    unsafe: Annotated[
        bool,
        typer.Option("--unsafe", help="Without a sandbox: submissions can do all that your account can."),
    ] = False,
) -> None:
    """Grade a class's notebooks: marks part by part, feedback for each student, and gradebooks."""
    with _said(Console(stderr=True)):
        from assignments_lib.grading import processes

        if not (dry_run or scheduler):
            processes.warm_up()
        from assignments_lib.authoring.checkout import find
        from assignments_lib.grading.outputs import Gradebooks
        from assignments_lib.grading.run import Plan
        from assignments_lib.grading.run import run as execute
        from assignments_lib.marking.room import Limits

        notebook = release or find().notebooks / f"{find().named([assignment])[0]}.ipynb"
        plan = Plan(
            submissions,
            notebook,
            output,
            workers=workers,
            scheduler=scheduler,
            unsafe=unsafe,
            dry_run=dry_run,
            again=again,
            seed=seed,
            limits=Limits(exercise=seconds, memory=int(memory * 2**30)),
            gradebooks=Gradebooks(canvas, moodle, nbgrader),
        )
        code = execute(plan, Console())
    raise typer.Exit(code)


@app.command(
    name="release",
    epilog="Exit codes: 0 written; 1 refused, with the reason, and nothing written; 2 wrong options.",
)
def release_package(
    repository: Annotated[
        str, typer.Option(metavar="URL", help="Where students get it: https://github.com/OWNER/NAME.")
    ],
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder to write, or to renew; DIR.zip comes beside it.")
    ],
    assignment: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Such as 1_resnet34; all where none is given.", show_default=False),
    ] = None,
    branch: Annotated[str, typer.Option(metavar="NAME", help="The repository's branch.")] = "main",
) -> None:
    """Write what students get: blank notebooks, the package as a wheel, data cards; nothing that solves."""
    console = Console()
    with _said(Console(stderr=True)):
        from assignments_lib.authoring.checkout import find
        from assignments_lib.authoring.release import release

        release(find(), assignment or [], repository, branch, output, console)


if not _FOR_INSTRUCTORS:
    _theirs = (build, run, grade, release_package)
    app.registered_commands = [
        command for command in app.registered_commands if command.callback not in _theirs
    ]


@contextmanager
def _said(errors: Console) -> Iterator[None]:
    """Say what stopped a command in a sentence, not in a traceback, and exit with 1."""
    from assignments_lib.authoring.errors import BuildError

    try:
        yield
    except BuildError as error:
        for problem in error.problems:
            errors.print(Text(problem, style="red"), soft_wrap=True)
        raise typer.Exit(1) from None
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        errors.print(
            f"Stopped: {error.strerror or error}{where}. No file is half-written; when that is mended, run it again.",
            style="red",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(1) from None
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _INSTRUCTOR:
            raise
        errors.print(
            f"This needs {missing.name}, which isn't installed. It comes with the instructor's part:\n"
            '  pip install "assignments-lib[instructor]"',
            markup=False,
        )
        raise typer.Exit(1) from None


def _environment(root: Path | None) -> dict[str, str]:
    """The variable that tells a notebook's kernel where data lives."""
    return {"ASSIGNMENTS_DATA": str(root.expanduser().resolve())} if root else {}


def main() -> None:
    """Run the command line."""
    app()
