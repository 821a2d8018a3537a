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
# # Lecture: Semantic segmentation
#
# A classifier says *what* is in a picture. Semantic segmentation says *where*: it gives a class to every pixel. This lecture goes from the first network that learned this as a whole, from the picture to the mask (FCN, 2015), to DeepLab (2018), one idea at a time.
# For each idea there is a demonstration to play with.
#
# **After this lecture you can**
#
# - tell semantic segmentation from detection, instance and panoptic segmentation, and say what each is used for;
# - explain why a classifier that ends in fully connected layers gives no map, and how a 1x1 convolution changes that;
# - draw a transposed convolution stamp by stamp, and predict where it leaves a checkerboard;
# - say what low and high layers know, and compare the ways in which FCN, Hypercolumns and U-Net bring them together;
# - explain dilation, ASPP, depthwise separable convolution and the dense CRF, and what each costs;
# - choose a measure that sees the mistake you care about.
#
# **How it works.** Run the cells from the top. A *demonstration* has controls beside or above its pictures: move them and watch. Nothing can break. Where nothing can be moved, on GitHub or in print, you see still pictures instead. In a *quiz*
# the explanations are folded: decide first, then click on your choice, and after that on the others. If you read alone and try everything, the lecture takes about three hours; good places for a break are after sections 3 and 6. The exercises are in the three assignments.
#
# New words are explained where they first appear, and the **glossary** at the end of this notebook explains them again, in English and Korean. Behind a paper stands where it appeared (CVPR, ICCV, ECCV, ICLR, NeurIPS and MICCAI are conferences, TPAMI is a journal), and its number on arXiv, where you can read it.
#
# | Section | What it is about | The assignment that builds it |
# |---|---|---|
# | 1 | what segmentation is, and what it is used for | |
# | 2 | fully convolutional networks, receptive fields | 3.1, 3.2, 3.5 |
# | 3 | upsampling, and its checkerboards | 3.4 |
# | 4 | low layers and high layers, fused | 3.5 |
# | 5 | Hypercolumns | |
# | 6 | U-Net | 3.7 |
# | 7 | DeepLab: CRF, dilation, ASPP, separable convolution | 3.6 |
# | 8 | measuring | 3.3 |
# | 9 | what came after | |

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
from assignments_lib import plots, widgets  # first, as it tells PyTorch how to share the processor

import torch
import torch.nn.functional as F

from assignments_lib import segmentation
from assignments_lib.datasets import load_masks
from assignments_lib.datasets.at_hand import at_hand
from assignments_lib.segmentation import trained
from assignments_lib.widgets.regions import regions

# %% tags=["parameters"]
DATASET = "scenes"  # or "camvid" (streets), "pets", "nuclei", "voc": downloaded on first use

# %% [markdown]
# The pictures of this lecture are *scenes*: ten things from the doodles of assignments 1 and 2, coloured in, over textured backgrounds. The computer painted them, so that the true class of every pixel is known. Another word for `DATASET` in the cell above switches to real pictures.
#
# Four words are needed from the start. A layer of a network gives a *feature map*, or *map*: a grid of places. One place is a *unit*. At each unit there are several numbers, the *channels*. How many pixels of the picture lie from one unit to the next is the map's *stride*: a large stride means a *coarse* map, with few units; a small stride a *fine* one.

# %%
train_data = load_masks(DATASET, "train", size=(80, 112), number=2000)
test_data = load_masks(DATASET, "test", size=(80, 112), number=100)
classes = train_data.classes
plots.overlays(test_data.images[:6], test_data.masks[:6], classes, title=f"{train_data.name}: pictures, and over them the class of every pixel")

# %% [markdown]
# # 1. What semantic segmentation is
#
# A *classifier* gives one name to a whole picture. That is too little for a car that must know where the road ends, for a doctor who wants the outline of a tumour, or
# for a camera that should blur everything but the person.
# **Semantic segmentation** gives a class to *every pixel*. The answer is a **mask**: a picture of the same height and width, with the number of a class in each pixel.
#
# It has relatives, and papers compare themselves with all of them. Five questions about one picture:
#
# | Task | Question | Answer |
# |---|---|---|
# | classification | what is in the picture? | a class |
# | object detection | what is where, roughly? | a box and a class for each thing |
# | **semantic segmentation** | what does each pixel show? | a class for each pixel |
# | instance segmentation | which pixels belong to which thing? | a mask and a class for each thing; no answer for the background |
# | panoptic segmentation | what does each pixel show, and which thing is it part of? | a class for each pixel, and a number for each thing |
#
# *Things* can be counted: cats, cars, people. *Stuff* can't: sky, road, grass. Both words are used this way in the paper that defined panoptic segmentation (Kirillov et
# al., CVPR 2019, arXiv 1801.00868).

# %%
widgets.FourTasks().show()

# %% [markdown]
# **Try**
#
# - Choose *semantic*, then *instance*. In the semantic mask the two cats have one colour and run into each other: a pixel knows that it is a cat, not which one. In the
#   instance mask they are two.
# - Choose *detection*. The box of a cat is full of pixels of the spoon and of the other cat. A box is 4 numbers; that is all they can say about a shape.
# - Set the scene to 12. Two hourglasses touch, and the semantic mask has fewer regions than the picture has things. In scene 76 it has more: the spoon cuts the rainbow
#   and the large cat in two. **The number of regions in a semantic mask isn't the number of things.**
#
# This lecture is about the middle row of the table. Networks for the other tasks are built on the same ideas.
#
# **Quiz.** A greenhouse wants to know how many tomatoes hang on a plant, where many of them hide one another in part. Which task is the cheapest that answers?
#
# <details><summary>A. Semantic segmentation: count the connected regions of the class tomato</summary>
#
# No. Tomatoes that touch are one region, and a tomato behind a leaf can be two.
# </details>
# <details><summary>B. Object detection</summary>
#
# Yes. Each tomato gets a box of its own, also when boxes overlap. The exact outline isn't asked for.
# </details>
# <details><summary>C. Panoptic segmentation, as only that has numbers for things</summary>
#
# No. It would answer, but detection and instance segmentation number things too, and masks for all leaves and the sky are work that nobody asked for.
# </details>

# %% [markdown]
# ## What it is used for
#
# **Computational photography.** A phone with one small lens can't blur what is behind a person as a large lens does. It blurs by computing, and it needs a mask to know
# where. The same mask puts another background behind you in a video call.
#
# Each pixel of the result is a mixture: $\alpha \cdot \text{picture} + (1 - \alpha) \cdot \text{background}$, with $\alpha = 1$ where the mask says person. With a *soft
# edge*, $\alpha$ goes from 1 to 0 over a few pixels.

# %%
widgets.NewBackground().show()

# %% [markdown]
# **Try**
#
# - Switch *rough mask* on. This mask is made from one value every 32 pixels, enlarged smoothly (bilinearly, see section 3): it is as fine as the last map of most classifiers. Only about one pixel in
#   twenty is on the wrong side, and everyone sees it: all these pixels lie along the border.
# - Keep the rough mask and choose *another* background: a part of the hair is lost, and a piece of the old wall comes along. Now raise *soft edge*. It hides a jagged
#   line. It can't bring back the hair.
# - Switch *rough mask* off and set *soft edge* to 1: a little softness helps, as pixels along a real border show both sides.
#
# So segmentation has two jobs: to know **what** is there, and to know **where** it ends. Sections 2 to 7 are about doing both at once.

# %% [markdown]
# **Medicine.** Under the microscope one asks how large cells are, how they are shaped, and which share of the picture they cover. Nobody wants to draw thousands of
# outlines by hand. The masks of the *nuclei* data set have two classes: background and nucleus.
#
# The next cell takes real pictures if they are in your data folder (`assignments data nuclei` in a terminal puts them there), and scenes if not.

# %%
cells = at_hand("nuclei", size=(160, 160), number=3)
plots.overlays(cells.images, cells.masks, cells.classes, columns=3, title=f"{cells.name}: masks over their pictures")
for number, mask in enumerate(cells.masks, start=1):
    covered = (mask > 0) & (mask != 255)
    print(f"picture {number}: {covered.float().mean():.1%} covered, {len(regions(covered))} connected regions")

# %% [markdown]
# The share that is covered can be read off a semantic mask. The number of nuclei can't: where two of them touch, they are one region. U-Net (section 6) was made for
# pictures like these, and its authors taught the network to leave a line of background between cells that touch.
#
# **Driving.** Where is the road, where is the pavement, is that a person? In the *CamVid* data set every pixel of a street is one of eleven classes, or *void* (255),
# where nobody could say. Void counts nowhere: neither in the loss nor in a score.

# %%
streets = at_hand("camvid", size=(150, 200), number=3)
plots.overlays(streets.images, streets.masks, streets.classes, columns=3, title=f"{streets.name}: masks over their pictures")
for number, mask in enumerate(streets.masks, start=1):
    known = mask[mask != 255]
    shares = torch.bincount(known.long(), minlength=len(streets.classes)) / len(known)
    largest = shares.argsort(descending=True)[:3].tolist()
    print(f"picture {number}: " + ", ".join(f"{streets.classes[label]} {shares[label]:.0%}" for label in largest if shares[label] >= 0.005))

# %% [markdown]
# A few classes cover most of a street, and those that matter most in an accident are among the smallest. A network that never says *pedestrian* is right for nearly all
# pixels. Section 8 looks for scores that notice.
#
# **Quiz.** A rough mask is wrong for 5 % of the pixels of a portrait. Another mask has wrong pixels, just as many, spread evenly over the picture as single dots. Which
# statement is true?
#
# <details><summary>A. Both look equally bad, as the number of wrong pixels is the same</summary>
#
# No. The number says nothing about where they are. Single dots can be taken away by looking at their neighbours; a border in the wrong place can't.
# </details>
# <details><summary>B. The rough mask's mistakes are easy to mend by smoothing the mask</summary>
#
# No. Smoothing makes a border soft. It doesn't know where the border should have been.
# </details>
# <details><summary>C. The wrong pixels of the rough mask all lie along borders, because a coarse map doesn't know where between two of its units the border is</summary>
#
# Yes. What is smaller than the distance between two units is lost, and the place of a border is such a thing.
# </details>

