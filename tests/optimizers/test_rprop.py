"""Every variant's first ten steps, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from descents import step

from bpcli.engine.rows import Rows
from bpcli.nn.activations import Identity
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network
from bpcli.optimizers.rprop import Rprop
from bpcli.training.objective import NetworkObjective

# The objective is (w1² + w2²) / 2, whose gradient is (w1, w2): one linear unit, two rows.
NETWORK = Network((Layer(2, 1, Identity(), "none"),), HalfSquaredError())
ANY_RATE = np.asarray(np.nan)


def bowl(dtype: str = "f8") -> NetworkObjective:
    rows = Rows.of(NETWORK, np.eye(2), np.zeros((2, 1)), np.dtype(dtype))
    return NetworkObjective(NETWORK, rows, reduction="sum")


# A line is a step: the loss before it; then for w1 and for w2 the value before, the size of the
# step, the change and the value after. The gradient has the sign of the value. Sizes start at 1.
#
#     kept     the sign is that of the step before: the size doubles, to 6 at most;
#     turned   it is the other one: the size is halved, to 0.5 at least; and
#              back: the change before is taken back, stay: there is no change;
#     neither  in the first step, and in the one after `back` or `stay`: the size stays.
TABLES = {
    # A turned sign halves the size, and the step is made all the same.
    "rprop_minus": """
91.985 |   2.10  1.00  -1.00   1.10              | -13.40  1.00  +1.00 -12.40
77.485 |   1.10  2.00  -2.00  -0.90  kept        | -12.40  2.00  +2.00 -10.40  kept
54.485 |  -0.90  1.00  +1.00   0.10  turned      | -10.40  4.00  +4.00  -6.40  kept
20.485 |   0.10  0.50  -0.50  -0.40  turned      |  -6.40  6.00  +6.00  -0.40  kept
 0.160 |  -0.40  0.50  +0.50   0.10  turned      |  -0.40  6.00  +6.00   5.60  kept
15.685 |   0.10  0.50  -0.50  -0.40  turned      |   5.60  3.00  -3.00   2.60  turned
 3.460 |  -0.40  0.50  +0.50   0.10  turned      |   2.60  6.00  -6.00  -3.40  kept
 5.785 |   0.10  0.50  -0.50  -0.40  turned      |  -3.40  3.00  +3.00  -0.40  turned
 0.160 |  -0.40  0.50  +0.50   0.10  turned      |  -0.40  6.00  +6.00   5.60  kept
15.685 |   0.10  0.50  -0.50  -0.40  turned      |   5.60  3.00  -3.00   2.60  turned
""",
    # Where a sign has turned nothing moves; the step after that has the halved size.
    "irprop_minus": """
91.985 |   2.10  1.00  -1.00   1.10              | -13.40  1.00  +1.00 -12.40
77.485 |   1.10  2.00  -2.00  -0.90  kept        | -12.40  2.00  +2.00 -10.40  kept
54.485 |  -0.90  1.00  +0.00  -0.90  turned: stay| -10.40  4.00  +4.00  -6.40  kept
20.885 |  -0.90  1.00  +1.00   0.10              |  -6.40  6.00  +6.00  -0.40  kept
 0.085 |   0.10  0.50  +0.00   0.10  turned: stay|  -0.40  6.00  +6.00   5.60  kept
15.685 |   0.10  0.50  -0.50  -0.40              |   5.60  3.00  +0.00   5.60  turned: stay
15.760 |  -0.40  0.50  +0.00  -0.40  turned: stay|   5.60  3.00  -3.00   2.60
 3.460 |  -0.40  0.50  +0.50   0.10              |   2.60  6.00  -6.00  -3.40  kept
 5.785 |   0.10  0.50  +0.00   0.10  turned: stay|  -3.40  3.00  +0.00  -3.40  turned: stay
 5.785 |   0.10  0.50  -0.50  -0.40              |  -3.40  3.00  +3.00  -0.40
""",
    # Where a sign has turned the change before is taken back, whatever the loss.
    "rprop_plus": """
91.985 |   2.10  1.00  -1.00   1.10              | -13.40  1.00  +1.00 -12.40
77.485 |   1.10  2.00  -2.00  -0.90  kept        | -12.40  2.00  +2.00 -10.40  kept
54.485 |  -0.90  1.00  +2.00   1.10  turned: back| -10.40  4.00  +4.00  -6.40  kept
21.085 |   1.10  1.00  -1.00   0.10              |  -6.40  6.00  +6.00  -0.40  kept
 0.085 |   0.10  2.00  -2.00  -1.90  kept        |  -0.40  6.00  +6.00   5.60  kept
