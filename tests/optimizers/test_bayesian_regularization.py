from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from descents import step
from scipy.stats import multivariate_normal
from sklearn.linear_model import BayesianRidge
from strategies import dense_jacobian
from tampered import save_arrays

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.initializers import NguyenWidrow
from bpcli.nn.losses import LOSSES, Mse
from bpcli.nn.network import Bias, Layer, Network
from bpcli.nn.propagation import predict
from bpcli.nn.symmetries import log_symmetries
from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.bayesian_regularization import BayesianRegularization
from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt
from bpcli.runs.files import load_arrays
from bpcli.training.objective import NetworkObjective

NO_RATE = np.asarray(np.nan)
NETWORK = Network((Layer(1, 20, Tanh()), Layer(20, 1, Identity())), Mse())
NOISE = 0.1


def sine(x: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * x)


def noisy_sine() -> tuple[np.ndarray, np.ndarray]:
    """41 values of a sine with noise: fewer than the network's 61 parameters."""
    X = np.linspace(-1, 1, 41)[:, None]
    return X, sine(X) + NOISE * np.random.default_rng(0).normal(size=X.shape)


def objective(network: Network = NETWORK, **options: object) -> NetworkObjective:
    return NetworkObjective(network, Rows.of(network, *noisy_sine(), np.dtype(float)), **options)


def start(seed: int = 0) -> np.ndarray:
    return NETWORK.initial_params(NguyenWidrow(), np.random.default_rng(seed))


def trained(
    optimizer: Optimizer, fit: NetworkObjective, params: np.ndarray, most: int
) -> tuple[np.ndarray, dict, str]:
    state = optimizer.init(params)
    for _ in range(most):
        try:
            params, state = step(optimizer, fit, params, state, NO_RATE)
        except StepFailed as ended:
            return params, dict(state), ended.reason
    return params, dict(state), "epochs"


@pytest.fixture(scope="module")
def regularized() -> tuple[np.ndarray, dict[str, float]]:
    optimizer = BayesianRegularization()
    params, state, reason = trained(optimizer, objective(), start(), 1000)
    assert reason == "max_damping"  # it has converged: nothing is lower
    return params, optimizer.diagnostics(state, None)


def test_the_data_determine_fewer_parameters_than_there_are(
    regularized: tuple[np.ndarray, dict[str, float]],
) -> None:
    _, figures = regularized
    assert list(figures) == ["effective_params", "alpha", "beta", "log_evidence", "damping"]
    assert 5 < figures["effective_params"] < 30
    assert 0.5 * NOISE < (2 * figures["beta"]) ** -0.5 < 1.5 * NOISE  # the noise it finds


def test_where_it_ends_the_estimates_agree(
    regularized: tuple[np.ndarray, dict[str, float]],
) -> None:
    """γ, α and β fulfil Foresee & Hagan's equations, and the gradient of F is 0."""
    params, figures = regularized
    gamma, alpha, beta = (figures[name] for name in ("effective_params", "alpha", "beta"))
    X, Y = noisy_sine()
    J = dense_jacobian(NETWORK, params, X)[:, 0]
    residual = (predict(NETWORK, params, X) - Y).ravel()
    H = 2 * beta * J @ J.T + 2 * alpha * np.eye(len(params))
    assert gamma == pytest.approx(len(params) - 2 * alpha * np.trace(np.linalg.inv(H)), rel=1e-5)
    assert alpha == pytest.approx(gamma / (2 * params @ params), rel=1e-5)
    assert beta == pytest.approx((len(residual) - gamma) / (2 * residual @ residual), rel=1e-5)
    terms = beta * J @ residual, alpha * params
    assert np.linalg.norm(sum(terms)) <= 1e-5 * np.linalg.norm(terms[1])


def test_the_fit_is_smoother_than_without(regularized: tuple[np.ndarray, dict[str, float]]) -> None:
    x = np.linspace(-1, 1, 400)[:, None]
    plain, *_ = trained(LevenbergMarquardt(), objective(), start(), 300)
    ours, theirs = (
        ((predict(NETWORK, params, x) - sine(x)) ** 2).mean() for params in (regularized[0], plain)
    )
    assert ours < 0.5 * theirs
    assert ours < NOISE**2 / 2
    assert objective().value(plain) < 0.5 * objective().value(regularized[0])  # it fits the noise


