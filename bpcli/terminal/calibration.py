"""How the probabilities of a run were calibrated, and what that has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bpcli.runs.run_json import CalibrationRecord
from bpcli.terminal.grid import Grid
from bpcli.text import plural, rounded

_NAMES = {"calibration_error": "calibration error", "log_loss": "log loss"}


def calibration_line(record: CalibrationRecord, weights: Literal["best", "last"] = "best") -> str:
    """The temperature or the curves, and the rows that they rest on."""
    on, T = plural(record.rows, "validation row"), record.temperature(weights)
    if record.method == "isotonic":
        if record.units is None:
            return "not calibrated: an output is not a finite number"
        size = plural(record.units, "ReLU unit")
        return f"calibrated on {on}: isotonic curves, which are two more layers with {size}"
    if T is None:
        return f"not calibrated: the {on} have no best temperature"
    return f"calibrated on {on}: z is divided by the temperature {rounded(T, 4)}"


def calibration_table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Grid:
    """The scores of one split by path, before and after the calibration."""
    (split,) = {path.partition(".")[0] for path in before}
    table = Grid([split, "before calibration", "after"])
    for path, value in before.items():
        name = path.partition(".")[2]
        table.add_row(_NAMES.get(name, name), rounded(value, 4), rounded(after[path], 4))
    return table
