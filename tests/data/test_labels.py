"""The two words of a label, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.labels import class_values, label_words, notes_on_constants, notes_on_words
from bpcli.errors import DataError

WORDS = {"a": ("no", "yes"), "b": ("0", "1"), "c": ("No", "yes")}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("no", "yes"), ("no", "yes")),
        (("high", "low"), ("high", "low")),
        (("Yes", "no"), ("no", "Yes")),
        (("TRUE", "false"), ("false", "TRUE")),
        (("No", "yes"), ("No", "yes")),
        (("Low", "high"), ("high", "Low")),
        (("Ja", "nein"), ("nein", "Ja")),
        (("ja",), ("nein", "ja")),
        (("-1", "1"), ("-1", "1")),
        (("9", "10"), ("9", "10")),
        (("0",), ("0", "1")),
        (("1",), ("0", "1")),
        (("true",), ("false", "true")),
        (("No",), ("No", "Yes")),
        (("YES",), ("NO", "YES")),
    ],
)
def test_the_second_of_two_words_is_one(values: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert label_words(values, "x") == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("maybe",), r"^column `x` has one value, `maybe`: a label needs two; leave it out"),
        (("yEs",), "column `x` has one value, `yEs`"),
        (
            tuple("abc"),
            r"^column `x` has 3 values, `a`, `b`, `c`: a label needs two, such as no and",
        ),
        (
            ("NO", "Yes", "no"),
            "a label needs two, .*; `casefold: true` merges spellings of one value",
        ),
        (tuple("abc"), "such as no and yes$"),
        (tuple("abcdefg"), "has 7 values, `a`, `b`, `c`, `d`, `e` and 2 more: "),
    ],
)
def test_a_column_without_two_words_is_named_with_its_values(
    values: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        label_words(values, "x")
    assert caught.value.key == "targets"


def test_which_word_is_one_is_told_except_of_zeros_and_ones() -> None:
    assert [*notes_on_words(WORDS)] == ["labels `a`, `c`: 1 means `yes`"]
    assert [*notes_on_words({"b": ("0", "1")})] == []
    assert [*notes_on_words({"d": ("high", "low")})] == ["label `d`: 1 means `low`"]


def test_labels_that_are_constant_in_a_split_are_told() -> None:
    Y = np.array([[0.0, 1, 0], [0, 1, 1]])
    assert [*notes_on_constants(WORDS, Y, "train")] == [
        "label `a`: every row of the train split is `no`, so nothing can be learned about it",
        "label `b`: every row of the train split is `1`, so nothing can be learned about it",
    ]
    assert [*notes_on_constants(WORDS, Y, "test")] == [
        (
            "label `a`: every row of the test split is `no`, so recall and ROC AUC are "
            "undefined for it"
        ),
        "label `b`: every row of the test split is `1`, so the ROC AUC is undefined for it",
    ]
    both = notes_on_constants({"a": ("no", "yes"), "c": ("no", "yes")}, np.zeros((2, 2)), "val")
    assert [note.endswith("undefined for them") for note in both] == [True]
    assert [*notes_on_constants(WORDS, np.array([[0.0, 0, 0], [1, 1, 1]]), "train")] == []


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("0", "1", "2"), [0, 1, 2]),
        (("-1", "10", "9"), [-1, 10, 9]),
        (("0.5", "1"), [0.5, 1.0]),
        (("9007199254740993", "1"), [2**53 + 1, 1]),
        (("false", "true"), [False, True]),
        (("True", "False"), [True, False]),
        (("1", "01"), ["1", "01"]),
        (("01234", "98765"), ["01234", "98765"]),
        (("1_000", "2"), ["1_000", "2"]),
        (("1.0", "2.0"), [1, 2]),
        (("nan", "1"), ["nan", "1"]),
        (("False", "True", "true"), ["False", "True", "true"]),
        (("no", "1"), ["no", "1"]),
        (("true",), ["true"]),
    ],
)
def test_classes_are_values_where_none_is_lost(
    names: tuple[str, ...], values: list[object]
) -> None:
    found = class_values(names).tolist()
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]
