"""Where trainings run: in processes of this machine, or on a cluster (`remote.py`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from bpcli.nn.numerics import repeatable_numerics
from bpcli.sweeps.training import Training, run_training
from bpcli.system import Child, wait_for


class Seat(Protocol):
    """A training that was begun."""

    @property
    def has_answer(self) -> bool:
        """Whether it has ended."""
        ...

    def answer(self) -> str | None:
        """Why it failed, empty if it did not; None if its process has ended before that."""
        ...

    @property
    def fate(self) -> str:
        """How a process ended that gave no answer."""
        ...

    def stop(self) -> None:
        """Ask it to end soon, and to save its run."""
        ...

    def close(self) -> None:
        """End it at once."""
        ...


S = TypeVar("S", bound=Seat)


class Place(Protocol, Generic[S]):
    """Begins trainings; each has its run in the folder of the trainings when it has ended."""

    @property
    def slots(self) -> int:
        """The number of trainings that can run at once now, at least one."""
        ...

    def begin(self, training: Training) -> S:
        """Begin a training, or continue it."""
        ...

    def release(self, seat: S) -> None:
        """Take back what a training used that has ended with an answer."""
        ...

    def wait(self, seats: Sequence[S], seconds: float) -> None:
        """Wait until one of some trainings has ended, but at most for so many seconds."""
        ...

    def close(self) -> None:
        """Release everything; no training is running."""
        ...


class Processes:
    """So many processes of this machine, which are copies of this one.

    `trainings` may grow: a process knows those that there were when it began, so another one takes
    its place if there are more now.
    """

    def __init__(self, folder: Path, trainings: Mapping[str, Training], count: int) -> None:
        self.slots = count
        self._trainings = trainings
        self._work: Callable[[str], str] = partial(_work, trainings, folder)
        self._idle: list[Child] = []
        self._known: dict[Child, int] = {}

    def begin(self, training: Training) -> Child:
        with repeatable_numerics():  # so that BLAS has one thread in the child
            child = self._idle_child() or Child(self._work)
            self._known.setdefault(child, len(self._trainings))
            child.begin(f"{training.name} {training.until or ''}")
        return child

    def _idle_child(self) -> Child | None:
        """A process without work that knows all trainings, and was not killed meanwhile."""
        while self._idle:
            child = self._idle.pop()
            if self._known[child] == len(self._trainings) and not child.has_ended:
                return child
            child.close()
            del self._known[child]
        return None

    def release(self, seat: Child) -> None:
        self._idle.append(seat)

    def wait(self, seats: Sequence[Child], seconds: float) -> None:
        wait_for(seats, seconds)

    def close(self) -> None:
        for child in self._idle:
            child.close()


def _work(trainings: Mapping[str, Training], folder: Path, piece: str) -> str:
    """Run the training of a name, up to an epoch if there is one; return why it failed."""
    name, _, until = piece.partition(" ")
    return run_training(replace(trainings[name], until=int(until) if until else None), folder)
