"""The options of a sweep, which add to the section `sweep` of a config or replace entries of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bpcli.config.domains import is_call
from bpcli.config.events import Unreadable
from bpcli.config.load import Config, read_source, validate
from bpcli.config.overrides import Assignment, forget, override, put
from bpcli.config.source import Source
from bpcli.config.writing import dump
from bpcli.errors import Mark

_EXAMPLES = {
    "grid": "--grid training.learning_rate=0.01,0.1",
    "random": '--random "training.l2=loguniform(1e-4, 10)"',
}
_OTHER = {"grid": "random", "random": "grid"}


@dataclass(frozen=True)
class SweepOptions:
    """The options as they were written; None and False are options that were not given."""

    grid: Sequence[str] = ()
    random: Sequence[str] = ()
    trials: str | int | None = None
    seeds: str | int | None = None
    metric: str | None = None
    halving: bool = False
    sampler: str | None = None


def load_sweep(
    path: Path, overrides: Sequence[str], options: SweepOptions, name: str | None = None
) -> Config:
    """Read and validate a config with the options of a sweep.

    Raises `ConfigError` with all issues of the config and the options.
    """
    source = read_source(path, overrides)
    if name is not None:
        override(source, f"name={dump(name).strip()}", option="--name")
    add_options(source, options)
    return replace(validate(source), overrides=tuple(overrides))


def add_options(source: Source, options: SweepOptions) -> None:
    """Put the options into the section `sweep`; their issues are added to those of the source."""
    _add_entries(source, "grid", options.grid)
    _add_entries(source, "random", options.random)
    for key in ("trials", "seeds", "metric", "sampler"):
        given = getattr(options, key)
        if given is not None:
            override(source, f"sweep.{key}={given}", option=f"--{key}")
    if options.halving:
        override(source, "sweep.halving=true", option="--halving")


def _add_entries(source: Source, part: str, entries: Iterable[str]) -> None:
    for entry in entries:
        try:
            _add_entry(source, part, entry)
        except Unreadable as error:
            source.issues.append(error.issue._replace(location=("sweep", part)))


def _add_entry(source: Source, part: str, entry: str) -> None:
    """Add KEY=VALUE,VALUE or KEY=RANGE. An entry of the file with this key is replaced."""
    key, equals, text = entry.partition("=")
    key, option = key.strip(), f"--{part}"
    given = Assignment(["sweep", part, key], text, f"{option} {entry}", implied=2)
    if not (key and equals and text.strip()):
        mark = Mark(0, len(option) + 1, len(given.origin), given.origin)
        raise Unreadable(f"expected a key and its values, such as {_EXAMPLES[part]}", mark)
    is_text = part == "random" or is_call(text)
    put(source, given.verbatim() if is_text else given.listed())
    _drop_from_file(source, _OTHER[part], key)


def _drop_from_file(source: Source, part: str, key: str) -> None:
    """Remove a key that the file, not another option, has in the other part of the section."""
    location = ("sweep", part, key)
    mark = source.key_marks.get(location)
    if mark is not None and mark.origin is None:
        del source.get(location[:-1])[key]
        forget(source, location)
