"""How the widths of a run's intervals differ from row to row: scales that no calibration row sees.

`normalized`: a small network of our own, trained on the logarithms of the absolute errors on the
training rows. With the training rows, all validation rows are left for the quantile, and the
guarantee needs only that the scale does not depend on them (Lei et al. 2018, J. Am. Stat. Assoc.
113, 1094, sec. 5.2; Papadopoulos & Haralambous 2011, Neural Networks 24, 842, whose second network
learns logarithms, too). Training rows that the network has memorised say little about the
size of errors; then the widths differ for no reason, but they are still calibrated.

`ensemble`: the spread of the networks of which the run is the average.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bpcli.config.load import config_of
from bpcli.data.scaler import Scaler
from bpcli.errors import DataError
from bpcli.experiment import build
from bpcli.intervals.local import NetworkScale, SpreadScale
from bpcli.nn.arrays import Array
from bpcli.nn.averaging import averaged_members
from bpcli.nn.propagation import predict
from bpcli.runs.trained import Trained
from bpcli.text import plural
from bpcli.training.loop import train_epochs
from bpcli.workflows.calibration_scores import split_outputs

_MOST_UNITS = 4
_EPOCHS = 40
_MOST_PARAMS = 600
_WORK = 2e9
"""The most rows · targets · parameters² of an epoch, which then takes about a second."""

_LEAST = 0.1
"""The least scale, or error whose logarithm is learned, in units of its mean."""


def network_scale(trained: Trained) -> tuple[NetworkScale, list[str]]:
    """The scale of `normalized`, and what it is.

    Raises `DataError` if the run has too many inputs, or no error on its training rows.
    """
    split = trained.experiment.splits["train"]
    assert split.values is not None, "targets that are no classes are values"
    network = trained.experiment.network
    units, params = _size(network.inputs, network.outputs)
    most = max(1, int(_WORK / network.outputs / params**2))
    rows = np.arange(len(split))[:: -(-len(split) // most)]
    errors = np.abs(split.values - split_outputs(trained, "train"))[rows]
    mean = errors.mean(axis=0)
    if not mean.all():
        raise DataError("the errors on the training rows are 0, so there is no scale to learn")
    scale = _learned(split.X[rows], np.log(errors + _LEAST * mean), units)
    learned = f"a network of {plural(units, 'unit')} that learned the errors of"
    return scale, [f"widths by {learned} {plural(len(rows), 'training row')}"]


def _size(inputs: int, outputs: int) -> tuple[int, int]:
    """The units of the network, and its parameters. Raises `DataError` if these are too many."""
    for units in range(_MOST_UNITS, 0, -1):
        params = (inputs + 1) * units + (units + 1) * outputs
        if params <= _MOST_PARAMS:
            return units, params
    raise DataError(
        f"{inputs:,} inputs and {plural(outputs, 'target')} are too many for a network that learns "
        "the size of errors: use --method conformal"
    )


def _learned(X: Array, logarithms: Array, units: int) -> NetworkScale:
    """A network that has learned the logarithms (n, targets) from inputs (n, inputs)."""
    scaler = Scaler.fit("standard", logarithms)
    tree = {
        "name": "scale",
        "data": {
            "inputs": X,
            "targets": scaler.apply(logarithms),
            "task": "regression",
            "splits": {"train": np.arange(len(X))},
        },
        "network": {
            "layers": [X.shape[1], units, logarithms.shape[1]],
            "activations": ["tanh", "identity"],
            "init": "nguyen_widrow",  # with others, noise that falls and rises again is missed
        },
        "loss": "squared_error",
        "training": {"optimizer": "bayesian_regularization", "epochs": _EPOCHS},
    }
    experiment = build(config_of(tree))
    training = experiment.training(experiment.objective())
    *_, last = train_epochs(training, _EPOCHS)
    network, params = experiment.network, last.params
    predicted = scaler.invert(predict(network, params, X))
    ends = predicted.min(axis=0), predicted.max(axis=0)
    return NetworkScale(network, params, scaler.shift, scaler.factor, *ends)


def spread_scale(trained: Trained) -> tuple[SpreadScale, list[str]]:
    """The scale of `ensemble`, and what it is.

    Raises `DataError` if the run is no average of several networks whose spread can be seen.
    """
    experiment, restarts = trained.experiment, trained.record.restarts
    count = 1 if restarts is None or restarts.combine != "mean" else len(restarts.kept)
    if count == 1:
        raise DataError(
            "it is not an average of several networks: train with `training.restarts: {count: "
            "10, combine: mean}`"
        )
    if (
        len(experiment.network.layers) == 1
        or not experiment.network.layers[-1].activation.is_identity
    ):
        raise DataError(
            "the spread of its networks is not stored: this needs a hidden layer and the output "
            "activation identity"
        )
    network, members = averaged_members(experiment.network, trained.params, count)
    X, factor = experiment.splits["train"].X, experiment.preprocessor.targets.factor
    centres = np.array(
        [predict(network, params, X).mean(axis=0, dtype=np.float64) for params in members]
    )
    scale = SpreadScale(network, tuple(members), centres, factor, np.zeros(network.outputs))
    mean = scale.spread(X).mean(axis=0)
    scale = replace(scale, least=np.where(mean > 0, _LEAST * mean, 1.0))
    return scale, [f"widths by the spread of {count} networks"]
