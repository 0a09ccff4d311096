"""Axes of charts: from values to positions, and the numbers beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.report.figures import raised, text_of


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high`, drawn from the position `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, values: Array | float) -> Array:
        """The positions of values; NaN where a logarithmic axis has none."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        share = (self._scaled(values) - low) / (high - low)
        position: Array = self.start + share * (self.end - self.start)
        return position

    def position(self, value: float) -> float:
        return float(self.at(value))

    def _scaled(self, values: Array | float) -> Array:
        numbers = np.asarray(values, np.float64)
        if not self.is_log:
            return numbers
        with np.errstate(divide="ignore", invalid="ignore"):
            logs: Array = np.log10(np.where(numbers > 0, numbers, np.nan))
        return logs

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Positions of at most about `most` round numbers, and their texts."""
        values = _powers(self, most) if self.is_log else round_numbers(self.low, self.high, most)
        return [(self.position(value), tick_text(value)) for value in values]


def round_numbers(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between two numbers."""
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.10g}") for number in range(first, last + 1)]


def _powers(axis: Axis, most: int) -> list[float]:
    """Powers of ten, or more numbers between them if there are few."""
    first, last = math.ceil(math.log10(axis.low) - 1e-9), math.floor(math.log10(axis.high) + 1e-9)
    step = max(1, -(-(last - first + 1) // most))
    powers = [10.0**power for power in range(first, last + 1, step)]
    if len(powers) >= 3:
        return powers
    factors = (1, 2, 5) if axis.high / axis.low > 6 else (1, 1.5, 2, 3, 4, 5, 7)
    near = range(math.floor(math.log10(axis.low)), last + 1)
    values = [float(f"{factor * 10.0**power:.10g}") for power in near for factor in factors]
    return [value for value in values if axis.low * 0.999 <= value <= axis.high * 1.001]


def tick_text(value: float) -> str:
    """A number beside an axis: 10⁻³ for small and large powers of ten."""
    if value > 0 and not 1e-3 <= value < 1e6:
        power = math.floor(math.log10(value) + 1e-9)
        factor = value / 10.0**power
        sign = f"10{raised(power)}"
        return sign if abs(factor - 1) < 1e-6 else f"{factor:.3g}·{sign}"
    return text_of(value, 6)


_LARGEST = 1e250


def clipped(values: Array) -> Array:
    """NaN for numbers that are not finite, and numbers that an axis can show."""
    return np.where(np.isfinite(values), np.clip(values, -_LARGEST, _LARGEST), np.nan)


def wants_log(values: Array) -> bool:
    """Whether all values are positive and differ by more than a factor of five."""
    finite = values[np.isfinite(values)]
    if not len(finite) or finite.min() < 1 / _LARGEST:
        return False
    return bool(finite.max() / finite.min() > 5)


def fitted(
    values: Array, start: float, end: float, *, is_log: bool = False, room: float = 0.04
) -> Axis:
    """An axis with all finite values, and some room beyond them."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    if is_log:
        wide = max(high / low, 1.01) ** room
        return Axis(low / wide, high * wide, start, end, True)
    span = high - low or max(abs(high), 1e-12) * 0.2
    if low >= 0 and low - span * room < 0:
        return Axis(0.0, high + span * room or 1.0, start, end)
    return Axis(low - span * room, high + span * room, start, end)
