"""One training: an estimator, `bpcli.train` and `bpnet train` give the same weights to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file
from sklearn.datasets import load_diabetes, load_iris

import bpcli
from bpcli.estimators.base import BPEstimator
from bpcli.nn.arrays import Array

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:the initial mean loss:bpcli.BpnetWarning"),
]

X_CLASSES, CLASSES = load_iris(return_X_y=True)
X_VALUES, VALUES = load_diabetes(return_X_y=True)
WEIGHT = 1.0 + np.arange(len(X_VALUES)) % 3

_STANDARD = {"inputs": "standard"}
_BOTH = {"inputs": "standard", "targets": "standard"}
_PLATEAU = {"plateau": {"tol": 1e-4, "epochs": 10, "of": "loss"}}


def _config(rows: dict[str, Any], layers: list[int], output: str, **training: Any) -> Any:
    return {
        "name": "same",
        "seed": 3,
        "data": rows,
        "network": {
            "layers": layers,
            "activations": ["tanh", output],
            "init": "xavier_uniform_biases",
        },
        "loss": "half_squared_error" if output == "identity" else "cross_entropy",
        "training": training,
    }


CASES = {
    "lbfgs": (
        bpcli.BPRegressor((6,), "tanh", solver="lbfgs", max_iter=12, alpha=0.5, random_state=3),
        (X_VALUES, VALUES, None),
        _config({"scale": _BOTH}, [10, 6, 1], "identity", optimizer="lbfgs", epochs=12, l2=0.5,
                stop={"min_grad": 1e-4}),
    ),
    "levenberg_marquardt": (
        bpcli.BPRegressor((4,), "tanh", solver="lm", max_iter=8, random_state=3),
        (X_VALUES, VALUES, None),
        _config({"scale": _BOTH}, [10, 4, 1], "identity", optimizer="lm", epochs=8, l2=1),
    ),
    "adam": (
        bpcli.BPClassifier(
            (5,), "tanh", solver="adam", batch_size=32, max_iter=9, learning_rate_init=0.01,
            random_state=3,
        ),
        (X_CLASSES, CLASSES, None),
        _config({"scale": _STANDARD, "task": "classification"}, [4, 5, 3], "softmax",
                optimizer="adam", learning_rate=0.01, batch_size=32, epochs=9, l2=1e-4,
                stop=_PLATEAU),
    ),
    "rprop": (
        bpcli.BPClassifier((5,), "tanh", max_iter=50, random_state=3),
        (X_CLASSES, CLASSES, None),
        _config({"scale": _STANDARD, "task": "classification"}, [4, 5, 3], "softmax",
                optimizer="rprop", epochs=50, l2=1, stop=_PLATEAU),
    ),
}  # fmt: skip


def _weights(run: Any) -> list[Array]:
    arrays = load_file(Path(run) / "weights.safetensors")
    return [arrays[f"best.{name}"] for name in ("W1", "b1", "W2", "b2")]


def _of(estimator: BPEstimator) -> list[Array]:
    (W1, W2), (b1, b2) = estimator.coefs_, estimator.intercepts_
    return [W1.T, b1, W2.T, b2]


def _require_same(some: list[Array], others: list[Array]) -> None:
    for one, other in zip(some, others, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", CASES)
def test_three_ways_to_train_are_one(name: str, tmp_path: Path, bpnet: Callable[..., Any]) -> None:
    estimator, (X, y, weight), tree = CASES[name]
    estimator.fit(X, y, sample_weight=weight)
    arrays = {"inputs": X, "targets": y}
    run = bpcli.train({**tree, "data": {**tree["data"], **arrays}}, tmp_path / "python")
    np.savez(tmp_path / "rows.npz", **arrays)
    config = tmp_path / "same.yaml"
    config.write_text(yaml.safe_dump({**tree, "data": {**tree["data"], "file": "rows.npz"}}))
    done = bpnet("train", str(config), "--quiet", "--runs-dir", str(tmp_path / "shell"))
    assert done.code == 0
    _require_same(_of(estimator), _weights(run.folder))
    _require_same(_of(estimator), _weights(tmp_path / "shell" / done.out.strip()))
    assert estimator.n_iter_ == run.epochs


def test_row_weights_and_a_hold_out_are_those_of_a_config(tmp_path: Path) -> None:
    y = np.round(VALUES)
    estimator = bpcli.BPRegressor(
        (6,), "tanh", solver="scg", alpha=2.0, max_iter=15, early_stopping=True,
        validation_fraction=0.2, random_state=3,
    ).fit(X_VALUES, y)  # fmt: skip
    rows = {"inputs": X_VALUES, "targets": y, "scale": _BOTH, "split": {"val": 0.2}}
    tree = _config(rows, [10, 6, 1], "identity", optimizer="scg", epochs=15, l2=2,
                   stop={"plateau": {"tol": 1e-4, "epochs": 10, "of": "val_score"}})  # fmt: skip
    run = bpcli.train(tree, tmp_path)
    _require_same(_of(estimator), _weights(run.folder))
    weighted = bpcli.BPRegressor((6,), "tanh", solver="scg", alpha=2.0, max_iter=15, random_state=3)
    weighted.fit(X_VALUES, y, sample_weight=WEIGHT)
    rows = {"inputs": X_VALUES, "targets": y, "weight": WEIGHT, "scale": _BOTH}
    tree = _config(rows, [10, 6, 1], "identity", optimizer="scg", epochs=15,
                   l2=2 / float(WEIGHT.mean()))  # fmt: skip
    _require_same(_of(weighted), _weights(bpcli.train(tree, tmp_path).folder))


def test_worker_processes_change_no_bit() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30_000, 8)), rng.normal(size=30_000)
    fits = [
        bpcli.BPRegressor((20,), max_iter=3, random_state=0, n_jobs=jobs).fit(X, y)
        for jobs in (None, 2)
    ]
    _require_same(_of(fits[0]), _of(fits[1]))
