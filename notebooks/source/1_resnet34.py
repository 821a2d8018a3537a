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
# # Assignment 1: ResNet34
#
# You build a 34-layer residual network from single layers, train it to name hand drawings, and find out how much
# *pretraining* (learning from other pictures first) helps when there are only a few examples.
#
# **After this assignment you can**
#
# - work out the output size and the receptive field of any stack of convolutions;
# - build a residual network (He et al. 2015) that gives exactly what torchvision's gives;
# - initialise it, and load published weights into it;
# - write a training loop and an evaluation loop without the usual mistakes;
# - *fine-tune* a network (let a trained one learn from new pictures), and say when that is worth it.
#
# **How it works.** In the code cell of an exercise, put your code where `raise NotFilledIn(...)` stands, and run the
# cell. Then run the cell below it: it checks your code, tells you what is right, and if something isn't, what the likely
# mistake is. Check as often as you like; it costs no points. Stuck? Below the check there is help. It is folded: find
# the title that says what you see, and click on it. New words are explained where they first appear, and a list of words
# in English and Korean stands at the end. The times include reading, and trying again once or twice.
#
# | Part | Exercises | Points | About how long |
# |---|---|---|---|
# | Build | 1.1 to 1.4 | {points: 1.1 1.2 1.3 1.4} | 100 minutes |
# | Start well | 1.5 and 1.6 | {points: 1.5 1.6} | 45 minutes |
# | Train | 1.7 and experiment A | {points: 1.7} | 50 minutes |
# | Fine-tune | 1.8 and experiment B | {points: 1.8} | 40 minutes |
# | Explain | experiment C, questions Q1 and Q2 | {points: Q1 Q2} | 40 minutes |

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
from assignments_lib import NotFilledIn, plots  # first, as it tells PyTorch how to share the processor

from functools import partial

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torch.utils.data import DataLoader

from assignments_lib.checks import resnet34 as check
from assignments_lib.datasets import doodles, load
from assignments_lib.layers import side_by_side
from assignments_lib.training import choose_device, fit, seed_everything

seed_everything(0)
device = choose_device()

# %% tags=["parameters"]
DATASET = "doodles"  # or "quickdraw" (real drawings), "cifar10", "pets": downloaded on first use

# %% [markdown]
# ## The network
#
# A layer turns its input into a *feature map*: a grid of places, with several numbers at each place, its *channels*. (A
# colour picture is such a grid, too, with 3 channels: red, green, blue.) One place of a feature map is called a *unit*.
#
# This picture is drawn from torchvision's code, by following one image through it. Each box is a layer: its height
# stands for the height and width of the feature map, its thickness for the number of channels. The arcs are the
# *shortcuts*, which exercise 1.2 explains. In the end you will draw the same picture from your own code.

# %%
plots.network(torchvision.models.resnet34(), image_size=224)

# %% [markdown]
# # Build
#
# ## 1.1 Output size and receptive field
# *easy, about 20 minutes, {points: 1.1} points*
#
# Let us look at one side of the picture only: width and height work in the same way. A convolution lays a *kernel* (a row
# of $k$ weights) over the input, moves it by the *stride* $s$, and writes one number for each position. *Padding* adds
# $p$ zeros at **both** ends. With *dilation* $d$ neighbouring weights lie $d$ pixels apart, so that the kernel spans more
# pixels than it has weights.
#
# The *receptive field* of a unit is the square of input pixels that can change its value. Two 3x3 convolutions see
# 5x5 pixels: the second kernel's outer weights look at units that themselves see one pixel further. After a layer
# with stride 2, neighbouring units of the feature map stand 2 input pixels apart, and every later kernel reaches twice
# as far.

# %%
plots.receptive_field([3, 5], names=["one 3x3 convolution", "two 3x3 convolutions"], image_size=9)


# %% exercise="1.1"
def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1) -> int:
    """How many units a convolution gives along one side.

    `size` is the input's side in pixels. All arguments are whole numbers, and so is the result: if one more step
    would move the kernel over the edge of the padded input, that step isn't made. The kernel is never larger than
    the padded input.
    """
    ### BEGIN SOLUTION
    span = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - span) // stride + 1
    ### END SOLUTION


def receptive_field(layers: list[tuple[int, int]]) -> int:
    """Side, in input pixels, of the square that one unit after the last layer sees.

    `layers` are (kernel size, stride) pairs, first layer first: receptive_field([(3, 1), (3, 1)]) is 5.
    Pooling counts as a layer like any other. The edge of the input doesn't cut anything off.
    """
    ### BEGIN SOLUTION
    field, distance = 1, 1  # distance: input pixels between neighbouring units
    for kernel_size, stride in layers:
        field += (kernel_size - 1) * distance
        distance *= stride
    return field
    ### END SOLUTION


# %% check="1.1" tags=["nbval-check-output"]
check.output_size(conv_output_size, receptive_field)

