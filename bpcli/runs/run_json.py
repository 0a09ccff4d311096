"""The content of run.json: how a run was trained, why it stopped, and its results."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from bpcli.nn.network import Bias
from bpcli.nn.numerics import Numerics
from bpcli.runs.layout import CONFIG, METRICS, PATH, RESOLVED, SPLIT, STARTS, WEIGHTS
from bpcli.runs.saved import (
    Count,
    Digest,
    Figure,
    Flag,
    JsonValue,
    Name,
    Number,
    Positive,
    Saved,
    Scores,
    Text,
    Value,
    Word,
    structure,
)


def _of_known_files(digests: dict[str, str]) -> dict[str, str]:
    for file in digests:
        if file not in _ALL_FILES:
            raise ValueError(f"`{file}` is not a file of a run")
    return digests


_FIRST_FILES = (CONFIG, SPLIT)
_FILES = (CONFIG, SPLIT, RESOLVED, METRICS, WEIGHTS)
_ALL_FILES = (*_FILES, PATH, *STARTS)


def _has_name(mapping: dict[str, Value]) -> dict[str, Value]:
    if not isinstance(mapping.get("name"), str):
        raise ValueError("it has no `name`")
    return mapping


def _has_schedule(mapping: dict[str, Value]) -> dict[str, Value]:
    if not isinstance(mapping.get("schedule"), str):
        raise ValueError("it has no `schedule`")
    return mapping


Named: TypeAlias = Annotated[dict[Name, Value], AfterValidator(_has_name)]
Scheduled: TypeAlias = Annotated[dict[Name, Value], AfterValidator(_has_schedule)]


Temperature: TypeAlias = Annotated[Number, Field(gt=0)]


@structure
class LayerRecord(Saved):
    """The description of a layer."""

    inputs: Positive
    units: Positive
    activation: Named
    bias: Bias


@structure
class Rows(Saved):
    """The number of rows of each split."""

    train: Count
    val: Count
    test: Count


@structure
class Fold(Saved):
    """The fold of a cross-validation that a run trains."""

    number: Positive
    of: Positive
    group: Text


@structure
class Origin(Saved):
    """The file of another program, or the run, that a network comes from."""

    file: Text
    sha256: Digest
    form: Text


@structure
class Machine(Saved):
    """Everything about a machine that the last bits of a result may depend on."""

    versions: dict[Name, Name]
    platform: Name
    cpu: Name
    numerics: Numerics
    simd: list[Name]
    blas: list[dict[Name, Name | None]]


@structure
class ResumedSession(Saved):
    """A resumption of a run, and its machine."""

    at_epoch: Count
    when: Name
    overrides: list[Text]
    changed: list[Text]
    argv: list[Text]
    machine: Machine
    warning: Text | None


@structure
class Rule(Saved):
    """A stop rule, with its first and last measured value."""

    name: Word
    meaning: Text
    start: Figure
    now: Figure
    target: Number
    falls: Flag


@structure
class Restart(Saved):
    """One of the trainings of a run with restarts; `value` is that of the criterion."""

    number: Count
    init_seed: Count
    status: Word
    stop_reason: Text
    epochs: Count
    seconds: Number
    value: Figure


@structure
class RestartsRecord(Saved):
    """The trainings from which the network of a run was chosen, and those that were kept.

    `kept` are their numbers, the best first: one, or those whose average the network is.
    """

    criterion: Name
    combine: Literal["best", "mean"]
    kept: list[Count]
    trainings: list[Restart]


@structure
class CalibrationRecord(Saved):
    """How probabilities were calibrated on validation rows.

    `best` and `last` are the temperatures by which the z of the output layer of these weights were
    divided, and `units` those of the hidden layer that isotonic calibration adds; null if nothing
    was found. `before` and `after` are scores of the test set, with the best weights.
    """

    method: Literal["temperature", "isotonic"]
    rows: Count
    best: Temperature | None = None
    last: Temperature | None = None
    units: Positive | None = None
    before: Scores = field(default_factory=dict)
    after: Scores = field(default_factory=dict)

    def temperature(self, weights: Literal["best", "last"]) -> float | None:
        """The temperature of these weights."""
        return self.best if weights == "best" else self.last

    def changes(self, weights: Literal["best", "last"]) -> bool:
        """Whether these weights are calibrated."""
        return self.units is not None or self.temperature(weights) is not None


BROKEN_OFF: Literal["interrupted, resumable"] = "interrupted, resumable"
"""The status of a record that says `running` if no process holds the run's lock."""

Status: TypeAlias = Literal[
    "running", "finished", "interrupted", "diverged", "failed", "interrupted, resumable"
]


def _of_a_file(status: Status) -> Status:
    if status == BROKEN_OFF:
        raise ValueError("its value is `running` in a file")
    return status


