"""Targets that turn from values into classes and back, and the numbers of rows."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.table import Table, Values, constant_columns
from bpcli.errors import DataError


def test_values_and_classes_turn_into_each_other() -> None:
    classes = Values(np.array([[7.0], [2], [7]])).as_classes()
    assert classes.names == ("2", "7")
    assert classes.labels.tolist() == [1, 0, 1]
    assert classes.as_values().Y.tolist() == [[1], [0], [1]]
    one_hot = Values(np.array([[0.0, 1], [1, 0]]), ("a", "b")).as_classes()
    assert (one_hot.names, one_hot.labels.tolist()) == (("a", "b"), [1, 0])
    with pytest.raises(DataError, match="neither one column nor one-hot"):
        Values(np.array([[0.5, 0.5]])).as_classes()


def test_classes_from_numbers_keep_names_that_tell_them_apart() -> None:
    names = Values(np.array([[1000001.0], [1000002], [0.1], [0.1 + 1e-12]])).as_classes().names
    assert len(set(names)) == 4
    assert "1000001" in names


def test_rows_count_from_one_or_as_in_their_file() -> None:
    index = np.array([0, 2])
    assert Table(np.zeros((3, 1))).numbers_of(index).tolist() == [1, 3]
    table = Table(np.zeros((3, 1)), row_numbers=np.array([2, 3, 7]))
    assert table.numbers_of(index).tolist() == [2, 7]


def test_an_autoencoder_reproduces_its_inputs() -> None:
    table = Table(np.array([[1, 2], [3, 4]]), ("a", "b")).with_inputs_as_targets()
    assert (table.task, table.target_names) == ("reconstruction", ("a", "b"))
    np.testing.assert_array_equal(table.Y, table.X)


def test_columns_of_two_values_are_labels_of_the_larger_one() -> None:
    Y = np.array([[0.0, 2, -1], [1, 1, -1], [1, 2, 1]])
    labels = Values(Y, ("a", "b", "c")).as_labels()
    assert labels.Y.tolist() == [[0, 1, 0], [1, 0, 0], [1, 1, 1]]
    assert labels.words == (("0", "1"), ("1", "2"), ("-1", "1"))
    table = Table(np.zeros((3, 1)), targets=labels)
    assert (table.task, table.labels, table.class_names) == ("multilabel", None, ())
    assert table.words == {"a": ("0", "1"), "b": ("1", "2"), "c": ("-1", "1")}
    assert Table(np.zeros((3, 1)), targets=Values(Y, ("a", "b", "c"))).words == {}
    with pytest.raises(
        DataError, match="column `a` has 3 values, `0`, `1`, `2`: a label needs two"
    ):
        Values(np.array([[0.0], [1], [2]]), ("a",)).as_labels()


def test_columns_are_constant_over_the_rows_that_are_looked_at() -> None:
    X = np.zeros((3000, 3))
    X[2500, 1], X[7, 2] = 1, 1
    every = np.arange(3000)
    assert constant_columns(X, every).tolist() == [0]
    assert constant_columns(X, every[:2500]).tolist() == [0, 1]
    assert constant_columns(X, every[2500:]).tolist() == [0, 2]
