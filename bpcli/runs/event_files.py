"""Event files for TensorBoard in a run's folder: the numbers of the log, for another program.

They are written by tensorboard's own records and messages, without TensorFlow and without a thread,
as workers may be forked. They have wall times, so that equal runs have other bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from time import time as wall_time
from typing import Any

import numpy as np

from bpcli.errors import RunError
from bpcli.nn.arrays import Array
from bpcli.runs.files import GrowingFile, not_saved
from bpcli.runs.layout import TENSORBOARD
from bpcli.runs.metrics_log import LogLine
from bpcli.runs.store import Run

_NAME = "events.out.tfevents"


def require_tensorboard() -> None:
    """Raise `RunError` if the package is not installed."""
    try:
        import_module("tensorboard")
    except ImportError:
        raise RunError(
            '`training.tensorboard` needs an extra package: pip install "bpcli[tensorboard]".'
        ) from None


class EventFile:
    """A new event file of a run, from the epoch `first` on.

    Each session of a training has a file of its own. Of earlier files, TensorBoard drops what they
    have of these epochs, so that no epoch is shown twice. Every method raises `RunError` if the
    system refuses to write.
    """

    def __init__(self, run: Run, first: int) -> None:
        number = _next_number(_folder(run))
        self._file = GrowingFile(run.path(TENSORBOARD) / f"{_NAME}.{number:04d}")
        self._first = first
        self._proto = _Messages()
        self._writer = self._proto.records(self._file)
        self._write(0, file_version="brain.Event:2")
        self._write(first, session_log=self._proto.start)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def describe(self, config: str, values: Mapping[str, object]) -> None:
        """Write the config as text, and single values of it as hyperparameters."""
        self._write(self._first, summary=self._proto.text("config", f"```yaml\n{config}\n```"))
        known = {key: _hyperparameter(value) for key, value in values.items() if value is not None}
        self._write(self._first, summary=self._proto.hyperparameters(known))

    def add(self, line: LogLine) -> None:
        """Write the numbers of a line of the log; those that are not finite are left out.

        They are rounded to 32 bits: TensorBoard shows no others.
        """
        summary = self._proto.summary()
        with np.errstate(over="ignore"):
            for tag, value in tagged(line):
                if np.isfinite(np.float32(value)):
                    summary.value.add(tag=tag, simple_value=value)
        self._write(line.epoch, summary=summary)

    def add_histograms(self, epoch: int, tensors: Iterable[tuple[str, Array]]) -> None:
        """Write how weights and biases are distributed; those that are not finite are left out."""
        summary = self._proto.summary()
        for name, tensor in tensors:
            if tensor.size and np.isfinite(tensor).all():
                self._proto.add_histogram(summary, f"parameters/{name}", tensor)
        self._write(epoch, summary=summary)

    def _write(self, epoch: int, **content: Any) -> None:
        event = self._proto.event(wall_time=wall_time(), step=epoch, **content)
        self._writer.write(event.SerializeToString())


def tagged(line: LogLine) -> Iterator[tuple[str, float]]:
    """Yield the numbers of a line with their names in TensorBoard, which groups them before `/`."""
    for key, value in line.numbers().items():
        if key == "epoch":
            continue
        if isinstance(value, float | int | None):
            named = [(_tag(key), value)]
        else:
            group = key.removesuffix("s") if key == "grad_norms" else key
            named = [(f"{group}/layer_{n}", each) for n, each in enumerate(value, start=1)]
        for tag, number in named:
            if number is not None:
                yield tag, number


def _tag(key: str) -> str:
    """`val.accuracy` is accuracy/val, beside accuracy/train; other keys have a group, too."""
    split, _, metric = key.partition(".")
    if metric:
        return f"{metric}/{split}"
    return _TAGS.get(key, f"optimizer/{key}")


_TAGS = {"loss": "loss/minimised", "grad_norm": "grad_norm/network", "seconds": "time/seconds"}


def _hyperparameter(value: object) -> bool | int | float | str:
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _folder(run: Run) -> Path:
    """Make the folder of event files; a link, which may lead elsewhere, is refused."""
    folder = run.path(TENSORBOARD)
    if folder.is_symlink():
        raise RunError(f"{folder} could not be saved: it is a link.")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise not_saved(folder, error) from None
    return folder


def _next_number(folder: Path) -> int:
    """Return one more than the highest number of an event file: their order is that of names."""
    suffixes = [path.suffix[1:] for path in folder.glob(f"{_NAME}.*")]
    return 1 + max((int(suffix) for suffix in suffixes if suffix.isdecimal()), default=0)


class _Messages:
    """The messages of the package tensorboard; importing it takes about half a second."""

    def __init__(self) -> None:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.plugins.text.summary_v2 import text_pb

        self.event = event_pb2.Event
        self.summary = summary_pb2.Summary
        self.start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self.text = text_pb
        self.hyperparameters = hparams_pb

    def records(self, file: GrowingFile) -> Any:
        """A writer of records to a file."""
        from tensorboard.summary.writer.record_writer import RecordWriter

        return RecordWriter(_Whole(file))

    def add_histogram(self, summary: Any, tag: str, values: Array) -> None:
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        summary.value.extend(histogram_pb(tag, values).value)


class _Whole:
    """What a writer of records writes to: each record becomes one piece of a file."""

    def __init__(self, file: GrowingFile) -> None:
        self._file = file

    def write(self, record: bytes) -> None:
        self._file.grow(record)
