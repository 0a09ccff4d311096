"""`bpnet train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpcli.cli.common import console, json_option, print_json, runs_dir_option, set_option

if TYPE_CHECKING:
    from bpcli.build import Experiment
    from bpcli.experiment.train import Outcome


@click.command(
    "train",
    epilog="""\b
Examples:
  bpnet train configs/xor.yaml
  bpnet train configs/moons.yaml --set training.epochs=50 --set seed=3
  bpnet train configs/xor.yaml --json > result.json""",
)
@click.argument("config", type=click.Path(path_type=Path))
@set_option
@click.option("--name", help="The run's name; default: the config's.")
@runs_dir_option
@click.option("--quiet", is_flag=True, help="Print nothing but the run's id.")
@json_option
def command(
    config: Path,
    overrides: tuple[str, ...],
    name: str | None,
    runs_dir: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Train the network of CONFIG and save the run under runs/.

    Shows the loss, metrics and gradient norm as they change, and at the end which criterion
    stopped training. The run's weights, metrics and resolved config are kept in its own folder.
    """
    from bpcli.build import build
    from bpcli.experiment.train import train
    from bpcli.spec.load import load_config

    experiment = build(load_config(config, overrides, name))
    with _view(experiment, is_silent=quiet or as_json) as view:
        outcome = train(experiment, runs_dir, view)
    if as_json:
        print_json(outcome.record)
    elif quiet:
        click.echo(outcome.run.run_id)
    elif outcome.failure is None:
        _print_result(outcome, experiment)
    if outcome.failure is not None:
        raise outcome.failure


def _view(experiment: Experiment, is_silent: bool) -> Any:
    from bpcli.views.progress import Columns, LiveView, PlainView, SilentView, row_interval

    if is_silent:
        return SilentView()
    training = experiment.spec.training
    metric = experiment.metrics[0] if experiment.metrics else "loss"
    columns = Columns(metric, bool(len(experiment.parts["val"])))
    log_every = None if training.log_every == "auto" else training.log_every
    interval = row_interval(training.epochs, log_every)
    err = console(stderr=True)
    for note in experiment.config.notes:
        err.print(f"note: {note}")
    if err.is_terminal:
        return LiveView(err, columns, interval, training.epochs)
    return PlainView(err, columns, interval)


def _print_result(outcome: Outcome, experiment: Experiment) -> None:
    from bpcli.views.tables import scores_table, stop_table

    out, record = console(), outcome.record
    out.print(stop_table(record))
    out.print(scores_table(record["metrics"], record["baselines"], record["loss"]))
    if len(experiment.parts["val"]):
        out.print(f"best epoch {record['best_epoch']}: its weights are used unless told otherwise")
    out.print(f"saved in {outcome.run.folder}", soft_wrap=True)
    out.print(f"score it with: bpnet eval {outcome.run.run_id}", soft_wrap=True)
