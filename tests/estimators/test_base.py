from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError

import bpcli
from bpcli.errors import ConfigError
from bpcli.estimators import BPClassifier, BPRegressor
from bpcli.estimators.validity import ParameterError
from bpcli.nn.arrays import Array
from bpcli.training.epoch import Epoch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
X_VALUES, Y_VALUES = load_diabetes(return_X_y=True)
X_LABELS, Y_LABELS = make_multilabel_classification(random_state=0)
FULL_BATCH = [
    "gradient_descent",
    "adaptive_gradient_descent",
    "rprop",
    "levenberg_marquardt",
    "conjugate_gradient",
    "scaled_conjugate_gradient",
    "bfgs",
    "lbfgs",
]


_SMALL = {"hidden_layer_sizes": (4,), "solver": "lbfgs", "alpha": 1e-4, "random_state": 0}


def classifier(**changes: Any) -> BPClassifier:
    return BPClassifier(**(_SMALL | changes))


def regressor(**changes: Any) -> BPRegressor:
    return BPRegressor(**(_SMALL | changes))


def outputs(model: Any, rows: Array) -> Array:
    is_classifier = hasattr(model, "predict_proba")
    found: Array = model.predict_proba(rows) if is_classifier else model.predict(rows)
    return found


# Weights of rows.

REPEATS = np.random.default_rng(0).integers(0, 4, len(X_VALUES))


@pytest.mark.parametrize("scale", ["standard", "minmax", None])
@pytest.mark.parametrize("solver", [*FULL_BATCH, "adam"])
def test_a_weight_of_k_is_k_rows_for_values(solver: str, scale: str | None) -> None:
    model = regressor(solver=solver, scale=scale, alpha=0.5, max_iter=4, tol=0, batch_size="full")
    weighted = model.fit(X_VALUES, Y_VALUES, sample_weight=REPEATS).predict(X_VALUES)
    repeated = model.fit(X_VALUES.repeat(REPEATS, 0), Y_VALUES.repeat(REPEATS)).predict(X_VALUES)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)
    unweighted = model.fit(X_VALUES, Y_VALUES).predict(X_VALUES)
    assert not np.allclose(weighted, unweighted, rtol=1e-3)


@pytest.mark.parametrize("solver", [each for each in FULL_BATCH if each != "levenberg_marquardt"])
def test_a_weight_of_k_is_k_rows_for_classes(solver: str) -> None:
    repeats = REPEATS[: len(X)]
    model = classifier(solver=solver, alpha=0.5, max_iter=4, tol=0)
    weighted = model.fit(X, Y, sample_weight=repeats).predict_proba(X)
    repeated = model.fit(X.repeat(repeats, 0), Y.repeat(repeats)).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


@pytest.mark.parametrize("model", [regressor, classifier])
def test_a_weight_of_k_is_k_rows_beside_a_hold_out(model: Any) -> None:
    targets = Y_VALUES if model is regressor else Y_VALUES - np.median(Y_VALUES) > 0
    held = model(early_stopping=True, validation_fraction=0.3, alpha=0.5, max_iter=4, tol=0)
    weighted = held.fit(X_VALUES, targets, sample_weight=REPEATS)
    found, scores = outputs(weighted, X_VALUES), weighted.validation_scores_
    repeated = held.fit(X_VALUES.repeat(REPEATS, 0), targets.repeat(REPEATS))
    np.testing.assert_allclose(found, outputs(repeated, X_VALUES), rtol=1e-9)
    np.testing.assert_allclose(scores, repeated.validation_scores_, rtol=1e-9)


def test_weights_of_1_hold_out_the_same_rows() -> None:
    model = regressor(early_stopping=True, max_iter=4)
    plain = model.fit(X_VALUES, Y_VALUES).predict(X_VALUES)
    ones = model.fit(X_VALUES, Y_VALUES, sample_weight=np.ones(len(X_VALUES)))
    np.testing.assert_allclose(ones.predict(X_VALUES), plain, rtol=1e-9)


