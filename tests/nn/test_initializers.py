from __future__ import annotations

import numpy as np
import pytest

from bpcli.nn.activations import Maxout, Tanh
from bpcli.nn.initializers import (
    INITIALIZERS,
    Constant,
    FanNormal,
    Fans,
    Initializer,
    NguyenWidrow,
    Uniform,
    XavierNormal,
)
from bpcli.nn.losses import Mse
from bpcli.nn.network import Layer, Network

FANS = Fans(inputs=200, units=300, rows=300)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("xavier_uniform", 2 / 500),
        ("xavier_normal", 2 / 500),
        ("he_uniform", 2 / 200),
        ("he_normal", 2 / 200),
        ("lecun_uniform", 1 / 200),
        ("lecun_normal", 1 / 200),
        ("fan_normal", 1 / 200),
        ("uniform", 1 / 12),
        ("normal", 0.01),
    ],
)
def test_weights_have_the_published_variance_and_mean_zero(name: str, variance: float) -> None:
    weights, biases = INITIALIZERS[name]().draw(np.random.default_rng(0), FANS)
    assert weights.shape == (300, 200)
    assert biases.shape == (300,)
    assert weights.var() == pytest.approx(variance, rel=0.03)  # 60,000 draws: sd of var < 0.6 %
    assert abs(weights.mean()) < 5 * np.sqrt(variance / weights.size)
    if name in ("uniform", "normal"):
        assert biases.std() == pytest.approx(np.sqrt(variance), rel=0.2)
    else:
        assert not biases.any()


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("xavier_uniform", np.sqrt(6 / 500)),
        ("he_uniform", np.sqrt(6 / 200)),
        ("lecun_uniform", np.sqrt(3 / 200)),
        ("uniform", 0.5),
    ],
)
def test_uniform_weights_fill_their_interval(name: str, limit: float) -> None:
    weights, _ = INITIALIZERS[name]().draw(np.random.default_rng(0), FANS)
    assert np.abs(weights).max() <= limit
    assert np.abs(weights).max() > 0.999 * limit


def test_nguyen_widrow_rows_have_the_published_length() -> None:
    fans = Fans(inputs=2, units=30, rows=30)
    weights, biases = NguyenWidrow().draw(np.random.default_rng(0), fans)
    beta = 0.7 * 30**0.5
    np.testing.assert_allclose(np.linalg.norm(weights, axis=1), beta, rtol=1e-12)
    assert np.abs(biases).max() <= beta
    assert np.abs(biases).max() > 0.8 * beta


def test_fan_normal_can_take_the_fan_out() -> None:
    weights, _ = FanNormal(fan="out").draw(np.random.default_rng(0), FANS)
    assert weights.std() == pytest.approx(300**-0.5, rel=0.02)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_bias_fills_the_biases_and_leaves_the_weights(name: str) -> None:
    kind = INITIALIZERS[name]
    plain, _ = kind().draw(np.random.default_rng(3), FANS)
    weights, biases = kind(bias=0.25).draw(np.random.default_rng(3), FANS)
    np.testing.assert_array_equal(weights, plain)
    assert (biases == 0.25).all()


def test_a_maxout_layer_draws_a_row_for_every_piece() -> None:
    network = Network((Layer(2, 3, Maxout(4)), Layer(3, 1, Tanh())), Mse())
    params = network.initial_params(Constant(value=2.0), np.random.default_rng(0))
    tensors = dict(network.tensors(params))
    assert tensors["W1"].shape == (12, 2)
    assert tensors["b1"].shape == (12,)
    assert (params == 2).all()


def test_layers_are_drawn_from_the_input_side_weights_first() -> None:
    network = Network((Layer(2, 3, Tanh()), Layer(3, 1, Tanh())), Mse())
    params = network.initial_params(Uniform(), np.random.default_rng(9))
    rng = np.random.default_rng(9)
    expected = {
        "W1": rng.uniform(-0.5, 0.5, (3, 2)),
        "b1": rng.uniform(-0.5, 0.5, 3),
        "W2": rng.uniform(-0.5, 0.5, (1, 3)),
        "b2": rng.uniform(-0.5, 0.5, 1),
    }
    for name, tensor in network.tensors(params):
        np.testing.assert_array_equal(tensor, expected[name])


def test_nguyen_widrow_rows_point_everywhere() -> None:
    weights, _ = NguyenWidrow().draw(np.random.default_rng(0), Fans(2, 400, 400))
    assert np.bincount((weights > 0) @ [1, 2], minlength=4).min() > 60


def test_the_fan_out_counts_units_not_maxouts_rows() -> None:
    fans = Fans(inputs=100, units=100, rows=300)

    def weights(rule: Initializer) -> np.ndarray:
        return rule.draw(np.random.default_rng(0), fans)[0]

    assert weights(XavierNormal()).std() == pytest.approx(0.1, rel=0.03)
    assert weights(FanNormal(fan="out", gain=3.0)).std() == pytest.approx(0.3, rel=0.03)
    assert np.linalg.norm(weights(NguyenWidrow())[0]) == pytest.approx(0.7 * 100**0.01)


def test_xavier_uniform_biases_fill_the_intervals_of_scikit_learns_network() -> None:
    from sklearn.neural_network import MLPRegressor

    theirs = MLPRegressor(hidden_layer_sizes=300, solver="sgd", learning_rate_init=1e-12)
    theirs.partial_fit(np.zeros((2, 200)), np.zeros(2))
    ours = INITIALIZERS["xavier_uniform_biases"]().draw(np.random.default_rng(0), FANS)
    for mine, other in zip(ours, [theirs.coefs_[0].T, theirs.intercepts_[0]], strict=True):
        assert mine.shape == other.shape
        assert np.abs(mine).max() == pytest.approx(np.abs(other).max(), rel=0.05)
        assert mine.std() == pytest.approx(other.std(), rel=0.15)
