"""Hidden units, against the activations of the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from plotted import heading_texts, laid_out, subject_of

from bpcli.plots import PLOTS
from bpcli.plots.hidden_regions import different_units
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
        assert axes.get_title(loc="left") == f"unit {unit + 1}"
        assert axes.get_box_aspect() == window.shape == 1


def test_the_units_that_differ_most_are_chosen() -> None:
    t = np.linspace(0, 6, 200)
    patterns = [np.sin(t), 3 * np.sin(t) + 1, -np.sin(t) + 0.01 * t, np.cos(t), t, 0 * t, 0 * t + 7]
    a = np.array(patterns)
    chosen = different_units(a, 4).tolist()
    assert chosen == sorted(chosen)
    assert len({1, 2, 0} & set(chosen)) == 1, "one of those with the same pattern up to scale"
    assert {3, 4} & set(chosen)
    assert len({5, 6} & set(chosen)) == 1, "one that is constant"
    assert different_units(a, 7).tolist() == [*range(7)]
    assert different_units(np.zeros((3, 5)), 2).tolist() == [0, 1]


def test_of_a_deep_and_wide_network_some_units_and_layers_are_drawn(tmp_path: Path) -> None:
    subject = subject_of(
        tmp_path, "moons", training__epochs=1, network__layers=[2, *[9] * 8, 1],
        network__activations=f"[{', '.join(['tanh'] * 8 + ['sigmoid'])}]",
    )  # fmt: skip
    figure = laid_out("hidden_regions", subject)
    assert "6 of 8 hidden layers drawn, evenly spaced" in heading_texts(figure)[1]
    bands = [band.get_suptitle() for band in figure.subfigs]
    assert len(bands) == 6
    assert all(
        "9 tanh units · 6 of 9 units drawn, those that differ most" in text for text in bands
    )
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert sum(title.startswith("unit ") for title in titles) == 36
    assert max(PLOTS["hidden_regions"]().size(subject)) < 16
