"""Frozen from the outside: the old network without its last layer, wrapped; blocks that are asked for by name."""

import numpy as np
import torch
from torch import nn


def conv_output_size(
    size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> int:
    quotient, _ = divmod(size + 2 * padding - dilation * (kernel_size - 1) - 1, stride)
    return quotient + 1


def receptive_field(layers: list) -> int:
    """Mark the inputs that one output sees."""
    seen = {0}
    for kernel, stride in reversed(layers):
        seen = {stride * position + offset for position in seen for offset in range(kernel)}
    return max(seen) - min(seen) + 1


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        layers = {
            "conv_a": nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            "bn_a": nn.BatchNorm2d(out_channels),
            "conv_b": nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            "bn_b": nn.BatchNorm2d(out_channels),
        }
        if in_channels != out_channels or stride != 1:
            layers["conv_c"] = nn.Conv2d(in_channels, out_channels, 1, stride, 0, bias=False)
            layers["bn_c"] = nn.BatchNorm2d(out_channels)
        self.layers = nn.ModuleDict(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x.clone()
        out = x
        for name in ("conv_a", "bn_a"):
            out = self.layers[name](out)
        out = out * (out > 0)
        for name in ("conv_b", "bn_b"):
            out = self.layers[name](out)
        if "conv_c" in self.layers:
            identity = self.layers["bn_c"](self.layers["conv_c"](identity))
        out = torch.stack([out, identity]).sum(dim=0)
        return torch.maximum(out, torch.zeros_like(out))


class Chain(nn.Module):
    def __init__(self, *links: nn.Module) -> None:
        super().__init__()
        for number, link in reversed(list(enumerate(links))):
            self.add_module(f"link{number}", link)
        self.length = len(links)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number in range(self.length):
            x = getattr(self, f"link{number}")(x)
        return x


def make_stage(in_channels: int, out_channels: int, num_blocks: int, stride: int) -> nn.Module:
    first = BasicBlock(in_channels, out_channels, stride)
    return Chain(first, *(BasicBlock(out_channels, out_channels, 1) for _ in range(1, num_blocks)))


class Average(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2).mean(-1)


class ResNet34(nn.Module):
    def __init__(self, num_classes: int = 1000, in_channels: int = 3) -> None:
        super().__init__()
        self.head = nn.Linear(512, num_classes)
        self.backbone = Chain(
            nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
            make_stage(64, 64, 3, 1),
            make_stage(64, 128, 4, 2),
            make_stage(128, 256, 6, 2),
            make_stage(256, 512, 3, 2),
            Average(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.backbone(x))


def initialize(model: nn.Module) -> nn.Module:
    """Kaiming's uniform version: the spread is the same."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    for name, parameter in model.named_parameters():
        if name.endswith("bn_b.weight"):
            with torch.no_grad():
                parameter *= 0
    return model


def load_pretrained(model: nn.Module, state_dict: dict) -> None:
    theirs = dict(state_dict)
    mine = model.state_dict()
    for name in mine:
        path = (
            name.replace("backbone.link0.", "conv1.")
            .replace("backbone.link1.", "bn1.")
            .replace("head.", "fc.")
        )
        for stage in range(4):
            path = path.replace(f"backbone.link{stage + 4}.link", f"layer{stage + 1}.")
        path = path.replace("layers.", "")
        for ours, his in (("a", "1"), ("b", "2")):
            path = path.replace(f"conv_{ours}", f"conv{his}").replace(f"bn_{ours}", f"bn{his}")
        path = path.replace("conv_c", "downsample.0").replace("bn_c", "downsample.1")
        mine[name] = theirs.pop(path)
    if theirs:
        raise ValueError(f"left over: {', '.join(theirs)}")
    model.load_state_dict(mine)


def train_one_epoch(model, loader, optimizer, device="cpu", train_mode=nn.Module.train) -> float:
    criterion = nn.CrossEntropyLoss(reduction="none")
    train_mode(model)
    all_losses = []
    for _step, (images, labels) in zip(range(len(loader)), loader, strict=False):
        losses = criterion(model(images.to(device)), labels.to(device))
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        all_losses.extend(losses.tolist())
    return float(np.mean(all_losses))


def evaluate(model, loader, device="cpu") -> tuple[float, float]:
    model.eval()
    losses, hits = [], []
    for images, labels in loader:
        with torch.inference_mode():
            probabilities = model(images.to(device)).softmax(1).cpu().numpy()
        chosen = probabilities[np.arange(len(labels)), labels.numpy()]
        losses.extend(-np.log(chosen))
        hits.extend(probabilities.argmax(1) == labels.numpy())
    return np.mean(losses), np.mean(hits)


def replace_head(model: nn.Module, num_classes: int) -> nn.Module:
    features = model.backbone
    for parameter in features.parameters():
        parameter.requires_grad_(False)
    return nn.Sequential(features, nn.Linear(512, num_classes))


def train_head_only(model: nn.Module) -> nn.Module:
    for module in model.modules():
        module.training = not isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))
    return model
