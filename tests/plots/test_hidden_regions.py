"""Hidden units, against the activations of the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plotted import laid_out, subject_of

from bpcli.plots.plane import Window


def test_hidden_units_are_drawn_as_they_answer(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=100)
    figure = laid_out("hidden_regions", subject)
    tensors = dict(subject.network.tensors(subject.params))
    window = Window.around(np.array([[0.0, 0.0], [1.0, 1.0]]), 100)
    for unit in range(4):
        axes = figure.axes[unit]
        z = window.grid @ tensors["W1"][unit] + tensors["b1"][unit]
        np.testing.assert_allclose(
            axes.images[0].get_array(), window.image(1 / (1 + np.exp(-z))), rtol=1e-12
        )
        assert axes.get_title() == f"unit {unit + 1}"