# %% [markdown]
# <details><summary>Help: where do I begin?</summary>
#
# Draw a row of 7 squares and a kernel of 3. With stride 1, at how many places can the kernel lie? With stride 2? Now
# write down how many *steps* it takes, and how many *places* that makes.
# </details>
# <details><summary>Help: the size is right except with dilation</summary>
#
# How many pixels lie between the first and the last weight of a kernel of 3 with dilation 2? Count with a drawing:
# x . x . x spans 5 pixels.
# </details>
# <details><summary>Help: the receptive field is right except with strides</summary>
#
# Keep two numbers while you go through the layers: what a unit sees, and how many input pixels lie between
# neighbouring units. Both begin at 1. Which of the two does a kernel change, which one a stride, and in what order?
# </details>
#
# With your two functions, here is ResNet34's way from 224 pixels to 7, and what a unit sees. (The *stem* is what comes
# before the first block; a *stage* is a group of blocks whose maps have one size. You build both below.) Note that a unit
# of the last stage sees more than the whole picture.

# %% needs="1.1" tags=["nbval-check-output"]
stem = [(7, 2), (3, 2)]
stages = [[(3, 1)] * 6, [(3, 2)] + [(3, 1)] * 7, [(3, 2)] + [(3, 1)] * 11, [(3, 2)] + [(3, 1)] * 5]
layers, size = list(stem), 224
for kernel_size, stride in stem:
    size = conv_output_size(size, kernel_size, stride, padding=kernel_size // 2)
print(f"stem     {size:>3} x {size:<3}  a unit sees {receptive_field(layers):>4} pixels")
for number, stage in enumerate(stages, start=1):
    layers += stage
    for kernel_size, stride in stage:
        size = conv_output_size(size, kernel_size, stride, padding=1)
    print(f"stage {number}  {size:>3} x {size:<3}  a unit sees {receptive_field(layers):>4} pixels")

# %% [markdown]
# ## 1.2 The residual block
# *medium, about 30 minutes, {points: 1.2} points*
#
# A *residual block* does not compute its output, it computes what to **add** to its input: $y = \mathrm{ReLU}(F(x) + x)$.
# ($F$ is called the *residual*, what remains to be done.) If nothing needs to be changed, $F$ only has to be zero, which is
# easy to learn. And the gradient reaches earlier layers through the sum, without passing every convolution (He et al. 2015,
# *Deep Residual Learning for Image Recognition*, sections 3.1 and 3.2).
#
# $F$ is made of two 3x3 convolutions with padding 1. Each is followed by *batch normalisation* (`nn.BatchNorm2d`). A ReLU
# stands after the first BatchNorm, none after the second. The first convolution has the block's stride; the second has
# stride 1. Convolutions have no bias, because the BatchNorm that follows would subtract it again.
#
# *Batch normalisation*, BatchNorm for short, brings each channel to mean 0 and variance 1, then multiplies it by a *scale*
# and adds a *shift*, which are learned. In training mode it uses the mean and variance of the batch, and keeps moving
# averages of them, its *running statistics*. In evaluation mode it uses these instead.
#
# The *shortcut* is the input itself (*identity*) wherever it has the shape of $F(x)$. Where the stride isn't 1 or the
# number of channels changes, the shortcut is a *projection*: a 1x1 convolution with the block's stride, and BatchNorm.
# No ReLU stands on the shortcut.
#
# The two kinds of block, drawn from torchvision's code:

# %%
from torchvision.models.resnet import BasicBlock as TorchvisionBlock

plots.residual_blocks(
    {
        "identity shortcut: 64 to 64 channels": TorchvisionBlock(64, 64),
        "projection: 64 to 128 channels, stride 2": torchvision.models.resnet34().layer2[0],
    },
    channels=64,
)

# %% [markdown]
# | Block | Parameters |
# |---|---|
# | `BasicBlock(64, 64)` | 2 convolutions of 64 x 64 x 3 x 3, 2 BatchNorms of 2 x 64: 73,984 |
# | `BasicBlock(64, 128, stride=2)` | the same with 128 outputs, and the projection's 8,192 + 256: 230,144 |


# %% exercise="1.2"
class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut.

    (N, in_channels, H, W) -> (N, out_channels, H', W'), where H' and W' are H and W divided by the stride and
    rounded up. The input is not changed.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1):
        super().__init__()
        ### BEGIN SOLUTION
        self.first = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut.append(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(out_channels))
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        residual = F.relu(self.first_norm(self.first(x)))
        residual = self.second_norm(self.second(residual))
        return F.relu(residual + self.shortcut(x))
        ### END SOLUTION


# %% check="1.2" tags=["nbval-check-output"]
check.basic_block(BasicBlock)

