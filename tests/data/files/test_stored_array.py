"""Arrays whose rows stay in a .npy file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpcli.data.files.arrays import ArraySource
from bpcli.data.files.stored_array import StoredArraySource
from bpcli.data.table import MultiLabels, Table
from bpcli.errors import DataError


def tables(path: Path, array: np.ndarray, **options: Any) -> tuple[Table, Table]:
    np.save(path, array)
    whole = ArraySource(path, **options).table(np.random.default_rng(0))
    return StoredArraySource(path, **options).table(), whole


@pytest.mark.parametrize(
    "options", [{}, {"targets": (1, 3)}, {"inputs": (4, 2), "targets": ("x1",)}]
)
def test_values_are_those_of_the_array_in_memory(
    tmp_path: Path, options: dict[str, Any], rng: np.random.Generator
) -> None:
    stored, whole = tables(tmp_path / "a.npy", rng.integers(0, 99, (500, 5)), **options)
    np.testing.assert_array_equal(stored.X[7:300], whole.X[7:300])
    assert stored.Y is not None
    np.testing.assert_array_equal(stored.Y[7:300], whole.Y[7:300])
    assert (stored.X.dtype, stored.Y.dtype) == (whole.X.dtype, whole.Y.dtype)
    assert (stored.input_names, stored.target_names) == (whole.input_names, whole.target_names)
    for fact in ("ends", "are_whole", "are_flags", "are_one_hot", "are_two_classes"):
        assert getattr(stored.targets, fact) == getattr(whole.targets, fact)


@pytest.mark.parametrize("dtype", ["i8", "f4", ">f8", "?"])
def test_classes_are_those_of_the_array_in_memory(
    tmp_path: Path, dtype: str, rng: np.random.Generator
) -> None:
    array = rng.choice([-3, 0, 10, 2], (500, 2)).astype(dtype)
    stored, whole = tables(tmp_path / "a.npy", array, task="classification")
    assert stored.class_names == whole.class_names
    np.testing.assert_array_equal(stored.labels[:], whole.labels)
    assert stored.labels.dtype == whole.labels.dtype


def test_labels_are_those_of_the_array_in_memory(tmp_path: Path, rng: np.random.Generator) -> None:
    array = np.column_stack([rng.random(500), rng.choice([2, 7], 500), np.zeros(500)])
    options = {"task": "multilabel", "targets": (2, 3)}
    stored, whole = tables(tmp_path / "a.npy", array, **options)
    assert isinstance(stored.targets, MultiLabels)
    assert stored.words == whole.words
    np.testing.assert_array_equal(stored.Y[:], whole.Y)


def test_values_become_classes_and_labels_as_in_memory(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    array = np.column_stack([rng.random(500), np.eye(3)[rng.integers(0, 3, 500)]])
    several, in_memory = tables(tmp_path / "a.npy", array, targets=(2, 3, 4))
    assert several.targets.as_classes().names == in_memory.targets.as_classes().names
    one, other = several.targets.as_classes().labels, in_memory.targets.as_classes().labels
    np.testing.assert_array_equal(one[:], other)
    flags, others = several.targets.as_labels(), in_memory.targets.as_labels()
    np.testing.assert_array_equal(flags.Y[:], others.Y)
    assert flags.words == others.words
    single, alone = tables(tmp_path / "b.npy", rng.integers(3, 6, (500, 2)))
    assert single.targets.as_classes().names == alone.targets.as_classes().names
    codes, labels = single.targets.as_classes().labels, alone.targets.as_classes().labels
    np.testing.assert_array_equal(codes[:], labels)


def test_values_that_are_no_classes_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    stored, _ = tables(tmp_path / "a.npy", rng.random((5000, 3)))
    with pytest.raises(DataError, match="more unique values than the 1000 classes allowed"):
        stored.targets.as_classes()
    several, _ = tables(tmp_path / "b.npy", rng.random((5000, 3)), targets=(2, 3))
    with pytest.raises(DataError, match="neither one column nor one-hot"):
        several.targets.as_classes()


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (np.array(["a", "b"]), {}),
        (np.empty((0, 3)), {}),
        (np.ones((3, 3)), {"layout": "columns"}),
        (np.ones((3, 3)), {"inputs": ("age",)}),
        (np.ones((3, 1)), {}),
    ],
)
def test_what_is_refused_in_memory_is_refused(
    tmp_path: Path, array: np.ndarray, options: dict[str, Any], rng: np.random.Generator
) -> None:
    path, said = tmp_path / "a.npy", []
    np.save(path, array)
    for source in (
        StoredArraySource(path, **options).table, lambda: ArraySource(path, **options).table(rng),
    ):  # fmt: skip
        with pytest.raises(DataError) as caught:
            source()
        said.append((str(caught.value), caught.value.key))
    assert said[0] == said[1]
