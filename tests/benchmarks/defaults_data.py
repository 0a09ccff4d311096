"""The problems on which `benchmarks.defaults` compares settings: data sets with small networks.

Activations, sizes and the share of noise are mixed, as they are in use. Without the folder of real
data there are fourteen data sets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from sklearn import datasets

from benchmarks.estimator_data import DATA_SETS, FROM_FOLDER, DataSet
from bpcli.config.load import config_of
from bpcli.experiment import Experiment, build
from bpcli.metrics.score import Scorer
from bpcli.nn.arrays import Vector
from bpcli.training.objective import NetworkObjective
from bpcli.training.validation import Validation

MOST_ROWS = 1500
"""Of a larger data set the first rows in a random order are taken, so that the study is short."""


@dataclass(frozen=True)
class Task:
    """A data set with its hidden layers, their activation, and L2."""

    hidden: Sequence[int]
    activation: str
    l2: float


TASKS = {
    "iris": Task([8], "tanh", 1),
    "wine": Task([8], "sigmoid", 1),
    "breast cancer": Task([10], "tanh", 1),
    "digits": Task([16], "relu", 1),
    "moons": Task([16], "relu", 1),
    "circles": Task([12], "tanh", 0),
    "two spirals": Task([10, 10], "tanh", 0),
    "noisy xor": Task([8], "sigmoid", 0),
    "diabetes": Task([8], "tanh", 3),
    "friedman1": Task([16], "relu", 1),
    "friedman2": Task([12], "tanh", 1),
    "friedman3": Task([12], "sigmoid", 1),
    "curve": Task([10], "tanh", 0),
    "few rows": Task([8], "tanh", 0),
    "glass": Task([12], "tanh", 1),
    "power plant": Task([16], "tanh", 1),
    "red wine": Task([12], "relu", 3),
    "building": Task([12], "sigmoid", 1),
    "wide": Task([64], "tanh", 1),
    "deep": Task([10] * 4, "relu", 1),
}


def _circles() -> DataSet:
    return DataSet(*datasets.make_circles(300, noise=0.1, factor=0.5, random_state=0), True)


def _two_spirals() -> DataSet:
    """Lang & Witbrock's spirals, as in `configs/two_spirals.yaml`, with twice as many points."""
    turn = np.arange(194) / 2
    angle, radius = turn * np.pi / 16, 6.5 * (104 - turn) / 104
    x = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return DataSet(np.concatenate([x, -x]), np.repeat([0, 1], 194), is_classes=True)


def _noisy_xor() -> DataSet:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (200, 2))
    return DataSet(X + rng.normal(0, 0.1, X.shape), (X.prod(axis=1) < 0).astype(int), True)


def _friedman2() -> DataSet:
    return DataSet(*datasets.make_friedman2(500, noise=100.0, random_state=0), is_classes=False)


def _friedman3() -> DataSet:
    return DataSet(*datasets.make_friedman3(500, noise=0.1, random_state=0), is_classes=False)


def _few_rows() -> DataSet:
    """Forty rows of a noisy sine wave: 30 to train with."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-np.pi, np.pi, 40)
    return DataSet(x[:, None], np.sin(x) + rng.normal(0, 0.1, 40), is_classes=False)


def _wide() -> DataSet:
    return DataSet(*datasets.make_friedman1(300, 20, noise=1.0, random_state=1), is_classes=False)


def _deep() -> DataSet:
    return DataSet(*datasets.make_moons(300, noise=0.2, random_state=1), is_classes=True)


_DRAWN: dict[str, Callable[[], DataSet]] = {
    "circles": _circles,
    "two spirals": _two_spirals,
    "noisy xor": _noisy_xor,
    "friedman2": _friedman2,
    "friedman3": _friedman3,
    "few rows": _few_rows,
    "wide": _wide,
    "deep": _deep,
}


def data_sets(folder: Path) -> dict[str, DataSet]:
    """All data sets, without those of the folder of real data if there is none."""
    names = [name for name in TASKS if folder.is_dir() or name not in FROM_FOLDER]
    return {name: _drawn_or_read(name, folder) for name in names}


def _drawn_or_read(name: str, folder: Path) -> DataSet:
    data = _DRAWN[name]() if name in _DRAWN else DATA_SETS[name](folder)
    rows = np.random.default_rng(0).permutation(len(data.X))[:MOST_ROWS]
    return DataSet(data.X[rows], data.y[rows], data.is_classes)


class Problem:
    """A network and its training and test rows: all settings start from the same parameters."""

    def __init__(self, name: str, data: DataSet, seed: int) -> None:
        self.name = name
        self.experiment = _experiment(data, TASKS[name], seed)
        self.objective = self.experiment.objective()

    @property
    def start(self) -> Vector:
        return self.experiment.initial_params

    @cached_property
    def _test(self) -> Validation:
        network = self.experiment.network
        return Validation(
            NetworkObjective(network, self.experiment.rows("test")),
            Scorer(network, self.experiment.splits["test"]),
        )

    @cached_property
    def constant_score(self) -> float:
        """The score of a constant: the share of the most frequent class, or R² = 0."""
        labels = self.experiment.splits["test"].labels
        return 0.0 if labels is None else float(np.bincount(labels).max() / len(labels))

    def score(self, params: Vector) -> float:
        """Accuracy or R² on the test rows, at least that of a constant."""
        if not np.isfinite(params).all():
            return self.constant_score
        score = self._test.score(params)
        return max(score, self.constant_score) if np.isfinite(score) else self.constant_score


def problems(folder: Path, seeds: int) -> list[Problem]:
    """Each data set with each seed, the seeds of a data set one after another."""
    return [
        Problem(name, data, seed)
        for name, data in data_sets(folder).items()
        for seed in range(seeds)
    ]


def _experiment(data: DataSet, task: Task, seed: int) -> Experiment:
    split: dict[str, object] = {"train": 0.75, "test": 0.25}
    if data.is_classes:
        targets, scale = data.y.astype(int).astype(str), {"inputs": "standard"}
        split["stratify"] = True
        output, loss = "softmax", "cross_entropy"
    else:
        targets, scale = data.y, {"inputs": "standard", "targets": "standard"}
        output, loss = "identity", "mse"
    return build(
        config_of(
            {
                "seed": seed,
                "data": {"inputs": data.X, "targets": targets, "split": split, "scale": scale},
                "network": {
                    "layers": ["auto", *task.hidden, "auto"],
                    "activations": [task.activation] * len(task.hidden) + [output],
                },
                "loss": loss,
                "training": {"l2": task.l2},
            }
        )
    )
