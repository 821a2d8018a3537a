import shutil
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from assignments_lib import doctor
from assignments_lib.datasets import SOURCES, quickdraw
from assignments_lib.doctor import Fact


def is_bad(fact: Fact, status: str, *words: str) -> bool:
    """A fact that fails says what was found, and what to do."""
    assert fact.status == status, fact
    assert fact.advice, f"{fact} does not say what to do"
    assert all(word in fact.found + fact.advice for word in words), fact
    return True


def is_good(fact: Fact) -> bool:
    assert fact.status == "OK", fact
    assert not fact.advice
    return True


@pytest.mark.parametrize(("found", "good"), [((3, 10, 0), True), ((3, 14, 2), True), ((3, 9, 18), False)])
def test_python(found, good):
    fact = doctor.python(found, ">=3.10")
    assert is_good(fact) if good else is_bad(fact, "FAIL", "3.9.18", ">=3.10")


def test_itself():
    assert is_good(doctor.itself("0.1.0"))
    assert is_bad(doctor.itself(None), "FAIL", "pip install -e .")


@pytest.mark.parametrize("installed", ["2.6", "2.6.0+cu124", "2.10.1", "3.0rc1"])
def test_package_that_will_do(installed):
    assert is_good(doctor.package(Requirement("torch>=2.6"), installed))


def test_package_too_old_or_absent():
    assert is_bad(
        doctor.package(Requirement("torch>=2.6"), "2.5.1"), "FAIL", "2.5.1", "--upgrade 'torch>=2.6'"
    )
    assert is_bad(doctor.package(Requirement("torch>=2.6"), None), "FAIL", "not installed", "'torch>=2.6'")


def test_instructors_part():
    required = [Requirement("nbgrader>=0.9.5"), Requirement("jupytext>=1.16")]
    assert is_good(doctor.instructor(required, lambda _: "9.0"))
    lacking = doctor.instructor(required, {"nbgrader": "0.9.4", "jupytext": "1.16"}.get)
    assert is_bad(lacking, "WARN", "lacks nbgrader>=0.9.5", "[instructor]")
    assert "jupytext" not in lacking.found


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'torchvision'"),
        OSError("libcudart.so.12: cannot open shared object file"),
        RuntimeError("operator torchvision::nms does not exist\nand thirty more lines"),
    ],
)
def test_torch_and_torchvision_that_do_not_match(error):
    def probe() -> str:
        raise error

    fact = doctor.torch_pair(probe)
    assert is_bad(fact, "FAIL", str(error).splitlines()[0], "install the two together")
    assert "\n" not in fact.found


def test_torch_and_torchvision_here():
    assert is_good(doctor.torch_pair(doctor.detect_a_box))


def test_a_compiled_part_that_computes_nonsense_is_noticed(monkeypatch):
    import torch
    import torchvision

    monkeypatch.setattr(torchvision.ops, "nms", lambda *_: torch.tensor([0, 1]))
    assert is_bad(doctor.torch_pair(doctor.detect_a_box), "FAIL", "kept boxes [0, 1]")


def test_gpu():
    assert is_good(doctor.gpu("cuda", "NVIDIA Something", True))
    assert is_good(doctor.gpu("mps", "", False))
    assert is_good(doctor.gpu("cpu", "", False))
    assert is_bad(doctor.gpu("cpu", "", True), "WARN", "driver")


@pytest.mark.parametrize(("speedup", "words"), [(1.8, "training uses it"), (0.4, "stays in float32")])
def test_bfloat16(speedup, words):
    fact = doctor.bfloat16(speedup)
    assert is_good(fact)
    assert words in fact.found


def test_disk(tmp_path):
    assert is_good(doctor.disk(50e9, tmp_path))
    assert is_bad(doctor.disk(0.6e9, tmp_path), "WARN", "0.6 GB", "ASSIGNMENTS_DATA")
    assert is_bad(doctor.disk(0.1e9, tmp_path), "FAIL", str(tmp_path), "ASSIGNMENTS_DATA")


def test_writable_folder_that_is_not_there_yet(tmp_path):
    folder = tmp_path / "not" / "yet"
    assert is_good(doctor.writable(folder))
    assert not folder.parent.exists()  # looking changes nothing


def test_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert is_bad(doctor.writable(tmp_path), "FAIL", str(tmp_path), "Permission denied", "ASSIGNMENTS_DATA")


