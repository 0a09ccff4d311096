"""A small training for the tests of the loop, its batches and its stop rules."""

from __future__ import annotations

import numpy as np

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import GradientDescent
from bpcli.training.batches import Batches
from bpcli.training.loop import train_epochs
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training

NETWORK = Network((Layer(1, 3, Sigmoid()), Layer(3, 1, Identity())), HalfSquaredError())


class SumOfZ:
    """A score: the sum of z of all rows."""

    width = 1

    def sums(self, start: int, stop: int, Z: np.ndarray) -> np.ndarray:
        return np.array([Z.sum()])

    def value(self, total: np.ndarray) -> float:
        return float(total[0])


def objective(rows: int = 10, seed: int = 0) -> NetworkObjective:
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (rows, 1))
    return NetworkObjective(NETWORK, Rows.of(NETWORK, X, np.sin(3 * X), np.dtype(float)))


def epochs(count: int = 5, *, learning_rate: float = 0.2, batches: Batches = Batches(), **options):  # noqa: B008
    return train_epochs(
        training(options.pop("objective", None), learning_rate, batches), count, **options
    )


def training(
    fit: NetworkObjective | None = None,
    learning_rate: float = 0.2,
    batches: Batches = Batches(),  # noqa: B008
) -> Training:
    return Training(
        fit or objective(),
        GradientDescent(),
        np.random.default_rng(1).normal(size=NETWORK.n_params),
        learning_rate=learning_rate,
        batches=batches,
        rng=np.random.default_rng(2),
    )
