"""Which damping rule of Levenberg-Marquardt gets down fastest?

`python -m benchmarks.damping` fits the NIST problems and small networks by every rule, from several
starts, and prints tables for the handbook. Work is counted in gradients (a forward pass is 0.6, a
matrix JᵀJ what it takes here, in time) and in seconds of the processor.

Solvers are compared by performance profiles (`profiles.py`). A problem has four goals. With f_best
the lowest objective of any rule, it is solved at f_best + τ (f_start - f_best), for τ = 1e-3 and
1e-6. Networks have many minima, and rules end in different ones by chance; so a third goal is
`typical`, the median of what the rules reach from this start (plus 0.1 %), and a fourth is
`any start`, τ = 1e-3 above the best of all starts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import click
import numpy as np
from damping_rules import by_rule
from threadpoolctl import threadpool_limits

from benchmarks.damping_problems import Problem, networks, nist
from benchmarks.damping_runs import Trace, jacobian_cost, run
from benchmarks.facts import gather
from benchmarks.profiles import Profiles, cost_to_reach, target
from bpcli.optimizers import Optimizer

_ROOT = Path(__file__).resolve().parents[2]
_LIMIT = 32.0
_TYPICAL = 1e-3
_MOST_STEPS = {"NIST": 500, "network": 150}

GOALS = ("1e-3", "1e-6", "typical", "any start")
WORK = ("costs", "seconds")

Runs: TypeAlias = dict[tuple[str, int], dict[str, Trace]]
"""By problem and seed, then by rule."""


def measure(
    problems: Sequence[Problem], optimizers: Mapping[str, Optimizer], seeds: int
) -> Iterator[tuple[tuple[str, int], dict[str, Trace]]]:
    """Each rule from each start, in turns."""
    for problem in problems:
        most = _MOST_STEPS[problem.family]
        jacobian = jacobian_cost(*problem.start(0))
        for seed in range(seeds):
            objective, start = problem.start(seed)
            yield (
                (problem.name, seed),
                {
                    name: run(optimizer, objective, start, jacobian, most)
                    for name, optimizer in optimizers.items()
                },
            )


def goal_of(name: str, key: tuple[str, int], runs: Runs) -> float:
    """The objective at which a problem and seed is solved."""
    traces = runs[key]
    ends = [trace.values[-1] for trace in traces.values()]
    start = next(iter(traces.values())).values[0]
    if name == "typical":
        return float(np.median(ends)) * (1 + _TYPICAL)
    if name == "any start":
        same = (found for other, found in runs.items() if other[0] == key[0])
        best = min(trace.values[-1] for found in same for trace in found.values())
        return target(start, best, 1e-3)
    return target(start, min(ends), float(name))


def profiles(runs: Runs, goal: str, work: str) -> Profiles:
    """Over all problems and seeds."""
    goals = {key: goal_of(goal, key, runs) for key in runs}
    rules = next(iter(runs.values()))
    return Profiles.of(
        {
            rule: [
                cost_to_reach(goals[key], traces[rule].values, getattr(traces[rule], work))
                for key, traces in runs.items()
            ]
            for rule in rules
        }
    )


def table(runs: Runs) -> Iterator[str]:
    """A row for each rule: the area under its profiles, how often it wins, and what it solves."""
    found = {goal: [profiles(runs, goal, work) for work in WORK] for goal in GOALS}
    titles = ["rule", "steps", "accepted"]
    titles += [f"{goal}: {what}" for goal in GOALS for what in ("area", "time", "wins", "solved")]
    yield _line(titles)
    yield _line(["---"] * len(titles)).replace(" ", "")
    for rule in next(iter(runs.values())):
        traces = [each[rule] for each in runs.values()]
        steps, trials = sum(t.steps for t in traces), sum(t.trials - 1 for t in traces)
        cells = [rule, f"{steps / len(traces):.0f}", f"{steps / trials:.0%}"]
        for by_cost, by_time in found.values():
            cells += [f"{each.area(rule, _LIMIT):.3f}" for each in (by_cost, by_time)]
            cells += [f"{by_cost.within(rule, 1):.0%}", f"{by_cost.solved(rule):.0%}"]
        yield _line(cells)


def by_problem(runs: Runs) -> Iterator[str]:
    """A row for each problem: the area under each rule's profile of evaluations, typical goal."""
    rules = list(next(iter(runs.values())))
    yield _line(["problem", *rules])
    yield _line(["---"] * (len(rules) + 1)).replace(" ", "")
    for name in dict.fromkeys(name for name, _ in runs):
        here = {key: traces for key, traces in runs.items() if key[0] == name}
        found = profiles(here, "typical", "costs")
        yield _line([name, *(f"{found.area(rule, _LIMIT):.2f}" for rule in rules)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def draw(families: Mapping[str, Runs], path: Path) -> None:
    """Profiles over evaluations: a row of panels for each family, a panel for each goal."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(
        len(families), len(GOALS), figsize=(14, 4 * len(families)), squeeze=False,
        sharey=True, layout="constrained",
    )  # fmt: skip
    for row, (family, runs) in zip(panels, families.items(), strict=True):
        for panel, goal in zip(row, GOALS, strict=True):
            found = profiles(runs, goal, "costs")
            for rule in found.ratios:
                panel.step(*found.steps(rule, _LIMIT), where="post", label=rule)
            panel.set(xscale="log", title=f"{family}, {goal}", xlabel="evaluations / fewest")
    panels[0][0].set(ylabel="fraction solved")
    panels[0][-1].legend()
    figure.savefig(path)
    pyplot.close(figure)


@click.command()
@click.option("--seeds", type=click.IntRange(1), default=10, show_default=True)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the profiles to this file.")
@click.option("--quick", is_flag=True, help="One seed of a few problems.")
def main(seeds: int, plot: Path | None, quick: bool) -> None:
    """Compare damping rules, and print Markdown.

    BPNET_DATA names the folder of real data; without it, its problems are left out.
    """
    folder = Path(os.environ.get("BPNET_DATA", _ROOT.parent / "shared/data"))
    families = {"NIST": nist(), "network": networks(folder)}
    if quick:
        families, seeds = {name: some[:3] for name, some in families.items()}, 1
    facts = gather()
    click.echo(f"{facts['date']}, {facts['cpu']}, {facts['cores']} cores, {facts['versions']}\n")
    found: dict[str, Runs] = {}
    with threadpool_limits(1), np.errstate(all="ignore"):
        for family, problems in families.items():
            found[family] = dict(measure(problems, by_rule(), seeds))
            click.echo(f"## {family}: {len(problems)} problems, {seeds} starts\n")
            for line in (*table(found[family]), "", *by_problem(found[family]), ""):
                click.echo(line)
    if plot:
        draw(found, plot)


if __name__ == "__main__":
    main()
