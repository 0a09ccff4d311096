"""Load a saved run: its experiment is rebuilt, its weights are checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from bpcli.config.load import validate
from bpcli.config.models import Spec
from bpcli.config.source import Source
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.split import ROWS_AT_ONCE
from bpcli.data.table import Table, table_without_rows
from bpcli.data.types import SPLITS, Words
from bpcli.errors import RunError
from bpcli.experiment import Experiment, build
from bpcli.metrics.isotonic import calibrated_network, without_curves
from bpcli.metrics.temperature import with_temperature
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Layer, Network
from bpcli.nn.numerics import prefer
from bpcli.runs.files import load_arrays
from bpcli.runs.layout import RESOLVED, SPLIT, WEIGHTS
from bpcli.runs.provenance import data_digest, since
from bpcli.runs.record import split_arrays
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run

if TYPE_CHECKING:
    from bpcli.data.columns import FeatureEncoder
    from bpcli.runs.saved_weights import WeightsMeta

Weights: TypeAlias = Literal["best", "last"]


@dataclass(frozen=True)
class Trained:
    """A run's experiment and its trained parameters."""

    run: Run
    record: RunRecord
    experiment: Experiment
    params: Vector
    notes: tuple[str, ...] = ()
    weights: Weights = "best"

    @property
    def uncalibrated(self) -> Trained:
        """The run without the calibration of its probabilities."""
        if not self.is_calibrated:
            return self
        network, params = before_calibration(
            self.record, self.weights, self.experiment.network, self.params
        )
        experiment = replace(self.experiment, network=network)
        return replace(self, experiment=experiment, params=params)

    @property
    def is_calibrated(self) -> bool:
        """Whether the probabilities of these weights were calibrated."""
        calibration = self.record.calibration
        return calibration is not None and calibration.changes(self.weights)


def before_calibration(
    record: RunRecord, weights: Weights, network: Network, params: Vector
) -> tuple[Network, Vector]:
    """The network and the parameters of a run without the calibration of its probabilities."""
    calibration = record.calibration
    if calibration is None or not calibration.changes(weights):
        return network, params
    T = calibration.temperature(weights)
    if T is not None:
        return network, with_temperature(network, params, 1 / T)
    return without_curves(network, params)


@dataclass(frozen=True)
class SavedWeights:
    """A run's record, and its weights file: arrays and their description."""

    run: Run
    record: RunRecord
    arrays: Mapping[str, Array]
    meta: WeightsMeta

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(saved.layer for saved in self.meta.layers)

    def params(self, network: Network, weights: Weights, dtype: np.dtype) -> Vector:
        """Return the best or the last parameters. Raises `RunError` if they do not fit."""
        params = np.empty(network.n_params, dtype)
        for name, tensor in network.tensors(params):
            saved = self.arrays.get(f"{weights}.{name}")
            if saved is None or (saved.shape, saved.dtype) != (tensor.shape, tensor.dtype):
                state = "missing" if saved is None else f"{saved.dtype} of shape {saved.shape}"
                raise RunError(
                    f"{self.run.path(WEIGHTS)}: {weights}.{name} is {state}; the config implies "
                    f"{tensor.dtype} of shape {tensor.shape}."
                )
            if not np.isfinite(saved).all():
                raise RunError(
                    f"{self.run.path(WEIGHTS)}: {weights}.{name} contains NaN or infinity."
                )
            tensor[...] = saved
        return params

    def preprocessor(
        self, network: Network, class_names: tuple[str, ...], words: Mapping[str, Words]
    ) -> Preprocessor:
        """Return the scales that training fitted. Raises `RunError` if they do not fit."""
        widths = {"inputs": network.inputs, "targets": network.outputs}
        for side, width in widths.items():
            for part in ("shift", "factor"):
                self._check_scale(f"{side}.{part}", (width,))
        return Preprocessor.from_arrays(self.arrays, class_names, network.outputs, words)

    @property
    def encoder(self) -> FeatureEncoder | None:
        """Return how the columns of a file become inputs; None for other sources of data.

        Raises `RunError` if they are not the named inputs of the weights.
        """
        columns = self.meta.columns
        if columns is None:
            return None
        from bpcli.data.columns import FeatureEncoder  # only tables in files have one

        encoder = FeatureEncoder.from_json(columns.to_json())
        if list(encoder.names) != self.meta.input_names:
            raise RunError(
                f"{self.run.path(WEIGHTS)} is damaged: its columns do not match its inputs."
            )
        return encoder

    def _check_scale(self, name: str, shape: tuple[int, ...]) -> None:
        saved = self.arrays.get(name)
        if saved is None or (saved.shape, saved.dtype) != (shape, np.dtype(np.float64)):
            raise RunError(
                f"The weights file of the run has no {name} of shape {shape} in float64."
            )
        if not np.isfinite(saved).all() or (name.endswith("factor") and 0 in saved):
            raise RunError(
                f"The weights file of the run has an invalid {name}: expected finite "
                "numbers, and factors other than 0."
            )


