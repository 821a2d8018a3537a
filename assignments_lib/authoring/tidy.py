"""Executed notebooks without what readers can't see or what differs each time: widgets, bars, timings."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

from nbformat import NotebookNode
from PIL import Image

_WIDGET = "application/vnd.jupyter.widget-view+json"
_BAR = re.compile(r"\d+%\|.*\||\d+(it)? \[\d\d:\d\d|\?it/s|\bit/s\]|\bs/it\]")
_LARGE_PICTURE = 40_000  # bytes


def tidy(notebook: NotebookNode) -> None:
    """Strip, in place, an executed notebook of widgets, progress bars and timings; make pictures smaller."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _keep(output)]


def _keep(output: Any) -> bool:
    """Tidy one output in place; False where nothing of it is left."""
    if output.output_type == "stream":
        if output.name == "stderr":
            output.text = without_bars(output.text)
        return bool(output.text)
    data = output.get("data", {})
    if data.pop(_WIDGET, None) is not None and set(data) <= {"text/plain"}:
        return False
    if "image/png" in data:
        data["image/png"] = smaller_png(data["image/png"])
    return True


def without_bars(text: str) -> str:
    """What a program wrote, without the lines that are tqdm's progress bars."""
    lines = (line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n"))
    kept = [line for line in lines if not _BAR.search(line)]
    return "\n".join(kept) if any(line.strip() for line in kept) else ""


def smaller_png(encoded: str) -> str:
    """A large picture with 256 well-chosen colours, if that is smaller; base64 in and out."""
    raw = base64.b64decode(encoded)
    if len(raw) < _LARGE_PICTURE:
        return encoded
    picture = Image.open(io.BytesIO(raw))
    resolution = picture.info.get("dpi")
    # The only method of Pillow's that keeps transparency is not the best for pictures without it
    transparent = "A" in picture.getbands()
    method = Image.Quantize.FASTOCTREE if transparent else Image.Quantize.MAXCOVERAGE
    smaller = io.BytesIO()
    options = {"dpi": resolution} if resolution else {}
    picture.quantize(256, method).save(smaller, "png", optimize=True, **options)
    return base64.b64encode(smaller.getvalue()).decode() if smaller.tell() < len(raw) else encoded
