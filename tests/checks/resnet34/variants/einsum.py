"""Projection and head as einsum over plain matrices; a wrapper puts the head on; train() is overridden."""

import math
from itertools import accumulate
from operator import mul

import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """Ask torch."""
    layer = nn.MaxPool1d(kernel_size, stride, padding=0, dilation=dilation)
    return layer(torch.zeros(1, 1, size + 2 * padding)).numel()


def receptive_field(layers):
    jumps = [1, *accumulate((s for _, s in layers), mul)]
    return 1 + sum((k - 1) * jump for (k, _), jump in zip(layers, jumps, strict=False))


class Pointwise(nn.Module):
    """A 1x1 convolution: a matrix for every pixel."""

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.stride = stride
        self.matrix = nn.Parameter(torch.randn(in_channels, out_channels) * 0.05)

    def forward(self, x):
        return torch.einsum("nihw,io->nohw", x[:, :, :: self.stride, :: self.stride], self.matrix)


class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        if stride != 1 or in_channels != out_channels:
            self.match = Pointwise(in_channels, out_channels, stride)
            self.match_bn = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        residual = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu_()))
        if hasattr(self, "match"):
            x = self.match_bn(self.match(x))
        return (residual + x).relu_()


def make_stage(in_channels, out_channels, num_blocks, stride):
    if num_blocks == 1:
        return BasicBlock(in_channels, out_channels, stride)
    return nn.Sequential(
        make_stage(in_channels, out_channels, num_blocks - 1, stride), BasicBlock(out_channels, out_channels)
    )


class ResNet34(nn.Module):
    def __init__(self, num_classes=1000, in_channels=3):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(num_classes))
        self.matrix = nn.Parameter(torch.randn(num_classes, 512) / math.sqrt(512))
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
            make_stage(64, 64, 3, 1),
            make_stage(64, 128, 4, 2),
            make_stage(128, 256, 6, 2),
            make_stage(256, 512, 3, 2),
        )

    def forward(self, x):
        pooled = torch.einsum("nchw->nc", self.features(x))
        height, width = (math.ceil(side / 32) for side in x.shape[-2:])
        return torch.einsum("nc,kc->nk", pooled / (height * width), self.matrix) + self.bias


class Headed(nn.Module):
    """A frozen backbone that stays in evaluation mode, and a head."""

    def __init__(self, backbone, num_classes):
        super().__init__()
        self.backbone = backbone.requires_grad_(False)
        self.head = nn.Linear(512, num_classes)

    def train(self, mode=True):
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, x):
        return self.head(self.backbone(x).mean((2, 3)))


def initialize(model):
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            std = math.sqrt(2 / (module.kernel_size[0] ** 2 * module.out_channels))
            nn.init.normal_(module.weight, mean=0.0, std=std)
        elif isinstance(module, Pointwise):
            nn.init.normal_(module.matrix, std=math.sqrt(2 / module.matrix.shape[1]))
        elif isinstance(module, BasicBlock):
            nn.init.zeros_(module.bn2.weight)


def _blocks(stage):
    return [stage] if isinstance(stage, BasicBlock) else [*_blocks(stage[0]), stage[1]]


def load_pretrained(model, state_dict):
    def layer(prefix):
        return {n[len(prefix) :]: t for n, t in state_dict.items() if n.startswith(prefix)}

    model.features[0].load_state_dict(layer("conv1."))
    model.features[1].load_state_dict(layer("bn1."))
    for number in range(4):
        for index, block in enumerate(_blocks(model.features[4 + number])):
            theirs = f"layer{number + 1}.{index}."
            for name in ("conv1", "bn1", "conv2", "bn2"):
                getattr(block, name).load_state_dict(layer(f"{theirs}{name}."))
            if hasattr(block, "match"):
                block.match.load_state_dict(
                    {"matrix": state_dict[theirs + "downsample.0.weight"].flatten(1).T}
                )
                block.match_bn.load_state_dict(layer(theirs + "downsample.1."))
    with torch.no_grad():
        model.matrix.copy_(state_dict["fc.weight"])
        model.bias.copy_(state_dict["fc.bias"])


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train):
    train_mode(model)
    sizes, losses = [], []
    for images, labels in loader:
        with torch.enable_grad():
            logits = model(images.to(device))
            loss = F.cross_entropy(logits, labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sizes.append(labels.numel())
        losses.append(loss.item())
    return sum(size * loss for size, loss in zip(sizes, losses, strict=False)) / sum(sizes)


def evaluate(model, loader, device="cpu"):
    with torch.no_grad():
        model.eval()
        outputs = [(model(images.to(device)), labels.to(device)) for images, labels in loader]
    logits, labels = map(torch.cat, zip(*outputs, strict=False))
    loss = F.cross_entropy(logits, labels)
    return loss.item(), torch.eq(logits.argmax(1), labels).float().mean().item()


def replace_head(model, num_classes):
    return Headed(model.features, num_classes)


def train_head_only(model):
    return model.train()
