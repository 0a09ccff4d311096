"""The process of a local cluster: a scheduler, and the workers that it starts.

It reads what is asked as a line of JSON, prints where the scheduler listens, and ends when its
standard input does: also if the process that trains is killed.
"""

from __future__ import annotations

import json
import sys

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Serve until the standard input ends."""
    import dask
    from distributed import LocalCluster

    asked = json.loads(sys.stdin.readline())
    with (
        # Samples of the call stack, every 10 ms, are of no use here.
        dask.config.set({"distributed.worker.profile.enabled": False}),
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
        sys.stdin.read()
