"""docs/instructors_first_hour.md, followed to the letter in a copy of the project: what it says works."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "instructors_first_hour.md"
BLOCK = r"```(?:python|bash)\n(?P<{}>.*?)```"
STEP = re.compile(
    rf"Write `(?P<new>[^`]+)`:\s+{BLOCK.format('content')}"
    rf"|In `(?P<edited>[^`]+)`, replace\s+{BLOCK.format('old')}\s+by\s+{BLOCK.format('now')}"
    r"|```bash\n(?P<commands>.*?)```",
    re.DOTALL,
)
CLI = [sys.executable, "-c", "from assignments_lib.cli import main; main()"]


@dataclass(frozen=True)
class Step:
    """A file to write, a piece of one to replace, or commands to run."""

    kind: str
    file: str = ""
    old: str = ""
    text: str = ""


def steps() -> Iterator[Step]:
    for found in STEP.finditer(PAGE.read_text(encoding="utf-8")):
        if found["new"]:
            yield Step("write", found["new"], text=found["content"])
        elif found["edited"]:
            yield Step("replace", found["edited"], found["old"].rstrip("\n"), found["now"].rstrip("\n"))
        else:
            yield Step("run", text=found["commands"])


def test_every_block_of_the_page_is_a_step() -> None:
    """But the one that clones a fork, which there isn't: no block is passed over for a slip in the words around it."""
    text = PAGE.read_text(encoding="utf-8")
    taken = sum({"write": 1, "replace": 2, "run": 1}[step.kind] for step in steps())
    assert taken == len(re.findall(r"^```(?:python|bash)$", text, re.MULTILINE))
    assert len(re.findall(r"^```text$", text, re.MULTILINE)) == 1
    assert {step.kind for step in steps()} == {"write", "replace", "run"}


def need_the_project_as_it_was() -> None:
    """Who has followed the page in the project itself can't follow it again."""
    if any((CHECKOUT / step.file).exists() for step in steps() if step.kind == "write"):
        pytest.skip("the page has been followed here already")


def test_what_it_replaces_is_there_once() -> None:
    """The quick part: a change of the project that the page doesn't know of is noticed here."""
    need_the_project_as_it_was()
    for step in steps():
        if step.kind == "replace":
            assert (CHECKOUT / step.file).read_text(encoding="utf-8").count(step.old) == 1, step.old


def copied(folder: Path) -> Path:
    """The project's files, as git knows them and as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, folder / name)
    return folder


def run(command: str, project: Path) -> subprocess.CompletedProcess[str]:
    """A command of the page, in this environment: `uv run` would make another one for the copy."""
    uv, run_, program, *arguments = shlex.split(command)
    assert (uv, run_) == ("uv", "run"), command
    known = {
        "assignments": CLI,
        "python": CLI[:1],
        "pytest": [*CLI[:1], "-m", "pytest", "-p", "no:cacheprovider"],
    }
    return subprocess.run(
        [*known[program], *arguments], cwd=project, capture_output=True, text=True, timeout=600
    )


def cells(path: Path) -> dict[str, dict[str, Any]]:
    return {cell["id"]: cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]}


def points(found: dict[str, dict[str, Any]]) -> dict[str, int]:
    """What nbgrader would give for each check and question."""
    marks = {id: cell["metadata"].get("nbgrader", {}) for id, cell in found.items()}
    return {id: mark["points"] for id, mark in marks.items() if mark.get("grade")}


def texts(found: dict[str, dict[str, Any]]) -> str:
    return "\n".join("".join(cell["source"]) for cell in found.values())


@pytest.mark.slow
def test_the_page_works(tmp_path: Path) -> None:
    need_the_project_as_it_was()
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap isn't installed here, and the page grades")
    project = copied(tmp_path / "course")
    blank = project / "notebooks" / "1_resnet34.ipynb"
    before = cells(blank)
    done = []
    for step in steps():
        file = project / step.file
        if step.kind == "write":
            file.write_text(step.text, encoding="utf-8")
        elif step.kind == "replace":
            text = file.read_text(encoding="utf-8")
            assert text.count(step.old) == 1, step.old
            file.write_text(text.replace(step.old, step.text), encoding="utf-8")
        else:
            for command in step.text.splitlines():
                if (
                    "assignments release" in command
                    and run("uv run assignments release --help", project).returncode
                ):
                    warnings.warn(f"passed over, as there is no such command yet: {command}", stacklevel=1)
                    continue
                ran = run(command, project)
                assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
                done.append((command, ran.stdout))

    # one change, and the notebook's metadata, its tables and its headings follow
    after = cells(blank)
    old, new = points(before), points(after)
    assert new["check-1-1"] == old["check-1-1"] + 1
    assert new["check-1-9"] == 3
    assert {id: new[id] for id in old if id != "check-1-1"} == {
        id: old[id] for id in old if id != "check-1-1"
    }
    built = sum(old[f"check-1-{number}"] for number in range(1, 5))
    assert f"| Build | 1.1 to 1.4 | {built} |" in texts(before)
    assert f"| Build | 1.1 to 1.4 | {built + 1} |" in texts(after)
    assert f"about 20 minutes, {new['check-1-1']} points" in texts(after)
    assert "| Count | 1.9 | 3 | 10 minutes |" in texts(after)
    assert "NotFilledIn" in "".join(after["exercise-1-9"]["source"])
    assert "kernel_size**2" not in texts(after)

    # the reference and both mistakes were tried
    assert any("3 passed" in said for command, said in done if "pytest" in command), done

    # and the marks: Ada's answer to the new exercise counts, Ben's mistake is named, Cleo has nothing
    with (project / "grades" / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["Student"]: row for row in csv.DictReader(file)}
    most = sum(new.values())
    written = new["question-Q1"] + new["question-Q2"]
    assert {row["Points possible"] for row in rows.values()} == {str(most)}
    assert rows["ada"]["1.9 numbers to learn (3)"] == "3"
    assert rows["ada"]["Total"] == str(most - written)
    assert 0 < float(rows["ben"]["Total"]) < most - written
    assert rows["cleo"]["Total"] == "0"
    page = (project / "grades" / "feedback" / "ben.html").read_text(encoding="utf-8")
    assert "before the addition" in page
    filled = (project / "grades" / "canvas_samples_canvas.csv").read_text(encoding="utf-8-sig")
    assert f'"Lovelace, Ada",101,2026001,ada,S1,{most - written}.00' in filled
    assert '"Kim, Cleo",103,2026003,cleo,S1,0.00' in filled
