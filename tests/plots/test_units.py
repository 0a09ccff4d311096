"""Dead and saturated units, against the counts of the log."""

from __future__ import annotations

import numpy as np
import pytest
from plotted import laid_out, logged, subject_of

from bpcli.runs.subject import Subject


@pytest.fixture(scope="module")
def moons(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("runs"), "moons", training__epochs=6)


def test_equal_counts_of_units_stand_side_by_side_and_near_their_number(moons: Subject) -> None:
    lines = [{"dead_units": [0, 0, 3], "saturated_units": [1, 0, 1]}] * 3
    dead, saturated = laid_out("units", logged(moons, *lines)).axes
    for axes, counts in ((dead, [0, 0, 3]), (saturated, [1, 0, 1])):
        heights = [line.get_ydata()[0] for line in axes.lines]
        assert np.allclose(heights, counts, atol=0.2)
        assert len(set(heights)) == 3
    assert (dead.get_ylabel(), saturated.get_ylabel()) == ("dead units", "saturated units")
