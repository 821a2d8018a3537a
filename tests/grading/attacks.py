"""Attacks on a grader, as code that a submission would hold. None may earn a point or learn anything.

What an attack finds out it puts into the list ``loot``, and gives it away as its answer to exercise 1.1: tests read it.
"""

from dataclasses import dataclass

RIGHT = """
def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
"""

# What a thief needs, before the first answer: a place for loot, and exercise 1.1 that tells it
BAG = """
loot = []
def attempt(work):
    try:
        loot.append(work())
    except BaseException as error:
        loot.append(f"{type(error).__name__}")
"""
TELL = """
def conv_output_size(*args, **kwargs):
    return [repr(each)[:5000] for each in loot]
receptive_field = conv_output_size
"""


@dataclass(frozen=True)
class Attack:
    """``code`` stands in a cell before the answers; ``answers`` by exercise. ``points`` are those honestly earned.

    ``denied`` are words that the loot must not hold: they would show that the attack learned something.
    """

    name: str
    code: str = ""
    answers: dict[str, str] | None = None
    points: int = 0
    denied: tuple[str, ...] = ()


def stealing(name: str, *attempts: str, denied: tuple[str, ...]) -> Attack:
    """An attack that tries to read something."""
    body = BAG + "\n".join(attempts)
    return Attack(name, body, {"1.1": TELL}, denied=denied)


EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
    def __call__(self, *args, **kwargs): return self
    def __getattr__(self, name): return self
    def __int__(self): return 1
    def __index__(self): return 1
    def __float__(self): return 1.0
    def __len__(self): return 1
    def __iter__(self): return iter([self])
"""
BOTH = "conv_output_size = receptive_field = lambda *args, **kwargs: "

# Looks for the pipe to the grader among the open files, and writes there
PIPE = """
import os, stat, struct, json
def pipes():
    found = []
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.append(fd)
        except OSError:
            pass
    return found
def frame(text, blob=b"\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00{}"):
    return struct.pack(">QQ", len(text), len(blob)) + text + blob
def send(data):
    for fd in pipes():
        try:
            os.write(fd, data)
        except OSError:
            pass
