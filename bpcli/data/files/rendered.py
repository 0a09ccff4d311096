"""Tables in files that are no plain text, as the CSV text that they hold.

So a spreadsheet with a title, units or decimal commas is read like a text file with them.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from bpcli.data.files.regular import require_regular
from bpcli.data.types import DataFrame
from bpcli.errors import DataError

SHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


def is_rendered(path: Path) -> bool:
    """Whether a file's table is read through its rendering."""
    return path.suffix.lower() in _RENDERERS


def is_named(path: Path) -> bool:
    """Whether the rendering begins with names that the file stores."""
    return is_rendered(path) and path.suffix.lower() not in SHEETS


def sheet_names(path: Path) -> list[str]:
    """The sheets of a spreadsheet with several."""
    if path.suffix.lower() not in SHEETS:
        return []
    from python_calamine import CalamineWorkbook

    names: list[str] = CalamineWorkbook.from_path(path).sheet_names
    return names if len(names) > 1 else []


def rendered(path: Path, sheet: str | None = None) -> bytes:
    """The table of a file as CSV in UTF-8. Raises `DataError` if the file is damaged."""
    require_regular(path)
    about = path.stat()
    return _rendered(path, sheet, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=1)
def _rendered(path: Path, sheet: str | None, modified: int, size: int) -> bytes:
    suffix = path.suffix.lower()
    try:
        return _RENDERERS[suffix](path, sheet).encode()
    except DataError:
        raise
    except Exception as error:  # readers raise many types for damaged files
        raise DataError(f"this is not a {suffix} file, or damaged: {error}", "file") from None


def _sheet(path: Path, sheet: str | None) -> str:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(path)
    if sheet is not None and sheet not in book.sheet_names:
        names = ", ".join(book.sheet_names)
        raise DataError(f"there is no sheet `{sheet}`; the sheets are {names}", "sheet")
    if sheet is not None:
        rows = book.get_sheet_by_name(sheet).to_python()
    else:
        sheets = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
        rows = next((rows for rows in sheets if len(rows) > 1), [])
    return _csv(map(_cell_text, row) for row in rows)


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _cell_text(cell: Any) -> str:
    """A cell as text: numbers exactly, whole ones without a point."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        cell = cell.date()
    return (
        cell.isoformat(*[" "] * isinstance(cell, datetime)) if isinstance(cell, date) else str(cell)
    )


def _records(path: Path, sheet: str | None) -> str:
    """Objects or lists, one for each row, or an object of columns; one value per line in .jsonl.

    `a.b` names the key b of an object a.
    """
    text = path.read_text("utf-8-sig")
    lines = filter(str.strip, text.split("\n"))
    content = json.loads(text) if path.suffix.lower() == ".json" else list(map(json.loads, lines))
    return _of_frame(_refuse_nested(_frame_of(content)))


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
    """Raises `DataError` for a cell with a list or an object, which is neither number nor word."""
    for name, cells in frame.items():
        if cells.dtype == object and any(isinstance(cell, list | dict) for cell in cells):
            raise DataError(f"column `{name}` holds lists or objects, not numbers or text", "file")
    return frame


def _arff(path: Path, sheet: str | None) -> str:
    import pandas as pd
    from scipy.io.arff import loadarff

    text = path.read_text("utf-8-sig")
    rows, _ = loadarff(io.StringIO(_DOUBLY_QUOTED.sub(r"\1'\2'", text)))
    frame = pd.DataFrame(rows)
    texts = {name: frame[name].str.decode("utf-8") for name in frame.select_dtypes("object")}
    return _of_frame(frame.assign(**texts))


_DOUBLY_QUOTED = re.compile(r"^(\s*@attribute\s+)\"([^\"'\n]*)\"", re.IGNORECASE | re.MULTILINE)
"""A name in the quotes that scipy does not know."""


def _svmlight(path: Path, sheet: str | None) -> str:
    import pandas as pd
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(str(path))
    frame = pd.DataFrame(X.toarray()).rename(columns=lambda index: f"x{index + 1}")
    return _of_frame(frame.assign(label=y))


def _of_frame(frame: DataFrame) -> str:
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text


_RENDERERS: dict[str, Callable[[Path, str | None], str]] = {
    **dict.fromkeys(SHEETS, _sheet),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), _records),
    ".arff": _arff,
    **dict.fromkeys((".svm", ".libsvm", ".svmlight"), _svmlight),
}
