"""One picture after the other, plain indexing, Python's own random numbers."""

import math
import random
import statistics

import torch
import torch.nn as nn
import torch.nn.functional as F


def normalize(images, mean, std):
    result = images / 255.0 if images.dtype == torch.uint8 else images.clone()
    for c in range(len(mean)):
        result[..., c, :, :] = (result[..., c, :, :] - float(mean[c])) / float(std[c])
    return result


def denormalize(images, mean, std):
    result = torch.zeros_like(images)
    for c in range(images.size(-3)):
        result[..., c, :, :] = images[..., c, :, :] * float(std[c]) + float(mean[c])
    return result


def random_flip(images, p=0.5):
    width = images.size(3)
    result = images.clone()
    for i in range(len(images)):
        if random.random() < p:
            for x in range(width):
                result[i, :, :, x] = images[i, :, :, width - 1 - x]
    return result


def random_crop(images, padding):
    n, channels, height, width = images.shape
    result = torch.empty_like(images)
    for i in range(n):
        canvas = torch.zeros(channels, height + 2 * padding, width + 2 * padding, dtype=images.dtype)
        canvas[:, padding : padding + height, padding : padding + width] = images[i]
        y = random.randint(0, 2 * padding)  # both ends included
        x = random.randint(0, 2 * padding)
        result[i] = canvas[:, y : y + height, x : x + width]
    return result


def rotate(images, degrees, mode="bilinear"):
    _, channels, height, width = images.shape
    result = []
    for image, angle in zip(images, degrees.tolist(), strict=True):
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        matrix = [[[c, -s * height / width, 0.0], [s * width / height, c, 0.0]]]
        theta = torch.tensor(matrix, dtype=images.dtype)
        grid = F.affine_grid(theta, [1, channels, height, width], align_corners=False)
        result.append(F.grid_sample(image[None], grid, mode=mode, align_corners=False)[0])
    return torch.stack(result)


def adjust_brightness(images, factors):
    result = images.clone()
    for i, factor in enumerate(factors):
        result[i] = torch.clip(result[i] * factor.item(), 0, 1)
    return result


def adjust_contrast(images, factors):
    result = images.clone()
    for i in range(images.shape[0]):
        picture, factor = images[i], float(factors[i])
        grey = picture[0]
        if len(picture) == 3:
            grey = 0.299 * picture[0] + 0.587 * picture[1] + 0.114 * picture[2]
        mean = grey.mean().item()
        for c in range(len(picture)):
            result[i, c] = (factor * picture[c] + (1 - factor) * mean).clamp(0, 1)
    return result


def gaussian_blur(images, sigma):
    reach = math.ceil(3 * sigma)
    weights = [math.exp(-(d**2) / (2 * sigma**2)) for d in range(-reach, reach + 1)]
    total = sum(weights)
    height, width = images.shape[2:]

    def inside(position, size):
        if position < 0:
            return -position
        return 2 * (size - 1) - position if position >= size else position

    rows = torch.zeros_like(images)
    for weight, d in zip(weights, range(-reach, reach + 1), strict=True):
        for y in range(height):
            rows[:, :, y] += weight / total * images[:, :, inside(y + d, height)]
    result = torch.zeros_like(images)
    for weight, d in zip(weights, range(-reach, reach + 1), strict=True):
        for x in range(width):
            result[..., x] += weight / total * rows[..., inside(x + d, width)]
    return result


