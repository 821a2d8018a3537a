"""Augmentation of whole batches for training, every picture on random draws of its own, on a CPU or a GPU.

A `Pipeline` is made from steps, and takes batches as a loader gives them:

    augment = Pipeline(RandomResizedCrop(224), HorizontalFlip(), ColorJitter(0.4, 0.4, 0.4, 0.1), Normalize())
    images, labels = augment(images, labels)  # or masks instead of labels
"""

from assignments_lib.augmentation.colour import ColorJitter, Normalize
from assignments_lib.augmentation.geometry import HorizontalFlip, PaddedCrop, RandomAffine, RandomResizedCrop
from assignments_lib.augmentation.mixing import CutMix, MixUp
from assignments_lib.augmentation.pipeline import Pipeline

__all__ = [
    "ColorJitter",
    "CutMix",
    "HorizontalFlip",
    "MixUp",
    "Normalize",
    "PaddedCrop",
    "Pipeline",
    "RandomAffine",
    "RandomResizedCrop",
]
