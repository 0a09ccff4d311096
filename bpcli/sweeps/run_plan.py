"""Runs a plan in the folder of a sweep, and shows its progress."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpcli.errors import ClusterError, WorkerLost
from bpcli.runs.references import reference_to
from bpcli.runs.store import Run
from bpcli.sweeps.folder import SweepFolder
from bpcli.sweeps.places import Place, Processes
from bpcli.sweeps.plan import Plan
from bpcli.sweeps.runner import Runner, Schedule
from bpcli.sweeps.training import Training, TrainingResult
from bpcli.system import usable_cores
from bpcli.terminal.sweep import SilentProgress
from bpcli.workflows.interrupts import stop_requests

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection


@dataclass(frozen=True)
class PlanResults:
    """The latest result of each training by its name, and the signal that ended the sweep."""

    plan: Plan
    results: Mapping[str, TrainingResult]
    signal_number: int | None
    has_ended: bool = True

    @property
    def document(self) -> dict[str, Any]:
        """The document of the sweep."""
        return self.plan.document(
            self.results,
            is_interrupted=self.signal_number is not None,
            has_ended=self.has_ended,
        )

    @property
    def in_order(self) -> list[TrainingResult]:
        """The results in the order of their trainings."""
        names = [training.name for training in self.plan.trainings]
        return [self.results[name] for name in names if name in self.results]


def saved_results(sweep: SweepFolder, plan: Plan) -> PlanResults:
    """The results so far. Raises `RunError` if the journal is damaged."""
    results = {result.name: result for result in sweep.results()}
    return PlanResults(plan, results, None, bool(sweep.record().ended))


class _Teller:
    """Passes on what a runner tells, as parts of the sweep's document."""

    def __init__(
        self, plan: Plan, results: dict[str, TrainingResult], view: SilentProgress
    ) -> None:
        self._plan, self._results, self._view = plan, results, view

    def on_training_start(self, training: Training) -> None:
        self._view.on_training_start(self._plan.training(training, None))

    def on_training_end(self, result: TrainingResult) -> None:
        self._results[result.name] = result
        training = self._plan.by_name[result.name]
        document = self._plan.document(self._results)
        self._view.on_training_end(self._plan.training(training, result), document)

    def on_stop(self, count: int) -> None:
        self._view.on_stop(count)

    def tick(self) -> None:
        self._view.tick()


def run_plan(
    sweep: SweepFolder,
    plan: Plan,
    schedule: Schedule,
    view: SilentProgress,
    processes: int | None,
    cluster: ClusterConnection | None = None,
) -> PlanResults:
    """Run what is left of a plan, in so many processes or one for each core, or on a cluster.

    Trainings that failed are run again, as the cause may be gone; those that diverged are not.

    Raises `RunError` if another process runs it, or if the journal cannot be written or read;
    `WorkerLost` or `ClusterError` if the cluster cannot be used any more.
    """
    with sweep.open() as (before, journal), stop_requests() as request:
        results = {result.name: result for result in before}
        for failed in [each for each in results.values() if each.status == "failed"]:
            del results[failed.name]
            shutil.rmtree(sweep.trainings / failed.name, ignore_errors=True)
        place = _place(sweep, plan, processes, cluster)
        view.on_start(plan.document(results), place.slots)
        known = {each.key: each for each in before if each.name in results}
        teller = _Teller(plan, results, view)
        data_files = sweep.record().data_files
        runner = Runner(sweep.trainings, journal, place, request, teller, known, data_files)
        try:
            runner.run(schedule)
        except (ClusterError, WorkerLost) as error:
            error.add_note(f"Train the rest with: {_resuming(sweep)}")
            raise
        has_ended = request.signal_number is None
        if has_ended:
            sweep.note_end()
        return PlanResults(plan, results, request.signal_number, has_ended)


def _place(
    sweep: SweepFolder, plan: Plan, processes: int | None, cluster: ClusterConnection | None
) -> Place[Any]:
    """Where the trainings run: no more at once than there are."""
    most = max(1, len(plan.trainings))
    if cluster is None:
        count = min(processes or usable_cores(), most)
        return Processes(sweep.trainings, plan.by_name, count)
    from bpcli.sweeps.remote import ClusterPlace

    return ClusterPlace(cluster, sweep.trainings, min(processes or most, most))


def _resuming(sweep: SweepFolder) -> str:
    """The command that trains what is missing."""
    kind = sweep.record().kind
    command = "train" if kind == "restarts" else kind
    return f"bpnet {command} --resume {reference_to(Run(sweep.folder))}"
