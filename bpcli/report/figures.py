"""Numbers as a report writes them."""

from __future__ import annotations

import math

from bpcli.nn.arrays import Array


def text_of(value: float | None, digits: int = 4) -> str:
    """A number with few significant digits, whole numbers with separators; a dash for None."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN")
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}".replace("-", "−")
    if 10 ** (digits - 1) <= abs(value) < 1e7:
        return f"{value:,.0f}".replace("-", "−")
    return _with_power(f"{value:.{digits}g}").replace("-", "−")


def _with_power(text: str) -> str:
    """1.1·10⁻⁵ for 1.1e-05."""
    factor, has_power, power = text.partition("e")
    return f"{factor}·10{raised(int(power))}" if has_power else text


def raised(power: int) -> str:
    """A number as an exponent: ⁻⁵."""
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def short(value: float) -> float | None:
    """A number for a script of the page: five significant digits; None if it is not finite."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def shorts(values: Array) -> list[float | None]:
    return [short(value) for value in values.tolist()]
