from __future__ import annotations

import numpy as np
import pytest

from benchmarks.profiles import Profiles, cost_to_reach, target

inf = np.inf

COSTS = {"a": [1, 2, 8, inf], "b": [2, 2, 1, inf], "c": [4, inf, 2, inf]}
# Ratios by hand, problem by problem: the best costs are 1, 2 and 1; nobody solves the fourth.
#   a: 1, 1, 8, ∞      b: 2, 1, 1, ∞      c: 4, ∞, 2, ∞


@pytest.fixture
def profiles() -> Profiles:
    return Profiles.of(COSTS)


def test_ratios_are_costs_over_the_best_of_a_problem(profiles: Profiles) -> None:
    assert profiles.ratios["a"].tolist() == [1, 1, 8, inf]
    assert profiles.ratios["b"].tolist() == [2, 1, 1, inf]
    assert profiles.ratios["c"].tolist() == [4, inf, 2, inf]


@pytest.mark.parametrize(
    ("solver", "fractions"),
    [("a", [0.5, 0.5, 0.5, 0.75]), ("b", [0.5, 0.75, 0.75, 0.75]), ("c", [0, 0.25, 0.5, 0.5])],
)
def test_a_profile_counts_problems_within_a_factor(
    profiles: Profiles, solver: str, fractions: list[float]
) -> None:
    assert [profiles.within(solver, factor) for factor in (1, 2, 4, 8)] == fractions
    assert profiles.solved(solver) == fractions[-1]


def test_an_area_is_that_of_the_steps(profiles: Profiles) -> None:
    # Over log2 τ from 0 to 4, problem by problem: a 4 + 4 + 1, b 3 + 4 + 4, c 2 + 0 + 3, of 4 · 4.
    assert profiles.area("a", 16) == 9 / 16
    assert profiles.area("b", 16) == 11 / 16
    assert profiles.area("c", 16) == 5 / 16
    for solver in COSTS:
        factors, fractions = profiles.steps(solver, 16)
        widths = np.diff(np.log2(factors))
        assert profiles.area(solver, 16) == pytest.approx(widths @ fractions[:-1] / 4)


def test_ratios_beyond_the_limit_count_as_unsolved(profiles: Profiles) -> None:
    assert profiles.area("a", 4) == (2 + 2 + 0) / (4 * 2)
    factors, fractions = profiles.steps("a", 4)
    assert (factors.tolist(), fractions.tolist()) == ([1, 4], [0.5, 0.5])


def test_steps_are_the_corners_of_a_profile(profiles: Profiles) -> None:
    factors, fractions = profiles.steps("c", 16)
    assert factors.tolist() == [1, 2, 4, 16]
    assert fractions.tolist() == [0, 0.25, 0.5, 0.5]


@pytest.mark.parametrize("cost", [0, -1, np.nan])
def test_a_cost_must_be_positive(cost: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Profiles.of({"a": [1, cost], "b": [1, 1]})


def test_solvers_have_the_same_problems() -> None:
    with pytest.raises(ValueError, match="shape"):
        Profiles.of({"a": [1, 2], "b": [1]})


def test_a_target_lies_between_the_best_and_the_start() -> None:
    assert target(start=9, best=1, tolerance=0) == 1
    assert target(start=9, best=1, tolerance=0.25) == 3
    assert target(start=9, best=1, tolerance=1) == 9


def test_the_first_objective_at_the_target_decides() -> None:
    objectives, seconds = [9, 3, 5, 1], [0.1, 0.2, 0.3, 0.4]
    assert cost_to_reach(3, objectives, seconds) == 0.2
    assert cost_to_reach(2.9, objectives, seconds) == 0.4
    assert cost_to_reach(0.5, objectives, seconds) == inf
