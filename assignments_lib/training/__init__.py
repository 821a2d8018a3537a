"""Everything around a training loop: device, seeds, precision, progress, history, checkpoints.

The loop itself can be the student's: `fit` takes it as an argument, and else uses a `Loop` of the library's own.
"""

from assignments_lib.training.device import choose_device
from assignments_lib.training.fitting import fit
from assignments_lib.training.history import Epoch, History
from assignments_lib.training.precision import faster_in_bfloat16
from assignments_lib.training.randomness import seed_everything
from assignments_lib.training.returned import TrainingStopped

__all__ = [
    "Epoch",
    "History",
    "TrainingStopped",
    "choose_device",
    "faster_in_bfloat16",
    "fit",
    "seed_everything",
]
