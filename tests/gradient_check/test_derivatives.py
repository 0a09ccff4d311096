from __future__ import annotations

import numpy as np
import pytest

from bpcli.gradient_check.derivatives import (
    central_difference,
    complex_step,
    directional_difference,
    moved,
)


def test_numerical_derivatives_of_a_known_function() -> None:
    def cube(params: np.ndarray) -> complex:
        return (params**3).sum().item()

    params = np.array([0.3, -2.0])
    for entry, exact in enumerate(3 * params**2):
        assert complex_step(cube, params, entry) == pytest.approx(exact, rel=1e-15)
        assert central_difference(cube, params, entry, 1e-5) == pytest.approx(exact, abs=1e-9)


def test_the_complex_step_of_an_array_has_a_number_for_each_component() -> None:
    params = np.array([2.0, 3.0])
    assert complex_step(lambda p: p**2, params, 1) == pytest.approx([0, 6], rel=1e-15)


def test_an_entry_is_moved_in_a_copy() -> None:
    params = np.array([1.0, 2.0])
    assert moved(params, 1, 0.5).tolist() == [1, 2.5]
    assert moved(params, 0, 1j).tolist() == [1 + 1j, 2]
    assert params.tolist() == [1, 2]


def test_a_directional_difference_is_the_product_with_the_jacobian() -> None:
    def function(params: np.ndarray) -> np.ndarray:
        return np.array([params.prod(), params @ params])

    params, direction = np.array([2.0, -3.0]), np.array([1.0, 0.5])
    J = np.array([[-3.0, 2.0], [4.0, -6.0]])
    found = directional_difference(function, params, direction, 1e-4)
    assert found == pytest.approx(J @ direction, rel=1e-9)
