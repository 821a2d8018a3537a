"""What the notebooks of the course day import: data, training, pictures and checks."""

import os

# PyTorch's CPU threads spin while they wait for each other, unless told to sleep. On two idle cores sleeping costs a
# quarter of the speed; where a browser or another program keeps them busy it is 1.6 to 1.9 times as fast, and training
# never comes to a near halt, as it otherwise may (benchmarks/waiting.py). It counts before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from assignments_lib.not_filled_in import NotFilledIn
from assignments_lib.not_there_yet import install as _watch_for_blank_exercises

_watch_for_blank_exercises()

__all__ = ["NotFilledIn"]
__version__ = "0.1.0"
