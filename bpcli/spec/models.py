"""The config's shape: every key, its type, its bounds and its default."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
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
from bpcli.spec.named import OneOf, Strict, keyed, named, options_of
from bpcli.training.batches import Sampling
from bpcli.training.metrics import METRICS
from bpcli.training.objective import Reduction
from bpcli.training.optimizers import OPTIMIZER_ALIASES, OPTIMIZERS, GradientDescent, Optimizer
from bpcli.training.schedules import SCHEDULES, LearningRate, Schedule

if TYPE_CHECKING:
    ActivationSpec = Activation
    InitializerSpec = Initializer
    LossSpec = Loss
    OptimizerSpec = Optimizer
    ScheduleSpec = Schedule
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
    ScheduleSpec = keyed("schedule", SCHEDULES, "schedule")
    MetricName = Literal[tuple(METRICS)]

Units: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)] | Literal["auto"]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)]
BiasSpec: TypeAlias = bool | Literal["frozen"]
Numbers: TypeAlias = list[int | float]
Selectors: TypeAlias = Selector | Annotated[list[Selector], Field(min_length=1)]
Weight: TypeAlias = Annotated[float, Field(gt=0)]
FileName: TypeAlias = Annotated[str, Field(min_length=1)]


class DivideBy(Strict):
    """Divide by a constant, such as 16 or 255 for images."""

    divide_by: Annotated[float, Field(gt=0, description="What every number is divided by.")]


ScaleSpec: TypeAlias = ScaleRule | DivideBy


class Scaling(Strict):
    """How columns are scaled; fitted on the training rows, inverted wherever numbers are shown."""

    inputs: ScaleSpec = Field(default="none", description="The rule for the inputs.")
    targets: ScaleSpec = Field(default="none", description="The rule for targets that are values.")


class Split(Strict):
    """Fractions of the rows; `train` is what the others leave.

    Or k `folds`, each in turn the test part, of whose other rows `val` is a fraction; `fold`
    chooses one of them, counted from 1.
    """

    train: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="The fraction that is trained on; what the others leave."
    )
    val: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="The fraction held back to choose the best epoch and to stop early.",
    )
    test: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="The fraction held back to score what was trained."
    )
    stratify: bool | Literal["auto"] = Field(
        default="auto",
        description="Whether each part has its share of every class; `auto`: of classes.",
    )
    folds: Annotated[int, Field(ge=2, le=MOST_ROWS)] | None = Field(
        default=None,
        description="So many test parts in turn, each of which all other rows train for.",
    )
    fold: Count | None = Field(
        default=None, description="Only this one of the `folds`, counted from 1."
    )

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

    val: FileName | None = Field(default=None, description="The file for the validation part.")
    test: FileName | None = Field(default=None, description="The file for the test part.")

    @property
    def paths(self) -> dict[PartName, Path]:
        names = {part: getattr(self, part, None) for part in PARTS}
        return {part: Path(name) for part, name in names.items() if name is not None}


class IndexOfParts(FilesOfParts):
    """Text files with the row numbers of a part each, counted from 0."""

    train: FileName | None = Field(default=None, description="The file for the training part.")


class FileSplit(Split):
    """Parts of a table in a file, which may be told apart beforehand in one of three ways."""

    files: FilesOfParts | None = Field(
        default=None, description="Files of their own for parts: {val: a.csv, test: b.csv}."
    )
    index: IndexOfParts | None = Field(
        default=None,
        description="Text files with row numbers, counted from 0: {train: a.txt, val: b.txt, "
        "test: c.txt}.",
    )
    column: Selector | None = Field(
        default=None, description="A column that says train, val or test."
    )

    @property
    def parts(self) -> FileParts:
        files = {} if self.files is None else self.files.paths
        index = {} if self.index is None else self.index.paths
        return FileParts(files, index, self.column)


_SPLIT = "Which rows train, validate and test; without it all rows train."


class Data(Strict):
    """Keys that every source of data has."""

    split: Split = Field(default=Split(), description=_SPLIT)
    scale: Scaling = Field(
        default=Scaling(),
        description="How columns are scaled; fitted on the training rows, and undone wherever "
        "numbers are shown.",
    )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the data come from."""
        return ()


class GeneratedData(Data):
    """Data made by a generator; its options stand beside its name."""

    generator: str = Field(description="What makes the rows; its own options stand beside it.")
    targets: Literal["classes", "values", "same_as_inputs"] | None = Field(
        default=None,
        description="What is learned; null: what the generator gives. `values` takes classes as "
        "numbers, `same_as_inputs` makes an autoencoder.",
    )

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

    # numbers or lists of them; the cross-check says which cell is neither
    inputs: list[Any] = Field(description="The rows: lists of numbers, or numbers.")
    targets: list[Any] | Literal["same_as_inputs"] | None = Field(
        default=None, description="A target a row: numbers, lists of them, or words for classes."
    )

    @property
    def source(self) -> InlineArrays:
        targets = None if isinstance(self.targets, str) else self.targets
        return InlineArrays(self.inputs, targets)