# %% [markdown]
# # 2. Fully convolutional networks
#
# How does a classifier become a segmenter? The first idea was to cut out a window around each pixel and to classify it. That is slow: neighbouring windows share nearly
# all of their pixels, and everything is computed again and again.
# Long, Shelhamer and Darrell (*Fully Convolutional Networks for Semantic Segmentation*, CVPR 2015, arXiv 1411.4038) found that a classifier needs very little to do all
# windows **at once**.
#
# A convolution doesn't care how large its picture is: it slides over whatever it gets. AlexNet and VGG16 end in another kind of layer. Their last map is **flattened**,
# that is, written as one long vector, and **fully connected** layers follow, in which every output has a weight for every number of that vector. Two things are lost
# there:
#
# - **Any size but one.** VGG16's first fully connected layer takes the 512 x 7 x 7 = 25,088 numbers that a picture of 224 x 224 pixels gives. A larger picture gives more
#   numbers, and there are no weights for them.
# - **Position.** After it, no number belongs to a place in the picture any more.
#
# Now look at the same weights in another way. Each output weighs a block of 512 x 7 x 7 numbers: that is what a **convolution** with a 7 x 7 kernel does at *one* place.
# On the map of a picture of 224 x 224 pixels there is only this one place. On a larger map the same kernel fits at many, and the classifier answers at each of them
# (section 3.1 of the paper, which calls this *convolutionalization*).

# %%
widgets.FlattenOrConvolve().show()

# %% [markdown]
# **Try**
#
# - Leave the size at 32. Both ways give one answer, the same except for rounding: about 1e-7, the precision of 32-bit floats.
# - Set the size to 40. The vector is too long, and there is no answer. The convolution gives 2 x 2 answers.
# - Set it to 96. There are 9 x 9 answers. The last sentence compares each of them with the fully connected layer, given just the window of the map at this place. No
#   weight was changed, and nothing was trained.
#
# All windows at once are cheaper as well, because they share their work. The paper (section 3.1): AlexNet takes 1.2 ms for one picture of 227 x 227; as a convolutional
# network it takes 22 ms for a 10 x 10 grid of answers on a picture of 500 x 500. One window after the other would be 100 times 1.2 ms, more than five times as long.
#
# ## Flatten along the channels: the 1x1 convolution
#
# If the map has one unit only, or is averaged to one as in ResNet, the fully connected layer takes the *channels* of that unit. So don't flatten the whole map: at each
# position, take its channels as a vector, and give each of these vectors to the *same* small layer. That is a convolution with a kernel of 1 x 1.
#
# FCN ends in such a layer, with a channel for each class (21 on PASCAL VOC, a well-known data set of photographs: 20 classes and background). Its output is a map of **scores**, also called *logits*, and is read as a mask: at each position, the
# class with the highest score.

# %%
widgets.OneByOne().show()

# %% [markdown]
# **Try**
#
# - Move *row* and *column*. The channels change, and with them the scores. Both bars of a class always have the same height: the layer for this unit alone, and the
#   convolution of the whole map.
# - A unit's scores depend on its own channels only. All that it knows about its neighbours must be in these channels already. The next demonstration asks how far that
#   reaches.
#
# **Quiz.** A classifier with average pooling and one fully connected layer was trained on 224 x 224 pixels. You take out the pooling and use the layer as a 1x1
# convolution, on a picture of 448 x 672. The last map has a stride of 32. What do you get?
#
# <details><summary>A. An error, as the layer was made for 224 x 224</summary>
#
# No. The layer takes as many numbers as there are channels, and a larger picture has more positions, not more channels.
# </details>
# <details><summary>B. Class scores at 14 x 21 positions</summary>
#
# Yes. 448 / 32 = 14 and 672 / 32 = 21. Each position has its scores, from the same weights.
# </details>
# <details><summary>C. A class for each of the 448 x 672 pixels</summary>
#
# No. There is one answer for every 32 pixels in each direction. Section 3 is about the way back to full size.
# </details>
# <details><summary>D. The same single answer as with pooling, only more precise</summary>
#
# No. There are 294 answers. Their mean is the single answer that pooling would have given.
# </details>

# %% [markdown]
# ## See much, or draw finely
#
# The **receptive field** of a unit is the part of the picture that it can depend on. In a patch of 10 x 10 pixels nobody can tell a cat from a train: to know
# *what* it is, a unit must see far. There are three ways to see farther:
#
# - **more layers**: each 3x3 convolution adds 2 units to the side of the field;
# - **stride**: after a layer with stride 2, neighbouring units lie twice as far apart, and all layers after it add twice as many pixels. But the map has only half as
#   many rows and columns;
# - **dilation**: the nine weights of a kernel lie apart. The map stays fine. Section 7 shows the price.
#
# In general, a layer adds (kernel - 1) x dilation x the strides of all layers before it.
#
# That is the *theoretical* field: what a unit *can* depend on. How much it *does* depend on each pixel can be measured: it is the gradient of the unit with respect to
# the pixel. Luo et al. (*Understanding the effective receptive field in deep convolutional neural networks*, NeurIPS 2016, arXiv 1701.04128) did so and found the shape of a bell, a
# Gaussian: from a pixel in the outermost corner only one path of
# connections leads to the unit, and from a pixel in the middle there are very many. The **effective** field, the part that really matters, is much smaller than the theoretical one, and with more layers it is a smaller share of it.
#
# The demonstration measures it with networks with ReLU and random weights, averaged over many of them. Blue line: the field in theory. Dotted: the square that holds 95 % of the squared
# gradient. On the right is the best mask that a map of this stride can hold.

# %%
widgets.ReceptiveField().show()

# %% [markdown]
# **Try**
#
# - Move *layers* from 1 to 8. The blue square grows by 2 pixels a layer, and the dotted one more slowly. After eight layers a unit still can see no more than 17 of 160
#   pixels, less than the cat's head.
# - Set *strided* to 2. At once the field is three times as wide, and on the right the blades of the scissors fall to pieces: the map has 40 x 40 units for 160 x 160
#   pixels.
# - Set *strided* back to 0 and *dilation* to 3. The field is nearly as wide and the map is fine. But look at the heat: it has holes.
#
# **The problem of this whole lecture: large fields or fine maps?** A classifier halves its maps again and again, because that makes fields large and computing cheap. FCN made from VGG16 has a
# theoretical field of 404 pixels and a stride of 32 (table 1): on a picture of 500 x 500 each of its units sees a large part of the picture, but there are only about 16 x 16 of them. Everything that follows is a way to have both.
#
# | Section | Way to have both |
# |---|---|
# | 3 | enlarge the coarse map, by weights that can learn |
# | 4, 5, 6 | add, stack or concatenate finer maps from earlier layers |
# | 7 | keep the map fine, and widen the kernels by dilation |

# %% [markdown]
# ## What the paper got
#
# The authors took three well-known classifiers of that time, made them convolutional, enlarged the scores 32 times to full size, and trained all layers further. (Table 1, mean IU on the *validation* pictures of PASCAL VOC 2011, which are kept out of training, to compare networks. *Mean IU* is now called mIoU: the larger the better, see section 8.)
#
# | Made from | AlexNet | VGG16 | GoogLeNet |
# |---|---|---|---|
# | mean IU | 39.8 | **56.0** | 42.5 |
# | theoretical field, pixels | 355 | 404 | 907 |
# | stride | 32 | 32 | 32 |
#
# A larger field alone doesn't win. With scores of finer layers added (section 4), FCN-8s reached 62.2 mean IU on the VOC 2012 test set, 20 % more than the best before
# it, relatively, at about 175 ms a picture (abstract and table 3).
#
# Training needs nothing new, either: the loss is the cross-entropy at each pixel, summed or averaged over all of them. A picture with its mask is a whole batch of small
# classification problems that share their computing.
#
# **Quiz.** You want units with a larger theoretical receptive field, and the map must stay as fine as it is. What helps?
#
# <details><summary>A. Give the first layer stride 2 instead of 1</summary>
#
# No. The field grows, but the map gets half as many rows and columns.
# </details>
# <details><summary>B. Add 1x1 convolutions at the end</summary>
#
# No. A kernel of 1 adds (1 - 1) = 0 pixels. They mix the channels of one unit.
# </details>
# <details><summary>C. Add 3x3 convolutions with stride 1</summary>
#
# Yes. Each adds two units on a side. It takes many of them, and the effective field grows more slowly still.
# </details>
# <details><summary>D. Give the last layers dilation 2</summary>
#
# Yes. Each of them now adds four units instead of two, with as many weights and the same map.
# </details>

# %% [markdown]
# # 3. Upsampling
#
# A classifier's last map is small: with a stride of 32, a picture of 320 x 480 pixels gives a map of 10 x 15 units. Segmentation needs a class for *every* pixel, so the map has to grow again. That is *upsampling*.
# Four ways are in use:
#
# | Way | What a new pixel gets | Learned? |
# |---|---|---|
# | nearest | the value of the nearest unit: blocks | no |
# | bilinear | a mean of the four nearest units, the nearer the more weight: smooth | no |
# | unpooling | a max pooling remembers *where* each maximum was; unpooling puts the value back there, and 0 elsewhere (Noh et al. 2015; SegNet, Badrinarayanan et al. 2017) | no |
# | transposed convolution | a sum of learned weights times the units around | yes |
#
# None of them brings back what was lost on the way down: a fine edge that the small map doesn't hold can't be enlarged. Sections 4 to 6 fetch it from elsewhere. Here we look at the fourth way, because it learns, and because it can leave traces.

