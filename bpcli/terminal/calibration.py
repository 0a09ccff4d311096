"""How the probabilities of a run were calibrated, and what that has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpcli.terminal.grid import Grid
from bpcli.text import plural, rounded

_NAMES = {"calibration_error": "calibration error", "log_loss": "log loss"}


def calibration_line(temperature: float | None, rows: int) -> str:
    """The temperature, and the rows that it rests on."""
    if temperature is None:
        return f"not calibrated: the {plural(rows, 'validation row')} have no best temperature"
    on = plural(rows, "validation row")
    return f"calibrated on {on}: z is divided by the temperature {rounded(temperature, 4)}"


def calibration_table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Grid:
    """The scores of one split by path, before and after the calibration."""
    (split,) = {path.partition(".")[0] for path in before}
    table = Grid([split, "before calibration", "after"])
    for path, value in before.items():
        name = path.partition(".")[2]
        table.add_row(_NAMES.get(name, name), rounded(value, 4), rounded(after[path], 4))
    return table
