"""Find scales of inputs and targets that slow or break training, and a better `data.scale`.

A linear unit z = w x + b has the curvature E[x²] along w and 1 along b. With the mean m and half
the range r of x, the square roots of the ratios of curvatures are about

    (m² + r²) / r   of a column with an offset or a large range,
    1 / r           of one with a small range,
    r_i / r_j       of two columns,

which are 1 for m = 0 and r = 1. The number of steps of gradient descent grows with their squares,
and so does the risk that it diverges (LeCun, Bottou, Orr & Müller 1998, Efficient BackProp,
sec. 4.3 and 5.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bpcli.config.models import Spec
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.scaler import FITTED_RULES
from bpcli.data.table import Table
from bpcli.engine.rows import RowBlocks
from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.registry import name_of

_UNEQUAL = 100.0
_LARGE_TARGETS = 1000.0
_ROUNDING = 1e-6


class Misfit(NamedTuple):
    """A problem with the scale of the inputs or targets, and the rule that corrects it."""

    fact: str
    key: str
    rule: str


@dataclass(frozen=True)
class Scales:
    """The scales of the training rows after preprocessing, as the network gets them."""

    spec: Spec
    table: Table
    preprocessor: Preprocessor
    network: Network
    rows: RowBlocks

    @property
    def warnings(self) -> Iterator[str]:
        """Scales that slow or break training, and targets that the outputs cannot reach."""
        for misfit in self.misfits:
            yield f"{misfit.fact}, which slows or breaks training: {setting_of([misfit])}"
        yield from self.out_of_range

    @property
    def advice(self) -> str | None:
        """The problems and the scales to set, for a training that failed; None if all is well."""
        if not self.misfits:
            return None
        return f"{self.facts}: {setting_of(self.misfits)}"

    @property
    def facts(self) -> str:
        """The problems with the scales in a clause."""
        return ", and ".join(misfit.fact for misfit in self.misfits)

    @cached_property
    def misfits(self) -> list[Misfit]:
        """The problems with the scales, found in at most 1,000 rows.

        A scale that was fitted to the training rows is assumed to be right.
        """
        misfits, some = [], self.rows.some()
        if self.spec.data.scale.inputs not in FITTED_RULES:
            inputs = some.inputs[: self.network.inputs]
            fact = _fact(_Columns.of(self.table.input_names, inputs), _UNEQUAL)
            misfits += [Misfit(fact, "inputs", "standard")] if fact else []
        if self._targets_matter:
            # Weights and the learning rate may follow the targets.
            most = _UNEQUAL if misfits else _LARGE_TARGETS
            fact = _fact(_Columns.of(self.table.target_names, some.targets), most)
            rule = self._rule(*_ends(some.targets))
            misfits += [Misfit(fact, "targets", rule)] if fact and rule else []
        return misfits

    @property
    def _targets_matter(self) -> bool:
        """Whether the targets are values whose scale can slow or break training.

        Without hidden layers, the weights adapt to the scale of the targets, and so do Gauss-Newton
        steps. If outputs are bounded, `out_of_range` checks the targets.
        """
        return (
            self.table.task == "regression"
            and self.spec.data.scale.targets not in FITTED_RULES
            and len(self.network.layers) > 1
            and not self.spec.training.optimizer.needs_sum_of_squares
            and not all(map(math.isfinite, self._top.bounds))
        )

    @property
    def _top(self) -> Activation:
        return self.network.layers[-1].activation

    @property
    def out_of_range(self) -> list[str]:
        """A warning if the output layer cannot reach targets of training rows."""
        misfit = self.unreachable
        return [] if misfit is None else [f"{misfit.fact}: {reaching(misfit)}"]

    @cached_property
    def unreachable(self) -> Misfit | None:
        """Targets of training rows that the output layer cannot reach; None if it reaches all.

        The rule is empty if no scale brings them into the outputs' range.
        """
        low, high = self._top.bounds
        if math.isinf(low) and math.isinf(high):
            return None
        ends = [_ends(block.targets) for block in self.rows.blocks()]
        least = np.min([least for least, _ in ends], axis=0)
        largest = np.max([largest for _, largest in ends], axis=0)
        a, b = float(least.min()), float(largest.max())
        slack = _ROUNDING * max(1.0, abs(a), abs(b))
        if low - slack <= a and b <= high + slack:
            return None
        scaled = "scaled " * self.preprocessor.targets.changes_units
        targets = f"the {scaled}targets range from {a:.6g} to {b:.6g}"
        outputs = f"`{name_of(ACTIVATIONS, self._top)}` outputs are {_between(low, high)}"
        key = "inputs" if self.table.is_autoencoder else "targets"
        return Misfit(f"{targets}, but {outputs}", key, self._reaching(least, largest) or "")

    def _reaching(self, least: Vector, largest: Vector) -> str | None:
        """The scale of targets that the outputs reach, given each column's ends; None if none."""
        low, high = self._originals(least, largest)
        return "none" if self._top.reaches(low, high) else self._rule(least, largest)

    def _rule(self, least: Vector, largest: Vector) -> str | None:
        """The rule that scales targets with these ends into the outputs' range, if one does."""
        low, high = self._originals(least, largest)
        if self._top.reaches(-math.inf, math.inf):
            return "standard"
        if self._top.mixes_units:
            return None
        if self._top.reaches(-1, 1):
            return "minmax"
        if low >= 0 and self._top.reaches(0, 1):
            return f"{{divide_by: {_rounded_up(high)}}}"
        return None

    def _originals(self, least: Vector, largest: Vector) -> tuple[float, float]:
        """The least and the largest target in original units."""
        original = self.preprocessor.original(np.stack([least, largest]))
        return float(original[0].min()), float(original[1].max())


