"""When a training ends: by a stop rule, by its optimizer, by an observer, or by a signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from bpcli.experiment import Experiment
from bpcli.runs.checkpoint import Checkpoint
from bpcli.training.epoch import Epoch
from bpcli.training.stopping import Best, PlateauRule, Stopping, StopRules
from bpcli.workflows.interrupts import StopRequest

Observer: TypeAlias = Callable[[Epoch], object]
"""Called once after every epoch, also after epoch 0; training ends if it returns a true value."""


def stop_rules(experiment: Experiment) -> StopRules:
    """Return the stop rules of the config."""
    training = experiment.spec.training
    rules = training.stop.model_dump()
    if rules["plateau"] is not None:
        rules["plateau"] = PlateauRule(**rules["plateau"])
    return StopRules(epochs=training.epochs, **rules)


def needs_every_epoch(experiment: Experiment) -> bool:
    """True if the best epoch is sought, or a rule measures a value that changes every epoch."""
    return bool(len(experiment.splits["val"])) or stop_rules(experiment).need_every_epoch


class StopDecision:
    """Decides after each epoch whether training ends there, and keeps the best epoch so far.

    A training that is resumed begins with the epoch of its checkpoint `start`, which the rules and
    the observers have seen before.
    """

    def __init__(
        self,
        rules: StopRules,
        request: StopRequest,
        start: Checkpoint | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.best = Best()
        self.stopping = Stopping(rules, self.best)
        self._request = request
        self._measured_before = None if start is None else start.number
        self._observers = observers
        self._observed = -1 if start is None else start.number
        if start is not None:
            self.best.restore(start.best)
            self.stopping.restore(start.stopping)

    @property
    def signal_number(self) -> int | None:
        """The signal that asked training to stop, if any."""
        return self._request.signal_number

    def after(self, epoch: Epoch) -> str | None:
        """Return the reason to stop after this epoch; None to continue."""
        if epoch.number != self._measured_before:
            self.best.update(epoch)
            self.stopping.update(epoch)
        is_asked = self._observe(epoch)
        if self.signal_number is not None:
            return "interrupted"
        if self.stopping.reason is None and epoch.ended is not None:
            return epoch.ended.reason
        return self.stopping.reason or ("callback" if is_asked else None)

    def _observe(self, epoch: Epoch) -> bool:
        """Call all observers; return whether one of them ends training.

        Where training diverges, an earlier epoch is repeated: they have seen it.
        """
        if epoch.number <= self._observed:
            return False
        self._observed = epoch.number
        is_asked = False
        for observer in self._observers:
            is_asked |= bool(observer(epoch))
        return is_asked
