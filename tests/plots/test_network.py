"""Diagrams of networks, against their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plotted import laid_out, subject_of

from bpcli.plots import PLOTS
from bpcli.plots.network import lines_of


def test_a_line_of_the_diagram_is_as_wide_as_its_weight(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=50)
    values = np.array([line.value for line in lines_of(subject)])
    assert values.tolist() == subject.params.tolist()
    (axes,) = laid_out("network", subject).axes
    drawn = axes.lines[: len(values)]
    widths = np.array([line.get_linewidth() for line in drawn])
    np.testing.assert_allclose(widths / widths.max(), np.abs(values) / np.abs(values).max())
    assert [line.get_linestyle() for line in drawn] == ["--" if v < 0 else "-" for v in values]


def test_a_network_that_is_too_large_for_a_diagram_says_so(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "digits", training__epochs=1)
    reason = PLOTS["network"]().why_not(subject)
    assert reason == "64 inputs are too many for a diagram: at most 16 fit."
