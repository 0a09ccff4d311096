"""Import a network that another program trained, as a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.config.load import Config, config_of
from bpcli.data.files.array_files import is_array_file
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.table import Table, table_without_rows
from bpcli.data.types import SPLITS
from bpcli.errors import ConfigError, DataError
from bpcli.experiment import Experiment, build
from bpcli.experiment.start import Start
from bpcli.imports.model import ImportedModel
from bpcli.imports.read import read_model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Vector
from bpcli.nn.losses import LOSSES, canonical_loss
from bpcli.nn.network import Layer, Network
from bpcli.registry import as_mapping, name_of
from bpcli.runs.run_json import Origin, RunRecord
from bpcli.runs.store import Run
from bpcli.text import NAMES, as_name, is_name, quoted
from bpcli.workflows.save_trained import IMPORTED, Curves, TrainedInMemory, save_trained

NO_TABLE = "no-table-was-given.csv"
"""What the config of an import names in place of a table: a file that does not exist."""


@dataclass(frozen=True, eq=False)
class Import:
    """A network from a file, and where it comes from."""

    path: Path
    model: ImportedModel
    origin: Origin

    @classmethod
    def read(cls, path: Path) -> Import:
        """Read a file. Raises `ModelError`."""
        model, content = read_model(path)
        digest = hashlib.sha256(content).hexdigest()
        return cls(path, model, Origin(path.name, digest, model.form))

    @property
    def network(self) -> Network:
        """The layers and the loss."""
        layers = tuple(
            Layer(
                layer.inputs,
                layer.units,
                layer.activation,
                "none" if layer.bias is None else "trained",
            )
            for layer in self.model.layers
        )
        return Network(layers, LOSSES[_loss(self.model)]())

    def experiment(self, name: str, table: Path | None) -> tuple[Experiment, Vector]:
        """The experiment of the run and its parameters: with the rows of a table, or without rows.

        Raises `ConfigError` if the table has not the columns and classes of the network.
        """
        config = config_of(self._tree(name, table), name=str(self.path))
        if table is None:
            return _without_rows(config, self.network, self.model), self.params(self.network)
        start = Start(config, self.model, self.path, b"", refits=False)
        experiment = build(config)
        if experiment.table.encoder is not None:
            encoder = start.encoder_for(experiment.table.encoder)
            if encoder != experiment.table.encoder:
                experiment = build(config, encoder=encoder)
        if issues := [*start.issues(experiment.table, experiment.network)]:
            raise config.source.error(issues)
        adapted = start.adapted(experiment.network, experiment.preprocessor)
        return experiment.with_preprocessor(adapted.preprocessor), adapted.params

    def _tree(self, name: str, table: Path | None) -> dict[str, Any]:
        model = self.model
        columns = {
            "inputs": [column.name for column in model.columns],
            "targets": list(model.target_names),
        }
        if table is not None and is_array_file(table):
            columns = {}  # arrays have no names of columns
        biases = [layer.bias is not None for layer in model.layers]
        task = "classification" if model.classes else "multilabel" if model.labels else "regression"
        return {
            "name": name,
            "data": {"file": str((table or Path(NO_TABLE)).absolute()), "task": task, **columns},
            "network": {
                "layers": model.sizes,
                "activations": [
                    as_mapping(ACTIVATIONS, layer.activation) for layer in model.layers
                ],
                "bias": biases if len({*biases}) > 1 else biases[0],
            },
            "loss": _loss(model),
            "training": {"epochs": 0},
        }

    def params(self, network: Network) -> Vector:
        """The parameter vector."""
        params = np.empty(network.n_params)
        pairs = zip(self.model.layers, network.layers, network.matrices(params), strict=True)
        for given, layer, matrix in pairs:
            matrix[:, : layer.inputs] = given.weights
            if given.bias is not None:
                matrix[:, -1] = given.bias
        return params


def _loss(model: ImportedModel) -> str:
    """The loss to train on with: that of the probabilities for classes and labels, else `mse`."""
    output = model.layers[-1].activation
    canonical = canonical_loss(name_of(ACTIVATIONS, output))
    if (model.classes or model.labels) and canonical is not None:
        return name_of(LOSSES, canonical)
    return "mse"


def _without_rows(config: Config, network: Network, model: ImportedModel) -> Experiment:
    words = dict(zip(model.target_names, model.labels, strict=False))
    preprocessor = Preprocessor(model.inputs, model.targets, model.classes, network.outputs, words)
    table: Table = table_without_rows(
        model.input_names, model.encoder, model.classes, model.target_names, words
    )
    none = np.empty(0, np.intp)
    splits = {split: preprocessor.split(split, table, none) for split in SPLITS}
    return Experiment(config, table, preprocessor, splits, network)


def import_model(
    source: Import, runs_dir: Path, name: str | None = None, table: Path | None = None
) -> Run:
    """Write the run of an imported network. Raises `ConfigError`, `DataError` or `RunError`."""
    if name is not None and not is_name(name):
        raise ConfigError(f"--name: found {quoted(name)}, expected {NAMES}.")
    try:
        experiment, params = source.experiment(
            name or as_name(source.path.stem) or "imported", table
        )
    except ConfigError as error:
        if not error.issues:
            raise
        said = "; ".join(issue.message for issue in error.issues)
        raise DataError(f"The table of --data cannot be used: {said}") from None
    trained = TrainedInMemory(experiment, params, params, Curves([], {}), 0, 0, IMPORTED, 0.0)

    def tell(record: RunRecord) -> RunRecord:
        return replace(record, imported=source.origin)

    return save_trained(trained, runs_dir, tell)
