from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bpcli.data.files.splits import splits_of_column, splits_of_files, splits_of_index
from bpcli.errors import DataError


def index_files(folder: Path, **texts: str) -> dict:
    paths = {split: folder / f"index_{split}.txt" for split in texts}
    for split, path in paths.items():
        path.write_text(texts[split])
    return paths


EVERY = np.arange(1, 6)


def test_row_numbers_count_from_one_in_any_order(tmp_path: Path) -> None:
    splits = splits_of_index(index_files(tmp_path, train="4\n1\n", test="2 3.0\n"), EVERY, 5)
    assert {split: rows.tolist() for split, rows in splits.items()} == {
        "train": [0, 3],
        "test": [1, 2],
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"test": "1\n6\n"}, r"index_test\.txt has 6: rows are numbered from 1 to 5"),
        ({"test": "0\n1\n"}, r"index_test\.txt has 0: rows are numbered from 1 to 5"),
        ({"test": "-1"}, "has -1"),
        ({"test": "0.5"}, "has 0.5"),
        ({"test": "nan"}, "has nan"),
        ({"test": "1\n2\n1"}, "has row 1 twice"),
        ({"test": "one"}, "expected whole numbers"),
        ({"test": ""}, "has no row numbers"),
        ({"train": "3 1 2", "test": "2 3"}, r"row 2 is in `train` and in `test`"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path: Path, texts, message: str) -> None:
    with pytest.raises(DataError, match=message):
        splits_of_index(index_files(tmp_path, **texts), EVERY, 5)


def test_row_numbers_count_rows_that_are_not_used(tmp_path: Path) -> None:
    index = index_files(tmp_path, train="1 2", test="3 5")
    splits = splits_of_index(index, np.array([1, 3, 5]), 5)
    assert {split: rows.tolist() for split, rows in splits.items()} == {
        "train": [0],
        "test": [1, 2],
    }


def test_a_column_names_the_split_of_each_row() -> None:
    splits = splits_of_column(pd.Series(["train", "Test ", "validation", "train"]), "p")
    assert {split: rows.tolist() for split, rows in splits.items()} == {
        "train": [0, 3],
        "val": [2],
        "test": [1],
    }
    with pytest.raises(DataError, match="column `p`, row 2: found `holdout`, expected `train`"):
        splits_of_column(pd.Series(["train", "holdout"]), "p")


def test_files_of_splits_follow_each_other() -> None:
    splits = splits_of_files({"train": 2, "test": 3})
    np.testing.assert_array_equal(splits["test"], [2, 3, 4])
