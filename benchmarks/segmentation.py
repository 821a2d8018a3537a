"""How much do the results of assignment 3 vary? Its experiment, by its own code, once for each seed.

    uv run python benchmarks/segmentation.py --seeds 0 1 2

Runs the solved notebook with each SEED in the cell of its parameters, in a data folder of its own, so that no network
is loaded that was trained before; the classifier of assignment 1 is taken along where it is there. Prints every seed's
mIoU, then means and sample standard deviations, and by how much each step rises.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from assignments_lib.authoring import notebooks
from assignments_lib.authoring.execute import execute
from assignments_lib.authoring.source import read
from assignments_lib.checks.registry import assignment
from assignments_lib.classifier import CHECKPOINT
from assignments_lib.datasets import data_root

CHECKOUT = Path(__file__).resolve().parents[1]
NAME = "3_classification_to_segmentation"
STEPS = (
    ("FCN-32s, from scratch", "FCN-32s"),
    ("FCN-32s", "FCN-16s"),
    ("FCN-16s", "FCN-8s"),
    ("FCN-32s", "FCN-8s"),
    ("FCN-32s", "dilated"),
    ("FCN-8s", "U-Net"),
)
MEASURES = ("mIoU", "boundary IoU")
# What --quick leaves out: cells in which one of these words stands.
_SLOW = ("finder", "pages", "dilated", "unet", "shown", "check.", "plots.predictions", "plots.per_class")
_PRINTED = "results of this seed: "

Results = dict[str, dict[str, float]]


def results_of(seed: int, root: Path, quick: bool) -> Results:
    """What the notebook's table holds with this seed."""
    source = read(CHECKOUT / "notebooks/source" / f"{NAME}.py", assignment)
    notebook = notebooks.solution(source)
    _insert(notebook, f"SEED = {seed}")
    if quick:
        notebook.cells = [cell for cell in notebook.cells if not any(word in cell.source for word in _SLOW)]
    notebook.cells.append(
        nbformat.v4.new_code_cell(
            "import json\n"
            f"figures = {{name: {{key: row[key] for key in {MEASURES!r}}} for name, row in results.items()}}\n"
            f"print({_PRINTED!r} + json.dumps(figures))"
        )
    )
    execute(notebook, CHECKOUT / "notebooks", timeout=600, environment={"ASSIGNMENTS_DATA": str(root)})
    printed = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    found: Results = json.loads(printed.removeprefix(_PRINTED))
    return found


def _insert(notebook: NotebookNode, code: str) -> None:
    """A cell below that of the parameters."""
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    (place,) = [index for index, each in enumerate(tags) if notebooks.PARAMETERS in each]
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(code))


def main() -> None:
    """Run, print, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], help="one run of about 7 minutes each"
    )
    parser.add_argument(
        "--quick", action="store_true", help="only FCNs: neither dilation nor U-Net, no demonstrations"
    )
    arguments = parser.parse_args()
    seeds = arguments.seeds
    runs: list[Results] = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            mine = Path("checkpoints") / f"{CHECKPOINT}.safetensors"
            if (data_root() / mine).is_file():
                (root / mine).parent.mkdir(parents=True)
                shutil.copy(data_root() / mine, root / mine)
            for kept in ("scenes", "doodles"):  # drawn once is enough
                if (data_root() / kept).is_dir():
                    os.symlink(data_root().resolve() / kept, root / kept)
            runs.append(results_of(seed, root, arguments.quick))
        print(
            f"seed {seed}: " + ", ".join(f"{name} {row['mIoU']:.3f}" for name, row in runs[-1].items()),
            flush=True,
        )

    for measure in MEASURES:
        print(f"\n{measure}, mean and standard deviation over seeds {seeds}")
        for name in runs[0]:
            values = [run[name][measure] for run in runs]
            spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
            print(
                f"{name:<24}{statistics.mean(values):.3f}{spread}   ({', '.join(f'{v:.3f}' for v in values)})"
            )
        for before, after in [step for step in STEPS if all(name in runs[0] for name in step)]:
            gains = [run[after][measure] - run[before][measure] for run in runs]
            spread = f" ± {statistics.stdev(gains):.3f}" if len(gains) > 1 else ""
            print(f"{before} -> {after}: {statistics.mean(gains):+.3f}{spread}, least {min(gains):+.3f}")


if __name__ == "__main__":
    main()
