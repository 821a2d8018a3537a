"""The assignments by the name of their notebook: the one place where ids and points come from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol


class Task(Protocol):
    """What the authoring side needs to know of an exercise or a written question."""

    @property
    def id(self) -> str:
        """Number in the course, such as "1.2"."""

    @property
    def title(self) -> str:
        """A few words, such as "BasicBlock"."""

    @property
    def points(self) -> int:
        """Full marks."""


@dataclass(frozen=True)
class Question:
    """A written question, marked by hand."""

    id: str
    title: str
    points: int


@dataclass(frozen=True)
class Assignment:
    """One assignment: its notebook's name, its exercises and its written questions."""

    notebook: str  # "1_resnet34"
    title: str
    exercises: tuple[Task, ...]
    questions: tuple[Question, ...] = ()

    @property
    def points(self) -> int:
        """Full marks, written questions included."""
        return sum(task.points for task in (*self.exercises, *self.questions))

    def task(self, id: str) -> Task:
        """The exercise or question with this id.

        Raises:
            KeyError: there is none; the message lists those there are.
        """
        known = {task.id: task for task in (*self.exercises, *self.questions)}
        if id not in known:
            raise KeyError(f"{self.notebook} has no exercise or question {id!r}; it has {', '.join(known)}")
        return known[id]


# notebook -> the module of `assignments_lib.checks` that defines its ASSIGNMENT
_MODULES = {
    "1_resnet34": "resnet34",
    "2_data_augmentation": "augmentation",
    "3_classification_to_segmentation": "segmentation",
}


def assignment(notebook: str) -> Assignment:
    """The assignment that belongs to a notebook.

    Raises:
        KeyError: no assignment belongs to it; the message lists the notebooks that have one.
    """
    if notebook not in _MODULES:
        raise KeyError(f"no assignment belongs to {notebook!r}; there are {', '.join(_MODULES)}")
    found: Assignment = import_module(f"assignments_lib.checks.{_MODULES[notebook]}").ASSIGNMENT
    return found


def notebooks() -> tuple[str, ...]:
    """The notebooks of the assignments, such as "1_resnet34"."""
    return tuple(_MODULES)


def modules() -> tuple[str, ...]:
    """The names of the modules of checks, such as "resnet34"."""
    return tuple(_MODULES.values())
