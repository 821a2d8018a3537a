"""A released notebook's first cells where there is no project: on a bare machine, and in something like Colab."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from test_student_release import WHEEL, released, set_up  # noqa: F401

pytestmark = pytest.mark.slow

# Colab's main packages a year back; what is not here (safetensors, typer), pip has to add
A_YEAR_BACK = ["torch==2.9.1", "torchvision==0.24.1", "numpy==2.0.2", "pillow==11.3.0", "matplotlib==3.10.0"]
OTHERS = ["ipython", "ipywidgets", "packaging", "requests", "rich", "scikit-image", "tqdm"]

# In the environment's Python: the first code cells of a notebook, without a kernel
RUN = """
import importlib.metadata, json, os, sys
notebook, number, on_colab, change = json.loads(sys.argv[1])
if on_colab:
    import google.colab
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
names = ("torch", "torchvision", "numpy")
before = [importlib.metadata.version(name) for name in names]
cells = [c for c in json.load(open(notebook))["cells"] if c["cell_type"] == "code"]
for cell in cells[:number]:
    code = "".join(cell["source"])
    for old, new in change.items():
        code = code.replace(old, new)
    shell.run_cell(code).raise_error()
    assert before == [importlib.metadata.version(name) for name in names]
import assignments_lib
from assignments_lib.datasets import data_root
print("RAN", json.dumps({"package": assignments_lib.__file__, "data": str(data_root())}))
"""
STUB = {
    "google/__init__.py": "",
    "google/colab/__init__.py": "",
    "google/colab/drive.py": """
import pathlib
def mount(folder):
    print("MOUNTED", folder)
""",
}


def environment(folder: Path, *packages: str) -> Path:
    """A new environment's Python."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv isn't installed here")
    subprocess.run([uv, "venv", "--quiet", "--seed", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    command = [uv, "pip", "install", "--quiet", "--python", python, *packages]
    # From a folder outside the project, whose own constraints would hold here too
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"the registry doesn't give what this needs: {done.stderr[-300:]}")
    return python


def run(python: Path, folder: Path, notebook: Path, number: int, on_colab: bool, change: dict[str, str]):
    folder.mkdir(exist_ok=True)
    asked = json.dumps([str(notebook), number, on_colab, change])
    where = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "MPLBACKEND": "agg", "ASSIGNMENTS_OFFLINE": "1"}
    return subprocess.run(
        [python, "-c", RUN, asked], cwd=folder, env=where, capture_output=True, text=True, timeout=300
    )


def frozen(python: Path) -> dict[str, str]:
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, check=True)
    return {package["name"]: package["version"] for package in json.loads(listed.stdout)}


def colab(folder: Path, *packages: str) -> Path:
    python = environment(folder, *packages, *OTHERS)
    (site,) = (folder / "lib").glob("python*/site-packages")
    for name, text in STUB.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    return python


@pytest.mark.parametrize("torch", [A_YEAR_BACK, ["torch", "torchvision"]], ids=["a year back", "latest"])
def test_on_colab_torch_and_numpy_stay_as_they_are(released, tmp_path, torch):  # noqa: F811
    python = colab(tmp_path / "colab", *torch)
    notebooks = sorted(released.glob("*.ipynb"))
    before = frozen(python)
    address = set_up(notebooks[0]).split('PACKAGE = "')[1].split('"')[0]

    offline = run(python, tmp_path / "content", notebooks[1], 2, True, {address: "file:///nowhere.whl"})
    assert "Is there a network?" in offline.stdout + offline.stderr
    assert frozen(python) == before

    here = {address: (released / WHEEL).as_uri()}
    if torch is not A_YEAR_BACK:  # the other way: no network, but the wheel was uploaded with the Files panel
        here = {address: "file:///nowhere.whl"}
        shutil.copy(released / WHEEL, tmp_path / "content")
    for notebook in notebooks:
        done = run(python, tmp_path / "content", notebook, 3, True, here)
        assert "RAN" in done.stdout, done.stdout + done.stderr
    after = frozen(python)
    assert {name: after[name] for name in before} == before
    assert "assignments-lib" in {name.replace("_", "-") for name in after}

    kept = {**here, "KEEP_ON_DRIVE = False": "KEEP_ON_DRIVE = True"}
    done = run(python, tmp_path / "content", notebooks[1], 3, True, kept)
    assert "MOUNTED /content/drive" in done.stdout
    assert '"data": "/content/drive/MyDrive/assignments"' in done.stdout


def test_on_a_machine_with_only_python(released, tmp_path):  # noqa: F811
    python = environment(tmp_path / "clean", str(released / WHEEL))
    for notebook in sorted(released.glob("*.ipynb")):
        done = run(python, tmp_path / "desk", notebook, 3, False, {})
        assert "RAN" in done.stdout, done.stdout + done.stderr
        assert str(tmp_path / "clean") in done.stdout.split("RAN")[1]
    command = [python.with_name("assignments"), "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "doctor" in told
    assert not any(word in told for word in ("release", "build", "nbgrader"))
    refused = subprocess.run([command[0], "grade", "x"], capture_output=True, text=True)
    assert refused.returncode == 2
    assert "No such command" in refused.stderr

    mine = tmp_path / "desk" / "1_resnet34.ipynb"
    shutil.copy(released / mine.name, mine)
    checked = subprocess.run([command[0], "check", mine], capture_output=True, text=True, timeout=300)
    assert checked.returncode == 3, checked.stdout + checked.stderr
    assert "Still blank: 1.1, " in checked.stdout
    packed = subprocess.run([command[0], "submit", mine, "--id", "kim"], capture_output=True, text=True)
    assert packed.returncode == 0, packed.stdout + packed.stderr
    assert zipfile.ZipFile(mine.with_name("kim-1_resnet34.zip")).testzip() is None
