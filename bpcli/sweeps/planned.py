"""Several trainings before the first of them: how they are started and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bpcli.config.load import Config
from bpcli.experiment import Experiment
from bpcli.sweeps.folder import SweepFolder, SweepRecord, write_resumed
from bpcli.sweeps.plan import Plan
from bpcli.sweeps.ranking import Criterion
from bpcli.sweeps.run_plan import PlanResults, run_plan
from bpcli.sweeps.runner import InOrder, Schedule
from bpcli.sweeps.training import Training
from bpcli.terminal.sweep import SilentProgress

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection


@dataclass(frozen=True)
class Planned:
    """The trainings of a config; `notes` say how the config and the data were read."""

    config: Config
    first: Experiment
    criterion: Criterion
    trainings: Sequence[Training]
    notes: tuple[str, ...]

    @property
    def configs(self) -> list[Config]:
        """The configs of the trainings that are known."""
        return [training.config for training in self.trainings]

    @property
    def record(self) -> SweepRecord:
        """The record, if the trainings began now."""
        raise NotImplementedError

    def plan(self, folder: Path) -> Plan:
        """The plan, with its trainings in a folder."""
        raise NotImplementedError

    def schedule(self, plan: Plan) -> Schedule:
        """Which training begins next."""
        return InOrder(plan.trainings)

    def start(
        self,
        runs_dir: Path,
        view: SilentProgress,
        processes: int | None = None,
        cluster: ClusterConnection | None = None,
    ) -> PlanResults:
        """Run all trainings, in a new folder. Raises `RunError` if it cannot be written.

        Trainings that fail are results. After a signal, those that are missing can be resumed.
        """
        sweep = SweepFolder.new(runs_dir, self.config, self.record)
        return self._run(sweep, view, processes, cluster)

    def resume(
        self,
        sweep: SweepFolder,
        view: SilentProgress,
        processes: int | None = None,
        cluster: ClusterConnection | None = None,
    ) -> PlanResults:
        """Run what has no result yet in a folder; no training is run twice to its end.

        Raises `RunError` if the data have changed, or if a training that has ended is not planned.
        """
        names = [training.name for training in self.trainings]
        write_resumed(sweep, self.record, self.first, names)
        return self._run(sweep, view, processes, cluster)

    def _run(
        self,
        sweep: SweepFolder,
        view: SilentProgress,
        processes: int | None,
        cluster: ClusterConnection | None,
    ) -> PlanResults:
        plan = self.plan(sweep.folder)
        return run_plan(sweep, plan, self.schedule(plan), view, processes, cluster)
