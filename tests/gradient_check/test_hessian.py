from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_problems import smooth_problem
from strategies import Problem

from bpcli.gradient_check.hessian import check_hessian
from bpcli.gradient_check.objective import check_objective
from bpcli.gradient_check.probe import Point, Probe
from bpcli.nn.activations import Identity, Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.training.objective import NetworkObjective


def test_a_hessian_that_is_none_is_found() -> None:
    problem = smooth_problem(Sigmoid())
    rng = np.random.default_rng(0)
    A = rng.normal(size=(problem.params.size, problem.params.size))

    class Wrong(NetworkObjective):
        error = 0.0

        def hessian_product(self, params: np.ndarray, direction: np.ndarray) -> np.ndarray:
            return super().hessian_product(params, direction) + self.error * (A @ direction)

    objective = problem.objective().like(Wrong)
    assert isinstance(objective, Wrong)
    for error, has_passed in ((0.0, True), (1e-10, False), (1e-3, False)):
        objective.error = error
        check = check_objective(objective, problem.params)[-1]
        assert check.passed == has_passed
    symmetric = replace(check, error=0.0)
    assert not symmetric.passed  # the gradient's differences disagree too


def test_frozen_biases_are_neither_moved_nor_counted() -> None:
    layers = (Layer(2, 2, Sigmoid(), "frozen"), Layer(2, 1, Identity()))
    network = Network(layers, HalfSquaredError())
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
    problem = Problem(network, rng.normal(size=9), X, Y, None, 0.0, "mean")
    objective, directions = problem.objective(), []
    probe = Probe(network, *objective.data.columns)
    point = Point.of(probe, problem.params, np.ones(9, bool))

    def product(params: np.ndarray, direction: np.ndarray) -> np.ndarray:
        directions.append(direction)
        return objective.hessian_product(params, direction)

    check = check_hessian(point, probe, objective.grad, product, 1.0)
    assert (check.passed, check.checked, check.skipped, check.shape) == (True, 7, 0, (9, 9))
    assert not np.array(directions)[:, network.frozen].any()
    assert np.linalg.norm(directions, axis=1) == pytest.approx([1, 1])
