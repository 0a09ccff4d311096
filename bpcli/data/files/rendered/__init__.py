"""Tables in files that are not plain text, converted to CSV.

Thus a spreadsheet with a title, units or decimal commas is read like a text file with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from bpcli.data.files.packed import content_suffix, is_packed, open_content
from bpcli.data.files.regular import damaged, require_regular
from bpcli.data.files.rendered.arff import render_arff
from bpcli.data.files.rendered.records import render_json, render_lines
from bpcli.data.files.rendered.result import Rendering
from bpcli.data.files.rendered.sheets import names_of_sheets, render_sheet
from bpcli.data.files.rendered.svmlight import is_svmlight, render_svmlight
from bpcli.errors import DataError

SHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_SVMLIGHT = (".svm", ".libsvm", ".svmlight")
_SAMPLE = 2**16
_BY_CONTENT = "each line has a label and pairs `index:value`: read as LIBSVM format"


def is_rendered(path: Path) -> bool:
    """Whether a file's table is read from its conversion to CSV."""
    return _kind(path) in _RENDERERS


def is_sheet(path: Path) -> bool:
    """Whether a file is a spreadsheet, compressed or not."""
    return _kind(path) in SHEETS


def is_named(path: Path) -> bool:
    """Whether the CSV begins with column names that the file stores."""
    return is_rendered(path) and not is_sheet(path)


def sheet_names(path: Path) -> list[str]:
    """The sheets of a spreadsheet with several."""
    if not is_sheet(path):
        return []
    with open_content(path) as file:
        names = names_of_sheets(file.read())
    return names if len(names) > 1 else []


def rendered(path: Path, sheet: str | None = None) -> bytes:
    """The table of a file as CSV in UTF-8. Raises `DataError` if the file is damaged."""
    return rendering(path, sheet).text


def rendering(path: Path, sheet: str | None = None) -> Rendering:
    """The table of a file as CSV, with what the file declares about its columns."""
    require_regular(path)
    about = path.stat()
    return _rendering(path, sheet, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=1)
def _rendering(path: Path, sheet: str | None, modified: int, size: int) -> Rendering:
    file_type = _kind(path)
    with open_content(path) as file:
        content = file.read()
    try:
        result = _RENDERERS[file_type](content, sheet)
        return (
            result if file_type == content_suffix(path) else replace(result, notes=(_BY_CONTENT,))
        )
    except DataError:
        raise
    except Exception as error:  # readers raise many types for damaged files
        raise damaged(file_type, error) from None


def _kind(path: Path) -> str:
    """The suffix that decides how a file is read: that of its name, or of what it looks like."""
    suffix = content_suffix(path)
    if suffix in _RENDERERS or is_packed(path) or not path.is_file():
        return suffix
    about = path.stat()
    return _SVMLIGHT[0] if _has_pairs(path, about.st_mtime_ns, about.st_size) else suffix


@lru_cache(maxsize=8)
def _has_pairs(path: Path, modified: int, size: int) -> bool:
    try:
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
    except OSError:  # reported when it is read
        return False
    whole = sample[: sample.rfind(b"\n") + 1] if size > _SAMPLE else sample
    return b":" in whole and is_svmlight(whole.decode("latin-1"))


_RENDERERS: dict[str, Callable[[bytes, str | None], Rendering]] = {
    **dict.fromkeys(SHEETS, render_sheet),
    ".json": render_json,
    **dict.fromkeys((".jsonl", ".ndjson"), render_lines),
    ".arff": render_arff,
    **dict.fromkeys(_SVMLIGHT, render_svmlight),
}
