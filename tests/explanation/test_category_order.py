from __future__ import annotations

import numpy as np
import pytest

from bpcli.data.columns import InputColumn
from bpcli.explanation.category_order import distances, first_coordinate, order_of_levels
from bpcli.explanation.columns import Column

LEVELS = ("p", "q", "r", "s", "t")
KIND = Column(InputColumn("k", "category", LEVELS), 0)


def test_levels_are_in_the_order_of_what_goes_with_them(rng: np.random.Generator) -> None:
    """Rows of the levels 3, 0, 4, 1, 2 have larger and larger numbers; a coin tells nothing."""
    hidden = np.array([1, 3, 4, 0, 2])
    codes = rng.integers(5, size=600)
    own = hidden[codes] + rng.normal(size=600)
    coin = np.eye(2)[rng.integers(2, size=600)]
    X = np.hstack([np.eye(5)[codes], own[:, np.newaxis], coin])
    others = [
        Column(InputColumn("a"), 5),
        Column(InputColumn("coin", "category", ("h", "t")), 6),
    ]
    order = order_of_levels(KIND, others, X).tolist()
    assert order in ([3, 0, 4, 1, 2], [2, 1, 4, 0, 3])
    some = X[codes != 4]
    assert order_of_levels(KIND, others, some).tolist() == [each for each in order if each != 4]


def test_another_category_can_order_them_and_levels_that_do_not_occur_are_left_out() -> None:
    other = Column(InputColumn("m", "category", ("a", "b")), 5)
    codes = np.repeat(np.arange(4), 100)
    share = np.array([0.1, 0.9, 0.4, 0.6])[codes]
    m = (np.tile(np.arange(100), 4) < 100 * share).astype(int)
    X = np.hstack([np.eye(5)[codes], np.eye(2)[m]])
    order = order_of_levels(KIND, [other], X).tolist()
    assert order in ([0, 2, 3, 1], [1, 3, 2, 0])
    two = X[np.isin(codes, (1, 3))]
    assert order_of_levels(KIND, [other], two).tolist() == [1, 3]


def test_points_on_a_line_have_their_places() -> None:
    places = np.array([0.0, 5.0, 1.0, 3.0])
    found = first_coordinate(np.abs(places[:, np.newaxis] - places))
    assert np.allclose(np.abs(found / found[0]), np.abs((places - 2.25) / 2.25))


def test_distances_are_those_of_kolmogorov_and_the_total_variation() -> None:
    profiles = np.array([[0.1, 0.2, 0.7], [0.4, 0.1, 0.5]])
    assert distances(profiles, is_cumulative=True) == pytest.approx(np.array([[0, 0.3], [0.3, 0]]))
    assert distances(profiles, is_cumulative=False) == pytest.approx(np.array([[0, 0.3], [0.3, 0]]))
    shares = np.array([[0.5, 0.5, 0.0], [0.25, 0.5, 0.25]])
    assert distances(shares, is_cumulative=True)[0, 1] == pytest.approx(0.25)
    assert distances(shares, is_cumulative=False)[0, 1] == pytest.approx(0.25)
    assert not distances(np.empty((2, 0)), is_cumulative=True).any()