def test_data_absent_is_no_fault(tmp_path):
    fact = doctor.data("quickdraw", lambda: tmp_path)
    assert is_good(fact)
    assert "assignments data quickdraw" in fact.found


def test_data_present(shared_data):
    assert "3 of 345 classes" in doctor.data("quickdraw", lambda: shared_data).found


def test_damaged_data(tmp_path):
    path = quickdraw.path_of("cat", tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    assert is_bad(doctor.data("quickdraw", lambda: tmp_path), "FAIL", str(path), "Delete it")


def test_jupyterlab():
    assert is_good(doctor.jupyterlab("4.6.6"))
    assert is_bad(doctor.jupyterlab(None), "WARN", "pip install jupyterlab")


def environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    return python


def test_kernel(tmp_path):
    ours = environment(tmp_path / "ours")
    assert is_good(doctor.kernel(["python", "-m", "ipykernel_launcher"], "there", str(ours)))
    assert is_good(doctor.kernel([str(ours), "-m", "ipykernel_launcher"], "there", str(ours)))
    versioned = ours.with_name("python3.11")
    versioned.touch()
    assert is_good(doctor.kernel([str(versioned)], "there", str(ours)))


def test_kernel_absent_gone_or_of_another_environment(tmp_path):
    ours, theirs = environment(tmp_path / "ours"), tmp_path / "theirs" / "bin" / "python"
    assert is_bad(doctor.kernel(None, "", str(ours)), "FAIL", "no kernel called python3")
    assert is_bad(doctor.kernel([str(theirs)], "there", str(ours)), "FAIL", str(theirs), "isn't there")
    theirs.parent.mkdir(parents=True)
    theirs.symlink_to(ours)  # as in two environments made from one Python
    assert is_bad(doctor.kernel([str(theirs)], "there", str(ours)), "WARN", str(theirs), "there")


def test_uv():
    assert is_good(doctor.uv("/somewhere/uv"))
    assert is_bad(doctor.uv(None), "WARN", "pip install uv")


def test_every_requirement_of_the_package_is_looked_at():
    needed, instructors = doctor.requirements()
    assert {"torch", "torchvision", "numpy", "safetensors"} <= {each.name for each in needed}
    assert {"nbgrader", "jupytext"} <= {each.name for each in instructors}
    assert not {each.name for each in needed} & {each.name for each in instructors}


def test_package_that_is_not_installed_still_gives_all_other_lines(monkeypatch, capsys):
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    for name in ("requires", "metadata", "version"):
        monkeypatch.setattr(doctor.metadata, name, absent)
    monkeypatch.setattr(doctor, "cpu_speedup", lambda: 1.0)
    assert doctor.main() == 1
    shown = capsys.readouterr().out
    assert "[FAIL] assignments-lib      not installed" in shown
    assert "[OK]   torch + torchvision" in shown


def test_main_prints_one_line_a_fact_with_the_word_first(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "cpu_speedup", lambda: 1.0)
    monkeypatch.setenv("COLUMNS", "40")  # a long line is left to the terminal, not broken
    code = doctor.main()
    lines = capsys.readouterr().out.splitlines()
    facts = [line for line in lines[:-1] if not line.startswith("       -> ")]
    assert all(line.startswith(("[OK]   ", "[WARN] ", "[FAIL] ")) for line in facts)
    assert len(facts) == len(list(doctor.lookups()))
    assert {f"data: {name}" for name in SOURCES} <= {line[7:27].strip() for line in facts}
    assert (code == 1) == any(line.startswith("[FAIL]") for line in facts)


def test_main_with_a_failure(monkeypatch, capsys):
    nearly_full = namedtuple("Usage", "free")(5e6)
    monkeypatch.setattr(doctor, "cpu_speedup", lambda: 1 / 0)  # looking itself breaks
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    assert doctor.main() == 1
    shown = capsys.readouterr().out
    assert "[FAIL] disk                 0.0 GB free" in shown
    assert "[FAIL] bfloat16 on the CPU  could not be found out: ZeroDivisionError" in shown
    assert "2 of these must be mended" in shown


def test_main_when_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(
        doctor, "lookups", lambda: iter([("uv", lambda: Fact("WARN", "uv", "not found", "get it"))])
    )
    assert doctor.main() == 0
    assert capsys.readouterr().out.splitlines() == [
        "[WARN] uv                   not found",
        "       -> get it",
        "Ready: the notebooks can run here.",
    ]
