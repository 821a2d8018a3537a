"""What the tests of the checks need: one thread, so that sums come out alike, and a child process to talk to."""

from collections.abc import Iterator

import pytest
import torch

from assignments_lib.checks.child import ChildProcess


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def child(_one_thread: None) -> Iterator[ChildProcess]:
    """One long-lived child for all tests that don't break it: give it sources with `define`."""
    with ChildProcess(timeout=120) as process:
        process.define(["import torch\ntorch.set_num_threads(1)"])
        yield process
