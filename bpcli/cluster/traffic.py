"""What a training exchanges with a cluster, and how long it waits for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Traffic:
    """Counts since a training began.

    `seconds` is the time of all evaluations, `waiting_seconds` that in which the threads of the
    workers computed nothing: they waited for parameters, for each other, or for the sums to be
    sent. `bytes_sent` and `bytes_received` count arrays and pickled rows, without their envelopes.
    `repeated_shards` were computed again, because a worker was lost or did not answer.
    """

    evaluations: int = 0
    seconds: float = 0.0
    waiting_seconds: float = 0.0
    bytes_sent: int = 0
    bytes_received: int = 0
    lost_workers: int = 0
    repeated_shards: int = 0

    @property
    def text(self) -> str:
        """The counts per evaluation in one line, and what was lost."""
        count = max(1, self.evaluations)
        parts = [
            f"{_megabytes(self.bytes_sent / count)} sent",
            f"{_megabytes(self.bytes_received / count)} received",
            f"{self.waiting_seconds / count * 1e3:.0f} of {self.seconds / count * 1e3:.0f} ms"
            " waiting",
        ]
        lost = f"; {self.lost_workers} workers lost" if self.lost_workers else ""
        repeated = f", {self.repeated_shards} shards repeated" if self.repeated_shards else ""
        return f"per epoch {', '.join(parts)}{lost}{repeated}"


def _megabytes(count: float) -> str:
    return f"{count / 1e6:.3g} MB"
