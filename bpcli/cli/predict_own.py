"""`bpnet predict` for the rows of a run or of a config."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bpcli.cli.documents import print_json, print_text
from bpcli.cli.predicted_rows import MOST_ROWS_ON_A_TERMINAL, say_marked, show_table, table_of
from bpcli.cli.references import Reference
from bpcli.errors import ConfigError
from bpcli.text import readable

if TYPE_CHECKING:
    from bpcli.data.types import SplitName
    from bpcli.experiment import Experiment
    from bpcli.nn.arrays import Array
    from bpcli.workflows.predict import PredictedRows


def predict_own_rows(
    reference: Reference,
    overrides: tuple[str, ...],
    split: SplitName | None,
    *,
    raw: bool,
    as_json: bool,
) -> None:
    """Print the outputs for the rows of a split, or for all rows."""
    from bpcli.nn.numerics import repeatable_numerics
    from bpcli.workflows.predict import predict_rows

    with repeatable_numerics():
        experiment, params = reference.load_experiment(overrides)
        predicted = predict_rows(experiment, params, _rows(experiment, split))
    if as_json:
        print_json({"rows": predicted.to_json()})
    elif sys.stdout.isatty():
        _print_table(predicted)
    else:
        _print_lines(predicted, raw)


def _rows(experiment: Experiment, split: SplitName | None) -> Array:
    import numpy as np

    if split is None:
        return np.arange(len(experiment.table))
    index: Array = experiment.splits[split].index[:]
    if not len(index):
        raise ConfigError(
            f"The {split} split is empty: set its rows in `data.split`, or choose another split."
        )
    return index


def _print_table(predicted: PredictedRows) -> None:
    rows = predicted.cells(readable, MOST_ROWS_ON_A_TERMINAL)
    table = table_of(predicted.columns, rows, predicted.text_columns)
    names = [*predicted.output_names, *predicted.input_names]
    show_table(table, names, len(predicted), "pipe them to a file, or use --json")


def _print_lines(predicted: PredictedRows, raw: bool) -> None:
    from bpcli.workflows.prediction_files import Separated

    written = Separated("\t", raw)
    print_text("\n".join(map(written.line, [predicted.columns, *predicted.cells()])))
    say_marked(written)
