"""The values that variables of a MATLAB function have while a sample is followed through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from bpcli.data.values import Kind
from bpcli.errors import ModelError
from bpcli.imports.steps import Activate, Placement, Product, Step
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class Column:
    """A row of an input (from 0) that is read with a fill: `number_input(x1(2,:),38.5,2)`."""

    source: str
    row: int
    kind: Kind
    fill: float | None


@dataclass(frozen=True)
class Signal:
    """An input with the steps applied to it.

    `by_row`: its samples are rows now; `given_by_row`: they are rows where it comes in. `columns`
    say how its rows are read, if they are not only numbers.
    """

    source: str
    steps: tuple[Step, ...] = ()
    by_row: bool = False
    given_by_row: bool = False
    columns: tuple[Column, ...] = ()

    def then(self, step: Step) -> Signal:
        """The signal after another step. Raises `ModelError` if there are too many."""
        if len(self.steps) >= _MOST_STEPS:
            raise ModelError(f"it has more than {_MOST_STEPS:,} steps one after the other.")
        return replace(self, steps=(*self.steps, step))

    def transposed(self) -> Signal:
        """The signal with rows and columns exchanged: before any step, it only comes in so."""
        if not self.steps:
            return replace(self, given_by_row=not self.given_by_row)
        return replace(self, by_row=not self.by_row)

    def along(self, shape: tuple[int, ...]) -> Signal | None:
        """The signal, if a constant of a shape (rows, columns) has one number for each unit.

        Before any step, the shape tells whether its samples are rows.
        """
        if len(shape) == 2 and shape[0 if self.by_row else 1] == 1:
            return self
        return None if self.steps or 1 not in shape else self.with_samples_as_rows()

    def with_samples_as_rows(self) -> Signal:
        """A signal without steps whose samples are rows."""
        return replace(self, by_row=True, given_by_row=not self.given_by_row)

    @property
    def weights(self) -> list[Array]:
        """The matrices that were applied."""
        return [step.weights for step in self.steps if isinstance(step, Product)]

    @property
    def units(self) -> int | None:
        """The number of units after the steps; None before any weights."""
        units = None
        for step in self.steps:
            if isinstance(step, Product):
                units = len(step.weights)
            elif isinstance(step, Activate) and units is not None:
                units //= step.activation.rows_per_unit
        return units


@dataclass(frozen=True)
class Reduced:
    """A number for each sample: the largest of its units, or their sum."""

    of: Signal
    name: str


@dataclass(frozen=True)
class Magnitude:
    """|x|, or 1 + |x| if `plus_one`: parts of softsign."""

    of: Signal
    plus_one: bool = False


@dataclass(frozen=True)
class Ones:
    """ones(1,Q), a one for each sample; ones(Q,1) if `by_row`."""

    by_row: bool


@dataclass(frozen=True)
class Filled:
    """A variable that is filled by rows: a signal at some, constants at others."""

    rows: tuple[int, ...] = ()
    signal: Signal | None = None
    constants: tuple[tuple[int, float], ...] = ()
    columns: tuple[Column, ...] = ()

    @property
    def whole(self) -> Signal | None:
        """The signal of all rows; None if there is none, or if columns are out of order."""
        if self.signal is not None:
            return self.signal.then(Placement(self.rows, self.constants))
        sources = {column.source for column in self.columns}
        are_ordered = all(number == each.row for number, each in enumerate(self.columns))
        if len(sources) != 1 or not are_ordered:
            return None
        return Signal(sources.pop(), columns=self.columns)


@dataclass(frozen=True)
class Unknown:
    """A value that is not followed, and the line and the text that made it.

    `flaw` is what is wrong with a constant; `spoils` says that the input was combined with it.
    """

    line: int
    what: str
    flaw: str = ""
    spoils: bool = False

    @property
    def reason(self) -> str:
        """The end of a sentence that begins with `what`."""
        return self.flaw or "is not part of a plain multilayer perceptron that bpnet supports"


@dataclass
class Struct:
    """A variable with fields."""

    fields: dict[str, Value] = field(default_factory=dict)


Value: TypeAlias = (
    "Array | Signal | Column | Reduced | Magnitude | Struct | Filled | Ones | str | Unknown"
)


def is_number(value: Value, number: float) -> bool:
    """Whether a value is this number."""
    return isinstance(value, np.ndarray) and value.size == 1 and bool(value.item() == number)


def rows_in(value: Value) -> tuple[int, ...] | None:
    """Row numbers counted from 0; None if a value is no list of whole numbers from 1."""
    if not isinstance(value, np.ndarray) or not value.size or not (value >= 1).all():
        return None
    if (value % 1).any() or value.max() >= _MOST_ROWS:
        return None
    numbers: Sequence[int] = (value.ravel().astype(int) - 1).tolist()
    return tuple(numbers)


_MOST_STEPS = 5000
_MOST_ROWS = 10**7
