from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from courses import objective
from hypothesis import given
from hypothesis import strategies as st

from bpcli.optimizers import OPTIMIZERS, base
from bpcli.optimizers.base import Optimizer, Point, StepFailed, dot, norm, square_of_gradient

lengths, seeds = st.integers(0, 30), st.integers(0, 2**32 - 1)


class Unasked:
    """An objective that must not be evaluated."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_a_point_evaluates_what_is_not_known_and_only_that() -> None:
    fit = objective()
    params = np.linspace(-1, 1, fit.network.n_params)
    bare = Point(params)
    found = bare.evaluate(fit)
    assert found.value == fit.value(params)
    np.testing.assert_array_equal(found.grad, fit.grad(params))
    np.testing.assert_array_equal(bare.grad(fit), found.grad)
    assert bare.evaluation is None, "a point never changes"
    known = Point(params, found)
    assert known.evaluate(Unasked()) is found  # type: ignore[arg-type]
    assert known.grad(Unasked()) is found.grad  # type: ignore[arg-type]


@given(lengths, seeds, st.sampled_from([np.float32, np.float64]), st.integers(1, 8))
def test_a_product_is_summed_in_double_precision_however_it_is_cut(
    length: int, seed: int, dtype: type, at_once: int
) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, length)).astype(dtype)
    exact = math.fsum(x * y for x, y in zip(a.tolist(), b.tolist(), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "_ENTRIES_AT_ONCE", at_once)
        assert dot(a, b) == pytest.approx(exact, rel=1e-13, abs=1e-13)


def test_single_precision_keeps_squares_that_it_cannot_hold() -> None:
    small, large = np.full(4, 1e-30, np.float32), np.full(4, 1e30, np.float32)
    assert dot(small, small) == pytest.approx(4e-60)
    assert norm(small) == pytest.approx(2e-30)
    assert norm(large) == pytest.approx(2e30)


def test_the_norm_is_that_of_pythagoras() -> None:
    assert norm(np.array([3.0, -4.0])) == 5
    assert norm(np.array([])) == 0


def test_a_gradient_of_any_size_has_a_square() -> None:
    assert square_of_gradient(np.array([1e-140, 0.0])) == pytest.approx(1e-280)
    assert square_of_gradient(np.array([1e150])) == pytest.approx(1e300)


ZERO = "The gradient is zero: no direction lowers the loss."
INFINITE = "The square of the gradient is infinite: check the scale of the data (`data.scale`)."


@pytest.mark.parametrize(
    ("grad", "reason", "message"),
    [
        (0.0, "zero_gradient", ZERO),
        (1e-160, "zero_gradient", ZERO),
        (1e200, "infinite_gradient", INFINITE),
        (np.nan, "infinite_gradient", INFINITE),
    ],
)
def test_a_gradient_without_direction_is_said(grad: float, reason: str, message: str) -> None:
    with np.errstate(over="ignore"), pytest.raises(StepFailed) as caught:
        square_of_gradient(np.full(3, grad))
    assert (caught.value.reason, str(caught.value)) == (reason, message)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_bounds_its_numbers_and_shows_its_rate(name: str) -> None:
    optimizer: Optimizer = OPTIMIZERS[name]()
    state = optimizer.init(np.ones(6))
    for number, (low, high) in optimizer.bounds.items():
        assert state[number].shape == ()
        assert low <= state[number] <= high
    shown = optimizer.diagnostics(state, 0.25)
    assert math.isnan(shown.pop("log_evidence", math.nan))  # it needs the data
    assert all(map(math.isfinite, shown.values()))
    if optimizer.default_learning_rate is not None and not optimizer.changes_its_rate:
        assert shown["learning_rate"] == 0.25
