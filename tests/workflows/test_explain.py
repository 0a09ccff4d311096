"""Whole explanations of trained networks whose rules are known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bpcli
from bpcli.errors import ConfigError, RunError
from bpcli.nn.arrays import Array, Vector
from bpcli.workflows import explain as module

pytestmark = pytest.mark.filterwarnings("ignore::bpcli.BpnetWarning")

SEEDS = range(20) if os.environ.get("BPNET_FULL") else range(3)


def trained(
    X: Array, Y: Array, seed: int = 0, layers: tuple[int, ...] = (10,), **training: Any
) -> bpcli.Run:
    widths = [X.shape[1], *layers, Y.reshape(len(Y), -1).shape[1]]
    scale = {"inputs": "standard", "targets": "standard"}
    return bpcli.train(
        {
            "data": {"inputs": X, "targets": Y, "split": {"train": 0.75, "test": 0.25}}
            | {"scale": scale},
            "network": {
                "layers": widths,
                "activations": [*("tanh" for _ in layers), "identity"],
            },
            "loss": "mse",
            "seed": seed,
            "training": {"optimizer": "bayesian_regularization", "epochs": 100} | training,
        }
    )


def friedman(seed: int, rows: int = 2400) -> tuple[Array, Vector]:
    """y = 10 sin(π x1 x2) + 20 (x3 - ½)² + 10 x4 + 5 x5 + N(0, 1), and x6 … x10 tell nothing.

    Friedman 1991, Annals of Statistics 19, 1, section 4.3.
    """
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(rows, 10))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
    return X, y + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(size=rows)


def _of_the_product(z: Vector) -> Vector:
    """∫ 10 sin(π z x) dx over [0, 1] = 10 (1 - cos π z) / (π z), and 0 for z = 0."""
    return np.pi * z / 2 * 10 * np.sinc(z / 2) ** 2


TRUE_EFFECTS = {
    "x1": _of_the_product,
    "x2": _of_the_product,
    "x3": lambda z: 20 * (z - 0.5) ** 2,
    "x4": lambda z: 10 * z,
    "x5": lambda z: 5 * z,
}


def distance(effect: Mapping[str, Any]) -> float:
    """The largest distance of a curve from the true one, as a share of the latter's range.

    Both are compared at the places of the curve, and both have the mean 0 over the rows.
    """
    at, rows = np.array(effect["at"]), np.array(effect["rows"])
    true = TRUE_EFFECTS[effect["input"]](at)
    true -= rows @ true / rows.sum()
    return float(np.abs(effect["outputs"][0]["effect"] - true).max() / np.ptp(true))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_five_inputs_of_friedman_are_found_with_their_curves(seed: int) -> None:
    found = trained(*friedman(seed), seed).explain()
    names = [each["name"] for each in found["inputs"]]
    assert sorted(names[:5]) == [*TRUE_EFFECTS]
    curves = [each for each in found["effects"] if each["input"] in TRUE_EFFECTS]
    assert len(curves) == 5
    assert max(map(distance, curves)) < 0.1
    assert sorted(found["surface"]["inputs"]) == ["x1", "x2"]
    directions = {each["name"]: each["direction"] for each in found["inputs"]}
    assert directions["x3"].startswith("falls until 0.")
    assert directions["x4"] == directions["x5"] == "rises"


@pytest.fixture(scope="module")
def two_targets() -> bpcli.Run:
    """y1 = 3 a - b and y2 = a c, where d repeats a and e is noise."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(240, 5))
    X[:, 3] = X[:, 0] + 0.01 * X[:, 3]
    return trained(X, np.stack([3 * X[:, 0] - X[:, 1], X[:, 0] * X[:, 2]], axis=1), epochs=60)


def test_each_target_has_its_own_importance(two_targets: bpcli.Run) -> None:
    found = two_targets.explain()
    by_name = {each["name"]: each for each in found["inputs"]}
    rise = {name: each["importance"]["rmse.y2"]["value"] for name, each in by_name.items()}
    assert rise["x3"] > 10 * abs(rise["x2"])
    assert {*by_name["x1"]["importance"]} == {"loss", "rmse", "rmse.y1", "rmse.y2"}
    assert found["baseline"]["rmse.y1"] == pytest.approx(two_targets.metrics["test.rmse.y1"])
    assert found["baseline"]["loss"] == pytest.approx(two_targets.metrics["test.loss"])
    slopes = {each["output"]: each for each in by_name["x2"]["sensitivity"]}
    assert slopes["predicted y1"]["mean"] == pytest.approx(-1, abs=0.05)
    assert slopes["predicted y1"]["negative"] == 1


def test_correlated_inputs_are_measured_together_and_said(two_targets: bpcli.Run) -> None:
    found = two_targets.explain()
    (group,) = found["groups"]
    assert group["inputs"] == ["x1", "x4"]
    assert group["association"] > 0.99
    alone = [each for each in found["inputs"] if each["name"] in group["inputs"]]
    together = group["importance"]["loss"]["value"]
    assert all(together > each["importance"]["loss"]["value"] for each in alone)
    assert "`x1`, `x4` carry nearly the same information (association 1.00" in "\n".join(
        found["caveats"]
    )
    assert any(
        "never have these values together" in each
        for each in two_targets.explain(effects="pd")["caveats"]
    )


