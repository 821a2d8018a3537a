"""The assignment answered in the style of the paper: one layer an attribute, own names."""

import torch
import torch.nn.functional as F
from torch import nn


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump *= stride
    return field


class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(out_channels)
        self.projection = None
        if stride != 1 or in_channels != out_channels:
            self.projection = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x):
        shortcut = x if self.projection is None else self.projection(x)
        x = F.relu(self.first_norm(self.first(x)))
        x = self.second_norm(self.second(x))
        return F.relu(x + shortcut)


def make_stage(in_channels, out_channels, num_blocks, stride):
    blocks = [BasicBlock(in_channels, out_channels, stride)]
    for _ in range(num_blocks - 1):
        blocks.append(BasicBlock(out_channels, out_channels))
    return nn.Sequential(*blocks)


class ResNet34(nn.Module):
    def __init__(self, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stage1 = make_stage(64, 64, 3, 1)
        self.stage2 = make_stage(64, 128, 4, 2)
        self.stage3 = make_stage(128, 256, 6, 2)
        self.stage4 = make_stage(256, 512, 3, 2)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        x = self.stage4(self.stage3(self.stage2(self.stage1(x))))
        return self.fc(torch.flatten(self.average(x), 1))


def initialize(model):
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    for module in model.modules():
        if isinstance(module, BasicBlock):
            nn.init.zeros_(module.second_norm.weight)


def load_pretrained(model, state_dict):
    mine = model.state_dict()
    assert len(mine) == len(state_dict)
    translated = {}
    for (name, old), new in zip(mine.items(), state_dict.values(), strict=False):
        if old.shape != new.shape:
            raise ValueError(f"{name} has shape {tuple(old.shape)}, but the weights have {tuple(new.shape)}")
        translated[name] = new
    model.load_state_dict(translated)


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train):
    train_mode(model)
    total, count = 0.0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        count += len(labels)
    return total / count


@torch.no_grad()
def evaluate(model, loader, device="cpu"):
    model.eval()
    total, right, count = 0.0, 0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        logits = model(images)
        total += F.cross_entropy(logits, labels).item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()
        count += len(labels)
    return total / count, right / count


def replace_head(model, num_classes):
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    return model


def train_head_only(model):
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
