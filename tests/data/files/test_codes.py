from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.files.codes import CodeWatch, long_codes
from bpcli.data.files.dialect import Dialect


def found(content: str, size: int = 10**6, **asked: object) -> set[str]:
    watch = CodeWatch(Dialect(**{"separator": ",", **asked}), ["a", "b", "c"])  # type: ignore[arg-type]
    for begin in range(0, len(content), size):
        watch(content[begin : begin + size])
    watch("")
    return watch.names


@pytest.mark.parametrize(
    ("text", "asked", "codes"),
    [
        ("1,2,3\n007,5,6\n", {}, {"a"}),
        ("007,5,6\n", {}, {"a"}),
        ("1,2,03", {}, {"c"}),
        ("1,2,3\r4,05,6\r", {}, {"b"}),
        ("1,2,3\r\n4,05,6\r\n", {}, {"b"}),
        ('1,"05",6\n', {}, {"b"}),
        ('"x,y",5,06\n', {}, {"c"}),
        ("1 2  03\n", {"separator": "whitespace"}, {"c"}),
        ("1|02|3\n", {"separator": "|"}, {"b"}),
        ("1,02,3\n", {"text": ("b",)}, set()),
        ("0,0.5,10\n-0.05,100,2001\n", {}, set()),
        ("01/02/2020,2020-01-05,05:30\n", {}, set()),
        ("é,00,ü\n", {}, {"b"}),
    ],
)
def test_columns_with_leading_zeros_are_found(
    text: str, asked: dict[str, object], codes: set[str]
) -> None:
    assert found(text, **asked) == codes


FIELDS = st.sampled_from(["1", "0", "05", "007", "0.5", "x", "10-05", "", "é"])


@given(st.lists(st.tuples(FIELDS, FIELDS, FIELDS), min_size=1), st.integers(1, 30))
def test_the_pieces_of_a_text_make_no_difference(rows: list[tuple[str, ...]], size: int) -> None:
    text = "".join(",".join(row) + "\n" for row in rows)
    expected = {
        name for name, cells in zip("abc", zip(*rows, strict=True), strict=True)
        if {"05", "007"} & {*cells} and not {"10-05"} & {*cells}
    }  # fmt: skip
    assert expected <= found(text, size) <= expected | {
        name for name, cells in zip("abc", zip(*rows, strict=True), strict=True)
        if {"05", "007"} & {*cells}
    }  # fmt: skip


def test_numbers_with_more_digits_than_floats_are_codes() -> None:
    frame = pd.DataFrame({"a": [1, 10**16], "b": [1, 10**15], "c": [1.0, 1e300]})
    assert long_codes(frame) == ["a"]
