"""The figures of one session, and what follows from them; nothing is measured here.

Everything here is plain data that JSON keeps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.profiles import Profiles, target
from benchmarks.solution.workloads import WORKLOADS

TOLERANCES = (1e-3, 1e-5)
"""A problem is solved where (objective - best) / (start - best) is at most this."""

MAIN = TOLERANCES[0]

_USED_UP = 0.5
"""The part of a budget that a compiled solver uses at least: its steps differ in time."""


@dataclass
class Solved:
    """The way of one solver to the target of a tolerance: processor seconds of each repeat.

    If it does not get there, `seconds` is empty and `spent` is what it used up. The first run has
    counted its evaluations.
    """

    tolerance: float
    target: float
    seconds: list[float] = field(default_factory=list)
    spent: float = 0.0
    gradients: int = 0
    jacobians: int = 0
    losses: int = 0

    @property
    def is_reached(self) -> bool:
        return bool(self.seconds)

    @property
    def evaluations(self) -> int:
        """A Jacobian counts as one, and so does a gradient."""
        return self.gradients + self.jacobians + self.losses


@dataclass
class Problem:
    """A workload and a seed: where each solver ends without a target, and its way to the targets.

    `start` is the objective of the initial parameters; `budget` is in processor seconds.
    """

    workload: str
    seed: int
    start: float
    budget: float
    objectives: dict[str, float] = field(default_factory=dict)
    compile_seconds: dict[str, float] = field(default_factory=dict)
    solved: dict[str, list[Solved]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The lowest objective of all solvers."""
        return min(self.objectives.values())

    def target(self, tolerance: float) -> float:
        return target(self.start, self.best, tolerance)

    def way(self, solver: str, tolerance: float) -> Solved | None:
        """None if the solver was not measured."""
        for solved in self.solved.get(solver, []):
            if solved.tolerance == tolerance:
                return solved
        return None

    def seconds(self, solver: str, tolerance: float) -> float | None:
        """The median of the repeats; None if the target was not reached."""
        way = self.way(solver, tolerance)
        return median(way.seconds) if way is not None and way.is_reached else None


@dataclass
class Process:
    """Processor seconds of a whole process, from the start of Python to the solution.

    None if the process did not reach the target.
    """

    workload: str
    solver: str
    seconds: list[float]


@dataclass
class Step:
    """Levenberg-Marquardt's steps, and the products that bound them, made in turns.

    `products` are seconds of J Jᵀ with `samples` columns and as many rows as there are parameters.
    """

    rows: int
    n_params: int
    samples: int
    steps: list[float]
    products: list[float]

    @property
    def seconds(self) -> float:
        return median(self.steps)

    @property
    def gigaflops(self) -> float:
        """Of the products; half a symmetric matrix is computed."""
        return self.n_params**2 * self.samples / median(self.products) / 1e9

    @property
    def bound(self) -> float:
        """rows · P² over the rate of the products."""
        return self.rows / self.samples * median(self.products)

    @property
    def ratio(self) -> float:
        return self.seconds / self.bound


