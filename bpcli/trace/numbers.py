"""A trace: some updates of an experiment with every number on the way, and one entry followed.

Which rows make the update is said in words, never left to guess: an update from one row is not the
one that training makes of all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from bpcli.data.types import SPLITS, Labels, SplitName
from bpcli.engine.rows import Rows
from bpcli.errors import ConfigError
from bpcli.experiment import issues as complaints
from bpcli.experiment.experiment import Experiment, stream
from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.nn.network import Network
from bpcli.optimizers import OPTIMIZERS, Optimizer
from bpcli.optimizers.schedules import LearningRate, Schedule, rate_record
from bpcli.registry import as_mapping, name_of
from bpcli.trace.updates import Forward, Pass, Update, slots, trace_forward, trace_updates
from bpcli.training.batches import Batches
from bpcli.training.loop import Training
from bpcli.training.objective import NetworkObjective

MOST_ROWS = 8
"""So many training rows are all shown unless others are asked for: more do not fit a page."""


@dataclass(frozen=True)
class Entry:
    """One entry of a tensor, counted from 1: row `row` and column `column` of W, or of b."""

    tensor: str
    layer: int
    row: int
    column: int | None

    def __str__(self) -> str:
        column = "" if self.column is None else f",{self.column}"
        return f"{self.tensor}[{self.row}{column}]"

    @property
    def place(self) -> tuple[int, ...]:
        """Where it stands in its tensor, counted from 0."""
        return (self.row - 1,) if self.column is None else (self.row - 1, self.column - 1)


@dataclass(frozen=True)
class Setting:
    """What does not change from update to update.

    `rows` count into the table from 0, `targets` are (outputs, rows) as the network sees them; None
    where the data have none. The objective is `scale` Σ_i w_i loss_i plus L2 over `training_rows`.
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
        """What the mean over the rows is multiplied by: 1, or their number for sums."""
        return 1.0 if self.reduction == "mean" else float(len(self.rows))

    @property
    def total_weight(self) -> float:
        """Σ_i w_i."""
        return float(len(self.rows)) if self.weight is None else float(self.weight.sum())

    @property
    def scale(self) -> float:
        """What the objective multiplies Σ_i w_i loss_i by."""
        return self.factor / self.total_weight

    @property
    def described(self) -> str:
        """The network in a few words."""
        layers = [
            f"{layer.units} {name_of(ACTIVATIONS, layer.activation)}"
            for layer in self.network.layers
        ]
        return f"{self.network.inputs} - {' - '.join(layers)}"


@dataclass(frozen=True)
class Trace:
    """Updates, or the forward pass alone where the data have no targets."""

    setting: Setting
    forward: tuple[Forward, ...]
    updates: tuple[Update, ...]
    entry: Entry | None

    def to_json(self) -> dict[str, Any]:
        """All numbers in full, a list a row of the table; the keys are in the README."""
        setting = self.setting
        optimizer = as_mapping(OPTIMIZERS, setting.optimizer)
        return {
            "name": setting.name,
            "shown": setting.shown,
            "notes": list(setting.notes),
            "network": setting.described,
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
            "state_before": _state_json(network, update.before.state),
            "state_after": _state_json(network, update.after.state),
            "diagnostics_before": update.diagnostics_before,
            "diagnostics_after": update.diagnostics_after,
            "objective_after": update.objective_after,
            "ended": None if update.ended is None else str(update.ended),
            "entry": None if self.entry is None else asdict(self.followed(update)),
        }

    def followed(self, update: Update) -> Followed:
        """The entry's way through an update."""
        assert self.entry is not None
        return follow(self.entry, self.setting.network, update)


@dataclass(frozen=True)
class Followed:
    """One entry through one update: ∂loss/∂entry is the sum over the rows of delta · a below."""

    entry: str
    delta: list[float]
    below: list[float]
    products: list[float]
    loss_by_entry: float
    objective_by_entry: float
    before: float
    after: float


def follow(entry: Entry, network: Network, update: Update) -> Followed:
    """The numbers of one entry; of a bias, `below` is 1."""
    at = update.pass_of(entry.layer)
    up, down = at.forward[entry.layer - 1], at.backward[entry.layer - 1]
    delta = down.delta[entry.row - 1]
    below = np.ones_like(delta) if entry.column is None else up.below[entry.column - 1]
    is_bias = entry.column is None
    of_loss = down.loss_by_b if is_bias else down.loss_by_W
    assert of_loss is not None
    values = (
        dict(network.tensors(position.params))[entry.tensor]
        for position in (update.before, update.after)
    )
    found = [of_loss, at.grad[entry.tensor], *values]
    return Followed(
        str(entry),
        delta.tolist(),
        below.tolist(),
        (delta * below).tolist(),
        *(float(array[entry.place]) for array in found),
    )


def trace(
    experiment: Experiment,
    params: Vector,
    *,
    rows: Sequence[int] | None = None,
    steps: int = 1,
    entry: str | None = None,
) -> Trace:
    """Trace updates from `params` on some rows of the table, counted from 0.

    Without `rows` they are the whole training set if it is small, else its first row. `entry` is
    a name such as W1[2,1]; without one, the weight of the first layer that has the largest
    gradient. Raises `ConfigError` for rows and entries that there are not, and `Diverged` where
    the loss is not finite.
    """
    index, shown = _chosen(experiment, rows)
    followed = None if entry is None else parse_entry(entry, experiment.network)
    if not experiment.table.has_targets:
        return _without_targets(experiment, params, index, shown, followed)
    found = list(complaints.of_loss(experiment.network, experiment.splits))
    if found:
        raise experiment.config.error(found)
    objective = _objective(experiment, index)
    training = _training(experiment, objective, params)
    setting = _setting(experiment, index, shown, objective)
    if params is not experiment.initial_params and _remembers(experiment, params):
        anew = "The optimizer begins anew at these weights, as in a first epoch."
        setting = replace(setting, notes=(*setting.notes, anew))
    updates = tuple(trace_updates(training, setting.optimizer, steps))
    first = updates[0].passes[0]
    return Trace(setting, first.forward, updates, followed or _max_slope(first))


