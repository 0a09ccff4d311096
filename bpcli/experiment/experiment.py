"""An experiment: the data splits, the network, its first parameters and its objective."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bpcli.config.load import Config
from bpcli.config.models import Spec
from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.table import Table
from bpcli.data.types import SplitName
from bpcli.engine.gauss_newton import gauss_newton_tasks
from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import Rows
from bpcli.engine.shards import ShardPlan
from bpcli.experiment.network import explicit_params
from bpcli.experiment.streams import stream
from bpcli.experiment.table import class_weights
from bpcli.metrics.metrics import METRICS_OF
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Network
from bpcli.optimizers import Optimizer
from bpcli.optimizers.schedules import rate_at
from bpcli.training.batches import Batches
from bpcli.training.loop import Training
from bpcli.training.objective import NetworkObjective


@dataclass(frozen=True)
class Experiment:
    """All that training, evaluation and gradient checking need, built from one config."""

    config: Config
    table: Table
    preprocessor: Preprocessor
    splits: dict[SplitName, Split]
    network: Network

    @property
    def spec(self) -> Spec:
        return self.config.spec

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of how the config and the data were read."""
        return (*self.config.notes, *self.table.notes)

    @property
    def class_weights(self) -> dict[str, float] | None:
        """The weight of each class; None where the config gives none."""
        return class_weights(self.spec, self.table, self.splits["train"].index)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.spec.network.dtype)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics to report beside the loss, by name."""
        if isinstance(self.spec.metrics, str):
            return METRICS_OF[self.table.task]
        return tuple(self.spec.metrics)

    @cached_property
    def initial_params(self) -> Vector:
        """The parameters training starts from, in the training dtype."""
        explicit = self.spec.network.parameters
        if explicit is None:
            rng = stream(self.spec.seed, "init")
            params = self.network.initial_params(self.spec.network.init, rng)
        else:
            params = explicit_params(self.network, explicit)
        params = params.astype(self.dtype)
        params.flags.writeable = False
        return params

    def objective(
        self, pool: WorkerPool | None = None, dtype: np.dtype | None = None
    ) -> NetworkObjective:
        """What training minimises."""
        training = self.spec.training
        rows = self.rows("train") if dtype is None else self._stored("train", dtype)
        return NetworkObjective(
            self.network,
            rows,
            l2=training.l2,
            reduction=training.reduction,
            pool=pool,
            shares_jacobian=pool is not None and training.optimizer.needs_sum_of_squares,
        )

    def validation(self, pool: WorkerPool | None = None) -> NetworkObjective | None:
        """The mean loss of the validation set, without L2; None where that split is empty."""
        if not len(self.splits["val"]):
            return None
        return NetworkObjective(self.network, self.rows("val"), pool=pool)

    @cached_property
    def plan(self) -> ShardPlan:
        """How the rows of the training set are cut up, whatever the number of workers."""
        rows = self.rows("train")
        return ShardPlan.of(len(rows), rows, self.network)

    @property
    def tasks(self) -> int:
        """Into how many pieces an epoch's work falls that workers can take."""
        shards = len(self.plan.shards)
        if not self.spec.training.optimizer.needs_sum_of_squares:
            return shards
        return max(shards, gauss_newton_tasks(len(self.rows("train")), self.network))

    def training(self, objective: NetworkObjective, optimizer: Optimizer | None = None) -> Training:
        """The optimizer's steps through an objective, from the initial parameters.

        `optimizer` may stand in for the config's, such as one that measures what that does.
        """
        asked = self.spec.training
        return Training(
            objective,
            optimizer or asked.optimizer,
            self.initial_params,
            learning_rate=asked.learning_rate,
            batches=self.batches,
            rng=stream(self.spec.seed, "batches"),
        )

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """What the optimizer tells of its state, by name."""
        asked = self.spec.training
        state = asked.optimizer.init(self.initial_params)
        return tuple(asked.optimizer.diagnostics(state, rate_at(asked.learning_rate, 0)))

    @property
    def batches(self) -> Batches:
        """Which rows each update sees."""
        training = self.spec.training
        size = None if training.batch_size == "full" else training.batch_size
        return Batches(size, training.sampling, training.rows_per_epoch)

    def rows(self, name: SplitName) -> Rows:
        """A split as the kernel reads it, kept in the training dtype once it was asked for."""
        if name not in self._rows:
            self._rows[name] = self._stored(name, self.dtype)
        return self._rows[name]

    @cached_property
    def _rows(self) -> dict[SplitName, Rows]:
        return {}

    def _stored(self, name: SplitName, dtype: np.dtype) -> Rows:
        split = self.splits[name]
        return Rows.filled(self.network, split.blocks(), len(split), dtype, split.weight)
