"""What a network makes of rows, and of which rows and targets a plot has room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bpcli.data.types import Labels, numbered
from bpcli.nn.arrays import Array
from bpcli.nn.propagation import predict
from bpcli.plots.subject import Subject

if TYPE_CHECKING:
    from bpcli.plots.base import Panel

MOST_PANELS = 6
"""So many targets have a panel."""


def outputs_at(subject: Subject, X: Array) -> Array:
    """The outputs (n, K) for inputs (n, d), both in original units."""
    preprocessor = subject.experiment.preprocessor
    A = predict(subject.network, subject.params, preprocessor.inputs.apply(X))
    return preprocessor.original(A)


def no_classes(subject: Subject) -> str | None:
    """Why nothing can be said of classes; None where it can."""
    return None if subject.rows.labels is not None else "Its targets are numbers, not classes."


def no_values(subject: Subject) -> str | None:
    """Why nothing can be said of numbers; None where it can."""
    return None if subject.rows.values is not None else "Its targets are classes, not numbers."


def not_so_many_inputs(subject: Subject, wanted: int) -> str | None:
    """Why the inputs do not fit a plot of a line or a plane; None where they do."""
    found = subject.network.inputs
    if found == wanted:
        return None
    return f"Its network has {found} input{'s' * (found > 1)}: this plot needs {wanted}."


def is_one_score(subject: Subject) -> bool:
    """Whether one output tells two classes apart, or the second of a softmax over two does."""
    outputs, activation = subject.network.outputs, subject.network.layers[-1].activation
    return outputs == 1 or (outputs == 2 and activation.gives_distribution)


def target_names(subject: Subject) -> tuple[str, ...]:
    """The names of the targets that are numbers."""
    names = subject.experiment.table.target_names
    width = subject.network.outputs
    return names if len(names) == width else numbered("target", width)


def shown_targets(values: Array) -> Labels:
    """The targets (n, k) that have a panel: all, or those that vary most, in their order."""
    by_spread = np.argsort(-values.std(axis=0), kind="stable")
    return np.sort(by_spread[:MOST_PANELS])


def note(figure: Panel, *remarks: str) -> None:
    """What was left out or is to be known, below a plot: over its legend, which comes first."""
    told = "\n".join(filter(None, remarks))
    if told and figure.legends:
        legend = figure.legends[-1]
        legend.set_title(told)
        legend.get_title().set_fontsize("small")
    elif told:
        figure.supxlabel(told, fontsize="small", color="0.3")


def left_out(drawn: int, count: int, what: str) -> str:
    """A remark on what there was no room for; nothing where all is drawn."""
    return f"{drawn:,} of {count:,} {what}" if drawn < count else ""
