"""einsum, gather and windows: enlarging is a matrix on each side, a 1x1 convolution a matrix for each pixel."""

import torch
from torch import einsum, nn


class Windows(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight = nn.Parameter(weight)  # (out, C, k, k)
        self.bias = None if bias is None else nn.Parameter(bias)

    def forward(self, x):
        k = self.weight.shape[-1]
        windows = x.unfold(2, k, 1).unfold(3, k, 1)  # (N, C, H - k + 1, W - k + 1, k, k)
        y = einsum("nchwij,ocij->nohw", windows, self.weight)
        return y if self.bias is None else y + self.bias[:, None, None]


def convolutionalize(fc, kernel_size=1):
    weight = fc.weight.data.reshape(fc.out_features, -1, kernel_size, kernel_size)
    return Windows(weight.clone(), None if fc.bias is None else fc.bias.data.clone())


def weights_of(before, after, like):
    """(after, before): each row holds the two weights of one output unit."""
    place = (torch.arange(after, dtype=torch.float64) + 0.5) * before / after - 0.5
    distance = place.clamp(0, before - 1)[:, None] - torch.arange(before)
    return (1 - distance.abs()).clamp(min=0).to(like)


def enlarge(x, size):
    rows, columns = (weights_of(x.shape[2 + side], size[side], x) for side in (0, 1))
    return einsum("Yy,ncyx,Xx->ncYX", rows, x, columns)


def heat_map(trunk, head, images):
    with torch.no_grad():
        scores = enlarge(head.eval()(trunk.eval()(images)[-1]), images.shape[2:])
    return (scores - scores.logsumexp(1, keepdim=True)).exp()


def hottest(heat, share=0.05):
    flat = heat.flatten()
    chosen = flat.argsort()[-max(1, round(share * flat.numel())) :]
    return torch.zeros_like(flat, dtype=torch.bool).scatter(0, chosen, True).unflatten(0, heat.shape)


def peak(heat):
    row, column = (heat == heat.max()).nonzero()[0].tolist()
    return row, column


def to_labels(grey, values):
    is_class = grey[..., None] == torch.tensor(values, dtype=torch.uint8)  # (N, H, W, C)
    number, known = is_class.to(torch.uint8).argmax(-1), is_class.any(-1)
    return number.where(known, 255)


def resize_masks(masks, height, width):
    def chooser(new, old):
        return torch.eye(old, dtype=torch.int64)[((torch.arange(new) + 0.5) * old / new).long()]

    return einsum("yh,nhw,xw->nyx", chooser(height, masks.shape[1]), masks, chooser(width, masks.shape[2]))


def iou(counts):
    counts = counts.double()
    right = einsum("ii->i", counts)
    either = einsum("ij->i", counts) + einsum("ji->i", counts) - right
    return right / either


def mean_iou(counts):
    summed = einsum("ntp->tp", counts.reshape(-1, *counts.shape[-2:]))
    return iou(summed).nanmean()


def pixel_accuracy(counts):
    return (einsum("...ii->...", counts).sum() / einsum("...ij->...", counts).sum()).item()


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    places = stride * torch.arange(size)[:, None] + dilation * torch.arange(kernel_size)
    return places.max().item() + 1 + output_padding - 2 * padding


def overlaps(size, kernel_size, stride):
    places = stride * torch.arange(size)[:, None] + torch.arange(kernel_size)
    return places.flatten().bincount().tolist()


def bilinear_upsampling(channels, stride):
    """Two steps, one for each side."""
    size = 2 * stride - stride % 2
    ramp = torch.cat([torch.arange(1, 2 * stride, 2), torch.arange(1, 2 * stride, 2).flip(0)]) / (2 * stride)
    if stride % 2:
        ramp = torch.cat([torch.arange(1, stride + 1), torch.arange(1, stride).flip(0)]) / stride
    steps = []
    for kernel, step, padding in (
        ((size, 1), (stride, 1), (stride // 2, 0)),
        ((1, size), (1, stride), (0, stride // 2)),
    ):
        layer = nn.ConvTranspose2d(channels, channels, kernel, step, padding, groups=channels, bias=False)
        layer.weight.data = ramp.repeat(channels, 1).reshape(channels, 1, *kernel)
        steps.append(layer)
    return nn.Sequential(*steps)


def segmentation_loss(logits, masks):
    counts = masks != 255
    picked = logits.log_softmax(1).gather(1, masks.where(counts, 0)[:, None])[:, 0]
    return einsum("nhw,nhw->", -picked, counts.to(picked)) / counts.sum().clamp(min=1)


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk = trunk
        self.used = range(3 - skips, 4)
        self.score = nn.ModuleDict({str(k): nn.Linear(trunk.channels[k], num_classes) for k in self.used})

    def forward(self, images):
        features = self.trunk(images)
        scores = {
            k: einsum("ncyx,oc->noyx", features[k], self.score[str(k)].weight)
            + self.score[str(k)].bias[:, None, None]
            for k in self.used
        }
        result = scores[3]
        for k in reversed(self.used[:-1]):
            result = scores[k] + enlarge(result, scores[k].shape[2:])
        return enlarge(result, images.shape[2:])


def segment(model, images):
    model.train(False)
    with torch.no_grad():
        return model(images).movedim(1, -1).argmax(-1)


def dilate(trunk, output_stride=8):
    """Whatever follows a stride that went works on a map that many times finer."""
    finer = 1
    for k, stage in enumerate(trunk.stages):
        for block in stage:
            for conv in [block.conv1, block.conv2]:
                reach = tuple(finer * d for d in conv.dilation)
                conv.dilation, conv.padding = reach, reach
                if conv.stride != (1, 1) and trunk.strides[k] > output_stride:
                    finer *= conv.stride[0]
                    conv.stride = (1, 1)
            if block.downsample is not None and trunk.strides[k] > output_stride:
                block.downsample[0].stride = (1, 1)
    trunk.strides = tuple(min(output_stride, stride) for stride in trunk.strides)
    return trunk


def field_by_gradient(network, height, width):
    network.eval()
    image = torch.randn(12, 3, height, width, requires_grad=True)
    features = torch.cat([network(one) for one in image.split(1)])
    n, c, h, w = features.shape
    mixture = torch.rand(n, c) + 0.2
    value = einsum("nc,nc->", mixture, features[:, :, h // 2, w // 2])
    (gradient,) = torch.autograd.grad(value + 0 * image.sum(), image)
    reached = einsum("ncyx->yx", gradient.abs()) > 0
    rows, columns = reached.any(1).nonzero(), reached.any(0).nonzero()
    if rows.numel() == 0:
        return (0, 0)
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1


def center_crop(features, height, width):
    for dim, size in ((2, height), (3, width)):
        start = (features.shape[dim] - size) // 2
        features = features.index_select(dim, torch.arange(start, start + size, device=features.device))
    return features


class DecoderStep(nn.Module):
    """Enlarged by 2 bilinearly, then the last row and column go where the skip hasn't got them."""

    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.mix_x = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.mix_skip = nn.Conv2d(skip_channels, out_channels, 3, padding=1, bias=False)
        self.again = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(out_channels) for _ in range(2))

    def forward(self, x, skip):
        x = enlarge(x, (2 * x.shape[2], 2 * x.shape[3]))[:, :, : skip.shape[2], : skip.shape[3]]
        # A convolution of maps side by side is the sum of a convolution of each.
        y = self.norms[0](self.mix_x(x) + self.mix_skip(skip)).relu()
        return self.norms[1](self.again(y)).relu()


def class_weights(pixels):
    frequency = pixels.double() / pixels.sum()
    median = frequency.where(pixels > 0, torch.nan).nanmedian()
    return (median / frequency).where(pixels > 0, 0).float()
