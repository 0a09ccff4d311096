"""Estimators as runs: `to_run` with and without the rows of the fit."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification

from bpcli import BPClassifier, BPRegressor, ConfigError, DataError, RunError, load_run
from bpcli.nn.arrays import Array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
WEIGHT = 1 + np.arange(len(DIABETES[0])) % 3

ESTIMATORS: dict[str, tuple[Any, Array, Array, Array | None]] = {
    "classes": (BPClassifier((5,), max_iter=30, random_state=0), *IRIS, None),
    "texts": (
        BPClassifier((5,), max_iter=9, random_state=0),
        IRIS[0],
        np.array(["x", "ß", "中"])[IRIS[1]],
        None,
    ),
    "two classes": (BPClassifier((5,), max_iter=9, random_state=0), IRIS[0], IRIS[1] > 0, None),
    "labels, held out": (
        BPClassifier((5,), max_iter=9, random_state=0, early_stopping=True),
        *make_multilabel_classification(random_state=0),
        None,
    ),
    "values, weighted and held out": (
        BPRegressor((5,), max_iter=30, random_state=0, early_stopping=True),
        *DIABETES,
        WEIGHT,
    ),
    "single precision": (
        BPRegressor((5,), max_iter=9, random_state=0),
        DIABETES[0].astype(np.float32),
        np.c_[DIABETES[1], -DIABETES[1]],
        None,
    ),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_run_with_rows_is_verified(name: str, tmp_path: Path) -> None:
    estimator, X, y, weight = ESTIMATORS[name]
    estimator.fit(X, y, sample_weight=weight)
    run = estimator.to_run(tmp_path, X, y, weight)
    verdict = run.verify()
    assert verdict, verdict
    assert run.epochs == estimator.n_iter_
    assert run.stop_reason == estimator.stop_reason_
    assert run.history["loss"].tolist() == estimator.loss_curve_
    assert estimator.run_ is run


@pytest.mark.parametrize("rule", ["balanced", {0: 1.0, 1: 2.0, 2: 0.5}])
def test_a_run_without_rows_has_the_weights_of_the_classes(rule: Any, tmp_path: Path) -> None:
    estimator = BPClassifier((5,), max_iter=9, random_state=0, class_weight=rule).fit(*IRIS)
    without, with_rows = estimator.to_run(tmp_path), estimator.to_run(tmp_path, *IRIS)
    saved = without.config["training"]
    assert saved["class_weights"] == with_rows.config["training"]["class_weights"]
    assert saved["class_weights"] is not None
    assert without.predict(IRIS[0]).shape == (150,)


def test_a_new_fit_is_no_longer_the_saved_run(tmp_path: Path) -> None:
    estimator = BPClassifier((5,), max_iter=9, random_state=0).fit(*IRIS)
    estimator.to_run(tmp_path)
    estimator.fit(*IRIS)
    assert not hasattr(estimator, "run_")


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_run_without_rows_predicts(name: str, tmp_path: Path) -> None:
    estimator, X, y, weight = ESTIMATORS[name]
    estimator.fit(X, y, sample_weight=weight)
    run = estimator.to_run(tmp_path)
    if isinstance(estimator, BPClassifier):
        np.testing.assert_allclose(
            np.asarray(run.predict_proba(X))[:, -estimator.predict_proba(X).shape[1] :],
            estimator.predict_proba(X),
            atol=1e-14,
        )
    else:
        assert np.array_equal(np.asarray(run.predict(X)).astype(X.dtype), estimator.predict(X))
    with pytest.raises(ConfigError, match=r"there is no file .*rows-that-were-not-kept.npz"):
        run.evaluate()
    again = type(estimator).from_run(run)
    assert np.array_equal(again.predict(X), estimator.predict(X))
    if name in ("classes", "texts", "two classes"):
        assert np.array_equal(run.predict(X), estimator.predict(X))
    assert load_run(run.id, tmp_path).record == run.record


@pytest.mark.parametrize("has_rows", [True, False])
def test_other_layers_than_those_of_the_fit_are_refused(has_rows: bool, tmp_path: Path) -> None:
    model = BPClassifier((5,), max_iter=3, random_state=0).fit(*IRIS).set_params(activation="tanh")
    with pytest.raises(ConfigError, match="fitted as 4 - 5 relu - 3 softmax"):
        model.to_run(tmp_path, *(IRIS if has_rows else ()))


def test_changed_coefficients_are_those_of_both_weights(tmp_path: Path) -> None:
    model = BPRegressor((5,), max_iter=3, random_state=0).fit(*DIABETES)
    model.coefs_[0][...] = 7
    run = model.to_run(tmp_path).with_weights("last")
    assert (run.network.weights[0] == 7).all()


def test_a_class_that_a_run_cannot_name_is_refused(tmp_path: Path) -> None:
    model = BPClassifier((5,), max_iter=3).fit(IRIS[0], np.array(["a", "b\n", "c"])[IRIS[1]])
    with pytest.raises(DataError, match=r"the class name .* has control characters"):
        model.to_run(tmp_path)


def test_the_command_line_knows_the_run(tmp_path: Path, bpnet: Callable[..., Any]) -> None:
    estimator, X, y, _ = ESTIMATORS["classes"]
    run = estimator.fit(X, y).to_run(tmp_path, X, y, name="flowers")
    folder = ("--runs-dir", str(tmp_path))
    assert "flowers" in bpnet("runs", "list", *folder).out
    assert bpnet("eval", run.id, *folder, "--require", "train.accuracy>=0.9").code == 0
    assert bpnet("plot", run.id, "loss", *folder).code == 0
    assert bpnet("export", run.id, *folder, "--to", "python", "-o", "m.py").code == 0
    resumed = bpnet("train", "--resume", run.id, *folder, "--set", "training.epochs=99")
    assert resumed.code == 2
    assert "checkpoint" in resumed.err


def test_a_run_without_rows_says_so(tmp_path: Path, bpnet: Callable[..., Any]) -> None:
    estimator, X, y, _ = ESTIMATORS["classes"]
    run = estimator.fit(X, y).to_run(tmp_path)
    shown = bpnet("runs", "show", run.id, "--runs-dir", str(tmp_path))
    assert "not kept (classification)" in shown.out
    assert "Scores" not in shown.out
    assert run.seconds > 0


def test_parts_of_a_fit_are_one_curve(tmp_path: Path) -> None:
    X, y = IRIS
    estimator = BPClassifier((5,), random_state=0)
    for _ in range(4):
        estimator.partial_fit(X, y, classes=[0, 1, 2])
    run = estimator.to_run(tmp_path, X, y)
    assert len(run.history) == run.epochs == 4
    assert run.stop_reason == "imported"
    with pytest.raises(RunError, match="cannot be verified: its weights were imported"):
        run.verify()
    assert run.history["loss"].is_monotonic_decreasing


def test_an_estimator_with_a_run_can_be_pickled(tmp_path: Path) -> None:
    estimator, X, y, _ = ESTIMATORS["classes"]
    estimator.fit(X, y).to_run(tmp_path)
    again = pickle.loads(pickle.dumps(estimator))
    assert np.array_equal(again.predict(X), estimator.predict(X))
    assert again.run_.id == estimator.run_.id


def test_a_network_of_another_library_is_imported(tmp_path: Path) -> None:
    from sklearn.neural_network import MLPRegressor

    X, y = DIABETES
    theirs = MLPRegressor(max_iter=5, random_state=0).fit(X, y)
    run = BPRegressor.from_sklearn(theirs).to_run(tmp_path, X, y)
    np.testing.assert_allclose(run.predict(X), theirs.predict(X), rtol=1e-12)
    assert (run.stop_reason, len(run.history)) == ("imported", 0)
    with pytest.raises(RunError, match="cannot be verified"):
        run.verify()


def test_other_rows_and_rows_in_place_of_a_folder_are_refused(tmp_path: Path) -> None:
    X, y = IRIS
    estimator = BPClassifier((5,), max_iter=9, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="X has 100 training rows, but `fit` had 150"):
        estimator.to_run(tmp_path, X[:100], y[:100])
    with pytest.raises(ValueError, match="`runs_dir` is ndarray, expected the path"):
        estimator.to_run(X, y)


def test_a_run_and_its_rows_can_be_moved(tmp_path: Path) -> None:
    X, y = IRIS
    estimator = BPClassifier((5,), max_iter=9, random_state=0).fit(X, y)
    run = estimator.to_run(tmp_path / "here", X, y)
    (tmp_path / "here").rename(tmp_path / "there")
    moved = load_run(run.id, tmp_path / "there")
    assert moved.evaluate()["metrics"]["train.accuracy"] == estimator.score(X, y)
    assert moved.verify()


def test_a_fit_with_a_validation_set_of_its_own_is_not_repeatable(tmp_path: Path) -> None:
    X, y = IRIS
    estimator = BPClassifier((5,), max_iter=9, random_state=0)
    estimator.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert estimator.to_run(tmp_path, X[::2], y[::2]).stop_reason == "imported"
