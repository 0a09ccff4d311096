from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.splits import FileSplits
from bpcli.data.files.table import FileSource
from bpcli.data.table import Table
from bpcli.errors import DataError

TEXT = "id,size,colour,y,z\n1,10,red,2,a\n2,30,blue,1,b\n3,?,green,1,a\n"


def table_of(folder: Path, text: str = TEXT, rules: ColumnRules = ColumnRules(), **chosen) -> Table:  # noqa: B008
    path = folder / "t.csv"
    path.write_text(text)
    return FileSource(path, Dialect(), rules, **chosen).table(np.random.default_rng(0))


def test_the_last_column_is_the_target_and_all_others_are_inputs(tmp_path: Path) -> None:
    table = table_of(tmp_path, rules=ColumnRules(fill="mean")).fit(np.array([0, 1]))
    assert (table.class_names, table.task) == (("a", "b"), "classification")
    assert table.labels is not None
    assert table.labels.tolist() == [0, 1, 0]
    assert table.input_names == ("id", "size", "colour=blue", "colour=red", "y")
    assert table.X[:].tolist() == [[1, 10, 0, 1, 2], [2, 30, 1, 0, 1], [3, 20, 0, 0, 1]]


def test_a_saved_encoding_is_used_instead_of_another_fit(tmp_path: Path) -> None:
    raw = table_of(tmp_path, rules=ColumnRules(fill="mean"))
    first = raw.fit(np.array([0, 1]))
    np.testing.assert_array_equal(raw.fit(np.array([0]), first.encoder).X, first.X)
    assert raw.fit(np.array([0])).X.tolist() != first.X.tolist()


def test_numbers_are_values_unless_the_task_says_classes(tmp_path: Path) -> None:
    inputs = ("id",)
    values = table_of(tmp_path, inputs=inputs, targets=("y",))
    assert values.Y is not None
    assert values.Y.tolist() == [[2], [1], [1]]
    assert values.target_names == ("y",)
    classes = table_of(tmp_path, inputs=inputs, targets=("y",), task="classification")
    assert classes.class_names == ("1", "2")
    with pytest.raises(DataError, match="row 1: `a` is not a number"):
        table_of(tmp_path, task="regression")


def test_several_targets_are_values_side_by_side(tmp_path: Path) -> None:
    table = table_of(tmp_path, inputs=("size",), targets=("y", "id"))
    assert table.Y is not None
    assert table.Y.tolist() == [[2, 1], [1, 2], [1, 3]]
    with pytest.raises(
        DataError, match=r"found 2 target columns, expected one.*`task: multilabel`"
    ):
        table_of(tmp_path, targets=("y", "z"))


LABELS = "x,a,b,c\n1,yes,true,0\n2,no,false,1\n3,,true,1\n4,no,true,1\n"


def test_columns_of_two_values_are_labels_if_the_task_says_so(tmp_path: Path) -> None:
    table = table_of(tmp_path, LABELS, targets=("a", "b", "c"), task="multilabel")
    assert table.Y is not None
    assert table.Y.tolist() == [[1, 1, 0], [0, 0, 1], [0, 1, 1]]
    assert table.words == {"a": ("no", "yes"), "b": ("false", "true"), "c": ("0", "1")}
    assert table.notes[-1] == "t.csv: 1 row has no value of a target and cannot be used: 3"
    with pytest.raises(DataError, match=r"t\.csv: column `x` has 3 values, `1`, `2`, `4`: a label"):
        table_of(tmp_path, LABELS, inputs=("c",), targets=("a", "x"), task="multilabel")


def test_an_autoencoder_of_a_file_has_its_encoded_inputs_as_targets(tmp_path: Path) -> None:
    raw = table_of(tmp_path, inputs=("id", "colour"), targets="same_as_inputs")
    table = raw.with_inputs_as_targets().fit(np.arange(3))
    assert table.task == "reconstruction"
    np.testing.assert_array_equal(table.Y, table.X)
    assert table.target_names == ("id", "colour=blue", "colour=green", "colour=red")


