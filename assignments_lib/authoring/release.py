"""What students get: a folder, and a zip of it, for the repository that they open it from.

In it are the blank notebooks, the package without the instructor's parts as a wheel, data cards, an environment and a
README. Everything is made in memory first and has to pass the leak gate; only then is anything written.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from hatchling.builders.wheel import WheelBuilder
from rich.console import Console

from assignments_lib.atomic import write_atomically
from assignments_lib.authoring import marks, notebooks
from assignments_lib.authoring.build import student_notebook
from assignments_lib.authoring.checkout import Checkout, shown
from assignments_lib.authoring.errors import BuildError, refuse
from assignments_lib.authoring.leaks import squeeze, strings, telling
from assignments_lib.authoring.source import Lookup, Source, read
from assignments_lib.checks import registry
from assignments_lib.checks.registry import assignment
from assignments_lib.handin import blanks
from assignments_lib.handin.pack import zipped

MANIFEST = "release.json"  # the files of a release and their SHA-256; by it a former release is known
INSTRUCTORS = ("authoring", "grading")  # the folders of the package that students don't get

_GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(\.git)?/?")
_BRANCH = re.compile(r"[\w.-]+(/[\w.-]+)*")
# What opens something, or names somebody's computer: (what it is, what it looks like)
_CREDENTIALS = (
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    (
        "an access token",
        re.compile(r"\b(gh[pousr]_\w{36}|github_pat_\w{40}|hf_\w{30}|xox[bp]-[\w-]{20}|AKIA[0-9A-Z]{16})"),
    ),
    ("a password", re.compile(r"(?i)\b(password|passwd|api_?key|secret)\s*[=:]\s*[\"'][^\"'\s]{6,}[\"']")),
    ("a folder of somebody's computer", re.compile(r"(/home/|/Users/|[A-Z]:\\+Users\\+)\w[\w.-]*[/\\]")),
)
_LICENSES = ("LICENSE", "LICENSE-NOTEBOOKS")
_README = Path(__file__).with_name("release_readme.md")
_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


@dataclass(frozen=True)
class Repository:
    """The GitHub repository in which a release lies, at the top of one branch."""

    owner: str
    name: str
    branch: str = "main"

    @classmethod
    def of(cls, url: str, branch: str = "main") -> Repository:
        """The repository at a URL such as ``https://github.com/OWNER/NAME``.

        Raises:
            BuildError: it is no such URL, or the branch can't be one.
        """
        found = _GITHUB.fullmatch(url.strip())
        if not found:
            raise BuildError(f"{url!r} is no GitHub repository; write https://github.com/OWNER/NAME.")
        if not _BRANCH.fullmatch(branch):
            raise BuildError(f"{branch!r} can't be a branch; write a name such as main.")
        return cls(found[1], found[2], branch)

    def badge(self, notebook: str) -> str:
        """Markdown that opens a notebook in Colab."""
        path = f"{self.owner}/{self.name}/blob/{self.branch}/{notebook}"
        return f"[![Open in Colab]({_BADGE})](https://colab.research.google.com/github/{path})"

    def raw(self, file: str) -> str:
        """Where a file can be downloaded."""
        return f"https://github.com/{self.owner}/{self.name}/raw/{self.branch}/{file}"


def release(
    checkout: Checkout,
    names: list[str],
    repository: str,
    branch: str,
    output: Path,
    console: Console,
    lookup: Lookup = assignment,
) -> None:
    """Write the release into a folder, and as a zip beside it.

    A folder that is empty, or a clone with nothing in it yet, is filled; a former release is renewed, and what isn't of
    it (``.git``, say) stays.

    Raises:
        BuildError: the URL is no repository's, the folder holds something else, a source is not in order, or something
            would leak. Nothing is written then.
    """
    where = Repository.of(repository, branch)
    before = _former(output)
    sources = [read(checkout.source(name), lookup) for name in checkout.named(names)]
    files = contents(checkout, sources, where)
    refuse(leaks_in(files, [read(checkout.source(name), lookup) for name in checkout.names()]))
    console.print(f"Nothing leaks: {len(files)} files looked through.", highlight=False)

    manifest = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    # First, so that a release that was cut off is known as one, and the next run mends it
    _write_manifest(output, {**before, **manifest})
    for name, data in files.items():
        write_atomically(output / name, data)
    for name in before.keys() - files.keys():
        (output / name).unlink(missing_ok=True)
    _write_manifest(output, manifest)
    archive = output.with_name(f"{output.name}.zip")
    write_atomically(archive, zipped({f"{output.name}/{name}": data for name, data in sorted(files.items())}))
    console.print(f"[green]wrote[/] {shown(output)} and {shown(archive)}", highlight=False)


def contents(checkout: Checkout, sources: list[Source], repository: Repository) -> dict[str, bytes]:
    """The files of a release by their names, the same bytes each time."""
    readme = _readme(sources, repository)
    wheel = wheel_name(checkout)
    files = {
        f"{source.name}.ipynb": notebooks.as_text(
            student_notebook(for_repository(source, repository, wheel))
        ).encode()
        for source in sources
    }
    files |= {
        wheel: student_wheel(checkout, readme, files),
        "README.md": readme.encode(),
        "environment.yml": _environment(checkout, wheel).encode(),
    }
    for card in (
        *sorted((checkout.root / "data").glob("*.md")),
        *(checkout.root / name for name in _LICENSES),
    ):
        files[card.relative_to(checkout.root).as_posix()] = card.read_bytes()
    return files


def for_repository(source: Source, repository: Repository, wheel: str) -> Source:
    """The source with a Colab badge below its title, and a set-up cell that knows where the package is.

    Raises:
        BuildError: it has no set-up cell with a line ``PACKAGE = ""``.
    """
    cells = list(source.cells)
    title, _, rest = cells[0].source.partition("\n")
    cells[0] = replace(cells[0], source=f"{title}\n\n{repository.badge(f'{source.name}.ipynb')}\n{rest}")
    for index, cell in enumerate(cells):
        if notebooks.SET_UP in cell.tags and 'PACKAGE = ""' in cell.source:
            filled = cell.source.replace('PACKAGE = ""', f'PACKAGE = "{repository.raw(wheel)}"', 1)
            cells[index] = replace(cell, source=filled)
            return replace(source, cells=tuple(cells))
    raise BuildError(f'{shown(source.path)} has no cell tagged "set-up" with a line PACKAGE = "".')


def wheel_name(checkout: Checkout) -> str:
    """The file name of the package's wheel."""
    return f"{WheelBuilder(str(checkout.root)).artifact_project_id}-py3-none-any.whl"


