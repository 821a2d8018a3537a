"""The networks of the lecture that no assignment asks for, and the dense CRF."""

from __future__ import annotations

from assignments_lib.segmentation.crf import DenseCRF, dense_crf
from assignments_lib.segmentation.deeplab import ASPP, DeepLabV3Plus, SeparableConv2d
from assignments_lib.segmentation.hypercolumns import Hypercolumns, hypercolumns, similar
from assignments_lib.segmentation.unet import Step, UNet, trace

__all__ = [
    "ASPP",
    "DeepLabV3Plus",
    "DenseCRF",
    "Hypercolumns",
    "SeparableConv2d",
    "Step",
    "UNet",
    "dense_crf",
    "hypercolumns",
    "similar",
    "trace",
]
