"""The joint effect of the two inputs that interact most; cells without rows have no colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bpcli.explanation.surfaces import cell_means
from bpcli.plots.base import Axes, Panel, panels
from bpcli.plots.plane import MAP
from bpcli.plots.style import FAINT, literal


def surface_title(document: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The heading, and the details below it."""
    first, second = (literal(name, 20) for name in document["surface"]["inputs"])
    shown = _output(document)
    strength = f"interaction {shown['interaction']:.3g} (standard deviation)"
    return f"{first} and {second} together", [f"effect on {literal(shown['output'], 30)}", strength]


def _output(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The output with the strongest interaction."""
    output: Mapping[str, Any] = max(
        document["surface"]["outputs"], key=lambda each: each["interaction"]
    )
    return output


def draw_surface(figure: Panel, document: Mapping[str, Any]) -> None:
    """Draw a coloured cell for each cell of the grid that has rows."""
    (axes,) = panels(figure, 1)
    surface, shown = document["surface"], _output(document)
    rows = np.array(surface["rows"])
    values = cell_means(np.array(shown["effect"])[:, :, np.newaxis])[:, :, 0]
    axes.set_facecolor("white")
    axes.patch.set(hatch="///", edgecolor=FAINT, linewidth=0)
    x, y = (_edges(axes, which, surface) for which in (0, 1))
    mesh = axes.pcolormesh(
        x, y, np.ma.masked_where(rows == 0, values).T, cmap=MAP, edgecolors="white", linewidth=0.3
    )
    axes.grid(visible=False)
    axes.set_xlabel(literal(surface["inputs"][0], 30))
    axes.set_ylabel(literal(surface["inputs"][1], 30))
    axes.figure.colorbar(mesh, ax=axes, label=f"effect on {literal(shown['output'], 30)}")


def _edges(axes: Axes, which: int, surface: Mapping[str, Any]) -> list[float]:
    """The edges of the cells along one axis; dates are at equal distances."""
    at = surface["at"][which]
    if not isinstance(at[0], str):
        edges: list[float] = at
        return edges
    labelled = sorted({0, len(at) // 2, len(at) - 1})
    setter = axes.set_yticks if which else axes.set_xticks
    setter(labelled, [at[index] for index in labelled], fontsize="small")
    return list(range(len(at)))
