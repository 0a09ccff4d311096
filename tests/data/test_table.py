"""Tables whose targets turn from values into classes and back."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.table import Table
from bpcli.errors import DataError


def test_values_and_classes_turn_into_each_other() -> None:
    table = Table(np.zeros((3, 1)), Y=np.array([[7.0], [2], [7]]))
    classes = table.with_classes_as_targets()
    assert classes.class_names == ("2", "7")
    assert classes.labels is not None
    assert classes.labels.tolist() == [1, 0, 1]
    values = classes.with_values_as_targets()
    assert values.Y is not None
    assert values.Y.tolist() == [[1], [0], [1]]
    one_hot = Table(np.zeros((2, 1)), Y=np.array([[0.0, 1], [1, 0]]), target_names=("a", "b"))
    assert one_hot.with_classes_as_targets().class_names == ("a", "b")
    with pytest.raises(DataError, match="neither one column nor one-hot"):
        Table(np.zeros((1, 1)), Y=np.array([[0.5, 0.5]])).with_classes_as_targets()


def test_classes_from_numbers_keep_names_that_tell_them_apart() -> None:
    values = np.array([[1000001.0], [1000002], [0.1], [0.1 + 1e-12]])
    table = Table(np.zeros((4, 1)), Y=values).with_classes_as_targets()
    assert len(set(table.class_names)) == 4
    assert "1000001" in table.class_names
