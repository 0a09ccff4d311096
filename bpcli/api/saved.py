"""What a run's folder says of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bpcli.api.scratch import Scratch
from bpcli.config.source import Source
from bpcli.data.types import DataFrame
from bpcli.errors import ConfigError
from bpcli.runs import store
from bpcli.runs.layout import RESOLVED
from bpcli.runs.metrics_log import Numbers
from bpcli.runs.saved import Scores
from bpcli.runs.trained import Weights

_WEIGHTS: tuple[Weights, ...] = ("best", "last")


class SavedRun:
    """A run in a folder: its config, how its training ended, and its results."""

    def __init__(
        self,
        stored: store.Run,
        weights: Weights = "best",
        *,
        notes: Sequence[str] = (),
        scratch: Scratch | None = None,
    ) -> None:
        if weights not in _WEIGHTS:
            raise ConfigError(f"The weights are `{weights}`: expected `best` or `last`.")
        self.weights: Weights = weights
        """The weights that predictions use: `best` on validation, or of the `last` epoch."""
        self.notes = tuple(notes)
        """What was guessed in reading the config and the data; empty for a run that was loaded."""
        self._stored = stored
        self._record = stored.record()
        self._scratch = scratch

    @property
    def id(self) -> str:
        """The name of its folder, which names it on the command line too."""
        return self._stored.run_id

    @property
    def name(self) -> str:
        """The name in its config."""
        return self._record.name

    @property
    def folder(self) -> Path:
        """Where it is saved."""
        return self._stored.folder

    @property
    def record(self) -> dict[str, Any]:
        """The content of run.json; the handbook's chapter `documents` has its keys."""
        return self._record.to_json()

    @cached_property
    def resolved(self) -> str:
        """The config as YAML with every default written out."""
        return self._stored.checked(RESOLVED, self._record).read_text("utf-8")

    @property
    def config(self) -> dict[str, Any]:
        """The config with every default, as nested mappings and lists."""
        return Source.parse(self.resolved, RESOLVED).tree

    @property
    def status(self) -> str:
        """`finished`, `interrupted`, `diverged`, `failed`, or `running` in another process."""
        return self._record.status

    @property
    def stop_reason(self) -> str:
        """The stop rule that ended training, `callback`, or another cause."""
        return self._record.stop_reason

    @property
    def epochs(self) -> int:
        """The number of epochs trained."""
        return self._record.epochs

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss; without a validation set, the last one."""
        return self._record.best_epoch

    @property
    def seconds(self) -> float:
        """The time that training took."""
        return self._record.seconds

    @property
    def metrics(self) -> Scores:
        """Metrics by path, such as `test.accuracy`, of the best weights; None if undefined."""
        return dict(self._record.metrics)

    @property
    def baselines(self) -> dict[str, Scores]:
        """The same metrics of predictions that use no network, such as a constant."""
        return {name: dict(scores) for name, scores in self._record.baselines.items()}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Likely mistakes, found before training and at its end."""
        return tuple(self._record.warnings)

    @property
    def history(self) -> DataFrame:
        """The logged epochs, one per row, with the epoch as index.

        Columns are the keys of metrics.jsonl; a list with a number for each layer becomes one
        column per layer: `grad_norms.1` … Values that are not finite are NaN, as are the metrics
        of a line without metrics. `training.log_every: 1` logs every epoch, and
        `training.metrics_every: 1` the metrics of every epoch.
        """
        import pandas as pd

        rows = [_flat(line.numbers()) for line in self._stored.metrics()]
        epochs = pd.Index([row.pop("epoch") for row in rows], int, name="epoch")
        return pd.DataFrame(rows, epochs).astype(float)


def _flat(line: Mapping[str, Numbers]) -> dict[str, float | None]:
    """A line of the log with one column for each number."""
    flat: dict[str, float | None] = {}
    for key, value in line.items():
        if isinstance(value, Sequence):
            flat |= {f"{key}.{layer}": each for layer, each in enumerate(value, 1)}
        else:
            flat[key] = value
    return flat
