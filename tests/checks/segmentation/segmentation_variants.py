"""Correct answers to the whole assignment in several styles, as source text: the files in ``variants``."""

from pathlib import Path

VARIANTS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "variants").glob("*.py"))}