def student_wheel(checkout: Checkout, readme: str, blank: dict[str, bytes]) -> bytes:
    """The package's wheel, without the instructor's parts, the same bytes at each build.

    ``blank`` are the notebooks of the release: the self-check tells answers apart from them.
    """
    with tempfile.TemporaryDirectory() as folder:
        staging = Path(folder)
        shutil.copytree(
            checkout.root / "assignments_lib",
            staging / "assignments_lib",
            ignore=lambda at, names: [
                name
                for name in names
                if name == "__pycache__" or (Path(at).name == "assignments_lib" and name in INSTRUCTORS)
            ],
        )
        for name in ("pyproject.toml", *_LICENSES):
            shutil.copy(checkout.root / name, staging)
        (staging / "README.md").write_text(readme, encoding="utf-8", newline="\n")
        for name in (name for name in blank if Path(name).stem in registry.notebooks()):
            write_atomically(staging / "assignments_lib" / "handin" / blanks.FOLDER / name, blank[name])
        building = WheelBuilder(str(staging)).build(directory=str(staging / "dist"), versions=["standard"])
        return Path(next(building)).read_bytes()


def leaks_in(files: dict[str, bytes], sources: list[Source]) -> Iterator[str]:
    """What a release tells that it mustn't, wheel and all: one sentence each.

    Notebooks were looked through line by line when they were made. Here no file may have a solution mark, a source, an
    instructor's part, a whole solution of any assignment, or a credential; answer cells must be stubs. (The package
    trains networks, too, so that single lines such as ``loss.backward()`` stand in it.)
    """
    secrets = [
        (squeeze("".join(region.lines)), f"the solution of {cell.task} of {source.name}")
        for source in sources
        for cell in source.cells
        if cell.answer
        for region in marks.regions(cell.source)
        if any(telling(line, cell.markdown) for line in region.lines)
    ]
    for name, data in _unpacked(files):
        parts = Path(name).parts
        if any(part in (*INSTRUCTORS, "solutions", "source") for part in parts):
            yield f"{name}: students don't get this."
        text = data.decode("utf-8", "replace")
        if "BEGIN SOLUTION" in text or "END SOLUTION" in text:
            yield f"{name}: holds a solution mark."
        yield from (f"{name}: holds {what}." for what, looks in _CREDENTIALS if looks.search(text))
        if name.endswith(".ipynb"):  # its lines without JSON's quotation marks
            text = "\n".join(strings(json.loads(text)))
        squeezed = squeeze(text)
        yield from (f"{name}: holds {what}." for secret, what in secrets if secret in squeezed)
        if name.endswith(".ipynb"):
            yield from _without_stub(name, data.decode())


