"""A trace: updates of an experiment with all their numbers, and one entry followed through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bpcli.data.types import Labels, SplitName
from bpcli.engine.rows import Rows
from bpcli.errors import ConfigError
from bpcli.experiment import Experiment, issues, stream_of
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Network
from bpcli.optimizers import OPTIMIZERS, Optimizer
from bpcli.optimizers.schedules import LearningRate, Schedule, rate_record
from bpcli.registry import as_mapping
from bpcli.trace.followed import Entry, Followed, follow, largest_gradient, parse_entry
from bpcli.trace.rows import chosen_rows, notes_on, splits_of
from bpcli.trace.updates import Forward, Pass, Update, slots, trace_forward, trace_updates
from bpcli.training.batches import Batches
from bpcli.training.objective import NetworkObjective
from bpcli.training.steps import Training


@dataclass(frozen=True)
class Setting:
    """Everything that is the same in all updates.

    `rows` are row numbers, counted from 1; `targets` are (outputs, rows) after scaling, or None
    if the data have none. The objective is `scale` Σ_i w_i loss_i plus L2 over `training_rows`.
    """

    name: str
    network: Network
    optimizer: Optimizer
    learning_rate: LearningRate | None
    rows: Labels
    splits: tuple[SplitName, ...]
    shown: str
    notes: tuple[str, ...]
    targets: Array | None
    weight: Vector | None
    l2: float
    reduction: str
    training_rows: int

    @property
    def factor(self) -> float:
        """The factor on the mean over the rows: 1, or their number for sums."""
        return 1.0 if self.reduction == "mean" else float(len(self.rows))

    @property
    def total_weight(self) -> float:
        """Σ_i w_i."""
        return float(len(self.rows)) if self.weight is None else float(self.weight.sum())

    @property
    def scale(self) -> float:
        """The objective's factor on Σ_i w_i loss_i."""
        return self.factor / self.total_weight


@dataclass(frozen=True)
class Trace:
    """Updates, or only the forward pass if the data have no targets."""

    setting: Setting
    forward: tuple[Forward, ...]
    updates: tuple[Update, ...]
    entry: Entry | None

    def to_json(self) -> dict[str, Any]:
        """All numbers in full, one list per data row; the handbook documents the keys."""
        setting = self.setting
        optimizer = as_mapping(OPTIMIZERS, setting.optimizer)
        return {
            "name": setting.name,
            "shown": setting.shown,
            "notes": list(setting.notes),
            "network": setting.network.summary,
            "loss": as_mapping(LOSSES, setting.network.loss),
            "optimizer": {**optimizer, "learning_rate": rate_record(setting.learning_rate)},
            "rows": setting.rows.tolist(),
            "splits": list(setting.splits),
            "inputs": self.forward[0].below.T.tolist(),
            "targets": None if setting.targets is None else setting.targets.T.tolist(),
            "row_weights": None if setting.weight is None else setting.weight.tolist(),
            "scale": setting.scale,
            "l2": setting.l2,
            "training_rows": setting.training_rows,
            "forward": [_forward_json(layer) for layer in self.forward],
            "updates": [self._update_json(update) for update in self.updates],
        }

    def _update_json(self, update: Update) -> dict[str, Any]:
        network = self.setting.network
        return {
            "passes": [_pass_json(one) for one in update.passes],
            "before": _tensors_json(network, update.before.params),
            "after": _tensors_json(network, update.after.params),
            "state_before": _state_json(network, update.before.optimizer_state),
            "state_after": _state_json(network, update.after.optimizer_state),
            "diagnostics_before": update.diagnostics_before,
            "diagnostics_after": update.diagnostics_after,
            "objective_after": update.objective_after,
            "ended": None if update.ended is None else str(update.ended),
            "entry": None if self.entry is None else asdict(self.followed(update)),
        }

    def followed(self, update: Update) -> Followed:
        """The numbers of the entry in an update."""
        assert self.entry is not None
        return follow(self.entry, self.setting.network, update)


def trace(
    experiment: Experiment,
    params: Vector,
    *,
    rows: Sequence[int] | None = None,
    steps: int = 1,
    entry: str | None = None,
) -> Trace:
    """Trace updates from `params` on some rows of the table, counted from 1.

    By default `rows` are the whole training set if it is small, else its first row, and `entry`, a
    name such as W1[2,1], is the weight of the first layer with the largest gradient. Raises
    `ConfigError` for rows and entries that do not exist, and `Diverged` if the loss is not finite.
    """
    index, shown = chosen_rows(experiment, rows)
    followed = None if entry is None else parse_entry(entry, experiment.network)
    if not experiment.table.has_targets:
        return _without_targets(experiment, params, index, shown, followed)
    loss_issues = list(issues.of_loss(experiment.network, experiment.splits))
    if loss_issues:
        raise experiment.config.source.error(loss_issues)
    objective = objective_on(experiment, index)
    training = _training(experiment, objective, params)
    setting = _setting(experiment, index, shown, objective)
    if params is not experiment.initial_params and _remembers(experiment, params):
        note = "The optimizer starts in its initial state at these weights, as in the first epoch."
        setting = replace(setting, notes=(*setting.notes, note))
    updates = tuple(trace_updates(training, setting.optimizer, steps))
    first = updates[0].passes[0]
    return Trace(setting, first.forward, updates, followed or largest_gradient(first))


