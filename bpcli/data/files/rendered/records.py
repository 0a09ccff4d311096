"""JSON with a table: objects or lists, one for each row, or an object of columns."""

from __future__ import annotations

import json
from typing import Any

from bpcli.data.files.rendered.result import Rendering, csv_of_frame
from bpcli.data.types import DataFrame
from bpcli.errors import DataError


def render_json(content: bytes, sheet: str | None) -> Rendering:
    """The table in a JSON file; the column `a.b` is the key b of an object a."""
    return _rendering(json.loads(content.decode("utf-8-sig")))


def render_lines(content: bytes, sheet: str | None) -> Rendering:
    """The table in a file with one JSON value on each line."""
    lines = filter(str.strip, content.decode("utf-8-sig").split("\n"))
    return _rendering(list(map(json.loads, lines)))


def _rendering(content: Any) -> Rendering:
    return Rendering(csv_of_frame(_refuse_nested(_frame_of(content))))


def _frame_of(content: Any) -> DataFrame:
    import pandas as pd

    if isinstance(content, dict) and len(content) == 1:  # such as {"data": [...]}
        [inner] = content.values()
        content = inner if _are_rows(inner) else content
    rows = content if isinstance(content, list) else []
    if rows and all(isinstance(row, dict) for row in rows):
        return pd.json_normalize(rows)
    if rows and all(isinstance(row, list) for row in rows):
        return pd.DataFrame(rows).rename(columns=lambda index: f"x{index + 1}")
    if isinstance(content, dict) and all(isinstance(column, list) for column in content.values()):
        return pd.DataFrame(content)
    raise DataError("expected a list of objects or of lists, one for each row", "file")


def _are_rows(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(row, dict) for row in content)


def _refuse_nested(frame: DataFrame) -> DataFrame:
    """Raises `DataError` for a cell with a list or an object, which is neither number nor text."""
    for name, cells in frame.items():
        if cells.dtype == object and any(isinstance(cell, list | dict) for cell in cells):
            raise DataError(
                f"column `{name}` contains lists or objects, not numbers or text", "file"
            )
    return frame
