"""Every table is converted to the numbers that reading the whole file gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.conversion import pieces, rows
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.table import FileSource
from bpcli.data.table import Classes, Table, Values
from bpcli.errors import DataError
from bpcli.terminal.progress.conversion import SilentConversion
from bpcli.workflows.convert import Request, convert


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few rows, so that everything that can happen at their borders does."""
    for module in (pieces, rows):
        monkeypatch.setattr(module, "SIZE", 40)
        monkeypatch.setattr(module, "MOST", 5000)


def whole(path: Path, target: str, signs: dict[str, Any], many: tuple[str, ...]) -> Table:
    """The table as training reads it, with all rows for training."""
    dialect = Dialect(header=True).told(signs)
    table = FileSource(path, dialect, ColumnRules(categories=many), targets=(target,)).table(
        np.random.default_rng()
    )
    return table.fit(np.arange(len(table)))


def require_equal(
    path: Path, target: str, signs: dict[str, Any] | None = None, many: tuple[str, ...] = ()
) -> str | None:
    """Compare a conversion with the table; return the error, if both are the same."""
    signs = signs or {}
    array = path.with_suffix(".npy")
    request = Request(path, array, {"header": True} | signs, (target,), categories=many)
    try:
        table = whole(path, target, signs, many)
    except DataError as error:
        with pytest.raises(DataError) as caught:
            convert(request, SilentConversion())
        assert not array.exists()
        return f"{error} | {caught.value}"
    done = convert(request, SilentConversion())
    written = np.load(array)
    X, Y = written[:, :-1], written[:, -1]
    assert done.table.names == (*table.input_names, target)
    np.testing.assert_array_equal(X, table.X)
    if isinstance(table.targets, Classes):
        assert done.table.targets[0].classes == table.targets.names
        np.testing.assert_array_equal(Y, table.targets.labels)
    else:
        assert isinstance(table.targets, Values)
        np.testing.assert_array_equal(Y, table.targets.Y[:, 0])
    return None


def lines(*texts: Callable[[int], object] | str, rows: int = 40) -> str:
    """Rows of cells, each made from the number of the row, or always the same."""
    made = (
        ",".join(str(each(i)) if callable(each) else each for each in texts) for i in range(rows)
    )
    return "\n".join(made) + "\n"


def late(usual: Callable[[int], object], other: object, at: int = 37) -> Callable[[int], object]:
    """Cells of which one far below is another."""
    return lambda i: other if i == at else usual(i)