@pytest.mark.parametrize("rule", ["balanced", {0: 1.0, 1: 5.0, 2: 0.5}])
def test_a_weight_of_k_is_k_rows_beside_weights_of_classes(rule: Any) -> None:
    repeats = REPEATS[: len(X)]
    model = classifier(class_weight=rule, alpha=0.5, max_iter=4)
    weighted = model.fit(X, Y, sample_weight=repeats).predict_proba(X)
    repeated = model.fit(X.repeat(repeats, 0), Y.repeat(repeats)).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "rprop"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_row_of_weight_0_is_no_row(solver: str, early_stopping: bool) -> None:
    kept = np.arange(len(X_VALUES)) % 3 != 0
    model = regressor(solver=solver, max_iter=5, early_stopping=early_stopping)
    weighted = model.fit(X_VALUES, Y_VALUES, sample_weight=kept).predict(X_VALUES)
    fewer = model.fit(X_VALUES[kept], Y_VALUES[kept], sample_weight=np.ones(kept.sum()))
    assert np.array_equal(weighted, fewer.predict(X_VALUES))


def test_a_class_of_weight_0_is_a_class_that_is_never_predicted() -> None:
    model = classifier().fit(X, Y, sample_weight=Y != 2)
    assert list(model.classes_) == [0, 1, 2]
    assert set(model.predict(X)) == {0, 1}
    assert (model.predict_proba(X)[:, 2] < 0.1).all()


def test_equal_weights_are_no_weights() -> None:
    plain = regressor(max_iter=5).fit(X_VALUES, Y_VALUES).predict(X_VALUES)
    for weight in (np.ones(len(X_VALUES)), np.full(len(X_VALUES), 4.0)):
        model = regressor(max_iter=5, alpha=0.0001 * weight[0])
        model.fit(X_VALUES, Y_VALUES, sample_weight=weight)
        np.testing.assert_allclose(model.predict(X_VALUES), plain, rtol=1e-9)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (-np.ones(150), "negative"),
        (np.zeros(150), "zero"),
        (np.ones(149), "149"),
        (np.full(150, np.nan), "NaN"),
        (np.full(150, np.inf), "infinity"),
        (np.ones((150, 2)), "shape"),
        (["heavy"] * 150, "heavy"),
    ],
)
def test_weights_that_are_none(weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, Y, sample_weight=weights)


# Rows.


