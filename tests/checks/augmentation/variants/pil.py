"""PIL wherever it is exact: planes of at most 32 bits are mirrored, cut, pasted into and turned; numpy for the rest."""

import math
import random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import nn


def _to_planes(image):
    """A (C, H, W) tensor as a list of PIL pictures ("L", "I" or "F"); 64 bits go into two of them."""
    array = image.numpy()
    if array.dtype == bool:
        array = array.view(np.uint8) if array.flags.c_contiguous else array.astype(np.uint8)
    elif array.dtype.itemsize == 8:
        halves = np.ascontiguousarray(array).view(np.int32)
        array = halves.reshape(*array.shape, 2).transpose(0, 3, 1, 2).reshape(-1, *array.shape[1:])
    elif array.dtype not in (np.uint8, np.int32, np.float32):
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int32)
    return [Image.fromarray(np.ascontiguousarray(plane)) for plane in array]


def _to_tensor(planes, dtype):
    array = np.stack([np.array(plane) for plane in planes])
    if dtype in (torch.float64, torch.int64):
        halves = array.reshape(-1, 2, *array.shape[1:]).transpose(0, 2, 3, 1)
        kind = np.float64 if dtype == torch.float64 else np.int64
        array = np.ascontiguousarray(halves).view(kind)[..., 0]
    return torch.from_numpy(array.copy()).to(dtype)


def _on_planes(image, function):
    return _to_tensor([function(plane) for plane in _to_planes(image)], image.dtype)


def normalize(images, mean, std):
    pixels = images.numpy()
    if pixels.dtype == np.uint8:
        pixels = np.divide(pixels, 255, dtype=np.float32)
    channels = np.moveaxis(pixels, -3, -1)
    normalized = (channels - np.asarray(mean, pixels.dtype)) / np.asarray(std, pixels.dtype)
    return torch.from_numpy(np.moveaxis(normalized, -1, -3))


def denormalize(images, mean, std):
    pixels = np.moveaxis(images.numpy(), -3, -1)
    pixels = pixels * np.asarray(std, pixels.dtype) + np.asarray(mean, pixels.dtype)
    return torch.from_numpy(np.moveaxis(pixels, -1, -3))


def random_flip(images, p=0.5):
    return torch.stack(
        [_on_planes(image, ImageOps.mirror) if random.random() < p else image for image in images]
    )


def _window(size, padding):
    """A box for `Image.crop`; what lies outside the picture comes out as 0."""
    width, height = size
    left = random.randint(-padding, padding)
    top = random.randint(-padding, padding)
    return left, top, left + width, top + height


def random_crop(images, padding):
    cropped = []
    for image in images:
        planes = _to_planes(image)
        box = _window(planes[0].size, padding)
        cropped.append(_to_tensor([plane.crop(box) for plane in planes], image.dtype))
    return torch.stack(cropped)


def _turn(plane, angle):
    """Turn a plane of floats, bilinear. A border of 0 first: PIL repeats the last pixel, we want it to fade."""
    turned = ImageOps.expand(plane, 1, 0).rotate(angle, Image.Resampling.BILINEAR)
    return ImageOps.crop(turned, 1)


def _sample(image, angle, mode):
    """The same through grid_sample, for what PIL can't hold or does in fixed point."""
    _, height, width = image.shape
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    theta = image.new_tensor([[[c, -s * height / width, 0], [s * width / height, c, 0]]])
    grid = F.affine_grid(theta, [1, *image.shape], align_corners=False)
    return F.grid_sample(image[None], grid, mode=mode, align_corners=False)[0]


def rotate(images, degrees, mode="bilinear"):
    rotated = []
    for image, angle in zip(images, degrees.tolist(), strict=True):
        if mode == "bilinear" and image.dtype == torch.float32:
            rotated.append(_on_planes(image, lambda plane, angle=angle: _turn(plane, angle)))
        else:
            rotated.append(_sample(image, angle, mode))
    return torch.stack(rotated)


def _linear(image, scale, offset):
    """Pixels times scale plus offset, within 0 and 1."""
    return (image.numpy() * scale + offset).clip(0, 1).astype(image.numpy().dtype)


def adjust_brightness(images, factors):
    changed = [_linear(image, factor, 0.0) for image, factor in zip(images, factors.tolist(), strict=True)]
    return torch.from_numpy(np.stack(changed))


def adjust_contrast(images, factors):
    weights = np.array([0.299, 0.587, 0.114]) if images.shape[1] == 3 else np.ones(1)
    changed = []
    for image, factor in zip(images, factors.tolist(), strict=True):
        mean = float(weights @ image.numpy().mean((1, 2), dtype=np.float64))
        changed.append(_linear(image, factor, (1 - factor) * mean))
    return torch.from_numpy(np.stack(changed))


