"""Trained networks on disk: loaded when they still fit, made anew when they don't.

A checkpoint is one safetensors file, so reading it runs no code. Beside the parameters it holds the history,
what it was trained with, and the network's answer to a fixed input: a network that has since been changed
without changing its parameters (a ReLU moved, a shortcut gone) answers differently, and is trained again.

What can't be written, on a full disk for instance, stays in memory: the next `load` takes it from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn

from assignments_lib.datasets.root import data_root
from assignments_lib.training.augmented import Augment, effect, in_words, same_effect
from assignments_lib.training.history import Epoch, History
from assignments_lib.training.precision import evaluating

_PARAMETERS = "model/"  # prefix of the parameters' own names, which may be anything
_EFFECT = "what the augmentation does to images and labels"
_ANSWER = "answer"  # the output for `probe`, in evaluation mode

_Content = tuple[dict[str, Any], dict[str, Tensor]]  # what is told about it, and its tensors
_unwritten: dict[Path, _Content] = {}  # what this process trained and could not write yet


class DoesNotFit(Exception):
    """A checkpoint can't be used; the message says why, as the end of a sentence."""


class Checkpoint:
    """The checkpoint called ``name``, such as "1_resnet34/scratch", under the data folder.

    Raises:
        ValueError: ``name`` leads out of the checkpoints folder.
    """

    def __init__(self, name: str) -> None:
        parts = PurePosixPath(name.replace("\\", "/"))
        if not parts.name or parts.is_absolute() or ".." in parts.parts or ":" in name:
            raise ValueError(f"checkpoint must be a name such as '1_resnet34/scratch', not {name!r}")
        self.path: Path = data_root() / "checkpoints" / parts.parent / f"{parts.name}.safetensors"
        self.shown = self.path.relative_to(data_root().parent).as_posix()

    def load(self, model: nn.Module, made_with: dict[str, Any], images: Tensor | None) -> History | None:
        """Put the stored parameters into ``model``; None where nothing is stored.

        ``made_with`` has to equal what was stored; ``images`` is a batch, for its shape.

        Raises:
            DoesNotFit: the file is damaged or can't be read, or belongs to another network, run or version of this
                package; ``model`` is unchanged.
        """
        found = self._read()
        if found is None:
            return None
        about, stored = found
        try:
            history = History(
                (Epoch(**row) for row in about["history"]), name=about["name"], planned=len(about["history"])
            )
            was = dict(about["made_with"])
        except Exception as error:  # keys that are missing, or of another kind
            reason = f"{type(error).__name__}: {error}"
            raise DoesNotFit(f"another version of assignments_lib wrote it ({reason})") from None
        _compare(was, made_with)
        self._put(model, stored, images)
        return history

    def contents(self) -> tuple[dict[str, Tensor], Tensor | None] | None:
        """The parameters by the names that their network gave them, and its outputs for `probe`; None without a file.

        Raises:
            DoesNotFit: the file is damaged or can't be read.
        """
        found = self._read()
        if found is None:
            return None
        _, stored = found
        parameters = {
            key.removeprefix(_PARAMETERS): tensor
            for key, tensor in stored.items()
            if key.startswith(_PARAMETERS)
        }
        return parameters, stored.get(_ANSWER)

    @property
    def unwritten(self) -> bool:
        """Whether it is in this process's memory only: writing it failed."""
        return self.path in _unwritten

    def _read(self) -> _Content | None:
        if self.unwritten:
            return _unwritten[self.path]
        try:
            if not self.path.is_file():
                return None
            self.path.open("rb").close()  # safetensors' own words about rights and disks are no sentences
        except OSError as error:
            raise DoesNotFit(f"the file can't be read ({error.strerror or error})") from None
        try:
            with safe_open(self.path, framework="pt") as file:
                about = json.loads((file.metadata() or {})["about"])
                stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
        except Exception as error:  # safetensors, JSON and missing keys each raise their own kind
            raise DoesNotFit(f"the file is damaged ({type(error).__name__}: {error})") from None
        return about, stored

    def _put(self, model: nn.Module, stored: dict[str, Tensor], images: Tensor | None) -> None:
        before = {name: tensor.detach().clone() for name, tensor in _tensors(model).items()}
        try:
            model.load_state_dict(
                {
                    name.removeprefix(_PARAMETERS): tensor
                    for name, tensor in stored.items()
                    if name.startswith(_PARAMETERS)
                }
            )
            if _ANSWER in stored and not same_outputs(_answer(model, images), stored[_ANSWER]):
                raise DoesNotFit("the network has changed: with these parameters it now gives other outputs")
        except DoesNotFit:
            model.load_state_dict(before)
            raise
        except Exception as error:
            model.load_state_dict(before, strict=False)
            raise DoesNotFit(f"its parameters can't be loaded ({str(error).splitlines()[0]})") from None

    def save(
        self, model: nn.Module, history: History, made_with: dict[str, Any], images: Tensor | None
    ) -> None:
        """Write the checkpoint, whole or not at all.

        Raises:
            OSError: the disk is full or can't be written to. It is kept in memory then, for `load` and `write`.
        """
        # Copies, because safetensors refuses tensors that share memory, as tied weights do
        tensors = {
            _PARAMETERS + name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in _tensors(model).items()
        }
        answer = _answer(model, images)
        if answer is not None:
            tensors[_ANSWER] = answer
        about = {
            "history": history.table(),
            "name": history.name,
            "made_with": made_with,
            "torch": torch.__version__,
        }
        _unwritten[self.path] = about, tensors
        self.write()

    def write(self) -> None:
        """Write what could not be written before.

        Raises:
            OSError: it still can't be.
        """
        about, tensors = _unwritten[self.path]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(save(tensors, metadata={"about": json.dumps(about)}))
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self.path)
        except BaseException:
            with suppress(OSError):
                Path(partial).unlink(missing_ok=True)
            raise
        del _unwritten[self.path]


