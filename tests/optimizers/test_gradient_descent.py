from __future__ import annotations

import numpy as np
import pytest
from descents import step

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent
from bpcli.training.objective import NetworkObjective

NETWORK = Network(
    (Layer(2, 3, Sigmoid()), Layer(3, 2, Sigmoid()), Layer(2, 1, Identity())), HalfSquaredError()
)


@pytest.fixture
def objective() -> NetworkObjective:
    rng = np.random.default_rng(0)
    rows = Rows.of(NETWORK, rng.normal(size=(8, 2)), rng.normal(size=(8, 1)), np.dtype(float))
    return NetworkObjective(NETWORK, rows)


def start() -> np.ndarray:
    return np.random.default_rng(1).normal(size=NETWORK.n_params)


def run(optimizer: GradientDescent, objective: NetworkObjective, steps: int) -> np.ndarray:
    params = start()
    state = optimizer.init(params)
    for _ in range(steps):
        params, state = step(optimizer, objective, params, state, 0.3)
    return params


def test_momentum_is_rumelhart_hinton_and_williams_rule(objective: NetworkObjective) -> None:
    params, change = start(), 0.0
    for _ in range(20):
        change = -0.3 * objective.value_and_grad(params).grad + 0.8 * change
        params = params + change
    np.testing.assert_allclose(
        run(GradientDescent(momentum=0.8), objective, 20), params, rtol=1e-12
    )


def test_nesterov_is_sutskevers_rule_at_the_look_ahead_point(objective: NetworkObjective) -> None:
    # Sutskever et al. 2013, eq. 3 and 4, in the original variables.
    base, velocity = start(), np.zeros(NETWORK.n_params)
    for _ in range(20):
        velocity = 0.8 * velocity - 0.3 * objective.value_and_grad(base + 0.8 * velocity).grad
        base = base + velocity
    found = run(GradientDescent(momentum=0.8, nesterov=True), objective, 20)
    np.testing.assert_allclose(found, base + 0.8 * velocity, rtol=1e-11)


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("nesterov", [False, True])
def test_layerwise_moves_the_last_layer_first(
    momentum: float, nesterov: bool, objective: NetworkObjective
) -> None:
    params, velocity = start(), np.zeros(NETWORK.n_params)
    for _ in range(5):
        for where in reversed(NETWORK.layer_slices):
            grad = objective.value_and_grad(params.copy()).grad[where]
            velocity[where] = momentum * velocity[where] - 0.3 * grad
            move = velocity[where]
            if nesterov and momentum:
                move = momentum * velocity[where] - 0.3 * grad
            params = params.copy()
            params[where] += move
    optimizer = GradientDescent(momentum=momentum, nesterov=nesterov, update="layerwise")
    np.testing.assert_allclose(run(optimizer, objective, 5), params, rtol=1e-12)


@pytest.mark.parametrize("optimizer", [GradientDescent(), GradientDescent(momentum=0.9)])
def test_a_step_leaves_the_old_parameters_and_state_alone(
    optimizer: GradientDescent, objective: NetworkObjective
) -> None:
    params = start()
    state = optimizer.init(params)
    params.flags.writeable = False
    for slot in state.values():
        slot.flags.writeable = False
    moved, _ = step(optimizer, objective, params, state, 0.3)
    assert (moved != params).all()


def test_float32_parameters_stay_float32() -> None:
    rng = np.random.default_rng(0)
    rows = Rows.of(NETWORK, rng.normal(size=(8, 2)), rng.normal(size=(8, 1)), np.dtype("f4"))
    optimizer = GradientDescent(momentum=0.9, nesterov=True)
    params = start().astype(np.float32)
    moved, state = step(
        optimizer, NetworkObjective(NETWORK, rows, l2=0.1), params, optimizer.init(params), 0.1
    )
    assert moved.dtype == state["velocity"].dtype == np.float32


def test_aliases_name_optimizers_and_hide_none() -> None:
    assert not set(OPTIMIZER_ALIASES) & set(OPTIMIZERS)
    assert {str(meaning["name"]) for meaning in OPTIMIZER_ALIASES.values()} <= set(OPTIMIZERS)
