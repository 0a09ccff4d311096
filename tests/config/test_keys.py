from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_configs import XOR, parsed
from systems import CONFIGS

from bpcli.config.keys import (
    choice_at,
    choices_in,
    could_stand,
    home_of,
    is_section,
    known_keys,
    subsections,
)
from bpcli.config.load import load_config
from bpcli.config.source import Location, Source

OPTIMIZER = ("training", "optimizer")


def sections(value: Any, at: Location = ()) -> list[Location]:
    """Every mapping of a tree whose keys are not the user's own."""
    if isinstance(value, dict):
        inner = [each for key in value for each in sections(value[key], (*at, key))]
        return [at, *inner] if is_section(at) else inner
    items = value if isinstance(value, list) else []
    return [each for index, item in enumerate(items) for each in sections(item, (*at, index))]


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_key_of_a_valid_config_is_known(path: Path) -> None:
    source = Source.parse(load_config(path).resolved(), "c.yaml")
    found = sections(source.tree)
    assert {(), ("data",), ("network",), ("training",), ("training", "stop")} <= {*found}
    for section in found:
        keys = source.get(section) if section else source.tree
        assert {*keys} <= {*known_keys(source.tree, section)}


def test_a_choice_knows_names_aliases_and_options() -> None:
    choice = choice_at(OPTIMIZER)
    assert choice is not None
    assert choice.entry("adam") == "adam"
    assert choice.entry("trainlm") == "levenberg_marquardt"
    assert choice.entry(None) == "gradient_descent"
    assert choice.entry("adma") is None
    assert "trainlm" in choice.names
    assert choice.with_option("nesterov") == ["gradient_descent"]
    assert choice.closest(["memory", "x"]) == "lbfgs"


def test_of_entries_with_the_same_options_the_closest_has_fewest_others() -> None:
    choice = choice_at(("training", "learning_rate"))
    assert choice is not None
    for name in choice.registry:
        options = {*choice.options(name)}
        assert {*choice.options(choice.closest(options))} == options


def test_choices_stand_at_each_item_of_a_list_that_is_one() -> None:
    activations = [at for at in choices_in(parsed(XOR).tree) if "activations" in at]
    assert activations == [("network", "activations", 0), ("network", "activations", 1)]
    assert not [at for at in choices_in({"network": {"activations": "x"}}) if "activations" in at]
    assert choice_at(("network", "activations", 7)) is not None
    assert choice_at(("network", "activations")) is None


@pytest.mark.parametrize(
    ("section", "value", "known", "unknown"),
    [
        (OPTIMIZER, "adam", ["name", "beta1"], ["momentum"]),
        (OPTIMIZER, {"name": "sgd"}, ["name", "momentum"], ["beta1"]),
        (OPTIMIZER, {"momentum": 1}, ["name", "momentum"], ["beta1"]),
        (OPTIMIZER, {"name": "adma"}, ["name"], ["momentum", "beta1"]),
        (("data",), {"generator": "moons"}, ["noise", "split"], ["file", "inputs", "fill"]),
        (("data",), {"generator": "xor"}, ["split"], ["noise"]),
        (("data",), {"generator": "mons"}, ["split"], ["noise", "fill"]),
        (("data",), {"file": "a", "inputs": "b"}, ["fill", "inputs"], ["generator"]),
        (("data",), {"inputs": []}, ["targets", "file"], ["generator", "fill"]),
        (("data",), {}, ["generator", "file", "inputs", "fill"], ["noise"]),
        (("training",), {}, ["epochs", "stop"], ["goal"]),
    ],
)
def test_the_name_decides_which_options_there_are(
    section: Location, value: object, known: list[str], unknown: list[str]
) -> None:
    tree = {"data": value} if section == ("data",) else {"training": {"optimizer": value}}
    keys = known_keys(tree, section)
    assert {*known} <= {*keys}
    assert not {*unknown} & {*keys}


@pytest.mark.parametrize(
    ("key", "section", "home"),
    [
        ("epochs", (), ("training",)),
        ("epochs", ("training",), None),
        ("goal", ("training",), ("training", "stop")),
        ("momentum", ("training",), OPTIMIZER),
        ("momentum", OPTIMIZER, None),  # an option of another optimizer
        ("noise", ("training",), ("data",)),
        ("slope", (), ("network", "activations", 0)),
        ("seed", ("network",), ()),
        ("nonsense", (), None),
    ],
)
def test_a_misplaced_key_has_a_home(key: str, section: Location, home: Location | None) -> None:
    tree = parsed(XOR, "training.optimizer=adam").tree
    assert home_of(tree, key, section) == home


def test_an_option_could_stand_under_another_name() -> None:
    assert could_stand("momentum", OPTIMIZER)
    assert could_stand("slope", ("network", "activations", 3))
    assert not could_stand("epochs", OPTIMIZER)


def test_the_users_own_words_are_no_section() -> None:
    assert is_section(("training", "stop"))
    assert is_section(("network", "parameters", 5))
    assert not is_section(("training", "class_weights"))
    assert not is_section(("data", "fill"))


def test_sections_in_sections() -> None:
    assert {"data", "network", "training"} <= {*subsections(())}
    assert "stop" in subsections(("training",))
    assert "epochs" not in subsections(("training",))
