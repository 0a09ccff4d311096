"""Outputs of the network for plots, and the choice of rows and targets that fit a plot."""

from __future__ import annotations

import numpy as np

from bpcli.data.types import SPLITS, Labels, SplitName, numbered
from bpcli.metrics import calibration
from bpcli.nn.arrays import Array
from bpcli.nn.propagation import predict
from bpcli.plots.base import Panel
from bpcli.runs.subject import Subject

MOST_PANELS = 6
"""The most targets that have a panel."""


def filled_splits(subject: Subject) -> list[SplitName]:
    """The splits that have rows."""
    return [name for name in SPLITS if len(subject.experiment.splits[name])]


def outputs_at(subject: Subject, X: Array) -> Array:
    """The outputs (n, K) for inputs (n, d), both in original units."""
    preprocessor = subject.experiment.preprocessor
    A = predict(subject.network, subject.params, preprocessor.inputs.apply(X))
    return preprocessor.original(A)


def no_classes(subject: Subject) -> str | None:
    """Why there is no plot of classes; None if the targets are classes."""
    if subject.experiment.preprocessor.words:
        return "The targets are labels, not classes: `bpnet eval` shows the scores of each label."
    return None if subject.rows.labels is not None else "The targets are numbers, not classes."


def no_values(subject: Subject) -> str | None:
    """Why there is no plot of values; None if the targets are numbers."""
    if subject.experiment.preprocessor.words:
        return "The targets are labels, not numbers."
    return None if subject.rows.values is not None else "The targets are classes, not numbers."


def not_so_many_inputs(subject: Subject, wanted: int) -> str | None:
    """Why the number of inputs does not fit a plot of a line or a plane; None if it does."""
    inputs = subject.network.inputs
    if inputs == wanted:
        return None
    return f"The network has {inputs} input{'s' * (inputs > 1)}, but this plot needs {wanted}."


def is_one_score(subject: Subject) -> bool:
    """Whether a single output, or one of two softmax outputs, decides between two classes."""
    return calibration.is_one_score(subject.network.outputs, subject.network.layers[-1].activation)


def target_names(subject: Subject) -> tuple[str, ...]:
    """The names of numeric targets."""
    names = subject.experiment.table.target_names
    width = subject.network.outputs
    return names if len(names) == width else numbered("target", width)


def shown_targets(values: Array, most: int = MOST_PANELS) -> Labels:
    """The indices of the targets (n, k) that are shown: all, or those that vary most."""
    by_spread = np.argsort(-values.std(axis=0), kind="stable")
    return np.sort(by_spread[:most])


def note(figure: Panel, *remarks: str) -> None:
    """Write remarks below a plot, as the title of its legend if there is one."""
    text = "\n".join(filter(None, remarks))
    if text and figure.legends:
        legend = figure.legends[-1]
        legend.set_title(text)
        legend.get_title().set_fontsize("small")
    elif text:
        figure.supxlabel(text, fontsize="small", color="0.3")


def left_out(drawn: int, count: int, what: str) -> str:
    """A remark on items that are not drawn; empty if all are."""
    return f"{drawn:,} of {count:,} {what}" if drawn < count else ""
