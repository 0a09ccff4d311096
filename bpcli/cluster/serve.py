"""The process of a local cluster: a scheduler, and the workers that it starts.

It reads what is asked as a line of JSON, prints where the scheduler listens, and ends when its
standard input does: also if the process that trains is killed.
"""

from __future__ import annotations

import json
import sys
from threading import Event, Thread
from typing import Any

LOOPBACK = "127.0.0.1"
_SECONDS_BETWEEN_LOOKS = 1.0
_LOOKS = 4
_SETTINGS = {
    # Samples of the call stack, every 10 ms, are of no use here.
    "distributed.worker.profile.enabled": False,
    # Dask makes glibc return memory at once: a worker got new pages for every block of rows, which
    # took 16 % of an epoch (a million rows, 20-50-1, one worker: 486 instead of 408 ms).
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}


def main() -> None:
    """Serve until the standard input ends."""
    import dask
    from distributed import LocalCluster

    asked = json.loads(sys.stdin.readline())
    with (
        dask.config.set(_SETTINGS),
        LocalCluster(
            n_workers=asked["workers"],
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            memory_limit=asked["memory_limit"],
            dashboard_address=asked["dashboard"],
        ) as cluster,
    ):
        where = {"address": cluster.scheduler_address, "dashboard": cluster.dashboard_link}
        print(json.dumps(where), flush=True)
        has_ended = Event()
        Thread(target=_wait_for_end, args=(has_ended,), daemon=True).start()
        keep_workers(cluster, asked["workers"], has_ended)


def _wait_for_end(has_ended: Event) -> None:
    sys.stdin.read()
    has_ended.set()


def keep_workers(cluster: Any, count: int, has_ended: Event) -> None:
    """Replace workers that stay away, until the event is set.

    dask starts a worker again that has ended, but sometimes not if it ends just after its start.
    """
    looks = 0
    while not has_ended.wait(_SECONDS_BETWEEN_LOOKS):
        missing = count - sum(each.is_alive() for each in cluster.workers.values())
        looks = looks + 1 if missing > 0 else 0
        if looks == _LOOKS:
            cluster.scale(len(cluster.worker_spec) + missing)
            looks = 0
