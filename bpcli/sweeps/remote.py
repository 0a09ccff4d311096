"""Trainings on the workers of a cluster: each as a whole, in a process of its worker.

Nothing depends on which worker that is, so a training whose worker is lost begins again on another
one, from the files that its run had here.
"""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from bpcli.cluster.connection import ClusterConnection
from bpcli.cluster.members import LOST, require_patience
from bpcli.config.load import Config
from bpcli.errors import ClusterError, ConfigError, RunError
from bpcli.runs.lock import LockHeld
from bpcli.runs.record import argv
from bpcli.sweeps.parcels import Delivery, Order, files_of, write_folder
from bpcli.sweeps.program import Digests
from bpcli.sweeps.training import Training

PROGRAM = "bpcli.sweeps.program"
_MOST_LOSSES = 3
_POLL_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
_CLOSE_SECONDS = 3.0
_PATIENCE_WITH_OTHERS_SECONDS = 10.0
"""If the cluster has workers, but all were refused."""

_SECONDS_BETWEEN_LOOKS = 0.05


def refuse_shared(configs: Iterable[Config]) -> None:
    """Raise `ConfigError` for a training that needs all workers of a cluster."""
    if any(config.spec.training.engine == "dask" for config in configs):
        raise ConfigError(
            "--scheduler gives each of many trainings to one worker of the cluster, but "
            "`training.engine: dask` shares each among all workers: use only one of the two."
        )


class ClusterPlace:
    """At most so many trainings at once on a cluster, no more than its workers have threads."""

    def __init__(self, cluster: ClusterConnection, folder: Path, most: int) -> None:
        self.cluster = cluster
        self.folder = folder
        self.in_use: Counter[str] = Counter()
        self._most = most
        self._digests = Digests()
        self._since = monotonic()

    @property
    def slots(self) -> int:
        self.cluster.keep_up()
        return min(self._most, self.cluster.threads)

    def begin(self, training: Training) -> RemoteSeat:
        return RemoteSeat(self, training)

    def order(self, training: Training) -> bytes:
        """The order for a worker. Raises `RunError` or `OSError` if a file cannot be read."""
        paths = map(str, training.config.spec.data.files)
        data_files = {path: self._digests.of(path) for path in paths}
        files = files_of(self.folder / training.name)
        return pickle.dumps(Order(training, files, data_files, argv()))

    def release(self, seat: RemoteSeat) -> None:
        """A worker keeps its processes by itself."""

    def wait(self, seats: Sequence[RemoteSeat], seconds: float) -> None:
        wait([seat.future for seat in seats], seconds, FIRST_COMPLETED)

    def close(self) -> None:
        """Nothing: what opened the connection closes it."""

    def free_worker(self) -> str | None:
        """The worker with most free threads, in the thread of the client; None if all are busy.

        Raises `ClusterError` or `WorkerLost` if there has been none for some time.
        """
        members = self.cluster.members
        members.keep_up()
        if members.threads:
            self._since = monotonic()
        self._require_patience(monotonic() - self._since)
        free = {each: count - self.in_use[each] for each, count in members.threads.items()}
        best = max(free, key=free.__getitem__, default=None)
        return best if best is not None and free[best] > 0 else None

    def _require_patience(self, seconds: float) -> None:
        """Raise the reason if there has been no worker for so long; one that ended may return."""
        refused = self.cluster.refused
        if refused and seconds > _PATIENCE_WITH_OTHERS_SECONDS:
            raise ClusterError(refused[0])
        require_patience(seconds, "train the rest")


