"""On a real cluster of two workers, one of which is killed in the middle: nothing is lost, nothing graded twice."""

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from submissions import NOTEBOOKS, Submit, need_sandbox

from assignments_lib.grading import cluster
from assignments_lib.grading.job import Job
from assignments_lib.marking.room import Limits

RELEASE = NOTEBOOKS / "1_resnet34.ipynb"


@pytest.mark.slow
def test_a_worker_killed_in_the_middle(submit: Submit, tmp_path: Path) -> None:
    need_sandbox()
    from distributed import LocalCluster

    slow = "import time\ntime.sleep(0.5)"
    jobs = [
        Job(
            RELEASE.name,
            RELEASE.read_bytes(),
            f"student {number}",
            (
                (
                    "a.ipynb",
                    submit(
                        answers={
                            "1.1": f"{slow}\nconv_output_size = receptive_field = lambda *a, **k: {number}"
                        }
                    ),
                ),
            ),
            5,
            Limits(),
            key=f"{number:064}",
        )
        for number in range(12)
    ]
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(tmp_path),
    ) as workers:
        seen: list[str] = []
        killed: list[int] = []

        def kill() -> None:
            while len(seen) < 3:
                time.sleep(0.05)
            victim = next(iter(workers.workers.values()))
            killed.append(victim.pid)
            os.kill(victim.pid, signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()
        results = []
        for result in cluster.grade_all(jobs, workers.scheduler_address):
            seen.append(result.student)
            results.append(result)
    assert killed
    assert Counter(seen) == Counter(job.student for job in jobs)
    assert not [result.problem for result in results if result.problem]
    assert all(result.exercises[0].status == "FAIL" for result in results)


@pytest.mark.slow
def test_nobody_answers() -> None:
    with pytest.raises(cluster.ClusterUnavailable, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"):
        list(cluster.grade_all([], "tcp://127.0.0.1:9"))


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(cluster.ClusterUnavailable, match=r"assignments-lib\[cluster\]"):
        list(cluster.grade_all([], "tcp://127.0.0.1:9"))
