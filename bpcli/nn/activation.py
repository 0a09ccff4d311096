"""The base class of activations: a = f(z), and products of its Jacobian, J(z)ᵀ g and J(z) ż.

Each activation's class defines everything about it: its formulas, computation and properties.
`bpnet trace`, the exports, the plots and the list of config keys read them there.

Arrays are (units, samples): samples are columns. `forward`, `pullback` and `pushforward` write into
`out`, which overlaps no other argument unless the activation works in place; in `pushforward` it
never does. They stay analytic, so that the complex step can check the code that trains: comparisons
use the real part, and `abs` is not used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from bpcli.nn.arrays import Array


class Graph(Protocol):
    """An ONNX graph to which an activation adds its nodes."""

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""

    def constant(self, name: str, value: Any, dtype: Any = None) -> str:
        """Add a constant, by default in the network's precision, and return its name."""

    def nodes_of(self, source: str, z: str, options: Mapping[str, float]) -> str:
        """Add the nodes of `return …`, an expression in z and the options; return its name."""


@dataclass(frozen=True)
class Activation:
    """a = f(z), applied to every element unless a subclass says otherwise."""

    # Formulas, for people and for exports.

    formula: ClassVar[str]
    """a = …; a, z and the options are replaced by other names or numbers, so use these names for
    nothing else."""

    derivative: ClassVar[str]
    """f'(z) = …, with the same names; if f is not elementwise, delta = …, with g = ∂loss/∂a."""

    source: ClassVar[str]
    """The body of f as a Python function of z (rows, samples) and the options, with `np`."""

    def onnx(self, graph: Graph, z: str) -> str:
        """Add f to an ONNX graph and return the name of a.

        The default translates `source`; a subclass may use ONNX's own operator.
        """
        return graph.nodes_of(self.source, z, vars(self))

    # Properties that other code relies on.

    is_identity: ClassVar[bool] = False
    """Whether a = z."""

    is_odd: ClassVar[bool] = False
    """Whether f(-z) = -f(z), so that a hidden unit with the signs of all its weights changed, those
    to the layer above included, does the same."""

    mixes_units: ClassVar[bool] = False
    """Whether each a of a sample depends on all of its z."""

    @property
    def rows_per_unit(self) -> int:
        """Rows of z (and of W) per row of a, which does not depend on their order."""
        return 1

    @property
    def is_elementwise(self) -> bool:
        """Whether each a depends only on its own z, so that f'(z) is a number."""
        return self.rows_per_unit == 1 and not self.mixes_units

    @property
    def bounds(self) -> tuple[float, float]:
        """The infimum and the supremum of a."""
        return -math.inf, math.inf

    def reaches(self, low: float, high: float) -> bool:
        """Whether all numbers from `low` to `high` are outputs, or limits of outputs."""
        return self.bounds[0] <= low and high <= self.bounds[1]

    rounded_at: ClassVar[float] = 0.0
    """Rounding errors are relative to this where a is smaller: ½ + ½ tanh is rounded near 1."""

    works_in_place: ClassVar[bool] = False
    """Whether `out` may be z in `forward`, and grad_a in `pullback`. `pullback` then gets a in
    place of z, and may overwrite a, which is not needed any more."""

    gives_probabilities: ClassVar[bool] = False
    """Whether its outputs lie between 0 and 1 and are read as probabilities of classes."""

    gives_distribution: ClassVar[bool] = False
    """Whether these probabilities sum to 1, with one output per class even for two classes."""

    def link(self, a: Array) -> Array:
        """The z with f(z) = a; only for activations with a canonical loss."""
        raise NotImplementedError

    @property
    def max_slope(self) -> float | None:
        """The maximum of f', if f' falls from it to 0 gradually: units saturate; else None."""
        return None

    # Computation.

    def forward(self, z: Array, out: Array) -> None:
        """Write f(z) into `out`."""
        raise NotImplementedError

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        """Write J(z)ᵀ grad_a, the loss's derivative by z, into `out`."""
        raise NotImplementedError

    def pushforward(self, z: Array, a: Array, z_dot: Array, out: Array) -> None:
        """Write J(z) z_dot, the derivative of a where z changes by z_dot, into `out`.

        The default is for a symmetric J, as that of every elementwise f and of softmax.
        """
        self.pullback(z, a, z_dot, out)

    def linear_region(self, z: Array) -> Array | None:
        """An index of the differentiable piece of f that each z lies on; None if f has no kink.

        A difference across a kink does not approximate a derivative. Gradient checking compares
        these indices to detect that.
        """
        return None
