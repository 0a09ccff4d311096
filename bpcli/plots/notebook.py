"""A figure that a notebook shows by itself, without pyplot. Importing this imports matplotlib."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from bpcli.plots.style import DPI, house_style


class NotebookFigure(Figure):
    """A figure as a plot draws it; IPython shows it as a picture."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        with house_style():
            self.savefig(buffer, format="png", dpi=DPI)
        return buffer.getvalue()
