"""bpnet as it ships: `train()` on the config, logging the first and the last epoch alone.

Its epochs are timed from the first line of its log to the last. The last epoch's gradient is then
known too, where the first one's was before, so it is as many steps as evaluations, as of the peers;
and the scores of the first line, which no peer computes, are left out.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import safetensors.numpy  # noqa: F401  # `train` needs it: its memory belongs to the imports

from bpcli.config.load import load_config
from bpcli.experiment import build
from bpcli.runs.files import load_arrays
from bpcli.terminal.progress import SilentView
from bpcli.workflows.train import train


class Trainer:
    """Its seconds are those that the run itself has on record."""

    def __init__(self, folder: Path, workers: int | str = "auto") -> None:
        self._config = folder / "config.yaml"
        self._workers = workers
        self._epochs = 0

    def run(self, epochs: int) -> float:
        if epochs != self._epochs:
            self._experiment = build(load_config(self._config, self._overrides(epochs)))
            self._epochs = epochs
        self._runs = TemporaryDirectory()
        self._outcome = train(self._experiment, Path(self._runs.name), SilentView())
        if self._outcome.failure is not None:
            raise self._outcome.failure
        first, *_, last = self._outcome.run.metrics()
        watching = self._outcome.record.watching_seconds
        return float(last.seconds - first.seconds - watching)

    def _overrides(self, epochs: int) -> list[str]:
        return [
            f"training.epochs={epochs}",
            f"training.log_every={epochs}",
            f"training.workers={self._workers}",
        ]

    def params(self) -> dict[str, np.ndarray]:
        arrays, _ = load_arrays(self._outcome.run.path("weights.safetensors"))
        last = {name: array for name, array in arrays.items() if name.startswith("last.")}
        return {name.removeprefix("last."): array for name, array in last.items()}
