"""The workers of a cluster that may compute: those that give the results of this process."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from bpcli.cluster.facts import differences, facts
from bpcli.errors import ClusterError, WorkerLost

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_WITHOUT_WORKERS = 0.1
_ANSWER_SECONDS = 5.0
_PATIENCE_SECONDS = 120.0

LOST = (OSError, asyncio.TimeoutError)
"""What a request raises if its worker has ended or cannot be reached."""


class Members:
    """The threads of each worker that may compute, by its address.

    Workers that join later are found while the cluster is used. `refused` has a sentence for each
    worker that would give other results.
    """

    def __init__(self, pool: Any, scheduler: str) -> None:
        self.threads: dict[str, int] = {}
        self.refused: dict[str, str] = {}
        self._pool = pool
        self._scheduler = scheduler
        self._here = facts()
        self._look: asyncio.Task[None] | None = None
        self._looked = 0.0

    @property
    def total_threads(self) -> int:
        """The threads of all workers, at least one."""
        return max(1, sum(self.threads.values()))

    def remove(self, address: str) -> None:
        """Forget a worker that was lost; if it still exists, it is found again."""
        if self.threads.pop(address, None):
            self._looked = 0.0

    def keep_up(self) -> asyncio.Task[None] | None:
        """Look from time to time for workers that joined or left, in a task of its own.

        Raises `WorkerLost` if the scheduler does not answer.
        """
        if self._look is not None and self._look.done():
            look, self._look = self._look, None
            look.result()
        due = _SECONDS_BETWEEN_LOOKS if self.threads else _SECONDS_WITHOUT_WORKERS
        if self._look is None and monotonic() - self._looked > due:
            self._look = asyncio.create_task(self.look())
        return self._look

    async def look(self) -> None:
        """Ask the scheduler for its workers, and examine those that are new."""
        try:
            scheduler = self._pool(self._scheduler)
            known = await asyncio.wait_for(scheduler.ncores(), _ANSWER_SECONDS)
        except LOST:
            raise WorkerLost(
                f"The scheduler at {self._scheduler} does not answer any more. What was trained "
                "is kept: start the cluster again, and resume the run."
            ) from None
        for address in [each for each in self.threads if each not in known]:
            del self.threads[address]
        new = [each for each in known if each not in self.threads | self.refused]
        await asyncio.gather(*map(self._examine, new))
        self._looked = monotonic()

    async def _examine(self, address: str) -> None:
        """Accept or refuse a worker; one that does not answer is asked again at the next look."""
        try:
            there = await asyncio.wait_for(self._pool(address).bpnet_facts(), _ANSWER_SECONDS)
        except LOST:
            return
        different = differences(self._here, there, f"The worker {address}")
        if different is None:
            self.threads[address] = there["threads"]
        else:
            self.refused[address] = different

    async def close(self) -> None:
        """End a look that goes on."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)


def require_patience(seconds: float, then: str) -> None:
    """Raise `WorkerLost` if there has been no worker for so long; `then` is what helps after that.

    A worker that was lost may return, and others may join.
    """
    if seconds > _PATIENCE_SECONDS:
        raise WorkerLost(
            f"The cluster has had no worker for {_PATIENCE_SECONDS:.0f} seconds: start some, and "
            f"{then}."
        )


def require_members(members: Members, scheduler: str) -> None:
    """Raise `ClusterError` if a worker was refused, or there is none."""
    if members.refused:
        raise ClusterError(next(iter(members.refused.values())))
    if not members.threads:
        raise ClusterError(
            f"The scheduler at {scheduler} has no worker that this process can reach: start some "
            f"with `dask worker {scheduler}`, in an environment with bpcli."
        )
