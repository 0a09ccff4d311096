"""Lines of numbers, against `repr` of each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bpcli.workflows.number_lines import NumberLines

ANY = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.floats())


def expected(numbers: np.ndarray, separator: str) -> list[str]:
    return [separator.join(map(repr, row)) for row in numbers.tolist()]


@given(ANY, st.sampled_from([",", "\t"]))
def test_each_number_is_written_as_repr_writes_it(numbers: np.ndarray, separator: str) -> None:
    assert NumberLines(numbers, separator).cells == expected(numbers, separator)


@pytest.mark.parametrize("exponent", range(-6, 19))
def test_so_are_numbers_of_every_size(exponent: int) -> None:
    rng = np.random.default_rng(exponent + 6)
    numbers = (rng.normal(size=(2000, 2)) * 10.0**exponent).round(rng.integers(0, 18))
    assert NumberLines(numbers, ",").cells == expected(numbers, ",")


def test_many_rows_are_written_in_pieces_and_none_is_nothing() -> None:
    numbers = np.arange(10_000.0)[:, np.newaxis] / 7
    texts = [*NumberLines(numbers, ",").texts]
    assert len(texts) == 3
    assert "\n".join(texts).split("\n") == expected(numbers, ",")
    assert NumberLines(np.empty((0, 3)), ",").cells == []
