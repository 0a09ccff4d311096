from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bpcli.gradient_check.corruptions import CORRUPTIONS
from bpcli.gradient_check.report import DEMONSTRATION


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corruption_leaves_the_right_objective_and_the_loss_alone(kind: str) -> None:
    objective, params = DEMONSTRATION.objective()
    before = objective.value_and_grad(params)
    value, grad = before.value, before.grad.copy()
    corrupted = CORRUPTIONS[kind].corrupt(objective)
    wrong = corrupted.value_and_grad(params)
    assert wrong.value == value
    after = objective.value_and_grad(params)
    np.testing.assert_array_equal(after.grad, grad)
    assert (wrong.grad != grad).any() == (kind != "linear-jacobian")


@pytest.mark.parametrize(("kind", "factor"), [("no-mean", 7.0), ("times-n", 49.0)])
def test_factors_of_n_are_as_their_name_says(kind: str, factor: float) -> None:
    objective, params = replace(DEMONSTRATION, l2=0.0).objective()
    right = objective.grad(params).copy()
    wrong = CORRUPTIONS[kind].corrupt(objective).grad(params)
    np.testing.assert_allclose(wrong, factor * right, rtol=1e-12)
