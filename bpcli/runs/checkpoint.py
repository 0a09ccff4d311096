"""Checkpoints: where a training stands, in files from which it goes on as if never interrupted."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.errors import RunError
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.files import array_bytes, load_arrays, remove, write_atomically
from bpcli.runs.store import Run
from bpcli.training.loop import Position
from bpcli.training.optimizers import NoStep, State
from bpcli.training.stopping import Memory, under

_FILE = re.compile(r"checkpoint-(\d{1,13})\.safetensors")
_NEWEST_KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """All of a session that is to survive it, as it is before an epoch's line is written.

    The position is what training goes on from. `best` and `stopping` are what those remember,
    `log_bytes` is the size of metrics.jsonl, and `path_rows` counts the parameters on record.
    """

    position: Position
    best: Memory
    stopping: Memory
    seconds: float
    val_loss: float | None
    log_bytes: int
    path_rows: int

    @property
    def number(self) -> int:
        return self.position.number

    def to_arrays(self) -> dict[str, Array]:
        """The arrays, by name."""
        parts = {"state": self.position.state, "best": self.best, "stopping": self.stopping}
        return {
            "params": self.position.params,
            **{f"{part}.{name}": a for part, arrays in parts.items() for name, a in arrays.items()},
        }

    def to_json(self) -> dict[str, Any]:
        """All else. JSON lacks NaN and infinity: such a validation loss is left out."""
        ended = self.position.ended
        has_loss = self.val_loss is not None and math.isfinite(self.val_loss)
        return {
            "epoch": self.number,
            "random_state": self.position.random_state,
            "ended": None if ended is None else [ended.reason, str(ended)],
            "seconds": self.seconds,
            "val_loss": self.val_loss if has_loss else None,
            "log_bytes": self.log_bytes,
            "path_rows": self.path_rows,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, Array], meta: Mapping[str, Any]) -> Checkpoint:
        """From what `to_arrays` and `to_json` gave; arrays in memory of their own."""
        arrays = {name: array.copy() for name, array in arrays.items()}
        ended = None if meta["ended"] is None else NoStep(*meta["ended"])
        position = Position(
            meta["epoch"], arrays["params"], under("state.", arrays), meta["random_state"], ended
        )
        return cls(
            position,
            under("best.", arrays),
            under("stopping.", arrays),
            meta["seconds"],
            meta["val_loss"],
            meta["log_bytes"],
            meta["path_rows"],
        )


class Checkpoints:
    """The checkpoints of one run: the two newest are kept, and that of lowest validation loss.

    `identity` is the run's: a checkpoint of another one is none. What was found wrong with a file
    is in `faults`.
    """

    def __init__(self, run: Run, identity: str) -> None:
        self._run = run
        self._identity = identity
        self._val_losses: dict[int, float] = {}
        self.faults: list[str] = []

    def newest(self, log_bytes: int) -> Checkpoint | None:
        """The newest that is whole, and whose log is; None where there is none.

        From then on, it and those before it are the run's checkpoints.
        """
        newest = None
        for number in sorted(self._numbers(), reverse=True):
            try:
                checkpoint = self._load(number, log_bytes)
            except RunError as error:
                self.faults.append(str(error))
                continue
            self._know(checkpoint)
            newest = newest or checkpoint
        return newest

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it; then remove those that are no longer needed.

        Raises `RunError` where that fails. Until it is whole, the others all stay.
        """
        meta = checkpoint.to_json() | {"run": self._identity, "sha256": _NO_DIGEST}
        content = _sealed(array_bytes(checkpoint.to_arrays(), meta))
        write_atomically(self._path(checkpoint.number), content)
        self._know(checkpoint)
        for number in set(self._numbers()) - self._kept:
            remove(self._path(number))
            self._val_losses.pop(number, None)

    def _know(self, checkpoint: Checkpoint) -> None:
        loss = checkpoint.val_loss
        self._val_losses[checkpoint.number] = math.inf if loss is None or math.isnan(loss) else loss

    @property
    def _kept(self) -> set[int]:
        numbers = sorted(self._val_losses)
        lowest = min(numbers, key=lambda number: (self._val_losses[number], -number))
        return {*numbers[-_NEWEST_KEPT:], lowest}

    def _numbers(self) -> Iterator[int]:
        """The epochs of the checkpoints that there are files of."""
        for path in self._run.folder.glob("checkpoint-*"):
            if (match := _FILE.fullmatch(path.name)) and path == self._path(int(match[1])):
                yield int(match[1])

    def _path(self, number: int) -> Path:
        return self._run.path(f"checkpoint-{number}.safetensors")

    def _load(self, number: int, log_bytes: int) -> Checkpoint:
        path = self._path(number)
        arrays, meta = load_arrays(path)
        if not _is_sealed(path.read_bytes(), meta):
            raise RunError(f"{path} is damaged: its digest is not that of its content.")
        if meta.get("run") != self._identity or meta.get("epoch") != number:
            raise RunError(f"{path} is not a checkpoint of this run at epoch {number}.")
        try:
            checkpoint = Checkpoint.of(arrays, meta)
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} was written by another version of bpnet: {error!r}.") from None
        if checkpoint.log_bytes > log_bytes:
            raise RunError(f"{path} does not fit metrics.jsonl, which has been cut short.")
        return checkpoint


# A file's digest stands in the file. It is that of the file with zeros in its place.

_NO_DIGEST = "0" * 64
_DIGEST = re.compile("[0-9a-f]{64}")


def _sealed(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(_NO_DIGEST.encode(), digest.encode(), 1)


def _is_sealed(content: bytes, meta: Any) -> bool:
    digest = meta.get("sha256") if isinstance(meta, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        return False
    unsealed = content.replace(digest.encode(), _NO_DIGEST.encode(), 1)
    return hashlib.sha256(unsealed).hexdigest() == digest


def misfit(checkpoint: Checkpoint, params: Vector, state: State) -> str | None:
    """The first array that does not fit a training of such parameters and state, if any.

    Parameters are finite; what an optimizer remembers may be infinite.
    """
    found = checkpoint.position
    for name, vector in (("params", found.params), ("best", checkpoint.best.get("params", params))):
        is_alike = (vector.shape, vector.dtype) == (params.shape, params.dtype)
        if not is_alike or not np.isfinite(vector).all():
            return name
    if found.state.keys() != state.keys():
        return "state"
    return next((name for name in state if found.state[name].shape != state[name].shape), None)
