"""`bpnet predict`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bpcli.cli.common import (
    console,
    json_option,
    load_run_or_config,
    print_json,
    runs_dir_option,
    set_option,
    weights_option,
)
from bpcli.errors import ConfigError

if TYPE_CHECKING:
    from bpcli.build import Experiment
    from bpcli.experiment.predict import PredictedRows
    from bpcli.nn.arrays import Array

_MOST_ROWS_ON_A_TERMINAL = 50


@click.command(
    "predict",
    epilog="""\b
Examples:
  bpnet predict latest
  bpnet predict configs/xor_by_hand.yaml
  bpnet predict latest --split test > predictions.tsv""",
)
@click.argument("run_or_config", metavar="RUN|CONFIG")
@click.option(
    "--split",
    type=click.Choice(["all", "train", "val", "test"]),
    default="all",
    show_default=True,
    help="Which rows of the data.",
)
@weights_option
@set_option
@runs_dir_option
@json_option
def command(
    run_or_config: str,
    split: str,
    weights: str,
    overrides: tuple[str, ...],
    runs_dir: Path,
    as_json: bool,
) -> None:
    """Print a network's outputs.

    They are for the rows of the run's data, in original units; of a CONFIG, those of its initial
    parameters: nothing is trained. A terminal gets a table, a pipe tab-separated lines. --set is
    for a CONFIG.
    """
    from bpcli.experiment.predict import predict_rows
    from bpcli.nn.numerics import repeatable_numerics

    with repeatable_numerics():
        experiment, params = load_run_or_config(
            run_or_config, overrides, runs_dir, weights=weights, needs_targets=False
        )
        predicted = predict_rows(experiment, params, _rows(experiment, split))
    if as_json:
        print_json(predicted.to_json())
    elif sys.stdout.isatty():
        _print_table(predicted)
    else:
        _print_lines(predicted)


def _rows(experiment: Experiment, split: str) -> Array:
    import numpy as np

    if split == "all":
        return np.arange(len(experiment.table))
    index: Array = experiment.parts[split].index  # type: ignore[index]  # click checked it
    if not len(index):
        raise ConfigError(f"There is no {split} part: the split leaves it empty.")
    return index


def _print_table(predicted: PredictedRows) -> None:
    from bpcli.views.tables import predictions_table

    out = console()
    table = predictions_table(predicted, _MOST_ROWS_ON_A_TERMINAL)
    expendable = [*reversed(predicted.input_names), *reversed(predicted.output_names)]
    left_out = out.show(table, expendable)
    more = len(predicted.rows) - _MOST_ROWS_ON_A_TERMINAL
    missing = [f"{more} more rows"] if more > 0 else []
    missing += [f"{len(left_out)} columns that do not fit here"] if left_out else []
    if missing:
        out.say(f"and {' and '.join(missing)}: pipe them to a file, or use --json")


def _print_lines(predicted: PredictedRows) -> None:
    lines = [predicted.columns, *predicted.cells()]
    click.echo("\n".join("\t".join(cells) for cells in lines))
