"""The difference of one row's prediction from the mean prediction, divided among its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.errors import RunError
from bpcli.explanation.draws import generator
from bpcli.explanation.shapley import MOST_EXACT, Shapley, shapley
from bpcli.nn.arrays import Array, Vector
from bpcli.text import plural
from bpcli.workflows.explain import Progress
from bpcli.workflows.explained import Explained

BACKGROUND = 100
"""The rows that stand for all others."""

_EVALUATIONS = 100_000
"""So many predictions are made about, if the coalitions are too many for all of them."""

_MOST_ORDERS = 50


@dataclass(frozen=True)
class RowExplanation:
    """The Shapley values of one row, whose number in its file is `number`."""

    explained: Explained
    number: int
    x: Vector
    values: Shapley
    background: int
    background_of: str
    all_background: bool
    seed: int


def explain_row(
    explained: Explained, number: int, seed: int | None, progress: Progress
) -> RowExplanation:
    """Explain the row with a number in the run's table, or in the file. Raises `RunError`."""
    chosen = explained.trained.experiment.spec.seed if seed is None else seed
    x = _row(explained, number)
    background, name, has_all = _background(explained, chosen)
    explained.require_finite(x[np.newaxis], "row")
    explained.require_finite(background, "background row")
    p = len(explained.columns)
    orders = int(np.clip(_EVALUATIONS // (2 * (p + 1) * len(background)), 1, _MOST_ORDERS))
    values = shapley(
        explained.columns,
        x,
        background,
        explained.outputs,
        orders,
        chosen,
        lambda done, total: progress("background rows", done, total),
    )
    return RowExplanation(explained, number, x, values, len(background), name, has_all, chosen)


def _row(explained: Explained, number: int) -> Vector:
    """The encoded row (d,) with a number, from 1, in the file. Raises `RunError` without one."""
    table = explained.split.table
    at, last = np.array([number - 1]), len(table)
    if table.row_numbers is not None:
        at, last = np.flatnonzero(table.row_numbers == number), int(table.row_numbers.max())
    elif not 1 <= number <= len(table):
        at = at[:0]
    if not len(at):
        raise RunError(
            f"There is no row {number:,} among the {plural(len(table), 'row')} up to row {last:,}."
        )
    row: Vector = np.asarray(table.X[at[:1]], np.float64)[0]
    return row


def _background(explained: Explained, seed: int) -> tuple[Array, str, bool]:
    """The background rows (B, d), drawn from the training rows, or from those of the file."""
    split = explained.training if len(explained.training) else explained.split
    name = "training rows" if len(explained.training) else explained.set_name
    rng = generator(seed, "background")
    drawn = np.sort(rng.choice(len(split), min(BACKGROUND, len(split)), replace=False))
    rows = np.asarray(split.table.X[split.index[drawn]], np.float64)
    return rows, name, len(split) <= BACKGROUND


def row_document(row: RowExplanation) -> dict[str, Any]:
    """The document of `bpnet explain --row --json`; inputs by falling size of their values."""
    explained, values = row.explained, row.values
    names = explained.output_names
    sizes = np.abs(values.values).max(axis=1)
    return {
        "run_id": explained.trained.run.run_id,
        "name": explained.trained.record.name,
        "row": row.number,
        "seed": row.seed,
        "outputs": list(names),
        "method": "exact" if values.is_exact else "sampled",
        "background": {"rows": row.background, "of": row.background_of},
        "evaluations": values.evaluations,
        "base": dict(zip(names, values.base.tolist(), strict=True)),
        "prediction": dict(zip(names, values.prediction.tolist(), strict=True)),
        "inputs": [
            {
                "name": explained.columns[at].name,
                "value": explained.columns[at].text(row.x),
                "shapley": [
                    {"output": name, "value": float(value), "error": _error(row, error)}
                    for name, value, error in zip(
                        names, values.values[at], values.errors[at], strict=True
                    )
                ],
            }
            for at in np.argsort(-sizes, kind="stable").tolist()
        ],
        "caveats": list(_caveats(row)),
    }


def _error(row: RowExplanation, error: float) -> float | None:
    """The standard error; 0 if nothing was drawn: every training row, and every coalition."""
    if row.all_background and row.values.is_exact:
        return 0.0
    return float(error) if np.isfinite(error) else None


def _caveats(row: RowExplanation) -> Iterator[str]:
    if not row.values.is_exact:
        yield (
            f"{len(row.explained.columns):,} inputs have too many coalitions for all of them (up "
            f"to {MOST_EXACT} inputs are exact): the values are sampled, and ± is a standard error"
        )
    elif not row.all_background:
        yield (
            f"± is a standard error from the choice of {plural(row.background, 'background row')}"
        )
    yield (
        "inputs are replaced independently of each other, so correlated inputs are also combined "
        "in ways that do not occur"
    )