def test_workers_and_repetition_change_no_bit_and_the_seed_does(two_targets: bpcli.Run) -> None:
    one = two_targets.explain(workers=1)
    assert two_targets.explain(workers=3) == one
    assert two_targets.explain(workers=1, seed=0) == one
    other = two_targets.explain(seed=1)
    assert other["inputs"] != one["inputs"]
    assert two_targets.explain(row=3, seed=1) == two_targets.explain(row=3, seed=1)


def test_many_columns_are_bounded_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 columns, 300 rows and 10 permutations would need 1.1e8 multiplications."""
    monkeypatch.setattr(module, "_MULTIPLICATIONS", 2e7)
    X = np.random.default_rng(0).normal(size=(1200, 60))
    run = trained(X, X[:, :1], 0, (10,), optimizer="rprop", epochs=1)
    found = run.explain()
    assert (found["rows"], found["repeats"]) == (200, 2)
    assert found["rows"] * found["repeats"] * 60 * 621 <= 2e7
    assert len(found["effects"]) == 30
    caveats = "\n".join(found["caveats"])
    assert "importance is measured on 200 of 300 rows, evenly spaced, to bound the time" in caveats
    assert "every input is permuted 2 times instead of 10" in caveats
    assert "for the 30 most important of 60 inputs" in caveats
    assert "30 more inputs or groups are in --json" in found.text
    asked = run.explain(rows=100, repeats=3)
    assert (asked["rows"], asked["repeats"]) == (100, 3)
    assert "bound the time" not in "\n".join(asked["caveats"])


def test_a_row_adds_up_to_its_prediction(two_targets: bpcli.Run) -> None:
    found = two_targets.explain(row=7)
    for k, output in enumerate(found["outputs"]):
        total = sum(each["shapley"][k]["value"] for each in found["inputs"])
        difference = found["prediction"][output] - found["base"][output]
        assert total == pytest.approx(difference, abs=1e-10)
    assert found["method"] == "exact"
    assert found["background"] == {"rows": 100, "of": "training rows"}


def test_without_a_hidden_layer_the_slopes_are_the_weights_in_original_units() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)) * [1, 100]
    found = trained(X, X @ [2, 0.5], 0, (), optimizer="levenberg_marquardt", epochs=20).explain()
    slopes = {each["name"]: each["sensitivity"][0]["mean"] for each in found["inputs"]}
    assert slopes == pytest.approx({"x1": 2, "x2": 0.5}, rel=1e-6)
    assert "no hidden layer" in found["connection_weights"]
    assert "Garson" not in found.text


def test_wrong_requests_are_refused(two_targets: bpcli.Run, tmp_path: Path) -> None:
    for arguments, message in (
        ({"effects": "x"}, "expected `ale` or `pd`"),
        ({"repeats": 0}, "`repeats` is 0: expected at least 1"),
        ({"figure": tmp_path / "a.txt"}, "a name that ends in .svg"),
        ({"split": "x"}, "no split `x`"),
        ({"split": "test", "data": "t.csv"}, "use only one"),
    ):
        with pytest.raises(ConfigError, match=message):
            two_targets.explain(**arguments)  # type: ignore[arg-type]
    for arguments, message in (
        ({"row": 241}, "There is no row 241 among the 240 rows up to row 240"),
        ({"split": "val"}, "val split of .* is empty"),
        ({"data": "t.csv"}, "trained on a table in a text"),
    ):
        with pytest.raises(RunError, match=message):
            two_targets.explain(**arguments)  # type: ignore[arg-type]


def test_outputs_that_are_not_finite_are_counted_and_not_explained(tmp_path: Path) -> None:
    """e^x of a row with x = 1000 is infinite; slopes and shares would be computed from it."""
    known, new = tmp_path / "known.csv", tmp_path / "new.csv"
    rows = "".join(f"{x / 10},{x / 5}\n" for x in range(1, 13))
    known.write_text("x,y\n" + rows)
    new.write_text("x,y\n" + rows + "1000,1\n2000,1\n")
    layer = {"weights": [[1.0]], "bias": [0.0]}
    network = {"layers": [1, 1], "activations": ["exponential"], "parameters": [layer]}
    data = {"file": str(known), "targets": "y", "scale": {"inputs": "none", "targets": "none"}}
    training = {"epochs": 1, "learning_rate": 1e-6}
    run = bpcli.train({"data": data, "network": network, "loss": "mse", "training": training})
    with pytest.raises(RunError, match="not finite for 2 of 14 rows, so they cannot be explained"):
        run.explain(data=new)
    with pytest.raises(RunError, match="not finite for 1 of 1 row,"):
        run.explain(data=new, row=13)
    assert run.explain(data=known)["inputs"]