def describe(
    model: nn.Module,
    train_loader: Any,
    val_loader: Any,
    optimizer: Any,
    scheduler: Any,
    epochs: int,
    augment: Augment | None = None,
    own: Sequence[Any] = (),
) -> dict[str, Any]:
    """What a checkpoint depends on, as JSON: the labels are words, because a mismatch is told to a person.

    ``own`` are loss and score of the library's own loop, where it is used.
    """
    shapes = [(name, tuple(tensor.shape), str(tensor.dtype)) for name, tensor in _tensors(model).items()]
    return {
        "parameters (names and shapes)": hashlib.sha256(repr(sorted(shapes)).encode()).hexdigest()[:16],
        "trainable parameters": sum(each.numel() for each in model.parameters() if each.requires_grad),
        "epochs": epochs,
        "training data": _describe_data(train_loader),
        "validation data": _describe_data(val_loader),
        "batch size": getattr(train_loader, "batch_size", None),
        "optimizer": type(optimizer).__name__,
        "learning rates": [float(group["lr"]) for group in optimizer.param_groups],
        "scheduler": type(scheduler).__name__ if scheduler is not None else None,
        "augmentation": in_words(augment) if augment is not None else None,
        _EFFECT: effect(augment, train_loader) if augment is not None else None,
        "loss and score": [in_words(each) + _settings(each) for each in own] or None,
    }


def _settings(thing: Any) -> str:
    """Numbers and words a module keeps but does not show, such as the label smoothing of torch's CrossEntropyLoss."""
    kept = vars(thing).items() if isinstance(thing, nn.Module) else []
    plain = [f"{name}={value}" for name, value in kept if isinstance(value, int | float | str)]
    return f" with {', '.join(plain)}" if plain else ""


def _describe_data(loader: Any) -> str:
    """The data set's own name, found under wrappers such as `Subset`, and how many samples there are."""
    dataset = inner = getattr(loader, "dataset", loader)
    while not getattr(inner, "name", "") and hasattr(inner, "dataset"):
        inner = inner.dataset
    name = getattr(inner, "name", "") or type(inner).__name__
    return f"{name}, {len(dataset)} samples" if hasattr(dataset, "__len__") else str(name)


def _compare(was: dict[str, Any], now: dict[str, Any]) -> None:
    changed = [
        label
        for label in now
        if not (same_effect(was.get(label), now[label]) if label == _EFFECT else was.get(label) == now[label])
    ]
    if changed:
        spelled = [
            label
            if label.startswith("parameters") or label == _EFFECT
            else f"{label}: {was.get(label)} then, {now[label]} now"
            for label in changed
        ]
        raise DoesNotFit(f"it was trained with something else ({'; '.join(spelled)})")


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}


def probe(shape: Sequence[int]) -> Tensor:
    """The two images of noise, of this shape, for which a checkpoint holds the outputs."""
    return torch.rand((2, *shape), generator=torch.Generator().manual_seed(34))


def _answer(model: nn.Module, images: Tensor | None) -> Tensor | None:
    """The output for two fixed noise images of the data's shape; None where there is no plain output."""
    if images is None:
        return None
    try:
        with evaluating(model), torch.no_grad():
            outputs = model(probe(images.shape[1:]).to(images.device))
    except Exception:  # the training loop will meet it, and show it with the student's own frames
        return None
    return outputs.detach().float().cpu().contiguous() if isinstance(outputs, Tensor) else None


def same_outputs(now: Tensor | None, then: Tensor) -> bool:
    """Whether two networks' outputs agree, but for the rounding of another device."""
    # Devices and TF32 differ by about 1e-3 of the outputs' scale, a changed network by about the scale itself
    if now is None or now.shape != then.shape:
        return False
    return bool((now - then).abs().max() <= 0.02 * then.abs().max())
