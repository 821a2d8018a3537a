"""One picture, and what each task asks about it: a name, boxes, a class for every pixel, or which thing it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from assignments_lib.datasets import scenes
from assignments_lib.plots.pixels import IGNORE, PALETTE, coloured
from assignments_lib.plots.style import new_figure, style
from assignments_lib.widgets.controls import Choice, Control, Slider
from assignments_lib.widgets.demonstration import Demonstration
from assignments_lib.widgets.panel import Drawing, Pictures
from assignments_lib.widgets.regions import middle, outlined, regions, write

TASKS = ("classification", "detection", "semantic", "instance", "panoptic")
_OPACITY = 0.6
_ENLARGED = 5  # a pixel becomes so many, so that an outline is thinner than a pixel
_SMALLEST = 6  # pixels: a splinter of a region bears no name


@dataclass(frozen=True)
class Scene:
    """A picture (H, W, 3), its semantic mask (H, W), the number of the thing at each pixel (H, W), and their labels."""

    picture: np.ndarray
    mask: Tensor
    things: Tensor
    labels: tuple[int, ...]

    @classmethod
    def drawn(cls, number: int) -> Scene:
        """The scene of that number."""
        picture, mask = scenes.draw(number)
        things, labels = scenes.instances(number)
        return cls(picture, torch.from_numpy(mask).long(), torch.from_numpy(things).long(), labels)

    @cached_property
    def names(self) -> list[str]:
        """A name for each thing; where a class occurs more than once, with a number."""
        often, seen = Counter(self.labels), Counter[int]()
        names = []
        for label in self.labels:
            seen[label] += 1
            names.append(scenes.CLASSES[label] + (f" {seen[label]}" if often[label] > 1 else ""))
        return names

    @cached_property
    def boxes(self) -> list[tuple[int, int, int, int]]:
        """First and last row and column, both inside: top, left, bottom, right of what shows of each thing."""
        boxes = []
        for number in range(1, len(self.labels) + 1):
            rows, columns = (self.things == number).nonzero().T.tolist()
            boxes.append((min(rows), min(columns), max(rows), max(columns)))
        return boxes

    @cached_property
    def regions(self) -> list[tuple[int, Tensor]]:
        """Label and pixels of every connected region of the semantic mask, without splinters and background."""
        return [
            (label, region)
            for label in sorted(set(self.labels))
            for region in regions(self.mask == label)
            if int(region.sum()) >= _SMALLEST
        ]

    @cached_property
    def most(self) -> int:
        """The label of the class that covers most pixels, the background aside."""
        return max(set(self.labels), key=lambda label: int((self.mask == label).sum()))


class FourTasks(Demonstration):
    """The tasks that say where things are, beside the one that only says what: the same scene, answered by each.

    The answers are the true ones, as the program that paints the scene knows them.
    """

    title = "One picture, five questions"

    def controls(self) -> dict[str, Control]:
        """The task, and which scene."""
        return {
            "task": Choice(TASKS, "semantic", still="instance"),
            "scene": Slider(0, 99, 76, still=12, step=1),
        }

    def pictures(self, task: str, scene: int) -> Pictures:
        """The answer drawn over the picture, and what it consists of."""
        shown = Scene.drawn(scene)
        return {
            "answer": Drawing(self._drawn(shown, task), self._alt(shown, task), 96),
            "In words": self.said(shown, task),
        }

    def said(self, scene: Scene, task: str) -> str:
        """What the task asks for, and of how many numbers the answer consists."""
        number, pixels = len(scene.labels), scene.mask.numel()
        height, width = scene.mask.shape
        many = f"{number} thing{'s' * (number != 1)}"
        if task == "classification":
            return (
                f"What is in the picture? One class: {scenes.CLASSES[scene.most]}, which covers most. "
                "Not where, and not how many."
            )
        if task == "detection":
            return (
                f"What is where, roughly? A box and a class for each of {many}: {4 * number} numbers and "
                f"{number} class{'es' * (number != 1)}. A box also holds pixels that aren't the thing."
            )
        if task == "semantic":
            found = len(scene.regions)
            return (
                f"What does each pixel show? {height} x {width} = {pixels:,} classes. The mask has {found} connected "
                f"region{'s' * (found != 1)} of things, the picture {many}: a semantic mask doesn't count."
            )
        share = int((scene.things == 0).sum()) / pixels
        if task == "instance":
            return (
                f"Which pixels belong to which thing? A mask for each of {many}. The background, {share:.0%} of the "
                "picture, gets no answer."
            )
        return (
            f"What does each pixel show, and which thing is it part of? {pixels:,} classes, and a number for each of "
            f"{many}. The background, {share:.0%} of the picture, has a class and no number."
        )

    def _alt(self, scene: Scene, task: str) -> str:
        names, (height, width) = ", ".join(scene.names), scene.mask.shape
        what = {
            "classification": f"with one name above it: {scenes.CLASSES[scene.most]}",
            "detection": f"with a named box around each thing: {names}",
            "semantic": "with every pixel in the colour of its class, and the class's name on every region: "
            + ", ".join(["background", *(scenes.CLASSES[label] for label, _ in scene.regions)]),
            "instance": f"with each thing in a colour of its own and named: {names}; the background is left as it is",
            "panoptic": f"with each thing in a colour of its own and named: {names}; the background is named too",
        }[task]
        return f"A scene of {height} by {width} pixels, {what}."

    def _drawn(self, scene: Scene, task: str) -> Figure:
        height, width = scene.mask.shape
        with style():
            figure = new_figure(5.6, 5.6 * height / width)
            axes = figure.subplots()
            edges = (-0.5, width - 0.5, height - 0.5, -0.5)
            axes.imshow(self._covered(scene, task), extent=edges, interpolation="nearest")
            axes.set(xticks=[], yticks=[], xlim=edges[:2], ylim=edges[2:])
            axes.spines[:].set_visible(False)
            if task == "classification":
                write(axes, scenes.CLASSES[scene.most], (height // 2, width // 2), scene.mask.shape, size=20)
            elif task == "detection":
                self._boxed(axes, scene)
            elif task == "semantic":
                for label, region in scene.regions:
                    write(axes, scenes.CLASSES[label], middle(region), scene.mask.shape)
            else:
                for number, name in enumerate(scene.names, start=1):
                    write(axes, name, middle(scene.things == number), scene.mask.shape)
            if task in ("semantic", "panoptic"):
                write(axes, "background", middle(scene.mask == 0), scene.mask.shape)
        return figure

    def _boxed(self, axes: Axes, scene: Scene) -> None:
        """A box around each thing, its name where it is farthest from the other names."""
        taken: list[tuple[int, int]] = []
        for number, box in enumerate(scene.boxes, start=1):
            top, left, bottom, right = box
            for line, wide in (("white", 4.5), (PALETTE[number], 2.5)):
                corner, sides = (left - 0.5, top - 0.5), (right - left + 1, bottom - top + 1)
                axes.add_patch(Rectangle(corner, *sides, fill=False, edgecolor=line, linewidth=wide))
            centre = (left + right) // 2
            places = [
                (top, centre),
                (bottom, centre),
                (top, left + 6),
                (bottom, right - 6),
                (bottom, left + 6),
            ]
            free = [
                min([abs(row - r) + abs(column - c) / 3 for r, c in taken], default=99)
                for row, column in places
            ]
            taken.append(places[free.index(max(free))])
        for name, place in zip(scene.names, taken, strict=True):
            write(axes, name, place, scene.mask.shape)

    def _covered(self, scene: Scene, task: str) -> np.ndarray:
        """The picture with the answer's colours over it and white lines where areas meet, enlarged: uint8."""
        picture = scene.picture.repeat(_ENLARGED, 0).repeat(_ENLARGED, 1)
        if task in ("classification", "detection"):
            return picture
        areas = scene.mask if task == "semantic" else scene.things
        bare = (areas == IGNORE) | (areas == 0) & (task == "instance")
        cover = torch.where(bare, 0.0, _OPACITY)[..., None].numpy()
        blended = (1 - cover) * scene.picture + cover * coloured(areas)
        return outlined(blended.astype(np.uint8), areas, _ENLARGED)
