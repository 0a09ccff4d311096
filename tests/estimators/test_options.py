"""The options that scikit-learn has, too: the same steps from the same weights."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale

from bpcli import BpnetWarning
from bpcli.estimators import BPClassifier, BPRegressor
from bpcli.nn.arrays import Array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X_VALUES, Y_VALUES = map(scale, load_diabetes(return_X_y=True))
X, Y = load_iris(return_X_y=True)
ROWS = len(X_VALUES)
_NO_EPSILON = 1e-100
"""Adam's epsilon is added before the correction of the second moment there, after it here."""

FULL_BATCH = {
    "plain": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1},
    "nesterov": {"solver": "sgd", "momentum": 0.9, "learning_rate_init": 0.01},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.01},
    "invscaling": {
        "solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2, "learning_rate_init": 0.1
    },
    "adam": {"solver": "adam", "epsilon": _NO_EPSILON, "learning_rate_init": 0.01},
    "betas": {
        "solver": "adam", "epsilon": _NO_EPSILON, "beta_1": 0.8, "beta_2": 0.99,
        "learning_rate_init": 0.01,
    },
}  # fmt: skip


def _both_fitted(theirs: Any, rows: Array, targets: Array, **options: Any) -> tuple[Any, Any]:
    """An estimator of each, fitted with the same options from the same random weights."""
    start = theirs.set_params(hidden_layer_sizes=(4,), max_iter=1, random_state=0)
    start.fit(rows, targets)
    start.t_ = 0
    ours = (BPClassifier if isinstance(start, MLPClassifier) else BPRegressor).from_sklearn(start)
    same = {"warm_start": True, "shuffle": False, "max_iter": 7, "tol": 0.0} | options
    return (
        ours.set_params(**same).fit(rows, targets),
        deepcopy(start).set_params(**same).fit(rows, targets),
    )


def _assert_same_weights(ours: Any, theirs: Any, rtol: float = 1e-9) -> None:
    for name in ("coefs_", "intercepts_"):
        for mine, other in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("options", FULL_BATCH.values(), ids=FULL_BATCH)
def test_epochs_over_all_rows(options: dict[str, Any], alpha: float) -> None:
    start = MLPRegressor(activation="tanh")
    ours, theirs = _both_fitted(start, X_VALUES, Y_VALUES, batch_size=ROWS, alpha=alpha, **options)
    _assert_same_weights(ours, theirs)
    assert ours.n_iter_ == theirs.n_iter_ == 7
    assert ours.t_ == theirs.t_ == 7 * ROWS
    # Theirs has the loss before each epoch, and here first that of the fit before.
    np.testing.assert_allclose(ours.loss_curve_[:-1], theirs.loss_curve_[2:], rtol=1e-9)


@pytest.mark.parametrize("options", FULL_BATCH.values(), ids=FULL_BATCH)
def test_epochs_over_mini_batches_in_order(options: dict[str, Any]) -> None:
    start = MLPRegressor(activation="tanh")
    ours, theirs = _both_fitted(start, X_VALUES, Y_VALUES, batch_size=50, alpha=0.0, **options)
    _assert_same_weights(ours, theirs)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize(
    "targets", [Y, Y == 1, np.c_[Y == 0, Y > 1].astype(int)], ids=["three", "two", "labels"]
)
def test_epochs_on_classes(activation: Any, targets: Array) -> None:
    ours, theirs = _both_fitted(
        MLPClassifier(activation=activation), X, targets, batch_size=len(X), alpha=2.0,
        **FULL_BATCH["nesterov"],
    )  # fmt: skip
    _assert_same_weights(ours, theirs)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("n_iter_no_change", [1, 5])
@pytest.mark.parametrize("kind", ["nesterov", "adam"])
def test_training_ends_at_the_same_loss(kind: str, n_iter_no_change: int) -> None:
    ours, theirs = _both_fitted(
        MLPRegressor(activation="tanh"), X_VALUES, Y_VALUES, batch_size=ROWS, max_iter=2000,
        n_iter_no_change=n_iter_no_change, **FULL_BATCH[kind] | {"learning_rate_init": 0.05},
        tol=1e-3,
    )  # fmt: skip
    assert 1 < ours.n_iter_ == theirs.n_iter_ - 1  # theirs sees a loss one epoch later
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-9)


