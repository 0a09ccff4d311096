"""Results of gradient checks as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from bpcli.gradient_check.catalogue import CatalogueRow
from bpcli.gradient_check.comparison import TensorCheck
from bpcli.gradient_check.self_test import Rejection
from bpcli.terminal.grid import Grid, Styled

_CHECK_COLUMNS = [
    "term", "tensor", "shape", "entries", "skipped", "error", "central", "worst entry", "analytic",
    "numeric", "",
]  # fmt: skip


def checks_table(checks: Sequence[TensorCheck]) -> Grid:
    """A gradient check, one row per tensor."""
    table = Grid(_CHECK_COLUMNS, 3)
    for check in checks:
        table.add_row(
            check.term,
            check.tensor,
            " x ".join(map(str, check.shape)),
            str(check.checked),
            str(check.skipped),
            f"{check.error:.1e}",
            "-" if check.central_error is None else f"{check.central_error:.1e}",
            check.worst_entry,
            f"{check.analytic + 0.0:.9g}",  # + 0.0: no negative zero
            f"{check.numeric + 0.0:.9g}",
            _status(check),
        )
    return table


def catalogue_table(rows: Sequence[CatalogueRow]) -> Grid:
    """The gradient check of all cases, one row per loss and output activation."""
    table = Grid(
        ["loss", "output", "cases", "entries", "skipped", "error", "largest", "central", ""], 2
    )
    for row in rows:
        table.add_row(
            row.loss,
            row.output,
            str(row.cases),
            str(row.checked),
            str(row.skipped),
            f"{row.error:.1e}",
            f"{row.largest_error:.1e}",
            f"{row.central_error:.1e}",
            _passed(row.passed),
        )
    return table


def rejections_table(rejections: Sequence[Rejection]) -> Grid:
    """Wrong backward passes, and whether the check detects them."""
    table = Grid(["kind", "what is wrong", "tensors that fail", ""], 4)
    for rejection in rejections:
        table.add_row(
            rejection.kind,
            rejection.meaning,
            ", ".join(rejection.tensors),
            "rejected" if rejection.rejected else Styled("NOT DETECTED", "bold red"),
        )
    return table


def _status(check: TensorCheck) -> Styled:
    if not check.checked:
        return Styled("not checked", "yellow")
    return Styled("not verified", "yellow") if check.is_blind else _passed(check.passed)


def _passed(passed: bool) -> Styled:
    return Styled("ok", "green") if passed else Styled("WRONG", "bold red")
