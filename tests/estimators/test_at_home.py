"""The estimators inside scikit-learn's tools: pipelines, searches, ensembles, inspection."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.utils.fixes import CSR_CONTAINERS

from bpcli.estimators import BPClassifier, BPRegressor
from bpcli.nn.arrays import Array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
X_VALUES, Y_VALUES = load_diabetes(return_X_y=True)
SETTINGS: list[dict[str, Any]] = [
    {"solver": "lbfgs"},
    {"solver": "adam", "batch_size": 50, "learning_rate_init": 0.01},
    {"solver": "rprop", "early_stopping": True},
    {"solver": {"name": "conjugate_gradient", "variant": "fletcher_reeves"}},
]


def classifier(**changes: Any) -> BPClassifier:
    return BPClassifier(**({"hidden_layer_sizes": (4,), "random_state": 0} | changes))


def regressor(**changes: Any) -> BPRegressor:
    return BPRegressor(**({"hidden_layer_sizes": (4,), "random_state": 0} | changes))


# Pipelines and searches.


def test_a_pipeline_scores_as_the_network_on_prepared_rows() -> None:
    pipeline = make_pipeline(MinMaxScaler(), classifier()).fit(X, Y)
    alone = classifier().fit(MinMaxScaler().fit_transform(X), Y)
    assert np.array_equal(
        pipeline.predict_proba(X), alone.predict_proba(MinMaxScaler().fit_transform(X))
    )
    assert pipeline.score(X, Y) > 0.95


def test_columns_of_words_and_numbers() -> None:
    rng = np.random.default_rng(0)
    colors = rng.choice(["red", "green", "blue"], 90)
    table = pd.DataFrame({"color": colors, "size": rng.random(90)})
    target = np.where((table["color"] == "red") & (table["size"] > 0.5), "buy", "leave")
    columns = ColumnTransformer(
        [("words", OneHotEncoder(), ["color"]), ("numbers", StandardScaler(), ["size"])]
    )
    pipeline = Pipeline([("columns", columns), ("network", classifier())]).fit(table, target)
    assert pipeline.score(table, target) > 0.95
    assert list(pipeline.classes_) == ["buy", "leave"]


def test_a_search_by_two_processes_finds_what_one_finds() -> None:
    grid = {"alpha": [0.01, 100.0], "hidden_layer_sizes": [(2,), (4, 3)]}
    search = {n: GridSearchCV(classifier(max_iter=20), grid, cv=3, n_jobs=n) for n in (1, 2)}
    for one in search.values():
        one.fit(X, Y)
    for key in ("mean_test_score", "std_test_score"):
        assert np.array_equal(search[1].cv_results_[key], search[2].cv_results_[key])
    assert search[2].best_params_["alpha"] == 0.01
    assert len(np.unique(search[2].cv_results_["mean_test_score"])) > 1
    assert np.array_equal(
        search[1].best_estimator_.predict_proba(X), search[2].best_estimator_.predict_proba(X)
    )


def test_a_fit_in_a_worker_of_a_search_may_ask_for_workers_itself() -> None:
    scores = [
        cross_val_score(classifier(max_iter=20, n_jobs=n), X, Y, cv=3, n_jobs=2) for n in (1, 2)
    ]
    assert np.array_equal(*scores)


def test_cross_validation() -> None:
    assert cross_val_score(classifier(), X, Y, cv=5).mean() > 0.93
    assert cross_val_score(regressor(alpha=1.0), X_VALUES, Y_VALUES, cv=3).mean() > 0.4
    assert cross_val_predict(classifier(), X, Y, method="predict_proba").shape == (150, 3)


def test_a_stack_of_estimators() -> None:
    stack = StackingClassifier(
        [("network", classifier()), ("linear", LogisticRegression(max_iter=1000))], cv=3
    ).fit(X, Y)
    assert stack.score(X, Y) > 0.95
    assert stack.transform(X).shape == (150, 6)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated_probabilities(method: Any) -> None:
    calibrated = CalibratedClassifierCV(classifier(), method=method, cv=3).fit(X, Y)
    assert calibrated.score(X, Y) > 0.93
    np.testing.assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)


def test_a_transformed_target() -> None:
    model = TransformedTargetRegressor(regressor(alpha=1.0), func=np.log, inverse_func=np.exp)
    assert model.fit(X_VALUES, Y_VALUES).score(X_VALUES, Y_VALUES) > 0.4


def test_permutation_importance_finds_the_only_column_that_counts() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((100, 3))
    model = regressor().fit(rows, np.sin(rows[:, 1]))
    importance = permutation_importance(model, rows, np.sin(rows[:, 1]), random_state=0)
    assert importance.importances_mean.argmax() == 1
    assert (importance.importances_mean[[0, 2]] < 0.1).all()


# Copies.


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_a_clone_is_unfitted_and_fits_to_the_same_bits(setting: dict[str, Any]) -> None:
    model = classifier(max_iter=15, **setting).fit(X, Y)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert not hasattr(copied, "coefs_")
    assert np.array_equal(copied.fit(X, Y).predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("is_fitted", [True, False])
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_a_pickled_estimator_goes_on_to_the_same_bits(
    setting: dict[str, Any], is_fitted: bool, tmp_path: Path
) -> None:
    model = regressor(max_iter=15, warm_start=True, **setting)
    if is_fitted:
        model.fit(X_VALUES, Y_VALUES)
    joblib.dump(model, tmp_path / "model.joblib")
    copies = [pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")]
    if is_fitted:
        for copied in copies:
            assert np.array_equal(copied.predict(X_VALUES), model.predict(X_VALUES))
            assert copied.loss_curve_ == model.loss_curve_
    model.fit(X_VALUES, Y_VALUES)
    for copied in copies:
        copied.fit(X_VALUES, Y_VALUES)
        assert np.array_equal(copied.predict(X_VALUES), model.predict(X_VALUES))


def test_a_memory_mapped_model_predicts(tmp_path: Path) -> None:
    model = classifier(hidden_layer_sizes=(50,), max_iter=5).fit(X, Y)
    joblib.dump(model, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert np.array_equal(mapped.predict_proba(X), model.predict_proba(X))


# Frames and their names.


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(X, columns=["a", "b", "c", "d"])


def test_names_of_features(frame: pd.DataFrame) -> None:
    model = classifier(max_iter=5).fit(frame, Y)
    assert list(model.feature_names_in_) == ["a", "b", "c", "d"]
    assert model.n_features_in_ == 4
    assert np.array_equal(model.predict(frame), classifier(max_iter=5).fit(X, Y).predict(X))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"a": "e"}))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["b", "a", "c", "d"]])


def test_rows_without_names_fit_a_model_without_names(frame: pd.DataFrame) -> None:
    model = classifier(max_iter=5).fit(X, Y)
    assert not hasattr(model, "feature_names_in_")
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        model.predict(frame)


def test_one_model_after_another_forgets_the_names(frame: pd.DataFrame) -> None:
    model = classifier(max_iter=5).fit(frame, Y).fit(X, Y)
    assert not hasattr(model, "feature_names_in_")


def test_steps_before_may_give_frames(frame: pd.DataFrame) -> None:
    pipeline = make_pipeline(MinMaxScaler(), classifier(max_iter=5))
    pipeline.set_output(transform="pandas").fit(frame, Y)
    assert list(pipeline[-1].feature_names_in_) == ["a", "b", "c", "d"]
    plain = make_pipeline(MinMaxScaler(), classifier(max_iter=5)).fit(X, Y)
    assert np.array_equal(pipeline.predict_proba(frame), plain.predict_proba(X))


@pytest.mark.parametrize("container", CSR_CONTAINERS)
def test_sparse_rows_equal_dense_ones(container: Any) -> None:
    rows = np.where(X > 2, X, 0)
    models = [classifier(max_iter=10).fit(each, Y) for each in (rows, container(rows))]
    assert np.array_equal(models[0].predict_proba(rows), models[1].predict_proba(container(rows)))
    models = [m.partial_fit(each, Y) for m, each in zip(
        (classifier(solver="adam"), classifier(solver="adam")), (rows, container(rows)), strict=True
    )]  # fmt: skip
    assert np.array_equal(models[0].predict_proba(rows), models[1].predict_proba(container(rows)))


# Metadata routing.


@pytest.fixture
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


WEIGHTS = np.where(Y == 0, 5.0, 1.0)


def test_weights_reach_the_network_through_a_pipeline(routing: None) -> None:
    network = classifier(max_iter=10).set_fit_request(sample_weight=True)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(scaler, network).fit(X, Y, sample_weight=WEIGHTS)
    rows = StandardScaler().fit_transform(X)
    alone = classifier(max_iter=10).fit(rows, Y, sample_weight=WEIGHTS)
    unweighted = classifier(max_iter=10).fit(rows, Y)
    assert np.array_equal(pipeline.predict_proba(X), alone.predict_proba(rows))
    assert not np.array_equal(unweighted.predict_proba(rows), alone.predict_proba(rows))


def test_weights_reach_the_fits_and_scores_of_a_search(routing: None) -> None:
    network = classifier(max_iter=10)
    network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(network, {"alpha": [0.1, 1.0]}, cv=3).fit(X, Y, sample_weight=WEIGHTS)
    best = classifier(max_iter=10, alpha=search.best_params_["alpha"])
    best.fit(X, Y, sample_weight=WEIGHTS)
    assert np.array_equal(search.predict_proba(X), best.predict_proba(X))


def test_a_validation_set_may_be_requested(routing: None) -> None:
    network = classifier(max_iter=10).set_fit_request(X_val=True, y_val=True)
    pipeline = make_pipeline(network).fit(X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2])
    assert len(pipeline[-1].validation_scores_) == pipeline[-1].n_iter_


def test_weights_that_nobody_requested_are_refused(routing: None) -> None:
    with pytest.raises(ValueError, match="sample_weight"):
        make_pipeline(classifier()).fit(X, Y, sample_weight=WEIGHTS)


# Reprs.


def test_a_repr_shows_what_was_changed() -> None:
    assert repr(classifier(alpha=3)) == (
        "BPClassifier(alpha=3, hidden_layer_sizes=(4,), random_state=0)"
    )


@pytest.mark.parametrize("is_fitted", [True, False])
def test_a_notebook_shows_a_diagram(is_fitted: bool) -> None:
    model = regressor(max_iter=5)
    if is_fitted:
        model.fit(X_VALUES, Y_VALUES)
    page = model._repr_html_()
    assert "BPRegressor" in page
    assert ("<span>Fitted</span>" in page, "<span>Not fitted</span>" in page) == (
        is_fitted,
        not is_fitted,
    )
    assert "BPRegressor" in make_pipeline(StandardScaler(), model)._repr_html_()


# Scikit-learn's callbacks.

callbacks = pytest.mark.skipif(
    not hasattr(BPClassifier, "set_callbacks"), reason="callbacks came with scikit-learn 1.9"
)


class Recorder:
    """A callback of scikit-learn's protocol that notes what it is told, and may end a fit."""

    def __init__(self, last: int | None = None) -> None:
        self.told: list[tuple[str, str, int]] = []
        self.after_epochs: list[Any] = []
        self._last = last

    def setup(self, estimator: Any, context: Any) -> None:
        self._note("setup", context)

    def teardown(self, estimator: Any, context: Any) -> None:
        self._note("teardown", context)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self._note("begin", context)

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, fitted_estimator: Any = None
    ) -> bool:
        self._note("end", context)
        if context.task_name == "epoch" and fitted_estimator is not None:
            self.after_epochs.append(fitted_estimator)
        return context.task_name == "epoch" and context.task_id == self._last

    def _note(self, event: str, context: Any) -> None:
        self.told.append((event, context.task_name, context.task_id))

    def epochs(self, event: str) -> list[int]:
        return [number for what, task, number in self.told if (what, task) == (event, "epoch")]


