"""The recorded path of the parameters, over contours of the training objective.

A parameter vector usually has more than two dimensions, so the contours are those of a plane in the
parameter space. A note says how far the losses on the path are from those in the plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.plots.base import Axes, Panel, Plot
from bpcli.plots.outcome import note
from bpcli.plots.path_marks import mark_epochs, marks
from bpcli.plots.plane import MAP, Window
from bpcli.plots.style import CURVE_WIDTH, INK, literal, with_minus
from bpcli.runs.subject import Need, Subject, some_rows
from bpcli.terminal.training import objective_text

_WORK = 2e9
"""The approximate limit of multiplications for the contours, which sets the size of the grid."""

_COARSEST, _FINEST = 15, 81
_LEVELS = 14

_ROOM = 100.0
"""A path is cut where the loss exceeds this multiple of the initial loss, as training diverged."""

_MOST_NAMED = 4
_MOST_COMPARED = 200


@dataclass(frozen=True)
class Slice:
    """A plane in the parameter space: origin + c1 directions[0] + c2 directions[1].

    `projector` (n, 2) gives the coordinates of the nearest point: c = (params - origin) P.
    `shares` are the fractions of the path's variance along the directions; None if there are only
    two trained parameters, so that the path lies in the plane.
    """

    origin: Vector
    directions: Array
    projector: Array
    shares: Array | None = None

    def coordinates(self, path: Array) -> Array:
        """The coordinates (epochs, 2) of the points nearest to a path (epochs, n)."""
        coordinates: Array = (path - self.origin) @ self.projector
        return coordinates

    def params(self, coordinates: Array) -> Array:
        """The parameter vectors (m, n) at coordinates (m, 2)."""
        params: Array = self.origin + coordinates @ self.directions
        return params


def plane_of_two(end: Vector, trained: Array) -> Slice:
    """The plane of the only two trained parameters, with their values as coordinates."""
    directions = np.eye(len(end))[trained]
    origin = end.copy()
    origin[trained] = 0
    return Slice(origin, directions, directions.T)


def plane_along(path: Array, trained: Array, metric: Array) -> Slice:
    """The plane through the path's end that is nearest to the path.

    It is spanned by the two leading principal directions of the differences d to the end (Li et
    al. 2018, arXiv:1712.09913, sec. 7.2), where |d|² = dᵀ M d for a positive definite `metric` M:
    with M = L Lᵀ they are L⁻ᵀ v, v those of the rows Lᵀ d, brought to length 1.
    """
    L, differences = np.linalg.cholesky(metric), (path - path[-1])[:, trained]
    scale = np.abs(differences).max() or 1.0  # squares of a divergent path would overflow
    _, singular, V = np.linalg.svd(differences / scale @ L, full_matrices=False)
    V = V[:2] * np.copysign(1, V[:2].sum(axis=1, keepdims=True))  # LAPACK's signs are arbitrary
    principal = np.linalg.solve(L.T, V.T)
    lengths = np.linalg.norm(principal, axis=0)
    directions, projector = np.zeros((2, path.shape[1])), np.zeros((path.shape[1], 2))
    directions[:, trained], projector[trained] = (principal / lengths).T, L @ V.T * lengths
    total = (singular**2).sum() or 1.0
    return Slice(path[-1], directions, projector, (singular**2 / total)[:2])


def curvature(subject: Subject, trained: Array) -> Array | None:
    """The Hessian of an objective that is quadratic in its parameters; None for any other.

    In this metric, a squared distance from the minimum is twice the excess loss.
    """
    network = subject.network
    is_linear = len(network.layers) == 1 and network.layers[0].activation.is_identity
    if not (is_linear and network.loss.is_sum_of_squares):
        return None
    hessian = subject.experiment.objective().gauss_newton(subject.params).hessian
    H = hessian[np.ix_(trained, trained)].astype(np.float64)
    return H if np.linalg.eigvalsh(H)[0] > 1e-12 * np.trace(H) else None


def slice_of(subject: Subject) -> Slice:
    """The plane whose contours are drawn."""
    path = shown_path(subject)
    path = path[some_rows(len(path))]
    trained = trained_params(subject)
    if len(trained) == 2:
        return plane_of_two(path[-1], trained)
    metric = curvature(subject, trained)
    return plane_along(path, trained, np.eye(len(trained)) if metric is None else metric)


def shown_path(subject: Subject) -> Array:
    """The path (epochs, n), cut where the loss far exceeds the initial loss."""
    assert subject.path is not None, "there is a path"
    epochs, losses = subject.series("loss")
    is_far = ~(losses <= _ROOM * abs(losses[0])) & (losses[0] != 0)
    end = max(2, epochs[is_far][0]) if is_far.any() else len(subject.path)
    return np.asarray(subject.path[:end], np.float64)


def trained_params(subject: Subject) -> Array:
    """The indices of the parameters that training changes."""
    return np.delete(np.arange(subject.network.n_params), subject.network.frozen)


def losses_at(subject: Subject, vectors: Array) -> Array:
    """The training objective (m,) at parameter vectors (m, n)."""
    objective, dtype = subject.experiment.objective(), subject.experiment.dtype
    return np.array([float(np.real(objective.value(row))) for row in vectors.astype(dtype)])


class Path(Plot):
    """The path of the parameters over contours of the loss."""

    needs: ClassVar[tuple[Need, ...]] = ("network", "log")
    shows_training = True

    def why_not(self, subject: Subject) -> str | None:
        if subject.path is None:
            return "The run has no recorded path: train with `training.record_params: true`."
        if len(subject.path) < 2:
            return "The path is a single point: the run was trained for 0 epochs."
        if len(trained_params(subject)) < 2:
            return "The network has a single parameter, but a plane needs two."
        return None

    def title(self, subject: Subject) -> str:
        return "Path of the parameters over contours of the loss"

    def details(self, subject: Subject) -> Sequence[str]:
        count = len(trained_params(subject))
        return (f"{count:,} trained parameters, {len(shown_path(subject)) - 1:,} epochs",)

    def size(self, subject: Subject) -> tuple[float, float]:
        return (7.5, 6.4)

    def draw(self, figure: Panel, subject: Subject) -> None:
        path, plane = shown_path(subject), slice_of(subject)
        coordinates = plane.coordinates(path)
        axes = figure.subplots()
        axes.grid(visible=False)
        window = Window.around(_never_flat(coordinates), _across(subject))
        _draw_contours(figure, axes, subject, plane, window)
        _draw_path(axes, coordinates)
        mark_epochs(axes, coordinates, marks(subject.record, len(coordinates) - 1))
        _name_axes(axes, subject, plane)
        note(
            figure,
            "Dots: after 1, 10, 100 … epochs.",
            _how_far_off(subject, plane, len(path)),
            _cut_off(subject, len(path)),
        )


def _never_flat(coordinates: Array) -> Array:
    """The points of a path and two more, so that their range is not flat for a straight path."""
    middle = (coordinates.min(axis=0) + coordinates.max(axis=0)) / 2
    least = 0.1 * np.ptp(coordinates, axis=0).max()
    points: Array = np.concatenate([coordinates, [middle - least, middle + least]])
    return points


def _across(subject: Subject) -> int:
    """Points of the grid along each axis: fewer if the loss is expensive."""
    work = len(subject.experiment.splits["train"]) * subject.network.n_params
    return int(np.clip(np.sqrt(_WORK / work), _COARSEST, _FINEST))


def _draw_contours(
    figure: Panel, axes: Axes, subject: Subject, plane: Slice, window: Window
) -> None:
    from matplotlib.colors import LogNorm

    losses = losses_at(subject, plane.params(window.grid))
    image = np.ma.masked_invalid(window.image(losses))
    levels = contour_levels(losses[np.isfinite(losses)])
    is_log = levels[0] > 0 and levels[-1] > 10 * levels[0]
    filled = axes.contourf(
        window.x1, window.x2, image, levels=levels, cmap=MAP,
        norm=LogNorm(levels[0], levels[-1]) if is_log else None,
    )  # fmt: skip
    axes.contour(window.x1, window.x2, image, levels=levels, colors="white", linewidths=0.6)
    inner = levels[1:-1] if len(levels) > 3 else levels
    bar = figure.colorbar(filled, ax=axes, ticks=inner[:: -(-len(inner) // 9)], format="%.4g")
    bar.minorticks_off()
    bar.set_label(f"loss: {literal(objective_text(subject.record))}")


_PER_DECADE = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8))
"""The first digits of the levels between two powers of ten, from few to many."""


def contour_levels(losses: Array) -> Array:
    """Round levels between the smallest and the largest loss, which are the first and the last.

    If their range is wide, the levels have about equal ratios.
    """
    low, high = float(losses.min()), float(losses.max())
    if low == high:
        return np.array([low, np.nextafter(low, np.inf)])
    inner = _round_levels(low, high)
    inner = inner[(inner > low) & (inner < high)]
    levels = np.array([low, *inner, high])
    levels[[0, -1]] += np.spacing(levels[[0, -1]]) * [-4, 4]  # so that rounding leaves no gap
    return np.unique(levels)


def _round_levels(low: float, high: float) -> Array:
    """About `_LEVELS` round numbers, of which some may be outside."""
    from matplotlib.ticker import MaxNLocator

    if not (low > 0 and high > 10 * low):
        return np.asarray(MaxNLocator(_LEVELS, steps=[1, 2, 5, 10]).tick_values(low, high))
    decades = np.log10(high) - np.log10(low)
    digits = min(_PER_DECADE, key=lambda digits: abs(len(digits) * decades - _LEVELS))
    step = max(1, round(decades / _LEVELS))
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1, step)
    return np.outer(10.0**powers, digits).ravel()


def _draw_path(axes: Axes, coordinates: Array) -> None:
    shown_rows = coordinates[some_rows(len(coordinates))]
    axes.plot(*shown_rows.T, color="white", linewidth=3.6, zorder=3)
    axes.plot(*shown_rows.T, color=INK, linewidth=CURVE_WIDTH, zorder=3)


_ORDINALS = ("first", "second")


def _name_axes(axes: Axes, subject: Subject, plane: Slice) -> None:
    labels = [_axis_label(plane, number, subject.network) for number in range(2)]
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])


def _axis_label(plane: Slice, number: int, network: Network) -> str:
    """The parameter along an axis, or the direction with its share of the path's variance."""
    direction = plane.directions[number]
    if plane.shares is None:
        return network.param_name(int(direction.argmax()))
    share = f"{100 * plane.shares[number]:.2g} % of the motion"
    what = f"{_ORDINALS[number]} principal direction of the parameters"
    return f"{what} ({share}){_components(direction, network)}"


