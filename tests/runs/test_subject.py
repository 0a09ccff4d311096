"""What plots see of a run."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.runs.subject import MOST_POINTS, some_rows


@pytest.mark.parametrize("count", [1, 2, MOST_POINTS, MOST_POINTS + 1, 10**6])
def test_rows_are_taken_evenly_and_never_twice(count: int) -> None:
    some = some_rows(count)
    assert len(some) == min(count, MOST_POINTS)
    assert (some[0], some[-1]) == (0, count - 1)
    assert (np.diff(some) > 0).all()
