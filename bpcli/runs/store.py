"""The folder of one run: its files and its record."""

from __future__ import annotations

import re
import secrets
import shutil
import string
import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bpcli import system
from bpcli.errors import RunError
from bpcli.runs.files import NotRead, file_digest, not_read, write_atomically
from bpcli.runs.layout import CONFIG, LOCK, METRICS, RECORD, RESOLVED, SPLIT, STARTS
from bpcli.runs.lock import Lock, LockHeld, is_held
from bpcli.runs.metrics_log import LogLine, read_log
from bpcli.runs.run_json import BROKEN_OFF, RunRecord, Unreadable
from bpcli.runs.saved import check
from bpcli.runs.sealed import read_sealed, write_sealed
from bpcli.text import is_name

_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-(?P<name>.+)-[a-z][a-z0-9]{3}")


def name_in(run_id: str) -> str:
    """The name within the id of a run; empty if it is not an id.

    Ids have no separators, no blanks and no control characters.
    """
    match = _RUN_ID.fullmatch(run_id)
    return match["name"] if match and is_name(match["name"]) else ""


@dataclass(frozen=True)
class Run:
    """A run's folder."""

    folder: Path

    @property
    def run_id(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        """The name within the id; empty for a folder that was renamed."""
        return name_in(self.run_id)

    @classmethod
    def claim(cls, runs_dir: Path, name: str, folder_name: str | None = None) -> Run:
        """Make a new folder <date>-<time>-<name>-<4 letters or digits>, never one that exists.

        `folder_name` replaces that name. Raises `RunError` if the folder cannot be made.
        """
        stamp = time.strftime("%Y%m%d-%H%M%S")
        try:
            runs_dir.mkdir(parents=True, exist_ok=True)
            if folder_name is not None:
                (runs_dir / folder_name).mkdir()
                return cls(runs_dir / folder_name)
            while True:
                folder = runs_dir / f"{stamp}-{name}-{_suffix()}"
                try:
                    folder.mkdir()
                except FileExistsError:
                    continue
                return cls(folder)
        except OSError as error:
            raise RunError(f"Runs cannot be created in {runs_dir}: {error.strerror}.") from None

    def discard(self) -> None:
        """Remove the folder of a run that did not begin, once none of its files is open.

        Its files are removed by name, as listing the folder would need an open file.
        """
        with suppress(OSError):
            for file in (CONFIG, SPLIT, RESOLVED, RECORD, METRICS, LOCK, *STARTS):
                system.unlink(self.path(file))
            self.folder.rmdir()
        if self.folder.exists():
            shutil.rmtree(self.folder, ignore_errors=True)

    def remove(self, runs_dir: Path) -> None:
        """Delete the run's folder; for a symbolic link, remove only the link.

        Raises `RunError` if it is outside `runs_dir`, or cannot be deleted.
        """
        self.check_removable(runs_dir)
        try:
            if self.folder.is_symlink():
                self.folder.unlink()
                return
            doomed = self._taken_away()
            try:
                shutil.rmtree(doomed)
            except OSError:
                system.rename(doomed, self.folder)  # it stays in lists, and can be deleted later
                raise
        except OSError as error:
            raise RunError(f"{self.folder} could not be deleted: {error.strerror}.") from None

    def _taken_away(self) -> Path:
        """Rename the folder, so that a partly deleted run is never listed; return the new path.

        It is locked until then, so that no process resumes it.
        """
        doomed = self.folder.with_name(f".{self.run_id}-{_suffix()}")
        try:
            lock = self.lock()
        except LockHeld:
            raise
        except RunError:  # no other process can lock it either
            return system.rename(self.folder, doomed)
        with closing(lock):
            if system.pins_open_files():  # there, a run in training cannot be renamed anyway
                lock.close()
            return system.rename(self.folder, doomed)

    def check_removable(self, runs_dir: Path) -> None:
        """Raise `RunError` for a run in training, or not in `runs_dir`: links are not followed."""
        if self.folder.parent.resolve() != runs_dir.resolve():
            raise RunError(f"{self.folder} is outside {runs_dir}: delete it by hand.")
        if is_held(self.path(LOCK)):
            raise RunError(f"{self.run_id} is being trained: end the training before deleting it.")

    def path(self, file: str) -> Path:
        return self.folder / file

    def lock(self) -> Lock:
        """Lock the run for this process, until it closes the lock or ends.

        Raises `RunError` if another process holds the lock.
        """
        return Lock(self.path(LOCK), f"{self.run_id} is being trained")

    def write(
        self, file: str, content: str | bytes | memoryview, *, syncs_folder: bool = True
    ) -> None:
        """Write one of the run's files, whole or not at all."""
        content = content.encode() if isinstance(content, str) else content
        write_atomically(self.path(file), content, syncs_folder=syncs_folder)

    def checked(self, file: str, record: RunRecord | None = None) -> Path:
        """Return the path of a file whose digest is the one in the record, which may be given.

        Raises `RunError` if it is missing, or has another digest.
        """
        path = self.path(file)
        if not path.is_file():  # nothing else is opened: a pipe might never end
            raise RunError(f"{path} is missing.")
        known = (record or self.record()).sha256.get(file)
        try:
            if known is not None and known != file_digest(path):
                raise RunError(f"{path} is damaged: its digest is not the one in {RECORD}.")
        except OSError as error:
            raise not_read(path, error) from None
        return path

    def write_record(self, record: RunRecord) -> None:
        """Write run.json, whole or not at all. Raises `RunError` if that fails."""
        write_sealed(self.path(RECORD), record.to_json())

    def record(self) -> RunRecord:
        """Read and check run.json. Raises `RunError` if it is missing, damaged or unreadable."""
        path = self.path(RECORD)
        if not path.is_file():
            raise RunError(f"{self.folder} is not a run: it has no {RECORD}.")
        record = check(RunRecord, read_sealed(path), path)
        record = replace(record, run_id=self.run_id)  # a folder may have been renamed
        is_broken_off = record.status == "running" and not is_held(self.path(LOCK))
        return replace(record, status=BROKEN_OFF) if is_broken_off else record

    def record_or_damage(self) -> RunRecord | Unreadable:
        """Return the record or, for lists of runs, why it cannot be read."""
        try:
            if not self.path(CONFIG).is_file():
                raise RunError(f"{self.path(CONFIG)} is missing.")
            return self.record()
        except NotRead as error:
            return Unreadable(self.run_id, "unreadable", str(error))
        except RunError as error:
            return Unreadable(self.run_id, "damaged", str(error))

    def metrics(self) -> list[LogLine]:
        """Return the lines of metrics.jsonl. Raises `RunError` if it is damaged or unreadable."""
        return read_log(self.checked(METRICS))


def _suffix() -> str:
    letters_digits = string.ascii_lowercase + string.digits
    first = secrets.choice(string.ascii_lowercase)
    return first + "".join(secrets.choice(letters_digits) for _ in range(3))
