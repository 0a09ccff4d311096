"""Which keys may stand where, for the hints of faults: by section, and by the entry it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args

from pydantic import BaseModel

from bpcli.config.data_models import GeneratedData
from bpcli.config.file_models import FileData
from bpcli.config.inline_models import InlineData
from bpcli.config.models import Spec
from bpcli.config.source import Location, Source
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS
from bpcli.optimizers.schedules import SCHEDULES

NAMING_KEYS = ("name", "generator", "schedule")
"""Keys under which a mapping names the entry of a registry that it means."""


@dataclass(frozen=True)
class Choice:
    """A section that names an entry of a registry, with the entry's options beside the name."""

    registry: Mapping[str, type]
    aliases: Mapping[str, str]
    key: str = "name"
    default: str | None = None

    def entry(self, name: object) -> str | None:
        """Our name for what a config calls so."""
        name = self.aliases.get(name, name) if isinstance(name, str) else self.default
        return name if name in self.registry else None

    def options(self, name: str) -> list[str]:
        return [field.name for field in fields(self.registry[name])]

    def with_option(self, key: str) -> list[str]:
        """The entries that have such an option."""
        return [name for name in self.registry if key in self.options(name)]

    def closest(self, keys: Collection[str]) -> str:
        """The entry that has most of these options, and fewest others."""

        def closeness(name: str) -> tuple[int, int]:
            known = len(set(keys) & set(self.options(name)))
            return known, known - len(self.options(name))

        return max(self.registry, key=closeness)


ALIASES: dict[str, str] = {
    **ACTIVATION_ALIASES,
    **{alias: str(meaning["name"]) for alias, meaning in OPTIMIZER_ALIASES.items()},
}
_CHOICES: dict[Location, Choice] = {
    ("training", "optimizer"): Choice(OPTIMIZERS, ALIASES, default="gradient_descent"),
    ("training", "learning_rate"): Choice(SCHEDULES, {}, key="schedule"),
    ("data",): Choice(GENERATORS, {}, key="generator"),
    ("network", "init"): Choice(INITIALIZERS, {}, default="xavier_uniform"),
    ("network", "activations"): Choice(ACTIVATIONS, ALIASES),
    ("loss",): Choice(LOSSES, {}),
}


def _sections() -> dict[Location, list[str]]:
    """The keys of each section, those of sections in sections last."""
    found: dict[Location, list[str]] = {}
    models: list[tuple[Location, Any]] = [((), Spec)]
    models += [(("data",), model) for model in (GeneratedData, InlineData, FileData)]
    for at, model in models:  # which grows
        keys = found.setdefault(at, [])
        keys += [key for key in model.model_fields if key not in keys]
        models += [
            ((*at, key), inner)
            for key, value in model.model_fields.items()
            for inner in _models_in(value.annotation)
        ]
    return dict(sorted(found.items(), key=lambda item: len(item[0])))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


_SECTIONS = _sections()


def choice_at(location: Location) -> Choice | None:
    """The choice that a section, or an entry of a list, makes."""
    return _CHOICES.get(_without_places(location))


def _without_places(location: Location) -> Location:
    """The location of what is in a list as if it stood there alone."""
    return tuple(key for key in location if not isinstance(key, int))


def known_keys(source: Source, location: Location) -> list[str]:
    """The keys that may stand in the mapping at a location."""
    if location == ("data",):
        return _keys_of_data(source)
    keys = list(_SECTIONS.get(_without_places(location), []))
    choice = choice_at(location)
    if choice is not None:
        entry = choice.entry(_chosen(source, location, choice))
        keys += [choice.key, *(choice.options(entry) if entry else [])]
    return keys


def _keys_of_data(source: Source) -> list[str]:
    data = source.get(("data",))
    generator = data.get("generator") if isinstance(data, dict) else None
    if generator is not None:
        entry = _CHOICES["data",].entry(generator)
        return [*GeneratedData.model_fields, *(_CHOICES["data",].options(entry) if entry else [])]
    if isinstance(data, dict) and "file" in data:
        return list(FileData.model_fields)
    if isinstance(data, dict) and "inputs" in data:
        return [*InlineData.model_fields, "file"]  # beside `file`, `inputs` are columns
    return _SECTIONS["data",]


def _chosen(source: Source, location: Location, choice: Choice) -> object:
    here = source.get(location)
    return here.get(choice.key) if isinstance(here, dict) else here


def home_of(source: Source, key: str, parent: Location) -> Location | None:
    """The section a misplaced key belongs in; None where it is at home, with other neighbours."""
    return None if could_stand(key, parent) else next(_homes(source, key), None)


def could_stand(key: str, section: Location) -> bool:
    """Whether the section has such a key, if perhaps with another name in it."""
    choice = choice_at(section)
    is_option = choice is not None and bool(choice.with_option(key))
    return is_option or key in _SECTIONS.get(_without_places(section), [])


def _homes(source: Source, key: str) -> Iterator[Location]:
    """First the sections that always have the key, then those that have it now, or could."""
    yield from (place for place, keys in _SECTIONS.items() if key in keys)
    yield from (place for place in _CHOICES if key in known_keys(source, place))
    yield from (place for place, choice in _CHOICES.items() if choice.with_option(key))
