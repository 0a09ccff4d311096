"""What is known of a run: its record, its log, and its network and data, rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import Labels, SplitName
from bpcli.errors import RunError
from bpcli.experiment import Experiment
from bpcli.intervals.bounds import Bounds
from bpcli.metrics.metrics import Predictions, predictions
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import LayerPass, Workspace, forward_rows
from bpcli.runs.metrics_log import OWN_KEYS, LogLine, Numbers
from bpcli.runs.run_json import RunRecord
from bpcli.runs.trained import Trained

Need: TypeAlias = Literal["log", "network", "weights"]
"""What is read: the lines of metrics.jsonl, the network with its weights and data, or without."""

SPLIT_NAMES = {"train": "training", "val": "validation", "test": "test", "data": "new"}
"""The names of splits in text."""

MOST_ROWS = 4000
"""The most rows that a histogram is made of; more would hardly change it."""

MOST_POINTS = 2000
"""The most rows that are drawn as points; more would hide each other."""


def some_rows(count: int, most: int = MOST_POINTS) -> Labels:
    """The indices of the rows that are drawn: all, or `most` of them, evenly spaced."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.intp)


class Intervals(NamedTuple):
    """Intervals to draw: `bounds` are their ends for inputs and outputs (n, …) in original units.

    `note` says what they promise.
    """

    level: float
    bounds: Callable[[Array, Array], Bounds]
    note: str

    @property
    def label(self) -> str:
        """What they are: 90 % intervals."""
        return f"{100 * self.level:g} % intervals"


@dataclass(frozen=True, eq=False)
class Subject:
    """The data of a run. For each need that is missing, `errors` has one sentence on the reason.

    `lines` are those of metrics.jsonl, `split` is the split to show, and `path` (epochs + 1,
    n_params) the recorded parameters from epoch 0 on. `folds` are the records of all folds of its
    cross-validation, itself included.
    """

    run_id: str
    record: RunRecord
    lines: Sequence[LogLine]
    rebuilt: Trained | None
    weights: Literal["best", "last"]
    split: SplitName
    path: Array | None
    errors: Mapping[Need, str]
    folder: Path | None = None
    folds: Sequence[RunRecord] = ()
    without_rows: Trained | None = None
    """The network and its weights if the data are missing, as those of an imported network are."""
    intervals: Intervals | None = None
    """Intervals of its predictions, if they are asked for."""

    @property
    def name(self) -> str:
        """The run's name, which is the same for equal runs, unlike its id."""
        name, fold = self.record.name, self.record.fold
        return name if fold is None else f"{name}, fold {fold.number} of {fold.of}"

    @property
    def experiment(self) -> Experiment:
        """The rebuilt experiment. Raises `RunError` if it could not be rebuilt."""
        return self._rebuilt.experiment

    @property
    def params(self) -> Vector:
        """The chosen weights. Raises `RunError` if there are none."""
        return self._rebuilt.params

    @property
    def network(self) -> Network:
        return self.experiment.network

    @cached_property
    def as_trained(self) -> Subject:
        """The run without the calibration of its probabilities; itself if it has none."""
        calibration = self.record.calibration
        if calibration is None or not calibration.changes(self.weights):
            return self
        rebuilt, alone = self.rebuilt, self.without_rows
        return replace(
            self,
            rebuilt=rebuilt and rebuilt.uncalibrated,
            without_rows=alone and alone.uncalibrated,
        )

    @property
    def rows(self) -> Split:
        """The split to show, which is not empty."""
        return self.experiment.splits[self.split]

    @property
    def split_name(self) -> str:
        """The split to show in text: training, validation or test (set)."""
        return SPLIT_NAMES[self.split]

    @property
    def predictions(self) -> Predictions:
        """The network's predictions for the split to show."""
        return self.predictions_of(self.split)

    def predictions_of(self, name: SplitName) -> Predictions:
        """The network's predictions for a split, as `bpnet eval` scores them; computed once."""
        if name not in self._predictions:
            Z = self.experiment.output_z(name, self.params)
            computed = predictions(self.network, Z, self.experiment.preprocessor)
            self._predictions[name] = computed
        return self._predictions[name]

    @cached_property
    def _predictions(self) -> dict[SplitName, Predictions]:
        return {}

    def passed(self, name: SplitName, most: int = MOST_ROWS) -> list[LayerPass]:
        """The layers with z and a for at most `most` rows of a split, evenly spaced."""
        X = self.experiment.splits[name].X
        work = Workspace(self.network, self.params)
        forward_rows(work, X if len(X) <= most else X[some_rows(len(X), most)])
        return work.layers

    def series(self, key: str) -> tuple[Array, Array]:
        """The epochs (k,) of the lines that have a key, and its values (k, …), NaN for null.

        Raises `RunError` if a value is not a number.
        """
        lines = [line for line in self._values if key in line]
        try:
            values = np.array([line[key] for line in lines], dtype=np.float64)
            return np.array([line["epoch"] for line in lines], dtype=np.int64), values
        except (KeyError, TypeError, ValueError, OverflowError):
            raise self._damage(key, "are not all numbers") from None

    def layer_series(self, key: str) -> tuple[Array, Array]:
        """Like `series`, for a key with one number per layer: the values are (k, layers)."""
        epochs, values = self.series(key)
        layers = len(self.record.layers)
        if values.shape != (len(epochs), layers):
            raise self._damage(key, f"are not lists of {layers} numbers, one per layer")
        return epochs, values

    def _damage(self, key: str, what: str) -> RunError:
        return RunError(f"metrics.jsonl of {self.run_id} is damaged: values of `{key}` {what}.")

    def has_numbers(self, key: str) -> bool:
        """Whether any line has the key with a finite number. Raises `RunError` like `series`."""
        return bool(np.isfinite(self.series(key)[1]).any())

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys that any line has, in the order in which they appear."""
        return tuple(dict.fromkeys(key for line in self._values for key in line))

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics besides the loss of which any line has a finite number, for any split."""
        paths = [key for key in self.keys if key.startswith(("train.", "val."))]
        names = dict.fromkeys(path.partition(".")[2] for path in paths if self.has_numbers(path))
        return tuple(name for name in names if name != "loss")

    @cached_property
    def diagnostics(self) -> tuple[str, ...]:
        """The optimizer's diagnostics of which any line has a finite number."""
        own = [key for key in self.keys if key not in OWN_KEYS and "." not in key]
        return tuple(key for key in own if self.has_numbers(key))

    @cached_property
    def _values(self) -> list[dict[str, Numbers]]:
        """The lines as mappings, as in their file."""
        return [line.numbers() for line in self.lines]

    @property
    def _rebuilt(self) -> Trained:
        trained = self.rebuilt or self.without_rows
        if trained is None:
            raise RunError(self.errors["network"])
        return trained