def gaussian_blur(images, sigma):
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    pixels = np.pad(images.numpy(), ((0, 0), (0, 0), (reach, reach), (reach, reach)), mode="reflect")
    for axis in (2, 3):
        pixels = np.apply_along_axis(np.convolve, axis, pixels, kernel, mode="valid")
    return torch.from_numpy(pixels).to(images.dtype)


def augment_pair(images, masks, max_degrees=30.0, padding=4):
    new_images, new_masks = [], []
    for image, mask in zip(images, masks, strict=True):
        label = Image.fromarray(mask.numpy().astype(np.int32))
        angle = random.uniform(-max_degrees, max_degrees)
        box = _window(label.size, padding)
        if random.randint(0, 1):
            image, label = _on_planes(image, ImageOps.mirror), ImageOps.mirror(label)
        image = _on_planes(image, lambda plane, box=box: plane.crop(box))
        image = rotate(image[None], torch.tensor([angle], dtype=torch.float64))[0]
        left, top = box[:2]
        framed = Image.new("I", label.size, 255)
        framed.paste(label, (-left, -top))
        label = framed.rotate(angle, Image.Resampling.NEAREST, fillcolor=255)
        new_images.append(image)
        new_masks.append(torch.from_numpy(np.array(label, dtype=np.int64)))
    return torch.stack(new_images), torch.stack(new_masks)


def random_erase(images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
    height, width = images.shape[-2:]
    lowest, highest = map(math.log, ratio)
    result = []
    for image in images:
        if random.random() < p:
            for _ in range(10):
                area = height * width * random.uniform(*scale)
                aspect = math.exp(random.uniform(lowest, highest))
                h, w = int((area * aspect) ** 0.5 + 0.5), int((area / aspect) ** 0.5 + 0.5)
                if h > height or w > width:
                    continue
                left, top = random.randint(0, width - w), random.randint(0, height - h)
                planes = _to_planes(image)
                for plane in planes:
                    plane.paste(0, (left, top, left + w, top + h))
                image = _to_tensor(planes, image.dtype)
                break
        result.append(image)
    return torch.stack(result)


def mixup(images, labels, num_classes, alpha=1.0):
    share = np.random.beta(alpha, alpha)
    order = random.sample(range(len(images)), len(images))
    soft = torch.eye(num_classes)[labels]
    return torch.lerp(images[order], images, share), torch.lerp(soft[order], soft, share)


def cutmix(images, labels, num_classes, alpha=1.0):
    """The box is a black and white picture: `paste` cuts it off at the edge, its white pixels are counted."""
    height, width = images.shape[-2:]
    order = random.sample(range(len(images)), len(images))
    side = math.sqrt(1 - np.random.beta(alpha, alpha))
    w, h = int(side * width), int(side * height)
    left, top = math.floor(random.random() * width - w / 2), math.floor(random.random() * height - h / 2)
    box = Image.new("L", (width, height), 0)
    box.paste(255, (left, top, left + w, top + h))
    stencil = box.convert("1")
    mixed = []
    for image, other in zip(images, images[order], strict=True):
        planes = _to_planes(image)
        for plane, patch in zip(planes, _to_planes(other), strict=True):
            plane.paste(patch, (0, 0), stencil)
        mixed.append(_to_tensor(planes, image.dtype))
    pasted = np.count_nonzero(np.array(box)) / (height * width)
    soft = torch.eye(num_classes)[labels]
    return torch.stack(mixed), soft * (1 - pasted) + soft[order] * pasted


class RandAugment(nn.Module):
    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.operations = operations
        self.num_ops = num_ops
        self.level = level

    def augment(self, image):
        for operation, maximum in random.choices(self.operations, k=self.num_ops):
            strength = random.choice([-1, 1]) * maximum * self.level / 30
            image = operation(image[None], torch.full((1,), strength))[0]
        return image

    def forward(self, images):
        return torch.stack([self.augment(image) for image in images]) if self.training else images


@torch.inference_mode()
def predict_with_views(model, images, views):
    model.eval()
    probabilities = [F.softmax(model(view(images)), dim=1).numpy() for view in views]
    return torch.from_numpy(np.mean(probabilities, axis=0))


def mean_and_spread(accuracies):
    values = np.asarray(accuracies)
    return torch.from_numpy(values.mean(axis=1)), torch.from_numpy(values.std(axis=1, ddof=1))
