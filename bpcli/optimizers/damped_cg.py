"""Conjugate gradients for damped systems, (H + μ I) d = b for several dampings μ at once.

H is positive semidefinite and known only by its products. Systems that differ by a multiple of I
have the same Krylov spaces, and residuals that are multiples of each other: those of the first
system give the steps of all, for two more vectors each and no more products. So a step that is
rejected costs one evaluation, not another solution. Frommer & Maass 1999, SIAM J. Sci. Comput. 20,
1831; Jegerlehner 1996, arXiv:hep-lat/9612014.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from bpcli.nn.arrays import Vector
from bpcli.optimizers.base import dot

Product: TypeAlias = Callable[[Vector], Vector]
"""v ↦ H v."""

_FEWEST_BACK = 5
_SHARE_BACK = 0.1


class DampedStep(NamedTuple):
    """d with (H + μ I) d ≈ b, and bᵀd - ½ dᵀ H d, the decrease that the undamped model predicts."""

    damping: float
    step: Vector
    decrease: float


def solve_by_cg(
    product: Product, b: Vector, dampings: Sequence[float], tolerance: float, most: int
) -> list[DampedStep]:
    """A step for each damping, the smallest of which comes first, in at most `most` products.

    With φ(d) = ½ dᵀ (H + μ I) d - bᵀd for the first damping, the iterations end at the first i with

        φ_i - φ_(i-k) > k · tolerance · φ_i          k = max(5, i / 10)

    that is, when one iteration lowers φ by less than `tolerance` of what all did: a residual may
    rise while φ falls. Martens 2010, Deep learning via Hessian-free optimization, sec. 4.4, but for
    the constants. However early they end, every step but 0 is a direction of descent, bᵀd > 0,
    along which φ falls.
    """
    r, square = b.copy(), dot(b, b)
    first, *others = dampings
    systems = [_Shifted(b, shift=0.0)] + [_Shifted(b, damping - first) for damping in others]
    values: list[float] = []
    for _ in range(most):
        q = systems[0].q
        Aq = product(q) + b.dtype.type(first) * q
        curvature = dot(q, Aq)
        if not 0 < curvature < math.inf:
            break
        alpha = square / curvature
        r -= b.dtype.type(alpha) * Aq
        before, square = square, dot(r, r)
        for system in systems:
            system.advance(alpha, square / before, r)
        values.append(-0.5 * (dot(systems[0].d, b) + dot(systems[0].d, r)))
        if not square or _has_slowed_down(values, tolerance):
            break
    return [
        system.solution(b, r, damping) for system, damping in zip(systems, dampings, strict=True)
    ]


def _has_slowed_down(values: Sequence[float], tolerance: float) -> bool:
    back = max(_FEWEST_BACK, int(_SHARE_BACK * len(values)))
    if len(values) <= back:
        return False
    return values[-1] - values[-1 - back] > back * tolerance * values[-1]


class _Shifted:
    """The iterates d, and the directions q, of (A + shift · I) d = b, from those of A d = b.

    Its residual is zeta · r, with r that of the system without a shift.
    """

    def __init__(self, b: Vector, shift: float) -> None:
        self.shift = shift
        self.d, self.q = np.zeros_like(b), b.copy()
        self.zeta = self._zeta_before = 1.0
        self._alpha_before, self._beta_before = 1.0, 0.0
        self._least = float(np.finfo(b.dtype).eps) ** 2

    def advance(self, alpha: float, beta: float, r: Vector) -> None:
        """One iteration; alpha and beta are those of the system without a shift, r its residual."""
        if self.zeta < self._least:
            return  # solved to rounding: on the way to 0, zeta would lose its digits
        number, older, zeta = self.q.dtype.type, self._zeta_before, self.zeta
        memory = alpha * self._beta_before * (older - zeta)
        new = zeta * older * self._alpha_before
        new /= memory + older * self._alpha_before * (1 + self.shift * alpha)
        ratio = new / zeta
        self.d += number(alpha * ratio) * self.q
        self.q *= number(beta * ratio * ratio)
        self.q += number(new) * r
        self._zeta_before, self.zeta = zeta, new
        self._alpha_before, self._beta_before = alpha, beta

    def solution(self, b: Vector, r: Vector, damping: float) -> DampedStep:
        """bᵀd - ½ dᵀ H d = ½ (bᵀd + dᵀ(residual) + μ dᵀd), without another product.

        In exact arithmetic dᵀ(residual) is 0; after 50 iterations it was 4e-5 of the sum.
        """
        d = self.d
        decrease = 0.5 * (dot(b, d) + self.zeta * dot(r, d) + damping * dot(d, d))
        return DampedStep(damping, d, decrease)