@pytest.mark.parametrize("order", [np.asfortranarray, csc_array, csr_array, np.ndarray.tolist])
def test_how_rows_lie_in_memory_changes_no_bit(order: Any) -> None:
    model = classifier(max_iter=5).fit(X, Y)
    other = classifier(max_iter=5).fit(order(X), Y)
    assert np.array_equal(other.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(model.predict_proba(order(X)), model.predict_proba(X))


def test_rows_of_truth_values_and_of_integers_are_numbers() -> None:
    rows = X - np.median(X, axis=0) > 0
    model = classifier(max_iter=20).fit(rows, Y)
    for same in (rows.astype(float), rows.astype(np.int8)):
        assert np.array_equal(
            classifier(max_iter=20).fit(same, Y).predict(same), model.predict(rows)
        )


@pytest.mark.parametrize("given", [np.float64, np.float32])
@pytest.mark.parametrize("dtype", [None, "float64", "float32"])
def test_the_precision_is_that_of_the_rows_or_as_asked(given: Any, dtype: str | None) -> None:
    model = regressor(max_iter=3, dtype=dtype).fit(X_VALUES.astype(given), Y_VALUES)
    expected = np.dtype(dtype or given)
    assert {each.dtype for each in model.coefs_ + model.intercepts_} == {expected}
    assert model.predict(X_VALUES).dtype == expected


# Threads.


def test_threads_that_fit_and_predict_at_once_get_the_same_bits() -> None:
    shared = classifier(hidden_layer_sizes=(20,), max_iter=20).fit(X, Y)
    expected = shared.predict_proba(X)
    seeds = list(range(8))

    def fit_and_predict(seed: int) -> tuple[Array, Array]:
        own = classifier(hidden_layer_sizes=(20,), max_iter=20, random_state=seed).fit(X, Y)
        return own.predict_proba(X), shared.predict_proba(X)

    with ThreadPool(4) as pool:
        found = pool.map(fit_and_predict, seeds)
    for (own, other), seed in zip(found, seeds, strict=True):
        assert np.array_equal(other, expected)
        assert np.array_equal(own, fit_and_predict(seed)[0])


# Targets.


def test_two_values_at_once() -> None:
    both = np.c_[Y_VALUES, -3 * Y_VALUES + 7]
    model = regressor(max_iter=50).fit(X_VALUES, both)
    found = model.predict(X_VALUES)
    assert found.shape == both.shape
    for column in (0, 1):
        assert np.corrcoef(found[:, column], both[:, column])[0, 1] > 0.6
    assert model.score(X_VALUES, both) > 0.4
    assert model.n_outputs_ == 2


def test_one_column_of_values() -> None:
    column = Y_VALUES[:, None]
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert classifier(max_iter=3).fit(X, Y[:, None]).predict(X).shape == (150,)
    flat = regressor(max_iter=3).fit(X_VALUES, Y_VALUES).predict(X_VALUES)
    assert np.array_equal(regressor(max_iter=3).fit(X_VALUES, column).predict(X_VALUES), flat)


def test_labels() -> None:
    model = classifier(hidden_layer_sizes=(20,)).fit(X_LABELS, Y_LABELS)
    found, probabilities = model.predict(X_LABELS), model.predict_proba(X_LABELS)
    assert found.shape == probabilities.shape == Y_LABELS.shape
    assert np.array_equal(found, probabilities > 0.5)
    assert model.score(X_LABELS, Y_LABELS) > 0.95
    assert not np.allclose(probabilities.sum(axis=1), 1)
    assert model.out_activation_ == "logistic"


@pytest.mark.parametrize(
    "names",
    [
        np.array(["setosa", "versicolor", "virginica"]),
        np.array(["a", "b", "c"], object),
        np.array([-1, 5, 7]),
        np.array([0.0, 1.0, 2.0]),
    ],
    ids=["texts", "objects", "integers", "floats"],
)
def test_classes_come_back_as_they_were_given(names: Array) -> None:
    model = classifier(max_iter=20).fit(X, names[Y])
    assert np.array_equal(model.classes_, names)
    assert model.classes_.dtype == names.dtype
    assert model.predict(X).dtype == names.dtype
    of_numbers = classifier(max_iter=20).fit(X, Y)
    assert np.array_equal(model.predict_proba(X), of_numbers.predict_proba(X))


def test_truth_values() -> None:
    model = classifier().fit(X, Y == 1)
    assert model.predict(X).dtype == bool
    assert model.score(X, Y == 1) > 0.95
    assert np.array_equal(model.classes_, [False, True])


def test_classes_whose_names_are_alike() -> None:
    names = np.array(["1", "1.0", " 1"], object)
    assert classifier().fit(X, names[Y]).score(X, names[Y]) > 0.95


@pytest.mark.parametrize("settings", [{}, {"output_activation": "softmax"}, {"solver": "adam"}])
def test_one_class(settings: dict[str, Any]) -> None:
    model = classifier(max_iter=20, **settings).fit(X, np.full(len(X), "only"))
    assert set(model.predict(X)) == {"only"}
    assert model.predict_proba(X).shape == (150, 1)
    assert list(model.classes_) == ["only"]


@pytest.mark.parametrize("targets", ["classes", "values"])
def test_one_row(targets: str) -> None:
    row = [[1.0, 2.0]]
    if targets == "classes":
        assert classifier(max_iter=5).fit(row, ["a"]).predict(row) == ["a"]
    else:
        fitted = regressor(solver="lbfgs", tol=1e-9).fit(row, [3.0])
        np.testing.assert_allclose(fitted.predict(row), [3.0], rtol=1e-6)


def test_a_constant_column_and_a_constant_target() -> None:
    rows = np.c_[X_VALUES, np.full(len(X_VALUES), 1e6)]
    with_it, without = regressor(max_iter=50).fit(rows, Y_VALUES), regressor(max_iter=50)
    without.fit(X_VALUES, Y_VALUES)
    assert with_it.score(rows, Y_VALUES) > 0.45
    constant = regressor(max_iter=50).fit(X_VALUES, np.full(len(X_VALUES), 5.0))
    np.testing.assert_allclose(constant.predict(X_VALUES), 5, rtol=1e-3)


def test_class_weights_move_the_border() -> None:
    rare = Y == 2
    rates = [
        classifier(class_weight=rule, hidden_layer_sizes=(), alpha=1.0).fit(X[:, :1], rare)
        for rule in (None, "balanced", {True: 20.0, False: 1.0})
    ]
    found = [model.predict(X[:, :1]).sum() for model in rates]
    assert found[0] < found[1] < found[2]


# A validation set.


def test_a_given_validation_set_keeps_its_best_epoch() -> None:
    model = regressor(hidden_layer_sizes=(30,), solver="rprop", max_iter=100, alpha=0)
    model.fit(X_VALUES[::4], Y_VALUES[::4], X_val=X_VALUES[1::4], y_val=Y_VALUES[1::4])
    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_)
    assert model.best_validation_score_ == max(model.validation_scores_)
    kept = model.score(X_VALUES[1::4], Y_VALUES[1::4])
    assert kept == pytest.approx(model.best_validation_score_, rel=1e-6)
    assert model.validation_scores_[-1] < model.best_validation_score_
    assert model.best_loss_ is None


