"""How a registry (a mapping from a config's name to a frozen dataclass) is read.

A registry itself lives at the foot of the file that defines its entries or their parent, or of
their package. An entry without options of its own is a dataclass by its parent: to generate the
same methods again for each would take longer than a short training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, TypeVar

Entry = TypeVar("Entry")


@dataclass(frozen=True, eq=False)
class LazyRegistry(Mapping[str, type[Entry]]):
    """A registry whose entries are imported when they are asked for.

    To import all optimizers, or all generators, takes longer than a short training with one.
    `places` says where in the package an entry is: {"adam": ".adam:Adam"}.
    """

    package: str
    places: dict[str, str]

    def __getitem__(self, name: str) -> type[Entry]:
        module, _, kind = self.places[name].partition(":")
        entry: type[Entry] = getattr(import_module(module, self.package), kind)
        return entry

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def called(self, kind: type) -> Iterator[str]:
        """The names of entries whose class is called as this one: no others need be imported."""
        return (name for name, place in self.places.items() if place.endswith(f":{kind.__name__}"))


def name_of(registry: Mapping[str, type], item: object) -> str:
    """The name under which the type of `item` stands in `registry`."""
    kind = type(item)
    names = registry.called(kind) if isinstance(registry, LazyRegistry) else registry
    return next(name for name in names if registry[name] is kind)


def as_mapping(registry: Mapping[str, type], item: Any, key: str = "name") -> dict[str, Any]:
    """`item` as a config spells it: its name under the key for names, then every option."""
    options = {field.name: getattr(item, field.name) for field in fields(item)}
    return {key: name_of(registry, item), **options}
