"""How much faster ResNet34 trains in bfloat16 than in float32 here, and what `faster_in_bfloat16` predicts.

    uv run python benchmarks/precision.py [--size 64] [--batch 64] [--steps 5]

The two take turns, and ratios are printed beside the speeds: on a shared machine they hold better.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from statistics import median

import torch
import torch.nn.functional as F
from torchvision.models import resnet34

from assignments_lib.training import choose_device, seed_everything
from assignments_lib.training.precision import WORTHWHILE, bfloat16_forward, speedup


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64, help="height and width of the images")
    parser.add_argument("--batch", type=int, default=64, help="images a step")
    parser.add_argument("--steps", type=int, default=5, help="steps timed in each precision")
    options = parser.parse_args()

    seed_everything(0)
    device = choose_device()
    model = resnet34(num_classes=10).to(device)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    images = torch.randn(options.batch, 3, options.size, options.size, device=device)
    labels = torch.randint(10, (options.batch,), device=device)

    def seconds(fast: bool) -> float:
        with bfloat16_forward(model) if fast else nullcontext():
            started = time.perf_counter()
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()  # waits for the device
            return time.perf_counter() - started

    timings = [(seconds(False), seconds(True)) for _ in range(options.steps + 1)][1:]
    exact, rounded = (median(column) for column in zip(*timings, strict=True))
    started = time.perf_counter()
    predicted = speedup(device.type)
    took = time.perf_counter() - started
    print(f"device                  {device}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"resnet34                batch {options.batch}, {options.size} x {options.size}")
    print(f"float32                 {options.batch / exact:8.1f} images/s")
    print(f"bfloat16, channels last {options.batch / rounded:8.1f} images/s")
    print(f"ratio                   {exact / rounded:8.2f}")
    print(f"predicted by a probe    {predicted:8.2f}  in {took:.2f} s; used from {WORTHWHILE}")


if __name__ == "__main__":
    main()