# %% [markdown]
# ## 3.1 Stamp by stamp
#
# An ordinary convolution *gathers*: each output unit looks at a window of the input and adds up what it sees, times the kernel. A transposed convolution *scatters*: each input unit takes the kernel, multiplies it by its own value, and **stamps** the result onto the output. The next unit's
# stamp lies one *stride* further. Where stamps overlap, they add up. With a stride of 2, the output is about twice as large as the input.

# %%
widgets.Stamps1D().show()

# %% [markdown]
# **Try**
#
# - *stamps* from 0 to 4: one input number after the other leaves its stamp. The bars show which stamp each sum is made of.
# - *stride* 3 with *kernel size* 3: the stamps lie side by side, and nothing is added up. With stride 4 there are gaps: output units that no stamp reaches stay 0.
# - *stride* 1: up to three stamps meet. Without gaps between the stamps, this is an ordinary convolution (with the kernel turned around).

# %% [markdown]
# ## 3.2 Why "transposed"?
#
# A convolution is linear: its output is a matrix times its input. Backpropagation multiplies by the *transpose* of that matrix, to bring gradients from the (small) output back to the (large) input. That step, used as a forward step, is the transposed convolution (Dumoulin and Visin 2016,
# "A guide to convolution arithmetic for deep learning", section 4). So every framework that can train a strided convolution already had one. The next cell compares the two:

# %%
torch.manual_seed(0)
large = torch.randn(1, 1, 9, 9, requires_grad=True)
kernel = torch.randn(1, 1, 3, 3)
small = F.conv2d(large, kernel, stride=2)  # (1, 1, 4, 4)
arriving = torch.randn_like(small)  # gradients that arrive from the loss
(gradient,) = torch.autograd.grad(small, large, arriving)
enlarged = F.conv_transpose2d(arriving, kernel, stride=2)  # (1, 1, 9, 9)
print("the gradient of the convolution and the transposed convolution are equal:", torch.allclose(gradient, enlarged, atol=1e-5))

# %% [markdown]
# **On names.** Many papers say *deconvolution* (Zeiler et al. 2010; Noh et al. 2015; also FCN). In mathematics that word means to *undo* a convolution: to get its input back. A transposed convolution gives back the input's *size*, not its values. FCN's own description is better:
# "backwards strided convolution" (Long et al. 2015, section 3.3).
#
# **Learned from a good start.** With the right fixed kernel, a transposed convolution *is* bilinear upsampling (except at the borders). FCN starts there. Its intermediate layers begin bilinear and then learn; the kernel of its last layer stays bilinear (Long et al. 2015, section 4.3).
# You build such a layer in exercise 3.4.

# %% [markdown]
# ## 3.3 Where stamps meet
#
# Now on a grid. Forget the values: all are 1, and so are the weights. Then each output pixel simply *counts* the stamps that reach it. The outline is the last stamp.

# %%
widgets.Stamps2D().show()

# %% [markdown]
# **Try**
#
# - *kernel size* 3, *stride* 2, all stamps: away from the border the counts are 1, 2 and 4, in a regular pattern. Along one side one or two stamps meet in turn; over both sides the numbers multiply.
# - *kernel size* 4, *stride* 2: 4 stamps everywhere. The same for 2 and 2 (1 stamp), 3 and 3, 4 and 4.
#
# The rule: the counts are even exactly where the **kernel size is divisible by the stride**. If they are not, some pixels are sums of four times as many terms as their neighbours. Odena, Dumoulin and Olah ("Deconvolution and Checkerboard Artifacts", Distill, 2016) found this pattern, the
# **checkerboard**, in pictures made by many networks.

# %% [markdown]
# ## 3.4 What it does to a map
#
# A smooth map is enlarged by one layer that has learned nothing yet. We measure how strong the checkerboard is: the *root mean square* (square the values, take the mean, then the root) of *what repeats every stride pixels*, divided by that of the whole picture. 0 % is a picture without any such pattern, 100 % one that is
# nothing else.

# %%
widgets.Checkerboard().show()

# %% [markdown]
# **Try**
#
# - *weights* "all equal": only the overlap is at work. Kernel 3 with stride 2 gives 41 %, kernel 4 with stride 2 only 1 % (the small steps of an enlarged slope).
# - *weights* "random, above 0", kernel 3 and then 4, over several *seeds*: on average over ten seeds 47 % and 17 %. Even overlap (the same number of stamps everywhere) helps, but it does **not** end the pattern.
# - *weights* "random, around 0", as layers really start: now kernel 4 is as bad as kernel 3, about 80 % on average.
#
# Why? With stride 2 the output pixels fall into 2 x 2 *phases* (even or odd row, even or odd column), and **each phase uses weights of its own**: four neighbouring pixels are four different sums. Even overlap makes these sums equally *long*. It doesn't make them equal. Odena et
# al. say so, too: a divisible kernel helps, but a transposed convolution can still easily make *artefacts*, patterns that aren't in the data.

# %% [markdown]
# ## 3.5 Cures, measured
#
# - **A kernel divisible by the stride.** Free, and good practice.
# - **Enlarge first, then convolve** (resize-convolution; Odena et al. 2016): nearest or bilinear upsampling, then an ordinary convolution with stride 1. All phases now use the *same* weights, so a plain area stays plain, whatever the weights are. It costs more: the convolution runs at the large size.
# - **Start well.** Begin bilinear, as FCN does, or with all phases equal (Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution", arXiv 1707.02937).
#
# But networks learn. Does training not remove the pattern anyway? Four networks of two layers learn to enlarge scenes to twice their size, all with the same crops, seed and 300 steps. Then each enlarges *plain* pictures, of one strong colour only: every pattern that we see there was made by the network. The next cell
# trains them, which takes a few seconds.

# %%
widgets.Cures().show()

# %% [markdown]
# **Try**
#
# - *trained*, with kernel 3: the scene looks right. In the plain picture, its contrast times 10, the pattern is still there.
# - *method* "nearest, then convolution": plain is plain, before training and after.
#
# What we measured with five seeds: before training, 10 to 16 % of a plain picture was checkerboard with either kernel. After it, 2.1 to 2.5 % with kernel 3 and 1.4 to 2.4 % with kernel 4. Enlarging first: 0, always. The error on scenes was about the same for all four, 6.1 to 6.4 % of the range
# from black to white. So training removes *most* of the checkerboard, since it makes the loss larger. Some of it stays where there are few training pictures, here in strong colours. Only the architecture can guarantee that there is none. That is what Odena et al. say: a network *could* learn to avoid it, but
# it is hard for it to do so completely.
#
# **For segmentation** the consequence is mild, since the *largest* score wins and a weak pattern rarely changes which one that is. It shows along borders, where two scores are close. DeepLab (section 7) therefore keeps it simple: it enlarges its scores bilinearly, and learns nothing there.

# %% [markdown]
# **Quiz.** A decoder enlarges with stride 3. Which kernel size makes equally many stamps meet in every pixel, away from the borders?
#
# <details><summary>A. 3 only, since then stamps don't overlap</summary>
#
# No. 3 is even, with one stamp a pixel, but it is not the only one: overlapping is no harm as long as it is the same everywhere.
# </details>
# <details><summary>B. 4, as in kernel 4 with stride 2</summary>
#
# No. 4 is divisible by 2, not by 3. With stride 3, 1, 2 or 4 stamps meet in a pixel. Set it in the demonstration of 3.3.
# </details>
# <details><summary>C. 3, 6, 9: any multiple of 3</summary>
#
# Yes. With a kernel of 6, two stamps meet along each side, so 4 in every pixel; with 9 it is three along each side, so 9.
# </details>
# <details><summary>D. Any odd size, so that the kernel has a middle</summary>
#
# No. Kernel 5 is odd, and with stride 3 the counts are 1, 2 and 4. A middle matters for where the result lies, not for the overlap.
# </details>

# %% [markdown]
# **Quiz.** Why does "nearest, then convolution" leave a plain picture plain, while "kernel 4, stride 2" does not, although its overlap is even?
#
# <details><summary>A. Nearest upsampling is smoother than a transposed convolution</summary>
#
# No. Nearest upsampling makes blocks, the least smooth way of all. In a *plain* picture there are no blocks to see, and smoothness isn't the point.
# </details>
# <details><summary>B. After nearest upsampling every output pixel is a sum with the same weights; in the transposed convolution each phase has its own</summary>
#
# Yes. The same weights on the same values give the same sum. Four different sets of weights give four different sums, unless training makes them equal.
# </details>
# <details><summary>C. The transposed convolution has been trained for too short a time</summary>
#
# No. "Nearest, then convolution" is plain even *before* any training. Longer training would make the pattern weaker, but nothing forces it to 0.
# </details>

# %% [markdown]
# # 4. Low layers see detail, high layers see context
#
# Enlarging brings back the size of a map, and not what was lost. But nothing forces us to work with the last map alone. On its way through the network the picture became one map after another, and the earlier ones are still fine. They are computed anyway: we only have to use them.
#
# | | low layers (early) | high layers (late) |
# |---|---|---|
# | stride | small: many units | large: few units |
# | receptive field | small: a unit sees a patch | large: a unit sees a whole thing, and what is around it |
# | what a channel stands for | edges, colours, textures | parts of things, things |
# | good for | **where**: the border between two regions | **what**: the class of a region |
#
# *Context* is what lies around a pixel and helps to name it. A round orange patch is a ball on grass, and an orange on a plate; the patch itself can't tell.

# %% [markdown]
# The network of this section has a narrow *trunk* (a classifier without its last layers, used for its maps; papers say *backbone*) of 1.2 million parameters. It learns scenes in the next cell, in about a minute; the next time it is loaded from `data/checkpoints`. A minute is short, so its masks aren't very good.

# %%
network = trained.stage_scores(train_data, test_data, watch=plots.LiveCurves("Scores from three stages, added up"))

