"""Layers inherited from nn.Conv2d and nn.Sequential, keyword arguments, weights as `.data`, dataclasses for numbers."""

from collections import namedtuple
from functools import partial, reduce

import torch
from torch import nn
from torch.nn import functional

Figures = namedtuple("Figures", ["loss", "accuracy"])
Layer = namedtuple("Layer", ["kernel", "stride"])


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return -(-(size + 2 * padding - dilation * (kernel_size - 1)) // stride)


def receptive_field(layers):
    def step(state, layer):
        field, jump = state
        layer = Layer(*layer)
        return field + (layer.kernel - 1) * jump, jump * layer.stride

    return reduce(step, layers, (1, 1))[0]


class Conv3x3(nn.Conv2d):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(
            in_channels, out_channels, 3, stride=stride, padding="same" if stride == 1 else 1, bias=False
        )


class Residual(nn.Module):
    """Adds what goes around to what goes through."""

    def __init__(self, through, around):
        super().__init__()
        self.through = through
        self.around = around

    def forward(self, x):
        return torch.add(self.around(x), self.through(x))


class BasicBlock(nn.Sequential):
    def __init__(self, in_channels, out_channels, stride=1):
        norm = partial(nn.BatchNorm2d, num_features=out_channels)
        through = nn.Sequential(
            Conv3x3(in_channels, out_channels, stride),
            norm(),
            nn.ReLU(),
            Conv3x3(out_channels, out_channels),
            norm(),
        )
        needs_projection = stride != 1 or in_channels != out_channels
        around = nn.Sequential(
            *(
                [nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), norm()]
                if needs_projection
                else []
            )
        )
        super().__init__(Residual(through, around), nn.ReLU())


def make_stage(in_channels, out_channels, num_blocks, stride):
    return nn.Sequential(
        *[
            BasicBlock(in_channels=in_channels, out_channels=out_channels, stride=stride)
            if index == 0
            else BasicBlock(in_channels=out_channels, out_channels=out_channels)
            for index in range(num_blocks)
        ]
    )


def ResNet34(num_classes=1000, in_channels=3):
    """A function, not a class."""
    return nn.Sequential(
        nn.Conv2d(in_channels, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        *make_stage(64, 64, 3, 1),
        *make_stage(64, 128, 4, 2),
        *make_stage(128, 256, 6, 2),
        *make_stage(256, 512, 3, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, num_classes),
    )


def initialize(model):
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    blocks = [m for m in model.modules() if isinstance(m, BasicBlock)]
    for conv in convolutions:
        fan_out = conv.out_channels * conv.kernel_size[0] * conv.kernel_size[1]
        conv.weight.data = torch.randn_like(conv.weight) * (2.0 / fan_out) ** 0.5
    for block in blocks:
        block[0].through[-1].weight.data.fill_(0.0)
    return model


def load_pretrained(model, state_dict):
    """Shape by shape in order, parameters and buffers apart."""
    offered = [(n, t) for n, t in state_dict.items() if "running" not in n and "num_batches" not in n]
    for (name, tensor), parameter in zip(offered, model.parameters(), strict=True):
        if tensor.shape != parameter.shape:
            raise RuntimeError(f"{name} doesn't fit")
        parameter.data.copy_(tensor)
    statistics = [t for n, t in state_dict.items() if "running" in n or "num_batches" in n]
    for tensor, buffer in zip(statistics, model.buffers(), strict=True):
        buffer.copy_(tensor)


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train):
    train_mode(model)
    total_loss, total_count = 0, 0
    for images, labels in loader:

        def closure(images=images, labels=labels):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images.to(device)), labels.to(device))
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        total_loss += loss.item() * images.size(0)
        total_count += images.size(0)
    return total_loss / total_count


def evaluate(model, loader, device="cpu"):
    model.eval()
    correct, losses = 0.0, 0.0
    with torch.inference_mode():
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            outputs = model(images)
            _, predicted = torch.max(outputs, 1)
            correct += (predicted == labels).float().sum().item()
            losses += nn.CrossEntropyLoss(reduction="sum")(outputs, labels).item()
    return Figures(losses / len(loader.dataset), correct / len(loader.dataset))


def replace_head(model, num_classes):
    """A new network around the old layers."""
    *backbone, head = model.children()
    features = nn.Sequential(*backbone)
    for parameter in features.parameters():
        parameter.requires_grad = False
    return nn.Sequential(features, nn.Linear(head.in_features, num_classes))


def train_head_only(model):
    model.train()
    for module in model.modules():
        if "BatchNorm" in type(module).__name__:
            module.eval()
    return model