def load_weights(run: Run) -> SavedWeights:
    """Read a run's weights file. Raises `RunError` if it is missing or damaged."""
    from bpcli.runs.saved import check
    from bpcli.runs.saved_weights import WeightsMeta

    record = run.record()
    if not run.path(WEIGHTS).is_file():
        raise RunError(f"{run.run_id} has no weights: its status is `{record.status}`.")
    path = run.checked(WEIGHTS, record)
    arrays, document = load_arrays(path)
    meta = check(WeightsMeta, document, path)
    if meta.params > sum(array.size for array in arrays.values()):
        raise RunError(f"{path} is damaged: it has fewer than {meta.params} parameters.")
    return SavedWeights(run, record, arrays, meta)


def read_config(run: Run, record: RunRecord | None = None) -> Source:
    """A run's resolved config. Raises `RunError` if its file is missing or damaged.

    Arrays of a Python program are in a file beside the run: it is found after a move, too. It names
    no scheduler: a process that connects to one runs what that sends, and the run may be anybody's.
    """
    source = Source.read(run.checked(RESOLVED, record))
    file = source.get(("data", "file"))
    if isinstance(file, str) and not Path(file).is_file():
        beside = run.folder.parent / Path(file).name
        if beside.suffix == ".npz" and beside.is_file():
            source.tree["data"]["file"] = str(beside.absolute())
    if source.get(("training", "scheduler")) is not None:
        source.tree["training"]["scheduler"] = None
    return source


def require_same_splits(run: Run, record: RunRecord, experiment: Experiment) -> None:
    """Raise `RunError` if the splits of a large table are not those that the run was trained on.

    Earlier versions drew them in another way.
    """
    if len(experiment.table) <= ROWS_AT_ONCE:
        return
    with np.load(run.checked(SPLIT, record)) as saved:
        rows = {name: saved[name] for name in saved.files}
    expected = split_arrays(experiment)
    if rows.keys() != expected.keys() or any(
        not np.array_equal(rows[name], array) for name, array in expected.items()
    ):
        raise RunError(
            f"The splits of {run.run_id} were drawn by another version of bpnet, and this one "
            f"draws other rows: use that version, or train again.{since(record)}"
        )


def load_spec(run: Run) -> Spec:
    """A run's config. Raises `RunError` if its file is missing or damaged."""
    return validate(read_config(run)).spec


def load_trained(run: Run, weights: Weights = "best") -> Trained:
    """Rebuild a run. Raises `RunError` if its files are missing, damaged or do not match."""
    saved = load_weights(run)
    if saved.record.imported is not None and not saved.record.rows.train:
        raise RunError(
            f"{run.run_id} has no rows: it was imported without a table. Import it again with "
            "`--data TABLE`, or name a table: `bpnet eval RUN --data FILE` or `bpnet explain RUN "
            "FILE`."
        )
    config = validate(read_config(run, saved.record))
    experiment = build(config, encoder=saved.encoder, can_be_native=True)
    if data_digest(experiment.table) != saved.record.data_sha256:
        raise RunError(
            f"The data of {run.run_id} have changed since its training: their rows differ. Restore "
            f"the data files, or train again.{since(saved.record)}"
        )
    require_same_splits(run, saved.record, experiment)
    experiment = replace(experiment, network=_calibrated(saved, experiment.network))
    params = saved.params(experiment.network, weights, experiment.dtype)
    fitted = experiment.preprocessor
    preprocessor = saved.preprocessor(experiment.network, fitted.class_names, fitted.words)
    notes = prefer(config.spec.training.numerics)
    experiment = experiment.with_preprocessor(preprocessor)
    return Trained(run, saved.record, experiment, params, notes, weights)


def _calibrated(saved: SavedWeights, network: Network) -> Network:
    """The network with the layers that isotonic calibration has added."""
    calibration = saved.record.calibration
    if calibration is None or calibration.units is None:
        return network
    network = calibrated_network(network, calibration.units)
    if network.layers != saved.layers:
        raise RunError(
            f"{saved.run.path(WEIGHTS)}: its layers are not those of the config with "
            f"{calibration.units} units for the calibration."
        )
    return network


def load_without_rows(run: Run, weights: Weights = "best") -> Trained:
    """Rebuild a run from its own files, with splits that have no rows.

    Raises `RunError` if its files are missing or damaged.
    """
    saved = load_weights(run)
    config = validate(read_config(run, saved.record))
    notes = prefer(config.spec.training.numerics)
    network = Network(saved.layers, config.spec.loss)
    meta = saved.meta
    preprocessor = saved.preprocessor(network, tuple(meta.class_names), meta.words_of_labels)
    table = _table_without_rows(saved)
    none = np.empty(0, np.intp)
    splits = {name: preprocessor.split(name, table, none) for name in SPLITS}
    experiment = Experiment(config, table, preprocessor, splits, network)
    params = saved.params(network, weights, experiment.dtype)
    return Trained(run, saved.record, experiment, params, notes, weights)


def _table_without_rows(saved: SavedWeights) -> Table:
    meta = saved.meta
    table = table_without_rows(
        tuple(meta.input_names),
        saved.encoder,
        tuple(meta.class_names),
        tuple(meta.target_names),
        meta.words_of_labels,
    )
    return table.with_inputs_as_targets() if saved.record.task == "reconstruction" else table
