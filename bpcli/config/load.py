"""Load a config: parse, override, validate, and report every fault at its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bpcli.config.crosscheck import Complaint, cross_check, faults_of
from bpcli.config.issues import Fault, faults_error
from bpcli.config.models import Spec
from bpcli.config.overrides import override
from bpcli.config.source import Source, resolve
from bpcli.errors import ConfigError


@dataclass(frozen=True)
class Config:
    """A validated config and the text it came from."""

    spec: Spec
    source: Source
    notes: tuple[str, ...]
    overrides: tuple[str, ...] = ()

    def error(self, complaints: Iterable[Complaint]) -> ConfigError:
        """Complaints that only the data could raise, shown at their place in the text."""
        return self.source.error(faults_of(self.source, complaints))

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
    notes: list[str] = []
    spec, error = _spec(source, notes)
    is_clean = spec is not None and not source.faults and not any(cross_check(source))
    faults = [] if is_clean else _all_faults(source, error)
    if faults or spec is None:
        return None, faults
    return Config(spec, source, tuple(dict.fromkeys(notes))), []


def _all_faults(source: Source, error: ValidationError | None) -> list[Fault]:
    from bpcli.config.all_issues import all_faults  # only now: it takes 10 ms of a start

    return [*source.faults, *all_faults(source, error, lambda mended: _spec(mended, [])[1])]


def _spec(source: Source, notes: list[str]) -> tuple[Spec | None, ValidationError | None]:
    try:
        return Spec.model_validate(_anchored(source), context=notes), None
    except ValidationError as error:
        return None, error


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
