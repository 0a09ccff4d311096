"""The folder of a sweep: its record, its config, its journal, and the runs of its trainings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from bpcli.config.load import Config, as_given, validate
from bpcli.config.source import Source
from bpcli.errors import NoSuchRun, RunError
from bpcli.experiment import Experiment
from bpcli.runs.files import write_atomically
from bpcli.runs.layout import CONFIG, GIVEN, JOURNAL, SWEEP, TRAININGS
from bpcli.runs.provenance import data_digest
from bpcli.runs.record import argv, file_digests, now
from bpcli.runs.saved import Digest, Name, Positive, Saved, Text, check, structure
from bpcli.runs.sealed import read_sealed, write_sealed
from bpcli.runs.store import Run, name_in
from bpcli.sweeps.journal import Journal, read_journal
from bpcli.sweeps.training import TrainingResult

Kind: TypeAlias = Literal["sweep", "restarts", "size"]


@structure
class SweepRecord(Saved):
    """The content of sweep.json: what is trained, and who began it.

    `given` is the config as it was given, with its overrides; given.yaml is a copy for people.
    `data_sha256` is the digest of the rows of the first training, and `data_files` are those of its
    files. `trainings` is the number of trainings, and `metric` ranks them. `ended` is set once none
    of them is missing. `group` is the id of the first fold, for the restarts of a fold of a
    cross-validation. The last three fields are those of a search for a size.
    """

    kind: Kind
    name: Name
    started: Name
    argv: list[Text]
    overrides: list[Text]
    given: Text
    data_sha256: Digest
    data_files: dict[Text, Digest]
    trainings: Positive
    metric: Name
    ended: Name = ""
    group: Text | None = None
    resumed: list[Name] = field(default_factory=list)
    hidden: list[Positive] = field(default_factory=list)
    restarts: Positive = 1
    splits: Positive = 1


@dataclass(frozen=True)
class SweepFolder:
    """A folder in which many trainings are kept."""

    folder: Path

    @property
    def sweep_id(self) -> str:
        return self.folder.name

    @property
    def trainings(self) -> Path:
        """The folder of its runs."""
        return self.folder / TRAININGS

    @classmethod
    def new(cls, runs_dir: Path, config: Config, record: SweepRecord) -> SweepFolder:
        """Make a new folder. Raises `RunError` if that fails."""
        sweep = cls(Run.claim(runs_dir, config.spec.name).folder)
        try:
            write_atomically(sweep.folder / CONFIG, config.source.content)
            sweep.write(record)
        except BaseException:
            shutil.rmtree(sweep.folder, ignore_errors=True)
            raise
        return sweep

    def write(self, record: SweepRecord) -> None:
        """Write the record, which makes the folder that of a sweep, and a copy of its config."""
        write_atomically(self.folder / GIVEN, record.given.encode())
        write_sealed(self.folder / SWEEP, record.to_json())

    def rewrite(self, record: SweepRecord) -> None:
        """Write other settings. Raises `RunError` if another process is training the present ones.

        The lock is released before the trainings begin: a process that comes between them does the
        trainings of this record too, or leaves them to be resumed.
        """
        with closing(Run(self.folder).lock()):
            self.write(record)

    def note_end(self) -> None:
        """Write in the record that no training is missing; this process has locked the folder."""
        write_sealed(self.folder / SWEEP, replace(self.record(), ended=now()).to_json())

    def record(self) -> SweepRecord:
        """Read and check sweep.json. Raises `RunError` if it is damaged."""
        path = self.folder / SWEEP
        return check(SweepRecord, read_sealed(path), path)

    def source(self) -> Source:
        """The config as it was given, with its overrides."""
        return Source.parse(self.record().given, str(self.folder / GIVEN))

    def config(self) -> Config:
        """The config. Raises `ConfigError` if it is damaged."""
        return replace(validate(self.source()), overrides=tuple(self.record().overrides))

    def results(self) -> list[TrainingResult]:
        """The results so far. Raises `RunError` if the journal is damaged."""
        return read_journal(self.folder / JOURNAL)[0]

    @contextmanager
    def open(self) -> Iterator[tuple[list[TrainingResult], Journal]]:
        """Lock the folder; yield the results so far, and the journal to write more.

        Raises `RunError` if another process has locked it.
        """
        with ExitStack() as stack:
            stack.enter_context(closing(Run(self.folder).lock()))
            results, size = read_journal(self.folder / JOURNAL)
            journal = stack.enter_context(closing(Journal(self.folder / JOURNAL, size)))
            yield results, journal


def new_record(
    kind: Kind, config: Config, first: Experiment, trainings: int, metric: str
) -> SweepRecord:
    """The record of a sweep that begins now; `first` is the experiment of its first training."""
    return SweepRecord(
        kind,
        config.spec.name,
        now(),
        argv(),
        [*config.overrides],
        as_given(config.source),
        data_digest(first.table),
        file_digests(first),
        trainings,
        metric,
    )


def resumed_record(sweep: SweepFolder, record: SweepRecord) -> SweepRecord:
    """A record of a sweep that is resumed now, which keeps when and how it began."""
    old = sweep.record()
    return replace(
        record,
        started=old.started,
        argv=old.argv,
        overrides=old.overrides,
        resumed=[*old.resumed, now()],
    )


def refuse_other_data(sweep: SweepFolder, first: Experiment) -> None:
    """Raise `RunError` if the rows have changed since the sweep began."""
    if data_digest(first.table) != sweep.record().data_sha256:
        raise RunError(
            f"{sweep.sweep_id} cannot be resumed: its data have changed since it began. Restore "
            "the data files, or start a new one."
        )


def write_resumed(
    sweep: SweepFolder, record: SweepRecord, first: Experiment, planned: Collection[str]
) -> None:
    """Write the record of a sweep that is resumed now, with the names of its trainings planned.

    Raises `RunError` if the rows have changed, or if a training that has ended is not planned.
    """
    refuse_other_data(sweep, first)
    _refuse_fewer(sweep, planned)
    sweep.rewrite(resumed_record(sweep, record))


def _refuse_fewer(sweep: SweepFolder, planned: Collection[str]) -> None:
    """Raise `RunError` if a training that has ended is not among those planned, by their names."""
    dropped = {result.name for result in sweep.results()} - {*planned}
    if dropped:
        raise RunError(
            f"{sweep.sweep_id} cannot be resumed with fewer trainings: {len(dropped):,} "
            "finished ones would be left out. Allow more, or start a new one."
        )


def list_sweeps(runs_dir: Path) -> list[SweepFolder]:
    """The sweeps in a folder of runs, newest first."""
    try:
        entries = [Path(entry) for entry in os.scandir(runs_dir) if entry.is_dir()]
    except OSError:  # `list_runs` reports it
        return []
    folders = [each for each in entries if name_in(each.name) and (each / SWEEP).is_file()]
    return [SweepFolder(each) for each in sorted(folders, reverse=True)]


def find_sweep(
    reference: str, runs_dir: Path, kinds: Collection[Kind] = (), *, by_id: bool = False
) -> SweepFolder | None:
    """The sweep that a reference names: its id, a unique beginning of it, or a path.

    Unless it must be named `by_id`, its name or `latest` do too, among those of some `kinds`. None
    if there is no such sweep. Raises `NoSuchRun` if there are several.
    """
    if os.sep in reference or "/" in reference:
        return _by_path(Path(reference))
    sweeps = list_sweeps(runs_dir)
    for matches in _readings(reference, sweeps, kinds, by_id):
        if len(matches) > 1:
            shown = "\n".join(f"  {each.sweep_id}" for each in matches)
            raise NoSuchRun(f"`{reference}` matches several sweeps; give an id:\n{shown}")
        if matches:
            return matches[0]
    return None


def _by_path(folder: Path) -> SweepFolder | None:
    try:
        return SweepFolder(folder.resolve()) if (folder / SWEEP).is_file() else None
    except OSError:  # a path too long to be one
        return None


def _readings(
    reference: str, sweeps: list[SweepFolder], kinds: Collection[Kind], by_id: bool
) -> Iterator[list[SweepFolder]]:
    """Yield the sweeps with this id, then the latest, those with this name, this beginning."""
    yield [each for each in sweeps if each.sweep_id == reference]
    if not by_id:
        wanted = [each for each in sweeps if not kinds or each.record().kind in kinds]
        yield wanted[:1] if reference == "latest" else []
        yield [each for each in wanted if name_in(each.sweep_id) == reference]
    yield [each for each in sweeps if reference and each.sweep_id.startswith(reference)]
