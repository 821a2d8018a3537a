"""The answer in another process: what it does to itself stays there, and a message says what happened."""

import sys
import time
from collections.abc import Iterator

import pytest
import torch

from assignments_lib.checks.answer import Answer, InProcess, Lost, Opaque, Raised, Ref
from assignments_lib.checks.child import ChildProcess
from assignments_lib.checks.host import run_source


def both(source: str, child: ChildProcess) -> list[Answer]:
    """The same source at the desk and in a child."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    run_source(source, "<cell 1>", namespace)
    assert child.define([source]) == []
    return [InProcess(namespace), child]  # type: ignore[arg-type]


@pytest.fixture
def mortal() -> Iterator[ChildProcess]:
    """A child that a test may break."""
    with ChildProcess(timeout=60) as process:
        yield process


RETURNS = """
import collections, types
import numpy as np, torch
from torch import nn
Pair = collections.namedtuple("Pair", "a b")
def number(): return np.int32(3), np.float32(0.5), True
def pair(): return Pair(1, [2.0, (3,)])
def tensors(): return {"t": torch.eye(2).T, "scalar": torch.tensor(1.5, requires_grad=True), "array": np.arange(3)}
def strange(): return types.SimpleNamespace(), {1: 2}, 2**70, {3, 4}, number, torch.zeros(2, dtype=torch.complex64)
def sparse(): return torch.eye(2).to_sparse()
def meta(): return torch.empty(2, device="meta")
def deep():
    value = []
    for _ in range(300): value = [value]
    return value
def endless():
    value = []; value.append(value); return value
def module(): return nn.Linear(2, 1)
def one(): return nn.Parameter(torch.ones(2))
"""


def test_what_comes_back_is_the_same_both_ways(child: ChildProcess) -> None:
    here, there = both(RETURNS, child)
    for name in ("number", "pair", "strange", "deep", "endless"):
        assert here.call(name) == there.call(name), name
    assert here.call("number") == (3, 0.5, True)
    assert here.call("pair") == (1, [2.0, (3,)])
    assert all(isinstance(thing, Opaque) for thing in there.call("strange"))
    for answer in (here, there):
        came = answer.call("tensors")
        assert torch.equal(came["t"], torch.eye(2))
        assert came["scalar"].requires_grad
        assert came["array"].tolist() == [0, 1, 2]
        assert isinstance(answer.call("sparse"), Opaque)
        assert isinstance(answer.call("meta"), Opaque)
        assert type(answer.call("one")) is torch.Tensor
        assert isinstance(answer.call("module"), Ref)


FAILS = """
import torch
def helper(x):
    return x + torch.ones(3)   # the line that fails
def call_helper(x):
    return helper(x)
def through_torch():
    return torch.nn.Linear(2, 2)(torch.ones(5))
def leave():
    raise SystemExit("bye")
def name_an_address():
    raise ValueError(f"{object()} is no picture")
def wordy():
    raise ValueError("line\\n" * 50 + "x" * 5000)
class Network(torch.nn.Module):
    def forward(self, x):
        return x.no_such_thing
"""


def raised(answer: Answer, name: str, *args: object) -> Raised:
    with pytest.raises(Raised) as caught:
        answer.call(name, *args)
    return caught.value


def test_an_exception_shows_the_students_own_lines_only(child: ChildProcess) -> None:
    for answer in both(FAILS, child):
        error = raised(answer, "call_helper", torch.ones(2))
        assert error.type_name == "RuntimeError"
        assert [(frame.where, frame.code) for frame in error.frames] == [
            ("call_helper", "return helper(x)"),
            ("helper", "return x + torch.ones(3)   # the line that fails"),
        ]
        assert [frame.line_number for frame in error.frames] == [6, 4]
        inside = raised(answer, "through_torch")
        assert [frame.where for frame in inside.frames] == ["through_torch"]
        network = answer.call("Network")
        with pytest.raises(Raised, match="no_such_thing") as caught:
            answer.run(network, torch.ones(1))
        assert [frame.where for frame in caught.value.frames] == ["Network.forward"]


def test_messages_are_short_and_name_no_addresses(child: ChildProcess) -> None:
    errors = [
        [raised(answer, name) for name in ("name_an_address", "wordy", "leave")]
        for answer in both(FAILS, child)
    ]
    assert [str(error) for error in errors[0]] == [str(error) for error in errors[1]]
    address, wordy, leave = errors[0]
    assert "0x" not in address.message
    assert len(wordy.message) < 500
    assert str(leave) == "SystemExit: bye"
    for error in errors[0]:
        assert "site-packages" not in repr(error.frames)
        assert sys.prefix not in repr(error.frames)


def test_a_name_that_is_not_defined(child: ChildProcess) -> None:
    for answer in both("x = 1", child):
        with pytest.raises(Raised, match="make_stage is not defined: run the cell that defines it"):
            answer.call("make_stage", 1)


def test_cells_are_run_in_order_and_errors_are_kept(child: ChildProcess) -> None:
    errors = child.define(["a = 1", "b = a / 0", "c = (", "def f(): return a + 1"])
    assert [error.type_name for error in errors] == ["ZeroDivisionError", "SyntaxError"]
    assert errors[0].frames[-1].code == "b = a / 0"
    assert child.call("f") == 2
    assert child.define(["d = 1"]) == []
    with pytest.raises(Raised, match="f is not defined"):
        child.call("f")


def test_what_the_answer_prints_or_reads_stays_out_of_the_pipe(child: ChildProcess) -> None:
    source = """