def augment_pair(images, masks, max_degrees=30.0, padding=4):
    height, width = masks.shape[1:]
    new_images, new_masks = torch.zeros_like(images), torch.full_like(masks, 255)
    for i in range(len(masks)):
        # The rotation first, then the crop, then the mirror.
        angle = torch.tensor([random.uniform(-max_degrees, max_degrees)])
        image = rotate(images[i : i + 1], angle)[0]
        mask = rotate((masks[i] + 1)[None, None].double(), angle, "nearest")[0, 0].long() - 1
        mask[mask == -1] = 255
        canvas = torch.zeros(len(image), height + 2 * padding, width + 2 * padding, dtype=images.dtype)
        canvas[:, padding : padding + height, padding : padding + width] = image
        labels = torch.full((height + 2 * padding, width + 2 * padding), 255)
        labels[padding : padding + height, padding : padding + width] = mask
        y, x = random.randrange(2 * padding + 1), random.randrange(2 * padding + 1)
        image = canvas[:, y : y + height, x : x + width]
        mask = labels[y : y + height, x : x + width]
        if random.random() < 0.5:
            image, mask = image.flip(2), mask.flip(1)
        new_images[i], new_masks[i] = image, mask
    return new_images, new_masks


def random_erase(images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
    result = images.clone()
    _, _, height, width = images.shape
    for i in range(len(images)):
        if random.random() >= p:
            continue
        for _attempt in range(10):
            area = random.uniform(scale[0], scale[1]) * height * width
            aspect = math.exp(random.uniform(math.log(ratio[0]), math.log(ratio[1])))
            h = round(math.sqrt(area * aspect))
            w = round(math.sqrt(area / aspect))
            if h <= height and w <= width:
                y = random.randint(0, height - h)
                x = random.randint(0, width - w)
                result[i, :, y : y + h, x : x + w] = 0
                break
    return result


def mixup(images, labels, num_classes, alpha=1.0):
    n = len(images)
    mixed = torch.zeros_like(images)
    soft = torch.zeros(n, num_classes)
    for i in range(n):
        lam = random.betavariate(alpha, alpha)
        j = random.randrange(n)
        mixed[i] = lam * images[i] + (1 - lam) * images[j]
        soft[i, labels[i]] += lam
        soft[i, labels[j]] += 1 - lam
    return mixed, soft


def cutmix(images, labels, num_classes, alpha=1.0):
    """A box of its own for each picture."""
    n, _, height, width = images.shape
    mixed = images.clone()
    soft = torch.zeros(n, num_classes)
    for i in range(n):
        lam = random.betavariate(alpha, alpha)
        h, w = round(math.sqrt(1 - lam) * height), round(math.sqrt(1 - lam) * width)
        y, x = random.uniform(0, height), random.uniform(0, width)
        first_row, first_column = round(y - h / 2), round(x - w / 2)
        rows = [row for row in range(first_row, first_row + h) if 0 <= row < height]
        columns = [column for column in range(first_column, first_column + w) if 0 <= column < width]
        j = random.randrange(n)
        for row in rows:
            if columns:
                mixed[i, :, row, columns] = images[j, :, row, columns]
        share = len(rows) * len(columns) / (height * width)
        soft[i, labels[i]] += 1 - share
        soft[i, labels[j]] += share
    return mixed, soft


class RandAugment(nn.Module):
    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.operations, self.num_ops, self.level = list(operations), num_ops, level

    def forward(self, images):
        if not self.training:
            return images
        finished = []
        for i in range(len(images)):
            picture = images[i : i + 1].clone()
            for _ in range(self.num_ops):
                operation, maximum = random.choice(self.operations)
                strength = maximum * self.level / 30
                if random.random() < 0.5:
                    strength = -strength
                picture = operation(picture, torch.tensor([float(strength)]))
            finished.append(picture)
        return torch.cat(finished)


def predict_with_views(model, images, views):
    was_training = model.training
    model.eval()
    total = 0
    with torch.no_grad():
        for view in views:
            total = total + torch.softmax(model(view(images)), -1)
    model.train(was_training)
    return total / len(views)


def mean_and_spread(accuracies):
    rows = accuracies.tolist()
    mean = torch.tensor([statistics.fmean(row) for row in rows], dtype=accuracies.dtype)
    spread = torch.tensor([statistics.stdev(row) for row in rows], dtype=accuracies.dtype)
    return mean, spread
