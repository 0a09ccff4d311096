"""The settings of a sweep: from a number to the values of the swept keys, and to a config.

The rule is fixed: values depend on the config's seed, the number and the key alone. More settings,
more seeds or another key under `random` change no setting that was there before.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from bpcli.config.domains import Distribution, distribution, grid_values
from bpcli.config.events import Unreadable
from bpcli.config.load import Config, validated
from bpcli.config.models import Spec
from bpcli.config.overrides import NewValue, override, put
from bpcli.config.source import Location, Source, value_at
from bpcli.config.sweep_checks import HIDDEN
from bpcli.config.writing import inline
from bpcli.errors import ConfigError, ConfigIssue, Mark

DEFAULT_TRIALS = 20


@dataclass(frozen=True)
class Space:
    """The values of each swept key: those of a grid, and distributions to draw from."""

    grid: Mapping[str, Sequence[Any]]
    random: Mapping[str, Distribution]
    seed: int
    trials: int | None = None

    @classmethod
    def of(cls, spec: Spec) -> Space:
        """The space of a config. Raises `ConfigError` if the config has no `sweep`."""
        sweep = spec.sweep
        if sweep is None:
            raise ConfigError(
                "The config has no `sweep` section: add one, or use options such as "
                "--grid training.learning_rate=0.01,0.1"
            )
        return cls(
            {key: grid_values(entry) for key, entry in sweep.grid.items()},
            {key: distribution(entry) for key, entry in sweep.random.items()},
            spec.seed,
            sweep.trials,
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The swept keys, those of the grid first."""
        return (*self.grid, *self.random)

    @property
    def combinations(self) -> int:
        """The number of points of the grid; 1 without a grid."""
        return math.prod(map(len, self.grid.values()))

    def __len__(self) -> int:
        """The number of settings that were asked for, by default so many that all are tried.

        With random values too, each combination of the grid is tried as often as the others.
        """
        if self.trials is not None:
            return self.trials
        rounds = -(-DEFAULT_TRIALS // self.combinations) if self.random else 1
        return rounds * self.combinations

    def setting(self, number: int) -> dict[str, Any]:
        """The value of each swept key in the setting of this number, from 0 without end.

        The points of the grid take turns, the last key changing fastest.
        """
        drawn = {key: each.at(self._quantile(number, key)) for key, each in self.random.items()}
        return {key: self.grid[key][at] for key, at in self._point(number).items()} | drawn

    def _point(self, number: int) -> dict[str, int]:
        """The index of the value of each key of the grid."""
        indices: dict[str, int] = {}
        for key in reversed([*self.grid]):
            number, indices[key] = divmod(number, len(self.grid[key]))
        return {key: indices[key] for key in self.grid}

    def _quantile(self, number: int, key: str) -> float:
        """A random number in [0, 1) with 53 bits, from a stream of the number and the key.

        numpy guarantees the words of a `SeedSequence` in all versions, unlike a generator's draws.
        """
        name = int.from_bytes(hashlib.sha256(key.encode()).digest())
        spawned = np.random.SeedSequence(self.seed, spawn_key=(name, number))
        return int(spawned.generate_state(1, np.uint64)[0] >> np.uint64(11)) / 2**53


def configs(config: Config, space: Space, numbers: Iterable[int]) -> list[Config]:
    """The config with the values of each setting, without its `sweep`.

    Values are set as by `--set`, outer keys first and `hidden` last; the overrides of the result
    say so. Raises `ConfigError` with the issues of all settings: each once, and of values that are
    drawn, one for each key. Their places are those in the section `sweep`.
    """
    results = [with_values(config, space.setting(number)) for number in numbers]
    issues = [issue for _, own in results for issue in own]
    if issues:
        raise config.source.error_of(_one_for_each_draw(issues, config.source, space))
    return [each for each, _ in results if each is not None]


def with_seed(config: Config, replica: int) -> Config:
    """The config with its seed increased by the number of a training with the same setting."""
    if replica == 0:
        return config
    source = config.source.copy()
    assignment = f"seed={config.spec.seed + replica}"
    override(source, assignment)
    spec = config.spec.model_copy(update={"seed": config.spec.seed + replica})
    return replace(config, spec=spec, source=source, overrides=(*config.overrides, assignment))


class _Entry(NamedTuple):
    """A swept key with its value in a setting, and where in `sweep` that value stands."""

    key: str
    value: Any
    location: Location


def with_values(
    config: Config, values: Mapping[str, Any]
) -> tuple[Config | None, list[ConfigIssue]]:
    """The config with the values of a setting and no issues, or None and the issues."""
    source = config.source.copy()
    del source.tree["sweep"]
    assignments = []
    for swept in _entries(config.source, values):
        for entry in _hidden(swept, source) if swept.key == HIDDEN else [swept]:
            assignments.append(f"{entry.key}={inline(entry.value)}")
            try:
                put(source, _new_value(entry, config.source))
            except Unreadable as error:
                source.issues.append(error.issue._replace(location=entry.location))
    made, issues = validated(source)
    if made is None:
        return None, issues
    return replace(made, overrides=(*config.overrides, *assignments)), []


def _entries(source: Source, setting: Mapping[str, Any]) -> list[_Entry]:
    """The entries of a setting in the order in which they are set."""
    entries = []
    for key, value in setting.items():
        part = "grid" if key in source.get(("sweep", "grid"), {}) else "random"
        at: Location = ("sweep", part, key)
        listed = source.get(at)
        if isinstance(listed, list):
            at = (*at, [*map(inline, listed)].index(inline(value)))
        entries.append(_Entry(key, value, at))
    return sorted(entries, key=lambda entry: (entry.key == HIDDEN, entry.key.count(".")))


def _new_value(entry: _Entry, base: Source) -> NewValue:
    """The value to put, with the marks of the section `sweep`."""
    keys = entry.key.split(".")
    key_mark, mark = base.mark_of(entry.location[:3], key=True), base.mark_of(entry.location)
    assert key_mark is not None, "the key is written in the section"
    assert mark is not None, "its values are written there too"
    if entry.location[2] == HIDDEN:  # sizes have their place in the value, not in a key
        key_mark = mark
    is_written = value_at(base.tree, entry.location) == entry.value  # not drawn, nor from `hidden`
    inner = [
        _marks_inside(marks, entry.location) if is_written else {}
        for marks in (base.key_marks, base.value_marks)
    ]
    return NewValue(keys, deepcopy(entry.value), [key_mark] * len(keys), mark, *inner)


def _marks_inside(marks: Mapping[Location, Mark], location: Location) -> dict[Location, Mark]:
    """The marks of what a value has inside, by their locations in it."""
    end = len(location)
    return {at[end:]: mark for at, mark in marks.items() if len(at) > end and at[:end] == location}


def _hidden(entry: _Entry, source: Source) -> Iterator[_Entry]:
    """The keys of `network` that give the hidden layers their sizes.

    If the number of hidden layers changes, all have the activation and bias that the first one has;
    in a network without hidden layers, tanh and a bias.
    """
    sizes = entry.value if isinstance(entry.value, list) else [entry.value] * (entry.value > 0)
    layers = source.get(("network", "layers"))
    first, *hidden, last = layers
    yield entry._replace(key="network.layers", value=[first, *sizes, last])
    if len(sizes) == len(hidden):
        return
    for key, default in (("activations", "tanh"), ("bias", True)):
        old = source.get(("network", key))
        if isinstance(old, list) and old:
            of_hidden = old[0] if len(old) > 1 else default
            new = [of_hidden] * len(sizes) + old[-1:]
            yield entry._replace(key=f"network.{key}", value=new)


def _one_for_each_draw(
    issues: Iterable[ConfigIssue], source: Source, space: Space
) -> Iterator[ConfigIssue]:
    """The issues, with only the first of those that values from one range or distribution have."""
    places = [("sweep", part, key) for part in ("grid", "random") for key in space.keys]
    texts = {source.value_marks.get(at) for at in places if isinstance(source.get(at), str)}
    seen: set[tuple[Location, Mark | None]] = set()
    for issue in issues:
        at = issue.location, issue.mark
        if issue.mark not in texts or at not in seen:
            yield issue
        seen.add(at)
