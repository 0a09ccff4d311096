"""What a worker of a cluster does for trainings: it answers requests for the sums of shards.

A client speaks with it directly, as with an actor, and not through tasks of the scheduler: each of
these takes 3 ms of processor time, a request 1 ms.
"""

from __future__ import annotations

import asyncio
import pickle
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic, perf_counter
from typing import Any, NamedTuple

import numpy as np
from distributed import WorkerPlugin
from distributed.protocol import to_serialize

from bpcli.cluster.facts import facts
from bpcli.cluster.jobs import Jobs
from bpcli.engine.shard_work import ShardWork
from bpcli.errors import BpnetError, DataError
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.numerics import repeatable_numerics

PLUGIN = "bpnet"
_FORGOTTEN_AFTER_SECONDS = 600.0
"""Work that is not asked for is forgotten; its client sends it again if it still needs it."""


class Request(NamedTuple):
    """The sums that are asked for of each shard."""

    loss: bool = False
    grad: bool = False
    tally: int | None = None


@dataclass
class Opened:
    """The work of a client, with the parameters of its latest evaluation."""

    work: ShardWork
    version: int = -1
    params: Vector | None = None
    used: float = field(default_factory=monotonic)
    _own: threading.local = field(default_factory=threading.local)

    def sums(self, version: int, first: int, end: int, request: Request) -> dict[str, Any] | None:
        """The sums of the shards from `first` to `end`, or of the groups of pieces of a tally.

        None if they are of no use any more.
        """
        started, params = perf_counter(), self.params
        if version != self.version or params is None:
            return None
        if not hasattr(self._own, "work"):
            self._own.work = replace(self.work)  # each thread has its own buffers
        by_shard: list[dict[str, Array]] = []
        with repeatable_numerics():
            for number in range(first, end):
                if version != self.version:
                    return None
                by_shard.append(_sums(self._own.work, number, params, request))
        joined = {name: np.concatenate([each[name] for each in by_shard]) for name in by_shard[0]}
        return joined | {"seconds": perf_counter() - started}


def _sums(work: ShardWork, number: int, params: Vector, request: Request) -> dict[str, Array]:
    """What is asked for, a row for the shard, or one for each piece of the group."""
    if request.tally is not None:
        return {"tallies": work.counts(number, params, request.tally)}
    shard = work.sums(number, params, loss=request.loss, grad=request.grad)
    sums = {"losses": np.array([shard.loss])} if request.loss else {}
    return sums if shard.grad is None else sums | {"grads": shard.grad[np.newaxis]}


class ShardPlugin(WorkerPlugin):  # type: ignore[misc]  # it has no types
    """Adds the requests of trainings to a worker; those that join later get it from the scheduler.

    Answers are mappings: with `failed` for what the work raised, and with `unknown` if the worker
    has not the work or the parameters, as after it was replaced by another process.
    """

    name = PLUGIN
    idempotent = True  # a second client must not take away the work of the first

    def setup(self, worker: Any) -> None:
        """Add the requests."""
        self._worker = worker
        self._opened: dict[str, Opened] = {}
        requests = (self.facts, self.open, self.begin, self.sums, self.close)
        self._jobs = Jobs(worker)
        handlers = {each.__name__: each for each in requests} | self._jobs.requests
        worker.handlers |= {f"bpnet_{name}": handler for name, handler in handlers.items()}

    def teardown(self, worker: Any) -> None:
        """End the processes of this worker's programs."""
        self._jobs.close()

    def facts(self) -> dict[str, Any]:
        """What the results of this worker depend on, and the number of its threads."""
        return facts() | {"threads": self._worker.state.nthreads}

    def open(self, key: str, work: bytes, digest: str) -> dict[str, Any]:
        """Take the work of a client, if some of its rows have this digest here too."""
        now = monotonic()
        for old, opened in [*self._opened.items()]:
            if now - opened.used > _FORGOTTEN_AFTER_SECONDS:
                del self._opened[old]
        try:
            taken: ShardWork = pickle.loads(work)
            if taken.digest() != digest:
                raise DataError(
                    f"The worker {self._worker.address} reads other rows from the file of the data "
                    "than this process: copy the same file to all machines."
                )
            self._opened[key] = Opened(taken)
        except Exception as error:  # such as a reader of another package
            return {"failed": _failure(error)}
        return {}

    def begin(self, key: str, version: int, params: Vector) -> dict[str, Any]:
        """Take the parameters of an evaluation."""
        opened = self._opened.get(key)
        if opened is None:
            return {"unknown": True}
        opened.version, opened.params, opened.used = version, params, monotonic()
        return {}

    async def sums(
        self, key: str, version: int, first: int, end: int, request: list[Any]
    ) -> dict[str, Any]:
        """The sums of some shards at these parameters, computed by a thread of the worker."""
        opened = self._opened.get(key)
        if opened is None:
            return {"unknown": True}
        compute = partial(opened.sums, version, first, end, Request(*request))
        threads = self._worker.executors["default"]
        try:
            sums = await asyncio.get_running_loop().run_in_executor(threads, compute)
        except Exception as error:  # also one of the system, which must not look like a lost worker
            return {"failed": _failure(error)}
        if sums is None:
            return {"unknown": True}
        arrays = {name: to_serialize(each) for name, each in sums.items() if name != "seconds"}
        return sums | arrays

    def close(self, key: str) -> dict[str, Any]:
        """Forget the work of a client."""
        self._opened.pop(key, None)
        return {}


def _failure(error: Exception) -> dict[str, Any]:
    """What another process can say of an exception: all of it if it is an expected one."""
    pickled = pickle.dumps(error) if isinstance(error, BpnetError) else b""
    return {"text": f"{type(error).__name__}: {error}", "pickled": pickled}
