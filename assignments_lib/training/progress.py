"""One progress bar for a whole training run, under the student's plain ``for images, labels in loader``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tqdm.auto import tqdm
from tqdm.notebook import tqdm_notebook

_WIDGET = "application/vnd.jupyter.widget-view+json"


class Progress:
    """A bar over the batches of the running epoch, drawn when the first batch is asked for.

    It is one bar, started over for each pass through a loader. When it is closed, a sentence takes its
    place: an executed notebook keeps that sentence and no widget, which other viewers could not draw.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._handle: Any = None

    def over(self, loader: Any, doing: str) -> Any:
        """The loader, moving the bar along as its batches are taken; ``doing`` stands before the bar."""
        return WatchedLoader(loader, self, doing)

    def start(self, batches: int | None, doing: str) -> None:
        """Set the bar back to nothing done of ``batches``."""
        if self._bar is None:
            self._draw()
        self._bar.reset(batches)
        self._bar.set_description(doing)

    def advance(self) -> None:
        """One batch is done."""
        self._bar.update()

    def close(self, sentence: str) -> None:
        """Take the bar away and say ``sentence`` in its place."""
        if self._bar is not None:
            self._bar.close()
        if self._handle is not None:
            self._handle.update({"text/plain": sentence}, raw=True)
        elif sentence:
            print(sentence)
        self._bar = self._handle = None

    def _draw(self) -> None:
        if issubclass(tqdm, tqdm_notebook):
            from IPython.display import display

            self._bar = tqdm(leave=False, unit="batch", display=False)
            # Not the widget itself: ipywidgets 7, which Colab has, displays it without the id to replace it by
            view = {_WIDGET: self._bar.container.get_view_spec(), "text/plain": repr(self._bar.container)}
            self._handle = display(view, raw=True, display_id=True)
        else:
            # disable=None: a bar on a terminal, none in a log
            self._bar = tqdm(leave=False, unit="batch", dynamic_ncols=True, disable=None)


class WatchedLoader:
    """A loader that moves a bar along; in everything else it is the loader it was made from."""

    def __init__(self, loader: Any, progress: Progress, doing: str) -> None:
        self._loader = loader
        self._progress = progress
        self._doing = doing

    def __iter__(self) -> Iterator[Any]:
        self._progress.start(length(self._loader), self._doing)
        for batch in self._loader:
            yield batch
            self._progress.advance()

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":  # not there yet while being copied or unpickled: don't look for it in itself
            raise AttributeError(name)
        return getattr(self._loader, name)


def length(loader: Any) -> int | None:
    """How many batches a loader has; None where it doesn't know."""
    try:
        return len(loader)
    except TypeError:  # a stream has none, and whatever is wrapped around a stream
        return None
