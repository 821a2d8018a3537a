"""The assignment answered the plain way: whole batches, torch only, a draw for each picture."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def normalize(images, mean, std):
    if images.dtype == torch.uint8:
        images = images.float() / 255
    mean = torch.as_tensor(mean, dtype=images.dtype, device=images.device).view(-1, 1, 1)
    std = torch.as_tensor(std, dtype=images.dtype, device=images.device).view(-1, 1, 1)
    return (images - mean) / std


def denormalize(images, mean, std):
    mean = torch.as_tensor(mean, dtype=images.dtype, device=images.device).view(-1, 1, 1)
    std = torch.as_tensor(std, dtype=images.dtype, device=images.device).view(-1, 1, 1)
    return images * std + mean


def random_flip(images, p=0.5):
    flip = torch.rand(len(images), device=images.device) < p
    return torch.where(flip[:, None, None, None], images.flip(-1), images)


def random_crop(images, padding):
    n, _, height, width = images.shape
    padded = F.pad(images, (padding, padding, padding, padding))
    top, left = torch.randint(2 * padding + 1, (2, n))
    rows = top[:, None] + torch.arange(height)
    columns = left[:, None] + torch.arange(width)
    cropped = padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return cropped.permute(0, 3, 1, 2)


def rotate(images, degrees, mode="bilinear"):
    height, width = images.shape[-2:]
    radians = torch.deg2rad(degrees.to(images.dtype))
    cos, sin, zero = radians.cos(), radians.sin(), torch.zeros_like(radians)
    theta = torch.stack(
        [
            torch.stack([cos, -sin * height / width, zero], dim=1),
            torch.stack([sin * width / height, cos, zero], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)


def adjust_brightness(images, factors):
    return (images * factors.to(images.dtype).view(-1, 1, 1, 1)).clamp(0, 1)


def adjust_contrast(images, factors):
    if images.shape[1] == 3:
        red, green, blue = images.unbind(1)
        grey = 0.299 * red + 0.587 * green + 0.114 * blue
    else:
        grey = images[:, 0]
    mean = grey.mean((1, 2)).view(-1, 1, 1, 1)
    return (mean + factors.to(images.dtype).view(-1, 1, 1, 1) * (images - mean)).clamp(0, 1)


def gaussian_blur(images, sigma):
    reach = math.ceil(3 * sigma)
    channels = images.shape[1]
    offsets = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    padded = F.pad(images, (reach, reach, reach, reach), mode="reflect")
    across = F.conv2d(padded, kernel.expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(across, kernel[:, None].expand(channels, 1, -1, 1), groups=channels)


def augment_pair(images, masks, max_degrees=30.0, padding=4):
    # One stack, so that one draw is for both. 255 moves to 0: what flip, crop and rotation fill with.
    both = torch.cat([images, masks[:, None].to(images.dtype) - 255], dim=1)
    both = random_crop(random_flip(both), padding)
    degrees = (2 * torch.rand(len(images)) - 1) * max_degrees
    pictures = rotate(both[:, :-1], degrees)
    labels = rotate(both[:, -1:], degrees, mode="nearest")
    return pictures, labels[:, 0].round().long() + 255


def random_erase(images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
    n, _, height, width = images.shape
    # Ten tries for each picture at once; the first that fits is taken.
    area = height * width * torch.empty(n, 10).uniform_(*scale)
    aspect = torch.empty(n, 10).uniform_(math.log(ratio[0]), math.log(ratio[1])).exp()
    tall, wide = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fits = (tall <= height) & (wide <= width)
    first = fits.int().argmax(1, keepdim=True)
    tall, wide = tall.gather(1, first), wide.gather(1, first)
    top = (torch.rand(n, 1) * (height - tall + 1)).floor()
    left = (torch.rand(n, 1) * (width - wide + 1)).floor()
    rows, columns = torch.arange(height), torch.arange(width)
    inside = ((rows >= top) & (rows < top + tall))[:, :, None] & (
        (columns >= left) & (columns < left + wide)
    )[:, None, :]
    erase = fits.any(1) & (torch.rand(n) < p)
    return images.masked_fill((inside & erase[:, None, None])[:, None], 0)


def mixup(images, labels, num_classes, alpha=1.0):
    share = torch.distributions.Beta(alpha, alpha).sample().item()
    partner = torch.randperm(len(images))
    soft = F.one_hot(labels, num_classes).float()
    return share * images + (1 - share) * images[partner], share * soft + (1 - share) * soft[partner]


def cutmix(images, labels, num_classes, alpha=1.0):
    height, width = images.shape[-2:]
    side = math.sqrt(1 - torch.distributions.Beta(alpha, alpha).sample().item())
    half_height, half_width = int(side * height / 2), int(side * width / 2)
    y, x = torch.randint(height, ()).item(), torch.randint(width, ()).item()
    top, bottom = max(y - half_height, 0), min(y + half_height, height)
    left, right = max(x - half_width, 0), min(x + half_width, width)
    partner = torch.randperm(len(images))
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    pasted = (bottom - top) * (right - left) / (height * width)
    soft = F.one_hot(labels, num_classes).float()
    return mixed, (1 - pasted) * soft + pasted * soft[partner]


class RandAugment(nn.Module):
    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.operations = operations
        self.num_ops = num_ops
        self.level = level

    def forward(self, images):
        if not self.training:
            return images
        images = images.clone()
        for _ in range(self.num_ops):
            drawn = torch.randint(len(self.operations), (len(images),))
            sign = 2.0 * torch.randint(2, (len(images),)) - 1
            for number, (operation, maximum) in enumerate(self.operations):
                chosen = drawn == number
                if chosen.any():
                    strengths = sign[chosen] * maximum * self.level / 30
                    images[chosen] = operation(images[chosen], strengths)
        return images


@torch.no_grad()
def predict_with_views(model, images, views):
    model.eval()
    return torch.stack([model(view(images)).softmax(dim=1) for view in views]).mean(dim=0)


def mean_and_spread(accuracies):
    return accuracies.mean(dim=1), accuracies.std(dim=1)