@callbacks
def test_a_callback_hears_of_the_fit_and_of_its_epochs() -> None:
    recorder = Recorder()
    classifier(max_iter=3, tol=0).set_callbacks(recorder).fit(X, Y)
    assert recorder.told[:2] == [("setup", "fit", 0), ("begin", "fit", 0)]
    assert recorder.told[-2:] == [("end", "fit", 0), ("teardown", "fit", 0)]
    assert recorder.epochs("begin") == recorder.epochs("end")
    assert recorder.epochs("end")[:3] == [0, 1, 2]


@callbacks
def test_a_callback_gets_the_estimator_after_each_epoch() -> None:
    recorder = Recorder()
    classifier(max_iter=3, tol=0).set_callbacks(recorder).fit(X, Y)
    for number, model in enumerate(recorder.after_epochs[:3], start=1):
        alone = classifier(max_iter=number, tol=0).fit(X, Y)
        assert np.array_equal(model.predict_proba(X), alone.predict_proba(X))


@callbacks
def test_a_callback_changes_nothing_and_may_end_a_fit() -> None:
    told = classifier(max_iter=9).set_callbacks(Recorder()).fit(X, Y)
    assert np.array_equal(told.predict_proba(X), classifier(max_iter=9).fit(X, Y).predict_proba(X))
    ended = classifier(max_iter=9).set_callbacks(Recorder(last=1)).fit(X, Y)
    assert ended.n_iter_ == 2
    assert ended.stop_reason_ == "callback"


