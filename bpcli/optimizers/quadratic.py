"""The quadratic model of an objective, and the damped steps that minimise it.

    model(d) = value + gradᵀ d + ½ dᵀ H d           (H + μ · unit · I) d = -grad

H is the Gauss-Newton matrix: as a matrix, or known by its products with vectors. `unit` is its
scale, so that μ is relative to JᵀJ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Protocol, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.optimizers.base import dot
from bpcli.optimizers.damped_cg import DampedStep, Product, solve_by_cg


class Quadratic(Protocol):
    """A quadratic model around the parameters."""

    @property
    def value(self) -> float:
        """The value at d = 0."""

    @property
    def largest(self) -> float:
        """About the largest eigenvalue of H / unit."""

    @property
    def typical(self) -> float:
        """About the size of the diagonal of H / unit; 0 for H = 0."""

    def steps(self, dampings: Iterable[float]) -> Iterator[DampedStep]:
        """A step for each damping μ, and how much the model falls by it."""


@dataclass(frozen=True)
class Dense:
    """The model with H as a matrix."""

    value: float
    grad: Vector
    hessian: Array
    unit: float

    @property
    def largest(self) -> float:
        """The largest entry of the diagonal."""
        return float(self.hessian.diagonal().max() / self.unit)

    @property
    def typical(self) -> float:
        """The geometric mean of the diagonal's entries above 0.

        Madsen, Nielsen & Tingleff take the largest entry. The mean is as good for networks, and
        better where the parameters have different scales (tests/benchmarks/damping.py).
        """
        diagonal = self.hessian.diagonal()
        positive = diagonal[diagonal > 0]
        return float(np.exp(np.log(positive).mean()) / self.unit) if len(positive) else 0.0

    def steps(self, dampings: Iterable[float]) -> Iterator[DampedStep]:
        """By a factor of the damped matrix for each; the decrease is ½ dᵀ (μ · unit · d - grad)."""
        solve = solver(self.hessian)
        for damping in dampings:
            shift = damping * self.unit
            step = -solve(shift, self.grad)
            yield DampedStep(damping, step, 0.5 * dot(step, shift * step - self.grad))


_AT_ONCE = 5
_TOLERANCE = 0.02
_MOST_PRODUCTS = 500


@dataclass(frozen=True)
class Products:
    """The model with H known by its products with vectors; it takes the memory of a few vectors."""

    value: float
    grad: Vector
    product: Product
    unit: float

    @cached_property
    def largest(self) -> float:
        """The curvature along the gradient, gᵀHg / gᵀg."""
        square = dot(self.grad, self.grad)
        return dot(self.grad, self.product(self.grad)) / square / self.unit

    @property
    def typical(self) -> float:
        """A tenth of the curvature along the gradient, which lies near the largest eigenvalue."""
        return 0.1 * self.largest

    def steps(self, dampings: Iterable[float]) -> Iterator[DampedStep]:
        """By conjugate gradients, for some dampings at once at the price of the first."""
        rest = iter(dampings)
        while some := list(islice(rest, _AT_ONCE)):
            shifts = [damping * self.unit for damping in some]
            solutions = solve_by_cg(self.product, -self.grad, shifts, _TOLERANCE, _MOST_PRODUCTS)
            for damping, one in zip(some, solutions, strict=True):
                yield one._replace(damping=damping)


Solver: TypeAlias = Callable[[float, Vector], Vector]
"""Solves (H + shift I) x = b; x is not finite where that fails."""

_LAPACK_FROM = 500
"""Parameters from which scipy's Cholesky factor pays for importing scipy.linalg, 0.2 s, in about a
hundred steps: it takes 0.5 of the time of numpy's LU for 500 parameters, and 0.3 for 2000."""


def solver(H: Array) -> Solver:
    """A solver of damped equations with the positive semi-definite H.

    The damped matrix is kept between calls: a trial allocates nothing of its size.
    """
    matrix = np.empty(H.shape, H.dtype)
    diagonal = np.einsum("pp->p", matrix)  # a view
    solve = _by_cholesky if len(H) >= _LAPACK_FROM else _by_lu

    def damped(shift: float, b: Vector) -> Vector:
        matrix[...] = H
        diagonal[...] += shift
        return solve(matrix, b)

    return damped


def _by_lu(matrix: Array, b: Vector) -> Vector:
    """By one call of numpy.

    It takes a third of the time of a Cholesky factor and two substitutions for 30 parameters, two
    thirds for 300.
    """
    try:
        return np.linalg.solve(matrix, b)
    except np.linalg.LinAlgError:
        return np.full_like(b, np.nan)


def _by_cholesky(matrix: Array, b: Vector) -> Vector:
    """Overwrites the matrix with its factor."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    with repeatable_numerics():  # of scipy's BLAS too, which the import may just have loaded
        try:
            # LAPACK's matrices are stored by columns, so this is the matrix itself, in place.
            factor = cho_factor(matrix.T, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return np.full_like(b, np.nan)
        solution: Vector = cho_solve(factor, b, check_finite=False)
        return solution
