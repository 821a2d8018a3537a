"""Three sample submissions of assignment 1 and a Canvas gradebook of that class, to try grading with.

    uv run python tests/grading/samples.py samples

Made from the notebooks as they are now, so they never grow old: *ada* has everything right, *ben* makes a typical
mistake in exercise 1.2 (the ReLU comes before the addition), *cleo* handed in the blank notebook.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ASSIGNMENT = "1_resnet34"
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

RELU_FIRST = """\
class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.project = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.project = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y))) + self.project(x)
"""

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section
"Lovelace, Ada",101,2026001,ada,S1
"Bitdiddle, Ben",102,2026002,ben,S1
"Kim, Cleo",103,2026003,cleo,S1
"""


def submission(answers: str, wrong: dict[str, str] | None = None) -> str:
    """The blank notebook with the answers of another one ("solved") or none ("blank"); some of them wrong, by cell."""
    blank, solved = (
        json.loads((folder / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8"))
        for folder in (NOTEBOOKS, NOTEBOOKS / "solutions")
    )
    right: dict[str, Any] = {cell["id"]: cell["source"] for cell in solved["cells"]}
    for cell in blank["cells"]:
        if cell["id"].startswith(("exercise-", "question-")) and answers == "solved":
            cell["source"] = (wrong or {}).get(cell["id"], right[cell["id"]])
    return json.dumps(blank, ensure_ascii=False, indent=1) + "\n"


def make(folder: Path) -> None:
    """Write the class into a folder, a folder for each student, and its gradebook beside it."""
    class_ = {
        "ada": submission("solved"),
        "ben": submission("solved", {"exercise-1-2": RELU_FIRST}),
        "cleo": submission("blank"),
    }
    for student, text in class_.items():
        (folder / student).mkdir(parents=True, exist_ok=True)
        (folder / student / f"{ASSIGNMENT}.ipynb").write_text(text, encoding="utf-8", newline="\n")
    folder.with_name(f"{folder.name}_canvas.csv").write_text(CANVAS, encoding="utf-8", newline="")
    print(f"Made {len(class_)} submissions in {folder}, and {folder.name}_canvas.csv beside it.")


if __name__ == "__main__":
    make(Path(sys.argv[1] if len(sys.argv) > 1 else "samples"))
