"""What the files of a run hold: every key, its type and its bounds.

A run may come from a stranger, who wrote the digest of a file with the file. So nothing in a file
is used before it was checked here, once, where the file is read. A check changes nothing: what it
accepts stays plain JSON.
"""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bpcli.errors import RunError
from bpcli.nn.network import Bias
from bpcli.nn.numerics import Numerics
from bpcli.runs.layout import CONFIG, METRICS, PATH, RESOLVED, SPLIT, WEIGHTS
from bpcli.text import visible


class Saved(BaseModel):
    """No unknown keys and no conversions; numbers are finite, and counts have 64 bits."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )


Structure = TypeVar("Structure", bound=Saved)


def check(model: type[Structure], value: Any, path: Path) -> Structure:
    """The value as the structure that it is.

    Raises `RunError` naming the file and the first key that is not as `model` says.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        key = ".".join(str(part)[:80] for part in first["loc"] if part not in _ALTERNATIVES)
        reason = first["msg"].removeprefix("Value error, ")[:_LONGEST_REASON]
        raise RunError(
            f"{path} is damaged or not bpnet's: see its `{visible(key) or 'top level'}`: "
            f"{visible(reason)}."
        ) from None


_LONGEST_REASON = 300


_ALTERNATIVES = ("float", "str", "bool", "int")
"""What pydantic adds to the place of a value that may be one of several types."""


# Values.


def _spellable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text holds a lone surrogate") from None
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a name has no control characters")
    return text


_MOST_DEPTH = 8


def _plain(value: Any, depth: int = 0) -> Any:
    """JSON that can be written again, and is not nested deeply: all code that walks it ends."""
    if depth > _MOST_DEPTH:
        raise ValueError(f"a value is nested deeper than {_MOST_DEPTH} levels")
    if isinstance(value, dict | list):
        for inner in (*value, *value.values()) if isinstance(value, dict) else value:
            _plain(inner, depth + 1)
    elif isinstance(value, str):
        _spellable(value)
    elif isinstance(value, int | float) and not abs(value) <= sys.float_info.max:
        raise ValueError("a number is not finite, or too large")
    return value


Text: TypeAlias = Annotated[str, AfterValidator(_spellable)]
Name: TypeAlias = Annotated[str, AfterValidator(_printable)]
Word: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Digest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
Positive: TypeAlias = Annotated[int, Field(ge=1, lt=2**63)]
Number: TypeAlias = float
"""Whole or not: nothing is converted."""

Figure: TypeAlias = Number | None
"""A number; null in place of one that is not finite."""

Scores: TypeAlias = dict[Name, Figure]
Value: TypeAlias = Text | bool | Number | None
JsonValue: TypeAlias = Annotated[Any, AfterValidator(_plain)]


def _of_known_files(digests: dict[str, str]) -> dict[str, str]:
    for file in digests:
        if file not in _ALL_FILES:
            raise ValueError(f"`{file}` is not a file of a run")
    return digests


_ALL_FILES = (CONFIG, SPLIT, RESOLVED, METRICS, WEIGHTS, PATH)


