from __future__ import annotations

from math import cos, erfc, pi, sin, sqrt

import numpy as np
import pytest

from bpcli.data.generators.points import Gaussians, Spirals, TwoSpirals

RNG = np.random.default_rng


def test_two_spirals_are_the_points_of_the_benchmark() -> None:
    """The loop of the collection's own program, with its order of points."""
    points, labels = [], []
    for i in range(97):
        angle, radius = i * pi / 16, 6.5 * (104 - i) / 104
        x, y = radius * sin(angle), radius * cos(angle)
        points += [(x, y), (-x, -y)]
        labels += [1, 0]
    table = TwoSpirals().table(RNG(0))
    assert len(table) == 194
    np.testing.assert_allclose(table.X, points, rtol=0, atol=1e-14)
    assert table.labels is not None
    assert table.labels.tolist() == labels


@pytest.mark.parametrize("kind", [TwoSpirals, Spirals])
def test_the_noise_of_spirals_has_its_spread(kind: type[TwoSpirals] | type[Spirals]) -> None:
    clean, noisy = (kind(noise=noise).table(RNG(3)).X for noise in (0.0, 0.5))
    assert isinstance(noisy, np.ndarray)
    assert (noisy - clean).std() == pytest.approx(0.5, rel=0.1)


def test_the_arms_of_spirals_turn_as_their_formula_says() -> None:
    table = Spirals(n_samples=600, n_classes=5, turns=1.5, noise=0).table(RNG(1))
    x, y = table.X[:, 0], table.X[:, 1]
    r = np.hypot(x, y)
    assert 0.9 < r.max() <= 1
    assert table.labels is not None
    assert np.bincount(table.labels).tolist() == [120] * 5
    turned = 2 * pi * (1.5 * r + table.labels / 5)
    np.testing.assert_allclose(np.arctan2(x, y) % (2 * pi), turned % (2 * pi), atol=1e-9)


def test_gaussians_lie_around_their_means() -> None:
    table = Gaussians(n_samples=40_000, n_classes=4, n_features=3, distance=2).table(RNG(0))
    assert table.labels is not None
    groups = [table.X[table.labels == number] for number in range(4)]
    means = [[0, 2, 0], [2, 0, 0], [0, -2, 0], [-2, 0, 0]]
    np.testing.assert_allclose([rows.mean(axis=0) for rows in groups], means, atol=0.04)
    np.testing.assert_allclose([np.cov(rows.T) for rows in groups], [np.eye(3)] * 4, atol=0.05)


def test_the_nearest_of_two_gaussian_means_errs_as_often_as_the_formula_says() -> None:
    table = Gaussians(n_samples=50_000, n_classes=2, distance=1.5, spread=2).table(RNG(0))
    wrong = (table.X[:, 1] < 0) != table.labels  # the means are (0, 1.5) and (0, -1.5)
    assert wrong.mean() == pytest.approx(erfc(1.5 / 2 / sqrt(2)) / 2, rel=0.03)