class FileData(Data):
    """A table in a file; columns are chosen by name, number from 1, or pattern."""

    split: FileSplit = Field(default=FileSplit(), description=_SPLIT)
    file: FileName = Field(
        description="The table, from the config's folder: .csv, .tsv, .txt and other text; "
        ".parquet (`pip install 'bpcli[parquet]'`); .npy, .npz and .mat."
    )
    header: bool = Field(
        default=True,
        description="false: the first row is data, and the columns are `x1`, `x2`, … or as "
        "`columns` says.",
    )
    columns: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None, description="Names, one for each column, instead of the header's."
    )
    separator: str | None = Field(
        default=None, description="Between columns: one character, or whitespace; null: found out."
    )
    quote: str = Field(default='"', description="Around fields with separators in them.")
    decimal: Literal[".", ","] = Field(default=".", description="`,` reads 1,5 as a number.")
    encoding: str | None = Field(
        default=None,
        description="null: UTF-8 or what the first bytes say, else cp1252 or latin-1, with a note.",
    )
    missing: list[str | int | float] = Field(
        default=[*MISSING],
        description="The words for a missing value, which is refused without `fill`.",
    )
    inputs: Selectors = Field(
        default="*",
        description='Columns by name, number from 1 or pattern: `[age, 3, "x*"]`; `"!id"` leaves '
        "one out. The targets never belong to them.",
    )
    targets: Selectors | None = Field(
        default=None,
        description="The columns to predict, one or several; null: the last. Or same_as_inputs.",
    )
    categories: list[Selector] = Field(
        default_factory=list,
        description="Columns that are words although they look like numbers, or have more than 50 "
        "of them.",
    )
    fill: FillRule | dict[str, FillRule] | None = Field(
        default=None,
        description="What stands in for missing values, for all columns or by name or pattern; "
        "words take the most frequent.",
    )
    indicator: bool | list[Selector] = Field(
        default=False,
        description="A further input says where a value was missing: true for each column with "
        "gaps, or a list of columns.",
    )
    weight: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="A column of weights, a number above 0 for each row, which is no input then.",
    )
    task: FileTask | None = Field(
        default=None, description="classification, where numbers are classes; null: by the target."
    )

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
    maker, meaning = GENERATORS[kind], GeneratedData.model_fields["generator"].description
    keys = {"generator": (Literal[kind], Field(description=meaning)), **options_of(maker)}
    return create_model(f"data_{kind}", __base__=GeneratedData, __doc__=maker.__doc__, **keys)


if TYPE_CHECKING:
    DataSpec = GeneratedData | InlineData | FileData
else:
    DataSpec = Annotated[Any, OneOf([*GENERATORS, "arrays", "file"], _kind_of_data, _data_model)]


class LayerParameters(Strict):
    """Explicit initial parameters of one layer: a row of weights a unit."""

    weights: Annotated[list[Numbers], Field(min_length=1)] = Field(
        description="A row of numbers for each unit."
    )
    bias: Numbers | None = Field(default=None, description="A number for each unit.")


class NetworkSpec(Strict):
    """Layer sizes, activations, biases and the initial parameters."""

    layers: Annotated[list[Units], Field(min_length=2)] = Field(
        description="Units of each layer, the inputs first; `auto` takes the first or last from "
        "the data."
    )
    activations: Annotated[list[ActivationSpec], Field(min_length=1)] = Field(
        description="One for each layer after the inputs."
    )
    bias: BiasSpec | list[BiasSpec] = Field(
        default=True,
        description="Whether layers have biases; `frozen` ones stay as they start. One for all "
        "layers, or a list with one for each.",
    )
    init: InitializerSpec = Field(
        default=INITIALIZERS["xavier_uniform"](), description="How the parameters start."
    )
    parameters: list[LayerParameters] | None = Field(
        default=None,
        description="An explicit start, a layer each: [{weights: [[…]], bias: […]}, …].",
    )
    dtype: Literal["float64", "float32"] = Field(
        default="float64",
        description="The precision of training: 15 digits, or 7 in half the memory.",
    )


class Stop(Strict):
    """Thresholds that end training before `epochs`."""

    goal: float | None = Field(
        default=None, description="Stop where the loss is no more than this."
    )
    min_grad: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Stop where the Euclidean norm of the gradient is no more than this.",
    )
    max_fail: Count | None = Field(
        default=None, description="Stop so many epochs after the lowest validation loss."
    )
    generalization_loss: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Stop where the validation loss is so many % above its lowest: 5 is PROBEN1's "
        "GL5.",
    )
    progress: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="Stop where the training loss of a strip is on average no more than this above "
        "its lowest, per mille: 0.1 in PROBEN1.",
    )
    strip: Count = Field(default=5, description="Epochs between tests of the two above.")
    max_seconds: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Stop after so many seconds of training."
    )


