"""torchvision.transforms.v2 does the work, picture by picture where each has its own draw; tv_tensors come back."""

import math
import random

import torch
from torch import nn
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as TF


def _each(function, images, *numbers):
    changed = [
        function(tv_tensors.Image(image), *mine)
        for image, *mine in zip(images, *[number.tolist() for number in numbers], strict=True)
    ]
    return tv_tensors.Image(torch.stack([image.as_subclass(torch.Tensor) for image in changed]))


def normalize(images, mean, std):
    if not images.is_floating_point():
        images = TF.to_dtype(images, torch.float32, scale=True)
    return TF.normalize(tv_tensors.Image(images), list(mean), list(std))


def denormalize(images, mean, std):
    # (x + m / s) * s = x s + m
    return TF.normalize(images, [-m / s for m, s in zip(mean, std, strict=True)], [1 / s for s in std])


def random_flip(images, p=0.5):
    return _each(v2.RandomHorizontalFlip(p), images)


def random_crop(images, padding):
    return _each(v2.RandomCrop(tuple(images.shape[-2:]), padding=padding), images)


def rotate(images, degrees, mode="bilinear"):
    return _each(lambda image, angle: TF.rotate(image, angle, InterpolationMode(mode)), images, degrees)


def adjust_brightness(images, factors):
    # A channel is a grey picture, so that there may be any number of them.
    def change(image, factor):
        return TF.adjust_brightness(image[:, None], factor)[:, 0]

    return _each(change, images, factors)


def adjust_contrast(images, factors):
    return _each(TF.adjust_contrast, images, factors)


def gaussian_blur(images, sigma):
    return TF.gaussian_blur(tv_tensors.Image(images), 2 * math.ceil(3 * sigma) + 1, [sigma, sigma])


def augment_pair(images, masks, max_degrees=30.0, padding=4):
    size = tuple(images.shape[-2:])
    crop = v2.RandomCrop(size, padding=padding, fill={tv_tensors.Image: 0, tv_tensors.Mask: 255})
    mirror = v2.RandomHorizontalFlip()
    pairs = []
    for image, mask in zip(images, masks, strict=True):
        angle = random.uniform(-max_degrees, max_degrees)
        pair = tv_tensors.Image(image), tv_tensors.Mask(mask)
        pictures, labels = crop(*mirror(*pair))
        pictures = TF.rotate(pictures, angle, InterpolationMode.BILINEAR)
        pairs.append((pictures, TF.rotate(labels, angle, InterpolationMode.NEAREST, fill=255)))
    pictures, labels = zip(*pairs, strict=True)
    return tv_tensors.Image(torch.stack(pictures)), tv_tensors.Mask(torch.stack(labels))


def random_erase(images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
    return _each(v2.RandomErasing(p, scale, ratio, value=0), images)


def mixup(images, labels, num_classes, alpha=1.0):
    return v2.MixUp(alpha=alpha, num_classes=num_classes)(tv_tensors.Image(images), labels)


def cutmix(images, labels, num_classes, alpha=1.0):
    return v2.CutMix(alpha=alpha, num_classes=num_classes)(tv_tensors.Image(images), labels)


class RandAugment(nn.Module):
    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        steps = [
            v2.Lambda(
                lambda image, f=function, s=sign * maximum * level / 30: f(image, torch.tensor([float(s)]))
            )
            for function, maximum in operations
            for sign in (1, -1)
        ]
        self.pick = v2.Compose([v2.RandomChoice(steps) for _ in range(num_ops)]) if num_ops else v2.Identity()

    def forward(self, images):
        if not self.training:
            return images
        return torch.cat([self.pick(tv_tensors.Image(image[None].clone())) for image in images])


@torch.no_grad()
def predict_with_views(model, images, views):
    model.eval()
    softmax = nn.Softmax(dim=-1)
    mean = softmax(model(views[0](images)))
    for number, view in enumerate(views[1:], start=2):
        mean = mean + (softmax(model(view(images))) - mean) / number
    return mean


def mean_and_spread(accuracies):
    return torch.mean(accuracies, -1), torch.var(accuracies, -1).sqrt()
