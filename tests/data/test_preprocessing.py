from __future__ import annotations

import numpy as np
import pytest
from lazy import LazyArray

from bpcli.data import row_blocks
from bpcli.data.preprocessing import Preprocessor, encode, outputs_needed, taken
from bpcli.data.scaler import Scaler
from bpcli.data.table import Classes, InputsAsTargets, MultiLabels, Table, Values
from bpcli.errors import DataError

COLUMNS = np.array([[1.0, 10, 5], [2, 30, 5], [6, 20, 5]])

LABELS = Table(np.zeros((3, 1)), targets=Classes(np.array([2, 0, 1]), ("a", "b", "c")))


def test_scales_are_fitted_on_training_rows_alone() -> None:
    X = np.array([[0.0], [2], [1000]])
    table = Table(X, targets=Values(X * 10))
    prep = Preprocessor.fit(table, np.array([0, 1]), 1, "standard", "minmax")
    assert (prep.inputs.shift[0], prep.inputs.factor[0]) == (1, 1)
    assert (prep.targets.shift[0], prep.targets.factor[0]) == (10, 10)
    split = prep.split("test", table, np.array([2]))
    assert split.X[0, 0] == 999
    assert prep.original(split.Y)[0, 0] == 10_000
    assert split.values is not None
    assert split.values[0, 0] == 10_000


def test_a_reconstruction_has_its_scaled_inputs_as_targets() -> None:
    table = Table(COLUMNS).with_inputs_as_targets()
    prep = Preprocessor.fit(table, np.arange(3), 3, 16.0, "none")
    split = prep.split("train", table, np.arange(3))
    np.testing.assert_array_equal(split.X, split.Y)
    np.testing.assert_array_equal(prep.original(split.Y), COLUMNS)


def test_classes_are_one_hot() -> None:
    np.testing.assert_array_equal(
        encode(LABELS, np.arange(3), 3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    )
    assert outputs_needed(LABELS, one_hot=False) == 3
    with pytest.raises(DataError, match="3 classes, but the network has 2 outputs"):
        encode(LABELS, np.arange(3), 2)


def test_two_classes_fit_one_output_or_two() -> None:
    two = Table(np.zeros((2, 1)), targets=Classes(np.array([1, 0]), ("a", "b")))
    assert (outputs_needed(two, one_hot=False), outputs_needed(two, one_hot=True)) == (1, 2)
    np.testing.assert_array_equal(encode(two, np.arange(2), 1), [[1], [0]])
    np.testing.assert_array_equal(encode(two, np.arange(2), 2), [[0, 1], [1, 0]])


def test_classes_are_decided_in_original_units() -> None:
    two = Table(np.zeros((2, 1)), targets=Classes(np.array([1, 0]), ("a", "b")))
    prep = Preprocessor.fit(two, np.arange(2), 1, "none", "minmax")  # targets become -1 and 1
    classes = prep.classes(np.array([[-0.2], [0.2], [0.0]]))
    assert classes is not None
    assert classes.tolist() == [0, 1, 1]


def test_a_preparation_comes_back_from_its_arrays() -> None:
    table = Table(COLUMNS, targets=Values(COLUMNS[:, :1]))
    prep = Preprocessor.fit(table, np.arange(3), 1, "standard", "minmax")
    again = Preprocessor.from_arrays(prep.to_arrays(), (), 1, {})
    np.testing.assert_array_equal(again.inputs.apply(COLUMNS), prep.inputs.apply(COLUMNS))
    np.testing.assert_array_equal(again.original(COLUMNS[:, :1]), prep.original(COLUMNS[:, :1]))


def test_what_is_predicted_in_words_are_labels_from_one_half_up() -> None:
    Y = np.array([[0.0, 1], [1, 0], [1, 1]])
    labels = MultiLabels(Y, ("ill", "old"), (("no", "yes"), ("0", "1")))
    table = Table(COLUMNS, targets=labels)
    prep = Preprocessor.fit(table, np.arange(3), 2, "none", "none")
    outputs = np.array([[0.5, 0.4], [0.49, 1.0]])
    assert prep.answered(outputs).tolist() == [[1, 0], [0, 1]]
    assert prep.in_words(outputs) == {"ill": ["yes", "no"], "old": ["0", "1"]}


def test_what_is_predicted_in_words_is_the_class_or_nothing() -> None:
    table = Table(COLUMNS, targets=Classes(np.array([0, 1, 1]), ("a", "b")))
    prep = Preprocessor.fit(table, np.arange(3), 1, "none", "none")
    assert prep.in_words(np.array([[0.5], [0.4]])) == {"class": ["b", "a"]}
    values = Table(COLUMNS, targets=Values(COLUMNS[:, :1]))
    prep = Preprocessor.fit(values, np.arange(3), 1, "none", "none")
    assert prep.in_words(np.array([[0.5], [0.4]])) == {}


def columns_of(rows: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, 3)) + 5


