"""`assignments doctor`: is this computer ready, one line a fact, and what to do where it isn't.

Every fact is a small function from what was found to a `Fact`, so that tests can force each one to fail;
`lookups` finds things out and calls them. Imports that may fail or take long happen inside, never at the top.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rich.console import Console
from rich.text import Text

PACKAGE = "assignments-lib"
COLOURS = {"OK": "green", "WARN": "yellow", "FAIL": "red"}
ROOM = 1e9  # bytes: real data sets and a few checkpoints
LEAST_ROOM = 200e6  # bytes: the embedded data and one checkpoint
REINSTALL = (
    "install the two together: uv sync, or pip install --upgrade torch torchvision, then restart the kernel; "
    "on Colab: Runtime > Disconnect and delete runtime"
)


@dataclass(frozen=True)
class Fact:
    """One line: how it stands, what it is about, what was found, and what to do about it."""

    status: Literal["OK", "WARN", "FAIL"]
    name: str
    found: str
    advice: str = ""


def main() -> int:
    """Print all facts; returns 1 when something that is needed fails, else 0."""
    console = Console(highlight=False)
    failed = 0
    for name, look in lookups():
        fact = safely(name, look)
        failed += fact.status == "FAIL"
        line = Text.assemble(
            (f"{f'[{fact.status}]':<7}", COLOURS[fact.status]), f"{fact.name:<20} {fact.found}"
        )
        console.print(line, soft_wrap=True)
        if fact.advice:
            console.print(Text(f"       -> {fact.advice}"), soft_wrap=True)
    if failed:
        console.print(f"{failed} of these must be mended before the notebooks can run.")
    else:
        console.print("Ready: the notebooks can run here.")
    return 1 if failed else 0


def lookups() -> Iterator[tuple[str, Callable[[], Fact]]]:
    """What to find out, under which name, in the order in which it is shown."""
    yield "Python", lambda: python(sys.version_info[:3], required_python())
    yield PACKAGE, lambda: itself(version_of(PACKAGE))
    needed, instructors = requirements()
    for each in needed:
        yield each.name, partial(package, each, version_of(each.name))
    yield "torch + torchvision", lambda: torch_pair(detect_a_box)
    yield "GPU", lambda: gpu(*find_gpu())
    yield "bfloat16 on the CPU", lambda: bfloat16(cpu_speedup())
    yield "disk", lambda: disk(shutil.disk_usage(existing(data_folder())).free, data_folder())
    yield "data folder", lambda: writable(data_folder())
    for name in source_names():
        yield f"data: {name}", partial(data, name, data_folder)
    yield "JupyterLab", lambda: jupyterlab(version_of("jupyterlab"))
    yield "kernel", lambda: kernel(*find_kernel(), sys.executable)
    yield "instructor's part", lambda: instructor(instructors, version_of)
    yield "uv", lambda: uv(shutil.which("uv"))


def safely(name: str, look: Callable[[], Fact]) -> Fact:
    """The fact, or, where finding it out broke, a fact that says so: one broken package hides no other line."""
    try:
        return look()
    except Exception as error:
        return Fact(
            "FAIL", name, f"could not be found out: {in_a_line(error)}", "see the lines above it first"
        )


def in_a_line(error: BaseException) -> str:
    """An exception in one short line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:200]


# ---------------------------------------------------------------------------------- what the facts are


def python(found: Sequence[int], required: str) -> Fact:
    """This Python against the package's Requires-Python."""
    version = ".".join(map(str, found))
    if SpecifierSet(required).contains(version):
        return Fact("OK", "Python", f"{version} ({sys.prefix})")
    return Fact(
        "FAIL", "Python", f"{version}, but {required} is needed", "uv run --python 3.12 assignments doctor"
    )


def itself(version: str | None) -> Fact:
    """Whether this package is installed, or merely lies in the working directory."""
    if version is None:
        return Fact("FAIL", PACKAGE, "not installed", "in the project's folder: uv sync, or pip install -e .")
    return Fact("OK", PACKAGE, version)


