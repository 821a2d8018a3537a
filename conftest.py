"""For every test run: notebooks are slow tests, whose cells never reach for the network, and are done in time."""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest

# A run must not depend on whether a server answers: weights and data come from the cache, or are made here.
os.environ.setdefault("ASSIGNMENTS_OFFLINE", "1")
# Nor on how fast the machine is: nbval gives a cell 90 s, and a slow one sees fewer batches (`training.allowance`).
os.environ.setdefault("ASSIGNMENTS_SECONDS", "70")

# What comes first, so that two workers end together: solved notebooks, and beside them what keeps one core busy; then
# what starts kernels, too, but trains them little. What takes seconds fills the gaps at the end.
_FIRST = (
    "notebooks/",
    "tests/checks/",
    "tests/grading/",
    "tests/authoring/",
    "tests/browser/",
    "tests/notebooks/",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """A folder for pictures, as tests in a browser pass by what the README shows."""
    parser.addoption("--pictures", metavar="FOLDER", help="where browser tests save the README's pictures")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Notebooks are slow tests."""
    if item.path.suffix == ".ipynb":
        item.add_marker("slow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put them in the order above."""

    def place(item: pytest.Item) -> int:
        return next((n for n, folder in enumerate(_FIRST) if item.nodeid.startswith(folder)), len(_FIRST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: looking through them again takes the garbage collector a second each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n 2`: a file's tests stay together, and so do all that train in earnest, and all that need a browser.

    Two trainings at once on two cores take far longer than one after the other, and a browser must not wait for long.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next(
                (folder for folder in ("notebooks/", "tests/browser/") if file.startswith(folder)), file
            )

    return ByFile(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any) -> Iterator[None]:
    """Where a notebook's training was cut short, what its results must be isn't known: expect them to differ."""
    outcome = yield
    if item.path.suffix != ".ipynb":
        return
    notebook, report = item.parent, outcome.get_result()
    if "Cut short: to be done in" in str(item.test_outputs):
        notebook.cut_short = True
    compared = report.failed and "Cell outputs differ" in str(report.longrepr)
    result = "needs" in item.cell.metadata.get(
        "assignments", {}
    )  # not a check: those don't depend on training
    if compared and result and getattr(notebook, "cut_short", False):
        report.outcome, report.wasxfail = "skipped", "this machine was too slow for the whole training"
