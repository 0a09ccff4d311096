"""Which inputs of a run matter and how, over the rows of a split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from bpcli.engine.pool.base import WorkerPool
from bpcli.errors import RunError
from bpcli.explanation.category_order import order_of_levels
from bpcli.explanation.columns import Column
from bpcli.explanation.connection_weights import (
    garson,
    olden,
    weights_of,
    why_no_connection_weights,
)
from bpcli.explanation.draws import Outputs, evenly_spaced, resample_counts
from bpcli.explanation.effects import (
    Curve,
    Levels,
    Steps,
    dependence,
    effect,
    effect_of_members,
    in_order_of_levels,
    level_steps,
    number_steps,
)
from bpcli.explanation.groups import associations, correlated_groups
from bpcli.explanation.permutation import Change, Permutation
from bpcli.explanation.sensitivity import MOST_NUMBERS, Sensitivity, sensitivity
from bpcli.explanation.surfaces import Interaction, Surface, dependence_surface, interaction
from bpcli.metrics.metrics import greater_is_better
from bpcli.nn.arrays import Array
from bpcli.workflows.explained import Explained

Method: TypeAlias = Literal["ale", "pd"]
Progress: TypeAlias = Callable[[str, int, int], None]
"""Gets what is computed, and how much of it is finished."""

REPEATS = 10
MOST_ROWS = 20_000
_FEWEST_ROWS = 200
_MULTIPLICATIONS = 1.5e10
"""Importance takes about so many multiplications at most: some ten seconds."""

CURVE_ROWS = 5_000
_DEPENDENCE_ROWS, _PAIR_ROWS, _GROUP_ROWS = 1_000, 2_000, 2_000
MOST_CURVES, MOST_OUTPUTS, _MOST_IN_PAIRS = 30, 12, 6


@dataclass(frozen=True)
class Options:
    """What is computed, and how exactly. `rows` and `repeats` are chosen if they are None."""

    method: Method = "ale"
    rows: int | None = None
    repeats: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Group:
    """Correlated columns: their indices, their strongest association, and importance."""

    members: list[int]
    strongest: float
    importance: dict[str, Change]


@dataclass(frozen=True)
class Importance:
    """The importance of columns and groups by measure, on how many rows it was measured, and how.

    `baseline` are the measures on these rows as they are.
    """

    rows: int
    repeats: int
    baseline: dict[str, float]
    columns: list[dict[str, Change]]
    groups: list[Group]


@dataclass(frozen=True)
class Explanation:
    """What was found. `effects` are by the index of the column, and of the `outputs` alone.

    Derivatives are over `slope_rows`.
    `spreads` (K,) are the ranges of all outputs over the rows. `shares` are Garson's and Olden's
    numbers (K, inputs), or why there are none. `outside` counts rows outside the training range.
    """

    explained: Explained
    options: Options
    seed: int
    importance: Importance
    slope_rows: int
    sensitivities: list[list[Sensitivity] | None]
    outputs: list[int]
    effects: dict[int, Curve]
    surface: tuple[int, int, Surface] | None
    spreads: Array
    shares: tuple[Array, Array] | str
    outside: dict[int, int] = field(default_factory=dict)

    @property
    def columns(self) -> Sequence[Column]:
        return self.explained.columns

    @property
    def order(self) -> list[int]:
        """The columns, the most important first."""
        return by_importance(self.importance.columns)


def by_importance(importances: Sequence[dict[str, Change]]) -> list[int]:
    """The indices of columns by falling rise of the loss."""
    return sorted(range(len(importances)), key=lambda at: -(importances[at]["loss"].value or 0.0))


def explain(
    explained: Explained, options: Options, pool: WorkerPool, progress: Progress
) -> Explanation:
    """Importance, sensitivity and effects of all inputs of a run.

    Raises `RunError` if there is a single row, whose values cannot be permuted, or if an output is
    not finite.
    """
    if len(explained.split) < 2:
        raise RunError(
            "The importance of inputs is measured by permuting their values between rows, and "
            "there is one row only: use more rows, or explain this one with --row."
        )
    explained.require_finite(explained.encoded(explained.split), "row")
    spec = explained.trained.experiment.spec
    seed = spec.seed if options.seed is None else options.seed
    measured = _importance(explained, options, seed, pool, progress)
    order = by_importance(measured.columns)
    X = explained.encoded(explained.at_most(measured.rows))
    outputs, slope_rows = _outputs_shown(explained, X), _slope_rows(explained)
    effects = _effects(explained, options, order[:MOST_CURVES], outputs, seed, progress)
    return Explanation(
        explained,
        options,
        seed,
        measured,
        slope_rows,
        _sensitivities(explained, slope_rows),
        outputs,
        effects,
        _surface(explained, options, order, effects, outputs, progress),
        np.ptp(explained.outputs(X), axis=0),
        _shares(explained),
        _outside_training(explained),
    )


def _importance(
    explained: Explained, options: Options, seed: int, pool: WorkerPool, progress: Progress
) -> Importance:
    """The importance of each column, and of each group of correlated ones."""
    columns = explained.columns
    association = associations(columns, explained.encoded(explained.at_most(_GROUP_ROWS)))
    members = correlated_groups(association)
    asked = [[column] for column in columns] + [[columns[at] for at in each] for each in members]
    rows, repeats = amount(explained, options, len(asked))
    split = explained.at_most(rows)
    measured = explained.measured(split)
    permutation = Permutation(explained.encoded(split), measured, repeats, seed)
    importances = [
        worsening(each)
        for each in permutation.importances(
            asked, pool, lambda done: progress("permuting inputs", done, len(asked))
        )
    ]
    before = measured(permutation.X)
    return Importance(
        len(split),
        repeats,
        {name: float(each.value(each.statistics.mean(axis=1))) for name, each in before.items()},
        importances[: len(columns)],
        [
            Group(each, float(association[np.ix_(each, each)].max()), importance)
            for each, importance in zip(members, importances[len(columns) :], strict=True)
        ],
    )


def amount(explained: Explained, options: Options, groups: int) -> tuple[int, int]:
    """How many rows importance is measured on, and how many permutations; large work is bounded."""
    each = groups * explained.trained.experiment.network.n_params
    most = min(MOST_ROWS, len(explained.split))
    repeats = options.repeats or REPEATS
    rows = options.rows or int(np.clip(_MULTIPLICATIONS / (each * repeats), _FEWEST_ROWS, most))
    rows = min(rows, len(explained.split))
    if options.repeats is None:
        repeats = int(np.clip(_MULTIPLICATIONS / (each * rows), 1, repeats))
    return rows, repeats


def worsening(changes: dict[str, Change]) -> dict[str, Change]:
    """The changes of measures with the sign that makes a positive one worse."""
    return {
        name: Change(-change.value, change.error)
        if greater_is_better(name) and change.value is not None
        else change
        for name, change in changes.items()
    }


def _outputs_shown(explained: Explained, X: Array) -> list[int]:
    """The outputs that have curves: all, or of very many those that vary most."""
    spread = explained.outputs(X).std(axis=0)
    order = np.argsort(-spread, kind="stable")
    return sorted(order[:MOST_OUTPUTS].tolist())


def _effects(
    explained: Explained,
    options: Options,
    order: Sequence[int],
    outputs: list[int],
    seed: int,
    progress: Progress,
) -> dict[int, Curve]:
    """The curves of some columns; constant ones have none."""
    X = explained.encoded(explained.at_most(options.rows or CURVE_ROWS))
    effects = {}
    for done, at in enumerate(order, start=1):
        column = explained.columns[at]
        known = column.known(X)
        curve = _curve(explained, options, at, X[known], outputs, seed) if known.any() else None
        if curve is not None:
            effects[at] = in_order_of_levels(curve) if column.levels else curve
        progress("effect curves", done, len(order))
    return effects


def _curve(
    explained: Explained, options: Options, at: int, X: Array, outputs: list[int], seed: int
) -> Curve | None:
    """The curve of a column over rows that have a value; None if it is constant in them."""
    columns = explained.columns
    column = columns[at]
    order = np.empty(0, np.intp)
    if options.method == "pd":
        X = X[evenly_spaced(len(X), _DEPENDENCE_ROWS)]
    elif column.levels:
        order = order_of_levels(column, [each for each in columns if each is not column], X)

    def steps(of: Outputs) -> Steps | Levels | None:
        def shown(rows: Array) -> Array:
            return of(rows)[:, outputs]

        if options.method == "pd":
            return dependence(column, X, shown)
        return (
            level_steps(column, order, X, shown)
            if column.levels
            else number_steps(column, X, shown)
        )

    own = steps(explained.outputs)
    if own is None:
        return None
    members = [each for each in map(steps, explained.members) if each is not None]
    if members:
        return effect_of_members(own, members)
    return effect(own, resample_counts(len(own.near), seed))


def _slope_rows(explained: Explained) -> int:
    """On how many rows derivatives are computed."""
    network = explained.trained.experiment.network
    most = max(2, MOST_NUMBERS // (network.inputs * network.outputs))
    return min(most, CURVE_ROWS, len(explained.split))


def _sensitivities(explained: Explained, rows: int) -> list[list[Sensitivity] | None]:
    """The derivatives of each output by each column of numbers; None for other columns."""
    X = explained.encoded(explained.at_most(rows))
    gradients = explained.gradients(X)
    sensitivities: list[list[Sensitivity] | None] = []
    for column in explained.columns:
        known = column.known(X)
        if not column.is_smooth or not known.any():
            sensitivities.append(None)
            continue
        own = gradients[:, known, column.start]
        sensitivities.append([sensitivity(each, column.numbers(X)[known]) for each in own])
    return sensitivities


def _surface(
    explained: Explained,
    options: Options,
    order: Sequence[int],
    effects: dict[int, Curve],
    outputs: list[int],
    progress: Progress,
) -> tuple[int, int, Surface] | None:
    """The joint effect of the pair of columns with the strongest interaction; None without any."""
    columns = explained.columns
    able = [at for at in order if at in effects and not columns[at].levels][:_MOST_IN_PAIRS]
    pairs = [(a, b) for i, a in enumerate(able) for b in able[i + 1 :]]
    X = explained.encoded(explained.at_most(_PAIR_ROWS))

    def shown(rows: Array) -> Array:
        return explained.outputs(rows)[:, outputs]

    best: tuple[float, int, int, Interaction] | None = None
    for done, (a, b) in enumerate(pairs, start=1):
        known = X[columns[a].known(X) & columns[b].known(X)]
        grid = interaction(columns[a], columns[b], known, shown) if len(known) else None
        if grid is not None:
            strength = float(grid.strength.max())
            if best is None or strength > best[0]:
                best = strength, a, b, grid
        progress("pairs of inputs", done, len(pairs))
    if best is None:
        return None
    _, a, b, grid = best
    if options.method == "pd":
        few = X[columns[a].known(X) & columns[b].known(X)]
        few = few[evenly_spaced(len(few), _DEPENDENCE_ROWS // 2)]
        return a, b, dependence_surface(columns[a], columns[b], grid, few, shown)
    return a, b, grid.joined(effects[a], effects[b])


def _shares(explained: Explained) -> tuple[Array, Array] | str:
    """Garson's shares and Olden's products (outputs, inputs), or why there are none."""
    trained = explained.trained.uncalibrated
    network = trained.experiment.network
    reason = why_no_connection_weights(network)
    if reason is not None:
        return reason
    weights = weights_of(network, trained.params.astype(np.float64))
    return garson(*weights), olden(*weights)


def _outside_training(explained: Explained) -> dict[int, int]:
    """How many rows lie outside the range of the training rows, for each column that has any."""
    if explained.name == "train" or not len(explained.training):
        return {}
    own, training = explained.encoded(explained.split), explained.encoded(explained.training)
    outside = {}
    for at, column in enumerate(explained.columns):
        known = column.numbers(training)
        if column.levels or not np.isfinite(known).any():
            continue
        values = column.numbers(own)
        count = int(((values < np.nanmin(known)) | (values > np.nanmax(known))).sum())
        if count:
            outside[at] = count
    return outside