def _has_name(mapping: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(mapping.get("name"), str):
        raise ValueError("it has no `name`")
    return mapping


def _has_schedule(mapping: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(mapping.get("schedule"), str):
        raise ValueError("it has no `schedule`")
    return mapping


Named: TypeAlias = Annotated[dict[Name, Value], AfterValidator(_has_name)]
Scheduled: TypeAlias = Annotated[dict[Name, Value], AfterValidator(_has_schedule)]


# run.json.


class LayerRecord(Saved):
    """A layer as a record describes it."""

    inputs: Positive
    units: Positive
    activation: Named
    bias: Bias


class Rows(Saved):
    """How many rows each split has."""

    train: Count
    val: Count
    test: Count


class Fold(Saved):
    """Which fold of a cross-validation a run is."""

    number: Positive
    of: Positive
    group: Text


class Machine(Saved):
    """What the last bits of a result may depend on."""

    versions: dict[Name, Name]
    platform: Name
    cpu: Name
    numerics: Numerics
    simd: list[Name]
    blas: list[dict[Name, Name | None]]


class ResumedSession(Saved):
    """One time that a run was resumed, and on which machine."""

    at_epoch: Count
    when: Name
    overrides: list[Text]
    changed: list[Text]
    argv: list[Text]
    machine: Machine
    warning: Text | None


class Rule(Saved):
    """A stop rule, with what it measured at the start and at the end."""

    name: Word
    meaning: Text
    start: Figure
    now: Figure
    target: Number
    falls: bool


class RunRecord(Machine):
    """run.json: how a run was trained, why it stopped and what it reached.

    The keys from `stop_reason` on come at the end of training; `error` where that could not be
    saved. While a run is resumed, it keeps some of an earlier end, but not `stop`.
    """

    run_id: Text
    identity: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    status: Literal["running", "finished", "interrupted", "diverged", "failed"]
    started: Name
    name: Name
    config: dict[Text, JsonValue]
    seed: Count
    loss: Word
    reduction: Word
    l2: Number
    class_weights: dict[Name, Number] | None
    weighted: bool
    optimizer: Named
    learning_rate: Number | Scheduled | None
    batch_size: Positive | Literal["full"]
    dtype: Literal["float64", "float32"]
    overrides: list[Text]
    targets_scaled: bool
    task: Word
    data_files: dict[Text, Digest]
    rows: Rows
    layers: Annotated[list[LayerRecord], Field(min_length=1)]
    n_params: Count
    n_frozen: Count
    fold: Fold | None = None
    workers: Positive
    shards: Positive
    block: Positive
    argv: list[Text]
    data_sha256: Digest
    cores: Positive
    sha256: Annotated[dict[str, Digest], AfterValidator(_of_known_files)]
    resumed: list[ResumedSession] = []
    error: Text = ""
    stop_reason: Word = ""
    stop_message: Text | None = None
    diagnostics: dict[Word, Figure] = {}
    epochs: Count = 0
    best_epoch: Count = 0
    ended: Name = ""
    seconds: Number = 0
    watching_seconds: Number = 0
    stop: list[Rule] = []
    warning: Text | None = None
    metrics: Scores = {}
    baselines: dict[Name, Scores] = {}

    @model_validator(mode="after")
    def _has_an_end_or_none(self) -> Self:
        given = self.model_fields_set
        lacking = [key for key in OF_THE_END if key not in given]
        if lacking and (self.status == "finished" or "stop" in given):
            raise ValueError(f"`{lacking[0]}` is missing")
        needed = _FILES if not lacking else _FIRST_FILES
        without = [file for file in needed if file not in self.sha256]
        if without:
            raise ValueError(f"the digest of {without[0]} is missing")
        return self


_FIRST_FILES = (CONFIG, SPLIT)
_FILES = (CONFIG, SPLIT, RESOLVED, METRICS, WEIGHTS)


OF_THE_END = (
    "stop_reason", "stop_message", "diagnostics", "epochs", "best_epoch", "ended", "seconds",
    "watching_seconds", "stop", "warning", "metrics", "baselines",
)  # fmt: skip


# metrics.jsonl.


class LogLine(Saved):
    """A line of metrics.jsonl: an epoch in numbers, metrics and rates among them."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Figure]

    epoch: Count
    loss: Figure
    grad_norm: Figure
    grad_norms: list[Figure]
    seconds: Number
    dead_units: list[Count] = []
    saturated_units: list[Count] = []

    @model_validator(mode="after")
    def _names_are_printable(self) -> Self:
        for name in self.__pydantic_extra__:
            _printable(name)
        return self


class Log(Saved):
    """All lines of metrics.jsonl, in the order of their epochs."""

    lines: list[LogLine]

    @model_validator(mode="after")
    def _epochs_rise(self) -> Self:
        if any(one.epoch >= other.epoch for one, other in pairwise(self.lines)):
            raise ValueError("epochs do not rise from line to line")
        return self


# checkpoint-N.safetensors.


_Word128: TypeAlias = Annotated[int, Field(ge=0, lt=2**128)]


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError("an odd number is needed, or the generator may stand still")
    return number


class GeneratorState(Saved):
    """The two integers of a PCG64 generator."""

    state: _Word128
    inc: Annotated[_Word128, AfterValidator(_odd)]


class RandomState(Saved):
    """Where the generator of random numbers stands."""

    bit_generator: Literal["PCG64"]
    state: GeneratorState
    has_uint32: Literal[0, 1]
    uinteger: Annotated[int, Field(ge=0, lt=2**32)]


def _reason_and_message(ended: list[str]) -> list[str]:
    if len(ended) != 2 or not re.fullmatch("[a-z][a-z0-9_]{0,63}", ended[0]):
        raise ValueError("a reason and a message are needed")
    return ended


class CheckpointMeta(Saved):
    """What describes the arrays of a checkpoint."""

    run: Text
    sha256: Digest
    epoch: Count
    random_state: RandomState
    ended: Annotated[list[Text], AfterValidator(_reason_and_message)] | None
    seconds: Number
    val_loss: Figure
    log_bytes: Count
    log_sha256: Digest
    path_rows: Count
    path_sha256: Digest