def test_a_given_validation_set_is_not_trained_on() -> None:
    strange = {"X_val": X_VALUES[:20] + 100, "y_val": -Y_VALUES[:20]}
    model = regressor(max_iter=5).fit(X_VALUES[20:], Y_VALUES[20:], **strange)
    plain = regressor(max_iter=model.n_iter_).fit(X_VALUES[20:], Y_VALUES[20:])
    assert model.loss_curve_ == plain.loss_curve_


def test_a_validation_set_without_targets() -> None:
    with pytest.raises(ValueError, match="y_val"):
        regressor().fit(X_VALUES, Y_VALUES, X_val=X_VALUES)
    with pytest.raises(ValueError, match="X_val"):
        regressor().fit(X_VALUES, Y_VALUES, y_val=Y_VALUES)


def test_a_validation_set_of_other_width_or_classes() -> None:
    with pytest.raises(ValueError, match="features"):
        classifier().fit(X, Y, X_val=X[:, :2], y_val=Y)
    with pytest.raises(ValueError, match="class"):
        classifier().fit(X[Y < 2], Y[Y < 2], X_val=X, y_val=Y)
    two = np.c_[Y_VALUES, Y_VALUES]
    with pytest.raises(ParameterError, match=r"`y_val` has the shape \(442,\), but `y` has .* 2\)"):
        regressor().fit(X_VALUES, two, X_val=X_VALUES, y_val=Y_VALUES)


def test_a_validation_set_may_lack_classes() -> None:
    model = classifier(max_iter=3, warm_start=True).fit(X, Y)
    model.fit(X, Y, X_val=X[:9], y_val=Y[:9])
    assert len(model.validation_scores_) == model.n_iter_


def test_a_validation_set_of_a_warm_start_may_lack_a_class() -> None:
    few = np.less(Y, 2)
    model = classifier(warm_start=True, max_iter=3).fit(X, Y)
    model.fit(X, Y, X_val=X[few], y_val=Y[few])
    assert len(model.validation_scores_) > 0


def test_targets_of_a_validation_set_have_the_columns_of_the_others() -> None:
    with pytest.raises(ValueError, match=r"`y_val` has the shape \(442, 1\), but `y` has \(442,\)"):
        regressor().fit(X_VALUES, Y_VALUES, X_val=X_VALUES, y_val=Y_VALUES[:, np.newaxis])


