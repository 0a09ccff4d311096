"""Names of columns and texts of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bpcli.data.types import number_text, numbered


def test_names_count_from_one() -> None:
    assert numbered("x", 3) == ("x1", "x2", "x3")
    assert numbered("x", 0) == ()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back_from_its_text(value: float) -> None:
    assert float(number_text(value)) == value


def test_whole_numbers_have_no_point() -> None:
    assert [number_text(value) for value in (1.0, -20.0, 1e15, 0.5)] == [
        "1", "-20", "1000000000000000", "0.5",
    ]  # fmt: skip


def test_the_text_of_a_number_is_as_short_as_can_be() -> None:
    assert [number_text(value) for value in (249.7, -0.1, 1e-7)] == ["249.7", "-0.1", "1e-07"]
