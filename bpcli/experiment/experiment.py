"""An experiment: the data splits, the network, its initial parameters and its objective."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bpcli.config.load import Config
from bpcli.config.models import Spec
from bpcli.data.drawn import DrawnRows
from bpcli.data.preprocessing import Preprocessor, Split
from bpcli.data.table import Table, constant_columns
from bpcli.data.types import SplitName
from bpcli.engine.gauss_newton import gauss_newton_tasks
from bpcli.engine.passes import Tally
from bpcli.engine.pool.base import WorkerPool
from bpcli.engine.rows import RowBlocks, Rows, StreamedRows
from bpcli.engine.shards import ShardPlan
from bpcli.experiment.constant_loss import constant_loss, mean_targets
from bpcli.experiment.memory import needs, total
from bpcli.experiment.network import explicit_params
from bpcli.experiment.output_names import output_names
from bpcli.experiment.scales import Scales
from bpcli.experiment.streams import stream_of
from bpcli.experiment.table import class_weights
from bpcli.metrics.measures import Measures
from bpcli.metrics.metrics import METRICS_OF
from bpcli.metrics.score import Scorer
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.units import UnitCounter
from bpcli.optimizers import Optimizer
from bpcli.optimizers.schedules import first_rate
from bpcli.system import available_memory
from bpcli.training.batches import Batches
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training
from bpcli.training.validation import Validation

if TYPE_CHECKING:
    from bpcli.experiment.start import Start  # it reads files of other programs


@dataclass(frozen=True)
class Experiment:
    """Everything that training, evaluation and gradient checking need, built from one config."""

    config: Config
    table: Table
    preprocessor: Preprocessor
    splits: dict[SplitName, Split]
    network: Network
    start: Start | None = None
    """The network of a file that training starts from, with the parameters below."""
    start_params: Vector | None = None

    @property
    def spec(self) -> Spec:
        return self.config.spec

    def with_preprocessor(self, preprocessor: Preprocessor) -> Experiment:
        """The experiment with the scales of an earlier training, instead of those fitted again."""
        splits = {
            name: preprocessor.split(name, self.table, split.index)
            for name, split in self.splits.items()
        }
        return replace(self, preprocessor=preprocessor, splits=splits)

    def sampled(self, most: int) -> Experiment:
        """The experiment with at most `most` evenly spaced rows of each split, in memory."""
        rows = {
            name: split.index[np.linspace(0, len(split) - 1, min(most, len(split))).astype(np.intp)]
            for name, split in self.splits.items()
        }
        table = self.table.at(np.concatenate([*rows.values()]))
        ends = np.cumsum([len(index) for index in rows.values()])
        splits = {
            name: self.preprocessor.split(name, table, np.arange(end - len(index), end))
            for (name, index), end in zip(rows.items(), ends, strict=True)
        }
        return replace(self, table=table, splits=splits)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user on how the config and the data were read."""
        return (*self.config.notes, *self.table.notes)

    @property
    def class_weights(self) -> dict[str, float] | None:
        """The weight of each class; None if the config gives none."""
        return class_weights(self.spec, self.table, self.splits["train"].index)

    @property
    def output_names(self) -> tuple[str, ...]:
        """One name per output: P(setosa), …, or predicted y."""
        return output_names(self.network, self.preprocessor.categories, self.table.target_names)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.spec.network.dtype)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics to report besides the loss."""
        if isinstance(self.spec.metrics, str):
            return METRICS_OF[self.table.task]
        return tuple(self.spec.metrics)

    def measures(self, name: SplitName, *, in_detail: bool = False) -> Measures:
        """The metrics of a split, always the same object.

        In detail, they include those of each of several targets, and the loss in original units.
        """
        key = name, in_detail
        if key not in self._measures:
            made = Measures.of_network(self.network, self.splits[name], self.metrics, in_detail)
            self._measures[key] = made
        return self._measures[key]

    @cached_property
    def _measures(self) -> dict[tuple[SplitName, bool], Measures]:
        return {}

    @cached_property
    def initial_params(self) -> Vector:
        """The initial parameters, in the training dtype."""
        explicit = self.spec.network.parameters
        if self.start_params is not None:
            params = self.start_params
        elif not isinstance(explicit, list):
            rng = stream_of(self.spec, "init")
            params = self.network.initial_params(self.spec.network.init, rng)
        else:
            params = explicit_params(self.network, explicit)
        params = params.astype(self.dtype)
        params.flags.writeable = False
        return params

    def objective(
        self, pool: WorkerPool | None = None, dtype: np.dtype | None = None
    ) -> NetworkObjective:
        """The objective that training minimises."""
        training, optimizer = self.spec.training, self.spec.training.optimizer
        rows = self.rows("train") if dtype is None else self._stored("train", dtype)
        return NetworkObjective(
            self.network,
            rows,
            l2=training.l2,
            reduction=training.reduction,
            pool=pool,
            tallies=[self.measures("train")],
            shares_jacobian=pool is not None and optimizer.needs_matrix,
            shares_products=pool is not None
            and optimizer.needs_sum_of_squares
            and not optimizer.needs_matrix,
        )

    def validation(self, pool: WorkerPool | None = None) -> Validation | None:
        """The loss and the score of the validation set; None if that is empty."""
        if not len(self.splits["val"]):
            return None
        scorer = Scorer(self.network, self.splits["val"])
        tallies: list[Tally] = [scorer, self.measures("val")]
        objective = NetworkObjective(self.network, self.rows("val"), pool=pool, tallies=tallies)
        return Validation(objective, scorer)

    def output_z(self, name: SplitName, params: Vector) -> Array:
        """The output layer's z (outputs' rows, n) for the rows of a split, which are in memory."""
        return NetworkObjective(self.network, self.rows(name)).outputs(params)

    @cached_property
    def plan(self) -> ShardPlan:
        """The shards of the training set, which do not depend on the number of workers."""
        rows = self.rows("train")
        return ShardPlan.of(len(rows), rows, self.network)

    @property
    def tasks(self) -> int:
        """The number of independent pieces of work per epoch."""
        shards = len(self.plan.shards)
        if not self.spec.training.optimizer.needs_matrix:
            return shards
        return max(shards, gauss_newton_tasks(len(self.rows("train")), self.network))

    def training(self, objective: NetworkObjective, optimizer: Optimizer | None = None) -> Training:
        """The training of an objective from the initial parameters.

        `optimizer` may replace the config's, for example by a wrapper that measures it.
        """
        training = self.spec.training
        return Training(
            objective,
            optimizer or training.optimizer,
            self.initial_params,
            learning_rate=training.learning_rate,
            batches=self.batches,
            rng=stream_of(self.spec, "batches"),
            scale_advice=lambda: self.scales.advice,
        )

    @property
    def rows_per_epoch(self) -> int:
        """The rows that an epoch reads: those of its batches, and the validation set."""
        of_batches = self.spec.training.rows_per_epoch
        return (of_batches or len(self.splits["train"])) + len(self.splits["val"])

    @cached_property
    def scales(self) -> Scales:
        """The scales of the training rows, with warnings of those that slow or break training."""
        rows = self.rows("train")
        return Scales(self.spec, self.table, self.preprocessor, self.network, rows)

    def constant_loss(self, name: SplitName) -> float | None:
        """The mean loss of a split with the mean of the training targets as constant outputs.

        None if the output layer cannot give those. It is computed once.
        """
        if name not in self._constant_losses:
            loss = constant_loss(self.network, self._mean_targets, self.rows(name))
            self._constant_losses[name] = loss
        return self._constant_losses[name]

    @cached_property
    def _constant_losses(self) -> dict[SplitName, float | None]:
        return {}

    @cached_property
    def _mean_targets(self) -> Array:
        return mean_targets(self.rows("train"), self.network.outputs)

    @property
    def constant_inputs(self) -> list[str]:
        """The names of inputs that have one value in all training rows."""
        X = self.table.X
        if isinstance(X, DrawnRows):
            return []  # large generated inputs are random
        constant = constant_columns(X, self.splits["train"].index)
        return [self.table.input_names[number] for number in constant]

    def unit_counter(self) -> UnitCounter:
        """A new counter of dead and saturated units, over some training rows."""
        return UnitCounter(self.network, self.rows("train").some().inputs)

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """The names of the optimizer's diagnostics."""
        training = self.spec.training
        state = training.optimizer.init(self.initial_params)
        return tuple(training.optimizer.diagnostics(state, first_rate(training.learning_rate)))

    @property
    def batches(self) -> Batches:
        """How the rows of each update are drawn."""
        training = self.spec.training
        size = None if training.batch_size == "full" else training.batch_size
        return Batches(size, training.sampling, training.rows_per_epoch)

    def rows(self, name: SplitName) -> RowBlocks:
        """The rows of a split in the kernel's layout and the training dtype.

        They are stored once, or are read whenever they are used.
        """
        if name not in self._rows:
            self._rows[name] = self._stored(name, self.dtype)
        return self._rows[name]

    def loaded_rows(self, name: SplitName) -> RowBlocks:
        """The rows of a split; also streamed ones are in memory if they and their outputs fit."""
        rows, split = self.rows(name), self.splits[name]
        if isinstance(rows, Rows):
            return rows
        if total(needs(self.spec, self.network, len(split), 0)) > available_memory():
            return rows
        return Rows.filled(self.network, split.blocks(), len(split), self.dtype, split.weight)

    @cached_property
    def _rows(self) -> dict[SplitName, RowBlocks]:
        return {}

    def _stored(self, name: SplitName, dtype: np.dtype) -> RowBlocks:
        split = self.splits[name]
        if self.table.is_stored:
            return StreamedRows.of(self.network, split, len(split), dtype)
        return Rows.filled(self.network, split.blocks(), len(split), dtype, split.weight)
