"""What `assignments build` wrote: up to date, small, executed, and readable without seeing the pictures."""

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from assignments_lib.authoring.build import stale
from assignments_lib.authoring.checkout import Checkout
from assignments_lib.checks.registry import assignment

CHECKOUT = Path(__file__).resolve().parents[2]
SOLUTIONS = sorted((CHECKOUT / "notebooks" / "solutions").glob("*.ipynb"))
LECTURE = "0_lecture_semantic_segmentation"  # no exercises in it


class Images(HTMLParser):
    """The attributes of all <img> in some HTML."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.found.append(dict(attrs))


def outputs(path: Path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            yield cell, output


def test_everything_generated_is_up_to_date():
    assert list(stale(Checkout(CHECKOUT), [], assignment)) == []


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_picture_says_in_words_what_it_shows(path):
    pictures = 0
    for cell, output in outputs(path):
        data = output.get("data", {})
        if "image/png" in data:
            alt = output.metadata.get("image/png", {}).get("alt", "")
            assert len(alt.split()) >= 5, f"{cell.id}: {alt!r}"
        for image in Images(data.get("text/html", "")).found:
            pictures += 1
            assert len((image.get("alt") or "").split()) >= 5, f"{cell.id}: {image.get('alt')!r}"
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source, cell.id
    assert pictures >= 8


@pytest.mark.parametrize(
    "path", [path for path in SOLUTIONS if path.stem != LECTURE], ids=lambda path: path.stem
)
def test_solutions_pass_their_checks_with_full_marks(path):
    tables = [
        (cell.id, str(output.data["text/plain"]))
        for cell, output in outputs(path)
        if cell.id.startswith("check-") and "data" in output
    ]
    assert len(tables) == len(assignment(path.stem).exercises)
    for id, table in tables:
        assert "PASS" in table, id
        assert "FAIL" not in table, f"{id}: {table}"
        assert "NOT FILLED IN" not in table, id


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_outputs_are_clean(path):
    text = path.read_text()
    assert path.stat().st_size < 2 * 2**20
    assert "application/vnd.jupyter.widget" not in text
    for cell, output in outputs(path):
        assert output.output_type != "error", cell.id
        if output.output_type == "stream":
            assert output.name != "stderr", f"{cell.id} warns: {output.text[:200]}"
            assert not re.search(r"(/home|/root|/tmp|/work|C:\\)", output.text), f"{cell.id}: {output.text[:200]}"
