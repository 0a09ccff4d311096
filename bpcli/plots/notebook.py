"""A figure that a notebook shows by itself, without pyplot. Importing this imports matplotlib."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from bpcli.plots.style import DPI, house_style

_PIXELS_PER_INCH = 96
"""Of a page: a picture with more is sharp on screens that have more."""


class NotebookFigure(Figure):
    """A figure as a plot draws it; IPython shows it as a picture."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture, and its width on the page."""
        buffer = io.BytesIO()
        with house_style():
            self.savefig(buffer, format="png", dpi=DPI)
        return buffer.getvalue(), {"width": round(self.get_figwidth() * _PIXELS_PER_INCH)}
