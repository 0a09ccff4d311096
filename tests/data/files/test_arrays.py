from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from bpcli.data.files.arrays import ArraySource
from bpcli.data.files.splits import FileSplits
from bpcli.data.preprocessing import Preprocessor
from bpcli.data.table import Table, Values
from bpcli.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 3, 2), np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 3


def table_of(path: Path, **options) -> Table:
    return ArraySource(path, **options).table(np.random.default_rng(0))


def saved(path: Path, **arrays) -> Path:
    if path.suffix == ".mat":
        scipy.io.savemat(path, arrays)
    else:
        np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("name", ["a.npz", "a.mat"])
def test_images_stay_bytes_until_the_network_reads_them(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / name, X=IMAGES, y=LABELS)
    table = table_of(path, task="classification")
    assert isinstance(table.X, np.ndarray)
    assert (table.X.dtype, table.X.shape) == (np.uint8, (20, 6))
    assert table.class_names == ("0", "1", "2")
    assert table.labels is not None
    assert table.labels.tolist() == LABELS.tolist()
    split = Preprocessor.fit(table, np.arange(20), 3, 255.0, "none").split(
        "val", table, np.arange(5)
    )
    ((X, Y),) = split.blocks()
    np.testing.assert_array_equal(X, IMAGES.reshape(20, 6)[:5] / 255)
    np.testing.assert_array_equal(Y, np.eye(3)[LABELS[:5]])


@pytest.mark.parametrize("rule", ["standard", "minmax", "robust"])
def test_bytes_are_scaled_as_the_numbers_they_are(tmp_path: Path, rule) -> None:
    table = table_of(saved(tmp_path / "a.npz", X=IMAGES, y=LABELS))
    floats = Table(IMAGES.reshape(20, 6).astype(float), targets=Values(table.Y))
    index = np.arange(20)
    one, two = (Preprocessor.fit(t, index, 1, rule, "none") for t in (table, floats))
    np.testing.assert_allclose(one.inputs.shift, two.inputs.shift, rtol=1e-14)
    np.testing.assert_allclose(one.inputs.factor, two.inputs.factor, rtol=1e-14)


def test_a_npy_file_is_mapped_not_read(tmp_path: Path, rng: np.random.Generator) -> None:
    numbers = rng.normal(size=(10, 4))
    np.save(tmp_path / "a.npy", numbers)
    table = table_of(tmp_path / "a.npy")
    assert isinstance(table.X, np.memmap)
    np.testing.assert_array_equal(table.X, numbers[:, :3])
    np.testing.assert_array_equal(table.Y, numbers[:, 3:])
    chosen = table_of(tmp_path / "a.npy", inputs=("x4", "x1"), targets=(2, 3))
    np.testing.assert_array_equal(chosen.X, numbers[:, [3, 0]])
    np.testing.assert_array_equal(chosen.Y, numbers[:, [1, 2]])


def test_matlabs_row_of_targets_and_cells_of_words(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    X = rng.normal(size=(3, 2))
    table = table_of(saved(tmp_path / "a.mat", inputs=X, t=np.array([[1.0, 2, 3]])))
    assert table.Y is not None
    assert table.Y.tolist() == [[1], [2], [3]]
    words = np.array(["b", "a", "b"], dtype=object)
    assert table_of(saved(tmp_path / "a.mat", inputs=X, t=words)).class_names == ("a", "b")


def test_other_names_are_chosen_in_the_config(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", pixels=IMAGES, digits=LABELS, more=LABELS)
    with pytest.raises(DataError, match="no array has a usual name for inputs"):
        table_of(path)
    table = table_of(path, inputs=("pixels",), targets=("digits",))
    assert table.Y is not None
    assert table.Y[:, 0].tolist() == LABELS.tolist()
    copy = table_of(path, inputs=("pixels",), targets="same_as_inputs").with_inputs_as_targets()
    assert copy.Y is not None
    assert copy.Y.dtype == np.float64


def test_splits_of_other_files_follow(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", X=IMAGES, y=LABELS)
    test = saved(tmp_path / "b.npz", X=IMAGES[:4], y=LABELS[:4])
    table = table_of(path, splits=FileSplits({"test": test}))
    assert len(table) == 24
    assert table.splits["test"].tolist() == [20, 21, 22, 23]
    assert table.X.dtype == np.uint8


def test_rows_without_a_target_are_left_out_and_told(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, X=np.arange(6.0).reshape(3, 2), y=[1, np.nan, 2])
    table = ArraySource(path).table(rng)
    assert table.X.tolist() == [[0, 1], [4, 5]]
    np.testing.assert_array_equal(table.Y, [[1], [2]])
    assert table.numbers_of(np.arange(2)).tolist() == [1, 3]
    assert table.notes == ("a.npz: 1 row has no value of `y` and cannot be used: 2",)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": IMAGES, "y": LABELS[:7]}, "20 rows of inputs, but 7 of targets"),
        ({"X": np.array([[1.0, np.nan]]), "y": [1]}, "row 1, column 2 of the inputs is not finite"),
        ({"X": np.zeros((3, 2)), "y": [np.nan] * 3}, "no row has a value of `y`"),
        ({"X": np.zeros((3, 2), complex), "y": [1, 2, 3]}, "no rows of numbers"),
        (
            {"X": np.zeros((3, 2)), "z": [1, 2, 3], "w": [1, 2, 3]},
            "no array has a usual name for t",
        ),
        ({"X": np.zeros((0, 2)), "y": np.zeros(0)}, "has no rows"),
    ],
)
def test_arrays_that_are_no_table_are_refused(tmp_path: Path, arrays, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table_of(saved(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.mat"])
@pytest.mark.parametrize("content", [b"", b"x", b"\x93NUMPY\x01\x00", b"PK\x03\x04" + b"\0" * 99])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}: "):
        table_of(tmp_path / name)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="an array of 2 object has no rows"):
        table_of(tmp_path / "a.npy")


def test_the_published_digits_are_read_as_bytes(shared_data: Path) -> None:
    table = table_of(shared_data / "mnist" / "test.npz", task="classification")
    assert table.X.shape == (10_000, 784)
    assert table.X.dtype == np.uint8
    assert len(table.class_names) == 10


def test_columns_of_zeros_and_ones_are_labels_if_the_task_says_so(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    Y = rng.integers(0, 2, (20, 3))
    table = table_of(saved(tmp_path / "a.npz", X=IMAGES, Y=Y), task="multilabel")
    assert table.words == {f"y{k}": ("0", "1") for k in (1, 2, 3)}
    np.testing.assert_array_equal(table.Y, Y)
