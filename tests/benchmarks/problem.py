"""The arrays every implementation trains on: written once by bpnet, read by its peers.

`python -m benchmarks.problem FOLDER` builds the config.yaml of a folder and writes beside it X.npy,
Y.npy and start.npz (W1, b1, …; a weight matrix is (units, inputs)), in the training dtype.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Problem:
    """Rows (n, features), targets (n, outputs), the start, and what to do with them."""

    X: np.ndarray
    Y: np.ndarray
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    hidden: str
    learning_rate: float

    @classmethod
    def load(cls, folder: Path) -> Problem:
        with np.load(folder / "start.npz") as start:
            numbers = range(1, len(start.files) // 2 + 1)
            weights = [start[f"W{number}"] for number in numbers]
            biases = [start[f"b{number}"] for number in numbers]
        how = json.loads((folder / "workload.json").read_text())
        X, Y = np.load(folder / "X.npy"), np.load(folder / "Y.npy")
        return cls(X, Y, weights, biases, how["hidden"], how["learning_rate"])

    @property
    def has_classes(self) -> bool:
        return self.Y.shape[1] > 1

    @property
    def labels(self) -> np.ndarray:
        """The class of each row, where there are classes."""
        return self.Y.argmax(axis=1)


def named(weights: list[np.ndarray], biases: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters under the names that bpnet saves them by."""
    return {f"W{number}": array for number, array in enumerate(weights, 1)} | {
        f"b{number}": array for number, array in enumerate(biases, 1)
    }


def describe(folder: Path, workload: Workload, dtype: str) -> None:
    """Write config.yaml and workload.json: what all the rest of a folder follows from."""
    (folder / "config.yaml").write_text(workload.config(dtype))
    (folder / "workload.json").write_text(json.dumps(asdict(workload)))


def write(folder: Path) -> None:
    from bpcli.config.load import load_config
    from bpcli.experiment import build

    experiment = build(load_config(folder / "config.yaml"))
    dtype, part = experiment.spec.network.dtype, experiment.splits["train"]
    np.save(folder / "X.npy", np.ascontiguousarray(part.X, dtype))
    np.save(folder / "Y.npy", np.ascontiguousarray(part.Y, dtype))
    np.savez(folder / "start.npz", **dict(experiment.network.tensors(experiment.initial_params)))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