17.485 |  -1.90  1.00  +2.00   0.10  turned: back|   5.60  3.00  -6.00  -0.40  turned: back
 0.085 |   0.10  1.00  -1.00  -0.90              |  -0.40  3.00  +3.00   2.60
 3.785 |  -0.90  0.50  +1.00   0.10  turned: back|   2.60  1.50  -3.00  -0.40  turned: back
 0.085 |   0.10  0.50  -0.50  -0.40              |  -0.40  1.50  +1.50   1.10
 0.685 |  -0.40  0.50  +0.50   0.10  turned: back|   1.10  0.75  -1.50  -0.40  turned: back
""",
    # The change before is taken back only in steps 6, 8 and 10, before which the loss rose.
    "irprop_plus": """
91.985 |   2.10  1.00  -1.00   1.10              | -13.40  1.00  +1.00 -12.40
77.485 |   1.10  2.00  -2.00  -0.90  kept        | -12.40  2.00  +2.00 -10.40  kept
54.485 |  -0.90  1.00  +0.00  -0.90  turned: stay| -10.40  4.00  +4.00  -6.40  kept
20.885 |  -0.90  1.00  +1.00   0.10              |  -6.40  6.00  +6.00  -0.40  kept
 0.085 |   0.10  0.50  +0.00   0.10  turned: stay|  -0.40  6.00  +6.00   5.60  kept
15.685 |   0.10  0.50  -0.50  -0.40              |   5.60  3.00  -6.00  -0.40  turned: back
 0.160 |  -0.40  0.50  +0.00  -0.40  turned: stay|  -0.40  3.00  +3.00   2.60
 3.460 |  -0.40  0.50  +0.50   0.10              |   2.60  1.50  -3.00  -0.40  turned: back
 0.085 |   0.10  0.50  +0.00   0.10  turned: stay|  -0.40  1.50  +1.50   1.10
 0.610 |   0.10  0.50  -0.50  -0.40              |   1.10  0.75  -1.50  -0.40  turned: back
""",
}


@pytest.mark.parametrize("variant", TABLES)
def test_ten_steps_are_those_worked_by_hand(variant: str) -> None:
    fit, optimizer = bowl(), Rprop(variant, 2, 0.5, initial_step=1, max_step=6, min_step=0.5)
    params = np.array([2.1, -13.4])
    state = optimizer.init(params)
    for row in TABLES[variant].strip().splitlines():
        loss, *cells = (cell.split()[:4] for cell in row.split("|"))
        before, size, change, after = np.array(cells, float).T
        np.testing.assert_allclose(params, before, rtol=1e-13)
        assert fit.value(params) == pytest.approx(float(loss[0]))
        moved, state = step(optimizer, fit, params, state, ANY_RATE)
        np.testing.assert_array_equal(state["size"], size)
        np.testing.assert_allclose(moved - params, change, rtol=1e-12)
        np.testing.assert_allclose(moved, after, rtol=1e-13)
        params = moved


@pytest.mark.parametrize("variant", TABLES)
def test_the_scale_of_the_loss_changes_nothing(variant: str) -> None:
    # The product of two gradients of 1e-200 underflows; that of their signs does not.
    paths = []
    for scale in (1.0, 1e-100):
        rows = Rows.of(NETWORK, scale * np.eye(2), np.full((2, 1), scale), np.dtype(float))
        fit, optimizer = NetworkObjective(NETWORK, rows), Rprop(variant)
        params = np.array([2.1, -13.4])
        state = optimizer.init(params)
        paths.append([])
        for _ in range(20):
            params, state = step(optimizer, fit, params, state, ANY_RATE)
            paths[-1].append(params)
    np.testing.assert_array_equal(*paths)


def test_a_gradient_of_zero_moves_nothing() -> None:
    for variant in TABLES:
        params, optimizer = np.array([0.0, 1.0]), Rprop(variant)
        moved, state = step(optimizer, bowl(), params, optimizer.init(params), ANY_RATE)
        np.testing.assert_allclose(moved, [0, 0.93])
        np.testing.assert_array_equal(state["size"], [0.07, 0.07])


@pytest.mark.parametrize("variant", TABLES)
def test_float32_stays_float32(variant: str) -> None:
    params, optimizer = np.array([2.1, -13.4], "f4"), Rprop(variant)
    state = optimizer.init(params)
    for _ in range(2):
        params, state = step(optimizer, bowl("f4"), params, state, ANY_RATE.astype("f4"))
    assert params.dtype == state["size"].dtype == state["sign"].dtype == np.float32


def test_a_gradient_that_is_not_a_number_is_passed_on() -> None:
    params = np.array([np.nan, 1.0])
    state = Rprop().init(params)
    with np.errstate(invalid="ignore"):
        for _ in range(2):
            params, state = step(Rprop(), bowl(), params, state, ANY_RATE)
    assert np.isnan(params[0])


def test_a_first_step_outside_its_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`initial_step` \(0.07\) must lie between"):
        Rprop(max_step=0.01)
