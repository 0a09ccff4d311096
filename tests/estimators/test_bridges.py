"""Networks of scikit-learn, PyTorch and runs as estimators: predictions agree to rounding."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

import bpcli
from bpcli import Run, train
from bpcli.estimators import BPClassifier, BPRegressor
from bpcli.estimators.options import ParameterError
from bpcli.nn.arrays import Array

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X_VALUES, Y_VALUES = load_diabetes(return_X_y=True)
X_LABELS, Y_LABELS = make_multilabel_classification(random_state=0)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize(
    ("rows", "targets"),
    [(X, Y), (X, Y == 1), (X, np.array(["a", "b", "c"])[Y]), (X_LABELS, Y_LABELS)],
    ids=["classes", "booleans", "texts", "labels"],
)
def test_a_classifier_of_scikit_learn(activation: str, rows: Array, targets: Array) -> None:
    theirs = MLPClassifier((7, 5), activation, max_iter=20, random_state=0).fit(rows, targets)
    ours = BPClassifier.from_sklearn(theirs)
    np.testing.assert_allclose(
        ours.predict_proba(rows), theirs.predict_proba(rows), rtol=1e-12, atol=1e-14
    )
    assert np.array_equal(ours.predict(rows), theirs.predict(rows))
    assert ours.get_params()["solver"] == "adam"
    assert ours.out_activation_ == theirs.out_activation_


@pytest.mark.parametrize("targets", [Y_VALUES, np.c_[Y_VALUES, -Y_VALUES]], ids=["one", "two"])
def test_a_regressor_of_scikit_learn(targets: Array) -> None:
    theirs = MLPRegressor(hidden_layer_sizes=(7, 5), max_iter=20, random_state=0).fit(
        X_VALUES, targets
    )
    ours = BPRegressor.from_sklearn(theirs)
    np.testing.assert_allclose(ours.predict(X_VALUES), theirs.predict(X_VALUES), rtol=1e-12)
    for mine, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        assert np.array_equal(mine, other)


@pytest.mark.skipif(
    "loss" not in MLPRegressor().get_params(), reason="scikit-learn has the loss since 1.7"
)
def test_a_regressor_of_counts_has_the_loss_and_the_outputs_of_scikit_learn() -> None:
    counts = np.random.default_rng(0).poisson(1 + Y)
    options = {
        "hidden_layer_sizes": (), "loss": "poisson", "solver": "lbfgs", "alpha": 0.1,
        "max_iter": 1000, "tol": 1e-9,
    }  # fmt: skip
    theirs = MLPRegressor(**options, random_state=0).fit(X, counts)
    np.testing.assert_allclose(
        BPRegressor.from_sklearn(theirs).predict(X), theirs.predict(X), rtol=1e-12
    )
    # Without a hidden layer there is a single minimum.
    ours = BPRegressor(**options, scale=None).fit(X, counts)
    assert ours.out_activation_ == theirs.out_activation_ == "exp"
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-8)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-3)


def test_a_network_of_scikit_learn_goes_on_training() -> None:
    theirs = MLPRegressor(hidden_layer_sizes=(7,), solver="lbfgs", max_iter=5, random_state=0).fit(
        X_VALUES, Y_VALUES
    )
    ours = BPRegressor.from_sklearn(theirs)
    before = ours.score(X_VALUES, Y_VALUES)
    ours.set_params(warm_start=True, max_iter=20).fit(X_VALUES, Y_VALUES)
    assert ours.score(X_VALUES, Y_VALUES) > before
    assert ours.n_iter_ <= 20


def test_what_is_not_fitted_is_refused() -> None:
    with pytest.raises(ParameterError, match="MLPRegressor is not a fitted"):
        BPRegressor.from_sklearn(MLPRegressor())
    with pytest.raises(ParameterError, match="MLPClassifier is not a fitted MLPClassifier"):
        BPClassifier.from_sklearn(MLPClassifier())
    with pytest.raises(ParameterError, match="LogisticRegression is not a fitted MLPClassifier"):
        BPClassifier.from_sklearn(LogisticRegression(max_iter=1000).fit(X, Y))


def test_a_network_of_scikit_learn_keeps_the_names_of_its_features(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    ours = BPClassifier.from_sklearn(MLPClassifier((3,), max_iter=5).fit(frame, Y))
    assert ours.predict(frame).shape == (150,)  # another order or other names would warn
    run = ours.to_run(tmp_path)
    assert run.input_names == ("a", "b", "c", "d")
    assert run.history.empty, "its epochs are not known"


def _torch_outputs(module: Any, rows: Array) -> Array:
    import torch

    with torch.no_grad():
        outputs: Array = module(torch.from_numpy(rows)).numpy()
    return outputs


def test_a_torch_network_for_values() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    parts = [nn.Linear(10, 6), nn.LeakyReLU(0.2), nn.Linear(6, 5, bias=False), nn.ELU(0.5)]
    parts += [nn.Sequential(nn.Linear(5, 4), nn.Softplus()), nn.Dropout(), nn.Linear(4, 2)]
    module = nn.Sequential(*parts).double().eval()
    ours = BPRegressor.from_torch(module)
    np.testing.assert_allclose(
        ours.predict(X_VALUES), _torch_outputs(module, X_VALUES), rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("outputs", [1, 3])
def test_torch_logits_become_probabilities(outputs: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    module = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, outputs)).double()
    z = torch.from_numpy(_torch_outputs(module, X))
    expected = torch.sigmoid(z) if outputs == 1 else torch.softmax(z, dim=1)
    ours = BPClassifier.from_torch(module, classes=["p", "q", "r"][: max(outputs, 2)])
    np.testing.assert_allclose(
        ours.predict_proba(X)[:, -outputs:], expected.numpy(), rtol=1e-12, atol=1e-14
    )
    assert set(ours.predict(X)) <= {"p", "q", "r"}


def test_a_torch_module_without_an_equal_is_refused() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    nn = torch.nn
    with pytest.raises(ParameterError, match="module 1, BatchNorm1d"):
        BPRegressor.from_torch(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)))
    with pytest.raises(ParameterError, match="`classes` has 2 entries"):
        BPClassifier.from_torch(nn.Sequential(nn.Linear(4, 3)), classes=[0, 1])
    with pytest.raises(ParameterError, match="gives no probabilities"):
        BPClassifier.from_torch(nn.Sequential(nn.Linear(4, 3), nn.ReLU()))


def test_what_is_no_torch_network_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"found list, expected a torch.nn.Sequential"):
        BPRegressor.from_torch([1])


MOONS = """
data: {generator: moons, n_samples: 60}
network: {layers: [2, 6, 1], activations: [tanh, sigmoid]}
loss: binary_cross_entropy
training: {optimizer: lbfgs, epochs: 20}
"""


@pytest.fixture
def moons_run(bpnet: Callable[..., Any], tmp_path: Path) -> Path:
    config = tmp_path / "moons.yaml"
    config.write_text(MOONS)
    assert bpnet("train", str(config), "--runs-dir", str(tmp_path / "runs")).code == 0
    return tmp_path / "runs"


def test_a_run_becomes_an_estimator(moons_run: Path, bpnet: Callable[..., Any]) -> None:
    import json

    ours = BPClassifier.from_run("latest", runs_dir=moons_run)
    printed = bpnet("predict", "latest", "--runs-dir", str(moons_run), "--json")
    rows = json.loads(printed.out)["rows"]
    inputs = np.array([[*row["inputs"].values()] for row in rows])
    expected = np.array([[*row["outputs"].values()] for row in rows])
    np.testing.assert_allclose(ours.predict_proba(inputs)[:, 1:], expected, atol=1e-15)
    assert ours.predict(inputs).astype(str).tolist() == [row["class"] for row in rows]
    again = pickle.loads(pickle.dumps(ours))
    assert np.array_equal(again.predict_proba(inputs), ours.predict_proba(inputs))


@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": "lbfgs", "epochs": 30, "stop": {"min_grad": 1e-2}},
        {"optimizer": "rprop", "l2": 0.3, "class_weights": "balanced",
         "stop": {"plateau": {"epochs": 5, "tol": 1e-2}}, "epochs": 50},
        {"optimizer": "adam", "batch_size": 32, "sampling": "in_order", "epochs": 5},
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")  # five epochs are few
def test_an_estimator_of_a_run_trains_as_the_run_did(training: dict[str, Any]) -> None:
    rows, classes = X[:140], Y[:140]
    run = bpcli.train(
        {
            "seed": 4,
            "data": {"inputs": rows, "targets": classes, "classes": ["0", "1", "2"],
                     "scale": {"inputs": "minmax"}},
            "network": {"layers": [4, 5, 3], "activations": ["tanh", "softmax"],
                        "init": "he_normal"},
            "loss": "cross_entropy",
            "training": training,
        }
    )  # fmt: skip
    ours = BPClassifier.from_run(run).fit(rows, classes)
    assert (ours.n_iter_, ours.stop_reason_) == (run.epochs, run.stop_reason)
    for mine, layer in zip(ours.coefs_, run.parameters, strict=True):
        assert np.array_equal(mine.T, layer["W"])


@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")
def test_a_run_with_rules_for_a_validation_set_needs_none_as_an_estimator() -> None:
    config = {
        "data": {"inputs": X, "targets": X[:, :2], "split": {"val": 0.2}},
        "network": {"layers": [4, 3, 2], "activations": ["tanh", "identity"]},
        "loss": {"name": "huber", "delta": 0.5},
        "training": {"optimizer": "rprop", "epochs": 5,
                     "stop": {"max_fail": 3, "plateau": {"of": "val_loss"}, "goal": 1e-9}},
    }  # fmt: skip
    ours = BPRegressor.from_run(bpcli.train(config))
    assert ours.get_params()["stop"] == {"goal": 1e-9}
    assert ours.get_params()["loss"] == {"name": "huber", "delta": 0.5}
    assert ours.partial_fit(X, X[:, :2]).n_iter_ == 1


def _run_for(classes: list[str]) -> Run:
    """A run on the flowers, whose classes are in this order."""
    return train(
        {
            "data": {"inputs": X, "targets": Y, "classes": classes},
            "network": {"layers": [4, 3, 3], "activations": ["tanh", "softmax"]},
            "loss": "cross_entropy",
            "training": {"epochs": 100, "optimizer": "rprop"},
        }
    )


@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")
def test_classes_of_a_run_keep_their_order(tmp_path: Path) -> None:
    names = np.array(["b", "c", "a"])[Y]
    run = _run_for(["b", "c", "a"])
    model = BPClassifier.from_run(run)
    accuracy = model.score(X, names)
    assert accuracy == run.metrics["train.accuracy"]
    assert model.to_run(tmp_path, X, names).metrics["train.accuracy"] == accuracy
    for _ in range(100):
        model.partial_fit(X, names)
    assert model.score(X, names) > accuracy - 0.02
    assert model.set_params(warm_start=True).fit(X, names).score(X, names) > accuracy - 0.02


@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")
@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["1", "01", "2"], ["1", "01", "2"]),
        (["1", "nan", "2"], ["1", "nan", "2"]),
        (["9007199254740992", "9007199254740993", "0"], [2**53, 2**53 + 1, 0]),
        (["10", "9", "-1"], [10, 9, -1]),
        (["0.5", "1.0", "2"], [0.5, 1.0, 2.0]),
    ],
)
def test_classes_of_a_run_become_numbers_if_that_loses_none(
    names: list[str], classes: list[object]
) -> None:
    assert BPClassifier.from_run(_run_for(names)).classes_.tolist() == classes


@pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")
def test_the_run_of_an_estimator_lives_as_long_as_that() -> None:
    model = BPClassifier.from_run(_run_for(["a", "b", "c"]))
    gc.collect()
    assert len(model.run_.history) > 1


def test_a_run_for_classes_makes_no_regressor(moons_run: Path) -> None:
    with pytest.raises(ParameterError, match=r"use BPClassifier.from_run"):
        BPRegressor.from_run("latest", runs_dir=moons_run)


def test_convergence_warnings_are_of_scikit_learn() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(1\) reached"):
        BPClassifier(max_iter=1, random_state=0).fit(X, Y)
