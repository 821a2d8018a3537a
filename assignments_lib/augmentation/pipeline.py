"""`Pipeline`: steps in a row, applied to a batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from assignments_lib.augmentation.colour import ColorJitter, Colours, Normalize
from assignments_lib.augmentation.geometry import Geometry
from assignments_lib.augmentation.mixing import Mixing
from assignments_lib.augmentation.resample import Frames


class Pipeline:
    """Augments batches: ``images, targets = pipeline(images, targets)``.

    Every picture gets parameters of its own. All steps that move pixels are composed, and each picture is resampled
    once; then all that change colours are composed and applied, then `Normalize`, then `MixUp` or `CutMix`.
    Among its own kind, a step keeps its place. Masks move with their pictures, by the nearest pixel.

    Parameters are drawn on the CPU, wherever the batch lies: after the same seed they are the same. They come
    from torch's global generator, or the ``generator`` given to a call.

    Args:
        steps: `RandomResizedCrop`, `HorizontalFlip`, `PaddedCrop`, `RandomAffine`; `ColorJitter`; `Normalize`;
            `MixUp`, `CutMix`.
        ignore_index: the label in masks where nothing of the old picture is.

    Raises:
        TypeError: something else than a step.
        ValueError: more than one `Normalize`.
    """

    def __init__(self, *steps: Geometry | ColorJitter | Normalize | Mixing, ignore_index: int = 255) -> None:
        for step in steps:
            if not isinstance(step, Geometry | ColorJitter | Normalize | Mixing):
                raise TypeError(
                    f"a pipeline is made of steps such as HorizontalFlip(), not {type(step).__name__}"
                )
        self.steps = steps
        self.ignore_index = ignore_index
        self._geometry = [step for step in steps if isinstance(step, Geometry)]
        self._jitters = [step for step in steps if isinstance(step, ColorJitter)]
        self._mixings = [step for step in steps if isinstance(step, Mixing)]
        normalizes = [step for step in steps if isinstance(step, Normalize)]
        if len(normalizes) > 1:
            raise ValueError("a pipeline normalises once")
        self._normalize = normalizes[0] if normalizes else None

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(map(repr, self.steps))}, ignore_index={self.ignore_index})"

    @torch.no_grad()
    def __call__(
        self, images: Tensor, targets: Tensor | None = None, *, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Augment a batch; what is given stays as it is.

        Args:
            images: (N, C, H, W), uint8 or float in [0, 1].
            targets: labels (N,), soft labels (N, num_classes), or masks (N, H, W) of integers.
            generator: a generator on the CPU.

        Returns:
            Images, float32 for uint8 and else of their own type, in [0, 1] or normalised; and the targets, those
            given where no step changes them.

        Raises:
            ValueError: other shapes or types, or steps that don't go with them.
        """
        masks = targets if targets is not None and targets.ndim == 3 else None
        self._refuse(images, targets)
        frames, (height, width) = self._frames(images, generator)
        colours = Colours(self._jitters, self._normalize, images, generator)
        count, channels = images.shape[:2]
        dtype = images.dtype if images.is_floating_point() else torch.float32
        new = torch.empty((count, channels, height, width), dtype=dtype, device=images.device)
        for part in _parts(images):
            moved = torch.empty_like(new[part])
            if frames is None:
                moved.copy_(images[part])
            else:
                for index, picture in enumerate(moved, start=part.start):
                    frames.picture(index, images[index], picture)
            colours.apply(part, moved, new[part])
        if masks is not None and frames:
            targets = masks.new_empty(count, height, width)
            for index, mask in enumerate(masks):
                targets[index] = frames.mask(index, mask)
        for mixing in self._mixings:
            assert targets is not None
            new, targets = mixing.mix(new, targets, generator)
        return new, targets

    def _frames(
        self, images: Tensor, generator: torch.Generator | None
    ) -> tuple[Frames | None, tuple[int, int]]:
        """Where every new pixel comes from (None: from where it is), and the size of the new pictures."""
        old_size = height, width = images.shape[2], images.shape[3]
        if not self._geometry:
            return None, old_size
        matrices = torch.eye(3, dtype=torch.float64)
        for step in self._geometry:
            to_before, height, width = step.draw(len(images), height, width, generator)
            matrices = matrices @ to_before
        return Frames(matrices, old_size, (height, width), images.device, self.ignore_index), (height, width)

    def _refuse(self, images: Tensor, targets: Tensor | None) -> None:
        if images.ndim != 4 or 0 in images.shape:
            raise ValueError(f"images must be (N, C, H, W) and not empty, not {tuple(images.shape)}")
        if images.dtype != torch.uint8 and not images.is_floating_point():
            raise ValueError(f"images must be uint8 or float, not {images.dtype}")
        if targets is None:
            if self._mixings:
                raise ValueError(f"{type(self._mixings[0]).__name__} needs labels to mix")
            return
        if len(targets) != len(images):
            raise ValueError(f"there are {len(images)} images and {len(targets)} labels or masks")
        if targets.ndim == 3 and targets.shape[1:] != images.shape[2:]:
            raise ValueError(
                f"masks must be {tuple(images.shape[2:])} as the images are, not {tuple(targets.shape[1:])}"
            )
        if targets.ndim == 3 and targets.is_floating_point():
            raise ValueError(f"masks must be integers, not {targets.dtype}")


def _parts(images: Tensor) -> Iterator[slice]:
    """The batch in parts: on a CPU picture by picture, which stay in its cache; elsewhere at once."""
    size = 1 if images.device.type == "cpu" else len(images)
    return (slice(start, start + size) for start in range(0, len(images), size))
