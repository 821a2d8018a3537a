"""Where data lives: `data/` of the project, or the folder that ASSIGNMENTS_DATA names."""

from __future__ import annotations

import os
from pathlib import Path


def data_root() -> Path:
    """The folder for downloads, caches and checkpoints.

    ``$ASSIGNMENTS_DATA`` where it is set; else ``data/`` of the checkout this package runs from; else (the
    package was installed without a checkout, as on Colab) ``data/`` of the working directory.
    """
    named = os.environ.get("ASSIGNMENTS_DATA")
    if named:
        return Path(named).expanduser().resolve()
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file() and (checkout / "notebooks").is_dir():
        return checkout / "data"
    return Path.cwd() / "data"
