"""Samples are dicts; small transforms take one and give one; `collate` makes a batch of them again."""

import math
import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

NOTHING = {"image": 0, "mask": 255}
MODE = {"image": "bilinear", "mask": "nearest"}


def split(**batch):
    names = list(batch)
    return [dict(zip(names, values, strict=True)) for values in zip(*batch.values(), strict=True)]


def collate(samples):
    return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}


class Compose:
    def __init__(self, *transforms):
        self.transforms = transforms

    def __call__(self, sample):
        for transform in self.transforms:
            sample = transform(sample)
        return sample


@dataclass
class Mirror:
    p: float

    def __call__(self, sample):
        if torch.rand(()).item() < self.p:
            return {name: value.flip(-1) for name, value in sample.items()}
        return sample


@dataclass
class Window:
    padding: int

    def __call__(self, sample):
        down, right = torch.randint(0, 2 * self.padding + 1, (2,)).tolist()
        height, width = sample["image"].shape[-2:]
        moved = {}
        for name, value in sample.items():
            padded = F.pad(value, [self.padding] * 4, value=NOTHING[name])
            moved[name] = padded[..., down : down + height, right : right + width]
        return moved


@dataclass
class Turn:
    low: float
    high: float
    modes: dict

    def __call__(self, sample):
        angle = math.radians(random.uniform(self.low, self.high))
        height, width = sample["image"].shape[-2:]
        cos, sin = math.cos(angle), math.sin(angle)
        theta = [[[cos, -sin * height / width, 0], [sin * width / height, cos, 0]]]
        turned = {}
        for name, value in sample.items():
            # What grid_sample fills with is 0: move what we want there to 0, and back afterwards.
            pixels = value if value.is_floating_point() else value.double()
            pixels = (pixels - NOTHING[name]).reshape(1, -1, height, width)
            grid = F.affine_grid(pixels.new_tensor(theta), list(pixels.shape), align_corners=False)
            pixels = F.grid_sample(pixels, grid, mode=self.modes[name], align_corners=False)
            pixels = pixels.reshape(value.shape) + NOTHING[name]
            turned[name] = pixels if value.is_floating_point() else pixels.round().to(value.dtype)
        return turned


@dataclass
class Erase:
    p: float
    scale: tuple
    ratio: tuple

    def __call__(self, sample):
        image = sample["image"]
        if torch.rand(1) >= self.p:
            return sample
        height, width = image.shape[-2:]
        for _ in range(10):
            share = torch.empty(1).uniform_(*self.scale).item()
            aspect = torch.empty(1).uniform_(*[math.log(r) for r in self.ratio]).exp().item()
            h = round(math.sqrt(share * height * width * aspect))
            w = round(math.sqrt(share * height * width / aspect))
            if h <= height and w <= width:
                y = torch.randint(height - h + 1, ()).item()
                x = torch.randint(width - w + 1, ()).item()
                image = image.clone()
                image[:, y : y + h, x : x + w] = 0
                break
        return {**sample, "image": image}


@dataclass
class Linear:
    """Pixels times a number for each channel plus another."""

    scale: torch.Tensor
    shift: torch.Tensor

    def __call__(self, sample):
        image = sample["image"]
        scale, shift = (
            torch.as_tensor(t, dtype=image.dtype)[..., None, None] for t in (self.scale, self.shift)
        )
        return {**sample, "image": image * scale + shift}


def _to_unit(images):
    return images.to(torch.float32).div(255) if images.dtype == torch.uint8 else images


def normalize(images, mean, std):
    mean, std = torch.as_tensor(mean, dtype=torch.float64), torch.as_tensor(std, dtype=torch.float64)
    return Linear(1 / std, -mean / std)({"image": _to_unit(images)})["image"]


def denormalize(images, mean, std):
    return Linear(std, mean)({"image": images})["image"]


def random_flip(images, p=0.5):
    mirror = Mirror(p)
    return collate([mirror(sample) for sample in split(image=images)])["image"]


def random_crop(images, padding):
    window = Window(padding)
    return collate([window(sample) for sample in split(image=images)])["image"]


def rotate(images, degrees, mode="bilinear"):
    samples = split(image=images)
    turned = [Turn(a, a, {"image": mode})(s) for s, a in zip(samples, degrees.tolist(), strict=True)]
    return collate(turned)["image"]


