"""The product by groups of rows against numpy's own, entry by entry."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
import threadpoolctl
from hypothesis import given
from hypothesis import strategies as st

from bpcli.nn import products
from bpcli.nn.products import multiply, rows_per_group

SIZES = st.sampled_from([1, 2, 7, 8, 10, 31, 32, 64, 65, 72, 101, 149, 300])
COLUMNS = st.sampled_from([1, 5, 50, 417, 848, 2000])


class Layout(NamedTuple):
    """How a factor lies in memory."""

    turned: bool
    has_gaps: bool


LAYOUTS = st.builds(Layout, st.booleans(), st.booleans())


def factor(
    rng: np.random.Generator, rows: int, columns: int, dtype: str, layout: Layout
) -> np.ndarray:
    """Whole numbers, whose products and sums are exact."""
    found = rng.integers(-9, 10, size=(rows, columns)).astype(dtype)
    if dtype == "c16":
        found += 1j * rng.integers(-9, 10, size=(rows, columns))
    lines = found.T if layout.turned else found
    stored = np.full((lines.shape[0], lines.shape[1] + layout.has_gaps), np.nan, dtype)
    stored = stored[:, : lines.shape[1]]
    stored[...] = lines
    return stored.T if layout.turned else stored


@pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
@given(rows=SIZES, inner=st.one_of(SIZES, COLUMNS), columns=st.one_of(SIZES, COLUMNS),
       layouts=st.tuples(LAYOUTS, LAYOUTS))  # fmt: skip
def test_a_product_is_the_same_in_groups(
    dtype: str, rows: int, inner: int, columns: int, layouts: tuple[Layout, Layout]
) -> None:
    rng = np.random.default_rng(0)
    left = factor(rng, rows, inner, dtype, layouts[0])
    right = factor(rng, inner, columns, dtype, layouts[1])
    for has_small_kernels in (True, False):
        out = np.full((rows, columns), np.nan, dtype)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(products, "has_small_kernels", lambda found=has_small_kernels: found)
            multiply(left, right, out)
        np.testing.assert_array_equal(out, left @ right)


@pytest.mark.parametrize(
    ("rows", "inner", "columns", "rows_by_rows", "group"),
    [
        (64, 101, 848, False, 8),  # 11 fit: 1e6 multiplications
        (64, 65, 552, False, 16),  # 27 fit, 16 divide 64
        (61, 65, 552, False, 24),  # nothing divides 61
        (64, 848, 101, True, 8),  # 11 fit: 1200 results
        (32, 848, 33, True, 32),  # all fit
        (300, 785, 1520, False, 300),  # too wide for the small kernels
        (300, 1520, 785, True, 300),
        (1, 50, 2000, False, 1),
    ],
)
def test_groups_stay_within_what_the_small_kernels_take(
    rows: int, inner: int, columns: int, rows_by_rows: bool, group: int
) -> None:
    assert rows_per_group(rows, inner, columns, rows_by_rows=rows_by_rows) == group


@pytest.mark.parametrize(("kernels", "found"), [("SkylakeX", True), ("Haswell", False)])
def test_groups_are_for_the_kernels_that_gain_by_them(kernels: str, found: bool) -> None:
    """In a process of its own: OpenBLAS chooses its kernels once."""
    here = {library.get("internal_api") for library in threadpoolctl.threadpool_info()}
    if "openblas" not in here or platform.machine() != "x86_64":
        pytest.skip("only OpenBLAS on x86-64 can be told which kernels to take")
    features = np.show_config("dicts")["SIMD Extensions"]["found"]
    if kernels == "SkylakeX" and not any("AVX512" in name or "X86_V4" in name for name in features):
        pytest.skip("this processor has no AVX-512")
    code = "from bpcli.nn.products import has_small_kernels; print(has_small_kernels())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"OPENBLAS_CORETYPE": kernels},
    )  # fmt: skip
    assert done.stdout.strip() == str(found)
