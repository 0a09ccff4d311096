"""Every table is converted to the numbers that reading the whole file gives."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.conversion import cells, pieces, rows
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.table import FileSource
from bpcli.data.table import Classes, Table, Values
from bpcli.errors import DataError
from bpcli.terminal.progress.conversion import SilentConversion
from bpcli.workflows.conversion_reading import Request
from bpcli.workflows.convert import convert


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few rows, so that everything that can happen at their borders does."""
    for module in (pieces, rows):
        monkeypatch.setattr(module, "SIZE", 40)
        monkeypatch.setattr(module, "MOST", 5000)


def whole(path: Path, target: str, signs: dict[str, Any], many: tuple[str, ...]) -> Table:
    """The table as training reads it, with all rows for training."""
    dialect = Dialect(header=True).with_signs(signs)
    table = FileSource(path, dialect, ColumnRules(categories=many), targets=(target,)).table(
        np.random.default_rng()
    )
    return table.fit(np.arange(len(table)))


ANY = r"t\.csv: "


def require_equal(
    path: Path,
    target: str,
    signs: dict[str, Any] | None = None,
    many: tuple[str, ...] = (),
    other_error: str | None = None,
) -> None:
    """Compare a conversion, or its error, with the table, or the error in reading it.

    An `other_error` is a pattern of the message that a conversion has, if it is not the same: of
    several errors, `ANY` may be found first.
    """
    signs = signs or {}
    array = path.with_name("t.npy")
    request = Request(path, array, {"header": True} | signs, (target,), categories=many)
    try:
        table = whole(path, target, signs, many)
    except DataError as error:
        expected = other_error or re.escape(str(error))
        with pytest.raises(DataError, match=expected):
            convert(request, SilentConversion())
        assert not array.exists()
        return
    assert other_error in (None, ANY)
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
    assert {each.name for each in path.parent.iterdir()} == {path.name, "t.npy", "t.npy.json"}


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
    "an open quote": "a,y\n" + lines(lambda i: i, lambda i: i) + '"never,closed\n1,2\n1,2\n',
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


