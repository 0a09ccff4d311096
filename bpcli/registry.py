"""How a registry (a dict from a config's name to a frozen dataclass) is read.

A registry itself lives at the foot of the file that defines its entries. An entry without options
of its own is a dataclass by its parent: to generate the same methods again for each would take
longer than a short training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def name_of(registry: Mapping[str, type], item: object) -> str:
    """The name under which the type of `item` stands in `registry`."""
    return next(name for name, kind in registry.items() if kind is type(item))


def as_mapping(registry: Mapping[str, type], item: Any, key: str = "name") -> dict[str, Any]:
    """`item` as a config spells it: its name under the key for names, then every option."""
    options = {field.name: getattr(item, field.name) for field in fields(item)}
    return {key: name_of(registry, item), **options}
