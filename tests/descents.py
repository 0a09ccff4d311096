"""Objectives on which the tests of several optimizers run."""

from __future__ import annotations

import numpy as np

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.base import Objective, Point, State
from bpcli.training.objective import NetworkObjective

QUADRATIC = Network((Layer(7, 1, Identity()),), HalfSquaredError())
CURVED = Network((Layer(3, 4, Tanh()), Layer(4, 2, Identity())), HalfSquaredError())


def objective(network: Network, l2: float = 0.0, dtype: str = "f8") -> NetworkObjective:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, network.inputs)), rng.normal(size=(30, network.outputs))
    return NetworkObjective(network, Rows.of(network, X, Y, np.dtype(dtype)), l2=l2)


def start(network: Network, dtype: str = "f8") -> np.ndarray:
    rng = np.random.default_rng(1)
    return network.initial_params(INITIALIZERS["xavier_uniform"](), rng).astype(dtype)


def hessian(fit: NetworkObjective) -> np.ndarray:
    """Of a quadratic objective, column by column; exact but for rounding."""
    unit = np.eye(fit.network.n_params)
    return np.array([fit.grad(row) - fit.grad(0 * row) for row in unit])


def step(
    optimizer: Optimizer, fit: Objective, params: np.ndarray, state: State, rate: np.ndarray
) -> tuple[np.ndarray, State]:
    """One step from parameters of which nothing is known, without what is known of its end."""
    end, state = optimizer.step(fit, Point(params), state, rate)
    return end.params, state


def path(
    optimizer: Optimizer, fit: NetworkObjective, params: np.ndarray, steps: int
) -> tuple[list[np.ndarray], StepFailed | None]:
    """The parameters from the start on, and how the steps ended early, if they did."""
    state, points, here = optimizer.init(params), [params], Point(params)
    with repeatable_numerics():
        for _ in range(steps):
            try:
                here, state = optimizer.step(fit, here, state, np.asarray(np.nan))
            except StepFailed as ended:
                return points, ended
            points.append(here.params)
    return points, None


def passes_counted(fit: NetworkObjective) -> tuple[NetworkObjective, list[int]]:
    """The objective with a list that grows with every backward pass."""
    calls: list[int] = []
    real = fit._backward
    return fit.like(backward=lambda *given: (calls.append(1), real(*given))[1]), calls
