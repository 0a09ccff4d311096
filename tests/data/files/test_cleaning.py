from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.files.cleaning import Cleaner
from bpcli.data.files.dialect import Dialect

HEADED = Dialect(decimal=".", thousands=",")


def cleaned(values: list[Any], dialect: Dialect = HEADED) -> tuple[list[Any], list[str]]:
    """A column `a` beside one of numbers, and the notes."""
    cleaner = Cleaner(dialect)
    frame = pd.DataFrame({"a": values, "b": np.arange(len(values))})
    return cleaner(frame)["a"].tolist(), list(cleaner.notes)


@pytest.mark.parametrize(
    ("texts", "numbers", "notes"),
    [
        (["1,234", "5"], [1234, 5], []),
        (["5 %", "6 %"], [5, 6], ["column `a`: 5 % is read as 5"]),
        (["1,237.5 €", "5 €"], [1237.5, 5], ["column `a`: 1,237.5 € is read as 1237.5"]),
        (["$5", "($6)"], [5, -6], ["column `a`: $5 is read as 5"]),
        (["−1.5", "2"], [-1.5, 2], []),
    ],
)
def test_cells_that_show_numbers_are_numbers(
    texts: list[str], numbers: list[float], notes: list[str]
) -> None:
    assert cleaned(texts) == (numbers, notes)


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["red ", "NA ", "blue"], ["red", None, "blue"]),
        (["1 ", "NA ", "2"], [1, None, 2]),
        (["True ", "False", "-"], [True, False, None]),
        (["true", "FALSE", "None", "None"], [True, False, None, None]),
        (["yes", "no", "yes"], ["yes", "no", "yes"]),
    ],
)
def test_spaces_before_a_separator_are_no_part_of_a_cell(
    texts: list[str], read: list[object]
) -> None:
    values, notes = cleaned(texts)
    assert [None if pd.isna(value) else value for value in values] == read
    assert notes == []


def test_among_whole_numbers_read_as_text_a_dash_is_a_missing_value() -> None:
    values, notes = cleaned(["007 ", "- ", "NA ", "123"], Dialect(text=("a",)))
    assert [None if pd.isna(value) else value for value in values] == ["007", None, None, "123"]
    assert notes == []
    assert cleaned(["A7", "-"], Dialect(text=("a",)))[0] == ["A7", "-"]


def test_a_repeated_header_with_spaces_is_one() -> None:
    frame = pd.DataFrame({"a": ["a ", "1", "a"], "b": ["b", "2", "x"]})
    assert len(Cleaner(HEADED)(frame)) == 2
    flags = pd.DataFrame({"a": [None, True, False]}, dtype=object)
    assert len(Cleaner(HEADED)(flags)) == 3


def test_missing_values_and_rare_words_for_them_are_nan() -> None:
    values, _ = cleaned(["1,000", None, "None", *["2"] * 20])
    np.testing.assert_array_equal(values, [1000, np.nan, np.nan, *[2] * 20])


@pytest.mark.parametrize("texts", [["red", "blue"], ["red", "2", "x"]])
def test_what_is_no_column_of_numbers_stays_text(texts: list[str]) -> None:
    assert cleaned(texts) == (texts, [])


@pytest.mark.parametrize(
    ("texts", "marks"),
    [(["5 %", "$6", "€7"], "'$', '%', '€'"), (["5 %", "6", "$7"], "'', '$', '%'")],
)
def test_numbers_of_different_signs_are_categories_with_a_note(
    texts: list[str], marks: str
) -> None:
    note = f"column `a` is read as categories: its numbers have different signs ({marks})"
    assert cleaned(texts) == (texts, [note])


def test_a_mistake_among_numbers_stays_to_be_named() -> None:
    values, _ = cleaned([*["1,000"] * 30, "oops", "None"])
    assert values[:-1] == [*[1000.0] * 30, "oops"]
    assert pd.isna(values[-1])


