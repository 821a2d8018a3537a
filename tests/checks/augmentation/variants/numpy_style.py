"""Arithmetic in numpy, draws from numpy.random's global functions; tensors only at the borders."""

import numpy as np
import torch


def _array(tensor):
    return tensor.detach().cpu().numpy()


def _tensor(array, dtype=None):
    return torch.tensor(np.ascontiguousarray(array), dtype=dtype)


def normalize(images, mean, std):
    pixels = _array(images)
    if pixels.dtype == np.uint8:
        pixels = pixels.astype(np.float32) / np.float32(255)
    mean, std = (np.array([[[number]] for number in numbers], pixels.dtype) for numbers in (mean, std))
    return _tensor((pixels - mean) / std)


def denormalize(images, mean, std):
    pixels = _array(images)
    mean, std = (np.array([[[number]] for number in numbers], pixels.dtype) for numbers in (mean, std))
    return _tensor(pixels * std + mean)


def random_flip(images, p=0.5):
    pixels = _array(images)
    flip = np.random.random_sample(len(pixels)) < p
    return _tensor(np.where(flip[:, None, None, None], pixels[..., ::-1], pixels))


def random_crop(images, padding):
    pixels = _array(images)
    n, _, height, width = pixels.shape
    padded = np.pad(pixels, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(2, 3))
    places = np.random.randint(0, 2 * padding + 1, size=(n, 2))
    return _tensor(windows[np.arange(n), :, places[:, 0], places[:, 1]])


def _look_up(pixels, y, x):
    """pixels (C, H, W) at whole rows y and columns x (H, W); 0 outside."""
    height, width = pixels.shape[1:]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return pixels[:, y.clip(0, height - 1), x.clip(0, width - 1)] * inside


def _rotate_one(pixels, angle, mode):
    height, width = pixels.shape[1:]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    from_x = cos * x - sin * y + (width - 1) / 2
    from_y = sin * x + cos * y + (height - 1) / 2
    if mode == "nearest":
        return _look_up(pixels, np.rint(from_y).astype(int), np.rint(from_x).astype(int))
    top, left = np.floor(from_y).astype(int), np.floor(from_x).astype(int)
    down, right = from_y - top, from_x - left
    upper = _look_up(pixels, top, left) * (1 - right) + _look_up(pixels, top, left + 1) * right
    lower = _look_up(pixels, top + 1, left) * (1 - right) + _look_up(pixels, top + 1, left + 1) * right
    return upper * (1 - down) + lower * down


def rotate(images, degrees, mode="bilinear"):
    angles = _array(degrees)
    pixels = _array(images)
    rotated = np.stack(
        [_rotate_one(picture, angle, mode) for picture, angle in zip(pixels, angles, strict=True)]
    )
    return _tensor(rotated.astype(pixels.dtype))


def _per_picture(factors, pixels):
    return _array(factors).astype(pixels.dtype).reshape(-1, 1, 1, 1)


def adjust_brightness(images, factors):
    pixels = _array(images)
    return _tensor(np.clip(pixels * _per_picture(factors, pixels), 0, 1))


def adjust_contrast(images, factors):
    pixels = _array(images)
    weights = [0.299, 0.587, 0.114] if pixels.shape[1] == 3 else [1.0]
    grey = np.average(pixels, axis=1, weights=weights)
    mean = grey.mean(axis=(1, 2)).astype(pixels.dtype).reshape(-1, 1, 1, 1)
    factor = _per_picture(factors, pixels)
    return _tensor(np.clip(factor * pixels + (1 - factor) * mean, 0, 1))


def gaussian_blur(images, sigma):
    pixels = _array(images)
    height, width = pixels.shape[2:]
    reach = int(np.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-(offsets**2) / (2.0 * sigma**2))
    weights = weights / np.sum(weights)
    padded = np.pad(pixels, [(0, 0), (0, 0), (reach, reach), (reach, reach)], mode="reflect")
    rows = sum(w * padded[:, :, k : k + height] for k, w in enumerate(weights))
    blurred = sum(w * rows[..., k : k + width] for k, w in enumerate(weights))
    return _tensor(blurred.astype(pixels.dtype))


