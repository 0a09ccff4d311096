"""Counts of what an encoder fills, rounds, does not know or reads differently, for notes.

Also of rows that are too large for the network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from bpcli.data.rounding import rounding_notes
from bpcli.data.values import quoted
from bpcli.nn.arrays import Array
from bpcli.text import folded, listed, nearest, plural

_MOST_NAMED = 3


class Tally:
    """Counts of filled and rounded values and unknown categories, by column, over all frames."""

    def __init__(self) -> None:
        self._filled: Counter[str] = Counter()
        self._fills: dict[str, str] = {}
        self._rounded: Counter[str] = Counter()
        self._unknown: dict[str, Counter[str]] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        self._dates: dict[tuple[str, str], str] = {}
        self._not_finite = 0

    def fill(self, column: str, missing: int, by: str) -> None:
        """Count missing values of a column that are filled with the value `by`."""
        if missing:
            self._filled[column] += missing
            self._fills[column] = by

    def rounded(self, column: str, numbers: int) -> None:
        """Count whole numbers of a column that double precision does not hold."""
        if numbers:
            self._rounded[column] += numbers

    def unknown(self, column: str, rows: Counter[str], known: tuple[str, ...]) -> None:
        """Count the rows of each text that is not one of the categories of a column."""
        if rows:
            self._unknown.setdefault(column, Counter()).update(rows)
            self._known[column] = known

    def dates(self, column: str, example: str, of_training: str) -> None:
        """Record that the dates of a column have another format than in training."""
        self._dates[column, example] = of_training

    def outputs(self, values: Array) -> None:
        """Count the rows of outputs (n, outputs) that are not all finite numbers."""
        self._not_finite += int((~np.isfinite(values).all(axis=1)).sum())

    def notes(self) -> Iterator[str]:
        """Notes on missing and rounded values, and each column of other dates or categories.

        Also on rows whose outputs are not finite.

        Of the columns with unknown categories, only the first few are named.
        """
        for (name, example), of_training in self._dates.items():
            dates = f"dates are written like {example}, in training like {of_training}"
            yield f"column `{name}`: {dates}"
        if self._filled:
            total, columns = self._filled.total(), self._filled.most_common()
            named = (
                f"`{name}` ({count:,}, by {self._fills[name]})"
                for name, count in columns[:_MOST_NAMED]
            )
            yield f"filled {plural(total, 'missing value')}: {listed(named, len(columns))}"
        yield from rounding_notes(self._rounded)
        for name in [*self._unknown][:_MOST_NAMED]:
            yield self._unknown_categories(name)
        if (more := len(self._unknown) - _MOST_NAMED) > 0:
            yield f"{plural(more, 'further column')} with unknown categories"
        if self._not_finite:
            yield (
                f"{plural(self._not_finite, 'row')} with an output that is not a finite number, "
                "because an input is too large: do not use their predictions"
            )

    def _unknown_categories(self, name: str) -> str:
        rows, known = self._unknown[name], self._known[name]
        shown = []
        for text, count in rows.most_common(_MOST_NAMED):
            near = nearest(text, known)
            hint = f", similar to `{quoted(near)}`" if near else ""
            shown.append(f"`{quoted(text)}` ({count:,}{hint})")
        said = f"{plural(rows.total(), 'value')} not seen in training: {listed(shown, len(rows))}"
        has_variant = not {*map(folded, rows)}.isdisjoint(map(folded, known))
        merges = "; training with `casefold: true` merges spellings" * has_variant
        return f"column `{name}`: {said}{merges}"