def test_too_few_distinct_rows_to_hold_out_are_counted() -> None:
    with pytest.raises(ValueError, match="n_samples=60, of which 3 differ"):
        classifier(early_stopping=True).fit(np.repeat(X[:3], 20, axis=0), np.repeat([0, 1, 0], 20))


# Fits that go on.


def test_a_warm_start_goes_on_from_the_weights() -> None:
    model = regressor(max_iter=3, warm_start=True, tol=0).fit(X_VALUES, Y_VALUES)
    first = model.loss_
    model.fit(X_VALUES, Y_VALUES)
    assert model.loss_curve_[0] < first
    cold = regressor(max_iter=3, tol=0).fit(X_VALUES, Y_VALUES).fit(X_VALUES, Y_VALUES)
    assert cold.loss_ == first


def test_a_warm_start_of_other_columns_or_layers_is_refused() -> None:
    model = regressor(max_iter=3, warm_start=True).fit(X_VALUES, Y_VALUES)
    with pytest.raises(ValueError, match="features"):
        model.fit(X_VALUES[:, :3], Y_VALUES)
    model.set_params(hidden_layer_sizes=(9,))
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        model.fit(X_VALUES, Y_VALUES)
    model.set_params(hidden_layer_sizes=(4,))
    with pytest.raises(ValueError, match="y"):
        model.fit(X_VALUES, np.c_[Y_VALUES, Y_VALUES])


@pytest.mark.parametrize("solver", ["adam", "sgd", "rprop", "gradient_descent"])
def test_calls_of_partial_fit_are_the_epochs_of_a_fit(solver: str) -> None:
    whole = regressor(solver=solver, max_iter=7, batch_size="full", tol=0)
    whole.fit(X_VALUES, Y_VALUES)
    parts = regressor(solver=solver, batch_size="full", tol=0)
    for _ in range(7):
        parts.partial_fit(X_VALUES, Y_VALUES)
    assert np.array_equal(parts.predict(X_VALUES), whole.predict(X_VALUES))
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.t_ == whole.t_ == 7 * len(X_VALUES)


def test_partial_fit_takes_classes_that_come_later() -> None:
    model = classifier(solver="adam", learning_rate_init=0.05)
    for _ in range(100):
        for label in (0, 1, 2):
            rows = np.flatnonzero(np.equal(Y, label))
            model.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
    assert len(model.classes_) == 3
    with pytest.raises(ValueError, match="class"):
        model.partial_fit(X, Y + 1)


@pytest.mark.parametrize("second", ["adam", "sgd", "adaptive_gradient_descent"])
def test_partial_fit_may_change_the_solver(second: str) -> None:
    """Its state starts over:  the same as from the parameters alone."""
    model = regressor(solver="rprop", max_iter=5).fit(X_VALUES, Y_VALUES)
    other = regressor(solver="lbfgs", max_iter=1).fit(X_VALUES, Y_VALUES)
    for mine, theirs in zip(other.coefs_, model.coefs_, strict=True):
        mine[...] = theirs
    for mine, theirs in zip(other.intercepts_, model.intercepts_, strict=True):
        mine[...] = theirs
    for each in (model, other):
        each.set_params(solver=second).partial_fit(X_VALUES, Y_VALUES)
    assert np.array_equal(model.predict(X_VALUES), other.predict(X_VALUES))


def test_partial_fit_begins_at_changed_coefficients() -> None:
    model = regressor(solver="sgd", learning_rate_init=1e-9).fit(X_VALUES, Y_VALUES)
    model.coefs_[0][...] = 7
    model.partial_fit(X_VALUES, Y_VALUES)
    np.testing.assert_allclose(model.coefs_[0], 7, atol=1e-6)


@pytest.mark.parametrize("kinds", [(Y, np.eye(3, dtype=int)[Y]), (np.eye(3, dtype=int)[Y], Y)])
def test_a_fit_that_goes_on_keeps_the_kind_of_targets(kinds: tuple[Array, Array]) -> None:
    model = classifier(solver="adam").partial_fit(X, kinds[0])
    with pytest.raises(ValueError, match="the targets of the fit were"):
        model.partial_fit(X, kinds[1])


