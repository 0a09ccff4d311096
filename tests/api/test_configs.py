from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from systems import CONFIGS

from bpcli import load_config
from bpcli.errors import ConfigError

XOR = CONFIGS / "xor.yaml"


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.epochs=50", "training.optimizer=adam"],
        {"training.epochs": np.int64(50), "training": {"epochs": 50, "optimizer": "adam"}},
        {"training": {"optimizer": {"name": "adam"}, "epochs": 50}},
    ],
)
def test_overrides_are_texts_or_values(overrides: Any) -> None:
    spec = load_config(XOR, overrides).spec
    assert spec.training.epochs == 50
    assert type(spec.training.optimizer).__name__ == "Adam"


def test_a_path_a_mapping_and_a_loaded_config_are_the_same() -> None:
    path = load_config(str(XOR), {"seed": 3})
    mapping = load_config(yaml.safe_load(XOR.read_text("utf-8")) | {"name": "xor"}, {"seed": 3})
    again = load_config(load_config(XOR), {"seed": 3})
    assert path.spec == mapping.spec == again.spec
    assert again.overrides == ("seed=3",)
    assert load_config(path) is path


def test_overriding_a_loaded_config_leaves_it_as_it_was() -> None:
    config = load_config(XOR)
    load_config(config, {"training.epochs": 7})
    assert config.spec.training.epochs == 5000
    assert "epochs: 5000" in config.resolved()


def test_a_wrong_override_is_shown_with_its_place() -> None:
    with pytest.raises(ConfigError, match="expected a whole number") as caught:
        load_config(XOR, {"training.epochs": "many"})
    (issue,) = caught.value.issues
    assert (issue.key, issue.origin) == ("training.epochs", '--set training.epochs="many"')


def test_an_array_is_no_override() -> None:
    with pytest.raises(ConfigError, match=r"overrides: `data\.inputs` is ndarray, expected"):
        load_config(XOR, {"data.inputs": np.zeros((4, 2))})


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no file .*nothing\.yaml"):
        load_config(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("value", [np.arange(3), {1, 2}, len], ids=["array", "set", "function"])
def test_an_override_that_is_no_value_of_a_config_is_one_sentence(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"^overrides: `network.layers` is \w+, expected"):
        load_config(CONFIGS / "xor.yaml", {"network.layers": value})


def test_a_resolved_config_names_arrays_by_their_shapes() -> None:
    config = load_config(
        {
            "data": {"inputs": np.ones((4, 2)), "targets": np.ones(4)},
            "network": {"layers": [2, 1], "activations": ["identity"]},
            "loss": "mse",
        }
    )
    assert yaml.safe_load(config.resolved())["data"]["inputs"] == "<array 4 x 2>"
