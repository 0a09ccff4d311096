from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from bpcli.gradient_check.cases import Case, all_cases
from bpcli.nn.activations import ACTIVATIONS, Sigmoid, Tanh
from bpcli.nn.losses import LOSSES, legal_losses


def test_the_catalogue_has_every_pair_of_factors() -> None:
    cases = list(all_cases())
    factors = {
        "loss": set(LOSSES),
        "output": set(ACTIVATIONS),
        "hidden": {None, *ACTIVATIONS},
        "depth": {1, 2, 3},
        "bias": {"trained", "frozen", "none"},
        "reduction": {"mean", "sum"},
        "l2": {0.0, 0.3},
        "row_weights": {False, True},
    }
    for name, values in factors.items():
        assert {getattr(case, name) for case in cases} == values
    for first, second in combinations(factors, 2):
        seen = Counter((getattr(case, first), getattr(case, second)) for case in cases)
        wanted = {
            (a, b)
            for a in factors[first]
            for b in factors[second]
            if _can_meet({first: a, second: b})
        }
        assert set(seen) == wanted, (first, second)


def _can_meet(pair: dict[str, object]) -> bool:
    """A network of depth 1 has no hidden layer, and losses go with their outputs."""
    if "hidden" in pair and "depth" in pair:
        return (pair["hidden"] is None) == (pair["depth"] == 1)
    if "loss" in pair and "output" in pair:
        return pair["loss"] in legal_losses(str(pair["output"]))
    return True


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_networks_have_several_units_and_rows_and_each_layer_its_own_shape(depth: int) -> None:
    hidden = None if depth == 1 else "tanh"
    case = Case("mse", "sigmoid", hidden, depth, "frozen", "sum", 0.3, row_weights=True)
    objective, params = case.objective()
    shapes = {1: [(3, 3)], 2: [(3, 4), (4, 3)], 3: [(3, 4), (4, 4), (4, 3)]}[depth]
    layers = objective.network.layers
    assert [(layer.inputs, layer.units) for layer in layers] == shapes
    assert [layer.bias for layer in layers] == ["frozen"] * depth
    assert [type(layer.activation) for layer in layers] == [Tanh] * (depth - 1) + [Sigmoid]
    assert (len(objective.data), objective.l2, objective.reduction) == (7, 0.3, "sum")
    assert params.shape == (objective.network.n_params,)
    assert params.dtype == np.float64


def test_rows_are_weighted_where_the_case_asks_for_it() -> None:
    weighted = {case.row_weights: case.objective()[0].data.weight for case in all_cases()}
    assert weighted[False] is None
    assert weighted[True].shape == (7,)
    assert ((weighted[True] >= 0.5) & (weighted[True] <= 2)).all()
    assert len(set(weighted[True].tolist())) == 7


@pytest.mark.parametrize(
    ("loss", "output"),
    [
        ("mse", "identity"), ("binary_cross_entropy", "sigmoid"), ("cross_entropy", "softmax"),
        ("poisson", "exponential"),
    ],
)  # fmt: skip
def test_targets_are_what_the_loss_takes(loss: str, output: str) -> None:
    objective, _ = Case(loss, output, None, 1, "none", "mean", 0.0, row_weights=False).objective()
    Y = objective.data.columns[1]
    assert Y.shape == (3, 7)
    is_probability = bool(((Y >= 0) & (Y <= 1)).all())
    is_distribution = bool(np.allclose(Y.sum(axis=0), 1))
    are_counts = bool((Y % 1 == 0).all() and Y.min() == 0 < Y.max())
    assert (is_probability, is_distribution, are_counts) == {
        "mse": (False, False, False), "binary_cross_entropy": (True, False, False),
        "cross_entropy": (True, True, False), "poisson": (False, False, True),
    }[loss]  # fmt: skip


def test_a_seed_makes_the_data_and_the_parameters() -> None:
    case = next(iter(all_cases()))
    (one, params), (again, same), (other, _) = (case.objective(seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.data.inputs, again.data.inputs)
    np.testing.assert_array_equal(params, same)
    assert (one.data.inputs != other.data.inputs).any()
    assert 0.4 < params[params != 0].std() < 0.8
