"""A run as an explanation sees it: its columns, its rows, and its network in double precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.dialect import Signs
from bpcli.data.preprocessing import Split
from bpcli.data.types import SplitName
from bpcli.errors import ConfigError, RunError
from bpcli.explanation.columns import Column, columns_of
from bpcli.explanation.draws import Outputs, evenly_spaced
from bpcli.explanation.permutation import Measured
from bpcli.explanation.sensitivity import original_gradients
from bpcli.metrics.measures import weighted
from bpcli.metrics.metrics import (
    METRICS,
    Piece,
    Sample,
    mean_of,
    output_activations,
    predictions,
    ratio_of,
)
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.averaging import averaged_members
from bpcli.nn.network import Network
from bpcli.nn.propagation import output_z, predict
from bpcli.runs.store import Run
from bpcli.runs.subject import SPLIT_NAMES
from bpcli.runs.trained import Trained, Weights, load_trained, load_without_rows
from bpcli.text import plural
from bpcli.workflows.evaluate import default_split
from bpcli.workflows.other_data import GivenRows, with_given_rows
from bpcli.workflows.subject import with_rows_in_memory


@dataclass(frozen=True)
class Explained:
    """A run, and the split whose rows are used. Everything is computed in float64."""

    trained: Trained
    name: SplitName
    notes: tuple[str, ...] = ()

    @property
    def split(self) -> Split:
        """The rows to use."""
        return self.trained.experiment.splits[self.name]

    @property
    def training(self) -> Split:
        """The training rows; none if they cannot be read."""
        return self.trained.experiment.splits["train"]

    @property
    def set_name(self) -> str:
        """The name of the rows in text."""
        return f"{SPLIT_NAMES[self.name]} rows"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        table = self.trained.experiment.table
        names = table.input_names
        return columns_of(table.encoder or FeatureEncoder(tuple(map(InputColumn, names))))

    @cached_property
    def params(self) -> Vector:
        return self.trained.params.astype(np.float64)

    @property
    def output_names(self) -> tuple[str, ...]:
        return self.trained.experiment.output_names

    def outputs(self, X: Array) -> Array:
        """The outputs (n, K) in original units, for encoded rows X (n, d)."""
        return self._outputs_of(self.trained.experiment.network, self.params, X)

    def require_finite(self, X: Array, which: str) -> None:
        """Raises `RunError` if an output for encoded rows (n, d) is not a finite number."""
        with np.errstate(all="ignore"):
            wrong = ~np.isfinite(self.outputs(X)).all(axis=1)
        if wrong.any():
            raise RunError(
                f"The outputs of {self.trained.run.run_id} are not finite for {wrong.sum():,} of "
                f"{plural(len(X), which)}, so they cannot be explained: check the values of these "
                "rows and the scale of the data, or whether the training diverged."
            )

    @cached_property
    def members(self) -> tuple[Outputs, ...]:
        """The outputs of each network that this one is the average of, apart from a constant.

        None of them if it is no average, or these networks cannot be told apart.
        """
        restarts = self.trained.record.restarts
        if restarts is None or restarts.combine != "mean":
            return ()
        try:
            network, members = averaged_members(
                self.trained.experiment.network, self.params, len(restarts.kept)
            )
        except ValueError:
            return ()
        return tuple(partial(self._outputs_of, network, params) for params in members)

    def _outputs_of(self, network: Network, params: Vector, X: Array) -> Array:
        preprocessor = self.trained.experiment.preprocessor
        return preprocessor.original(predict(network, params, preprocessor.inputs.apply(X)))

    def gradients(self, X: Array) -> Array:
        """The derivatives (K, n, d) of the outputs in original units."""
        experiment = self.trained.experiment
        return original_gradients(experiment.network, self.params, experiment.preprocessor, X)

    def at_most(self, rows: int) -> Split:
        """The rows to use, evenly spaced if there are more."""
        split = self.split
        if len(split) <= rows:
            return split
        return replace(split, index=split.index[evenly_spaced(len(split), rows)])

    def measured(self, split: Split) -> Measured:
        """The loss and the metric of the task, and those of each of several targets.

        They are functions of encoded rows in place of those of the split, whose targets stay.
        """
        network, params = self.trained.experiment.network, self.params
        preprocessor, Y, values = split.preprocessor, split.Y.T, split.values
        targets = _targets_with_own_metrics(split)
        name = "accuracy" if preprocessor.categories else "rmse"

        def measure(X: Array) -> Mapping[str, Sample]:
            Z = output_z(network, params, preprocessor.inputs.apply(X)).T
            A = output_activations(network, Z)
            losses = weighted(network.loss.per_sample(Z, A, Y), split)
            samples = {"loss": Sample(losses, mean_of if split.weight is None else ratio_of)}
            piece = Piece(split, predictions(network, Z, preprocessor), values)
            pieces = {name: piece}
            pieces |= {f"{name}.{own}": piece.of_target(k) for k, own in enumerate(targets)}
            for key, each in pieces.items():
                statistics = METRICS[name].statistics(each)
                assert statistics is not None, "the metric fits the task"
                samples[key] = Sample(statistics, METRICS[name].value)
            return samples

        return measure

    def encoded(self, split: Split) -> Array:
        """The rows of a split as the network's inputs before they are scaled (n, d)."""
        return np.asarray(split.table.X[split.index[:]], np.float64)


def _targets_with_own_metrics(split: Split) -> tuple[str, ...]:
    names = split.table.target_names
    return names if len(names) > 1 and not split.table.is_autoencoder else ()


def load_explained(
    run: Run,
    weights: Weights,
    split: SplitName | None,
    data: GivenRows | None = None,
    signs: Signs | None = None,
    *,
    in_memory: bool = True,
) -> Explained:
    """Load a run with the rows of a split, or of a file or a table as its split `data`.

    With `in_memory`, some of the rows stand for all of those that are streamed. By default the test
    set, else the validation set, else the training set. Raises `RunError` if the split is empty,
    and `ConfigError`, `DataError` or `RunError` if rows cannot be read.
    """
    if data is None:
        trained = load_trained(run, weights)
        trained = with_rows_in_memory(trained) if in_memory else trained
        chosen = split or default_split(trained.experiment)
        if not len(trained.experiment.splits[chosen]):
            raise RunError(f"The {chosen} split of {run.run_id} is empty: choose another split.")
        return Explained(trained, chosen, trained.notes)
    trained, notes = _with_training_rows_if_any(run, weights)
    notes = [*trained.notes, *notes]
    trained, more = with_given_rows(trained, data, signs or {})
    return Explained(trained, "data", (*notes, *more))


def _with_training_rows_if_any(run: Run, weights: Weights) -> tuple[Trained, list[str]]:
    """The run, without its own rows if they cannot be read; a note says so."""
    try:
        return with_rows_in_memory(load_trained(run, weights)), []
    except (ConfigError, RunError) as error:
        trained = load_without_rows(run, weights)
        why = next((issue.message for issue in getattr(error, "issues", ())), str(error))
        return trained, [f"the training rows are not used: {why.partition('. ')[0]}"]
