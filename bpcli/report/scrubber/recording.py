"""The recorded epochs that are shown, with their parameters, losses and correct predictions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from bpcli.experiment import Experiment
from bpcli.metrics.metrics import predictions
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.subject import Subject
from bpcli.training.objective import NetworkObjective

MOST_FRAMES = 501
"""At 42 frames a second, these play for 12 seconds."""

_FEWEST_FRAMES = 13
_MOST_WORK = 3e9
"""Multiplications to compute the losses and the pictures of all frames."""

_DRAWN_POINTS = 64 * 64
"""The points of a picture."""

MOST_WEIGHT_BYTES = 400_000
"""The most bytes of weights for pictures, which are 1 or 2 bytes per weight and frame."""


@dataclass(frozen=True, eq=False)
class Recording:
    """The frames of the animation: some epochs of a run, or all.

    `epochs` (F,) increase from 0, `params` is (F, n_params), `losses` (F,) is the objective of
    training, and `val_losses` the mean loss of the validation set. `is_cut` says that recorded
    epochs after the last frame are left out, as their numbers are not finite.
    """

    subject: Subject
    epochs: Array
    params: Array
    losses: Vector
    val_losses: Vector | None
    right: Array | None
    recorded: int
    is_cut: bool

    def __len__(self) -> int:
        return len(self.epochs)

    @property
    def experiment(self) -> Experiment:
        return self.subject.experiment

    @property
    def training_rows(self) -> int:
        return len(self.experiment.splits["train"])

    @cached_property
    def largest(self) -> float:
        """The largest |parameter| of all frames; 1 if all are 0."""
        return float(np.abs(self.params).max()) or 1.0

    @property
    def shows_every_epoch(self) -> bool:
        return len(self) == self.recorded

    @cached_property
    def best(self) -> int:
        """The frame of the best epoch, or the one that is nearest to it."""
        return self.frame_of(self.subject.record.best_epoch)

    def frame_of(self, epoch: int) -> int:
        return int(np.abs(self.epochs - epoch).argmin())

    @cached_property
    def milestones(self) -> tuple[int, ...]:
        """Up to four frames: the start, one or two on the way down, the best, and the end."""
        end = len(self) - 1
        best = self.best if 0 < self.best < end else end
        shares = (0.25, 0.75) if best == end else (0.5,)
        frames = {0, *(self._at_share(share, best) for share in shares), best, end}
        while len(frames) < min(4, len(self)):  # the loss fell at once: fill the longest gap
            first, second = max(pairwise(sorted(frames)), key=lambda gap: gap[1] - gap[0])
            frames.add((first + second) // 2)
        return tuple(sorted(frames))

    def _at_share(self, share: float, best: int) -> int:
        """The first frame after the start at which a share of the fall to the best has passed."""
        fall = self.losses[0] - np.minimum.accumulate(self.losses[: best + 1])
        return max(1, int((fall >= share * fall[-1]).argmax())) if best > 1 else best


def recording_of(subject: Subject) -> Recording | None:
    """The recording of a run; None without at least two epochs of finite numbers."""
    path = subject.path
    if path is None or subject.rebuilt is None:
        return None
    finite = _finite(path)
    if finite < 2:
        return None
    chosen = chosen_epochs(finite - 1, _affordable(subject), _logged(subject))
    epochs = np.union1d(chosen, [min(subject.record.best_epoch, finite - 1)])
    params = np.asarray(path[epochs])
    objective = subject.experiment.objective()
    with np.errstate(all="ignore"):
        losses = np.array([objective.losses(one).value for one in params])
    count = _finite(losses[:, np.newaxis])
    if count < 2:
        return None
    params, is_cut = params[:count], count < len(epochs) or finite < len(path)
    val_losses, right = _val_losses(subject, params), _right(subject, params)
    return Recording(
        subject, epochs[:count], params, losses[:count], val_losses, right, len(path), is_cut
    )


def _finite(rows: Array) -> int:
    """How many rows come before the first that is not finite."""
    is_finite = np.isfinite(rows).all(axis=1)
    return len(rows) if is_finite.all() else int(is_finite.argmin())


def _affordable(subject: Subject) -> int:
    rows = sum(len(split) for split in subject.experiment.splits.values()) + _DRAWN_POINTS
    by_work = int(_MOST_WORK / max(1, rows * subject.network.n_params))
    by_size = MOST_WEIGHT_BYTES // min(subject.network.n_params, MOST_SHOWN_WEIGHTS)
    return max(_FEWEST_FRAMES, min(MOST_FRAMES, by_work, by_size))


MOST_SHOWN_WEIGHTS = 6000
"""The most weights that are drawn; of larger matrices, some rows and columns are left out."""


def _logged(subject: Subject) -> tuple[Array, Array] | None:
    """The logged epochs and their losses, if there are any."""
    if "loss" not in subject.keys:
        return None
    epochs, losses = subject.series("loss")
    is_usable = np.isfinite(losses) & (losses > 0)
    return (epochs[is_usable], losses[is_usable]) if is_usable.sum() > 1 else None


def chosen_epochs(last: int, most: int, logged: tuple[Array, Array] | None) -> Array:
    """At most `most` of the epochs 0 … `last`: all, or more of them where the loss changes fast.

    Half of the frames are evenly spaced in time, the other half in the changes of ln(loss).
    """
    every = np.arange(last + 1)
    if last < most:
        return every
    progress = every / last
    if logged is not None:
        changes = np.abs(np.diff(np.log(np.interp(every, *logged)), prepend=np.nan))
        changes[0] = 0
        if changes.sum() > 0:
            progress = progress + np.cumsum(changes) / changes.sum()
    wanted = np.linspace(0, progress[-1], most)
    chosen: Array = np.unique(np.interp(wanted, progress, every).round().astype(np.intp))
    return chosen


def _val_losses(subject: Subject, params: Array) -> Vector | None:
    """The mean loss of the validation set at each frame; None if there is none."""
    experiment = subject.experiment
    if not len(experiment.splits["val"]):
        return None
    objective = NetworkObjective(experiment.network, experiment.rows("val"))
    with np.errstate(all="ignore"):
        return np.array([objective.mean_loss(one) for one in params])


def _right(subject: Subject, params: Array) -> Array | None:
    """The training rows (F,) whose class is predicted; None if the targets are not classes."""
    experiment = subject.experiment
    labels = experiment.splits["train"].labels
    if labels is None:
        return None
    network, preprocessor = experiment.network, experiment.preprocessor
    objective = NetworkObjective(network, experiment.rows("train"))
    classes = (predictions(network, objective.outputs(one), preprocessor).classes for one in params)
    return np.array([int(np.count_nonzero(each == labels)) for each in classes])
