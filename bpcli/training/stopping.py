"""The rules that end training, and the choice of the best parameters.

Both read `Epoch` records; the loop does not know them. `memory` returns the values that they keep
of earlier epochs, as arrays by name; `restore` sets them when training resumes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.training.epoch import Epoch

Memory: TypeAlias = Mapping[str, Array]
"""Values of earlier epochs, by name; a number is an array of shape ()."""


class Best:
    """The epoch of lowest validation loss; without a validation set, the latest."""

    def __init__(self) -> None:
        self.number = 0
        self.val_loss = math.inf
        self.params: Vector | None = None

    def update(self, epoch: Epoch) -> None:
        """Take this epoch if it is better; a tie keeps the earlier one."""
        loss = epoch.val_loss
        if self.params is None or loss is None or loss < self.val_loss:
            self.number, self.params = epoch.number, epoch.params
            self.val_loss = math.inf if loss is None or math.isnan(loss) else loss

    def memory(self) -> Memory:
        """The best epoch so far; empty before the first update."""
        if self.params is None:
            return {}
        return {
            "number": np.asarray(self.number),
            "val_loss": np.asarray(self.val_loss),
            "params": self.params,
        }

    def restore(self, memory: Memory) -> None:
        """Restore the best epoch of a checkpoint."""
        if memory:
            self.number, self.val_loss = memory["number"].item(), memory["val_loss"].item()
            self.params = memory["params"]


Watched: TypeAlias = Literal["loss", "val_loss", "val_score"]

_WATCHED: dict[Watched, str] = {
    "loss": "loss",
    "val_loss": "validation loss",
    "val_score": "validation score",
}
"""What a plateau is of: the objective, or the loss or the score of the validation set."""


@dataclass(frozen=True)
class PlateauRule:
    """More than `epochs` epochs in a row in which the best value did not improve by `tol`."""

    tol: float = 1e-4
    epochs: int = 10
    of: Watched = "loss"


@dataclass(frozen=True)
class StopRules:
    """The thresholds that end training; None for a rule that is off.

    `generalization_loss` and `progress` are tested at the end of each strip of `strip` epochs.
    """

    epochs: int
    goal: float | None = None
    min_grad: float | None = None
    max_fail: int | None = None
    plateau: PlateauRule | None = None
    generalization_loss: float | None = None
    progress: float | None = None
    strip: int = 5
    max_seconds: float | None = None

    @property
    def need_every_epoch(self) -> bool:
        """Whether skipping an epoch could change when a rule is met."""
        rules = (
            self.goal,
            self.min_grad,
            self.max_fail,
            self.plateau,
            self.generalization_loss,
            self.progress,
        )
        return any(rule is not None for rule in rules)


Measure: TypeAlias = Callable[[Epoch], float | None]
"""The value that a rule compares; None for an epoch that it skips."""


class RememberingMeasure:
    """A measure that remembers losses of earlier epochs, or other numbers.

    `of` says what they are of, if that may be changed on resume: then it begins anew.
    """

    of: str = ""

    def __call__(self, epoch: Epoch) -> float | None:
        raise NotImplementedError

    def losses(self) -> list[float]:
        """The remembered losses."""
        raise NotImplementedError

    def restore(self, losses: list[float]) -> None:
        """Restore the losses of a checkpoint."""
        raise NotImplementedError


@dataclass
class Criterion:
    """One rule: its measure, the first and the latest value, and the target that ends training.

    `is_fresh` says whether the latest value is of the latest epoch.
    """

    name: str
    meaning: str
    target: float
    measure: Measure
    falls: bool = False
    start: float | None = None
    now: float | None = None
    is_fresh: bool = False

    def update(self, epoch: Epoch) -> bool:
        """Measure an epoch; return whether it reaches the target."""
        measured = self.measure(epoch)
        self.is_fresh = measured is not None
        if measured is None:
            return False
        self.now = measured
        if self.start is None:
            self.start = measured
        return self.is_met

    @property
    def is_met(self) -> bool:
        """Whether the latest epoch reached the target."""
        if self.now is None or not self.is_fresh:
            return False
        return self.now <= self.target if self.falls else self.now >= self.target

    @property
    def saved_as(self) -> str:
        """The name of its memory, which says what the values are of."""
        of = self.measure.of if isinstance(self.measure, RememberingMeasure) else ""
        return f"{self.name}_{of}" if of else self.name

    def memory(self) -> Memory:
        """The first and the latest value, and the losses that the measure remembers."""
        memory: dict[str, Array] = {}
        if self.start is not None and self.now is not None:
            memory |= {"start": np.asarray(self.start), "now": np.asarray(self.now)}
            memory["is_fresh"] = np.asarray(self.is_fresh)
        if isinstance(self.measure, RememberingMeasure):
            memory["losses"] = np.asarray(self.measure.losses(), np.float64)
        return memory

    def restore(self, memory: Memory) -> None:
        """Restore the values of a checkpoint; a new rule has none."""
        if "start" in memory:
            self.start, self.now = memory["start"].item(), memory["now"].item()
            self.is_fresh = memory["is_fresh"].item()
        if isinstance(self.measure, RememberingMeasure) and "losses" in memory:
            self.measure.restore(memory["losses"].tolist())


class Plateau(RememberingMeasure):
    """How many epochs in a row, up to this one, did not improve the best value by `tol`.

    A loss improves if it is at most the lowest of all earlier epochs minus `tol`, a score if it is
    at least the highest plus `tol`. It begins with epoch 1. NaN is no improvement.
    The rule of scikit-learn's `tol` and `n_iter_no_change`.
    """

    def __init__(self, rule: PlateauRule) -> None:
        self._rule = rule
        self.of = rule.of
        self._lowest, self._count = math.inf, 0.0

    def __call__(self, epoch: Epoch) -> float | None:
        if epoch.number == 0:
            return None
        loss = self._value(epoch)
        improved = loss <= self._lowest - self._rule.tol
        self._count = 0.0 if improved else self._count + 1
        self._lowest = min(self._lowest, loss)  # in this order, it ignores NaN
        return self._count

    def _value(self, epoch: Epoch) -> float:
        """The watched value, with the sign of a loss: smaller is better."""
        if self._rule.of == "loss":
            return epoch.loss
        value = epoch.val_loss if self._rule.of == "val_loss" else epoch.val_score
        assert value is not None, "the config requires a validation set"
        return -value if self._rule.of == "val_score" else value

    def losses(self) -> list[float]:
        """The lowest value and the count."""
        return [self._lowest, self._count]

    def restore(self, losses: list[float]) -> None:
        self._lowest, self._count = losses


class GeneralizationLoss(RememberingMeasure):
    """How many percent the validation loss is above its minimum, at the end of each strip.

        GL(t) = 100 (E_va(t) / min_{t' ≤ t} E_va(t') - 1)

    where t' are only the ends of strips: the loss of the first epochs fluctuates, and one low value
    would end training after the next strip. Prechelt 1994, PROBEN1, TR 21/94 Karlsruhe; Prechelt
    1998, Neural Networks 11, 761.
    """

    def __init__(self, strip: int) -> None:
        self._strip = strip
        self._lowest = math.inf

    def __call__(self, epoch: Epoch) -> float | None:
        if not _ends_strip(epoch, self._strip) or epoch.val_loss is None:
            return None
        self._lowest = min(self._lowest, epoch.val_loss)
        return 100 * _excess(epoch.val_loss, self._lowest)

    def losses(self) -> list[float]:
        return [self._lowest]

    def restore(self, losses: list[float]) -> None:
        (self._lowest,) = losses


class Progress(RememberingMeasure):
    """How many thousandths the mean loss of a strip of k epochs is above its minimum.

        P_k(t) = 1000 (Σ_{t' = t-k+1 … t} E_tr(t') / (k min_{t' = t-k+1 … t} E_tr(t')) - 1)

    at the end t of each strip, with E_tr the loss that training minimises. Prechelt as above.
    """

    def __init__(self, strip: int) -> None:
        self._losses: deque[float] = deque(maxlen=strip)
        self._strip = strip

    def __call__(self, epoch: Epoch) -> float | None:
        self._losses.append(epoch.loss)
        if not _ends_strip(epoch, self._strip):
            return None
        return 1000 * _excess(sum(self._losses) / self._strip, min(self._losses))

    def losses(self) -> list[float]:
        return list(self._losses)

    def restore(self, losses: list[float]) -> None:
        self._losses.extend(losses)


def _ends_strip(epoch: Epoch, length: int) -> bool:
    return epoch.number > 0 and epoch.number % length == 0


def _excess(value: float, lowest: float) -> float:
    """The relative excess of a value over the lowest."""
    if lowest == 0:
        return 0.0 if value == 0 else math.inf
    return value / lowest - 1


class Stopping:
    """Checks the rules after each epoch; `reason` is the name of the first that is met, or None."""

    reason: str | None = None

    def __init__(self, rules: StopRules, best: Best) -> None:
        self.best = best
        plateau = rules.plateau or PlateauRule()
        possible: list[tuple[str, str, float | None, Measure, bool]] = [
            ("goal", "loss", rules.goal, lambda e: e.loss, True),
            ("min_grad", "gradient norm", rules.min_grad, lambda e: e.grad_norm, True),
            (
                "max_fail",
                "epochs since the best validation loss",
                rules.max_fail,
                lambda e: e.number - best.number,
                False,
            ),
            (
                "plateau",
                f"epochs in a row without a better {_WATCHED[plateau.of]}",
                None if rules.plateau is None else plateau.epochs + 1,
                Plateau(plateau),
                False,
            ),
            (
                "generalization_loss",
                "% above the lowest validation loss",
                rules.generalization_loss,
                GeneralizationLoss(rules.strip),
                False,
            ),
            (
                "progress",
                "per mille above the strip's lowest loss",
                rules.progress,
                Progress(rules.strip),
                True,
            ),
            ("max_seconds", "seconds", rules.max_seconds, lambda e: e.seconds, False),
            ("epochs", "epochs", rules.epochs, lambda e: e.number, False),
        ]
        self.criteria = [
            Criterion(name, meaning, target, measure, falls)
            for name, meaning, target, measure, falls in possible
            if target is not None
        ]

    def update(self, epoch: Epoch) -> str | None:
        """The name of the rule that ends training at this epoch, or None."""
        met = [rule.name for rule in self.criteria if rule.update(epoch)]
        self.reason = met[0] if met else None
        return self.reason

    def memory(self) -> Memory:
        """The rules' memories, with names `rule.name`."""
        return {
            f"{rule.saved_as}.{name}": array
            for rule in self.criteria
            for name, array in rule.memory().items()
        }

    def restore(self, memory: Memory) -> None:
        """Restore the rules' memories of a checkpoint."""
        for rule in self.criteria:
            rule.restore(under(f"{rule.saved_as}.", memory))
        self.reason = next((rule.name for rule in self.criteria if rule.is_met), None)


def under(prefix: str, memory: Memory) -> dict[str, Array]:
    """The entries whose names start with the prefix, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in memory.items()
        if name.startswith(prefix)
    }
