"""Bars of the importance of inputs, and of the Shapley values of one row, each with its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bpcli.plots.base import Axes, Panel, panels
from bpcli.plots.style import COLOURS, INK, literal
from bpcli.terminal.explanation import outputs_shown, together

_MOST_BARS, _LONGEST_NAME, _LONGEST_GROUP = 20, 24, 36
_BAR_HEIGHT = 0.27
"""Inches per bar."""


def importance_size(document: Mapping[str, Any]) -> tuple[float, float]:
    """Width and height in inches."""
    return (6.2, 1.7 + _BAR_HEIGHT * len(_entries(document)))


def _entries(document: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], bool]]:
    """Name, rise of the loss, and whether it is a group, by falling rise."""
    entries = [(each["name"], each["importance"]["loss"], False) for each in document["inputs"]]
    entries += [
        (together(each["inputs"], _LONGEST_NAME), each["importance"]["loss"], True)
        for each in document["groups"]
    ]
    return sorted(entries, key=lambda entry: -(entry[1]["value"] or 0.0))[:_MOST_BARS]


def draw_importance(figure: Panel, document: Mapping[str, Any]) -> None:
    """Draw a bar for each input, hatched for groups that are permuted together."""
    (axes,) = panels(figure, 1)
    entries = _entries(document)
    places = np.arange(len(entries))
    for is_group in (False, True):
        own = [at for at, entry in enumerate(entries) if entry[2] == is_group]
        axes.barh(
            own, [entries[at][1]["value"] or 0.0 for at in own], 0.72, color=COLOURS[4 * is_group],
            hatch="////" if is_group else "", edgecolor="white", linewidth=0.4,
            label="correlated inputs together" if is_group else "one input",
        )  # fmt: skip
    _whiskers(axes, [entry[1] for entry in entries])
    axes.set_yticks(places, [literal(entry[0], _LONGEST_GROUP) for entry in entries])
    _as_bars(axes)
    axes.set_xlabel("rise of the loss if the input is permuted, ± standard error")
    axes.set_ylabel("input")
    if document["groups"]:
        axes.legend(loc="lower right")


def _whiskers(axes: Axes, changes: Sequence[Mapping[str, Any]]) -> None:
    values = np.array([each["value"] or 0.0 for each in changes])
    errors = np.array([each["error"] or 0.0 for each in changes])
    axes.hlines(np.arange(len(values)), values - errors, values + errors, color=INK, linewidth=1.1)


def _as_bars(axes: Axes) -> None:
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.axvline(0, color=INK, linewidth=0.8)


# One row.


def row_size(document: Mapping[str, Any]) -> tuple[float, float]:
    """Width and height in inches."""
    bars = min(len(document["inputs"]), _MOST_BARS)
    count = len(outputs_shown(document))
    return (6.4 if count == 1 else 10.0, -(-count // 2) * (1.6 + _BAR_HEIGHT * bars))


def draw_row(figure: Panel, document: Mapping[str, Any]) -> None:
    """Draw the share of each input in what the prediction differs from the mean."""
    shown = outputs_shown(document)
    inputs = document["inputs"][:_MOST_BARS]
    names = [literal(f"{each['name']} = {each['value']}", 34) for each in inputs]
    for at, axes in zip(shown, panels(figure, len(shown), 2), strict=True):
        output = document["outputs"][at]
        changes = [each["shapley"][at] for each in inputs]
        values = [each["value"] for each in changes]
        colours = [COLOURS[0] if value >= 0 else COLOURS[1] for value in values]
        axes.barh(np.arange(len(values)), values, 0.72, color=colours)
        _whiskers(axes, changes)
        axes.set_yticks(np.arange(len(names)), names)
        _as_bars(axes)
        base, prediction = document["base"][output], document["prediction"][output]
        axes.set_title(f"{literal(output, 30)}: {base:.4g} on average, {prediction:.4g} here")
        axes.set_xlabel(f"share of the difference ({literal(output, 30)})")
        axes.set_ylabel("input and its value")