def test_partial_fit_is_for_steps_that_suit_changing_rows() -> None:
    assert not hasattr(regressor(solver="lbfgs"), "partial_fit")
    assert not hasattr(regressor(solver="levenberg_marquardt"), "partial_fit")
    assert hasattr(regressor(solver={"name": "rprop"}), "partial_fit")


# What watches a fit.


def test_a_callback_sees_each_epoch_and_may_end_the_fit() -> None:
    seen: list[tuple[int, float]] = []

    def callback(epoch: Epoch) -> bool:
        seen.append((epoch.number, epoch.loss))
        return epoch.number == 5

    model = regressor(max_iter=50, callback=callback).fit(X_VALUES, Y_VALUES)
    assert [number for number, _ in seen] == [0, 1, 2, 3, 4, 5]
    assert model.n_iter_ == 5
    assert [loss for _, loss in seen[1:]] == model.loss_curve_
    assert model.stop_reason_ == "callback"


def test_an_error_in_a_callback_is_raised_as_it_is() -> None:
    def callback(epoch: Epoch) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        regressor(callback=callback).fit(X_VALUES, Y_VALUES)


_INTERRUPTED = """\
import signal, time, warnings
import numpy as np
from bpcli.estimators import BPRegressor

signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored

def callback(epoch):
    if epoch.number == 5:
        print("ready", flush=True)

rows = np.linspace(-1, 1, 50)[:, None]
endless = {"max_iter": 10**9, "n_iter_no_change": np.inf, "stop": {"max_seconds": 60}}
model = BPRegressor((5,), solver="adam", callback=callback, **endless)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model.fit(rows, rows[:, 0])
print(model.n_iter_, len(model.loss_curve_), model.stop_reason_)
print(np.isfinite(model.predict(rows)).all())
print(caught[0].category.__name__, caught[0].message)
try:
    print("went on", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("and can be interrupted again")
"""


@pytest.mark.skipif(os.name != "posix", reason="only POSIX sends SIGINT to one process")
def test_ctrl_c_leaves_a_fitted_model() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(bpcli.__file__).parents[1])},
    )
    assert child.stdout is not None
    with child:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        epochs, losses, reason = child.stdout.readline().split()
        assert int(epochs) == int(losses) >= 5
        assert reason == "interrupted"
        assert child.stdout.readline() == "True\n"
        assert "nterrupt" in child.stdout.readline()
        assert child.stdout.readline() == "went on\n"
        child.send_signal(signal.SIGINT)
        assert child.stdout.readline() == "and can be interrupted again\n"
    assert child.returncode == 0


def test_a_fit_that_does_not_converge_says_so() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached") as caught:
        regressor(max_iter=2).fit(X_VALUES, Y_VALUES)
    assert Path(caught[0].filename) == Path(__file__)


def test_a_fit_that_diverges_says_what_to_change_by_the_names_of_parameters() -> None:
    settings = {"activation": "identity", "solver": "sgd", "momentum": 0, "scale": None}
    message = r"set `scale: {inputs: standard, targets: standard}` .* `learning_rate_init`"
    with pytest.raises(bpcli.Diverged, match=message) as caught:
        regressor(**settings, learning_rate_init=1e6).fit(X_VALUES * 1e5, Y_VALUES)
    assert isinstance(caught.value, ValueError)


