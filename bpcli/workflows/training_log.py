"""The log of a training: the epochs that get a line in metrics.jsonl, and its contents."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing
from typing import NamedTuple

from bpcli.config.models import Training as TrainingConfig
from bpcli.experiment import Experiment
from bpcli.experiment.log_epochs import LogEpochs
from bpcli.nn.arrays import Vector
from bpcli.nn.network import Network
from bpcli.nn.units import UnitCounts
from bpcli.runs.checkpoint import NOTHING, Checkpoint, Extent
from bpcli.runs.event_files import EventFile
from bpcli.runs.files import file_digest
from bpcli.runs.layout import METRICS, PATH
from bpcli.runs.metrics_log import LogLine, MetricsFile, read_log
from bpcli.runs.parameter_path import ParameterPath
from bpcli.runs.record import config_record
from bpcli.runs.store import Run
from bpcli.training.epoch import Epoch
from bpcli.workflows.scores import EpochScores, losses


class LogSizes(NamedTuple):
    """The number of bytes of metrics.jsonl and of rows of recorded parameters."""

    log_bytes: int
    path_rows: int


class TrainingEvents:
    """Writes the lines of the log for TensorBoard, and histograms of a few epochs.

    The distances between these epochs grow, so that there are about 25 in 20,000 epochs.
    """

    _GROWTH = 1.5

    def __init__(self, file: EventFile, network: Network) -> None:
        self._file = file
        self._network = network
        self._next = 0.0

    def add(self, line: LogLine, params: Vector, is_last: bool) -> None:
        """Write a line. Raises `RunError` if that fails."""
        self._file.add(line)
        if is_last or line.epoch >= self._next:
            self._next = max(1, self._GROWTH * line.epoch)
            self._file.add_histograms(line.epoch, self._network.tensors(params))


class TrainingLog:
    """Writes a line for some epochs and the last, and the parameters of all with `record_params`.

    Only some lines have metrics and counts of dead and saturated units, which cost another forward
    pass (`LogEpochs`).
    """

    def __init__(
        self,
        training: TrainingConfig,
        run: Run,
        file: MetricsFile,
        path: ParameterPath | None,
        earlier: Iterable[LogLine] = (),
        events: TrainingEvents | None = None,
    ) -> None:
        self._epochs = LogEpochs(training)
        self._run = run
        self._file = file
        self._path = path
        self._events = events
        self._kept = _SpacedLines()
        for line in earlier:
            self._kept.add(line)

    @property
    def lines(self) -> list[LogLine]:
        """The lines so far; of very many, some, the first and the latest among them."""
        return self._kept.all

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
            line = _line(epoch, scores if is_scored else None)
            self._file.append(line)
            self._kept.add(line)
            if self._events is not None:
                self._events.add(line, epoch.params, is_last)

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


class _SpacedLines:
    """Lines in memory: all, or every second, fourth … one if there are more than `_MOST_KEPT`."""

    def __init__(self) -> None:
        self._lines: list[LogLine] = []
        self._latest: list[LogLine] = []
        self._count, self._every = 0, 1

    def add(self, line: LogLine) -> None:
        if is_kept := self._count % self._every == 0:
            self._lines.append(line)
        self._latest = [] if is_kept else [line]
        self._count += 1
        if len(self._lines) > _MOST_KEPT:
            self._latest = self._latest or self._lines[-1:] * (len(self._lines) % 2 == 0)
            self._lines = self._lines[::2]
            self._every *= 2

    @property
    def all(self) -> list[LogLine]:
        return [*self._lines, *self._latest]


_MOST_KEPT = 2048
"""Lines of `log_every: auto` are fewer; each takes about a kilobyte."""


def open_log(
    experiment: Experiment,
    run: Run,
    start: Checkpoint | None,
    files: ExitStack,
) -> TrainingLog:
    """Open the files of the log, truncated to where training begins; `files` closes them."""
    training, network = experiment.spec.training, experiment.network
    size, rows = (0, 0) if start is None else (start.log.size, start.path.size)
    file = files.enter_context(closing(MetricsFile(run.path(METRICS), size)))
    path = None
    if training.record_params:
        recorded = ParameterPath(run, network.n_params, experiment.dtype, rows)
        path = files.enter_context(closing(recorded))
    earlier = [] if start is None else read_log(run.path(METRICS))
    first = earlier[-1].epoch + 1 if earlier else 0
    events = _open_events(experiment, run, first, files) if training.tensorboard else None
    return TrainingLog(training, run, file, path, earlier, events)


def _open_events(experiment: Experiment, run: Run, first: int, files: ExitStack) -> TrainingEvents:
    """Begin an event file behind the lines that the log keeps, at the epoch `first`."""
    file = files.enter_context(closing(EventFile(run, first)))
    values = config_record(experiment)
    with_effect = {key: value for key, value in values.items() if not _is_without_effect(key)}
    file.describe(experiment.config.resolved(), with_effect)
    return TrainingEvents(file, experiment.network)


def _is_without_effect(key: str) -> bool:
    """Whether a key of a config, or the section that it is in, changes no result."""
    from bpcli.config.sweep_checks import WITHOUT_EFFECT  # here: few trainings have event files

    return any(f"{key}.".startswith(f"{each}.") for each in WITHOUT_EFFECT)


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
