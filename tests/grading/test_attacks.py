"""No attack earns a point or learns anything, and the submission after it is graded as if it hadn't been."""

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attacks import ATTACKS, SECRET, Attack
from submissions import Submit

from assignments_lib.checks.answer import InProcess
from assignments_lib.checks.exercise import evaluate
from assignments_lib.checks.host import run_source
from assignments_lib.grading.sandbox import Sandbox
from assignments_lib.marking.mark import mark as grade
from assignments_lib.marking.matching import match
from assignments_lib.marking.reading import notebooks
from assignments_lib.marking.release import Release
from assignments_lib.marking.result import to_json
from assignments_lib.marking.score import Sitting

HONEST = {
    "1.1": """
def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1

def receptive_field(layers):
    seen, step = 1, 1
    for kernel_size, stride in layers:
        seen, step = seen + (kernel_size - 1) * step, step * stride
    return seen
"""
}


@pytest.fixture(scope="module", autouse=True)
def _a_secret() -> Iterator[None]:
    """It stands in the grader's environment and in its memory, before the sandbox is made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADERS_SECRET", SECRET)
        yield


def test_there_are_enough_attacks() -> None:
    assert len({attack.name for attack in ATTACKS}) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_earns_and_learns_nothing(
    attack: Attack, room: Sandbox, resnet34: Release, submit: Submit
) -> None:
    data = submit(answers=attack.answers, first=attack.code)
    graded = grade(resnet34, "mallory", [("a.ipynb", data)], 5, room)
    assert graded.problem == ""
    assert graded.earned == attack.points, [part for e in graded.exercises for part in e.parts if part.earned]
    assert SECRET not in to_json(graded)
    assert os.environ["GRADERS_SECRET"] not in to_json(graded)
    if attack.denied:
        matched = match(resnet34, notebooks("a.ipynb", data)[0])
        sitting = Sitting(room, resnet34.preamble, matched.cells)
        loot = sitting.call("conv_output_size")
        assert loot, "the attack did not even run"
        assert not [each for each in loot for word in attack.denied if word in each]
    after = grade(resnet34, "alice", [("a.ipynb", submit(answers=HONEST))], 5, room)
    assert after.earned == resnet34.assignment.task("1.1").points


def test_what_one_submission_leaves_behind_is_gone_for_the_next(room: Sandbox) -> None:
    writes = "open('/tmp/left', 'w').write('x'); import builtins, torch; builtins.left = 1; torch.left = 1"
    reads = (
        "import os, builtins, torch\n"
        "def look(): return os.listdir('/tmp'), hasattr(builtins, 'left'), hasattr(torch, 'left')"
    )
    assert room.guest().define([writes]) == []
    guest = room.guest()
    assert guest.define([reads]) == []
    assert guest.call("look") == ([], False, False)


def test_nothing_can_be_written_but_its_own_two_folders(room: Sandbox) -> None:
    guest = room.guest()
    source = """
import os
def look():
    found = set()
    for folder, folders, names in os.walk("/"):
        if folder.count("/") > 3:
            folders.clear()
        try:
            with open(os.path.join(folder, "mine"), "w"):
                found.add(folder)
            os.remove(os.path.join(folder, "mine"))
        except OSError:
            pass
    return sorted(found)
"""
    assert guest.define([source]) == []
    assert guest.call("look") == ["/dev/shm", "/tmp"]


def test_only_the_pipe_is_open(room: Sandbox) -> None:
    guest = room.guest()
    source = """
import os, stat
def look():
    found = []
    for fd in range(256):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        found.append("socket" if stat.S_ISSOCK(mode) else "device" if stat.S_ISCHR(mode) else "other")
    return sorted(set(found))
"""
    assert guest.define([source]) == []
    assert guest.call("look") == ["device", "socket"]


@pytest.mark.slow
def test_a_table_of_the_desks_inputs_earns_nothing_with_the_graders(
    room: Sandbox, resnet34: Release, submit: Submit
) -> None:
    """Whoever writes down what the check asked at the desk, with the right answers, has them for that seed only."""
    asked: dict[str, dict[Any, Any]] = {"conv_output_size": {}, "receptive_field": {}}
    honest: dict[str, Any] = {}
    run_source(HONEST["1.1"], "<honest>", honest)

    def recording(name: str) -> Callable[..., Any]:
        def answer(*args: Any, **kwargs: Any) -> Any:
            result = honest[name](*args, **kwargs)
            asked[name][repr((args, sorted(kwargs.items())))] = result
            return result

        return answer

    exercise = resnet34.exercises[0]
    desk = evaluate(exercise, InProcess({name: recording(name) for name in asked}), seed=1)
    assert desk.earned == exercise.points
    table = f"table = {asked!r}\n" + "\n".join(
        f"def {name}(*args, **kwargs): return table[{name!r}].get(repr((args, sorted(kwargs.items()))), 7)"
        for name in asked
    )
    files = [("a.ipynb", submit(answers={"1.1": table}))]
    assert grade(resnet34, "mallory", files, 1, room).earned == exercise.points
    for seed in (2, 3, 4):
        assert grade(resnet34, "mallory", files, seed, room).earned < exercise.points / 2


def test_tags_points_and_outputs_that_a_submission_claims_count_for_nothing(
    room: Sandbox,
    resnet34: Release,
    submit: Submit,
) -> None:
    notebook = json.loads(submit())
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]
        cell["metadata"].setdefault("nbgrader", {})["points"] = 1000
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": "90.0"}, "metadata": {}}
            ]
    notebook["metadata"]["assignments"]["points"] = 1000
    graded = grade(resnet34, "mallory", [("a.ipynb", json.dumps(notebook).encode())], 5, room)
    assert (graded.earned, graded.points) == (0, resnet34.assignment.points)


def test_an_easy_answer_under_a_hard_ones_id_earns_nothing(
    room: Sandbox, resnet34: Release, submit: Submit
) -> None:
    answers = {f"1.{number}": HONEST["1.1"] for number in range(2, 9)}
    graded = grade(resnet34, "mallory", [("a.ipynb", submit(answers=answers))], 5, room)
    assert graded.earned == resnet34.assignment.task("1.1").points  # what it answers, and nothing else


def test_a_torch_beside_the_notebook_is_never_imported(
    room: Sandbox, resnet34: Release, submit: Submit
) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.ipynb", submit(answers=HONEST))
        archive.writestr("torch.py", "raise SystemExit('owned')")
        archive.writestr("../../../../tmp/slipped.py", "owned")
        archive.writestr("sitecustomize.py", "raise SystemExit('owned')")
    graded = grade(resnet34, "mallory", [("a.zip", data.getvalue())], 5, room)
    assert graded.earned == resnet34.assignment.task("1.1").points
    assert not os.path.exists("/tmp/slipped.py")
