from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import RobustScaler

from bpcli.data.preprocessing import FITTED_RULES, Preprocessor, Scaler, encode, outputs_needed
from bpcli.data.table import Classes, MultiLabels, Table, Values
from bpcli.errors import DataError

COLUMNS = np.array([[1.0, 10, 5], [2, 30, 5], [6, 20, 5]])

LABELS = Table(np.zeros((3, 1)), targets=Classes(np.array([2, 0, 1]), ("a", "b", "c")))


def test_standard_scaling() -> None:
    scaled = Scaler.fit("standard", COLUMNS).apply(COLUMNS)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(scaled.std(axis=0), [1, 1, 0])  # a constant column is only shifted


@pytest.mark.parametrize("rule", FITTED_RULES)
def test_the_scale_of_single_precision_is_in_double(rule: str) -> None:
    scaler = Scaler.fit(rule, COLUMNS.astype(np.float32))
    assert scaler.shift.dtype == scaler.factor.dtype == np.float64
    np.testing.assert_allclose(scaler.shift, Scaler.fit(rule, COLUMNS).shift, rtol=1e-15)


def test_minmax_scaling_reaches_from_minus_one_to_one() -> None:
    scaled = Scaler.fit("minmax", COLUMNS).apply(COLUMNS)
    np.testing.assert_allclose(scaled[:, 1], [-1, 1, 0])
    np.testing.assert_allclose(scaled[:, 0], [-1, -0.6, 1])
    np.testing.assert_array_equal(scaled[:, 2], 0)


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_robust_scaling_is_that_of_scikit_learn(rows: int, seed: int) -> None:
    columns = np.random.default_rng(seed).standard_cauchy((rows, 3)).round(1)
    theirs = RobustScaler().fit(columns)
    scale = Scaler.fit("robust", columns)
    np.testing.assert_allclose(scale.shift, theirs.center_, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(scale.factor, theirs.scale_, rtol=1e-12)


def test_robust_scaling_is_not_moved_by_an_outlier_and_only_shifts_without_a_spread() -> None:
    columns = np.array([[1.0, 0], [2, 0], [3, 0], [4, 0], [1e30, 1]])
    np.testing.assert_array_equal(
        Scaler.fit("robust", columns).apply(columns),
        [[-1, 0], [-0.5, 0], [0, 0], [0.5, 0], [5e29, 1]],
    )


def test_dividing_by_a_constant_does_not_look_at_the_data() -> None:
    np.testing.assert_array_equal(Scaler.fit(16.0, COLUMNS).apply(COLUMNS), COLUMNS / 16)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, 66666.67, -1e-9, 0.0, 1e300])
@pytest.mark.parametrize("rule", FITTED_RULES)
def test_a_constant_column_is_not_divided_by_rounding_noise(rule: str, value: float) -> None:
    scale = Scaler.fit(rule, np.full((100, 1), value))  # type: ignore[arg-type]
    assert scale.factor[0] == 1
    assert abs(scale.apply(np.array([[value]]))[0, 0]) <= 1e-15 * abs(value)


@pytest.mark.parametrize("rule", ["none", *FITTED_RULES, 4.0])
def test_scales_are_inverted(rule: str | float) -> None:
    scale = Scaler.fit(rule, COLUMNS)  # type: ignore[arg-type]
    np.testing.assert_allclose(scale.invert(scale.apply(COLUMNS)), COLUMNS, rtol=1e-14)


def test_minmax_survives_huge_values() -> None:
    column = np.array([[-1.5e308], [1.5e308]])
    np.testing.assert_array_equal(Scaler.fit("minmax", column).apply(column), [[-1], [1]])


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
