"""The experiment of a run that a fitted estimator saves without its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from bpcli.config.load import config_of
from bpcli.data.table import table_without_rows, value_names
from bpcli.data.types import SPLITS, numbered
from bpcli.estimators.fitted import Fitted
from bpcli.experiment import Experiment

ROWS_NOT_KEPT = "rows-that-were-not-kept.npz"
"""What a config names in place of rows that are not kept: a file that does not exist."""


def experiment_without_rows(
    fitted: Fitted, tree: dict[str, Any], input_names: list[str] | None
) -> Experiment:
    """The experiment of a fit, from its config, with a table that has no rows."""
    preprocessor = fitted.preprocessor
    names = tuple(input_names or numbered("x", fitted.network.inputs))
    targets = tuple(preprocessor.words) or value_names(fitted.network.outputs)
    table = table_without_rows(names, None, preprocessor.class_names, targets, preprocessor.words)
    none = np.empty(0, np.intp)
    splits = {split: preprocessor.split(split, table, none) for split in SPLITS}
    return Experiment(config_of(tree), table, preprocessor, splits, fitted.network)
