"""`bpnet train`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import (
    console,
    examples,
    json_option,
    runs_dir_option,
    say_notes,
    say_warnings,
    set_option,
    sweep_progress,
)
from bpcli.cli.documents import print_json
from bpcli.cli.scheduler import Where, keys_of, scheduler_option
from bpcli.cli.trained import Printed, print_folds, print_ids, print_trained
from bpcli.errors import ConfigError, Interrupted

if TYPE_CHECKING:
    from bpcli.config.load import Config
    from bpcli.experiment import Experiment
    from bpcli.sweeps.folder import SweepFolder
    from bpcli.workflows.interrupts import StopRequest
    from bpcli.workflows.outcome import Outcome


@click.command(
    "train",
    epilog=examples("train"),
)
@click.argument("config", type=click.Path(path_type=Path), required=False)
@click.option("--resume", "resumed", metavar="RUN", help="Continue this run in its folder.")
@click.option(
    "--from",
    "start",
    metavar="RUN|FILE",
    help="Start from the weights of this run, or of a network that `bpnet import` reads. Short for "
    "--set network.parameters.file=FILE; --set network.parameters.scales=refit fits new scales.",
)
@set_option
@click.option("--name", help="Name of the run; default: the config's.")
@runs_dir_option
@click.option("--quiet", is_flag=True, help="Print only the run's id, and warnings on stderr.")
@click.option(
    "--restarts",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Train from N initialisations and keep the best network. Short for --set "
    "training.restarts.count=N.",
)
@click.option(
    "--profile",
    "with_profile",
    is_flag=True,
    help="Measure after training how much time each part of an epoch takes.",
)
@click.option(
    "--portable",
    is_flag=True,
    help="Give bit-identical results on every x86-64 processor with AVX2 and FMA3; a processor "
    "with AVX-512 may take 3 times as long. Short for --set training.numerics=portable.",
)
@scheduler_option(
    "Train on the Dask cluster of this scheduler, such as tcp://10.0.0.1:8786; without an "
    "address, on a cluster that is started on this machine. Short for --set "
    "training.engine=dask --set training.scheduler=ADDRESS; with restarts, each one is trained "
    "by one worker thread."
)
@json_option
def command(
    config: Path | None,
    resumed: str | None,
    start: str | None,
    overrides: tuple[str, ...],
    name: str | None,
    runs_dir: Path,
    quiet: bool,
    restarts: int | None,
    with_profile: bool,
    portable: bool,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Train a network and save the run.

    Shows the loss, metrics and gradient norm during training, and the stop reason at the end. The
    run's weights, metrics and resolved config are saved in a folder of its own. Likely problems
    are printed as warnings at the end; `bpnet diagnose` explains them. With `data.split.folds`,
    one network is trained per fold, and each is a run. With `training.restarts`, the run is the
    best of several trainings, or their average.

    Ctrl-C ends training after the current epoch and saves the run. --resume continues a run with
    the same result as if it had never been interrupted.
    """
    from bpcli.workflows.interrupts import stop_requests

    output = Printed(quiet, as_json, with_profile)
    overrides = (*overrides, *_short_options(portable, restarts))
    # From here on: an exception raised by Ctrl-C in the middle of an import can get lost.
    with stop_requests() as request, _starting(start, resumed, runs_dir) as settings:
        overrides = (*settings, *overrides)
        if resumed is not None:
            _refuse_config(config, name)
            trained = _resume(resumed, overrides, runs_dir, output.is_silent, scheduler)
        else:
            loaded, where = _loaded(config, overrides, name, scheduler)
            if loaded.spec.data.split.has_all_folds:
                _train_folds(loaded, runs_dir, request, output, where)
                return
            trained = _train(loaded, runs_dir, request, output.is_silent, where=where)
    print_trained(*trained, output)


def _short_options(portable: bool, restarts: int | None) -> Iterator[str]:
    """Yield the settings for which there are options."""
    if portable:
        yield "training.numerics=portable"
    if restarts is not None:
        yield f"training.restarts.count={restarts}"


@contextmanager
def _starting(start: str | None, resumed: str | None, runs_dir: Path) -> Iterator[tuple[str, ...]]:
    """The setting that starts from a run or a file, while a file of the run's network exists."""
    if start is None:
        yield ()
        return
    if resumed is not None:
        raise click.UsageError("--resume continues a run from its last epoch: leave out --from.")
    from tempfile import TemporaryDirectory

    from bpcli.workflows.starting import overrides_for

    with TemporaryDirectory(prefix="bpnet-start-") as folder:
        yield overrides_for(start, runs_dir, Path(folder))


def _refuse_config(config: Path | None, name: str | None) -> None:
    if config is not None or name is not None:
        raise click.UsageError(
            "--resume RUN uses the run's own config and name: leave out CONFIG and --name."
        )


def _loaded(
    config: Path | None, overrides: tuple[str, ...], name: str | None, scheduler: str | None
) -> tuple[Config, Where]:
    """The config, and where its restarts are trained; a single training is shared by a cluster."""
    from bpcli.config.load import load_config

    if config is None:
        raise click.UsageError("Missing argument 'CONFIG', or --resume RUN.")
    loaded = load_config(config, overrides, name)
    if scheduler is None or loaded.spec.training.all_restarts.count > 1:
        return loaded, Where(scheduler)
    return load_config(config, (*overrides, *keys_of(scheduler)), name), Where()


