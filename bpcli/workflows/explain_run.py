"""Explain a run: all rows of a split or one row, as a document and as plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from bpcli.engine.pool.choice import useful_workers, worker_pool
from bpcli.plots.explanation import explanation_plot
from bpcli.runs.files import make_folder_of, write_atomically
from bpcli.system import usable_cores
from bpcli.workflows.explain import REPEATS, Method, Options, Progress, explain
from bpcli.workflows.explain_row import explain_row, row_document
from bpcli.workflows.explained import Explained
from bpcli.workflows.explanation_document import explanation_document


class Asked(NamedTuple):
    """What to explain: the row with a number, or all rows with options of `explain`.

    The number of workers changes no result; None is as many as are useful.
    """

    row: int | None
    method: Method
    rows: int | None
    repeats: int | None
    seed: int | None
    workers: int | None


def explain_run(explained: Explained, asked: Asked, progress: Progress) -> dict[str, Any]:
    """The document of `bpnet explain --json`, without the weights and the file of plots.

    Raises `RunError` if there are too few rows, or no row with this number.
    """
    if asked.row is not None:
        return row_document(explain_row(explained, asked.row, asked.seed, progress))
    params = explained.trained.experiment.network.n_params
    count = asked.workers or useful_workers(REPEATS, params, usable_cores())
    options = Options(asked.method, asked.rows, asked.repeats, asked.seed)
    with worker_pool(count) as pool:
        return explanation_document(explain(explained, options, pool, progress))


def save_explanation_plot(document: dict[str, Any], path: Path) -> None:
    """Draw the plots of an explanation into a file."""
    make_folder_of(path)
    write_atomically(path, explanation_plot(document, path))
