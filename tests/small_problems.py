"""Small problems whose derivatives are known, for the tests of the gradient check."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from strategies import Problem

from bpcli.gradient_check.comparison import TensorCheck
from bpcli.nn.activation import Activation
from bpcli.nn.activations import Identity, Relu, Sigmoid
from bpcli.nn.losses import HalfSquaredError
from bpcli.nn.network import Layer, Network


@dataclass(frozen=True)
class WrongSigmoid(Sigmoid):
    """A derivative that is off by a small factor."""

    error: float = 0.0

    def pullback(self, z, a, grad_a, out) -> None:  # type: ignore[no-untyped-def]
        super().pullback(z, a, grad_a, out)
        out *= 1 + self.error


def smooth_problem(activation: Activation) -> Problem:
    rng = np.random.default_rng(0)
    network = Network((Layer(3, 4, activation), Layer(4, 2, Identity())), HalfSquaredError())
    params = rng.normal(size=network.n_params)
    X, Y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    return Problem(network, params, X, Y, None, 0.0, "mean")


def problem_on_a_kink() -> Problem:
    """The first row is zero, so unit 1 sits exactly on relu's kink, and only its bias moves it."""
    network = Network((Layer(2, 2, Relu()), Layer(2, 1, Identity())), HalfSquaredError())
    params = np.array([0.5, 0.3, 0.0, 0.2, 0.4, 0.7, 1.0, 2.0, 0.0])
    X = np.array([[0.0, 0.0], [1.0, 2.0]])
    return Problem(network, params, X, np.array([[1.0], [0.0]]), None, 0.0, "mean")


def a_check(
    tensor: str = "W1",
    term: str = "data",
    *,
    is_wrong: bool = False,
    ratio: float | None = None,
    checked: int = 4,
    **fields: object,
) -> TensorCheck:
    """The check of a tensor of 2 x 2 that passes, or not."""
    known = {
        "shape": (2, 2), "skipped": 4 - checked, "error": 1.0 if is_wrong else 1e-16,
        "largest_error": 1e-16, "central_error": 1e-10, "allowed_error": 1e-13,
        "allowed_central_error": 1e-6, "worst_entry": f"{tensor}[1,2]", "analytic": 2.0,
        "numeric": 1.0,
    }  # fmt: skip
    return TensorCheck(term=term, tensor=tensor, checked=checked, ratio=ratio, **known | fields)  # type: ignore[arg-type]
