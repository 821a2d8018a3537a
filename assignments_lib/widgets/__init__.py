"""Demonstrations to play with: controls beside the pictures that they change, and still pictures where nothing moves.

`panel` shows any function's pictures with controls for its arguments. A `Demonstration` is a class with both: what its
controls are, and the pictures for their values, which can be had without any controls. The lecture's are:

    what segmentation is    `FourTasks`, `NewBackground`
    FCN                     `FlattenOrConvolve`, `OneByOne`, `ReceptiveField`
    upsampling              `Stamps1D`, `Stamps2D`, `Checkerboard`, `Cures`
    low and high layers     `FeatureMaps`, `Fusion`
    Hypercolumns            `HypercolumnLookup`, `HypercolumnBox`
    U-Net                   `UShape`, `Skips`, `OddSizes`
    DeepLab                 `CRF`, `Dilation`, `Gridding`, `ASPPBranches`, `SeparableCost`
    measuring               `Measures`
"""

from assignments_lib.widgets.aspp import ASPPBranches
from assignments_lib.widgets.background import NewBackground
from assignments_lib.widgets.checkerboard import Checkerboard, Cures
from assignments_lib.widgets.controls import Choice, Control, Slider, Switch
from assignments_lib.widgets.crf import CRF
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.dilation import Dilation, Gridding
from assignments_lib.widgets.feature_maps import FeatureMaps
from assignments_lib.widgets.fusion import Fusion
from assignments_lib.widgets.lookup import HypercolumnBox, HypercolumnLookup
from assignments_lib.widgets.measures import Measures
from assignments_lib.widgets.odd_sizes import OddSizes
from assignments_lib.widgets.one_size import FlattenOrConvolve, OneByOne
from assignments_lib.widgets.panel import Drawing, Pictures, panel
from assignments_lib.widgets.receptive import ReceptiveField
from assignments_lib.widgets.separable import SeparableCost
from assignments_lib.widgets.skips import Skips
from assignments_lib.widgets.stamps import Stamps1D, Stamps2D
from assignments_lib.widgets.tasks import FourTasks
from assignments_lib.widgets.u_shape import UShape

__all__ = [
    "CRF",
    "ASPPBranches",
    "Checkerboard",
    "Choice",
    "Control",
    "Cures",
    "Demonstration",
    "Dilation",
    "Drawing",
    "FeatureMaps",
    "FlattenOrConvolve",
    "FourTasks",
    "Fusion",
    "Gridding",
    "HypercolumnBox",
    "HypercolumnLookup",
    "Measures",
    "NewBackground",
    "OddSizes",
    "OneByOne",
    "Pictures",
    "ReceptiveField",
    "SeparableCost",
    "Skips",
    "Slider",
    "Stamps1D",
    "Stamps2D",
    "Switch",
    "UShape",
    "panel",
]