def _without_stub(name: str, text: str) -> Iterator[str]:
    for cell in nbformat.reads(text, as_version=4).cells:
        ours = cell.metadata.get("assignments", {})
        stub = (
            "raise NotFilledIn(" if "exercise" in ours else notebooks.TEXT_STUB if "question" in ours else ""
        )
        if stub not in cell.source:
            yield f"{name}: the answer cell {cell.id} is no stub."


def _unpacked(files: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The files, and those in the wheel."""
    for name, data in files.items():
        if name.endswith(".whl"):
            with zipfile.ZipFile(io.BytesIO(data)) as wheel:
                yield from ((f"{name}/{inner}", wheel.read(inner)) for inner in wheel.namelist())
        else:
            yield name, data


def _former(output: Path) -> dict[str, str]:
    """The files of the release that is in a folder; none where there is nothing yet.

    Raises:
        BuildError: there is something else.
    """
    if output.exists() and not output.is_dir():
        raise BuildError(f"{shown(output)} is a file; name a folder.")
    if not output.is_dir() or {path.name for path in output.iterdir()} <= {".git"}:
        return {}
    try:
        files = json.loads((output / MANIFEST).read_text(encoding="utf-8"))["files"]
        inside = all((output / name).resolve().is_relative_to(output.resolve()) for name in files)
    except (OSError, ValueError, LookupError, TypeError):
        inside = False
    if not inside:
        raise BuildError(f"{shown(output)} is not empty, and no former release: name a new folder.")
    return dict(files)


def _write_manifest(output: Path, files: dict[str, str]) -> None:
    write_atomically(output / MANIFEST, json.dumps({"files": files}, indent=1) + "\n")


def _readme(sources: list[Source], repository: Repository) -> str:
    rows = "\n".join(
        f"| [{source.cells[0].source.partition(chr(10))[0].lstrip('# ')}]({source.name}.ipynb) "
        f"| {repository.badge(f'{source.name}.ipynb')} |"
        for source in sources
    )
    return _README.read_text(encoding="utf-8").replace("{notebooks}", rows)


def _environment(checkout: Checkout, wheel: str) -> str:
    """The student's part of the environment, with the wheel in place of the checkout."""
    text = (checkout.root / "environment.yml").read_text(encoding="utf-8")
    start, end = text.index("name: "), text.index("  # what an instructor needs")
    return f"{text[start:end]}  - jupyterlab>=4.2\n  - pip:\n      - ./{wheel}\n"
