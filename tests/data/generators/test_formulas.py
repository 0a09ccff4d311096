from __future__ import annotations

from math import sin, tau

import numpy as np
import pytest

from bpcli.data.generators.formulas import Plane, Sinc, Sine

RNG = np.random.default_rng


def test_a_sine_without_noise_is_the_sine() -> None:
    table = Sine(n_samples=50, noise=0, frequency=3, low=-2, high=5).table(RNG(0))
    assert table.Y is not None
    expected = [sin(tau * 3 * x) for x in table.X[:, 0]]
    np.testing.assert_allclose(table.Y[:, 0], expected, atol=1e-13)


def test_sinc_without_noise_is_sin_x_over_x() -> None:
    table = Sinc(n_samples=50, noise=0).table(RNG(0))
    assert table.Y is not None
    np.testing.assert_allclose(
        table.Y[:, 0], [sin(x) / x for x in table.X[:, 0]], rtol=1e-12, atol=1e-15
    )
    at_zero = Sinc(n_samples=3, noise=0, low=0, high=0).table(RNG(0))
    assert at_zero.Y is not None
    assert at_zero.Y.tolist() == [[1], [1], [1]]


@pytest.mark.parametrize(("kind", "low", "high"), [(Sine, -1, 1), (Sinc, -10, 10)])
def test_curves_have_their_noise_on_their_interval(
    kind: type[Sine] | type[Sinc], low: float, high: float
) -> None:
    table, clean = (kind(n_samples=20_000, noise=noise).table(RNG(2)) for noise in (0.25, 0.0))
    np.testing.assert_array_equal(table.X, clean.X)
    assert table.Y is not None
    assert (table.Y - clean.Y).std() == pytest.approx(0.25, rel=0.02)
    assert (table.X.min(), table.X.max()) == pytest.approx((low, high), rel=0.001)


@pytest.mark.parametrize("kind", [Plane, Sine, Sinc])
def test_an_interval_that_ends_before_it_begins_is_refused(kind: type[Plane]) -> None:
    with pytest.raises(ValueError, match=r"`low` \(20\) must be at most `high`"):
        kind(low=20)
    with pytest.raises(ValueError, match="too large for a float"):
        kind(low=-1e308, high=1e308)


def test_the_plane_has_its_slopes_and_noise() -> None:
    table = Plane(n_samples=20_000).table(RNG(0))
    design = np.column_stack([np.ones(20_000), table.X])
    assert table.Y is not None
    solution = np.linalg.lstsq(design, table.Y[:, 0], rcond=None)[0]
    np.testing.assert_allclose(solution, [1.5, 2, 5], atol=0.05)
    assert (table.Y[:, 0] - design @ solution).std() == pytest.approx(0.5, rel=0.02)
    assert (table.X.min(), table.X.max()) == pytest.approx((0, 10), abs=0.01)
