"""The minima of small networks, as scipy finds them.

A network has many minima, and two methods may end in different ones. So scipy first looks for one;
then both start from the same point a little beside it, and must find the same lowest loss.
"""

from __future__ import annotations

import os
from itertools import product

import numpy as np
import pytest
from descents import path
from scipy.optimize import minimize

from bpcli.engine.rows import Rows
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.losses import LOSSES, PROBABILITIES
from bpcli.nn.network import Layer, Network
from bpcli.optimizers.bfgs import Bfgs
from bpcli.optimizers.conjugate_gradient import ConjugateGradient
from bpcli.optimizers.lbfgs import Lbfgs
from bpcli.optimizers.scaled_conjugate_gradient import ScaledConjugateGradient
from bpcli.training.objective import NetworkObjective

HIDDEN = ["tanh", "sigmoid", "softplus", "elu"]
HEADS = [
    ("identity", "mse"), ("identity", "half_squared_error"), ("identity", "huber"),
    ("sigmoid", "binary_cross_entropy"), ("softmax", "cross_entropy"),
]  # fmt: skip
PAIRS = [*product(HIDDEN, HEADS), *product(HIDDEN, [("exponential", "poisson")])]
METHODS = [
    (Lbfgs(), "L-BFGS-B"),
    (Bfgs(), "BFGS"),
    (ConjugateGradient("polak_ribiere"), "BFGS"),
    (ConjugateGradient("fletcher_reeves"), "BFGS"),
    (ConjugateGradient("powell_beale"), "BFGS"),
    (ScaledConjugateGradient(), "BFGS"),
]
"""Each of ours, and the method of scipy to which it is compared."""

OPTIONS = {
    "L-BFGS-B": {"ftol": 0, "gtol": 1e-10, "maxiter": 20_000, "maxfun": 40_000, "maxcor": 20},
    "BFGS": {"gtol": 1e-8, "maxiter": 20_000},
}


def problem(number: int) -> tuple[NetworkObjective, np.ndarray]:
    """The problem of a pair of a hidden activation and a head. And a random start."""
    rng = np.random.default_rng(number)
    hidden, (output, loss) = PAIRS[number]
    inputs, units, outputs = rng.integers(2, 5, 3)
    network = Network(
        (Layer(inputs, units, ACTIVATIONS[hidden]()), Layer(units, outputs, ACTIVATIONS[output]())),
        LOSSES[loss](),
    )
    X, Y = rng.normal(size=(40, inputs)), rng.normal(size=(40, outputs))
    if network.loss.targets == "counts":
        Y = rng.poisson(2, Y.shape).astype(float)
    if network.loss.targets in PROBABILITIES:
        Y = rng.uniform(size=Y.shape)
        Y /= Y.sum(axis=1, keepdims=True) if network.loss.targets == "distribution" else 1
    rows = Rows.of(network, X, Y, np.dtype(float))
    return NetworkObjective(network, rows, l2=0.2), rng.normal(size=network.n_params)


def by_scipy(fit: NetworkObjective, params: np.ndarray, method: str) -> np.ndarray:
    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, grad, _ = fit.value_and_grad(x.copy())
        return value, grad

    return minimize(function, params, jac=True, method=method, options=OPTIONS[method]).x


@pytest.mark.parametrize("number", range(0, len(PAIRS), 1 if os.environ.get("BPNET_FULL") else 2))
def test_scipy_finds_no_lower_loss_nearby(number: int) -> None:
    fit, params = problem(number)
    minimum = by_scipy(fit, params, "L-BFGS-B")
    start = minimum + np.random.default_rng(100 + number).normal(0, 0.05, params.size)
    lowest = {method: fit.value(by_scipy(fit, start, method)) for method in OPTIONS}
    assert fit.value(start) > min(lowest.values()) * (1 + 1e-4)
    for optimizer, method in METHODS:
        points, _ = path(optimizer, fit, start, 1000)
        assert fit.value(points[-1]) == pytest.approx(lowest[method], rel=1e-6)
