"""Valid configs with mistakes put in at known places, which the errors have to point at.

A config is kept as entries, so that the line and column of each mistake is known from how it is
written out, not from what the loader says.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from bpcli.config.load import dump
from bpcli.data.generators import GENERATORS
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS
from bpcli.nn.initializers import INITIALIZERS
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS

NAMES = {
    *GENERATORS, *ACTIVATIONS, *ACTIVATION_ALIASES, *INITIALIZERS, *LOSSES, *OPTIMIZERS,
    *OPTIMIZER_ALIASES, "float64", "float32", "shuffle", "random", "standard", "minmax", "robust",
    "none", "mean", "sum", "median", "most_frequent", "in", "out",
}  # fmt: skip
"""Words that mean something: a misspelt one must be none of them."""


@dataclass(eq=False)
class Entry:
    """A key with a section or a value; `broken` says which part of it is a mistake."""

    key: str
    value: list[Entry] | list[str] | str
    broken: str | int | None = None
    """`key`, `value`, or the number of a value's item."""
    has_twin: bool = False
    meant: str = ""
    """The key before a mistake."""

    def __post_init__(self) -> None:
        self.meant = self.key

    @property
    def is_section(self) -> bool:
        return isinstance(self.value, list) and not (self.value and isinstance(self.value[0], str))


@dataclass
class Written:
    """The text and the places, counted from 1, of its mistakes."""

    lines: list[str] = field(default_factory=list)
    places: set[tuple[int, int]] = field(default_factory=set)


def entries(tree: dict[str, Any]) -> list[Entry]:
    """A tree as entries: mappings as sections, lists as the texts of their items."""
    return [Entry(flow(key), _value(value)) for key, value in tree.items()]


def _value(value: Any) -> Any:
    if isinstance(value, dict) and value:
        return entries(value)
    if isinstance(value, list) and value:
        return [flow(item) for item in value]
    return flow(value)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return dump(value).strip()


def write(section: list[Entry], written: Written, indent: int = 0) -> Written:
    """Entries as lines of YAML."""
    for entry in section:
        line, start = len(written.lines) + 1, indent + len(entry.key) + 2
        place = indent if entry.broken == "key" else start
        text = ""
        if entry.is_section:
            text = "" if entry.value else "{}"
        elif isinstance(entry.value, str):
            text = entry.value
        else:
            items = [str(item) for item in entry.value]
            text = f"[{', '.join(items)}]"
            if isinstance(entry.broken, int):
                place += 1 + sum(len(item) + 2 for item in items[: entry.broken])
        written.lines.append(" " * indent + f"{entry.key}: {text}".rstrip())
        if entry.broken is not None:
            written.places.add((line, place + 1))
        if entry.is_section:
            write(entry.value, written, indent + 2)  # type: ignore[arg-type]  # it is one
    return written


Path = tuple[str, ...]


def walk(section: list[Entry], path: Path = ()) -> Iterator[tuple[Path, list[Entry], Entry]]:
    """Every entry with its path and the section it stands in."""
    for entry in section:
        yield (*path, entry.meant), section, entry
        if entry.is_section:
            yield from walk(entry.value, (*path, entry.meant))  # type: ignore[arg-type]  # as above


def inject(valid: list[Entry], count: int, rng: random.Random) -> Written:
    """A valid config with so many mistakes, at distinct places."""
    root = deepcopy(valid)
    made = 0
    while made < count:
        made += rng.choice(_MISTAKES)(root, rng)
    return write(root, Written())


Spot = tuple[Path, list[Entry], Entry]


def _sound(root: list[Entry], wanted: Callable[[Path, Entry], object]) -> list[Spot]:
    """Entries without a mistake so far, of the wanted kind."""
    return [
        spot
        for spot in walk(root)
        if spot[2].broken is None and not spot[2].has_twin and wanted(spot[0], spot[2])
    ]


def _is_free_form(path: Path) -> bool:
    """Whether the keys under it are the user's own words: classes and columns."""
    return path[-2:-1] in (("class_weights",), ("fill",))


def _unknown_key(root: list[Entry], rng: random.Random) -> bool:
    sections = [root] + [
        entry.value
        for path, _, entry in walk(root)
        if entry.is_section and path[-1] not in ("class_weights", "fill")
    ]
    section: Any = rng.choice(sections)
    key = "zq" + "".join(rng.choices("xkwvj", k=5))
    value = rng.choice(["1", "x", "[1, 2]", "{a: 1}"])
    section.insert(rng.randint(0, len(section)), Entry(key, value, "key"))
    return True


def _misspelt_key(root: list[Entry], rng: random.Random) -> bool:
    spots = _sound(root, lambda path, _: len(path[-1]) > 3 and not _is_free_form(path))
    known = {path[-1] for path, _, _ in walk(root)}
    _, _, entry = rng.choice(spots)
    key = _typo(entry.key, rng)
    if key in known | NAMES or key == "input":
        return False
    entry.key, entry.broken = key, "key"
    return True


