"""The workers of a training: processes of this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.pool.choice import useful_workers, worker_pool
from bpcli.errors import ClusterError
from bpcli.experiment import Experiment
from bpcli.system import usable_cores

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection


OnCluster: TypeAlias = "Callable[[ClusterConnection], object]"
"""Called with the connection to a cluster, before it is used."""


def workers_for(experiment: Experiment) -> int:
    """Return the number of workers: as configured, or as many as are useful."""
    training, tasks = experiment.spec.training, experiment.tasks
    if training.workers != "auto":
        return min(tasks, training.workers)
    if training.engine == "dask":
        return min(tasks, usable_cores())
    return useful_workers(tasks, experiment.network.n_params, usable_cores())


@contextmanager
def pool_for(
    experiment: Experiment,
    workers: int,
    check: Callable[[], object] | None = None,
    on_cluster: OnCluster | None = None,
) -> Iterator[WorkerPool]:
    """The workers that the config asks for: `workers` processes, or those of a cluster.

    `check` is called again and again while they work, and ends that by what it raises. Raises
    `ClusterError` if the cluster cannot be used.
    """
    training = experiment.spec.training
    if training.engine != "dask":
        with worker_pool(workers, check) as pool:
            yield pool
        return
    require_dask("`training.engine: dask`")
    from bpcli.cluster.connection import connected
    from bpcli.cluster.pool import ClusterPool

    with connected(training.scheduler, workers=workers, check=check) as connection:
        if on_cluster is not None:
            on_cluster(connection)
        yield ClusterPool(connection)


def require_dask(what: str) -> None:
    """Raise `ClusterError` without the package that something needs."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ClusterError(
            f'{what} needs an extra package: install it with pip install "bpcli[dask]".'
        ) from None
