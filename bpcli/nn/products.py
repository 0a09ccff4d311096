"""Matrix products, split into the sizes that BLAS computes fastest.

OpenBLAS copies ("packs") both factors of a product before it multiplies them, which for some 64
units takes a third of the time. With AVX-512 it computes small products without packing: those of
at most 100³ multiplications, and where rows are multiplied by rows (A Bᵀ, as in a gradient) only
those with at most 1200 results (OpenBLAS 0.3.31,
kernel/x86_64/sgemm_small_kernel_permit_skylakex.c). There a narrow layer's product is computed in
groups of units, 1.2 to 1.6 times as fast, with one numpy call for all groups.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np

from bpcli.nn.arrays import Array

_MULTIPLICATIONS = 100**3
_RESULTS_OF_ROWS = 1200
_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")
"""OpenBLAS's kernels that compute small products without packing."""

_UNROLLED = 8
"""The rows that the small kernels process at once; a group is a multiple."""

_WIDEST = 150
"""With more columns than this a packed product is as fast."""


def multiply(left: Array, right: Array, out: Array) -> None:
    """Write left @ right into `out`, which is contiguous."""
    (rows, inner), columns = left.shape, right.shape[1]
    group = rows_per_group(rows, inner, columns, rows_by_rows=right.strides[0] < right.strides[1])
    if group == rows or not has_small_kernels():
        _multiply_at_once(left, right, out)
        return
    whole = rows - rows % group
    np.matmul(
        left[:whole].reshape(-1, group, inner), right, out[:whole].reshape(-1, group, columns)
    )
    if whole < rows:
        left[whole:].dot(right, out[whole:])


def _multiply_at_once(left: Array, right: Array, out: Array) -> None:
    """Write left @ right into `out` with one call, `dot` or `matmul`.

    `dot` has the fastest call, but copies factors that are not contiguous, such as W without b. For
    these, `matmul` takes 0.73 to 0.96 of the time (10 to 2048 units); for one unit it uses no BLAS.
    """
    is_contiguous = left.flags.forc and right.flags.forc
    if not is_contiguous and left.shape[1] > 1:
        np.matmul(left, right, out)
    else:
        left.dot(right, out)


@lru_cache(maxsize=256)
def rows_per_group(rows: int, inner: int, columns: int, *, rows_by_rows: bool) -> int:
    """Rows of the left factor per call of a small kernel; all rows if small kernels do not help."""
    most = _MULTIPLICATIONS // (inner * columns)
    if rows_by_rows:
        most = min(most, _RESULTS_OF_ROWS // columns)
    is_narrow = min(inner, columns) <= _WIDEST
    if rows <= most or most < _UNROLLED or not is_narrow:
        return rows
    if rows_by_rows:
        return _UNROLLED
    largest = most - most % _UNROLLED
    equal = (size for size in range(largest, largest // 2, -_UNROLLED) if rows % size == 0)
    return next(equal, largest)


@cache
def has_small_kernels() -> bool:
    """Whether numpy's BLAS computes small products without packing."""
    import threadpoolctl

    libraries = threadpoolctl.threadpool_info()
    return any(library.get("architecture") in _KERNELS for library in libraries)
