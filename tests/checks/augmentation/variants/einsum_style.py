"""Everything linear is a matrix: flips, crops and blurs act on rows and columns, warps are 3 x 3 and multiply."""

import torch
from torch import einsum, nn


def _both_sides(rows, images, columns):
    """Each picture between its matrices: rows (N, H, H') and columns (N, W, W')."""
    if images.is_floating_point():
        return einsum("nih,nchw,njw->ncij", rows.to(images.dtype), images, columns.to(images.dtype))
    whole = einsum("nih,nchw,njw->ncij", rows.double(), images.double(), columns.double())
    return whole.to(images.dtype)


def _diagonal(size, offsets):
    """For each offset the (size, size) matrix that moves a line of pixels by it; what comes in is 0."""
    position = torch.arange(size)
    return (position[None, None, :] == position[None, :, None] + offsets[:, None, None]).double()


def _affine(channels, scale, shift):
    """Homogeneous matrix (C, C + 1): a number for each channel, and one more to add."""
    return torch.cat([torch.diag(scale), shift[:, None]], 1)


def _on_channels(matrix, images):
    lifted = torch.cat([images, torch.ones_like(images[..., :1, :, :])], -3)
    return einsum("dc,...chw->...dhw", matrix.to(images.dtype), lifted)


def normalize(images, mean, std):
    if images.dtype == torch.uint8:
        images = images.float() * (1 / 255)
    mean, std = torch.as_tensor(mean).double(), torch.as_tensor(std).double()
    return _on_channels(_affine(len(mean), 1 / std, -mean / std), images)


def denormalize(images, mean, std):
    mean, std = torch.as_tensor(mean).double(), torch.as_tensor(std).double()
    return _on_channels(_affine(len(mean), std, mean), images)


def random_flip(images, p=0.5):
    n, _, height, width = images.shape
    flips = torch.bernoulli(torch.full((n, 1, 1), float(p), dtype=torch.float64))
    same, mirror = torch.eye(width).double(), torch.eye(width).double().flip(0)
    return _both_sides(torch.eye(height).expand(n, -1, -1), images, flips * mirror + (1 - flips) * same)


def random_crop(images, padding):
    n, _, height, width = images.shape
    down, right = torch.randint(-padding, padding + 1, (2, n))
    return _both_sides(_diagonal(height, down), images, _diagonal(width, right))


def _matrix(rows):
    """3 x 3 matrices (N, 3, 3) from rows of numbers and (N,) tensors."""
    n = max(torch.as_tensor(entry).numel() for row in rows for entry in row)
    entries = [[torch.as_tensor(entry, dtype=torch.float64).expand(n) for entry in row] for row in rows]
    return torch.stack([torch.stack(row, -1) for row in entries], -2)


def _shift(x, y):
    return _matrix([[1, 0, x], [0, 1, y], [0, 0, 1]])


def _turn(degrees, height, width):
    """About the centre, from places in the new picture to places in the old one, in pixels, y downwards."""
    cos, sin = torch.cos(torch.deg2rad(degrees.double())), torch.sin(torch.deg2rad(degrees.double()))
    turn = _matrix([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return _shift(width / 2, height / 2) @ turn @ _shift(-width / 2, -height / 2)


def _warp(images, matrices, mode):
    """The picture at every place that the matrices send its pixels' centres to."""
    height, width = images.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)], -1).double()
    to_grid = _matrix([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])[0]
    grid = einsum("ij,njk,hwk->nhwi", to_grid[:2], matrices, places).to(images.dtype)
    return nn.functional.grid_sample(images, grid, mode=mode, padding_mode="zeros", align_corners=False)


def rotate(images, degrees, mode="bilinear"):
    return _warp(images, _turn(degrees, *images.shape[-2:]), mode)


def adjust_brightness(images, factors):
    return einsum("nchw,n->nchw", images, factors.to(images.dtype)).clamp(0, 1)


def adjust_contrast(images, factors):
    _, channels, height, width = images.shape
    weights = images.new_tensor([0.299, 0.587, 0.114] if channels == 3 else [1])
    mean = einsum("nchw,c->n", images, weights) / (height * width)
    factors = factors.to(images.dtype)
    stretched = einsum("nchw,n->nchw", images, factors) + ((1 - factors) * mean)[:, None, None, None]
    return stretched.clamp(0, 1)


def _blur_matrix(size, sigma):
    """Row i holds the weights of all pixels in blurred pixel i; a step over the edge comes back inside."""
    reach = int(torch.tensor(3 * sigma, dtype=torch.float64).ceil())
    steps = torch.arange(-reach, reach + 1)
    weights = torch.softmax(-(steps.double() ** 2) / (2 * sigma**2), 0)
    places = (torch.arange(size)[:, None] + steps).abs()
    places = size - 1 - (size - 1 - places).abs()
    return torch.zeros(size, size).double().scatter_add(1, places, weights.expand(size, -1))


