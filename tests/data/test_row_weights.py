from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from bpcli.data.row_weights import row_weights, weights_of_classes
from bpcli.data.table import Classes, Table

NAMES = ("a", "b", "c")


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60))
def test_balanced_weights_are_scikit_learns(labels: list[int]) -> None:
    found = weights_of_classes("balanced", np.array(labels), NAMES)
    present = np.unique(labels)
    expected = compute_class_weight("balanced", classes=present, y=labels)
    assert [found[NAMES[label]] for label in present] == pytest.approx(expected, rel=1e-12)
    assert all(found[NAMES[label]] == 1 for label in range(3) if label not in present)


def test_a_class_that_is_not_named_has_weight_one() -> None:
    labels = np.array([0, 1, 2])
    assert weights_of_classes({"b": 4.0}, labels, NAMES) == {"a": 1, "b": 4, "c": 1}


@pytest.mark.parametrize(
    ("key", "names", "named"),
    [
        ("0.1", ("0.1", "0.2"), "0.1"),
        (".1", ("0.1", "0.2"), "0.1"),
        ("1e-1", ("0.1", "0.2"), "0.1"),
        ("0.20", ("0.1", "0.2"), "0.2"),
        ("1.0", ("1", "2"), "1"),
        ("-1", ("-1", "1"), "-1"),
        ("True", ("false", "true"), "true"),
        ("FALSE", ("false", "true"), "false"),
        ("01", ("01", "1"), "01"),
        ("1", ("01", "1"), "1"),
    ],
)
def test_a_weight_names_its_class_as_a_cell_does(
    key: str, names: tuple[str, ...], named: str
) -> None:
    found = weights_of_classes({key: 3.0}, np.array([0, 1]), names)
    assert found == {name: 3.0 if name == named else 1.0 for name in names}


TABLE = Table(np.zeros((5, 1)), targets=Classes(np.array([0, 0, 1, 2, 2]), NAMES))


def test_rows_weigh_as_their_class_and_the_mean_of_the_training_rows_is_one() -> None:
    of_classes = {"a": 1.0, "b": 4.0, "c": 100.0}
    weight = row_weights(TABLE, of_classes, np.array([0, 1, 2]))
    assert weight == pytest.approx(np.array([1, 1, 4, 100, 100]) / 2)


def test_a_rows_own_weight_multiplies_its_classs() -> None:
    own = replace(TABLE, weight=np.array([1.0, 2, 3, 4, 5]))
    assert row_weights(own, None, np.arange(5)) == pytest.approx(np.arange(1, 6) / 3)
    both = row_weights(own, {"a": 1.0, "b": 2.0, "c": 1.0}, np.arange(5))
    assert both == pytest.approx(np.array([1, 2, 6, 4, 5]) / 3.6)


def test_weights_may_be_as_large_as_numbers_are() -> None:
    of_classes = {"a": 1.7e308, "b": 1.7e308, "c": 0.85e308}
    weight = row_weights(TABLE, of_classes, np.arange(5))
    assert weight == pytest.approx(np.array([1, 1, 1, 0.5, 0.5]) / 0.8)


def test_rows_that_count_the_same_have_no_weights() -> None:
    assert row_weights(TABLE, None, np.arange(5)) is None
