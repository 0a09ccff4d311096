"""The division of a matrix into strips of rows, one or more per task of a pool."""

STRIP = 128
"""Rows of a matrix product per task: with 64, BLAS reaches 0.6 to 0.9 of its rate."""

MOST_STRIPS = 128
"""The most tasks: enough for many workers, and a pool has at most 256."""


def strip_height(rows: int) -> int:
    """The rows of a strip, so that a matrix of so many rows has at most `MOST_STRIPS` strips."""
    return max(STRIP, -(-rows // MOST_STRIPS))
