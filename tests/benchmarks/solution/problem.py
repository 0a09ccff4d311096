"""The problem that every solver gets: rows, targets, start and objective, written once by bpnet.

    objective = scale · Σ_ik (a_ik - y_ik)² + λ/(2n) Σ W²     (or the mean cross-entropy of rows)

with scale 1/(nK) for `mse` and 1/(2n) for `half_squared_error`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import problem
from benchmarks.solution.workloads import Workload

STALLED_AFTER = 100
"""Evaluations in a row that lower the objective by less than `STALLED` of all the progress so far
end a solver that searches for its lowest objective."""

STALLED = 1e-9


@dataclass(frozen=True)
class Problem:
    """Rows X (n, inputs), targets Y (n, outputs), and the parameters W1, b1, W2, b2 to start from.

    A weight matrix is (units, inputs).
    """

    X: np.ndarray
    Y: np.ndarray
    start: list[np.ndarray]
    loss: str
    l2: float

    @classmethod
    def load(cls, folder: Path) -> Problem:
        with np.load(folder / "start.npz") as file:
            start = [file[name] for name in ("W1", "b1", "W2", "b2")]
        how = json.loads((folder / "workload.json").read_text())
        X, Y = np.load(folder / "X.npy"), np.load(folder / "Y.npy")
        return cls(X, Y, start, how["loss"], how["l2"])

    @property
    def has_classes(self) -> bool:
        return self.loss == "cross_entropy"

    @property
    def labels(self) -> np.ndarray:
        """The class of each row, where there are classes."""
        return self.Y.argmax(axis=1)

    @property
    def scale(self) -> float:
        """The factor of the sum of squares."""
        return 1 / self.Y.size if self.loss == "mse" else 1 / (2 * len(self.Y))

    @property
    def decay(self) -> float:
        """λ/n."""
        return self.l2 / len(self.X)

    @property
    def vector(self) -> np.ndarray:
        """The start as one vector: a new array."""
        return np.concatenate([array.ravel() for array in self.start])


def write(folder: Path, workload: Workload, seed: int) -> None:
    """Write config.yaml, workload.json, X.npy, Y.npy and start.npz."""
    (folder / "config.yaml").write_text(workload.config(seed))
    (folder / "workload.json").write_text(json.dumps(asdict(workload)))
    problem.write(folder)
