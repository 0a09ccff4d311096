"""The time to solution at a reduced size, with the peers that every environment has."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.process import Child
from benchmarks.solution import registry
from benchmarks.solution.command import main
from benchmarks.solution.plot import spread
from benchmarks.solution.problem import STALLED_AFTER, Problem, write
from benchmarks.solution.progress import Ended, Progress
from benchmarks.solution.registry import SOLVERS
from benchmarks.solution.results import MAIN, TOLERANCES, Process, Ratio, Results, Solved, Step
from benchmarks.solution.results import Problem as SolvedProblem
from benchmarks.solution.session import ONE_THREAD, Plan, measure
from benchmarks.solution.solvers.bpnet import Counted
from benchmarks.solution.solvers.numpy_network import NumpyNetwork
from benchmarks.solution.steps import SIZES
from benchmarks.solution.whole import whole_processes
from benchmarks.solution.workloads import WORKLOADS
from bpcli.config.load import load_config
from bpcli.experiment import build

PEERS = ("minpack", "trf", "scipy", "scikit_learn")
FACTS = {"date": "", "cpu": "", "cores": 2, "blas": [], "python": "", "versions": {}}


@pytest.fixture(scope="module")
def results() -> Results:
    names = ("digits", "curve", "small")
    plan = Plan(
        [WORKLOADS[name].reduced() for name in names],
        ("bpnet", *PEERS),
        seeds=1,
        repeats=2,
        whole_repeats=0,
        step_sizes=SIZES[:1],
        step_rows=100,
        step_repeats=1,
    )
    return measure(plan)


def test_every_solver_runs_on_the_workloads_of_its_optimizer(results: Results) -> None:
    assert results.solvers("digits") == ["bpnet", "scipy", "scikit_learn"]
    assert results.solvers("curve") == ["bpnet", "minpack", "trf"]
    assert results.solvers("small") == ["bpnet"]
    assert not any(problem.errors for problem in results.problems)


def test_somebody_reaches_each_target_and_says_what_it_took(results: Results) -> None:
    for problem in results.problems:
        ways = [way for ways in problem.solved.values() for way in ways if way.tolerance == MAIN]
        assert problem.best < problem.target(MAIN) < problem.start
        assert any(way.is_reached for way in ways)
        for way in ways:
            assert way.spent > 0
            assert (way.evaluations > 0) == way.is_reached
            assert all(seconds > 0 for seconds in way.seconds)
            assert len(way.seconds) <= 1  # the first of two repeats has only counted


def test_solvers_evaluate_what_they_need(results: Results) -> None:
    for workload, solver, kinds in (
        ("digits", "bpnet", {"gradients"}),
        ("digits", "scipy", {"gradients"}),
        ("digits", "scikit_learn", {"gradients"}),
        ("curve", "minpack", {"jacobians", "losses"}),
        ("curve", "trf", {"jacobians", "losses"}),
        ("small", "bpnet", {"gradients"}),
    ):
        (problem,) = results.of(workload)
        way = problem.way(solver, MAIN)
        found = {kind for kind in ("gradients", "jacobians", "losses") if getattr(way, kind)}
        assert found == (kinds if way.is_reached else set())  # a worse minimum reaches no target
    (curve,) = results.of("curve")
    way = curve.way("bpnet", MAIN)
    assert (way.jacobians > 0) == way.is_reached


def test_steps_are_timed(results: Results) -> None:
    (step,) = results.steps
    assert (step.n_params, step.rows, len(step.steps)) == (101, 100, 1)
    assert step.ratio > 0


def test_whole_processes_are_timed(results: Results) -> None:
    """Of those that reach the target: a script fails if it does not."""
    processes = whole_processes([WORKLOADS["curve"].reduced()], results, 1, ONE_THREAD)
    (curve,) = results.of("curve")
    for process in processes:
        assert curve.seconds(process.solver, MAIN) is not None
        assert len(process.seconds) == 1
        assert process.seconds[0] > 0.1  # it has imported numpy
    assert [process.solver for process in processes] == [
        solver for solver in curve.solved if curve.seconds(solver, MAIN) is not None
    ]


def test_a_session_survives_json_and_is_reported(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "results.json")
    read = Results.read(tmp_path / "results.json")
    assert (read.problems, read.processes, read.steps) == (
        results.problems,
        results.processes,
        results.steps,
    )
    figure = tmp_path / "profiles.svg"
    command = ["--read", str(tmp_path / "results.json"), "--figure", str(figure)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0
    assert "| curve 200×1-6-1 | 19 |" in done.output
    assert "MINPACK" in done.output
    assert figure.read_text().startswith("<?xml")


# The objective of the peers is that of bpnet.


@pytest.mark.parametrize("name", ["digits", "regression", "outputs"])
def test_the_objective_in_numpy_is_that_of_bpnet(name: str, tmp_path: Path) -> None:
    write(tmp_path, WORKLOADS[name].reduced(), seed=1)
    network = NumpyNetwork(Problem.load(tmp_path))
    experiment = build(load_config(tmp_path / "config.yaml"))
    params = experiment.initial_params
    value, grad = network.value_and_grad(network.problem.vector)
    evaluation = experiment.objective().value_and_grad(params)
    assert value == pytest.approx(evaluation.value, rel=1e-13)
    grads = dict(experiment.network.tensors(evaluation.grad))
    ours = np.concatenate([grads[tensor].ravel() for tensor in ("W1", "b1", "W2", "b2")])
    assert np.allclose(grad, ours, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("solver", "names"),
    [
        ("minpack", ["outputs"]),
        ("trf", ["outputs"]),
        ("optimistix", ["outputs"]),
        ("scipy", ["digits", "regression"]),
        ("scikit_learn", ["digits", "regression"]),
        ("pytorch", ["digits", "regression"]),
        ("pytorch_rprop", ["small"]),
    ],
)
def test_a_solver_starts_at_the_objective_of_the_initial_parameters(
    solver: str, names: list[str], tmp_path: Path
) -> None:
    """In a process of its own: JAX and PyTorch start threads, and other tests fork."""
    if not SOLVERS[solver].is_installed:
        pytest.skip(f"{SOLVERS[solver].package} is not installed")
    with Child(SOLVERS[solver].module, "benchmarks.solution.child", **ONE_THREAD) as child:
        for name in names:
            write(tmp_path, WORKLOADS[name].reduced(), seed=1)
            network = NumpyNetwork(Problem.load(tmp_path))
            start, _ = network.value_and_grad(network.problem.vector)
            child.load(folder=str(tmp_path))
            request = {"target": 2 * start, "budget": 60, "counted": True}
            solution = child.ask({"run": request})
            assert solution["objective"] == pytest.approx(start, rel=1e-12)
            assert sum(solution[kind] for kind in ("gradients", "jacobians", "losses")) == 1


def test_the_jacobian_is_that_of_the_residuals(tmp_path: Path) -> None:
    write(tmp_path, replace(WORKLOADS["outputs"].reduced(), rows=7), seed=1)
    network = NumpyNetwork(Problem.load(tmp_path))
    vector = network.problem.vector
    J, residuals = network.jacobian(vector), network.residuals(vector)
    assert 0.5 * residuals @ residuals == pytest.approx(network.value_and_grad(vector)[0])
    for index, column in enumerate(J.T):
        moved = vector.copy()
        moved[index] += 1e-6
        assert np.allclose((network.residuals(moved) - residuals) / 1e-6, column, atol=1e-5)


# When a solver ends.


def test_a_solver_ends_at_its_target() -> None:
    progress = Progress(target=1.0, budget=60)
    progress.see(1.1)
    with pytest.raises(Ended):
        progress.see(1.0)
    assert progress.lowest == 1.0


def test_a_solver_ends_out_of_budget() -> None:
    with pytest.raises(Ended):
        Progress(target=None, budget=0).see(1.0)


def test_a_solver_without_a_target_ends_if_it_stalls() -> None:
    progress = Progress(target=None, budget=60)
    for objective in (2.0, 1.0, *[1.0 - 1e-12] * STALLED_AFTER):
        progress.see(objective)
    with pytest.raises(Ended):
        progress.see(1.0)
    going = Progress(target=None, budget=60)
    for number in range(3 * STALLED_AFTER):
        going.see(1 - 1e-6 * (number // 2))  # every other one brings nothing


def test_evaluations_are_counted_by_kind(tmp_path: Path) -> None:
    write(tmp_path, WORKLOADS["curve"].reduced(), seed=0)
    experiment = build(load_config(tmp_path / "config.yaml"))
    counts: Counter[str] = Counter()
    objective = Counted(experiment.objective(), counts)
    objective.losses(experiment.initial_params)
    objective.value_and_grad(experiment.initial_params)
    objective.gauss_newton(experiment.initial_params)
    assert (counts, objective.n_rows) == ({"losses": 1, "gradients": 1, "jacobians": 1}, 200)
    with pytest.raises(KeyError, match="outputs"):
        objective.outputs(experiment.initial_params)


# What follows from the figures.


def _problem(seed: int, ours: list[float], theirs: list[float], spent: float) -> SolvedProblem:
    ways = {
        "bpnet": [Solved(MAIN, 1.0, ours, spent=0.1, gradients=4)],
        "minpack": [Solved(MAIN, 1.0, theirs, spent=spent, jacobians=2, losses=3)],
    }
    return SolvedProblem("curve", seed, 9.0, 2.0, {"bpnet": 1, "minpack": 1.5}, {}, ways)


def _results(*problems: SolvedProblem) -> Results:
    return Results(FACTS, {"seeds": len(problems)}, {}, list(problems))


def test_a_ratio_is_the_median_over_seeds_that_both_solve() -> None:
    results = _results(
        _problem(0, [0.1], [0.2], 0.2),
        _problem(1, [0.1], [0.3], 0.3),
        _problem(2, [0.1], [], 2.1),
        _problem(3, [], [0.9], 0.9),
    )
    assert results.ratio("curve", "minpack") == Ratio(pytest.approx(2.5), is_bound=False)
    assert [results.reached("curve", name) for name in ("bpnet", "minpack")] == [3, 3]
    assert results.evaluations("curve", "minpack") == 5
    assert results.seconds("curve", "minpack") == 0.3
    assert results.ratio("curve", "minpack", TOLERANCES[1]) is None


def test_a_peer_whose_budget_ends_takes_at_least_that_long() -> None:
    results = _results(_problem(0, [0.1], [], 2.1), _problem(1, [0.1], [], 0.3))
    assert results.ratio("curve", "minpack") == Ratio(pytest.approx(21), is_bound=True)
    gave_up = _results(_problem(1, [0.1], [], 0.3))
    assert gave_up.ratio("curve", "minpack") is None


def test_a_profile_is_over_all_problems_of_an_optimizer() -> None:
    results = _results(_problem(0, [0.1], [0.2], 0.2), _problem(1, [0.1], [], 2.1))
    profiles = results.profiles("levenberg_marquardt", "seconds", [MAIN])
    assert profiles.ratios["bpnet"].tolist() == [1, 1]
    assert profiles.ratios["minpack"].tolist() == [2, np.inf]
    by_evaluations = results.profiles("levenberg_marquardt", "evaluations", [MAIN])
    assert by_evaluations.ratios["minpack"].tolist() == [5 / 4, np.inf]
    assert results.profiles("lbfgs", "seconds", [MAIN]) is None


def test_the_time_for_compiling_counts_in_the_first_solution() -> None:
    problem = _problem(0, [0.1], [0.2], 0.2)
    problem.compile_seconds["minpack"] = 1.0
    assert _results(problem).cold_ratio("curve", "minpack") == pytest.approx(12)


def test_a_step_is_compared_with_its_product() -> None:
    step = Step(10_000, 100, 1_000, steps=[0.03, 0.01, 0.02], products=[1e-3])
    assert step.gigaflops == pytest.approx(10)
    assert step.bound == pytest.approx(0.01)  # ten times the samples
    assert step.ratio == pytest.approx(2)


def test_a_process_that_fails_has_no_time() -> None:
    results = _results()
    results.processes = [Process("curve", "bpnet", [2.0, 1.0, 3.0]), Process("curve", "trf", [])]
    assert results.whole("curve", "bpnet") == 2
    assert results.whole_ratio("curve", "trf") is None


def test_who_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda package: package != "optimistix" or None)
    assert "optimistix" not in registry.solvers_of("levenberg_marquardt", registry.SOLVERS)
    assert registry.absent(registry.SOLVERS) == {"optimistix": "optimistix is not installed"}


def test_labels_are_moved_apart() -> None:
    assert spread([0.5, 1.0, 0.5], 0.1) == pytest.approx([0.5, 1.0, 0.4])
    assert spread([0.0, 0.0], 0.1) == pytest.approx([0.1, 0.0])
    assert spread([1.0, 1.0], 0.1) == pytest.approx([1.0, 0.9])
