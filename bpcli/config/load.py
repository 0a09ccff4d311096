"""Load a config: parse, override, validate, and report every issue at its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bpcli.config.crosscheck import cross_check
from bpcli.config.models import Spec
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.config.tree import TreeSource, without_arrays
from bpcli.config.writing import dump
from bpcli.errors import ConfigIssue
from bpcli.text import as_name


@dataclass(frozen=True)
class Config:
    """A validated config and the text it came from."""

    spec: Spec
    source: Source
    notes: tuple[str, ...]
    overrides: tuple[str, ...] = ()

    def resolved(self, start: str | None = None) -> str:
        """The config as YAML with every default written out; arrays are named by their shapes.

        `start` replaces the name of the file with the initial parameters.
        """
        tree = without_arrays(self.spec.model_dump())
        if start is not None:
            tree["network"]["parameters"]["file"] = start
        for key in ("targets", "split", "scale"):  # after the source and its options
            tree["data"][key] = tree["data"].pop(key)
        return dump(tree)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the spec as plain values, as the classes of its options are made on demand."""
        return _restored, (self.spec.model_dump(), self.source, self.notes, self.overrides)


def _restored(
    tree: Mapping[str, Any], source: Source, notes: tuple[str, ...], overrides: tuple[str, ...]
) -> Config:
    """A config from its pickled form."""
    return Config(Spec.model_validate(tree, context=[]), source, notes, overrides)


def load_config(path: Path, overrides: Sequence[str] = (), name: str | None = None) -> Config:
    """Read and validate a config file. Raises `ConfigError` with all its issues."""
    source = read_source(path, overrides)
    if name is not None:
        override(source, f"name={dump(name).strip()}", option="--name")
    return replace(validate(source), overrides=tuple(overrides))


def config_of(
    tree: Mapping[str, Any], overrides: Sequence[str] = (), name: str = "config"
) -> Config:
    """Validate a config given as plain values. Raises `ConfigError` with all its issues.

    Keys and values are those of a config file. Tuples, paths and numbers of numpy are allowed too,
    and `data.inputs` and `data.targets` may be arrays. `name` stands for the file in messages.
    """
    source = TreeSource(tree, name)
    for assignment in overrides:
        override(source, assignment)
    source.tree.setdefault("name", "run")
    return replace(validate(source), overrides=tuple(overrides))


def read_source(path: Path, overrides: Sequence[str]) -> Source:
    """A config file with its overrides and name, not yet validated."""
    source = Source.read(path)
    for assignment in overrides:
        override(source, assignment)
    source.tree.setdefault("name", as_name(path.stem) or "run")
    return source


def as_given(source: Source) -> str:
    """A config with its overrides as YAML, without defaults; file names are absolute."""
    return dump(without_arrays(dict(_anchored(source.tree, source.name))))


def validate(source: Source) -> Config:
    """The config of a source. Raises `ConfigError` with all its issues."""
    return validate_all([source])[0]


def validate_all(sources: Sequence[Source]) -> list[Config]:
    """The configs of one text with different overrides.

    Raises `ConfigError` with the issues of all, each issue once.
    """
    results = [validated(source) for source in sources]
    issues = [issue for _, issues in results for issue in issues]
    if issues:
        raise sources[0].error_of(issues)
    return [config for config, _ in results if config is not None]


def validated(source: Source) -> tuple[Config | None, list[ConfigIssue]]:
    """A config and no issues, or None and the issues, each with its mark."""
    notes: list[str] = []
    try:
        spec = _spec(source.tree, source.name, notes)
    except ValidationError:
        return None, _all_issues(source)
    if source.issues or any(cross_check(source)):
        return None, _all_issues(source)
    return Config(spec, source, tuple(dict.fromkeys(notes))), []


def _all_issues(source: Source) -> list[ConfigIssue]:
    from bpcli.config.all_issues import all_issues  # here: importing it takes 10 ms

    def validate(tree: Mapping[str, Any]) -> ValidationError | None:
        try:
            _spec(tree, source.name, [])
        except ValidationError as error:
            return error
        return None

    issues = [*source.issues, *all_issues(source, validate)]
    assert issues, "a refused config has an issue"
    return issues


def _spec(tree: Mapping[str, Any], name: str, notes: list[str]) -> Spec:
    """The validated tree. Raises pydantic's `ValidationError`."""
    return Spec.model_validate(_anchored(tree, name), context=notes)


def _anchored(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The tree with file names resolved against the folder of the config, `name`."""
    folder = Path(name).absolute().parent
    network = tree.get("network")
    if isinstance(network, dict) and isinstance(network.get("parameters"), dict):
        given = network["parameters"]
        if "file" in given:
            tree = {**tree, "network": {**network, "parameters": _from(folder, given, "file")}}
    data = tree.get("data")
    if not isinstance(data, dict) or "file" not in data:
        return tree
    anchored = _from(folder, data, "file")
    split = data.get("split")
    if isinstance(split, dict):
        anchored["split"] = split | {
            way: _from(folder, split[way], *split[way])
            for way in ("files", "index")
            if isinstance(split.get(way), dict)
        }
    return {**tree, "data": anchored}


def _from(folder: Path, mapping: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The mapping with the file names under the keys resolved against the folder."""
    names = {key: mapping[key] for key in keys if isinstance(mapping[key], str) and mapping[key]}
    return mapping | {key: str(folder / name) for key, name in names.items()}
