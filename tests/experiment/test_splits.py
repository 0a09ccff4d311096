from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builds import INLINE, MOONS, OF_TABLE, built

from bpcli.experiment.splits import rows_in_no_split


def test_another_network_keeps_data_and_split() -> None:
    one, two = built(MOONS), built(MOONS, "network.layers=[2, 9, 1]", "network.init=he_normal")
    np.testing.assert_array_equal(one.table.X, two.table.X)
    np.testing.assert_array_equal(one.splits["test"].index, two.splits["test"].index)


def test_another_network_keeps_the_folds_and_each_fold_has_its_own() -> None:
    folds = "data.split={folds: 4, val: 0.2, fold: %d}"
    one, two = (built(MOONS, folds % 2, f"network.layers=[2, {units}, 1]") for units in (3, 9))
    for name in ("train", "val", "test"):
        np.testing.assert_array_equal(one.splits[name].index, two.splits[name].index)
    assert [len(one.splits[name]) for name in ("train", "val", "test")] == [24, 6, 10]
    tested = [built(MOONS, folds % fold).splits["test"].index for fold in (1, 2, 3, 4)]
    assert sorted(np.concatenate(tested)) == list(range(40))
    np.testing.assert_array_equal(
        built(MOONS, "data.split={folds: 4}").splits["test"].index, tested[0]
    )


def test_stratify_can_be_turned_off() -> None:
    def ones_in_test(stratify: str) -> set[int]:
        experiments = [
            built(MOONS, f"data.split.stratify={stratify}", f"seed={seed}") for seed in range(20)
        ]
        return {int(experiment.splits["test"].labels.sum()) for experiment in experiments}

    assert ones_in_test("auto") == ones_in_test("true") == {5}
    assert len(ones_in_test("false")) > 1


TABLE = "x,z,y,split\n1,2,a,train\n2,3,b,train\n3,1,b,test\n4,1,b,test\n"


def test_classes_with_fewer_rows_than_folds_are_said(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(TABLE)
    (note,) = built(OF_TABLE).notes
    few = (
        "classes with fewer rows than the 2 folds: `a` (1); some folds have no training or test row"
    )
    assert note.startswith(few)
    (note,) = built(OF_TABLE, "data.split.folds=4").notes
    assert "than the 4 folds: `a` (1), `b` (3);" in note
    assert not built(OF_TABLE, "data.split={train: 0.75, test: 0.25}").notes
    Path("t.csv").write_text(TABLE.replace("b", "a", 1))
    assert not built(OF_TABLE).notes


BY_COLUMN = "data.split={column: split}"
TABLE_BY_COLUMN = """\
x,z,y,split
1,2,a,
2,3,b,test
3,1,b,train
4,1,a,train
5,1,b,test
6,1,a,train
"""


def test_a_table_may_tell_its_own_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(TABLE_BY_COLUMN.replace("1,2,a,\n", ""))
    splits = built(OF_TABLE, BY_COLUMN).splits
    indices = {name: split.index.tolist() for name, split in splits.items()}
    assert indices == {"train": [1, 2, 4], "val": [], "test": [0, 3]}


def test_a_split_of_a_file_takes_no_rows_from_what_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{row},1,{'ab'[row % 2]}" for row in range(8)]
    Path("t.csv").write_text("\n".join(["x,z,y", *rows]))
    Path("u.csv").write_text("x,z,y\n8,1,a\n9,1,b\n")
    splits = built(OF_TABLE, "data.split={val: 0.25, files: {test: u.csv}}").splits
    assert splits["test"].index.tolist() == [8, 9]
    drawn = [splits[name].index for name in ("train", "val")]
    assert [len(index) for index in drawn] == [6, 2]
    assert sorted(np.concatenate(drawn)) == list(range(8))


def test_rows_in_no_split_are_those_that_are_left() -> None:
    table = built(INLINE).table
    assert rows_in_no_split(table).tolist() == [0, 1, 2, 3]
    taken = replace(table, splits={"val": np.array([3]), "test": np.array([0])})
    assert rows_in_no_split(taken).tolist() == [1, 2]


def test_a_class_without_a_training_row_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,z,y\n1,2,a\n2,3,b\n3,1,b\n4,1,a\n")
    Path("v.csv").write_text("x,z,y\n1,2,a\n2,3,c\n3,1,c\n")
    Path("u.csv").write_text("x,z,y\n1,2,b\n2,3,c\n")
    (note,) = built(OF_TABLE, "data.split={files: {val: v.csv, test: u.csv}}").notes
    assert note == (
        "class `c` has no training row, but 2 rows of `val` and 1 row of `test`: it has an output "
        "that cannot learn to find it"
    )
    assert not built(OF_TABLE, "data.split={val: 0.5}").notes
    Path("i.txt").write_text("1 2\n")
    Path("t.csv").write_text("x,z,y\n1,2,a\n2,3,b\n3,1,c\n4,1,d\n5,1,e\n6,1,f\n")
    *named, more = built(OF_TABLE, "data.split={index: {train: i.txt}}").notes
    assert "class `c` has no training row: it has an output" in named[1], "in no split at all"
    assert more == "classes without a training row beside these: 1"
