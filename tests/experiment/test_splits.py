from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builds import INLINE, MOONS, OF_TABLE, built

from bpcli.errors import ConfigError
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


# In order.


def rows_of(text: str, *overrides: str) -> dict[str, list[int]]:
    splits = built(text, *overrides).splits
    return {name: splits[name].index.tolist() for name in ("train", "val", "test")}


@pytest.mark.parametrize("order", ["time", "blocks", "interleaved"])
def test_splits_in_order_do_not_depend_on_the_seed(order: str) -> None:
    ordered = f"data.split.order={order}"
    one, two = (rows_of(MOONS, ordered, f"seed={seed}") for seed in (0, 1))
    assert one == two != rows_of(MOONS)
    assert [len(index) for index in one.values()] == [20, 10, 10]
    if order != "interleaved":
        assert one == {"train": [*range(20)], "val": [*range(20, 30)], "test": [*range(30, 40)]}


def test_rows_written_in_the_config_are_dealt_in_order() -> None:
    assert rows_of(INLINE, "loss=mse", "data.split={test: 0.25, order: time}") == {
        "train": [0, 1, 2], "val": [], "test": [3],
    }  # fmt: skip


def test_folds_in_order() -> None:
    for order, test in (("blocks", [*range(10, 20)]), ("interleaved", [*range(1, 40, 4)])):
        folds = f"data.split={{folds: 4, fold: 2, val: 0.1, order: {order}}}"
        found = rows_of(MOONS, folds)
        assert found["test"] == test
        assert [len(index) for index in found.values()] == [27, 3, 10]


ORDERED = "when,x,z,y\n"
DATES = ["03.01.2024", "1.1.2024", "15.12.2023", "1.1.2024", "31.1.2024", "01.02.2024"]


@pytest.fixture
def dated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [f"{date},{i},1,{i * i}\n" for i, date in enumerate(DATES)]
    Path("t.csv").write_text(ORDERED + "".join(rows))
    return tmp_path / "t.csv"


VALUES = (
    "loss=mse",
    "network={layers: [auto, 2, auto], activations: [tanh, identity]}",
    "data.inputs=[x]",
)


@pytest.mark.usefixtures("dated")
def test_a_column_of_dates_orders_the_rows_and_equal_ones_stay() -> None:
    split = "data.split={val: 0.34, test: 0.17, order: time, order_by: when}"
    found = rows_of(OF_TABLE, *VALUES, split)
    assert found == {"train": [1, 2, 3], "val": [0, 4], "test": [5]}
    found = rows_of(OF_TABLE, *VALUES, "data.split={test: 0.5, order: time, order_by: x}")
    assert found["test"] == [3, 4, 5]
    folds = "data.split={folds: 3, fold: 1, order: blocks, order_by: when}"
    assert rows_of(OF_TABLE, *VALUES, folds)["test"] == [1, 2]


def test_many_rows_of_one_day_stay_as_they_are(dated: Path) -> None:
    days = [2 - i % 2 for i in range(80)]
    rows = [f"{day}.1.2024,{i},1,{i * i}\n" for i, day in enumerate(days)]
    dated.write_text(ORDERED + "".join(rows))
    split = "data.split={test: 0.25, order: time, order_by: when}"
    found = rows_of(OF_TABLE, *VALUES, split)
    assert found["test"] == [*range(40, 80, 2)]


@pytest.mark.parametrize(
    ("cells", "by", "message"),
    [
        (("15.12.2023", ""), "when", "column `when`, row 3: the value is missing, so that"),
        (("15.12.2023", "x"), "when", "column `when` contains categories, but `order_by` needs"),
        (("15.12.2023", "x"), "wen", "there is no column `wen`; did you mean `when`?"),
        (("15.12.2023", "1.12.2023"), '"?"', "`order_by` takes one column, but found 3"),
    ],
)
def test_what_does_not_order_the_rows_is_refused(
    cells: tuple[str, str], by: str, message: str, dated: Path
) -> None:
    dated.write_text(dated.read_text().replace(*cells))
    with pytest.raises(ConfigError, match=re.escape(message)):
        built(OF_TABLE, *VALUES, f"data.split={{test: 0.5, order: time, order_by: {by}}}")


def test_only_the_rows_of_the_first_file_are_ordered(dated: Path) -> None:
    Path("v.csv").write_text(ORDERED + "1.1.1999,1,1,1\n")
    split = "data.split={files: {val: v.csv}, test: 0.34, order: time, order_by: when}"
    found = rows_of(OF_TABLE, *VALUES, split)
    assert found == {"train": [0, 1, 2, 3], "val": [6], "test": [4, 5]}


def test_dates_of_two_formats_are_said_once(dated: Path) -> None:
    dated.write_text(ORDERED + "".join(f"0{i}/0{i + 3}/2024,{i},1,1\n" for i in (1, 3, 2, 4)))
    split = "data.split={test: 0.5, order: time, order_by: when}"
    for inputs in ("[x]", "[x, when]"):
        values = (*VALUES[:2], f"data.inputs={inputs}")
        notes = built(OF_TABLE, *values, split).notes
        assert sum("fit two formats" in note for note in notes) == 1


def test_a_class_that_order_puts_into_no_training_set_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,z,y\n" + "".join(f"{i},{i},{'ab'[i > 5]}\n" for i in range(9)))
    with pytest.raises(ConfigError, match=r"class `b` has no training row: .*, or `order: random`"):
        built(OF_TABLE, "data.split={test: 0.34, order: time}")
    folds = "data.split={folds: 3, fold: 1, order: %s}"
    assert not built(OF_TABLE, folds % "interleaved").notes
    (note,) = built(OF_TABLE, folds % "blocks").notes
    assert note == (
        "classes without a training row in some folds: `b` (3); `order: random` spreads them"
    )


def test_a_class_without_a_training_row_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,z,y\n1,2,a\n2,3,b\n3,1,b\n4,1,a\n")
    Path("v.csv").write_text("x,z,y\n1,2,a\n2,3,c\n3,1,c\n")
    Path("u.csv").write_text("x,z,y\n1,2,b\n2,3,c\n")
    (note,) = built(OF_TABLE, "data.split={files: {val: v.csv, test: u.csv}}").notes
    assert note == (
        "class `c` has no training row, but 2 rows of `val` and 1 row of `test`: its output "
        "cannot learn to predict it"
    )
    assert not built(OF_TABLE, "data.split={val: 0.5}").notes
    Path("i.txt").write_text("1 2\n")
    Path("t.csv").write_text("x,z,y\n1,2,a\n2,3,b\n3,1,c\n4,1,d\n5,1,e\n6,1,f\n")
    *named, more = built(OF_TABLE, "data.split={index: {train: i.txt}}").notes
    assert "class `c` has no training row: its output" in named[1], "in no split at all"
    assert more == "further classes without a training row: 1"