"""


def forging(name: str, data: str) -> Attack:
    """An attack that speaks to the grader in the place of the process it is in."""
    answer = (
        PIPE + f"def conv_output_size(*args, **kwargs):\n    send({data})\nreceptive_field = conv_output_size"
    )
    return Attack(name, "", {"1.1": answer})


SECRET = "the-graders-own-secret"  # stands in the grader's environment, memory and folder while attacks run

ATTACKS = [
    # -- objects that lie about themselves -------------------------------------------------------------------
    Attack("an object equal to everything", EQUAL, {"1.1": BOTH + "Equal()"}),
    Attack("a class equal to everything", EQUAL, {"1.1": "conv_output_size = receptive_field = Equal()"}),
    Attack(
        "a number equal to everything",
        "class Number(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__",
        {"1.1": BOTH + "Number(1)"},
    ),
    Attack(
        "a tensor with __torch_function__ and __eq__",
        "import torch\nclass Liar(torch.Tensor):\n"
        "    @classmethod\n    def __torch_function__(cls, function, types, args=(), kwargs=None): return True\n"
        "    def __eq__(self, other): return True\n",
        {
            "1.1": BOTH + "torch.ones(1).as_subclass(Liar)",
            "1.7": "def evaluate(*args, **kwargs): return torch.ones(1).as_subclass(Liar), torch.ones(1).as_subclass(Liar)\n"
            "train_one_epoch = evaluate",
        },
    ),
    Attack(
        "a module that answers any question",
        EQUAL,
        {
            "1.2": "class BasicBlock(Equal, torch.nn.Module):\n    def __init__(self, *a, **k): torch.nn.Module.__init__(self)\n"
            "    def __getattr__(self, name): return Equal()"
        },
    ),
    # -- changing the judge ----------------------------------------------------------------------------------
    Attack(
        "an AST transformer that strips asserts",
        "import ast\nclass Strip(ast.NodeTransformer):\n    def visit_Assert(self, node): return None\n"
        "get_ipython().ast_transformers.append(Strip())",
    ),
    Attack(
        "do_execute replaced",
        "from ipykernel.ipkernel import IPythonKernel\n"
        "IPythonKernel.do_execute = lambda *args, **kwargs: {'status': 'ok', 'execution_count': 1}",
    ),
    Attack(
        "run_cell, input transformers and exception handlers replaced",
        "ip = get_ipython()\nip.run_cell = lambda *a, **k: None\n"
        "ip.input_transformers_post.append(lambda lines: [])\nip.set_custom_exc((Exception,), lambda *a: None)",
    ),
    Attack(
        "IPython's shell made and replaced",
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.run_cell = lambda *a, **k: None\nInteractiveShell.showtraceback = lambda *a, **k: None",
    ),
    Attack(
        "torch's comparisons replaced",
        "import torch\ntorch.allclose = torch.equal = lambda *a, **k: True\n"
        "torch.Tensor.__eq__ = lambda self, other: torch.ones(1).bool()\ntorch.testing.assert_close = lambda *a, **k: None",
        {"1.1": BOTH + "torch.zeros(3)"},
    ),
    Attack(
        "built-in functions replaced",
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.all = lambda *a: True\n"
        "builtins.any = lambda *a: True\nbuiltins.len = lambda *a: 1",
        {"1.1": BOTH + "None"},
    ),
    Attack(
        "the grader's host replaced",
        "from assignments_lib.checks import host, serve, wire\n"
        "host.Host.call = lambda self, *a, **k: True\nhost.Host.writes = lambda self, *a: False\n"
        "host.Host.run = lambda self, *a: (None, False, None, {})\nserve._answer = lambda *a: True\n",
    ),
    Attack(
        "the grader's words replaced",
        "from assignments_lib.checks import wire\nimport json\n"
        "wire.write = lambda stream, value: (stream.write(b'PASS'), stream.flush())\n",
    ),
    Attack(
        "torchvision and the package patched",
        "import torchvision, assignments_lib\nimport torchvision.models.resnet as r\n"
        "r.BasicBlock.forward = lambda self, x: x\nimport assignments_lib.layers as l\nl.side_by_side = lambda *a: True",
        {"1.2": "class BasicBlock(torch.nn.Identity):\n    expansion = 1"},
    ),
    Attack(
        "checks looked for and called with full marks",
        "from assignments_lib.checks import resnet34 as check\ncheck.ASSIGNMENT.points = 1000\n"
        "check.output_size = lambda *a: 'PASS'\nimport assignments_lib.checks.desk as desk\ndesk._latest = 1",
    ),
    Attack("autograde's partial credit", "print(90.0)\n90.0", {"1.1": BOTH + "90.0"}),
    Attack(
        "the end of the process as success",
        "import atexit, os\natexit.register(lambda: os._exit(0))",
        {"1.1": "import os\ndef conv_output_size(*a, **k): os._exit(0)\nreceptive_field = conv_output_size"},
    ),
    # -- forged messages -------------------------------------------------------------------------------------
    forging("a forged message: full marks", 'frame(b\'{"$dict": {"earned": 90, "status": "PASS"}}\')'),
    forging("forged messages: many true answers", 'frame(b\'{"$dict": {"returned": true}}\') * 1000'),
    forging("a forged message: too long", "struct.pack('>QQ', 2**62, 2**62)"),
    forging("a forged message: cut short", "struct.pack('>QQ', 100, 100) + b'{'"),
    forging("a forged message: wrong types", 'frame(b\'{"$dict": {"returned": {"$ref": [[], {}]}}}\')'),
    forging("a forged message: nested deeply", "frame(b'[' * 100000)"),
    forging(
        "a forged message: a pickle",
        'frame(b\'{"$dict": {"returned": {"$tensor": "0"}}}\', __import__(\'pickle\').dumps(print))',
    ),
    Attack(
        "answers sent before they are asked for",
        PIPE + 'send(frame(b\'{"$dict": {"returned": 7}}\') * 500)',
        {"1.1": BOTH + "7"},
    ),
    Attack(
        "late messages from a thread",
        PIPE + "import threading, time\ndef late():\n    for _ in range(1000):\n"
        '        send(frame(b\'{"$dict": {"returned": 7}}\')); time.sleep(0.001)\n'
        "threading.Thread(target=late, daemon=True).start()",
        {"1.1": BOTH + "7"},
    ),
    # -- stealing --------------------------------------------------------------------------------------------
    stealing(
        "reading /proc",
        "import os",
        "for path in ('/proc/self/environ', '/proc/1/environ', '/proc/1/cmdline', '/proc/self/maps', '/proc/1/mem'):",
        "    attempt(lambda: open(path, 'rb').read()[:2000])",
        "attempt(lambda: os.listdir('/proc'))",
        denied=("PATH=", "python", SECRET, "'1'"),
    ),
    stealing("the environment", "import os", "attempt(lambda: dict(os.environ))", denied=(SECRET, "PATH")),
    stealing(
        "host files",
        "import os, glob",
        "for path in ('/etc/passwd', '/etc/shadow', '/root', '/home', '/var', '/etc/hostname', '/usr/bin'):",
        "    attempt(lambda: os.listdir(path) if os.path.isdir(path) else open(path).read())",
        "attempt(lambda: [p for f in ('/', '/*/', '/*/*/', '/course/*/*/') for p in glob.glob(f + '*solution*')])",
        "attempt(lambda: [p for f in ('/', '/*/', '/*/*/', '/*/*/*/') for p in glob.glob(f + '*.ipynb')])",
        denied=("root:", "daemon", "solutions", ".ipynb", "bash"),
    ),
    stealing(
        "the checks' references, catalogue and tests",
        "import importlib, glob",
        "for name in ('exercise', 'desk', 'registry', 'compare', 'resnet34.block', 'report'):",
        "    attempt(lambda: importlib.import_module('assignments_lib.checks.' + name).__file__)",
        "for name in ('grading', 'authoring', 'grading.score', 'cli'):",
        "    attempt(lambda: importlib.import_module('assignments_lib.' + name).__file__)",
        "attempt(lambda: [p for p in glob.glob('/course/**/*.py', recursive=True) if 'Mistake(' in open(p).read()])",
        denied=(".py'", "exercise.py", "Mistake("),
    ),
    stealing(
        "frames and objects in memory",
        "import sys, gc",
        "def up():\n    frame, names = sys._getframe(), []\n    while frame:\n"
        "        names += [repr(v)[:200] for v in frame.f_locals.values()]; frame = frame.f_back\n    return names",
        "attempt(up)",
        "attempt(lambda: [o for o in gc.get_objects() if type(o).__name__ in ('Exercise', 'Part', 'Mistake', 'Draw')])",
        "attempt(lambda: [o for o in gc.get_objects() if isinstance(o, dict) and 'seed' in o and 'parts' in o])",
        denied=(SECRET, "Exercise(", "Part(", "Mistake(", "Draw"),
    ),
    stealing(
        "the network",
        "import socket, urllib.request",
        "attempt(lambda: socket.create_connection(('127.0.0.1', 80), timeout=1))",
        "attempt(lambda: socket.getaddrinfo('example.org', 80))",
        "attempt(lambda: urllib.request.urlopen('http://example.org', timeout=1).read())",
        "attempt(lambda: socket.socket(socket.AF_UNIX))",
        denied=("<socket", "AddressFamily", "html"),
    ),
    stealing(
        "other users' rights",
        "import os, ctypes",
        "libc = ctypes.CDLL(None, use_errno=True)",
        "for call in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.chroot('/tmp'), lambda: os.mknod('/tmp/n', 0o60666),"
        " lambda: os.nice(-5)):",
        "    attempt(call)",
        "attempt(lambda: 'mounted' if libc.mount(b'tmpfs', b'/course', b'tmpfs', 0, b'') == 0 else 'no')",
        "attempt(lambda: 'unshared' if libc.unshare(0x10000000) == 0 else 'no')",
        "attempt(lambda: 'traced' if libc.ptrace(16, 1, 0, 0) == 0 else 'no')",
        denied=("mounted", "unshared", "traced", "None"),
    ),
    stealing(
        "other programs",
        "import os, subprocess, multiprocessing, sys",
        "for call in (lambda: subprocess.run([sys.executable, '-c', 'print(1)']).returncode, lambda: os.system('id') == 0,"
        " lambda: os.fork(), lambda: os.execv(sys.executable, ['x']), lambda: os.posix_spawn(sys.executable, ['x'], {})):",
        "    attempt(call)",
        denied=("True", "[0", " 0", "0,"),
    ),
    stealing(
        "signals to other processes",
        "import os, signal",
        "for pid in (os.getppid(), -1, 2, 3, 4, 5, 6):",
        "    attempt(lambda: os.kill(pid, signal.SIGTERM) or f'killed {pid}' if pid not in (0, 1) else 'nobody')",
        denied=("killed 2", "killed 3", "killed 4", "killed 5", "killed 6"),
    ),
    stealing(
        "writing start-up files, caches and the package",
        "import os, site, sys, torch, assignments_lib",
        "targets = [os.path.join(os.path.dirname(m.__file__), 'sitecustomize.py') for m in (torch, assignments_lib, os)]",
        "targets += ['/course/template.py', '/course/walls.py', '/usercustomize.py', '/course/assignments_lib/checks/wire.py',"
        " '/etc/passwd', '/dev/sda', '/lib/x', sys.prefix + '/x.pth']",
        "for path in targets:",
        "    attempt(lambda: open(path, 'a').write('x') and f'wrote {path}')",
        denied=("wrote",),
    ),
    stealing(
        "raising its own limits",
        "import resource",
        "for what in ('RLIMIT_AS', 'RLIMIT_FSIZE', 'RLIMIT_NOFILE'):",
        "    attempt(lambda: resource.setrlimit(getattr(resource, what), (2**40, 2**40)) or 'raised it')",
        denied=("raised it",),
    ),
    stealing(
        "nbgrader's database",
        "import sqlite3, glob",
        "attempt(lambda: [p for f in ('/', '/*/', '/*/*/', '/tmp/*/') for p in glob.glob(f + 'gradebook.db')])",
        "attempt(lambda: sqlite3.connect('file:/course/gradebook.db?mode=rw', uri=True).execute('UPDATE grade SET auto_score=100'))",
        denied=("gradebook.db'", "Cursor"),
    ),
    stealing(
        "a peer's work left behind",
        "import os",
        "attempt(lambda: [os.path.join(f, n) for f, _, names in os.walk('/tmp') for n in names])",
        "attempt(lambda: os.listdir('/dev/shm'))",
        "open('/tmp/peer', 'w').write('my work'); open('/dev/shm/peer', 'w').write('my work')",
        denied=("peer",),
    ),
    # -- answers that aren't -----------------------------------------------------------------------------------
    Attack(
        "a reference that isn't there",
        "",
        {
            "1.2": "from assignments_lib.checks.resnet34.block import EXERCISE\nBasicBlock = EXERCISE.reference()['BasicBlock']"
        },
    ),
    Attack(
        "a pickle as an answer",
        "import pickle, os\nclass Bomb:\n    def __reduce__(self): return (os.system, ('touch /tmp/owned',))",
        {
            "1.1": BOTH + "pickle.dumps(Bomb())",
            "1.7": "def evaluate(*a): return Bomb()\ntrain_one_epoch = evaluate",
        },
    ),
    Attack(
        "answers that only ever hold for one seed",
        "import random, torch\nrandom.seed(0); torch.manual_seed(0)\n"
        "table = {}\ndef lookup(*args, **kwargs):\n    return table.get((args, tuple(kwargs.items())), 112)",
        {"1.1": "conv_output_size = receptive_field = lookup"},
    ),
]
