"""From `notebooks/source/*.py` to the notebooks students open and instructors read (see `build`)."""

BUDGET = 90  # seconds a cell may take in this course, on 2 CPU cores