@pytest.mark.parametrize(
    ("text", "chosen", "message"),
    [
        (TEXT, {"targets": ("w",)}, "t.csv: there is no column `w`"),
        (TEXT, {"inputs": ("z",)}, "no columns are left for the inputs"),
        ("a,b\n", {}, "a header, but no rows"),
        ("a,b\n1,\n", {}, "t.csv: no row has a value of `b`"),
        (
            "a,b,c\n1,,2\n1,3,\n",
            {"targets": ("b", "c")},
            "no row has a value of every target: choose other `targets`",
        ),
        (
            "a,b\n1,2024-01-31\n2,2024-02-29\n",
            {},
            "column `b` contains dates, which cannot be targets",
        ),
        ("a,b\n1,x\n2,\x07\n", {}, "control characters"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, chosen, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table_of(tmp_path, text, **chosen)


def test_rows_without_a_target_are_left_out_and_told(tmp_path: Path) -> None:
    raw = table_of(tmp_path, "a,b\n1,\n2,7\n\n,8\n4,NA\n5,9\n", rules=ColumnRules(fill="mean"))
    assert any("2 rows have no value of `b` and cannot be used: 1, 4" in note for note in raw.notes)
    table = raw.fit(np.array([0, 2]))
    np.testing.assert_array_equal(table.Y, [[7], [8], [9]])
    np.testing.assert_array_equal(table.X, [[2], [3.5], [5]])
    assert table.numbers_of(np.arange(3)).tolist() == [2, 3, 5]
    assert "filled 1 missing value: `a` (1, by 3.5)" in table.notes


def test_row_numbers_of_splits_count_rows_without_a_target(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("1 3\n")
    splits = FileSplits(index={"test": tmp_path / "test.txt"})
    raw = table_of(tmp_path, "a,b\n1,\n2,7\n3,8\n", splits=splits)
    assert {name: rows.tolist() for name, rows in raw.splits.items()} == {"test": [1]}


def test_a_value_that_does_not_fit_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.csv: column `size`, row 3: the value is missing"):
        table_of(tmp_path).fit(np.arange(3))


OF_TRAINING = "n,colour,answer\n1,red,yes\n2,blue,no\n3,red,yes\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n,colour,answer\n4,red,no\nx,red,yes\n", "column `n`, row 2: `x` is not a number"),
        ("n,colour,answer\n4,red,no\n,red,yes\n", "column `n`, row 2: the value is missing"),
        ("n,colour,answer\n4,red,no\n5,,yes\n", "column `colour`, row 2: the value is missing"),
        ("n,colour,answer\n4,red,no\ninf,red,yes\n", "column `n`, row 2: the value is infinite"),
        ("n,colour,answer\n4,red,no\n5,red,\x07\n", "column `answer`: the class name '\\x07'"),
        ("n,color,answer\n4,red,no\n", "there is no column `colour`; did you mean `color`?"),
        ("n,colour,answer\n", "the file has a header, but no rows"),
        ("n,colour,answer\n4,red,\n", "no row has a value of `answer`"),
    ],
)
@pytest.mark.parametrize("categories", [(), ("colour",)])
def test_a_fault_in_the_file_of_a_split_names_that_file_and_its_row(
    tmp_path: Path, categories: tuple[str, ...], text: str, message: str
) -> None:
    (tmp_path / "v.csv").write_text(text)
    splits = FileSplits(files={"val": tmp_path / "v.csv"})
    rules = ColumnRules(categories=categories)
    with pytest.raises(DataError) as caught:
        table_of(tmp_path, OF_TRAINING, rules, splits=splits).fit(np.arange(3))
    assert str(caught.value).startswith(f"v.csv: {message}")
    assert caught.value.key in ("split", "targets"), "not `file`, which names the training file"


def test_a_fault_in_the_training_file_names_that_beside_files_of_splits(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(OF_TRAINING)
    splits = FileSplits(files={"val": tmp_path / "v.csv"})
    with pytest.raises(DataError) as caught:
        table_of(tmp_path, OF_TRAINING + "x,red,no\n", splits=splits).fit(np.arange(4))
    assert str(caught.value).startswith("t.csv: column `n`, row 4: `x` is not a number")
    assert caught.value.key == "file"


def test_files_of_splits_are_fitted_as_one_table(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("n,colour,answer\n4,green,no\n9,red,yes\n")
    splits = FileSplits(files={"val": tmp_path / "v.csv"})
    table = table_of(tmp_path, OF_TRAINING, splits=splits).fit(np.arange(3))
    assert table.input_names == ("n", "colour=blue", "colour=red")
    assert table.X[:, 0].tolist() == [1, 2, 3, 4, 9]
    assert table.numbers_of(np.arange(5)).tolist() == [1, 2, 3, 4, 5]
