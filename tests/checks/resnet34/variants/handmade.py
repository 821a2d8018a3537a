"""Own convolution, BatchNorm and linear layer from nn.Parameter: gamma and beta, a matrix stored (in, out)."""

import math

import torch
from torch import nn


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """Count the positions."""
    positions, start = 0, -padding
    while start + dilation * (kernel_size - 1) < size + padding:
        positions += 1
        start += stride
    return positions


def receptive_field(layers):
    if not layers:
        return 1
    *earlier, (kernel, _) = layers
    return receptive_field(earlier) + (kernel - 1) * math.prod(stride for _, stride in earlier)


class Conv(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(outputs, inputs, size, size) * 0.01)
        self.stride = stride

    def forward(self, x):
        return torch.conv2d(x, self.kernel, stride=self.stride, padding=self.kernel.shape[-1] // 2)


class Norm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.beta = nn.Parameter(torch.zeros(channels))
        self.gamma = nn.Parameter(torch.ones(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("mean", torch.zeros(channels))

    def forward(self, x):
        if self.training:
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
            n = x.numel() / x.shape[1]
            with torch.no_grad():
                self.mean.mul_(0.9).add_(0.1 * mean)
                self.variance.mul_(0.9).add_(0.1 * variance * n / (n - 1))
        else:
            mean, variance = self.mean, self.variance
        scale = self.gamma / torch.sqrt(variance + 1e-5)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.beta[:, None, None]


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.matrix = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))

    def forward(self, x):
        return x @ self.matrix + self.bias


class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.norms = nn.ModuleList([Norm(out_channels), Norm(out_channels)])
        self.convs = nn.ModuleList(
            [Conv(in_channels, out_channels, 3, stride), Conv(out_channels, out_channels, 3)]
        )
        self.projects = stride > 1 or in_channels != out_channels
        if self.projects:
            self.shortcut_norm = Norm(out_channels)
            self.shortcut = Conv(in_channels, out_channels, 1, stride)

    def forward(self, x):
        y = self.norms[0](self.convs[0](x)).clamp(min=0)
        y = self.norms[1](self.convs[1](y))
        y = y + (self.shortcut_norm(self.shortcut(x)) if self.projects else x)
        return y.clamp(min=0)


class Stage(nn.Module):
    def __init__(self, in_channels, out_channels, num_blocks, stride):
        super().__init__()
        self.entry = BasicBlock(in_channels, out_channels, stride)
        self.others = nn.ModuleList(BasicBlock(out_channels, out_channels) for _ in range(num_blocks - 1))

    def forward(self, x):
        x = self.entry(x)
        for block in self.others:
            x = block(x)
        return x


make_stage = Stage


class ResNet34(nn.Module):
    def __init__(self, num_classes=1000, in_channels=3):
        super().__init__()
        self.classify = Linear(512, num_classes)
        self.stages = nn.ModuleList()
        channels = 64
        for index, blocks in enumerate([3, 4, 6, 3]):
            self.stages.append(Stage(channels, 64 * 2**index, blocks, 2 if index else 1))
            channels = 64 * 2**index
        self.norm = Norm(64)
        self.conv = Conv(in_channels, 64, 7, 2)

    def forward(self, x):
        x = self.norm(self.conv(x)).clamp(min=0)
        x = torch.max_pool2d(x, 3, 2, 1)
        for stage in self.stages:
            x = stage(x)
        return self.classify(x.mean(dim=(-2, -1)))


def initialize(model):
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, Conv):
                outputs, _, height, width = module.kernel.shape
                module.kernel.normal_(0, math.sqrt(2 / (outputs * height * width)))
            if isinstance(module, BasicBlock):
                module.norms[1].gamma.zero_()


def _fill(layer, state_dict, name):
    """Move one of torchvision's layers into one of mine."""
    if isinstance(layer, Conv):
        pairs = {layer.kernel: state_dict.pop(f"{name}.weight")}
    elif isinstance(layer, Linear):
        pairs = {layer.matrix: state_dict.pop(f"{name}.weight").T, layer.bias: state_dict.pop(f"{name}.bias")}
    else:
        mine = {
            layer.gamma: "weight",
            layer.beta: "bias",
            layer.mean: "running_mean",
            layer.variance: "running_var",
        }
        pairs = {tensor: state_dict.pop(f"{name}.{key}") for tensor, key in mine.items()}
        state_dict.pop(f"{name}.num_batches_tracked")
    for tensor, value in pairs.items():
        if tensor.shape != value.shape:
            raise ValueError(f"{name}: {tuple(value.shape)} doesn't fit {tuple(tensor.shape)}")
        tensor.copy_(value)


@torch.no_grad()
def load_pretrained(model, state_dict):
    left = dict(state_dict)
    _fill(model.conv, left, "conv1")
    _fill(model.norm, left, "bn1")
    for s, stage in enumerate(model.stages, start=1):
        for b, block in enumerate([stage.entry, *stage.others]):
            for n in (0, 1):
                _fill(block.convs[n], left, f"layer{s}.{b}.conv{n + 1}")
                _fill(block.norms[n], left, f"layer{s}.{b}.bn{n + 1}")
            if block.projects:
                _fill(block.shortcut, left, f"layer{s}.{b}.downsample.0")
                _fill(block.shortcut_norm, left, f"layer{s}.{b}.downsample.1")
    _fill(model.classify, left, "fc")
    if left:
        raise KeyError(f"not used: {sorted(left)}")


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train):
    train_mode(model)
    total = torch.zeros((), dtype=torch.float64, device=device)
    seen = 0
    for images, labels in loader:
        model.zero_grad()
        log_p = model(images.to(device)).log_softmax(dim=1)
        loss = -log_p[torch.arange(len(labels)), labels.to(device)].mean()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(labels)
        seen += len(labels)
    return (total / seen).item()


def evaluate(model, loader, device="cpu"):
    model.eval()
    loss = right = seen = 0
    for images, labels in loader:
        with torch.no_grad():
            logits = model(images.to(device)).cpu()
        loss += (logits.logsumexp(1) - logits[range(len(labels)), labels]).sum().item()
        right += int((logits.max(1).indices == labels).sum())
        seen += len(labels)
    return loss / seen, right / seen


def replace_head(model, num_classes):
    for _name, parameter in model.named_parameters():
        parameter.requires_grad_(False)
    model.classify = Linear(512, num_classes)
    return model


def train_head_only(model):
    model.train()
    for module in model.modules():
        if isinstance(module, Norm):
            module.training = False