def _components(direction: Vector, network: Network) -> str:
    """The components of a direction of few parameters."""
    if len(direction) > _MOST_NAMED:
        return ""
    terms = [
        f"{share:+.2f} {network.param_name(at)}" for at, share in enumerate(direction) if share
    ]
    return f"\n{with_minus(' '.join(terms))}"


def _how_far_off(subject: Subject, plane: Slice, count: int) -> str:
    """The largest difference between recorded losses and losses of the plane's points."""
    if plane.shares is None:
        return ""
    assert subject.path is not None, "there is a path"
    epochs, recorded = subject.series("loss")
    epochs = epochs[epochs < count]
    some = some_rows(len(epochs), _MOST_COMPARED)
    epochs, recorded = epochs[some], recorded[some]
    drawn = losses_at(subject, plane.params(plane.coordinates(subject.path[epochs])))
    off, fall = np.abs(drawn - recorded).max(), np.ptp(recorded) or 1.0
    return (
        "The path does not lie in this plane: losses on the path and in the plane\n"
        f"differ by up to {off:.3g}, {100 * off / fall:.2g} % of the range of the losses."
    )


def _cut_off(subject: Subject, count: int) -> str:
    assert subject.path is not None, "there is a path"
    if count == len(subject.path):
        return ""
    last = f"Drawn up to epoch {count - 1:,}"
    return f"{last}: later the loss exceeds {_ROOM:g} times the initial loss."
