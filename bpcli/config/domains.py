"""The values of a swept key: lists and ranges of a grid, and distributions to draw from.

A distribution is a quantile function: it maps a number u in [0, 1) to a value. So a draw depends on
u alone, not on the random generator of a version of numpy. Numbers are rounded here, so that the
number that is shown is the one that is used.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeGuard

from bpcli.config.source import MOST_VALUES, Source
from bpcli.config.writing import inline
from bpcli.errors import ConfigError
from bpcli.text import did_you_mean, quoted

_DIGITS = 6
_MOST = 10_000
"""The most values of a range."""
_LARGEST = 2**53
"""Whole numbers up to this size are exact as floating-point numbers."""


class Distribution(Protocol):
    """Values with their probabilities."""

    def at(self, u: float) -> Any:
        """The quantile of u, which is in [0, 1)."""


@dataclass(frozen=True)
class Uniform:
    """Each number between two limits is equally likely. x(u) = (1 - u) low + u high."""

    low: float
    high: float
    needs: ClassVar[str] = "two numbers"

    def at(self, u: float) -> float:
        return self.rounded((1 - u) * self.low + u * self.high)

    def rounded(self, x: float) -> float:
        """A number between the limits, with few digits after those of their distance."""
        width = min(self.high - self.low, sys.float_info.max)
        if width > 0:
            x = round(x, _DIGITS - math.floor(math.log10(width)))
        return _within(x, self.low, self.high)


@dataclass(frozen=True)
class LogUniform:
    """The logarithm is uniform. ln x(u) = (1 - u) ln low + u ln high."""

    low: float
    high: float
    needs: ClassVar[str] = "two numbers above 0"

    def at(self, u: float) -> float:
        return self.rounded(math.exp((1 - u) * math.log(self.low) + u * math.log(self.high)))

    def rounded(self, x: float) -> float:
        """A number between the limits, with few digits."""
        return _within(_significant(x), self.low, self.high)


@dataclass(frozen=True)
class Whole:
    """Each whole number from `low` to `high` is equally likely."""

    low: int
    high: int
    needs: ClassVar[str] = "two whole numbers"

    def at(self, u: float) -> int:
        count = self.high - self.low + 1
        return self.low + min(int(u * count), count - 1)


@dataclass(frozen=True)
class LogWhole:
    """Whole numbers whose logarithm is uniform: P(k) = ln((k + 1/2) / (k - 1/2)) / constant."""

    low: int
    high: int
    needs: ClassVar[str] = "two whole numbers above 0"

    def at(self, u: float) -> int:
        ends = math.log(self.low - 0.5), math.log(self.high + 0.5)
        x = round(math.exp((1 - u) * ends[0] + u * ends[1]))
        return min(max(x, self.low), self.high)


@dataclass(frozen=True)
class Choice:
    """Each of some values is equally likely."""

    values: Sequence[Any]

    def at(self, u: float) -> Any:
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]


_BETWEEN: dict[str, type[Uniform | LogUniform | Whole | LogWhole]] = {
    "uniform": Uniform,
    "loguniform": LogUniform,
    "int": Whole,
    "logint": LogWhole,
}
_DRAWN = (*_BETWEEN, "choice")
_RANGES = ("range", "logrange")
_FORMS = {
    "uniform": "uniform(0, 1)",
    "loguniform": "loguniform(1e-4, 10)",
    "int": "int(1, 20)",
    "logint": "logint(1, 1000)",
    "choice": "choice(x, y)",
    "range": "range(0, 1, 0.25)",
    "logrange": "logrange(1e-4, 1, 5)",
}


def distribution(given: object) -> Distribution:
    """The distribution of an entry of `random`: a call as text, or a list to choose from.

    Raises `ValueError` with a sentence for what is none.
    """
    if isinstance(given, list):
        return Choice(_values(given))
    name, arguments = _call(given, _DRAWN)
    if name in _RANGES or name == "..":
        raise ValueError(
            f"{quoted(given)} is a range: put it under `grid`, or draw from {_FORMS['int']}"
        )
    if name == "choice":
        return Choice(_values(arguments))
    between = _BETWEEN[name]
    low, high = _limits(name, between.needs, arguments)
    return between(low, high)


def grid_values(given: object) -> list[Any]:
    """The values of an entry of `grid`: a list, or a range as text.

    Raises `ValueError` with a sentence for what is neither, or for an empty list.
    """
    if isinstance(given, list):
        return _values(given)
    name, arguments = _call(given, _RANGES)
    if name in _DRAWN:
        raise ValueError(f"{quoted(given)} draws values: put it under `random`")
    return _RANGE[name](arguments)


def is_call(text: str) -> bool:
    """Whether a text has the form of a range or a distribution, not of a value."""
    return _CALL.fullmatch(text) is not None or _SPAN.fullmatch(text) is not None


_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*", re.DOTALL)
_SPAN = re.compile(r"\s*([-+\w.]+?)\s*\.\.\s*([-+\w.]+)\s*")


def _call(given: object, expected: Sequence[str]) -> tuple[str, list[Any]]:
    """The name and arguments of a call; `..` and both ends of a span."""
    forms = "a list" if expected is _RANGES else "a list to choose from"
    wanted = f"{forms}, {', '.join(_FORMS[name] for name in expected)}"
    wanted += " or 1..20" if expected is _RANGES else ""
    if not isinstance(given, str):
        raise ValueError(f"found {quoted(given)}, expected {wanted}")
    span, call = _SPAN.fullmatch(given), _CALL.fullmatch(given)
    if span is not None:
        return "..", [_parsed(end, given)[0] for end in span.groups()]
    if call is not None and call[1] in _FORMS:
        return call[1], _parsed(call[2], given)
    hint = did_you_mean(call[1] if call else given, expected)
    if call is None and "," in given and not hint:
        hint = f"; write [{given.strip()}] for a list"
    raise ValueError(f"found {quoted(given)}, expected {wanted}{hint}")


def _parsed(text: str, whole: str) -> list[Any]:
    """The arguments of a call, read as the items of a list in YAML."""
    try:
        parsed = Source.parse(f"value: [{text}]", "value", MOST_VALUES)
        issues = parsed.issues
    except ConfigError as error:
        raise ValueError(f"{quoted(whole)} cannot be read: {error.issues[0].message}") from None
    if issues:
        raise ValueError(f"{quoted(whole)} cannot be read: {issues[0].message}")
    items: list[Any] = parsed.tree["value"]
    return items


def _values(given: list[Any]) -> list[Any]:
    if not given:
        raise ValueError("the list is empty: expected at least one value")
    try:
        texts = [*map(inline, given)]
    except TypeError:  # from a Python program
        raise ValueError("expected numbers, texts, lists or mappings of them") from None
    for number, text in enumerate(texts):
        if text in texts[:number]:
            raise ValueError(f"{quoted(text)} is listed more than once: list each value once")
    return given


def _limits(name: str, needs: str, given: Sequence[Any]) -> tuple[Any, Any]:
    """Both limits of a distribution or range. Raises `ValueError` unless they are as it `needs`."""
    if len(given) != 2:
        limits = quoted(given[0]) if len(given) == 1 else f"{len(given) or 'no'} values"
        raise ValueError(f"`{name}` has {needs} as limits, such as {_FORMS[name]}; found {limits}")
    for limit in given:
        if not _is_number(limit, whole="whole" in needs) or ("above 0" in needs and limit <= 0):
            raise ValueError(
                f"`{name}` has {needs} as limits, such as {_FORMS[name]}; found {quoted(limit)}"
            )
    low, high = given
    if low > high:
        raise ValueError(f"the lower limit {low} is above the upper limit {high}: exchange them")
    return low, high


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number: not a float, nor True or False."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object, *, whole: bool = False) -> bool:
    if isinstance(value, int):
        return is_whole(value) and abs(value) <= _LARGEST
    return not whole and isinstance(value, float) and math.isfinite(value)


def _span(given: list[Any]) -> list[int]:
    """All whole numbers from one to another: 1..20."""
    for end in given:
        if not _is_number(end, whole=True):
            raise ValueError(
                f"a range such as 1..20 has whole numbers; found {quoted(end)}: for others write "
                f"{_FORMS['range']}"
            )
    low, high = given
    if low > high:
        raise ValueError(f"the range begins at {low}, above its end {high}: exchange them")
    _refuse_long(high - low + 1)
    return list(range(low, high + 1))


def _steps(given: list[Any]) -> list[Any]:
    """Numbers from one to another with a constant difference: range(0, 1, 0.25)."""
    (low, high), step = _limits("range", "two numbers", given[:2]), given[2:]
    if len(step) != 1 or not _is_number(step[0]) or step[0] <= 0:
        raise ValueError(
            f"`range` has a first number, a last number and a step above 0, such as "
            f"{_FORMS['range']}"
        )
    count = (high - low) / step[0]
    _refuse_long(count)
    values = [low + number * step[0] for number in range(math.floor(count + 1e-9) + 1)]
    return [min(_significant(x, 12), high) for x in values]


def _ratios(given: list[Any]) -> list[float]:
    """Numbers from one to another with a constant ratio: logrange(1e-4, 1, 5)."""
    low, high = _limits("logrange", "two numbers above 0", given[:2])
    count = given[2] if len(given) == 3 else None
    if not _is_number(count, whole=True) or not isinstance(count, int) or count < 2:
        raise ValueError(
            "`logrange` has a first number, a last number and the number of values, at least 2, "
            f"such as {_FORMS['logrange']}"
        )
    _refuse_long(count)
    curve = LogUniform(low, high)
    return _values([float(curve.at(number / (count - 1))) for number in range(count)])


_RANGE: dict[str, Callable[[list[Any]], list[Any]]] = {
    "..": _span,
    "range": _steps,
    "logrange": _ratios,
}


def _refuse_long(count: float) -> None:
    if count > _MOST:
        raise ValueError(f"the range has {count:,.0f} values, more than {_MOST:,}: use `random`")


def _significant(x: float, digits: int = _DIGITS) -> Any:
    """The number rounded to some significant digits; whole numbers stay."""
    return x if isinstance(x, int) else float(f"{x:.{digits}g}")


def _within(x: float, low: float, high: float) -> float:
    """The number, or the limit beyond which it was rounded."""
    return float(min(max(x, low), high))
