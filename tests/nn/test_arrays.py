from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bpcli.nn.arrays import CACHE_LINE, aligned_zeros

dtypes = st.sampled_from([np.float32, np.float64, np.complex128, np.int64])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple), dtypes)
def test_zeros_begin_at_a_cache_line_and_are_like_those_of_numpy(
    shape: tuple[int, ...], dtype: type
) -> None:
    found = aligned_zeros(shape, dtype)
    assert found.ctypes.data % CACHE_LINE == 0 or found.size == 0
    assert found.flags.c_contiguous
    assert found.flags.writeable
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.zeros(shape, dtype))


def test_two_arrays_of_zeros_share_no_memory() -> None:
    one, other = aligned_zeros((3, 7), float), aligned_zeros((3, 7), float)
    one[...] = 1
    assert not np.shares_memory(one, other)
    assert not other.any()