# %% [markdown]
# ## 4.1 The maps themselves
#
# A *stage* is a group of layers whose maps have one size. Our network has a *stem* (a convolution and a pooling) and four stages, with strides 4, 8, 16 and 32. The demonstration shows the channels of one stage that differ most from place to place; each square is one unit.

# %%
widgets.FeatureMaps(network, test_data.images[:12]).show()

# %% [markdown]
# **Try**
#
# - Go from *stem* to *stage 4*. In the stem and stage 1 you can find the outlines of the things. In stage 4 a picture is 3 x 4 units: nobody can draw a border with that.
# - Put the maps *over the picture*, at stage 3 and 4. Some channels are strong around one kind of thing, wherever its edges are.
# - Change the *picture* and look at the numbers of the channels. In the low stages some come back in every picture: edges and colours are everywhere. In stage 4 they are nearly always others, because other things are there.

# %% [markdown]
# ## 4.2 Fusing them: FCN-16s and FCN-8s
#
# **Problem.** FCN-32s (section 2) enlarges the last map's scores 32 times. Its masks are soft blobs.
#
# **Idea** (Long et al. 2015, section 4.2 and figure 3). *Score* an earlier map as well, with a 1x1 convolution of its own: one number for each class at every unit. Both maps now speak about the same classes, so they can be **added**, after the coarse one has been enlarged to the size of the fine one.
#
# - **FCN-32s**: the scores of stride 32.
# - **FCN-16s**: these, enlarged twice, plus the scores of stride 16.
# - **FCN-8s**: that sum, enlarged twice, plus the scores of stride 8.
#
# **Why it works.** The coarse scores say "somewhere here is a cat". The fine scores needn't know that. They only have to *correct* the coarse ones along the border, and for this, edges and colours are enough. A path on which an early map reaches a late layer directly is called a *skip connection*: it skips the layers between.
#
# In the paper the three are trained one after the other: 16s starts from the trained 32s, and 8s from 16s. The new score layers start at zero, so that at first nothing changes. To show all three on the same picture, our network is a little different: it learns all three sums **at the same time**, and enlarges every map at once to full size before adding.

# %%
widgets.Fusion(network, test_data.images, test_data.masks, classes).show()

# %% [markdown]
# **Try**
#
# - Move *maps* from 1 to 3 and watch the outline on the lower right. What was a blob follows the thing more closely. The sentence below gives the share of right pixels, near borders and everywhere: near borders there is more to gain.
# - Look at the lower left: the newest map *alone*. Stride 8 knows where edges are, and calls the same thing by three names. Only the sum knows both.
# - Switch *mistakes* on and go through the *pictures*. Whole things that are called by a wrong name stay wrong: finer maps mend borders, and not a wrong class.

# %% [markdown]
# **In the paper** (table 2; a subset of the validation pictures of PASCAL VOC 2011):
#
# | | FCN-32s, only the last layer trained | FCN-32s | FCN-16s | FCN-8s |
# |---|---|---|---|---|
# | mean IU | 45.4 | 59.4 | 62.4 | 62.7 |
#
# The first skip brings 3 points, the second only 0.3; adding still lower layers didn't pay, and the authors stopped there (section 4.2). The largest step is another one: letting *all* layers learn, instead of the last one only.
#
# Why do more skips help so little? Because scores can carry only little information. A low layer must say what it knows about a pixel as one number for each class, though it hardly knows classes. Sections 5 and 6 hand on the *features* (all channels of a map) instead.

# %% [markdown]
# **Quiz.** The map of stride 32 has 512 channels, the map of stride 16 has 256. FCN-16s first gives each a 1x1 convolution to as many channels as there are classes. Why?
#
# <details><summary>A. So that both have the same channels, with the same meaning, and can be added</summary>
#
# Yes. Channel 3 of both is then the score of class 3. Adding channel 3 of one feature map to channel 3 of another would mix unrelated things, and 512 channels can't be added to 256 at all.
# </details>
# <details><summary>B. So that both have the same height and width</summary>
#
# No. A 1x1 convolution leaves height and width alone. For that, the coarse scores are enlarged twice.
# </details>
# <details><summary>C. To enlarge the receptive field of the finer map</summary>
#
# No. A kernel of 1 x 1 sees one unit, so the field stays as it is.
# </details>
#
# **Quiz.** On a test picture FCN-32s calls a whole dog "cat", with a blurred outline. What can you expect of FCN-8s?
#
# <details><summary>A. A sharper outline, and quite likely still "cat"</summary>
#
# Yes. The class of a whole thing comes from the coarse map, because only its units see the whole thing. The finer maps mostly correct borders.
# </details>
# <details><summary>B. It becomes a dog, because stride 8 sees four times as sharply</summary>
#
# No. A finer map has smaller receptive fields: its units see less of the animal, and know less about what it is.
# </details>
# <details><summary>C. Nothing changes, as the scores of stride 32 are still part of the sum</summary>
#
# No. They are one of three parts. Near the border, where the coarse scores of two classes are nearly equal, a small correction decides.
# </details>

# %% [markdown]
# # 5. Hypercolumns
#
# *B. Hariharan, P. Arbeláez, R. Girshick and J. Malik: Hypercolumns for Object Segmentation and Fine-grained Localization, CVPR 2015 (arXiv 1411.5752).* It appeared at the same conference as FCN, with the same observation and another answer.
#
# **Problem.** The last layer knows what there is, and has lost where. The first layer knows where, and has no idea what. Any *single* layer is a compromise.
#
# **Idea.** Don't choose. Above each pixel stand the units of *all* layers that lie over it. Enlarge every map to the size of the picture, stack them, and take all their numbers at a pixel as one long vector: its **hypercolumn**. (In the brain's visual cortex, a hypercolumn is a set of cells that
# look at the same place and respond to different orientations of edges. Hence the name.) Then classify each pixel by its hypercolumn.

# %% tags=["nbval-check-output"]
with torch.no_grad():
    features = network.trunk(test_data[0][0][None])
print("maps: " + ", ".join(f"{each.shape[1]} x {tuple(each.shape[2:])}" for each in features))
columns = segmentation.hypercolumns(features, test_data.masks.shape[1:])
print(f"hypercolumns: {columns.shape[1]} numbers for each of {columns.shape[2]} x {columns.shape[3]} pixels")

# %% [markdown]
# **Two hypercolumns are alike** when they point in the same direction: their *cosine similarity* is 1 for the same direction, and 0 for vectors that have nothing in common. (Each layer's part is first brought to length 1. Otherwise the layer with the largest numbers would decide alone.)
#
# Pick a pixel. Which other pixels are alike? That depends on which layers are asked.

# %%
widgets.HypercolumnLookup(network, test_data.images[:12], pixel=(62, 66)).show()

# %% [markdown]
# **Try**
#
# - Leave the pixel on the ball, and set *layers* to *low*. What has the same colour and shading is alike, whatever it belongs to. The numbers 1 to 5 in the other picture lie on anything that looks so.
# - Set *layers* to *high*. Now the heat covers the ball and a wide rim around it, and in other pictures it gathers at things that the network takes for the same. It knows *what*, and only roughly where.
# - Set *layers* to *all*. Both have a say: the heat keeps to the thing, and ends nearer to its border. Then move the pixel to the background, and onto a border.

# %% [markdown]
# ## 5.1 Inside a given box
#
# The paper's main task is *simultaneous detection and segmentation* (SDS): find every single thing, and give it a mask of its own (today: instance segmentation). It doesn't segment the whole picture. A **detector** comes first and hands over boxes, each with a class: "in this rectangle there is a cat". Hypercolumns then answer one
# question for each pixel of the box: *does it belong to that cat?*
#
# Two details make this practical (section 3):
#
# - **A linear classifier of stacked maps is a sum of linear classifiers, one for each map.** Each is a 1x1 convolution, and classifying can be done before enlarging (both are linear, so the order doesn't matter). So the long vectors never have to be stored: score each map where it is small, enlarge the scores, add. That is just what FCN does
#   with its skips. Two papers, one formula.
# - **The same look means different things in different parts of the box.** In the upper part of a person's box skin is probably the face; at the edge it may be somebody else's arm. So the paper has a coarse *grid* of classifiers over the box, and interpolates between them.
#
# Our demonstration has one classifier for the whole box. It is fitted here, in a few seconds, on hypercolumns of a hundred training pictures; the network itself stays as it is. The boxes are the true ones.

# %%
widgets.HypercolumnBox(network, test_data.images, test_data.masks, classes, learn_from=(train_data.images[:100], train_data.masks[:100])).show()

# %% [markdown]
# **Try**
#
# - Go from *low* to *high* to *all* on the same picture. Low layers alone find pieces, the high layer a blob, both together something between a blob and a shape.
# - Now make a bad detection: *move the box* by 14 pixels. Whatever lies outside is lost, and no classifier inside can bring it back.
# - Look for a *picture* in which another thing lies in front. The box is full of pixels that don't belong to the object.

# %% [markdown]
# **In the paper**: for SDS, the mean AP<sup>r</sup> rises from 49.7 to 60.0 (abstract; a found thing counts as right if its *region* overlaps with the true one by an IoU of at least 0.5). With the same vectors the authors also located keypoints, such as elbows and knees, and labelled the parts of people.
#
# **Why it isn't end to end.** *End to end* means: from the picture to the answer, every step is part of one network, and one loss trains them all. Here the boxes come from a system of their own, which proposes regions and scores them. The loss of the masks never reaches it: a box that is a bit off stays so,
# however bad the mask becomes. And each box is worked on by itself, which takes time. FCN needs no boxes; on the other hand it can't tell two cats apart. Section 9 says how later networks do both.

