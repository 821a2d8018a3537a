"""How far do the doodles carry? Train a network on them alone, then show it real Quick, Draw! drawings.

    uv run python benchmarks/doodles_on_real.py --real data/quickdraw --epochs 4 --size 64

`--real` is a folder with real `numpy_bitmap/<class>.npy` files (as many of the ten classes as there are). The
network always chooses among all ten classes, so that chance is 10 %. Prints accuracy on held-out doodles and on the
real drawings, what each real class was taken for, and seconds an epoch. Real bitmaps exist at 28 pixels only, so
draw at 28 and enlarge: a network that learned crisp lines (`--drawn 64`) stumbles over enlarged ones.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

from assignments_lib.datasets import doodles


def prepared(images: torch.Tensor, size: int) -> torch.Tensor:
    """Images (N, 1, h, h) uint8 -> (N, 1, size, size) float in [0, 1]: padded up to 32, resized beyond."""
    x = images.float() / 255
    if x.shape[-1] == size:
        return x
    if size <= 32:
        pad = (size - x.shape[-1]) // 2
        return F.pad(x, (pad, pad, pad, pad))
    return F.interpolate(x, size=(size, size), mode="bilinear", antialias=False)


def standardised(x: torch.Tensor) -> torch.Tensor:
    """The doodles' mean and standard deviation, roughly, taken out."""
    return ((x - 0.17) / 0.33).to(memory_format=torch.channels_last)


@torch.no_grad()
def predictions(model: torch.nn.Module, images: torch.Tensor, size: int) -> torch.Tensor:
    """The class chosen for each of the images."""
    model.eval()
    chosen = []
    for batch in images.split(250):
        with torch.autocast("cpu", torch.bfloat16):
            chosen.append(model(standardised(prepared(batch, size))).argmax(1))
    return torch.cat(chosen)


def main() -> None:
    """Parse the arguments, train, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, required=True, help="folder with numpy_bitmap/<class>.npy")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seconds", type=float, help="stop after this much training time, schedule included")
    parser.add_argument("--size", type=int, default=64, help="side of the network's input")
    parser.add_argument("--drawn", type=int, default=28, help="side at which doodles are drawn")
    parser.add_argument("--per-class", type=int, default=800)
    parser.add_argument("--model", default="resnet34")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flip", action="store_true", help="mirror half of the training drawings")
    parser.add_argument("--data", type=Path, help="folder for the cache of drawings")
    parser.add_argument("--save", type=Path, help="write the real drawings' predictions here (.npz)")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    train = doodles.load("train", per_class=options.per_class, size=options.drawn, root=options.data)
    test = doodles.load("test", per_class=200, size=options.drawn, root=options.data)
    classes = train.classes

    model = torchvision.models.get_model(
        options.model, weights=None, num_classes=len(classes), zero_init_residual=True
    )
    model.conv1 = torch.nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    torch.nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, weight_decay=0.05)

    step, begin = 0, time.perf_counter()
    steps_each = len(train) // options.batch
    progress = 0.0
    while progress < 1:
        model.train()
        epoch_begin, total, seen = time.perf_counter(), 0.0, 0
        for index in torch.randperm(len(train))[: steps_each * options.batch].split(options.batch):
            spent = time.perf_counter() - begin
            progress = spent / options.seconds if options.seconds else step / (options.epochs * steps_each)
            if progress >= 1:
                break
            for group in optimizer.param_groups:  # one cycle: up for a fifth of the way, then down to zero
                group["lr"] = options.lr * (min(progress / 0.2, (1 - progress) / 0.8) + 1e-3)
            images = train.images[index]
            if options.flip and torch.rand(()) < 0.5:
                images = images.flip(-1)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(standardised(prepared(images, options.size)))
                loss = F.cross_entropy(logits, train.labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, seen, step = total + loss.item(), seen + 1, step + 1
        if seen:
            spent = time.perf_counter() - epoch_begin
            print(f"{spent:.1f} s, {seen * options.batch / spent:.0f} drawings/s, loss {total / seen:.3f}")
    print(
        f"{options.model}, input {options.size}, drawn at {options.drawn}: {step / steps_each:.1f} epochs "
        f"in {time.perf_counter() - begin:.0f} s"
    )

    guess = predictions(model, test.images, options.size)
    print(f"held-out doodles: {100 * (guess == test.labels).float().mean():.1f} %")
    for label, name in enumerate(classes):
        row = torch.bincount(guess[test.labels == label], minlength=len(classes))
        print(f"  {name:12s} " + " ".join(f"{100 * n / row.sum():5.1f}" for n in row.tolist()))
    kept, right, count = {}, 0, 0
    for label, name in enumerate(classes):
        path = options.real / "numpy_bitmap" / f"{name}.npy"
        if not path.is_file():
            continue
        real = torch.from_numpy(np.load(path).reshape(-1, 1, 28, 28))
        guess = predictions(model, real, options.size)
        row = torch.bincount(guess, minlength=len(classes))
        print(
            f"real {name}: {100 * (guess == label).float().mean():.1f} %; called "
            + ", ".join(f"{classes[k]} {row[k]}" for k in row.argsort(descending=True).tolist() if row[k])
        )
        kept[name] = guess.numpy()
        right, count = right + int((guess == label).sum()), count + len(real)
    if count:
        print(f"real drawings: {100 * right / count:.1f} %")
    if options.save:
        np.savez(options.save, **kept)


if __name__ == "__main__":
    main()
