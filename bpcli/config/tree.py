"""A config that a Python program gives as values, not as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np

from bpcli.config.source import Location, Source
from bpcli.config.writing import dump
from bpcli.errors import ConfigError, Mark


class TreeSource(Source):
    """A config given as values. Its text is written only when an error points into it."""

    def __init__(self, tree: Mapping[str, Any], name: str) -> None:
        if not isinstance(tree, Mapping):
            raise ConfigError(f"{name} is {type(tree).__name__}, expected a mapping or a path.")
        self.name = name
        try:
            self.tree = {str(key): plain_value(value) for key, value in tree.items()}
        except RecursionError:
            raise ConfigError(f"{name} contains itself, or is nested too deeply.") from None
        self.issues = []
        self.unread = set()

    @cached_property
    def text(self) -> str:  # type: ignore[override]  # mypy: an attribute of the base class
        """The values as YAML."""
        return self._written.text

    @cached_property
    def content(self) -> bytes:  # type: ignore[override]
        """The text's bytes."""
        return self._written.content

    @cached_property
    def key_marks(self) -> dict[Location, Mark]:  # type: ignore[override]
        """The mark of each key in the text."""
        return self._written.key_marks

    @cached_property
    def value_marks(self) -> dict[Location, Mark]:  # type: ignore[override]
        """The mark of each value in the text."""
        return self._written.value_marks

    @cached_property
    def _written(self) -> Source:
        return Source.parse(dump(_writable(without_arrays(self.tree))), self.name)


def plain_value(value: Any) -> Any:
    """Lists, mappings with texts as keys, and numbers of Python; arrays stay arrays."""
    if isinstance(value, Mapping):
        return {_key(key): plain_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(each) for each in value]
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, PurePath) else value


def _key(key: object) -> str:
    """A key as a config file has it: true and false for booleans."""
    return str(key).lower() if isinstance(key, bool | np.bool_) else str(key)


def without_arrays(value: Any) -> Any:
    """The values with a text in place of each array."""
    if isinstance(value, dict):
        return {key: without_arrays(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_arrays(each) for each in value]
    is_array = isinstance(value, np.ndarray)
    return f"<array {' x '.join(map(str, value.shape))}>" if is_array else value


def _writable(value: Any) -> Any:
    """The values with a text in place of whatever YAML cannot hold."""
    if isinstance(value, dict):
        return {key: _writable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_writable(each) for each in value]
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return value if is_plain else f"<{type(value).__name__}>"
