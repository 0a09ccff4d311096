"""Kill trainings at random moments, and see what is left of them.

Each training is a forked process that saves a checkpoint after every epoch and says so through a
pipe: from then on the checkpoint counts as acknowledged. Some kills come at any moment, most are
aimed at the inside of a save. What was killed is resumed, and killed again, until it has ended;
then its weights and recorded parameters must be those of a training that nobody killed.

    python tests/kills.py 1000 --seed 1
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bpcli.config.load import load_config
from bpcli.errors import RunError
from bpcli.experiment import build
from bpcli.runs import checkpoint
from bpcli.runs.checkpoint import Checkpoint, Checkpoints
from bpcli.runs.layout import PATH, RECORD, WEIGHTS
from bpcli.runs.store import Run
from bpcli.terminal.progress import SilentView
from bpcli.workflows.resume import resume, resumption
from bpcli.workflows.train import train

CONFIGS = Path(__file__).parent.parent / "configs"
OVERRIDES = [
    "data.n_samples=100", "network.layers=[2, 12, 12, 1]", "training.optimizer=adam",
    "training.batch_size=20", "training.epochs=120", "training.stop={}",
    "training.checkpoint_every=1", "training.record_params=true",
]  # fmt: skip
AIMED = 0.6
LONGEST_SECONDS = 0.5


@dataclass
class Tally:
    """What was killed, and what was wrong afterwards."""

    kills: int = 0
    inside_a_save: int = 0
    ended: int = 0
    unreadable: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        return len(self.unreadable) + len(self.lost) + len(self.different)

    def __str__(self) -> str:
        found = [*self.unreadable, *self.lost, *self.different][:5]
        return (
            f"{self.kills} kills, {self.inside_a_save} inside a save, {self.ended} trainings ended:"
            f" {len(self.unreadable)} unreadable, {len(self.lost)} acknowledged checkpoints lost, "
            f"{len(self.different)} other results {found or ''}"
        )


def save_naively(path: Path, content: bytes | memoryview) -> None:
    """How not to: in the place of the old file, piece by piece, however safely each."""
    for old in path.parent.glob("checkpoint-*"):
        old.unlink()
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), 256):
            file.write(content[start : start + 256])
            os.fsync(file.fileno())


class Killer:
    """Trainings in a folder, each killed again and again."""

    def __init__(self, folder: Path, seed: int, save: Callable[..., None] | None = None) -> None:
        self._rng = random.Random(seed)
        self._folder = folder
        self._save = save
        self._is_saving = mmap.mmap(-1, 1)
        self._runs_dir = folder / "0"
        self.tally = Tally()
        self._wanted = self._files(self._train(folder / "whole"))

    def kill(self, times: int, until_fault: bool = False) -> Tally:
        """So many kills, or until one has done harm."""
        acknowledged = -1
        while self.tally.kills < times and not (until_fault and self.tally.faults):
            was_killed, latest = self._kill_one()
            acknowledged = max(acknowledged, latest)
            run = self._run()
            if run is None:
                if acknowledged >= 0:
                    self.tally.lost.append("a whole run")
            elif was_killed and not self._has_finished(run):  # just before it could leave
                self._examine(run, acknowledged)
            else:
                if self._files(run) != self._wanted:
                    self.tally.different.append(str(run.folder))
                self.tally.ended += 1
                run = None
            if run is None:
                acknowledged = -1
                self._runs_dir = self._folder / str(self.tally.kills + self.tally.ended)
        return self.tally

    def _run(self) -> Run | None:
        found = list(self._runs_dir.glob(f"*/{RECORD}"))
        return Run(found[0].parent) if found else None

    @staticmethod
    def _has_finished(run: Run) -> bool:
        return run.record_or_damage().status == "finished"

    @staticmethod
    def _files(run: Run) -> list[bytes]:
        return [run.path(file).read_bytes() for file in (WEIGHTS, PATH)]

    def _train(self, runs_dir: Path) -> Run:
        experiment = build(load_config(CONFIGS / "moons.yaml", OVERRIDES))
        return train(experiment, runs_dir, SilentView()).run

    def _kill_one(self) -> tuple[bool, int]:
        """Start or resume a training; whether it was killed, and the last epoch it acknowledged."""
        reading, writing = os.pipe()
        self._is_saving[0] = 0
        child = os.fork()
        if child == 0:
            os.close(reading)
            self._live(writing)
        os.close(writing)
        was_killed = self._end(child)
        said = b""
        while piece := os.read(reading, 2**16):
            said += piece
        os.close(reading)
        return was_killed, int(said.split()[-1]) if said else -1

    def _live(self, writing: int) -> None:
        """The child: train, and say which checkpoints were saved. Never returns."""
        status = 1
        try:
            saved = Checkpoints.save

            def save(checkpoints: Checkpoints, at: Checkpoint) -> None:
                self._is_saving[0] = 1
                saved(checkpoints, at)
                self._is_saving[0] = 0
                os.write(writing, b"%d\n" % at.number)

            Checkpoints.save = save  # type: ignore[method-assign]  # in a process of its own
            if self._save is not None:
                checkpoint.write_atomically = self._save
            run = self._run()
            if run is None:
                self._train(self._runs_dir)
            else:
                with resumption(run, []) as ready:
                    resume(ready, SilentView())
            status = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)

    def _end(self, child: int) -> bool:
        """Kill it, at any moment or in a save; false where it had ended by then."""
        is_aimed = self._rng.random() < AIMED
        until = time.monotonic() + self._rng.uniform(0, LONGEST_SECONDS)
        while time.monotonic() < until:
            time.sleep(0.001)
        if is_aimed:
            self._await_a_save(child)
            for _ in range(self._rng.randrange(3000)):  # somewhere in it
                pass
        os.kill(child, signal.SIGSTOP)
        inside = bool(self._is_saving[0])
        os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == -signal.SIGKILL:
            self.tally.kills += 1
            self.tally.inside_a_save += inside
            return True
        if status:
            self.tally.unreadable.append(f"a training that failed with {status}")
            self.tally.kills += 1
        return status != 0

    def _await_a_save(self, child: int) -> None:
        deadline = time.monotonic() + 1
        while not self._is_saving[0] and time.monotonic() < deadline:
            pass

    def _examine(self, run: Run, acknowledged: int) -> None:
        """After a kill: the record is whole, and so is a checkpoint no older than acknowledged."""
        try:
            identity = run.record().identity
        except RunError as error:
            self.tally.unreadable.append(str(error))
            return
        checkpoints = Checkpoints(run, identity)
        newest = checkpoints.newest()
        number = -1 if newest is None else newest.number
        if number < acknowledged:
            self.tally.lost.append(f"{run.run_id} at {acknowledged}, not {number}")


def main() -> None:
    """Kill as many trainings as the command line says, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--naive", action="store_true", help="save as one should not")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save = save_naively if asked.naive else None
        tally = Killer(Path(folder), asked.seed, save).kill(asked.kills)
    print(tally)
    sys.exit(bool(tally.faults))


if __name__ == "__main__":
    main()
