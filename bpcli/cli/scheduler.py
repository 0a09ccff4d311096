"""The option `--scheduler`: a Dask cluster for one training, or for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import Command, console, say_notes, say_warnings
from bpcli.text import plural

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection
    from bpcli.config.load import Config

_LOCAL = "local"


def _checked(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Refuse what is no address, such as the config."""
    if value is not None and value != _LOCAL and "://" not in value:
        raise click.UsageError(
            f"--scheduler takes an address such as tcp://10.0.0.1:8786, but found {value!r}: for "
            "a cluster on this machine, write --scheduler at the end, or --scheduler=local."
        )
    return value


def scheduler_option(text: str) -> Callable[[Command], Command]:
    """The option `--scheduler [ADDRESS]`, with the help `text`."""
    return click.option(
        "--scheduler", is_flag=False, flag_value=_LOCAL, metavar="[ADDRESS]", callback=_checked,
        help=text,
    )  # fmt: skip


scheduler_of_many_option = scheduler_option(
    "Train on the Dask cluster of this scheduler, such as tcp://10.0.0.1:8786, with one "
    "training per worker thread; without an address, on a cluster that is started on this "
    "machine. It does not change results."
)


def keys_of(scheduler: str) -> tuple[str, ...]:
    """The keys of a config that the option is short for, for one training."""
    address = () if scheduler == _LOCAL else (f"training.scheduler={scheduler}",)
    return ("training.engine=dask", *address)


@dataclass(frozen=True)
class Where:
    """Where many trainings run: in so many processes, or on the cluster of a scheduler."""

    scheduler: str | None = None
    processes: int | None = None

    @contextmanager
    def open(
        self, configs: Iterable[Config], is_silent: bool
    ) -> Iterator[tuple[int | None, ClusterConnection | None]]:
        """Yield the number of processes, and the cluster, if one shall train these configs.

        A cluster that is started has so many workers, or one for each core. Raises `ConfigError` if
        a config needs all workers, `ClusterError` if the cluster cannot be used.
        """
        if self.scheduler is None:
            yield self.processes, None
            return
        from bpcli.sweeps.remote import refuse_shared
        from bpcli.system import usable_cores
        from bpcli.workflows.workers import require_dask

        refuse_shared(configs)
        require_dask("--scheduler")
        from bpcli.cluster.connection import connected

        address = None if self.scheduler == _LOCAL else self.scheduler
        with connected(address, workers=self.processes or usable_cores()) as cluster:
            if not is_silent:
                console(stderr=True).say(cluster.description)
            yield self.processes, cluster
            _say_what_went_wrong(cluster, is_silent)


def _say_what_went_wrong(cluster: ClusterConnection, is_silent: bool) -> None:
    say_warnings(cluster.refused)
    again = cluster.traffic.repeated_trainings
    if again and not is_silent:
        say_notes([f"{plural(again, 'training')} restarted because a worker was lost"])
