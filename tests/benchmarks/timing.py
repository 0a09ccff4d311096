"""Times that can be compared: interleaved repeats, and none that others disturbed.

A repeat during which other processes used more than a few percent of the machine is thrown away
and made again, a few times; if the machine never gets quiet, the quietest is kept and flagged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from benchmarks.machine import ForeignMeter

FOREIGN_LIMIT = 0.04
_MOST_EPOCHS = 1_000_000


@dataclass(frozen=True)
class Patience:
    """How long a repeat lasts, how many there are, and how often a disturbed one is made again."""

    seconds: float = 0.6
    repeats: int = 5
    retries: int = 6
    pause: float = 0.5


@dataclass
class Series:
    """The repeats of one subject."""

    seconds: list[float] = field(default_factory=list)
    thrown_away: int = 0
    disturbed: int = 0

    @property
    def median(self) -> float:
        return median(self.seconds)


@dataclass(frozen=True)
class Subject:
    """What is timed: `work` gives its seconds, `own` the processor time that it used so far."""

    work: Callable[[], float]
    own: Callable[[], float]


def interleaved(subjects: Mapping[str, Subject], patience: Patience) -> dict[str, Series]:
    """A B C A B C …: what drifts meets all subjects alike."""
    series = {name: Series() for name in subjects}
    for _ in range(patience.repeats):
        for name, subject in subjects.items():
            _add_repeat(series[name], subject, patience)
    return series


def _add_repeat(series: Series, subject: Subject, patience: Patience) -> None:
    meter, quietest = ForeignMeter(subject.own), (float("inf"), 0.0)
    for attempt in range(patience.retries + 1):
        meter.start()
        seconds = subject.work()
        quietest = min(quietest, (meter.share(), seconds))
        if quietest[0] <= FOREIGN_LIMIT or attempt == patience.retries:
            break
        series.thrown_away += 1
        time.sleep(patience.pause)
    series.seconds.append(quietest[1])
    series.disturbed += quietest[0] > FOREIGN_LIMIT


def epochs_for(run: Callable[[int], float], seconds: float) -> int:
    """How many epochs take about that long, found by runs that become longer."""
    epochs = 1
    while True:
        taken = max(run(epochs), 1e-6)
        wanted = min(max(round(epochs * seconds / taken), 1), _MOST_EPOCHS)
        if wanted <= 4 * epochs:
            return wanted
        epochs = min(wanted, 50 * epochs)
