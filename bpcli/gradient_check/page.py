"""What the command prints of a check: tables, and sentences on what they do not show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from bpcli.gradient_check.catalogue import CatalogueRow
from bpcli.gradient_check.report import CheckReport
from bpcli.gradient_check.tables import catalogue_table, checks_table
from bpcli.terminal.grid import Grid


class Screen(Protocol):
    """A terminal or a stream."""

    def say(self, text: str) -> None:
        """Print a line."""

    def show(self, grid: Grid, expendable: Sequence[str] = ()) -> list[str]:
        """Print a table and a blank line."""


def show_report(report: CheckReport, out: Screen) -> None:
    """Print the check of one objective."""
    out.show(checks_table(report.checks), ["shape", "skipped", "entries", "term", "central"])
    rows = "1 row" if report.rows == 1 else f"{report.rows} rows"
    out.say(f"{report.network}, on {rows}, in float64")
    out.say("error: norm of the difference over norm of the complex-step gradient;")
    out.say("central: the same by central differences, which are less accurate")
    out.say("hessian: u·H v compared with v·H u, and H v with differences of the gradient")
    for remark in _remarks(report):
        out.say(remark)


def _remarks(report: CheckReport) -> Iterator[str]:
    """Yield what the table does not show."""
    if report.unchecked:
        yield (
            f"not checked: {', '.join(report.unchecked)}: every entry is on a kink or overflows; "
            "try other parameters or rows"
        )
    if report.blind:
        yield (
            f"not verified: {', '.join(report.blind)}: smaller than the rounding errors of the "
            "terms they are summed from; try scaled data (`data.scale`) or other parameters"
        )
    if report.harmless:
        yield f"this error has no effect here: it needs {report.harmless}"
    if report.explanation:
        yield f"hint: {report.explanation}"


def show_catalogue(rows: Sequence[CatalogueRow], out: Screen) -> None:
    """Print the check of all activations and losses."""
    out.show(catalogue_table(rows), ["skipped", "central", "cases"])
    cases, entries = sum(row.cases for row in rows), sum(row.checked for row in rows)
    worst = max(row.error for row in rows)
    out.say(f"{cases} networks, {entries} entries, largest error {worst:.1e}")
    out.say("error: norm of the difference over norm of the complex-step gradient;")
    out.say("largest: largest difference over largest entry; central: by central differences")