def augment_pair(images, masks, max_degrees=30.0, padding=4):
    pixels, labels = _array(images), _array(masks)
    height, width = labels.shape[1:]
    frame = [(0, 0), (padding, padding), (padding, padding)]
    new_pixels, new_labels = np.empty_like(pixels), np.empty_like(labels)
    for i in range(len(pixels)):
        # Pad, turn the padded pair, cut, mirror. Labels are kept one higher, so that 0 is "nothing".
        angle = np.random.uniform(-max_degrees, max_degrees)
        top, left = np.random.randint(2 * padding + 1, size=2)
        step = np.random.choice([-1, 1])
        picture = _rotate_one(np.pad(pixels[i], frame), angle, "bilinear")
        mask = _rotate_one(np.pad(labels[i : i + 1] + 1, frame), angle, "nearest")
        new_pixels[i] = picture[:, top : top + height, left : left + width][..., ::step]
        new_labels[i] = mask[0, top : top + height, left : left + width][:, ::step]
    new_labels = np.where(new_labels == 0, 255, new_labels - 1)
    return _tensor(new_pixels), _tensor(new_labels)


def random_erase(images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
    pixels = _array(images).copy()
    n, _, height, width = pixels.shape
    for i in np.flatnonzero(np.random.rand(n) < p):
        shares = np.random.uniform(*scale, size=10)
        aspects = np.exp(np.random.uniform(*np.log(ratio), size=10))
        tall = np.rint(np.sqrt(height * width * shares * aspects)).astype(int)
        wide = np.rint(np.sqrt(height * width * shares / aspects)).astype(int)
        fitting = np.flatnonzero((tall <= height) & (wide <= width))
        if len(fitting):
            h, w = tall[fitting[0]], wide[fitting[0]]
            top = np.random.randint(0, height - h + 1)
            left = np.random.randint(0, width - w + 1)
            pixels[i, :, top : top + h, left : left + w] = 0
    return _tensor(pixels)


def _one_hot(labels, num_classes):
    return np.equal.outer(_array(labels), np.arange(num_classes)).astype(np.float32)


def mixup(images, labels, num_classes, alpha=1.0):
    pixels, soft = _array(images), _one_hot(labels, num_classes)
    lam = np.random.beta(alpha, alpha, size=len(pixels)).astype(np.float32)
    partner = np.random.permutation(len(pixels))
    share = lam.astype(pixels.dtype).reshape(-1, 1, 1, 1)
    mixed = share * pixels + (1 - share) * pixels[partner]
    return _tensor(mixed), _tensor(lam[:, None] * soft + (1 - lam[:, None]) * soft[partner])


def cutmix(images, labels, num_classes, alpha=1.0):
    pixels, soft = _array(images), _one_hot(labels, num_classes)
    height, width = pixels.shape[2:]
    side = np.sqrt(1 - np.random.beta(alpha, alpha))
    h, w = round(side * height), round(side * width)
    y, x = np.random.randint(height), np.random.randint(width)
    rows = np.arange(height)
    columns = np.arange(width)
    inside = np.outer(
        (rows >= y - h // 2) & (rows < y - h // 2 + h), (columns >= x - w // 2) & (columns < x - w // 2 + w)
    )
    lam = np.float32(1 - inside.mean())
    partner = np.roll(np.arange(len(pixels)), 1)
    return _tensor(np.where(inside, pixels[partner], pixels)), _tensor(lam * soft + (1 - lam) * soft[partner])


class RandAugment(torch.nn.Module):
    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.functions = [function for function, _ in operations]
        self.strengths = np.array([maximum * level / 30 for _, maximum in operations], dtype=np.float32)
        self.num_ops = num_ops

    def forward(self, images):
        if not self.training:
            return images
        n = len(images)
        drawn = np.random.randint(len(self.functions), size=(self.num_ops, n))
        signs = np.random.choice(np.array([-1, 1], dtype=np.float32), size=(self.num_ops, n))
        result = images.clone()
        for choice, strengths in zip(drawn, signs * self.strengths[drawn], strict=True):
            for number in np.unique(choice):
                chosen = np.flatnonzero(choice == number)
                result[chosen] = self.functions[number](result[chosen], torch.from_numpy(strengths[chosen]))
        return result


def predict_with_views(model, images, views):
    model.eval()
    with torch.no_grad():
        logits = np.stack([_array(model(view(images))) for view in views])
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return _tensor((powers / powers.sum(axis=-1, keepdims=True)).mean(axis=0))


def mean_and_spread(accuracies):
    values = _array(accuracies)
    return _tensor(np.mean(values, axis=1)), _tensor(np.std(values, axis=1, ddof=1))
