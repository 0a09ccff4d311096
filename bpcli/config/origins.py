"""The origin of each value of a resolved config: a line of the file, an option, or a default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bpcli.config.load import Config
from bpcli.config.source import Location, Source
from bpcli.errors import Mark
from bpcli.nn.activations import ACTIVATION_ALIASES
from bpcli.optimizers import OPTIMIZER_ALIASES

_ALIASES = {*ACTIVATION_ALIASES, *OPTIMIZER_ALIASES}
_NOT_FROM_THE_FILE: dict[Location, str] = {
    ("name",): "default: the file's name",
    ("training", "learning_rate"): "default of the optimizer",
}


def origins(config: Config, resolved: Source) -> dict[Location, str]:
    """The origin of each scalar of the resolved config: file:line, --set, alias, or default."""
    return {
        location: _origin(config.source, location, resolved.get(location))
        for location in resolved.value_marks
        if not (isinstance(resolved.get(location), dict | list) and resolved.get(location))
    }


def _origin(source: Source, location: Location, value: Any) -> str:
    mark = source.value_marks.get(location)
    if mark is not None:
        given = source.get(location)
        unused = ", not used" if value is None and given is not None else ""
        return _place(source, mark) + _alias(given) + unused
    parent = source.get(location[:-1])
    if location[-1] == "name" and isinstance(parent, str):  # the short form of a mapping
        return _place(source, source.value_marks[location[:-1]]) + _alias(parent)
    name = parent.get("name") if isinstance(parent, dict) else parent
    implied = OPTIMIZER_ALIASES.get(name, {}) if isinstance(name, str) else {}
    if location[-1] in implied and location[-1] != "name":
        return f"alias {name}"
    return _NOT_FROM_THE_FILE.get(location, "default")


def _alias(given: Any) -> str:
    return f", alias {given}" if isinstance(given, str) and given in _ALIASES else ""


def _place(source: Source, mark: Mark) -> str:
    if mark.origin is not None:
        return mark.origin.split()[0]
    return f"{Path(source.name).name}:{mark.line + 1}"