# %% [markdown]
# **Quiz.** Four maps with 64, 128, 256 and 512 channels are stacked into hypercolumns, and a linear layer gives 21 scores for each pixel. A friend says: "Impossible, 960 numbers for each of 500 x 500 pixels are nearly a gigabyte." What do you answer?
#
# <details><summary>A. True, so hypercolumns can only be used for small pictures</summary>
#
# No. The long vectors can be avoided altogether.
# </details>
# <details><summary>B. Apply a part of the linear layer to each map as a 1x1 convolution, enlarge the 21 scores, and add</summary>
#
# Yes. A linear layer of stacked parts is the sum of its parts, and bilinear enlarging is linear too. The result is the same, and only 21 numbers for each pixel are ever stored for a map.
# </details>
# <details><summary>C. Leave out the lowest map, because it is the largest</summary>
#
# No. All are enlarged to the same size, so it takes the least part, 64 of 960 numbers. And it is the one that knows where the borders are.
# </details>
#
# **Quiz.** What does a hypercolumn have that the scores of FCN-8s don't have?
#
# <details><summary>A. It comes from several layers</summary>
#
# No. So do the scores of FCN-8s: they are a sum over three layers.
# </details>
# <details><summary>B. It is trained end to end</summary>
#
# No. In the paper the boxes come from a separate detector. It is FCN that is trained end to end.
# </details>
# <details><summary>C. It keeps all features of a pixel, so any later classifier, even one that isn't linear, can combine a low feature with a high one</summary>
#
# Yes. In a sum of scores each layer has already decided what it thinks of each class. In a stack of features, "an edge here" and "a cat around here" are both still there, side by side. U-Net makes use of exactly that.
# </details>

# %% [markdown]
# # 6. U-Net
#
# *O. Ronneberger, P. Fischer and T. Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015 (arXiv 1505.04597).*
#
# **Problem.** Under a microscope hundreds of cells touch each other. Borders are all that matters, and they are a few pixels wide: scores of stride 8 are too coarse. And nobody has a million labelled pictures. For one of its tasks, neurons under an electron microscope, there were 30 pictures of 512 x 512 pixels (section 4).
#
# **Idea.** Make the maps larger again in as many small steps as they became smaller. The *encoder* halves the maps step by step, as a classifier does. The *decoder* doubles them step by step, and at every size it gets the encoder's map of that size beside its own, by a *skip*. Drawn, it is a U.

# %% [markdown]
# ## 6.1 The U
#
# The drawing is made by sending a picture through the network and noting every map. A box is a map: above it its channels, below it its side in units.

# %%
widgets.UShape().show()

# %% [markdown]
# **How to read it**, from the upper left:
#
# 1. *Down*: two 3x3 convolutions with ReLU, then max pooling 2x2. The size halves, the channels double: fewer places, more to say about each.
# 2. *Bottom*: the coarsest map, with the largest receptive field.
# 3. *Up*: an *up-convolution*, which is a transposed convolution with kernel 2 and stride 2 (section 3). The size doubles, the channels halve.
# 4. *Across*: the skip. The map from the left is **concatenated**: its channels are put beside those that came up (the two-coloured box). Then two convolutions make something of both.
# 5. *Out*: a 1x1 convolution gives the scores of the classes.
#
# **Why it works.** FCN adds *scores*; the skip of the U-Net hands on *features*, up to the finest level, and has convolutions *after* the fusion. They can learn rules such as "where there is an edge on the left **and** the coarse map says cell, the border is here". And the way up has many channels of its own, which carry the context to the fine levels.

# %% [markdown]
# **Try**
#
# - Count the arrows that are convolutions, with the network as in the paper and depth 4: 18 of 3x3, 4 up-convolutions and the last 1x1. Together they are the 23 layers of the paper (section 2).
# - Follow the sizes from 572: the result has 388. The paper's network has *no padding*, so each 3x3 convolution takes a unit from each end. The skips are larger than what comes up, and are cropped: look at what is kept (dotted).
# - Choose *padded*. All maps of one level now have the same size, and the result is as large as the picture. Most U-Nets of today are like that.
# - Move *depth* to 2, and then *width* to 16. Which of the two saves more parameters?

# %% [markdown]
# ## 6.2 What the skips are for
#
# Two small U-Nets learn to tell things from background, on the same scenes at half their size, for the same short time (about a minute each, in the next two cells, the first time only): one with skips, one without. The second one has the shape of an *hourglass*: all that it knows about borders has passed through the bottom.

# %%
small_train, small_test = trained.halved(train_data), trained.halved(test_data)
unet_with = trained.unet(small_train, small_test, skips=True, watch=lambda history: None)

# %%
unet_without = trained.unet(small_train, small_test, skips=False, watch=lambda history: None)

# %%
widgets.Skips(unet_with, unet_without, small_test.images[:24], small_test.masks[:24]).show()

# %% [markdown]
# **Try**
#
# - Go through the *pictures* and compare the lower row. Without skips the masks are rounder and have lost what is thin. The sentence below tells how many pixels near borders are right, in this picture and in all 24.
# - *Switch off* the skip of level 0, the finest: the channels that it hands over become 0, after training. Corners and thin parts suffer. Then switch off another level. Which one does this network need most?
# - Switch off *all*. The network does much worse than the one that was *trained* without skips: it has learned to rely on them, and its way up has never had to do without.

# %% [markdown]
# ## 6.3 Sizes that don't fit
#
# Concatenating needs maps of one size. Halving an odd size leaves a rest: pooling turns 225 units into 112, and doubling gives 224. The skip has 225. Most people who build their first U-Net meet this error. The worst solution is the one that only makes the message disappear.

# %%
widgets.OddSizes().show()

# %% [markdown]
# **Try**
#
# - Start with 225 and *nothing*: down it goes well, and the last step up fails. With 229 it fails earlier, at level 2.
# - *Cut the picture*: 225 becomes 224 and everything runs. But the last row and column are never learned and never predicted, and a mask of 225 doesn't fit a result of 224. In a whole data set nobody notices, until a score is computed, or a doctor asks about the edge.
# - *Pad, and crop back*: make the picture larger, to the next multiple of 16, run the network, and crop the *result* to the size of the picture. Every pixel has its scores. (Or let each step up fit itself to its skip: that is exercise 3.7.)
# - The *paper's* way: 572, no padding. A wide border of the picture gets no result. The advantage: no unit has ever seen a pixel of padding. Large pictures are cut into overlapping *tiles*, smaller pictures whose results fit together exactly; at the edge of the picture the missing part is filled with a mirror image (figure 2). The tile's size must be such that every map can be halved (section 2): try 573.

# %% [markdown]
# ## 6.4 Little data, touching cells
#
# Two more ideas of the paper, as important as the U:
#
# - **Elastic deformation** (section 3.1). Tissue bends. So the training pictures are bent, too, by a smooth random field of displacements, each together with its mask. From 30 pictures come as many as one likes. (Assignment 2 is about such augmentation.)
# - **Weights at borders** (section 3, equation 2). Two cells that touch are one cell if a single pixel between them is called "cell". Background pixels in the narrow gaps between cells weigh many times as much in the loss as others.
#
# **In the paper** (table 2, ISBI cell tracking challenge 2015, IoU):
#
# | | PhC-U373 | DIC-HeLa |
# |---|---|---|
# | U-Net | **92 %** | **77.5 %** |
# | second best in 2015 | 83 % | 46 % |
#
# **Three ways to bring detail and context together:**
#
# | | FCN-8s | Hypercolumns | U-Net |
# |---|---|---|---|
# | what is handed on | scores | features | features |
# | how they are fused | added, map by map | stacked at each pixel, all at once | concatenated, then convolved, level by level |
# | finest map used | stride 8 | whichever layers one takes | stride 1, full size |
# | works on | the whole picture | a given box | the whole picture (or a tile) |
# | cost of the fusion | a few thousand weights | a linear classifier | a whole decoder: millions of weights |

# %% [markdown]
# **Quiz.** In the paper's U-Net a map of 64 x 64 units with 512 channels goes across, and one of 56 x 56 with 512 channels comes up. What do the next convolutions get?
#
# <details><summary>A. 56 x 56 units with 1024 channels</summary>
#
# Yes. The map from across is cropped to its middle 56 x 56, and the channels are put side by side: 512 + 512.
# </details>
# <details><summary>B. 56 x 56 units with 512 channels</summary>
#
# No. That would be adding. U-Net concatenates, so that the next convolution can treat both differently.
# </details>
# <details><summary>C. 64 x 64 units with 1024 channels</summary>
#
# No. The coming map has nothing to say about the outer units; the larger map is cropped, and the smaller one is not enlarged again.
# </details>
#
# **Quiz.** You train a padded U-Net of depth 4 on pictures of 250 x 250. What do you do?
#
# <details><summary>A. Cut pictures and masks to 240 x 240 in training, and the pictures in testing too</summary>
#
# No. It runs, but in testing ten rows and columns of every picture get no prediction. A random crop is fine for *training*; the result of a *test* must cover the whole picture.
# </details>
# <details><summary>B. Pad the picture to 256 x 256, and crop the scores back to 250 x 250</summary>
#
# Yes. 256 can be halved four times, and every pixel of the picture gets a score. The loss and the measures then only see real pixels.
# </details>
# <details><summary>C. Resize the scores of 240 x 240 to 250 x 250</summary>
#
# No. If the picture was cut, everything is stretched and no longer lies over the picture: at the far border by 10 pixels.
# </details>

