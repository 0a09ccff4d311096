"""Registries: mappings from the names in a config to frozen dataclasses.

Each registry is at the end of the file, or of the package, that defines its entries or their
parent. An entry without its own options inherits the methods of a dataclass: generating them again
for each entry would take longer than a short training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, TypeVar

Entry = TypeVar("Entry")


@dataclass(frozen=True, eq=False)
class LazyRegistry(Mapping[str, type[Entry]]):
    """A registry that imports an entry when it is first used.

    Importing all optimizers, or all generators, takes longer than a short training with one.
    `paths` holds the entries' modules and classes: {"adam": ".adam:Adam"}.
    """

    package: str
    paths: dict[str, str]

    def __getitem__(self, name: str) -> type[Entry]:
        module, _, class_name = self.paths[name].partition(":")
        entry: type[Entry] = getattr(import_module(module, self.package), class_name)
        return entry

    def __contains__(self, name: object) -> bool:
        return name in self.paths

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def names_of(self, cls: type) -> Iterator[str]:
        """The names of entries whose class has the same name as `cls`, without importing them."""
        return (name for name, path in self.paths.items() if path.endswith(f":{cls.__name__}"))


def name_of(registry: Mapping[str, type], item: object) -> str:
    """The name of the type of `item` in `registry`."""
    cls = type(item)
    names = registry.names_of(cls) if isinstance(registry, LazyRegistry) else registry
    return next(name for name in names if registry[name] is cls)


def as_mapping(registry: Mapping[str, type], item: Any, key: str = "name") -> dict[str, Any]:
    """`item` as in a config: its name under `key`, then every option."""
    options = {field.name: getattr(item, field.name) for field in fields(item)}
    return {key: name_of(registry, item), **options}
