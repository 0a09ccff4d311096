"""Runs an exported module of JavaScript with Node; rows and results are JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bpcli.errors import GateFailed
from bpcli.export.child import program, tables_of, workspace
from bpcli.export.model import Model
from bpcli.export.verify import Columns

_DRIVER = b"""
import { readFileSync } from "node:fs";
const text = (value) => (typeof value === "number" ? String(value) : value); // Infinity too
const columns = (predicted) => Object.fromEntries(
    Object.keys(predicted[0] ?? {}).map((name) => [name, predicted.map((row) => text(row[name]))]));
try {
    const { predict } = await import("./exported.mjs");
    const tables = JSON.parse(readFileSync(0, "utf8")).map((rows) => columns(predict(rows)));
    process.stdout.write(JSON.stringify(tables));
} catch (error) {
    console.error(String(error));
    process.exitCode = 1;
}
"""


def javascript_predictions(
    content: bytes, model: Model, tables: Sequence[Columns]
) -> list[Columns]:
    """The predictions of the module for each of several tables.

    Raises `NotVerified` without Node, and `GateFailed` if the module fails, or prints anything.
    """
    node = program("Node", "node", "nodejs")
    rows = [
        [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        for table in tables
    ]
    files = {"exported.mjs": content, "driver.mjs": _DRIVER}
    with workspace("JavaScript", files) as child:
        printed = child.run([node, "driver.mjs"], json.dumps(rows).encode("ascii"))
    tables_read = tables_of(printed, len(tables), "JavaScript")
    return [_as_numbers(table, model) for table in tables_read]


def _as_numbers(table: Columns, model: Model) -> Columns:
    """The table with its outputs as numbers."""
    try:
        numbers = {name: list(map(float, table[name])) for name in model.output_names}
    except (KeyError, TypeError, ValueError):
        raise GateFailed(
            "The JavaScript file gives something other than numbers: it was not written."
        ) from None
    return table | numbers
