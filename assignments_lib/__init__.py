"""What the notebooks of the course day import: data, training, pictures and checks."""

from assignments_lib.not_filled_in import NotFilledIn

__all__ = ["NotFilledIn"]
__version__ = "0.1.0"
