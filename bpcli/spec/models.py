"""The config's shape: every key, its type, its bounds and its default."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    Field,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)

from bpcli.data.arrayfiles import ARRAY_SUFFIXES, ArraySource
from bpcli.data.arrays import InlineArrays
from bpcli.data.columns import ColumnRules, FillRule, Selector
from bpcli.data.fileparts import FileParts
from bpcli.data.files import MISSING, WHITESPACE, FileFormat
from bpcli.data.filetable import FileSource, FileTask
from bpcli.data.generators import GENERATORS, MOST_ROWS, Generator
from bpcli.data.prepare import PARTS, PartName, ScaleRule
from bpcli.nn.activations import ACTIVATION_ALIASES, ACTIVATIONS, Activation
from bpcli.nn.initializers import INITIALIZERS, Initializer
from bpcli.nn.losses import LOSSES, Loss
from bpcli.registry import name_of
from bpcli.spec.named import OneOf, Strict, named, options_of
from bpcli.training.batches import Sampling
from bpcli.training.metrics import METRICS
from bpcli.training.objective import Reduction
from bpcli.training.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent, Optimizer

if TYPE_CHECKING:
    ActivationSpec = Activation
    InitializerSpec = Initializer
    LossSpec = Loss
    OptimizerSpec = Optimizer
    MetricName = str
else:
    ActivationSpec = named(
        "activation",
        ACTIVATIONS,
        {alias: {"name": name} for alias, name in ACTIVATION_ALIASES.items()},
    )
    InitializerSpec = named("initializer", INITIALIZERS, default="xavier_uniform")
    LossSpec = named("loss", LOSSES)
    OptimizerSpec = named("optimizer", OPTIMIZERS, OPTIMIZER_ALIASES, "gradient_descent")
    MetricName = Literal[tuple(METRICS)]

Units: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)] | Literal["auto"]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)]
BiasSpec: TypeAlias = bool | Literal["frozen"]
Numbers: TypeAlias = list[int | float]
Selectors: TypeAlias = Selector | Annotated[list[Selector], Field(min_length=1)]
Weight: TypeAlias = Annotated[float, Field(gt=0)]


class DivideBy(Strict):
    """Divide by a constant, such as 16 or 255 for images."""

    divide_by: Annotated[float, Field(gt=0)]


ScaleSpec: TypeAlias = ScaleRule | DivideBy


class Scaling(Strict):
    """How columns are scaled; fitted on the training rows, inverted wherever numbers are shown."""

    inputs: ScaleSpec = "none"
    targets: ScaleSpec = "none"


class Split(Strict):
    """Fractions of the rows; `train` is what the others leave.

    Or k `folds`, each in turn the test part, of whose other rows `val` is a fraction; `fold`
    chooses one of them, counted from 1.
    """

    train: Annotated[float, Field(gt=0, le=1)] | None = None
    val: Annotated[float, Field(ge=0, lt=1)] = 0.0
    test: Annotated[float, Field(ge=0, lt=1)] = 0.0
    stratify: bool | Literal["auto"] = "auto"
    folds: Annotated[int, Field(ge=2, le=MOST_ROWS)] | None = None
    fold: Count | None = None

    @property
    def has_all_folds(self) -> bool:
        """Whether all folds are asked for, not one of them."""
        return self.folds is not None and self.fold is None

    @property
    def fractions(self) -> dict[PartName, float]:
        if self.folds is not None:
            rest = 1 - 1 / self.folds
            return {
                "train": rest * (1 - self.val),
                "val": rest * self.val,
                "test": 1 / self.folds,
            }
        train = 1 - self.val - self.test if self.train is None else self.train
        return {"train": train, "val": self.val, "test": self.test}


class FilesOfParts(Strict):
    """Files that hold a part each."""

    val: Annotated[str, Field(min_length=1)] | None = None
    test: Annotated[str, Field(min_length=1)] | None = None

    @property
    def paths(self) -> dict[PartName, Path]:
        names = {part: getattr(self, part, None) for part in PARTS}
        return {part: Path(name) for part, name in names.items() if name is not None}


class IndexOfParts(FilesOfParts):
    """Text files with the row numbers of a part each, counted from 0."""

    train: Annotated[str, Field(min_length=1)] | None = None


class FileSplit(Split):
    """Parts of a table in a file, which may be told apart beforehand in one of three ways."""

    files: FilesOfParts | None = None
    index: IndexOfParts | None = None
    column: Selector | None = None

    @property
    def parts(self) -> FileParts:
        files = {} if self.files is None else self.files.paths
        index = {} if self.index is None else self.index.paths
        return FileParts(files, index, self.column)


class Data(Strict):
    """Keys that every source of data has."""

    split: Split = Split()
    scale: Scaling = Scaling()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the data come from."""
        return ()