def _remembers(experiment: Experiment, params: Vector) -> bool:
    """Whether a step depends on those before it, or on the epoch."""
    asked = experiment.spec.training
    return bool(asked.optimizer.init(params)) or isinstance(asked.learning_rate, Schedule)


def _training(experiment: Experiment, objective: NetworkObjective, params: Vector) -> Training:
    """The training loop's steps, on these rows as the full batch."""
    asked = experiment.spec.training
    return Training(
        objective,
        asked.optimizer,
        params,
        learning_rate=asked.learning_rate,
        batches=Batches(),
        rng=stream(experiment.spec.seed, "batches"),
    )


def _objective(experiment: Experiment, index: Labels) -> NetworkObjective:
    """What training minimises, on some rows of the table as if they were a batch."""
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
        index,
        _splits_of(experiment, index),
        shown,
        tuple(_notes(experiment, index)),
        None if data is None else data.columns[1],
        None if data is None else data.weight,
        spec.training.l2,
        spec.training.reduction,
        len(experiment.splits["train"]),
    )


# Rows.


def _chosen(experiment: Experiment, rows: Sequence[int] | None) -> tuple[Labels, str]:
    """The rows of the table, and in words which they are."""
    training = experiment.splits["train"].index
    if rows is None:
        return _default_rows(training)
    last = len(experiment.table) - 1
    if not 0 < len(rows) <= last + 1 or min(rows) < 0 or max(rows) > last:
        raise ConfigError(f"There are no such rows: the data have rows 0 to {last}.")
    index = np.asarray(rows, np.intp)
    if np.array_equal(index, training):
        return index, f"{_counted(index)}, the whole training set"
    alone = "alone" if len(index) == 1 else "as one batch"
    return index, f"{_counted(index)} {alone}; training has {len(training)} rows"


def _default_rows(training: Labels) -> tuple[Labels, str]:
    if len(training) <= MOST_ROWS:
        return training, f"{_counted(training)}, the whole training set"
    first = training[:1]
    return first, (f"{_counted(first)} alone, the first of the {len(training)} training rows")


def _counted(index: Labels) -> str:
    if len(index) == 1:
        return f"row {index[0]}"
    if np.array_equal(index, np.arange(index[0], index[-1] + 1)):
        return f"rows {index[0]} to {index[-1]}"
    return f"rows {', '.join(map(str, index[:-1]))} and {index[-1]}"


def _splits_of(experiment: Experiment, index: Labels) -> tuple[SplitName, ...]:
    split_of = np.zeros(len(experiment.table), np.intp)
    for number, name in enumerate(SPLITS):
        split_of[experiment.splits[name].index] = number
    return tuple(SPLITS[number] for number in split_of[index])


def _notes(experiment: Experiment, index: Labels) -> list[str]:
    """What a reader would otherwise take for granted."""
    spec, notes = experiment.spec, []
    others = sorted(set(_splits_of(experiment, index)) - {"train"})
    if others:
        notes.append(f"Some of these rows are of the {' and '.join(others)} split: not trained on.")
    size = spec.training.batch_size
    if size != "full":
        notes.append(f"Training draws {'a row' if size == 1 else f'{size} rows'} for each update.")
    sides = {"inputs": experiment.preprocessor.inputs, "targets": experiment.preprocessor.targets}
    scaled = [name for name, scale in sides.items() if not scale.changes_nothing]
    if scaled:
        notes.append(f"{' and '.join(scaled).capitalize()} are as data.scale leaves them.")
    if not experiment.table.has_targets:
        notes.append(
            "The data have no targets: no loss, no backward pass, no update; forward alone."
        )
    return notes


# Entries.

_ENTRY = re.compile(r"\s*([Wb])(\d{1,9})\[\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\]\s*", re.ASCII)


def parse_entry(text: str, network: Network) -> Entry:
    """Read W1[2,1] or b1[2]. Raises `ConfigError` with the shapes where there is none."""
    shapes = {name: tensor.shape for name, tensor in network.tensors(np.empty(network.n_params))}
    match = _ENTRY.fullmatch(text)
    if match:
        letter, layer, row, column = match.groups()
        tensor, places = f"{letter}{layer}", [int(place) for place in (row, column) if place]
        shape = shapes.get(tensor, ())
        if len(shape) == len(places) and all(
            1 <= place <= size for place, size in zip(places, shape, strict=True)
        ):
            return Entry(tensor, int(layer), int(row), int(column) if column else None)
    listed = ", ".join(f"{name} ({' x '.join(map(str, size))})" for name, size in shapes.items())
    raise ConfigError(
        f"--entry {text}: there is no such entry in {listed}; expected such as W1[1,1] or b1[1], "
        "counted from 1."
    )


def _max_slope(first: Pass) -> Entry:
    """The weight of the first layer that has the largest gradient."""
    grad = np.abs(first.grad["W1"])
    row, column = max(product(*map(range, grad.shape)), key=lambda place: grad[place])
    return Entry("W1", 1, row + 1, column + 1)


# JSON: rows of the table are rows.


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
    """Numbers as they are, vectors of the parameters' size tensor by tensor."""
    numbers = {name: value.item() for name, value in state.items() if value.shape == ()}
    vectors = {
        name: {tensor: values.tolist() for tensor, values in tensors.items()}
        for name, tensors in slots(network, state).items()
    }
    return numbers | vectors
