"""Arrays whose columns have names: what is chosen by name, and what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.data.files.arrays import ArraySource, load_inputs
from bpcli.data.files.splits import FileSplits
from bpcli.data.table import Classes, MultiLabels, Table, Values
from bpcli.errors import DataError
from bpcli.nn.arrays import Array

ROWS = np.array([[1.0, 2, 3, 0, 1], [4, 5, 6, 1, 0], [7, 8, 9, 2, 1]])
NAMES = ["a", "b=x", "b=y", "kind", "is_new"]
CLASSES = {"kind": ["p", "q", "r"], "is_new": ["no", "yes"]}


def write(
    path: Path, targets: list[str], names: list[str] = NAMES, rows: Array = ROWS, **changes: Any
) -> Path:
    np.save(path, rows)
    document = {
        "schema": 1,
        "rows": len(rows),
        "columns": names,
        "targets": targets,
        "classes": [
            {"target": each, "names": CLASSES[each]} for each in targets if each in CLASSES
        ],
        "dtype": "float64",
        "source": {"name": "t.csv", "size": 10, "modified_ns": 5},
        "dialect": {},
        "notes": [],
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(document | changes))
    return path


def table(path: Path, *inputs: str, **options: Any) -> Table:
    return ArraySource(path, inputs or ("*",), **options).table(np.random.default_rng())


def test_the_recorded_targets_are_the_default_and_classes_have_names(tmp_path: Path) -> None:
    found = table(write(tmp_path / "t.npy", ["kind"]))
    assert found.input_names == ("a", "b=x", "b=y", "is_new")
    assert found.X.tolist() == ROWS[:, [0, 1, 2, 4]].tolist()
    assert isinstance(found.targets, Classes)
    assert found.targets.names == ("p", "q", "r")
    assert found.targets.labels.tolist() == [0, 1, 2]


def test_inputs_and_targets_are_chosen_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npy", ["kind"])
    found = table(path, "b=*", targets=("a", "is_new"))
    assert found.input_names == ("b=x", "b=y")
    assert np.shares_memory(found.X, found.X.base), "no copy"
    assert isinstance(found.targets, Values)
    assert found.targets.names == ("a", "is_new")
    assert found.targets.Y.tolist() == ROWS[:, [0, 4]].tolist()
    with pytest.raises(DataError, match="there is no column `c`"):
        table(path, "c")


def test_numbers_are_classes_or_labels_if_the_task_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npy", ["is_new"], classes=[])
    assert isinstance(table(path, "a", task="multilabel").targets, MultiLabels)
    targets = table(path, "a", task="classification").targets
    assert isinstance(targets, Classes)
    assert targets.names == ("0", "1")


def test_several_classes_of_two_words_are_labels(tmp_path: Path) -> None:
    rows = np.array([[1.0, 0, 1], [2, 1, 1]])
    classes = [{"target": each, "names": ["no", "yes"]} for each in ("p", "q")]
    path = write(tmp_path / "t.npy", ["p", "q"], ["a", "p", "q"], rows, classes=classes)
    targets = table(path).targets
    assert isinstance(targets, MultiLabels)
    assert targets.words == (("no", "yes"), ("no", "yes"))
    assert targets.Y.tolist() == rows[:, 1:].tolist()
    with pytest.raises(DataError, match="choose one of them"):
        table(path, task="classification")
    one = table(path, "a", targets=("p",)).targets
    assert isinstance(one, Classes)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"targets": ("a",)}, "column `kind` contains classes as numbers: exclude it"),
        ({"targets": "same_as_inputs"}, "column `kind` contains classes as numbers"),
        ({"task": "regression"}, "contains classes, not numbers"),
        ({"targets": ("kind", "a")}, "contains classes, not numbers"),
        ({"task": "multilabel"}, "need two values each"),
    ],
)
def test_classes_are_neither_inputs_nor_numbers(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        table(write(tmp_path / "t.npy", ["kind"]), **options)


@pytest.mark.parametrize("wrong", [-1, 3, 0.5, 1e30])
def test_a_number_that_is_no_class_is_refused_with_its_row(tmp_path: Path, wrong: float) -> None:
    rows = ROWS.copy()
    rows[1, 3] = wrong
    with pytest.raises(
        DataError, match=r"row 2: .* is not the index of one of the 3 classes of `k"
    ):
        table(write(tmp_path / "t.npy", ["kind"], rows=rows))


def test_an_array_that_was_replaced_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npy", ["kind"])
    np.save(path, ROWS[:2])
    with pytest.raises(DataError, match=r"describes 3 rows of 5 columns, but t\.npy has 2 × 5"):
        table(path)
    np.save(path, np.where(ROWS == 5, np.nan, ROWS))
    with pytest.raises(DataError, match="row 2, column 2 of the inputs is not finite"):
        table(path)


def test_splits_in_other_files_have_the_same_names(tmp_path: Path) -> None:
    path, other = write(tmp_path / "t.npy", ["kind"]), write(tmp_path / "v.npy", ["kind"])
    splits = FileSplits(files={"val": other})
    found = table(path, splits=splits)
    assert found.splits["val"].tolist() == [3, 4, 5]
    assert len(found.X) == 6
    write(other, ["kind"], ["a", "b=x", "b=z", "kind", "is_new"])
    with pytest.raises(DataError, match=r"v.npy has other columns or classes than t.npy"):
        table(path, splits=splits)


def test_new_rows_are_chosen_by_their_names(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npy", ["kind"])
    inputs, _ = load_inputs(path, ["is_new", "a"])
    assert inputs.tolist() == ROWS[:, [4, 0]].tolist()
    assert load_inputs(path, ["x1", "x2"])[0].shape == ROWS.shape, "its caller refuses that"
