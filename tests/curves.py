"""A curve fit of seven parameters, with one minimum nearby, for tests of least squares."""

from __future__ import annotations

import numpy as np

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict
from bpcli.training.objective import NetworkObjective

CURVE = Network((Layer(1, 2, Tanh()), Layer(2, 1, Identity())), Mse())


def objective(
    network: Network, X: np.ndarray, Y: np.ndarray, dtype: str = "f8", **options: object
) -> NetworkObjective:
    return NetworkObjective(network, Rows.of(network, X, Y, np.dtype(dtype)), **options)


def curve(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noisy values of a random curve of the family, and parameters not far from its own.

    The units' bends lie apart and inside the data, so that there is one minimum nearby.
    """
    rng = np.random.default_rng(seed)
    slopes, heights, signs = (
        rng.uniform(1.5, 3, 2),
        rng.uniform(0.7, 1.5, 2),
        rng.choice([-1, 1], 4),
    )
    bends = np.array([-1, 1]) + rng.uniform(-0.3, 0.3, 2)
    slopes, heights = signs[:2] * slopes, signs[2:] * heights
    true = np.array(
        [slopes[0], -slopes[0] * bends[0], slopes[1], -slopes[1] * bends[1], *heights, 0.3]
    )
    X = np.linspace(-2, 2, 60)[:, None]
    Y = predict(CURVE, true, X) + rng.normal(0, 0.05, X.shape)
    return X, Y, true + rng.normal(0, 0.1, true.shape)