# What is refused: always a ValueError that names the parameter.


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solver": "sdg"}, "solver.*sdg.*gradient_descent"),
        ({"solver": {"name": "rprop", "increase": 0.5}}, "increase"),
        ({"solver": 3}, "solver"),
        ({"activation": "rleu"}, "activation.*rleu.*relu"),
        ({"activation": ["tanh", "tanh"]}, "2 entries"),
        ({"activation": [{"name": "elu", "alpha": -1}]}, "`activation.alpha`: found -1"),
        ({"output_activation": "rleu"}, "`output_activation`: found `rleu`"),
        ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": (4, "wide")}, "hidden_layer_sizes"),
        ({"alpha": -1}, "alpha"),
        ({"alpha": "strong"}, "alpha"),
        ({"max_iter": -1}, "max_iter"),
        ({"max_iter": 2.5}, "max_iter"),
        ({"loss": "cross-entropy"}, "loss"),
        ({"scale": "robustt"}, "scale.*robust"),
        ({"dtype": "float16"}, "dtype"),
        ({"init": "he"}, "init"),
        ({"stop": {"gaol": 1}}, "gaol"),
        ({"solver": "adam", "batch_size": 0}, "batch_size"),
        ({"solver": "adam", "learning_rate_init": -1.0}, "learning_rate"),
        ({"solver": "adam", "beta_1": 1.5}, "beta"),
        ({"solver": "sgd", "momentum": 2.0}, "momentum"),
        ({"solver": "sgd", "learning_rate": "adaptve"}, "learning_rate"),
        ({"learning_rate": "adaptve"}, "`learning_rate`: found 'adaptve', expected 'constant'"),
        ({"stop": "goal"}, "`stop`: found 'goal', expected None or a mapping"),
        ({"callback": 3}, "`callback`: found 3, expected None or a function"),
        ({"early_stopping": True, "validation_fraction": 1.5}, "validation_fraction"),
        ({"tol": -1.0}, "tol"),
        ({"random_state": -1}, "random_state|seed"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"hidden_layer_sizes": {4: 1}}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": {4, 3}}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": np.array(4.5)}, "hidden_layer_sizes"),
        ({"stop": "goal"}, "`stop`.*a mapping"),
        ({"callback": 3}, "`callback`.*a function"),
        ({"early_stopping": "no"}, "`early_stopping`.*True or False"),
    ],
    ids=str,
)
def test_a_parameter_that_is_not_valid(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        regressor(**settings).fit(X_VALUES, Y_VALUES)
    assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize("rule", [[1, 2], 3, {0: "a"}, {0: None}], ids=str)
def test_a_class_weight_of_another_type(rule: Any) -> None:
    with pytest.raises(ConfigError, match="`class_weight"):
        classifier(class_weight=rule).fit(X, Y)


def test_one_weight_is_that_of_all_rows() -> None:
    one = regressor(max_iter=5).fit(X_VALUES, Y_VALUES, 2.0)
    all_rows = regressor(max_iter=5).fit(X_VALUES, Y_VALUES, np.full(len(Y_VALUES), 2.0))
    assert np.array_equal(one.predict(X_VALUES), all_rows.predict(X_VALUES))


def test_a_class_weight_for_no_class() -> None:
    with pytest.raises(ValueError, match="class"):
        classifier(class_weight={"no such": 2}).fit(X, Y)
    with pytest.raises(ParameterError, match=r"`class_weight`: found \[1, 2, 3\], expected None"):
        classifier(class_weight=[1, 2, 3]).fit(X, Y)
    with pytest.raises(ParameterError, match="these are labels"):
        classifier(class_weight="balanced").fit(X_LABELS, Y_LABELS, np.ones(len(X_LABELS)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.where(X > 5, np.nan, X), "NaN"),
        (np.where(X > 5, np.inf, X), "infinity"),
        (X.astype(str).astype(object) + "m", "could not convert"),
        (X[:, :0], "0 feature"),
        (X[:0], "0 sample"),
        (X[0], "Expected 2D"),
        (X + 1j, "Complex"),
    ],
)
def test_rows_that_are_no_numbers(rows: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(rows, Y[: len(rows)])


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (Y_VALUES[:150] + 0.5, "Unknown label type"),
        (np.where(Y == 1, np.nan, Y), "NaN"),
        (Y[:149], "inconsistent numbers of samples"),
        (None, "y"),
    ],
)
def test_targets_that_are_no_classes(targets: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().fit(X, targets)


@pytest.mark.parametrize("settings", [{}, {"scale": None}, {"solver": "adam", "scale": None}])
@pytest.mark.parametrize("size", [1e160, np.finfo(np.float64).max])
def test_huge_values_are_refused_in_words(settings: dict[str, Any], size: float) -> None:
    rows = np.random.default_rng(0).uniform(size=(10, 2)) * size
    with pytest.raises(ValueError, match=r"large|finite"):
        regressor(**settings).fit(rows, np.arange(10.0))


def test_new_rows_are_checked_as_the_first_ones() -> None:
    model = classifier(max_iter=3).fit(X, Y)
    for rows, message in [
        (X[:, :2], "features"),
        (np.where(X > 5, np.nan, X), "NaN"),
        (X[:0], "0 sample"),
        (X[0], "Expected 2D"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.predict(rows)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_an_estimator_predicts_only_once_it_is_fitted(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(classifier(), method)(X)


def test_a_fit_that_fails_leaves_the_model_before_it() -> None:
    model = classifier(max_iter=3).fit(X, Y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="solver"):
        model.set_params(solver="none").fit(X, Y == 1)
    assert np.array_equal(model.predict_proba(X), before)


# Attributes.


def test_probabilities_and_their_logarithms() -> None:
    for model, targets in [(classifier(), Y), (classifier(), Y == 1)]:
        found = model.fit(X, targets).predict_proba(X)
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), found, rtol=1e-12)
        assert np.array_equal(model.classes_[found.argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("name", ["softmax", "logistic"])
def test_an_output_activation_may_be_a_mapping(name: str) -> None:
    for targets in (Y, Y == 1):
        one = classifier(max_iter=3, output_activation=name).fit(X, targets)
        other = classifier(max_iter=3, output_activation={"name": name}).fit(X, targets)
        assert np.array_equal(one.predict_proba(X), other.predict_proba(X))
    values = regressor(max_iter=3, output_activation={"name": "purelin"}).fit(X_VALUES, Y_VALUES)
    plain = regressor(max_iter=3).fit(X_VALUES, Y_VALUES)
    assert np.array_equal(values.predict(X_VALUES), plain.predict(X_VALUES))


@pytest.mark.parametrize("targets", [Y, Y == 1], ids=["softmax", "sigmoid"])
def test_small_probabilities_are_not_rounded(targets: Array) -> None:
    model = classifier(hidden_layer_sizes=(), scale=None).fit(X, targets)
    far = 100 * X
    z = far @ model.coefs_[0] + model.intercepts_[0]
    z = z if z.shape[1] > 1 else np.hstack([np.zeros_like(z), z])
    expected = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_log_proba(far), expected, rtol=1e-12, atol=1e-300)
    assert expected.min() < -800  # e^-800 is 0
    least = model.predict_proba(far * (-100 / expected.min())).min()
    assert 0 < least < 1e-17  # 1 - p would be 0


@pytest.mark.parametrize("early_stopping", [False, True])
def test_attributes_are_those_of_scikit_learn(early_stopping: bool) -> None:
    from sklearn.neural_network import MLPClassifier

    same = {"hidden_layer_sizes": (4, 3), "solver": "adam", "early_stopping": early_stopping}
    theirs = MLPClassifier(**same, max_iter=5, random_state=0).fit(X, Y)
    ours = classifier(**same, max_iter=5).fit(X, Y)
    private = {"coefs_", "intercepts_", "out_activation_"}  # properties of ours
    public = {name for name in vars(theirs) if name.endswith("_") and name[0] != "_"}
    assert public <= {*vars(ours)} | private
    for name in ("coefs_", "intercepts_"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert [each.shape for each in mine] == [each.shape for each in other]
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert len(ours.loss_curve_) == len(theirs.loss_curve_)
    assert (ours.best_loss_ is None) == (theirs.best_loss_ is None) == early_stopping


def test_the_parameters_are_those_of_scikit_learn_and_more() -> None:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    for ours, theirs in [(BPClassifier, MLPClassifier), (BPRegressor, MLPRegressor)]:
        assert theirs().get_params().keys() <= ours().get_params().keys()
