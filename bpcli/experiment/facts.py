"""Likely mistakes in the rows of an experiment, as clauses for warnings and findings."""

from __future__ import annotations

from bpcli.experiment.experiment import Experiment
from bpcli.text import listed_names

FEW_ROWS_REMEDY = "watch the validation loss, use fewer units, or set `training.l2`"


def few_rows(experiment: Experiment) -> str | None:
    """That there are fewer training rows than parameters, and no weight decay; else None.

    Generated rows, and rows in the config, may be all rows that there are, such as XOR: without a
    held-out split, nothing is said of them.
    """
    spec, splits = experiment.spec, experiment.splits
    is_all = not (spec.data.files or len(splits["val"]) or len(splits["test"]))
    if is_all or spec.training.l2 or spec.training.optimizer.finds_l2:
        return None
    rows, params = len(splits["train"]), experiment.network.n_params
    if rows >= params:
        return None
    counted = "1 training row is" if rows == 1 else f"{rows:,} training rows are"
    return f"{counted} fewer than the {params:,} parameters"


def constant_inputs(experiment: Experiment) -> str | None:
    """That inputs have one value in all training rows; None if none has, or there is one row."""
    names = experiment.constant_inputs
    if not names or len(experiment.splits["train"]) == 1:
        return None
    verb = "is" if len(names) == 1 else "are"
    return f"{listed_names(names)} {verb} constant over the training rows"
