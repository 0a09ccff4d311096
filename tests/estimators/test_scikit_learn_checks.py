"""Scikit-learn's own checks of an estimator, all of them, for the solvers that differ most."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from bpcli.estimators import BPClassifier, BPRegressor

_SMALL: dict[str, Any] = {"hidden_layer_sizes": (5,), "max_iter": 50}
_SETTINGS: list[dict[str, Any]] = [
    {"solver": "lbfgs", "max_iter": 20, "alpha": 0.01},
    {"solver": "adam", "learning_rate_init": 0.02, "batch_size": 100},
    {"solver": "rprop", "early_stopping": True, "validation_fraction": 0.4},
]
_LEAST_SQUARES: dict[str, Any] = {"solver": "levenberg_marquardt", "max_iter": 8, "alpha": 0.1}
_AS_CLASSIFIER = {"loss": "half_squared_error", "output_activation": "sigmoid"}


# The checks fit few epochs only, and use sparse formats whose numbers scikit-learn cannot check.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix for nan or inf:UserWarning")
@parametrize_with_checks(
    [
        BPClassifier(),
        *(BPClassifier(**_SMALL | setting) for setting in _SETTINGS),
        BPClassifier(**_SMALL | _LEAST_SQUARES | _AS_CLASSIFIER),
        BPRegressor(),
        *(BPRegressor(**_SMALL | setting) for setting in _SETTINGS),
        BPRegressor(**_SMALL | _LEAST_SQUARES),
    ]
)
def test_an_estimator_passes_scikit_learns_check(estimator: Any, check: Any) -> None:
    check(estimator)
