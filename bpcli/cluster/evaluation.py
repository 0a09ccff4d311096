"""One evaluation on a cluster: which worker computes which shards, until there are sums of all.

The bits do not depend on it: each shard is computed as a whole, and the sums are added later.
"""

from __future__ import annotations

import asyncio
import math
import pickle
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeAlias

from bpcli.cluster.members import LOST, Members, require_patience
from bpcli.cluster.plugin import Request
from bpcli.cluster.traffic import Traffic
from bpcli.errors import ClusterError, DataError, WorkerLost

Bundle: TypeAlias = tuple[int, int]
"""Shards that a worker computes at a request: from the first number to before the second."""

_TICK_SECONDS = 0.5
_BUNDLE_SECONDS = (0.02, 1.0)
"""A request takes 1 ms besides its work. A lost worker costs at most the bundles that it had."""

_BUNDLE_BYTES = 16 * 2**20
_LATE_SECONDS = 2.0
"""A bundle is computed a second time by an idle worker after this and four times its usual time."""

_MOST_LOSSES = 12
_BEGIN_SECONDS = 60.0


@dataclass
class Remote:
    """Work that workers do for a client: its key, its pickled form, and the latest parameters.

    `digest` is that of some of its rows.
    """

    key: str
    work: bytes
    digest: str
    bytes_per_shard: int
    shard_seconds: float
    version: int = 0


@dataclass
class _Out:
    """A bundle that workers compute."""

    since: float
    owners: set[str] = field(default_factory=set)


