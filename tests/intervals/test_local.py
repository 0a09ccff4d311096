"""Widths that depend on the row: coverage, categories, and scales by their formulas."""

from __future__ import annotations

import numpy as np
import pytest

from bpcli.errors import DataError
from bpcli.intervals.conformal import AbsoluteErrors, AdaptiveSets, adaptive_scores, quantile
from bpcli.intervals.local import (
    ByCategory,
    Categories,
    Everywhere,
    LocalErrors,
    NetworkScale,
    SpreadScale,
    no_scale,
)
from bpcli.nn.activations import Identity, Tanh
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import predict

RNG = np.random.default_rng
NETWORK = Network((Layer(2, 3, Tanh()), Layer(3, 2, Identity())), Mse())


def test_without_a_scale_and_categories_they_are_those_of_one_width() -> None:
    errors, outputs = RNG(0).normal(size=(50, 2)), RNG(1).normal(size=(7, 2))
    one = AbsoluteErrors.fit(np.zeros((50, 2)), errors, 0.8)
    same = LocalErrors(Everywhere(quantile(np.abs(errors), 0.8)), no_scale)
    inputs = np.zeros((7, 3))
    for found, expected in zip(
        same.bounds(inputs, outputs), one.bounds(inputs, outputs), strict=True
    ):
        assert (found == expected).all()


@pytest.mark.parametrize("right", [True, False])
def test_a_scale_keeps_the_level_and_if_it_is_right_narrows_the_intervals(right: bool) -> None:
    """Noise that grows with x, and a scale that follows it or falls instead."""
    rng, shares, widths = RNG(2), [], []

    def scale(x: np.ndarray) -> np.ndarray:
        return 0.1 + x if right else 1.1 - x

    for _ in range(300):
        x = rng.uniform(0, 1, (259, 1))
        y = rng.normal(0, 0.1 + x)
        quantiles = Everywhere(quantile(np.abs(y[:59]) / scale(x[:59]), 0.9))
        low, high = LocalErrors(quantiles, scale).bounds(x[59:], np.zeros((200, 1)))
        shares.append(((low <= y[59:]) & (y[59:] <= high)).mean())
        widths.append((high - low).mean() / 2 / quantile(np.abs(y[:59]), 0.9)[0])
    error = 3 * np.std(shares) / np.sqrt(len(shares))
    assert 0.9 - error <= np.mean(shares) <= 0.9 + 1 / 60 + error
    assert (np.mean(widths) < 0.95) == right


def test_each_category_has_the_level_and_the_quantile_of_its_own_rows() -> None:
    """One-hot inputs of two categories whose noise differs by a factor of 5."""
    rng, shares, pooled = RNG(3), [], []
    for _ in range(100):
        hot = np.eye(2)[rng.integers(2, size=300)]
        scores = np.abs(rng.normal(0, hot @ [1.0, 5.0]))[:, np.newaxis]
        found = ByCategory.fit(Categories.of(hot[:100], (0, 1)), hot[:100], scores[:100], 0.9)
        own = [quantile(scores[:100][hot[:100, k] == 1], 0.9) for k in (1, 0)]  # keys ascend
        assert (found.quantiles[:2] == own).all()
        is_inside = scores[100:] <= found.at(hot[100:])
        shares.append([is_inside[hot[100:, k] == 1].mean() for k in (0, 1)])
        is_inside = scores[100:] <= found.quantiles[-1]
        pooled.append([is_inside[hot[100:, k] == 1].mean() for k in (0, 1)])
    assert np.abs(np.mean(shares, axis=0) - 0.91).max() < 0.015
    assert np.abs(np.mean(pooled, axis=0) - 0.91).min() > 0.07


def test_few_rows_and_other_categories_have_the_quantile_of_all_rows() -> None:
    X = np.repeat([[0.0, 7.0], [1.0, 7.0], [2.0, 7.0]], [20, 3, 20], axis=0)
    scores = np.column_stack([np.arange(43.0), -np.arange(43.0)])
    found = ByCategory.fit(Categories.of(X, (0,)), X, scores, 0.8)
    assert found.rows.tolist() == [20, 3, 20]
    pooled = quantile(scores, 0.8)
    assert found.at(np.array([[1.0, 0], [3.0, 0], [-0.0, 0]])).tolist() == [
        pooled.tolist(), pooled.tolist(), quantile(scores[:20], 0.8).tolist(),
    ]  # fmt: skip
    assert found.at(np.empty((0, 2))).shape == (0, 2)
    with pytest.raises(DataError, match="needs at least 99 calibration rows"):
        ByCategory.fit(Categories.of(X, (0,)), X, scores, 0.99)


def test_a_threshold_of_each_class_keeps_the_level_in_each() -> None:
    """Classes of which one is predicted badly: a common threshold covers it too seldom."""
    rng, shares = RNG(4), {"own": [], "pooled": []}
    for _ in range(200):
        labels = rng.integers(3, size=500)
        z = 2 * np.eye(3)[labels] * [[2.0, 1.0, 0.2]] + rng.normal(size=(500, 3))
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        scores = adaptive_scores(p)[np.arange(500), labels]
        own = [quantile(scores[:250][labels[:250] == k], 0.9) for k in range(3)]
        for name, threshold in (("own", np.array(own)), ("pooled", quantile(scores[:250], 0.9))):
            inside = AdaptiveSets(threshold).sets(p[250:])[np.arange(250), labels[250:]]
            shares[name].append([inside[labels[250:] == k].mean() for k in range(3)])
    assert np.abs(np.mean(shares["own"], axis=0) - 0.905).max() < 0.015
    assert np.min(np.mean(shares["pooled"], axis=0)) < 0.87


def test_a_network_scale_is_kept_in_the_range_of_its_training_rows() -> None:
    params = RNG(5).normal(size=NETWORK.n_params)
    X = RNG(6).normal(size=(40, 2))
    shift, factor = np.array([1.0, 2.0]), np.array([0.5, 3.0])
    g = shift + factor * predict(NETWORK, params, X)
    low, high = np.quantile(g, 0.25, axis=0), np.quantile(g, 0.75, axis=0)
    found = NetworkScale(NETWORK, params, shift, factor, low, high)(X)
    np.testing.assert_allclose(found, np.exp(np.clip(g, low, high)), rtol=1e-14)
    assert (found.min(axis=0) == np.exp(low)).all()


def test_a_spread_does_not_depend_on_the_biases_of_the_output_layer() -> None:
    members = [RNG(seed).normal(size=NETWORK.n_params) for seed in range(4)]
    X, rows = RNG(7).normal(size=(9, 2)), RNG(8).normal(size=(30, 2))

    def spread(members: list[np.ndarray]) -> np.ndarray:
        centres = np.array([predict(NETWORK, each, rows).mean(axis=0) for each in members])
        scale = SpreadScale(NETWORK, tuple(members), centres, np.array([1.0, 10]), np.zeros(2))
        return scale(X)

    outputs = np.array(
        [predict(NETWORK, each, X) - predict(NETWORK, each, rows).mean(axis=0) for each in members]
    )
    expected = np.std(outputs, axis=0, ddof=1) * [1, 10]
    np.testing.assert_allclose(spread(members), expected, rtol=1e-12)
    for each in members:
        NETWORK.matrices(each)[-1][:, -1] += each[0]
    np.testing.assert_allclose(spread(members), expected, rtol=1e-10)
