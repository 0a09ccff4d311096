"""A saved run, loaded again: its experiment rebuilt, its weights checked and at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from bpcli.build import Experiment, build
from bpcli.data.prepare import Preparation
from bpcli.errors import RunError
from bpcli.experiment.provenance import data_digest, file_digest
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.runs.files import load_arrays
from bpcli.runs.store import RESOLVED, WEIGHTS, Record, Run
from bpcli.spec.load import validate
from bpcli.spec.source import Source

Weights: TypeAlias = Literal["best", "last"]


@dataclass(frozen=True)
class Trained:
    """A run's experiment and the parameters it ended with."""

    run: Run
    record: Record
    experiment: Experiment
    params: Vector


def load_trained(run: Run, weights: Weights = "best") -> Trained:
    """Rebuild a run. Raises `RunError` where its files are missing, damaged or do not fit."""
    record = run.record()
    path = run.path(WEIGHTS)
    if not path.is_file():
        raise RunError(f"{run.run_id} has no weights: its status is `{record['status']}`.")
    if record.get("weights_sha256") != file_digest(path):
        raise RunError(f"{path} is damaged: its digest is not the one in run.json.")
    arrays, _ = load_arrays(path)
    config = validate(Source.read(run.path(RESOLVED)))
    experiment = build(config)
    if data_digest(experiment.table) != record.get("data_sha256"):
        raise RunError(
            f"The data of {run.run_id} cannot be made again: its rows differ from those of the "
            "training (another version of scikit-learn?)."
        )
    params = _params(run, experiment.network, weights, arrays, experiment.dtype)
    return Trained(run, record, _with_saved_preparation(experiment, arrays), params)


def _params(
    run: Run, network: Network, weights: Weights, arrays: Mapping[str, Array], dtype: np.dtype
) -> Vector:
    params = np.empty(network.n_params, dtype)
    for name, tensor in network.tensors(params):
        saved = arrays.get(f"{weights}.{name}")
        if saved is None or (saved.shape, saved.dtype) != (tensor.shape, tensor.dtype):
            found = "missing" if saved is None else f"{saved.dtype} of shape {saved.shape}"
            raise RunError(
                f"{run.path(WEIGHTS)}: {weights}.{name} is {found}; the config implies "
                f"{tensor.dtype} of shape {tensor.shape}."
            )
        if not np.isfinite(saved).all():
            raise RunError(f"{run.path(WEIGHTS)}: {weights}.{name} holds NaN or infinity.")
        tensor[...] = saved
    return params


def _with_saved_preparation(experiment: Experiment, arrays: Mapping[str, Array]) -> Experiment:
    """The scales that the training fitted, not ones fitted again."""
    fitted = experiment.preparation
    for name, array in fitted.to_arrays().items():
        saved_array = arrays.get(name)
        if saved_array is None or saved_array.shape != array.shape:
            raise RunError(f"The weights file of the run lacks {name} of shape {array.shape}.")
        if not np.isfinite(saved_array).all() or (name.endswith("factor") and 0 in saved_array):
            raise RunError(f"The weights file of the run holds a {name} that cannot scale.")
    saved = Preparation.from_arrays(arrays, fitted.class_names, experiment.network.outputs)
    parts = {
        name: saved.part(name, experiment.table, part.index)
        for name, part in experiment.parts.items()
    }
    return replace(experiment, preparation=saved, parts=parts)
