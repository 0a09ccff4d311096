from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from curves import CURVE, curve, objective
from descents import step
from strategies import dense_jacobian

from bpcli.nn.activations import Identity, Relu
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict
from bpcli.optimizers import OPTIMIZER_ALIASES, StepFailed
from bpcli.optimizers.base import Evaluation, Losses
from bpcli.optimizers.bayesian_regularization import BayesianRegularization
from bpcli.optimizers.damping import DampingRule
from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt
from bpcli.optimizers.quadratic import Dense

NO_RATE = np.asarray(np.nan)
RULES = get_args(DampingRule)


def test_the_damping_begins_as_a_share_of_the_mean_diagonal_entry() -> None:
    X, Y, start = curve(3)
    J = dense_jacobian(CURVE, start, X)[:, 0]
    residual = (predict(CURVE, start, X) - Y).ravel()
    damping = 0.1 * np.exp(np.log((J**2).sum(axis=1)).mean())
    expected = start - np.linalg.solve(J @ J.T + damping * np.eye(len(start)), J @ residual)
    for rule in ("gain_ratio", "delayed_gratification"):
        optimizer = LevenbergMarquardt(rule)
        assert optimizer.diagnostics(optimizer.init(start), None) == {"damping": 0.0}
        fit = objective(CURVE, X, Y)
        found, _ = step(optimizer, fit, start, optimizer.init(start), NO_RATE)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


class Parabolic:
    """An objective of which only the values are asked: they fall by given gain ratios."""

    def __init__(self, model: Dense, ratios: list[float]) -> None:
        self.model, self.ratios, self.dampings = model, ratios, []

    def losses(self, params: np.ndarray) -> Losses:
        """The value at H = 0: there d = -grad / damping."""
        damping = -float(self.model.grad[0] / params[0])
        self.dampings.append(damping)
        step = next(self.model.steps([damping]))
        gain = self.ratios.pop(0) * step.decrease
        return Losses(self.model.value - gain, 0.0)


def value_of(losses: Losses | Evaluation, params: np.ndarray) -> float:
    return losses.value


@pytest.mark.parametrize(
    ("rule", "ratios", "dampings"),
    [
        ("gain_ratio", [1.0], [8, 8 / 3]),
        ("gain_ratio", [0.75], [8, 8 * (1 - 0.5**3)]),
        ("gain_ratio", [0.25], [8, 8 * (1 + 0.5**3)]),
        ("gain_ratio", [100.0], [8, 8 / 3]),
        ("gain_ratio", [-1, 0.0, -1, 0.5], [8, 8 * 2, 8 * 2 * 4, 8 * 2 * 4 * 8, 8 * 2 * 4 * 8]),
        ("marquardt", [-1, -1, 0.1], [8, 80, 800, 80]),
        ("delayed_gratification", [-1, -1, 0.1], [8, 16, 32, 32 / 3]),
    ],
)
def test_the_damping_follows_the_rule(
    rule: DampingRule, ratios: list[float], dampings: list[float]
) -> None:
    """Madsen, Nielsen & Tingleff 2004, Algorithm 3.16; Hagan & Menhaj 1994; the factors 2 and 3."""
    model = Dense(5.0, np.array([2.0, -1.0]), np.zeros((2, 2)), 1.0)
    fit = Parabolic(model, list(ratios))
    optimizer, params = LevenbergMarquardt(rule, damping=8.0), np.zeros(2)
    end, state = optimizer.descend(fit, value_of, model, params, optimizer.init(params))
    np.testing.assert_allclose([*fit.dampings, state["damping"]], dampings, rtol=1e-12)
    assert end.known is not None
    assert end.known.value < model.value


def test_factors_can_be_given() -> None:
    model, params = Dense(5.0, np.array([2.0, -1.0]), np.zeros((2, 2)), 1.0), np.zeros(2)
    for rule, last in (("gain_ratio", 8 * 4 * 8 / 5), ("marquardt", 8 * 4 * 4 / 5)):
        fit = Parabolic(model, [-1, -1, 1.0])
        optimizer = LevenbergMarquardt(rule, damping=8.0, increase=4.0, decrease=5.0)
        _, state = optimizer.descend(fit, value_of, model, params, optimizer.init(params))
        assert state["damping"] == pytest.approx(last)


def test_the_names_of_matlab_mean_its_rule() -> None:
    assert OPTIMIZER_ALIASES["trainlm"]["damping_rule"] == "marquardt"
    assert OPTIMIZER_ALIASES["trainbr"]["damping_rule"] == "marquardt"
    optimizer = LevenbergMarquardt("marquardt")
    assert optimizer.diagnostics(optimizer.init(np.zeros(2)), None) == {"damping": 0.001}


@pytest.mark.parametrize("kind", [LevenbergMarquardt, BayesianRegularization])
def test_a_first_damping_above_the_largest_is_refused(kind: type[LevenbergMarquardt]) -> None:
    for options in ({"damping": 1e-3}, {}):  # given, and the default of the rule
        with pytest.raises(ValueError, match=r"`damping` \(0.001\) must be at most `max_damping`"):
            kind("marquardt", max_damping=1e-4, **options)


def test_a_damping_too_small_for_its_factor_grows_all_the_same() -> None:
    """1.4 times the least number above 0 is rounded to that number."""
    tries: list[None] = []
    X, Y, start = curve(1)

    def never_lower(losses: Losses | Evaluation, params: np.ndarray) -> float:
        tries.append(None)
        assert len(tries) < 1000, "it goes on for ever"
        return np.inf

    model = Dense(1.0, np.ones(len(start)), np.eye(len(start)), 1.0)
    state = {"damping": np.asarray(5e-324)}
    with pytest.raises(StepFailed, match="No step lowers the loss"):
        LevenbergMarquardt("marquardt", increase=1.4).descend(
            objective(CURVE, X, Y), never_lower, model, start, state
        )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("solver", ["direct", "cg"])
def test_an_infinite_matrix_does_no_harm(rule: DampingRule, solver: str) -> None:
    """In single precision, with loss and gradient still finite."""
    network = Network((Layer(1, 2, Relu()), Layer(2, 1, Identity())), Mse())
    X, start = np.full((4, 1), 3e20, "f4"), np.array([1e-20, 0, -1e-20, 0, 1e8, 1, 0], "f4")
    fit = objective(network, X, np.zeros((4, 1)), "f4")
    assert np.isfinite(fit.value_and_grad(start).grad).all()
    optimizer = LevenbergMarquardt(rule, solver=solver)
    try:
        with np.errstate(all="ignore"):
            end, _ = step(optimizer, fit, start, optimizer.init(start), NO_RATE)
    except StepFailed as ended:
        assert ended.reason == "infinite_gradient"  # noqa: PT017  # it need not be raised
    else:  # a finite damping may have given a step all the same
        assert fit.value(end) < fit.value(start)


def test_the_first_damping_is_tried_whatever_the_limit() -> None:
    """An accepted step may have raised the damping beyond the limit."""
    model, params = Dense(5.0, np.array([2.0, -1.0]), np.zeros((2, 2)), 1.0), np.zeros(2)
    fit = Parabolic(model, [1.0])
    optimizer = LevenbergMarquardt(max_damping=1.0)
    end, _ = optimizer.descend(fit, value_of, model, params, {"damping": np.asarray(1.5)})
    assert fit.dampings == [pytest.approx(1.5)]
    assert end.known is not None
