"""The experiment of a run that a fitted estimator saves without its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from bpcli.config.load import config_of
from bpcli.data.table import table_without_rows, value_names
from bpcli.data.types import SPLITS, numbered
from bpcli.estimators.fitted import Fitted
from bpcli.experiment import Experiment
from bpcli.experiment.network import network_of_sizes

ROWS_NOT_KEPT = "rows-that-were-not-kept.npz"
"""What a config names in place of rows that are not kept: a file that does not exist."""


def experiment_without_rows(
    fitted: Fitted, tree: dict[str, Any], input_names: list[str] | None
) -> Experiment:
    """The experiment of a fit, from its config, with a table that has no rows.

    Raises `ParameterError` if the config describes another network.
    """
    preprocessor = fitted.preprocessor
    names = tuple(input_names or numbered("x", fitted.network.inputs))
    targets = tuple(preprocessor.words) or value_names(fitted.network.outputs)
    table = table_without_rows(names, None, preprocessor.class_names, targets, preprocessor.words)
    none = np.empty(0, np.intp)
    splits = {split: preprocessor.split(split, table, none) for split in SPLITS}
    config = config_of(tree)
    fitted.require_layers(network_of_sizes(config.spec, tree["network"]["layers"]))
    return Experiment(config, table, preprocessor, splits, fitted.network)