def _wrong_type(root: list[Entry], rng: random.Random) -> bool:
    def has_types(path: Path, entry: Entry) -> bool:
        takes_words = path in (("data", "inputs"), ("data", "targets"), ("data", "missing"))
        return not entry.is_section and not takes_words and not _is_free_form(path)

    spots = _sound(root, has_types)
    if not spots:
        return False
    _, _, entry = rng.choice(spots)
    value = entry.value
    if value == "null":
        wrong = "true"
    elif value in ("true", "false"):
        wrong = "7"
    elif isinstance(value, list) or _is_number(value):
        wrong = "wrong"
    else:
        wrong = "7.5"
    entry.value, entry.broken = wrong, "value"
    return True


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_OUT_OF_RANGE = {
    "seed": "-1", "epochs": "-5", "l2": "-0.5", "val": "1.5", "test": "-0.1", "momentum": "1",
    "batch_size": "0", "rows_per_epoch": "0", "max_fail": "0", "strip": "0", "log_every": "0",
    "workers": "0", "n_samples": "-3", "divide_by": "0", "max_seconds": "-1", "min_grad": "0",
    "name": "'?'", "folds": "1", "fold": "0", "generalization_loss": "0", "train": "0",
}  # fmt: skip


def _out_of_range(root: list[Entry], rng: random.Random) -> bool:
    def has_bound(path: Path, entry: Entry) -> bool:
        return path == ("network", "layers") or (
            path[-1] in _OUT_OF_RANGE and not entry.is_section and path[1:2] != ("optimizer",)
        )

    spots = _sound(root, has_bound)
    if not spots:
        return False
    path, _, entry = rng.choice(spots)
    if isinstance(entry.value, list):
        entry.broken = rng.randrange(len(entry.value))
        entry.value[entry.broken] = "0"  # type: ignore[call-overload]  # items are texts
    elif path[-1] == "name" and len(path) > 1:
        return False
    else:
        entry.value, entry.broken = _OUT_OF_RANGE[path[-1]], "value"
    return True


def _misspelt_name(root: list[Entry], rng: random.Random) -> bool:
    def has_name(path: Path, entry: Entry) -> bool:
        if path == ("name",) or _is_free_form(path) or entry.is_section:
            return False
        values = entry.value if isinstance(entry.value, list) else [entry.value]
        return path != ("data", "missing") and any(value in NAMES for value in values)

    spots = _sound(root, has_name)
    if not spots:
        return False
    _, _, entry = rng.choice(spots)
    if isinstance(entry.value, str):
        word, broken = entry.value, "value"
    else:
        number = rng.choice([n for n, item in enumerate(entry.value) if item in NAMES])
        word, broken = entry.value[number], number  # type: ignore[assignment]
    typo = _typo(str(word), rng)
    if typo in NAMES:
        return False
    if isinstance(entry.value, str):
        entry.value = typo
    else:
        entry.value[broken] = typo  # type: ignore[call-overload]
    entry.broken = broken
    return True


def _typo(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word)) if len(word) > 1 else 0
    kind = rng.randrange(3)
    if kind == 0 and len(word) > 3:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    return word[:at] + "q" + word[at + 1 :]


def _duplicate(root: list[Entry], rng: random.Random) -> bool:
    spots = _sound(root, lambda _, entry: not entry.is_section)
    _, section, entry = rng.choice(spots)
    at = rng.randint(section.index(entry) + 1, len(section))
    section.insert(at, Entry(entry.key, entry.value, "key"))
    entry.has_twin = True
    return True


def _misplaced(root: list[Entry], rng: random.Random) -> bool:
    homes = {(): root} | {
        path: entry.value for path, _, entry in walk(root) if entry.is_section and path in _SECTIONS
    }
    spots = _sound(root, lambda path, _: path[:-1] in _SECTIONS or path[:-1] == ())
    path, section, entry = rng.choice(spots)
    target = rng.choice([home for home in homes if home != path[:-1]])
    if path[-1] in _AT_HOME_TWICE or target[: len(path)] == path:
        return False
    if any(other.key == entry.key and other is not entry for _, _, other in walk(root)):
        return False  # it has a namesake, with which it may be confused
    section.remove(entry)
    into: Any = homes[target]
    into.insert(rng.randint(0, len(into)), entry)
    entry.broken = "key"
    return True


_SECTIONS = {
    ("data",), ("data", "split"), ("data", "scale"), ("network",), ("training",),
    ("training", "stop"),
}  # fmt: skip
_AT_HOME_TWICE = {
    "name", "inputs", "targets", "bias", "intercept", "low", "high", "train", "val", "test",
    "column", "columns",
}  # fmt: skip

_MISTAKES = (
    _unknown_key, _misspelt_key, _wrong_type, _out_of_range, _misspelt_name, _duplicate,
    _misplaced,
)  # fmt: skip
