"""Tables whose rows stay in a Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.stored_parquet import StoredParquetSource
from bpcli.data.files.table import FileSource
from bpcli.errors import DataError

pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
import pandas as pd

RNG = np.random.default_rng(0)
N = 5000
FRAME = pd.DataFrame(
    {
        "a": RNG.standard_normal(N).astype(np.float32),
        "same": np.where(np.arange(N) < 4000, 1, 2),
        "count": RNG.integers(0, 9, N),
        "flag": RNG.random(N) > 0.4,
        "far": np.where(np.arange(N) % 99 == 0, -999.0, RNG.random(N)),
        "y": RNG.standard_normal(N),
    }
)
TRAINING = np.arange(0, 4000, 3)


def sources(path: Path, frame: pd.DataFrame, **options: Any) -> tuple[Any, Any]:
    frame.to_parquet(path, row_group_size=700)
    stored = StoredParquetSource(path, ColumnRules(), **options)
    return stored, FileSource(path, Dialect(), ColumnRules(), **options)


@pytest.mark.parametrize("keeps_constants", [True, False])
def test_the_table_is_that_of_rows_in_memory(
    tmp_path: Path, keeps_constants: bool, rng: np.random.Generator
) -> None:
    stored, whole = sources(tmp_path / "t.parquet", FRAME)
    one = stored.table().fit(TRAINING, keeps_constants=keeps_constants)
    other = whole.table(rng).fit(TRAINING, keeps_constants=keeps_constants)
    assert one.encoder == other.encoder
    assert one.notes == other.notes
    assert ("same" in one.input_names) == keeps_constants
    np.testing.assert_array_equal(one.X[:], other.X)
    np.testing.assert_array_equal(one.Y[:], other.Y)
    again = stored.table().fit(TRAINING, other.encoder)
    np.testing.assert_array_equal(again.X[:], other.X)


def test_a_note_says_of_how_many_rows(tmp_path: Path, monkeypatch) -> None:
    stored, _ = sources(tmp_path / "t.parquet", FRAME)
    numbers = 2500 * (len(FRAME.columns) - 1)
    monkeypatch.setattr("bpcli.data.files.stored_parquet._NUMBERS_TO_LOOK_AT", numbers)
    (note,) = stored.table().fit(TRAINING).notes
    assert "`far` has -999" in note
    assert note.endswith("(of 2,500 rows that were looked at)")


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_wrong_values_are_refused_as_in_memory(
    tmp_path: Path, value: float, rng: np.random.Generator
) -> None:
    frame = FRAME.copy()
    frame.loc[1234, "far"] = value
    stored, whole = sources(tmp_path / "t.parquet", frame)
    with pytest.raises(DataError, match="column `far`, row 1235: the value is") as one:
        stored.table()
    with pytest.raises(DataError) as other:
        whole.table(rng).fit(TRAINING)
    assert str(one.value) == str(other.value)


def test_classes_that_would_be_one_number_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "y": [2**53, 2**53 + 1, 0]})
    stored, _ = sources(tmp_path / "t.parquet", frame, task="classification")
    with pytest.raises(DataError, match="whole numbers of more than 15 digits"):
        stored.table()


def test_too_many_classes_are_refused(tmp_path: Path) -> None:
    stored, _ = sources(tmp_path / "t.parquet", FRAME, task="classification")
    with pytest.raises(DataError, match="more unique values than the 1000 classes allowed"):
        stored.table()


def test_its_size_is_known_without_its_rows(tmp_path: Path) -> None:
    stored, _ = sources(tmp_path / "t.parquet", FRAME)
    assert stored.size()[:2] == (N, 6)
    assert [*stored.not_streamed()] == []


def test_rules_that_need_all_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    FRAME.to_parquet(path)
    rules = ColumnRules(fill="mean", indicator=True, categories=("count",), casefold=True)
    found = StoredParquetSource(path, rules).not_streamed()
    assert [error.key for error in found] == ["fill", "indicator", "categories", "casefold"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a", "b", "y"], "the columns 1 and 2 are both `a`"),
        (["a", "b", "y", "y"], "the columns 3 and 4 are both `y`"),
        (["a", "b\n", "c", "y"], "control character"),
    ],
)
def test_names_are_refused_as_in_memory(
    tmp_path: Path, names: list[str], message: str, rng: np.random.Generator
) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table([pa.array([1.0, 2.0])] * 4, names=names), path)
    stored, whole = (
        StoredParquetSource(path, ColumnRules()),
        FileSource(path, Dialect(), ColumnRules()),
    )
    said = []
    for read in (
        lambda: [*stored.not_streamed()],
        stored.size,
        stored.table,
        lambda: whole.table(rng),
    ):
        with pytest.raises(DataError, match=message) as caught:
            read()
        said.append((str(caught.value), caught.value.key))
    assert len({*said}) == 1
