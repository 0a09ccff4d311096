"""Calibrate the probabilities of a trained network on its validation rows, and measure the effect.

The calibrated network is the trained one with another output layer, so everything that reads its
weights has calibrated probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bpcli.data.types import SplitName
from bpcli.experiment import Experiment
from bpcli.metrics.calibration import split_reliability
from bpcli.metrics.metrics import predictions
from bpcli.metrics.temperature import LARGEST, temperature, with_temperature
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.run_json import CalibrationRecord
from bpcli.runs.saved import Scores
from bpcli.runs.trained import Trained, Weights
from bpcli.text import plural


@dataclass(frozen=True)
class Calibration:
    """The best and the last weights, calibrated if the config asks for it, and what to record."""

    best: Vector
    last: Vector
    record: CalibrationRecord | None = None

    @property
    def warnings(self) -> Iterator[str]:
        """A warning if no temperature was found for the best weights."""
        if self.record is not None and self.record.best is None:
            yield (
                "the probabilities are not calibrated: the log loss of the "
                f"{plural(self.record.rows, 'validation row')} is not lowest at any temperature "
                f"between 1/{LARGEST:g} and {LARGEST:g}, as all of them are predicted correctly, "
                "or no better than by chance: use more validation rows, or remove "
                "`training.calibration`"
            )


def calibrate(experiment: Experiment, best: Vector, last: Vector) -> Calibration:
    """Calibrate trained weights on the validation rows, as `training.calibration` says."""
    if experiment.spec.training.calibration is None:
        return Calibration(best, last)
    network = experiment.network
    found = [_temperature(experiment, params) for params in (best, last)]
    best, last = (
        params if T is None else with_temperature(network, params, T)
        for params, T in zip((best, last), found, strict=True)
    )
    record = CalibrationRecord(
        "temperature", len(experiment.splits["val"]), best=found[0], last=found[1]
    )
    effect = _effect(experiment, best, "test", found[0])
    if effect is not None:
        record = replace(record, before=effect["before"], after=effect["after"])
    return Calibration(best, last, record)


def _temperature(experiment: Experiment, params: Vector) -> float | None:
    rows = experiment.splits["val"]
    Z = experiment.output_z("val", params)
    return temperature(experiment.network, Z, rows.Y.T)


def calibration_effect(
    trained: Trained, split: SplitName, weights: Weights
) -> dict[str, Any] | None:
    """The record of a run's calibration, with scores on a split before and after it.

    They are left out for the validation set, to whose rows it was fitted. None without calibration.
    """
    record = trained.record.calibration
    if record is None:
        return None
    T = record.temperature(weights)
    found = None if split == "val" else _effect(trained.experiment, trained.params, split, T)
    return {"method": record.method, "temperature": T, "rows": record.rows, **(found or {})}


def _effect(
    experiment: Experiment, params: Vector, split: SplitName, T: float | None
) -> dict[str, Scores] | None:
    """The scores of a split `before` and `after` its z were divided by T; None without any."""
    if T is None or not len(experiment.splits[split]):
        return None
    Z = experiment.output_z(split, params)
    return {"before": _scores(experiment, split, Z * T), "after": _scores(experiment, split, Z)}


def _scores(experiment: Experiment, name: SplitName, Z: Array) -> Scores:
    """Expected calibration error, and log loss, by path."""
    split = experiment.splits[name]
    found = predictions(experiment.network, Z, experiment.preprocessor, split)
    assert found.log_losses is not None, "there are probabilities"
    return {
        f"{name}.calibration_error": split_reliability(found, split).error,
        f"{name}.log_loss": float(found.log_losses.mean()),
    }
