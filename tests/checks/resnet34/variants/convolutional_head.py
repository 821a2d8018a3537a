"""A 1x1 convolution as the head, d2l's BatchNorm with (1, C, 1, 1) parameters, weights copied in order."""

import torch
import torch.nn.functional as F
from torch import nn


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    last = size + 2 * padding - (dilation * (kernel_size - 1) + 1)  # where the kernel can stand at most
    return len(range(0, last + 1, stride))


def receptive_field(layers):
    low = high = 0  # the pixels that output pixel 0 sees, without padding
    for kernel, stride in reversed(layers):
        low, high = low * stride, high * stride + kernel - 1
    return high - low + 1


class Norm(nn.Module):
    def __init__(self, channels):
        super().__init__()
        shape = (1, channels, 1, 1)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_var", torch.ones(shape))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x):
        if not self.training:
            return self.gamma * (x - self.moving_mean) / (self.moving_var + 1e-5).sqrt() + self.beta
        self.steps += 1
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        var = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
        n = x.numel() // x.shape[1]
        self.moving_mean = 0.9 * self.moving_mean + 0.1 * mean.detach()
        self.moving_var = 0.9 * self.moving_var + 0.1 * var.detach() * n / (n - 1)
        return self.gamma * (x - mean) / (var + 1e-5).sqrt() + self.beta


def conv(i, o, k, s=1):
    return nn.Conv2d(i, o, k, s, padding=(k - 1) // 2, bias=False)


class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        layers = [conv(in_channels, out_channels, 3, stride), Norm(out_channels), nn.ReLU()]
        layers += [conv(out_channels, out_channels, 3), Norm(out_channels)]
        self.layers = nn.ModuleList(layers)
        if stride == 1 and in_channels == out_channels:
            self.shortcut = nn.Identity()
        else:
            self.shortcut = nn.Sequential(conv(in_channels, out_channels, 1, stride), Norm(out_channels))

    def forward(self, x):
        y = x
        for layer in self.layers:
            y = layer(y)
        return torch.relu(y + self.shortcut(x))


def make_stage(in_channels, out_channels, num_blocks, stride):
    channels = [in_channels] + [out_channels] * num_blocks
    strides = [stride] + [1] * (num_blocks - 1)
    return nn.Sequential(*map(BasicBlock, channels[:-1], channels[1:], strides))


class ResNet34(nn.Module):
    def __init__(self, num_classes=1000, in_channels=3):
        super().__init__()
        self.stem = nn.Sequential(conv(in_channels, 64, 7, 2), Norm(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        widths, depths = [64, 64, 128, 256, 512], [3, 4, 6, 3]
        self.body = nn.ModuleDict()
        for n in range(4):
            self.body[f"stage{n + 1}"] = make_stage(widths[n], widths[n + 1], depths[n], 1 if n == 0 else 2)
        self.head = nn.Conv2d(512, num_classes, kernel_size=1)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.body.values():
            x = stage(x)
        maps = self.head(x)  # (N, classes, h, w): linear, so that the mean may come after it
        return maps.mean(3).mean(2)


def initialize(model):
    for _name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(module, BasicBlock):
            nn.init.zeros_(module.layers[-1].gamma)


def load_pretrained(model, state_dict):
    """In order: my network is registered in torchvision's order; only shapes differ."""
    mine, theirs = list(model.state_dict().values()), list(state_dict.values())
    if len(mine) != len(theirs):
        raise ValueError(f"{len(theirs)} tensors for a network that has {len(mine)}")
    with torch.no_grad():
        for target, source in zip(mine, theirs, strict=False):
            if [n for n in target.shape if n > 1] != [n for n in source.shape if n > 1]:
                raise ValueError(f"{tuple(source.shape)} doesn't fit {tuple(target.shape)}")
            target.copy_(source.reshape(target.shape))


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train):
    train_mode(model)
    average, seen = 0.0, 0
    for images, labels in loader:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
        loss = F.cross_entropy(model(images.to(device)), labels.to(device))
        loss.backward()
        optimizer.step()
        seen += len(images)
        average += (float(loss.detach()) - average) * len(images) / seen  # a running mean
    return average


def evaluate(model, loader, device="cpu"):
    model.eval()
    torch.set_grad_enabled(False)
    try:
        rows = []
        for images, labels in loader:
            logits, labels = model(images.to(device)), labels.to(device)
            losses = F.cross_entropy(logits, labels, reduction="none")
            rows.append(torch.stack([losses, (logits.topk(1).indices[:, 0] == labels).to(losses)], dim=1))
    finally:
        torch.set_grad_enabled(True)
    loss, accuracy = torch.cat(rows).mean(0).tolist()
    return loss, accuracy


def replace_head(model, num_classes):
    for module in model.children():
        module.requires_grad_(False)
    model.head = nn.Conv2d(model.head.in_channels, num_classes, 1)
    return model


def train_head_only(model):
    model.train()
    for name, child in model.named_children():
        if name != "head":
            child.eval()