def package(required: Requirement, installed: str | None) -> Fact:
    """An installed package against the package metadata's lower bound."""
    bound = f"{required.name}{required.specifier}"
    if installed is None:
        return Fact("FAIL", required.name, "not installed", f"pip install '{bound}'")
    if not required.specifier.contains(installed, prereleases=True):
        return Fact(
            "FAIL",
            required.name,
            f"{installed}, but {required.specifier} is needed",
            f"pip install --upgrade '{bound}'",
        )
    return Fact("OK", required.name, installed)


def instructor(required: Iterable[Requirement], installed: Callable[[str], str | None]) -> Fact:
    """The packages that only building and grading need."""
    versions = {each: installed(each.name) for each in required}
    lacking = [
        f"{each.name}{each.specifier}"
        for each, version in versions.items()
        if version is None or not each.specifier.contains(version, prereleases=True)
    ]
    if lacking:
        advice = f"students don't need it; instructors: pip install '{PACKAGE}[instructor]'"
        return Fact("WARN", "instructor's part", f"lacks {', '.join(lacking)}", advice)
    found = ", ".join(f"{each.name} {version}" for each, version in versions.items())
    return Fact("OK", "instructor's part", found)


def torch_pair(probe: Callable[[], str]) -> Fact:
    """Whether torch and torchvision belong together; ``probe`` uses both, and returns their versions."""
    try:
        return Fact("OK", "torch + torchvision", f"{probe()} work together")
    except Exception as error:  # ImportError, OSError from a library, RuntimeError for a missing operator
        return Fact("FAIL", "torch + torchvision", in_a_line(error), REINSTALL)


def gpu(kind: str, name: str, driver: bool) -> Fact:
    """``kind`` is cuda, mps or cpu; ``driver`` is whether there is an NVIDIA driver."""
    if kind == "cuda":
        return Fact("OK", "GPU", f"{name}: training uses it (cuda)")
    if kind == "mps":
        return Fact("OK", "GPU", "Apple's: training uses it (mps)")
    if driver:
        advice = "torch was built without CUDA, or needs a newer driver: compare nvidia-smi with torch.version.cuda"
        return Fact("WARN", "GPU", "there is an NVIDIA driver, but torch sees no GPU", advice)
    return Fact("OK", "GPU", "none: training runs on the CPU, minutes instead of seconds")


def bfloat16(speedup: float) -> Fact:
    """``speedup`` is how many times as fast as in float32 convolutions train in bfloat16."""
    from assignments_lib.training.precision import WORTHWHILE

    if speedup >= WORTHWHILE:
        return Fact("OK", "bfloat16 on the CPU", f"{speedup:.1f} times as fast as float32: training uses it")
    found = f"{speedup:.1f} times as fast as float32: training stays in float32"
    return Fact("OK", "bfloat16 on the CPU", found)


def disk(free: float, folder: Path) -> Fact:
    """Room where data lives, in bytes."""
    found = f"{free / 1e9:,.1f} GB free for {folder}"
    advice = "free some space, or name a folder on another disk in the environment variable ASSIGNMENTS_DATA"
    if free < LEAST_ROOM:
        return Fact("FAIL", "disk", found, advice)
    if free < ROOM:
        return Fact("WARN", "disk", f"{found}: too little for the real data sets", advice)
    return Fact("OK", "disk", found)


def writable(folder: Path) -> Fact:
    """Whether downloads, caches and checkpoints can be kept."""
    try:
        with tempfile.TemporaryFile(dir=existing(folder)):
            return Fact("OK", "data folder", f"{folder} can be written to")
    except OSError as error:
        advice = "name a folder of your own in the environment variable ASSIGNMENTS_DATA"
        return Fact("FAIL", "data folder", f"{folder} can't be written to ({error.strerror})", advice)


def data(name: str, folder: Callable[[], Path]) -> Fact:
    """What there is of one data set; a damaged file is a failure, an absent real set is none."""
    from assignments_lib.datasets import SOURCES, CorruptFileError

    try:
        present = SOURCES[name].present(folder())
    except CorruptFileError as error:
        return Fact("FAIL", f"data: {name}", str(error), f"then: assignments data {name}")
    absent = f"not here (the {SOURCES[name].stand_ins} stand in); to get it: assignments data {name}"
    return Fact("OK", f"data: {name}", present or absent)


