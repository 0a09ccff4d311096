"""A trained network with its preprocessor: all that a prediction needs, without any data.

It comes from a run's resolved.yaml and weights.safetensors alone, so that a run can be used where
the rows it was trained on are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bpcli.config.file_models import FileData
from bpcli.config.load import validate
from bpcli.config.source import Source
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.delimited import FileFormat
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.types import Labels
from bpcli.experiment.output_names import output_names
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.numerics import prefer
from bpcli.nn.propagation import predict as network_outputs
from bpcli.runs.layout import RESOLVED
from bpcli.runs.store import Run
from bpcli.runs.trained import SavedWeights, Weights, load_weights

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Model:
    """outputs = unscale(network(scale(inputs))), and the names of what goes in and comes out."""

    name: str
    network: Network
    params: Vector
    preprocessor: Preprocessor
    encoder: FeatureEncoder
    target_names: tuple[str, ...]
    format: FileFormat
    notes: tuple[str, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that outputs stand for; none where they are values."""
        return self.preprocessor.class_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """P(setosa), …, or predicted y."""
        return output_names(self.network, self.class_names, self.target_names)

    def outputs(self, X: Array) -> Array:
        """The outputs (n, outputs), in original units, for inputs (n, inputs) in theirs."""
        prepared = self.preprocessor.inputs.apply(X)
        return self.preprocessor.original(network_outputs(self.network, self.params, prepared))

    def labels(self, outputs: Array) -> Labels | None:
        """The class that each row of `outputs` says, as a place in `class_names`."""
        return self.preprocessor.labels(outputs)

    def predict(self, frame: DataFrame) -> Array:
        """`outputs` for the columns of a frame, which are found by name.

        Raises `DataError` naming the column that lacks, or column and row of what does not fit.
        """
        return self.outputs(self.encoder.encode(frame))

    def in_double(self) -> Model:
        """The same parameters, computed with in float64."""
        return replace(self, params=self.params.astype(np.float64))


def load_model(run: Run, weights: Weights = "best") -> Model:
    """A run's model. Raises `RunError` where its files are missing, damaged or do not fit.

    Raises `NumericsNotPinned` where the run has other numerics than this process.
    """
    saved = load_weights(run)
    spec = validate(Source.read(run.checked(RESOLVED, saved.record))).spec
    notes = prefer(spec.training.numerics)
    network = Network(saved.layers, spec.loss)
    return Model(
        spec.name,
        network,
        saved.params(network, weights, np.dtype(spec.network.dtype)),
        saved.preprocessor(network, tuple(saved.meta.class_names)),
        _encoding(saved),
        tuple(saved.meta.target_names),
        spec.data.format if isinstance(spec.data, FileData) else FileFormat(),
        notes,
    )


def _encoding(saved: SavedWeights) -> FeatureEncoder:
    """What the training fitted; of data that were no table of a file, numbers by their names."""
    return saved.encoder or FeatureEncoder(tuple(map(InputColumn, saved.meta.input_names)))