class GeneratedData(Data):
    """Data made by a generator; its options stand beside its name."""

    generator: str
    targets: Literal["classes", "values", "same_as_inputs"] | None = None

    @property
    def source(self) -> Generator:
        kind = GENERATORS[self.generator]
        return kind(**{field.name: getattr(self, field.name) for field in fields(kind)})

    @model_validator(mode="after")
    def _options_fit_together(self) -> Self:
        _ = self.source
        return self


class InlineData(Data):
    """Rows written out in the config."""

    inputs: list[Any]  # numbers or lists of them; the cross-check says which cell is neither
    targets: list[Any] | Literal["same_as_inputs"] | None = None

    @property
    def source(self) -> InlineArrays:
        targets = None if isinstance(self.targets, str) else self.targets
        return InlineArrays(self.inputs, targets)


class FileData(Data):
    """A table in a file; columns are chosen by name, number from 1, or pattern."""

    split: FileSplit = FileSplit()
    file: Annotated[str, Field(min_length=1)]
    header: bool = True
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    separator: str | None = None
    quote: str = '"'
    decimal: Literal[".", ","] = "."
    encoding: str | None = None
    missing: list[str | int | float] = [*MISSING]  # noqa: RUF012  # pydantic copies it
    inputs: Selectors = "*"
    targets: Selectors | None = None
    categories: list[Selector] = Field(default_factory=list)
    fill: FillRule | dict[str, FillRule] | None = None
    indicator: bool | list[Selector] = False
    weight: Annotated[str, Field(min_length=1)] | None = None
    task: FileTask | None = None

    @field_validator("separator", "quote")
    @classmethod
    def _one_character(cls, sign: str | None, info: ValidationInfo) -> str | None:
        if info.field_name == "separator" and sign in (None, WHITESPACE):
            return sign
        if sign is None or len(sign) != 1 or sign in "\r\n" or not sign.isascii():
            word = f", or `{WHITESPACE}`" * (info.field_name == "separator")
            raise ValueError(f"one character (ASCII){word}")
        return sign

    @property
    def files(self) -> tuple[Path, ...]:
        parts = self.split.parts
        return (Path(self.file), *parts.files.values(), *parts.index.values())

    @property
    def source(self) -> FileSource | ArraySource:
        path, inputs, parts = Path(self.file), _selectors(self.inputs), self.split.parts
        if path.suffix.lower() in ARRAY_SUFFIXES:
            return ArraySource(path, inputs, self._targets, self.task, parts)
        rules = ColumnRules(
            self.fill,
            self.indicator if isinstance(self.indicator, bool) else tuple(self.indicator),
            tuple(self.categories),
        )
        return FileSource(
            path, self.format, rules, inputs, self._targets, self.task, parts, self.weight
        )

    @property
    def format(self) -> FileFormat:
        return FileFormat(
            self.header,
            tuple(self.columns or ()),
            self.separator,
            self.quote,
            self.decimal,
            self.encoding,
            tuple(map(str, self.missing)),
        )

    @property
    def _targets(self) -> tuple[Selector, ...] | Literal["same_as_inputs"] | None:
        if self.targets is None or self.targets == "same_as_inputs":
            return self.targets  # type: ignore[return-value]  # a literal, by the comparison
        return _selectors(self.targets)


def _selectors(chosen: Selectors) -> tuple[Selector, ...]:
    return tuple(chosen) if isinstance(chosen, list) else (chosen,)


