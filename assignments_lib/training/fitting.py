"""`fit`: a training loop, the student's or the library's, epoch after epoch, with everything around it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

import torch
from torch import Tensor, nn

from assignments_lib.datasets.download import in_words
from assignments_lib.training.allowance import Allowance
from assignments_lib.training.augmented import Augment, AugmentedLoader
from assignments_lib.training.checkpoint import Checkpoint, DoesNotFit, describe
from assignments_lib.training.device import choose_device
from assignments_lib.training.history import Epoch, History, percent
from assignments_lib.training.loop import Accuracy, Loop, Loss, Score, cross_entropy
from assignments_lib.training.precision import (
    WORTHWHILE,
    bfloat16_forward,
    faster_in_bfloat16,
    speedup_of,
    works_in_bfloat16,
)
from assignments_lib.training.progress import Progress
from assignments_lib.training.randomness import undisturbed
from assignments_lib.training.returned import evaluation, training_loss


def fit(
    model: nn.Module,
    train_loader: Any,
    val_loader: Any,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    train_one_epoch: Callable[..., Any] | None = None,
    evaluate: Callable[..., Any] | None = None,
    augment: Augment | None = None,
    loss: Loss = cross_entropy,
    score: Callable[[], Score] = Accuracy,
    device: torch.device | str | None = None,
    scheduler: Any = None,
    watch: Callable[[History], object] | None = None,
    checkpoint: str | None = None,
    retrain: bool = False,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    name: str = "",
) -> History:
    """Train ``model`` for some epochs and return what happened.

    Each epoch calls ``train_one_epoch(model, loader, optimizer, device=...)``, which gives the mean training
    loss a sample, and ``evaluate(model, loader, device=...)``, which gives ``(loss, accuracy)``; then it
    steps ``scheduler`` and calls ``watch(history)``. The loaders yield ``(images, labels)``; the functions
    get them with a progress bar attached. Where one of the two isn't given, a `Loop` of the library's own does
    its work: for labels (N,), soft labels (N, C), and masks (N, H, W) whose pixels of 255 don't count.

    Args:
        augment: called with every training batch as the loader gives it, on the device, as
            ``augment(images, labels)``; the loop gets the images and labels it returns. Validation batches stay
            as they are. A `Pipeline` of `assignments_lib.augmentation`, or a function.
        loss: of the library's own loop, ``loss(logits, labels)``: the mean over what counts.
        score: of the library's own evaluation: ``score()`` makes an object with ``update(logits, labels)`` and
            ``compute()``, in [0, 1], which takes the accuracy's place in the history; ``score.name``, if it has
            one, stands in the curves.
        device: where to train; `choose_device` by default. The network is moved there, and stays there.
        scheduler: a `torch.optim.lr_scheduler`, stepped once an epoch (`ReduceLROnPlateau` with the
            validation loss).
        watch: called after every epoch, for live curves. Without it a line is printed for each epoch.
        checkpoint: a name such as "1_resnet34/scratch". A network stored under it that still fits is loaded
            and nothing is trained; otherwise the trained one is stored. The optimizer's state isn't stored. Where
            the disk is full, the trained network stays in memory, and the same call later writes it.
        retrain: train even though there is a checkpoint, and replace it.
        precision: "bfloat16" runs the network's forward pass under autocast, channels last; "auto" does so
            where that is faster and the network allows it.
        name: for the history, and the titles made from it.

    Ctrl-C (the stop button) ends the training; the history so far is returned. With ``ASSIGNMENTS_SECONDS`` in the
    environment, as in test runs, a training passes over what it has no time for (see `Allowance`).

    Raises:
        TrainingStopped: a function gave back something else than it should, or a loss that isn't finite.
        NotFilledIn: one of the functions, or the network, is still blank.
        ValueError: an argument makes no sense.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    if precision not in ("auto", "float32", "bfloat16"):
        raise ValueError(f"precision must be 'auto', 'float32' or 'bfloat16', not {precision!r}")
    allowance = Allowance.of_environment(epochs)
    device = choose_device() if device is None else torch.device(device)
    model.to(device)
    images = _some_images(val_loader, device)
    measure = "accuracy" if evaluate is not None else getattr(score, "name", "accuracy")
    loop = Loop(model=model, device=device, loss=loss, score=score)
    batches = train_loader if augment is None else AugmentedLoader(train_loader, augment, device)

    store, made_with = None, {}
    if checkpoint is not None:
        store = Checkpoint(checkpoint)
        own = [*([loss] if train_one_epoch is None else []), *([loss, score] if evaluate is None else [])]
        made_with = describe(model, train_loader, val_loader, optimizer, scheduler, epochs, augment, own)
        if not retrain and (stored := _load(store, model, made_with, images, measure)) is not None:
            stored.name, stored.measure = name or stored.name, measure
            if watch is not None:
                watch(stored)
            return stored

    history = History(name=name, planned=epochs, measure=measure)
    fast = precision == "bfloat16" or (
        precision == "auto"
        and faster_in_bfloat16(device)
        and images is not None
        and works_in_bfloat16(model, images)
        and (batch := _some_images(batches, device, whole=True)) is not None
        and speedup_of(model, batch) >= WORTHWHILE
    )
    complete = False
    progress = Progress()
    with bfloat16_forward(model) if fast else nullcontext():
        try:
            for epoch in range(1, epochs + 1):
                started = time.perf_counter()
                watched = progress.over(allowance.over(batches), f"epoch {epoch}/{epochs}, training")
                if train_one_epoch is None:
                    train_loss = training_loss(loop.train(watched, optimizer), history, students=False)
                else:
                    given = train_one_epoch(model, watched, optimizer, device=str(device))
                    train_loss = training_loss(given, history)
                watched = progress.over(val_loader, f"epoch {epoch}/{epochs}, evaluating")
                trained = time.perf_counter()
                if evaluate is None:
                    val_loss, val_accuracy = evaluation(loop.evaluate(watched), history, students=False)
                else:
                    given = evaluate(model, watched, device=str(device))
                    val_loss, val_accuracy = evaluation(given, history)
                allowance.evaluated(time.perf_counter() - trained)
                _step(scheduler, val_loss)
                seconds = time.perf_counter() - started
                history.append(Epoch(epoch, train_loss, val_loss, val_accuracy, seconds))
                if watch is not None:
                    watch(history)
                else:
                    print(_line(history, epochs), flush=True)
            complete = True
        except KeyboardInterrupt:
            pass
        except BaseException:
            progress.close("")
            raise
    progress.close(_summary(history, epochs))
    if allowance.cut:
        print(f"Cut short: {allowance}.")
    if store is not None and complete and not allowance.cut:
        _save(store, model, history, made_with, images)
    elif store is not None:
        ended = "was cut short" if complete else "was stopped early"
        print(f"No checkpoint was written to {store.shown}: the training {ended}.")
    return history


