"""Estimators that follow scikit-learn's interface, with the same training as `bpnet train`."""

from __future__ import annotations

from bpcli.estimators.classifier import BPClassifier
from bpcli.estimators.regressor import BPRegressor

__all__ = ["BPClassifier", "BPRegressor"]