import os, sys
def noisy():
    print("hello" * 1000); sys.stdout.flush(); os.write(1, b"raw bytes"); sys.stderr.write("x")
    sys.__stdout__.write("more")
    return 1
def ask():
    return input("name? ")
def read():
    return sys.stdin.read() + os.read(0, 10).decode()
"""
    assert child.define([source]) == []
    assert child.call("noisy") == 1
    with pytest.raises(Raised, match="EOFError"):
        child.call("ask")
    assert child.call("read") == ""
    assert child.call("noisy") == 1


def test_sys_exit_is_an_error_like_any_other(child: ChildProcess) -> None:
    child.define(["import sys\ndef f(): sys.exit(3)\ndef g(): return 4"])
    with pytest.raises(Raised, match="SystemExit: 3"):
        child.call("f")
    assert child.call("g") == 4
    assert [error.type_name for error in child.define(["import sys; sys.exit()"])] == ["SystemExit"]


def test_a_switched_off_gradient_mode_comes_back(child: ChildProcess) -> None:
    source = """
import torch
def careless(): torch.set_grad_enabled(False); return 1
def enabled(): return torch.is_grad_enabled()
"""
    for answer in both(source, child):
        answer.call("careless")
        assert answer.call("enabled") is True
    assert torch.is_grad_enabled()


def test_a_module_that_cannot_be_looked_at_is_the_answers_error(child: ChildProcess) -> None:
    source = "from torch import nn\ndef make(): return nn.LazyLinear(3)"
    for answer in both(source, child):
        module = answer.call("make")
        for look in (
            answer.describe,
            answer.state,
            answer.summaries,
            lambda m, a=answer: a.load(m, {"nothing": torch.ones(1)}),
        ):
            with pytest.raises(Raised):
                look(module)
        assert isinstance(answer.call("make"), Ref)


def test_a_child_that_dies(mortal: ChildProcess) -> None:
    mortal.define(["import os\ndef f(): os._exit(0)"])
    with pytest.raises(Lost, match="has ended"):
        mortal.call("f")
    with pytest.raises(Lost, match="has ended"):
        mortal.call("f")


def test_a_child_that_hangs(mortal: ChildProcess) -> None:
    mortal.define(["def f():\n    while True: pass"])
    mortal.timeout = 1.0
    started = time.monotonic()
    with pytest.raises(Lost, match="no answer within 1 seconds"):
        mortal.call("f")
    assert time.monotonic() - started < 30
    with pytest.raises(Lost, match="has ended"):
        mortal.call("f")


def test_a_child_that_talks_nonsense(mortal: ChildProcess) -> None:
    mortal.define(
        [
            "import os\n"
            "def f():\n"
            "    for fd in range(3, 20):\n"
            "        try: os.write(fd, b'\\xff' * 64)\n"
            "        except OSError: pass"
        ]
    )
    with pytest.raises(Lost, match="too much"):
        mortal.call("f")


def test_a_child_that_cannot_start() -> None:
    with pytest.raises(Lost, match="has ended"):
        ChildProcess(timeout=30, command=(sys.executable, "-c", "raise SystemExit(1)"))


def test_both_sides_draw_the_same_random_numbers(child: ChildProcess) -> None:
    here, there = both("import torch\ndef draw(): return torch.rand(3)", child)
    drawn = []
    for answer in (here, there):
        with torch.random.fork_rng(devices=[]):
            answer.forget()
            drawn.append(answer.call("draw"))
    assert torch.equal(*drawn)


SEEDED = """
import random
import numpy as np, torch
def draws(): return float(torch.rand(())), random.random(), float(np.random.rand())
def fill_(x): return x.zero_()
def fill(x): return x * 0
"""


def test_seeds_and_writing_are_the_same_both_ways(child: ChildProcess) -> None:
    here, there = both(SEEDED, child)
    drawn = []
    for answer in (here, there):
        answer.seed(7)
        drawn += [answer.call("draws")]
        answer.seed(8)
        assert answer.call("draws") != drawn[-1]
        assert answer.writes("fill_", torch.ones(2))
        assert not answer.writes("fill", torch.ones(2))
    assert drawn[0] == drawn[1]


def test_attributes_are_the_same_both_ways(child: ChildProcess) -> None:
    source = "from torch import nn\ndef layer(): return nn.Sequential(nn.Conv2d(1, 2, (3, 5)))"
    for answer in both(source, child):
        module = answer.call("layer")
        assert answer.attribute(module, "0.kernel_size") == (3, 5)
        assert isinstance(answer.attribute(module, "0"), Ref)
        with pytest.raises(Raised, match="AttributeError"):
            answer.attribute(module, "0.kernel")
