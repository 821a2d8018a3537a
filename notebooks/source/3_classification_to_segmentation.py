# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Assignment 3: From classification to segmentation
#
# The network of assignment 1 says *what* is in a picture. You turn it, step by step, into one that says *where*: a class for every pixel. After each step you see
# what changed, and at the end you measure how much each step helps.
#
# **After this assignment you can**
#
# - turn a fully connected head into a convolution, and say why the classifier then takes pictures of any size;
# - measure segmentations by *IoU* and its relatives, and say what pixel accuracy hides;
# - enlarge feature maps by *transposed convolution*, without a checkerboard pattern;
# - build *fully convolutional networks* (FCN-32s, 16s and 8s, Long et al. 2015), *dilate* a network (DeepLab), and write a decoder step of a *U-Net* that works with odd sizes;
# - train all of them from a classifier's weights, and compare them fairly.
#
# **How it works.** As before: put your code where `raise NotFilledIn(...)` stands, run the cell, and run the check below it. The package counts, draws and trains; you write all parts of the segmentation itself. New words are explained where they
# first appear. The lecture (`0_lecture_semantic_segmentation`) shows each of these ideas in demonstrations, and ends with a glossary; a shorter list in English and Korean stands at the end of this notebook. The times include reading, and trying
# again once or twice.
#
# | Part | Exercises | Points | About how long |
# |---|---|---|---|
# | A classifier for every place | 3.1 and 3.2 | {points: 3.1 3.2} | 70 minutes |
# | Measure | 3.3 | {points: 3.3} | 45 minutes |
# | Back to full size | 3.4 and 3.5 | {points: 3.4 3.5} | 100 minutes |
# | Finer maps | 3.6 and 3.7 | {points: 3.6 3.7} | 100 minutes |
# | The experiment | 3.8, questions Q1 and Q2 | {points: 3.8 Q1 Q2} | 80 minutes |

# %% editable=true tags=["set-up"]
# On Colab: installs the course's package, and leaves PyTorch and NumPy as they are. Elsewhere: does nothing.
KEEP_ON_DRIVE = False  # True: your Google Drive keeps data and trained networks when Colab restarts
PACKAGE = ""  # where the package is; a wheel that you uploaded with the Files panel goes first
import glob, importlib.metadata, importlib.util, os, sys

if "google.colab" in sys.modules:
    if importlib.util.find_spec("assignments_lib") is None:
        package = (glob.glob("assignments_lib-*.whl") or [PACKAGE])[0]
        names = ("torch", "torchvision", "numpy")
        as_they_are = " ".join(f"{name}=={importlib.metadata.version(name)}" for name in names)
        # %pip install --quiet {package} {as_they_are}
        if importlib.util.find_spec("assignments_lib") is None:
            raise SystemExit(
                "The package is not installed. Is there a network?\n"
                "If so, upload assignments_lib-….whl in the Files panel.\n"
                "Then run this cell again."
            )
    if KEEP_ON_DRIVE:
        importlib.import_module("google.colab.drive").mount("/content/drive")
        os.environ["ASSIGNMENTS_DATA"] = "/content/drive/MyDrive/assignments"

# %%
from assignments_lib import NotFilledIn, plots, widgets  # first, as it tells PyTorch how to share the processor

import copy
import math
import time

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torch.utils.data import DataLoader, RandomSampler

from assignments_lib import augmentation
from assignments_lib.checks import segmentation as check
from assignments_lib.classifier import from_assignment_1
from assignments_lib.datasets import SOURCES, data_root, load, load_masks
from assignments_lib.metrics import ConfusionMatrix, boundary_bands
from assignments_lib.training import choose_device, fit, seed_everything
from assignments_lib.trunk import Trunk

device = choose_device()

# %% tags=["parameters"]
DATASET = "scenes"  # or "camvid" (streets), "pets", "nuclei", "voc": downloaded on first use
SEED = 0

# %% [markdown]
# ## Your classifier
#
# Assignment 1 kept your trained ResNet34 under `data/checkpoints`. It is loaded from there, into torchvision's network of the same layers. If it isn't there, one is trained
# here and now, in about a minute.

# %%
seed_everything(SEED)
held_out = load("doodles", "test", per_class=40, size=32, channels=3)
classifier = from_assignment_1()
if classifier is None:
    learned_from = load("doodles", "train", per_class=400, size=32, channels=3)
    classifier = torchvision.models.resnet34(num_classes=10, zero_init_residual=True)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=1e-3, weight_decay=1e-2)
    fit(
        classifier, DataLoader(learned_from, 64, shuffle=True), DataLoader(held_out, 100), optimizer, epochs=3,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3), device=device,
        watch=plots.LiveCurves("The classifier of assignment 1"), checkpoint="3_segmentation/classifier",
    )
classifier.cpu().eval()
with torch.no_grad():
    right = torch.cat([classifier(images).argmax(1) == labels for images, labels in DataLoader(held_out, 100)])
print(f"It names {right.float().mean():.1%} of {len(held_out)} held-out drawings of {len(held_out.classes)} things.")

# %% [markdown]
# A `Trunk` is the classifier without its head (other people say *backbone* or *encoder*). Call it with pictures, and it gives a list of the *feature maps* of all four stages, finest first: the last one, `[-1]`, is the *coarsest*, with the fewest units.
# One place of a map, with all its channels, is a *unit*. `trunk.strides` says for each map how many pixels of the picture lie between neighbouring units, `trunk.channels` how many channels the map has. Sizes are rounded **up**.

# %%
trunk = Trunk.of(classifier)
for size in ((32, 32), (160, 224), (75, 101)):
    with torch.no_grad():
        features = trunk(torch.zeros(1, 3, *size))
    shapes = "   ".join(f"{channels} x {tuple(map_.shape[2:])}" for channels, map_ in zip(trunk.channels, features))
    print(f"a picture of {size[0]:>3} x {size[1]:<3} gives  {shapes}")

# %% [markdown]
# # A classifier for every place
#
# ## 3.1 From fully connected to convolutional
# *easy, about 20 minutes, {points: 3.1} points*
#
# A *fully connected* layer takes a vector of one length. Older classifiers (AlexNet, VGG) **flatten** their last map into it, which fixes the size of the picture, and forgets which number came from where:

# %%
flat_head = nn.Linear(512 * 2 * 2, 10)
for side in (64, 96):
    with torch.no_grad():
        numbers = trunk(torch.zeros(1, 3, side, side))[-1].flatten(1).shape[1]
    verdict = "fits" if numbers == flat_head.in_features else "doesn't fit"
    print(f"{side} x {side} pixels, flattened: {numbers:,} numbers. The layer takes {flat_head.in_features:,}: {verdict}")

# %% [markdown]
# Long et al. (2015, section 3.1) look at it the other way: a fully connected layer over a map of k x k units is a **convolution** with a k x k kernel, at the one place where that kernel fits. On a larger map it fits at many
# places, and gives the class *scores* (logits) of each. After an average over the map (as in ResNet) the layer takes the channels of *one* place: then k is 1.
#
# A row of the layer's weight matrix holds the numbers of one output, in the order in which `flatten` reads a map: channel by channel, in each channel row by row. A convolution keeps its weights as
# (outputs, channels, rows, columns).


# %% exercise="3.1"
def convolutionalize(fc: nn.Linear, kernel_size: int = 1) -> nn.Conv2d:
    """A convolution that does everywhere what `fc` does in one place.

    `fc` takes `maps.flatten(1)` of maps (N, C, kernel_size, kernel_size). The convolution, without padding and with stride 1, takes maps
    (N, C, H, W) of any size. It has a copy of fc's weight *and bias* (no bias if fc has none), which can learn and have the
    same float type; `fc` itself stays as it is. The number of channels C follows from fc.in_features.
    """
    ### BEGIN SOLUTION
    channels = fc.in_features // kernel_size**2
    convolution = nn.Conv2d(channels, fc.out_features, kernel_size, bias=fc.bias is not None, dtype=fc.weight.dtype)
    with torch.no_grad():
        convolution.weight.copy_(fc.weight.view_as(convolution.weight))
        if fc.bias is not None:
            convolution.bias.copy_(fc.bias)
    return convolution
    ### END SOLUTION


