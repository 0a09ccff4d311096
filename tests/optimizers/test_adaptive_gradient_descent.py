"""Rise, fall and rejection, worked by hand on w²/2, whose gradient is w."""

from __future__ import annotations

import numpy as np
import pytest
from descents import step

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers.adaptive_gradient_descent import AdaptiveGradientDescent
from bpcli.training.batches import Batches
from bpcli.training.epoch import Epoch
from bpcli.training.loop import train_epochs
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training

NETWORK = Network((Layer(1, 1, Identity(), "none"),), HalfSquaredError())


def parabola(dtype: str = "f8") -> NetworkObjective:
    rows = Rows.of(NETWORK, np.ones((1, 1)), np.zeros((1, 1)), np.dtype(dtype))
    return NetworkObjective(NETWORK, rows)


def path(optimizer: AdaptiveGradientDescent, rate: float, steps: int) -> list[tuple[float, float]]:
    """The parameter and the learning rate, from the start (w = 1) on."""
    params = np.array([1.0])
    state = optimizer.init(params)
    seen = [(1.0, optimizer.diagnostics(state, rate)["learning_rate"])]
    for _ in range(steps):
        params, state = step(optimizer, parabola(), params, state, np.asarray(rate))
        seen.append((params.item(), optimizer.diagnostics(state, rate)["learning_rate"]))
    return seen


def test_the_rate_rises_where_the_loss_falls() -> None:
    found = path(AdaptiveGradientDescent(momentum=0), 0.1, 2)
    # 1 - 0.1 · 1 = 0.9, loss 0.405 < 0.5;  0.1 · 1.05 = 0.105;  0.9 - 0.105 · 0.9 = 0.8055.
    np.testing.assert_allclose(found, [(1, 0.1), (0.9, 0.105), (0.8055, 0.11025)])


def test_a_step_that_raises_the_loss_much_is_not_made_and_the_rate_falls() -> None:
    found = path(AdaptiveGradientDescent(momentum=0), 3.0, 2)
    # 1 - 3 · 1 = -2, loss 2 > 1.04 · 0.5: stays at 1 with 3 · 0.7 = 2.1.
    # 1 - 2.1 · 1 = -1.1, loss 0.605 > 0.52: stays, with 2.1 · 0.7 = 1.47.
    np.testing.assert_allclose(found, [(1, 3), (1, 2.1), (1, 1.47)])


def test_a_step_that_raises_the_loss_a_little_is_made_at_the_same_rate() -> None:
    found = path(AdaptiveGradientDescent(momentum=0), 2.01, 1)
    # 1 - 2.01 · 1 = -1.01, loss 0.51005: between 0.5 and 1.04 · 0.5 = 0.52.
    np.testing.assert_allclose(found, [(1, 2.01), (-1.01, 2.01)])
    strict = AdaptiveGradientDescent(momentum=0, max_loss_increase=1.02)  # 0.51 < 0.51005
    np.testing.assert_allclose(path(strict, 2.01, 1), [(1, 2.01), (1, 1.407)])


def test_a_loss_that_stays_the_same_is_no_fall() -> None:
    # 1 - 2 · 1 = -1: the same loss, so the step is made and the rate stays.
    np.testing.assert_allclose(path(AdaptiveGradientDescent(momentum=0), 2.0, 1), [(1, 2), (-1, 2)])


def test_a_rejected_step_takes_the_momentum_away() -> None:
    optimizer = AdaptiveGradientDescent(momentum=0.5, increase=2, decrease=0.25)
    found = path(optimizer, 0.5, 5)
    # v =   0        - 0.5 · 1        = -0.5    w =  0.5     loss falls      rate 1
    # v = -0.25      - 1   · 0.5      = -0.75   w = -0.25    loss falls      rate 2
    # v = -0.375     + 2   · 0.25     =  0.125  w = -0.125   loss falls      rate 4
    # v =  0.0625    + 4   · 0.125    =  0.5625 w =  0.4375  loss rises: w stays, v = 0, rate 1
    # v =  0         + 1   · 0.125    =  0.125  w =  0       loss falls      rate 2
    np.testing.assert_allclose(
        found, [(1, 0.5), (0.5, 1), (-0.25, 2), (-0.125, 4), (-0.125, 1), (0, 2)]
    )


def test_a_loss_that_overflows_counts_as_raised() -> None:
    with np.errstate(over="ignore"):
        found = path(AdaptiveGradientDescent(momentum=0, decrease=1e-250), 1e250, 2)
    # At 1 - 1e250 the loss is infinite; with the rate 1 the next step goes to 0.
    np.testing.assert_allclose(found, [(1, 1e250), (1, 1), (0, 1.05)], atol=1e-15)


def course(x: float, y: float, start: float, **options: float) -> list[Epoch]:
    """The epochs of training (w x - y)²/2 at the rate 0.5."""
    rows = Rows.of(NETWORK, np.full((1, 1), x), np.full((1, 1), y), np.dtype(float))
    training = Training(
        NetworkObjective(NETWORK, rows),
        AdaptiveGradientDescent(**{"momentum": 0.0, **options}),
        np.array([start]),
        learning_rate=0.5,
        batches=Batches(),
        rng=np.random.default_rng(0),
    )
    return list(train_epochs(training, 200))


def test_records_tell_the_current_rate() -> None:
    rates = [record.diagnostics["learning_rate"] for record in course(1.0, 0.0, 1.0)[:3]]
    np.testing.assert_allclose(rates, [0.5, 0.525, 0.55125])


def test_training_ends_by_name_where_the_gradient_is_zero() -> None:
    records = course(1.0, 0.7, 0.1)
    assert records[-1].ended is not None
    assert records[-1].ended.reason == "zero_gradient"
    assert records[-1].params == pytest.approx(0.7, rel=1e-15)


def test_training_ends_where_the_rate_has_fallen_to_nothing() -> None:
    # The gradient is w x² = 1e210: steps of 5e209, 5e109, 5e9 and 5e-91 all raise the loss.
    with np.errstate(over="ignore"):
        records = course(1e200, 0.0, 1e-190, decrease=1e-100)
    assert [record.params.item() for record in records] == [1e-190] * 6
    assert records[-1].ended is not None
    assert records[-1].ended.reason == "no_progress"
    assert "too short to change" in str(records[-1].ended)


def test_float32_stays_float32() -> None:
    optimizer, params = AdaptiveGradientDescent(momentum=0.9), np.array([1.0], "f4")
    state = optimizer.init(params)
    for _ in range(2):
        params, state = step(optimizer, parabola("f4"), params, state, np.asarray(0.01, "f4"))
    assert params.dtype == state["velocity"].dtype == np.float32
