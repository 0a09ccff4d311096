"""What training minimises: the mean (or summed) loss over rows, plus L2.

    objective(params) = c · [ Σ_i w_i loss_i / Σ_i w_i  +  λ/(2n) Σ W² ]

over the rows at hand, w the row weights and n the rows of the whole training part (also for a
mini-batch); c = 1 for the mean, c = the number of rows at hand for `reduction: sum`. The kernel
returns sums over rows: the scale and L2 are applied here, once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from bpcli.nn import propagation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, equal_blocks, forward, loss_sum, stored_inputs
from bpcli.training.shards import ShardPlan

T = TypeVar("T")
Reduction: TypeAlias = Literal["mean", "sum"]
BackwardPass: TypeAlias = Callable[[Workspace, Array, Array | None], None]


class Evaluation(NamedTuple):
    """The objective and its gradient at one parameter vector, and the mean loss without L2."""

    value: float
    grad: Vector
    mean_loss: float


@dataclass(frozen=True)
class Rows:
    """The data as the kernel reads it: inputs (n, inputs [+1]), targets (outputs, n), weights."""

    inputs: Array
    targets: Array
    weight: Array | None = None

    @classmethod
    def of(
        cls, network: Network, X: Array, Y: Array, dtype: np.dtype, weight: Array | None = None
    ) -> Rows:
        """From X (n, inputs), Y (n, outputs) and, unless all are 1, row weights (n,)."""
        return cls(
            stored_inputs(network, X, dtype),
            np.ascontiguousarray(Y.T, dtype),
            None if weight is None else np.asarray(weight, dtype),
        )

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, index: Array) -> Rows:
        """The rows at `index`, in that order."""
        return Rows(
            self.inputs[index],
            self.targets[:, index],
            None if self.weight is None else self.weight[index],
        )

    def block(self, start: int, stop: int) -> tuple[Array, Array, Array | None]:
        """Inputs and targets as columns, and weights, of the rows [start, stop); no copy."""
        weight = None if self.weight is None else self.weight[start:stop]
        return self.inputs[start:stop].T, self.targets[:, start:stop], weight

    @cached_property
    def total_weight(self) -> float:
        """Σ_i w_i: the number of rows where all weights are 1."""
        return len(self) if self.weight is None else float(self.weight.sum(dtype=np.float64))


class _Workspaces(threading.local):
    """One workspace a thread and dtype, made when first needed and kept between epochs."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._by_dtype: dict[np.dtype, Workspace] = {}

    def get(self, dtype: np.dtype) -> Workspace:
        if dtype not in self._by_dtype:
            self._by_dtype[dtype] = Workspace(self._network, dtype)
        return self._by_dtype[dtype]


