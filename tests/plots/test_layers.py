from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch
from plotted import heading_texts, laid_out, points, subject_of

from bpcli.nn.propagation import predict
from bpcli.plots.layers import bin_edges
from bpcli.runs.subject import Subject


def histograms(axes: Axes) -> list[StepPatch]:
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def in_bins(values: np.ndarray, steps: StepPatch) -> bool:
    """Whether a histogram is that of the values, counted here one by one."""
    counts, edges, _ = steps.get_data()
    inner = [np.count_nonzero(values < edge) for edge in edges[1:-1]]
    below = np.array([0, *inner, values.size])
    return bool((np.diff(below) == counts).all())


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("runs"), "digits", training__epochs=5)


def test_weights_are_counted_at_the_start_and_at_the_end(digits: Subject) -> None:
    figure = laid_out("weights", digits)
    now = dict(digits.network.tensors(digits.params))
    start = dict(digits.network.tensors(digits.experiment.initial_params))
    assert len(figure.axes) == len(digits.network.layers)
    for number, axes in enumerate(figure.axes, start=1):
        after, before = histograms(axes)
        assert in_bins(now[f"W{number}"], after)
        assert in_bins(start[f"W{number}"], before)
        assert axes.get_xlabel() == f"weight, entry of W{number}"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["best epoch (5)", "initialisation"]


def test_activations_are_those_of_the_training_rows(digits: Subject) -> None:
    figure = laid_out("activations", digits)
    X = digits.experiment.splits["train"].X
    (top,) = histograms(figure.axes[-1])
    assert in_bins(predict(digits.network, digits.params, X), top)
    assert f"{len(X):,} training rows" in heading_texts(figure)[1]


def test_of_many_rows_some_are_looked_at_evenly(digits: Subject) -> None:
    some = digits.passed("train", most=100)
    every = digits.passed("train")
    rows = len(digits.experiment.splits["train"])
    index = [round(n * (rows - 1) / 99) for n in range(100)]
    # Products of other widths are rounded otherwise.
    np.testing.assert_allclose(some[-1].a, every[-1].a[:, index], rtol=1e-12)


@pytest.mark.parametrize(
    "values",
    [[0.0], [0.3] * 9, [1.0, 1.0 + 1e-12], [-1e308, 1e308], [1e-320, 0.0], [-5.0, 5.0] * 400],
)
def test_any_finite_values_have_bins_that_hold_them(values: list[float]) -> None:
    array = np.array(values)
    edges = bin_edges(array, len(array))
    assert (np.diff(edges) > 0).all()
    assert 11 <= len(edges) <= 51
    assert np.histogram(array, edges)[0].sum() == len(array)


@pytest.mark.parametrize(
    ("kind", "layers"),
    [("weights", 1), ("weights", 30), ("activations", 1), ("gradient_norms", 12)],
)
def test_networks_of_any_depth_fit(tmp_path: Path, kind: str, layers: int) -> None:
    sizes = [2, *[3] * (layers - 1), 1]
    activations = ["tanh"] * (layers - 1) + ["sigmoid"]
    subject = subject_of(
        tmp_path, "moons", training__epochs=1, network__layers=sizes,
        network__activations=f"[{', '.join(activations)}]",
    )  # fmt: skip
    figure = laid_out(kind, subject)
    assert (", 24 of 30 layers" in " ".join(heading_texts(figure))) == (layers == 30)
    if figure.legends and kind != "weights":
        shown = [text.get_text() for text in figure.legends[0].get_texts()]
    else:
        shown = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(shown) == min(layers, 24)
    assert shown[0].startswith("layer 1: ")
    assert shown[-1] == f"layer {layers}: 1 sigmoid"


def test_equal_weights_are_drawn(digits: Subject) -> None:
    assert digits.rebuilt is not None
    rebuilt = replace(digits.rebuilt, params=np.zeros_like(digits.params))
    laid_out("weights", replace(digits, rebuilt=rebuilt))


def test_few_weights_and_activations_are_drawn_one_by_one(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=20)
    first, _ = laid_out("weights", subject).axes
    initial = dict(subject.network.tensors(subject.experiment.initial_params))["W1"].ravel()
    trained = dict(subject.network.tensors(subject.params))["W1"].ravel()
    assert points(first, "one weight, initialisation") == [(w, 0) for w in initial]
    assert points(first, "one weight, best epoch (20)") == [(w, 1) for w in trained]
    assert [text.get_text() for text in first.get_yticklabels()] == ["0", "20"]
    moves = [line.get_xdata() for line in first.lines if len(line.get_xdata()) == 2]
    np.testing.assert_array_equal(moves, np.column_stack([initial, trained]))

    first, _ = laid_out("activations", subject).axes
    a = subject.passed("train")[0].a
    assert [line.get_xdata().tolist() for line in first.lines] == a.tolist()
    assert [set(line.get_ydata()) for line in first.lines] == [{1}, {2}, {3}, {4}]


def test_zeros_of_relu_are_told_and_not_counted(tmp_path: Path) -> None:
    subject = subject_of(
        tmp_path, "moons", training__epochs=1, network__activations="[relu, tanh, sigmoid]"
    )
    relu, tanh, _ = laid_out("activations", subject).axes
    a = subject.passed("train")[0].a.ravel()
    (steps,) = histograms(relu)
    assert in_bins(a[a != 0], steps)
    (text,) = relu.texts
    assert text.get_text() == f"{100 * np.mean(a == 0):.3g} % are 0,\nnot drawn"
    assert not tanh.texts