# %% check="3.1" tags=["nbval-check-output"]
check.convolutionalize(convolutionalize)

# %% [markdown]
# <details><summary>Help: "a leaf Variable that requires grad is being used in an in-place operation"</summary>
#
# Copying values isn't a step of learning: do it under `torch.no_grad()`.
# </details>
# <details><summary>Help: the shape is right and the values aren't</summary>
#
# Transposing and reshaping both change which number stands where, and a shape can be right by chance. Which index of `fc.weight` is the output, and which one becomes the channel?
# </details>
# <details><summary>Help: the copy changes when the original learns</summary>
#
# `nn.Parameter(fc.weight)` and `.data = fc.weight.data` look at the same memory. `clone` or `copy_` make a copy.
# </details>
#
# On pictures of the size it was trained with, the converted classifier says the same as the old one; and on larger pictures the mean of its map does, because averaging and a linear layer can be done in either order:

# %% needs="3.1" tags=["nbval-check-output"]
precise, precise_head = copy.deepcopy(classifier).double(), convolutionalize(copy.deepcopy(classifier.fc).double())
with torch.no_grad():
    for side in (32, 100):
        images = torch.rand(8, 3, side, side, dtype=torch.float64)
        map_ = precise_head(Trunk.of(precise)(images)[-1])  # (8, 10, h, w)
        same = torch.allclose(map_.mean((2, 3)), precise(images), atol=1e-6)
        print(f"{side} x {side} pixels give scores at {map_.shape[2]} x {map_.shape[3]} places; their mean is the classifier's answer: {same}")


# %% [markdown]
# ## 3.2 A heat map
# *medium, about 40 minutes, {points: 3.2} points*
#
# Put several drawings anywhere on a sheet of paper: where is the hourglass? A network that has only seen drawings in the middle of small pictures can't find it. So a copy of yours, the *finder*, learns for
# about a minute from larger sheets, with one drawing on each, anywhere. It is told the **name** of what is on them, and never the place.

# %%
drawings = load("doodles", "train", per_class=400, size=32, channels=3)


