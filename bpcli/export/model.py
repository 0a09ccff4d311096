"""A trained network with its preprocessor: everything that a prediction needs, without data.

It is loaded from a run's resolved.yaml and weights.safetensors, so that a run can be used without
its training rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bpcli.config.file_models import FileData
from bpcli.config.load import validate
from bpcli.config.source import Source
from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.dialect import Dialect
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.tally import Tally
from bpcli.data.types import Labels
from bpcli.experiment.output_names import output_names
from bpcli.intervals.bounds import end_names
from bpcli.intervals.conformal import AbsoluteErrors
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.numerics import prefer
from bpcli.nn.propagation import predict as network_outputs
from bpcli.runs.layout import RESOLVED
from bpcli.runs.store import Run
from bpcli.runs.trained import SavedWeights, Weights, before_calibration, load_weights

if TYPE_CHECKING:
    from pandas import DataFrame


class Intervals(NamedTuple):
    """Intervals of a level, whose half widths are the same for all rows."""

    level: float
    method: AbsoluteErrors

    @property
    def half_widths(self) -> list[float]:
        """The half width for each output, in original units."""
        widths: list[float] = self.method.half.tolist()
        return widths


@dataclass(frozen=True)
class Model:
    """outputs = unscale(network(scale(inputs))), with the names of inputs and outputs.

    `inputs_array` is the name of the training's inputs in a file of arrays, if the config gives it.
    """

    name: str
    network: Network
    params: Vector
    preprocessor: Preprocessor
    encoder: FeatureEncoder
    target_names: tuple[str, ...]
    dialect: Dialect
    inputs_array: str | None = None
    notes: tuple[str, ...] = ()
    intervals: Intervals | None = None
    """Intervals to export with the predictions, if they are asked for."""

    @property
    def module_name(self) -> str:
        """Its name as one that Python can import."""
        module = self.name.replace("-", "_").replace(".", "_")
        return module if module.isidentifier() else f"_{module}"

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes; empty if the targets are values."""
        return self.preprocessor.class_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """P(setosa), …, or predicted y."""
        return output_names(self.network, self.preprocessor.categories, self.target_names)

    @property
    def end_names(self) -> tuple[str, ...]:
        """The names of the ends of intervals: predicted y low, predicted y high; empty without."""
        return () if self.intervals is None else end_names(self.output_names)

    @property
    def answers(self) -> Mapping[str, tuple[str, ...]]:
        """The words that can be predicted for the class or each label; `Preprocessor.answers`."""
        return self.preprocessor.answers

    def answered(self, outputs: Array) -> Labels:
        """The index (n, answers) of each predicted word, for outputs (n, outputs)."""
        return self.preprocessor.answered(outputs)

    def outputs(self, X: Array, tally: Tally | None = None) -> Array:
        """The outputs (n, outputs) for inputs (n, inputs), both in original units.

        Rows whose outputs are not finite are counted in `tally`.
        """
        prepared = self.preprocessor.inputs.apply(X)
        outputs = self.preprocessor.original(network_outputs(self.network, self.params, prepared))
        if tally is not None:
            tally.outputs(outputs)
        return outputs

    def labels(self, outputs: Array) -> Labels | None:
        """The predicted class of each row of `outputs`, as an index into `class_names`."""
        return self.preprocessor.labels(outputs)

    def predict(self, frame: DataFrame, tally: Tally | None = None) -> Array:
        """`outputs` for the columns of a frame, which are matched by name.

        Filled and unknown values, and outputs that are not finite, are counted in `tally`. Raises
        `DataError` naming a missing column, or column and row of a wrong value.
        """
        return self.outputs(self.encoder.encode(frame, tally), tally)

    def in_double(self) -> Model:
        """The same model with its parameters in float64, so that it computes in float64."""
        return replace(self, params=self.params.astype(np.float64))


def load_model(run: Run, weights: Weights = "best") -> Model:
    """A run's model. Raises `RunError` if its files are missing, damaged or inconsistent.

    Raises `NumericsNotPinned` if the run needs portable numerics, and a restart of this process.
    """
    saved = load_weights(run)
    spec = validate(Source.read(run.checked(RESOLVED, saved.record))).spec
    notes = prefer(spec.training.numerics)
    network = Network(saved.layers, spec.loss)
    return Model(
        spec.name,
        network,
        saved.params(network, weights, np.dtype(spec.network.dtype)),
        saved.preprocessor(network, tuple(saved.meta.class_names), saved.meta.words_of_labels),
        _encoder(saved),
        tuple(saved.meta.target_names),
        spec.data.dialect if isinstance(spec.data, FileData) else Dialect(),
        spec.data.inputs_array if isinstance(spec.data, FileData) else None,
        notes,
    )


def uncalibrated(model: Model, run: Run, weights: Weights = "best") -> Model:
    """The model of these weights of a run, without the calibration of its probabilities."""
    network, params = before_calibration(run.record(), weights, model.network, model.params)
    return replace(model, network=network, params=params)


def _encoder(saved: SavedWeights) -> FeatureEncoder:
    """The encoder that training fitted; for data without a table file, numbers by name."""
    return saved.encoder or FeatureEncoder(tuple(map(InputColumn, saved.meta.input_names)))
