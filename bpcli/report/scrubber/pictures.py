"""What the network computes at each frame: regions or a surface over two inputs, or curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.data.preprocessing import taken
from bpcli.data.types import SplitName
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.propagation import Workspace, columns_of, forward
from bpcli.plots.outcome import is_one_score, shown_targets
from bpcli.plots.plane import widened
from bpcli.report.scrubber.png import Colour, Tiles
from bpcli.runs.subject import Subject, some_rows

ACROSS = 64
"""Points of a picture along each side."""

SHADES = 64
"""Colours from one class to the other; their boundary is where the score is ½."""

POINTS = 97
"""Points of a curve."""

COLOURS = (
    "0a5ea8", "c2410c", "0f766e", "7a3e9d", "8a6d00", "111827", "be185d", "4d7c0f",
)  # fmt: skip
"""The colours --c0 to --c7 of the style sheet; with an opacity they fit a dark page too."""

MOST_CURVES = 3
_MOST_ROWS = 240
_PALEST, _FULLEST = 0.06, 0.42


@dataclass(frozen=True, eq=False)
class Field(Tiles):
    """The plane of two inputs at each frame, ACROSS points high and wide.

    The first row is at the top of the window, which is left, right, bottom and top in units of the
    inputs. `names` are those of the outputs that are shown.
    """

    names: tuple[str, ...]
    window: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Curves:
    """The outputs along one input: `values` (F, K, POINTS) in the window's units."""

    values: Array
    names: tuple[str, ...]
    window: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Points:
    """Rows on a picture: positions (n, 2), and the class or the curve (n,) of each.

    `rows` of the `total` rows are drawn; where curves have targets, a row has a mark for each.
    """

    places: Array
    labels: Array
    rows: int
    total: int


def picture_of(subject: Subject, frames: Array) -> Field | Curves | None:
    """The picture of a network with one or two inputs for parameters (F, n_params).

    None for other networks, and for many classes.
    """
    preprocessor = subject.experiment.preprocessor
    if preprocessor.words or len(preprocessor.class_names) > _MOST_COLOURS:
        return None
    if subject.network.inputs == 2:
        return _field(subject, frames)
    return _curves(subject, frames) if subject.network.inputs == 1 else None


def _outputs(subject: Subject, frames: Array, X: Array) -> Iterator[Array]:
    """The outputs (n, K) of each frame in original units, for inputs (n, d) in such units.

    They are computed in single precision, which is enough for colours and takes half the time.
    """
    network, preprocessor = subject.network, subject.experiment.preprocessor
    work = Workspace(network, frames[0].astype(np.float32))
    work.fit(len(X))
    columns = columns_of(network, preprocessor.inputs.apply(X), work.grad.dtype)
    with np.errstate(all="ignore"):
        for params in frames:
            work.read(params.astype(np.float32))
            forward(work, columns)
            yield preprocessor.original(work.layers[-1].a.T)


def _inputs_of(subject: Subject, name: SplitName) -> Array:
    index = subject.experiment.splits[name].index[:]
    inputs: Array = np.asarray(taken(subject.experiment.table.X, index), np.float64)
    return inputs


# Two inputs.


def _field(subject: Subject, frames: Array) -> Field:
    sides = [widened(column) for column in np.asarray(subject.experiment.table.X[:]).T]
    axes = [_centres(*side) for side in sides]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(axes[0], axes[1][::-1])], axis=1)
    paint, palette = _painter(subject)
    names = subject.experiment.output_names
    if subject.experiment.splits["train"].labels is None:
        names = (names[_main_target(subject)[0]],)
    # Frame by frame: the outputs of all, in double precision, can take gigabytes.
    painted = [
        paint(outputs).reshape(ACROSS, ACROSS) for outputs in _outputs(subject, frames, grid)
    ]
    (left, right), (bottom, top) = sides
    return Field(np.stack(painted), palette, names, (left, right, bottom, top))


def _centres(low: float, high: float) -> Vector:
    """The middles of ACROSS equal parts of a range."""
    centres: Vector = low + (np.arange(ACROSS) + 0.5) * (high - low) / ACROSS
    return centres


