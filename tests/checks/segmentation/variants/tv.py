"""With torchvision's own: functional transforms, ops, hooks on the stages, new convolutions for the old ones."""

import copy
from collections import OrderedDict

import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation, masks_to_boxes
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as tvF


def convolutionalize(fc, kernel_size=1):
    conv = nn.Conv2d(
        fc.in_features // kernel_size**2,
        fc.out_features,
        (kernel_size, kernel_size),
        bias=fc.bias is not None,
        device=fc.weight.device,
        dtype=fc.weight.dtype,
    )
    shapes = {name: p.shape for name, p in conv.named_parameters()}
    conv.load_state_dict({name: value.reshape(shapes[name]) for name, value in fc.state_dict().items()})
    return conv


def resize(x, size):
    return tvF.resize(x, list(size), InterpolationMode.BILINEAR, antialias=False)


@torch.inference_mode()
def heat_map(trunk, head, images):
    for module in (trunk, head):
        module.eval()
    features = OrderedDict(enumerate(trunk(images)))
    return resize(head(features[3]), tvF.get_size(images)).softmax(1)


def hottest(heat, share=0.05):
    n = heat.numel()
    k = max(1, round(share * n))
    return heat > heat.flatten().kthvalue(n - k).values if k < n else torch.ones_like(heat, dtype=torch.bool)


def peak(heat):
    row, column = torch.unravel_index(heat.argmax(), heat.shape)
    return row.item(), column.item()


def to_labels(grey, values):
    labels = torch.stack([grey == value for value in values]).int()  # (C, N, H, W)
    numbers = torch.arange(len(values)).view(-1, 1, 1, 1)
    return (labels * numbers).sum(0) + 255 * (1 - labels.sum(0))


def resize_masks(masks, height, width):
    return tvF.resize(masks, [height, width], interpolation=InterpolationMode.NEAREST)


def iou(counts):
    """As in torchvision's references for segmentation."""
    h = counts.double()
    return torch.diag(h) / (h.sum(1) + h.sum(0) - torch.diag(h))


def mean_iou(counts):
    h = counts.flatten(0, -3).sum(0) if counts.dim() == 3 else counts
    per_class = iou(h)
    return per_class[per_class >= 0].mean().item()


def pixel_accuracy(counts):
    h = counts.double().reshape(-1, *counts.shape[-2:]).sum(0)
    return (torch.diag(h).sum() / h.sum()).item()


def transposed_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    return stride * (size - 1) + dilation * (kernel_size - 1) + 1 - 2 * padding + output_padding


def overlaps(size, kernel_size, stride):
    x = torch.ones(1, kernel_size, size)
    length = (size - 1) * stride + kernel_size
    y = nn.functional.fold(x, (1, length), kernel_size=(1, kernel_size), stride=(1, stride))
    return y.long().flatten().tolist()


def bilinear_upsampling(channels, stride):
    """The kernel: a box of `stride` pixels blurred by another one (and for even strides moved by half a pixel)."""
    size = 2 * stride - stride % 2
    x = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    tent = (1 - x.abs() / stride).clamp(min=0).reshape(1, -1)
    layer = nn.ConvTranspose2d(
        channels, channels, size, stride, (size - stride) // 2, groups=channels, bias=False
    )
    layer.load_state_dict({"weight": (tent.mT @ tent).expand(channels, 1, size, size)})
    return layer


def segmentation_loss(logits, masks):
    loss = nn.CrossEntropyLoss(ignore_index=255, reduction="none")(logits, masks)
    return loss.sum() / max((masks != 255).sum().item(), 1)


class FCN(nn.Module):
    def __init__(self, trunk, num_classes, skips=0):
        super().__init__()
        self.trunk = trunk
        self.return_layers = {f"stage{k}": k for k in (3, 2, 1)[: skips + 1]}
        self.classifier = nn.ModuleDict(
            {
                name: Conv2dNormActivation(
                    trunk.channels[k],
                    num_classes,
                    kernel_size=1,
                    norm_layer=None,
                    activation_layer=None,
                    bias=True,
                )
                for name, k in self.return_layers.items()
            }
        )

    def intermediate_layers(self, images):
        out = OrderedDict()

        def keep(name):
            return lambda _module, _inputs, output: out.__setitem__(name, output)

        hooks = [
            self.trunk.stages[k].register_forward_hook(keep(name)) for name, k in self.return_layers.items()
        ]
        try:
            self.trunk(images)
        finally:
            for hook in hooks:
                hook.remove()
        return out

    def forward(self, images):
        features = self.intermediate_layers(images)
        x = None
        for name, classify in self.classifier.items():
            score = classify(features[name])
            x = score if x is None else score + resize(x, score.shape[-2:])
        return resize(x, images.shape[-2:])


@torch.inference_mode()
def segment(model, images):
    return torch.argmax(model.eval()(images), dim=1)


def replaced(conv, dilation):
    reach = dilation * (conv.kernel_size[0] // 2)
    new = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, 1, reach, dilation, bias=False, device="meta"
    )
    new.weight = conv.weight
    return new.train(conv.training)


def dilate(trunk, output_stride=8):
    dilation = 1
    strides = []
    for stage, stride in zip(trunk.stages, trunk.strides, strict=True):
        previous_dilation = dilation
        if stride > output_stride:
            dilation = stride // output_stride
            for number, block in enumerate(stage):
                block.conv1 = replaced(block.conv1, previous_dilation if number == 0 else dilation)
                block.conv2 = replaced(block.conv2, dilation)
                if block.downsample is not None:
                    block.downsample[0] = replaced(block.downsample[0], 1)
                block.stride = 1
        strides.append(min(stride, output_stride))
    trunk.strides = tuple(strides)
    return trunk


def field_by_gradient(network, height, width):
    double = copy.deepcopy(network).double().eval()
    images = [torch.rand(1, 3, height, width, dtype=torch.float64) * 2 - 1 for _ in range(12)]
    reached = torch.zeros(1, height, width, dtype=torch.bool)
    for image in images:
        image.requires_grad_()
        features = double(image)
        centre = tvF.crop(features, features.shape[2] // 2, features.shape[3] // 2, 1, 1)
        centre.square().sum().backward()
        reached |= (image.grad.abs() > 0).any(dim=1)
    if not reached.any():
        return 0, 0
    left, top, right, bottom = masks_to_boxes(reached)[0].int().tolist()
    return bottom - top + 1, right - left + 1


def center_crop(features, height, width):
    # torchvision's own center_crop rounds 1.5 up and 0.5 down.
    top, left = (features.shape[2] - height) // 2, (features.shape[3] - width) // 2
    return tvF.crop(features, top, left, height, width)


class DecoderStep(nn.Module):
    """2h - 1 rows from the transposed convolution, mirrored where the skip has 2h."""

    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, in_channels, 3, stride=2, padding=1)
        self.convs = nn.Sequential(
            Conv2dNormActivation(in_channels + skip_channels, out_channels, kernel_size=3),
            Conv2dNormActivation(out_channels, out_channels, kernel_size=3),
        )

    def forward(self, x, skip):
        x = self.up(x)
        below, right = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        mode = "reflect" if min(x.shape[-2:]) > 1 else "edge"
        x = tvF.pad(x, [0, 0, right, below], padding_mode=mode)
        return self.convs(torch.cat([x, skip], dim=1))


def class_weights(pixels):
    occurs = pixels.nonzero().flatten()
    frequencies = pixels[occurs].float() / pixels.sum()
    return torch.zeros(pixels.shape).index_copy(0, occurs, frequencies.quantile(0.5) / frequencies)
