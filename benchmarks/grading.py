"""How fast does `assignments grade` grade, against stock nbgrader on the same submissions and the same checks?

    uv run python benchmarks/grading.py --students 50
    uv run python benchmarks/grading.py --students 1000 --ours-only

Compile the packages' bytecode first (`uv sync --compile-bytecode`), or every kernel of nbgrader's compiles torch anew.

Assignment 1, without its experiments (nbgrader would run them: minutes for each submission): set-up, answers, checks.
The submissions are right, wrong in several ways, blank, and slow (every call of one answer takes 0.2 s longer). Prints
submissions a minute, their ratio, and the most memory that the processes of each took together (PSS, which counts
shared pages once).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
NAME = "1_resnet34"
BIN = Path(sys.executable).parent

# What goes wrong: (exercise, text of the solution, what stands there instead)
WRONG = (
    ("1-1", "- span) // stride + 1", "- span) // stride"),
    ("1-2", "F.relu(residual + self.shortcut(x))", "residual + self.shortcut(x)"),
    ("1-2", "stride, padding=1, bias=False)", "stride, padding=1)"),
    ("1-7", "        optimizer.zero_grad()\n", ""),
    ("1-7", "    model.eval()\n", ""),
    ("1-7", "loss.item() * len(images)", "loss * len(images)"),
)
SLOW = ("1-1", "    span = ", "    import time; time.sleep(0.2)\n    span = ")


def reduced(solved: bool) -> dict[str, Any]:
    """The notebook without experiments."""
    folder = CHECKOUT / "notebooks" / ("solutions" if solved else "")
    notebook: dict[str, Any] = json.loads((folder / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    kept = []
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        ours = cell["metadata"].get("assignments", {})
        setting_up = (
            cell["cell_type"] == "code" and "NotFilledIn" in cell["source"] and "import" in cell["source"]
        )
        if setting_up or ours.keys() & {"exercise", "check", "question"}:
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
            kept.append(cell)
    notebook["cells"] = kept
    return notebook


def submission(number: int) -> str:
    """Of ten: four right, four wrong, one blank, one slow."""
    kind = number % 10
    notebook = reduced(solved=kind != 8)
    if kind in (4, 5, 6, 7):
        exercise, old, new = WRONG[(number // 10 + kind) % len(WRONG)]
    elif kind == 9:
        exercise, old, new = SLOW
    else:
        return json.dumps(notebook)
    cell = next(cell for cell in notebook["cells"] if cell["id"] == f"exercise-{exercise}")
    assert old in cell["source"], (exercise, old)
    cell["source"] = cell["source"].replace(old, new)
    return json.dumps(notebook)


class Memory:
    """The most memory that a process and all below it took at once, in bytes; looked at once a second."""

    def __init__(self, pid: int):
        self.most = 0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Look no longer, and say how much it was."""
        self._done.set()
        self._thread.join()
        return self.most

    def _watch(self) -> None:
        while not self._done.wait(1.0):
            self.most = max(self.most, sum(self._of(pid) for pid in self._family()))

    def _family(self) -> set[int]:
        parents = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int(
                        Path(entry.path, "stat").read_text().rpartition(")")[2].split()[1]
                    )
                except OSError:
                    continue
        family = {self._pid}
        while True:
            more = {pid for pid, parent in parents.items() if parent in family} - family
            if not more:
                return family
            family |= more

    def _of(self, pid: int) -> int:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            return 0
        return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Seconds and bytes that a command took; it says the end of its output if it fails."""
    begun = time.perf_counter()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ | environment)
        memory = Memory(process.pid)
        code = process.wait()
    seconds, most = time.perf_counter() - begun, memory.stop()
    if code:
        print((folder / "log.txt").read_text()[-1500:])
    return seconds, most


def ours(folder: Path, students: int, release: Path) -> tuple[float, int]:
    """`assignments grade`, from nothing to all its pages and tables."""
    for number in range(students):
        place = folder / "submissions" / f"student{number:04}"
        place.mkdir(parents=True)
        (place / f"{NAME}.ipynb").write_text(submission(number))
    command = [
        str(BIN / "assignments"),
        "grade",
        "submissions",
        "--assignment",
        NAME,
        "--release",
        str(release),
    ]
    return timed([*command, "--output", "grades"], folder, {})


def nbgrader(folder: Path, students: int, release: Path) -> tuple[float, int]:
    """`nbgrader autograde`, as it is installed, and feedback."""
    place = folder / "source" / NAME
    place.mkdir(parents=True)
    shutil.copy(release, place / f"{NAME}.ipynb")
    (folder / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "benchmark"\n'
    )
    quiet = {"ASSIGNMENTS_OFFLINE": "1"}
    timed([str(BIN / "nbgrader"), "generate_assignment", NAME], folder, quiet)
    for number in range(students):
        place = folder / "submitted" / f"student{number:04}" / NAME
        place.mkdir(parents=True)
        (place / f"{NAME}.ipynb").write_text(submission(number))
    first = timed([str(BIN / "nbgrader"), "autograde", NAME], folder, quiet)
    second = timed([str(BIN / "nbgrader"), "generate_feedback", NAME], folder, quiet)
    graded = len(list(folder.glob(f"autograded/*/{NAME}/{NAME}.ipynb")))
    print(f"nbgrader graded {graded} of {students}")
    return first[0] + second[0], max(first[1], second[1])


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=50)
    parser.add_argument("--ours-only", action="store_true", help="leave nbgrader out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        release = folder / f"{NAME}.ipynb"
        release.write_text(json.dumps(reduced(solved=False)))
        rows = {}
        for tool in (ours,) if options.ours_only else (ours, nbgrader):
            place = folder / tool.__name__
            place.mkdir()
            seconds, most = tool(place, options.students, release)
            rows[tool.__name__] = options.students / seconds * 60
            print(
                f"{tool.__name__:<10} {options.students} submissions in {seconds:7.1f} s: "
                f"{rows[tool.__name__]:6.1f} a minute, {most / 2**30:.2f} GB at most"
            )
    if len(rows) == 2:
        print(f"ratio {rows['ours'] / rows['nbgrader']:.1f}")


if __name__ == "__main__":
    main()
