"""Confusion matrices and the scores of classes, against scikit-learn."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from bpcli.metrics.confusion import class_scores, confusion_counts, row_shares

pairs_of_classes = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60
)


@given(pairs_of_classes)
def test_confusion_counts_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, classes = np.array(pairs, np.intp).T
    expected = metrics.confusion_matrix(labels, classes, labels=range(5))
    assert confusion_counts(labels, classes, 5).tolist() == expected.tolist()


@given(pairs_of_classes)
def test_scores_of_classes_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    labels, classes = np.array(pairs, np.intp).T
    expected = metrics.precision_recall_fscore_support(
        labels, classes, labels=range(5), zero_division=0.0
    )
    found = class_scores(confusion_counts(labels, classes, 5))
    for column, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(column, reference, rtol=1e-15)


def test_a_row_of_shares_adds_up_to_one_or_has_no_rows() -> None:
    shares = row_shares(np.array([[3, 1], [0, 0]]))
    assert shares.tolist() == [[0.75, 0.25], [0, 0]]
