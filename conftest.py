"""For every test run: notebooks are slow tests, and a notebook's cells never reach for the network."""

import os

import pytest

# A run must not depend on whether a server answers: weights and data come from the cache, or are made here.
os.environ.setdefault("ASSIGNMENTS_OFFLINE", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("slow")
