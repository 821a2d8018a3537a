"""How long do 2,000 scenes take on one core, how fast are they read back, and what share does each class have?

uv run python benchmarks/scenes.py --number 2000
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from assignments_lib.datasets import scenes


def main() -> None:
    """Draw, time, count, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=2000, help="scenes")
    number = parser.parse_args().number

    with tempfile.TemporaryDirectory() as folder:
        for what in ("drawn, then kept", "read back"):
            begin = time.process_time()
            pictures = scenes.load("train", number=number, root=folder)
            print(
                f"{number:,} scenes of {scenes.SIZE}, {what}: {time.process_time() - begin:.1f} s on one core"
            )
        (path,) = Path(folder).glob("scenes/*.npz")
        print(f"the file they are kept in: {path.stat().st_size / 1e6:.0f} MB\n")

    masks = pictures.masks.numpy().reshape(number, -1)
    print(f"{'':12s}{'of pixels':>10s}{'in scenes':>11s}")
    for name, label in [*((name, label) for label, name in enumerate(scenes.CLASSES)), ("rim", 255)]:
        there = masks == label
        print(f"{name:12s}{100 * np.mean(there):9.1f}%{100 * np.mean(there.any(axis=1)):10.1f}%")


if __name__ == "__main__":
    main()
