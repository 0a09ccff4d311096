"""Work on a table grows in proportion to its columns, and hardly with its rows: counted, not timed.

Calls are counted, of Python's functions and of C's. Names of columns are hashed and compared by
Python, so that a search in a list of names, or a set made anew for every name, is counted too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from models import a_model

from bpcli.data.column_rules import ColumnRules
from bpcli.data.description import describe
from bpcli.data.files import header, sniff, text
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.look import Look, look_at
from bpcli.data.files.table import FileSource
from bpcli.nn.activations import ACTIVATIONS
from bpcli.workflows.new_rows import new_rows
from bpcli.workflows.starter import starter_config


class Name(str):
    """A name that is hashed and compared by Python, and stays one where text is made of it."""

    __slots__ = ()

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def __str__(self) -> str:
        return self


@pytest.fixture(autouse=True)
def counted_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names from headers are counted, and few rows are enough to find out how a file is written."""

    def names_of_header(*given: object, **options: object):
        names, notes = header.names_of_header(*given, **options)
        return tuple(map(Name, names)), notes

    monkeypatch.setattr(sniff, "names_of_header", names_of_header)
    monkeypatch.setattr(text, "_SAMPLE", 2**13)


def a_frame(rows: int, columns: int) -> pd.DataFrame:
    """The target, words, and numbers, among them constant columns; the last one has a gap."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(rows, columns)).round(3)
    values[:, 1::2] = 1
    values[3, 9::10] = np.nan
    frame = pd.DataFrame(values, columns=[f"c{i}" for i in range(columns)])
    words = {f"w{i}": rng.choice(list("abc"), rows) for i in range(columns // 10)}
    target = pd.Series(rng.normal(size=rows), name="y")
    frame = pd.concat([target, pd.DataFrame(words), frame], axis=1)
    frame.columns = pd.Index(list(map(Name, frame)), dtype=object)
    return frame


def described(frame: pd.DataFrame, path: Path) -> Callable[[], object]:
    return lambda: starter_config(Look(path, Dialect(), "", (), describe(frame)), path)


def looked_at(frame: pd.DataFrame, path: Path) -> Callable[[], object]:
    return lambda: look_at(path, Dialect(header=None))


def prepared(frame: pd.DataFrame, path: Path) -> Callable[[], object]:
    useless = tuple(f"!{name}" for name in frame.columns[-2::-2])
    rules = ColumnRules(fill="median", indicator=True)
    source = FileSource(path, Dialect(), rules, useless, targets=("y",))
    return lambda: source.table(np.random.default_rng(0)).fit(np.arange(len(frame)))


def predicted(frame: pd.DataFrame, path: Path) -> Callable[[], object]:
    source = FileSource(path, Dialect(), ColumnRules(fill="median"), targets=("y",))
    encoder = source.table(np.random.default_rng(0)).fit(np.arange(len(frame))).encoder
    assert encoder is not None
    model = a_model(ACTIVATIONS["tanh"](), columns=encoder.inputs)
    return lambda: list(new_rows(path, model).predictions().blocks)


def calls(work: Callable[[], object]) -> int:
    count = 0

    def see(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def calls_of(task: Callable, folder: Path, rows: int, columns: int) -> int:
    work_on(task, folder, 30, 20)()  # imports, and compiles regular expressions
    return calls(work_on(task, folder, rows, columns))


def work_on(task: Callable, folder: Path, rows: int, columns: int) -> Callable[[], object]:
    frame, path = a_frame(rows, columns), folder / f"{rows}x{columns}.csv"
    frame.to_csv(path, index=False)
    work: Callable[[], object] = task(frame, path)
    return work


@pytest.mark.parametrize("task", [described, looked_at, prepared, predicted])
def test_twice_the_columns_are_at_most_twice_the_work(task: Callable, tmp_path: Path) -> None:
    once, twice = (calls_of(task, tmp_path, 30, columns) for columns in (600, 1_200))
    assert twice < 2.2 * once


@pytest.mark.parametrize("task", [described, looked_at, prepared, predicted])
def test_twice_the_rows_are_hardly_more_calls(task: Callable, tmp_path: Path) -> None:
    once, twice = (calls_of(task, tmp_path, rows, 40) for rows in (2_000, 4_000))
    assert twice < 1.1 * once