def test_the_signs_are_those_of_the_dialect() -> None:
    dialect = Dialect(decimal=",", thousands=".")
    assert cleaned(["1.234,5", "2,5"], dialect)[0] == [1234.5, 2.5]
    assert cleaned(["1.5", "2.5"], dialect)[0] == ["1.5", "2.5"]


def test_numbers_of_which_many_have_other_signs_are_told() -> None:
    _, (note,) = cleaned(["1", "2", "0,5", "1,5"] * 9, Dialect(decimal="."))
    assert note == (
        "column `a` is read as categories: its numbers have other decimal or thousands signs than "
        "the file, such as `0,5`; see `decimal`, `thousands`"
    )


def test_columns_of_text_are_left_alone() -> None:
    assert cleaned(["5 %", "None"], Dialect(text=("a",))) == (["5 %", "None"], [])


def test_a_frequent_word_for_missing_values_is_a_category_and_told() -> None:
    values, notes = cleaned(["Indoor"] * 17 + ["None"] * 3)
    assert values[-1] == "None"
    [note] = notes
    assert note.startswith(
        "column `a`: 3 values are an entry for missing values such as None, which "
    )
    values, notes = cleaned(["Indoor"] * 18 + ["None"] * 3)
    assert pd.isna(values[-1])
    assert notes == []
    values, _ = cleaned(["Indoor"] * 20 + ["None"], Dialect(missing=("?",)))
    assert values[-1] == "None"


@given(st.lists(st.sampled_from(["data", "blank", "header", "gaps"]), min_size=1, max_size=12))
def test_no_row_is_dropped_without_a_note(kinds: list[str]) -> None:
    cells = {"data": ["x", "1"], "blank": [None, None], "header": ["a", "b"], "gaps": [None, "1"]}
    frame = pd.DataFrame([cells[kind] for kind in kinds], columns=["a", "b"], dtype=object)
    blank = np.array([i for i, kind in enumerate(kinds) if kind == "blank"], np.intp)
    cleaner = Cleaner(HEADED, lambda: blank)
    kept = [i for i, kind in enumerate(kinds) if kind in ("data", "gaps")]
    assert list(cleaner(frame).index) == kept
    counts = {
        "without any value": kinds.count("blank"),
        "equal to the header": kinds.count("header"),
    }
    assert list(cleaner.notes) == [
        f"ignored {count} row{'s' if count > 1 else ''} {reason}"
        for reason, count in counts.items()
        if count
    ]


def test_counts_add_up_over_blocks() -> None:
    frame = pd.DataFrame({"a": ["a", "1 %"], "b": ["b", "2"]})
    cleaner = Cleaner(HEADED)
    for _ in range(2):
        cleaner(frame)
    assert list(cleaner.notes) == [
        "ignored 2 rows equal to the header",
        "column `a`: 1 % is read as 1",
    ]


def test_without_a_header_no_row_repeats_it() -> None:
    frame = pd.DataFrame({"x1": ["x1", "u"], "x2": ["x2", "v"]})
    assert len(Cleaner(Dialect(header=False))(frame)) == 2


def test_the_header_of_the_file_is_what_a_row_repeats_under_other_names() -> None:
    frame = pd.DataFrame({"age": ["Age ", "1", "age"], "size": ["Size", "2", "size"]})
    assert Cleaner(HEADED, header=["Age", "Size "])(frame)["age"].tolist() == [1, "age"]
    assert Cleaner(HEADED)(frame)["age"].tolist() == ["Age", 1]


def test_a_row_of_words_for_missing_values_is_kept() -> None:
    """Only `blank_rows` says whether a row without values has nothing but separators."""
    frame = pd.DataFrame({"a": [np.nan, 1.0], "b": [np.nan, 2.0]})
    assert len(Cleaner(HEADED)(frame)) == 2


def test_files_without_blank_rows_are_read_once() -> None:
    def fail() -> np.ndarray:
        raise AssertionError("the file is read again")

    frame = pd.DataFrame({"a": [np.nan, 1.0], "b": [1.0, np.nan]})
    assert len(Cleaner(HEADED, fail)(frame)) == 2
    assert len(Cleaner(HEADED, fail)(frame[["a"]])) == 2
