"""Training speed with threads that spin or sleep while they wait, on idle and on busy cores.

    python benchmarks/waiting.py

Each line is a fresh process that trains ResNet34 on 32x32 pictures for a few batches, while so many other processes
keep a core at work each. The last column compares with torch's default under the same load.
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


POLICIES = {
    "torch's default": {},
    "spin": {"OMP_WAIT_POLICY": "ACTIVE"},
    "sleep": {"OMP_WAIT_POLICY": "PASSIVE"},
}


def images_per_second(policy: dict[str, str]) -> float:
    """One run in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", TRAIN], env=environment | policy, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print the table."""
    print(f"{'other processes':<16} {'threads':<16} {'images/s':>8}")
    for busy in (0, 1, 2):
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
        first = 0.0
        for name, policy in POLICIES.items():
            speed = images_per_second(policy)
            first = first or speed
            print(f"{busy:<16} {name:<16} {speed:>8.0f}   {speed / first:.2f}", flush=True)
        for other in others:
            other.kill()


if __name__ == "__main__":
    main()
