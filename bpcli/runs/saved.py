"""What the files of a run hold: every key, its type and its bounds.

A run may come from a stranger, and whoever wrote a file wrote its digest too. So nothing in a file
is used before it was checked here, once, where the file is read. A check changes nothing: what it
accepts stays plain JSON.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bpcli.errors import RunError
from bpcli.nn.network import Bias, Layer
from bpcli.nn.numerics import Numerics
from bpcli.runs.store import CONFIG, METRICS, RESOLVED, SPLIT, WEIGHTS
from bpcli.spec.faults import visible
from bpcli.spec.models import ActivationSpec


class Saved(BaseModel):
    """No unknown keys and no conversions; numbers are finite, and integers have 64 bits."""

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


_ALTERNATIVES = ("constrained-int", "float", "str", "bool", "int")
"""What pydantic adds to the place of a value that may be one of several types."""


# Values.


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a name has no control characters")
    return text


_MOST_DEPTH = 8


def _shallow(value: Any, depth: int = 0) -> Any:
    """JSON that is not nested deeply, so that whoever walks through it comes to its end."""
    if depth > _MOST_DEPTH:
        raise ValueError(f"a value is nested deeper than {_MOST_DEPTH} levels")
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _shallow(inner, depth + 1)
    return value


Name: TypeAlias = Annotated[str, AfterValidator(_printable)]
Word: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Digest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]
Positive: TypeAlias = Annotated[int, Field(ge=1, lt=2**63)]
Number: TypeAlias = Annotated[int, Field(ge=-(2**63), lt=2**63)] | float
Figure: TypeAlias = Number | None
"""A number; null in place of one that is not finite."""

Scores: TypeAlias = dict[Name, Figure]
Value: TypeAlias = str | bool | Number | None
JsonValue: TypeAlias = Annotated[Any, AfterValidator(_shallow)]


def _has_name(mapping: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(mapping.get("name"), str):
        raise ValueError("a mapping with a `name`")
    return mapping


def _has_schedule(mapping: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(mapping.get("schedule"), str):
        raise ValueError("a mapping with a `schedule`")
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
    group: Name


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
    overrides: list[str]
    changed: list[str]
    argv: list[str]
    machine: Machine
    warning: str | None


class Rule(Saved):
    """A stop rule, with what it measured at the start and at the end."""

    name: Word
    meaning: str
    start: Figure
    now: Figure
    target: Number
    falls: bool


class RunRecord(Machine):
    """run.json: how a run was trained, why it stopped and what it reached.

    The keys from `stop_reason` on come at the end of training, all together; `error` where that
    could not be saved.
    """

    run_id: Name
    identity: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    status: Literal["running", "finished", "interrupted", "diverged", "failed"]
    started: Name
    name: Name
    config: dict[str, JsonValue]
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
    overrides: list[str]
    targets_scaled: bool
    task: Word
    data_files: dict[str, Digest]
    rows: Rows
    layers: Annotated[list[LayerRecord], Field(min_length=1)]
    n_params: Count
    n_frozen: Count
    fold: Fold | None = None
    workers: Positive
    shards: Positive
    block: Positive
    argv: list[str]
    data_sha256: Digest
    cores: Positive
    sha256: dict[Name, Digest]
    resumed: list[ResumedSession] = []
    error: str = ""
    stop_reason: Word = ""
    stop_message: str | None = None
    figures: dict[Word, Figure] = {}
    epochs: Count = 0
    best_epoch: Count = 0
    ended: Name = ""
    seconds: Number = 0
    watching_seconds: Number = 0
    stop: list[Rule] = []
    warning: str | None = None
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
    "stop_reason", "stop_message", "figures", "epochs", "best_epoch", "ended", "seconds",
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


# weights.safetensors.


class SavedColumn(Saved):
    """A column of the file and how it becomes one or several inputs."""

    name: Name
    kind: Literal["number", "boolean", "category"]
    categories: list[str]
    fill: Number | str | None
    indicator: bool

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "category":
            if self.fill is not None and self.fill not in self.categories:
                raise ValueError("`fill` is none of the `categories`")
        elif self.categories or isinstance(self.fill, str):
            raise ValueError(f"a {self.kind} has no `categories`, and its `fill` is a number")
        if len({*self.categories}) < len(self.categories):
            raise ValueError("each of the `categories` is there once")
        return self


def _each_once(names: list[str]) -> list[str]:
    if len({*names}) < len(names):
        raise ValueError("a name is there twice")
    return names


Names: TypeAlias = Annotated[list[Name], AfterValidator(_each_once)]


class SavedColumns(Saved):
    """What turned the rows of a file into inputs and targets."""

    inputs: Annotated[list[SavedColumn], Field(min_length=1)]
    targets: Names
    class_names: Names
    file_columns: Names

    @model_validator(mode="after")
    def _each_column_once(self) -> Self:
        _each_once([column.name for column in self.inputs])
        return self


class SavedLayer(Saved):
    """A layer of the network that the weights are of."""

    inputs: Positive
    units: Positive
    activation: ActivationSpec
    bias: Bias

    @property
    def layer(self) -> Layer:
        return Layer(self.inputs, self.units, self.activation, self.bias)


class WeightsMeta(Saved):
    """What describes the arrays of weights.safetensors."""

    best_epoch: Count
    class_names: Names
    input_names: Annotated[list[str], Field(min_length=1)]
    target_names: Names
    columns: SavedColumns | None
    layers: Annotated[list[SavedLayer], Field(min_length=1)]
    params: Count

    @model_validator(mode="after")
    def _layers_fit(self) -> Self:
        for below, above in pairwise(self.layers):
            if below.units != above.inputs:
                raise ValueError("a layer's `inputs` are not the units of the layer below")
        if self.layers[0].inputs != len(self.input_names):
            raise ValueError("`input_names` are not as many as the first layer's `inputs`")
        if sum(saved.layer.size for saved in self.layers) != self.params:
            raise ValueError("the layers do not have as many parameters as `params` says")
        return self

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        classes, outputs = len(self.class_names), self.layers[-1].units
        if classes and classes != outputs and (classes, outputs) != (2, 1):
            raise ValueError(f"{classes} `class_names` do not fit {outputs} outputs")
        if self.columns is not None and self.columns.class_names != self.class_names:
            raise ValueError("`class_names` are not those of the `columns`")
        return self


# checkpoint-N.safetensors.


_Word128: TypeAlias = Annotated[int, Field(ge=0, lt=2**128)]


class GeneratorState(Saved):
    """The two integers of a PCG64 generator."""

    state: _Word128
    inc: _Word128


class RandomState(Saved):
    """Where the generator of random numbers stands."""

    bit_generator: Literal["PCG64"]
    state: GeneratorState
    has_uint32: Literal[0, 1]
    uinteger: Annotated[int, Field(ge=0, lt=2**32)]


class CheckpointMeta(Saved):
    """What describes the arrays of a checkpoint."""

    run: str
    sha256: Digest
    epoch: Count
    random_state: RandomState
    ended: Annotated[list[str], Field(min_length=2, max_length=2)] | None
    seconds: Number
    val_loss: Figure
    log_bytes: Count
    log_sha256: Digest
    path_rows: Count
    path_sha256: Digest
