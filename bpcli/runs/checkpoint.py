"""Checkpoints: files of a training's state, from which it resumes as if never interrupted."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bpcli.errors import RunError
from bpcli.nn.arrays import Array, Vector
from bpcli.optimizers import Bounds, State, StepFailed
from bpcli.optimizers.base import Point
from bpcli.optimizers.schedules import LearningRate, LossSchedule
from bpcli.runs.files import array_bytes, digest_of_first, load_arrays, remove, write_atomically
from bpcli.runs.layout import METRICS
from bpcli.runs.parameter_path import digest_of_rows
from bpcli.runs.saved import check
from bpcli.runs.store import Run
from bpcli.training.state import TrainState
from bpcli.training.stopping import Memory, under

if TYPE_CHECKING:
    from bpcli.runs.saved_checkpoint import CheckpointMeta

_FILE = re.compile(r"checkpoint-(\d{1,13})\.safetensors")
_NEWEST_KEPT = 2


class Extent(NamedTuple):
    """The size of a growing file, in bytes or rows, and its SHA-256 up to there."""

    size: int
    sha256: str


NOTHING = Extent(0, hashlib.sha256().hexdigest())


@dataclass(frozen=True)
class Checkpoint:
    """All that training needs to resume from an epoch, whose log line is not yet written.

    `state` is that of the training loop; `best` and `stopping` are the states of the best epoch and
    of the stop rules. `log` and `path` are the extents of the log and of the recorded parameters.
    """

    state: TrainState
    best: Memory
    stopping: Memory
    seconds: float
    val_loss: float | None
    log: Extent
    path: Extent

    @property
    def number(self) -> int:
        return self.state.number

    def to_arrays(self) -> dict[str, Array]:
        """The arrays, by name."""
        parts = {
            "state": self.state.optimizer_state,
            "rate": self.state.rate_state,
            "best": self.best,
            "stopping": self.stopping,
        }
        return {
            "params": self.state.params,
            **{f"{part}.{name}": a for part, arrays in parts.items() for name, a in arrays.items()},
        }

    def to_json(self) -> dict[str, object]:
        """All other values as JSON; a validation loss that is not finite becomes null."""
        ended = self.state.ended
        has_loss = self.val_loss is not None and math.isfinite(self.val_loss)
        return {
            "epoch": self.number,
            "random_state": self.state.random_state,
            "ended": None if ended is None else [ended.reason, str(ended)],
            "seconds": self.seconds,
            "val_loss": self.val_loss if has_loss else None,
            "log_bytes": self.log.size,
            "log_sha256": self.log.sha256,
            "path_rows": self.path.size,
            "path_sha256": self.path.sha256,
        }

    @classmethod
    def of(cls, arrays: Mapping[str, Array], meta: CheckpointMeta) -> Checkpoint:
        """Return a checkpoint from the results of `to_arrays` and `to_json`; arrays are copied."""
        arrays = {name: array.copy() for name, array in arrays.items()}
        ended = None if meta.ended is None else StepFailed(*meta.ended)
        random_state = meta.random_state.to_json()
        state = TrainState(
            meta.epoch,
            Point(arrays["params"]),
            under("state.", arrays),
            random_state,
            ended,
            under("rate.", arrays),
        )
        return cls(
            state,
            under("best.", arrays),
            under("stopping.", arrays),
            meta.seconds,
            meta.val_loss,
            Extent(meta.log_bytes, meta.log_sha256),
            Extent(meta.path_rows, meta.path_sha256),
        )


class Checkpoints:
    """The checkpoints of one run: the two newest, and the one with the lowest validation loss.

    `identity` is the run's: checkpoints of other runs are refused. `errors` lists damaged files.
    """

    def __init__(self, run: Run, identity: str) -> None:
        self._run = run
        self._identity = identity
        self._val_losses: dict[int, float] = {}
        self.errors: list[str] = []

    def newest(self) -> Checkpoint | None:
        """Return the newest intact checkpoint, whose log and recorded parameters are intact too.

        None if there is none. Damaged ones are listed in `errors`; the next `save` removes them.
        """
        newest = None
        for number in sorted(self._numbers(), reverse=True):
            try:
                checkpoint = self._load(number)
            except RunError as error:
                self.errors.append(str(error))
                continue
            self._know(checkpoint)
            newest = newest or checkpoint
        return newest

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, then remove those that are no longer needed.

        Raises `RunError` if that fails. Until it is complete, all others stay.
        """
        meta = checkpoint.to_json() | {"run": self._identity}
        content = seal_checkpoint(checkpoint.to_arrays(), meta)
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
        """Return the epochs of the checkpoint files."""
        for path in self._run.folder.glob("checkpoint-*"):
            if (match := _FILE.fullmatch(path.name)) and path == self._path(int(match[1])):
                yield int(match[1])

    def _path(self, number: int) -> Path:
        return self._run.path(f"checkpoint-{number}.safetensors")

    def _load(self, number: int) -> Checkpoint:
        from bpcli.runs.saved_checkpoint import CheckpointMeta

        path = self._path(number)
        arrays, document = load_arrays(path)
        meta = check(CheckpointMeta, document, path)
        if not _is_sealed(path.read_bytes(), meta.sha256):
            raise RunError(f"{path} is damaged: its digest does not match its content.")
        if meta.run != self._identity or meta.epoch != number:
            raise RunError(f"{path} is not a checkpoint of this run at epoch {number}.")
        if "params" not in arrays or arrays["params"].ndim != 1 or not arrays["params"].size:
            raise RunError(f"{path} is damaged: it has no parameters.")
        checkpoint = Checkpoint.of(arrays, meta)
        self._check_growing_files(checkpoint, path)
        return checkpoint

    def _check_growing_files(self, checkpoint: Checkpoint, path: Path) -> None:
        """Raise `RunError` if the log or the recorded parameters were changed afterwards."""
        log, params = self._run.path(METRICS), checkpoint.state.params
        if checkpoint.log.size:
            is_complete = log.is_file() and log.stat().st_size >= checkpoint.log.size
            digest = digest_of_first(log, checkpoint.log.size).hexdigest() if is_complete else None
            if digest != checkpoint.log.sha256:
                raise RunError(
                    f"{path} does not match {METRICS}, which was changed or truncated later."
                )
        if checkpoint.path.size:
            rows = checkpoint.path.size
            digest = digest_of_rows(self._run, len(params), params.dtype, rows)
            if digest != checkpoint.path.sha256:
                raise RunError(
                    f"{path} does not match the recorded parameters, which were changed later."
                )


