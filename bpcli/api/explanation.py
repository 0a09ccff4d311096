"""Which inputs of a run matter, as `bpnet explain --json` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from bpcli.api.configs import AnyPath
from bpcli.api.documents import Document, Page
from bpcli.api.warn import warn
from bpcli.data.types import DataFrame, SplitName
from bpcli.errors import ConfigError
from bpcli.nn.numerics import repeatable_numerics
from bpcli.plots.explanation import explanation_plot
from bpcli.plots.style import FORMATS
from bpcli.runs.files import make_folder_of, write_atomically
from bpcli.runs.store import Run
from bpcli.runs.trained import Weights
from bpcli.terminal.explanation import (
    explanation_notes,
    importance_table,
    row_lines,
    row_table,
    sensitivity_table,
)
from bpcli.terminal.progress.steps import SilentSteps
from bpcli.workflows.explain import Method, Options
from bpcli.workflows.explain_row import explain_row, row_document
from bpcli.workflows.explained import load_explained
from bpcli.workflows.explanation_document import explained_document

Chosen: TypeAlias = tuple[Method, int | None, int | None, int | None, int | None]
"""How effects are computed, the most rows, the permutations, the seed and the workers."""


def explanation(
    run: Run,
    weights: Weights,
    split: SplitName | None,
    data: DataFrame | AnyPath | None,
    row: int | None,
    chosen: Chosen,
    figure: AnyPath | None,
) -> Document:
    """The document of an explanation; see `Run.explain`."""
    method, rows, repeats, seed, workers = chosen
    _require(split, data, chosen, figure)
    progress = SilentSteps()
    with repeatable_numerics():
        explained = load_explained(run, weights, split, data, in_memory=row is None)
        warn(explained.notes)
        if row is None:
            options = Options(method, rows, repeats, seed)
            document = explained_document(explained, options, workers, progress)
        else:
            document = row_document(explain_row(explained, row, seed, progress))
    document |= {"weights": weights, "figure": None if figure is None else str(figure)}
    if figure is not None:
        make_folder_of(Path(figure))
        write_atomically(Path(figure), explanation_plot(document, Path(figure)))
    return Document(document, _text(document))


def _require(
    split: SplitName | None,
    data: DataFrame | AnyPath | None,
    chosen: Chosen,
    figure: AnyPath | None,
) -> None:
    method, rows, repeats, seed, workers = chosen
    if split is not None and data is not None:
        raise ConfigError("`data` and `split` both select the rows: use only one.")
    if method not in ("ale", "pd"):
        raise ConfigError(f"`effects` is {method!r}: expected `ale` or `pd`.")
    least = {"rows": (rows, 2), "repeats": (repeats, 1), "seed": (seed, 0), "workers": (workers, 1)}
    for name, (value, smallest) in least.items():
        if value is not None and value < smallest:
            raise ConfigError(f"`{name}` is {value}: expected at least {smallest}.")
    if figure is not None and Path(figure).suffix.lower() not in FORMATS:
        raise ConfigError(
            f"`figure` is {str(figure)!r}: expected a name that ends in {', '.join(FORMATS)}."
        )


def _text(document: Mapping[str, Any]) -> str:
    """What the command prints."""
    page = Page()
    if "row" in document:
        page.stream.show(row_table(document))
        notes = [*row_lines(document), *document["caveats"]]
    else:
        page.stream.show(importance_table(document))
        derivatives = sensitivity_table(document)
        if derivatives is not None:
            page.stream.show(derivatives)
        notes = [*explanation_notes(document)]
    for note in notes:
        page.stream.say(note)
    return page.text
