"""What an activation says of itself: by default, and each of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bpcli.nn.activation import Activation
from bpcli.nn.activations import ACTIVATIONS, Elu, LeakyRelu
from bpcli.nn.arrays import Array

VARIANTS = [
    *(kind() for kind in ACTIVATIONS.values()),
    LeakyRelu(0.3), LeakyRelu(0.0), Elu(0.5), Elu(2.0),
]  # fmt: skip
ELEMENTWISE = [activation for activation in VARIANTS if activation.is_elementwise]


@dataclass(frozen=True)
class Line(Activation):
    """An activation with an option and no facts but its source."""

    source = "return factor * z"
    factor: float = 3.0


class Mixing(Line):
    mixes_units = True


class Choosing(Line):
    @property
    def rows_per_unit(self) -> int:
        return 2


@pytest.mark.parametrize(
    ("activation", "is_elementwise"), [(Line(), True), (Mixing(), False), (Choosing(), False)]
)
def test_an_activation_is_elementwise_unless_it_mixes_units_or_chooses_among_rows(
    activation: Activation, is_elementwise: bool
) -> None:
    assert activation.is_elementwise == is_elementwise


def test_without_an_operator_of_its_own_the_source_and_the_options_become_onnx() -> None:
    class Graph:
        def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
            raise AssertionError

        def constant(self, name: str, value: Any, dtype: Any = None) -> str:
            raise AssertionError

        def nodes_of(self, source: str, z: str, options: Mapping[str, float]) -> str:
            return f"{source} of {z} with {dict(options)}"

    assert Line(2.0).onnx(Graph(), "z1") == "return factor * z of z1 with {'factor': 2.0}"


def test_what_has_no_canonical_loss_has_no_link() -> None:
    with pytest.raises(NotImplementedError):
        Line().link(np.ones((1, 1)))


def slopes(activation: Activation, z: Array) -> Array:
    """f'(z) by the pullback of ones."""
    a, slope = np.empty_like(z), np.empty_like(z)
    activation.forward(z, a)
    activation.pullback(z, a.copy(), np.ones_like(z), slope)
    return slope


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=repr)
def test_a_slope_that_falls_from_a_maximum_to_0_gradually_has_it_told(
    activation: Activation,
) -> None:
    z = np.linspace(-40, 40, 80_001)[np.newaxis]
    slope = slopes(activation, z)
    has_maximum = slope.max() == pytest.approx(slopes(activation, 2 * z).max(), rel=2e-3)
    saturates = has_maximum and np.unique(slope).size > 2 and slope[0, [0, -1]].min() < 1e-3
    assert (activation.max_slope is not None) == saturates
    if activation.max_slope is not None:
        assert slope.max() == pytest.approx(activation.max_slope, rel=2e-3)
        assert slope.max() <= activation.max_slope


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=repr)
def test_linear_regions_part_where_the_slope_jumps(activation: Activation) -> None:
    z = np.array([[-2.0, -1e-9, 1e-9, 2.0]])
    slope = slopes(activation, z)[0]
    regions = activation.linear_region(z)
    assert (regions is not None) == bool(abs(slope[2] - slope[1]) > 1e-6)
    if regions is not None:
        assert (np.diff(regions[0].astype(int)) != 0).tolist() == [False, True, False]


@pytest.mark.parametrize("activation", VARIANTS, ids=repr)
def test_the_source_computes_what_the_kernel_does(activation: Activation) -> None:
    z = np.random.default_rng(3).normal(0, 3, (6, 40))
    a = np.empty((6 // activation.rows_per_unit, 40))
    activation.forward(z, a)
    lines = "".join(f"    {line}\n" for line in activation.source.splitlines())
    names: dict[str, Any] = {"np": np}
    exec(f"def f(z, {', '.join(vars(activation))}):\n{lines}", names)
    np.testing.assert_allclose(names["f"](z, **vars(activation)), a, rtol=1e-13, atol=1e-15)
