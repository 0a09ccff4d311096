"""The shape of an effect curve in a few words."""

from __future__ import annotations

import numpy as np

from bpcli.explanation.columns import Column
from bpcli.explanation.effects import Curve
from bpcli.nn.arrays import Vector
from bpcli.text import plain

_MAINLY = 0.9
"""A curve of which so much goes up rises."""

_HARDLY = 0.02
"""A curve that spans less than this share of the spread of the outputs hardly matters."""


def shape(column: Column, curve: Curve, output: int, spread: float) -> str:
    """What an output does along a column: rises, falls, has a turning point, or hardly changes.

    `spread` is the range of the output over the rows.
    """
    values = curve.values[:, output]
    if np.ptp(values) <= _HARDLY * spread:
        return "hardly changes"
    if column.levels:
        best, worst = (int(curve.at[at]) for at in (values.argmax(), values.argmin()))
        highest, lowest = (plain(column.levels[level], 20) for level in (best, worst))
        return f"highest for {highest}, lowest for {lowest}"
    return _along(column, curve.at, values)


def _along(column: Column, at: Vector, values: Vector) -> str:
    steps = np.diff(values)
    up, down = steps[steps > 0].sum(), -steps[steps < 0].sum()
    if up >= _MAINLY * (up + down):
        return "rises"
    if down >= _MAINLY * (up + down):
        return "falls"
    for turn, words in (
        (values.argmax(), ("rises", "falls")),
        (values.argmin(), ("falls", "rises")),
    ):
        sign = 1 if words[0] == "rises" else -1
        along = sign * np.concatenate([steps[:turn], -steps[turn:]])
        if 0 < turn < len(steps) and along[along > 0].sum() >= _MAINLY * (up + down):
            return f"{words[0]} until {column.value_text(float(at[turn]))}, then {words[1]}"
    return "goes up and down"
