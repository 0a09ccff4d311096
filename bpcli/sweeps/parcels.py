"""What a training and its worker on a cluster exchange: the training, and the files of its run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bpcli import system
from bpcli.errors import RunError
from bpcli.runs.files import not_read, not_saved, write_atomically
from bpcli.runs.layout import LOCK, TENSORBOARD
from bpcli.runs.lock import LockHeld, is_held
from bpcli.sweeps.training import Training


@dataclass(frozen=True)
class Order:
    """A training for a worker, with the files of its run so far, to continue it.

    `data_files` are the digests of the files of its data, `argv` is the command line.
    """

    training: Training
    files: Mapping[str, bytes]
    data_files: Mapping[str, str]
    argv: list[str]


@dataclass(frozen=True)
class Delivery:
    """What came of an order: why it failed, and the files of its run.

    `refusal` says why this worker must not train; then there is no more.
    """

    error: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    refusal: str = ""


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of the files in the folder of a run, with event files; none without a folder.

    Raises `RunError` if one cannot be read.
    """
    try:
        paths = [*folder.iterdir()]
        events = folder / TENSORBOARD
        if events.is_dir() and not events.is_symlink():
            paths += events.iterdir()
        names = {path.relative_to(folder).as_posix(): path for path in paths if path.is_file()}
        return {name: path.read_bytes() for name, path in names.items() if _is_name(name)}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise not_read(folder, error) from None


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Put files in the place of a folder: it has all of them, or is as it was or absent.

    Raises `RunError` if they cannot be written, and `LockHeld` if a process trains there.
    """
    strange = [name for name in files if not _is_name(name)]
    if strange:
        raise RunError(f"A worker of the cluster sent a file with the name {strange[0]!r}.")
    fresh, old = (folder.with_name(f".{folder.name}.{end}") for end in ("fresh", "old"))
    try:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name, content in files.items():
            (fresh / name).parent.mkdir(exist_ok=True)
            write_atomically(fresh / name, content, syncs_folder=False)
        system.sync_folder(fresh)
        if is_held(folder / LOCK):
            raise LockHeld(f"{folder.name} is being trained by another process.")
        if folder.exists():
            system.rename(folder, old)
        system.rename(fresh, folder)
        system.sync_folder(folder.parent)
    except OSError as error:
        raise not_saved(folder, error) from None
    finally:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _is_name(name: str) -> bool:
    """Whether a file may have this name: those of unfinished files begin with a dot."""
    name = name.removeprefix(f"{TENSORBOARD}/")
    return bool(name) and Path(name).name == name and name[0] != "." and "\\" not in name
