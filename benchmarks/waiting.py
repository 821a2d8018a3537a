"""Training speed with threads that spin or sleep while they wait, on idle and on busy cores.

    python benchmarks/waiting.py

Each line is a fresh process that trains ResNet34 on 32x32 pictures for a few batches; "busy" means that another
process keeps one core at work meanwhile. The last column compares with the line above it.
"""

from __future__ import annotations

import os
import subprocess
import sys

TRAIN = """
import time, torch, torchvision
torch.manual_seed(0)
network = torchvision.models.resnet34(num_classes=10)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
images, labels = torch.rand(64, 3, 32, 32), torch.randint(0, 10, (64,))
for batch in range(12):
    if batch == 2:
        started = time.perf_counter()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(network(images), labels).backward()
    optimizer.step()
print(640 / (time.perf_counter() - started))
"""


def images_per_second(policy: str) -> float:
    """One run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", TRAIN],
        env={**os.environ, "OMP_WAIT_POLICY": policy},
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def main() -> None:
    """Print the table."""
    print(f"{'cores':<6} {'threads':<8} {'images/s':>8}")
    for busy in (False, True):
        other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if busy else None
        spinning, sleeping = images_per_second("ACTIVE"), images_per_second("PASSIVE")
        if other is not None:
            other.kill()
        print(f"{'busy' if busy else 'idle':<6} {'spin':<8} {spinning:>8.0f}")
        print(f"{'':<6} {'sleep':<8} {sleeping:>8.0f}   {sleeping / spinning:.2f} times")


if __name__ == "__main__":
    main()
