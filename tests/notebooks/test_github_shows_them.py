"""Every notebook in git is one that GitHub, nbviewer and Colab show, and that a screen reader reads: valid, small,
without errors, and with words for every picture."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "-z", "*.ipynb", "*.md"], cwd=CHECKOUT, capture_output=True, text=True, check=True
).stdout.split("\0")
NOTEBOOKS = sorted(name for name in LISTED if name.endswith(".ipynb"))
TEXTS = sorted(name for name in LISTED if name.endswith(".md"))

LARGEST = 2_000_000  # bytes; GitHub gives up on notebooks of some megabytes
SHOWN = {"text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/svg+xml"}
WIDGETS = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

# Words that say that there is a picture, not what is on it
EMPTY_WORDS = {"a", "an", "the", "image", "picture", "figure", "plot", "screenshot", "photo", "png", "of"}


class Images(HTMLParser):
    """The `alt` of each <img> in some HTML; None where there is none."""

    def __init__(self, html: str):
        super().__init__()
        self.alts: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.alts.append(dict(attrs).get("alt"))


def says_nothing(alt: str | None) -> bool:
    """Whether an alternative text leaves people who can't see the picture as they were."""
    words = re.findall(r"[^\W_]+", (alt or "").lower())
    return len(words) < 5 or len(set(words) - EMPTY_WORDS) < 3 or bool(re.fullmatch(r"\S*\.(png|jpe?g|svg)", alt or ""))


def joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)


def in_markdown(text: str) -> list[str | None]:
    """The alternative texts of pictures in Markdown, written either way. Code shows no picture."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    return [*re.findall(r"!\[(.*?)\]\(", text, flags=re.S), *Images(text).alts]


def pictures(cell: dict[str, Any]) -> list[str | None]:
    """The alternative text of each picture that a cell shows."""
    if cell["cell_type"] == "markdown":
        return in_markdown(joined(cell["source"]))
    found: list[str | None] = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        images = [kind for kind in data if kind.startswith("image/")]
        found += [output.get("metadata", {}).get(kind, {}).get("alt") for kind in images]
        in_html = Images(joined(data.get("text/html", ""))).alts
        # JupyterLab shows the HTML, and forgets the alt of a bare picture
        found += in_html or [None] * len(images)
    return found


def trouble(notebook: dict[str, Any], size: int = 0) -> list[str]:
    """Why GitHub would say "Invalid Notebook", show it badly, or some people would miss something."""
    found = []
    ids = [cell.get("id") for cell in notebook["cells"]]
    if len(set(ids)) < len(ids) and None not in ids:
        found.append("ids of cells are not unique")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of what it would repair in its copy, it only warns
            nbformat.validate(copy.deepcopy(notebook), relax_add_props=False)
    except (nbformat.ValidationError, Warning, KeyError) as error:
        return [*found, str(error).splitlines()[0]]
    if (notebook["nbformat"], notebook["nbformat_minor"]) < (4, 5):
        found.append("it is older than format 4.5: cells have no ids")
    if not {"kernelspec", "language_info"} <= set(notebook["metadata"]):
        found.append("kernelspec or language_info is missing")
    if "widgets" in notebook["metadata"] and "state" not in notebook["metadata"]["widgets"].get(WIDGETS, {}):
        found.append("metadata.widgets has no state, at which GitHub gives up")
    if size > LARGEST:
        found.append(f"{size:,} bytes are too many")
    for cell in notebook["cells"]:
        name = cell.get("id")
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                found.append(f"{name}: an error is stored")
            strange = set(output.get("data", {})) - SHOWN
            if VIEW in strange and "widgets" in notebook["metadata"]:
                strange.discard(VIEW)
            if strange:
                found.append(f"{name}: GitHub doesn't show {', '.join(sorted(strange))}")
        found += [f"{name}: a picture says {alt!r}" for alt in pictures(cell) if says_nothing(alt)]
    return found


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_shown_and_can_be_read_aloud(name: str) -> None:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    assert trouble(json.loads(text), len(text.encode())) == []


@pytest.mark.parametrize("name", TEXTS)
def test_pictures_of_a_text_say_what_they_show(name: str) -> None:
    assert [alt for alt in in_markdown((CHECKOUT / name).read_text(encoding="utf-8")) if says_nothing(alt)] == []


def test_notebooks_and_pictures_were_found() -> None:
    assert len(NOTEBOOKS) >= 8
    assert len(in_markdown((CHECKOUT / "README.md").read_text(encoding="utf-8"))) >= 4
    for name in NOTEBOOKS:
        notebook = json.loads((CHECKOUT / name).read_text(encoding="utf-8"))
        shown = sum(len(pictures(cell)) for cell in notebook["cells"])
        assert shown >= 16 or "solutions" not in name


def sound() -> dict[str, Any]:
    """A notebook with nothing wrong."""
    alt = "Validation accuracy rises from 60 % to 91 % over ten epochs."
    data = {"image/png": "aGk=", "text/html": f'<img alt="{alt}" src="data:,">', "text/plain": alt}
    picture = nbformat.v4.new_output("display_data", data=data, metadata={"image/png": {"alt": alt}})
    cells = [
        nbformat.v4.new_code_cell("x", id="one", outputs=[picture]),
        nbformat.v4.new_markdown_cell(f"![{alt}](a.png)", id="two"),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    notebook: dict[str, Any] = json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata)))
    return notebook


def output(notebook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = notebook["cells"][0]["outputs"][0]
    return found


def _same_id(n: dict[str, Any]) -> None:
    n["cells"][1]["id"] = "one"


def _no_state(n: dict[str, Any]) -> None:
    n["metadata"]["widgets"] = {WIDGETS: {"version_major": 2}}


def _view(n: dict[str, Any]) -> None:
    output(n)["data"][VIEW] = {"model_id": "1"}


def _error(n: dict[str, Any]) -> None:
    n["cells"][0]["outputs"] = [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]


def _extra(n: dict[str, Any]) -> None:
    n["cells"][0]["colour"] = "red"


def _no_outputs(n: dict[str, Any]) -> None:
    del n["cells"][0]["outputs"]


def _old(n: dict[str, Any]) -> None:
    n["nbformat_minor"] = 4
    for cell in n["cells"]:
        del cell["id"]


def _no_kernel(n: dict[str, Any]) -> None:
    del n["metadata"]["kernelspec"]


def _only_html(n: dict[str, Any]) -> None:
    output(n)["metadata"] = {}


def _only_png(n: dict[str, Any]) -> None:
    del output(n)["data"]["text/html"]


def _file_name(n: dict[str, Any]) -> None:
    n["cells"][1]["source"] = ["![](a.png)"]


def _empty_words(n: dict[str, Any]) -> None:
    n["cells"][1]["source"] = '<img src="a.png" alt="the picture of a plot, png">'


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_same_id, "unique"),
        (_no_state, "no state"),
        (_view, "doesn't show"),
        (_error, "an error is stored"),
        (_extra, "'colour' was unexpected"),
        (_no_outputs, "'outputs' is a required property"),
        (_old, "older"),
        (_no_kernel, "kernelspec"),
        (_only_html, "a picture says None"),
        (_only_png, "a picture says None"),
        (_file_name, "a picture says ''"),
        (_empty_words, "the picture of a plot"),
    ],
)
def test_what_is_wrong_is_found(spoil: Callable[[dict[str, Any]], None], words: str) -> None:
    notebook = sound()
    assert trouble(notebook, 1000) == []
    assert "too many" in trouble(notebook, LARGEST + 1)[0]
    spoil(notebook)
    found = trouble(notebook)
    assert any(words in each for each in found), found