# %% [markdown]
# <details><summary>Help: "The size of tensor a (8) must match the size of tensor b (16)"</summary>
#
# You add two tensors of different shape. Print the shape of both just before the sum. Which of the two kept its size,
# and which one should have followed?
# </details>
# <details><summary>Help: "expected input to have 128 channels, but got 64"</summary>
#
# A layer was built for the wrong number of channels. The first convolution takes `in_channels`; what does the second
# one get?
# </details>
# <details><summary>Help: shapes and parameters are right, values aren't</summary>
#
# Put your finger on the drawing and follow both arrows to the sum: is every box of the drawing in your `forward`, in
# that order? What comes right after the sum?
# </details>

# %% [markdown]
# ## 1.3 A stage
# *easy, about 10 minutes, {points: 1.3} points*
#
# ResNet34 has four *stages* of 3, 4, 6 and 3 blocks. Within a stage the size and the number of channels stay the same:
# only its **first** block has the stride and takes `in_channels`. Each block is a new object with weights of its own, and
# it gets what the block before it gave.


# %% exercise="1.3"
def make_stage(in_channels: int, out_channels: int, num_blocks: int, stride: int) -> nn.Module:
    """`num_blocks` of your BasicBlocks in a row.

    (N, in_channels, H, W) -> (N, out_channels, H', W'), where H' and W' are H and W divided by the stride and
    rounded up.
    """
    ### BEGIN SOLUTION
    blocks = [BasicBlock(in_channels, out_channels, stride)]
    blocks += [BasicBlock(out_channels, out_channels) for _ in range(num_blocks - 1)]
    return nn.Sequential(*blocks)
    ### END SOLUTION


# %% check="1.3" tags=["nbval-check-output"]
check.make_stage(make_stage)

# %% [markdown]
# <details><summary>Help: the number of parameters is 0</summary>
#
# PyTorch finds the parameters of modules that are attributes of a module, or stand in `nn.Sequential` or
# `nn.ModuleList`. It doesn't look into Python's own lists.
# </details>
# <details><summary>Help: too few parameters, but the values look right</summary>
#
# Is one block object in your stage more than once? `[block] * 3` is three times the same block, not three blocks.
# </details>

# %% [markdown]
# ## 1.4 ResNet34
# *medium, about 35 minutes, {points: 1.4} points*
#
# | Part | Layers | From 224x224 |
# |---|---|---|
# | stem | 7x7 convolution, 64 channels, stride 2, padding 3, no bias; BatchNorm; ReLU | 112x112 |
# | | 3x3 max pooling, stride 2, padding 1 | 56x56 |
# | stage 1 | 3 blocks, 64 channels, stride 1 | 56x56 |
# | stage 2 | 4 blocks, 128 channels, stride 2 | 28x28 |
# | stage 3 | 6 blocks, 256 channels, stride 2 | 14x14 |
# | stage 4 | 3 blocks, 512 channels, stride 2 | 7x7 |
# | head | average over the whole map; fully connected layer with bias, `num_classes` outputs | 1x1 |
#
# (He et al. 2015, table 1, the column *34-layer*.) The strides are those of each stage's first block. The *head* is the end
# of the network, which names the classes. The average is taken over the *whole* map, whatever its size, so that the network
# takes images of any size from 32x32 up. Its outputs are *logits*: one score for each class, any number, before softmax
# would turn them into probabilities. Don't apply softmax. With 1000 classes the network has 21,797,672 parameters.


