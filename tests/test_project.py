"""The project as a whole: linted, typed, importable without the instructor's parts."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_is_clean(command):
    done = run(sys.executable, "-m", "ruff", *command, ".")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy_is_clean():
    done = run(sys.executable, "-m", "mypy")
    assert done.returncode == 0, done.stdout + done.stderr


INSTRUCTOR = ("distributed", "jupytext", "nbclient", "nbconvert", "nbformat", "nbgrader")


@pytest.mark.slow
def test_a_student_imports_nothing_of_the_instructors():
    """What the notebooks import, in a fresh process; then look which of the instructor's packages came along."""
    code = f"""
import sys
import assignments_lib, assignments_lib.plots, assignments_lib.training, assignments_lib.layers
import assignments_lib.checks.resnet34, assignments_lib.datasets, assignments_lib.pretrained
import assignments_lib.metrics, assignments_lib.trunk, assignments_lib.classifier
import assignments_lib.checks.segmentation, assignments_lib.segmentation
import assignments_lib.widgets, assignments_lib.handin, assignments_lib.handin.command
print([name for name in {INSTRUCTOR} if name in sys.modules])
print([name for name in sys.modules if name.startswith(("assignments_lib.authoring", "assignments_lib.grading"))])
"""
    done = run(sys.executable, "-c", code)
    assert done.stdout.splitlines() == ["[]", "[]"], done.stdout + done.stderr


FORBIDDEN = {
    "datasets": ("checks", "marking", "handin", "authoring", "grading"),
    "training": ("checks", "marking", "handin", "authoring", "grading"),
    "plots": ("checks", "marking", "handin", "authoring", "grading"),
    "metrics": ("checks", "marking", "handin", "authoring", "grading"),
    "widgets": ("checks", "marking", "handin", "authoring", "grading"),
    "trunk": ("checks", "marking", "handin", "authoring", "grading"),
    "classifier": ("checks", "marking", "handin", "authoring", "grading"),
    "segmentation": ("checks", "marking", "handin", "authoring", "grading"),
    "checks": ("marking", "handin", "authoring", "grading"),
    "marking": ("handin", "authoring", "grading"),
    "handin": ("authoring", "grading"),
}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_point_one_way(package):
    folder = CHECKOUT / "assignments_lib"
    files = [*(folder / package).rglob("*.py"), *folder.glob(f"{package}.py")]
    assert files
    for path in files:
        text = path.read_text()
        for other in FORBIDDEN[package]:
            assert f"assignments_lib.{other}" not in text, f"{path.name} names assignments_lib.{other}"


def test_no_file_is_large_and_no_path_of_one_machine_is_kept():
    listed = run("git", "ls-files", "-z").stdout.split("\0")
    files = [CHECKOUT / name for name in listed if name and (CHECKOUT / name).is_file()]
    assert len(files) > 50
    assert [path.name for path in files if path.stat().st_size > 2 * 2**20] == []
    assert [path.name for path in files if path.name == "uv.lock" or path.suffix in (".pt", ".pth")] == []