class Evaluation:
    """The sums of all shards at some parameters; `store` takes them bundle by bundle."""

    def __init__(
        self,
        pool: Any,
        members: Members,
        traffic: Traffic,
        remote: Remote,
        params: Any,
        request: Request,
        shards: int,
        store: Callable[[Bundle, Mapping[str, Any]], None],
    ) -> None:
        self._pool, self._members, self._traffic = pool, members, traffic
        self._remote, self._params, self._request = remote, params, request
        self._store = store
        self._shards = shards
        self._missing = {*range(shards)}
        self._todo: deque[Bundle] = deque([(0, shards)])
        self._out: dict[Bundle, _Out] = {}
        self._feeds: dict[str, asyncio.Task[None]] = {}
        self._lost: set[str] = set()
        self._losses = 0
        self._last_progress = monotonic()
        self.worker_seconds = 0.0

    async def run(self) -> None:
        """Return when there are sums of all shards.

        Raises `WorkerLost` if no worker is left, and what a worker's work raised.
        """
        try:
            while self._missing:
                look = self._members.keep_up()
                self._start_feeds()
                waiting = {*self._feeds.values(), *([look] if look else [])}
                if waiting:
                    await asyncio.wait(
                        waiting, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
                else:
                    await asyncio.sleep(_TICK_SECONDS / 10)
                self._end_feeds()
                self._require_progress()
        finally:
            await self._cancel_feeds()

    async def _cancel_feeds(self) -> None:
        """End all requests. Workers whose work others had to do must show that they answer."""
        feeds = [*self._feeds.values()]
        for feed in feeds:
            feed.cancel()
        await asyncio.gather(*feeds, return_exceptions=True)
        if not self._missing:
            for address in {owner for out in self._out.values() for owner in out.owners}:
                self._end_lost(address)

    # Workers.

    def _start_feeds(self) -> None:
        """Give work to the workers that have none: first a bundle to each of their threads."""
        for address, threads in self._members.threads.items():
            if address not in self._feeds:
                bundles = [*filter(None, (self._take(address) for _ in range(threads)))]
                if bundles:
                    self._feeds[address] = asyncio.create_task(self._feed(address, bundles))

    def _end_feeds(self) -> None:
        """Note the workers that were lost, and raise what the work raised."""
        for address, feed in [*self._feeds.items()]:
            if address in self._lost or address not in self._members.threads:
                self._end_lost(address)
            elif feed.done():
                del self._feeds[address]
                feed.result()

    def _end_lost(self, address: str) -> None:
        """Let others compute what a worker has not finished."""
        self._feeds.pop(address).cancel()
        for bundle in [each for each, out in self._out.items() if address in out.owners]:
            self._release(address, bundle)
        self._lost.discard(address)
        self._members.remove(address)
        self._traffic.lost_workers += 1
        self._losses += 1

    def _require_progress(self) -> None:
        if self._losses > _MOST_LOSSES:
            raise WorkerLost(
                f"{self._losses} workers ended one after another, before any of them had finished "
                "its rows; perhaps they need more memory than their limit."
            )
        if not self._members.threads:
            require_patience(monotonic() - self._last_progress, "resume the run")

    async def _feed(self, address: str, bundles: list[Bundle]) -> None:
        """Keep a worker busy: its threads, and one request more that waits for them."""
        try:
            await asyncio.wait_for(self._begin(address), _BEGIN_SECONDS)
        except LOST:
            self._lost.add(address)
            return
        requests = [asyncio.create_task(self._requests(address, each)) for each in [*bundles, None]]
        try:
            await asyncio.gather(*requests)
        finally:  # `gather` lets the others go on if one fails
            for request in requests:
                request.cancel()

    async def _begin(self, address: str) -> None:
        """Send the parameters, and the work if the worker has not got it."""
        worker, remote = self._pool(address), self._remote
        message = {"key": remote.key, "version": remote.version, "params": self._params}
        if "unknown" in await worker.bpnet_begin(**message):
            opened = await worker.bpnet_open(key=remote.key, work=remote.work, digest=remote.digest)
            _require_success(address, opened)
            await worker.bpnet_begin(**message)
            self._traffic.bytes_sent += len(remote.work)
        self._traffic.bytes_sent += self._params.data.nbytes

    async def _requests(self, address: str, bundle: Bundle | None) -> None:
        """Request a bundle from a worker, and then others."""
        while bundle := bundle or self._take(address):
            try:
                answer = await self._pool(address).bpnet_sums(
                    key=self._remote.key,
                    version=self._remote.version,
                    first=bundle[0],
                    end=bundle[1],
                    request=[*self._request],
                )
            except LOST:
                answer = {"unknown": True}
            if "unknown" in answer:  # it has ended, or was replaced by another process
                self._lost.add(address)
                return
            _require_success(address, answer)
            self._receive(address, bundle, answer)
            bundle = None

    def _receive(self, address: str, bundle: Bundle, answer: Mapping[str, Any]) -> None:
        self._losses, self._last_progress = 0, monotonic()
        self.worker_seconds += answer["seconds"]
        self._remote.shard_seconds = answer["seconds"] / (bundle[1] - bundle[0])
        if bundle[0] in self._missing:
            self._missing.difference_update(range(*bundle))
            self._store(bundle, answer)
        self._release(address, bundle)

    # Bundles.

    def _take(self, address: str) -> Bundle | None:
        """The next bundle for a worker; None if there is none, or the worker was lost."""
        if address in self._lost:
            return None
        bundle = self._next() if self._todo else self._late(address)
        if bundle is not None:
            self._out.setdefault(bundle, _Out(monotonic())).owners.add(address)
        return bundle

    def _next(self) -> Bundle:
        size = self._size()
        first, end = self._todo.popleft()
        size = min(end - first, size)
        if first + size < end:
            self._todo.appendleft((first + size, end))
        return first, first + size

    def _size(self) -> int:
        """Shards per bundle: large at first, small at the end, so that all workers end together.

        The first bundles of all workers leave none without work.
        """
        left = sum(end - first for first, end in self._todo)
        threads, seconds = self._members.total_threads, max(1e-6, self._remote.shard_seconds)
        fewest, most = (math.ceil(limit / seconds) for limit in _BUNDLE_SECONDS)
        size = max(fewest, math.ceil(left / (2 * threads)))
        by_bytes = _BUNDLE_BYTES // self._remote.bytes_per_shard
        return max(1, min(size, most, by_bytes, math.ceil(self._shards / threads)))

    def _late(self, address: str) -> Bundle | None:
        """A bundle that another worker should have finished long ago, if there is one."""
        now = monotonic()
        for bundle, out in self._out.items():
            usual = (bundle[1] - bundle[0]) * self._remote.shard_seconds
            is_late = now - out.since > _LATE_SECONDS + 4 * usual
            if is_late and bundle[0] in self._missing and address not in out.owners:
                return bundle
        return None

    def _release(self, address: str, bundle: Bundle) -> None:
        """Let others compute a bundle if it is not finished, and no other worker computes it."""
        owners = self._out[bundle].owners
        owners.discard(address)
        if owners:
            return
        del self._out[bundle]
        if bundle[0] in self._missing:
            self._traffic.repeated_shards += bundle[1] - bundle[0]
            self._todo.appendleft(bundle)


def _require_success(address: str, answer: Mapping[str, Any]) -> None:
    """Raise what the work of a worker raised."""
    failure = answer.get("failed")
    if failure is None:
        return
    if failure["pickled"]:
        error = pickle.loads(failure["pickled"])
        raise _with_worker(error, address) if isinstance(error, DataError) else error
    raise ClusterError(f"The worker {address} could not compute its rows: {failure['text']}")


def _with_worker(error: DataError, address: str) -> DataError:
    """The error with the address of its worker, as the same file may be in order on others."""
    if address in str(error):
        return error
    return DataError(
        f"The worker {address} cannot read its rows: {error}: all workers need the file of this "
        "machine, at the same path",
        error.key,
        error.file,
    )
