"""The size that a search calls enough is nearly as good as the best one on new rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sweep_runs import document_of, journal

import bpcli

FULL = bool(os.environ.get("BPNET_FULL"))
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked")

TABLE = """\
data:
  file: table.csv
  targets: y
  task: regression
  split: {train: 0.7, val: 0.15, test: 0.15}
  scale: {inputs: standard, targets: standard}
network:
  layers: [auto, 8, auto]
  activations: [tanh, identity]
loss: mse
training:
  optimizer: levenberg_marquardt
  epochs: 200
  l2: 1
  stop: {max_fail: 10}
"""
"""As `bpnet init` writes it for a table of 200 rows with a number to predict."""
SPIRALS = """\
data:
  generator: spirals
  n_classes: 2
  n_samples: 1000
  turns: 1.5
  noise: 0.03
  split: {val: 0.2, test: 0.2}
  scale: {inputs: standard}
network: {layers: [2, 8, 1], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {optimizer: lbfgs, epochs: 500, l2: 0.1, stop: {max_fail: 100}}
"""
Score = Callable[[Path, Mapping[str, Any]], float]


def write_table(folder: Path, X: np.ndarray, y: np.ndarray) -> Path:
    """A table with the columns x1, x2, … and y, and a config for it."""
    names = [*(f"x{number + 1}" for number in range(X.shape[1])), "y"]
    np.savetxt(
        folder / "table.csv", np.column_stack([X, y]), "%.17g", ",", header=",".join(names),
        comments="",
    )  # fmt: skip
    return write_config(folder, TABLE)


def write_config(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def scores_on_new_rows(
    folder: Path, hidden: str, restarts: str, seeds: str, score: Score
) -> dict[int, list[float]]:
    """The score of each size with other seeds, of the restart that `bpnet train` would keep."""
    arguments = ("--hidden", hidden, "--restarts", restarts, "--splits", seeds)
    other = document_of(folder, "size", "config.yaml", *arguments, "--set", "seed=1000")
    sweep = folder / other["folder"]
    scores: dict[int, list[float]] = {}
    lines = sorted(journal(sweep), key=lambda line: (line["setting"], line["seed"], line["name"]))
    for (size, _), group in groupby(lines, lambda line: (line["setting"], line["seed"])):
        best = min(group, key=lambda line: line["metrics"]["val.loss"])
        scores.setdefault(size, []).append(score(sweep, best))
    return scores


def friedman_score(sweep: Path, line: Mapping[str, Any]) -> float:
    """The mean squared error on 5,000 other rows."""
    X, y = make_friedman1(5000, 10, noise=1.0, random_state=1)
    predictions = bpcli.load_run(sweep / "trainings" / line["name"]).predict(X)
    return float(np.mean((np.ravel(predictions) - y) ** 2))


def test_loss(sweep: Path, line: Mapping[str, Any]) -> float:
    return float(line["metrics"]["test.loss"])


test_loss.__test__ = False  # type: ignore[attr-defined]


def check_enough(folder: Path, hidden: str, restarts: str, splits: str, score: Score) -> None:
    """The mean score of the size that is enough is within 10 % of the best; in full, 10 seeds."""
    document = document_of(
        folder, "size", "config.yaml", "--hidden", hidden, "--restarts", restarts,
        "--splits", splits,
    )  # fmt: skip
    values = scores_on_new_rows(folder, hidden, restarts, "10" if FULL else "2", score)
    scores = {size: fmean(each) for size, each in values.items()}
    assert scores[document["enough"]] <= 1.1 * min(scores.values()), (document["enough"], scores)


@pytest.mark.slow
def test_enough_for_friedmans_first_problem(tmp_path: Path) -> None:
    """y = 10 sin(π x1 x2) + 20 (x3 - 1/2)² + 10 x4 + 5 x5 + noise; x6 to x10 say nothing.

    Friedman 1991, "Multivariate adaptive regression splines", The Annals of Statistics 19, 1.
    """
    write_table(tmp_path, *make_friedman1(200, 10, noise=1.0, random_state=0))
    check_enough(
        tmp_path, *(("1..20", "10", "10") if FULL else ("1,3,8", "2", "2")), friedman_score
    )


@pytest.mark.slow
def test_enough_for_two_spirals(tmp_path: Path) -> None:
    """The loss falls up to about 16 units, and then no more."""
    write_config(tmp_path, SPIRALS)
    counts = ("1..20", "5", "10") if FULL else ("3,8", "2", "2")
    check_enough(tmp_path, *counts, test_loss)


def test_enough_for_a_teacher_with_three_hidden_units(tmp_path: Path) -> None:
    """Three units, none of which the others can replace, and noise of 1 % of the targets."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (200, 2))
    W, b, v = [[2.5, 0], [0, 2.5], [1.8, 1.8]], [1, -1, 0], [1, 1, -1.5]
    y = np.tanh(X @ np.array(W).T + b) @ v
    write_table(tmp_path, X, y + rng.normal(0, 0.01 * y.std(), 200))
    document = document_of(
        tmp_path, "size", "config.yaml", "--hidden", "2..4", "--restarts", "3", "--splits", "3",
        "--set", "training.l2=0", "--set", "training.epochs=40",
    )  # fmt: skip
    means = {each["hidden"]: each["mean"] for each in document["sizes"]}
    assert document["enough"] == 3, means
    assert means[2] > 20 * means[3]
    assert means[3] == pytest.approx(1e-4, rel=0.5), "the noise: 1 % of the standard deviation"
