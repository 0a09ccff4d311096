"""The allowed keys of each section, some of which depend on the registry entry it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, get_args, get_origin

import numpy as np
from pydantic import BaseModel

from bpcli.config.data_models import ArrayData, GeneratedData, InlineData
from bpcli.config.file_models import FileData
from bpcli.config.models import Spec
from bpcli.config.source import Location, value_at
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS
from bpcli.optimizers.schedules import SCHEDULES

Tree: TypeAlias = Mapping[str, Any]

NAMING_KEYS = ("name", "generator", "schedule")
"""Keys under which a mapping names an entry of a registry."""


@dataclass(frozen=True)
class Choice:
    """A section that names an entry of a registry and sets its options."""

    registry: Mapping[str, type]
    aliases: Mapping[str, str]
    key: str = "name"
    default: str | None = None
    other_keys: tuple[str, ...] = ()
    """Keys that are allowed instead of `key`; the section then names no entry."""

    @property
    def naming_keys(self) -> tuple[str, ...]:
        return (self.key, *self.other_keys)

    def is_named(self, section: Collection[str]) -> bool:
        """Whether the section has one of the naming keys."""
        return any(key in section for key in self.naming_keys)

    def entry(self, name: object) -> str | None:
        """The registry name of a name or alias; None if there is no such entry."""
        name = self.aliases.get(name, name) if isinstance(name, str) else self.default
        return name if name in self.registry else None

    @property
    def names(self) -> list[str]:
        """All names and aliases of the entries."""
        return [*self.registry, *self.aliases]

    def options(self, name: str) -> list[str]:
        return [field.name for field in fields(self.registry[name])]

    def with_option(self, key: str) -> list[str]:
        """The entries that have this option."""
        return [name for name in self.registry if key in self.options(name)]

    def closest(self, keys: Collection[str]) -> str:
        """The entry with most of these options and fewest others."""

        def closeness(name: str) -> tuple[int, int]:
            known = len(set(keys) & set(self.options(name)))
            return known, known - len(self.options(name))

        return max(self.registry, key=closeness)


_OPTIMIZERS = {alias: str(meaning["name"]) for alias, meaning in OPTIMIZER_ALIASES.items()}
_CHOICES: dict[Location, Choice] = {  # 0 means every index of a list
    ("training", "optimizer"): Choice(OPTIMIZERS, _OPTIMIZERS, default="gradient_descent"),
    ("training", "learning_rate"): Choice(SCHEDULES, {}, key="schedule"),
    ("data",): Choice(GENERATORS, {}, "generator", None, ("file", "inputs")),
    ("network", "init"): Choice(INITIALIZERS, {}, default="xavier_uniform"),
    ("network", "activations", 0): Choice(ACTIVATIONS, ACTIVATION_ALIASES),
    ("loss",): Choice(LOSSES, {}),
}


def _sections() -> dict[Location, list[str]]:
    """The keys of each section, outer sections first."""
    sections: dict[Location, list[str]] = {}
    models: list[tuple[Location, Any]] = [((), Spec)]
    models += [(("data",), model) for model in (GeneratedData, InlineData, FileData)]
    for at, model in models:  # the list grows during the loop
        keys = sections.setdefault(at, [])
        keys += [key for key in model.model_fields if key not in keys]
        for key, value in model.model_fields.items():
            models += _models_in(value.annotation, (*at, key))
    return dict(sorted(sections.items(), key=lambda item: len(item[0])))


def _models_in(annotation: Any, at: Location) -> Iterator[tuple[Location, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield at, annotation
    inside = (*at, 0) if get_origin(annotation) is list else at
    for part in get_args(annotation):
        yield from _models_in(part, inside)


_SECTIONS = _sections()


def choice_at(location: Location) -> Choice | None:
    """The choice of a section, or of an item of a list."""
    return _CHOICES.get(_any_index(location))


def choices_in(tree: Tree) -> Iterator[Location]:
    """The locations of a config where an entry of a registry is, or should be, named."""
    for location in _CHOICES:
        if location[-1] == 0:
            items = value_at(tree, location[:-1])
            count = len(items) if isinstance(items, list) else 0
            yield from ((*location[:-1], index) for index in range(count))
        else:
            yield location


def is_section(location: Location) -> bool:
    """Whether the keys of a mapping there are fixed, not chosen by the user."""
    generic = _any_index(location)
    return generic in _SECTIONS or generic in _CHOICES


def subsections(location: Location) -> list[str]:
    """The keys of a section whose values are sections."""
    return [str(inner[-1]) for inner in _SECTIONS if inner and inner[:-1] == location]


def _any_index(location: Location) -> Location:
    """The location with every list index replaced by 0."""
    return tuple(0 if isinstance(key, int) else key for key in location)


def known_keys(tree: Tree, location: Location) -> list[str]:
    """The keys that are allowed in the mapping at a location."""
    if location == ("data",):
        return _keys_of_data(tree)
    keys = list(_SECTIONS.get(_any_index(location), []))
    choice = choice_at(location)
    if choice is not None:
        entry = choice.entry(_named(tree, location, choice))
        keys += [choice.key, *(choice.options(entry) if entry else [])]
    return keys


def _keys_of_data(tree: Tree) -> list[str]:
    data = value_at(tree, ("data",))
    choice = _CHOICES["data",]
    if not isinstance(data, dict) or not choice.is_named(data):
        return _SECTIONS["data",]
    if "generator" in data:
        entry = choice.entry(data["generator"])
        return [*GeneratedData.model_fields, *(choice.options(entry) if entry else [])]
    if "file" in data:
        return list(FileData.model_fields)
    if isinstance(data.get("inputs"), np.ndarray):
        return list(ArrayData.model_fields)
    return [*InlineData.model_fields, "file"]  # with `file`, `inputs` are columns


def _named(tree: Tree, location: Location, choice: Choice) -> object:
    value = value_at(tree, location)
    return value.get(choice.key) if isinstance(value, dict) else value


def home_of(tree: Tree, key: str, parent: Location) -> Location | None:
    """The section where a misplaced key belongs; None if its own section can have it."""
    return None if could_stand(key, parent) else next(_homes(tree, key), None)


def could_stand(key: str, section: Location) -> bool:
    """Whether the section can have this key, with the entry that it names or with another."""
    choice = choice_at(section)
    is_option = choice is not None and bool(choice.with_option(key))
    return is_option or key in _SECTIONS.get(_any_index(section), [])


def _homes(tree: Tree, key: str) -> Iterator[Location]:
    """Sections that always have the key, then those that have it now, then those that could."""
    yield from (section for section, keys in _SECTIONS.items() if key in keys)
    yield from (section for section in _CHOICES if key in known_keys(tree, section))
    yield from (section for section, choice in _CHOICES.items() if choice.with_option(key))
