"""The connection of a training to a cluster of dask, which is checked before it is used."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from time import perf_counter
from typing import Any, TypeVar

from bpcli.cluster.address import require_scheduler
from bpcli.cluster.evaluation import Bundle, Evaluation, Remote
from bpcli.cluster.facts import facts, scheduler_mismatch
from bpcli.cluster.local import local_cluster
from bpcli.cluster.members import Members, require_members
from bpcli.cluster.plugin import Request, ShardPlugin
from bpcli.cluster.traffic import Traffic
from bpcli.errors import ClusterError
from bpcli.text import plural

Result = TypeVar("Result")

DASHBOARD = "127.0.0.1:8787"
_CONNECT_SECONDS = 3.0
_CHECK_SECONDS = 0.1


class ClusterConnection:
    """Workers of a cluster that give the bits of this process.

    `check` is called several times a second while the workers compute; what it raises ends the
    evaluation.
    """

    def __init__(self, client: Any, check: Callable[[], object] | None = None) -> None:
        from distributed.core import ConnectionPool

        self.address: str = client.scheduler.address
        self.dashboard: str = client.dashboard_link
        self.traffic = Traffic()
        self._check = check
        self._keys: set[str] = set()
        self._loop: asyncio.AbstractEventLoop = client.loop.asyncio_loop
        self.pool = ConnectionPool(timeout=_CONNECT_SECONDS, connection_args=client.connection_args)
        self.members = Members(self.pool, self.address)
        self._run(self._open())

    async def _open(self) -> None:
        await self.pool.start()
        await self.members.look()

    @property
    def workers(self) -> int:
        """The number of workers that compute now."""
        return len(self.members.threads)

    @property
    def threads(self) -> int:
        """The number of threads of all workers that compute now, at least one."""
        return self.members.total_threads

    @property
    def refused(self) -> list[str]:
        """A sentence for each worker that joined later, and is not used."""
        return [*self.members.refused.values()]

    @property
    def description(self) -> str:
        """Where the cluster is, and the number of its workers."""
        workers = plural(self.workers, "worker")
        return f"cluster at {self.address}: {workers}; dashboard: {self.dashboard}"

    @property
    def progress(self) -> str:
        """What was sent and received so far, how long the workers waited, and who was refused."""
        return ". ".join([f"cluster: {self.traffic.text}", *self.refused])

    def require_workers(self) -> None:
        """Raise `ClusterError` if a worker would give other results, or there is none."""
        require_members(self.members, self.address)

    def evaluate(
        self,
        remote: Remote,
        params: Any,
        request: Request,
        shards: int,
        store: Callable[[Bundle, Any], None],
    ) -> None:
        """Compute the sums of all shards on the workers; `store` takes them bundle by bundle."""
        started = perf_counter()
        remote.version += 1
        self._keys.add(remote.key)
        evaluation = Evaluation(
            self.pool, self.members, self.traffic, remote, params, request, shards, store
        )
        self._run(evaluation.run())
        seconds = perf_counter() - started
        self.traffic.evaluations += 1
        self.traffic.seconds += seconds
        busy = evaluation.worker_seconds / self.members.total_threads
        self.traffic.waiting_seconds += max(0.0, seconds - busy)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the thread of the client, and check for interrupts meanwhile."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            while not wait([future], _CHECK_SECONDS).done:
                if self._check is not None:
                    self._check()
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Begin a coroutine in the thread of the client."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def keep_up(self) -> None:
        """Look from time to time for workers that joined or left; raises `WorkerLost`."""
        self._run(self._keep_up())

    async def _keep_up(self) -> None:
        self.members.keep_up()

    def close(self) -> None:
        """Let the workers forget the work of this process, and close the connections to them."""
        self._check = None
        with suppress(TimeoutError, OSError):
            self._run(self._forget())
        self._run(self._close())

    async def _forget(self) -> None:
        closed = (
            self.pool(worker).bpnet_close(key=key)
            for key in self._keys
            for worker in self.members.threads
        )
        await asyncio.wait_for(asyncio.gather(*closed, return_exceptions=True), _CONNECT_SECONDS)

    async def _close(self) -> None:
        await self.members.close()
        await self.pool.close()


@contextmanager
def connected(
    address: str | None = None,
    *,
    workers: int = 1,
    dashboard: str = DASHBOARD,
    check: Callable[[], object] | None = None,
) -> Iterator[ClusterConnection]:
    """Connect to the scheduler at `address`, or to a local cluster that is started without one.

    A local cluster has so many `workers` of one thread each; it listens on loopback, and its
    dashboard on `dashboard` (`host:port`).

    Raises `ClusterError` if there is no worker, or one would give other results.
    """
    with ExitStack() as stack:
        stack.enter_context(_quiet_log())
        if address is None:
            address = stack.enter_context(local_cluster(workers, None, dashboard)).address
        client = stack.enter_context(_client(address))
        _require_same_versions(client)
        _add_plugin(client)
        connection = ClusterConnection(client, check)
        stack.callback(connection.close)
        connection.require_workers()
        yield connection


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Let the client log nothing: what fails is raised here."""
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)


def _client(address: str) -> Any:
    """A client of the scheduler. Raises `ClusterError` if it does not answer."""
    from distributed import Client

    require_scheduler(address, _CONNECT_SECONDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions, which are compared here
        return Client(address, timeout=_CONNECT_SECONDS, set_as_default=False, name="bpnet")


def _require_same_versions(client: Any) -> None:
    versions = client.get_versions()
    different = scheduler_mismatch(versions["scheduler"]["packages"], facts())
    if different is not None:
        raise ClusterError(different)


def _add_plugin(client: Any) -> None:
    """Let the workers answer the requests of trainings, those that join later too."""
    try:
        client.register_plugin(ShardPlugin())
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"A worker of the cluster has no package {error.name}: install the same bpcli there, "
            'with pip install "bpcli[dask]".'
        ) from None