@structure
class Description(Saved):
    """What is trained, on which data and how: it follows from the config and the data."""

    name: Name
    config: dict[Text, JsonValue]
    seed: Count
    loss: Word
    reduction: Word
    l2: Number
    class_weights: dict[Name, Number] | None
    weighted: Flag
    optimizer: Named
    learning_rate: Number | Scheduled | None
    batch_size: Positive | Literal["full"]
    dtype: Literal["float64", "float32"]
    overrides: list[Text]
    targets_scaled: Flag
    task: Word
    data_files: dict[Text, Digest]
    rows: Rows
    layers: Annotated[list[LayerRecord], Field(min_length=1)]
    n_params: Count
    n_frozen: Count


@structure
class RunRecord(Description):
    """The content of run.json. The identity marks the files that belong to this run.

    `warnings` are likely mistakes: those found before training and, once it has ended, after it.
    `constant` is the prediction of the constant baseline; older runs do not have it. The
    fields from `stop_reason` on are set at the end of training; `error` is set if its results
    could not be saved. A run that is being resumed keeps some results of its earlier end.
    """

    run_id: Text
    identity: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    status: Annotated[Status, AfterValidator(_of_a_file)]
    started: Name
    workers: Positive
    shards: Positive
    block: Positive
    argv: list[Text]
    data_sha256: Digest
    sha256: Annotated[dict[str, Digest], AfterValidator(_of_known_files)]
    versions: dict[Name, Name]
    platform: Name
    cpu: Name
    cores: Positive
    numerics: Numerics
    simd: list[Name]
    blas: list[dict[Name, Name | None]]
    warnings: list[Text]
    constant: list[Number] = field(default_factory=list)
    fold: Fold | None = None
    restarts: RestartsRecord | None = None
    calibration: CalibrationRecord | None = None
    imported: Origin | None = None
    started_from: Origin | None = None
    resumed: list[ResumedSession] = field(default_factory=list)
    error: Text = ""
    stop_reason: Word = ""
    stop_message: Text | None = None
    diagnostics: dict[Word, Figure] = field(default_factory=dict)
    epochs: Count = 0
    best_epoch: Count = 0
    ended: Name = ""
    seconds: Number = 0.0
    watching_seconds: Number = 0.0
    stop: list[Rule] = field(default_factory=list)
    metrics: Scores = field(default_factory=dict)
    baselines: dict[Name, Scores] = field(default_factory=dict)

    @property
    def has_given_parameters(self) -> bool:
        """True if the config gives the initial parameters, so that none are drawn."""
        keys = ("network.parameters", "network.parameters.file")
        return any(self.config.get(key) is not None for key in keys)

    @property
    def has_ended(self) -> bool:
        """True if the training has ended and its end was saved."""
        return bool(self.ended)

    @property
    def has_results(self) -> bool:
        """True if there are epochs and scores, even if from before the run was resumed."""
        return self.has_ended or self.epochs > 0

    @property
    def machine(self) -> Machine:
        """The machine on which training began."""
        return Machine(self.versions, self.platform, self.cpu, self.numerics, self.simd, self.blas)

    def to_json(self) -> dict[str, object]:
        """Return the document of run.json, without fields that are not set yet."""
        to_come = _SOMETIMES if self.has_ended else (*_SOMETIMES, *OF_THE_END)
        tree = super().to_json()
        keys = (*_AT_THE_HEAD, *(key for key in tree if key not in _AT_THE_HEAD))
        return {key: tree[key] for key in keys if tree[key] or key not in to_come}

    @model_validator(mode="before")
    @staticmethod
    def _has_an_end_or_none(document: object) -> object:
        """Check that fields of the end are all set or all missing, and that digests are there."""
        if not isinstance(document, dict):
            return document
        missing = [key for key in OF_THE_END if key not in document]
        if missing and (document.get("status") == "finished" or "stop" in document):
            raise ValueError(f"`{missing[0]}` is missing")
        known = document.get("sha256")
        needed = _FIRST_FILES if missing else _FILES
        without = [file for file in needed if isinstance(known, dict) and file not in known]
        if without:
            raise ValueError(f"the digest of {without[0]} is missing")
        return document


_AT_THE_HEAD = ("run_id", "identity", "status", "started")
_SOMETIMES = (
    "constant", "fold", "restarts", "calibration", "imported", "started_from", "resumed", "error",
)  # fmt: skip
OF_THE_END = (
    "stop_reason", "stop_message", "diagnostics", "epochs", "best_epoch", "ended", "seconds",
    "watching_seconds", "stop", "metrics", "baselines",
)  # fmt: skip


@structure
class Unreadable(Saved):
    """Replaces the record of a run in a list if its run.json cannot be read; `error` says why."""

    run_id: str
    status: Literal["damaged", "unreadable"]
    error: str
    config: ClassVar[dict[str, JsonValue]] = {}
    metrics: ClassVar[Scores] = {}