@callbacks
@pytest.mark.parametrize(
    ("model", "rows", "targets"),
    [
        (classifier(max_iter=4), X, np.array(["a", "b", "c"])[Y]),
        (classifier(max_iter=4), X, Y == 1),
        (classifier(max_iter=4), X, np.c_[Y == 0, Y > 1].astype(int)),
        (regressor(max_iter=4), X_VALUES, Y_VALUES),
        (regressor(max_iter=4), X_VALUES, np.c_[Y_VALUES, -Y_VALUES]),
        (classifier(max_iter=4, early_stopping=True), X, np.array(["a", "b", "c"])[Y]),
    ],
    ids=["texts", "booleans", "labels", "values", "two values", "early stopping"],
)
def test_scores_of_each_epoch_are_those_on_the_rows_as_given(
    model: Any, rows: Array, targets: Array
) -> None:
    from sklearn.callback import ScoringMonitor

    metric = "accuracy" if isinstance(model, BPClassifier) else "r2"
    monitor = ScoringMonitor(scoring=metric)
    fitted = clone(model).set_params(tol=0).set_callbacks(monitor).fit(rows, targets)
    log = monitor.get_logs().data_as_pandas
    scores = log.loc[log["task_name"] == "epoch"].sort_values("task_id")[metric].to_numpy()
    expected = [clone(model).set_params(max_iter=n, tol=0).fit(rows, targets) for n in (1, 2, 3)]
    if not model.early_stopping:
        assert scores[:3].tolist() == [each.score(rows, targets) for each in expected]
    assert len(scores) >= fitted.n_iter_


