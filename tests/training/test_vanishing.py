"""Trainings whose gradient vanishes end by name, and those whose gradient is only small do not."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.engine.rows import Rows
from bpcli.nn.activations import ACTIVATIONS, Exponential, Identity, Sigmoid, Tanh
from bpcli.nn.losses import HalfSquaredError, Mse
from bpcli.nn.network import Layer, Network
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.base import Evaluation, Optimizer, Point
from bpcli.optimizers.rprop import Rprop
from bpcli.training.batches import Batches
from bpcli.training.epoch import Epoch
from bpcli.training.loop import NextDue, every_epoch, train_epochs
from bpcli.training.objective import NetworkObjective, Reduction
from bpcli.training.state import TrainState
from bpcli.training.steps import Training
from bpcli.training.vanishing import is_negligible, is_stuck, next_check

XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])


def xor(
    hidden: str = "sigmoid", *, dtype: str = "f8", scale: float = 1.0, reduction: Reduction = "mean"
) -> NetworkObjective:
    layers = (Layer(2, 4, ACTIVATIONS[hidden]()), Layer(4, 1, Sigmoid()))
    network = Network(layers, Mse())
    rows = Rows.of(network, XOR[0], scale * XOR[1], np.dtype(dtype))
    return NetworkObjective(network, rows, reduction=reduction)


def start(fit: NetworkObjective, spread: float, dtype: str = "f8", seed: int = 0) -> np.ndarray:
    return (spread * np.random.default_rng(seed).normal(size=fit.network.n_params)).astype(dtype)


def trained(
    fit: NetworkObjective,
    params: np.ndarray,
    name: str | Optimizer = "rprop",
    epochs: int = 3000,
    next_due: NextDue = lambda number: number + 300,
    resumed: TrainState | None = None,
    batches: Batches = Batches(),  # noqa: B008
) -> list[Epoch]:
    optimizer = OPTIMIZERS[name]() if isinstance(name, str) else name
    training = Training(
        fit,
        optimizer,
        params,
        learning_rate=optimizer.default_learning_rate,
        batches=batches,
        rng=np.random.default_rng(0),
    )
    if resumed is not None:
        training.resume(resumed)
    with repeatable_numerics():
        return list(train_epochs(training, epochs, next_due=next_due, is_checked=lambda _: False))


def reason(epoch: Epoch) -> str | None:
    return None if epoch.ended is None else epoch.ended.reason


OWN_REASONS = {"adaptive_gradient_descent": "no_progress"}
DAMPED = ("scaled_conjugate_gradient", "levenberg_marquardt", "bayesian_regularization")


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_outputs_at_the_flat_ends_end_every_training_by_name(
    name: str, reduction: Reduction
) -> None:
    fit = xor(reduction=reduction)
    params = start(fit, 10)
    evaluation = fit.value_and_grad(params)
    assert evaluation.mean_loss == 0.5
    assert 0 < np.linalg.norm(evaluation.grad) < 1e-29
    last = trained(fit, params, name)[-1]
    assert last.number <= 16
    if name in DAMPED:
        assert reason(last) is not None
    else:
        assert reason(last) == OWN_REASONS.get(name, "zero_gradient")


@pytest.mark.parametrize(("hidden", "seed", "dtype"), [("relu", 3, "f8"), ("relu", 3, "f4")])
def test_a_gradient_that_vanishes_later_ends_training_soon(
    hidden: str, seed: int, dtype: str
) -> None:
    fit = xor(hidden, dtype=dtype)
    params = start(fit, 1, dtype, seed)
    records = trained(fit, params, next_due=every_epoch)
    first = next(record.number for record in records if record.grad_norm == 0)
    assert 16 < first <= records[-1].number <= 4 * first
    assert reason(records[-1]) == "zero_gradient"
    assert records[-1].loss > 0.1


def test_neither_records_nor_a_resumed_training_change_the_end() -> None:
    fit = xor("relu")
    params = start(fit, 1, seed=3)
    records = trained(fit, params, next_due=every_epoch)
    rare = trained(fit, params)[-1]
    resumed = trained(fit, params, resumed=records[-20].state)[-1]
    for last in (rare, resumed):
        assert (last.number, str(last.ended)) == (records[-1].number, str(records[-1].ended))
        assert last.params.tobytes() == records[-1].params.tobytes()


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_an_exact_fit_goes_on_to_the_last_digit(dtype: str) -> None:
    network = Network((Layer(2, 3, Tanh()), Layer(3, 1, Identity())), HalfSquaredError())
    X = np.random.default_rng(0).normal(size=(4, 2))
    fit = NetworkObjective(network, Rows.of(network, X, 1e-3 * X[:, :1], np.dtype(dtype)))
    last = trained(fit, start(fit, 0.5, dtype))[-1]
    assert last.loss < (1e-30 if dtype == "f8" else 1e-13)


@pytest.mark.parametrize("loss_scale", [1e-30, 1.0, 1e30])
def test_the_scale_of_the_loss_does_not_matter(loss_scale: float) -> None:
    network = Network((Layer(2, 1, Identity(), "none"),), HalfSquaredError())
    X, root = np.random.default_rng(0).normal(size=(6, 2)), np.sqrt(loss_scale)
    fit = NetworkObjective(network, Rows.of(network, root * X, root * X[:, :1], np.dtype(float)))
    assert reason(trained(fit, np.array([0.2, 0.3]), epochs=60)[-1]) is None


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_the_plateau_of_xor_is_left(dtype: str) -> None:
    """Almost equal hidden units: at first, their gradient is the same."""
    fit = xor("tanh", dtype=dtype)
    params = start(fit, 1e-4, dtype)
    records = trained(fit, params, next_due=every_epoch)
    assert abs(records[8].loss - 0.25) < 1e-3
    assert records[-1].loss < 1e-3


def test_signs_alone_lead_out_of_a_flat_region() -> None:
    """The gradient is negligible at the first check, and grows: training goes on."""
    network = Network((Layer(1, 1, Exponential()),), Mse())
    rows = Rows.of(network, np.linspace(0.01, 1, 10)[:, None], np.ones((10, 1)), np.dtype(float))
    fit = NetworkObjective(network, rows)
    records = trained(fit, np.array([0.5, -60]), next_due=every_epoch)
    assert records[16].grad_norm < 1e-20
    assert records[16].loss > 0.99
    slow = trained(fit, np.array([0.5, -60]), Rprop(max_step=0.1), next_due=every_epoch)
    assert slow[116].loss > 1 - 1e-15, "after the trial, only the gradient has changed"
    assert slow[-1].loss < 0.9
    assert records[8].ended is None
    assert records[-1].loss < 1e-6


@pytest.mark.parametrize(
    ("value", "size", "length", "dtype", "expected"),
    [
        (0.5, 1e-17, 1.0, "f8", True),
        (0.5, 1e-15, 1.0, "f8", False),
        (0.5, 1e-17, 1e3, "f8", False),
        (0.5, 1e-15, 1e-3, "f8", False),
        (1e-30, 1e-17, 1.0, "f8", False),
        (1e9, 1e-8, 1.0, "f8", True),
        (0.5, 1e-9, 1.0, "f4", True),
        (0.5, 1e-6, 1.0, "f4", False),
        (0.0, 0.0, 1.0, "f8", True),
        (np.nan, np.nan, 1.0, "f8", False),
    ],
)
def test_a_gradient_is_negligible_compared_with_the_loss(
    value: float, size: float, length: float, dtype: str, expected: bool
) -> None:
    params, grad = np.array([length, 0.0], dtype), np.array([0.0, size], dtype)
    assert is_negligible(Point(params, Evaluation(value, grad, value))) is expected


@pytest.mark.parametrize(
    ("value", "size", "expected"),
    [
        (1.0, 1e-20, True),
        (1.0, 1e-21, True),
        (1.0 - 2e-16, 1e-20, True),
        (1.0 - 2e-15, 1e-20, False),
        (1.0, 1.1e-20, False),
        (np.nan, 1e-20, False),
        (1.0, np.nan, False),
    ],
)
def test_stuck_is_who_neither_falls_nor_finds_a_longer_gradient(
    value: float, size: float, expected: bool
) -> None:
    before, after = (Evaluation(v, np.array([s]), v) for v, s in ((1.0, 1e-20), (value, size)))
    assert is_stuck(before, after) is expected


def test_mini_batches_are_not_looked_at() -> None:
    fit = xor()
    last = trained(fit, start(fit, 10), "adam", epochs=20, batches=Batches(2))[-1]
    assert (last.number, last.ended) == (20, None)


def test_the_epochs_of_the_checks_are_few() -> None:
    checks, number = [], 0
    while number < 4000:
        number = next_check(number)
        checks.append(number)
    assert checks == [16, 64, 256, 1024, 2048, 3072, 4096]
    assert [next_check(number) for number in (15, 17, 100, 1500)] == [16, 64, 256, 2048]


def test_the_trial_changes_nothing() -> None:
    """A training that is looked at on trial goes on as if it had not been."""
    network = Network((Layer(1, 1, Exponential()),), Mse())
    rows = Rows.of(network, np.ones((2, 1)), np.ones((2, 1)), np.dtype(float))
    fit, params = NetworkObjective(network, rows), np.array([0.5, -60])
    records = trained(fit, params, epochs=20, next_due=every_epoch)
    optimizer, point = OPTIMIZERS["rprop"](), Point(params)
    state = optimizer.init(params)
    with repeatable_numerics():
        for _ in range(20):
            point, state = optimizer.step(fit, point, state, np.asarray(np.nan))
    assert records[-1].params.tobytes() == point.params.tobytes()