def _remembers(experiment: Experiment, params: Vector) -> bool:
    """Whether a step depends on the steps before it, or on the epoch."""
    spec = experiment.spec.training
    return bool(spec.optimizer.init(params)) or isinstance(spec.learning_rate, Schedule)


def _training(experiment: Experiment, objective: NetworkObjective, params: Vector) -> Training:
    """The training loop's steps, with these rows as the full batch."""
    spec = experiment.spec.training
    return Training(
        objective,
        spec.optimizer,
        params,
        learning_rate=spec.learning_rate,
        batches=Batches(),
        rng=stream_of(experiment.spec, "batches"),
    )


def objective_on(experiment: Experiment, index: Labels) -> NetworkObjective:
    """The objective of training, over some rows of the table as one batch."""
    split = experiment.preprocessor.split("data", experiment.table, index)
    network, training = experiment.network, experiment.spec.training
    rows = Rows.filled(network, split.blocks(), len(split), experiment.dtype, split.weight)
    return NetworkObjective(
        network,
        rows,
        l2=training.l2,
        reduction=training.reduction,
        training_rows=len(experiment.splits["train"]),
    )


def _without_targets(
    experiment: Experiment, params: Vector, index: Labels, shown: str, entry: Entry | None
) -> Trace:
    if entry is not None:
        raise ConfigError(
            f"--entry {entry}: these data have no targets, so there is no gradient to follow."
        )
    X = experiment.preprocessor.inputs.apply(experiment.table.X[index])
    setting = _setting(experiment, index, shown, None)
    return Trace(setting, trace_forward(experiment.network, params, X), (), None)


def _setting(
    experiment: Experiment, index: Labels, shown: str, objective: NetworkObjective | None
) -> Setting:
    spec = experiment.spec
    data = None if objective is None else objective.data
    return Setting(
        spec.name,
        experiment.network,
        spec.training.optimizer,
        spec.training.learning_rate,
        experiment.table.numbers_of(index),
        splits_of(experiment, index),
        shown,
        tuple(notes_on(experiment, index)),
        None if data is None else data.columns[1],
        None if data is None else data.weight,
        spec.training.l2,
        spec.training.reduction,
        len(experiment.splits["train"]),
    )


# JSON: one list per row of the table.


def _forward_json(layer: Forward) -> dict[str, Any]:
    slope = layer.slope
    return {
        "activation": as_mapping(ACTIVATIONS, layer.layer.activation),
        "bias": layer.layer.bias,
        "W": layer.W.tolist(),
        "b": None if layer.b is None else layer.b.tolist(),
        "z": layer.z.T.tolist(),
        "a": layer.a.T.tolist(),
        "slope": None if slope is None else slope.T.tolist(),
    }


def _pass_json(one: Pass) -> dict[str, Any]:
    return {
        "moves": list(one.moves),
        "loss_by_row": one.loss.per_row.tolist(),
        "loss": one.loss.total,
        "penalty": one.loss.penalty,
        "objective": one.loss.objective,
        "forward": [_forward_json(layer) for layer in one.forward],
        "backward": [
            {
                "grad_a": None if layer.grad_a is None else layer.grad_a.T.tolist(),
                "delta": layer.delta.T.tolist(),
                "loss_by_W": layer.loss_by_W.tolist(),
                "loss_by_b": None if layer.loss_by_b is None else layer.loss_by_b.tolist(),
                "objective_by_W": layer.objective_by_W.tolist(),
                "objective_by_b": (
                    None if layer.objective_by_b is None else layer.objective_by_b.tolist()
                ),
            }
            for layer in one.backward
        ],
    }


def _tensors_json(network: Network, vector: Vector) -> dict[str, Any]:
    return {name: tensor.tolist() for name, tensor in network.tensors(vector)}


def _state_json(network: Network, state: Any) -> dict[str, Any]:
    """Numbers by name; vectors of the parameters' size by name and tensor."""
    numbers = {name: value.item() for name, value in state.items() if value.shape == ()}
    vectors = {
        name: {tensor: values.tolist() for tensor, values in tensors.items()}
        for name, tensors in slots(network, state).items()
    }
    return numbers | vectors
