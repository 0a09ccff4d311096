"""Prune a run: remove inputs and units one by one, train after each, and keep a small network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from bpcli.config.load import validate
from bpcli.config.overrides import override
from bpcli.data.scaler import Scaler
from bpcli.errors import ConfigError, Diverged, Interrupted, RunError
from bpcli.experiment import Experiment, build
from bpcli.metrics.metrics import output_activations
from bpcli.nn.arrays import Vector
from bpcli.nn.numerics import repeatable_numerics, require
from bpcli.pruning.choice import Estimate, best, estimate, is_at_its_end, limit, smallest
from bpcli.pruning.remaining import Column, Group, Kind, Remaining
from bpcli.pruning.removal import Removal, Saliency, by_magnitude, by_surgeon
from bpcli.runs.trained import Trained, read_config
from bpcli.text import quoted
from bpcli.workflows.in_memory import fit
from bpcli.workflows.interrupts import StopRequest, stop_requests

Only: TypeAlias = Literal["inputs", "units"]
_KIND: dict[Only, Kind] = {"inputs": "input", "units": "unit"}
_MOST_PARAMS = 5_000
"""The most parameters whose matrix of second derivatives is computed."""


@dataclass(frozen=True)
class How:
    """How to prune: by what saliency, whether only inputs or only units, and when to end.

    The path ends when `patience` networks in a row are worse than the limit, or when nothing is
    left to remove. Raises `ConfigError` for a value that is not allowed.
    """

    method: Saliency = "surgeon"
    only: Only | None = None
    patience: int = 5
    overrides: Sequence[str] = ()

    def __post_init__(self) -> None:
        for key, value, allowed in (
            ("method", self.method, get_args(Saliency)),
            ("only", self.only, (*_KIND, None)),
        ):
            if value not in allowed:
                names = ", ".join(map(str, allowed))
                raise ConfigError(f"`{key}` is {quoted(value)}: expected one of {names}.")
        if self.patience < 1:
            raise ConfigError(f"`patience` is {self.patience}: expected at least 1.")


@dataclass(frozen=True, eq=False)
class Step:
    """A network of the path: what was removed last, and its parameters before and after training.

    The first is the network of the run, from which nothing was removed.
    """

    removed: Group | None
    saliency: float | None
    remaining: Remaining
    start: Vector
    params: Vector
    epochs: int
    train_loss: float
    val: Estimate

    def to_json(self) -> dict[str, Any]:
        """The network as plain values."""
        group = self.removed
        return {
            "removed": None if group is None else {"kind": group.kind, "name": group.name},
            "saliency": self.saliency,
            "inputs": len(self.remaining.columns),
            "layers": self.remaining.sizes,
            "n_params": self.remaining.network.n_params,
            "epochs": self.epochs,
            "train_loss": self.train_loss,
            "val_loss": self.val.mean,
            "se": self.val.error,
        }


@dataclass(frozen=True, eq=False)
class Path:
    """All networks, ever smaller, and the run that they come from."""

    trained: Trained
    how: How
    steps: list[Step]
    has_diverged: bool = False

    @property
    def ended(self) -> Literal["complete", "patience", "diverged", "going on"]:
        """Why no smaller network follows: nothing is left to remove, or the training diverged."""
        if self.has_diverged:
            return "diverged"
        if not _groups(self.steps[-1].remaining, self.how):
            return "complete"
        is_at_end = is_at_its_end(self._estimates, self.how.patience)
        return "patience" if is_at_end else "going on"

    @property
    def kept(self) -> Step:
        """The smallest network within one standard error of the best."""
        return self.steps[self.kept_number]

    @property
    def kept_number(self) -> int:
        return smallest(self._estimates)

    @property
    def best_number(self) -> int:
        """The network with the lowest validation loss."""
        return best(self._estimates)

    @property
    def limit(self) -> float:
        """The highest validation loss within one standard error of the best."""
        return limit(self._estimates)

    @property
    def _estimates(self) -> list[Estimate]:
        return [step.val for step in self.steps]


OnStep: TypeAlias = Callable[[dict[str, Any], int, int], None]
"""Called with the document of each network, its number, and the most that may follow the first."""


def with_overrides(trained: Trained, how: How) -> Trained:
    """The run with other keys of its training, and with one training in place of restarts.

    Its probabilities are those before any calibration.

    Raises `ConfigError` for keys that are not of the training, or do not fit the data.
    """
    trained = trained.uncalibrated
    source = read_config(trained.run, trained.record)
    for assignment in plain_training(how):
        if not assignment.strip().startswith("training."):
            raise ConfigError(
                f"--set {assignment}: only keys of `training` can be changed, such as "
                "training.epochs; data and network are those of the run."
            )
        override(source, assignment)
    config = validate(source)
    require(config.spec.training.numerics)
    experiment = replace(trained.experiment, config=config)
    if how.overrides:
        built = build(config, encoder=experiment.table.encoder)
        experiment = built.with_preprocessor(experiment.preprocessor)
    return replace(trained, experiment=experiment)


def plain_training(how: How) -> Sequence[str]:
    """The settings of each training of the path."""
    return (*how.overrides, "training.restarts=1")


def prune(trained: Trained, how: How, on_step: OnStep) -> Path:
    """Compute the path. Nothing is written.

    Raises `RunError` if the run cannot be pruned, `Interrupted` after a signal.
    """
    _require_prunable(trained, how)
    with stop_requests() as request, repeatable_numerics(), np.errstate(all="ignore"):
        first = _first(trained)
        path = Path(trained, how, [first])
        most = _most(first.remaining, how)
        on_step(first.to_json(), 0, most)
        while path.ended == "going on":
            step = _next(path, request)
            if step is None:
                return replace(path, has_diverged=True)
            path.steps.append(step)
            on_step(step.to_json(), len(path.steps) - 1, most)
    return path


def _require_prunable(trained: Trained, how: How) -> None:
    experiment, run_id = trained.experiment, trained.run.run_id
    if experiment.table.is_autoencoder:
        raise RunError(
            f"{run_id} is an autoencoder: its inputs are its targets too, so none can be removed."
        )
    if not isinstance(experiment.table.X, np.ndarray):
        raise RunError(
            f"The rows of {run_id} are streamed: pruning needs them in memory. Train on a part of "
            "the rows first."
        )
    rows = len(experiment.splits["val"])
    if rows < _FEWEST_ROWS:
        lack = "has no validation set" if not rows else "has one validation row"
        raise RunError(
            f"{run_id} {lack}, and networks of different sizes are compared on validation rows: "
            "train with `data.split: {val: 0.2}`."
        )
    params = experiment.network.n_params
    if how.method == "surgeon" and params > _MOST_PARAMS:
        raise RunError(
            f"{run_id} has {params:,} parameters, more than the {_MOST_PARAMS:,} whose second "
            "derivatives are computed: use --method magnitude."
        )
    if not _groups(_whole(experiment), how):
        what = {"inputs": "inputs", "units": "hidden units", None: "inputs and hidden units"}
        raise RunError(
            f"Nothing can be removed from {run_id}: of its {what[how.only]}, each is the only one "
            "of its layer, or its layer computes all units together."
        )


_FEWEST_ROWS = 2


def _whole(experiment: Experiment) -> Remaining:
    encoder = experiment.table.encoder
    columns = [Column(name, 1) for name in experiment.table.input_names]
    if encoder is not None:
        columns = [Column(column.name, len(column.names)) for column in encoder.inputs]
    return Remaining.all_of(experiment.network, columns)


def _groups(remaining: Remaining, how: How) -> list[Group]:
    kind = None if how.only is None else _KIND[how.only]
    return [group for group in remaining.groups() if kind in (None, group.kind)]


def _most(remaining: Remaining, how: How) -> int:
    """The most removals: all but one input, and all but one unit of each layer."""
    layers = {(group.kind, group.layer) for group in _groups(remaining, how)}
    return len(_groups(remaining, how)) - len(layers)


def experiment_of(base: Experiment, remaining: Remaining, params: Vector) -> Experiment:
    """The experiment of a smaller network: the same rows, with fewer inputs, and its start."""
    names = {column.name for column in remaining.columns}
    whole = _whole(base)
    is_kept = np.repeat(
        [column.name in names for column in whole.columns],
        [column.width for column in whole.columns],
    )
    table, scaler, encoder = base.table, base.preprocessor.inputs, base.table.encoder
    if encoder is not None:
        kept = tuple(column for column in encoder.inputs if column.name in names)
        encoder = replace(encoder, inputs=kept)
    kept_names = tuple(np.array(table.input_names, object)[is_kept])
    X = np.ascontiguousarray(table.X[:, is_kept])  # type: ignore[index]  # streams are refused
    smaller = replace(
        base,
        table=replace(table, X=X, input_names=kept_names, encoder=encoder),
        network=remaining.network,
        start_params=params,
    )
    scaler = Scaler(scaler.shift[is_kept], scaler.factor[is_kept])
    return smaller.with_preprocessor(replace(base.preprocessor, inputs=scaler))


# The steps.


def _first(trained: Trained) -> Step:
    experiment, params = trained.experiment, trained.params
    loss = experiment.objective().mean_loss(params)
    val = _val(experiment, params)
    if not (np.isfinite(val.mean) and np.isfinite(loss)):
        raise RunError(
            f"The loss of {trained.run.run_id} is not finite: prune a run whose training has not "
            "diverged."
        )
    return Step(None, None, _whole(experiment), params, params, 0, loss, val)


def _val(experiment: Experiment, params: Vector) -> Estimate:
    """The validation loss, without L2."""
    Z, split = experiment.output_z("val", params), experiment.splits["val"]
    A = output_activations(experiment.network, Z)
    losses = experiment.network.loss.per_sample(Z, A, split.Y.T)
    return estimate(losses, split.weight)


def _next(path: Path, request: StopRequest) -> Step | None:
    """The next smaller network, trained; None if its training diverges."""
    before, base = path.steps[-1], path.trained.experiment
    experiment = experiment_of(base, before.remaining, before.params)
    removal = _removal(path, experiment, request)
    group, remaining = removal.group, before.remaining.without(removal.group)
    params = before.remaining.params_without(group, removal.params)
    start = params.astype(experiment.dtype)
    experiment = experiment_of(base, remaining, start)
    fitted = fit(experiment)
    _require_no_interruption(request)
    if isinstance(fitted.ending.failure, Diverged):
        return None
    if fitted.ending.failure is not None:
        raise fitted.ending.failure
    last, trained = fitted.ending.last, fitted.params
    loss = experiment.objective().mean_loss(trained)
    return Step(
        group,
        removal.saliency,
        remaining,
        start,
        trained,
        0 if last is None else last.number,
        loss,
        _val(experiment, trained),
    )


def _removal(path: Path, experiment: Experiment, request: StopRequest) -> Removal:
    before, how = path.steps[-1], path.how
    remaining, params = before.remaining, before.params.astype(np.float64)
    groups = _groups(remaining, how)
    inputs = experiment.rows("train").some().inputs.astype(np.float64)
    if how.method == "magnitude":
        return by_magnitude(remaining, groups, params, inputs)
    objective = experiment.objective()

    def product(at: Vector, direction: Vector) -> Vector:
        _require_no_interruption(request)
        return objective.hessian_product(at, direction)

    def loss(at: Vector) -> float:
        return objective.losses(at).value

    try:
        return by_surgeon(remaining, groups, params, product, loss, inputs)
    except ArithmeticError as error:
        raise RunError(
            f"{path.trained.run.run_id} cannot be pruned by the surgeon: {error}. Use --method "
            "magnitude."
        ) from None


def _require_no_interruption(request: StopRequest) -> None:
    if request.signal_number is not None:
        raise Interrupted("Interrupted: nothing was saved.", request.signal_number)
