"""The numbers that findings are judged by, computed once from what is known of a run."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bpcli.config.writing import inline
from bpcli.data.types import SPLITS, SplitName
from bpcli.engine.rows import RowBlocks
from bpcli.experiment import Experiment
from bpcli.metrics.measures import Scores
from bpcli.nn.arrays import Array
from bpcli.runs.layout import RESOLVED
from bpcli.runs.run_json import RunRecord
from bpcli.runs.subject import Subject

_STANDARD_ERRORS = 2.0

STUCK = 0.98
"""A loss from this fraction of the constant baseline's on is that of a network that has learned
nothing. Fitting p parameters to n rows of noise lowers the squared error by p/n: 2 % are 2
effective parameters for 100 rows."""

FEW_UPDATES = 10
"""A training of fewer updates of the weights has hardly begun, unless it fits already."""

_SMALL = 1e-3
"""A loss below this fraction of the constant baseline's is that of a good fit."""


class Curve(NamedTuple):
    """The epochs (k,) of some log lines, and a finite number of each."""

    epochs: Array
    values: Array

    def __bool__(self) -> bool:
        return len(self.values) > 0

    def since(self, share: float) -> Curve:
        """The lines from this share of the last epoch on."""
        chosen = self.epochs >= share * self.epochs[-1]
        return Curve(self.epochs[chosen], self.values[chosen])

    def at(self, share: float) -> float:
        """The value of the first line from this share of the last epoch on."""
        return float(self.since(share).values[0])

    def before(self, share: float) -> float:
        """The value of the last line up to this share of the last epoch; else the first one."""
        number = int(np.searchsorted(self.epochs, share * self.epochs[-1], side="right"))
        return float(self.values[max(0, number - 1)])

    @property
    def first(self) -> float:
        return float(self.values[0])

    @property
    def last(self) -> float:
        return float(self.values[-1])

    @property
    def lowest(self) -> tuple[int, float]:
        """The epoch of the lowest value, and the value."""
        where = int(self.values.argmin())
        return int(self.epochs[where]), float(self.values[where])


