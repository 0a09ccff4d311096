"""Sums over rows, computed by a cluster: the bits of `engine.sums` in one process.

Each shard is computed as a whole by one worker, and the sums of the shards are added by this
process in their order. So neither the number of workers nor the loss of one changes a bit.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
from distributed.protocol import to_serialize

from bpcli.cluster.connection import ClusterConnection
from bpcli.cluster.evaluation import Bundle, Remote
from bpcli.cluster.plugin import Request
from bpcli.engine.passes import Tally
from bpcli.engine.rows import RowBlocks
from bpcli.engine.shard_work import ShardWork
from bpcli.engine.shards import add_up, estimated_seconds, slices_of
from bpcli.errors import ClusterError
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network


class ClusterSums:
    """The sums over all rows of one data set, at parameters of one dtype.

    A gradient that is returned lies in memory that the next evaluation overwrites. The rows are
    pickled and sent to each worker once: those of `StreamedRows` are read there, whenever they are
    needed.
    """

    def __init__(
        self,
        network: Network,
        data: RowBlocks,
        dtype: np.dtype,
        cluster: ClusterConnection,
        tallies: Sequence[Tally] = (),
    ) -> None:
        work = ShardWork(network, data, dtype, tuple(tallies))
        self.plan = work.plan
        self._cluster = cluster
        self._dtype = dtype
        count, n_params = len(self.plan.shards), network.n_params
        self._slices = slices_of(n_params)
        self._sums = {
            "losses": np.zeros(count, np.result_type(dtype, np.float64)),
            "grads": np.zeros((count, n_params), dtype),
        }
        self._tally_plan = work.tally_plan
        pieces = len(self._tally_plan.pieces)
        self._counts = [np.zeros((pieces, tally.width)) for tally in tallies]
        self._remote = Remote(
            key=uuid4().hex,
            work=pickle.dumps(work),
            digest=work.digest(),
            bytes_per_shard=max(1, n_params * dtype.itemsize),
            shard_seconds=estimated_seconds(len(data), network) / count,
        )

    def loss(self, params: Vector, index: Array | None = None) -> complex | float:
        """Σ_i w_i loss_i."""
        self._evaluate(params, index, Request(loss=True, grad=False))
        return self._total_loss()

    def grad(self, params: Vector, index: Array | None = None) -> Vector:
        """Σ_i w_i ∂loss_i/∂params."""
        self._evaluate(params, index, Request(loss=False, grad=True))
        return self._total_grad()

    def loss_and_grad(
        self, params: Vector, index: Array | None = None
    ) -> tuple[complex | float, Vector]:
        """`loss` and `grad`, from one forward pass."""
        self._evaluate(params, index, Request(loss=True, grad=True))
        return self._total_loss(), self._total_grad()

    def Z(self, params: Vector) -> Array:  # noqa: N802  # a matrix
        """Not for rows that are streamed: raises `NotImplementedError`."""
        raise NotImplementedError("streamed rows have tallies")

    def tally(self, params: Vector, number: int) -> Vector:
        """The sums of one of the tallies over all rows, added in the order of the pieces."""
        counts, groups = self._counts[number], self._tally_plan.groups

        def store(bundle: Bundle, answer: Mapping[str, Any]) -> None:
            counts[groups[bundle[0]][0] : groups[bundle[1] - 1][1]] = answer["tallies"]
            self._cluster.traffic.bytes_received += answer["tallies"].nbytes

        sent = to_serialize(np.asarray(params, self._dtype))
        request = Request(tally=number)
        self._cluster.evaluate(self._remote, sent, request, len(groups), store)
        total: Vector = np.add.reduce(counts, axis=0)
        return total

    def _evaluate(self, params: Vector, index: Array | None, request: Request) -> None:
        if index is not None:
            raise ClusterError(
                "A cluster computes sums over all rows only, not over mini-batches: leave out "
                "`training.batch_size`, or choose another `training.engine`."
            )
        sent = to_serialize(np.asarray(params, self._dtype))
        self._cluster.evaluate(self._remote, sent, request, len(self.plan.shards), self._store)

    def _store(self, bundle: Bundle, answer: Mapping[str, Any]) -> None:
        for name, sums in self._sums.items():
            if name in answer:
                sums[slice(*bundle)] = answer[name]
                self._cluster.traffic.bytes_received += answer[name].nbytes

    def _total_loss(self) -> complex | float:
        total: complex | float = sum(self._sums["losses"].tolist())
        return total

    def _total_grad(self) -> Vector:
        """The sum of the shards' gradients in order, slice by slice, written over the first."""
        grads = self._sums["grads"]
        if len(grads) > 1:
            for part in self._slices:
                add_up(grads, part)
        total: Vector = grads[0]
        return total