def test_the_first_steps_are_those_of_the_formulas() -> None:
    """(β JᵀJ + (α + μ) I) d = -(β Jᵀr + α w), with α and β from γ, which is P at first."""
    X, Y = noisy_sine()
    optimizer, params = BayesianRegularization(damping=0.5), start()
    state = optimizer.init(params)
    size, alpha, beta, damping = len(params), 0.0, 1.0, 0.5
    for _ in range(3):
        J = dense_jacobian(NETWORK, params, X)[:, 0]
        residual, H = (predict(NETWORK, params, X) - Y).ravel(), J @ J.T
        gamma = size
        if alpha:
            inverse = np.linalg.inv(2 * beta * H + 2 * alpha * np.eye(size))
            gamma = size - 2 * alpha * np.trace(inverse)
        alpha = gamma / (2 * params @ params)
        beta = (41 - gamma) / (2 * residual @ residual) if gamma < 41 else beta
        d = np.linalg.solve(
            beta * H + (alpha + damping) * np.eye(size), -beta * J @ residual - alpha * params
        )
        before, expected = params, params + d
        params, state = step(optimizer, objective(), params, state, NO_RATE)
        np.testing.assert_allclose(params, expected, rtol=1e-8)
        figures = optimizer.diagnostics(state, None)
        assert figures["effective_params"] == pytest.approx(gamma, rel=1e-8)
        assert (figures["alpha"], figures["beta"]) == pytest.approx((alpha, beta), rel=1e-8)
        assert figures["log_evidence"] == pytest.approx(
            -beta * residual @ residual
            - alpha * before @ before
            - 0.5 * np.linalg.slogdet(beta * H + alpha * np.eye(size))[1]
            + size / 2 * np.log(alpha)
            + 41 / 2 * np.log(beta / np.pi)
            + log_symmetries(NETWORK, before, 1e-3 / (2 * alpha)),
            rel=1e-10,
        )
        damping = figures["damping"]
        assert damping < 0.5


def linear_problem(
    outputs: int, bias: Bias
) -> tuple[NetworkObjective, np.ndarray, np.ndarray, np.ndarray]:
    """A linear network with its objective, parameters to begin with, X and Y."""
    rng = np.random.default_rng(1)
    network = Network((Layer(4, outputs, Identity(), bias),), Mse())
    X = rng.normal(size=(12, 4))
    Y = X @ rng.normal(size=(4, outputs)) + 0.3 * rng.normal(size=(12, outputs))
    params = rng.normal(size=network.n_params)
    return NetworkObjective(network, Rows.of(network, X, Y, X.dtype)), params, X, Y


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("bias", ["trained", "frozen", "none"])
def test_the_evidence_of_a_linear_network_is_a_normal_density(outputs: int, bias: Bias) -> None:
    """Y ~ N(0, I/(2β) + ΦΦᵀ/(2α)), Φ the derivatives of all residuals by the trained parameters."""
    fit, params, X, Y = linear_problem(outputs, bias)
    optimizer = BayesianRegularization()
    params, state, _ = trained(optimizer, fit, params, 1000)
    figures = optimizer.diagnostics(state, None)
    J = dense_jacobian(fit.network, params, X).reshape(len(params), -1)
    J[fit.network.frozen] = 0
    frozen = np.zeros_like(params)
    frozen[fit.network.frozen] = params[fit.network.frozen]
    targets = (Y - predict(fit.network, frozen, X)).T.ravel()
    cov = np.eye(Y.size) / (2 * figures["beta"]) + J.T @ J / (2 * figures["alpha"])
    expected = multivariate_normal(np.zeros(Y.size), cov).logpdf(targets)
    assert figures["log_evidence"] == pytest.approx(expected, rel=1e-9)


def test_the_evidence_of_a_linear_network_is_that_of_scikit_learn() -> None:
    """Its precisions of noise and weights are 2β and 2α; it has no priors of them if all are 0."""
    fit, params, X, Y = linear_problem(1, "none")
    optimizer = BayesianRegularization()
    _, state, _ = trained(optimizer, fit, params, 1000)
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 0)
    ridge = BayesianRidge(
        max_iter=1000, tol=1e-12, compute_score=True, fit_intercept=False, **flat
    ).fit(X, Y[:, 0])
    assert (2 * state["beta"], 2 * state["alpha"]) == pytest.approx(
        (ridge.alpha_, ridge.lambda_), rel=1e-6
    )
    assert state["log_evidence"].item() == pytest.approx(ridge.scores_[-1], rel=1e-9)


def test_units_beyond_those_needed_do_not_raise_the_evidence() -> None:
    """The best of some starts: additional units decay to zero, or become equal to others."""

    def evidence(hidden: int) -> float:
        network = Network((Layer(1, hidden, Tanh()), Layer(hidden, 1, Identity())), Mse())
        found = []
        for seed in (4, 5, 7):
            params = network.initial_params(NguyenWidrow(), np.random.default_rng(seed))
            _, state, _ = trained(BayesianRegularization(), objective(network), params, 1000)
            found.append(state["log_evidence"].item())
        return max(found)

    few, enough, more, many = map(evidence, (3, 5, 6, 20))
    assert few < enough - 10
    assert more == pytest.approx(enough, abs=1e-3)
    assert many == pytest.approx(enough, abs=1e-3)


