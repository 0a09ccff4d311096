"""What an activation is: a = f(z), and the product of its transposed Jacobian with a gradient.

All that is known of one is on its class: `bpnet trace`, the exports, the plots and the list of all
config keys read it there.

Arrays are (units, samples): samples are columns. `forward` and `pullback` write into `out`, which
overlaps no other argument unless an activation works in place, and stay analytic, so that the code
that trains can be checked by the complex step: comparisons look at the real part, and there is no
`abs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from bpcli.nn.arrays import Array


class Graph(Protocol):
    """What an activation asks of an ONNX graph to which it adds its nodes."""

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""

    def constant(self, name: str, value: Any, dtype: Any = None) -> str:
        """Add a constant, in the precision of the network unless told, and return its name."""

    def nodes_of(self, source: str, z: str, options: Mapping[str, float]) -> str:
        """Add the nodes of `return …`, an expression in z and the options; its result's name."""


@dataclass(frozen=True)
class Activation:
    """a = f(z), applied to every element unless a subclass says otherwise."""

    # What it is, for people and for exports.

    formula: ClassVar[str]
    """a = …, in words of which a reader may replace a, z and the options by other names or numbers:
    none of these words may stand for anything else."""

    derivative: ClassVar[str]
    """f'(z) = …, likewise; where f is not elementwise, delta = …, from g = ∂loss/∂a."""

    source: ClassVar[str]
    """The body of f as a Python function of z (rows, samples) and the options, with `np`."""

    def onnx(self, graph: Graph, z: str) -> str:
        """Add f to an ONNX graph and return the name of a.

        It is translated from `source` unless a subclass says it in operators of ONNX.
        """
        return graph.nodes_of(self.source, z, vars(self))

    # What follows from it elsewhere.

    is_identity: ClassVar[bool] = False
    """Whether a = z."""

    mixes_units: ClassVar[bool] = False
    """Whether each a of a sample depends on all of its z."""

    @property
    def rows_per_unit(self) -> int:
        """Rows of z (and of W) that make one row of a."""
        return 1

    @property
    def is_elementwise(self) -> bool:
        """Whether each a depends on its own z alone, so that f'(z) is a number."""
        return self.rows_per_unit == 1 and not self.mixes_units

    bounds: ClassVar[tuple[float, float] | None] = None
    """The least and the largest that a comes close to; None where one of them is infinite."""

    rounded_at: ClassVar[float] = 0.0
    """Rounding errors are relative to this where a is smaller: ½ + ½ tanh is rounded near 1."""

    works_in_place: ClassVar[bool] = False
    """Whether `out` may be z in `forward`; and grad_a in `pullback`, which has a for z then, and
    may leave anything there: nobody needs a any more."""

    gives_probabilities: ClassVar[bool] = False
    """Whether its outputs lie between 0 and 1 and are read as probabilities of classes."""

    gives_distribution: ClassVar[bool] = False
    """Whether these add up to 1: an output for each of the classes, also where they are two."""

    def link(self, a: Array) -> Array:
        """The z with f(z) = a, of the activations that a canonical loss is made for."""
        raise NotImplementedError

    @property
    def max_slope(self) -> float | None:
        """The bound of f', where f' falls to 0 gradually so that units saturate; else None."""
        return None

    # What it computes.

    def forward(self, z: Array, out: Array) -> None:
        """Write f(z) into `out`."""
        raise NotImplementedError

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        """Write J(z)ᵀ grad_a, the loss's derivative by z, into `out`."""
        raise NotImplementedError

    def linear_region(self, z: Array) -> Array | None:
        """Which differentiable piece of f each z lies on; None where f has no kink.

        Differences across a kink prove nothing, so gradient checking compares these.
        """
        return None
