"""`predict(X, interval=…)`, against the definition and the rows that a fit held out."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bpcli import BPClassifier, BPRegressor
from bpcli.errors import ConfigError
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 3))
Y = X[:, 0] ** 2 + 0.3 * RNG.normal(size=600)
CLASSES = np.array(["low", "mid", "top"])[np.digitize(Y, [0.3, 1])]
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 60, "random_state": 0, "tol": 0.0}
FIT, VAL, NEW = slice(0, 300), slice(300, 400), slice(400, 600)


@pytest.mark.parametrize("targets", [Y, np.column_stack([Y, 10 * Y[::-1]])])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_intervals_are_those_of_the_errors_on_the_validation_rows(
    targets: np.ndarray, dtype: type
) -> None:
    model = BPRegressor(**SMALL, dtype=dtype)
    model.fit(X[FIT], targets[FIT], X_val=X[VAL], y_val=targets[VAL])
    values, low, high = model.predict(X[NEW], interval=0.9)
    assert (values == model.predict(X[NEW])).all()
    assert low.shape == high.shape == values.shape == targets[NEW].shape
    said = model.predict(X[VAL]).reshape(100, -1)
    expected = AbsoluteErrors.fit(said, targets[VAL].reshape(100, -1), 0.9)
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(
        (high - low).reshape(200, -1), np.tile(2 * expected.half, (200, 1)), rtol=tolerance
    )
    np.testing.assert_allclose((low + high) / 2, values, rtol=tolerance, atol=tolerance)
    inside = (low <= targets[NEW]) & (targets[NEW] <= high)
    assert np.abs(inside.mean(axis=0) - 0.9).max() < 0.1


def test_the_sets_are_those_of_the_probabilities_of_the_validation_rows() -> None:
    model = BPClassifier(**SMALL, early_stopping=False)
    model.fit(X[FIT], CLASSES[FIT], X_val=X[VAL], y_val=CLASSES[VAL])
    classes, sets = model.predict(X[NEW], interval=0.9)
    assert (classes == model.predict(X[NEW])).all()
    assert (sets.shape, sets.dtype) == ((200, 3), np.dtype(bool))
    labels = np.searchsorted(model.classes_, CLASSES)
    own = model._fitted.outputs
    expected = AdaptiveSets.fit(own(X[VAL]), labels[VAL], 0.9).sets(own(X[NEW]))
    assert (sets == expected).mean() > 0.99  # the bits of a batch may depend on its size
    assert abs(sets[np.arange(200), labels[NEW]].mean() - 0.9) < 0.1


def test_rows_held_out_for_early_stopping_serve_too_and_are_pickled_and_piped() -> None:
    model = BPRegressor(**SMALL, early_stopping=True, validation_fraction=0.2)
    pipeline = make_pipeline(StandardScaler(), model).fit(X[FIT], Y[FIT])
    values, low, high = pipeline.predict(X[NEW], interval=0.8)
    assert len(model._fitted.scores) == 60
    assert abs(((low <= Y[NEW]) & (Y[NEW] <= high)).mean() - 0.8) < 0.15
    again = pickle.loads(pickle.dumps(pipeline)).predict(X[NEW], interval=0.8)
    for one, other in zip((values, low, high), again, strict=True):
        assert (one == other).all()


def test_what_has_no_intervals_is_refused_in_one_sentence() -> None:
    plain = BPRegressor(**SMALL).fit(X[FIT], Y[FIT])
    with pytest.raises(ValueError, match="fit with early_stopping=True, or with X_val and y_val"):
        plain.predict(X[NEW], interval=0.9)
    few = BPRegressor(**SMALL).fit(X[FIT], Y[FIT], X_val=X[300:308], y_val=Y[300:308])
    with pytest.raises(ValueError, match="needs at least 9 calibration rows, and there are 8"):
        few.predict(X[NEW], interval=0.9)
    with pytest.raises(ConfigError, match="`interval` is 90: give a number between 0 and 1"):
        few.predict(X[NEW], interval=90)
    labels = np.column_stack([Y > 0, Y > 1]).astype(int)
    many = BPClassifier(**SMALL).fit(X[FIT], labels[FIT], X_val=X[VAL], y_val=labels[VAL])
    with pytest.raises(ValueError, match="Labels have no intervals"):
        many.predict(X[NEW], interval=0.9)
