"""How long does the dense CRF take: ours, exact, and pydensecrf2's lattice? And how far apart are they?

    uv run python benchmarks/crf.py [--classes 11] [--iterations 10] [--rounds 5] [--threads 2]

Patches of colour and unsure probabilities, in two sizes. Ours is timed whole, and with the kernels already there, as
when a slider changes a weight. Ratios are of the same run, to ours as a whole: on a shared machine these hold better.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import assignments_lib  # noqa: F401  first, as it tells PyTorch how to share the processor

# isort: split
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from assignments_lib.segmentation import DenseCRF, dense_crf

SIZES = ((60, 80), (80, 112))
APPEARANCE, POSITION, COLOUR, SMOOTHNESS, NEAR = 10.0, 10.0, 10.0, 3.0, 3.0


def main() -> None:
    """Time, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--classes", type=int, default=11, help="classes")
    parser.add_argument("--iterations", type=int, default=10, help="rounds of the mean field")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is timed")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads for torch")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    print(f"{options.threads} threads, torch {torch.__version__}, {options.classes} classes")
    for height, width in SIZES:
        probabilities, image = drawn(options.classes, height, width)
        ways = ways_for(probabilities, image, options.iterations)
        timings: dict[str, list[float]] = {name: [] for name in ways}
        results: dict[str, np.ndarray] = {}
        for _ in range(options.rounds + 1):
            for name, run in ways.items():
                started = time.perf_counter()
                results[name] = run()
                timings[name].append(time.perf_counter() - started)
        print(f"\n{f'{height}x{width}, {options.iterations} iterations':32s}{'seconds':>10s}{'ratio':>8s}")
        seconds = {name: median(each[1:]) for name, each in timings.items()}
        for name, each in seconds.items():
            print(f"{name:32s}{each:10.3f}{each / seconds['ours']:8.2f}")
        if "pydensecrf2" in results:
            ours, theirs = results["ours"], results["pydensecrf2"]
            same = (ours.argmax(0) == theirs.argmax(0)).mean()
            print(
                f"mean difference {np.abs(ours - theirs).mean():.4f}, the same class at {same:.2%} of all pixels"
            )
        else:
            print("pydensecrf2 isn't installed")


def drawn(classes: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Patches of colour with some noise, and what a coarse network would say of them."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(1, classes, height // 16 + 2, width // 16 + 2, generator=generator)
    scores = F.interpolate(coarse, size=(height, width), mode="bicubic")[0]
    image = torch.rand(classes, 3, generator=generator)[scores.argmax(0)].permute(2, 0, 1)
    image = (image + 0.03 * torch.randn(image.shape, generator=generator)).clamp(0, 1)
    return (3 * scores + torch.randn(scores.shape, generator=generator)).softmax(0), image


def ways_for(probabilities: Tensor, image: Tensor, iterations: int) -> dict[str, Callable[[], np.ndarray]]:
    """The marginals (C, H, W), each way."""
    weights = {"appearance": APPEARANCE, "smoothness": SMOOTHNESS, "iterations": iterations}
    kernels = {"position": POSITION, "colour": COLOUR, "near": NEAR}
    kept = DenseCRF(image, **kernels)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: dense_crf(probabilities, image, **weights, **kernels).numpy(),
        "ours, kernels kept": lambda: kept(probabilities, **weights).numpy(),
    }
    try:
        from pydensecrf.densecrf import DenseCRF2D
    except ImportError:
        return ways

    classes, height, width = probabilities.shape
    unary = np.ascontiguousarray(-probabilities.clamp(min=1e-5).log().flatten(1).numpy())
    picture = np.ascontiguousarray((255 * image).round().byte().permute(1, 2, 0).numpy())

    def lattice() -> np.ndarray:
        model = DenseCRF2D(width, height, classes)
        model.setUnaryEnergy(unary)
        model.addPairwiseGaussian(sxy=NEAR, compat=SMOOTHNESS)
        model.addPairwiseBilateral(sxy=POSITION, srgb=COLOUR, rgbim=picture, compat=APPEARANCE)
        return np.array(model.inference(iterations)).reshape(classes, height, width)

    return ways | {"pydensecrf2": lattice}


if __name__ == "__main__":
    main()
