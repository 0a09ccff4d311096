"""Parquet files."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from frames import read_frame

from bpcli.data.files.cleaning import Cleaner
from bpcli.data.files.delimited import layout_of, read_blocks, text_blocks
from bpcli.data.files.dialect import Dialect
from bpcli.errors import DataError


def test_parquet_is_read_whole_and_in_blocks(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pandas as pd

    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"a": np.arange(25.0), "b": list("abcde") * 5})
    frame.to_parquet(path)
    pd.testing.assert_frame_equal(read_frame(path, Dialect()), frame)
    blocks = list(read_blocks(layout_of(path, Dialect()), 10, Cleaner(Dialect())))
    assert [block.index[0] for block in blocks] == [0, 10, 20]
    pd.testing.assert_frame_equal(pd.concat(blocks), frame)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="damaged"):
        read_frame(path, Dialect())


def test_repeated_names_in_parquet_are_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from pyarrow import parquet

    table = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["a", "a"])
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="the columns 1 and 2 are both `a`"):
        read_frame(tmp_path / "t.parquet", Dialect())


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"bpcli\[parquet\]"):
        read_frame(path, Dialect())


def test_damaged_words_in_a_parquet_file_are_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pandas as pd

    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1.0, 2.0]}).to_parquet(path)
    path.write_bytes(path.read_bytes().replace(b'"pandas_version"', b'"pandas_\xffersion"'))
    with pytest.raises(DataError, match="this is not a Parquet file, or it is damaged"):
        read_frame(path, Dialect())


def test_values_of_parquet_as_text(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from pyarrow import parquet

    moments = [datetime(2024, 1, 31), datetime(2024, 1, 31, 8, 5, 1, 500), None]
    columns = {
        "n": [1, None, 2**60], "x": [1.0, 0.1, None], "f": pa.array([0.1, None, 1], pa.float32()),
        "b": [True, None, False], "t": moments, "a.b": ["", "é", None],
    }  # fmt: skip
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table(columns | {"list": [[1], [2], []]}), path)
    layout = layout_of(path, Dialect())
    first, second = text_blocks(layout, 2, ["a.b", "n", "x", "f", "b", "t"])
    assert [list(first.index), list(second.index)] == [[0, 1], [2]]
    assert list(first.columns) == ["a.b", "n", "x", "f", "b", "t"]
    assert [*first.iloc[0]] == ["", "1", "1", "0.1", "true", "2024-01-31 00:00:00"]
    assert [*first.iloc[1]] == ["é", "", "0.1", "", "", "2024-01-31 08:05:01.000500"]
    assert [*second.iloc[0]] == ["", str(2**60), "", "1", "false", ""]
    with pytest.raises(DataError, match=r"^column `list` has type list.*, which cannot be written"):
        list(text_blocks(layout, 2, ["list"]))