# %% [markdown]
# # 7. DeepLab (2015-2018)
#
# U-Net lets the maps shrink and brings the details back afterwards. DeepLab asks: *why let them shrink so far?* Its four versions are four answers to "how do we see far, and still know where the border is?" Each version added something new, and one part, the CRF, was
# later left out again. (The *backbone* in the table is the classifier from which the network was made.)
#
# | Version | Paper | Backbone | What is new | VOC 2012 test, mIoU |
# |---|---|---|---|---|
# | v1, 2015 | Chen et al., ICLR, arXiv 1412.7062 | VGG-16 | dilated ("atrous") convolution instead of the last strides; a dense CRF afterwards | 71.6 % (abstract) |
# | v2, 2016 | Chen et al., TPAMI 2018, arXiv 1606.00915 | ResNet-101 | ASPP: several rates side by side; still with the CRF | 79.7 % (abstract) |
# | v3, 2017 | Chen et al., arXiv 1706.05587 | ResNet-101 | ASPP with BatchNorm and the mean of the whole map; no CRF any more | 85.7 % (Table 7) |
# | v3+, 2018 | Chen et al., ECCV, arXiv 1802.02611 | Xception, modified | a small decoder; depthwise separable convolutions | 87.8 % (Table 6) |
#
# Read the last column with care: backbone and training data grew as well. v2, v3 and v3+ also learned from MS-COCO, a larger data set. With Google's own 300 million pictures (JFT-300M), v3+ reaches 89.0 % (Table 6), which is the number in its abstract.
# *mIoU*, the mean intersection over union, is explained in section 8: the larger the better.

# %% [markdown]
# ## 7.1 Dilated convolution: see far without shrinking
#
# **Problem.** A 3x3 layer sees 3 x 3 pixels, two see 5 x 5, three see 7 x 7: the receptive field grows by 2 with each layer. Classifiers make it grow faster by strides, but each stride halves the map.
#
# **Idea.** Pull the kernel's nine weights apart. With **rate** $r$ (PyTorch: `dilation=r`) neighbouring weights lie $r$ pixels apart, and the pixels between them are skipped. Nine weights now span $2r + 1$ pixels in each direction. The papers of DeepLab call it
# *atrous* convolution, from the French *à trous*, "with holes".
#
# **Why it works.** When the rates double (1, 2, 4, ...), the receptive field grows **exponentially** while the weights grow **linearly** (Yu and Koltun 2016, section 2, arXiv 1511.07122):
#
# | Layers, 3x3 | Weights (one channel) | Sees, rates 1, 1, 1, ... | Sees, rates 1, 2, 4, ... |
# |---|---|---|---|
# | 1 | 9 | 3 x 3 | 3 x 3 |
# | 2 | 18 | 5 x 5 | 7 x 7 |
# | 3 | 27 | 7 x 7 | 15 x 15 |
# | 4 | 36 | 9 x 9 | 31 x 31 |
# | 5 | 45 | 11 x 11 | 63 x 63 |
#
# And the map keeps its size. In the demonstration, the orange cell is the place of one unit. Each number says in how many ways a pixel reaches this unit through the layers.

# %%
widgets.Dilation().show()

# %% [markdown]
# **Try it.**
#
# - Go through the layers 1, 2, 3 with rates 1, 2, 4. Each layer sees holes, but the layers before have filled them: no pixel is missed.
# - Choose 2, 2, 2. It sees 13 x 13 pixels, and uses only 49 of these 169. All steps are even, so that a pixel at an odd distance is never reached.
# - Choose 2, 4, 8: doubling alone doesn't help, as there is no layer of rate 1 that reaches the odd pixels. Then 1, 2, 5: no holes, and it sees further than 1, 2, 4.
#
# Units side by side then look at entirely different pixels. In a map this becomes visible as a grid, the **gridding artefact** (Wang et al. 2018, section 3.2, arXiv 1702.08502). Their cure, *hybrid dilated convolution*, is to choose rates that leave no holes, such as 1, 2, 5.

# %%
widgets.Gridding().show()

# %% [markdown]
# **Try it.** With rates 2, 2, 2 neighbours differ more than units two apart: the map consists of four maps that lie between each other and share no information. With 1, 2, 5 the grid is gone. The setting *one unit* shows the reason: it is the pattern of the demonstration above.
#
# **In a network.** A trained classifier can be dilated after training: leave a stride out, and spread the kernels behind it so far that every weight meets the unit that it met before. The same weights then give a finer map. The **output stride** says how many pixels
# of the picture lie between two units of the last map: 32 in a classifier, 16 or 8 in DeepLab. The price: a map at stride 8 has 16 times as many units as one at stride 32, and all layers behind must compute and store them. You do this in exercise 3.6.
#
# **Quiz.** A network has three 3x3 convolutions with rates 3, 3, 3. How much of its receptive field does a unit use?
#
# <details><summary>A. All of it, as there are three layers and the rate is three</summary>
#
# No. All steps are multiples of 3, and sums of multiples of 3 are multiples of 3, however many layers there are.
# </details>
# <details><summary>B. About a seventh: 49 of 361 pixels</summary>
#
# Yes. In each direction every third pixel is reached, 7 of 19. In two dimensions these are 7 x 7 of 19 x 19 pixels.
# </details>
# <details><summary>C. About a third: 7 of 19 pixels</summary>
#
# No. This is the share in one direction. In two dimensions it has to be squared.
# </details>

# %% [markdown]
# ## 7.2 The dense CRF: let the picture decide about borders
#
# **Problem.** Even at stride 8 a mask is coarse. The picture itself shows sharply where a thing ends, but the network's last map has lost it.
#
# **Idea.** DeepLab v1 and v2 correct the mask afterwards with a **conditional random field** (CRF). It doesn't know what a cat is. It starts from the network's probabilities for each single pixel (the *unary potential*) and adds one rule for every pair of pixels (the *pairwise potential*):
# if two pixels are near each other and have similar colours, they should have the same class. In a **dense** CRF *every* pixel is linked with *every* other one. The strength of the link of two pixels with places $p_i, p_j$ and colours $I_i, I_j$ is
# (Krähenbühl and Koltun 2011, equation 3, arXiv 1210.5644)
#
# $$
# k(i, j) = w_1 \underbrace{\exp\left(-\frac{|p_i - p_j|^2}{2\theta_\alpha^2} - \frac{|I_i - I_j|^2}{2\theta_\beta^2}\right)}_{\text{appearance kernel: near, and of similar colour}}
# $$
#
# $$
# \qquad + \; w_2 \underbrace{\exp\left(-\frac{|p_i - p_j|^2}{2\theta_\gamma^2}\right)}_{\text{smoothness kernel: very near}}
# $$
#
# Giving the two pixels different classes costs $k(i, j)$. Finding the mask with the lowest cost exactly would take far too long. **Mean field** is an approximation: each pixel has its own probabilities, and changes them by those of all others, weighted by $k$; then all do so again, a few times. Computed directly, that
# is one term for each pair: 40 million pairs in our small pictures of 80 x 112. The paper's contribution is a fast filter for these sums, so that its time grows with the number of pixels and not of pairs.
#
# The demonstration computes all pairs. Its rough mask is the true one, averaged over squares of 12 pixels with a little noise: what a network of stride 12 might say at best. White lines are the true outlines: colour beyond a line is wrong.
# `position`, `colour` and `near` are the widths $\theta_\alpha$, $\theta_\beta$ and $\theta_\gamma$.

# %%
widgets.CRF().show()

# %% [markdown]
# **Try it.**
#
# - At first: about 85 % of the pixels are right before, 91 % after. The hospital gets its corners back, because its wall and the grass differ in colour. The thin spoon **vanishes**: too few pixels speak for it, and many near ones against it.
# - Go through the iterations 0, 1, 2, ...: most changes come early.
# - Raise `colour` to 40, then `position` to 30: colours that hardly agree now count as similar, and classes **bleed** into each other. Of the scissors, 61 % are right, and before the CRF 76 % were.
# - Set `colour` to 2: no two pixels look alike any more, and the CRF hardly does anything. The right widths depend on the pictures; the papers search for them on validation data.
#
# **Why v3 has none.** The better the network's own masks, the less is left to mend. In v1 the CRF raised the validation mIoU from 62.25 to 67.64 % (Table 1, LargeFOV), in v2 with ResNet-101 from 76.35 to 77.69 % (Table 4). v3 beats both without it, and v3+ gets its borders
# from a decoder that is trained together with everything else. The CRF is a second step with its own parameters and its own time, which learns nothing from the masks.
#
# **Quiz.** For which thing does a dense CRF most likely do harm?
#
# <details><summary>A. A large red apple on green grass</summary>
#
# No. This is its best case: similar colours inside, different colours outside.
# </details>
# <details><summary>B. A thin grey cable on a grey road</summary>
#
# Yes. Colour doesn't tell it from the road, and the many pixels of the road around it outvote its few.
# </details>
# <details><summary>C. A train, which the network calls a hospital everywhere</summary>
#
# No. The CRF can't mend this, but it does no harm either: all pixels already agree. It makes borders follow the picture, and doesn't know what things are.
# </details>

# %% [markdown]
# ## 7.3 ASPP: several rates side by side
#
# **Problem.** Things are large and small. One rate fits one size.
#
# **Idea.** *Atrous spatial pyramid pooling* (ASPP, v2) lets several dilated 3x3 convolutions look at the same map, side by side, each with its own rate. A 1x1 convolution mixes what they found. In v3 there are five branches: a 1x1 convolution, 3x3 convolutions with the rates 6, 12 and 18,
# and *image pooling*, the mean of the whole map (v3, section 3.3). The rates are meant for an output stride of 16; at 8 they are doubled.
#
# **Why is image pooling needed?** A kernel of a large rate reaches beyond the map's edge, where there is only zero padding. A weight there does nothing. When the rate comes near the map's size, only the weight in the centre is left, and the 3x3 convolution has become a 1x1 convolution:
# it sees *less*, not more (v3, figure 4, with a map of 65 x 65). The mean of the map sees everything, whatever the size.

# %%
widgets.ASPPBranches().show()

