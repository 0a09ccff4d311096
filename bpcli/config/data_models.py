"""The config's `data`: where the rows come from, which of them train, and how they are scaled."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from bpcli.config.named import Strict
from bpcli.data.generators import GENERATORS, MOST_ROWS, Generator
from bpcli.data.preprocessing import ScaleRule
from bpcli.data.types import SplitName

Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST_ROWS)]


class DivideBy(Strict):
    """Divide by a constant, such as 16 or 255 for images."""

    divide_by: Annotated[float, Field(gt=0, description="What every number is divided by.")]


ScaleSpec: TypeAlias = ScaleRule | DivideBy


class Scaling(Strict):
    """How columns are scaled; fitted on the training rows, inverted wherever numbers are shown."""

    inputs: ScaleSpec = Field(default="none", description="The rule for the inputs.")
    targets: ScaleSpec = Field(default="none", description="The rule for targets that are values.")


class SplitConfig(Strict):
    """Fractions of the rows; `train` is what the others leave.

    Or k `folds`, each in turn the test set, of whose other rows `val` is a fraction; `fold`
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
        description="Whether each split has its share of every class; `auto`: of classes.",
    )
    folds: Annotated[int, Field(ge=2, le=MOST_ROWS)] | None = Field(
        default=None,
        description="So many test sets in turn, each of which all other rows train for.",
    )
    fold: Count | None = Field(
        default=None, description="Only this one of the `folds`, counted from 1."
    )

    @property
    def has_all_folds(self) -> bool:
        """Whether all folds are asked for, not one of them."""
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


SPLIT = "Which rows train, validate and test; without it all rows train."


class Data(Strict):
    """Keys that every source of data has."""

    key: ClassVar[str]
    """The one of its own keys that tells it from other sources."""

    split: SplitConfig = Field(default=SplitConfig.model_construct(), description=SPLIT)
    scale: Scaling = Field(
        default=Scaling.model_construct(),
        description="How columns are scaled; fitted on the training rows, and undone wherever "
        "numbers are shown.",
    )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the data come from."""
        return ()

    @property
    def is_regression(self) -> bool:
        """Whether the config itself says that targets of 0 and 1 are no classes."""
        return False


class GeneratedData(Data):
    """Data made by a generator; its options stand beside its name."""

    key: ClassVar[str] = "generator"

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
