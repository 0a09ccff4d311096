"""The config's `data`: the source of the rows, their splits, and how columns are scaled."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from pydantic import Field, field_validator, model_validator

from bpcli.config.named import Strict
from bpcli.data.generators import GENERATORS, MOST_ROWS, Generator
from bpcli.data.scaler import ScaleRule
from bpcli.data.types import AskedTask, SplitName
from bpcli.nn.arrays import Array
from bpcli.text import quoted

if TYPE_CHECKING:
    from bpcli.data.given import GivenArrays
    from bpcli.data.inline import InlineArrays

Names: TypeAlias = list[str]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)]


class DivideBy(Strict):
    """Divide by a constant, such as 16 or 255 for images."""

    divide_by: Annotated[float, Field(gt=0, description="The divisor of every number.")]


ScaleSpec: TypeAlias = ScaleRule | DivideBy


class Scaling(Strict):
    """How columns are scaled: by scales fitted on the training rows, which outputs invert."""

    inputs: ScaleSpec = Field(
        default="none",
        description="The rule for the inputs. `standard`: mean 0 and standard deviation 1. "
        "`minmax`: range [-1, 1]. `robust`: median 0 and interquartile range 1. "
        "`{divide_by: 255}`: division by a constant.",
    )
    targets: ScaleSpec = Field(
        default="none", description="The rule for numeric targets, as for the inputs."
    )


class SplitConfig(Strict):
    """Fractions of the rows, where `train` defaults to the rest; or k folds.

    Each of the `folds` is the test set once; `val` is then a fraction of the other rows. `fold`
    chooses one of the folds, counted from 1.
    """

    train: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="The fraction of the rows used for training; null: the rest."
    )
    val: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="The fraction held out to choose the best epoch and to stop early; with "
        "`folds`, of the rows that are not in the test set.",
    )
    test: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="The fraction held out to score the trained network."
    )
    stratify: bool | Literal["auto"] = Field(
        default="auto",
        description="Whether each split keeps the proportions of the classes; `auto`: yes if the "
        "targets are classes and `order` is `random`, else no. Targets that are labels are never "
        "stratified.",
    )
    order: Literal["random", "time", "blocks", "interleaved"] = Field(
        default="random",
        description="How rows are chosen for each split. `random`: at random. `time`: the first "
        "rows are for `train`, the next ones for `val`, the last ones for `test`. `blocks`: the "
        "same, and with `folds` each test set is a block of adjacent rows. `interleaved`: the rows "
        "of each split are evenly spaced, and with k `folds` each test set is every k-th row. Only "
        "`random` uses random numbers.",
    )
    folds: Annotated[int, Field(ge=2, le=MOST_ROWS)] | None = Field(
        default=None,
        description="The number of folds for cross-validation: each fold is the test set once, and "
        "the other rows are for training and validation.",
    )
    fold: Count | None = Field(
        default=None, description="Train only this fold of the `folds`, counted from 1."
    )

    @property
    def has_all_folds(self) -> bool:
        """Whether all folds are to be trained, not one of them."""
        return self.folds is not None and self.fold is None

    @property
    def fractions(self) -> dict[SplitName, float]:
        if self.folds is not None:
            rest = 1 - 1 / self.folds
            return {
                "train": rest * (1 - self.val),
                "val": rest * self.val,
                "test": 1 / self.folds,
            }
        train = 1 - self.val - self.test if self.train is None else self.train
        return {"train": train, "val": self.val, "test": self.test}


TASK = (
    "What the targets are: classes (`classification`), values (`regression`), or labels "
    "(`multilabel`): columns of two values such as no and yes, where a row may have any number of "
    "labels; null: inferred from the targets and the loss."
)

SPLIT = "The training, validation and test sets; by default all rows are for training."


class Data(Strict):
    """Keys that every source of data has."""

    key: ClassVar[str]
    """The key that only this source has."""

    split: SplitConfig = Field(default=SplitConfig.model_construct(), description=SPLIT)
    scale: Scaling = Field(
        default=Scaling.model_construct(),
        description="How columns are scaled: scales are fitted on the training rows, and outputs "
        "are converted back to the original units.",
    )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the data come from."""
        return ()

    @property
    def asked_task(self) -> AskedTask | None:
        """What the config says that the targets are; None if it says nothing."""
        return None

    @property
    def targets_are_inputs(self) -> bool:
        """Whether the network is an autoencoder."""
        targets = getattr(self, "targets", None)
        return isinstance(targets, str) and targets == "same_as_inputs"


class InlineData(Data):
    """Rows written in the config."""

    key: ClassVar[str] = "inputs"

    # numbers or lists of them; the cross-check reports the cells that are neither
    inputs: list[Any] = Field(description="One entry per row: a list of numbers, or a number.")
    targets: list[Any] | Literal["same_as_inputs"] | None = Field(
        default=None,
        description="One target per row: a number, a list of numbers, or the name of a class. "
        "`same_as_inputs` makes an autoencoder.",
    )
    task: AskedTask | None = Field(default=None, description=TASK)

    @property
    def asked_task(self) -> AskedTask | None:
        return self.task

    @property
    def source(self) -> InlineArrays:
        from bpcli.data.inline import InlineArrays  # here: other sources do not need it

        return InlineArrays(self.inputs, None if isinstance(self.targets, str) else self.targets)


class ArrayData(Data):
    """Arrays that a Python program gives; a config file cannot name them.

    Its keys are the fields of `GivenArrays`.
    """

    key: ClassVar[str] = "inputs"

    inputs: Any
    targets: Any = None
    weight: Any = None
    classes: Names | None = None
    input_names: Names | None = None
    target_names: Names | None = None
    splits: dict[SplitName, Any] | None = None
    task: AskedTask | None = None

    @field_validator("targets")
    @classmethod
    def _no_column_name(cls, targets: Any) -> Any:
        """Refuse a text as in the config of a file, where it names a column."""
        if isinstance(targets, str) and targets != "same_as_inputs":
            raise ValueError(f"found {quoted(targets)}, expected an array or `same_as_inputs`")
        return targets

    @property
    def asked_task(self) -> AskedTask | None:
        return self.task

    @property
    def source(self) -> GivenArrays:
        from bpcli.data.given import GivenArrays  # here: config files do not need it

        return GivenArrays(
            np.asarray(self.inputs),
            _array_or_none(self.targets),
            _array_or_none(self.weight),
            tuple(self.classes or ()),
            tuple(self.input_names or ()),
            tuple(self.target_names or ()),
            self.splits or {},
        )


def _array_or_none(values: Any) -> Array | None:
    """An array; None for what is not given, and for targets that are the inputs."""
    return None if values is None or isinstance(values, str) else np.asarray(values)


class GeneratedData(Data):
    """Data made by a generator; its options are keys beside its name."""

    key: ClassVar[str] = "generator"

    generator: str = Field(
        description="The generator of the rows; its options are further keys of `data`."
    )
    targets: Literal["classes", "values", "same_as_inputs"] | None = Field(
        default=None,
        description="The type of the targets; null: as generated. `values` uses the numbers of the "
        "classes as values, `same_as_inputs` makes an autoencoder.",
    )

    @property
    def source(self) -> Generator:
        generator = GENERATORS[self.generator]
        return generator(**{field.name: getattr(self, field.name) for field in fields(generator)})

    @model_validator(mode="after")
    def _options_fit_together(self) -> Self:
        _ = self.source
        return self
