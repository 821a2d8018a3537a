"""The pictures of the notebooks. Each function draws, describes the picture in words, and displays it."""

from assignments_lib.plots.architecture import network
from assignments_lib.plots.block import residual_block, residual_blocks
from assignments_lib.plots.by_class import per_class
from assignments_lib.plots.grids import contact_sheet, gallery, worst_mistakes
from assignments_lib.plots.heat import heat_maps
from assignments_lib.plots.lines import LiveCurves, curves, gradient_norms
from assignments_lib.plots.matrix import confusion
from assignments_lib.plots.overlay import masks, overlays, predictions
from assignments_lib.plots.picture import show
from assignments_lib.plots.receptive import receptive_field
from assignments_lib.plots.runs import spread
from assignments_lib.plots.sampling import align_corners, sampling_grid

__all__ = [
    "LiveCurves",
    "align_corners",
    "confusion",
    "contact_sheet",
    "curves",
    "gallery",
    "gradient_norms",
    "heat_maps",
    "masks",
    "network",
    "overlays",
    "per_class",
    "predictions",
    "receptive_field",
    "residual_block",
    "residual_blocks",
    "sampling_grid",
    "show",
    "spread",
    "worst_mistakes",
]