def strewn(images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each drawing (3, 32, 32) somewhere on a sheet of 96 x 96 pixels, with its label."""
    sheets = torch.zeros(len(images), 3, 96, 96, device=images.device)
    for sheet, image, (top, left) in zip(sheets, images, torch.randint(0, 65, (len(images), 2)).tolist()):
        sheet[:, top : top + 32, left : left + 32] = image
    return sheets, labels


seed_everything(SEED)
finder = copy.deepcopy(classifier)
optimizer = torch.optim.AdamW(finder.parameters(), lr=1e-3, weight_decay=1e-2)
fit(
    finder, DataLoader(drawings, 16, sampler=RandomSampler(drawings, num_samples=800)),
    [strewn(*next(iter(DataLoader(held_out, 400))))], optimizer, epochs=5, augment=strewn, device=device,
    scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5), watch=plots.LiveCurves("The finder, on sheets with one drawing"),
    checkpoint=f"3_segmentation/finder, seed {SEED}",
)
finder_trunk = Trunk.of(finder.cpu().eval())


# %% [markdown]
# And now sheets as it has never seen them: larger, with six drawings.

# %%
def page(seed: int, height: int = 192, width: int = 288) -> tuple[torch.Tensor, list[int], list[tuple[int, int]]]:
    """Six drawings of six things on paper (3, height, width), their labels, and the row and column of the middle of each."""
    chance = torch.Generator().manual_seed(seed)
    things = torch.randperm(10, generator=chance)[:6].tolist()
    paper, middles = torch.zeros(3, height, width), []
    for place, thing in enumerate(things):
        which = torch.nonzero(held_out.labels == thing).flatten()
        drawing = held_out[which[torch.randint(len(which), (), generator=chance)]][0]
        top = place // 3 * height // 2 + int(torch.randint(height // 2 - 32, (), generator=chance))
        left = place % 3 * width // 3 + int(torch.randint(width // 3 - 32, (), generator=chance))
        paper[:, top : top + 32, left : left + 32] = drawing
        middles.append((top + 16, left + 16))
    return paper, things, middles


pages = [page(seed) for seed in range(10)]
plots.gallery(
    torch.stack([1 - paper for paper, _, _ in pages[:2]]), [", ".join(held_out.classes[thing] for thing in things) for _, things, _ in pages[:2]],
    columns=2, title="Two of ten sheets",
)

# %% [markdown]
# The last map has one unit for every 32 pixels. To lay it over the picture, its **scores** are enlarged bilinearly to the picture's size (`F.interpolate` with `mode="bilinear"` and `align_corners=False`), and at each pixel the *softmax*
# over the **classes** turns them into probabilities. The probabilities of one class are its *heat map*: it is "hot" where the class probably is. Put the network into evaluation mode, and record no gradients.
#
# There are two ways to read the heat of one class: the *hottest* five percent of the pixels, and the *peak*, the place of its largest value.


# %% exercise="3.2"
def heat_map(trunk: nn.Module, head: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Class probabilities for every pixel: images (N, 3, H, W) -> (N, classes, H, W).

    `trunk(images)` is a list of maps; `head`, a convolution as in 3.1, gives class scores for the last, coarsest one.
    """
    ### BEGIN SOLUTION
    trunk.eval()
    head.eval()
    with torch.no_grad():
        scores = head(trunk(images)[-1])  # (N, classes, H / 32, W / 32)
        scores = F.interpolate(scores, size=images.shape[-2:], mode="bilinear", align_corners=False)
        return scores.softmax(dim=1)
    ### END SOLUTION


def hottest(heat: torch.Tensor, share: float = 0.05) -> torch.Tensor:
    """True for the hottest pixels: heat (H, W) -> bool (H, W).

    Exactly `round(share * H * W)` pixels are True, and at least one. Among equally hot pixels, choose any.
    """
    ### BEGIN SOLUTION
    number = max(1, round(share * heat.numel()))
    mask = torch.zeros(heat.numel(), dtype=torch.bool)
    mask[heat.flatten().topk(number).indices] = True
    return mask.view(heat.shape)
    ### END SOLUTION


def peak(heat: torch.Tensor) -> tuple[int, int]:
    """Row and column of the largest value of heat (H, W), counted from 0, as Python integers."""
    ### BEGIN SOLUTION
    row, column = divmod(heat.argmax().item(), heat.shape[1])
    return row, column
    ### END SOLUTION


# %% check="3.2" tags=["nbval-check-output"]
check.heat_map(heat_map, hottest, peak)

# %% [markdown]
# <details><summary>Help: heat is nearly the same everywhere, or depends on the other pictures</summary>
#
# Softmax makes numbers along *one* dimension add up to 1. Print `heat.sum(1)`. And in training mode BatchNorm mixes the pictures of a batch.
# </details>
# <details><summary>Help: the map is a few pixels too large</summary>
#
# 75 pixels give 3 units; 3 times 32 is 96. Say to which *size* you want to enlarge, not by which factor.
# </details>
# <details><summary>Help: argmax gives one number</summary>
#
# It numbers the pixels of the flattened map, row by row. How many pixels are there in a row?
# </details>
#
# The heat of all six things on the first sheet: the line surrounds the hottest five percent, the cross is the peak.


# %% needs="3.1 3.2"
finder_head = convolutionalize(finder.fc)


def heats(trunk, number: int) -> torch.Tensor:
    """The heat of each of the six things on the sheet of that number: (6, H, W)."""
    paper, things, _ = pages[number]
    return heat_map(trunk, finder_head, paper[None])[0, things]


paper, things, _ = pages[0]
found = heats(finder_trunk, 0)
plots.heat_maps(
    (1 - paper).expand(6, -1, -1, -1), found, [held_out.classes[thing] for thing in things], columns=3,
    hot=torch.stack([hottest(one) for one in found]), peaks=[peak(one) for one in found],
    title="Where is it? Learned from names alone",
)


# %% needs="3.1 3.2"
def hits(trunk) -> int:
    """Of 60 drawings, how many have their peak within 24 pixels of their middle."""
    number = 0
    for index, (_, _, middles) in enumerate(pages):
        for one, (row, column) in zip(heats(trunk, index), middles):
            y, x = peak(one)
            number += abs(y - row) <= 24 and abs(x - column) <= 24
    return number


print(f"stride 32: {hits(finder_trunk)} of 60 peaks are where the drawing is; by chance it would be about 3")

# %% [markdown]
# Nobody told the network where anything is, and often it knows roughly. It can't be more exact: one unit gives the scores for 32 x 32 pixels, and it has looked at many more than those. From here on we want exact borders. For that we need masks to learn from, and a measure.
#
# # Measure
#
# ## 3.3 Masks and scores
# *medium, about 45 minutes, {points: 3.3} points*
#
# A *mask* gives the number of a class to every pixel. 255 means *ignore*: the class isn't known or doesn't matter, and such a pixel counts neither in a loss nor in a score. Our pictures are *scenes*: the ten things, coloured in, in front of textured backgrounds.

# %%
SIZE = (80, 112)  # height and width: neither is a multiple of 32
train_data = load_masks(DATASET, "train", size=SIZE, number=2000)
test_data = load_masks(DATASET, "test", size=SIZE, number=200)
classes = train_data.classes
print(f"{train_data.name}: {len(train_data):,} pictures to learn from, {len(test_data):,} to test on; {len(classes)} classes")
plots.overlays(train_data.images[:12], train_data.masks[:12], classes, title="Pictures with their masks")

# %% [markdown]
# **From files to class numbers.** In a PNG file a mask is a grey picture. The grey values are *names*, not amounts: in one data set class 3 is stored as 3, in another as 75 or 128. A list says which grey value stands for which class. Every grey value that isn't in the list becomes 255, "ignore".
# And because they are names, there is nothing between two of them: a mask that is brought to another size takes, at each new pixel, the label of the nearest old one.
#
# **From counts to scores.** A *confusion matrix* counts: `counts[t, p]` is how many pixels of class t (the truth) were called p (the prediction). The package counts (`ConfusionMatrix`), you turn counts into scores:
#
# $$ \mathrm{IoU}_c = \frac{\text{pixels that are } c \text{ and were called } c}{\text{pixels that are } c \text{ or were called } c} $$
#
# - *Intersection over union*, IoU, is 1 only for a perfect mask. Calling too many pixels *c* makes it smaller, and so does calling too few. A pixel that is *c* and was called *c* counts once in the union, not twice.
# - A class of which no pixel is there, and none was called, has no IoU: 0 / 0 is **nan** ("not a number"). Counting it as 0 would punish a right answer, counting it as 1 would reward doing nothing.
# - *mIoU*, mean IoU, is the mean over the classes that *occur*: those that are there or were called, all but the nan. It is computed for the **whole** test set: all counts are added up first. A mean of each picture's mIoU is another number, which
#   depends on which pixels are in the same picture.
# - *Pixel accuracy* is the share of counted pixels that are right.


# %% exercise="3.3"
def to_labels(grey: torch.Tensor, values: list[int]) -> torch.Tensor:
    """Grey values of mask files as class numbers: (N, H, W) uint8 -> (N, H, W) int64.

    Class k is stored as the grey value `values[k]`. Every other grey value becomes 255. (A grey value of one class may be
    the number of another: values can be [3, 0, 1], for example.)
    """
    ### BEGIN SOLUTION
    table = torch.full((256,), 255)
    table[torch.tensor(values)] = torch.arange(len(values))
    return table[grey.long()]
    ### END SOLUTION


def resize_masks(masks: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Masks (N, H, W) int64 brought to another size: (N, height, width) int64. No label appears that was not there."""
    ### BEGIN SOLUTION
    return F.interpolate(masks[:, None].double(), size=(height, width), mode="nearest-exact")[:, 0].long()
    ### END SOLUTION


def iou(counts: torch.Tensor) -> torch.Tensor:
    """IoU of each class: counts (C, C) int64 -> (C,) float64; nan for a class that neither is there nor was called."""
    ### BEGIN SOLUTION
    counts = counts.double()
    intersection = counts.diagonal()
    union = counts.sum(0) + counts.sum(1) - intersection
    return intersection / union
    ### END SOLUTION


def mean_iou(counts: torch.Tensor) -> float:
    """mIoU of a set of pictures: the mean over the classes that occur.

    counts is (C, C), or (N, C, C) with a matrix for each picture, to be added up first. nan if no class occurs.
    """
    ### BEGIN SOLUTION
    if counts.ndim == 3:
        counts = counts.sum(0)
    return iou(counts).nanmean().item()
    ### END SOLUTION


def pixel_accuracy(counts: torch.Tensor) -> float:
    """Share of the counted pixels that are right, from 0 to 1: counts (C, C) or (N, C, C). nan if there are no pixels."""
    ### BEGIN SOLUTION
    if counts.ndim == 3:
        counts = counts.sum(0)
    return (counts.diagonal().sum() / counts.sum()).item()
    ### END SOLUTION


# %% check="3.3" tags=["nbval-check-output"]
check.scores(to_labels, resize_masks, iou, mean_iou, pixel_accuracy)

# %% [markdown]
# <details><summary>Help: some classes come out as others</summary>
#
# If you replace one value after another in the same tensor, a pixel that has just become 1 may be replaced again. Look all of them up at once, or write into a new tensor.
# </details>
# <details><summary>Help: "upsample_nearest2d" is not implemented for 'Long'</summary>
#
# Make floats of the labels, resize them with a mode that takes the nearest pixel, and make whole numbers of them again. `interpolate` also wants a dimension for channels.
# </details>
# <details><summary>Help: IoU above 1, or too small</summary>
#
# Row sum plus column sum counts the intersection twice.
# </details>
# <details><summary>Help: mIoU is nan</summary>
#
# A mean with one nan in it is nan. Which classes take part?
# </details>
#
# Three "models" on the test masks: one that calls everything background (or whatever comes first), the truth moved by two pixels, and the truth with one class never called.

# %% needs="3.3"
truth = test_data.masks.long()
last = len(classes) - 1
answers = {
    f"everything {classes[0]}": torch.zeros_like(truth),
    "the truth, 2 pixels to the right": truth.roll(2, dims=-1).where(truth.roll(2, dims=-1) != 255, 0),
    f"the truth, but never {classes[last]}": truth.where((truth != last) & (truth != 255), 0),
}
for name, answer in answers.items():
    matrix = ConfusionMatrix(len(classes))
    matrix.update(answer, truth)
    single = []
    for one, mask in zip(answer, truth):
        alone = ConfusionMatrix(len(classes))
        alone.update(one[None], mask[None])
        single.append(alone.counts)
    each = torch.tensor([mean_iou(counts) for counts in single])
    print(
        f"{name:<34} pixel accuracy {pixel_accuracy(matrix.counts):.2f}   mIoU {mean_iou(torch.stack(single)):.2f}"
        f"   (mean of each picture's: {each.mean():.2f})"
    )

# %% [markdown]
# On scenes the first one is right for two thirds of the pixels and has found nothing. Pixel accuracy hides this; mIoU shows it. And the last column shows how much the mean of each picture's mIoU can differ from it: a class that is missed changes nothing in pictures without it.
#
# # Back to full size
#
# ## 3.4 Transposed convolution
# *medium, about 50 minutes, {points: 3.4} points*
#
# A convolution with stride 2 makes a map smaller. A *transposed convolution* with stride 2 makes it larger: every input unit **stamps** its kernel, times its value, onto the output. (Think of a rubber stamp on paper.) Each stamp lies $s$ units further than the one before, where $s$ is the stride; where stamps overlap they add up. Here `padding` *cuts off* that many
# units from each end of the result, `output_padding` adds that many units at one end, and `dilation` spreads the kernel as in an ordinary convolution.

# %%
row = torch.tensor([[[1.0, 2.0, 3.0]]])
stamp = torch.tensor([[[1.0, 10.0, 100.0]]])
print("three units, a kernel of 3, stride 2:", F.conv_transpose1d(row, stamp, stride=2).flatten().tolist())

# %% [markdown]
# How many stamps reach an output unit? With a kernel of 3 and stride 2 the numbers are 1, 1, 2, 1, 2, ...: they are unequal, and in two dimensions that makes a **checkerboard** (Odena et al. 2016), a pattern like a chess board.
#
# Enlarging *bilinearly* is a transposed convolution, too: its kernel falls off linearly from the middle, like a tent. For stride $s$ it needs a kernel of $2s - (s \bmod 2)$ and padding $\lceil (s - 1) / 2 \rceil$ (Long et al. 2015 start theirs so). Along one side, weight $i$ of a kernel of
# $k$ is $1 - |i - m| / f$ with the middle $m = (k - 1) / 2$; think about what $f$ must be for the weights that meet at one output unit to add up to 1. In two dimensions it is the product of both sides.


# %% exercise="3.4"
def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1) -> int:
    """How many units a transposed convolution gives along one side, from `size` units."""
    ### BEGIN SOLUTION
    return (size - 1) * stride + dilation * (kernel_size - 1) + 1 - 2 * padding + output_padding
    ### END SOLUTION


def overlaps(size: int, kernel_size: int, stride: int) -> list[int]:
    """For each output unit of a transposed convolution of `size` units in a row: how many stamps reach it.

    Without padding, from the first output unit to the last; units that no stamp reaches count 0.
    """
    ### BEGIN SOLUTION
    counts = [0] * ((size - 1) * stride + kernel_size)
    for unit in range(size):
        for weight in range(kernel_size):
            counts[unit * stride + weight] += 1
    return counts
    ### END SOLUTION


def bilinear_upsampling(channels: int, stride: int) -> nn.Module:
    """A transposed convolution that starts as bilinear enlarging, each channel by itself.

    (N, channels, H, W) -> (N, channels, H * stride, W * stride), for a stride of 2, 3, 4, ... Before any training it gives what
    `F.interpolate` gives (bilinear, align_corners=False), except in the outermost `stride` pixels. Its kernel can learn; it
    has no bias, or one of 0.
    """
    ### BEGIN SOLUTION
    kernel_size = 2 * stride - stride % 2
    layer = nn.ConvTranspose2d(
        channels, channels, kernel_size, stride, padding=math.ceil((stride - 1) / 2), groups=channels, bias=False
    )
    middle = (kernel_size - 1) / 2
    tent = 1 - (torch.arange(kernel_size) - middle).abs() / stride
    with torch.no_grad():
        layer.weight.copy_(tent[:, None] * tent)  # the same for each channel
    return layer
    ### END SOLUTION


# %% check="3.4" tags=["nbval-check-output"]
check.transposed_convolution(transposed_size, overlaps, bilinear_upsampling)

# %% [markdown]
# <details><summary>Help: the size is off by one</summary>
#
# The *first* stamp covers a whole kernel; each further one adds a stride. How many further ones are there?
# </details>
# <details><summary>Help: the enlarged picture is too dark, or too bright</summary>
#
# Look at a map of ones. At each output unit of the middle the weights that meet there must add up to 1, in both directions; the whole kernel then adds up to $s^2$.
# </details>
# <details><summary>Help: right for even strides, shifted for odd ones (or the reverse)</summary>
#
# With stride 3 an input unit lies on the *middle* of its three output units: the kernel is odd and has one peak. With stride 2 it lies between two output units: the kernel is even and has two equal largest weights.
# </details>
#
# How many stamps reach each unit, for a map of 6 x 6. Move the controls: when is the number the same everywhere, away from the border?


# %% needs="3.4"
def stamps(kernel_size=3, stride=2):
    """Overlap counts in two dimensions, white where the most stamps meet."""
    along = torch.tensor(overlaps(6, kernel_size, stride), dtype=torch.float32)
    counts = along[:, None] * along
    return {"stamps, from black (none) to white (the most)": (counts / counts.max())[None]}


widgets.panel(
    stamps, "Where stamps overlap", kernel_size=widgets.Slider(2, 8, 3, 4, step=1), stride=widgets.Slider(1, 4, 2, 3, step=1)
)

# %% [markdown]
# There are two ways to avoid this: a kernel size **divisible by the stride**, or enlarging first and convolving then. We measure both. Layers with random weights get a map of nothing but ones. For each place of their output, away from the border, we take the
# mean over 200 such layers of how large it is: is that the same everywhere?

# %% needs="3.4" tags=["nbval-check-output"]
def unevenness(layer_of) -> float:
    """How much more there is in the strongest place than in the weakest, over 200 layers of random weights."""
    torch.manual_seed(0)
    ones = torch.ones(1, 8, 12, 12)
    with torch.no_grad():
        power = torch.stack([layer_of()(ones)[0, :, 6:18, 6:18].pow(2).mean(0) for _ in range(200)]).mean(0).sqrt()
    return (power.max() / power.min()).item()


layers = {
    "kernel 3, stride 2": lambda: nn.ConvTranspose2d(8, 16, 3, stride=2, padding=1, output_padding=1, bias=False),
    "kernel 4, stride 2": lambda: nn.ConvTranspose2d(8, 16, 4, stride=2, padding=1, bias=False),
    "enlarge, then convolve": lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 16, 3, padding=1, bias=False)),
    "bilinear_upsampling": lambda: bilinear_upsampling(8, 2),
}
for name, layer_of in layers.items():
    ratio = unevenness(layer_of)
    print(f"{name:<24} {'even: within a tenth' if ratio < 1.1 else 'a checkerboard: ' + ('twice' if ratio > 1.8 else 'more') + ' as much in some places'}")

# %% [markdown]
# ## 3.5 A fully convolutional network
# *medium, about 50 minutes, {points: 3.5} points*
#
# *FCN-32s* scores the last map by a 1x1 convolution, as in 3.1, and enlarges the scores 32 times, to the size of the picture. ("32s" stands for stride 32.) All layers learn, the trunk's too.
#
# The last map knows *what*, but one unit gives the scores for 32 x 32 pixels. The maps before it know *where*. *FCN-16s* **scores** the map before, too (another 1x1 convolution, to the same number of classes), enlarges the coarse scores to the size of this finer map, and **adds** the two. *FCN-8s* does it once more with
# the map before that. Such a path from an earlier map is called a *skip*. What is added are scores of the same classes, not features:
#
# | | maps that are scored | enlarged at the end |
# |---|---|---|
# | FCN-32s, `skips=0` | stride 32 | 32 times |
# | FCN-16s, `skips=1` | stride 32, enlarged to the next map, plus stride 16 | 16 times |
# | FCN-8s, `skips=2` | that sum, enlarged to the next map, plus stride 8 | 8 times |
#
# (Long et al. 2015, section 4.2 and figure 3.) You may enlarge with bilinear `F.interpolate` to the size of the next map, or with transposed convolutions that start bilinear and are cropped where sizes are odd. Don't write fixed factors: look at the maps, or at `trunk.strides`. In exercise 3.6 the trunk gets other
# strides.
#
# Experiment 3.8 needs two things of your network: keep the trunk as `self.trunk`, and make each score layer an `nn.Conv2d` with a bias. In the paper a skip's score layer starts with weight and bias 0, so that at first nothing changes. The check accepts any start, but the experiment was tried with 0.
#
# The **loss** is the classifier's cross-entropy at every pixel, with the mean over the pixels that count: pixels of 255 don't count. If no pixel counts, the loss is 0, and `loss.backward()` still works.


# %% exercise="3.5"
def segmentation_loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over all pixels of the batch that aren't 255.

    Logits (N, C, H, W), masks (N, H, W) int64 -> a tensor with one number; 0, with gradients of 0, if no pixel counts.
    The inputs are not changed.
    """
    ### BEGIN SOLUTION
    total = F.cross_entropy(logits, masks, ignore_index=255, reduction="sum")
    return total / (masks != 255).sum().clamp(min=1)
    ### END SOLUTION


class FCN(nn.Module):
    """FCN-32s, 16s or 8s: images (N, 3, H, W) -> logits (N, num_classes, H, W), for any H and W from 32 up.

    `skips` is 0, 1 or 2, as in the table above: only skips + 1 maps are scored. The trunk is kept as `self.trunk`.
    """

    def __init__(self, trunk: nn.Module, num_classes: int, skips: int = 0):
        super().__init__()
        ### BEGIN SOLUTION
        self.trunk = trunk
        coarse_to_fine = trunk.channels[::-1]
        self.scores = nn.ModuleList(nn.Conv2d(channels, num_classes, 1) for channels in coarse_to_fine[: skips + 1])
        for score in self.scores[1:]:  # a skip starts with nothing to say
            nn.init.zeros_(score.weight)
            nn.init.zeros_(score.bias)
        ### END SOLUTION

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        coarse_to_fine = self.trunk(images)[::-1]
        logits = self.scores[0](coarse_to_fine[0])
        for score, features in zip(self.scores[1:], coarse_to_fine[1:]):
            logits = F.interpolate(logits, size=features.shape[-2:], mode="bilinear") + score(features)
        return F.interpolate(logits, size=images.shape[-2:], mode="bilinear")  # (N, num_classes, H, W)
        ### END SOLUTION


def segment(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The class of each pixel, in evaluation mode and without gradients: (N, 3, H, W) -> (N, H, W) int64."""
    ### BEGIN SOLUTION
    model.eval()
    with torch.no_grad():
        return model(images).argmax(dim=1)
    ### END SOLUTION


# %% check="3.5" tags=["nbval-check-output"]
check.fcn(segmentation_loss, FCN, segment)

# %% [markdown]
# <details><summary>Help: "Target 255 is out of bounds"</summary>
#
# `F.cross_entropy` has an argument for the label that doesn't count.
# </details>
# <details><summary>Help: the loss is nan</summary>
#
# A mean over no pixels is 0 / 0. Add the losses up, and divide by a count that is at least 1.
# </details>
# <details><summary>Help: "The size of tensor a (6) must match the size of tensor b (5)"</summary>
#
# A map of 3 units, enlarged twice, has 6; the next finer map of this picture has 5. Enlarge to *its* size, or cut off what is too much.
# </details>
# <details><summary>Help: it works, but the check says that features were added</summary>
#
# 512 channels of features can't be added to 256. First each map is scored, then scores are added.
# </details>

# %% [markdown]
# # Finer maps
#
# ## 3.6 Dilation
# *hard, about 70 minutes, {points: 3.6} points*
#
# There is another way to finer maps: don't make them coarse at all. If we only set a stride to 1, the result is wrong: the layers after it were trained to look at every *second* unit of the map that is now finer. *Dilation* lets them do so: a kernel whose weights lie two units apart sees exactly what it saw before, and it
# sees it at all the places in between as well (the *à trous* algorithm, French for "with holes"; DeepLab, Chen et al. 2015, section 3.1). No weight changes.
#
# The *output stride* is the stride of the last map: 32 in the classifier. For an output stride of 8, the third stage loses its stride and its kernels get dilation 2; the fourth stage loses its stride, too, and its kernels get dilation 4. But the first convolution of a stage is special. Look at the first block of the third stage: which
# of its convolutions still reads the map of the stage before (stride 8, as before), and which one already reads the finer map?

# %%
print(trunk.stages[2][0])

# %% [markdown]
# The rule that decides everything: **where both maps have a unit, both have the same value.** If a map had stride 32 and now has 8, then `new[..., ::4, ::4]` equals `old`, up to the borders. That needs padding to match dilation.
#
# `trunk.stages` holds the four stages, each of them a row of blocks. A block has `conv1`, `conv2` and `downsample`: the projection on its shortcut, a 1x1 convolution and BatchNorm, or None. Settings of a layer that is there may be changed: `layer.stride = (1, 1)`, and `layer.dilation` and `layer.padding` in the same way.
#
# The second function measures what a unit *sees*, its receptive field: the pixels that have a gradient other than zero. `torch.autograd.grad(number, image)` gives a tuple with the gradient of one number with respect to an image that was made with `requires_grad=True`, and leaves the parameters' own gradients alone. The unit has several channels, and
# all of them count.


# %% exercise="3.6"
def dilate(trunk: nn.Module, output_stride: int = 8) -> nn.Module:
    """Turn the strides beyond `output_stride` (8, 16 or 32) into dilation, in place, with the same weights; return the trunk.

    The trunk's stages are made of torchvision's `BasicBlock`s, any number in each. Afterwards `trunk.strides`, a tuple, says
    the new strides.
    """
    ### BEGIN SOLUTION
    rate = 1
    for stage, stride in zip(trunk.stages, trunk.strides):
        removed = stride > output_stride and stage[0].conv1.stride != (1, 1)
        for number, block in enumerate(stage):
            first = removed and number == 0
            if first:
                block.conv1.stride = (1, 1)
                block.downsample[0].stride = (1, 1)
            block.conv1.dilation = block.conv1.padding = (rate, rate)  # reads what is still dilated as before
            rate = 2 * rate if first else rate
            block.conv2.dilation = block.conv2.padding = (rate, rate)
    trunk.strides = tuple(min(stride, output_stride) for stride in trunk.strides)
    return trunk
    ### END SOLUTION


def field_by_gradient(network: nn.Module, height: int, width: int) -> tuple[int, int]:
    """Height and width, in pixels, of the rectangle that the centre unit of the network's map sees.

    `network` takes images (1, 3, height, width) and gives one map (1, C, h, w); its centre unit is at (h // 2, w // 2). The
    rectangle reaches from the first to the last row and column in which a pixel has a gradient other than 0 (in any of its
    colours, however small); (0, 0) if there is none. The network is in evaluation mode; the parameters' own gradients stay as
    they are.
    """
    ### BEGIN SOLUTION
    network.eval()
    seen = torch.zeros(height, width, dtype=torch.bool)
    for _ in range(3):
        image = torch.rand(1, 3, height, width, requires_grad=True)
        features = network(image)
        centre = features[0, :, features.shape[2] // 2, features.shape[3] // 2]
        (gradient,) = torch.autograd.grad((centre * torch.randn_like(centre)).sum(), image)
        seen |= (gradient[0] != 0).any(dim=0)
    if not seen.any():
        return 0, 0
    rows, columns = seen.nonzero().T
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1
    ### END SOLUTION


# %% check="3.6" tags=["nbval-check-output"]
check.dilate(dilate, field_by_gradient)

# %% [markdown]
# <details><summary>Help: the maps get smaller</summary>
#
# A 3x3 kernel with dilation 2 spans 5 units. To keep the size, padding must be 2.
# </details>
# <details><summary>Help: the sizes are right and the values nearly so</summary>
#
# Go through the first block of a stage that loses its stride. Its `conv1` reads the map of the stage before: at which distance did its weights lie there? What does its `conv2` read?
# </details>
# <details><summary>Help: "The size of tensor a must match the size of tensor b" inside a block</summary>
#
# The shortcut has a stride, too.
# </details>
# <details><summary>Help: the field is smaller than it should be</summary>
#
# Gradients of different channels can cancel each other (add up to 0), and a ReLU that gives 0 passes no gradient on. Try a few random pictures, and add up the unit's channels with random factors. A pixel counts if *any* of the attempts gives it a gradient other than zero.
# </details>
#
# The same sheet, the same weights, the same head; only the strides have become dilation. (We dilate a copy of the trunk, because dilating a trunk twice would be wrong.)

# %% needs="3.1 3.2 3.6"
fine = dilate(copy.deepcopy(finder_trunk), 8)
with torch.no_grad():
    old, new = finder_trunk(paper[None])[-1], fine(paper[None])[-1]
print(f"maps of {tuple(old.shape[2:])} and {tuple(new.shape[2:])}; every fourth unit is the same: {torch.allclose(new[..., ::4, ::4], old, atol=1e-3)}")
print(f"stride 32: {hits(finder_trunk)} of 60 peaks are where the drawing is; stride 8: {hits(fine)}")
names = [held_out.classes[thing] for thing in things]
plots.heat_maps(
    (1 - paper).expand(12, -1, -1, -1), torch.cat([heats(finder_trunk, 0), heats(fine, 0)]),
    [f"{name}, stride {stride}" for stride in (32, 8) for name in names], columns=6, title="The same weights: strides above, dilation below",
)


# %% [markdown]
# And what does a unit of the third stage see? Its theoretical receptive field is 547 pixels; taking the stride out *without* dilation makes the field smaller.

# %% needs="3.6"
class ThirdMap(nn.Module):
    """The trunk's third map alone."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk = trunk

    def forward(self, images):
        x = self.trunk.stem(images)
        for stage in self.trunk.stages[:3]:
            x = stage(x)
        return x


only_stride = copy.deepcopy(finder_trunk)  # the stride taken out, and nothing else
only_stride.stages[2][0].conv1.stride = only_stride.stages[2][0].downsample[0].stride = (1, 1)
for name, each in {"with strides": finder_trunk, "stride taken out": only_stride, "dilated": fine}.items():
    print(f"{name:<18} a unit sees {field_by_gradient(ThirdMap(each), 576, 576)[0]} pixels")

# %% [markdown]
# ## 3.7 A U-Net decoder step
# *medium, about 30 minutes, {points: 3.7} points*
#
# In a *U-Net* (Ronneberger et al. 2015) the maps become smaller step by step (in the *encoder*; ours is the trunk), and then larger again step by step (in the *decoder*). At each step of the decoder the map is enlarged and *concatenated* with the encoder's map of the same size, the *skip*: its channels are put after the
# other's. Then two convolutions combine both. Unlike FCN, a U-Net hands on features, not scores.
#
# On the way down sizes are rounded up: 225 pixels become 113 units. On the way up they are doubled: 226. Ronneberger et al. used no padding at all, and so had to cut each skip to the smaller size (572 pixels in, 388 out); `center_crop` does this. Many implementations cut the picture to an even size instead, and don't say so: 224 for 225. Then
# masks and pictures no longer match, or the last row is never learned. Your decoder step gives exactly the skip's size: it makes x fit, and leaves the skip whole.


# %% exercise="3.7"
def center_crop(features: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The middle of a map: (N, C, H, W) -> (N, C, height, width).

    If an odd number of rows is cut off, one more is cut off at the bottom than at the top; if an odd number of columns, one
    more on the right than on the left.
    """
    ### BEGIN SOLUTION
    top = (features.shape[2] - height) // 2
    left = (features.shape[3] - width) // 2
    return features[:, :, top : top + height, left : left + width]
    ### END SOLUTION


class DecoderStep(nn.Module):
    """Enlarge x to twice its size, make it fit the skip, concatenate, and convolve twice (3x3, each followed by BatchNorm and ReLU).

    x (N, in_channels, h, w), skip (N, skip_channels, H, W) -> (N, out_channels, H, W), where H is 2h or 2h - 1 and W is 2w or 2w - 1.
    How x is enlarged is free: by interpolation or by a transposed convolution. The inputs are not changed.
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int):
        super().__init__()
        ### BEGIN SOLUTION
        self.enlarge = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.convolutions = nn.Sequential(
            nn.Conv2d(out_channels + skip_channels, out_channels, 3, padding=1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU(),
        )
        ### END SOLUTION

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        x = self.enlarge(x)  # (N, out_channels, 2h, 2w)
        x = x[:, :, : skip.shape[2], : skip.shape[3]]  # an odd size was rounded up on the way down
        return self.convolutions(torch.cat([x, skip], dim=1))
        ### END SOLUTION


# %% check="3.7" tags=["nbval-check-output"]
check.decoder_step(center_crop, DecoderStep)

# %% [markdown]
# <details><summary>Help: "Sizes of tensors must match except in dimension 1"</summary>
#
# x and skip differ by one row or column: this is the odd size. Cut or pad x, not the skip.
# </details>
# <details><summary>Help: one too many with center_crop</summary>
#
# `features[..., -0:]` is everything, and `[0:-0]` is nothing. Count from the front.
# </details>

# %% needs="3.7" tags=["nbval-check-output"]
step = DecoderStep(8, 4, 4).eval()
with torch.no_grad():
    for size in (224, 225):
        down = math.ceil(size / 2)
        print(f"{size} pixels, down to {down}, and up again to {step(torch.rand(1, 8, down, down), torch.rand(1, 4, size, size)).shape[-1]}")

# %% [markdown]
# # The experiment
#
# ## 3.8 What does each step bring?
# *medium, about 80 minutes, {points: 3.8} points and two questions*
#
# First we look at the classes. They aren't equally common:

# %%
pixels = torch.bincount(train_data.masks.flatten().long(), minlength=256)[: len(classes)]  # 255 doesn't count
plots.per_class({"share of the pixels": pixels / pixels.sum()}, classes, measure="share", title="How common is each class?")

# %% [markdown]
# In a loss that is a mean over pixels, common classes count most, and a network that calls everything background already has a small loss. *Median-frequency balancing* (Eigen and Fergus 2015, section 6.2) gives each class a weight: the median of all classes' frequencies, divided by its own frequency. Here a class's *frequency* is its share of all pixels. A rare
# class weighs more than 1, a common one less.


# %% exercise="3.8"
def class_weights(pixels: torch.Tensor) -> torch.Tensor:
    """Median-frequency balancing: pixels of each class (C,) int64 -> weights (C,) float32.

    The median is that of the classes that occur (of an even number of classes, either of the two in the middle, or their mean);
    a class that doesn't occur has weight 0. The counts are not changed.
    """
    ### BEGIN SOLUTION
    frequency = pixels.float() / pixels.sum()
    weights = frequency[pixels > 0].median() / frequency
    return weights.where(pixels > 0, torch.zeros(()))
    ### END SOLUTION


# %% check="3.8" tags=["nbval-check-output"]
check.class_weights(class_weights)

# %% [markdown]
# <details><summary>Help: a weight is infinite</summary>
#
# A class without a pixel has frequency 0. It counts neither in the median nor in the loss.
# </details>
#
# **A model that never looks.** It answers with the class that is most common *at that place* in the training masks, whatever the picture shows. Its pixel accuracy is surprisingly high, most of all on pictures of streets, where the sky is above and the road below:


# %% needs="3.3"
def without_looking(train, test) -> torch.Tensor:
    """Counts (C, C) of answering with what is most common at each place."""
    labels = train.masks.long()
    common = torch.stack([(labels == label).sum(0) for label in range(len(train.classes))]).argmax(0)  # (H, W)
    matrix = ConfusionMatrix(len(train.classes))
    matrix.update(common.expand(len(test), -1, -1), test.masks.long())
    return matrix.counts


sets = {train_data.name: (train_data, test_data)}
if SOURCES["camvid"].present(data_root()) and DATASET != "camvid":
    sets["camvid"] = tuple(load_masks("camvid", split, size=SIZE) for split in ("train", "test"))
for name, pair in sets.items():
    counts = without_looking(*pair)
    print(f"{name:<10} without looking: pixel accuracy {pixel_accuracy(counts):.2f}, mIoU {mean_iou(counts):.2f}")

# %% [markdown]
# On a part of CamVid (60 pictures to learn from, 20 to test on) this gives a pixel accuracy of 0.61 and an mIoU of 0.17: six pixels in ten are right, and nobody looked at a picture. Road, buildings and sky are three quarters of all pixels there; poles, signs, pedestrians and
# cyclists together are less than four in a hundred.
#
# ### How we train
#
# All networks start from a trunk, learn from the same pictures with the same loss, and are tested on the same test set. The weights of the classes enter the loss by *logit adjustment* (Menon et al. 2021): during training, a number is added to the logits of every class, half the logarithm of how common it is (`head_start` in the code). So the network itself
# needn't learn that background is common, and doesn't call everything background.

# %% needs="3.3 3.5 3.8"
BATCH_SIZE, BATCHES = 16, 45  # an "epoch" is 45 batches here
weights = class_weights(pixels)
head_start = -0.5 * weights.where(weights > 0, torch.ones(())).log().view(-1, 1, 1)  # (C, 1, 1)
flip = augmentation.Pipeline(augmentation.HorizontalFlip())
more = augmentation.Pipeline(augmentation.RandomResizedCrop(SIZE, scale=(0.4, 1.0)), augmentation.HorizontalFlip(), augmentation.ColorJitter(0.3, 0.3, 0.3))
augment = flip if len(train_data) >= 1000 else more  # few pictures need more


def balanced_loss(logits, masks):
    return segmentation_loss(logits + head_start.to(logits.device), masks)


class Score(ConfusionMatrix):
    """Counts pixels while `fit` evaluates, and gives your mIoU."""

    name = "mIoU"

    def __init__(self):
        super().__init__(len(classes))

    def compute(self) -> float:
        return float(mean_iou(self.counts))


def learn(name, model, epochs, rate=2e-3, head_rate=2e-3):
    """Train the model on the training pictures; the trunk at `rate`, what is new at `head_rate`."""
    seed_everything(SEED)
    model.to(memory_format=torch.channels_last)
    of_trunk = {id(parameter) for parameter in model.trunk.parameters()}
    new = [parameter for parameter in model.parameters() if id(parameter) not in of_trunk]
    groups = [{"params": list(model.trunk.parameters()), "lr": rate}, {"params": new, "lr": head_rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=1e-2, fused=True)  # the same numbers, in fewer passes
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, [rate, head_rate], total_steps=epochs + 1, pct_start=0.19, div_factor=4)
    sampler = RandomSampler(train_data, num_samples=BATCH_SIZE * BATCHES)
    loader = DataLoader(train_data, BATCH_SIZE, sampler=sampler)
    return fit(
        model, loader, DataLoader(test_data.take(40), 20), optimizer, epochs=epochs, scheduler=scheduler, augment=augment, device=device,
        loss=balanced_loss, score=Score, name=name, watch=plots.LiveCurves(name), checkpoint=f"3_segmentation/{name}, {DATASET}, seed {SEED}",
    )


# %% [markdown]
# Afterwards each model is measured: mIoU, *boundary IoU* (Cheng et al. 2021), pixel accuracy, number of parameters, and the time for one picture. Boundary IoU looks only at a narrow band along the borders: `boundary_bands` turns all pixels that lie deeper inside a region into one more class, and your `iou` computes the rest.

# %%
distance = max(1, round(0.02 * math.hypot(*SIZE)))  # pixels; 2 % of the diagonal, as in the paper


def assess(name, model, seen: int) -> None:
    """All figures of a model, into `results`; `seen` is how many pictures it learned from, with repetitions."""
    whole, bands, predictions = ConfusionMatrix(len(classes)), ConfusionMatrix(len(classes) + 1), []
    for images, masks in DataLoader(test_data, 25):
        guesses = segment(model, images.to(device)).cpu()
        whole.update(guesses, masks)
        band = boundary_bands(masks, len(classes), distance, assume=guesses)
        bands.update(boundary_bands(guesses, len(classes), distance), band)
        predictions.append(guesses)
    times = []
    for number in range(9):
        image = test_data[number % len(test_data)][0][None].to(device)
        started = time.perf_counter()
        segment(model, image).cpu()
        times.append(1000 * (time.perf_counter() - started))
    results[name] = {
        "mIoU": mean_iou(whole.counts), "boundary IoU": iou(bands.counts)[:-1].nanmean().item(),
        "pixel accuracy": pixel_accuracy(whole.counts), "each": iou(whole.counts).tolist(), "seen": seen,
        "parameters": sum(parameter.numel() for parameter in model.parameters()), "ms": sorted(times)[len(times) // 2],
        "predictions": torch.cat(predictions),
    }
    print(f"{name}: mIoU {results[name]['mIoU']:.3f}, boundary IoU {results[name]['boundary IoU']:.3f}")


# %% [markdown]
# **From scratch**, and **transferred**: FCN-32s, once with a trunk that knows nothing (*from scratch* means from random weights), once with the finder's trunk. That one has learned to name drawings: first in assignment 1, then here on sheets. *Transferred* means that what it learned there is used for a new task. Neither trunk has ever seen a scene, or a mask. Eight
# "epochs" each.

# %% needs="3.3 3.5 3.8"
LONG, SHORT = 8, 3  # epochs
seed_everything(SEED)
scratch = FCN(Trunk.of(torchvision.models.resnet34(zero_init_residual=True)), len(classes))
results = {}
curve_scratch = learn("FCN-32s from scratch", scratch, LONG)

# %% needs="3.3 3.5 3.8"
assess("FCN-32s, from scratch", scratch, LONG * BATCHES * BATCH_SIZE)

# %% needs="3.3 3.5 3.8"
seed_everything(SEED)
fcn32 = FCN(copy.deepcopy(finder_trunk), len(classes))
curve_transferred = learn("FCN-32s transferred", fcn32, LONG)

# %% needs="3.3 3.5 3.8"
assess("FCN-32s", fcn32, LONG * BATCHES * BATCH_SIZE)
plots.curves({"from scratch": curve_scratch, "transferred": curve_transferred}, title="FCN-32s")


# %% [markdown]
# **16s goes on from 32s, and 8s from 16s**, as in the paper: each starts with a copy of the trunk and of the score layers of the one before, and learns a little longer. The score layers have ten times the trunk's learning rate.

# %% needs="3.3 3.5 3.8"
def going_on(model, skips):
    """An FCN with more skips that starts with a copy of all that the model has."""
    finer = FCN(copy.deepcopy(model.trunk), len(classes), skips).to(device)
    old = {m.in_channels: m for m in model.modules() if isinstance(m, nn.Conv2d) and m.out_channels == len(classes)}
    for module in finer.modules():
        if isinstance(module, nn.Conv2d) and module.out_channels == len(classes) and module.in_channels in old:
            module.load_state_dict(old[module.in_channels].state_dict())
    return finer


fcn16 = going_on(fcn32, 1)
learn("FCN-16s", fcn16, SHORT, head_rate=2e-2)
assess("FCN-16s", fcn16, (LONG + SHORT) * BATCHES * BATCH_SIZE)

# %% needs="3.3 3.5 3.8"
fcn8 = going_on(fcn16, 2)
learn("FCN-8s", fcn8, SHORT, head_rate=2e-2)
assess("FCN-8s", fcn8, (LONG + 2 * SHORT) * BATCHES * BATCH_SIZE)

# %% [markdown]
# **Dilated**: FCN-32s with its strides turned into dilation, measured at once, before it learns anything; then after one "epoch" of learning. That is slow, because its maps have up to sixteen times as many units.

# %% needs="3.3 3.5 3.6 3.8"
dilated = going_on(fcn32, 0)
dilate(dilated.trunk, 8)
assess("dilated, at once", dilated, LONG * BATCHES * BATCH_SIZE)
learn("dilated", dilated, 1, rate=3e-4, head_rate=3e-4)  # so few steps bear only small ones
assess("dilated", dilated, (LONG + 1) * BATCHES * BATCH_SIZE)


# %% [markdown]
# **U-Net**: your decoder steps on the trunk of FCN-32s, up to stride 4; from there the scores are enlarged bilinearly.

# %% needs="3.3 3.5 3.7 3.8"
class UNet(nn.Module):
    """images (N, 3, H, W) -> logits (N, num_classes, H, W)."""

    def __init__(self, trunk, num_classes, widths=(128, 64, 64)):
        super().__init__()
        self.trunk = trunk
        fine, middle, coarse, coarsest = trunk.channels
        self.steps = nn.ModuleList([
            DecoderStep(coarsest, coarse, widths[0]), DecoderStep(widths[0], middle, widths[1]), DecoderStep(widths[1], fine, widths[2])
        ])
        self.score = nn.Conv2d(widths[2], num_classes, 1)

    def forward(self, images):
        *skips, x = self.trunk(images)
        for step, skip in zip(self.steps, skips[::-1]):
            x = step(x, skip)
        return F.interpolate(self.score(x), size=images.shape[-2:], mode="bilinear")


seed_everything(SEED)
unet = UNet(copy.deepcopy(fcn32.trunk), len(classes))
learn("U-Net", unet, 2 * SHORT)

# %% needs="3.3 3.5 3.7 3.8"
assess("U-Net", unet, (LONG + 2 * SHORT) * BATCHES * BATCH_SIZE)

# %% [markdown]
# The table. "Pictures" is the number of pictures a network has learned from. A picture that was shown twice counts twice, and those that an earlier network saw, from which this one goes on, count too.

# %% needs="3.3 3.5 3.6 3.7 3.8" tags=["report"]
print(f"{test_data.name}, {len(test_data)} test pictures of {SIZE[0]} x {SIZE[1]}, seed {SEED}; boundary bands of {distance} pixels\n")
print(f"{'':<24}{'mIoU':>7}{'boundary IoU':>14}{'pixel accuracy':>16}{'parameters':>13}{'ms a picture':>14}{'pictures':>10}")
for name, row in results.items():
    print(
        f"{name:<24}{row['mIoU']:>7.3f}{row['boundary IoU']:>14.3f}{row['pixel accuracy']:>16.3f}"
        f"{row['parameters'] / 1e6:>11.2f} M{row['ms']:>14.1f}{row['seen']:>10,}"
    )

# %% needs="3.3 3.5 3.6 3.7 3.8" tags=["nbval-check-output"]
rising = [results[name]["mIoU"] for name in ("FCN-32s, from scratch", "FCN-32s", "FCN-16s", "FCN-8s")]
print("mIoU rises from scratch to transferred, and on to 16s and 8s:", "yes" if rising == sorted(rising) else "no")

# %% needs="3.3 3.5 3.6 3.7 3.8"
shown = ["FCN-32s", "FCN-16s", "FCN-8s", "dilated", "U-Net"]
plots.predictions(
    test_data.images[:6], {"truth": test_data.masks[:6].long()} | {name: results[name]["predictions"][:6] for name in shown}, classes,
    title="The same six pictures",
)

# %% needs="3.3 3.5 3.6 3.7 3.8"
plots.per_class({name: results[name]["each"] for name in ("FCN-32s", "FCN-8s", "U-Net")}, classes, title="IoU of each class")

# %% needs="3.3 3.5 3.6 3.7 3.8" tags=["report"]
print(f"{'IoU':<16}" + "".join(f"{name:>12}" for name in shown))
for label, name in enumerate(classes):
    print(f"{name:<16}" + "".join(f"{results[model]['each'][label]:>12.3f}" for model in shown))

# %% [markdown]
# **How to read it.** mIoU rises at every step from the network from scratch to FCN-8s. One seed alone doesn't prove that. With three seeds (`benchmarks/segmentation.py`, mean and standard deviation): transferred over from scratch +0.042 ± 0.018, FCN-8s over FCN-32s +0.077 ± 0.011, U-Net over FCN-8s +0.045 ± 0.010, each in all three. The step to FCN-16s alone is not certain: with one of the three seeds mIoU fell there, and rose again with FCN-8s. Boundary IoU is far lower than mIoU and rises faster: most of what skips and decoder improve lies along
# borders. The U-Net is best, with only 5 % more parameters. Dilation at once, without learning anything, improves boundaries only; after one "epoch" mIoU is better, too. It would need more learning than there is time for here, as each of its "epochs" takes about twice as long.
#
# Two things aren't quite fair. First, FCN-16s, FCN-8s and the U-Net have seen more pictures than FCN-32s, from which they go on: in an experiment of our own, FCN-32s, trained for as long as they, gained about half of what the skips gained. Second, after a few minutes on two cores none of these networks has finished learning: all of them would still get better.
# Set `LONG` to 40 on a GPU and look again.

# %% [markdown] question="Q1"
# **Q1** ({points: Q1} points, marked by hand). *What does each step bring, and what does it cost?* Use your table: what did the transferred trunk bring, what a skip, dilation, the decoder? Which of them moves boundary IoU more than mIoU, and why? What did each cost in parameters and time, and which comparison in the table isn't quite fair? Five to eight sentences.
#
# ### BEGIN SOLUTION
# The transferred trunk brings about four points of mIoU over the one from scratch, at no cost in parameters or time per picture: it has never seen a scene, but edges and closed shapes are the same there. Each skip brings three to five points more for a few thousand parameters, because the 1x1 convolutions on finer maps only have to
# correct where the coarse scores are blurred; that is why boundary IoU nearly doubles from FCN-32s to FCN-8s while mIoU grows by a third. Dilation keeps all weights and gives a finer map at once: boundaries get better, but mIoU doesn't before the network has learned on, since BatchNorm and later layers
# never saw such maps in training, and a picture takes a third longer. The U-Net gains most, on boundaries above all: it decides with the fine features instead of correcting scores, and pays with about a million parameters. Not quite fair is that the later networks have seen nearly twice as many pictures as FCN-32s; part of
# their gain is mere training, so FCN-32s should be trained on for as long, and all of it repeated with several seeds.
# ### END SOLUTION

# %% [markdown] question="Q2"
# **Q2** ({points: Q2} points, marked by hand). *Which number do you trust?* A colleague reports a pixel accuracy of 0.90 on street scenes. What do you ask before you are impressed? When do mIoU and boundary IoU disagree, and which one matters for a robot that picks apples, which one for measuring a tumour? What would you do about a class that occurs in three pictures of the test set? Five to eight sentences.
#
# ### BEGIN SOLUTION
# I ask what a model gets that never looks at the picture: on CamVid it has six pixels in ten right already, because sky, buildings and road are large and always in the same places, so that 0.90 may mean that poles, signs and pedestrians were all missed. So I ask for the IoU of each class and for mIoU, for the
# share of ignored pixels, and whether the counts were added up over the whole test set or averaged over pictures. mIoU and boundary IoU disagree where objects are large: a mask that is two pixels too fat hardly changes the IoU of a house but ruins its boundary; on thin things both fall together. A robot that picks apples needs to find every apple and its
# middle, so IoU by class, or even detection, is enough; whoever measures a tumour needs the border, because area and growth are read off it. The IoU of a class that occurs in three pictures rests on a few hundred pixels and can jump by ten points from one seed to the next: I would report it with its count and its spread over several seeds, look at
# the three pictures, and not draw conclusions from an mIoU to which it contributes as much as every other class.
# ### END SOLUTION

# %% [markdown]
# # Where you stand

# %%
check.summary()

# %% [markdown]
# # Hand in
#
# **Save the notebook first** (Ctrl+S): what counts is the file. *Check the saved notebook* runs your answers in a fresh
# process, as the grader will, and shows what it would give, what is still blank, and what no check covers. It takes a minute or two.
# *Pack it for handing in* writes one zip: your notebook without outputs, and a receipt by which damage on the way is noticed. Hand
# in that zip. You can change your answers and pack again.

# %%
from assignments_lib import handin

handin.form("3_classification_to_segmentation")

# %% [markdown]
# **Sources.** J. Long, E. Shelhamer, T. Darrell: *Fully Convolutional Networks for Semantic Segmentation*, 2015 (arXiv 1411.4038). O. Ronneberger, P. Fischer, T. Brox: *U-Net*, 2015 (arXiv 1505.04597). L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. Yuille: *Semantic Image Segmentation with Deep
# Convolutional Nets and Fully Connected CRFs*, 2015 (arXiv 1412.7062). A. Odena, V. Dumoulin, C. Olah: *Deconvolution and Checkerboard Artifacts*, Distill 2016. B. Cheng, R. Girshick, P. Dollár, A. Berg, A. Kirillov: *Boundary IoU*, 2021 (arXiv 2103.16562). D. Eigen, R. Fergus: *Predicting Depth, Surface Normals and Semantic Labels*, 2015
# (arXiv 1411.4734). A. Menon et al.: *Long-tail Learning via Logit Adjustment*, 2021 (arXiv 2007.07314). CamVid: G. Brostow, J. Fauqueur, R. Cipolla, 2009.
#
# | English | 한국어 |
# |---|---|
# | semantic segmentation, mask | 의미론적 분할, 마스크 |
# | trunk (backbone), head, unit | 트렁크(백본), 헤드, 유닛 |
# | score, logit | 점수, 로짓 |
# | fully connected layer, 1x1 convolution | 완전 연결 층, 1x1 합성곱 |
# | fully convolutional network | 완전 합성곱 신경망 |
# | heat map, class activation | 히트맵, 클래스 활성화 |
# | confusion matrix | 혼동 행렬 |
# | intersection over union, mIoU | 교집합 대 합집합 비율, 평균 IoU |
# | pixel accuracy, boundary IoU | 픽셀 정확도, 경계 IoU |
# | transposed convolution | 전치 합성곱 |
# | checkerboard artefact | 체커보드 현상 |
# | bilinear upsampling | 쌍선형 업샘플링 |
# | skip connection | 스킵 연결 |
# | dilated (atrous) convolution, output stride | 팽창(아트루스) 합성곱, 출력 스트라이드 |
# | receptive field | 수용 영역 |
# | encoder, decoder | 인코더, 디코더 |
# | class imbalance, median-frequency balancing | 클래스 불균형, 중앙 빈도 균형화 |
# | transfer learning | 전이 학습 |
#
# *Text: CC BY 4.0. Code: MIT.*
