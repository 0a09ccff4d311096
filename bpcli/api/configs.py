"""Configs of Python programs: a file, with overrides as options or as a mapping."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from bpcli.api.tables import with_arrays
from bpcli.config import load
from bpcli.config.load import Config, config_of, validate
from bpcli.config.overrides import override
from bpcli.config.tree import plain_value
from bpcli.errors import ConfigError

AnyPath: TypeAlias = str | os.PathLike[str]

ConfigSource: TypeAlias = AnyPath | Mapping[str, Any] | Config
"""A YAML file, the same as a mapping, or what `load_config` has returned."""

Overrides: TypeAlias = Iterable[str] | Mapping[str, Any]
"""Values that replace those of a config: ["training.epochs=50"] or {"training.epochs": 50}."""


def load_config(source: ConfigSource, overrides: Overrides = ()) -> Config:
    """Read and check a config.

    `source` is the path of a YAML file, or a mapping with the same keys, in which `data` may have
    arrays: `inputs` (n, d), `targets` (n,) or (n, k), `weight` (n,); or a DataFrame of numbers and
    Series. They are copied only when training begins: changes before that have an effect.
    `overrides` replace single values: texts as for `--set`, or a mapping from dotted keys to
    values. The result has `resolved()`, the config as YAML with every default written out.

    Raises `ConfigError` with all issues of the config; each has a position in `issues`.

    >>> config = bpcli.load_config("configs/xor.yaml", {"training.epochs": 4000})
    >>> run = bpcli.train(config)
    """
    given = assignments(overrides)
    if isinstance(source, Config):
        return _overridden(source, given) if given else source
    if isinstance(source, Mapping):
        return config_of(with_arrays(source), given)
    if not isinstance(source, str | os.PathLike):
        raise ConfigError(
            f"The config is {type(source).__name__}: expected the path of a YAML file, or a "
            "mapping with the same keys."
        )
    return load.load_config(Path(source), given)


def _overridden(config: Config, given: list[str]) -> Config:
    source = deepcopy(config.source)
    for assignment in given:
        override(source, assignment)
    return replace(validate(source), overrides=(*config.overrides, *given))


def assignments(overrides: Overrides) -> list[str]:
    """Overrides as texts `key=value`, whose value is YAML on one line.

    Raises `ConfigError` for a value that cannot be written as text, such as an array.
    """
    if isinstance(overrides, str):
        return [overrides]
    if not isinstance(overrides, Mapping):
        return [str(each) for each in overrides]
    return [f"{key}={_inline(key, value)}" for key, value in overrides.items()]


def _inline(key: str, value: Any) -> str:
    """A value as JSON, which is YAML on one line."""
    try:
        return json.dumps(plain_value(value), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise ConfigError(
            f"overrides: `{key}` is {type(value).__name__}, expected numbers, texts, lists or "
            "mappings of them; put arrays into the config itself."
        ) from None
