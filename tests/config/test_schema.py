"""The schema against the jsonschema package, which knows nothing of our models."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bpcli.config.load import load_config
from bpcli.config.schema import DIALECT, json_schema
from bpcli.config.source import Source
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS

CONFIGS = sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
XOR: dict[str, Any] = {
    "data": {"generator": "xor"},
    "network": {"layers": [2, 4, 1], "activations": ["tanh", "sigmoid"]},
    "loss": "binary_cross_entropy",
}


def with_value(path: str, value: Any) -> dict[str, Any]:
    """XOR with one value replaced or added."""
    config = deepcopy(XOR)
    *parents, key = path.split(".")
    node = config
    for parent in parents:
        node = node.setdefault(parent, {})
    node[key] = value
    return config


def nodes(node: Any = SCHEMA, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping inside the schema, with its place."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from nodes(value, f"{path}/{key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, f"{path}/{number}")


def test_it_is_a_schema_of_the_dialect_it_names() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_fits_as_written_and_as_resolved(path: Path) -> None:
    VALIDATOR.validate(Source.read(path).tree)
    VALIDATOR.validate(yaml.safe_load(load_config(path).resolved()))


def test_every_key_says_what_it_means_and_no_mapping_takes_others() -> None:
    objects = {place: node for place, node in nodes() if node.get("type") == "object"}
    keyed = {place: node for place, node in objects.items() if "properties" in node}
    silent = [
        f"{place}/{key}"
        for place, node in keyed.items()
        for key, value in node["properties"].items()
        if not value.get("description") and "$ref" not in value
    ]
    assert len(keyed) > 60
    assert silent == []
    assert all(node["additionalProperties"] is False for node in keyed.values())
    assert all(node.get("description") for node in keyed.values())


def test_every_default_fits_its_own_place() -> None:
    checked = 0
    for place, node in nodes():
        if "default" in node and not place.endswith("/properties"):
            part = {"$schema": DIALECT, **node, "$defs": SCHEMA["$defs"]}
            Draft202012Validator(part).validate(node["default"])
            checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("loss", name) for name in LOSSES),
        *(("network.init", name) for name in INITIALIZERS),
        *(("network.activations", ["tanh", name]) for name in (*ACTIVATIONS, *ACTIVATION_ALIASES)),
        *(("training.optimizer", name) for name in (*OPTIMIZERS, *OPTIMIZER_ALIASES)),
        *(("training.optimizer", {"name": name}) for name in OPTIMIZER_ALIASES),
        *(("data", {"generator": name}) for name in GENERATORS),
        ("training.optimizer", {"momentum": 0.5}),
        ("network.init", {"bias": 1}),
        ("training.optimizer", {"name": "traingdm", "momentum": 0.5, "nesterov": True}),
        ("data.split", {"val": 0.15, "test": 0.15, "stratify": "auto"}),
        ("data", {"inputs": [[0, 1]], "targets": [1]}),
        ("data", {"file": "a.csv", "fill": {"age": "mean"}, "split": {"files": {"val": "b.csv"}}}),
        ("network.bias", [True, "frozen"]),
        ("training.class_weights", {"0": 1, "1": 2.5}),
        ("training.learning_rate", {"schedule": "cosine", "start": 0.5}),
        ("training.learning_rate", {"schedule": "step", "start": 1, "factor": 0.5, "every": 9}),
    ],
)
def test_what_a_config_may_say_fits(path: str, value: Any) -> None:
    VALIDATOR.validate(with_value(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("epochs", 5),
        ("training.epoch", 5),
        ("training.epochs", -1),
        ("training.epochs", "many"),
        ("training.optimizer", "adamm"),
        ("training.optimizer", {"name": "adam", "momentum": 0.5}),
        ("training.optimizer", {"momentum": 1}),
        ("training.learning_rate", 0),
        ("training.learning_rate", "cosine"),
        ("training.learning_rate", {"schedule": "cosine"}),
        ("training.learning_rate", {"schedule": "cosine", "start": 0.5, "decay": 0.5}),
        ("training.stop", {"goals": 1}),
        ("network.layers", [2]),
        ("network.layers", [2, 0, 1]),
        ("network.layers", "auto"),
        ("network.activations", ["tanh", {"name": "elu", "alpha": 0}]),
        ("network.activations", ["tanh", {"alpha": 1}]),
        ("network.dtype", "float16"),
        ("loss", {"name": "mse", "delta": 1}),
        ("loss", None),
        ("data.n_samples", 5),
        ("data", {"generator": "moon"}),
        ("data", {"generator": "moons", "file": "a.csv"}),
        ("data", {"file": "a.csv", "header": "yes"}),
        ("data.split", {"files": {"val": "b.csv"}}),
        ("data.scale", {"inputs": {"divide_by": 0}}),
        ("seed", 1.5),
        ("name", "-"),
        ("metrics", ["accurate"]),
    ],
)
def test_what_a_config_may_not_say_does_not_fit(path: str, value: Any) -> None:
    assert not VALIDATOR.is_valid(with_value(path, value))


@pytest.mark.parametrize("key", ["data", "network", "loss"])
def test_what_a_config_must_say_is_required(key: str) -> None:
    assert not VALIDATOR.is_valid({name: value for name, value in XOR.items() if name != key})


def test_what_an_editor_shows_is_there() -> None:
    short, *mappings = SCHEMA["properties"]["loss"]["oneOf"]
    assert short == {"enum": [*LOSSES]}
    (huber,) = (each for each in mappings if each["properties"]["name"]["enum"] == ["huber"])
    assert "loss_i = (1/K) Σ_k h(a[k] - y[k])" in huber["description"]
    assert huber["properties"]["delta"] == {
        "default": 1.0,
        "description": "Errors up to this size are squared; the loss of larger ones is linear.",
        "exclusiveMinimum": 0,
        "type": "number",
    }