def _some_images(loader: Any, device: torch.device, whole: bool = False) -> Tensor | None:
    """Images of the first batch, all or a few, without using up random numbers; None where there are none."""
    try:
        with undisturbed(getattr(loader, "generator", None)):
            images = next(iter(loader))[0]
    except Exception:  # an empty or broken loader: the student's loop will meet it, with its own frames
        return None
    if not isinstance(images, Tensor) or not images.is_floating_point() or images.ndim != 4:
        return None
    return (images if whole else images[:4]).to(device)


def _load(
    store: Checkpoint, model: nn.Module, made_with: dict[str, Any], images: Tensor | None, measure: str
) -> History | None:
    try:
        history = store.load(model, made_with, images)
    except DoesNotFit as reason:
        print(f"The checkpoint {store.shown} can't be used: {reason}. Training anew, and replacing it.")
        return None
    if history is None:
        return None
    found = f"{_epochs(len(history))}, validation {measure} {percent(history.last.val_accuracy)}"
    if store.unwritten:
        print(f"Taken from this kernel's memory, as trained before: {found}.")
        _write(store)
        return history
    print(f"Loaded {store.shown}: {found}. Delete this file or pass retrain=True to train again.")
    return history


def _save(
    store: Checkpoint, model: nn.Module, history: History, made_with: dict[str, Any], images: Tensor | None
) -> None:
    try:
        store.save(model, history, made_with, images)
    except OSError as error:
        _not_written(store, error)


def _write(store: Checkpoint) -> None:
    try:
        store.write()
    except OSError as error:
        _not_written(store, error)
    else:
        print(f"Now it is written to {store.shown}.")


def _not_written(store: Checkpoint, error: OSError) -> None:
    """The training must not be lost over this: say where it is, and what to do."""
    print(
        f"The checkpoint {store.shown} could not be written ({error.strerror or error}): "
        f"{in_words(error, store.path)}.\n"
        "Nothing is lost: the trained network is in this kernel's memory, and you can go on. Once that is mended, run "
        "this cell again: it writes the file, and doesn't train again. After a restart of the kernel it would."
    )


def _step(scheduler: Any, val_loss: float) -> None:
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        scheduler.step(val_loss)
    elif scheduler is not None:
        scheduler.step()


def _line(history: History, epochs: int) -> str:
    epoch = history.last
    return (
        f"epoch {epoch.epoch}/{epochs}: training loss {epoch.train_loss:.3f}, validation loss "
        f"{epoch.val_loss:.3f}, validation {history.measure} {percent(epoch.val_accuracy)}, {epoch.seconds:.1f} s"
    )


def _summary(history: History, epochs: int) -> str:
    subject = f"{history.name}: " if history.name else ""
    if not history:
        return f"{subject}stopped before the first of {_epochs(epochs)} was complete."
    best = (
        f"best validation {history.measure} {percent(history.best.val_accuracy)} (epoch {history.best.epoch})"
    )
    time_taken = f"in {history.seconds:.0f} s"
    if len(history) < epochs:
        return f"{subject}stopped after {len(history)} of {_epochs(epochs)} {time_taken}; {best}."
    return f"{subject}{_epochs(epochs)} {time_taken}; {best}."


def _epochs(count: int) -> str:
    return f"{count} epoch" if count == 1 else f"{count} epochs"
