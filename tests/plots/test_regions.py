"""Regions against the classes that the saved model predicts, and units against its own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from plotted import drawn, laid_out, subject_of

from bpcli.export.model import load_model
from bpcli.plots.plane import Window, leads, widened
from bpcli.plots.subject import Subject
from bpcli.runs.references import find_run


def inside(figure: Figure, points: np.ndarray) -> list[np.ndarray]:
    """For each filled area, in the order of drawing, which points it covers."""
    areas = [c for c in figure.axes[0].collections if getattr(c, "filled", False)]
    return [path.contains_points(points) for area in areas for path in area.get_paths()]


def test_the_areas_of_one_score_are_the_classes_that_the_model_predicts(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "moons", training__epochs=150)
    model = load_model(find_run("latest", tmp_path))
    x1, x2 = np.random.default_rng(0).uniform([-1.2, -0.8], [2.2, 1.2], (400, 2)).T
    points = np.column_stack([x1, x2])
    outputs = model.outputs(points)
    with drawn("regions", subject) as figure:
        bands = inside(figure, points)
    clear = np.abs(outputs[:, 0] - 0.5) > 0.02  # straight lines in a cell of the grid
    is_one = np.any(bands[5:], axis=0)
    assert 50 < is_one.sum() < 350
    np.testing.assert_array_equal(is_one[clear], model.labels(outputs)[clear] == 1)


def three_classes(tmp_path: Path) -> Subject:
    return subject_of(
        tmp_path, "moons", data__generator="teacher", data__n_features=2, data__n_classes=3,
        data__n_samples=90, network__layers="[2,6,3]", network__activations="[tanh,softmax]",
        loss="cross_entropy", training__epochs=60,
    )  # fmt: skip


def test_each_area_of_three_classes_is_what_the_model_predicts(tmp_path: Path) -> None:
    subject = three_classes(tmp_path)
    model = load_model(find_run("latest", tmp_path))
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (400, 2))
    outputs = model.outputs(points)
    with drawn("regions", subject) as figure:
        areas = inside(figure, points)
    clear = np.diff(np.sort(outputs, axis=1)[:, 1:]).ravel() > 0.02
    assert clear.sum() > 200
    for label, area in enumerate(areas):
        np.testing.assert_array_equal(area[clear], model.labels(outputs)[clear] == label)


def test_the_rows_that_are_ringed_are_those_that_the_model_misclassifies(tmp_path: Path) -> None:
    subject = three_classes(tmp_path)
    model = load_model(find_run("latest", tmp_path))
    X, labels = subject.experiment.table.X[subject.rows.index], subject.rows.labels
    assert labels is not None
    wrong = X[model.labels(model.outputs(X)) != labels]
    assert 0 < len(wrong) < len(X)
    axes = laid_out("regions", subject).axes[0]
    (rings,) = [c for c in axes.collections if str(c.get_label()).startswith("misclassified")]
    assert rings.get_offsets().tolist() == wrong.tolist()
    assert rings.get_label() == f"misclassified: {len(wrong)} of {len(X)}"


def test_the_surface_and_the_rows_share_one_scale(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "plane", training__epochs=50)
    axes = laid_out("regions", subject).axes[0]
    area, rows = axes.collections[0], axes.collections[-1]
    assert (area.norm.vmin, area.norm.vmax) == (rows.norm.vmin, rows.norm.vmax)
    assert subject.rows.values is not None
    assert np.asarray(rows.get_array()).tolist() == subject.rows.values[:, 0].tolist()


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


@given(st.integers(2, 4), st.integers(0, 100))
def test_the_lead_is_over_the_largest_of_the_others(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 4, (count, 7)).astype(float)
    for row, lead in enumerate(leads(values)):
        assert lead.tolist() == (values[row] - np.delete(values, row, axis=0).max(0)).tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 100.0], (-12, 112)), ([5.0], (2.5, 7.5)), ([0.0, 0.0], (-0.5, 0.5))],
)
def test_a_window_has_a_margin_and_never_no_width(
    values: list[float], expected: tuple[float, float]
) -> None:
    assert widened(np.array(values)) == pytest.approx(expected)
