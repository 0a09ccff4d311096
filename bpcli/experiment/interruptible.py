"""Work in long epochs, which a request to stop may cut short."""

from __future__ import annotations

import numpy.typing as npt

from bpcli.experiment.interrupts import StopRequest
from bpcli.nn.arrays import Array
from bpcli.training.workers import Crew, Runner, Task


class Interruptible(Crew):
    """A crew that leaves a long epoch after the shard at hand; of no use from then on."""

    def __init__(self, crew: Crew, request: StopRequest) -> None:
        self._crew, self._request = crew, request

    def share(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        return self._crew.share(shape, dtype)

    def prepare(self, task: Task) -> Runner:
        def do_unless_abandoned(number: int) -> None:
            self._request.check()
            task(number)

        return self._crew.prepare(do_unless_abandoned)

    def close(self) -> None:
        self._crew.close()