def test_a_rate_that_adapts_falls_at_the_same_epochs() -> None:
    ours, theirs = _both_fitted(
        MLPRegressor(activation="tanh"), X_VALUES, Y_VALUES, batch_size=ROWS, max_iter=2000,
        solver="sgd", learning_rate="adaptive", learning_rate_init=0.1, momentum=0.0, tol=1e-3,
        n_iter_no_change=3,
    )  # fmt: skip
    _assert_same_weights(ours, theirs)
    assert 10 < ours.n_iter_ == theirs.n_iter_ < 2000


def test_lbfgs_ends_at_the_same_minimum() -> None:
    options = {"solver": "lbfgs", "alpha": 30.0, "max_iter": 5000, "tol": 1e-8}
    ours, theirs = _both_fitted(MLPRegressor(activation="tanh"), X_VALUES, Y_VALUES, **options)
    # Theirs ends where the loss falls by less than 2e-9 of itself, ours at a small gradient.
    assert theirs.loss_ * (1 - 1e-6) < ours.loss_ < theirs.loss_


def test_a_penalty_beside_the_solver_that_finds_it_is_refused_by_its_name() -> None:
    model = BPRegressor(solver="bayesian_regularization", alpha=1)
    with pytest.raises(ValueError, match=r"^`alpha`: .* remove `alpha`\.$"):
        model.fit([[1.0], [2.0]], [1.0, 2.0])


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"learning_rate_init": 0.01}, "`learning_rate_init` is not used by solver='rprop'"),
        ({"beta_1": 0.8, "momentum": 0.5}, "`momentum`, `beta_1` are not used"),
        ({"solver": "gradient_descent", "learning_rate": "adaptive"}, "`learning_rate` is not"),
    ],
)
def test_options_of_adam_beside_another_solver_are_told(
    options: dict[str, Any], names: str
) -> None:
    with pytest.warns(UserWarning, match=names) as told:
        BPRegressor(2, max_iter=200, n_iter_no_change=1, **options).fit([[1.0], [2.0]], [1.0, 2.0])
    assert told[0].filename == __file__


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_scikit_learns_solvers_take_their_options_in_silence(solver: str) -> None:
    model = BPRegressor(2, solver=solver, learning_rate_init=0.01, beta_1=0.8, n_iter_no_change=1)
    model.fit([[1.0], [2.0]], [1.0, 2.0])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_batch_size_that_is_not_used_is_a_warning_at_the_call(method: str) -> None:
    model = BPRegressor((3,), batch_size=20, max_iter=2)
    with pytest.warns(BpnetWarning, match="`batch_size` is not used: rprop needs all") as caught:
        getattr(model, method)(X_VALUES, Y_VALUES)
    assert Path(caught[0].filename) == Path(__file__)


@pytest.mark.parametrize(
    ("options", "alpha"),
    [({}, 1), ({"solver": "lbfgs"}, 1e-4), ({"alpha": 0.3}, 0.3), ({"solver": "trainbr"}, 0)],
)
def test_the_penalty_that_was_used_is_an_attribute(options: dict[str, Any], alpha: float) -> None:
    model = BPRegressor(2, max_iter=200, stop={"goal": 10.0}, **options)
    model.fit([[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0], sample_weight=[2, 2, 3])
    assert model.alpha_ == alpha


def test_a_power_of_0_is_a_constant_rate() -> None:
    fits = [
        BPRegressor(2, solver="sgd", max_iter=5, n_iter_no_change=1, random_state=0, **options)
        .fit([[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0])
        .coefs_[0]
        for options in ({"learning_rate": "invscaling", "power_t": 0}, {})
    ]
    assert np.array_equal(*fits)
