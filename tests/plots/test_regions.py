"""Regions against the classes that the saved model predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from plotted import drawn, laid_out, subject_of

from bpcli.export.model import load_model
from bpcli.runs.references import find_run
from bpcli.runs.subject import Subject


def inside(figure: Figure, points: np.ndarray) -> list[np.ndarray]:
    """For each filled area, in the order of drawing, which points it covers."""
    areas = [c for c in figure.axes[0].collections if getattr(c, "filled", False)]
    return [path.contains_points(points) for area in areas for path in area.get_paths()]


def three_classes(tmp_path: Path) -> Subject:
    return subject_of(
        tmp_path, "moons", data__generator="teacher", data__n_features=2, data__n_classes=3,
        data__n_samples=90, network__layers="[2,6,3]", network__activations="[tanh,softmax]",
        loss="cross_entropy", training__epochs=60,
    )  # fmt: skip


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