def _kind_of_data(value: Any) -> str | None:
    if isinstance(value, InlineData):
        return "arrays"
    if isinstance(value, FileData):
        return "file"
    if isinstance(value, GeneratedData):
        return value.generator
    if not isinstance(value, dict):
        return None
    if "file" in value and "generator" not in value:
        return "file"
    if "inputs" in value and "generator" not in value:
        return "arrays"
    generator = value.get("generator")
    return generator if isinstance(generator, str) else None


@cache
def _data_model(kind: str) -> type[BaseModel]:
    if kind == "arrays":
        return InlineData
    if kind == "file":
        return FileData
    return create_model(f"data_{kind}", __base__=GeneratedData, **options_of(GENERATORS[kind]))


if TYPE_CHECKING:
    DataSpec = GeneratedData | InlineData | FileData
else:
    DataSpec = Annotated[Any, OneOf([*GENERATORS, "arrays", "file"], _kind_of_data, _data_model)]


class LayerParameters(Strict):
    """Explicit initial parameters of one layer: a row of weights a unit."""

    weights: Annotated[list[Numbers], Field(min_length=1)]
    bias: Numbers | None = None


class NetworkSpec(Strict):
    """Layer sizes, activations, biases and the initial parameters."""

    layers: Annotated[list[Units], Field(min_length=2)]
    activations: Annotated[list[ActivationSpec], Field(min_length=1)]
    bias: BiasSpec | list[BiasSpec] = True
    init: InitializerSpec = INITIALIZERS["xavier_uniform"]()
    parameters: list[LayerParameters] | None = None
    dtype: Literal["float64", "float32"] = "float64"


class Stop(Strict):
    """Thresholds that end training before `epochs`."""

    goal: float | None = None
    min_grad: Annotated[float, Field(gt=0)] | None = None
    max_fail: Count | None = None
    generalization_loss: Annotated[float, Field(gt=0)] | None = None
    progress: Annotated[float, Field(gt=0)] | None = None
    strip: Count = 5
    max_seconds: Annotated[float, Field(gt=0)] | None = None


def _default_learning_rate(training: dict[str, Any]) -> float | None:
    rate: float | None = training["optimizer"].default_learning_rate
    return rate


class Training(Strict):
    """How the loss is lowered, and when that ends."""

    optimizer: OptimizerSpec = GradientDescent()
    learning_rate: Annotated[float, Field(gt=0)] | None = Field(
        default_factory=_default_learning_rate
    )
    epochs: Annotated[int, Field(ge=0, le=10**12)] = 1000
    reduction: Reduction = "mean"
    l2: Annotated[float, Field(ge=0)] = 0.0
    class_weights: Literal["balanced"] | dict[str, Weight] | None = None
    batch_size: Count | Literal["full"] = "full"
    sampling: Sampling = "shuffle"
    rows_per_epoch: Count | None = None
    stop: Stop = Stop()
    workers: Count | Literal["auto"] = "auto"
    record_params: bool = False
    log_every: Count | Literal["auto"] = "auto"

    @field_validator("learning_rate")
    @classmethod
    def _as_the_optimizer_has_it(cls, rate: float | None, info: ValidationInfo) -> float | None:
        """None for an optimizer without one, with a note if one was given."""
        if "optimizer" not in info.data:
            return rate
        default = info.data["optimizer"].default_learning_rate
        if rate is None and default is not None:
            raise ValueError("a number greater than 0")
        if rate is not None and default is None:
            if info.context is not None:
                name = name_of(OPTIMIZERS, info.data["optimizer"])
                info.context.append(f"`{name}` has no learning rate: `learning_rate` is not used")
            return None
        return rate


class Spec(Strict):
    """A whole config, validated."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    data: DataSpec
    network: NetworkSpec
    loss: LossSpec
    training: Training = Training()
    metrics: Literal["auto"] | list[MetricName] = "auto"

    @field_validator("metrics")
    @classmethod
    def _each_metric_once(cls, names: str | list[str]) -> str | list[str]:
        if isinstance(names, list) and len(set(names)) < len(names):
            raise ValueError("each metric once")
        return names
