"""Calibrate the probabilities of a trained network on its validation rows, and measure the effect.

The calibrated network is an ordinary one: the trained network with another output layer
(temperature), or with two more layers (isotonic). So everything that reads the weights of a run has
calibrated probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from bpcli.data.types import SplitName
from bpcli.experiment import Experiment
from bpcli.metrics.calibration import split_reliability
from bpcli.metrics.isotonic import Curve, calibrated_network, fitted_curves, with_curves
from bpcli.metrics.metrics import predictions
from bpcli.metrics.temperature import LARGEST, temperature, with_temperature
from bpcli.nn.arrays import Vector
from bpcli.runs.run_json import CalibrationRecord
from bpcli.runs.saved import Scores
from bpcli.runs.trained import Trained
from bpcli.text import first_of, plural

_ENOUGH_ROWS = 1000
"""With fewer, isotonic calibration overfits and others are better: Niculescu-Mizil & Caruana 2005,
Predicting Good Probabilities with Supervised Learning, ICML, fig. 8."""


@dataclass(frozen=True)
class Calibration:
    """An experiment with its best and last weights, calibrated if the config asks for it."""

    experiment: Experiment
    best: Vector
    last: Vector
    record: CalibrationRecord | None = None
    warnings: Sequence[str] = ()


def calibrate(experiment: Experiment, best: Vector, last: Vector) -> Calibration:
    """Calibrate trained weights on the validation rows, as `training.calibration` says."""
    method = experiment.spec.training.calibration
    if method is None:
        return Calibration(experiment, best, last)
    by_method = _with_temperatures if method == "temperature" else _with_curves
    calibration = by_method(experiment, best, last)
    if calibration.record is None or not calibration.record.changes("best"):
        return calibration
    effect = _effect("test", (experiment, best), (calibration.experiment, calibration.best))
    if effect is None:
        return calibration
    record = replace(calibration.record, before=effect.before, after=effect.after)
    return replace(calibration, record=record)


def _with_temperatures(experiment: Experiment, best: Vector, last: Vector) -> Calibration:
    network, rows = experiment.network, experiment.splits["val"]
    temperatures = [
        temperature(network, experiment.output_z("val", params), rows.Y.T)
        for params in (best, last)
    ]
    best, last = (
        params if T is None else with_temperature(network, params, T)
        for params, T in zip((best, last), temperatures, strict=True)
    )
    record = CalibrationRecord("temperature", len(rows), best=temperatures[0], last=temperatures[1])
    warnings = [_no_temperature(len(rows))] if temperatures[0] is None else []
    return Calibration(experiment, best, last, record, warnings)


def _no_temperature(rows: int) -> str:
    return (
        "the probabilities are not calibrated: the log loss of the "
        f"{plural(rows, 'validation row')} is not lowest at any temperature between 1/{LARGEST:g} "
        f"and {LARGEST:g}, as all of them are predicted correctly, or no better than by chance: "
        "use more validation rows, or remove `training.calibration`"
    )


def _with_curves(experiment: Experiment, best: Vector, last: Vector) -> Calibration:
    """Calibrate by curves; the added layer has the units that both weights need."""
    network, rows = experiment.network, experiment.splits["val"]
    fits = [
        fitted_curves(network, experiment.output_z("val", params), rows.Y.T)
        for params in (best, last)
    ]
    curves = [each for each in fits if each is not None]
    if len(curves) < len(fits):
        warnings = ["the probabilities are not calibrated: an output is not a finite number"]
        record = CalibrationRecord("isotonic", len(rows))
        return Calibration(experiment, best, last, record, warnings)
    units = max(1, *(sum(curve.units for curve in each) for each in curves))
    best, last = (
        with_curves(network, params, each, units)
        for params, each in zip((best, last), curves, strict=True)
    )
    record = CalibrationRecord("isotonic", len(rows), units=units)
    warnings = [*_warnings_of(experiment, curves[0])]
    grown = replace(experiment, network=calibrated_network(network, units))
    return Calibration(grown, best, last, record, warnings)


def _warnings_of(experiment: Experiment, curves: Sequence[Curve]) -> Iterator[str]:
    """Warnings of curves that may be wrong, or say nothing."""
    rows = len(experiment.splits["val"])
    if rows < _ENOUGH_ROWS:
        yield (
            f"isotonic calibration is fitted to {plural(rows, 'validation row')} and may overfit: "
            f"use {_ENOUGH_ROWS:,} or more, or `calibration: temperature`"
        )
    names = zip(experiment.output_names, curves, strict=True)
    constant = [name for name, curve in names if not curve.units]
    if constant:
        yield (
            f"the calibrated {first_of(constant)} is the same for all rows: among the validation "
            "rows, what it predicts is not more frequent where it is larger"
        )


def calibration_effect(trained: Trained, split: SplitName) -> dict[str, Any] | None:
    """The record of a run's calibration, with scores on a split before and after it.

    They are left out for the validation set, to whose rows it was fitted. None without calibration.
    """
    record = trained.record.calibration
    if record is None:
        return None
    document: dict[str, Any] = {
        "method": record.method,
        "temperature": record.temperature(trained.weights),
        "units": record.units,
        "rows": record.rows,
    }
    if split == "val" or not record.changes(trained.weights):
        return document
    before = trained.uncalibrated
    effect = _effect(
        split, (before.experiment, before.params), (trained.experiment, trained.params)
    )
    return document if effect is None else document | effect._asdict()


class _Effect(NamedTuple):
    """The scores of a split before and after a calibration, by path."""

    before: Scores
    after: Scores


_Weights: TypeAlias = tuple[Experiment, Vector]


def _effect(split: SplitName, before: _Weights, after: _Weights) -> _Effect | None:
    """The effect on a split; None if it has no rows."""
    if not len(after[0].splits[split]):
        return None
    return _Effect(_scores(split, *before), _scores(split, *after))


def _scores(name: SplitName, experiment: Experiment, params: Vector) -> Scores:
    """Expected calibration error, log loss, and accuracy if that may change, by path."""
    split = experiment.splits[name]
    Z = experiment.output_z(name, params)
    predicted = predictions(experiment.network, Z, experiment.preprocessor, split)
    assert predicted.log_losses is not None, "there are probabilities"
    scores: Scores = {
        f"{name}.calibration_error": split_reliability(predicted, split).error,
        f"{name}.log_loss": float(predicted.log_losses.mean()),
    }
    if experiment.spec.training.calibration == "isotonic" and predicted.classes is not None:
        scores[f"{name}.accuracy"] = float((predicted.classes == split.labels).mean())
    return scores
