"""Progress as plain lines for logs and pipes, or no progress at all."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from bpcli.terminal.progress.rows import Columns, RowEpochs, ScoresOf
from bpcli.terminal.training import header

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection
    from bpcli.runs.run_json import RunRecord
    from bpcli.terminal.console import Console
    from bpcli.terminal.stream import Stream
    from bpcli.training.epoch import Epoch
    from bpcli.training.stopping import Stopping


class SilentView:
    """Shows nothing of a training, or of several that are compared."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def on_start(self, record: RunRecord, stopping: Stopping) -> None: ...

    def on_cluster(self, cluster: ClusterConnection) -> None: ...

    def on_trial_start(self, label: str, seed: int, epochs: int) -> None: ...

    def next_due(self, number: int) -> int:
        return sys.maxsize

    def on_epoch(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None: ...

    def on_trial_end(self, trial: Any) -> None: ...


class QuietView(SilentView):
    """Prints the warnings of a new training, once for all folds, and nothing else."""

    says_warnings = True
    """Whether it prints them; a Python program gets them as Python warnings."""

    def __init__(self, stream: Stream | Console) -> None:
        self._stream = stream

    def on_start(self, record: RunRecord, stopping: Stopping) -> None:
        is_first = not record.resumed and (record.fold is None or record.fold.number == 1)
        if is_first and self.says_warnings:
            for warning in record.warnings:
                self._stream.say(f"warning: {warning}")


class PlainView(QuietView):
    """Prints a line every so many epochs; on a terminal, only the columns that fit on it."""

    _WIDTH = 12

    def __init__(self, stream: Stream | Console, columns: Columns, rows: RowEpochs) -> None:
        super().__init__(stream)
        self._columns = columns
        self._rows = rows
        self._cluster: ClusterConnection | None = None

    def on_cluster(self, cluster: ClusterConnection) -> None:
        self._cluster = cluster
        self._stream.say(cluster.description)

    def on_start(self, record: RunRecord, stopping: Stopping) -> None:
        super().on_start(record, stopping)
        self._stream.show_facts(header(record))
        self._print(self._columns.names)

    def next_due(self, number: int) -> int:
        return self._rows.after(number)

    def on_epoch(self, epoch: Epoch, scores: ScoresOf, is_last: bool) -> None:
        if is_last or epoch.number in self._rows:
            self._print(self._columns.row(epoch, scores.of(epoch)))
        if is_last and self._cluster is not None:
            self._stream.say(self._cluster.progress)

    def _print(self, cells: list[str]) -> None:
        widths = [max(self._WIDTH, len(name)) for name in self._columns.names]
        widths[0] = 8
        line = "  ".join(cells[index].rjust(widths[index]) for index in self._shown())
        self._stream.say(line)

    def _shown(self) -> Sequence[int]:
        """The indices of the columns to show; a pipe or a file has no width."""
        width = getattr(self._stream, "width", None)
        if width is None:
            return range(len(self._columns.names))
        return self._columns.that_fit(width)
