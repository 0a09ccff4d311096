"""When training ends, and which parameters count as the best.

Both read `Epoch` records; the loop does not know of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from bpcli.nn.arrays import Vector
from bpcli.training.loop import Epoch


class Best:
    """The epoch of lowest validation loss; without a validation part, the latest."""

    def __init__(self) -> None:
        self.number = 0
        self.val_loss = math.inf
        self.params: Vector | None = None

    def see(self, epoch: Epoch) -> None:
        """Take this epoch if it is better; a tie keeps the earlier one."""
        loss = epoch.val_loss
        if self.params is None or loss is None or loss < self.val_loss:
            self.number, self.params = epoch.number, epoch.params
            self.val_loss = math.inf if loss is None or math.isnan(loss) else loss


@dataclass(frozen=True)
class StopRules:
    """The thresholds that end training; None for a rule that was not asked for."""

    epochs: int
    goal: float | None = None
    min_grad: float | None = None
    max_fail: int | None = None
    max_seconds: float | None = None

    @property
    def need_every_epoch(self) -> bool:
        """Whether a rule would be met at another epoch if it missed one."""
        return any(rule is not None for rule in (self.goal, self.min_grad, self.max_fail))


@dataclass
class Criterion:
    """One rule: what it measures, at the start and now, and the target that ends training."""

    name: str
    meaning: str
    target: float
    measure: Callable[[Epoch], float]
    falls: bool = False
    start: float | None = None
    now: float | None = None

    def see(self, epoch: Epoch) -> bool:
        """Measure; true when the target is reached."""
        self.now = self.measure(epoch)
        if self.start is None:
            self.start = self.now
        return self.now <= self.target if self.falls else self.now >= self.target


class Stopping:
    """Watches the epochs and names the first rule, in the order of the table, that is met."""

    def __init__(self, rules: StopRules, best: Best) -> None:
        possible = [
            ("goal", "loss", rules.goal, lambda e: e.loss, True),
            ("min_grad", "gradient norm", rules.min_grad, lambda e: e.grad_norm, True),
            (
                "max_fail",
                "epochs since the best validation loss",
                rules.max_fail,
                lambda e: e.number - best.number,
                False,
            ),
            ("max_seconds", "seconds", rules.max_seconds, lambda e: e.seconds, False),
            ("epochs", "epochs", rules.epochs, lambda e: e.number, False),
        ]
        self.criteria = [
            Criterion(name, meaning, target, measure, falls)
            for name, meaning, target, measure, falls in possible
            if target is not None
        ]

    def see(self, epoch: Epoch) -> str | None:
        """The name of the rule that ends training at this epoch, or None."""
        met = [rule.name for rule in self.criteria if rule.see(epoch)]
        return met[0] if met else None