CASES = {
    "numbers": "a,b,y\n" + lines(lambda i: i / 7, lambda i: 1e10 * i, lambda i: i * i % 11),
    "one row": "a,y\n1.5,2\n",
    "a constant column": "a,b,y\n" + lines("3", lambda i: i, lambda i: i % 3 + 0.5),
    "classes": "a,y\n" + lines(lambda i: i, lambda i: ("one", "two", "three")[i % 3]),
    "a class in the last rows": "a,y\n" + lines(lambda i: i, late(lambda i: "ab"[i % 2], "c")),
    "a category in the last rows": "a,y\n" + lines(late(lambda i: "ab"[i % 2], "Z"), lambda i: i),
    "categories of numbers and a late text": "a,y\n"
    + lines(lambda i: "more" if i in (30, 37) else 2 * (i % 3), lambda i: i),
    "text among numbers": "a,y\n" + lines(late(lambda i: i, "x"), lambda i: i),
    "late text among categories": "a,y\n"
    + lines(lambda i: "12a" if i % 4 > 1 else i % 4, lambda i: i),
    "booleans": "a,y\n" + lines(lambda i: i % 3 == 0, lambda i: i % 2 == 0),
    "booleans in capitals, then in lower case": "a,y\n"
    + lines(lambda i: "TRUE" if i < 20 else "false", lambda i: i),
    "booleans, then other words": "a,y\n"
    + lines(lambda i: "True" if i < 20 else "Maybe", lambda i: i),
    "booleans, then 0 and 1": "a,y\n" + lines(lambda i: "True" if i < 20 else "0", lambda i: i),
    "0 and 1, then booleans": "a,y\n" + lines(lambda i: "False" if i > 20 else 1, lambda i: i),
    "dates": "a,y\n" + lines(lambda i: f"2024-01-{i % 28 + 1:02}", lambda i: i),
    "dates in order, day first": "a,y\n" + lines(lambda i: f"{i % 12 + 1:02}/02/2024", lambda i: i),
    "a text among dates": "a,y\n" + lines(late(lambda i: f"2024-01-{i % 28 + 1:02}", "no"), "1"),
    "dates as targets": "a,y\n" + lines(lambda i: i, lambda i: f"2024-01-{i % 28 + 1:02}"),
    "percent": "a,y\n" + lines(lambda i: f"{i / 3:.2f} %", lambda i: i),
    "currency": "a,y\n" + lines(lambda i: f'"${i * 777:,}.5"', lambda i: i),
    "other marks": "a,y\n" + lines(lambda i: f"${i}" if i % 2 else f"{i} %", lambda i: i),
    "a late mark": "a,y\n" + lines(late(lambda i: i, "$5"), lambda i: i),
    "codes": "a,y\n" + lines(lambda i: f"{i % 5:03}", lambda i: i),
    "a late code": "a,y\n" + lines(late(lambda i: 100 + i % 5, "007"), lambda i: i),
    "long codes": "a,y\n" + lines(late(lambda i: 100 + i % 5, "9" * 18), lambda i: i),
    "a dash for a gap among numbers": "a,y\n" + lines(lambda i: i, late(lambda i: i, "-")),
    "a dash as a frequent category": "a,y\n"
    + lines(lambda i: "-" if i % 3 else "plus", lambda i: i),
    "targets that are missing": "a,y\n" + lines(lambda i: i, lambda i: i if i % 5 else "NA"),
    "a category only where the target is missing": "a,y\n"
    + lines(late(lambda i: "ab"[i % 2], "only"), late(lambda i: i, "")),
    "a target that is always missing": "a,y\n" + lines(lambda i: i, "NA"),
    "infinite": "a,y\n" + lines(late(lambda i: i, "inf"), lambda i: i),
    "line breaks in quotes": 'a,y\n' + lines(lambda i: f'"p\n{i % 2}""\n,q"', lambda i: i),
    "quotes in fields": "a,b,y\n" + lines(lambda i: f'{i % 3}" pipe', lambda i: i, lambda i: i),
    "an open quote": "a,y\n" + lines(lambda i: i, lambda i: i) + '"never,closed\n' + lines("1", "2"),
    "blank rows": "a,b,y\n" + lines(lambda i: i if i % 9 else "", lambda i: i if i % 9 else "",
                                    lambda i: i if i % 9 else ""),
    "blank lines": "a,y\n" + lines(lambda i: i, lambda i: f"{i}\n" if i % 4 else i),
    "repeated headers": "a,y\n" + lines(late(lambda i: i, "a"), late(lambda i: i / 3, "y")),
    "short rows": "a,b,y\n" + lines("1", "2", "3") + "1,2\n" + lines("1", "2", "3"),
    "long rows": "a,b,y\n" + lines("1", "2", "3") + "1,2,3,4\n" + lines("1", "2", "3"),
    "notes below": "a,b,y\n" + lines(lambda i: i, "2", "3") + "\nSource: somebody\n",
    "spaces after commas": "a,y\n" + lines(lambda i: i, lambda i: f"  {'ab'[i % 2]}"),
    "comments": "# c\na,y\n" + lines(lambda i: f"# {i}\n{i}", lambda i: i),
    "many unique texts": "a,y\n" + lines(lambda i: f"name {i}", lambda i: i, rows=80),
    "many classes": "a,y\n" + lines(lambda i: i, lambda i: f"c{i}", rows=1001),
    "row names": "a,y\n" + lines(lambda i: f"r{i}", lambda i: i, lambda i: i % 7),
    "separators at the ends": "a,y,\n" + lines(lambda i: i, lambda i: i % 7, ""),
    "no line break at the end": "a,y\n1,2\n3,4",
    "Windows": ("a,y\n" + lines(lambda i: i, lambda i: "ab"[i % 2])).replace("\n", "\r\n"),
    "an old Mac": ("a,y\n" + lines(lambda i: i, lambda i: "ab"[i % 2])).replace("\n", "\r"),
    "no rows": "a,y\n",
    "inputs that are missing": "a,y\n" + lines(late(lambda i: i, ""), lambda i: i),
}  # fmt: skip


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("case", CASES)
def test_the_numbers_are_those_of_the_whole_table(case: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(CASES[case].encode())
    error = require_equal(tmp_path / "t.csv", "y")
    print(error)


@pytest.mark.parametrize("case", ["numbers", "categories of numbers and a late text", "dates"])
def test_so_they_are_in_one_piece(case: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CASES[case])
    require_equal(tmp_path / "t.csv", "y")