def gaussian_blur(images, sigma):
    n, _, height, width = images.shape
    rows, columns = _blur_matrix(height, sigma), _blur_matrix(width, sigma)
    return _both_sides(rows.expand(n, -1, -1), images, columns.expand(n, -1, -1))


def augment_pair(images, masks, max_degrees=30.0, padding=4):
    """One matrix for flip, rotation and shift of the padded picture, so that it is sampled once."""
    n, _, height, width = images.shape
    sign = 1.0 - 2 * torch.randint(0, 2, (n,))
    mirror = _matrix([[sign, 0, (1 - sign) / 2 * width], [0, 1, 0], [0, 0, 1]])
    degrees = (torch.rand(n, dtype=torch.float64) - 0.5) * 2 * max_degrees
    shift = _shift(*torch.randint(-padding, padding + 1, (2, n)))
    matrices = mirror @ _turn(degrees, height, width) @ shift
    labels = _warp((masks - 255)[:, None].double(), matrices, "nearest")
    return _warp(images, matrices, "bilinear"), labels[:, 0].long() + 255


def _segments(size, start, length):
    """(N, size): 1 inside the segment, 0 outside."""
    position = torch.arange(size)
    return ((position >= start[:, None]) & (position < (start + length)[:, None])).double()


def random_erase(images, p=0.5, scale=(0.02, 0.2), ratio=(0.3, 3.3)):
    n, _, height, width = images.shape
    sides = torch.zeros(n, 2)
    missing = torch.rand(n) < p
    low, high = torch.tensor(ratio).log().tolist()
    for _ in range(10):
        area = torch.empty(n).uniform_(*scale) * height * width
        aspect = torch.empty(n).uniform_(low, high).exp()
        drawn = einsum("n,kn->nk", area.sqrt(), torch.stack([aspect.sqrt(), aspect.rsqrt()])).round()
        fits = (drawn <= torch.tensor([height, width])).all(1)
        sides = torch.where((missing & fits)[:, None], drawn, sides)
        missing = missing & ~fits
    room = torch.tensor([height, width]) - sides + 1
    start = torch.minimum((torch.rand(n, 2) * room).floor(), room - 1)
    rows = _segments(height, start[:, 0], sides[:, 0])
    columns = _segments(width, start[:, 1], sides[:, 1])
    keep = 1 - einsum("nh,nw->nhw", rows, columns)
    return einsum("nchw,nhw->nchw", images, keep.to(images.dtype))


def mixup(images, labels, num_classes, alpha=1.0):
    """Row i of the mixing matrix: how much of every picture goes into picture i."""
    n = len(images)
    share = torch.distributions.Dirichlet(torch.tensor([float(alpha)] * 2)).sample((n,))[:, :1]
    mixing = share * torch.eye(n) + (1 - share) * torch.eye(n)[torch.randperm(n)]
    soft = torch.eye(num_classes)[labels]
    return einsum("nm,mchw->nchw", mixing.to(images.dtype), images), mixing @ soft


def cutmix(images, labels, num_classes, alpha=1.0):
    n, _, height, width = images.shape
    share = torch.distributions.Beta(alpha, alpha).sample((1,))
    lines = []
    for size in (height, width):
        length = ((1 - share).sqrt() * size + 0.5).floor()
        start = (torch.rand(1) * size - length / 2 + 0.5).floor()
        lines.append(_segments(size, start, length)[0])
    box = einsum("h,w->hw", *lines)
    swap = torch.eye(n).flip(0)
    partners = einsum("nm,mchw->nchw", swap.to(images.dtype), images)
    mixed = torch.where(box.bool(), partners, images)
    mixing = torch.lerp(torch.eye(n), swap, box.mean().float())
    return mixed, mixing @ torch.eye(num_classes)[labels]


class RandAugment(nn.Module):
    """All operations on all pictures; each picture then takes the result it drew."""

    def __init__(self, operations, num_ops=2, level=9):
        super().__init__()
        self.operations = operations
        self.num_ops = num_ops
        self.level = level

    def forward(self, images):
        if not self.training:
            return images
        n = len(images)
        for _ in range(self.num_ops):
            drawn = torch.randint(2 * len(self.operations), (n,))
            sign = 1.0 - 2 * (drawn % 2)
            results = torch.stack(
                [f(images.clone(), sign * maximum * self.level / 30) for f, maximum in self.operations]
            )
            images = results[drawn // 2, torch.arange(n)]
        return images


def predict_with_views(model, images, views):
    model.eval()
    with torch.no_grad():
        logits = torch.stack([model(view(images)) for view in views])
        return einsum("vnk->nk", logits.softmax(-1)) / len(views)


def mean_and_spread(accuracies):
    seeds = accuracies.shape[1]
    mean = einsum("ms->m", accuracies) / seeds
    rest = accuracies - mean[:, None]
    return mean, (einsum("ms,ms->m", rest, rest) / (seeds - 1)).sqrt()
