"""Which inputs of a run matter, as `bpnet explain --json` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpcli.api.configs import AnyPath
from bpcli.api.documents import Document, Page
from bpcli.api.warn import warn
from bpcli.data.types import DataFrame, SplitName
from bpcli.errors import ConfigError
from bpcli.nn.numerics import repeatable_numerics
from bpcli.plots.style import FORMATS
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
from bpcli.workflows.explain_run import Asked, explain_run, save_explanation_plot
from bpcli.workflows.explained import load_explained


def explanation(
    run: Run,
    weights: Weights,
    split: SplitName | None,
    data: DataFrame | AnyPath | None,
    asked: Asked,
    figure: AnyPath | None,
) -> Document:
    """The document of an explanation; see `Run.explain`."""
    _require(split, data, asked, figure)
    with repeatable_numerics():
        explained = load_explained(run, weights, split, data, in_memory=asked.row is None)
        warn(explained.notes)
        document = explain_run(explained, asked, SilentSteps())
    document |= {"weights": weights, "figure": None if figure is None else str(figure)}
    if figure is not None:
        save_explanation_plot(document, Path(figure))
    return Document(document, _text(document))


def _require(
    split: SplitName | None,
    data: DataFrame | AnyPath | None,
    asked: Asked,
    figure: AnyPath | None,
) -> None:
    if split is not None and data is not None:
        raise ConfigError("`data` and `split` both select the rows: use only one.")
    if asked.method not in ("ale", "pd"):
        raise ConfigError(f"`effects` is {asked.method!r}: expected `ale` or `pd`.")
    for name, smallest in {"rows": 2, "repeats": 1, "seed": 0, "workers": 1}.items():
        value = getattr(asked, name)
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
