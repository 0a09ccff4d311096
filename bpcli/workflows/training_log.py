"""The log of a training: the epochs that get a line in metrics.jsonl, and its contents."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import NamedTuple

from bpcli.config.models import Training as TrainingConfig
from bpcli.experiment import Experiment
from bpcli.experiment.log_epochs import LogEpochs
from bpcli.nn.units import UnitCounts
from bpcli.runs.checkpoint import NOTHING, Checkpoint, Extent
from bpcli.runs.files import file_digest
from bpcli.runs.layout import METRICS, PATH
from bpcli.runs.metrics_log import LogLine, MetricsFile
from bpcli.runs.parameter_path import ParameterPath
from bpcli.runs.store import Run
from bpcli.training.loop import Epoch
from bpcli.workflows.scores import EpochScores, losses


class LogSizes(NamedTuple):
    """The number of bytes of metrics.jsonl and of rows of recorded parameters."""

    log_bytes: int
    path_rows: int


class TrainingLog:
    """Writes a line for some epochs and the last, and the parameters of all with `record_params`.

    Only some lines have metrics and counts of dead and saturated units, which cost another forward
    pass (`LogEpochs`).
    """

    def __init__(
        self, training: TrainingConfig, run: Run, file: MetricsFile, path: ParameterPath | None
    ) -> None:
        self._epochs = LogEpochs(training)
        self._run = run
        self._file = file
        self._path = path

    def has_line(self, number: int) -> bool:
        """True if an epoch gets a line even if it is not the last."""
        return number in self._epochs

    def next_due(self, number: int) -> int:
        """Return the next epoch that is written."""
        return number + 1 if self._path is not None else self._epochs.after(number)

    def on_epoch(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None:
        """Write an epoch to the log. Raises `RunError` if that fails."""
        if self._path is not None:
            self._path.add(epoch.params)
        if is_last or self.has_line(epoch.number):
            is_scored = is_last or epoch.number in self._epochs.metrics
            self._file.append(_line(epoch, scores if is_scored else None))

    @property
    def sizes(self) -> LogSizes:
        """The sizes of the files so far."""
        return LogSizes(self._file.size, 0 if self._path is None else self._path.rows)

    def extents(self, sizes: LogSizes) -> tuple[Extent, Extent]:
        """Return sizes and digests for a checkpoint; the sizes are from now or earlier.

        The files are synced first: a checkpoint relies on what was written before it.
        """
        self._file.sync()
        log = Extent(sizes.log_bytes, self._file.digest(sizes.log_bytes))
        if self._path is None:
            return log, NOTHING
        self._path.sync()
        return log, Extent(sizes.path_rows, self._path.digest(sizes.path_rows))

    def finish(self) -> dict[str, str]:
        """Write what remains after the last epoch; return the digest of each file."""
        digests = {METRICS: self._file.digest()}
        if self._path is not None:
            self._path.finish()
            digests[PATH] = file_digest(self._run.path(PATH))
        return digests


def open_log(
    experiment: Experiment, run: Run, start: Checkpoint | None, files: ExitStack
) -> TrainingLog:
    """Open the files of the log, truncated to where training begins; `files` closes them."""
    training, network = experiment.spec.training, experiment.network
    size, rows = (0, 0) if start is None else (start.log.size, start.path.size)
    file = files.enter_context(closing(MetricsFile(run.path(METRICS), size)))
    path = None
    if training.record_params:
        recorded = ParameterPath(run, network.n_params, experiment.dtype, rows)
        path = files.enter_context(closing(recorded))
    return TrainingLog(training, run, file, path)


def _line(epoch: Epoch, scores: EpochScores | None) -> LogLine:
    """Return the line of an epoch; with scores, it has metrics and counts of units."""
    dead, saturated = UnitCounts([], []) if scores is None else scores.units(epoch)
    return LogLine(
        epoch=epoch.number,
        loss=epoch.loss,
        grad_norm=epoch.grad_norm,
        grad_norms=[*epoch.grad_norms],
        diagnostics={**epoch.diagnostics},
        seconds=round(epoch.seconds, 6),
        metrics=losses(epoch) if scores is None else scores.of(epoch),
        dead_units=dead,
        saturated_units=saturated,
    )
