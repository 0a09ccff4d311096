"""Rows of a file for a model: matched by name, or by position where there are no names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models import MIXED, a_model, rows_of

from bpcli.data.columns import FeatureEncoder, InputColumn
from bpcli.data.files.dialect import Dialect
from bpcli.errors import DataError
from bpcli.export.model import Model
from bpcli.nn.activations import ACTIVATIONS
from bpcli.workflows import new_rows as module
from bpcli.workflows.new_rows import NewRows, new_rows

MODEL = a_model(ACTIVATIONS["tanh"]())
"""Of the inputs `x`, `the y` and `z`."""
X = rows_of(MODEL, 9)
HEADERLESS = replace(
    MODEL,
    encoder=FeatureEncoder(
        MODEL.encoder.inputs, targets=("t",), file_columns=("t", "x", "the y", "z")
    ),
    dialect=Dialect(header=False),
)
"""A model of a file that had no header, whose first column was the target."""


def a_file(path: Path, columns: np.ndarray, header: list[str] | None = None) -> Path:
    lines = [",".join(map(repr, row)) for row in columns.tolist()]
    path.write_text("\n".join([*([",".join(header)] if header else []), *lines]) + "\n")
    return path


def predicted(path: Path, model: Model = MODEL) -> np.ndarray:
    return outputs_of(new_rows(path, model))


def outputs_of(rows: NewRows) -> np.ndarray:
    return np.vstack([block.outputs for block in rows.predictions().blocks])


def test_columns_are_matched_by_name_in_any_order(tmp_path: Path) -> None:
    path = a_file(tmp_path / "n.csv", X[:, [2, 0, 1]], ["z", "x", "the y"])
    np.testing.assert_array_equal(predicted(path), MODEL.outputs(X))
    assert new_rows(path, MODEL).notes == ()


def test_numbers_without_names_are_the_inputs_in_order(tmp_path: Path) -> None:
    np.testing.assert_array_equal(predicted(a_file(tmp_path / "n.csv", X)), MODEL.outputs(X))
    np.save(tmp_path / "n.npy", X)
    np.testing.assert_array_equal(predicted(tmp_path / "n.npy"), MODEL.outputs(X))


@pytest.mark.parametrize("name", ["w.csv", "w.npy"])
def test_other_than_the_inputs_without_names_are_refused(name: str, tmp_path: Path) -> None:
    path, wide = tmp_path / name, np.ones((3, 4))
    np.save(path, wide) if name.endswith("npy") else a_file(path, wide)
    with pytest.raises(DataError) as caught:
        new_rows(path, MODEL)
    assert str(caught.value) == (
        f"{name}: its 4 columns have no names, so they must be the 3 inputs in order: x, the y, z"
    )


def test_of_many_inputs_ten_are_named(tmp_path: Path) -> None:
    many = a_model(ACTIVATIONS["tanh"](), columns=tuple(InputColumn(f"x{k}") for k in range(12)))
    with pytest.raises(DataError, match=r"the 12 inputs in order: x0, .*, x8, x9, …$"):
        new_rows(a_file(tmp_path / "n.csv", X), many)


@pytest.mark.parametrize("width", [3, 4])
def test_as_in_training_a_file_may_have_no_header(width: int, tmp_path: Path) -> None:
    columns = X if width == 3 else np.column_stack([np.zeros(9), X])
    path = a_file(tmp_path / "n.csv", columns)
    np.testing.assert_array_equal(predicted(path, HEADERLESS), MODEL.outputs(X))


def test_a_header_is_seen_even_where_the_training_file_had_none(tmp_path: Path) -> None:
    path = a_file(tmp_path / "n.csv", X[:, ::-1], ["z", "the y", "x"])
    np.testing.assert_array_equal(predicted(path, HEADERLESS), MODEL.outputs(X))


def test_neither_the_inputs_nor_the_columns_of_training_are_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path / "n.csv", X[:, :2])
    with pytest.raises(DataError) as caught:
        new_rows(path, HEADERLESS)
    assert str(caught.value) == (
        "n.csv: its 2 columns have no known names: expected the 3 inputs, or the 4 columns of the "
        "training file"
    )


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (["x", "they", "z"], "there is no column `the y`; the unused column `they` is closest"),
        (["w", "the y", "z"], "there is no column `x`; the unused column is `w`"),
        (["w", "v", "the y", "z"], "there is no column `x`; the unused columns are `w`, `v`"),
        (["t0", "the y", "z"], "there is no column `x`; all columns are used"),  # the target is
        (["z", "they"], "there are no columns `x`, `the y`; the unused column is `they`"),
        (["X", "ｘ", "the y", "z"], "there is no column `x`; the unused column `X` is closest"),
        (["the y", "z"], "there is no column `x`; all columns are used"),
    ],
)
def test_the_inputs_that_are_missing_are_named(
    header: list[str], message: str, tmp_path: Path
) -> None:
    path = a_file(tmp_path / "n.csv", np.hstack([X, X])[:, : len(header)], header)
    with pytest.raises(DataError) as caught:
        new_rows(path, MODEL)
    assert str(caught.value) == f"n.csv: {message}"


@pytest.mark.parametrize("name", ["X", "ｘ"])
@pytest.mark.parametrize("model", [MODEL, HEADERLESS])
def test_a_column_whose_name_looks_different_alone_is_matched_aloud(
    name: str, model: Model, tmp_path: Path
) -> None:
    path = a_file(tmp_path / "n.csv", X[:, [2, 0, 1]], ["z", name, "The  Y"])
    np.testing.assert_array_equal(predicted(path, model), MODEL.outputs(X))
    assert new_rows(path, model).notes == (
        f"n.csv: column `{name}` is read as `x`: the names differ only in spelling",
        "n.csv: column `The Y` is read as `the y`: the names differ only in spelling",
    )


def test_a_first_row_of_names_and_numbers_is_no_row_of_numbers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the first row has the number `1`, expected column names"):
        new_rows(a_file(tmp_path / "n.csv", X, ["x", "1", "2"]), MODEL)
    with pytest.raises(DataError, match="there is no column `the y`; the unused column is `1`"):
        new_rows(a_file(tmp_path / "n.csv", X, ["x", "1", "z"]), MODEL)


def test_columns_that_are_not_needed_are_said(tmp_path: Path) -> None:
    others = [f"o{k}" for k in range(7)]
    header = ["x", "t0", "the y", *others, "z"]
    path = a_file(tmp_path / "n.csv", np.ones((2, len(header))), header)
    assert new_rows(path, MODEL).notes == (
        "n.csv: ignored target column: `t0`",
        "n.csv: ignored columns: `o0`, `o1`, `o2`, `o3`, `o4` and 2 more",
    )


@pytest.mark.parametrize("name", ["n.csv", "n.npy"])
@pytest.mark.parametrize("rows", [1, 4, 100])
def test_rows_are_read_block_by_block(
    name: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    np.save(path, X) if name.endswith("npy") else a_file(path, X)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 3 * rows)
    monkeypatch.setattr(module, "_FEWEST_ROWS", 1)
    blocks = [*new_rows(path, MODEL).predictions().blocks]
    assert len(blocks) == -(-9 // rows)
    assert [number for block in blocks for number in block.rows] == [*range(1, 10)]
    np.testing.assert_allclose(
        np.vstack([block.outputs for block in blocks]), MODEL.outputs(X), rtol=1e-13
    )


@pytest.mark.parametrize("name", ["n.csv", "n.npy"])
def test_a_value_that_does_not_fit_is_named_by_its_row_in_the_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, wrong = tmp_path / name, X.copy()
    wrong[7, 1] = np.inf
    np.save(path, wrong) if name.endswith("npy") else a_file(path, wrong)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 6)
    monkeypatch.setattr(module, "_FEWEST_ROWS", 1)
    rows = new_rows(path, MODEL)
    with pytest.raises(DataError, match=f"^{name}: column `the y`, row 8: the value is infinite"):
        list(rows.predictions().blocks)


def test_categories_are_read_as_text(tmp_path: Path) -> None:
    codes = (InputColumn("code", "category", ("01", "1")), InputColumn("n"))
    model = a_model(ACTIVATIONS["tanh"](), columns=codes)
    (tmp_path / "n.csv").write_text("n,code\n5,01\n5,1\n")
    first, second = predicted(tmp_path / "n.csv", model)
    expected = model.outputs(np.array([[1.0, 0, 5], [0, 1, 5]]))
    np.testing.assert_allclose([first, second], expected, rtol=1e-13)


def test_a_format_that_training_was_told_is_that_of_new_rows(tmp_path: Path) -> None:
    model = replace(MODEL, dialect=Dialect(separator=";", decimal=","))
    (tmp_path / "n.csv").write_text("x;the y;z\n1,5;2,25;-3\n")
    expected = model.outputs(np.array([[1.5, 2.25, -3]]))
    np.testing.assert_array_equal(predicted(tmp_path / "n.csv", model), expected)


def test_rows_with_gaps_are_filled_as_in_training(tmp_path: Path) -> None:
    model = a_model(ACTIVATIONS["tanh"](), columns=MIXED[:4])
    (tmp_path / "n.csv").write_text("town,job,married,age\na b,,true,\na b,smith,true,38.5\n")
    gaps, _ = predicted(tmp_path / "n.csv", model)
    encoded = np.array([[38.5, 1, 1, 0, 1, 0, 1, 1, 0]])
    np.testing.assert_allclose(gaps, model.outputs(encoded)[0], rtol=1e-12)


@pytest.mark.parametrize("has_header", [True, False])
def test_unnamed_inputs_whose_order_is_not_certain_are_refused(
    has_header: bool, tmp_path: Path
) -> None:
    encoder = replace(MODEL.encoder, file_columns=("t", "z", "x", "the y"), targets=("t",))
    model = replace(MODEL, encoder=encoder, dialect=Dialect(header=has_header))
    path = a_file(tmp_path / "n.csv", X)
    with pytest.raises(DataError, match="has x, the y, z; the training file has z, x, the y: "):
        new_rows(path, model)
    named = a_file(tmp_path / "m.csv", X, ["x", "the y", "z"])
    assert not new_rows(named, model).notes
    notes = new_rows(path, MODEL).notes
    assert notes == ("n.csv: no header: its columns are the inputs in order, x, the y, z",)
    np.testing.assert_array_equal(predicted(named, model), predicted(path))


# Columns kept.


def kept_of(path: Path, *keep: str, model: Model = MODEL) -> dict[str, list[str]]:
    """The columns kept, by their names, of all blocks."""
    predictions = new_rows(path, model, keep=keep).predictions()
    kept: dict[str, list[str]] = {name: [] for name in predictions.kept}
    for block in predictions.blocks:
        for column in block.kept:
            kept[column.name] += column.texts
    return kept


ROWS = "id,x,the y,z,when\n007,1,2.50,3,2024-01-31\n,,,,\n=8,-1.0,NA,3.10,\n"
"""Of inputs and others, with a blank row."""


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_VALUES", 1)
    monkeypatch.setattr(module, "_FEWEST_ROWS", 1)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_kept_columns_are_as_written_and_go_with_their_rows(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK_VALUES", 1)
    monkeypatch.setattr(module, "_FEWEST_ROWS", size)
    fills = tuple(InputColumn(name, fill=0.0) for name in ("x", "the y", "z"))
    model = a_model(ACTIVATIONS["tanh"](), columns=fills)
    path = tmp_path / "n.csv"
    path.write_text(ROWS)
    rows = new_rows(path, model, keep=["when,the y", "1"])
    assert (
        rows.notes[-1] == "n.csv: `id` contains codes, with leading zeros or many digits: read "
        "as text"
    )
    blocks = [*rows.predictions().blocks]
    assert [number for block in blocks for number in block.rows] == [1, 3]
    assert [(column.name, column.are_numbers) for column in blocks[0].kept] == [
        ("when", False), ("the y", True), ("id", False),
    ]  # fmt: skip
    assert kept_of(path, "when,the y", "1", model=model) == {
        "when": ["2024-01-31", ""], "the y": ["2.50", "NA"], "id": ["007", "=8"],
    }  # fmt: skip


def test_a_kept_column_is_not_ignored(tmp_path: Path) -> None:
    header = ["x", "t0", "the y", "o", "z"]
    path = a_file(tmp_path / "n.csv", np.ones((2, 5)), header)
    assert new_rows(path, MODEL, keep=["o"]).notes == ("n.csv: ignored target column: `t0`",)
    assert new_rows(path, MODEL, keep=["*"]).notes == ()
    assert [*kept_of(path, "*")] == header


def test_columns_are_kept_under_the_names_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("id,X,The Y,z,X\n1,1,2,3,9\nid,X,The Y,z,X\n2,4,5,6,9\n")
    rows = new_rows(path, MODEL, keep=["X,2,!z"])
    assert rows.notes[0] == "n.csv: the header repeats names: 1 is numbered, such as `X (2)`"
    assert kept_of(path, "The Y", "X") == {"The Y": ["2", "5"], "X": ["1", "4"]}
    assert [*kept_of(path, "*")] == ["id", "X", "The Y", "z", "X (2)"]
    assert [*rows.predictions().blocks]
    assert [*rows.later_notes] == ["n.csv: ignored 1 row equal to the header"]
    with pytest.raises(DataError, match="there is no column `x`; did you mean `X`"):
        new_rows(path, MODEL, keep=["x"])


def test_a_kept_column_with_the_name_of_a_result_gets_another(tmp_path: Path) -> None:
    result = MODEL.output_names[0]
    header = ["x", "the y", "z", result, f"{result} (kept)"]
    path = a_file(tmp_path / "n.csv", np.ones((2, 5)), header)
    assert [*kept_of(path, "4", "x")] == [f"{result} (kept)", "x"]
    assert [*kept_of(path, "4,5")] == [f"{result} (kept) (kept)", f"{result} (kept)"]
    [note] = new_rows(path, MODEL, keep=["4,5"]).notes
    assert note == (
        f"the kept column `{result}` is called `{result} (kept) (kept)`: a predicted column has "
        "its name"
    )


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("the  y", "there is no column `the  y`; did you mean `the y`?"),
        ("x,Z", "there is no column `Z`; did you mean `z`?"),
        ("4", "there is no column 4, only 1 to 3"),
        ("!*", "--keep chooses no column: name columns of the file"),
        (",", "--keep chooses no column: name columns of the file"),
    ],
)
@pytest.mark.parametrize("name", ["n.csv", "n.npy"])
def test_what_keeps_no_column_is_refused(
    name: str, keep: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    np.save(path, X) if name.endswith("npy") else a_file(path, X, ["x", "the y", "z"])
    with pytest.raises(DataError) as caught:
        new_rows(path, MODEL, keep=[keep])
    assert str(caught.value) == f"{name}: {message}"


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8"])
@pytest.mark.usefixtures("small_blocks")
def test_numbers_of_arrays_are_the_shortest_that_read_back(dtype: str, tmp_path: Path) -> None:
    array = np.array([[0.1, 1, -2], [1e20, 0, 7]] if dtype != "int8" else [[0, 1, -2], [9, 0, 7]])
    np.save(tmp_path / "n.npy", array.astype(dtype))
    kept = kept_of(tmp_path / "n.npy", "3", "x")
    assert kept == {"z": ["-2", "7"], "x": ["0", "9"] if dtype == "int8" else ["0.1", "1e+20"]}


def test_kept_numbers_take_the_signs_of_the_predictions(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("x;the y;z;note\n1,50;1.234,5;3;1,5 or so\n2,25;7,0;4;none, no\n")
    rows = new_rows(path, MODEL, {"decimal": ",", "thousands": "."}, ["*"])
    (block,) = rows.predictions().blocks
    assert [column.texts for column in block.kept] == [
        ["1.50", "2.25"], ["1234.5", "7.0"], ["3", "4"], ["1,5 or so", "none, no"],
    ]  # fmt: skip
    [note] = rows.later_notes
    assert note == (
        "n.csv: wrote 4 numbers with a decimal point and no thousands sign, in the kept columns: "
        "`x`, `the y`"
    )


def test_parquet_keeps_its_values(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    import pandas as pd

    frame = pd.DataFrame(X, columns=["x", "the y", "z"]).assign(
        n=pd.array([1, None, 3] * 3, "Int64")
    )
    frame.to_parquet(tmp_path / "n.parquet")
    kept = kept_of(tmp_path / "n.parquet", "n,x")
    assert kept["n"] == ["1", "", "3"] * 3
    assert np.array(kept["x"], float).tolist() == X[:, 0].tolist()


def test_a_repeated_name_is_told_and_the_first_is_taken(tmp_path: Path) -> None:
    path = a_file(tmp_path / "n.csv", X[:, [0, 1, 2, 0]], ["x", "the y", "z", "x"])
    rows = new_rows(path, MODEL)
    assert rows.notes[0] == "n.csv: the header repeats names: 1 is numbered, such as `x (2)`"
    np.testing.assert_array_equal(outputs_of(rows), MODEL.outputs(X))


def test_thousands_where_training_had_whole_numbers_are_told(tmp_path: Path) -> None:
    columns = (InputColumn("x", fill=24637.5), InputColumn("y", fill=0.125))
    model = a_model(ACTIVATIONS["tanh"](), columns=columns)
    path = tmp_path / "n.csv"
    path.write_text("x,y\n24.637,1.375\n616,2.125\n2.440,3.250\n")
    rows = new_rows(path, model)
    assert len(outputs_of(rows)) == 3
    (said,) = rows.later_notes
    assert said == (
        "n.csv: column `x`: 2 numbers such as 24.637 have 3 decimals, but the median in "
        "training is 24637.5; see `thousands`"
    )
    path.write_text("x,y\n24637,1.375\n616.5,2.125\n")
    rows = new_rows(path, model)
    outputs_of(rows)
    assert [*rows.later_notes] == []


@pytest.mark.parametrize("row", ["red,abc,true", "red,,true", "blue,,2024-05-01", "x,y,True"])
def test_a_first_row_with_words_of_the_training_is_no_header(row: str, tmp_path: Path) -> None:
    last = InputColumn("d", "date", fill=0.0) if "2024" in row else InputColumn("d", "boolean")
    columns = (InputColumn("c", "category", ("blue", "red")), InputColumn("n", fill=1.0), last)
    model = replace(a_model(ACTIVATIONS["tanh"](), columns=columns), dialect=Dialect(header=False))
    path = tmp_path / "n.csv"
    path.write_text(f"{row}\n")
    rows = new_rows(path, model)
    assert rows.notes == ()
    if row.split(",")[1]:
        with pytest.raises(DataError, match=r"column `n`, row 1: `.*` is not a number"):
            outputs_of(rows)
    else:
        assert len(outputs_of(rows)) == 1