def _painter(subject: Subject) -> tuple[Callable[[Array], Array], list[Colour]]:
    """What makes colour numbers (n,) of outputs (n, K), and the palette."""
    if subject.experiment.splits["train"].labels is None:
        # The target that varies most, from below to above the middle of its range.
        target, (low, high) = _main_target(subject)
        return lambda A: _shades_of((A[:, target] - low) / (high - low)), _between(0, 1)
    if is_one_score(subject):
        return lambda A: _shades_of(A[:, -1]), _between(0, 1)
    count, top = subject.network.outputs, subject.network.layers[-1].activation
    steps = _STEPS if top.gives_distribution and count * _STEPS <= _MOST_COLOURS else 1
    strengths = np.linspace(_PALEST, _FULLEST, steps + 1)[1:].tolist()
    palette = [(*_rgb(label), strength) for label in range(count) for strength in strengths]
    return lambda A: _classes_of(A, steps), palette


def _shades_of(shares: Array) -> Array:
    """Numbers from 0 to 1 as shades; the middle is the border of two shades."""
    numbers: Array = np.clip(np.nan_to_num(shares) * SHADES, 0, SHADES - 1).astype(np.uint8)
    return numbers


def _between(one: int, other: int) -> list[Colour]:
    """Shades from one colour, strongest first, to the other."""
    half = SHADES // 2
    strengths = np.linspace(_PALEST, _FULLEST, half).tolist()
    return [
        *[(*_rgb(one), strength) for strength in reversed(strengths)],
        *[(*_rgb(other), strength) for strength in strengths],
    ]


_STEPS = 4
"""Shades of each of several classes, by the probability of the class."""


_MOST_COLOURS = 256
"""The most colours of an image."""


def _classes_of(outputs: Array, steps: int) -> Array:
    """The colour number of the largest output, and of its share as a step."""
    labels, least = outputs.argmax(axis=1), 1 / outputs.shape[1]
    surety = (outputs.max(axis=1) - least) / (1 - least)
    step = np.clip(np.nan_to_num(surety) * steps, 0, steps - 1).astype(np.intp)
    numbers: Array = (labels * steps + step).astype(np.uint8)
    return numbers


def _main_target(subject: Subject) -> tuple[int, tuple[float, float]]:
    values = subject.experiment.splits["train"].values
    assert values is not None, "the targets are numbers"
    target = int(values.std(axis=0).argmax())
    return target, widened(values[:, target])


def _rgb(number: int) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(COLOURS[number % len(COLOURS)])
    return red, green, blue


# One input.


def _curves(subject: Subject, frames: Array) -> Curves:
    low, high = widened(np.asarray(subject.experiment.table.X[:]))
    x = np.linspace(low, high, POINTS)[:, np.newaxis]
    shown, names, side = _shown_outputs(subject)
    values = np.stack([outputs[:, shown].T for outputs in _outputs(subject, frames, x)])
    return Curves(values, names, (low, high, *side))


def _shown_outputs(
    subject: Subject,
) -> tuple[Sequence[int], tuple[str, ...], tuple[float, float]]:
    """The outputs that are drawn, their names, and the range of the vertical axis."""
    names = subject.experiment.output_names
    values = subject.experiment.splits["train"].values
    if values is not None:
        shown = shown_targets(values, MOST_CURVES).tolist()
        side = widened(values[:, shown])
    else:
        first = len(names) - 1 if is_one_score(subject) else 0
        shown, side = [*range(first, len(names))][:MOST_CURVES], (-0.12, 1.12)
    return shown, tuple(names[k] for k in shown), side


# Rows.


def points_of(subject: Subject, picture: Field | Curves, name: SplitName = "train") -> Points:
    """The rows of a split that are drawn on a picture: all, or some that are evenly spaced."""
    split, X = subject.experiment.splits[name], _inputs_of(subject, name)
    some = some_rows(len(X), _MOST_ROWS)
    labels = np.zeros(len(some), np.intp) if split.labels is None else split.labels[some]
    if isinstance(picture, Field):
        if split.labels is None:
            target, side = _main_target(subject)
            assert split.values is not None, "the targets are numbers"
            shares = (split.values[some, target] - side[0]) / (side[1] - side[0])
            labels = (shares > 0.5).astype(np.intp)
        return Points(X[some], labels, len(some), len(X))
    shown, _, _ = _shown_outputs(subject)
    if split.values is None:
        heights = labels.astype(np.float64) if is_one_score(subject) else np.zeros(len(some))
        places = np.column_stack([X[some, 0], heights])
        return Points(places, labels, len(some), len(X))
    places = np.concatenate([np.column_stack([X[some, 0], split.values[some, k]]) for k in shown])
    return Points(places, np.repeat(np.arange(len(shown)), len(some)), len(some), len(X))
