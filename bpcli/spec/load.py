"""Load a config: parse, override, validate, and report every fault at its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bpcli.data.generators import GENERATORS
from bpcli.errors import ConfigError
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.spec.crosscheck import Complaint, cross_check
from bpcli.spec.faults import Fault, did_you_mean, faults_error, shown
from bpcli.spec.models import (
    FileData,
    FileSplit,
    GeneratedData,
    InlineData,
    NetworkSpec,
    Scaling,
    Spec,
    Stop,
    Training,
)
from bpcli.spec.overrides import override
from bpcli.spec.source import Location, Source, resolve
from bpcli.training.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS


@dataclass(frozen=True)
class Config:
    """A validated config and the text it came from."""

    spec: Spec
    source: Source
    notes: tuple[str, ...]
    overrides: tuple[str, ...] = ()

    def error(self, complaints: Iterable[Complaint]) -> ConfigError:
        """Complaints that only the data could raise, shown at their place in the text."""
        return self.source.error(_faults(self.source, complaints))

    def resolved(self) -> str:
        """The config as YAML with every default written out."""
        tree = self.spec.model_dump()
        for key in ("targets", "split", "scale"):  # the source and its options first
            tree["data"][key] = tree["data"].pop(key)
        return dump(tree)


def load_config(path: Path, overrides: Sequence[str] = (), name: str | None = None) -> Config:
    """Read and validate a config file. Raises `ConfigError` with all its faults."""
    source = read_source(path, overrides)
    if name is not None:
        override(source, f"name={dump(name).strip()}", option="--name")
    return replace(validate(source), overrides=tuple(overrides))


def read_source(path: Path, overrides: Sequence[str]) -> Source:
    """A config file with its overrides and a name, not validated yet."""
    source = Source.read(path)
    for assignment in overrides:
        override(source, assignment)
    source.tree.setdefault("name", _name_from(path.stem))
    return source


def validate(source: Source) -> Config:
    """The config that a source describes. Raises `ConfigError` with all its faults."""
    return validate_all([source])[0]


def validate_all(sources: Sequence[Source]) -> list[Config]:
    """The configs of one text with different overrides.

    Raises `ConfigError` with the faults of all, what several have in common once.
    """
    found = [_validated(source) for source in sources]
    faults = [fault for _, faults in found for fault in faults]
    if faults:
        raise faults_error(sources[0].name, sources[0].text, faults)
    return [config for config, _ in found if config is not None]


def _validated(source: Source) -> tuple[Config | None, list[Fault]]:
    """A config without faults, or faults without a config."""
    complaints = list(cross_check(source))
    notes: list[str] = []
    try:
        spec = Spec.model_validate(_anchored(source), context=notes)
    except ValidationError as error:
        known = {complaint.location for complaint in complaints}
        complaints += [c for c in _complaints(source, error) if c.location not in known]
    faults = [*source.faults, *_faults(source, complaints)]
    return (None, faults) if faults else (Config(spec, source, tuple(dict.fromkeys(notes))), [])


def _anchored(source: Source) -> dict[str, Any]:
    """The tree, in which the names of files count from the config's folder."""
    data = source.get(("data",))
    if not isinstance(data, dict) or "file" not in data:
        return source.tree
    anchored = _from(Path(source.name).absolute().parent, data, "file")
    split = data.get("split")
    if isinstance(split, dict):
        anchored["split"] = split | {
            way: _from(Path(source.name).absolute().parent, split[way], *split[way])
            for way in ("files", "index")
            if isinstance(split.get(way), dict)
        }
    return source.tree | {"data": anchored}


