from __future__ import annotations

from pathlib import Path

import pytest
from small_configs import XOR, parsed

from bpcli.config.load import validate
from bpcli.config.origins import origins
from bpcli.config.source import Source


def found(text: str, *overrides: str) -> dict[str, str]:
    """The origins by key of a config in `folder/c.yaml`."""
    source = parsed(text, *overrides)
    source.name = str(Path("folder", "c.yaml"))
    config = validate(source)
    resolved = Source.parse(config.resolved(), "resolved.yaml")
    return {".".join(map(str, at)): said for at, said in origins(config, resolved).items()}


@pytest.mark.parametrize(
    ("overrides", "key", "origin"),
    [
        ([], "network.layers.1", "c.yaml:4"),
        ([], "network.activations.0", "c.yaml:5"),
        ([], "loss", "c.yaml:6"),
        ([], "network.init.name", "default"),
        ([], "training.epochs", "default"),
        ([], "training.learning_rate", "default of the optimizer"),
        (["training.epochs=5"], "training.epochs", "--set"),
        (["training.optimizer=traingdm"], "training.optimizer.name", "--set, alias traingdm"),
        (["training.optimizer=traingdm"], "training.optimizer.momentum", "alias traingdm"),
        (["training.optimizer={name: traingdm, momentum: 0.5}"], "training.optimizer.momentum",
         "--set"),
        (["training.optimizer=traingdm"], "training.optimizer.nesterov", "default"),
        (["network.activations=[tansig, sigmoid]"], "network.activations.0",
         "--set, alias tansig"),
        (["training.optimizer=lbfgs", "training.learning_rate=1"], "training.learning_rate",
         "--set, not used"),
    ],
)  # fmt: skip
def test_each_value_comes_from_a_line_an_option_an_alias_or_a_default(
    overrides: list[str], key: str, origin: str
) -> None:
    assert found(XOR, *overrides)[key] == origin


def test_without_a_name_the_files_is_taken() -> None:
    source = parsed(XOR.replace("name: t\n", ""))
    source.tree["name"] = "c"
    config = validate(source)
    resolved = Source.parse(config.resolved(), "resolved.yaml")
    assert origins(config, resolved)["name",] == "default: the file's name"


def test_sections_have_no_origin_but_empty_ones_do() -> None:
    text = XOR.replace("{generator: xor}", "{file: a.csv, categories: []}")
    keys = found(text)
    assert keys["data.categories"] == "c.yaml:2"
    assert not {"data", "network", "network.layers", "training.stop"} & {*keys}