OTHER_ERRORS = {
    "a target that is always missing": "no row has a value of `y`",
    "an open quote": 'column `a`, row 41: `"never` is not a number',
    "inputs that are missing": r"the inputs have 1 missing value: `a` \(1\)",
    "many classes": "column `y` has 1001 unique values, more than the 1000 classes allowed",
}
"""Where the message is another one."""


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("case", CASES)
def test_the_numbers_or_the_error_are_those_of_the_whole_table(case: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(CASES[case].encode())
    require_equal(tmp_path / "t.csv", "y", other_error=OTHER_ERRORS.get(case))


@pytest.mark.parametrize("case", ["numbers", "categories of numbers and a late text", "dates"])
def test_so_they_are_in_one_piece(case: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CASES[case])
    require_equal(tmp_path / "t.csv", "y")


_COMMAS = "".join(f"{i},{i % 10}5;1.{i:03},5;{'ab'[i % 2]}\n" for i in range(40))
_CHINESE = "".join(f"{i / 3},{'北京' if i % 3 else '上海'},{'好坏'[i % 2]}\n" for i in range(40))
_FIXED = "".join(f"{i:<6}{i % 7:<6}{i % 3}\n" for i in range(40))
_DAYS = "".join(f"{20240101 + i % 28},{i}\n" for i in range(40))

FILES: dict[str, tuple[str, bytes, dict[str, Any], tuple[str, ...]]] = {
    "decimal commas": ("t.csv", f"a;b;y\n{_COMMAS}".encode(), {}, ()),
    "GBK": ("t.csv", f"数,城市,y\n{_CHINESE}".encode("gbk"), {}, ()),
    "UTF-16": ("t.csv", f"数,城市,y\n{_CHINESE}".encode("utf-16"), {}, ()),
    "UTF-8 with a mark": ("t.csv", f"数,城市,y\n{_CHINESE}".encode("utf-8-sig"), {}, ()),
    "JIS": ("t.csv", f"数,城市,y\n{_CHINESE.replace('坏', '京')}".encode("iso2022_jp"),
            {"encoding": "iso2022_jp"}, ()),
    "packed": ("t.csv.gz", gzip.compress(CASES["classes"].encode()), {}, ()),
    "wide commas": ("t.csv", f"a，b，y\n{_CHINESE}".replace(",", "，").encode(), {}, ()),
    "spaces": ("t.txt", b"a b y\n" + b"".join(b"%d  %d %d\n" % (i, i, i % 9) for i in range(40)),
               {}, ()),
    "a fixed width": ("t.txt", b"a     b     y\n" + _FIXED.encode(), {"separator": "fixed"}, ()),
    "a line at the end": ("t.csv", f"{CASES['numbers']}1,2,3\n\n".encode(), {"skip_last": 1}, ()),
    "an entry for missing targets": ("t.csv", CASES["numbers"].encode(), {"missing": ("0",)}, ()),
    "dates as numbers": ("t.csv", f"a,y\n{_DAYS}".encode(), {"date_format": "%Y%m%d"}, ()),
    "a target with dates of another format": (
        "t.csv", CASES["dates as targets"].encode(), {"date_format": "%d.%m.%Y"}, (),
    ),
    "no dates": ("t.csv", CASES["dates"].encode(), {"date_format": ""}, ()),
    "numbers as categories": ("t.csv", CASES["numbers"].encode(), {}, ("a",)),
    "many categories": ("t.csv", CASES["many unique texts"].encode(), {}, ("a",)),
    "another comment": ("t.csv", b"a,y\n" + b"".join(b"%d,2\n! %d\n" % (i, i) for i in range(40)),
                        {"comment": "!"}, ()),
}  # fmt: skip


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("case", FILES)
def test_so_are_those_of_a_file_in_another_dialect(case: str, tmp_path: Path) -> None:
    name, content, signs, many = FILES[case]
    (tmp_path / name).write_bytes(content)
    require_equal(tmp_path / name, "y", signs, many)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    "case", ["dates", "percent", "currency", "dates in order, day first", "a late mark"]
)
def test_so_are_very_many_texts(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_TEXTS", 7)
    (tmp_path / "t.csv").write_text(CASES[case])
    require_equal(tmp_path / "t.csv", "y")


@pytest.mark.usefixtures("small_pieces")
def test_very_many_names_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MOST_TEXTS", 70)
    (tmp_path / "t.csv").write_text(CASES["many unique texts"])
    error = "has more than 70 unique texts up to row 7., which are neither numbers nor dates"
    require_equal(tmp_path / "t.csv", "y", other_error=error)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    "columns",
    [
        {"a": [1, 2, 3], "y": ["p", "q", "p"]},
        {"a": ["1", "2.5", "3"], "b": ["", "x", ""], "y": [0.5, 1.5, None]},
        {"a": [True, False, True], "b": pd.Categorical(["2", "1", "2"]), "y": [1, 2, 3]},
        {"a": [datetime(2024, 1, 1), datetime(2024, 5, 5, 12), datetime(1999, 1, 1)],
         "y": [1, 2, 3]},
        {"a": [date(2024, 1, 1), date(2023, 1, 1), date(2023, 1, 2)], "y": [True, False, None]},
        {"a": [Decimal("1.10"), Decimal("2.2"), Decimal("3.3")], "y": [1, 2, 3]},
        {"a": [[1], [2], [3]], "y": [1, 2, 3]},
        {"a": [1.0, None, 3.0], "y": [1, 2, 3]},
    ],
)  # fmt: skip
def test_so_are_those_of_parquet(
    columns: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(rows, "_VALUES_OF_A_BATCH", 4)
    pd.DataFrame(columns).to_parquet(tmp_path / "t.parquet", row_group_size=2)
    is_refused = isinstance(columns["a"][0], list) or columns["a"][1] is None
    other = "column `a` has type|have 1 missing value" if is_refused else None
    require_equal(tmp_path / "t.parquet", "y", other_error=other)


KINDS: tuple[Callable[[random.Random], object], ...] = (
    lambda rng: f"{rng.gauss(0, 1):.4f}",
    lambda rng: rng.randint(0, 5),
    lambda rng: rng.randint(0, 10 ** rng.randint(1, 18)),
    lambda rng: rng.choice(["red", "green", "blue"]),
    lambda rng: rng.choice(["true", "false"]),
    lambda rng: f"{rng.randint(1, 12):02}/{rng.randint(1, 12):02}/2020",
    lambda rng: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
    lambda rng: f"${rng.randint(1, 999)}",
    lambda rng: f'"{rng.randint(1, 999)},{rng.randint(100, 999)}"',
    lambda rng: f"{rng.randint(0, 30):03}",
    lambda rng: rng.choice(["None", "a", "b"]),
    lambda rng: f'{rng.randint(0, 3)}" in',
)
ODD = ("", "-", "None", "x", "0", "007", "True", "2024-01-01", "$5", "5 %", '"q,\n"', " 3", "...")


def random_table(rng: random.Random) -> str:
    """Columns of some kinds, in which odd cells begin anywhere; at most one odd line."""
    rows, columns = rng.choice([3, 12, 40, 90]), []
    for _ in range(rng.randint(2, 4)):
        kind, odd, share = rng.choice(KINDS), rng.sample(ODD, 2), rng.choice([0, 0, 0.1, 0.5])
        begin = rng.choice([0, rows // 2, rows - 2])
        columns.append([
            rng.choice(odd) if row >= begin and rng.random() < share else str(kind(rng))
            for row in range(rows)
        ])  # fmt: skip
    body = [",".join(cells) for cells in zip(*columns, strict=True)]
    head = ",".join([*(f"c{i}" for i in range(len(columns) - 1)), "y"])
    if rng.random() < 0.2:
        body.insert(rng.randint(0, rows), rng.choice([",,", "", head, "x", "# c"]))
    return "\n".join([head, *body]) + rng.choice(["", "\n", "\n\nSource: me\n"])


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_are_converted_as_they_are_read(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    for module in (pieces, rows):
        monkeypatch.setattr(module, "SIZE", rng.choice([20, 60, 200]))
    (tmp_path / "t.csv").write_text(random_table(rng))
    require_equal(tmp_path / "t.csv", "y", other_error=ANY)
