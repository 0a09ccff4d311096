"""The command line of the time to solution."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.command import names_option
from benchmarks.solution.plot import draw
from benchmarks.solution.registry import SOLVERS
from benchmarks.solution.report import markdown
from benchmarks.solution.results import Results
from benchmarks.solution.session import Plan, measure
from benchmarks.solution.workloads import WORKLOADS

_FILE = click.Path(dir_okay=False, path_type=Path)
_SMALL_STEP_ROWS = 1_000


@click.command()
@names_option("--workloads", tuple(WORKLOADS))
@names_option("--solvers", tuple(SOLVERS))
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--repeats", type=click.IntRange(1), help="Of a short solution; default 3.")
@click.option("--whole/--no-whole", default=True, help="Time whole processes too.")
@click.option("--steps/--no-steps", default=True, help="Time steps against their bound too.")
@click.option("--small", is_flag=True, help="At most 200 rows and 6 hidden units, to test it.")
@click.option("--json", "json_path", type=_FILE, help="Where all figures go.")
@click.option("--figure", "figure_path", type=_FILE, help="Where the profiles go: .png or .svg.")
@click.option("--read", "read_path", type=_FILE, help="Measure nothing: report these figures.")
def main(
    workloads: tuple[str, ...] | None,
    solvers: tuple[str, ...] | None,
    seeds: int,
    repeats: int | None,
    whole: bool,
    steps: bool,
    small: bool,
    json_path: Path | None,
    figure_path: Path | None,
    read_path: Path | None,
) -> None:
    """Measure how long bpnet and its peers take to a solution, and print Markdown."""
    chosen = [WORKLOADS[name] for name in workloads or WORKLOADS]
    defaults = Plan()
    plan = Plan(
        workloads=[workload.reduced() for workload in chosen] if small else chosen,
        solvers=solvers or defaults.solvers,
        seeds=seeds,
        repeats=repeats or defaults.repeats,
        whole_repeats=defaults.whole_repeats if whole else 0,
        step_sizes=defaults.step_sizes if steps else (),
        step_rows=_SMALL_STEP_ROWS if small else defaults.step_rows,
    )
    keep = (lambda _: None) if json_path is None else (lambda results: results.save(json_path))
    if read_path is None:
        results = measure(plan, lambda text: click.echo(text, err=True), keep)
    else:
        results = Results.read(read_path)
    if figure_path is not None:
        draw(results, figure_path)
    click.echo(markdown(results), nl=False)
