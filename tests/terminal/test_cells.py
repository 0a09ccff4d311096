"""Texts of numbers and values."""

from __future__ import annotations

import math

import pytest

from bpcli.terminal.cells import aligned, key_heading, spread_texts, value_text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.1, 0.25, None], ["0.1000", "0.2500", "-"]),
        ([0.0123, 0.5, 0.0], ["0.01230", "0.50000", "0.00000"]),
        ([-170.44, 12.0, math.nan], ["-170.44", "12.00", "nan"]),
        ([12345.6, 9999.0], ["12346", "9999"]),
        ([1e-5, 2e-5], ["1e-05", "2e-05"]),
        ([1e-3, 123.4567], ["0.001", "123.5"]),
        ([3e7, 2e7], ["3e+07", "2e+07"]),
        ([], []),
    ],
)
def test_numbers_of_a_column_have_equally_many_decimals(
    values: list[float | None], texts: list[str]
) -> None:
    assert aligned(values, 4) == texts


def test_spreads_are_aligned_below_each_other() -> None:
    assert spread_texts([0.1, 0.2, None], [0.01, None, None]) == [
        "0.1000 ± 0.010", "0.2000 ±     -", "-",
    ]  # fmt: skip
    assert spread_texts([0.1], [None]) == ["0.1000"]


@pytest.mark.parametrize(
    ("key", "keys", "heading"),
    [
        ("training.l2", ["training.l2", "seed"], "l2"),
        ("a.b.c", ["a.b.c", "x.c"], "b.c"),
        ("x.c", ["a.b.c", "x.c"], "x.c"),
        ("c", ["a.c", "c"], "c"),
        ("training.epochs", ["training.epochs"], "training.epochs"),
    ],
)
def test_a_heading_is_the_shortest_end_of_a_key(key: str, keys: list[str], heading: str) -> None:
    assert key_heading(key, keys, ("epochs",)) == heading


def test_values_of_a_config_are_short() -> None:
    values = [True, None, 0.1, 5, [16, 8], {"name": "adam", "beta1": 0.8}, "中" * 50]
    assert [value_text(value) for value in values] == [
        "true", "null", "0.1", "5", "[16, 8]", "adam (beta1 0.8)", "中" * 39 + "…",
    ]  # fmt: skip
