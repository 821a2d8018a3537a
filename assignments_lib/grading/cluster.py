"""A class that outgrows one machine: the same function on a Dask cluster (`pip install "assignments-lib[cluster]"`).

The scheduler hands a submission whose worker died to another one. Results come back here and are written here, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assignments_lib.grading.job import Job, do
from assignments_lib.marking.result import Graded


class ClusterUnavailable(Exception):
    """The cluster can't be used; the message says why, and what to do."""


def grade_all(jobs: Sequence[Job], address: str) -> Iterator[Graded]:
    """Grade them on the cluster whose scheduler has this address; results come as they are ready.

    Raises:
        ClusterUnavailable: Dask isn't installed, or no scheduler answers.
    """
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError:
        raise ClusterUnavailable(
            'A cluster needs Dask, which isn\'t installed: pip install "assignments-lib[cluster]"'
        ) from None
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ClusterUnavailable(
            f"No Dask scheduler answers at {address} ({error}). Start one with `dask scheduler`, and workers with "
            "`dask worker ADDRESS`, where this package and bubblewrap are installed."
        ) from None
    with client:
        # Not pure: the same bytes from two students are two submissions. A worker that dies twice over the same
        # submission is that submission's doing.
        by_key = {}
        for number, job in enumerate(jobs):
            future = client.submit(do, job, key=f"grade-{number}-{job.key[:16]}", pure=False, retries=1)
            by_key[future.key] = (future, job)
        for future in as_completed([future for future, _ in by_key.values()]):
            _, job = by_key[future.key]
            failure = future.exception()
            if failure is None:
                yield future.result()
            else:
                why = f"{type(failure).__name__}: {str(failure)[:300]}"
                yield job.failed(f"It could not be graded: {why}. This is for your instructor to look at.")
            future.release()
