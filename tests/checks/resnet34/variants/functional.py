"""Parameters in a dictionary, layers as functions of torch.nn.functional; the numbers are numpy's."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return np.int64((size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1)


def receptive_field(layers):
    kernels, strides = np.array(layers).T
    jumps = np.concatenate([[1], np.cumprod(strides)[:-1]])
    return 1 + ((kernels - 1) * jumps).sum()


def _conv(outputs, inputs, size):
    return nn.Parameter(nn.init.kaiming_uniform_(torch.empty(outputs, inputs, size, size), a=5**0.5))


def _add_norm(module, name, channels):
    module.register_parameter(f"{name}_scale", nn.Parameter(torch.ones(channels)))
    module.register_parameter(f"{name}_shift", nn.Parameter(torch.zeros(channels)))
    module.register_buffer(f"{name}_mean", torch.zeros(channels))
    module.register_buffer(f"{name}_var", torch.ones(channels))


def _norm(module, name, x):
    mean, var, scale, shift = (
        getattr(module, f"{name}_{what}") for what in ("mean", "var", "scale", "shift")
    )
    return F.batch_norm(x, mean, var, scale, shift, training=module.training)


class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.stride = stride
        self.w1 = _conv(out_channels, in_channels, 3)
        self.w2 = _conv(out_channels, out_channels, 3)
        _add_norm(self, "n1", out_channels)
        _add_norm(self, "n2", out_channels)
        if (in_channels, 1) != (out_channels, stride):
            self.w3 = _conv(out_channels, in_channels, 1)
            _add_norm(self, "n3", out_channels)
        else:
            self.w3 = None

    def forward(self, x):
        y = F.relu(_norm(self, "n1", F.conv2d(x, self.w1, stride=self.stride, padding=1)))
        y = _norm(self, "n2", F.conv2d(y, self.w2, padding=1))
        if self.w3 is not None:
            x = _norm(self, "n3", F.conv2d(x, self.w3, stride=self.stride))
        return F.relu(x.add(y))


def make_stage(in_channels, out_channels, num_blocks, stride):
    shapes = [(in_channels, stride)] + [(out_channels, 1)] * (num_blocks - 1)
    return nn.Sequential(*(BasicBlock(inputs, out_channels, step) for inputs, step in shapes))


class ResNet34(nn.Module):
    def __init__(self, num_classes=1000, in_channels=3):
        super().__init__()
        self.w = _conv(64, in_channels, 7)
        _add_norm(self, "n", 64)
        for name, spec in dict(
            a=(64, 64, 3, 1), b=(64, 128, 4, 2), c=(128, 256, 6, 2), d=(256, 512, 3, 2)
        ).items():
            setattr(self, name, make_stage(*spec))
        self.head_weight = nn.Parameter(torch.randn(num_classes, 512) / 512**0.5)
        self.head_bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, x):
        x = F.relu(_norm(self, "n", F.conv2d(x, self.w, stride=2, padding=3)))
        x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        for stage in (self.a, self.b, self.c, self.d):
            x = stage(x)
        x = F.avg_pool2d(x, x.shape[-2:]).flatten(start_dim=1)
        return F.linear(x, self.head_weight, self.head_bias)


def initialize(model):
    for parameter in model.parameters():
        if parameter.ndim == 4:
            nn.init.kaiming_normal_(parameter, mode="fan_out", nonlinearity="relu")
    for module in model.modules():
        if isinstance(module, BasicBlock):
            nn.init.constant_(module.n2_scale, 0)


def load_pretrained(model, state_dict):
    """Through a table of (torchvision's name, mine)."""
    norm = dict(weight="scale", bias="shift", running_mean="mean", running_var="var")
    table = {"conv1.weight": "w", "fc.weight": "head_weight", "fc.bias": "head_bias"}
    table |= {f"bn1.{theirs}": f"n_{mine}" for theirs, mine in norm.items()}
    for layer, stage in zip(("layer1", "layer2", "layer3", "layer4"), "abcd", strict=False):
        for block in range(len(getattr(model, stage))):
            here, there = f"{stage}.{block}", f"{layer}.{block}"
            for number in (1, 2):
                table[f"{there}.conv{number}.weight"] = f"{here}.w{number}"
                table |= {f"{there}.bn{number}.{k}": f"{here}.n{number}_{v}" for k, v in norm.items()}
            if f"{there}.downsample.0.weight" in state_dict:
                table[f"{there}.downsample.0.weight"] = f"{here}.w3"
                table |= {f"{there}.downsample.1.{k}": f"{here}.n3_{v}" for k, v in norm.items()}
    kept = {name: value for name, value in state_dict.items() if not name.endswith("num_batches_tracked")}
    model.load_state_dict({table[name]: value for name, value in kept.items()})
    return model


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train):
    train_mode(model)
    batches = iter(loader)
    losses = np.array([])
    sizes = np.array([])
    while (batch := next(batches, None)) is not None:
        images, labels = batch
        loss = F.nll_loss(F.log_softmax(model(images.to(device)), 1), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses = np.append(losses, loss.item())
        sizes = np.append(sizes, len(images))
    return np.average(losses, weights=sizes)


def evaluate(model, loader, device="cpu"):
    model.train(False)
    total = np.zeros(2)
    with torch.no_grad():
        for images, labels in loader:
            logits = model(images.to(device))
            loss = F.cross_entropy(logits, labels.to(device), reduction="sum")
            right = np.count_nonzero(logits.argmax(1).cpu().numpy() == labels.numpy())
            total += loss.item(), right
    loss, accuracy = total / len(loader.dataset)
    return loss, accuracy


def replace_head(model, num_classes):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.head_weight = nn.Parameter(torch.randn(num_classes, 512) / 512**0.5)
    model.head_bias = nn.Parameter(torch.zeros(num_classes))


def train_head_only(model):
    """There is no layer but BatchNorm that cares about its mode."""
    return model.eval()
