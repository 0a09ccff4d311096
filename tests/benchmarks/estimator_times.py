"""What an estimator costs besides its training, and how long it takes to predict one row."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from bpcli.estimators import BPClassifier, BPRegressor, fitting
from bpcli.experiment import Experiment
from bpcli.workflows import in_memory

_TURNS = 20
_PREDICTIONS = 100  # in a turn: models in turns call by call would push each other out of the cache


def time_lines(repeats: int) -> Iterator[str]:
    """A line for each figure: medians of repeats in turns; processor time of `fit`."""
    for ours, peer, data in (
        (BPClassifier, MLPClassifier, load_iris(return_X_y=True)),
        (BPRegressor, MLPRegressor, load_diabetes(return_X_y=True)),
    ):
        whole, engine = fit_and_engine(lambda ours=ours: ours(random_state=0), *data, repeats)
        yield (
            f"- {ours.__name__}.fit, {len(data[0])} rows: {1e3 * whole:.1f} ms, the training "
            f"itself {1e3 * engine:.1f} ms: {1e3 * (whole - engine):.2f} ms more"
        )
        found = predictions([ours(random_state=0), peer(random_state=0)], *data)
        yield (
            f"- predict one row: {ours.__name__} {1e6 * found[0]:.0f} µs, {peer.__name__} "
            f"{1e6 * found[1]:.0f} µs"
        )


def fit_and_engine(make: Callable[[], Any], X: Any, y: Any, repeats: int) -> tuple[float, float]:
    """Median processor time of `fit`, and of the training of the experiment that it builds."""
    experiment = experiment_of(make(), X, y)
    whole, engine = [], []
    for _ in range(repeats):
        _quietly(lambda: whole.append(_seconds(lambda: make().fit(X, y), time.process_time)))
        fresh = replace(experiment)  # which has drawn no parameters and stored no rows yet
        engine.append(_seconds(partial(in_memory.fit, fresh), time.process_time))
    return median(whole), median(engine)


def experiment_of(estimator: Any, X: Any, y: Any) -> Experiment:
    """The experiment that `fit` builds and trains."""
    with mock.patch.object(fitting, "fit", wraps=in_memory.fit) as fit:
        _quietly(lambda: estimator.fit(X, y))
    experiment: Experiment = fit.call_args.args[0]
    return experiment


def predictions(models: list[Any], X: Any, y: Any) -> list[float]:
    """Median seconds of `predict` on one row, of each model."""
    for model in models:
        _quietly(lambda model=model: model.fit(X, y))
    row = np.ascontiguousarray(X[:1])
    seconds: list[list[float]] = [[] for _ in models]
    for _ in range(_TURNS):
        for model, taken in zip(models, seconds, strict=True):
            predict = partial(model.predict, row)
            taken += [_seconds(predict, time.perf_counter) for _ in range(_PREDICTIONS)]
    return [median(taken) for taken in seconds]


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


def _quietly(work: Callable[[], object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        work()