@dataclass
class Results:
    """One session."""

    facts: dict
    settings: dict
    absent: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Results:
        found = json.loads(path.read_text())
        for problem in found["problems"]:
            problem["solved"] = {
                name: [Solved(**each) for each in ways] for name, ways in problem["solved"].items()
            }
        found["problems"] = [Problem(**each) for each in found["problems"]]
        found["processes"] = [Process(**each) for each in found["processes"]]
        found["steps"] = [Step(**each) for each in found["steps"]]
        return cls(**found)

    # What follows.

    def of(self, workload: str) -> list[Problem]:
        """The problems of a workload, a seed each."""
        return [problem for problem in self.problems if problem.workload == workload]

    def solvers(self, workload: str) -> list[str]:
        """Who was measured on a workload; bpnet comes first."""
        found = (problem.solved for problem in self.of(workload))
        return list(dict.fromkeys(name for solved in found for name in solved))

    def reached(self, workload: str, solver: str, tolerance: float = MAIN) -> int:
        """On how many seeds the solver reached the target."""
        ways = (problem.way(solver, tolerance) for problem in self.of(workload))
        return sum(way is not None and way.is_reached for way in ways)

    def seconds(self, workload: str, solver: str, tolerance: float = MAIN) -> float | None:
        """The median over the seeds on which the solver reached the target."""
        found = [problem.seconds(solver, tolerance) for problem in self.of(workload)]
        return _median([seconds for seconds in found if seconds is not None])

    def evaluations(self, workload: str, solver: str, tolerance: float = MAIN) -> float | None:
        ways = (problem.way(solver, tolerance) for problem in self.of(workload))
        return _median([way.evaluations for way in ways if way is not None and way.is_reached])

    def ratio(self, workload: str, peer: str, tolerance: float = MAIN) -> Ratio | None:
        """How many times bpnet's time a peer takes: the median over seeds that both solve.

        If there is none, the peer takes at least as long as its budgets, where it used them up. A
        solver that ends earlier, in another minimum, tells nothing about speed.
        """
        exact, bounds = [], []
        for problem in self.of(workload):
            ours, way = problem.seconds("bpnet", tolerance), problem.way(peer, tolerance)
            if ours is None or way is None:
                continue
            if way.is_reached:
                exact.append(median(way.seconds) / ours)
            elif way.spent >= _USED_UP * problem.budget:
                bounds.append(way.spent / ours)
        if exact:
            return Ratio(median(exact), is_bound=False)
        return Ratio(median(bounds), is_bound=True) if bounds else None

    def cold_ratio(self, workload: str, peer: str, tolerance: float = MAIN) -> float | None:
        """The same with the time for compiling, for a peer that compiles."""
        found = []
        for problem in self.of(workload):
            ours, theirs = problem.seconds("bpnet", tolerance), problem.seconds(peer, tolerance)
            if ours is not None and theirs is not None and peer in problem.compile_seconds:
                found.append((theirs + problem.compile_seconds[peer]) / ours)
        return _median(found)

    def compile_seconds(self, workload: str, peer: str) -> float | None:
        found = (problem.compile_seconds.get(peer) for problem in self.of(workload))
        return _median([seconds for seconds in found if seconds is not None])

    def lowest(self, workload: str, solver: str) -> float | None:
        """The median of the lowest objectives without a target."""
        found = (problem.objectives.get(solver) for problem in self.of(workload))
        return _median([objective for objective in found if objective is not None])

    def whole(self, workload: str, solver: str) -> float | None:
        for process in self.processes:
            if (process.workload, process.solver) == (workload, solver):
                return _median(process.seconds)
        return None

    def whole_ratio(self, workload: str, peer: str) -> float | None:
        theirs, ours = self.whole(workload, peer), self.whole(workload, "bpnet")
        return None if theirs is None or ours is None else theirs / ours

    def profiles(self, optimizer: str, cost: str, tolerances: Sequence[float]) -> Profiles | None:
        """Over all workloads of an optimizer, seeds and tolerances; `cost` is what counts.

        Only solvers that were measured on all problems take part; None if only bpnet was.
        """
        problems = [
            problem
            for problem in self.problems
            if WORKLOADS[problem.workload].optimizer == optimizer
        ]
        names = [name for problem in problems for name in problem.solved]
        everywhere = [name for name in dict.fromkeys(names) if names.count(name) == len(problems)]
        if len(everywhere) < 2:
            return None
        return Profiles.of(
            {
                name: [
                    _cost(problem, name, cost, tolerance)
                    for problem in problems
                    for tolerance in tolerances
                ]
                for name in everywhere
            }
        )


@dataclass(frozen=True)
class Ratio:
    """Of a peer's time to bpnet's; `is_bound` if it is at least that, as its budgets ended."""

    value: float
    is_bound: bool


def _cost(problem: Problem, solver: str, cost: str, tolerance: float) -> float:
    way = problem.way(solver, tolerance)
    if way is None or not way.is_reached:
        return float("inf")
    return median(way.seconds) if cost == "seconds" else float(way.evaluations)


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