def jupyterlab(version: str | None) -> Fact:
    """Whether there is something to open a notebook with."""
    if version is None:
        advice = "needed unless you work in Colab or an editor: pip install jupyterlab"
        return Fact("WARN", "JupyterLab", "not installed", advice)
    return Fact("OK", "JupyterLab", version)


def kernel(argv: Sequence[str] | None, where: str, executable: str) -> Fact:
    """Whether the kernel "python3", which the notebooks name, starts this very Python.

    ``argv`` is its command, None where there is no such kernel; ``where`` the folder that defines it. A bare
    "python" stands for the Python that runs Jupyter.
    """
    install = f"{executable} -m ipykernel install --sys-prefix --name python3"
    if argv is None:
        return Fact(
            "FAIL", "kernel", "there is no kernel called python3", f"pip install ipykernel, or {install}"
        )
    command = Path(argv[0])
    if len(command.parts) == 1 and command.stem.startswith("python"):
        return Fact("OK", "kernel", f"python3 ({where})")
    if not command.exists():
        return Fact("FAIL", "kernel", f"python3 ({where}) starts {command}, which isn't there", install)
    # The folders are compared, not what links lead to: every environment's python may be a link to one Python.
    if command.parent != Path(executable).parent:
        advice = f"packages may be missing in notebooks: {install}; or delete {where}"
        return Fact("WARN", "kernel", f"python3 ({where}) starts another Python, {command}", advice)
    return Fact("OK", "kernel", f"python3 ({where})")


def uv(path: str | None) -> Fact:
    """The tool that the README's commands use."""
    if path is None:
        return Fact("WARN", "uv", "not found", "only the README's uv commands need it: pip install uv")
    return Fact("OK", "uv", path)


# ------------------------------------------------------------------------------------- looking things up


def requirements() -> tuple[list[Requirement], list[Requirement]]:
    """What everyone needs, and what only instructors do, from the installed package's metadata."""
    try:
        found = [Requirement(line) for line in metadata.requires(PACKAGE) or []]
    except metadata.PackageNotFoundError:
        return [], []
    needed = [each for each in found if each.marker is None or each.marker.evaluate({"extra": ""})]
    return needed, [each for each in found if each not in needed]


def required_python() -> str:
    """The package's Requires-Python; empty where the package isn't installed."""
    try:
        return metadata.metadata(PACKAGE)["Requires-Python"] or ""
    except metadata.PackageNotFoundError:
        return ""


def version_of(name: str) -> str | None:
    """Version of an installed package; None where it isn't."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def detect_a_box() -> str:
    """Let torchvision's compiled part work on torch's tensors; a wrong pair fails here, or on import."""
    import torch
    import torchvision

    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9]])
    kept = torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist()
    if kept != [0]:
        raise RuntimeError(f"torchvision.ops.nms kept boxes {kept} instead of [0]")
    return f"{torch.__version__} and {torchvision.__version__}"


def find_gpu() -> tuple[str, str, bool]:
    """Kind, name, and whether there is an NVIDIA driver."""
    import torch

    driver = shutil.which("nvidia-smi") is not None
    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name(), driver
    return ("mps" if torch.backends.mps.is_available() else "cpu"), "", driver


def cpu_speedup() -> float:
    """As `fit` measures it."""
    from assignments_lib.training.precision import speedup

    return speedup("cpu")


def data_folder() -> Path:
    """Where data lives."""
    from assignments_lib.datasets import data_root

    return data_root()


def source_names() -> list[str]:
    """The data sets there are; none where torch is too broken to import them."""
    try:
        from assignments_lib.datasets import SOURCES
    except Exception:  # torch's own line has told it
        return []
    return list(SOURCES)


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.is_dir())


def find_kernel() -> tuple[list[str] | None, str]:
    """Command and folder of the kernel "python3", as Jupyter finds it."""
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ModuleNotFoundError:  # it comes with ipykernel and with JupyterLab
        return None, ""
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return None, ""
    return list(spec.argv), os.fspath(spec.resource_dir)


if __name__ == "__main__":
    raise SystemExit(main())
