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
# # Assignment 2: Data augmentation
#
# A network that learned from fifty drawings of a cat may fail on the next one, if that cat is smaller, or leans to one
# side. *Data augmentation* shows the network a new version of each drawing every time, and each version still shows the
# same thing. You write functions that make such versions, apply them to an image and its mask in the same way, put them
# together into a *policy* (a rule that says which of them to use, and how strongly), and measure whether they help.
#
# **After this assignment you can**
#
# - write *geometric* augmentations (they move pixels) and *photometric* ones (they change values) for whole batches, with
#   random numbers of its own for each picture;
# - move an image *and its segmentation mask* in the same way, without inventing labels;
# - mix pictures and labels (MixUp, CutMix), and write a policy (RandAugment);
# - say which augmentations destroy a label;
# - measure a gain with its uncertainty, on pictures like those of the training and on others.
#
# **How it works.** As in assignment 1: put your code where `raise NotFilledIn(...)` stands, run the cell, and run the check below. If an
# answer is a picture, the check shows the target, yours, and where they differ. Write the operations yourself, from tensor
# operations, and not with torchvision's transforms: the checks compare your results with those. A list of words in English and
# Korean stands at the end. The times include reading, and trying again once or twice.
#
# | Part | Exercises | Points | About how long |
# |---|---|---|---|
# | One picture at a time | 2.1 to 2.3 | {points: 2.1 2.2 2.3} | 110 minutes |
# | With a mask | 2.4 | {points: 2.4} | 40 minutes |
# | Cut and mix | 2.5 and 2.6 | {points: 2.5 2.6} | 75 minutes |
# | Policies | 2.7 and 2.8 | {points: 2.7 2.8} | 40 minutes |
# | Measure | 2.9, questions Q1 and Q2 | {points: 2.9 Q1 Q2} | 70 minutes |

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

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from assignments_lib.checks import augmentation as check
from assignments_lib.datasets import doodles, load, load_masks
from assignments_lib.training import choose_device, fit, seed_everything

seed_everything(0)
device = choose_device()

# %% tags=["parameters"]
DATASET = "doodles"  # or "quickdraw" (real drawings): downloaded on first use
MASKS = "scenes"  # or "camvid" (streets), "nuclei" (microscopy)

# %% [markdown]
# The drawings of assignment 1, this time as they are: 28 x 28 pixels, one channel, 0 is paper and 1 is ink.

# %%
drawings = load(DATASET, "train", per_class=50, channels=1)
classes = drawings.classes
plots.contact_sheet(drawings, per_class=12)

# %% [markdown]
# # One picture at a time
#
# ## 2.1 Normalise, and undo it
# *easy, about 15 minutes, {points: 2.1} points*
#
# Files hold *bytes*, whole numbers from 0 to 255 (`torch.uint8`). Networks learn better from numbers around 0. *Normalising* subtracts a mean and divides by a standard deviation,
# both given **for pixels scaled to [0, 1]** and one for each channel. The way back is needed whenever a person wants to look at what
# the network sees.


