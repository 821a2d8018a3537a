"""Stands in for the modules of checks where a submission runs: its check cells do nothing, and find nothing."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **kwargs: None