def test_equal_units_are_rated_as_one() -> None:
    """The fit of a straight line by two equal units is as probable as that by one, and not more."""
    found = {}
    for hidden in (1, 2):
        network = Network((Layer(1, hidden, Tanh()), Layer(hidden, 1, Identity())), Mse())
        params = network.initial_params(NguyenWidrow(), np.random.default_rng(0))
        params, state, _ = trained(BayesianRegularization(), objective(network), params, 1000)
        found[hidden] = state["log_evidence"].item()
    W = np.abs(network.matrices(params)[0])
    np.testing.assert_allclose(W[0], W[1], rtol=1e-3)  # they have become equal
    assert found[2] == pytest.approx(found[1], abs=0.1)


def test_there_is_no_evidence_before_the_first_step() -> None:
    optimizer = BayesianRegularization()
    assert math.isnan(optimizer.diagnostics(optimizer.init(start()), None)["log_evidence"])


def test_another_start_finds_as_many_parameters(
    regularized: tuple[np.ndarray, dict[str, float]],
) -> None:
    _, state, _ = trained(BayesianRegularization(), objective(), start(1), 1000)
    found = regularized[1]["effective_params"]
    assert state["effective_params"].item() == pytest.approx(found, rel=1e-4)


@pytest.mark.parametrize("loss", ["squared_error", "half_squared_error"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_scale_of_the_loss_changes_nothing(loss: str, reduction: str) -> None:
    network = Network(NETWORK.layers, LOSSES[loss]())
    fit = objective(network, reduction=reduction)
    ours, state, _ = trained(BayesianRegularization(), fit, start(), 5)
    theirs, expected, _ = trained(BayesianRegularization(), objective(), start(), 5)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert state["alpha"].item() == pytest.approx(expected["alpha"].item(), rel=1e-8)


def test_frozen_biases_are_no_parameters() -> None:
    layers = (Layer(1, 20, Tanh(), "frozen"), Layer(20, 1, Identity()))
    fit = objective(Network(layers, Mse()))
    optimizer = BayesianRegularization()
    params, state = step(optimizer, fit, start(), optimizer.init(start()), NO_RATE)
    assert state["effective_params"].item() == 41
    frozen = fit.network.frozen
    assert state["alpha"].item() == pytest.approx(
        41 / (2 * (np.delete(start(), frozen) ** 2).sum()), rel=1e-12
    )
    params, state, _ = trained(optimizer, fit, start(), 20)
    assert state["effective_params"].item() < 41
    np.testing.assert_array_equal(params[frozen], start()[frozen])


def test_a_perfect_fit_keeps_the_estimates_finite() -> None:
    network = Network((Layer(1, 1, Identity()),), Mse())
    x = np.linspace(0, 1, 5)[:, None]
    fit = NetworkObjective(network, Rows.of(network, x, 2 * x + 1, np.dtype(float)))
    optimizer = BayesianRegularization()
    for first in (np.array([2.0, 1.0]), np.zeros(2)):
        params, state, _ = trained(optimizer, fit, first, 50)
        assert np.isfinite(params).all()
        assert all(np.isfinite(value) for value in optimizer.diagnostics(state, None).values())


def test_weights_that_decay_to_nothing_end_training_by_name() -> None:
    """On the four rows of XOR: the outputs are then the mean of the targets, 0."""
    network = Network((Layer(2, 4, Tanh()), Layer(4, 1, Identity())), Mse())
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    fit = NetworkObjective(
        network, Rows.of(network, X, np.array([[-1.0], [1], [1], [-1]]), X.dtype)
    )
    params = network.initial_params(NguyenWidrow(), np.random.default_rng(0))
    optimizer = BayesianRegularization()
    params, state, reason = trained(optimizer, fit, params, 100)
    assert reason == "no_effective_params"
    assert state["effective_params"].item() < 1e-3
    assert np.abs(predict(network, params, X)).max() < 1e-3


def test_training_goes_on_from_a_saved_state_bit_for_bit(tmp_path: Path) -> None:
    fit, optimizer = objective(), BayesianRegularization()

    def go(params: np.ndarray, state: dict, count: int) -> tuple[np.ndarray, dict]:
        for _ in range(count):
            params, state = step(optimizer, fit, params, state, NO_RATE)
        return params, state

    whole, end = go(start(), optimizer.init(start()), 10)
    half, state = go(start(), optimizer.init(start()), 4)
    save_arrays(tmp_path / "state", {"params": half, **state}, {})
    loaded, _ = load_arrays(tmp_path / "state")
    again, state = go(loaded.pop("params"), loaded, 6)
    np.testing.assert_array_equal(again, whole)
    assert optimizer.diagnostics(state, None) == optimizer.diagnostics(end, None)