# %% [markdown]
# **Try it.**
#
# - At first: a map of 33 x 33, which is a picture of 513 x 513 at stride 16, as in v3. Even so, at rate 18 no unit has all nine weights on the map: on average they are 3.6 of 9.
# - Set the map's size to 13: at rate 18, nothing but the centre is left at any unit. Our scenes of 80 x 112 at stride 32 have maps of 3 x 4 units. This is why our `segmentation.DeepLabV3Plus` takes smaller rates there.
# - Move to the corner: whatever the rate, no more than 4 of 9 weights see the map.
#
# **Quiz.** A map has 17 x 17 units. What does a 3x3 convolution of rate 20, padded to keep the size, compute there?
#
# <details><summary>A. The same as a 1x1 convolution with its centre weight</summary>
#
# Yes. The other eight weights are 20 units away in some direction, beyond the edge from every place, where only zeros are.
# </details>
# <details><summary>B. Something about the whole map, as it spans 41 x 41 units</summary>
#
# No. It spans them, but it looks at nine points only, and eight of these lie in the padding.
# </details>
# <details><summary>C. Nothing: the kernel doesn't fit, and there is an error</summary>
#
# No. With padding of 20 it fits everywhere. That makes the mistake hard to notice: shapes are right, and nothing is reported.
# </details>

# %% [markdown]
# ## 7.4 Depthwise separable convolution: the same shape for a fraction of the cost
#
# **Problem.** A 3x3 convolution from $M$ to $N$ channels has $9 M N$ weights, and each is used at every unit of the map. DeepLab keeps its maps large, so that this is expensive.
#
# **Idea.** Do the two jobs of a convolution one after the other. First **depthwise**: each channel is filtered by its own $k \times k$ kernel, and no channel meets another: $k^2 M$ weights. Then **pointwise**: a 1x1 convolution mixes the channels at each place: $M N$ weights.
# Compared with the full convolution that is
#
# $$\frac{k^2 M + M N}{k^2 M N} = \frac{1}{N} + \frac{1}{k^2}$$
#
# both in weights and in *multiply-adds*, the number of multiplications with an addition (Howard et al. 2017, MobileNet, section 3.1, arXiv 1704.04861): between an eighth and a ninth for 3x3 kernels and many channels. It is not the same function: kernels that can't be split in this way are lost. In practice little accuracy is. v3+ uses separable convolutions, with dilation in the
# depthwise step, in its backbone, in ASPP and in its decoder.

# %%
widgets.SeparableCost().show()

# %% [markdown]
# **Try it.**
#
# - Change the number of input channels: the ratio stays. It depends on the output channels and the kernel only.
# - Set the output channels to 16: the ratio is then 1/16 + 1/9, and the depthwise step is a visible part of the cost.
# - Compare the times with the counts, above all for few channels. The times were **measured on the machine that ran this cell**, and come out differently each time. With few channels the saving is usually smaller than the count says:
#   starting a layer and fetching its data take time as well, and for a depthwise step there is little to compute for each number fetched.

# %%
for separable in (False, True):
    aspp = segmentation.ASPP(512, separable=separable)
    print(f"ASPP from 512 to 256 channels, {'separable' if separable else 'full':9}: {sum(weights.numel() for weights in aspp.parameters()):>9,} weights")

# %% [markdown]
# **The decoder of v3+** (sections 3.1 and 4.1 of its paper) comes back to the idea of skips. ASPP's map, at stride 16, is enlarged four times. An early map of the backbone, at stride 4, is reduced to 48 channels by a 1x1 convolution, so that it doesn't outweigh the other, which has 256. Both are joined by two 3x3 convolutions, and enlarged four times again.
# That is a skip connection as in U-Net, but only one. `segmentation.DeepLabV3Plus` is short: read it.
#
# **Quiz.** A separable 5x5 convolution has 64 input channels and 256 output channels. How many weights has it, without biases?
#
# <details><summary>A. 25 · 64 · 256 = 409,600</summary>
#
# No. This is the full convolution: a 5x5 kernel for each pair of an input and an output channel.
# </details>
# <details><summary>B. 25 · 64 + 64 · 256 = 17,984</summary>
#
# Yes. A 5x5 kernel for each input channel, then a 1x1 convolution. That is 1/256 + 1/25 = 4.4 % of the full one.
# </details>
# <details><summary>C. 25 · 256 + 64 · 256 = 22,784</summary>
#
# No. The depthwise step comes first: it has one kernel for each of the 64 *input* channels.
# </details>

# %% [markdown]
# # 8. Measuring
#
# Two networks give two masks. Which one is better? A *score* in this section is a number that says how good a mask is. (In sections 2 to 7 the word means the number that a network gives to a class.) Each such number hides some kind of mistake. Choose the one that shows the mistake you care about.
#
# All scores here start from counts: how many pixels of class *t* were called *p*? The table of these counts is the **confusion matrix**. Pixels of 255 are left out. The
# right ones are on its diagonal.
#
# - **Pixel accuracy** is the share of pixels that are right. It is easy to understand, but it can be high without any work: if 90 % of the pixels are background, saying *background*
#   everywhere gets 0.90.
# - **Intersection over union**, IoU, is computed for one class. Take the set of pixels that *are* the class, and the set of pixels that were *called* it. IoU is the number of pixels in both sets, divided by
#   the number in at least one of them. It is 1 for a perfect mask; calling too many pixels this class makes it smaller, and so does calling too few.
# - **Mean IoU**, mIoU, is the mean of IoU over the classes. Each class counts the same, however few pixels it has. All counts of the test set are added up before IoU is computed. FCN's
#   paper calls it *mean IU* (section 5), and nearly every table since then reports it.
# - **Boundary IoU** (Cheng et al., CVPR 2021, arXiv 2103.16562) is IoU of the pixels near borders only: of each class, in truth and in prediction, only the band is kept
#   that lies within a distance *d* of its outline. The authors take *d* as 2 % of the picture's diagonal, which is 3 pixels here.
#
# Why a score for borders? The inside of a thing grows with the *square* of its size, its border grows with the size itself. In a large thing the inside is so many pixels
# that a bad border hardly moves IoU.

# %% [markdown]
# The demonstration takes the true mask of a scene and puts a ball on its background. The prediction is the truth with *one* mistake. *Pixels* says how large that is: how
# far the things are shifted, how much too fat or too thin they are on each side; or, for the ball, its radius.

# %%
widgets.Measures().show()

# %% [markdown]
# **Try**
#
# - Choose *shifted* by 1 or 2 pixels. Pixel accuracy stays above 0.9. mIoU loses more, and boundary IoU more than twice as much as mIoU: it looks at nothing but the
#   border, and that is where all mistakes are.
# - Choose *ball missed* and set *pixels* to 1. Five pixels are wrong, pixel accuracy says 0.999, and mIoU falls to 0.8: one of five classes has an IoU of 0. Set *pixels*
#   to 8: mIoU hardly changes. It counts classes, not pixels.
# - Choose *ball called apple*. The same pixels are wrong, and mIoU is lower than for *ball missed*: now two classes have an IoU of 0, the ball that nobody found, and the
#   apple that isn't there.
# - Compare *too fat* with *too thin*, at 3 pixels. Which things suffer more: the cat, or what is as thin as the spoon's handle?
#
# | What you care about | Look at |
# |---|---|
# | is every class found, also a rare one? | IoU of each class, and mIoU |
# | areas: which share of the picture is road? | pixel accuracy, IoU of that class |
# | cutting out a person, measuring a tumour's outline | boundary IoU |
# | how many there are | none of these: a semantic mask can't say (section 1) |

# %% [markdown]
# **Read tables with care.**
#
# - Is it mIoU over the whole test set, or the mean of the pictures' own mIoU? These are two numbers.
# - Is the background one of the classes? On PASCAL VOC it is, as one of 21.
# - What counts as *ignored*? If 255 lies along all borders, as in PASCAL VOC and in our scenes, the hardest pixels aren't counted.
# - A difference of half a point between two networks that were trained once each says little: train them again with another seed, and look how far the number moves.
#
# On a part of the validation set of PASCAL VOC 2011, FCN-32s, 16s and 8s have 59.4, 62.4 and 62.7 mean IU (Long et al. 2015, table 2). From 16s to 8s it is 0.3 points.
# In the masks that the paper shows (figure 4) the step is easier to see than in the score: what got better are thin parts and borders, which have few pixels.

# %% [markdown]
# **Quiz.** A scene has a background and three classes. A network is right for every pixel but those of the smallest class, 20 of 9,000 pixels, which it calls background.
# What are its scores, about?
#
# <details><summary>A. Pixel accuracy 0.998, mIoU 0.998</summary>
#
# No. Pixel accuracy is right, as 20 of 9,000 pixels are wrong. But mIoU asks each class in turn, and one of them has 0.
# </details>
# <details><summary>B. Pixel accuracy 0.998, mIoU 0.75</summary>
#
# Yes. Three of four classes have an IoU of about 1 and one has 0: the mean is 0.75.
# </details>
# <details><summary>C. Pixel accuracy 0.75, mIoU 0.75</summary>
#
# No. Pixel accuracy doesn't know classes. It only counts pixels, and nearly all of them are right.
# </details>
#
# **Quiz.** Network A has a higher mIoU than network B, and a lower boundary IoU. You build the background blur of a camera. What follows?
#
# <details><summary>A. Take A: mIoU is the standard score</summary>
#
# No. It is the usual one in tables. For a blur, people look at the border, and there B is better.
# </details>
# <details><summary>B. One of the two numbers must be wrong, as both are IoU</summary>
#
# No. They count different pixels. A can know better what things are, and draw their outlines worse.
# </details>
# <details><summary>C. Look at IoU and boundary IoU of the class person, and at pictures; B is likely the better one along the hair</summary>
#
# Yes. Choose the score by the mistake that matters, and only for the classes that matter. And look at the pictures: a score never replaces that.
# </details>