class EverySeconds(Strict):
    """So many seconds apart."""

    seconds: Annotated[float, Field(gt=0)] = Field(
        description="Seconds between, or more, so that saving takes less than 1 % of the time."
    )


def _kind_of_rate(value: Any) -> str:
    return "varying" if isinstance(value, dict | Schedule) else "constant"


RateSpec: TypeAlias = Annotated[
    Annotated[float, Field(gt=0), Tag("constant")] | Annotated[ScheduleSpec, Tag("varying")],
    Discriminator(_kind_of_rate),
]


def _default_learning_rate(training: dict[str, Any]) -> float | None:
    rate: float | None = training["optimizer"].default_learning_rate
    return rate


class Training(Strict):
    """How the loss is lowered, and when that ends."""

    optimizer: OptimizerSpec = Field(
        default=GradientDescent(), description="The method that lowers the loss."
    )
    epochs: Annotated[int, Field(ge=0, le=10**12)] = Field(
        default=1000, description="The most passes over the training rows."
    )
    learning_rate: RateSpec | None = Field(
        default_factory=_default_learning_rate,
        description="The size of a step, or its schedule over the epochs. Its default is the "
        "optimizer's; most have none.",
    )
    reduction: Reduction = Field(
        default="mean",
        description="What is minimised: the mean over the rows, or n times it, the sum.",
    )
    l2: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Weight decay λ: adds λ/(2n) Σ W², never for biases."
    )
    class_weights: Literal["balanced"] | dict[str, Weight] | None = Field(
        default=None,
        description="`balanced`, or a weight a class: {0: 1, 1: 2.5}; others count 1.",
    )
    batch_size: Count | Literal["full"] = Field(
        default="full", description="Rows that one update sees: all, or a number of them."
    )
    sampling: Sampling = Field(
        default="shuffle",
        description="How batches are drawn: `shuffle` takes each row once an epoch, `random` draws "
        "with replacement.",
    )
    rows_per_epoch: Count | None = Field(
        default=None,
        description="Rows that the batches of an epoch have in all; null: as many as train.",
    )
    stop: Stop = Field(
        default=Stop(), description="What ends training before `epochs`: the first that is met."
    )
    workers: Count | Literal["auto"] = Field(
        default="auto",
        description="Processes that share the work: changes speed, never a bit of results.",
    )
    record_params: bool = Field(
        default=False, description="Save the parameters after every epoch, in params_path.npy."
    )
    log_every: Count | Literal["auto"] = Field(
        default="auto", description="Epochs between lines of metrics.jsonl, and rows on the screen."
    )
    checkpoint_every: Count | EverySeconds = Field(
        default=EverySeconds(seconds=30),
        description="How often a checkpoint is saved: a number of epochs, or {seconds: 30}.",
    )

    @field_validator("learning_rate", mode="before")
    @classmethod
    def _a_number_or_a_schedule(cls, rate: Any) -> Any:
        if isinstance(rate, str | list):
            raise ValueError(
                "a number greater than 0, or a mapping with `schedule` and its options"
            )
        return rate

    @field_validator("learning_rate")
    @classmethod
    def _over_the_epochs(
        cls, rate: LearningRate | None, info: ValidationInfo
    ) -> LearningRate | None:
        """A schedule that lasts as long as the training keeps its course in longer ones."""
        if isinstance(rate, Schedule) and "epochs" in info.data:  # which is validated before
            return rate.over(info.data["epochs"])
        return rate

    @field_validator("learning_rate")
    @classmethod
    def _as_the_optimizer_has_it(
        cls, rate: LearningRate | None, info: ValidationInfo
    ) -> LearningRate | None:
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

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = Field(
        description="What runs are called; default: the file's name."
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        default=0, description="Feeds data, split, start and batches, each independently."
    )
    data: DataSpec = Field(
        description="Where the rows come from: a `generator`, a `file`, or `inputs` and `targets`."
    )
    network: NetworkSpec = Field(description="Layer sizes, activations and initial parameters.")
    loss: LossSpec = Field(description="What is minimised.")
    training: Training = Field(
        default=Training(), description="How the loss is lowered, and when that ends."
    )
    metrics: Literal["auto"] | list[MetricName] = Field(
        default="auto", description="What is reported beside the loss; `auto`: by task."
    )

    @field_validator("metrics")
    @classmethod
    def _each_metric_once(cls, names: str | list[str]) -> str | list[str]:
        if isinstance(names, list) and len(set(names)) < len(names):
            raise ValueError("each metric once")
        return names
