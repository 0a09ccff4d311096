"""One session: the lowest objective that anybody finds, and how long each takes to come near it.

For each workload and seed, every solver first runs without a target until its budget ends or it
stalls. The lowest objective of all sets the targets. Then each runs until its objective is at most
a target, which is timed: its clock is the processor time of its own process, all threads, and BLAS
has one. The first of these runs counts evaluations; the rest repeat it, solver by solver in turns.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.facts import gather
from benchmarks.process import Child, ChildFailed
from benchmarks.solution import problem
from benchmarks.solution.registry import SOLVERS, absent, solvers_of
from benchmarks.solution.results import TOLERANCES, Problem, Results, Solved
from benchmarks.solution.solvers.numpy_network import NumpyNetwork
from benchmarks.solution.steps import SIZES, measured_step
from benchmarks.solution.whole import whole_processes
from benchmarks.solution.workloads import WORKLOADS, Workload

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}

_LONG = 0.3
"""Seconds of a solution that needs no repeats."""


@dataclass(frozen=True)
class Plan:
    """What a session measures; `repeats` of every solution that is not long."""

    workloads: Sequence[Workload] = tuple(WORKLOADS.values())
    solvers: Sequence[str] = tuple(SOLVERS)
    seeds: int = 5
    repeats: int = 3
    whole_repeats: int = 3
    step_sizes: Sequence[tuple[int, int, int]] = SIZES
    step_rows: int = 10_000
    step_repeats: int = 9


def measure(
    plan: Plan,
    say: Callable[[str], None] = lambda _: None,
    keep: Callable[[Results], None] = lambda _: None,
) -> Results:
    """All figures of a session; `say` is told what comes next, `keep` is given what there is."""
    results = Results(gather(), asdict(plan), absent(plan.solvers))
    with ExitStack() as stack:
        children = _Children(stack)
        for seed, workload in product(range(plan.seeds), plan.workloads):
            say(f"seed {seed}, {workload.name} {workload.size}")
            names = solvers_of(workload.optimizer, plan.solvers)
            results.problems.append(_solved(workload, seed, children.of(names), plan.repeats))
            keep(results)
    if plan.step_sizes:
        say("steps of Levenberg-Marquardt")
        results.steps = [
            measured_step(layers, plan.step_rows, plan.step_repeats, ONE_THREAD)
            for layers in plan.step_sizes
        ]
        keep(results)
    if plan.whole_repeats:
        say("whole processes")
        results.processes = whole_processes(plan.workloads, results, plan.whole_repeats, ONE_THREAD)
        keep(results)
    return results


class _Children:
    """A process for each solver, kept for all problems: importing and compiling take seconds."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._children: dict[str, Child] = {}

    def of(self, names: Sequence[str]) -> dict[str, Child]:
        for name in names:
            if name not in self._children:
                child = Child(SOLVERS[name].module, "benchmarks.solution.child", **ONE_THREAD)
                self._children[name] = self._stack.enter_context(child)
        return {name: self._children[name] for name in names}


def _solved(workload: Workload, seed: int, children: Mapping[str, Child], repeats: int) -> Problem:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problem.write(folder, workload, seed)
        loaded = problem.Problem.load(folder)
        start = NumpyNetwork(loaded).value_and_grad(loaded.vector)[0]
        found = Problem(workload.name, seed, start, workload.budget)
        explored = {}
        for solver, child in children.items():
            try:
                child.load(folder=name)
                explored[solver] = _explore(found, solver, child, workload.budget)
            except ChildFailed as failure:
                found.errors[solver] = str(failure)
        for tolerance in TOLERANCES:
            _solve(found, tolerance, explored, children, repeats)
    return found


def _explore(found: Problem, solver: str, child: Child, budget: float) -> dict[str, Any]:
    _ask(child, None, 0.1 * budget)  # libraries start slowly
    answer = _ask(child, None, budget)
    found.objectives[solver] = answer["objective"]
    if SOLVERS[solver].is_compiled:
        found.compile_seconds[solver] = answer["compile_seconds"]
    return answer


def _solve(
    found: Problem,
    tolerance: float,
    explored: Mapping[str, dict[str, Any]],
    children: Mapping[str, Child],
    repeats: int,
) -> None:
    """The ways to a target. Who ended above it would only end there again.

    Twice the budget, as the time of the same steps varies.
    """
    goal = found.target(tolerance)
    ways = {name: Solved(tolerance, goal, spent=explored[name]["seconds"]) for name in explored}
    near = [name for name, answer in explored.items() if answer["objective"] <= goal]
    for turn in range(repeats):
        for name in near:
            if turn == 0 or (ways[name].is_reached and ways[name].seconds[0] < _LONG):
                answer = _ask(children[name], goal, 2 * found.budget, counted=turn == 0)
                _go(ways[name], answer, turn)
    for name, way in ways.items():
        found.solved.setdefault(name, []).append(way)


def _go(way: Solved, answer: dict[str, Any], turn: int) -> None:
    """Add a run; counting slows the first one down, so that it gives way to later ones."""
    if turn == 0:
        way.spent = answer["seconds"]
        way.gradients, way.jacobians, way.losses = (
            answer[kind] for kind in ("gradients", "jacobians", "losses")
        )
    if answer["objective"] <= way.target:
        way.seconds = [*(way.seconds if turn != 1 else []), answer["seconds"]]


def _ask(child: Child, goal: float | None, budget: float, counted: bool = False) -> dict[str, Any]:
    return child.ask({"run": {"target": goal, "budget": budget, "counted": counted}})
