"""Columns chosen by name, number or pattern."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bpcli.data.column_rules import ColumnRules
from bpcli.data.columns import FeatureEncoder
from bpcli.data.selection import as_known, choose, require, select, selectors_of
from bpcli.errors import DataError

FRAME = pd.DataFrame(
    {
        "age": [30.0, np.nan, 50, 10, 1000],
        "job": ["cook", "nurse", np.nan, "cook", "pilot"],
        "new": [True, False, True, True, False],
    }
)

TRAINING = np.array([0, 1, 2, 3])


def fitted(frame: pd.DataFrame, training: np.ndarray = TRAINING, **rules: object) -> FeatureEncoder:
    return FeatureEncoder(tuple(ColumnRules(**rules).fit(frame, training, list(frame))))


NAMES = ["id", "x1", "x2", "x10", "y"]


def test_a_column_that_lacks_is_named_with_one_that_is_near() -> None:
    with pytest.raises(DataError, match="no column `age`; did you mean `Age`"):
        fitted(FRAME, fill="mean").encode(FRAME.rename(columns={"age": "Age"}))
    with pytest.raises(DataError, match="no column `age`; did you mean `ＡＧＥ`"):
        fitted(FRAME, fill="mean").encode(FRAME.rename(columns={"age": "ＡＧＥ"}))


@pytest.mark.parametrize(
    ("selectors", "chosen"),
    [
        (("x2", "id"), ["x2", "id"]),
        ((2, 5), ["x1", "y"]),
        (("x*",), ["x1", "x2", "x10"]),
        (("x?", "x*"), ["x1", "x2", "x10"]),
        (("!id",), ["x1", "x2", "x10", "y"]),
        (("x*", "!x10"), ["x1", "x2"]),
    ],
)
def test_columns_are_chosen_by_name_number_or_pattern(selectors, chosen) -> None:
    assert select(NAMES, selectors, "inputs") == chosen


@pytest.mark.parametrize(
    ("selector", "message"),
    [("z*", "no column `z\\*`; the columns are id"), (6, "1 to 5"), (0, "no column 0")],
)
def test_a_selector_that_chooses_nothing_is_refused(selector, message: str) -> None:
    with pytest.raises(DataError, match=message):
        select(NAMES, (selector,), "inputs")


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (["id,y"], ["id", "y"]),
        (["y", "id"], ["y", "id"]),
        (["x*, id,"], ["x1", "x2", "x10", "id"]),
        (["1,5"], ["id", "y"]),
        (["*", "!x*"], ["id", "y"]),
        ([""], []),
    ],
)
def test_a_command_line_lists_columns_between_commas(given: list[str], chosen: list[str]) -> None:
    assert select(NAMES, selectors_of(NAMES, given), "keep") == chosen


def test_a_columns_own_name_comes_first_whatever_signs_it_has() -> None:
    names = ["a", "a,b", "2", "!a", "x*", "x1"]
    for name in names:
        assert select(names, selectors_of(names, [name]), "keep") == [name]
    assert select(names, selectors_of(names, ["2,3"]), "keep") == ["2"]
    assert select(names, selectors_of(names, ["a?b,!a"]), "keep") == ["a,b", "!a"]


SIGNS = ["*", "x1", "!x1", "a[1]", "a1", "x?", "*_price", "y_price", "!lone"]


@pytest.mark.parametrize("key", ["inputs", "categories", "indicator", "keep", "casefold"])
def test_a_column_called_star_hides_no_other_column(key: str) -> None:
    assert select(SIGNS, ("*",), key) == SIGNS
    assert select(SIGNS, selectors_of(SIGNS, ["*"]), key) == SIGNS
    assert select(SIGNS, ("*", "!a1"), key) == [name for name in SIGNS if name != "a1"]
    assert select(SIGNS, ("!*",), key) == SIGNS[1:]
    assert select(SIGNS, ("[*]",), key) == ["*"]
    assert select(["a", "b"], ("*",), key) == ["a", "b"]


def test_a_target_may_be_called_star() -> None:
    assert choose(SIGNS, ("*",), ("*",)) == (SIGNS[1:], ["*"])
    for key in ("targets", "split", "weight"):
        assert select(SIGNS, ("*",), key) == ["*"]


@pytest.mark.parametrize("name", SIGNS[3:])
def test_a_name_comes_before_a_pattern(name: str) -> None:
    assert select(SIGNS, (name,), "inputs") == [name]
    assert select(SIGNS, (f"!{name}",), "inputs") == [each for each in SIGNS if each != name]


def test_a_name_that_would_also_leave_out_a_column_is_refused() -> None:
    message = r"`!x1` is the name of a column, and would also leave out `x1`: .*\(3 for `!x1`\)"
    with pytest.raises(DataError, match=message):
        select(SIGNS, ("!x1",), "inputs")
    assert select(SIGNS, (3,), "inputs") == ["!x1"]


def test_the_fill_of_a_name_comes_before_that_of_all_columns() -> None:
    frame = pd.DataFrame({"*": [np.nan, 1.0, 3.0], "age": [2.0, np.nan, 99.0], "b": [1.0, 2, 9]})
    encoder = fitted(frame, np.arange(3), fill={"*": "mean", "b": "median"})
    assert [column.fill for column in encoder.inputs] == [2.0, 50.5, 2.0]


@pytest.mark.parametrize(
    ("given", "known", "names"),
    [
        (["AGE", "cafe\u0301"], ["Age", "caf\u00e9"], ["Age", "caf\u00e9"]),
        (["Ａｇｅ\u3000", "b"], ["Age"], ["Age", "b"]),
        (["a  b"], ["a b"], ["a b"]),
        (["Age", "age"], ["age"], ["Age", "age"]),  # both are there
        (["AGE", "age"], ["Age"], ["AGE", "age"]),  # either may be meant
        (["AGE"], ["Age", "age"], ["AGE"]),
        (["ab"], ["a b"], ["ab"]),
    ],
)
def test_names_that_only_look_different_are_known(given, known, names) -> None:
    found, notes = as_known(given, known)
    assert list(found) == names
    assert len(notes) == sum(old != new for old, new in zip(given, names, strict=True))
    if notes:
        assert (
            notes[0]
            == f"column `{given[0]}` is read as `{names[0]}`: the names differ only in spelling"
        )


def test_many_names_that_look_different_are_told_in_one_note() -> None:
    names, (note,) = as_known(list("ABCDx"), list("abcdx"))
    assert names == (*"abcdx",)
    assert note == (
        "4 columns have names that differ only in spelling: `A` is read as `a`, `B` is read as "
        "`b`, `C` is read as `c` and 1 more"
    )


def test_the_nearest_column_may_differ_in_case() -> None:
    with pytest.raises(DataError, match=r"there is no column `AGES`; did you mean `age`\?"):
        require(["age", "income"], ["AGES"])
