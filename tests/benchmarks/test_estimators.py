"""The comparison of the estimators with scikit-learn's; measured with `pytest -m benchmark`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from benchmarks import estimators
from benchmarks.estimator_data import DATA_SETS, FROM_FOLDER
from benchmarks.estimator_times import experiment_of, predictions
from benchmarks.estimators import (
    COMPARISONS,
    OURS,
    PEER,
    PEER_SCALED,
    Comparison,
    Measured,
    compare,
    is_significant,
    line_of,
    table,
)
from bpcli.estimators import BPClassifier, BPRegressor
from bpcli.workflows import in_memory

SPLITS = 5


@pytest.mark.parametrize("name", sorted(set(DATA_SETS) - set(FROM_FOLDER)))
def test_a_data_set_is_complete(name: str) -> None:
    is_complete(name, Path("no folder is read"))


@pytest.mark.parametrize("name", FROM_FOLDER)
def test_a_data_set_of_the_folder_is_complete(name: str, shared_data: Path) -> None:
    is_complete(name, shared_data)


def is_complete(name: str, folder: Path) -> None:
    data = DATA_SETS[name](folder)
    assert len(data.X) == len(data.y) >= 150
    assert np.isfinite(data.X).all()
    assert np.isfinite(data.y).all()
    if data.is_classes:
        assert np.array_equal(np.unique(data.y), np.arange(data.y.max() + 1))


class Recorder:
    """A model that keeps the rows that it was given."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.rows = [X, y]

    def score(self, X: np.ndarray, y: np.ndarray) -> float:
        self.rows += [X, y]
        return float(X.sum())


def test_both_sides_get_the_same_rows_anew_for_each_split(monkeypatch) -> None:
    made: list[Recorder] = []

    def make() -> Recorder:
        made.append(Recorder())
        return made[-1]

    monkeypatch.setattr(estimators, "makers", lambda *_: {OURS: make, PEER: make})
    data = DATA_SETS["iris"](Path())
    found = compare(data, COMPARISONS[0], 2)
    first, second = made[0].rows, made[2].rows
    for ours, peer in ((made[0], made[1]), (made[2], made[3])):
        assert all(np.array_equal(a, b) for a, b in zip(ours.rows, peer.rows, strict=True))
    assert not np.array_equal(first[0], second[0])
    assert [len(rows) for rows in first] == [112, 112, 38, 38]
    assert np.array_equal(found[OURS].scores, found[PEER].scores)


def test_a_difference_is_significant_by_the_corrected_test() -> None:
    # Mean 2, variance 1, so t = 2 / √(1/3 + 1/3) = 2.449, and 3.464 without the correction.
    # Student's t with 2 degrees of freedom has the quantiles 2.920 (0.95) and 1.886 (0.9).
    differences = np.array([1.0, 2.0, 3.0])
    assert not is_significant(differences, 0.9)
    assert is_significant(differences, 0.8)
    assert is_significant(-differences, 0.8)
    assert not is_significant(np.zeros(3))


def test_a_row_has_scores_marks_and_ratios() -> None:
    ours = Measured(np.array([0.9, 0.9, 0.92]), np.full(3, 0.02), np.full(3, 0.04))
    worse = Measured(np.array([0.5, 0.5, 0.52]), np.full(3, 0.04), np.full(3, 0.06))
    equal = Measured(np.array([0.92, 0.9, 0.9]), np.full(3, 0.01), np.full(3, 0.02))
    found = {OURS: ours, PEER: worse, PEER_SCALED: equal}
    row = line_of("iris", DATA_SETS["iris"](Path()), COMPARISONS[0], found)
    assert row == (
        "| iris | 150 × 4 | 0.907 ± 0.012 | 0.507 ± 0.012\\* | 0.907 ± 0.012 | – | 20 "
        "| 2.0× (1.5×) | 0.5× (0.5×) |"
    )


def test_a_table_has_a_row_for_each_set_and_their_mean() -> None:
    data = {name: DATA_SETS[name](Path()) for name in ("iris", "curve")}
    for comparison in COMPARISONS:
        brief = replace(comparison, options={**comparison.options, "max_iter": 2})
        head, marks, *rows = table(brief, data, 2)
        assert [row.split("|")[1].strip() for row in rows] == ["iris", "curve", "mean"]
        assert {line.count("|") for line in (marks, *rows)} == {head.count("|")}


def test_the_training_that_is_timed_is_that_of_fit() -> None:
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    model = BPClassifier(random_state=0, max_iter=3, tol=0)
    experiment = experiment_of(model, X, y)
    matrices = experiment.network.matrices(in_memory.fit(experiment).params)
    for W, matrix in zip(model.coefs_, matrices, strict=True):
        assert np.array_equal(W.T, matrix[:, :-1])


@pytest.mark.benchmark
@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda each: each.title)
def test_the_mean_score_is_no_worse_than_scikit_learns(
    comparison: Comparison, shared_data: Path
) -> None:
    data = [read(shared_data) for read in DATA_SETS.values()]
    means = dict.fromkeys(comparison.models, 0.0)
    for each in data:
        for name, measured in compare(each, comparison, SPLITS).items():
            means[name] += measured.scores.mean() / len(data)
    for peer in (PEER, PEER_SCALED):
        assert means[comparison.against[peer]] >= means[peer]


@pytest.mark.benchmark
@pytest.mark.parametrize(
    ("ours", "peer", "name"),
    [(BPClassifier, MLPClassifier, "iris"), (BPRegressor, MLPRegressor, "diabetes")],
)
def test_one_row_is_predicted_as_fast_as_by_scikit_learn(ours: type, peer: type, name: str) -> None:
    data = DATA_SETS[name](Path())
    with threadpool_limits(1):
        models = [ours(random_state=0), peer(random_state=0)]
        row, row_of_peer = predictions(models, data.X, data.y)
    assert row <= row_of_peer
