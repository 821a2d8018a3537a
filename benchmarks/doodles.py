"""How fast are the doodles drawn, and how does that compare with reading them from the cache?

uv run python benchmarks/doodles.py --number 300
"""

from __future__ import annotations

import argparse
import tempfile
import time

import numpy as np

from assignments_lib.datasets import doodles


def main() -> None:
    """Draw, time, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=300, help="drawings of each class")
    number = parser.parse_args().number

    total, count = 0.0, 0
    print(
        f"{'':14s}{'strokes':>10s}{'28 px':>8s}{'64 px':>8s}{'224 px':>8s}   milliseconds a drawing, one core"
    )
    for name in doodles.CLASSES + doodles.PRETRAINING_CLASSES:
        begin = time.process_time()
        drawings = [doodles.strokes(name, np.random.default_rng(i)) for i in range(number)]
        times = [(time.process_time() - begin) / number]
        for size in (28, 64, 224):
            some = drawings[: number if size < 100 else max(1, number // 10)]
            begin = time.process_time()
            for drawing in some:
                doodles.render(drawing, size)
            times.append((time.process_time() - begin) / len(some))
        if name in doodles.CLASSES:
            total, count = total + times[0] + times[1], count + 1
        print(f"{name:14s}{1e3 * times[0]:10.2f}" + "".join(f"{1e3 * t:8.2f}" for t in times[1:]))
    print(
        f"\n10,000 drawings of the ten classes at 28 px: {1e4 * total / count:.1f} s ({count / total:,.0f} drawings/s)"
    )

    with tempfile.TemporaryDirectory() as folder:
        for what in ("drawn, then kept", "read back"):
            begin = time.process_time()
            pictures = doodles.load("train", per_class=number, root=folder)
            print(f"load, {what}: {len(pictures) / (time.process_time() - begin):,.0f} drawings/s")


if __name__ == "__main__":
    main()
