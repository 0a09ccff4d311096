"""Cells of columns before it is known what the columns hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bpcli.data.conversion import cells as module
from bpcli.data.conversion.cells import Cells, Plan
from bpcli.data.files.dialect import Dialect
from bpcli.errors import DataError


def cells(plan: Plan | None = None, **dialect: Any) -> Cells:
    return Cells(["a", "b"], Dialect(**dialect), plan or Plan())


def frame(start: int = 0, **columns: list[Any]) -> pd.DataFrame:
    made = pd.DataFrame(columns)
    made.index += start
    return made


def test_texts_are_numbered_in_the_order_in_which_they_appear() -> None:
    own = cells()
    first = own.add(frame(a=["q", "p ", "q", None, "NA"], b=[1, 2, 3, 4, 5]))
    second = own.add(frame(5, a=["r", "p"], b=[np.nan, 0.5]))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(
        np.concatenate([first, second]),
        [
            [0, 0, 1],
            [1, 1, 2],
            [2, 0, 3],
            [3, np.nan, 4],
            [4, np.nan, 5],
            [5, 2, np.nan],
            [6, 1, 0.5],
        ],
    )
    assert own.modes == {"a": "text", "b": "number"}
    assert own.texts == {"a": {"q": 0, "p": 1, "r": 2}}
    assert own.firsts == {"a": [0, 1, 5]}
    assert own.read_as_text == ["a"]
    again = cells()
    again.resume(own.modes, {"a": [("q", 0), ("p", 1), ("r", 5)]}, {})
    assert (again.texts, again.firsts) == (own.texts, own.firsts)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1, 2], ["x", "y"]),
        ([True, False], [1, 0]),
        ([1, 0], [True, None]),
        ([True, None], ["a", "b"]),
    ],
)
def test_a_column_that_holds_something_else_is_read_again_as_text(
    first: list[Any], second: list[Any]
) -> None:
    own = cells()
    assert own.add(frame(a=first, b=[1, 2])) is not None
    assert own.add(frame(2, a=second, b=["x", "y"])) is None
    assert own.again == Plan(texts=("a", "b"))
    assert own.add(frame(2, a=first, b=[1, 2])) is None, "from then on, there are no cells"
    assert cells(own.again).read_as_text == ["a", "b"]


def test_missing_values_fit_every_column() -> None:
    own = cells()
    own.add(frame(a=[None, None], b=[np.nan, np.nan]))
    assert own.modes == {}
    own.add(frame(2, a=["x", "y"], b=[True, None]))
    own.add(frame(4, a=[np.nan, np.nan], b=[np.nan, np.nan]))
    assert not own.must_read_again


def test_codes_are_found_once() -> None:
    own = cells(text=("b",))
    own.find_codes(["a", "b", "unused"])
    assert own.again == Plan(codes=("a",))
    known = cells(Plan(codes=("a",)))
    known.find_codes(["a"])
    assert not known.must_read_again


def test_very_many_texts_become_numbers_or_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TEXTS", 2)
    own = cells()
    own.add(frame(a=["$1", "$2", "$3"], b=["2024-01-01", "2024-01-02", "2024-01-03"]))
    assert own.again == Plan(shown={"a": "$"}, dates={"b": "%Y-%m-%d"})
    again = cells(own.again)
    found = again.add(frame(a=["$1", "-", " $2.5"], b=["1970-01-02", None, "1970-01-04"]))
    np.testing.assert_array_equal(found, [[0, 1, 1], [1, np.nan, np.nan], [2, 2.5, 3]])
    with pytest.raises(DataError, match=r"column `a`, row 8: `5 \(without \$\)` is not a number"):
        again.add(frame(6, a=["$1", "5"], b=["1970-01-02", None]))
    with pytest.raises(DataError, match="column `b`, row 7: `x` is not a date like 2024-01-31"):
        again.add(frame(6, a=["$1"], b=["x"]))


@pytest.mark.parametrize("values", [[[1], [2]], [{"a": 1}, {}], [b"x", b"y"], [1j, 2j]])
def test_other_types_are_refused(values: list[Any]) -> None:
    with pytest.raises(
        DataError, match=r"column `a` has type .*: only numbers, booleans, text and"
    ):
        cells().add(frame(a=values, b=[1, 2]))