# A checkpoint file contains its own digest, computed with zeros in place of the digest.

_NO_DIGEST = "0" * 64


def seal_checkpoint(arrays: Mapping[str, Array], meta: Mapping[str, object]) -> bytes:
    """Return the bytes of a checkpoint file."""
    content = array_bytes(arrays, {**meta, "sha256": _NO_DIGEST})
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(_NO_DIGEST.encode(), digest.encode(), 1)


def _is_sealed(content: bytes, digest: str) -> bool:
    unsealed = content.replace(digest.encode(), _NO_DIGEST.encode(), 1)
    return hashlib.sha256(unsealed).hexdigest() == digest


def misfit(
    checkpoint: Checkpoint, params: Vector, state: State, bounds: Mapping[str, Bounds]
) -> str | None:
    """Return the name of the first array that does not fit such parameters and state, if any.

    Parameters must be finite; the optimizer's state may be infinite, but must be within its bounds.
    """
    saved, best = checkpoint.state, checkpoint.best
    for name, vector in (("params", saved.params), ("best.params", best.get("params", params))):
        if not _is_alike(vector, params) or not np.isfinite(vector).all():
            return name
    if best and not _is_memory_of_best(best):
        return "best"
    return _misfit_of("state", saved.optimizer_state, state, bounds)


def misfit_of_rate(checkpoint: Checkpoint, rate: LearningRate | None) -> str | None:
    """Return the name of the first array that does not fit the state of a learning rate, if any.

    The checkpoint may have none, since a learning rate may be changed on resume.
    """
    saved = checkpoint.state.rate_state
    if not saved or not isinstance(rate, LossSchedule):
        return None
    return _misfit_of("rate", saved, rate.init(), rate.bounds)


def _misfit_of(
    part: str, saved: State, expected: State, bounds: Mapping[str, Bounds]
) -> str | None:
    if saved.keys() != expected.keys():
        return part
    for name, array in saved.items():
        low, high = bounds.get(name, (-np.inf, np.inf))
        if not _is_alike(array, expected[name]) or (name in bounds and not low <= array <= high):
            return f"{part}.{name}"
    return None


def _is_memory_of_best(memory: Memory) -> bool:
    if memory.keys() != {"number", "val_loss", "params"}:
        return False
    number, loss = memory["number"], memory["val_loss"]
    return (
        _is_alike(number, np.asarray(0))
        and bool(number >= 0)
        and _is_alike(loss, np.asarray(0.0))
        and not np.isnan(loss)
    )


def _is_alike(array: Array, other: Array) -> bool:
    return (array.shape, array.dtype) == (other.shape, other.dtype)
