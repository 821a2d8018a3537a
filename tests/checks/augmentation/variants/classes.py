"""Every function of the assignment is an object: a module, something callable, or a partial of something general."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, Beta


def _column(values, images):
    """(N,) or (C,) numbers to go with (N, C, H, W) along the first axis."""
    return torch.as_tensor(values, dtype=images.dtype).reshape(-1, 1, 1, 1)


class Standardize:
    def __init__(self, *, undo):
        self.undo = undo

    def __call__(self, images, mean, std):
        pixels = torch.true_divide(images, 255) if images.dtype is torch.uint8 else images
        mean, std = _column(mean, pixels)[..., 0], _column(std, pixels)[..., 0]
        return torch.addcmul(mean, pixels, std) if self.undo else pixels.sub(mean).div(std)


class Flip(nn.Module):
    def forward(self, images, p=0.5):
        mirrored = Bernoulli(probs=float(p)).sample((images.shape[0],)).bool()
        columns = torch.arange(images.shape[-1])
        columns = torch.where(mirrored[:, None], columns.flip(0), columns)
        return images.gather(3, columns[:, None, None, :].expand(images.shape))


class Crop(nn.Module):
    def forward(self, images, padding):
        n, _, height, width = images.shape
        windows = nn.ConstantPad2d(padding, 0)(images).unfold(2, height, 1).unfold(3, width, 1)
        place = torch.multinomial(torch.ones((2 * padding + 1) ** 2), n, replacement=True)
        down = place.div(2 * padding + 1, rounding_mode="floor")
        return windows[torch.arange(n), :, down, place % (2 * padding + 1)]


class Rotation(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("quarter", torch.tensor([[0.0, -1.0], [1.0, 0.0]]))

    def matrices(self, degrees, height, width):
        angle = degrees.mul(math.pi / 180)[:, None, None]
        turn = angle.cos() * torch.eye(2).to(angle) + angle.sin() * self.quarter.to(angle)
        half = angle.new_tensor([width / 2, height / 2])  # from normalised coordinates to pixels, and back
        return F.pad(turn * half / half[:, None], (0, 1))

    def forward(self, images, degrees, mode="bilinear"):
        theta = self.matrices(degrees.to(images.dtype), *images.shape[-2:])
        grid = F.affine_grid(theta, images.size(), align_corners=False)
        return F.grid_sample(images, grid, mode, "zeros", align_corners=False)


class Grey(nn.Conv2d):
    """A weighted sum of the channels."""

    def __init__(self, weights):
        super().__init__(len(weights), 1, 1, bias=False)
        self.requires_grad_(False)
        self.weight.copy_(torch.tensor(weights).reshape(1, -1, 1, 1))

    def forward(self, images):
        return F.conv2d(images, self.weight.to(images.dtype))


GREY = nn.ModuleDict({"1": Grey([1.0]), "3": Grey([0.299, 0.587, 0.114])})


def scale_about(images, factors, pivot):
    """Away from a value for each picture, or towards it."""
    middle = pivot(images)
    return torch.clamp(middle + (images - middle) * _column(factors, images), 0, 1)


class GaussianBlur(nn.Module):
    def forward(self, images, sigma):
        reach = math.ceil(3 * sigma)
        distance = torch.linspace(-reach, reach, 2 * reach + 1, dtype=images.dtype)
        weights = F.normalize(torch.exp(-0.5 * (distance / sigma).square()), p=1, dim=0)
        pixels = nn.ReflectionPad2d(reach)(images)
        for axis in (-1, -2):
            pixels = pixels.unfold(axis, len(weights), 1).matmul(weights)
        return pixels


class AugmentPair(nn.Module):
    """Crop, mirror and rotate; what the random parts see is the picture with its mask as one more channel."""

    def __init__(self):
        super().__init__()
        self.shift, self.mirror, self.turn = Crop(), Flip(), Rotation()

    def forward(self, images, masks, max_degrees=30.0, padding=4):
        known = torch.ones_like(masks)
        stack = torch.cat([images.double(), torch.stack([masks, known], 1).double()], 1)
        degrees = torch.empty(len(images)).uniform_(-1, 1) * max_degrees
        stack = self.mirror(self.shift(stack, padding))
        images = self.turn(stack[:, :-2].to(images.dtype), degrees)
        labels, known = self.turn(stack[:, -2:], degrees, "nearest").unbind(1)
        return images, torch.where(known > 0.5, labels.round().to(torch.int64), 255)


class Erase(nn.Module):
    def rectangle(self, height, width, scale, ratio):
        for _ in range(10):
            area = torch.empty(()).uniform_(*scale) * height * width
            aspect = torch.empty(()).uniform_(math.log(ratio[0]), math.log(ratio[1])).exp()
            tall, wide = int((area * aspect).sqrt().round()), int((area / aspect).sqrt().round())
            if tall <= height and wide <= width:
                top = int(torch.randint(height - tall + 1, (1,)))
                left = int(torch.randint(width - wide + 1, (1,)))
                return slice(top, top + tall), slice(left, left + wide)
        return slice(0), slice(0)

    def forward(self, images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
        result = images.clone()
        for image in result:
            if torch.bernoulli(torch.tensor(float(p))):
                rows, columns = self.rectangle(*image.shape[1:], scale, ratio)
                image[:, rows, columns].zero_()
        return result


class Mix:
    """Each picture with a partner; ``stencil`` says where the partner shows, and how strongly (N, 1, H, W)."""

    def __init__(self, stencil):
        self.stencil = stencil

    def __call__(self, images, labels, num_classes, alpha=1.0):
        n, _, height, width = images.shape
        other = 1 - Beta(float(alpha), float(alpha)).sample((n,)).double()
        there = self.stencil(other, height, width)
        share = there.mean((1, 2, 3)).float()[:, None]
        there = there.to(images.dtype)
        soft = torch.zeros(n, num_classes).scatter(1, labels[:, None], 1.0)
        partner = torch.roll(torch.arange(n), -1)
        return (1 - there) * images + there * images[partner], (1 - share) * soft + share * soft[partner]


def everywhere(other, height, width):
    return other.reshape(-1, 1, 1, 1).expand(-1, 1, height, width)


def in_a_box(other, height, width):
    """A box of its own for each picture; what would lie outside the picture isn't there to begin with."""
    lines = []
    for size in (height, width):
        side = (other.sqrt() * size).round()
        start = (torch.rand(len(other)) * size - side / 2).round()
        position = torch.arange(size)
        lines.append((position >= start[:, None]) & (position < (start + side)[:, None]))
    return (lines[0][:, :, None] & lines[1][:, None, :]).double()[:, None]


