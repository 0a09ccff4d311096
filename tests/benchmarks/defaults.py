"""Which default of each optimizer is best, by performance profiles over small problems.

`python -m benchmarks.defaults` in `tests/` prints a table for each optimizer, in Markdown. All
settings of an optimizer start from the same parameters on each problem, a data set with a seed. A
cost is a number of gradient evaluations over all training rows, so that no clock is involved. A
problem is solved where the training objective is at most

    f_L + τ (f_0 - f_L),        τ = 0.1, 0.01, 0.001

f_0 at the start, f_L the lowest value that any setting of the optimizer reaches within the budget
(Moré & Wild 2009, SIAM J. Optim. 20, 172, eq. 2.2). The columns of the tables are

    area        under the profile, from the cost of the best setting to LIMIT times that, by log2;
    within 2×   the share of problems that it solves within twice the cost of the best setting;
    solved      the share that it solves within the budget, all three for the mean over τ;
    score       accuracy or R² on test rows at the end of the budget, the mean over problems; at
                least that of a constant, as for a training that diverges.

A setting with * is the default, one with ° was the default before.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.defaults_data import Problem, problems
from benchmarks.defaults_settings import STUDIES, Setting, Study
from benchmarks.facts import gather
from benchmarks.profiles import Profiles, cost_to_reach, target
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.optimizers import StepFailed
from bpcli.optimizers.base import Evaluation, GaussNewton, Point
from bpcli.training.batches import Batches
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training

TOLERANCES = (1e-1, 1e-2, 1e-3)
LIMIT = 32.0
FULL_BUDGET = 1000
"""Gradient evaluations, which are the default number of epochs if a step costs one."""
BATCH_BUDGET = 50
BATCH_SIZE = 32
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class Run:
    """One training: the lowest objective after each cost, and the score at the end."""

    costs: Array
    objectives: Array
    score: float


class _Spent(Exception):
    """The budget is spent."""


class Recorder:
    """An objective that records its value at every evaluation, and ends at the budget."""

    def __init__(self, objective: NetworkObjective, budget: int) -> None:
        self._objective = objective
        self._budget = budget
        self.values: list[float] = []

    @property
    def network(self) -> Network:
        return self._objective.network

    @property
    def n_rows(self) -> int:
        return self._objective.n_rows

    def value(self, params: Vector) -> float:
        return self.value_and_grad(params).value

    def grad(self, params: Vector) -> Vector:
        return self.value_and_grad(params).grad

    def value_and_grad(self, params: Vector) -> Evaluation:
        if len(self.values) == self._budget:
            raise _Spent
        evaluation = self._objective.value_and_grad(params)
        self.values.append(evaluation.value)
        return evaluation

    def gauss_newton(self, params: Vector) -> GaussNewton:
        raise NotImplementedError("no optimizer of this study needs it")


def full_batch(problem: Problem, setting: Setting, budget: int = FULL_BUDGET) -> Run:
    """Make steps until the budget is spent or no step lowers the objective."""
    optimizer, recorder = setting.make(), Recorder(problem.objective, budget)
    point, state = Point(problem.start), optimizer.init(problem.start)
    rate = np.asarray(setting.learning_rate or np.nan)
    try:
        while np.isfinite(point.params).all():
            point, state = optimizer.step(recorder, point, state, rate)
    except (_Spent, StepFailed):
        pass
    return _run(recorder.values, problem.score(point.params))


def mini_batches(problem: Problem, setting: Setting, epochs: int = BATCH_BUDGET) -> Run:
    """Train for some epochs; the objective is that over all rows after each."""
    experiment = problem.experiment
    training = Training(
        problem.objective,
        setting.make(),
        problem.start,
        learning_rate=setting.learning_rate,
        batches=Batches(BATCH_SIZE),
        rng=np.random.default_rng(experiment.spec.seed),
    )
    state, values = training.start, [problem.objective.value(problem.start).real]
    for _ in range(epochs):
        state = training.advance(state, 1)
        if not np.isfinite(state.params).all():
            break
        values.append(problem.objective.value(state.params).real)
    return _run(values, problem.score(state.params))


def _run(values: Sequence[float], score: float) -> Run:
    """NaN and infinity count as no improvement."""
    objectives = np.fmin.accumulate(np.where(np.isfinite(values), values, values[0]))
    return Run(np.arange(1.0, len(values) + 1), objectives, score)


def runs_of(study: Study, every: Sequence[Problem], share: int) -> dict[str, list[Run]]:
    """Train on each problem with each setting, with a fraction 1 / `share` of the budget."""
    train, budget = (
        (full_batch, FULL_BUDGET) if study.is_full_batch else (mini_batches, BATCH_BUDGET)
    )
    return {
        setting.label: [train(problem, setting, budget // share) for problem in every]
        for setting in study.settings
    }


# Profiles.

COLUMNS = ("area", "within 2×", "solved", "score")

Found = Mapping[str, Array]
"""By setting: a row for each data set, and the entries `COLUMNS`."""


def judged(runs: Mapping[str, Sequence[Run]], seeds: int) -> Found:
    """Compare settings, of which each has its runs in the order of problems: seeds of a set."""
    count = len(next(iter(runs.values())))
    rows = [
        _of_data_set({label: each[i : i + seeds] for label, each in runs.items()})
        for i in range(0, count, seeds)
    ]
    return {label: np.array([row[label] for row in rows]) for label in runs}


def _of_data_set(runs: Mapping[str, Sequence[Run]]) -> dict[str, list[float]]:
    bests = [min(run.objectives[-1] for run in same) for same in zip(*runs.values(), strict=True)]
    profiles = [Profiles.of(_costs(runs, bests, tolerance)) for tolerance in TOLERANCES]
    return {
        label: [
            float(np.mean([each.area(label, LIMIT) for each in profiles])),
            float(np.mean([each.within(label, 2) for each in profiles])),
            float(np.mean([each.solved(label) for each in profiles])),
            float(np.mean([run.score for run in runs[label]])),
        ]
        for label in runs
    }


def _costs(
    runs: Mapping[str, Sequence[Run]], bests: Sequence[float], tolerance: float
) -> dict[str, list[float]]:
    return {
        label: [
            cost_to_reach(target(run.objectives[0], best, tolerance), run.objectives, run.costs)
            for run, best in zip(each, bests, strict=True)
        ]
        for label, each in runs.items()
    }


# Tables.


def table(found: Found, default: str, before: str) -> Iterator[str]:
    """A line for each setting; differences to the default before, ± their standard error."""
    yield _line(["setting", *COLUMNS, "area gained", "score gained"])
    yield _line(["---"] * (len(COLUMNS) + 3)).replace(" ", "")
    for label, rows in found.items():
        mark = "\\*" * (label == default) + "°" * (label == before)
        gains = [_with_error(rows[:, i] - found[before][:, i]) for i in (0, -1)]
        yield _line([label + mark, *_means(rows), *gains])


def _means(rows: Array) -> list[str]:
    *shares, score = rows.mean(axis=0)
    return [*(f"{share:.2f}" for share in shares), f"{score:.3f}"]


def _with_error(differences: Array) -> str:
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return f"{differences.mean():+.3f} ± {error:.3f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


# The command.


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--only", multiple=True, help="An optimizer; repeat it for more.")
@click.option("--quick", is_flag=True, help="One seed, and a tenth of the budgets.")
def main(seeds: int, only: Sequence[str], quick: bool) -> None:
    """Compare settings of each optimizer, and print Markdown.

    BPNET_DATA names the folder of real data.
    """
    seeds, share = (1, 10) if quick else (seeds, 1)
    folder = Path(os.environ.get("BPNET_DATA", _ROOT.parent / "shared/data"))
    facts = gather()
    click.echo(f"{facts['date']}, {facts['cpu']}, {facts['versions']}\n")
    with threadpool_limits(1), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of trainings that diverge
        every = problems(folder, seeds)
        click.echo(f"{len(every) // seeds} data sets, {seeds} seeds\n")
        for study in STUDIES:
            if not only or study.name in only:
                click.echo(f"## {study.title}\n")
                found = judged(runs_of(study, every, share), seeds)
                for line in table(found, study.default.label, study.before.label):
                    click.echo(line)
                click.echo()


if __name__ == "__main__":
    main()
