"""Null, which is also what YAML reads after a key without a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from small_configs import XOR, load

from bpcli.config.named import Strict
from bpcli.config.schema import json_schema
from bpcli.errors import ConfigError

json_schema()  # makes the models of all entries of all registries


def models(base: type[BaseModel] = Strict) -> Iterator[type[BaseModel]]:
    """All that a config may hold."""
    for model in base.__subclasses__():
        yield model
        yield from models(model)


def keys_by_default() -> Iterator[tuple[type[BaseModel], str, Any]]:
    for model in models():
        for key, info in model.model_fields.items():
            if not info.is_required() and info.default_factory is None:
                yield model, key, info.default


def errors_at(model: type[BaseModel], key: str, value: Any) -> list[Any]:
    try:
        model.model_validate({key: value})
    except ValidationError as error:
        return [each for each in error.errors() if each["loc"][:1] == (key,)]
    return []


def test_every_key_whose_default_is_null_or_a_mapping_takes_null() -> None:
    taken = {"null": 0, "mapping": 0}
    for model, key, default in keys_by_default():
        is_plain = isinstance(default, bool | int | float | str | list)
        if not is_plain:
            assert not errors_at(model, key, None), f"{model.__name__}.{key}"
            taken["null" if default is None else "mapping"] += 1
    assert taken["null"] > 50
    assert taken["mapping"] >= 8


def test_no_other_key_does() -> None:
    for model, key, default in keys_by_default():
        if isinstance(default, bool | int | float | str | list):
            assert errors_at(model, key, None), f"{model.__name__}.{key}"


@pytest.mark.parametrize(
    "key",
    [
        "data.split", "data.scale", "data.targets", "network.init", "network.parameters",
        "training", "training.stop", "training.optimizer", "training.checkpoint_every",
        "training.class_weights", "training.stop.goal", "data.split.train", "data.split.folds",
    ],
)  # fmt: skip
@pytest.mark.parametrize("null", ["null", "", "~"])
def test_a_section_without_a_value_is_its_default(key: str, null: str) -> None:
    config = load(XOR, f"{key}={null}")
    assert config.resolved() == load(XOR).resolved()
    assert config.spec == load(XOR).spec


def test_a_table_in_a_file_is_split_by_default_too() -> None:
    text = XOR.replace("generator: xor", "file: t.csv")
    nulls = [f"data.{key}=null" for key in ("split", "scale", "split.files", "fill", "columns")]
    assert load(text, *nulls).resolved() == load(text).resolved()


def test_checks_between_keys_read_the_default_too() -> None:
    for assignment in ("data.split=", "training.optimizer="):
        load(XOR, assignment)
    with pytest.raises(ConfigError, match=r"needs a learning rate") as caught:
        load(XOR, "training.optimizer=", "training.learning_rate=null")
    assert len(caught.value.issues) == 1
    with pytest.raises(ConfigError, match="there is no validation set"):
        load(XOR, "data.split=", "training.stop.max_fail=3")


@pytest.mark.parametrize("key", ["data", "network", "loss", "seed", "training.epochs"])
def test_null_is_no_value_where_one_is_needed(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(XOR, f"{key}=null")
    assert [issue.key for issue in caught.value.issues] == [key]