class Operation(nn.Module):
    def __init__(self, function, strength):
        super().__init__()
        self.function, self.strength = function, strength

    def forward(self, images):
        heads = torch.rand(len(images)) < 0.5
        return self.function(images, torch.where(heads, self.strength, -self.strength))


class RandAugment(nn.Module):
    """Pictures are sorted by the operation drawn, go through it together, and are put back in order."""

    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.operations = nn.ModuleList(Operation(f, maximum * level / 30) for f, maximum in operations)
        self.num_ops = num_ops

    def once(self, images):
        drawn = torch.distributions.Categorical(torch.ones(len(self.operations))).sample((len(images),))
        order = drawn.argsort()
        counts = drawn.bincount(minlength=len(self.operations)).tolist()
        groups = zip(self.operations, images[order].split(counts), strict=True)
        return torch.cat([operation(group) for operation, group in groups if len(group)])[order.argsort()]

    def forward(self, images):
        for _ in range(self.num_ops if self.training else 0):
            images = self.once(images)
        return images


class Evaluation:
    """`with Evaluation(model):` evaluation mode and no gradients; afterwards everything as before."""

    def __init__(self, model):
        self.modes = {module: module.training for module in model.modules()}
        self.model, self.no_grad = model, torch.no_grad()

    def __enter__(self):
        self.model.eval()
        self.no_grad.__enter__()

    def __exit__(self, *error):
        self.no_grad.__exit__(*error)
        for module, training in self.modes.items():
            module.training = training


class Views:
    def __call__(self, model, images, views):
        with Evaluation(model):
            return sum(nn.Softmax(1)(model(view(images))) for view in views) / len(views)


class Summary:
    def __call__(self, accuracies):
        spread, mean = torch.std_mean(accuracies, dim=1)
        return mean, spread


normalize = Standardize(undo=False)
denormalize = Standardize(undo=True)
random_flip = Flip()
random_crop = Crop()
rotate = Rotation()
adjust_brightness = partial(scale_about, pivot=lambda images: 0.0)
adjust_contrast = partial(
    scale_about, pivot=lambda images: GREY[str(images.shape[1])](images).mean((1, 2, 3), keepdim=True)
)
gaussian_blur = GaussianBlur()
augment_pair = AugmentPair()
random_erase = Erase()
mixup = Mix(everywhere)
cutmix = Mix(in_a_box)
predict_with_views = Views()
mean_and_spread = Summary()
