"""Configs given as values by a Python program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.config.load import config_of, load_config
from bpcli.config.tree import TreeSource
from bpcli.errors import ConfigError
from bpcli.experiment import build

X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
Y = np.array([0.0, 1, 1, 0])


def _tree(**changes: Any) -> dict[str, Any]:
    tree = {
        "data": {"inputs": X, "targets": Y},
        "network": {"layers": [2, 3, 1], "activations": ["tanh", "sigmoid"]},
        "loss": "mse",
    }
    return tree | changes


def test_a_config_of_values_equals_that_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(
        "name: some\ndata: {inputs: [[0, 0], [0, 1]], targets: [0, 1]}\n"
        "network: {layers: [2, 3, 1], activations: [tanh, sigmoid]}\nloss: mse\n"
        "training: {epochs: 7, learning_rate: 0.5}\n"
    )
    given = config_of(
        {
            "name": "some",
            "data": {"inputs": ((0, 0), (0, np.int64(1))), "targets": (0, 1)},
            "network": {"layers": (2, np.int32(3), 1), "activations": ("tanh", "sigmoid")},
            "loss": "mse",
            "training": {"epochs": 7, "learning_rate": np.float32(0.5)},
        }
    )
    assert given.spec == load_config(file).spec


def test_overrides_apply_to_values() -> None:
    config = config_of(_tree(), ["training.epochs=3", "network.layers=[2, 5, 1]"])
    assert config.spec.training.epochs == 3
    assert config.spec.network.layers == [2, 5, 1]
    assert config.overrides == ("training.epochs=3", "network.layers=[2, 5, 1]")


def test_an_error_shows_the_place_and_names_an_array_by_its_shape() -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(_tree(loss="half", network={"layers": [2, "x", 1], "activations": ["tanh"]}))
    text = str(caught.value)
    assert "layers: [2, x, 1]" in text
    assert "loss: half" in text
    assert "3 errors in config" in text
    with pytest.raises(ConfigError, match="inputs: <array 4 x 2>"):
        build(config_of(_tree(data={"inputs": np.full_like(X, np.inf), "targets": Y})))


def test_an_error_of_the_data_shows_the_place() -> None:
    tree = _tree(network={"layers": [5, 1], "activations": ["sigmoid"]})
    with pytest.raises(ConfigError, match="the first layer has 5 units, but the data has 2"):
        build(config_of(tree))


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(ConfigError, match="config is list, expected a mapping"):
        config_of([1])  # type: ignore[arg-type]


def test_a_mapping_that_contains_itself_is_refused() -> None:
    tree = _tree()
    tree["training"] = tree
    with pytest.raises(ConfigError, match="contains itself"):
        config_of(tree)


def test_keys_of_any_type_become_those_of_a_file() -> None:
    source = TreeSource({"a": {True: 1, 7: 2.5, np.bool_(False): 3}}, "config")
    assert source.tree == {"a": {"true": 1, "7": 2.5, "false": 3}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"inputs": X, "targets": Y[:3]}, "4 rows of inputs but 3 of targets"),
        ({"inputs": X * np.nan, "targets": Y}, "not finite: row 1, column 1"),
        ({"inputs": X.astype(str), "targets": Y}, "expected 1 or 2 dimensions of numbers"),
        ({"inputs": X[:0], "targets": Y[:0]}, "inputs has no rows"),
        ({"inputs": X[:, :0], "targets": Y}, "inputs has no columns"),
        ({"inputs": X, "targets": Y, "weight": np.array([1.0, 0, 1, 1])}, "weight 0 of row 2"),
        ({"inputs": X, "targets": Y, "weight": np.ones(3)}, "4 rows of inputs but 3 of weight"),
        ({"inputs": X, "targets": X.astype(str)}, "classes must be one column"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(config_of(_tree(data=data)))


def test_arrays_are_the_rows() -> None:
    weight = np.array([1.0, 2, 3, 2])
    experiment = build(config_of(_tree(data={"inputs": X, "targets": Y, "weight": weight})))
    assert np.array_equal(experiment.splits["train"].X, X)
    assert np.array_equal(experiment.splits["train"].Y[:, 0], Y)
    assert experiment.table.weight is not None
    assert np.array_equal(experiment.table.weight, weight / 2)


def test_texts_are_classes() -> None:
    data = {"inputs": X, "targets": np.array(["no", "yes", "yes", "no"])}
    table = build(config_of(_tree(data=data))).table
    assert table.class_names == ("no", "yes")
    assert table.labels is not None
    assert table.labels.tolist() == [0, 1, 1, 0]
