"""The objective that training minimises: the mean (or summed) loss over rows, plus L2.

    objective(params) = c · [ Σ_i w_i loss_i / Σ_i w_i  +  λ/(2n) Σ W² ]

over its rows, with w the row weights and n the rows of the whole training set (also for a
mini-batch); c = 1 for the mean, c = the number of its rows for `reduction: sum`. `engine.sums`
computes the sums over rows; the scale and L2 are applied here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Literal, Self, TypeAlias

import numpy as np

from bpcli.engine.gauss_newton import GaussNewtonSums
from bpcli.engine.gauss_newton_products import GaussNewtonProducts
from bpcli.engine.passes import BackwardPass, Tally
from bpcli.engine.pool.base import SerialPool, WorkerPool
from bpcli.engine.rows import RowBlocks, StreamedRows
from bpcli.engine.shards import ShardPlan, TallyPlan
from bpcli.engine.sums import RowSums, Sums, sums_of
from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.jacobian import OutputSweep, sweep_output
from bpcli.nn.network import Network
from bpcli.optimizers.base import Evaluation, GaussNewton, Losses

Reduction: TypeAlias = Literal["mean", "sum"]


_COMPLEX_STEP = 1e-20


class NetworkObjective:
    """The objective as a function of a flat parameter vector.

    Works in the dtype of its parameters; complex ones give the complex step. The workers of the
    pool share the work, without changing any bit of the result. They share `gauss_newton` only with
    `shares_jacobian`, and `gauss_newton_product` only with `shares_products`, as each takes memory
    and must be known before the workers are forked, as `tallies` must. `backward` and `sweep`
    compute derivatives; only demonstrations of wrong derivatives replace them.
    """

    def __init__(
        self,
        network: Network,
        data: RowBlocks,
        *,
        l2: float = 0.0,
        reduction: Reduction = "mean",
        training_rows: int | None = None,
        pool: WorkerPool | None = None,
        tallies: Sequence[Tally] = (),
        shares_jacobian: bool = False,
        shares_products: bool = False,
        backward: BackwardPass = propagation.backward,
        sweep: OutputSweep = sweep_output,
    ) -> None:
        self.network = network
        self.l2 = l2
        self.reduction: Reduction = reduction
        self.training_rows = len(data) if training_rows is None else training_rows
        self._backward = backward
        self._data = data
        self._index: Array | None = None
        self.sweep = sweep
        # Those of rows in memory are computed from z.
        self._tallies = tallies if isinstance(data, StreamedRows) else ()
        own = sums_of(network, data, pool or SerialPool(), backward, self._tallies)
        self._sums: dict[np.dtype, Sums] = {data.dtype: own}
        self._squares = (
            GaussNewtonSums(network, data, pool or SerialPool(), sweep) if shares_jacobian else None
        )
        self._vector_products = (
            GaussNewtonProducts(network, data, pool or SerialPool()) if shares_products else None
        )
        self._begin_rows(len(data), data.total_weight)

    def _begin_rows(self, count: int, total_weight: float) -> None:
        self.n_rows = count
        self._total_weight = total_weight
        self._factor = 1.0 if self.reduction == "mean" else float(count)
        # An array, not a number: numpy would convert that at every call.
        self._grad_scale = np.asarray(self._factor / total_weight, self._data.dtype)

    # The protocol of optimizers.

    def value(self, params: Vector) -> complex | float:
        """The objective; complex if the parameters are complex."""
        return self._factor * self._mean_loss(params) + self.penalty(params)

    def losses(self, params: Vector) -> Losses:
        """The objective and the mean loss, from a forward pass."""
        mean_loss = self.mean_loss(params)
        return Losses(self._factor * mean_loss + float(self.penalty(params).real), mean_loss)

    def mean_loss(self, params: Vector) -> float:
        """The mean loss over the rows, without L2 and for any reduction."""
        return float(self._mean_loss(params).real)

    def grad(self, params: Vector) -> Vector:
        """∂objective/∂params."""
        return self._scaled(params, self._sums_for(params).grad(params, self._index))

    def value_and_grad(self, params: Vector) -> Evaluation:
        """The objective and its gradient."""
        total, grad_sum = self._sums_for(params).loss_and_grad(params, self._index)
        grad, mean_loss = self._scaled(params, grad_sum), float(total.real) / self._total_weight
        value = self._factor * mean_loss + float(self.penalty(params).real)
        return Evaluation(value, grad, mean_loss)

    def gauss_newton(self, params: Vector) -> GaussNewton:
        """The gradient of the objective, and its Gauss-Newton matrix.

        The matrix approximates the Hessian where the residuals are small; the next call overwrites
        it. Raises `ValueError` if the loss is not a sum of squares.
        """
        scale = self.gauss_newton_scale
        H, JTr = self._gauss_newton_sums().at(params)
        H *= np.asarray(scale, params.dtype)
        grad = JTr * np.asarray(scale, params.dtype)
        if self.l2:
            diagonal = np.einsum("pp->p", H)  # a view
            diagonal += self._decay * self.network.is_weight
            grad += self.penalty_grad(params)
        if self.network.frozen.size:
            H[self.network.frozen] = 0
            H[:, self.network.frozen] = 0
            grad[self.network.frozen] = 0
        return GaussNewton(grad, H, scale)

    @property
    def gauss_newton_scale(self) -> float:
        """2 f c / Σ_i w_i, the factor of JᵀJ in the Gauss-Newton matrix: see `GaussNewton`.

        Raises `ValueError` if the loss is not a sum of squares.
        """
        if not self.network.loss.is_sum_of_squares:
            raise ValueError("only a loss that is a sum of squares has a Gauss-Newton matrix")
        squares = self.network.loss.factor_of_squares(self.network.outputs)
        return 2 * squares * self._factor / self._total_weight

    def gauss_newton_product(self, params: Vector, direction: Vector) -> Vector:
        """The Gauss-Newton matrix times a direction, without the matrix, as a new vector.

            scale · Jᵀ J v + c λ/n d ∘ v,     d_p = 1 for weights, 0 for biases

        The entries for frozen biases are 0, and those of `direction` are ignored. Raises
        `ValueError` if the loss is not a sum of squares.
        """
        scale, frozen = self.gauss_newton_scale, self.network.frozen
        moving = direction
        if frozen.size:
            moving = direction.copy()
            moving[frozen] = 0
        JTJv = self._gauss_newton_products().product(params, moving, self._index)
        product: Vector = JTJv * np.asarray(scale, params.dtype)
        if self.l2:
            product += self.penalty_grad(moving)
        product[frozen] = 0
        return product

    def hessian_product(self, params: Vector, direction: Vector) -> Vector:
        """H v, H the exact Hessian, by the complex step on the gradient:

            H v = Im grad(params + i h v) / h

        exact to rounding: the real part does not move, so nothing cancels however small h is, and
        the error is of the order h². The largest entry of h v is 1e-20: the error is negligible,
        and the product is far above the smallest float32 numbers. Squire & Trapp 1998, SIAM Rev.
        40, 110; Pearlmutter 1994, Neural Computation 6, 147, computes the same product by another
        pass. The entries for frozen biases are 0, and those of `direction` are ignored.
        """
        moving = direction.copy()
        moving[self.network.frozen] = 0
        largest = np.abs(moving).max()
        if not largest:
            return moving
        grad = self.grad(params + 1j * _COMPLEX_STEP * (moving / largest))
        product: Vector = grad.imag / _COMPLEX_STEP * largest
        return product

    def rows(self, index: Array) -> Self:
        """The objective over some of the rows: a mini-batch. A repeated row counts repeatedly."""
        batch = copy(self)
        batch._index = index if self._index is None else self._index[index]
        batch._squares = None
        weight = self._data.weight
        total_weight = (
            len(index) if weight is None else float(weight[batch._index].sum(dtype=np.float64))
        )
        batch._begin_rows(len(index), total_weight)
        return batch

    def outputs(self, params: Vector) -> Array:
        """The output layer's z (outputs' rows, n) over all rows; the next call overwrites it."""
        assert self._index is None, "only for all rows"
        return self._sums_for(params).Z(params)

    def tally(self, params: Vector, tally: Tally) -> Vector:
        """The sums of a tally over all rows, added in the order of the pieces of `TallyPlan`.

        If rows are streamed, it is one of `tallies`, which the workers know.
        """
        if not isinstance(self._data, StreamedRows):
            Z, pieces = self.outputs(params), TallyPlan.of(self._data).pieces
            sums = [tally.sums(start, stop, Z[:, start:stop]) for start, stop in pieces]
            total: Vector = np.add.reduce(np.stack(sums), axis=0)
            return total
        assert self._index is None, "only for all rows"
        number = next(i for i, known in enumerate(self._tallies) if known is tally)
        return self._sums_for(params).tally(params, number)

    # For other callers.

    @property
    def data(self) -> RowBlocks:
        """The rows of this objective."""
        return self._data if self._index is None else self._data.take(self._index)

    @property
    def plan(self) -> ShardPlan:
        """The shards of the whole split, for any number of workers."""
        return self._sums[self._data.dtype].plan

    def like(
        self, cls: type[NetworkObjective] | None = None, **changes: object
    ) -> NetworkObjective:
        """The same objective with some arguments changed, computed only by this process."""
        same = {
            "network": self.network,
            "data": self.data,
            "l2": self.l2,
            "reduction": self.reduction,
            "training_rows": self.training_rows,
            "backward": self._backward,
            "sweep": self.sweep,
        }
        return (cls or type(self))(**(same | changes))  # type: ignore[arg-type]  # by name

    # Scale and L2, applied once.

    def _sums_for(self, params: Vector) -> Sums:
        """The sums in the parameters' dtype; only by this process if it is not the data's dtype."""
        sums = self._sums.get(params.dtype)
        if sums is None:
            sums = RowSums(self.network, self._data, params.dtype, SerialPool(), self._backward)
            self._sums[params.dtype] = sums
        return sums

    def _gauss_newton_sums(self) -> GaussNewtonSums:
        """JᵀJ and Jᵀr over rows; only by this process without `shares_jacobian`."""
        if self._squares is None:
            self._squares = GaussNewtonSums(self.network, self.data, SerialPool(), self.sweep)
        return self._squares

    def _gauss_newton_products(self) -> GaussNewtonProducts:
        """JᵀJ v over rows; only by this process without `shares_products`."""
        if self._vector_products is None:
            self._vector_products = GaussNewtonProducts(self.network, self._data, SerialPool())
        return self._vector_products

    def _mean_loss(self, params: Vector) -> complex | float:
        return self._sums_for(params).loss(params, self._index) / self._total_weight

    def _scaled(self, params: Vector, grad_sum: Vector) -> Vector:
        """The gradient of the objective, as a new array, from a sum over rows."""
        grad: Vector = grad_sum * self._grad_scale
        if self.l2:
            grad += self.penalty_grad(params)
        if self.network.frozen.size:
            grad[self.network.frozen] = 0
        return grad

    def penalty(self, params: Vector) -> complex | float:
        """The L2 term: c λ/(2n) Σ W², without biases."""
        if not self.l2:
            return 0.0
        weights = params * self.network.is_weight
        penalty: complex | float = (0.5 * self._decay * weights.dot(weights)).item()
        return penalty

    def penalty_grad(self, params: Vector) -> Vector:
        """The gradient of the L2 term: c λ/n W for weights, 0 for biases."""
        return self._decay * (params * self.network.is_weight)

    @property
    def _decay(self) -> float:
        return self._factor * self.l2 / self.training_rows