class Propagated(Recorder):
    """A recorder that tools hand on to the estimators inside them."""

    max_propagation_depth: int | None = None


@callbacks
def test_tools_hand_their_callbacks_on() -> None:
    recorder = Propagated()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), classifier(max_iter=2, tol=0)),
        {"bpclassifier__alpha": [0.1, 1.0]},
        cv=3,
        refit=False,
    )
    search.set_callbacks(recorder).fit(X, Y)
    assert recorder.epochs("begin").count(0) == recorder.epochs("end").count(0) == 2 * 3
    assert recorder.epochs("end").count(1) == 2 * 3
    assert [event for event, *_ in recorder.told].count("setup") == 1


@callbacks
def test_a_callback_may_stay_with_the_tool() -> None:
    recorder = Propagated()
    recorder.max_propagation_depth = 0
    make_pipeline(StandardScaler(), classifier(max_iter=2)).set_callbacks(recorder).fit(X, Y)
    assert not recorder.epochs("end")


@callbacks
def test_an_error_in_a_callback_ends_the_fit_and_tears_it_down() -> None:
    class Failing(Recorder):
        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            super().on_fit_task_begin(estimator, context)
            if context.task_name == "epoch":
                raise RuntimeError("no more")

    failing = Failing()
    with pytest.raises(RuntimeError, match="no more"):
        classifier(max_iter=3).set_callbacks(failing).fit(X, Y)
    assert failing.told[-1] == ("teardown", "fit", 0)
