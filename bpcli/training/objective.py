"""What training minimises: the mean (or summed) loss over rows, plus L2.

    objective(params) = c · [ Σ_i w_i loss_i / Σ_i w_i  +  λ/(2n) Σ W² ]

over the rows at hand, w the row weights and n the rows of the whole training part (also for a
mini-batch); c = 1 for the mean, c = the number of rows at hand for `reduction: sum`. The sums over
rows come from `sums`: the scale and L2 are applied here, once.
"""

from __future__ import annotations

from copy import copy
from typing import Literal, NamedTuple, Self, TypeAlias

import numpy as np

from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.training.rows import Rows
from bpcli.training.shards import ShardPlan
from bpcli.training.sums import BackwardPass, RowSums
from bpcli.training.workers import Alone, Crew

Reduction: TypeAlias = Literal["mean", "sum"]


class Evaluation(NamedTuple):
    """The objective and its gradient at one parameter vector, and the mean loss without L2."""

    value: float
    grad: Vector
    mean_loss: float


class Objective:
    """The objective as a function of a flat parameter vector.

    Works in the dtype of the parameters it is given: complex ones give the complex step. The crew
    shares the work, which changes no bit of the result. `backward` is the pass that gives the
    gradient; only a demonstration of a wrong one ever replaces it.
    """

    def __init__(
        self,
        network: Network,
        data: Rows,
        *,
        l2: float = 0.0,
        reduction: Reduction = "mean",
        training_rows: int | None = None,
        crew: Crew | None = None,
        backward: BackwardPass = propagation.backward,
    ) -> None:
        self.network = network
        self.l2 = l2
        self.reduction: Reduction = reduction
        self.training_rows = len(data) if training_rows is None else training_rows
        self._backward = backward
        self._data = data
        self._is_bare = not l2 and not network.frozen.size
        self._index: Array | None = None
        self._sums = {data.dtype: RowSums(network, data, data.dtype, crew or Alone(), backward)}
        self._begin_rows(len(data), data.total_weight)

    def _begin_rows(self, count: int, total_weight: float) -> None:
        self.n_rows = count
        self._total_weight = total_weight
        self._factor = 1.0 if self.reduction == "mean" else float(count)
        # An array, not a number: numpy would convert that at every call.
        self._grad_scale = np.asarray(self._factor / total_weight, self._data.dtype)
        self._latest: tuple[Vector, Evaluation] | None = None

    # What optimizers ask.

    def value(self, params: Vector) -> complex | float:
        """The objective; complex where the parameters are."""
        if self._latest is not None and self._latest[0] is params:
            return self._latest[1].value
        return self._factor * self._mean_loss(params) + self.penalty(params)

    def mean_loss(self, params: Vector) -> float:
        """The mean loss over the rows, without L2 and whatever the reduction."""
        if self._latest is not None and self._latest[0] is params:
            return self._latest[1].mean_loss
        return float(self._mean_loss(params).real)

    def grad(self, params: Vector) -> Vector:
        """∂objective/∂params."""
        if self._latest is not None and self._latest[0] is params:
            return self._latest[1].grad
        grad_sum = self._sums_for(params).grad(params, self._index)
        # Called once an epoch of perhaps 6 µs, of which each further call would take one percent.
        return grad_sum * self._grad_scale if self._is_bare else self._scaled(params, grad_sum)

    def value_and_grad(self, params: Vector) -> Evaluation:
        """The objective and its gradient.

        The latest answer is kept: asking again with the very same vector is free. A vector that
        was passed here is therefore never changed afterwards; a step makes a new one.
        """
        if self._latest is None or self._latest[0] is not params:
            total, grad_sum = self._sums_for(params).loss_and_grad(params, self._index)
            grad, mean_loss = self._scaled(params, grad_sum), float(total.real) / self._total_weight
            value = self._factor * mean_loss + float(self.penalty(params).real)
            self._latest = (params, Evaluation(value, grad, mean_loss))
        return self._latest[1]

    def rows(self, index: Array) -> Self:
        """The objective over some of the rows: a mini-batch. A repeated row counts repeatedly."""
        some = copy(self)
        some._index = index if self._index is None else self._index[index]
        weight = self._data.weight
        total_weight = (
            len(index) if weight is None else float(weight[some._index].sum(dtype=np.float64))
        )
        some._begin_rows(len(index), total_weight)
        return some

    def outputs(self, params: Vector) -> Array:
        """The output layer's z (outputs' rows, n) over all rows; the next call overwrites it."""
        assert self._index is None, "only the whole part's outputs are kept"
        return self._sums_for(params).Z(params)

    # What others ask.

    @property
    def data(self) -> Rows:
        """The rows at hand."""
        return self._data if self._index is None else self._data.take(self._index)

    @property
    def plan(self) -> ShardPlan:
        """How the rows of the whole part are cut up, whatever the number of workers."""
        return self._sums[self._data.dtype].plan

    def like(self, kind: type[Objective] | None = None, **changes: object) -> Objective:
        """The same objective with something changed, computed by this process alone."""
        same = {
            "network": self.network,
            "data": self.data,
            "l2": self.l2,
            "reduction": self.reduction,
            "training_rows": self.training_rows,
            "backward": self._backward,
        }
        return (kind or type(self))(**(same | changes))  # type: ignore[arg-type]  # by name

    # Scale and L2, applied once.

    def _sums_for(self, params: Vector) -> RowSums:
        """The sums in the parameters' dtype; of another than the data's, by this process alone."""
        if params.dtype not in self._sums:
            sums = RowSums(self.network, self._data, params.dtype, Alone(), self._backward)
            self._sums[params.dtype] = sums
        return self._sums[params.dtype]

    def _mean_loss(self, params: Vector) -> complex | float:
        return self._sums_for(params).loss(params, self._index) / self._total_weight

    def _scaled(self, params: Vector, grad_sum: Vector) -> Vector:
        """The gradient of the objective, in memory of its own, from a sum over rows."""
        grad: Vector = grad_sum * self._grad_scale
        if self.l2:
            grad += self.penalty_grad(params)
        if self.network.frozen.size:
            grad[self.network.frozen] = 0
        return grad

    def penalty(self, params: Vector) -> complex | float:
        """The L2 term: c λ/(2n) Σ W², biases left out."""
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