# %% [markdown]
# # 9. What came after
#
# DeepLabv3+ is from 2018. This page says where the field went from there: a few pointers, each with what is *new* in it.
#
# | What | New idea | Source |
# |---|---|---|
# | **HRNet** | Never go down to a small map and back up. Keep a fine map from beginning to end, beside coarser ones, and exchange between them again and again. | Sun et al., CVPR 2019; Wang et al., TPAMI 2020, arXiv 1908.07919 |
# | **SETR** | A *transformer* as encoder: the picture is cut into patches of 16 x 16 pixels, and in *every* layer each patch can look at all others (*attention*). The receptive field is the whole picture from the first layer on, without dilation. | Zheng et al., CVPR 2021, arXiv 2012.15840 |
# | **SegFormer** | A transformer with four stages, strides 4, 8, 16 and 32, as in a ResNet, and a decoder of nothing but linear layers, the same for each pixel: bring the four maps to one size, put them together, classify. SegFormer-B4 has 64 million parameters and 50.3 % mIoU on ADE20K, a data set with 150 classes (abstract). | Xie et al., NeurIPS 2021, arXiv 2105.15203 |
# | **MaskFormer, Mask2Former** | *Mask classification*: don't give each pixel a class; predict a set of masks and *one class for each mask*. One model then does semantic, instance and panoptic segmentation (section 1). | Cheng et al., NeurIPS 2021, arXiv 2107.06278; CVPR 2022, arXiv 2112.01527 |
# | **Open vocabulary** | No fixed list of classes: pixels are compared with the *embedding* of a word (a vector that stands for its meaning), by models that were trained on pictures with texts, such as CLIP. One may ask for classes that had no masks in training. | LSeg, Li et al., ICLR 2022, arXiv 2201.03546 |
# | **Segment Anything (SAM)** | *Promptable*: a click or a box says which thing, the model gives its mask, **without naming it**. Trained on SA-1B: 1.1 billion masks on 11 million images, nearly all drawn by the model itself, after people had drawn the first ones (sections 4 and 5). | Kirillov et al., ICCV 2023, arXiv 2304.02643 |
# | **SAM 2** | The same for video, with a memory of the frames before. | Ravi et al., 2024, arXiv 2408.00714 |

# %% [markdown]
# **What stayed the same.** Read any of these papers and you will meet this lecture again:
#
# - **features of several scales**, coarse ones for *what* and fine ones for *where*, brought together (sections 4 to 6). SegFormer's decoder is close to Hypercolumns: bring all maps to one size, stack them, classify each pixel;
# - **upsampling** (section 3): MaskFormer's pixel decoder enlarges step by step, with skips, and SAM's mask decoder enlarges by two transposed convolutions of kernel 2 and stride 2: divisible;
# - **a wide view**: dilation and ASPP gave way to attention, for the same purpose (sections 2 and 7);
# - **starting from a pre-trained encoder**, as FCN did, though now often trained on far more pictures and without labels;
# - **pixels that don't count** (255), IoU and mIoU, and all the care that these measures need (section 8).
#
# And convolutions are still in use: U-Net's shape is the standard in medical imaging and in image generation, and on a small data set or a small machine a ResNet with a good decoder is still a very good choice.

# %% [markdown]
# **Quiz.** You need a map of a street with the classes road, pavement, car and person, for every frame of a camera, and nobody is there to click. Somebody proposes the original SAM alone. What is missing?
#
# <details><summary>A. Nothing: it was trained on 1.1 billion masks</summary>
#
# No. Those masks have no class names. SAM gives you the outlines of things, however many there are, and doesn't say which of them is a road.
# </details>
# <details><summary>B. The names: SAM gives masks for prompts, not classes for pixels</summary>
#
# Yes. Something has to prompt it and to name the masks: a classifier, a detector, or an open-vocabulary model. A SegFormer or a DeepLab trained on these four classes does it in one step.
# </details>
# <details><summary>C. Only the resolution: its masks are too coarse for streets</summary>
#
# No. Fine outlines are its strength. The classes are missing, however fine the masks are.
# </details>

# %% [markdown]
# # Glossary English-Korean
#
# | English | 한국어 | What it is |
# |---|---|---|
# | semantic segmentation | 의미론적 분할 (시맨틱 세그멘테이션) | Giving a class to every pixel. |
# | instance segmentation | 인스턴스 분할 (개체 분할) | Giving each single thing its own mask and class. |
# | panoptic segmentation | 파놉틱 분할 | Both together: a class for every pixel, and a number for every countable thing. |
# | object detection | 객체 탐지 (객체 검출) | Finding things and drawing a box around each of them. |
# | class | 클래스 | One of the kinds of things that a network can name. |
# | ground truth | 정답 (그라운드 트루스) | What is really there, as people or a computer marked it. |
# | mask | 마스크 | A picture whose pixels are class numbers. |
# | feature map | 특징 맵 (특성 맵) | What a layer gives: numbers (channels) for every place of the picture. |
# | unit | 유닛 | One place of a feature map, with all its channels. |
# | channel | 채널 | One of the numbers that a map has at every place. |
# | kernel | 커널 | The small grid of weights that a convolution moves over its input. |
# | score, logit | 점수, 로짓 | The number that a network gives to a class, before softmax. |
# | backbone (trunk) | 백본 | A classifier without its head, used for its feature maps. |
# | fully convolutional network (FCN) | 완전 합성곱 신경망 | A network without fully connected layers, which takes pictures of any size. |
# | fully connected layer | 완전 연결 층 (전결합층) | A layer in which every output sees every input. |
# | 1x1 convolution | 1x1 합성곱 | A fully connected layer for the channels of each place by itself. |
# | stride | 스트라이드 (보폭) | The step with which a kernel moves over the map. |
# | output stride | 출력 스트라이드 | How many pixels of the picture lie between two units of a network's last map. |
# | padding | 패딩 | Values, mostly zeros, that are put around a map before a convolution. |
# | pooling | 풀링 | Replacing the numbers of a small neighbourhood by their maximum or mean. |
# | receptive field | 수용 영역 (수용장) | The pixels of the picture that can change a unit's value. |
# | downsampling | 다운샘플링 | Making a map smaller. |
# | upsampling | 업샘플링 | Making a map larger. |
# | bilinear interpolation | 이중 선형 보간법 (쌍선형 보간법) | Reading values between pixels, weighted by the distances to the four nearest ones. |
# | transposed convolution | 전치 합성곱 (전치 컨볼루션) | A layer that stamps its kernel for each unit, and so enlarges a map. |
# | deconvolution | 디컨볼루션 (역합성곱) | An old name for transposed convolution, which does not undo a convolution. |
# | checkerboard artefact | 체커보드 아티팩트 (격자무늬 현상) | A pattern that appears where stamps overlap unequally. |
# | encoder, decoder | 인코더, 디코더 | The part that makes maps smaller, and the part that brings them back to full size. |
# | skip connection | 스킵 연결 (스킵 커넥션) | A path on which an early map reaches a late layer directly. |
# | concatenation | 연결 (이어 붙이기) | Putting the channels of two maps one after the other. |
# | hypercolumn | 하이퍼컬럼 | The numbers of several layers at one pixel, put together into one vector. |
# | U-Net | U-Net (유넷) | An encoder and a decoder with a skip connection at every size. |
# | dilated (atrous) convolution | 팽창 합성곱 (확장 합성곱, 아트루스 합성곱) | A convolution whose weights lie a few units apart, with holes between them. |
# | dilation rate | 팽창률 | The distance between neighbouring weights of a dilated kernel. |
# | gridding artefact | 그리딩 현상 (격자 현상) | The grid in a map when neighbouring units see different pixels only. |
# | atrous spatial pyramid pooling (ASPP) | 아트루스 공간 피라미드 풀링 | Dilated convolutions of several rates side by side on one map. |
# | global average pooling (image pooling) | 전역 평균 풀링 | The mean of each channel over the whole map. |
# | depthwise separable convolution | 깊이별 분리 합성곱 | A convolution in two steps: depthwise, then pointwise. |
# | depthwise convolution | 깊이별 합성곱 | A convolution that filters each channel by itself. |
# | pointwise convolution | 점별 합성곱 | A 1x1 convolution, which mixes the channels of each place. |
# | conditional random field (CRF) | 조건부 무작위장 (조건부 랜덤 필드) | A model that judges a whole mask by single pixels and by pairs of them. |
# | unary potential | 단항 퍼텐셜 | What a class costs at a single pixel, here computed from the network's probabilities. |
# | pairwise potential | 쌍별 퍼텐셜 (이항 퍼텐셜) | What it costs when two linked pixels have different classes. |
# | mean field approximation | 평균장 근사 | Updating each pixel's probabilities by those of the others, a few times. |
# | softmax | 소프트맥스 | Turning scores (logits) into probabilities that add up to 1. |
# | cross-entropy loss | 교차 엔트로피 손실 | The negative logarithm of the probability given to the right class. |
# | class imbalance | 클래스 불균형 | Some classes have many more pixels than others. |
# | pixel accuracy | 픽셀 정확도 | The share of pixels that have the right class. |
# | intersection over union (IoU) | 교집합 대 합집합 비율 (IoU) | Pixels in both masks of a class, divided by pixels in at least one of them. |
# | mean IoU (mIoU) | 평균 IoU | The mean of IoU over the classes. |
# | boundary IoU | 경계 IoU | IoU of the pixels near borders only. |
# | ignored pixels (void, 255) | 무시되는 픽셀 (255) | Pixels whose class isn't known. They count neither in the loss nor in a score. |
# | end to end | 종단간 (엔드 투 엔드) | All steps are part of one network, and one loss trains them all. |
# | validation data | 검증 데이터 | Pictures kept out of training, to compare networks and choose settings. |
# | confusion matrix | 혼동 행렬 (오차 행렬) | A table of how many pixels of each class were called which. |
# | transfer learning, fine-tuning | 전이 학습, 미세 조정 | Starting from weights that were learned on another task, and training on. |

# %% [markdown]
# # Where to go from here
#
# Assignment 3 is this lecture in your own hands: you turn the classifier of assignment 1 into FCN-32s, 16s and 8s, dilate it, write a decoder step that works with odd sizes, and measure how much each step helps.
#
# *Text: CC BY 4.0. Code: MIT.*
