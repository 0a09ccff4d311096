"""The command line of the benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.linear import draw
from benchmarks.registry import IMPLEMENTATIONS
from benchmarks.report import markdown
from benchmarks.session import Plan, measure
from benchmarks.timing import Patience
from benchmarks.workloads import DTYPES, WORKLOADS

_QUICK_WORKLOADS = ("tiny", "small", "medium")
_FILE = click.Path(dir_okay=False, path_type=Path)


class _Names(click.ParamType):
    """Names with commas between them, out of those allowed."""

    name = "names"

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = tuple(allowed)

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, ...]:
        names = tuple(value.split(",")) if isinstance(value, str) else value
        for name in names:
            if name not in self._allowed:
                self.fail(f"{name!r} is none of {', '.join(self._allowed)}", param, ctx)
        return names


def names_option(option: str, allowed: Sequence[str]) -> Callable[[Any], Any]:
    text = f"With commas between them; default: {','.join(allowed)}."
    return click.option(option, type=_Names(allowed), help=text)


@click.command()
@names_option("--workloads", tuple(WORKLOADS))
@names_option("--dtypes", DTYPES)
@names_option("--implementations", tuple(IMPLEMENTATIONS))
@click.option("--repeats", type=click.IntRange(1), help="Of every time; default 5.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="A repeat; default 0.6.")
@click.option("--retries", type=click.IntRange(0), help="Of a disturbed repeat; default 6.")
@click.option("--whole/--no-whole", default=True, help="Time whole processes too.")
@click.option("--lines/--no-lines", default=None, help="Time against rows and parameters too.")
@click.option("--tables/--no-tables", default=None, help="Time reading tables too.")
@click.option("--json", "json_path", type=_FILE, help="Where all figures go.")
@click.option("--figure", "figure_path", type=_FILE, help="Where the drawn lines go: .png or .svg.")
@click.option(
    "--quick", is_flag=True, help="Short repeats of the small workloads, no lines or tables."
)
def main(
    workloads: tuple[str, ...] | None,
    dtypes: tuple[str, ...] | None,
    implementations: tuple[str, ...] | None,
    repeats: int | None,
    seconds: float | None,
    retries: int | None,
    whole: bool,
    lines: bool | None,
    tables: bool | None,
    json_path: Path | None,
    figure_path: Path | None,
    quick: bool,
) -> None:
    """Measure bpnet against its peers, and print Markdown."""
    usual = Patience(seconds=0.1, repeats=3, retries=1) if quick else Patience()
    asked = {"seconds": seconds, "repeats": repeats, "retries": retries}
    given = {name: value for name, value in asked.items() if value is not None}
    patience = replace(usual, **given)
    plan = Plan(
        workloads or (_QUICK_WORKLOADS if quick else tuple(WORKLOADS)),
        dtypes or DTYPES,
        implementations or tuple(IMPLEMENTATIONS),
        patience,
        whole_repeats=patience.repeats if whole else 0,
        has_lines=not quick if lines is None else lines,
        table_repeats=patience.repeats if (not quick if tables is None else tables) else 0,
    )
    keep = (lambda _: None) if json_path is None else (lambda results: results.save(json_path))
    results = measure(plan, lambda text: click.echo(text, err=True), keep)
    if figure_path is not None and results.lines:
        draw(results, figure_path)
    click.echo(markdown(results), nl=False)
