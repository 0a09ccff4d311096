"""The trained network of a run, and its predictions."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Self, overload

from bpcli.api.network import Network, Parameters
from bpcli.api.predictions import (
    RowSource,
    answers_of,
    answers_with_intervals,
    inputs_of,
    outputs_of,
    probabilities_of,
)
from bpcli.api.saved import SavedRun
from bpcli.api.warn import warn
from bpcli.data.types import DataFrame
from bpcli.export.model import Model, load_model
from bpcli.nn.arrays import Array
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.trained import Trained, Weights, load_trained
from bpcli.workflows.frames import RowsInMemory

if TYPE_CHECKING:
    from bpcli.workflows.interval_columns import Columns
    from bpcli.workflows.intervals import Method


class Predictor(SavedRun):
    """A run whose network is loaded when it is first used."""

    @cached_property
    def _model(self) -> Model:
        with repeatable_numerics():
            model = load_model(self._stored, self.weights)
        warn(model.notes)
        return model

    @cached_property
    def _trained(self) -> Trained:
        with repeatable_numerics():
            trained = load_trained(self._stored, self.weights)
        warn(trained.notes)
        return trained

    def with_weights(self, weights: Weights) -> Self:
        """The same run, whose predictions use the `best` or the `last` weights."""
        return type(self)(self._stored, weights, notes=self.notes, scratch=self._scratch)

    @property
    def network(self) -> Network:
        """A copy of the trained network; its inputs and outputs are scaled, see `inputs`."""
        model = self._model
        return Network._of(model.network, model.params)

    @property
    def parameters(self) -> Parameters:
        """The trained parameters of each layer, {"W": (units, inputs), "b": (units,)}, as copies.

        A layer without biases has None in place of b.
        """
        return self.network.parameters

    @property
    def input_names(self) -> tuple[str, ...]:
        """The columns that a prediction needs, in the order of training."""
        return tuple(column.name for column in self._model.encoder.inputs)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, or of the labels; empty if the targets are values."""
        return self._model.preprocessor.categories

    # Predictions.

    @overload
    def predict(self, rows: RowSource) -> Array | DataFrame: ...

    @overload
    def predict(
        self, rows: RowSource, *, interval: float, method: Method = ..., by: str | None = ...
    ) -> tuple[Array, ...]: ...

    def predict(
        self,
        rows: RowSource,
        *,
        interval: float | None = None,
        method: Method = "conformal",
        by: str | None = None,
    ) -> Array | DataFrame | tuple[Array | DataFrame, ...]:
        """Predict rows: classes (n,), or values in original units, (n,) or (n, k).

        `rows` is a DataFrame, whose columns are found by name while others are ignored; an array or
        lists of the training's inputs in order; or the path of a file, read as `bpnet predict`
        reads it. For several labels, the result is a DataFrame of their texts. Missing values that
        were filled, unknown categories and guesses about a file are warnings (`BpnetWarning`).

        With a level as `interval`, such as 0.9, the result is the values with the low and the high
        ends of their intervals, or the classes with their sets (n, classes) of true and false;
        `method` and `by` are those of `bpnet predict`. `delta` and `posterior` also give the
        standard deviations by the parameters and by the noise.

        Raises `DataError` with the column and row of a value that cannot be used, `ConfigError` for
        a wrong level, and `RunError` if the run has no such intervals.

        >>> run.predict([[0, 0], [0, 1]])
        array([0, 1])
        """
        if interval is None:
            return answers_of(self._model, outputs_of(self._model, rows))
        return answers_with_intervals(self._model, rows, self._intervals(interval, method, by))

    def _intervals(self, level: float, method: Method, by: str | None) -> Columns:
        """What goes beside predictions; fitted once, as that may be a training of its own."""
        from bpcli.workflows.intervals import calibrated

        key = level, method, by
        if key not in self._calibrated:
            with repeatable_numerics():
                intervals = calibrated(self._trained, level, method, by=by)
            self._calibrated[key] = intervals.columns
        columns = self._calibrated[key].afresh()
        warn(columns.unpromised)
        return columns

    @cached_property
    def _calibrated(self) -> dict[tuple[float, Method, str | None], Columns]:
        return {}

    def predict_proba(self, rows: RowSource) -> Array:
        """The probabilities (n, classes) of the `classes` in their order, or of each label.

        Raises `RunError` if the network predicts values, or its outputs are not probabilities.
        """
        return probabilities_of(self._model, self.outputs(rows))

    def outputs(self, rows: RowSource) -> Array:
        """The network's outputs (n, outputs), in original units."""
        return outputs_of(self._model, rows)

    def inputs(self, rows: RowsInMemory) -> Array:
        """The rows (n, inputs) as the network gets them: categories one-hot, numbers scaled.

        `run.network.forward(run.inputs(rows))` are its outputs before they are scaled back.
        """
        return inputs_of(self._model, rows)
