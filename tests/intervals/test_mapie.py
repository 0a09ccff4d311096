"""Conformal intervals against MAPIE, an independent program, on the same models and rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, LeaveOneOut

from bpcli.intervals.bounds import Bounds
from bpcli.intervals.conformal import AbsoluteErrors
from bpcli.intervals.cross import CrossErrors
from bpcli.nn.arrays import Array

mapie = pytest.importorskip("mapie.regression", reason="needs the extra dev")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(61, 3))
Y = X @ [1.0, -2.0, 0.5] + RNG.standard_t(3, len(X))
NEW = RNG.normal(size=(40, 3))


def require_equal(bounds: Bounds, intervals: Array) -> None:
    """Ours (n, 1) against MAPIE's (n, 2, 1)."""
    np.testing.assert_allclose(np.hstack(bounds), intervals[:, :, 0], rtol=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_split_conformal(level: float) -> None:
    model = LinearRegression().fit(X[:30], Y[:30])
    theirs = mapie.SplitConformalRegressor(model, confidence_level=level, prefit=True)
    theirs.conformalize(X[30:], Y[30:])
    column = model.predict(X[30:])[:, np.newaxis]
    ours = AbsoluteErrors.fit(column, Y[30:, np.newaxis], level)
    new = model.predict(NEW)[:, np.newaxis]
    require_equal(ours.bounds(NEW, new), theirs.predict_interval(NEW)[1])


@pytest.mark.parametrize("folds", [KFold(5), KFold(4), LeaveOneOut()], ids=["5", "4", "jackknife+"])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_cross_conformal(level: float, folds: KFold | LeaveOneOut) -> None:
    theirs = mapie.CrossConformalRegressor(
        LinearRegression(), confidence_level=level, method="plus", cv=folds
    )
    theirs.fit_conformalize(X, Y)
    splits = [*folds.split(X)]
    models = [LinearRegression().fit(X[train], Y[train]) for train, _ in splits]
    errors = tuple(
        np.abs(Y[test] - model.predict(X[test]))[:, np.newaxis]
        for model, (_, test) in zip(models, splits, strict=True)
    )
    by_fold = np.column_stack([model.predict(NEW) for model in models])
    bounds = CrossErrors(errors, level).bounds(by_fold, by_fold[:, :1])
    require_equal(bounds, theirs.predict_interval(NEW)[1])