@dataclass(frozen=True)
class Evidence:
    """What is known of a run."""

    subject: Subject

    @property
    def record(self) -> RunRecord:
        return self.subject.record

    @property
    def experiment(self) -> Experiment:
        return self.subject.experiment

    # The log.

    def curve(self, key: str) -> Curve:
        """The finite values of a key of the log; empty if there are none."""
        epochs, values = self.subject.series(key)
        known = np.isfinite(values)
        return Curve(epochs[known], values[known])

    @cached_property
    def loss(self) -> Curve:
        """The mean training loss, without L2; the minimised loss if that is all there is."""
        return self.curve("train.loss") or self.curve("loss")

    @cached_property
    def val_loss(self) -> Curve:
        return self.curve("val.loss")

    @cached_property
    def grad_norm(self) -> Curve:
        return self.curve("grad_norm")

    @cached_property
    def scores(self) -> Scores:
        """The scores of the weights by path; without a record of them, those of the last line."""
        known: Scores = dict(self.record.metrics)
        if not known and self.subject.lines:
            known |= self.subject.lines[-1].metrics
        return known

    # Losses beside those of a constant prediction.

    def constant(self, name: SplitName) -> float | None:
        """The mean loss of the constant baseline; None if it has none, or it is 0."""
        if self.subject.rebuilt is None:
            return self._recorded_constant(name) or None
        has_rows = bool(self.rows(name) and self.rows("train"))
        return (self.experiment.constant_loss(name) or None) if has_rows else None

    def _recorded_constant(self, name: SplitName) -> float | None:
        """The same from the record alone, which has the shares of the classes."""
        shares = np.array(self.record.constant)
        if name != "train" or self.record.task != "classification" or not (shares > 0).all():
            return None
        is_likelihood = self.record.loss in ("binary_cross_entropy", "cross_entropy")
        return float(-(shares * np.log(shares)).sum()) if is_likelihood else None

    def remaining(self, name: SplitName) -> float | None:
        """The network's loss as a fraction of the constant baseline's; None if unknown."""
        loss, constant = self.scores.get(f"{name}.loss"), self.constant(name)
        if loss is None or constant is None or not math.isfinite(loss):
            return None
        return loss / constant

    def has_learned(self, most: float) -> bool:
        """Whether the training loss is at most this fraction of the constant baseline's.

        Without a constant baseline to compare with, it has.
        """
        remaining = self.remaining("train")
        return remaining is None or remaining <= most

    @property
    def has_learned_later(self) -> bool:
        """Whether the last log line has a training loss below the constant baseline's.

        Then the network has learned, even if the weights of an earlier epoch were kept.
        """
        curve, constant = self.curve("train.loss"), self.constant("train")
        return bool(curve) and constant is not None and curve.last < STUCK * constant

    def has_better_accuracy(self, name: SplitName) -> bool:
        """Whether the accuracy is clearly higher than that of the most frequent class.

        By two standard errors of the latter. A loss can be large, and yet the classes right, if a
        network is too sure of itself where it is wrong.
        """
        path = f"{name}.accuracy"
        accuracy = self.scores.get(path)
        usual = self.record.baselines.get("constant", {}).get(path)
        if accuracy is None or usual is None:
            return False
        error = math.sqrt(usual * (1 - usual) / self.rows(name))
        return accuracy > usual + _STANDARD_ERRORS * error

    @property
    def is_good_fit(self) -> bool:
        """Whether the training loss is known to be a tiny fraction of the constant baseline's."""
        return self.is_small(self.scores.get("train.loss"))

    def is_small(self, loss: float | None) -> bool:
        """Whether a training loss is known to be a tiny fraction of the constant baseline's."""
        constant = self.constant("train")
        return loss is not None and constant is not None and loss < _SMALL * constant

    # Rows.

    def rows(self, name: SplitName) -> int:
        return int(vars(self.record.rows)[name])

    def blocks(self, name: SplitName) -> RowBlocks:
        return self.experiment.rows(name)

    @property
    def held_out(self) -> SplitName | None:
        """The split to judge by: the test set, else the validation set; None without either."""
        name = self.last_split
        return None if name == "train" else name

    @property
    def last_split(self) -> SplitName:
        """The last split that has rows."""
        return next((name for name in reversed(SPLITS) if self.rows(name)), "train")

    # The config, and commands that change it.

    @property
    def rate(self) -> float | None:
        """The learning rate of the first epoch; None if the optimizer has none."""
        rate = self.record.learning_rate
        if isinstance(rate, Mapping):
            start = rate["start"]
            return float(start) if isinstance(start, int | float) else None
        return rate

    @property
    def rate_key(self) -> str:
        is_varying = isinstance(self.record.learning_rate, Mapping)
        return "training.learning_rate.start" if is_varying else "training.learning_rate"

    @property
    def optimizer(self) -> str:
        return str(self.record.optimizer["name"])

    @property
    def output(self) -> str:
        return str(self.record.layers[-1].activation["name"])

    @property
    def is_hardly_trained(self) -> bool:
        """Whether the epochs ended after very few updates, one for each batch."""
        size = self.record.batch_size
        batches = 1 if isinstance(size, str) else max(1, self.rows("train") // size)
        return self.record.stop_reason == "epochs" and self.record.epochs * batches < FEW_UPDATES

    @property
    def is_full_batch(self) -> bool:
        return self.record.batch_size == "full"

    @property
    def advice(self) -> str | None:
        """What is wrong with the scales, and how to set them; None if all is well or unknown."""
        return self.experiment.scales.advice if self.has_rows else None

    @cached_property
    def has_rows(self) -> bool:
        """Whether the network and the training rows could be rebuilt."""
        return self.subject.rebuilt is not None and bool(len(self.experiment.splits["train"]))

    def train_with(self, *settings: str, command: str = "train", options: str = "") -> str:
        """A command that trains the run's config with other values; empty if that is unknown."""
        if self.subject.folder is None or (not settings and not options):
            return ""
        path = _short(self.subject.folder / RESOLVED)
        words = ["bpnet", command, shlex.quote(str(path))]
        for setting in settings:
            words += ["--set", shlex.quote(setting)]
        return " ".join([*words, options]).strip()


def setting_of(named: Mapping[str, object]) -> str:
    """An activation or another named thing, with its options, as a setting has it."""
    return str(named["name"]) if len(named) == 1 else inline(dict(named))


def _short(path: Path) -> Path:
    """A path below the current folder from there."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except (OSError, ValueError):
        return path
