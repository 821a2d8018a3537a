"""The checks of assignment 2: ``from assignments_lib.checks import augmentation as check``."""