def reaching(misfit: Misfit) -> str:
    """How outputs can reach targets that they do not reach."""
    identity = "use `identity` for the output layer"
    return f"{setting_of([misfit])}, or {identity}" if misfit.rule else identity


def setting_of(misfits: Sequence[Misfit]) -> str:
    """The scales that correct misfits."""
    scales = ", ".join(f"{misfit.key}: {misfit.rule}" for misfit in misfits)
    return f"set `data.scale: {{{scales}}}`"


def _ends(values: Array) -> tuple[Vector, Vector]:
    """The least and the largest of each column of (columns, samples)."""
    return values.min(axis=1), values.max(axis=1)


def _between(low: float, high: float) -> str:
    if math.isinf(high):
        return f"never below {low:g}"
    return f"between {low:g} and {high:g}"


def _rounded_up(number: float) -> str:
    """The next larger number of one digit that is not 0: 400 for 346."""
    unit = 10.0 ** math.floor(math.log10(number))
    return np.format_float_positional(math.ceil(number / unit) * unit, precision=12, trim="-")


class _Columns(NamedTuple):
    """The mean m and half the range r of each column that is not constant."""

    names: Sequence[str]
    mean: Vector
    half: Vector

    @classmethod
    def of(cls, names: Sequence[str], values: Array) -> _Columns:
        """From values (columns, samples)."""
        numbers = values.astype(np.float64)
        half = numbers.max(axis=1) / 2 - numbers.min(axis=1) / 2
        varies = np.flatnonzero(half > 0)
        return cls([names[i] for i in varies.tolist()], numbers.mean(axis=1)[varies], half[varies])

    def size(self, column: int) -> str:
        mean, span = self.mean[column], 2 * self.half[column]
        return f"`{self.names[column]}` has a mean of {mean:.3g} and a range of {span:.3g}"


def _fact(columns: _Columns, most: float) -> str | None:
    """The worst fact about the scale of some columns; None if none is strained more than `most`."""
    half = columns.half
    if not len(half):
        return None
    widest, narrowest, names = int(half.argmax()), int(half.argmin()), columns.names
    with np.errstate(over="ignore"):
        ratio = half[widest] / half[narrowest]
        strain = columns.mean * (columns.mean / half) + half
    if ratio > _UNEQUAL:
        return f"the range of `{names[widest]}` is {ratio:,.0f} times that of `{names[narrowest]}`"
    worst = int(strain.argmax())
    if strain[worst] > most:
        return columns.size(worst)
    return columns.size(widest) if _UNEQUAL * half[widest] < 1 else None
