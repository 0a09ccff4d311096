"""Train a run again from its folder, and compare the results bit by bit."""

from __future__ import annotations

import math
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bpcli.config.load import validate
from bpcli.config.overrides import override
from bpcli.errors import Interrupted, RunError
from bpcli.experiment import Experiment, build
from bpcli.runs.files import file_digest
from bpcli.runs.integrity import check_files
from bpcli.runs.layout import WEIGHTS
from bpcli.runs.machines import breaks_of, sessions_of
from bpcli.runs.references import reference_to
from bpcli.runs.run_json import RunRecord
from bpcli.runs.store import Run
from bpcli.runs.trained import SavedWeights, load_weights, read_config
from bpcli.terminal.progress import SilentView
from bpcli.training.epoch import Epoch
from bpcli.workflows.differences import (
    Losses,
    compare_inputs,
    compare_paths,
    compare_results,
    has_metrics,
    loss_findings,
)
from bpcli.workflows.outcome import Outcome
from bpcli.workflows.save_trained import AVERAGED, IMPORTED
from bpcli.workflows.train import train
from bpcli.workflows.verdict import Counts, Differences, Verdict


@dataclass
class LossRecorder(SilentView):
    """The callback of the second training: records the losses of the epochs in the first log."""

    losses: Losses
    again: dict[int, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._to_come = sorted(self.losses, reverse=True)

    def next_due(self, number: int) -> int:
        """Return the next epoch that has a line in the first log."""
        while self._to_come and self._to_come[-1] <= number:
            self._to_come.pop()
        return self._to_come[-1] if self._to_come else sys.maxsize

    def on_epoch(self, epoch: Epoch, scores: object, is_last: bool) -> None:
        """Record the loss if the first log has it."""
        if epoch.number in self.losses:
            self.again[epoch.number] = epoch.loss if math.isfinite(epoch.loss) else None


def verify(run: Run, tolerance: float | None = None) -> Verdict:
    """Train as many epochs again in a temporary folder, and compare all results.

    Why the first training stopped, and where it was resumed, does not matter: the steps are the
    same. `tolerance` is the largest relative difference (see `Difference`) to accept.

    Raises `RunError` if the run has not ended, if a file is damaged, if its data files have
    changed, or if its learning rate was changed on resume.
    """
    saved = load_weights(run)
    _refuse_unrepeatable(run, saved.record)
    check_files(run, saved.record)
    experiment = _experiment(saved)
    recorder = LossRecorder(_losses(run, saved.record.epochs))
    differences = Differences()
    compare_inputs(differences, saved, experiment)
    with TemporaryDirectory(prefix="bpnet-verify-") as scratch:
        other = _trained_again(run, experiment, Path(scratch), recorder).run
        record = other.record()
        differences.add("epoch", loss_findings(recorder.losses, recorder.again))
        compare_results(differences, saved, other)
        path_rows = compare_paths(differences, run, other, experiment)
    counts = Counts(
        saved.record.epochs,
        len(recorder.again),
        len(saved.arrays),
        len(record.metrics) if has_metrics(saved.record) else 0,
        path_rows,
    )
    return Verdict(
        run.run_id,
        counts,
        differences.first,
        differences.largest,
        differences.largest_in,
        tolerance,
        sessions_of(saved.record)[0][1],
        record.machine,
        breaks_of(saved.record),
    )


def _trained_again(
    run: Run, experiment: Experiment, folder: Path, recorder: LossRecorder
) -> Outcome:
    outcome = train(experiment, folder, recorder)
    if isinstance(outcome.failure, Interrupted):
        number = outcome.failure.signal_number
        raise Interrupted("The verification was interrupted.", number)
    if not outcome.run.path(WEIGHTS).is_file():
        raise outcome.failure or RunError(f"{run.run_id} could not be trained again.")
    return outcome


def _refuse_unrepeatable(run: Run, record: RunRecord) -> None:
    run_id = run.run_id
    if not record.has_ended:
        raise RunError(
            f"{run_id} has not ended: its status is `{record.status}`. Resume with: "
            f"bpnet train --resume {reference_to(run)}"
        )
    if record.stop_reason == IMPORTED:
        raise RunError(
            f"{run_id} cannot be verified: its weights were imported, not trained by its config."
        )
    if record.stop_reason == AVERAGED:
        raise RunError(
            f"{run_id} cannot be verified: its network is the average of several. Train it again "
            f"with `{shlex.join(['bpnet', *record.argv])}`, and compare the runs with `bpnet runs "
            "diff`."
        )
    for number, session in enumerate(record.resumed, start=1):
        changed = any(key.startswith("training.learning_rate") for key in session.changed)
        until = min((later.at_epoch for later in record.resumed[number:]), default=record.epochs)
        if changed and 0 < session.at_epoch < until:  # some of its epochs were kept
            raise RunError(
                f"The learning rate of {run_id} was changed at epoch {session.at_epoch}: no "
                "single config can train it again."
            )


def _experiment(saved: SavedWeights) -> Experiment:
    """Return the run's experiment for as many epochs as it had, without stop rules."""
    source = read_config(saved.run)
    for assignment in (
        f"training.epochs={saved.record.epochs}",
        "training.stop={}",
        "training.checkpoint_every={seconds: 1e9}",
        "training.engine=auto",  # it changes no result, and a cluster may be gone
    ):
        override(source, assignment)
    config = validate(source)
    for file in config.spec.data.files:
        known = saved.record.data_files.get(str(file))
        if known is not None and file.is_file() and file_digest(file) != known:
            raise RunError(
                f"{saved.run.run_id} cannot be verified: {file} has changed since it was trained: "
                "restore that file."
            )
    return build(config)


def _losses(run: Run, epochs: int) -> dict[int, float | None]:
    return {line.epoch: line.loss for line in run.metrics() if line.epoch <= epochs}
