"""Plots of `bpnet explain`: importance, effect curves, the strongest pair; or one row.

They are drawn from the document that the command prints. matplotlib is imported when a plot is
drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from bpcli.plots.base import Panel
from bpcli.plots.effects import draw_effects, effects_shown, effects_size
from bpcli.plots.fonts import set_fonts
from bpcli.plots.heading import heading
from bpcli.plots.importance import (
    draw_importance,
    draw_row,
    importance_size,
    row_size,
)
from bpcli.plots.sheet import sheet
from bpcli.plots.style import house_style, literal, rendered, rendered_pages
from bpcli.plots.surface import draw_surface, surface_title
from bpcli.terminal.explanation import outputs_shown
from bpcli.text import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Document: TypeAlias = Mapping[str, Any]


_BANDS = {
    "bootstrap": "95 % intervals over the rows",
    "restarts": "range of the networks of the average",
}


class _Part(NamedTuple):
    title: str
    details: Sequence[str]
    size: tuple[float, float]
    draw: Callable[[Panel, Document], None]


def explanation_plot(document: Document, path: Path) -> bytes:
    """The plots in the format of a path's suffix: as pages of a pdf, else side by side."""
    parts, suffix = _parts(document), path.suffix.lower()
    with house_style():
        if suffix == ".pdf":
            return rendered_pages([_figure(document, part) for part in parts])
        figure, panels = sheet([part.size for part in parts])
        for part, panel in zip(parts, panels, strict=True):
            _draw(panel, document, part)
        return rendered(figure, suffix)


def _figure(document: Document, part: _Part) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=part.size, layout="constrained")
    _draw(figure, document, part)
    return figure


def _draw(panel: Panel, document: Document, part: _Part) -> None:
    heading(panel, part.title, literal(document["name"]), *part.details)
    part.draw(panel, document)
    set_fonts(panel)


def _parts(document: Document) -> list[_Part]:
    if "row" in document:
        return [_row_part(document)]
    rows = f"{document['split']} split, {plural(document['rows'], 'row')}"
    size = importance_size(document)
    parts = [_Part("Importance of the inputs", [rows], size, draw_importance)]
    if document["surface"]:  # before the wider effects, so that a sheet has no gap
        title, details = surface_title(document)
        parts.append(_Part(title, details, (6.0, 5.2), draw_surface))
    shown = effects_shown(document)
    if shown:
        method = (
            "accumulated local effects" if document["method"] == "ale" else "partial dependence"
        )
        title = "Effects of the most important inputs"
        details = [method, f"bands: {_BANDS[document['bands']]}"]
        parts.append(_Part(title, details, effects_size(document), draw_effects))
    return parts


def _row_part(document: Document) -> _Part:
    background = document["background"]
    details = [f"compared with {background['rows']:,} {background['of']}"]
    if len(outputs_shown(document)) < len(document["outputs"]):
        details.append(f"{len(outputs_shown(document))} of {len(document['outputs'])} outputs")
    return _Part(f"Row {document['row']:,}", details, row_size(document), draw_row)