class Objective:
    """The objective as a function of a flat parameter vector.

    Works in the dtype of the parameters it is given: complex ones give the complex step. `pool`
    shares the shards among threads, which changes no bit of the result. `backward` is the pass
    that gives the gradient; only a demonstration of a wrong one ever replaces it.
    """

    def __init__(
        self,
        network: Network,
        data: Rows,
        *,
        l2: float = 0.0,
        reduction: Reduction = "mean",
        training_rows: int | None = None,
        pool: ThreadPoolExecutor | None = None,
        backward: BackwardPass = propagation.backward,
        workspaces: _Workspaces | None = None,
    ) -> None:
        self.network = network
        self.data = data
        self.l2 = l2
        self.reduction: Reduction = reduction
        self.training_rows = len(data) if training_rows is None else training_rows
        self._pool = pool
        self._backward = backward
        self._workspaces = workspaces or _Workspaces(network)
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

    def value_and_grad(self, params: Vector) -> Evaluation:
        """The objective and its gradient.

        The latest answer is kept: asking again with the very same vector is free. A vector that
        was passed here is therefore never changed afterwards; a step makes a new one.
        """
        if self._latest is None or self._latest[0] is not params:
            self._latest = (params, self._evaluate(params))
        return self._latest[1]

    def rows(self, index: Array) -> Objective:
        """The objective over some of the rows: a mini-batch. A repeated row counts repeatedly."""
        return self.like(data=self.data.take(index))

    def like(self, kind: type[Objective] | None = None, **changes: object) -> Objective:
        """The same objective with something changed; it shares the workspaces."""
        same = {
            "network": self.network,
            "data": self.data,
            "l2": self.l2,
            "reduction": self.reduction,
            "training_rows": self.training_rows,
            "pool": self._pool,
            "backward": self._backward,
            "workspaces": self._workspaces,
        }
        return (kind or type(self))(**(same | changes))  # type: ignore[arg-type]  # by name

    @cached_property
    def plan(self) -> ShardPlan:
        """How the rows are cut up, whatever the number of workers."""
        return ShardPlan.of(len(self.data), self.network, self.data.inputs.dtype)

    # Sums over rows.

    def _mean_loss(self, params: Vector) -> complex | float:
        total = sum(self._over_shards(lambda shard: self._shard_value(params, shard)))
        return total / self.data.total_weight

    def _evaluate(self, params: Vector) -> Evaluation:
        shards = self._over_shards(lambda shard: self._shard_value_and_grad(params, shard))
        total, grad = _sum_in_order(shards)
        mean_loss = total / self.data.total_weight
        grad *= self._factor / self.data.total_weight
        if self.l2:
            grad += self.penalty_grad(params)
        if self.network.frozen.size:
            grad[self.network.frozen] = 0
        value = self._factor * mean_loss + float(self.penalty(params).real)
        return Evaluation(value, grad, mean_loss)

    def _over_shards(self, task: Callable[[tuple[int, int]], T]) -> Iterable[T]:
        """The task's result for each shard, in shard order whoever computes them."""
        if self._pool is None or len(self.plan.shards) == 1:
            return map(task, self.plan.shards)
        return self._pool.map(task, self.plan.shards)

    def _shard_value(self, params: Vector, shard: tuple[int, int]) -> complex | float:
        return sum(loss_sum(work, y, w) for work, y, w in self._forward_blocks(params, shard))

    def _shard_value_and_grad(self, params: Vector, shard: tuple[int, int]) -> tuple[float, Vector]:
        def blocks() -> Iterator[tuple[float, Vector]]:
            for work, y, weight in self._forward_blocks(params, shard):
                self._backward(work, y, weight)
                yield float(loss_sum(work, y, weight).real), work.grad

        return _sum_in_order(blocks())

    def _forward_blocks(
        self, params: Vector, shard: tuple[int, int]
    ) -> Iterator[tuple[Workspace, Array, Array | None]]:
        """Run forward over the shard block by block; give the targets and weights of each."""
        work = self._workspaces.get(params.dtype)
        work.load(params)
        for start, stop in equal_blocks(*shard, self.plan.block):
            inputs, y, weight = self.data.block(start, stop)
            work.fit(stop - start)
            forward(work, inputs)
            yield work, y, weight

    # Scale and L2, applied once.

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

    @property
    def _factor(self) -> float:
        return 1.0 if self.reduction == "mean" else float(len(self.data))


def _sum_in_order(parts: Iterable[tuple[float, Vector]]) -> tuple[float, Vector]:
    """Values and gradients added up first to last; owns the gradient it returns.

    A part's gradient may be a buffer that the next part overwrites.
    """
    total, total_grad = 0.0, None
    for value, grad in parts:
        total += value
        total_grad = grad.copy() if total_grad is None else np.add(total_grad, grad, total_grad)
    assert total_grad is not None, "an objective has at least one row"
    return total, total_grad


@contextmanager
def worker_pool(workers: int) -> Iterator[ThreadPoolExecutor | None]:
    """Threads for the shards of an objective; None for one worker."""
    if workers == 1:
        yield None
        return
    # A thread starts with numpy's default error state: overflow is ours to notice, not to warn of.
    quiet = {"over": "ignore", "invalid": "ignore"}
    with ThreadPoolExecutor(workers, "bpnet", initializer=lambda: np.seterr(**quiet)) as pool:  # type: ignore[arg-type]
        yield pool
