"""What a training exchanges with a cluster, and how long it waits for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Traffic:
    """Counts since a training began.

    `seconds` is the time of all evaluations, `waiting_seconds` that in which the threads of the
    workers computed nothing: they waited for parameters, for each other, or for the sums to be
    sent. `bytes_sent` and `bytes_received` count arrays and pickled rows, without their envelopes.
    `repeated_shards` and `repeated_trainings` were begun again, because a worker was lost or did
    not answer.
    """

    evaluations: int = 0
    seconds: float = 0.0
    waiting_seconds: float = 0.0
    bytes_sent: int = 0
    bytes_received: int = 0
    lost_workers: int = 0
    repeated_shards: int = 0
    repeated_trainings: int = 0

    @property
    def text(self) -> str:
        """The counts per evaluation in one line, and what was lost."""
        count = max(1, self.evaluations)
        sent, received = (_megabytes(n / count) for n in (self.bytes_sent, self.bytes_received))
        seconds, waiting = (f"{s / count:.3g}" for s in (self.seconds, self.waiting_seconds))
        text = f"per evaluation {sent} sent, {received} received, {waiting} of {seconds} s waiting"
        if self.lost_workers:
            text += f"; {self.lost_workers} times a worker was lost or late"
        if self.repeated_shards:
            text += f", {self.repeated_shards} shards were computed again"
        return text


def _megabytes(count: float) -> str:
    return f"{count / 1e6:.3g} MB"
