from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bpcli.data.columns import InputColumn
from bpcli.explanation.columns import Column
from bpcli.explanation.effects import Curve
from bpcli.explanation.shapes import shape

NUMBER = Column(InputColumn("a"), 0)


def curve(values: Sequence[float]) -> Curve:
    found = np.array(values, np.float64)[:, np.newaxis]
    at = np.arange(len(values), dtype=np.float64)
    return Curve(at, np.ones(len(values)), found, found, found)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 1, 2, 4], "rises"),
        ([4, 2, 2.05, 0], "falls"),
        ([0, 2, 4, 1], "rises until 2, then falls"),
        ([3, 0, 2, 5], "falls until 1, then rises"),
        ([0, 3, 0, 3, 0], "goes up and down"),
        ([0, 0.01, 0, 0.01], "hardly changes"),
    ],
)
def test_a_curve_in_words(values: Sequence[float], words: str) -> None:
    assert shape(NUMBER, curve(values), 0, 10.0) == words


def test_categories_name_the_ends() -> None:
    column = Column(InputColumn("k", "category", ("p", "q", "r")), 0)
    assert shape(column, curve([1, 5, -2]), 0, 10.0) == "highest for q, lowest for r"


def test_a_turn_is_a_date_where_the_column_is_one() -> None:
    day = Column(InputColumn("d", "date"), 0)
    assert shape(day, curve([0, 5, 0]), 0, 5.0) == "rises until 1970-01-02, then falls"
