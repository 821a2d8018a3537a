"""Run a notebook from top to bottom in a fresh kernel of this very Python."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from assignments_lib.authoring import BUDGET
from assignments_lib.authoring.tidy import tidy

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ran:
    """How long one cell took, in seconds."""

    cell: str
    seconds: float


@dataclass(eq=False)
class CellFailed(Exception):
    """A cell raised, took too long, or took the kernel down with it."""

    cell: NotebookNode
    name: str  # of the exception
    message: str
    traceback: str = ""  # as IPython shows it, colours included

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name

    @property
    def line(self) -> int | None:
        """The line of the cell that raised, counted from 1, where the traceback tells."""
        own = re.findall(r"Cell In\[(\d+)\],? line (\d+)", _ESCAPES.sub("", self.traceback))
        lines = [int(line) for count, line in own if int(count) == self.cell.execution_count]
        return lines[0] if lines else None


class _ThisPython(AsyncKernelManager):
    """Starts the interpreter that is running now, whichever kernels the machine knows under that name.

    It logs errors only, or each build would begin with warnings about its transport.
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict(["--log-level=40"]))


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    timeout: int | None = BUDGET,
    environment: dict[str, str] | None = None,
    allow_errors: bool = False,
    on_cell: Callable[[NotebookNode], None] = lambda cell: None,
) -> list[Ran]:
    """Execute a notebook in place and tidy its outputs (see `tidy`), also where a cell fails.

    Args:
        notebook: gets outputs and execution counts; those it had are dropped.
        folder: the kernel's working directory.
        timeout: seconds a cell may take; None for no limit.
        environment: variables the kernel gets besides this process's.
        allow_errors: go on after a cell that raises; its error is its output.
        on_cell: called with each code cell before it runs.

    Returns:
        The time each code cell took, in the order they ran.

    Raises:
        CellFailed: a cell raised (unless errors are allowed), took too long, or killed the kernel.
    """
    ran: list[Ran] = []
    began = 0.0
    current = nbformat.v4.new_code_cell()  # the cell that runs

    def start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal began, current
        began, current = monotonic(), cell
        on_cell(cell)

    def end(cell: NotebookNode, **_: Any) -> None:
        ran.append(Ran(cell.id, monotonic() - began))

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_manager_class=_ThisPython,
        resources={"metadata": {"path": str(folder)}},
        timeout=timeout,
        allow_errors=allow_errors,
        record_timing=False,
        coalesce_streams=True,
        on_cell_execute=start,
        on_cell_executed=end,
    )
    # A debugger's warning about frozen modules would be the first thing every build prints
    variables = {**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1", **(environment or {})}
    try:
        client.execute(env=variables)
    except CellExecutionError as error:
        shown = [output for output in current.outputs if output.output_type == "error"]
        traceback = "\n".join(shown[-1].traceback) if shown else str(error)
        raise CellFailed(current, error.ename, error.evalue, traceback) from None
    except CellTimeoutError:
        raise CellFailed(
            current, "Timeout", f"took longer than {timeout} s, the limit for one cell"
        ) from None
    except DeadKernelError:
        raise CellFailed(current, "DeadKernel", "the kernel died, perhaps for want of memory") from None
    finally:
        tidy(notebook)
    return ran