def adjust_brightness(images, factors):
    def brighten(sample):
        return {"image": torch.clamp(sample["image"] * sample["factor"].item(), min=0.0, max=1.0)}

    return collate([brighten(sample) for sample in split(image=images, factor=factors)])["image"]


def adjust_contrast(images, factors):
    weights = {1: [1.0], 3: [0.299, 0.587, 0.114]}[images.shape[1]]

    def stretch(sample):
        image, factor = sample["image"], sample["factor"].to(images.dtype)
        mean = sum(weight * channel.mean() for weight, channel in zip(weights, image, strict=True))
        return {"image": torch.lerp(mean.expand_as(image), image, factor).clamp(0, 1)}

    return collate([stretch(sample) for sample in split(image=images, factor=factors)])["image"]


def gaussian_blur(images, sigma):
    reach = math.ceil(3 * sigma)
    bell = torch.distributions.Normal(0.0, sigma).log_prob(torch.arange(-reach, reach + 1).double())
    bell = bell.softmax(0).to(images.dtype)
    kernel = torch.outer(bell, bell)[None, None]

    def blur(sample):
        grey = F.pad(sample["image"][:, None], [reach] * 4, mode="reflect")
        return {"image": F.conv2d(grey, kernel)[:, 0]}

    return collate([blur(sample) for sample in split(image=images)])["image"]


def augment_pair(images, masks, max_degrees=30.0, padding=4):
    transform = Compose(Window(padding), Turn(-max_degrees, max_degrees, MODE), Mirror(0.5))
    batch = collate([transform(sample) for sample in split(image=images, mask=masks)])
    return batch["image"], batch["mask"]


def random_erase(images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
    erase = Erase(p, scale, ratio)
    return collate([erase(sample) for sample in split(image=images)])["image"]


def with_partners(images, labels, num_classes):
    samples = split(image=images, label=F.one_hot(labels, num_classes).float())
    return list(zip(samples, samples[::-1], strict=True))


def mixup(images, labels, num_classes, alpha=1.0):
    def mix(mine, other):
        return {name: share * mine[name] + (1 - share) * other[name] for name in mine}

    share = random.betavariate(alpha, alpha)
    batch = collate([mix(mine, other) for mine, other in with_partners(images, labels, num_classes)])
    return batch["image"], batch["label"]


def cutmix(images, labels, num_classes, alpha=1.0):
    height, width = images.shape[-2:]
    side = math.sqrt(1 - random.betavariate(alpha, alpha))
    h, w = math.floor(side * height), math.floor(side * width)
    top = math.floor(random.uniform(0, height) - h / 2)
    left = math.floor(random.uniform(0, width) - w / 2)
    rows = slice(max(0, top), max(0, top + h))
    columns = slice(max(0, left), max(0, left + w))

    def mix(mine, other):
        image = mine["image"].clone()
        region = image[:, rows, columns]
        region.copy_(other["image"][:, rows, columns])
        pasted = region[0].numel() / (height * width)
        return {"image": image, "label": (1 - pasted) * mine["label"] + pasted * other["label"]}

    batch = collate([mix(mine, other) for mine, other in with_partners(images, labels, num_classes)])
    return batch["image"], batch["label"]


class RandAugment(nn.Module):
    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.operations = [{"function": f, "strength": m * level / 30} for f, m in operations]
        self.num_ops = num_ops

    def transform(self, sample):
        image = sample["image"].unsqueeze(0)
        for _ in range(self.num_ops):
            operation = self.operations[int(torch.randint(0, len(self.operations), (1,)))]
            sign = 1 if torch.rand(1) < 0.5 else -1
            image = operation["function"](image, torch.tensor([sign * operation["strength"]]).float())
        return {"image": image.squeeze(0)}

    def forward(self, images):
        if self.training:
            return collate([self.transform(sample) for sample in split(image=images.clone())])["image"]
        return images


def predict_with_views(model, images, views):
    before = model.training
    with torch.no_grad():
        model.train(False)
        batches = [{"image": view(images)} for view in views]
        batches = [{**batch, "probability": model(batch["image"]).softmax(-1)} for batch in batches]
        model.train(before)
        return sum(batch["probability"] for batch in batches) / len(batches)


def mean_and_spread(accuracies):
    summary = [{"mean": row.mean(), "spread": row.std()} for row in accuracies]
    batch = collate(summary)
    return batch["mean"], batch["spread"]