def _train(
    config: Config,
    runs_dir: Path,
    request: StopRequest,
    is_silent: bool,
    *,
    where: Where,
    group: str | None = None,
    has_no_notes: bool = False,
    is_brief: bool = False,
) -> tuple[Experiment, Outcome]:
    """Train in a new folder; a stream shows nothing of a training that is shown in brief."""
    from bpcli.experiment import build
    from bpcli.terminal.progress.choice import view_of
    from bpcli.terminal.stream import Stream
    from bpcli.workflows.train import train

    experiment, err = build(config), console(stderr=True)
    if request.signal_number is not None:
        raise Interrupted("Interrupted before training began.", request.signal_number)
    if not is_silent and not has_no_notes:
        say_notes(experiment.notes)
    is_silent = is_silent or (is_brief and isinstance(err, Stream))
    if config.spec.training.all_restarts.count > 1:
        from bpcli.sweeps.restarts import train_restarts  # here: few trainings have restarts

        with (
            where.open([config], is_silent) as (_, cluster),
            sweep_progress(is_silent) as progress,
        ):
            outcome = train_restarts(config, runs_dir, progress, group=group, cluster=cluster)
        return _experiment_of(outcome), outcome
    with view_of(experiment, err, is_silent) as view:
        return experiment, train(experiment, runs_dir, view, group)


def _experiment_of(outcome: Outcome) -> Experiment:
    from bpcli.runs.trained import load_trained

    return load_trained(outcome.run).uncalibrated.experiment


def _resume(
    reference: str,
    overrides: tuple[str, ...],
    runs_dir: Path,
    is_silent: bool,
    scheduler: str | None,
) -> tuple[Experiment, Outcome]:
    """Resume a training in the folder of its run."""
    from bpcli.runs.references import find_run
    from bpcli.sweeps.folder import find_sweep
    from bpcli.terminal.progress.choice import view_of
    from bpcli.workflows.resume import resume, resumption

    sweep = find_sweep(reference, runs_dir, by_id=True) or _latest_restarts(reference, runs_dir)
    if sweep is not None:
        outcome = _resume_restarts(sweep, overrides, is_silent, Where(scheduler))
        return _experiment_of(outcome), outcome
    if scheduler is not None:
        overrides = (*overrides, *keys_of(scheduler))
    with resumption(find_run(reference, runs_dir), overrides) as ready:
        say_warnings(ready.warnings)
        if not is_silent:
            say_notes([ready.note])
        with view_of(ready.experiment, console(stderr=True), is_silent) as view:
            return ready.experiment, resume(ready, view)


def _latest_restarts(reference: str, runs_dir: Path) -> SweepFolder | None:
    """The unfinished restarts that `latest` means: those that are newer than every run."""
    from bpcli.runs.references import list_runs
    from bpcli.sweeps.folder import find_sweep

    sweep = find_sweep(reference, runs_dir, ["restarts"]) if reference == "latest" else None
    newest = max((run.run_id for run in list_runs(runs_dir)), default="")
    return sweep if sweep is not None and sweep.sweep_id > newest else None


def _resume_restarts(
    sweep: SweepFolder, overrides: tuple[str, ...], is_silent: bool, where: Where
) -> Outcome:
    """Finish the restarts of an interrupted training."""
    from bpcli.errors import RunError
    from bpcli.sweeps.restarts import resume_restarts

    kind = sweep.record().kind
    if kind != "restarts":
        raise RunError(
            f"{sweep.sweep_id} is not a run: resume it with `bpnet {kind} --resume "
            f"{sweep.sweep_id}`."
        )
    if overrides:
        raise ConfigError(
            f"The restarts of {sweep.sweep_id} are not finished: finish them first, without --set."
        )
    opened = where.open([sweep.config()], is_silent)
    with opened as (_, cluster), sweep_progress(is_silent) as progress:
        return resume_restarts(sweep, progress, cluster=cluster)


def _train_folds(
    config: Config, runs_dir: Path, request: StopRequest, output: Printed, where: Where
) -> None:
    """Train all folds; a terminal shows each one live, a stream shows it when it has ended."""
    from bpcli.runs.folds import document_of
    from bpcli.terminal.folds import fold_line
    from bpcli.workflows.folds import train_folds

    if output.with_profile:
        raise ConfigError("--profile measures one training: add --set data.split.fold=1.")
    err = console(stderr=True)

    def train_fold(fold: Config, group: str | None) -> Outcome:
        _, outcome = _train(
            fold, runs_dir, request, output.is_silent,
            where=where, group=group, has_no_notes=group is not None, is_brief=True,
        )  # fmt: skip
        return outcome

    def on_fold_end(outcome: Outcome) -> None:
        if not output.is_silent:
            err.say(fold_line(outcome.record))
        say_warnings(f"{outcome.run.run_id}: {warning}" for warning in outcome.warnings)

    result = train_folds(config, train_fold, on_fold_end)
    records = [outcome.record for outcome in result.outcomes]
    if output.quiet:
        print_ids([record.run_id for record in records])
    elif output.as_json and records:
        print_json(document_of(records))
    elif records:
        print_folds(records, [outcome.run for outcome in result.outcomes])
    if result.failure is not None:
        raise result.failure
