"""Texts of numbers, and of values of a config, for the cells of tables and for plots."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeGuard

from bpcli.text import duration, plain, rounded


def named_text(item: Mapping[str, object], name: str = "name") -> str:
    """The value of the key `name`, with the other keys as options: elu (alpha 1).

    Options that are null, so that the code chooses, are left out.
    """
    given = {key: value for key, value in item.items() if key != name and value is not None}
    options = [f"{key} {_option_text(value)}" for key, value in given.items()]
    return f"{item[name]} ({', '.join(options)})" if options else str(item[name])


def _option_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()  # as in YAML
    return f"{value:g}" if isinstance(value, float) else str(value)


def value_text(value: object) -> str:
    """A value of a config, shortened for a table."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, list):
        return plain(f"[{', '.join(map(value_text, value))}]", 40)
    if isinstance(value, dict) and "name" in value:
        return plain(named_text(value), 40)
    if isinstance(value, dict):
        return plain(", ".join(f"{key} {value_text(inner)}" for key, inner in value.items()), 40)
    return plain(str(value), 40)


def key_heading(key: str, keys: Sequence[str], taken: Collection[str] = ()) -> str:
    """The shortest end of a key, in whole parts, that is not taken and that no other key has.

    Of `optimizer.name` and `loss.name`, no part is left out; of `training.l2`, the first one is.
    """
    others = [each for each in keys if each != key]
    parts = key.split(".")
    ends = (".".join(parts[start:]) for start in reversed(range(len(parts))))
    free = (
        end
        for end in ends
        if end not in taken and not any(f".{each}".endswith(f".{end}") for each in others)
    )
    return next(free, key)


def spread_texts(means: Sequence[float | None], sds: Sequence[float | None]) -> list[str]:
    """The cells of a column: 0.1203 ± 0.0102; only means if there is no standard deviation."""
    texts = aligned(means, 4)
    if not any(map(is_finite, sds)):
        return texts
    ends = aligned(sds, 2)
    widest = max(map(len, ends))
    return [
        f"{text} ± {end.rjust(widest)}" if is_finite(mean) else text
        for mean, text, end in zip(means, texts, ends, strict=True)
    ]


def spreads(rows: Sequence[Mapping[str, Any] | None]) -> list[str]:
    """Means and standard deviations of rows of a document; dashes for those that have none."""
    known = [row or {"mean": None, "sd": None} for row in rows]
    return spread_texts([row["mean"] for row in known], [row["sd"] for row in known])


def aligned(values: Sequence[float | None], digits: int) -> list[str]:
    """Numbers of a column with equally many decimals, so that they can be compared at a glance.

    The smallest has `digits` significant digits. Columns of very different, very large or very
    small numbers are rounded one by one.
    """
    sizes = [abs(value) for value in values if value and is_finite(value)]
    low, high = min(sizes, default=1.0), max(sizes, default=1.0)
    if low < _LEAST_ALIGNED or high >= _MOST_ALIGNED or high > _ALIGNED_SPAN * low:
        return [rounded(value, digits) for value in values]
    decimals = max(0, digits - 1 - math.floor(math.log10(low)))
    return [f"{value:.{decimals}f}" if is_finite(value) else rounded(value) for value in values]


_LEAST_ALIGNED, _MOST_ALIGNED, _ALIGNED_SPAN = 1e-4, 1e6, 100


def is_finite(value: float | None) -> TypeGuard[float]:
    """Whether a value of a document is a number that can be drawn and compared."""
    return value is not None and math.isfinite(value)


def count_text(value: float | None) -> str:
    """A number with all its digits, and one decimal if it is not whole; a dash for None."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def time_text(seconds: float | None) -> str:
    """A time span; a dash for None."""
    return "-" if seconds is None else duration(seconds)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value of a config is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)