# %% exercise="1.4"
class ResNet34(nn.Module):
    """(N, in_channels, H, W) -> logits (N, num_classes), for any H and W from 32 up.

    `in_channels` is the number of channels of the images: 3 for colour, 1 for grey.
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3):
        super().__init__()
        ### BEGIN SOLUTION
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stages = nn.Sequential(
            make_stage(64, 64, 3, stride=1),
            make_stage(64, 128, 4, stride=2),
            make_stage(128, 256, 6, stride=2),
            make_stage(256, 512, 3, stride=2),
        )
        self.head = nn.Linear(512, num_classes)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        features = self.stages(self.stem(x))  # (N, 512, H / 32, W / 32)
        return self.head(features.mean(dim=(2, 3)))
        ### END SOLUTION


# %% check="1.4" tags=["nbval-check-output"]
check.resnet34(ResNet34)

# %% [markdown]
# <details><summary>Help: "mat1 and mat2 shapes cannot be multiplied"</summary>
#
# The vector that reaches the fully connected layer has another length than the layer was built for. After averaging over
# height and width it has one number a channel: print its shape.
# </details>
# <details><summary>Help: it works for 224x224 only</summary>
#
# Something in your head depends on a map of 7x7. `nn.AdaptiveAvgPool2d(1)`, or a mean over dimensions 2 and 3, takes maps
# of any size.
# </details>
# <details><summary>Help: a few thousand parameters too many or too few</summary>
#
# The table below the next cell shows your layers beside torchvision's. Biases in convolutions, a projection in stage 1,
# and a missing BatchNorm are the usual reasons.
# </details>
#
# Your network beside torchvision's, layer by layer in the order of the forward pass; then your own picture.

# %% needs="1.4" tags=["nbval-check-output"]
side_by_side(ResNet34(), torchvision.models.resnet34())

# %% needs="1.4"
plots.network(ResNet34(), image_size=224, title="My ResNet34")

# %% [markdown]
# # Start well
#
# ## 1.5 Initialisation
# *medium, about 25 minutes, {points: 1.5} points*
#
# Before training, weights are random. How large should they be? If each layer makes its numbers a little smaller, after 34
# layers almost nothing is left; if a little larger, they become huge. He et al. (2015b, *Delving Deep into Rectifiers*,
# section 2.2) computed the right size: with ReLUs in between, the *gradient* keeps its size on its way back if a layer's
# weights have mean 0 and variance $2 / n_\text{out}$. Here $n_\text{out}$ is the *fan-out*: output channels times kernel
# height times kernel width. This is *He initialisation*; PyTorch calls it *Kaiming*, He's first name.
# (The 2 makes up for the half that each ReLU sets to zero. The same argument for the forward pass gives the *fan-in*, with
# input channels instead. Either one works; we take the fan-out, as torchvision's ResNet does.)
#
# BatchNorm starts with scale 1 and shift 0, with one exception. If the **last BatchNorm of each block** starts with scale
# **0**, then $F(x) = 0$, and each block starts as the identity (followed by ReLU). The network begins as if it were
# shallow, and each block grows from there (Goyal et al. 2017, section 5.1). A projection's BatchNorm isn't touched: it
# carries the signal.


# %% exercise="1.5"
def initialize(model: nn.Module) -> nn.Module:
    """Initialise your ResNet34 in place, and return it.

    - every convolution: values from a normal distribution with mean 0 and variance 2 / fan-out
    - every BatchNorm: scale (`weight`) 1 and shift (`bias`) 0 ...
    - ... but the last BatchNorm of each BasicBlock's residual: scale 0
    - the fully connected layer stays as PyTorch made it
    """
    ### BEGIN SOLUTION
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    for module in model.modules():
        if isinstance(module, BasicBlock):
            nn.init.zeros_(module.second_norm.weight)
    return model
    ### END SOLUTION


# %% check="1.5" tags=["nbval-check-output"]
check.initialize(initialize, ResNet34)

# %% [markdown]
# <details><summary>Help: how do I reach layers inside blocks inside stages?</summary>
#
# `model.modules()` goes through all modules, at every depth. `model.children()` gives the outermost ones only.
# `isinstance(module, nn.Conv2d)` tells what one is.
# </details>
# <details><summary>Help: which function gives that variance?</summary>
#
# `torch.nn.init.kaiming_normal_`. Read in its documentation what `mode` and `nonlinearity` mean, and what their defaults are.
# </details>
# <details><summary>Help: how do I find the last BatchNorm of a block?</summary>
#
# You wrote the block: you know what you called it. Look for modules that are a `BasicBlock`.
# </details>

# %% [markdown]
# ## 1.6 Published weights
# *medium, about 20 minutes, {points: 1.6} points*
#
# torchvision publishes weights of a ResNet34 that was trained on *ImageNet*, more than a million photographs of 1000 classes.
# They come as a *state dict*: a dictionary from names such as `layer1.0.conv1.weight` to tensors. Your layers probably have
# other names. But both networks are made of the same layers, and a
# state dict lists them in the order in which they were created. If you created yours in the same order (in a block:
# first convolution, its BatchNorm, second convolution, its BatchNorm, then the projection), the two lists match one to one.
# If not, you need to translate the names.
#
# BatchNorm's running means and variances have to be loaded, too. They aren't parameters, as no gradient changes them: they
# are *buffers*, which `state_dict()` contains and `parameters()` doesn't.


# %% exercise="1.6"
def load_pretrained(model: nn.Module, state_dict: dict[str, torch.Tensor]) -> nn.Module:
    """Load torchvision's state dict of a ResNet34 into your ResNet34, in place, and return it.

    Afterwards both give the same logits (to 1e-5). Weights that don't fit, such as those for another number
    of classes, raise an error: nothing is passed over in silence.
    """
    ### BEGIN SOLUTION
    mine = model.state_dict()
    my_shapes = [tensor.shape for tensor in mine.values()]
    if my_shapes != [tensor.shape for tensor in state_dict.values()]:
        raise ValueError("these weights don't belong to a network of this shape")
    model.load_state_dict(dict(zip(mine, state_dict.values())))
    return model
    ### END SOLUTION


# %% check="1.6" tags=["nbval-check-output"]
check.load_pretrained(load_pretrained, ResNet34)

# %% [markdown]
# <details><summary>Help: "Missing key(s) in state_dict"</summary>
#
# `load_state_dict` looks tensors up by *your* names. Make a new dictionary from your names to their tensors.
# `strict=False` only hides the problem.
# </details>
# <details><summary>Help: everything loads, but the logits differ a lot</summary>
#
# Layers of the same shape may have got each other's weights. Print `list(model.state_dict())` and the other list side by side,
# and look for the first place where a BatchNorm stands beside a convolution.
# </details>

# %% [markdown]
# # Train
#
# ## The drawings
#
# *Quick, Draw!* (Google Creative Lab, CC BY 4.0) is a collection of drawings by people who had 20 seconds. Ours, *doodles*, are
# drawn by a program in the same form and of ten of the same things, so that this notebook runs without a download;
# `DATASET = "quickdraw"` at the top switches to the real ones. Each picture is 28x28 pixels, enlarged here to
# `SIZE`, with three equal channels, so that networks trained on colour pictures can take them. Some pictures are *held out*:
# the network never learns from them, so that they can test it.

# %%
SIZE = 32
train_data = load(DATASET, "train", per_class=400, size=SIZE, channels=3)
test_data = load(DATASET, "test", per_class=100, size=SIZE, channels=3)
classes = train_data.classes
print(f"{train_data.name}: {len(train_data):,} pictures to learn from, {len(test_data):,} held out")

# %%
plots.contact_sheet(train_data, per_class=8)


# %% [markdown]
# A `DataLoader` hands the pictures out in *batches*: `images` (N, 3, SIZE, SIZE) between 0 and 1, and `labels` (N,).

# %%
def loader(data, shuffle: bool, batch_size: int = 64) -> DataLoader:
    return DataLoader(data, batch_size, shuffle=shuffle, generator=torch.Generator().manual_seed(0))


train_loader, test_loader = loader(train_data, shuffle=True), loader(test_data, shuffle=False)

# %% [markdown]
# ## 1.7 Training and evaluation
# *medium, about 40 minutes, {points: 1.7} points*
#
# **One epoch of training** goes through all batches once. For each batch: compute the logits and their *cross-entropy* with
# the labels (the loss: large where the right class gets a small probability; `F.cross_entropy` takes logits), clear the old
# gradients, compute new ones, let the optimizer take a step. BatchNorm and dropout behave differently in training and in
# evaluation, so tell the network which mode it is in. Call `train_mode(model)` for this. Usually it does the same as
# `model.train()`; in exercise 1.8 another function comes in its place.
#
# **Evaluation** doesn't change the network: put it into evaluation mode, and record no gradients. It may stay in evaluation
# mode afterwards.
#
# Both report means *over pictures*. The last batch is often smaller than the others, so the mean of the batches' means is
# not the mean over pictures.


# %% exercise="1.7"
def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train) -> float:
    """Train on every batch of `loader` once; return the mean loss over its pictures, as a float.

    `loader` gives `images` (N, C, H, W) and `labels` (N,); move both to `device` with `.to(device)`.
    Begin with `train_mode(model)`. A picture's loss is the one computed when its batch comes, before the step.
    """
    ### BEGIN SOLUTION
    train_mode(model)
    total, count = 0.0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
        count += len(images)
    return total / count
    ### END SOLUTION


def evaluate(model, loader, device="cpu") -> tuple[float, float]:
    """Mean loss and accuracy (between 0 and 1) over the pictures of `loader`, as two floats.

    Accuracy is the share of pictures whose largest logit is that of the right class. The model's weights and running
    statistics are left as they were.
    """
    ### BEGIN SOLUTION
    model.eval()
    total, right, count = 0.0, 0, 0
    with torch.inference_mode():
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            logits = model(images)
            total += F.cross_entropy(logits, labels, reduction="sum").item()
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(images)
    return total / count, right / count
    ### END SOLUTION


# %% check="1.7" tags=["nbval-check-output"]
check.training(train_one_epoch, evaluate)

# %% [markdown]
# <details><summary>Help: the loss doesn't fall, or grows</summary>
#
# Gradients add up until the optimizer clears them. Does it, for *every* batch, and not between `backward()` and `step()`?
# </details>
# <details><summary>Help: memory grows from batch to batch</summary>
#
# `loss` is a tensor that remembers how it was computed. If you add up tensors, they all stay. `loss.item()` is just a number.
# </details>
# <details><summary>Help: evaluating changes the network</summary>
#
# In training mode BatchNorm updates its running statistics in every forward pass, with or without gradients.
# </details>
#
# ## Experiment A: from scratch
#
# All the drawings, and a fresh network. The first time this trains (about a minute on two CPU cores) and keeps the result
# under `data/checkpoints`; after that it is loaded. The optimizer is *AdamW*. The *learning rate* `lr` says how large its
# steps are, and the *cosine* schedule lowers it from epoch to epoch. *Validation* in the curves means: on held-out pictures.

# %% needs="1.3 1.4 1.5 1.7"
EPOCHS = 3
seed_everything(0)
model = initialize(ResNet34(len(classes)))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
scratch = fit(
    model, train_loader, test_loader, optimizer, epochs=EPOCHS, scheduler=scheduler, device=device,
    train_one_epoch=train_one_epoch, evaluate=evaluate,
    watch=plots.LiveCurves("From scratch"), name="from scratch", checkpoint=f"1_resnet34/scratch_{train_data.name}",
)

# %% needs="1.3 1.4 1.5 1.7" tags=["report"]
print(f"{train_data.name}: {scratch.last.val_accuracy:.1%} of the held-out pictures named rightly")

# %% needs="1.3 1.4 1.5 1.7" tags=["nbval-check-output"]
print("At least 85 % were promised:", "kept" if scratch.last.val_accuracy >= 0.85 else "not kept")


# %% [markdown]
# On doodles our runs gave 93 to 95 %. Yours may differ by a percent or two though the seed is set: a seed makes a run
# repeatable on one machine, not on all, because processors add numbers in different orders.
#
# Which things does the network confuse with each other? And of which wrong answers was it most sure? Look at these pictures:
# would you have named them all?

# %% needs="1.3 1.4 1.5 1.7"
def predict(model, data) -> torch.Tensor:
    """Probabilities (N, classes) for every picture."""
    model.eval()
    with torch.inference_mode():
        batches = [model(images.to(device)).softmax(1).cpu() for images, _ in loader(data, shuffle=False)]
    return torch.cat(batches)


probabilities = predict(model, test_data)
counts = torch.zeros(len(classes), len(classes), dtype=torch.int64)
for label, guess in zip(test_data.labels, probabilities.argmax(1)):
    counts[label, guess] += 1
plots.confusion(counts, classes, title="Held-out pictures: rows are the truth, columns the answer")

# %% needs="1.3 1.4 1.5 1.7"
plots.worst_mistakes(test_data.images, test_data.labels, probabilities, classes, n=12)

# %% [markdown]
# # Fine-tune
#
# ## 1.8 A new head on a trained network
# *medium, about 25 minutes, {points: 1.8} points*
#
# A network that has learned to tell some things apart knows a lot about lines and shapes in general. *Fine-tuning* keeps that
# *backbone* (everything up to the averaged features) and gives it a new *head* (the last, fully connected layer) for new
# classes. If there are only a few examples, the backbone is often *frozen*: its parameters don't change
# (`requires_grad` is False), and only the head learns.
#
# Freezing the parameters isn't enough. In training mode BatchNorm normalises with the statistics **of the batch**, and updates
# its running statistics, even if no gradient is computed. The frozen layers were trained with the old statistics. So while
# the head learns, BatchNorm must be in evaluation mode.


# %% exercise="1.8"
def replace_head(model: nn.Module, num_classes: int) -> nn.Module:
    """Give your ResNet34 a fresh head with `num_classes` outputs, in place, and return it.

    Only the head's weight and bias learn afterwards; the backbone keeps its weights and is frozen.
    """
    ### BEGIN SOLUTION
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.head = nn.Linear(model.head.in_features, num_classes)
    return model
    ### END SOLUTION


def train_head_only(model: nn.Module) -> nn.Module:
    """Put a network with a frozen backbone into training mode, but all its BatchNorm layers into evaluation mode.

    Return the network. `train_one_epoch` gets this function as its `train_mode`.
    """
    ### BEGIN SOLUTION
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return model
    ### END SOLUTION


# %% check="1.8" tags=["nbval-check-output"]
check.fine_tuning(replace_head, train_head_only, ResNet34)

# %% [markdown]
# <details><summary>Help: "element 0 of tensors does not require grad"</summary>
#
# Nothing learns any more, not even the head. In which order did you freeze and replace?
# </details>
# <details><summary>Help: everything still learns</summary>
#
# `requires_grad` is a property of parameters. On a module it is an attribute that nobody reads.
# </details>
#
# ## Experiment B: what is pretraining worth?
#
# First we need a network that knows something else. If ImageNet's weights for ResNet34 are on this machine, or can be downloaded,
# your `load_pretrained` loads those. If not, we pretrain here and now, on doodles of ten *other* things.

# %%
other_train = load("doodles", "train", classes=doodles.PRETRAINING_CLASSES, per_class=400)
plots.contact_sheet(other_train, per_class=8, title="Other things to learn first")

# %% needs="1.3 1.4 1.5 1.6 1.7"
from assignments_lib.pretrained import imagenet_weights

weights = imagenet_weights()
seed_everything(1)
if weights is not None:
    source = "ImageNet"
    pretrained = load_pretrained(ResNet34(1000), weights)
else:
    source = "other doodles"
    others = dict(classes=doodles.PRETRAINING_CLASSES, size=SIZE, channels=3)
    pretrained = initialize(ResNet34(10))
    optimizer = torch.optim.AdamW(pretrained.parameters(), lr=1e-3, weight_decay=1e-2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    fit(
        pretrained,
        loader(load("doodles", "train", per_class=400, **others), shuffle=True),
        loader(load("doodles", "test", per_class=40, **others), shuffle=False),
        optimizer, epochs=EPOCHS, scheduler=scheduler, device=device,
        train_one_epoch=train_one_epoch, evaluate=evaluate,
        watch=plots.LiveCurves("Pretraining on other things"), name="pretraining",
        checkpoint="1_resnet34/pretrained",
    )
backbone = {name: tensor.cpu().clone() for name, tensor in pretrained.state_dict().items()}
print("pretrained on", source)

# %% [markdown]
# Now only **three** pictures of each class, and three ways to learn from them: a fresh network; the pretrained one with everything
# frozen except the head; the pretrained one with everything learning, at a smaller learning rate. (The fresh network's
# accuracy stays low at first, although its training loss falls. The reason is BatchNorm: with three batches an epoch its
# running statistics change slowly, and they still remember the start.) Afterwards set `FEW` to 10 and run these cells again:
# which of the three is best now, and by how much?

# %% needs="1.3 1.4 1.5 1.6 1.7 1.8" editable=true
FEW = 3
few_loader = loader(train_data.take(FEW), shuffle=True, batch_size=10)
some_loader = loader(test_data.take(40), shuffle=False)  # 40 of each class are enough to compare
few = dict(device=device, train_one_epoch=train_one_epoch, evaluate=evaluate)


def pretrained_with_new_head() -> nn.Module:
    num_old = 1000 if source == "ImageNet" else 10
    model = ResNet34(num_old)
    model.load_state_dict(backbone)
    return replace_head(model, len(classes))


seed_everything(2)
fresh = initialize(ResNet34(len(classes)))
few_scratch = fit(
    fresh, few_loader, some_loader, torch.optim.AdamW(fresh.parameters(), lr=1e-3), epochs=12, **few,
    watch=plots.LiveCurves("A fresh network"), name="from scratch",
)

# %% needs="1.3 1.4 1.5 1.6 1.7 1.8"
frozen = pretrained_with_new_head()
head = [parameter for parameter in frozen.parameters() if parameter.requires_grad]
few_frozen = fit(
    frozen, few_loader, some_loader, torch.optim.AdamW(head, lr=1e-2), epochs=12,
    **few | dict(train_one_epoch=partial(train_one_epoch, train_mode=train_head_only)),
    watch=plots.LiveCurves("Pretrained, only the head learns"), name="pretrained, head only",
)

# %% needs="1.3 1.4 1.5 1.6 1.7 1.8"
tuned = pretrained_with_new_head().requires_grad_(True)
few_tuned = fit(
    tuned, few_loader, some_loader, torch.optim.AdamW(tuned.parameters(), lr=3e-4), epochs=12, **few,
    watch=plots.LiveCurves("Pretrained, everything learns"), name="pretrained, everything",
)

# %% needs="1.3 1.4 1.5 1.6 1.7 1.8"
plots.curves({run.name: run for run in (few_scratch, few_frozen, few_tuned)}, title=f"{FEW} pictures a class")

# %% needs="1.3 1.4 1.5 1.6 1.7 1.8" tags=["report"]
for run in (few_scratch, few_frozen, few_tuned):
    print(f"{run.name:<24} {run.last.val_accuracy:.1%} after {len(run)} epochs with {FEW} pictures a class")
print(f"{'all the pictures':<24} {scratch.last.val_accuracy:.1%}, from scratch (experiment A)")

# %% [markdown]
# # Explain
#
# ## Experiment C: the same depth without shortcuts
#
# He et al. (2015, figure 1) found that a network of 56 layers without shortcuts learns its **training** set worse than one of 20: this is the
# *degradation problem*. It isn't *overfitting* (good on training pictures, bad on new ones), and the signals don't vanish,
# because BatchNorm keeps their size. Here is a *plain* network of 34 layers: the same convolutions, BatchNorms and ReLUs in
# the same places, but no shortcuts. (`Conv2dNormActivation` is a convolution, BatchNorm and ReLU in one.)

# %%
from torchvision.ops import Conv2dNormActivation


def plain34(num_classes: int) -> nn.Sequential:
    layers = [Conv2dNormActivation(3, 64, 7, stride=2), nn.MaxPool2d(3, stride=2, padding=1)]
    channels = 64
    for width, depth in ((64, 6), (128, 8), (256, 12), (512, 6)):
        for number in range(depth):
            stride = 2 if number == 0 and width > 64 else 1
            layers.append(Conv2dNormActivation(channels, width, 3, stride))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, num_classes))


# %% [markdown]
# First we look at the gradient of the loss at the start, for the weights of each 3x3 convolution from first to last. Both
# networks have the same (Kaiming) initialisation. In the residual one the last BatchNorm of each block has scale 1 here, not
# 0 as in exercise 1.5: so the comparison is fair.

# %% needs="1.3 1.4"
def gradient_norms(model: nn.Module) -> list[float]:
    images, labels = next(iter(train_loader))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    F.cross_entropy(model.train()(images), labels).backward()
    kernels = [p for p in model.parameters() if p.ndim == 4 and p.shape[-1] == 3]
    return [(p.grad.norm() / p.norm()).item() for p in kernels]


seed_everything(3)
plots.gradient_norms(
    {
        "plain, 34 layers": gradient_norms(plain34(len(classes))),
        "residual, 34 layers": gradient_norms(ResNet34(len(classes))),
    },
    title="Gradient at the start, relative to the weights",
)

# %% [markdown]
# Then both learn from the same pictures for the same number of epochs.

# %% needs="1.3 1.4 1.7"
race_loader = loader(train_data.take(120), shuffle=True)
race = {}
for name, build in (("plain, 34 layers", plain34), ("residual, 34 layers", ResNet34)):
    seed_everything(4)
    network = build(len(classes))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    race[name] = fit(
        network, race_loader, some_loader, optimizer, epochs=3, **few, watch=lambda history: None, name=name
    )
plots.curves(race, title="With and without shortcuts")

# %% [markdown] question="Q1"
# **Q1** ({points: Q1} points, marked by hand). *Why do residual networks train where plain ones of the same depth don't?* Use what you saw in
# experiment C: what differs in the gradients of early and late layers? What must a plain block learn in order to change
# nothing, and what a residual one? Five to eight sentences.
#
# ### BEGIN SOLUTION
# In the plain network the gradient changes from layer to layer, because on its way back it passes every convolution, BatchNorm and
# ReLU: the first layers get a gradient of quite another size than the last ones, so that no single learning rate suits all of
# them. In the residual network each block's sum hands the gradient on unchanged as well, so that layers of all depths get gradients
# of a similar size. To change nothing, a plain block has to learn two convolutions that together are the identity, through a ReLU,
# which is hard to hit exactly; a residual block only needs a residual of zero, where it starts if its last BatchNorm
# has scale 0. So additional blocks can't easily make things worse, and depth pays. The training loss shows it: the residual network's
# falls faster on the same pictures, which is about optimisation and not overfitting.
# ### END SOLUTION

# %% [markdown] question="Q2"
# **Q2** ({points: Q2} points, marked by hand). *When does fine-tuning pay, and how much of the network should learn?* Compare the three runs of
# experiment B with each other and with experiment A. What happens with ten pictures a class, and what would you expect with
# pictures unlike those of the pretraining? What goes wrong if BatchNorm is in training mode while the backbone is frozen? Five to
# eight sentences.
#
# ### BEGIN SOLUTION
# With three pictures a class the pretrained network is far ahead of the fresh one, because lines, corners and closed shapes are
# already there and only their combination is new. With the backbone frozen only a few thousand numbers are learned, which is cheap and
# hardly overfits; letting everything learn at a small rate adapts the features too, and gains where they don't quite fit. With ten
# pictures the order stays but the distances shrink, and with 400 a class a fresh network learns its own features and gets over 90 %
# (experiment A), so that pretraining mostly saves time. The less the new pictures resemble those of the pretraining, the more
# layers have to learn. If BatchNorm is in training mode, features are normalised with a small batch's statistics and the running ones
# drift away from those the frozen weights were trained with, so that training and evaluation no longer agree.
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

handin.form("1_resnet34")

# %% [markdown]
# **Sources.** K. He, X. Zhang, S. Ren, J. Sun: *Deep Residual Learning for Image Recognition*, 2015 (arXiv 1512.03385). The same:
# *Delving Deep into Rectifiers*, 2015 (arXiv 1502.01852). P. Goyal et al.: *Accurate, Large Minibatch SGD*, 2017 (arXiv
# 1706.02677). *Quick, Draw!* data: Google Creative Lab, CC BY 4.0.
#
# | English | 한국어 |
# |---|---|
# | kernel, channel, feature map, unit | 커널, 채널, 특징 맵, 유닛 |
# | residual block, shortcut (skip connection) | 잔차 블록, 지름길(스킵) 연결 |
# | projection, identity | 사영, 항등 |
# | receptive field | 수용 영역 |
# | stride, padding, dilation | 스트라이드(보폭), 패딩, 팽창(딜레이션) |
# | batch normalisation, running statistics | 배치 정규화, 이동 통계량 |
# | initialisation, fan-in, fan-out | 초기화, 입력 수(팬인), 출력 수(팬아웃) |
# | logits, cross-entropy | 로짓, 교차 엔트로피 |
# | epoch, batch, learning rate | 에폭, 배치, 학습률 |
# | accuracy, held-out pictures (validation) | 정확도, 학습에 쓰지 않은 그림(검증) |
# | parameters, state dict, buffer | 매개변수(파라미터), 상태 사전(state dict), 버퍼 |
# | pretraining, fine-tuning, frozen backbone, head | 사전 학습, 미세 조정, 고정된 백본, 헤드 |
# | overfitting, degradation problem | 과적합, 성능 저하 문제 |
#
# *Text: CC BY 4.0. Code: MIT.*