class RemoteSeat:
    """A training on a cluster."""

    def __init__(self, place: ClusterPlace, training: Training) -> None:
        self._place = place
        self._name = training.name
        self._is_stopping = False
        self._running: tuple[str, str] | None = None
        self._fate = ""
        self.future: Future[Delivery | None]
        try:
            self.future = place.cluster.start(self._train(place.order(training)))
        except (OSError, RunError) as error:
            self.future = Future()
            self.future.set_result(Delivery(str(error)))

    @property
    def has_answer(self) -> bool:
        return self.future.done()

    def answer(self) -> str | None:
        """Why it failed, once the files of its run are in their place; see `Seat`.

        Raises `ClusterError` or `WorkerLost` if there is no worker for it.
        """
        delivery = self.future.result()
        if delivery is None:
            return None
        try:
            if delivery.files:
                write_folder(delivery.files, self._place.folder / self._name)
        except LockHeld:
            return ""
        except RunError as error:
            return str(error)
        return delivery.error

    @property
    def fate(self) -> str:
        return self._fate

    def stop(self) -> None:
        self._is_stopping = True
        self._ask("bpnet_stop")

    def close(self) -> None:
        """End it at once; a worker that cannot be reached ends it after a minute by itself."""
        self._is_stopping = True
        if not self.future.done():
            with suppress(*LOST):
                asked = self._ask("bpnet_drop")
                if asked is not None:
                    asked.result(_CLOSE_SECONDS)
            self.future.cancel()

    def _ask(self, request: str) -> Future[None] | None:
        running = self._running
        if running is None:
            return None
        return self._place.cluster.start(self._asked(request, *running))

    # In the thread of the client.

    async def _asked(self, request: str, address: str, key: str) -> None:
        with suppress(*LOST):
            asked = getattr(self._place.cluster.pool(address), request)(key=key)
            await asyncio.wait_for(asked, _CLOSE_SECONDS)

    async def _train(self, order: bytes) -> Delivery | None:
        """Train on any worker, and on another one if it is lost."""
        losses = 0
        while losses < _MOST_LOSSES:
            address = await self._worker()
            if address is None:
                return None
            try:
                answer = await self._train_at(address, order)
            except LOST:
                losses += 1
                self._lose(address)
                continue
            if "fate" in answer:
                self._fate = f"on {address} {answer['fate']}"
                return None
            delivery: Delivery = pickle.loads(answer["answer"])
            if not delivery.refusal:
                return delivery
            self._refuse(address, delivery.refusal)
        return Delivery(f"The worker that trained it was lost {losses} times.")

    async def _worker(self) -> str | None:
        """A worker with a free thread; None if the training shall not begin any more."""
        while not self._is_stopping:
            address = self._place.free_worker()
            if address is not None:
                return address
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        return None

    async def _train_at(self, address: str, order: bytes) -> Mapping[str, Any]:
        """Train on one worker; raises one of `LOST` if it does not answer."""
        key, worker, in_use = uuid4().hex, self._place.cluster.pool(address), self._place.in_use
        in_use[address] += 1
        try:
            begun = worker.bpnet_run(key=key, module=PROGRAM, work=order)
            await asyncio.wait_for(begun, _ANSWER_SECONDS)
            self._running = address, key
            if self._is_stopping:  # just now
                await self._asked("bpnet_stop", address, key)
            return await self._answer(worker, key)
        finally:
            self._running = None
            in_use[address] -= 1

    async def _answer(self, worker: Any, key: str) -> Mapping[str, Any]:
        while True:
            asked = worker.bpnet_answer(key=key, seconds=_POLL_SECONDS)
            answer: Mapping[str, Any] = await asyncio.wait_for(asked, _ANSWER_SECONDS)
            if "unknown" in answer:  # another process has the address
                raise OSError
            if "running" not in answer:
                return answer

    def _lose(self, address: str) -> None:
        cluster = self._place.cluster
        cluster.members.remove(address)
        cluster.traffic.repeated_trainings += 1

    def _refuse(self, address: str, reason: str) -> None:
        members = self._place.cluster.members
        members.threads.pop(address, None)
        members.refused[address] = (
            f"The worker {address} {reason}. All workers need the data files of this machine, at "
            "the same paths."
        )
