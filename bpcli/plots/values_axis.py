"""An axis of the values of a config's key: a linear or logarithmic scale, or categories."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from bpcli.plots.style import literal
from bpcli.terminal.cells import is_number, value_text
from bpcli.text import rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_DECADES = 100
"""A logarithmic axis of more decades has limits that are no floats."""
_DECADES = 1.5
"""Positive values that span more decades have a logarithmic axis."""

_MOST_CATEGORIES_OF_NUMBERS = 12

_MOST_TICKS = 7
"""The most values that are all labelled; an axis with more has ticks in between."""

_LEAST_GAP = 0.09
"""The least distance of two labelled values, as a share of the axis."""

_MOST_LABELS, _LONGEST_LABEL = 24, 22
"""The most categories that are all labelled, and the most characters of a label at an angle."""

_MOST_LINES, _CHARACTERS = 3, 13
"""The most lines of a label, and the characters of small text per inch."""


@dataclass(frozen=True)
class ValuesAxis:
    """The positions of the values of a key. Numbers are at themselves, categories at 0, 1, 2, …"""

    values: list[object]
    """The different values in order of the axis."""
    is_numeric: bool
    is_log: bool

    @classmethod
    def of(cls, values: Iterable[object]) -> ValuesAxis:
        """The axis of all values of a key; texts are in the order in which they come first.

        Few numbers from 0 on that need a logarithmic axis are categories, as 0 has no logarithm.
        """
        unique = list({_identity(value): value for value in values}.values())
        numbers = sorted(float(value) for value in unique if is_number(value))
        if len(numbers) < len(unique):
            return cls(_in_order(unique), is_numeric=False, is_log=False)
        positive = [number for number in numbers if number > 0]
        is_wide = bool(positive) and positive[-1] > 10**_DECADES * positive[0]
        is_log = is_wide and len(positive) == len(numbers)
        if is_wide and math.log10(positive[-1]) - math.log10(positive[0]) > _MOST_DECADES:
            return cls([*numbers], is_numeric=False, is_log=False)
        are_few = is_wide and numbers[0] == 0 and len(numbers) <= _MOST_CATEGORIES_OF_NUMBERS
        return cls([*numbers], is_numeric=not are_few, is_log=is_log)

    def place(self, value: object) -> float:
        """The position of a value on paper: on a logarithmic axis its logarithm."""
        if self.is_numeric:
            assert is_number(value)
            return math.log10(value) if self.is_log else float(value)
        return [*map(_identity, self.values)].index(_identity(value))

    def at(self, position: float) -> float:
        """The coordinate of a position."""
        return 10**position if self.is_log else position

    @property
    def gap(self) -> float:
        """The least distance of two neighbours, for points beside each other."""
        places = [self.place(value) for value in self.values]
        return min((right - left for left, right in pairwise(places)), default=1.0)

    @property
    def span(self) -> float:
        """The distance of the first and the last value."""
        return self.place(self.values[-1]) - self.place(self.values[0])

    @property
    def _numbers(self) -> list[float]:
        return [value for value in self.values if is_number(value)]

    def set_up(self, axes: Axes, margin: float) -> None:
        """Set scale, limits and ticks of the horizontal axis."""
        first, last = self.place(self.values[0]), self.place(self.values[-1])
        if self.is_log:
            axes.set_xscale("log")
        axes.set_xlim(self.at(first - margin), self.at(last + margin))
        if not self.is_numeric:
            _label_categories(axes, self.values)
        elif len(self.values) <= _MOST_TICKS and self.gap >= _LEAST_GAP * (self.span + 2 * margin):
            _label_values(axes, self._numbers)
        elif not self.is_log:
            _label_between(axes, self._numbers)


def _identity(value: object) -> str:
    """A text that is equal for equal values; 1 and 1.0 are equal, 1 and True are not."""
    if is_number(value):
        return repr(float(value))
    return json.dumps(value, sort_keys=True, default=str)


def _in_order(values: list[object]) -> list[object]:
    """False before True, lists of sizes by length and size, all else as given."""
    if all(isinstance(value, bool) for value in values):
        return sorted(values, key=bool)
    lists = [value for value in values if isinstance(value, list)]
    if len(lists) == len(values) and all(is_number(size) for each in lists for size in each):
        return [*sorted(lists, key=lambda sizes: (len(sizes), sizes))]
    return values


def _label_categories(axes: Axes, values: Sequence[object]) -> None:
    """Label categories; long labels have two or three lines or an angle, of very many only some."""
    step = -(-len(values) // _MOST_LABELS)
    texts = [_category_text(value) for value in values[::step]]
    room = _room(axes) / len(texts)
    labels = [textwrap.wrap(text, max(1, int(room)), break_long_words=False) for text in texts]
    widths = [max(map(len, lines), default=0) for lines in labels]
    fits = all((a + b) / 2 + 1 <= room for a, b in pairwise([*widths, widths[-1]]))
    positions = range(0, len(values), step)
    if fits and max(map(len, labels)) <= _MOST_LINES:
        wrapped = ["\n".join(map(literal, lines)) for lines in labels]
        axes.set_xticks(positions, wrapped, fontsize="small")
    else:
        cut = [literal(text, _LONGEST_LABEL) for text in texts]
        axes.set_xticks(
            positions, cut, fontsize="small", rotation=35, ha="right", rotation_mode="anchor"
        )
    axes.tick_params(axis="x", length=0)


def _category_text(value: object) -> str:
    """A value as in a table; a text that is empty is named."""
    return "(empty)" if value == "" else value_text(value)


def _room(axes: Axes) -> float:
    """The characters of small labels that fit below the axes."""
    figure = axes.get_figure()
    assert figure is not None
    spec = axes.get_subplotspec()
    across = 1 if spec is None else spec.get_gridspec().ncols
    return _CHARACTERS * float(figure.bbox.width / figure.dpi) * 0.88 / across


def _label_values(axes: Axes, values: Sequence[float]) -> None:
    from matplotlib.ticker import NullLocator

    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(values, [rounded(value, 4) for value in values])


def _label_between(axes: Axes, values: Sequence[float]) -> None:
    from matplotlib.ticker import MaxNLocator

    is_whole = all(float(value).is_integer() for value in values)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=is_whole))
