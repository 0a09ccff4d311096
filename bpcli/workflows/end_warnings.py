"""Warnings about likely mistakes that only a finished training shows, with the next step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from bpcli.data.types import SPLITS, SplitName
from bpcli.experiment import Experiment
from bpcli.metrics.measures import Scores
from bpcli.optimizers.base import ZERO_GRADIENT
from bpcli.optimizers.plateau import SMALLEST_RATE
from bpcli.runs.layout import METRICS
from bpcli.runs.metrics_log import read_log
from bpcli.workflows.run_epochs import Ending
from bpcli.workflows.scores import constant_loss
from bpcli.workflows.session import Session
from bpcli.workflows.vanished_gradient import why_vanished

_CLEARLY = 1e-3
"""A loss must be lower by this fraction: with vanishing gradients it ends slightly lower."""

_SMALL = 1e-3
"""A training loss below this fraction of the constant baseline's is small."""

_NO_STEP = "no step was found that lowers the loss"
_NO_LONGER = "the loss no longer fell"
_STANDARD_ERRORS = 2.0
_MANY_LAYERS = 3
_LATE = 0.9
_STILL_FALLS = 1e-2


def end_warnings(
    session: Session, ending: Ending, scores: Scores, constant: Scores
) -> Iterator[str]:
    """Yield warnings; `scores` are those of the best weights, by path.

    `constant` are the metrics of the constant baseline. After a failure there are no warnings.
    """
    if ending.failure is not None or ending.last is None:
        return
    experiment, end = session.target.experiment, ending.last.ended
    advice = experiment.scales.advice
    if ending.last.number > 0 and session.decision.best.number == 0:
        yield _never_fell(experiment, advice)
    elif (cause := _why_vanished(experiment, ending, scores)) is not None:
        yield f"the gradient has vanished: {advice or cause}"
        return
    elif end is not None and end.reason == ending.reason and advice is not None:
        why = _NO_LONGER if end.reason == SMALLEST_RATE else _NO_STEP
        yield f"{why} (`{end.reason}`): {advice}"
    name = next(name for name in reversed(SPLITS) if len(experiment.splits[name]))
    fact = _not_better(experiment, name, scores, constant)
    if fact is not None:
        yield f"{fact}: {_next_step(session, ending, name, scores)}"


def _never_fell(experiment: Experiment, advice: str | None) -> str:
    warning = "the validation loss never fell below its initial value"
    if advice is not None:
        return f"{warning}: {advice}"
    has_rate = experiment.spec.training.learning_rate is not None
    return warning + ": try a smaller `training.learning_rate`" * has_rate


def _not_better(
    experiment: Experiment, name: SplitName, scores: Scores, constant: Scores
) -> str | None:
    """Return a warning if the network is no better than a constant prediction, else None.

    It is better if its loss is lower, with the weights of rows and classes, or its accuracy clearly
    higher. Accuracy alone does not decide: with unbalanced classes, a network may have a lower
    accuracy but much better probabilities.
    """
    loss, loss_of_constant = scores[f"{name}.loss"], constant_loss(experiment, name)
    if not loss_of_constant or _is_below(loss, loss_of_constant):
        return None
    path = f"{name}.accuracy"
    accuracy, usual = scores.get(path), constant.get(path)
    if accuracy is not None and usual is not None:
        error = math.sqrt(usual * (1 - usual) / len(experiment.splits[name]))
        if accuracy > usual + _STANDARD_ERRORS * error:
            return None
    of_loss = "not finite" if loss is None else f"{loss:.4g}"
    of_constant = f"{loss_of_constant:.4g}"
    return f"the {name} loss is {of_loss}, and that of a constant prediction is {of_constant}"


def _why_vanished(experiment: Experiment, ending: Ending, scores: Scores) -> str | None:
    """Return why the gradient is zero although the training loss is not small, if that is known."""
    if ending.reason != ZERO_GRADIENT or ending.last is None:
        return None
    constant, loss = constant_loss(experiment, "train"), scores["train.loss"]
    if constant is not None and loss is not None and loss < _SMALL * constant:
        return None
    return why_vanished(experiment, ending.last.params)


def _is_below(loss: float | None, other: float) -> bool:
    return loss is not None and loss < (1 - _CLEARLY) * other


def _next_step(session: Session, ending: Ending, name: SplitName, scores: Scores) -> str:
    """Return what to change first."""
    experiment = session.target.experiment
    scales, training = experiment.scales, experiment.spec.training
    if scales.advice is not None:
        return scales.advice
    if scales.out_of_range:
        return scales.out_of_range[0]
    constant = constant_loss(experiment, "train")
    if name != "train" and constant and _is_below(scores["train.loss"], constant):
        return "it overfits the training rows: use fewer units, more rows or `training.l2`"
    if ending.reason == "epochs" and _still_falls(session.target.run.path(METRICS)):
        return f"the loss was still falling: use more `training.epochs` than {training.epochs}"
    longer = "more epochs, " * (ending.reason == "epochs")
    is_deep = len(experiment.network.layers) > _MANY_LAYERS
    size = "fewer layers" if is_deep else "more units"
    has_rate = training.learning_rate is not None
    last = "another `training.learning_rate`" if has_rate else "other initial weights"
    return f"use {longer}{size}, {last} or other inputs"


def _still_falls(log: Path) -> bool:
    """Return True if the loss fell by more than 1 % in the last tenth of the epochs."""
    lines = read_log(log)
    late = [line.loss for line in lines if line.epoch >= _LATE * lines[-1].epoch]
    first, last = late[0], late[-1]
    return first is not None and last is not None and last < (1 - _STILL_FALLS) * first
