"""The comparison of damping rules: what it counts, and when it calls a problem solved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.damping import by_problem, goal_of, main, profiles, table
from benchmarks.damping_problems import Problem, networks, nist
from benchmarks.damping_runs import VALUE_COST, Trace, jacobian_cost, run
from bpcli.optimizers import Optimizer, StepFailed
from bpcli.optimizers.base import Losses, Point
from bpcli.optimizers.levenberg_marquardt import LevenbergMarquardt

BUNDLED = networks(Path("no folder is read"))


@dataclass(frozen=True)
class Halving(Optimizer):
    """Halves the parameters in each step, after a look at every verb; ends after `most` steps."""

    most: int

    def init(self, params):
        return {"count": np.asarray(0)}

    def step(self, objective, point, state, learning_rate):
        if state["count"] == self.most:
            raise StepFailed("tired", "It has made all its steps.")
        objective.gauss_newton(point.params)
        objective.grad(point.params)
        objective.value(2 * point.params)
        objective.losses(2 * point.params)
        trial = point.params / 2
        return Point(trial, objective.value_and_grad(trial)), {"count": state["count"] + 1}


class Square:
    """½ p², without a network."""

    network, n_rows = None, 1

    def value(self, params):
        return float(params @ params) / 2

    def grad(self, params):
        return params

    def value_and_grad(self, params):
        return type("Evaluation", (), {"value": self.value(params), "grad": params})

    def gauss_newton(self, params):
        return None

    def losses(self, params):
        return Losses(self.value(params), self.value(params))


def test_work_is_counted_in_gradients_until_each_fall_of_the_objective() -> None:
    trace = run(Halving(3), Square(), np.ones(1), 20.0, most=10)
    assert trace.values == [0.5, 0.125, 0.03125, 0.0078125]
    of_a_step = 20 + 1 + 2 * VALUE_COST + 1
    np.testing.assert_allclose(trace.costs, 1 + of_a_step * np.arange(4))
    assert np.all(np.diff(trace.seconds) >= 0)
    assert (trace.trials, trace.reason) == (10, "tired")


def test_a_run_ends_at_its_last_step_or_when_the_objective_settles() -> None:
    assert run(Halving(99), Square(), np.ones(1), 1.0, most=10).reason == "steps"
    still = run(Halving(99), Square(), np.zeros(1), 1.0, most=90)
    assert (still.reason, still.steps) == ("settled", 26)


def traces(**values: list[float]) -> dict[str, Trace]:
    return {
        rule: Trace(
            fell,
            costs=[*range(1, len(fell) + 1)],
            seconds=[*range(1, len(fell) + 1)],
            steps=4,
            trials=9,
        )
        for rule, fell in values.items()
    }


RUNS = {
    ("bowl", 0): traces(a=[10.0, 1.0], b=[10.0, 2.0, 1.0001], c=[10.0, 4.0]),
    ("bowl", 1): traces(a=[10.0, 3.0], b=[10.0, 9.0, 0.0], c=[10.0, 5.0]),
}


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("1e-3", [1.009, 0.01]),
        ("1e-6", [1.000009, 0.00001]),
        ("typical", [1.0001 * 1.001, 3.003]),
        ("any start", [0.01, 0.01]),
    ],
)
def test_goals(goal: str, expected: list[float]) -> None:
    assert [goal_of(goal, key, RUNS) for key in RUNS] == pytest.approx(expected)


def test_profiles_rank_the_rules_by_the_work_until_the_goal() -> None:
    found = profiles(RUNS, "typical", "costs")
    assert {rule: list(each) for rule, each in found.ratios.items()} == {
        "a": [1, 1],
        "b": [1.5, 1.5],
        "c": [np.inf, np.inf],
    }


def test_tables_have_a_row_for_each_rule_and_each_problem() -> None:
    head, _, a, b, c = table(RUNS)
    assert head.count("|") == a.count("|") == c.count("|")
    assert a.startswith("| a | 4 | 50% | 0.500 | 0.500 | 50% | 50% |")
    assert b.endswith("| 0.500 | 0.500 | 50% | 50% |")
    assert [*by_problem(RUNS)][2:] == ["| bowl | 1.00 | 0.88 | 0.00 |"]


@pytest.mark.parametrize("problem", [*nist(), *BUNDLED], ids=lambda problem: problem.name)
def test_a_problem_starts_elsewhere_for_each_seed(problem: Problem) -> None:
    is_complete(problem)


def test_problems_of_the_folder(shared_data: Path) -> None:
    more = networks(shared_data)[len(BUNDLED) :]
    assert len(more) == 5
    for problem in more:
        is_complete(problem)


def is_complete(problem: Problem) -> None:
    starts = [problem.start(seed)[1] for seed in (0, 1, 2, 3, 3)]
    assert len({start.tobytes() for start in starts}) == 4
    for seed in range(10):
        objective, start = problem.start(seed)
        assert np.isfinite(objective.value(start))


def test_a_jacobian_takes_more_than_a_gradient() -> None:
    assert jacobian_cost(*BUNDLED[0].start(0)) > 1


def test_a_rule_gets_down() -> None:
    objective, start = BUNDLED[0].start(0)
    trace = run(LevenbergMarquardt(), objective, start, 16.0, most=10)
    assert trace.values[-1] < trace.values[0] / 2


def test_the_command_prints_both_families_and_draws(tmp_path: Path) -> None:
    plot = tmp_path / "profiles.png"
    result = CliRunner().invoke(main, ["--quick", "--plot", str(plot)], catch_exceptions=False)
    assert "## NIST: 3 problems, 1 starts" in result.stdout
    assert "## network: 3 problems, 1 starts" in result.stdout
    assert plot.stat().st_size > 0
