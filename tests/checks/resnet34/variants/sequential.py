"""Everything that can be is an nn.Sequential; the shortcut stands before the residual; in-place ReLUs."""

import math
from collections import OrderedDict

import torch
from torch import nn


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel_size - 1) + 1
    return math.floor((size + 2 * padding - reach) / stride) + 1


def receptive_field(layers):
    """Backwards: how many inputs does one output need?"""
    needed = 1
    for kernel, stride in layers[::-1]:
        needed = (needed - 1) * stride + kernel
    return needed


def conv_bn(i, o, k, s):
    return nn.Sequential(
        nn.Conv2d(i, o, kernel_size=k, stride=s, padding=k // 2, bias=False), nn.BatchNorm2d(o)
    )


class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        same = stride == 1 and in_channels == out_channels
        self.skip = nn.Sequential() if same else conv_bn(in_channels, out_channels, 1, stride)
        self.body = nn.Sequential(
            conv_bn(in_channels, out_channels, 3, stride),
            nn.ReLU(inplace=True),
            conv_bn(out_channels, out_channels, 3, 1),
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.body(x)
        out += self.skip(x)
        return self.relu(out)


def make_stage(in_channels, out_channels, num_blocks, stride):
    stage = nn.Sequential()
    for n in range(num_blocks):
        stage.add_module(
            f"block{n}",
            BasicBlock(out_channels if n else in_channels, out_channels, 1 if n else stride),
        )
    return stage


class ResNet34(nn.Sequential):
    def __init__(self, num_classes=1000, in_channels=3):
        stem = conv_bn(in_channels, 64, 7, 2)
        stem.append(nn.ReLU(inplace=True)).append(nn.MaxPool2d(3, stride=2, padding=1))
        stages = nn.Sequential(
            *[
                make_stage(*spec)
                for spec in ((64, 64, 3, 1), (64, 128, 4, 2), (128, 256, 6, 2), (256, 512, 3, 2))
            ]
        )
        head = nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(512, num_classes))
        super().__init__(OrderedDict(stem=stem, stages=stages, head=head))


def initialize(model):
    def one(module):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
        if isinstance(module, BasicBlock):
            module.body[-1][1].weight.data.zero_()

    return model.apply(one)


def load_pretrained(model, state_dict):
    """By name: torchvision's "layer2.0.downsample.0.weight" is "stages.1.block0.skip.0.weight" here."""
    renamed = {}
    for name, tensor in state_dict.items():
        parts = name.split(".")
        if parts[0].startswith("layer"):
            stage, block, rest = int(parts[0][5:]) - 1, parts[1], parts[2:]
            if rest[0] == "downsample":
                inner = ["skip", *rest[1:]]
            else:
                kind, number = rest[0][:-1], int(rest[0][-1])
                inner = ["body", "0" if number == 1 else "2", "0" if kind == "conv" else "1", *rest[1:]]
            key = ".".join(["stages", str(stage), f"block{block}", *inner])
        else:
            first = {"conv1": "stem.0", "bn1": "stem.1", "fc": "head.2"}[parts[0]]
            key = ".".join([first, *parts[1:]])
        renamed[key] = tensor
    return model.load_state_dict(renamed, strict=True)


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train):
    criterion = nn.CrossEntropyLoss()
    model.to(device)
    train_mode(model)
    losses, sizes = [], []
    for _step, batch in enumerate(loader):
        x, y = (t.to(device) for t in batch)
        loss = criterion(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        sizes.append(x.shape[0])
    losses = torch.stack(losses)
    sizes = torch.tensor(sizes, dtype=losses.dtype)
    return ((losses * sizes).sum() / sizes.sum()).item()


def evaluate(model, loader, device="cpu"):
    was_training = model.training
    model.eval()
    logits, labels = [], []
    with torch.inference_mode():
        for x, y in loader:
            logits.append(model(x.to(device)))
            labels.append(y.to(device))
    logits, labels = torch.cat(logits), torch.cat(labels)
    model.train(was_training)
    loss = nn.functional.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(dim=-1) == labels).double().mean().item()


def replace_head(model, num_classes):
    model.requires_grad_(False)
    model.head[2] = nn.Linear(512, num_classes)
    return model


def train_head_only(model):
    model.eval()
    model.head.train()
    return model