def _from(folder: Path, mapping: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The mapping, in which the names under the keys are paths from the folder."""
    names = {key: mapping[key] for key in keys if isinstance(mapping[key], str) and mapping[key]}
    return mapping | {key: str(folder / name) for key, name in names.items()}


def _name_from(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-_.")[:64] or "run"


def _faults(source: Source, complaints: Iterable[Complaint]) -> list[Fault]:
    return [
        Fault(complaint.message, source.mark_of(complaint.location, key=complaint.at_key))
        for complaint in complaints
    ]


# pydantic's errors in our words.


def _complaints(source: Source, error: ValidationError) -> list[Complaint]:
    """One complaint a place: alternatives of a union are merged."""
    expected: dict[Location, list[str]] = {}
    complaints: list[Complaint] = []
    for detail in error.errors(include_url=False):
        kind, location = detail["type"], _real_location(source, detail["loc"], detail["type"])
        if kind == "default_factory_not_called":
            continue  # what it depends on has a fault of its own
        if kind == "extra_forbidden":
            complaints.append(_unknown_key(source, location))
        elif kind == "missing":
            complaints.append(_missing_key(location))
        else:
            wanted = expected.setdefault(location, [])
            wanted += [text for text in [_expectation(detail)] if text not in wanted]
    places = [*expected, *(complaint.location for complaint in complaints)]
    for location, wanted in expected.items():
        if not _is_shadowed(location, places):
            complaints.append(_wrong_value(source, location, wanted))
    return complaints


def _is_shadowed(location: Location, all_locations: list[Location]) -> bool:
    """True where a fault deeper inside the same value says it better (a union's other arm)."""
    return any(
        len(other) > len(location) and other[: len(location)] == location for other in all_locations
    )


def _real_location(source: Source, loc: tuple[Any, ...], kind: str) -> Location:
    """Where a pydantic error lies, without the tags of unions, which are no keys of the file."""
    location: list[Any] = []
    value: Any = source.tree
    for position, part in enumerate(loc):
        is_key = isinstance(value, dict) and part in value
        is_place = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if is_key or is_place:
            location.append(part)
            value = value[part]
        elif kind == "missing" and position == len(loc) - 1:
            location.append(part)
    return tuple(location)


def _unknown_key(source: Source, location: Location) -> Complaint:
    key, parent = str(location[-1]), location[:-1]
    homes = [home for home, keys in _KEYS.items() if key in keys]
    if homes:
        hint = f"; it belongs {_place(homes[0])}"
    else:
        known = _known_keys(source, parent)
        allowed = (
            f"the keys {_place(parent)} are {', '.join(known)}" if known else "it has no options"
        )
        hint = did_you_mean(key, known) or f"; {allowed}"
    return Complaint(location, f"unknown key `{key}`{hint}", at_key=True)


_KEYS: dict[Location, list[str]] = {
    (): list(Spec.model_fields),
    ("training",): list(Training.model_fields),
    ("training", "stop"): list(Stop.model_fields),
    ("network",): list(NetworkSpec.model_fields),
    ("data",): list(GeneratedData.model_fields | InlineData.model_fields | FileData.model_fields),
    ("data", "split"): list(FileSplit.model_fields),
    ("data", "scale"): list(Scaling.model_fields),
}

_OPTIONS: list[Mapping[str, type]] = [ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, GENERATORS]


def _known_keys(source: Source, location: Location) -> list[str]:
    """The keys that may stand in the mapping at a location."""
    keys = list(_KEYS.get(location, []))
    name = source.get((*location, "name")) or source.get((*location, "generator"))
    for registry in _OPTIONS:
        entry = registry.get(name) if isinstance(name, str) else None
        keys += [field.name for field in fields(entry)] if entry else []
    return keys


def _place(location: Location) -> str:
    return f"under `{'.'.join(map(str, location))}`" if location else "at the top level"


def _missing_key(location: Location) -> Complaint:
    parent = location[:-1]
    return Complaint(parent, f"the key `{location[-1]}` is missing {_place(parent)}", at_key=True)


_NOUNS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "a word",
    "string_unicode": "a word of valid characters",
    "list_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "none_required": "null",
    "finite_number": "a finite number",
    "union_tag_not_found": "a name, or a mapping with one",
    "string_pattern_mismatch": "at most 64 letters, digits, - _ and ., the first a letter or digit",
}
_BOUNDS = {
    "greater_than": ("a number greater than {}", "gt"),
    "greater_than_equal": ("a number of at least {}", "ge"),
    "less_than": ("a number less than {}", "lt"),
    "less_than_equal": ("a number of at most {}", "le"),
    "too_short": ("a list of at least {}", "min_length"),
}


def _expectation(detail: Any) -> str:
    """What was allowed, as a noun phrase."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _NOUNS:
        return _NOUNS[kind]
    if kind in _BOUNDS:
        phrase, key = _BOUNDS[kind]
        bound = context[key]
        return phrase.format(bound if isinstance(bound, int) else f"{bound:g}")
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "`")
    if kind == "union_tag_invalid":
        return str(context["expected_tags"]).replace("'", "`").removesuffix(", `arrays`, `file`")
    return str(detail["msg"]).removeprefix("Value error, ")


_ALIASES: dict[str, object] = {
    **ACTIVATION_ALIASES,
    **{alias: meaning["name"] for alias, meaning in OPTIMIZER_ALIASES.items()},
}


def _wrong_value(source: Source, location: Location, wanted: list[str]) -> Complaint:
    found = source.get(location)
    if isinstance(found, dict):
        named = next(
            (key for key in ("name", "generator") if isinstance(found.get(key), str)), None
        )
        if named is not None:
            location, found = (*location, named), found[named]
    if found is None and location == ("data",):
        return Complaint(location, "expected a mapping with `generator`, `file` or `inputs`")
    names = re.findall(r"`([^`]+)`", " ".join(wanted))
    names += [alias for alias, name in _ALIASES.items() if name in names]
    hint = did_you_mean(found, names)
    return Complaint(location, f"found {shown(found)}, expected {' or '.join(wanted)}{hint}")


# Writing a config.


class _Dumper(yaml.SafeDumper):
    """Short lists on one line, and quotes around every word that would not be read as one."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_str(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        is_plain = resolve(text) == text
    except ValueError:
        is_plain = False
    style = None if is_plain else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    is_flat = not any(isinstance(item, list | dict) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_flat)


_Dumper.add_representer(str, _represent_str)
_Dumper.add_representer(list, _represent_list)


def dump(value: Any) -> str:
    """YAML that `Source.parse` reads back as the same value."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, explicit_end=False
    )
    return text.removesuffix("...\n")