# %% exercise="2.1"
def normalize(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    """Scale bytes to [0, 1], then subtract the given mean and divide by the given standard deviation.

    `images` is (N, C, H, W) or (C, H, W): uint8 from 0 to 255, or float in [0, 1]. `mean` and `std` hold C numbers for
    pixels in [0, 1]. The result has the same shape: float32 for uint8, else the images' own type. The input is
    not changed.
    """
    ### BEGIN SOLUTION
    if images.dtype == torch.uint8:
        images = images.float() / 255
    mean = torch.tensor(mean, dtype=images.dtype).view(-1, 1, 1)
    std = torch.tensor(std, dtype=images.dtype).view(-1, 1, 1)
    return (images - mean) / std
    ### END SOLUTION


def denormalize(images: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    """The way back: normalised pixels (float) -> float pixels in [0, 1], of the same type. Shapes as above.

    The input is not changed.
    """
    ### BEGIN SOLUTION
    mean = torch.tensor(mean, dtype=images.dtype).view(-1, 1, 1)
    std = torch.tensor(std, dtype=images.dtype).view(-1, 1, 1)
    return images * std + mean
    ### END SOLUTION


# %% check="2.1" tags=["nbval-check-output"]
check.normalize(normalize, denormalize)

# %% [markdown]
# <details><summary>Help: "The size of tensor a must match the size of tensor b at non-singleton dimension 3"</summary>
#
# A tensor of three numbers meets the *last* dimension, the width. Which shape lets each number meet a whole channel?
# </details>
# <details><summary>Help: "result type Float can't be cast to the desired output type Byte"</summary>
#
# `images /= 255` writes into `images` itself, and a tensor of bytes can't hold fractions. (And if it could, the caller's pictures would change.) Make a new tensor.
# </details>
#
# What normalising does to the pixels of all five hundred drawings:

# %% needs="2.1" tags=["nbval-check-output"]
pixels = drawings.images / 255
mean, std = [pixels.mean().item()], [pixels.std().item()]
for name, values in {"bytes": drawings.images.float(), "normalised": normalize(drawings.images, mean, std)}.items():
    ends = f"from {values.min():6.2f} to {values.max():6.2f}"
    print(f"{name:>10}: {ends}, mean {abs(values.mean()):6.2f}, deviation {values.std():6.2f}")

# %% [markdown]
# ## 2.2 Flip, crop, rotate
# *medium, about 50 minutes, {points: 2.2} points*
#
# *Geometric* augmentations move pixels. From now on functions take a whole batch (N, C, H, W), and the rule that is broken most often is this:
# **every picture gets a draw of its own.** (A *draw* is a random number, or a choice made by one.) Draw with `torch.rand(N)` or `torch.randint(..., (N,))`. Python's `random` and
# `numpy.random` are allowed too, if you use their global functions: `seed_everything` seeds them, and so does a `DataLoader` in each of its worker processes. Don't make a
# generator object of your own: it would be *copied* into every worker, and all workers would draw the same numbers.
#
# **Flip.** Mirror left-right with probability `p`.
#
# **Padded random crop.** Put a border of `padding` zeros around the picture and cut out a window of the old size, anywhere. There are
# $2\,\mathrm{padding} + 1$ places along each side; the outermost ones count.
#
# **Rotation.** The pixels of a turned picture lie between the pixels of the old one, so each new pixel has to be computed from old ones. PyTorch does it in two steps.
# `F.affine_grid(theta, size)` says **for each pixel of the new picture where in the old one to look**; `theta` holds a matrix of 2 rows and 3 columns for each picture.
# `F.grid_sample(images, grid)` looks there. With `mode="bilinear"` it takes a mean of the four nearest pixels, the nearer the more weight; with `mode="nearest"` it takes the nearest one.
# Coordinates go from -1 to 1 along *both* sides, whatever their length. `align_corners` says what lies at -1 and 1:

# %%
plots.align_corners()

# %% [markdown]
# We use `align_corners=False`, here and everywhere in this course. Then a length of 1 is half a side of the picture, and a thing has the same coordinates in a picture of another
# size. Pass it to both functions. Here is a cat of 28 x 28 pixels, and the places from which a *new* picture takes its pixels, for a `theta` that halves all coordinates.
# What will the new picture show?

# %%
cat = torch.from_numpy(doodles.draw("cat", seed=3))[None, None] / 255  # (1, 1, 28, 28)
theta = torch.tensor([[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]])  # (1, 2, 3): x' = 0.5 x, y' = 0.5 y
grid = F.affine_grid(theta, cat.shape, align_corners=False)  # (1, 28, 28, 2)
plots.sampling_grid(cat[0], grid[0], title="It will zoom in")

# %% [markdown]
# A *rotation by $\varphi$, counter-clockwise*, looks at places that are turned by $\varphi$ the other way, clockwise. Mind that $y$ points **down** in a picture,
# that `torch.sin` wants radians, and that a length of 1 is $W/2$ pixels in $x$ but $H/2$ pixels in $y$. So turn positions in *pixels*, not in these coordinates, or a wide picture
# gets *sheared* (slanted, as italic letters are). In pixels from the centre, $(x, y)$ of the new picture looks at
#
# $$ x' = x \cos\varphi - y \sin\varphi, \qquad y' = x \sin\varphi + y \cos\varphi . $$


# %% exercise="2.2"
def random_flip(images: torch.Tensor, p: float = 0.5) -> torch.Tensor:
    """Mirror each picture left-right with probability `p`.

    (N, C, H, W) of any type -> the same. Each picture has a draw of its own; the input is not changed.
    """
    ### BEGIN SOLUTION
    mirrored = torch.rand(len(images)) < p
    return torch.where(mirrored.view(-1, 1, 1, 1), images.flip(-1), images)
    ### END SOLUTION


def random_crop(images: torch.Tensor, padding: int) -> torch.Tensor:
    """Pad each side by `padding` zeros and cut out a window of the old size at a random place.

    (N, C, H, W) of any type -> the same. All (2 padding + 1)^2 places are equally likely; each picture has a draw of
    its own. The input is not changed.
    """
    ### BEGIN SOLUTION
    height, width = images.shape[-2:]
    padded = F.pad(images, [padding] * 4)  # (N, C, H + 2 padding, W + 2 padding)
    places = torch.randint(0, 2 * padding + 1, (len(images), 2)).tolist()
    windows = [
        picture[:, top : top + height, left : left + width]
        for picture, (top, left) in zip(padded, places)
    ]
    return torch.stack(windows)  # (N, C, H, W)
    ### END SOLUTION


def rotate(images: torch.Tensor, degrees: torch.Tensor, mode: str = "bilinear") -> torch.Tensor:
    """Turn each picture by its own angle, counter-clockwise, about its centre.

    (N, C, H, W) float32 or float64 and (N,) angles in degrees -> (N, C, H, W) of the images' type. Things keep their
    size and shape. Where the new picture looks outside the old one, it is 0. `mode` is "bilinear" or "nearest". The inputs are
    not changed.
    """
    ### BEGIN SOLUTION
    height, width = images.shape[-2:]
    angles = torch.deg2rad(degrees.to(images.dtype))
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    rows = [torch.stack([cos, -sin * height / width, zero], 1), torch.stack([sin * width / height, cos, zero], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)  # (N, H, W, 2)
    return F.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)
    ### END SOLUTION


# %% check="2.2" tags=["nbval-check-output"]
check.flip_crop_rotate(random_flip, random_crop, rotate)

# %% [markdown]
# <details><summary>Help: all pictures of a batch are flipped, or none</summary>
#
# One call of `torch.rand(1)` is one draw. How many pictures are there, and what shape must N decisions have to choose between two tensors of shape (N, C, H, W) in `torch.where`?
# </details>
# <details><summary>Help: "low" and "high" of torch.randint</summary>
#
# `high` itself is never drawn. With padding 2 there are five places: 0, 1, 2, 3 and 4.
# </details>
# <details><summary>Help: it turns the wrong way</summary>
#
# `theta` says where the *new* pixel looks, not where the old one goes. Put your finger on the picture: to turn it to the left, the upper edge of the new picture must look to the
# right of the old upper edge.
# </details>
# <details><summary>Help: a wide picture comes out slanted</summary>
#
# Call the coordinates from -1 to 1 $u$ and $v$. In both formulas put $x = \frac{W}{2} u$ and $y = \frac{H}{2} v$, and the same for $x'$ and $y'$; then solve for $u'$ and $v'$. In which two
# places does the ratio of the sides appear: where is it $H/W$, where $W/H$?
# </details>
#
# Your three operations at work. The first picture of each row is the drawing itself.

# %% needs="2.2"
def versions(title, **operations) -> None:
    """One drawing, and eight versions of it for each operation."""
    same = drawings.images[[8]].expand(8, -1, -1, -1) / 255
    rows = [torch.cat([same[:1], operation(same)]) for operation in operations.values()]
    names = [f"{name}\n{number or 'as it is'}" for name in operations for number in range(9)]
    plots.gallery(torch.cat(rows), names, columns=9, title=title)


seed_everything(1)
versions(
    "Geometry", flip=random_flip, crop=lambda images: random_crop(images, 4),
    rotate=lambda images: rotate(images, 60 * torch.rand(len(images)) - 30),
)

# %% [markdown]
# ## 2.3 Brightness, contrast, blur
# *medium, about 40 minutes, {points: 2.3} points*
#
# *Photometric* augmentations change values and leave things where they are. Pictures are now floats in [0, 1], and stay in that range: what would be larger becomes 1, what would be smaller becomes 0. (This is *clamping*.) The result has the
# type of the pictures (float32 or float64).
#
# **Brightness**: all pixels of a picture times its factor. **Contrast**: the distance of each pixel value from the *mean of the picture's grey version*, one number for each picture, is multiplied by the factor. A factor above 1 moves
# values away from the mean, one below 1 moves them towards it, and 1 changes nothing. Eyes see green as brighter than blue, so grey is 0.299 R + 0.587 G + 0.114 B; a picture with one channel is its own grey version.
#
# **Gaussian blur**: each pixel becomes a weighted mean of its neighbours, with weights that fall off like $e^{-d^2 / 2\sigma^2}$ with the distance $d$ in pixels. The two-dimensional kernel is
# a product of two one-dimensional ones, so blur the rows, then the columns. At the border the picture is mirrored (`mode="reflect"`), so that no darkness comes in from outside.

# %% exercise="2.3"
GREY = torch.tensor([0.299, 0.587, 0.114])  # R, G, B


def adjust_brightness(images: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Pixels times their picture's factor, in [0, 1].

    (N, C, H, W) float in [0, 1] and (N,) factors from 0 -> the same shape and type, clamped. The input is not changed.
    """
    ### BEGIN SOLUTION
    return (images * factors.view(-1, 1, 1, 1)).clamp(0, 1)
    ### END SOLUTION


def adjust_contrast(images: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Pixels away from the mean of their picture's grey version (factor > 1), or towards it (factor < 1).

    (N, 1 or 3, H, W) float in [0, 1] and (N,) factors from 0 -> the same shape and type, clamped.
    """
    ### BEGIN SOLUTION
    grey = images
    if images.shape[1] == 3:
        grey = (images * GREY.to(images.dtype).view(3, 1, 1)).sum(1, keepdim=True)  # (N, 1, H, W)
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
    return (mean + factors.view(-1, 1, 1, 1) * (images - mean)).clamp(0, 1)
    ### END SOLUTION


def gaussian_blur(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur with a Gaussian of standard deviation `sigma` pixels.

    (N, C, H, W) float -> the same. The kernel reaches ceil(3 sigma) pixels to each side, its weights add up to 1, and the
    picture is mirrored at its border. Channels don't mix; pictures are larger than the reach.
    """
    ### BEGIN SOLUTION
    reach = math.ceil(3 * sigma)
    distance = torch.arange(-reach, reach + 1, dtype=images.dtype)
    weights = torch.exp(-(distance**2) / (2 * sigma**2))
    weights = weights / weights.sum()
    channels = images.shape[1]
    padded = F.pad(images, [reach] * 4, mode="reflect")
    rows = F.conv2d(padded, weights.view(1, 1, 1, -1).repeat(channels, 1, 1, 1), groups=channels)
    return F.conv2d(rows, weights.view(1, 1, -1, 1).repeat(channels, 1, 1, 1), groups=channels)
    ### END SOLUTION


# %% check="2.3" tags=["nbval-check-output"]
check.brightness_contrast_blur(adjust_brightness, adjust_contrast, gaussian_blur)

# %% [markdown]
# <details><summary>Help: one picture is right, a batch isn't</summary>
#
# Print `factors.shape`. (N,) meets the last dimension, the width; each factor should meet a whole picture.
# </details>
# <details><summary>Help: contrast is right for grey pictures and wrong for coloured ones</summary>
#
# How many means does a coloured picture have in your function: one for each channel, or one in all? And is green worth more than blue?
# </details>
# <details><summary>Help: the blurred picture is shifted by half a pixel</summary>
#
# A kernel needs a middle. Are as many weights left of it as right of it?
# </details>
# <details><summary>Help: a dark frame around the blurred picture</summary>
#
# `padding=` of a convolution pads with zeros, which is black. Pad before, in another mode, and let the convolution pad nothing.
# </details>

# %% needs="2.3"
levels = torch.tensor([0.3, 0.6, 1.0, 1.5, 2.5])
scene = load_masks(MASKS, "train", number=8)
picture = (scene.images[0] / 255)[None].expand(5, -1, -1, -1)
plots.gallery(
    torch.cat([adjust_brightness(picture, levels), adjust_contrast(picture, levels)]),
    [f"{what} {level:g}" for what in ("brightness", "contrast") for level in levels],
    columns=5, title="Brightness and contrast",
)

# %% [markdown]
# **To discuss.** For the first four questions there are small experiments in the next two cells. Think first, then run the cells, and open the answers below them.
#
# 1. Why does blur help with thin strokes?
# 2. Why is the same blur weaker after enlarging the picture?
# 3. Is blur-then-enlarge the same as enlarge-then-blur?
# 4. Does the order of geometric steps matter?
# 5. Why does colour jitter do nothing to black-and-white drawings?

# %% needs="2.2 2.3" tags=["nbval-check-output"]
def likeness(a, b) -> float:
    """1 for the same picture, 0 for two that have nothing in common (correlation of their pixels)."""
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1].item()


ink = drawings.images / 255  # (500, 1, 28, 28)
moved = F.pad(ink, (2, -2))  # two pixels to the right
print(f"1. moved by 2 pixels, not blurred:            likeness {likeness(ink, moved):.1f}")
for sigma in (0.5, 1.0, 2.0):
    alike = likeness(gaussian_blur(ink, sigma), gaussian_blur(moved, sigma))
    print(f"   moved by 2 pixels, blurred with sigma {sigma}: likeness {alike:.1f}")

# %% needs="2.2 2.3"
large = F.interpolate(cat, scale_factor=3, mode="bilinear", align_corners=False)
small_then_large = F.interpolate(gaussian_blur(cat, 1.0), scale_factor=3, mode="bilinear", align_corners=False)
turned_then_moved = F.pad(rotate(cat, torch.tensor([40.0])), (6, -6))  # 6 columns more on the left, 6 fewer on the right
moved_then_turned = rotate(F.pad(cat, (6, -6)), torch.tensor([40.0]))
plots.gallery(
    torch.cat([large, gaussian_blur(large, 1.0), small_then_large, gaussian_blur(large, 3.0)]),
    ["enlarged 3 times", "enlarged, blurred\nwith sigma 1", "blurred with sigma 1,\nenlarged",
     "enlarged, blurred\nwith sigma 3"], columns=4, title="2. and 3. Blur and size",
)
plots.gallery(
    torch.cat([cat, turned_then_moved, moved_then_turned]),
    ["as it is", "turned, then moved", "moved, then turned"], columns=3, title="4. Order",
)

# %% [markdown]
# <details><summary>1. Thin strokes</summary>
#
# A stroke here is about a pixel and a half wide. Move it by two pixels, and it hardly meets itself: to a network's first layers it is
# another picture. Blurred, it is wide and soft, and a moved stroke overlaps with the old one, so that a small shift changes the picture only a little.
# The price: fine detail is lost. And if you train on blurred pictures only, you have to blur the test pictures as well (or blur only some in training: see the felt pen in 2.9).
# </details>
# <details><summary>2. After enlarging</summary>
#
# σ counts pixels. Enlarged three times the stroke is three times as wide, and σ = 1 softens only its edge. The same effect needs σ = 3.
# </details>
# <details><summary>3. Blur, then enlarge, or the other way round?</summary>
#
# Not with the same σ. With σ three times as large after enlarging three times the two nearly agree: the third and the fourth picture above. Not exactly, because enlarging is itself a small blur, and borders are
# treated at another scale. Blurring the small picture is cheaper: it has a ninth of the pixels, and the kernel is a third as long.
# </details>
# <details><summary>4. The order of geometric steps</summary>
#
# The order of two shifts doesn't matter, nor that of two rotations about the same centre. For a shift and a rotation it does: turned first, the picture then moves along the row; moved first, it is
# carried around the centre by the rotation. Also, what is pushed out of the picture in the first step is lost in the second. So a pipeline has to state its order. It loses least if all matrices are multiplied first, and the
# pixels are computed only **once**.
# </details>
# <details><summary>5. Colour jitter on drawings</summary>
#
# Hue and saturation change how far a colour is from grey. Black, white and grey are at distance 0, and stay as they are. Brightness and contrast
# change the ink's grey level at most: 0 times any factor is 0, and ink times 1.5 is clamped to 1 again. A layer with BatchNorm undoes most of such a change. The shape, which is
# all that a drawing has, stays the same.
# </details>

# %% [markdown]
# # With a mask
#
# ## 2.4 An image and its mask
# *hard, about 40 minutes, {points: 2.4} points*
#
# In *segmentation* every pixel has a label: the *mask* is a picture of class numbers. (Assignment 3 predicts them.) A geometric augmentation has to move image and mask
# **in the same way**. But a mask can't be treated as a picture:
#
# - Half of class 2 and half of class 8 is not class 5. Masks are sampled with `mode="nearest"`, never between pixels: **no label may appear that wasn't there.**
# - Where a turned or moved picture looks outside the old one, the truth is unknown. Such pixels get **255** in the mask, which the loss ignores (`ignore_index=255`). Class 0 would be a
#   claim: *this is background*. (In the image they are 0, as in 2.2.) Pixels that are 255 already stay so.
# - Masks are whole numbers (int64), because `F.cross_entropy` wants class indices. `grid_sample` wants floats: convert, and convert back.

# %%
plots.gallery(scene.images[:6], [f"scene {number}" for number in range(6)], columns=6, title=f"{scene.name}: pictures")
plots.masks(scene.masks[:6], scene.classes, title="and their masks")


# %% exercise="2.4"
def augment_pair(
    images: torch.Tensor, masks: torch.Tensor, max_degrees: float = 30.0, padding: int = 4
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flip, crop and rotate images and their masks in the same way, with random numbers of its own for each pair.

    Images (N, C, H, W) float, masks (N, H, W) int64 -> the same shapes and types. Each pair is mirrored with probability
    0.5, cut out at a random place after padding, and turned by an angle from -max_degrees to max_degrees, all equally
    likely; the order of the steps is free. Images are sampled bilinearly. Where the result looks outside the old picture,
    the image is 0 and the mask 255. Apart from 255, the mask has only labels that it had before. The inputs are not changed.
    """
    ### BEGIN SOLUTION
    count, _, height, width = images.shape
    labels = (masks + 1).to(images.dtype).unsqueeze(1)  # (N, 1, H, W); from now on 0 means nothing
    both = torch.cat([images, labels], dim=1)  # one draw for both, as they are one picture
    both = random_crop(random_flip(both), padding)
    degrees = max_degrees * (2 * torch.rand(count) - 1)
    moved_images = rotate(both[:, :-1], degrees)
    moved_labels = rotate(both[:, -1:], degrees, mode="nearest").squeeze(1).round().long()  # (N, H, W)
    return moved_images, torch.where(moved_labels == 0, 255, moved_labels - 1)
    ### END SOLUTION


# %% check="2.4" tags=["nbval-check-output"]
check.augment_pair(augment_pair)

# %% [markdown]
# <details><summary>Help: image and mask are moved differently</summary>
#
# If you call `random_flip` twice, it draws twice. Either draw first and then use the numbers for both, or make the two into one tensor before anything is drawn.
# </details>
# <details><summary>Help: labels that weren't there</summary>
#
# Print `masks.unique()` before and after. Values in between come from bilinear sampling; a 254 or a 127 comes from filling with 255 *before* resampling.
# </details>
# <details><summary>Help: corners are class 0, not 255</summary>
#
# `grid_sample` and the padded crop fill with 0, and 0 is also a class. What if no class were 0 while the mask is being moved?
# </details>
#
# One scene, several draws. White outlines are the mask's borders: they must follow the things.

# %% needs="2.2 2.4"
seed_everything(2)
same = (scene.images[[1]] / 255).expand(6, -1, -1, -1)
moved_images, moved_masks = augment_pair(same, scene.masks[[1]].long().expand(6, -1, -1), max_degrees=45, padding=12)
plots.overlays(moved_images, moved_masks, scene.classes, title="One scene, six draws; stripes are ignored")

# %% [markdown]
# # Cut and mix
#
# ## 2.5 Random erasing
# *medium, about 35 minutes, {points: 2.5} points*
#
# Things get hidden behind others. *Random erasing* (Zhong et al. 2017) hides a random rectangle, so that the network can't rely on one detail. Draw in this order:
#
# 1. the rectangle's share of the picture's **area**, evenly from the range `scale` (*evenly*: all values are equally likely);
# 2. its height divided by its width, from the range `ratio`, evenly *on a logarithmic scale*: the logarithm is drawn evenly, so that 1:2 is as likely as 2:1;
# 3. compute height and width from these two, and round them to whole pixels. If the rectangle is higher or wider than the picture, draw both numbers again, up to ten times in all. If none of the ten fits, leave the picture as it is;
# 4. then the place, evenly from all places where the whole rectangle lies inside the picture.


# %% exercise="2.5"
def random_erase(
    images: torch.Tensor, p: float = 0.5, scale: tuple = (0.02, 0.2), ratio: tuple = (0.3, 3.3)
) -> torch.Tensor:
    """Set a random rectangle of each picture to 0, with probability `p`.

    (N, C, H, W) float -> the same. The rectangle's area, as a share of the picture's, lies between `scale[0]` and
    `scale[1]`; its height / width lies between `ratio[0]` and `ratio[1]` (even on a logarithmic scale); its sides are rounded
    to the nearest pixel. All channels are erased. Each picture has draws of its own; the input is not changed.
    """
    ### BEGIN SOLUTION
    images = images.clone()
    height, width = images.shape[-2:]
    for picture in images:
        if torch.rand(()) >= p:
            continue
        for _ in range(10):
            area = height * width * (scale[0] + (scale[1] - scale[0]) * torch.rand(()).item())
            shape = math.log(ratio[0]) + math.log(ratio[1] / ratio[0]) * torch.rand(()).item()
            h, w = round(math.sqrt(area * math.exp(shape))), round(math.sqrt(area / math.exp(shape)))
            if 0 < h <= height and 0 < w <= width:
                top = torch.randint(0, height - h + 1, ()).item()
                left = torch.randint(0, width - w + 1, ()).item()
                picture[:, top : top + h, left : left + w] = 0
                break
    return images
    ### END SOLUTION


# %% check="2.5" tags=["nbval-check-output"]
check.random_erase(random_erase)

# %% [markdown]
# <details><summary>Help: from area and ratio to height and width</summary>
#
# Two equations, two unknowns: height times width is the area, height divided by width is the ratio. Multiply them; divide them.
# </details>
# <details><summary>Help: some rectangles are too small</summary>
#
# If a rectangle is drawn first and cut off at the picture's edge, its area isn't the one drawn. Which places leave room for all of it?
# </details>
#
# Everything so far in one panel: move the sliders. (On GitHub, or before you run it, still pictures stand here.)

# %% needs="2.2 2.3 2.4 2.5"
scene_image, scene_mask = scene.images[[1]] / 255, scene.masks[[1]].long()


def show(mirrored, degrees, shift, brightness, contrast, blur, erased):
    """The drawing, the scene and its mask after all operations with these settings."""

    def moved(images, mode="bilinear"):
        images = F.pad(random_flip(images, p=float(mirrored)), (shift, -shift))
        return rotate(images, torch.tensor([degrees]), mode)

    def changed(images):
        images = adjust_contrast(adjust_brightness(moved(images), torch.tensor([brightness])), torch.tensor([contrast]))
        images = gaussian_blur(images, blur) if blur else images
        seed_everything(0)  # the same place each time, so that only the size changes
        return random_erase(images, p=1.0, scale=(erased, erased), ratio=(1, 1)) if erased else images

    labels = moved((scene_mask + 1.0)[None], "nearest")[0, 0].round().long()
    return {
        "a drawing": changed(ink[[8]])[0],
        "a scene": changed(scene_image)[0],
        "its mask": torch.where(labels == 0, 255, labels - 1),
    }


widgets.panel(
    show, title="Augmentations to play with", mirrored=widgets.Switch(),
    degrees=widgets.Slider(-180.0, 180.0, 0.0, still=30.0, step=5.0), shift=widgets.Slider(-10, 10, 0, still=6, step=1),
    brightness=widgets.Slider(0.0, 2.0, 1.0, still=0.5), contrast=widgets.Slider(0.0, 2.0, 1.0, still=0.3),
    blur=widgets.Slider(0.0, 3.0, 0.0, still=1.5), erased=widgets.Slider(0.0, 0.4, 0.0, still=0.1, step=0.02),
)

# %% [markdown]
# ## 2.6 MixUp and CutMix
# *medium, about 40 minutes, {points: 2.6} points*
#
# Both make a new picture from two, and **a new label from two labels**: a *soft label* has a number for each class, its share, and `F.cross_entropy` takes it in place of class numbers. (A label in which one class has the share 1 and all
# others 0 is called *one-hot*.) A number $\lambda$ (lambda) between 0 and 1 comes from a
# Beta($\alpha$, $\alpha$) distribution (`torch.distributions.Beta`): all values are equally likely for $\alpha = 1$; for small $\alpha$ most are near 0 or 1.
#
# *MixUp* (Zhang et al. 2017): $\lambda$ of a picture plus $1-\lambda$ of its partner, pixel by pixel; the labels in the same shares. The partner is another picture of the same batch: shift the batch by one, or shuffle it.
#
# *CutMix* (Yun et al. 2019): a box of the partner is pasted over the picture, at the same place. Its sides are $\sqrt{1-\lambda}$ of the picture's, so that its area is $1-\lambda$ of the picture's. Its **centre** is any pixel of the picture, all equally likely, and what
# reaches beyond the edge is cut off. So the pasted share is often smaller than $1-\lambda$: the labels' shares are those of the pixels **really** pasted.


# %% exercise="2.6"
def mixup(
    images: torch.Tensor, labels: torch.Tensor, num_classes: int, alpha: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each picture, and its label, with those of a partner in the batch.

    (N, C, H, W) float and (N,) int64 -> images (N, C, H, W) and soft labels (N, num_classes) float32, whose rows add up
    to 1. lambda comes from Beta(alpha, alpha), one for the batch or one for each picture. The inputs are not changed.
    """
    ### BEGIN SOLUTION
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    targets = F.one_hot(labels, num_classes).float()  # (N, num_classes)
    mixed = share * images + (1 - share) * images.roll(1, 0)
    return mixed, share * targets + (1 - share) * targets.roll(1, 0)
    ### END SOLUTION


def cutmix(
    images: torch.Tensor, labels: torch.Tensor, num_classes: int, alpha: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Paste a box of a partner over each picture; the labels are mixed by the pixels really pasted.

    Shapes and lambda as in mixup. The box has sqrt(1 - lambda) of the picture's sides, rounded to pixels; its centre is
    any pixel of the picture, and what reaches beyond the edge is cut off. The box may be the same for the whole batch.
    The inputs are not changed.
    """
    ### BEGIN SOLUTION
    height, width = images.shape[-2:]
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    half_h, half_w = 0.5 * height * math.sqrt(1 - share), 0.5 * width * math.sqrt(1 - share)
    y, x = (torch.rand(2) * torch.tensor([height, width])).tolist()
    top, bottom = max(round(y - half_h), 0), min(round(y + half_h), height)
    left, right = max(round(x - half_w), 0), min(round(x + half_w), width)
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images.roll(1, 0)[:, :, top:bottom, left:right]
    kept = 1 - (bottom - top) * (right - left) / (height * width)
    targets = F.one_hot(labels, num_classes).float()
    return mixed, kept * targets + (1 - kept) * targets.roll(1, 0)
    ### END SOLUTION


# %% check="2.6" tags=["nbval-check-output"]
check.mixup_cutmix(mixup, cutmix)

# %% [markdown]
# <details><summary>Help: pictures and labels don't agree</summary>
#
# Are they mixed with the same λ, and with the same partner? Draw both once, and keep them in variables.
# </details>
# <details><summary>Help: CutMix's labels are sometimes right</summary>
#
# They are right while the box lies inside the picture. Compute the shares *after* the box has been cut off, by counting pixels.
# </details>
# <details><summary>Help: the box is too small</summary>
#
# Half the height times half the width is a quarter of the area, not half of it.
# </details>

# %% needs="2.6"
seed_everything(4)
few, few_labels = ink[:9], drawings.labels[:9]


def shares(row) -> str:
    """Names and shares of the classes in a soft label."""
    return "\n".join(f"{100 * row[label]:.0f} % {classes[label]}" for label in row.nonzero().flatten().tolist())


for name, mix in {"MixUp": mixup, "CutMix": cutmix}.items():
    mixed, soft = mix(few, few_labels, len(classes))
    plots.gallery(mixed, [shares(row) for row in soft], columns=9, title=name)

# %% [markdown]
# # Policies
#
# ## 2.7 RandAugment
# *medium, about 30 minutes, {points: 2.7} points*
#
# Which operations, how strong, how many at once? An earlier method, AutoAugment, needed thousands of trainings to search for the best answer. *RandAugment* (Cubuk et al. 2019) found that random choices work as well: for each picture draw `num_ops` operations from a list, all equally likely,
# and apply them one after the other, all at the same `level` from 0 (nothing) to 30 (each operation's maximum). Then only two numbers have to be chosen.
#
# Augmentation belongs to training only. PyTorch's modules know which mode they are in (`self.training`), so write it as a module that lets pictures through unchanged in evaluation mode.


# %% exercise="2.7"
class RandAugment(nn.Module):
    """For each picture `num_ops` random operations, one after the other, at the given level; in training mode only.

    `operations` is a list of pairs (function, maximum). function(images, strengths) takes any number n of images (n, C, H, W)
    and a tensor (n,) with a strength for each, and returns the new images. A strength is maximum * level / 30, or minus that:
    both are equally likely, drawn anew for each picture and each operation. The same operation may be drawn twice for one
    picture.
    """

    def __init__(self, operations: list, num_ops: int = 2, level: float = 9):
        super().__init__()
        ### BEGIN SOLUTION
        self.operations, self.num_ops, self.level = operations, num_ops, level
        ### END SOLUTION

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C, H, W). The input is not changed."""
        ### BEGIN SOLUTION
        if not self.training:
            return images
        images = images.clone()
        for _ in range(self.num_ops):
            choices = torch.randint(0, len(self.operations), (len(images),))
            signs = 2.0 * torch.randint(0, 2, (len(images),)) - 1
            for number, (operation, maximum) in enumerate(self.operations):
                chosen = choices == number
                if chosen.any():
                    images[chosen] = operation(images[chosen], signs[chosen] * maximum * self.level / 30)
        return images
        ### END SOLUTION


# %% check="2.7" tags=["nbval-check-output"]
check.rand_augment(RandAugment)

# %% [markdown]
# <details><summary>Help: the last operation never comes</summary>
#
# Which numbers can `torch.randint(0, k, ...)` give? Which ones do you need for a list of length k?
# </details>
# <details><summary>Help: only the last operation shows</summary>
#
# Does the second operation get the picture that the first one made, or the original?
# </details>
#
# Now the list. For photographs the paper's maxima are rotation by 30 degrees, a shear of 0.3, brightness and contrast factors of 1 ± 0.9. A drawing stays recognisable under stronger changes, so most of ours are larger;
# and three operations are new. *Shear* and *shrink* look at the old picture through a matrix, as `rotate` does. *Thicken* draws as with a felt pen (a pen with a thick, soft line). It is made from your own functions:
# blur, brighten until the soft edge is ink as well, and keep the ink that was there. At level 0 none of them changes anything.

# %%
def through(images, matrices):
    """Each (square) picture seen through its own matrix (N, 2, 2), about the centre."""
    grids = F.affine_grid(F.pad(matrices, (0, 1)), list(images.shape), align_corners=False)
    return F.grid_sample(images, grids, align_corners=False)


def shear(images, slopes):
    matrices = torch.eye(2).repeat(len(images), 1, 1)
    matrices[:, 0, 1] = slopes
    return through(images, matrices)


def shrink(images, shares):  # 0.5, or -0.5: half the size
    return through(images, torch.eye(2) / (1 - shares.abs()).view(-1, 1, 1))


def thicken(images, strengths):
    return torch.maximum(images, adjust_brightness(gaussian_blur(images, 1.0), strengths.abs()))


OPERATIONS = [
    (rotate, 60.0),
    (shear, 0.7),
    (shrink, 0.8),
    (thicken, 6.0),
    (lambda images, strengths: adjust_brightness(images, 1 + strengths), 0.8),
    (lambda images, strengths: adjust_contrast(images, 1 + strengths), 0.8),
]

# %% needs="2.2 2.3 2.7"
seed_everything(5)
same = ink[[8]].expand(9, -1, -1, -1)
rows = [RandAugment(OPERATIONS, num_ops=2, level=level)(same) for level in (0, 10, 20, 30)]
plots.gallery(
    torch.cat(rows), [f"level {level}" for level in (0, 10, 20, 30) for _ in range(9)],
    columns=9, title="Two operations at four levels",
)

# %% [markdown]
# ## 2.8 Test-time augmentation
# *easy, about 10 minutes, {points: 2.8} points*
#
# *Test-time augmentation* shows the trained network several **fixed** versions of a picture ("views") and takes the mean of its answers: of the probabilities, after the softmax. This isn't
# training: there are no random numbers, no gradients are recorded, and the network is in evaluation mode.


# %% exercise="2.8"
def predict_with_views(model: nn.Module, images: torch.Tensor, views: list) -> torch.Tensor:
    """Mean probabilities (N, classes) over the views of each picture.

    `model` takes images and gives logits (N, classes). `views` is a list of functions that take images (N, C, H, W) and give
    images.
    """
    ### BEGIN SOLUTION
    model.eval()
    with torch.no_grad():
        answers = [model(view(images)).softmax(dim=1) for view in views]
    return torch.stack(answers).mean(dim=0)
    ### END SOLUTION


# %% check="2.8" tags=["nbval-check-output"]
check.predict_with_views(predict_with_views)

# %% [markdown]
# <details><summary>Help: the rows don't add up to 1</summary>
#
# A mean of probabilities adds up to 1. A mean of logits doesn't, and a sum of probabilities adds up to the number of views.
# </details>
# <details><summary>Help: another result each time</summary>
#
# Dropout and BatchNorm behave differently in the two modes. Which one are you in?
# </details>

# %% [markdown]
# # Measure
#
# ## 2.9 Does it help, and where?
# *medium, about 70 minutes, {points: 2.9} points and two questions*
#
# The experiment: fifty drawings of each class, a small network, five ways to augment. Each way runs three times, each time with **other drawings and another seed**, because one number
# says little if we don't know its *spread*: how far the results of several runs lie apart. All runs take the same number of steps. They are tested on drawings like those of the training ("held out"), and on drawings by "people" who draw
# differently: slanted (leaning to one side), small, off-centre (not in the middle), with thick ink, and all of it together ("mixed"). (These are drawn that way, stroke by stroke. No augmentation was used to make them.)

# %%
SHIFTS = doodles.SHIFTS
sheets = {kind: doodles.load_shifted(kind, classes=classes, per_class=60) for kind in SHIFTS}
plots.gallery(
    torch.cat([sheets[kind].images[: len(classes)] for kind in SHIFTS]),
    [f"{kind}\n{name}" for kind in SHIFTS for name in classes], columns=len(classes),
    title="Other people's drawings",
)

# %% [markdown]
# A result is a mean *with* its spread: the sample standard deviation, which divides by the number of runs **minus one** (with three runs that matters).


# %% exercise="2.9"
def mean_and_spread(accuracies: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean, and the sample standard deviation, of each method over its runs.

    accuracies[m, r] is the accuracy of method m in its run r: (methods, runs) -> two tensors (methods,), the means first.
    """
    ### BEGIN SOLUTION
    mean = accuracies.mean(dim=1)
    squares = (accuracies - mean[:, None]) ** 2
    return mean, (squares.sum(dim=1) / (accuracies.shape[1] - 1)).sqrt()
    ### END SOLUTION


# %% check="2.9" tags=["nbval-check-output"]
check.mean_and_spread(mean_and_spread)

# %% [markdown]
# <details><summary>Help: the numbers are a little too small</summary>
#
# Three numbers lie closer to *their own* mean than to the true mean. Dividing by n - 1 corrects this.
# </details>
#
# The network is small, so that more than twenty runs take only a few minutes.

# %%
PER_CLASS, RUNS = 50, 3  # drawings a class; runs of each method
EPOCHS, BATCHES, BATCH_SIZE = 20, 20, 50  # an "epoch" is 20 batches here, however many drawings there are


def layer(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()
    )


def small_network() -> nn.Sequential:
    """(N, 1, 28, 28), normalised -> logits (N, classes)."""
    network = nn.Sequential(
        layer(1, 32), nn.MaxPool2d(2),  # (N, 32, 14, 14)
        layer(32, 64), nn.MaxPool2d(2),  # (N, 64, 7, 7)
        layer(64, 64), nn.Flatten(), nn.Linear(64 * 49, len(classes)),
    )
    return network.to(memory_format=torch.channels_last)  # the order of numbers in which CPUs are faster


# %% [markdown]
# Five ways to augment a batch. The first does nothing; each of the next three adds something to the one before; the last one, your policy, stands alone.


# %% needs="2.2 2.3 2.6 2.7" editable=true
def evenly(images, low, high):
    """A number for each picture, evenly from low to high."""
    return low + (high - low) * torch.rand(len(images))


def geometric(images, labels):
    images = random_crop(random_flip(images), padding=6)
    return rotate(images, evenly(images, -30, 30)), labels


def photometric(images, labels):
    images, labels = geometric(images, labels)
    images = adjust_brightness(images, evenly(images, 0.7, 1.3))
    images = adjust_contrast(images, evenly(images, 0.7, 1.3))
    felt_pen = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(felt_pen, thicken(images, evenly(images, 0, 3)), images), labels


def mixing(images, labels):
    images, labels = photometric(images, labels)
    if torch.rand(()) < 0.5:  # half of the batches stay unmixed
        return images, labels
    mix = [mixup, cutmix][torch.randint(2, ()).item()]
    return mix(images, labels, len(classes))


policy = RandAugment(OPERATIONS, num_ops=2, level=15)


def randaugment(images, labels):
    return random_crop(policy(random_flip(images)), padding=6), labels


METHODS = {
    "none": None, "geometric": geometric, "+ photometric": photometric, "+ MixUp, CutMix": mixing, "policy": randaugment
}

# %% needs="2.2 2.3 2.6 2.7"
seed_everything(6)
one_each = ink[: len(classes)]
seen = [one_each] + [augment(one_each, drawings.labels[: len(classes)])[0] for augment in METHODS.values() if augment]
plots.gallery(
    torch.cat(seen), [name if column == 0 else "" for name in METHODS for column in range(len(classes))],
    columns=len(classes), title="What the network gets to see",
)

# %%
pool = load(DATASET, "train", classes=classes, per_class=200, channels=1)
tests = {"held out": load(DATASET, "test", classes=classes, per_class=100, channels=1), **sheets}
results = {test: {} for test in tests}


def normalized(data) -> TensorDataset:
    return TensorDataset(normalize(data.images, mean, std), data.labels)


def run(augment, seed, per_class=PER_CLASS) -> dict:
    """Accuracy on every test set after training on drawings that the seed chose. A method's networks are kept."""
    name = next((name for name, method in METHODS.items() if method is augment), None)
    kept = f"2_augmentation/{name}, {per_class} of {DATASET}, seed {seed}" if name else None
    seed_everything(seed)
    chosen = [torch.nonzero(pool.labels == label).flatten() for label in range(len(classes))]
    chosen = torch.cat([which[torch.randperm(len(which))[:per_class]] for which in chosen])
    data = TensorDataset(pool.images[chosen] / 255, pool.labels[chosen])
    sampler = RandomSampler(data, replacement=True, num_samples=BATCHES * BATCH_SIZE)

    def augmented(images, labels):
        images, labels = images.cpu(), labels.cpu()  # your functions draw on the CPU, wherever the network learns
        if augment is not None:
            images, labels = augment(images, labels)
        return normalize(images, mean, std), labels

    model = small_network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=EPOCHS + 1, pct_start=0.2)
    fit(
        model, DataLoader(data, BATCH_SIZE, sampler=sampler), DataLoader(normalized(tests["held out"].take(10)), 100),
        optimizer, epochs=EPOCHS, scheduler=scheduler, augment=augmented, device=device,
        watch=lambda history: None, name=f"seed {seed}", checkpoint=kept,
    )
    model.eval()
    accuracy = {}
    for test, data in tests.items():
        with torch.no_grad():
            guesses = model(normalize(data.images, mean, std).to(device)).argmax(1).cpu()
        accuracy[test] = (guesses == data.labels).float().mean().item()
    return accuracy


def repeat(name) -> None:
    """All runs of one method, into `results`."""
    runs = [run(METHODS[name], seed) for seed in range(RUNS)]
    for test in tests:
        results[test][name] = [one[test] for one in runs]
    print(f"{name}: {RUNS} runs done")


# %% needs="2.1 2.7"
repeat("none")

# %% needs="2.1 2.2 2.7"
repeat("geometric")

# %% needs="2.1 2.2 2.3 2.7"
repeat("+ photometric")

# %% needs="2.1 2.2 2.3 2.6 2.7"
repeat("+ MixUp, CutMix")

# %% needs="2.1 2.2 2.3 2.7"
repeat("policy")

# %% [markdown]
# The table: means and standard deviations in percent, by your function.

# %% needs="2.1 2.2 2.3 2.6 2.7 2.9" tags=["report"]
print(f"{'':<16}" + "".join(f"{test:>16}" for test in results))
for row, name in enumerate(METHODS):
    cells = []
    for test in results:
        means, spreads = mean_and_spread(torch.tensor([results[test][method] for method in METHODS]))
        cells.append(f"{100 * means[row]:.1f} ± {100 * spreads[row]:.1f}")
    print(f"{name:<16}" + "".join(f"{cell:>16}" for cell in cells))

# %% needs="2.1 2.2 2.3 2.6 2.7 2.9"
plots.spread(
    {test: {name: results[test][name] for name in METHODS} for test in results},
    title=f"{PER_CLASS} drawings a class. Dots: {RUNS} runs; line: a standard deviation to each side",
)

# %% needs="2.1 2.2 2.3 2.6 2.7 2.9" tags=["nbval-check-output"]
compared = {name: METHODS[name] for name in ("none", "policy")}
unusual = torch.tensor([[results[test][name] for test in SHIFTS] for name in compared])  # (2, shifts, runs)
means, spreads = mean_and_spread(unusual.mean(dim=1))
gain = means[1] - means[0]
print("On other people's drawings the policy gains at least 10 points:", "yes" if gain >= 0.10 else "no")
print("and more than twice the spread of both together:", "yes" if gain > 2 * spreads.sum() else "no")

# %% [markdown]
# Read the table by columns. On drawings like those of the training nothing is gained: in our runs all methods named 82 to 88 % of them correctly, and those with augmentation were a little lower. On the other drawings everything
# depends on whether *that* difference was among the augmentations. Rotating helps with slanted drawings, cropping with off-centre ones, the felt pen with thick ink (there the geometric augmentations alone *hurt*),
# and shrinking with small drawings. **An augmentation is a claim about what doesn't matter.** It helps where the new pictures need that claim.
#
# In our runs the policy gained 38 to 41 points on the mean of the five kinds; yours may differ by a few.
#
# How does the gain depend on the number of drawings? (There are only two runs each: look at the distances between the dots before you believe a difference.)

# %% needs="2.1 2.2 2.3 2.7" editable=true
by_number = {PER_CLASS: results}


def with_other_number(per_class, runs=2) -> None:
    """Runs without augmentation and with the policy, into `by_number`."""
    found = {name: [run(augment, seed, per_class) for seed in range(runs)] for name, augment in compared.items()}
    by_number[per_class] = {test: {name: [one[test] for one in found[name]] for name in found} for test in tests}


with_other_number(20)

# %% needs="2.1 2.2 2.3 2.7"
with_other_number(200)

# %% needs="2.1 2.2 2.3 2.7"
plots.spread(
    {
        f"{test}, {number}": {name: by_number[number][test][name] for name in compared}
        for test in ("held out", "mixed") for number in sorted(by_number)
    },
    title="By the number of drawings of each class",
)

# %% [markdown]
# On other people's drawings, twenty drawings of each class with the policy are better than two hundred without it: more drawings of the same kind show nothing new. With two hundred, however, the policy *costs* five points or more on
# drawings like those of the training. The network has spent part of its learning on changes that never come in the test.
#
# And real people? If *Quick, Draw!* is on this machine (`assignments data quickdraw` in a terminal downloads it), the next cell tests on their drawings. In our runs nothing was gained there: those drawings are
# cut out and centred just as the doodles are, so they don't differ in the ways that the policy prepares for.

# %% needs="2.1 2.2 2.3 2.7"
from assignments_lib.datasets import SOURCES, data_root

methods = compared.items()
if DATASET == "doodles" and SOURCES["quickdraw"].present(data_root()):
    real = load("quickdraw", "test", per_class=100, channels=1)
    labels = torch.tensor([classes.index(real.classes[label]) for label in real.labels])
    tests = {**tests, "real drawings": type(real)(real.images, labels, classes, real.name)}
    for name, augment in methods:
        share = run(augment, seed=0)["real drawings"]
        print(f"{name:<8}{share:.1%} of {len(labels)} real drawings ({', '.join(real.classes)})")
else:
    print("No real drawings to compare with: this ran on doodles alone, or on real drawings in the first place.")

# %% [markdown]
# **Test-time augmentation.** Views that the network hasn't seen in training, on slanted drawings: does it help the network that was trained without augmentation?

# %% needs="2.1 2.2 2.8"
seed_everything(0)
plain = small_network()
fit(
    plain, DataLoader(normalized(drawings), 50, shuffle=True), DataLoader(normalized(tests["held out"]), 250),
    torch.optim.AdamW(plain.parameters(), lr=1e-3), epochs=15, device=device, watch=lambda history: None,
)
plain.cpu()
turns = {
    "one view": [0.0], "five views, turned by up to 10 degrees": [-10.0, -5.0, 0.0, 5.0, 10.0],
    "five views, turned by up to 30 degrees": [-30.0, -15.0, 0.0, 15.0, 30.0],
}


def turned(angle):
    """A view: turned, then normalised, as the network expects."""
    return lambda images: normalize(rotate(images, torch.full((len(images),), angle)), mean, std)


for name, angles in turns.items():
    views = [turned(angle) for angle in angles]
    shares = [
        (predict_with_views(plain, tests[test].images / 255, views).argmax(1) == tests[test].labels).float().mean()
        for test in ("held out", "slanted")
    ]
    print(f"{name:<40} held out {shares[0]:.1%}, slanted {shares[1]:.1%}")

# %% [markdown]
# In our runs five views turned by up to 30 degrees gained a few points on slanted drawings, and lost a few on those that stand upright: for these, most of the views are wrong, and they make the mean worse. Training with rotations gained
# about three times as much on the slanted ones.
#
# ## What destroys a label
#
# An augmentation claims that the label stays true. Look at these pictures: does each still show what it showed before? Would a person name it? And is there *another class* that it now looks like?

# %% needs="2.2 2.3 2.5"
def example(name, number=0):
    """The drawing (1, 1, 28, 28) of a class with this number."""
    return ink[torch.nonzero(drawings.labels == classes.index(name)).flatten()[[number % PER_CLASS]]]


first, *_, last = classes
subjects = [name for name in ("rainbow", "train", "hospital", "apple", "spoon", "cat") if name in classes] or [first, last]
destroyers = {
    "as it is": lambda images: images,
    "upside down": lambda images: images.flip(-2),
    "mirrored": lambda images: images.flip(-1),
    "quarter turn": lambda images: images.rot90(1, (-2, -1)),
    "very small": lambda images: shrink(images, torch.tensor([0.8])),
    "much blur": lambda images: gaussian_blur(images, 3.0),
    "half erased": lambda images: torch.cat([images[..., :14], 0 * images[..., 14:]], -1),
    "moved away": lambda images: images.roll(14, -1).index_fill(-1, torch.arange(14), 0.0),
}
plots.gallery(
    torch.cat([change(example(name, 3)) for name in subjects for change in destroyers.values()]),
    [f"{name}\n{how}" for name in subjects for how in destroyers], columns=len(destroyers),
    title="Still the same thing?",
)

# %% [markdown] question="Q1"
# **Q1** ({points: Q1} points, marked by hand). *Which augmentation helps where, and how do you know?* Use your table: name two shifts and the augmentation that brought the most there, with means and
# spreads. Where are two methods so close that three runs can't tell which one is better? Why does augmentation gain so little on held-out drawings? Five to eight sentences.
#
# ### BEGIN SOLUTION
# On slanted drawings the geometric method gains more than ten points over none (about 58 ± 1 against 69 ± 4), because it contains rotations by up to 30 degrees, and adding photometric operations or MixUp changes nothing there within the spread. On thick
# ink the geometric method is even worse than none; the felt pen in the photometric one brings it from 48 to 77 percent, as blurring and brightening is what thick ink looks like. Only the policy can shrink, and it leads on
# small drawings by more than twenty points. On the held-out drawings all methods lie between 82 and 88 percent; those with augmentation differ by less than their spreads, so that with three runs they can't be told apart, and none of them is above the network without. These drawings come from the same
# hand as the training ones, so that nothing the augmentations add is needed there, and a part of the capacity is spent on versions that never occur. A gain counts when it is clearly larger than the spread of both methods, which depends on the drawings chosen as well as on
# the seed.
# ### END SOLUTION

# %% [markdown] question="Q2"
# **Q2** ({points: Q2} points, marked by hand). *When does an augmentation destroy the label?* Take two of the pictures above and argue, one for each side: is an upside-down rainbow still a rainbow? Is a mirrored train still a train? Which augmentations would you not use if the classes were handwritten digits, road signs, or
# X-ray images of the chest? How would you find out by experiment, without looking at pictures? Five to eight sentences.
#
# ### BEGIN SOLUTION
# A mirrored train is a train: nobody draws all trains in one direction, and no other class looks like a mirrored train. An upside-down rainbow is no rainbow that anybody would draw; but none of the other classes is an arc either, so the network can still tell it apart and the
# damage is small: an augmentation destroys a label when the result belongs to *another class*, or to none. With digits a 6 turned by 180 degrees is a 9, and a mirrored 2 is no digit; a mirrored road sign can order the opposite, left for right; a mirrored chest X-ray shows the heart
# on the wrong side, which is a disease. A picture that is moved out of sight or shrunk to a few pixels keeps its label on paper but has nothing to show for it. By experiment: train with and without that one operation, several seeds each, and look at the accuracy by class on held-out pictures that were not
# augmented; where classes that look alike under the operation are confused more often than before, by more than the spread, it destroys labels.
# ### END SOLUTION

# %% [markdown]
# # In practice
#
# Batches of photographs need all of this at speed. The package's `augmentation` does it for whole batches with a draw for each picture, masks included; geometric steps that stand next to each other become one resampling. `fit` takes it as `augment`, and assignment 3 will.

# %%
from assignments_lib import augmentation

seed_everything(7)
augment = augmentation.Pipeline(
    augmentation.RandomResizedCrop(tuple(scene.images.shape[-2:]), scale=(0.4, 1.0)),
    augmentation.HorizontalFlip(),
    augmentation.RandomAffine(degrees=15),
    augmentation.ColorJitter(0.4, 0.4, 0.4, 0.1),
)
plots.overlays(*augment(scene.images[:6], scene.masks[:6].long()), scene.classes, title="A batch of scenes, augmented")

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

handin.form("2_data_augmentation")

# %% [markdown]
# **Sources.** H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz: *mixup: Beyond Empirical Risk Minimization*, 2017 (arXiv 1710.09412). Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang: *Random Erasing Data Augmentation*, 2017 (arXiv
# 1708.04896). S. Yun, D. Han, S. J. Oh, S. Chun, J. Choe, Y. Yoo: *CutMix*, 2019 (arXiv 1905.04899). E. Cubuk, B. Zoph, J. Shlens, Q. Le: *RandAugment*, 2019 (arXiv 1909.13719). *Quick, Draw!* data: Google Creative Lab, CC BY 4.0.
#
# | English | 한국어 |
# |---|---|
# | data augmentation | 데이터 증강 |
# | normalise, mean, standard deviation | 정규화, 평균, 표준편차 |
# | flip, crop, rotation | 뒤집기, 자르기, 회전 |
# | affine transformation, resampling | 아핀 변환, 리샘플링 |
# | bilinear, nearest neighbour | 쌍선형, 최근접 이웃 |
# | shear, sheared (slanted) | 전단(기울이기), 기울어진 |
# | brightness, contrast, blur | 밝기, 대비, 흐림(블러) |
# | clamp | 범위로 자르기(클램프) |
# | segmentation mask, ignore index | 분할 마스크, 무시 인덱스 |
# | random erasing | 무작위 지우기 |
# | soft label | 소프트 레이블 |
# | one-hot label, share | 원-핫 레이블, 비율 |
# | policy, level (magnitude) | 정책, 강도 |
# | test-time augmentation | 테스트 시점 증강 |
# | distribution shift | 분포 이동 |
# | sample standard deviation, seed | 표본 표준편차, 시드 |
#
# *Text: CC BY 4.0. Code: MIT.*
