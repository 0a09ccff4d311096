"""The parameters' path lies on its contours: losses at its points, projected, against the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plotted import drawn, laid_out, subject_of

from bpcli.plots import PLOTS
from bpcli.plots.path import (
    contour_levels,
    losses_at,
    plane_along,
    slice_of,
)
from bpcli.runs.subject import Subject


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject_of(tmp_path_factory.mktemp("runs"), "plane")


def on_the_plane(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """The logged losses, and those of the points at which the path is drawn."""
    chosen = slice_of(subject)
    epochs, recorded = subject.series("loss")
    coordinates = chosen.coordinates(np.asarray(subject.path)[epochs])
    return recorded, losses_at(subject, chosen.params(coordinates))


def test_the_path_of_plane_lies_on_its_contours(plane: Subject) -> None:
    recorded, drawn_losses = on_the_plane(plane)
    assert len(recorded) > 900
    off = np.abs(drawn_losses - recorded).max()
    assert off < 0.003 * np.ptp(recorded)


def test_every_contour_that_is_drawn_has_its_loss(plane: Subject) -> None:
    chosen = slice_of(plane)
    with drawn("path", plane) as figure:
        lines = figure.axes[0].collections[-1]
    checked = 0
    for level, contour in zip(lines.levels, lines.get_paths(), strict=True):
        if len(contour.vertices) > 10:
            losses = losses_at(plane, chosen.params(contour.vertices))
            np.testing.assert_allclose(losses, level, rtol=0.04)  # lines are straight in a cell
            checked += 1
    assert checked > 8


@pytest.mark.parametrize(
    "changes",
    [
        {"network__bias": "frozen"},
        {"network__bias": "false", "network__parameters": "[{weights: [[3, 3]]}]"},
    ],
)
def test_of_two_parameters_the_path_lies_exactly_there(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    subject = subject_of(tmp_path, "plane", training__epochs=30, **changes)
    recorded, drawn_losses = on_the_plane(subject)
    np.testing.assert_allclose(drawn_losses, recorded, rtol=1e-14)
    axes = laid_out("path", subject).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("W1[1,1]", "W1[1,2]")
    path = np.asarray(subject.path)
    np.testing.assert_allclose(axes.lines[0].get_xydata(), path[:, :2], rtol=1e-14)


def test_the_directions_are_the_principal_ones_through_the_end() -> None:
    path = np.random.default_rng(0).normal(size=(20, 5)) * [1, 5, 2, 0.1, 9]
    trained = np.array([0, 1, 3, 4])
    path[:, 2] = 7  # frozen
    found = plane_along(path, trained, np.eye(4))
    differences = path - path[-1]
    variances, vectors = np.linalg.eigh(differences.T @ differences)
    for direction, share, k in zip(found.directions, found.shares, (-1, -2), strict=True):
        assert abs(direction @ vectors[:, k]) == pytest.approx(1)
        assert share == pytest.approx(variances[k] / variances.sum())
    np.testing.assert_allclose(found.coordinates(path[-1:]), 0, atol=1e-12)


def test_in_a_metric_the_plane_is_the_nearest_in_that_metric() -> None:
    rng = np.random.default_rng(1)
    path, A = rng.normal(size=(20, 4)), rng.normal(size=(9, 4)) * [1, 5, 2, 20]
    metric = A.T @ A

    def far(directions: np.ndarray) -> float:
        """Σ |d - its projection|², by weighted least squares."""
        d = (path - path[-1]) @ A.T
        return float(np.linalg.lstsq((directions @ A.T).T, d.T, rcond=None)[1].sum())

    found = plane_along(path, np.arange(4), metric)
    missed = (path - found.params(found.coordinates(path))) @ A.T
    assert (missed**2).sum() == pytest.approx(far(found.directions))
    plain = plane_along(path, np.arange(4), np.eye(4)).directions
    others = [plain, *(rng.normal(size=(2, 4)) for _ in range(50))]
    assert all(far(found.directions) < far(other) for other in others)


def test_of_a_deep_network_the_plot_says_how_far_the_plane_is_off(tmp_path: Path) -> None:
    subject = subject_of(tmp_path, "xor", training__epochs=300, training__record_params="true")
    figure = laid_out("path", subject)
    recorded, drawn_losses = on_the_plane(subject)
    off = np.abs(drawn_losses - recorded).max()
    assert f"differ by up to {off:.3g}" in figure.get_supxlabel()
    axes = figure.axes[0]
    share = 100 * slice_of(subject).shares[0]
    assert axes.get_xlabel() == (
        f"first principal direction of the parameters ({share:.2g} % of the motion)"
    )
    assert axes.get_ylabel().startswith("second principal direction of the parameters (")
    texts = [text.get_text() for text in axes.texts]
    assert {"start", "end and best: epoch 300", "epoch 100"} <= set(texts)


def test_in_three_parameters_the_axes_name_their_mix(plane: Subject) -> None:
    axes = laid_out("path", plane).axes[0]
    direction = slice_of(plane).directions[0]
    mix = " ".join(
        f"{share:+.2f} {name}"
        for share, name in zip(direction, ("W1[1,1]", "W1[1,2]", "b1[1]"), strict=True)
    )
    assert axes.get_xlabel().splitlines()[1] == mix.replace("-", "\N{MINUS SIGN}")


def test_a_run_without_a_path_says_how_to_record_one(plane: Subject) -> None:
    reason = PLOTS["path"]().why_not(replace(plane, path=None))
    assert reason == "The run has no recorded path: train with `training.record_params: true`."


@pytest.mark.parametrize(
    "losses",
    [[0.1, 30.0], [1.0, 2.0], [-1.0, 5.0], [3.0, 3.0], [0.0, 1e9], [1.0, np.nextafter(1.0, 2.0)]],
)
def test_levels_rise_from_the_least_to_the_largest_loss(losses: list[float]) -> None:
    levels = contour_levels(np.array(losses))
    assert (np.diff(levels) > 0).all()
    assert levels[0] == pytest.approx(min(losses))
    assert levels[-1] == pytest.approx(max(losses))
    assert 2 <= len(levels) <= 2 + 2 * 14


@pytest.mark.parametrize(
    ("losses", "some"),
    [
        ([0.1, 30.0], [0.2, 0.5, 1, 2, 5, 10]),
        ([1.0, 2.0], [1.1, 1.5, 1.9]),
        ([2e-5, 40.0], [1e-3, 1]),
    ],
)
def test_levels_are_round_numbers(losses: list[float], some: list[float]) -> None:
    levels = contour_levels(np.array(losses))
    assert all(np.isclose(levels, level, rtol=1e-9).any() for level in some)
