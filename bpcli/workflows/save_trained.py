"""Save a network that was trained in memory, or elsewhere, as a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from bpcli.experiment import Experiment
from bpcli.nn.arrays import Vector
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.checkpoint import Checkpoints
from bpcli.runs.files import array_bytes
from bpcli.runs.layout import METRICS, WEIGHTS
from bpcli.runs.metrics_log import LogLine, MetricsFile
from bpcli.runs.record import first_record, now, weight_arrays, weights_meta
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.workflows.scores import all_baselines, all_scores
from bpcli.workflows.session import RunToTrain

IMPORTED = "imported"
"""The stop reason of weights that no training from the start of the run's config gives."""

AVERAGED = "averaged"
"""The stop reason of a network that is the average of several."""


@dataclass(frozen=True)
class Curves:
    """The objective after each epoch, and mean losses of splits by path, such as `val.loss`."""

    losses: Sequence[float]
    means: Mapping[str, Sequence[float]]

    def lines(self, layers: int) -> Iterator[LogLine]:
        """A line for each epoch; what is not known is null."""
        for number, loss in enumerate(self.losses):
            means = {path: values[number] for path, values in self.means.items()}
            yield LogLine(
                epoch=number + 1,
                loss=loss,
                grad_norm=None,
                grad_norms=[None] * layers,
                diagnostics={},
                seconds=0.0,
                metrics={**means},
            )


@dataclass(frozen=True, eq=False)
class TrainedInMemory:
    """A trained network: its experiment, its best and last parameters, and its curves.

    The experiment has no rows if they are not to be kept with the run.
    """

    experiment: Experiment
    params: Vector
    last_params: Vector
    curves: Curves
    epochs: int
    best_epoch: int
    stop_reason: str
    seconds: float


def save_trained(
    trained: TrainedInMemory,
    runs_dir: Path,
    tell: Callable[[RunRecord], RunRecord] = lambda one: one,
) -> Run:
    """Write a finished run in a new folder; without checkpoint, it cannot be resumed.

    `tell` adds to its record. Without rows, the run predicts and exports, but cannot score its
    splits or be verified. Raises `RunError` if it cannot be written.
    """
    experiment = trained.experiment
    run = Run.claim(runs_dir, experiment.spec.name)
    try:
        with closing(run.lock()), repeatable_numerics():
            write_trained(run, trained, tell)
    except BaseException:
        run.discard()
        raise
    return run


def write_trained(
    run: Run, trained: TrainedInMemory, tell: Callable[[RunRecord], RunRecord] = lambda one: one
) -> None:
    """Write the files of a finished run in its folder, which this process has locked.

    `tell` adds to the record. Raises `RunError` if a file cannot be written.
    """
    experiment, params = trained.experiment, trained.params
    record = tell(first_record(experiment, run.run_id, 1, run.run_id, []))
    target = RunToTrain(experiment, run, record, Checkpoints(run, record.identity), None)
    target.write_new()
    meta = weights_meta(experiment, trained.best_epoch)
    target.write(WEIGHTS, array_bytes(weight_arrays(experiment, params, trained.last_params), meta))
    with closing(MetricsFile(run.path(METRICS), 0)) as log:
        for line in trained.curves.lines(len(experiment.network.layers)):
            log.append(line)
        log.sync()
        digest = log.digest()
    has_rows = bool(len(experiment.splits["train"]))
    run.write_record(
        replace(
            record,
            status="finished",
            stop_reason=trained.stop_reason,
            epochs=trained.epochs,
            best_epoch=trained.best_epoch,
            ended=now(),
            seconds=round(trained.seconds, 6),
            metrics=all_scores(experiment, params) if has_rows else {},
            baselines=all_baselines(experiment) if has_rows else {},
            sha256={**record.sha256, METRICS: digest},
        )
    )
