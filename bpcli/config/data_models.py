"""The config's `data`: the source of the rows, their splits, and how columns are scaled."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from bpcli.config.named import Strict
from bpcli.data.generators import GENERATORS, MOST_ROWS, Generator
from bpcli.data.preprocessing import ScaleRule
from bpcli.data.types import AskedTask, SplitName

if TYPE_CHECKING:
    from bpcli.data.inline import InlineArrays

Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)]


class DivideBy(Strict):
    """Divide by a constant, such as 16 or 255 for images."""

    divide_by: Annotated[float, Field(gt=0, description="The divisor of every number.")]


ScaleSpec: TypeAlias = ScaleRule | DivideBy


class Scaling(Strict):
    """How columns are scaled: fitted on the training rows, inverted in all outputs."""

    inputs: ScaleSpec = Field(default="none", description="The rule for the inputs.")
    targets: ScaleSpec = Field(default="none", description="The rule for numeric targets.")


class SplitConfig(Strict):
    """Fractions of the rows, where `train` defaults to the rest; or k folds.

    Each of the `folds` is the test set once; `val` is then a fraction of the other rows. `fold`
    chooses one of them, counted from 1.
    """

    train: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="The fraction used for training; null: the rest."
    )
    val: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="The fraction held out to choose the best epoch and to stop early.",
    )
    test: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="The fraction held out to score the trained network."
    )
    stratify: bool | Literal["auto"] = Field(
        default="auto",
        description="Whether each split keeps the proportions of the classes; `auto`: if the "
        "targets are classes and `order` is `random`; several labels are not stratified.",
    )
    order: Literal["random", "time", "blocks", "interleaved"] = Field(
        default="random",
        description="Which rows go where. `time`: the first rows train, the next ones are `val`, "
        "the last ones `test`. `blocks`: the same, and each of the `folds` tests a block of "
        "adjacent rows. `interleaved`: rows are dealt in turn, spread evenly, and each of k "
        "`folds` tests every k-th row. These three draw nothing at random.",
    )
    folds: Annotated[int, Field(ge=2, le=MOST_ROWS)] | None = Field(
        default=None,
        description="The number of folds for cross-validation: each is the test set once, and all "
        "other rows train.",
    )
    fold: Count | None = Field(
        default=None, description="Train only this one of the `folds`, counted from 1."
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
    "What the targets are: classes (`classification`), values (`regression`), or labels of which a "
    "row may have any number, each a column of two values such as no and yes (`multilabel`); null: "
    "inferred from the targets and the loss."
)

SPLIT = "The training, validation and test sets; without it, all rows train."


class Data(Strict):
    """Keys that every source of data has."""

    key: ClassVar[str]
    """The key that only this source has."""

    split: SplitConfig = Field(default=SplitConfig.model_construct(), description=SPLIT)
    scale: Scaling = Field(
        default=Scaling.model_construct(),
        description="How columns are scaled: fitted on the training rows, inverted in all outputs.",
    )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the data come from."""
        return ()

    @property
    def asked_task(self) -> AskedTask | None:
        """What the config says of the targets; None if it says nothing."""
        return None


class InlineData(Data):
    """Rows written in the config."""

    key: ClassVar[str] = "inputs"

    # numbers or lists of them; the cross-check reports the cells that are neither
    inputs: list[Any] = Field(description="The rows: lists of numbers, or numbers.")
    targets: list[Any] | Literal["same_as_inputs"] | None = Field(
        default=None,
        description="One target per row: a number, a list of numbers, or the name of a class.",
    )
    task: AskedTask | None = Field(default=None, description=TASK)

    @property
    def asked_task(self) -> AskedTask | None:
        return self.task

    @property
    def source(self) -> InlineArrays:
        from bpcli.data.inline import InlineArrays  # here: other sources do not need it

        return InlineArrays(self.inputs, None if isinstance(self.targets, str) else self.targets)


class GeneratedData(Data):
    """Data made by a generator; its options stand beside its name."""

    key: ClassVar[str] = "generator"

    generator: str = Field(description="The generator of the rows; its options are further keys.")
    targets: Literal["classes", "values", "same_as_inputs"] | None = Field(
        default=None,
        description="The type of the targets; null: as generated. `values` takes classes as "
        "numbers, `same_as_inputs` makes an autoencoder.",
    )

    @property
    def source(self) -> Generator:
        generator = GENERATORS[self.generator]
        return generator(**{field.name: getattr(self, field.name) for field in fields(generator)})

    @model_validator(mode="after")
    def _options_fit_together(self) -> Self:
        _ = self.source
        return self