def test_a_piece_has_the_rows_at_its_positions() -> None:
    X = columns_of(20)
    table = Table(X, targets=Values(X[:, :1]), weight=X[:, 2])
    prep = Preprocessor.fit(table, np.arange(20), 1, "standard", "minmax")
    split = prep.split("train", table, np.arange(0, 20, 2))
    piece = split.piece(3, 7)
    assert piece.index.tolist() == [6, 8, 10, 12]
    X, Y = split.between(3, 7)
    np.testing.assert_array_equal(X, split.X[3:7])
    np.testing.assert_array_equal(Y, split.Y[3:7])
    np.testing.assert_array_equal(piece.weight, split.weight[3:7])


@pytest.mark.parametrize("is_autoencoder", [False, True])
def test_the_rows_between_two_positions_are_read_once(is_autoencoder: bool) -> None:
    X, Y = LazyArray(columns_of(20)), LazyArray(columns_of(20)[:, :1])
    targets = InputsAsTargets(X, ("a", "b", "c")) if is_autoencoder else Values(Y)
    table, outputs = Table(X, targets=targets), 3 if is_autoencoder else 1
    fitted = Preprocessor.fit(Table(columns_of(20)), np.arange(20), 0, "standard", "none")
    scale = fitted.inputs if is_autoencoder else Scaler.fixed(2.0, 1)
    split = Preprocessor(fitted.inputs, scale, (), outputs).split("val", table, np.arange(4, 20, 2))
    inputs, targets = split.between(2, 5)
    np.testing.assert_array_equal(inputs, fitted.inputs.apply(columns_of(20)[8:14:2]))
    expected = inputs if is_autoencoder else columns_of(20)[8:14:2, :1] / 2
    np.testing.assert_array_equal(targets, expected)
    assert X.reads == [[8, 10, 12]]
    assert Y.reads == ([] if is_autoencoder else X.reads)


def test_an_autoencoder_with_another_number_of_outputs_is_refused() -> None:
    table = Table(COLUMNS, ("a", "b", "c")).with_inputs_as_targets()
    prep = Preprocessor(Scaler.fixed("none", 3), Scaler.fixed("none", 3), (), 2)
    with pytest.raises(DataError, match="3 target columns, but the network has 2 outputs"):
        prep.split("train", table, np.arange(3)).between(0, 2)


def test_blocks_are_all_rows_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_blocks, "_NUMBERS_PER_BLOCK", 12)  # 4 rows
    table = Table(columns_of(10), targets=Values(columns_of(10)[:, :1]))
    prep = Preprocessor.fit(table, np.arange(10), 1, "standard", "standard")
    split = prep.split("train", table, np.arange(10))
    X, Y = (np.concatenate(arrays) for arrays in zip(*split.blocks(), strict=True))
    np.testing.assert_array_equal(X, split.X)
    np.testing.assert_array_equal(Y, split.Y)
    starts, blocks = zip(*split.target_blocks(), strict=True)
    assert starts == (0, 4, 8)
    np.testing.assert_array_equal(np.concatenate(blocks), split.Y)


@pytest.mark.parametrize("index", [[], [3], [2, 3, 4], [0, 2, 5], [*range(6)]])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_are_taken_from_arrays_of_any_order(index: list[int], order: str) -> None:
    array, rows = np.array(columns_of(6), order=order), np.array(index, np.intp)
    np.testing.assert_array_equal(taken(array, rows), array[rows])
    np.testing.assert_array_equal(taken(LazyArray(array), rows), array[rows])
