"""What submissions do wrong without meaning harm, and sometimes meaning it: each is handed in among good ones.

A fault costs itself at most; ``says`` is in the words that the student gets.
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """``change`` gets a solved notebook as JSON and gives the files of a submission: name -> bytes."""

    name: str
    change: Callable[[dict[str, Any]], dict[str, bytes]]
    lost: float | None  # points of full marks that are lost; None: all of them, with a problem
    says: str = ""


def _file(notebook: dict[str, Any]) -> dict[str, bytes]:
    return {"a.ipynb": json.dumps(notebook).encode()}


def _cell(notebook: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(cell for cell in notebook["cells"] if cell["id"] == id)
    return found


def answering(code: str, task: str = "3-8") -> Callable[[dict[str, Any]], dict[str, bytes]]:
    """Another answer to an exercise."""

    def change(notebook: dict[str, Any]) -> dict[str, bytes]:
        _cell(notebook, f"exercise-{task}")["source"] = code
        return _file(notebook)

    return change


def adding(code: str) -> Callable[[dict[str, Any]], dict[str, bytes]]:
    """A cell before the first answer."""

    def change(notebook: dict[str, Any]) -> dict[str, bytes]:
        place = next(n for n, cell in enumerate(notebook["cells"]) if cell["id"].startswith("exercise-"))
        cell = {
            "cell_type": "code",
            "id": "mine",
            "metadata": {},
            "source": code,
            "outputs": [],
            "execution_count": None,
        }
        notebook["cells"].insert(place, cell)
        return _file(notebook)

    return change


def editing(work: Callable[[list[dict[str, Any]]], Any]) -> Callable[[dict[str, Any]], dict[str, bytes]]:
    """Cells moved, doubled, deleted."""

    def change(notebook: dict[str, Any]) -> dict[str, bytes]:
        cells = notebook["cells"]
        result = work(cells)
        notebook["cells"] = cells if result is None else result
        return _file(notebook)

    return change


def handing_in(**files: bytes) -> Callable[[dict[str, Any]], dict[str, bytes]]:
    """These files in place of the notebook."""
    return lambda notebook: {name.replace("_", "."): data for name, data in files.items()}


def _index(cells: list[dict[str, Any]], id: str) -> int:
    return next(n for n, cell in enumerate(cells) if cell["id"] == id)


def _without(cells: list[dict[str, Any]], id: str) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["id"] != id]


def _doubled(cells: list[dict[str, Any]]) -> None:
    place = _index(cells, "exercise-3-8")
    cells.insert(
        place, json.loads(json.dumps(cells[place])) | {"source": "def class_weights(pixels): return None"}
    )


def _retyped(cells: list[dict[str, Any]]) -> None:
    cells[_index(cells, "exercise-3-8")]["cell_type"] = "markdown"


def _as_colab_does(cells: list[dict[str, Any]]) -> None:
    for number, cell in enumerate(cells):
        cell["metadata"] = {"id": f"colab{number}"}
        cell["id"] = f"colab{number}"


def _two(notebook: dict[str, Any]) -> dict[str, bytes]:
    other = json.loads(json.dumps(notebook))
    _cell(other, "exercise-3-8")["source"] = "def class_weights(pixels): return pixels"
    return {"a.ipynb": json.dumps(notebook).encode(), "b.ipynb": json.dumps(other).encode()}


def _zipped(notebook: dict[str, Any]) -> dict[str, bytes]:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../escaped/a.ipynb", json.dumps(notebook))
        archive.writestr("__MACOSX/._a.ipynb", b"\0")
    return {"all of it.zip": data.getvalue()}


def _huge(notebook: dict[str, Any]) -> dict[str, bytes]:
    return {"a.ipynb": b"{" + b" " * (200 * 2**20)}


IN_C = "import time, re\ndef class_weights(pixels):\n    return re.match(r'(a+)+$', 'a' * 40 + 'b')"
DEAF = (
    "import signal, time\ndef class_weights(pixels):\n"
    "    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n        signal.signal(number, signal.SIG_IGN)\n"
    "    while True:\n        try:\n            time.sleep(1)\n        except BaseException:\n            pass"
)
THIRD = (
    "calls = 0\ndef class_weights(pixels):\n    global calls\n    calls += 1\n    if calls > 2:\n"
    "        raise RuntimeError('only now')\n    return pixels"
)

FAULTS = [
    Fault(
        "an infinite loop",
        answering("def class_weights(pixels):\n    while True: pass"),
        3,
        "no answer within",
    ),
    Fault("an endless computation in C", answering(IN_C), 3, "no answer within"),
    Fault("deaf to SIGINT and SIGTERM", answering(DEAF), 3, "no answer within"),
    Fault("a cell that never ends", adding("while True: pass"), 0),
    Fault(
        "a memory hog",
        answering("def class_weights(pixels):\n    return [bytearray(2**28) for _ in range(99)]"),
        3,
    ),
    Fault("a memory hog in torch", answering("def class_weights(pixels):\n    return torch.ones(2**34)"), 3),
    Fault(
        "a fork bomb",
        answering("import os\ndef class_weights(pixels):\n    while True: os.fork()"),
        3,
        "PermissionError",
    ),
    Fault(
        "a bomb of threads",
        answering(
            "import threading, time\ndef class_weights(pixels):\n    while True:\n"
            "        threading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
        ),
        3,
    ),
    Fault(
        "10 GB of print",
        answering(
            "def class_weights(pixels):\n    for _ in range(10**4): print('x' * 10**6)\n    return None"
        ),
        3,
    ),
    Fault(
        "a full disk of its own",
        answering(
            "def class_weights(pixels):\n    with open('/tmp/x', 'wb') as f:\n        while True: f.write(bytes(2**20))"
        ),
        3,
    ),
    Fault("a huge tensor returned", answering("def class_weights(pixels):\n    return torch.ones(2**28)"), 3),
    Fault(
        "a tensor without memory returned",
        answering("def class_weights(pixels):\n    return torch.ones(1).expand(2**40)"),
        3,
    ),
    Fault(
        "NaN", answering("def class_weights(pixels):\n    return torch.full((len(pixels),), float('nan'))"), 3
    ),
    Fault(
        "infinity",
        answering("def class_weights(pixels):\n    return torch.full((len(pixels),), float('inf'))"),
        3,
    ),
    Fault(
        "a wrong dtype", answering("def class_weights(pixels):\n    return torch.ones(len(pixels)).int()"), 3
    ),
    Fault(
        "a wrong device",
        answering("def class_weights(pixels):\n    return torch.ones(len(pixels), device='meta')"),
        3,
    ),
    Fault("an answer that raises on the third call", answering(THIRD), 3, "only now"),
    Fault(
        "endless recursion",
        answering("def class_weights(pixels):\n    return class_weights(pixels)"),
        3,
        "RecursionError",
    ),
    Fault(
        "recursion in C",
        answering(
            "def class_weights(pixels):\n    x = []\n    for _ in range(10**6): x = [x]\n    return repr(x)"
        ),
        3,
    ),
    Fault("input()", answering("def class_weights(pixels):\n    return input('how much? ')"), 3, "EOFError"),
    Fault("os._exit", answering("import os\ndef class_weights(pixels):\n    os._exit(0)"), 3, "has ended"),
    Fault(
        "a crash",
        answering("import ctypes\ndef class_weights(pixels):\n    ctypes.string_at(0)"),
        3,
        "has ended",
    ),
    Fault("os._exit in a cell", adding("import os\nos._exit(0)"), 0),
    Fault("a syntax error", answering("def class_weights(pixels)\n    return pixels"), 3, "SyntaxError"),
    Fault("an unfinished answer", answering("def class_weights(pixels):"), 3, "IndentationError"),
    Fault(
        "warnings on stderr",
        adding("import sys, warnings\nwarnings.warn('old')\nprint('odd', file=sys.stderr)"),
        0,
    ),
    Fault("magics and shell lines", adding("%matplotlib inline\n!pip install torch\nx = 1\nx?"), 0),
    Fault(
        "a deleted cell",
        editing(lambda cells: _without(cells, "exercise-3-8")),
        3,
        "No answer was found to 3.8",
    ),
    Fault(
        "deleted checks and set-up",
        editing(lambda cells: [cell for cell in cells if cell["id"].startswith(("exercise", "question"))]),
        0,
    ),
    Fault("a duplicated cell", editing(_doubled), 0, "is there 2 times"),
    Fault("reordered cells", editing(lambda cells: cells.reverse()), 0),
    Fault("a retyped cell", editing(_retyped), 0, "turned into text"),
    Fault("ids and metadata stripped", editing(_as_colab_does), 0, "is gone; what another cell defines"),
    Fault("a zip with odd paths", _zipped, 0),
    Fault("two notebooks that differ", _two, None, "Hand in one of them"),
    Fault("no notebook", handing_in(notes_txt=b"done!"), None, "No notebook was handed in"),
    Fault("an empty notebook", handing_in(a_ipynb=b""), None, "is empty"),
    Fault("no JSON", handing_in(a_ipynb=b'{"cells": [<<<<<<< HEAD'), None, "isn't JSON"),
    Fault("JSON that is no notebook", handing_in(a_ipynb=b'{"answer": 42}'), None, "has no list of cells"),
    Fault("binary junk", handing_in(a_ipynb=bytes(range(256)) * 99), None, "isn't"),
    Fault("a damaged zip", handing_in(a_zip=b"PK\x03\x04" + bytes(99)), None, "zip"),
    Fault("a notebook of 200 MB", _huge, None, "Clear all outputs"),
]
