"""Where the rows are during training: in memory, or in their file (`training.engine`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bpcli.config.load import Config
from bpcli.config.models import Spec
from bpcli.data.table import RawTable
from bpcli.errors import ConfigIssue, DataError
from bpcli.experiment.memory import needs, or_stream, size_text, total
from bpcli.experiment.network import network_of_sizes
from bpcli.experiment.table import ReadRows
from bpcli.system import available_memory

if TYPE_CHECKING:
    from bpcli.config.file_models import FileData
    from bpcli.data.files.stored_table import StoredSize


def chosen_reader(config: Config, read: ReadRows) -> ReadRows:
    """`read`, or a function whose rows stay in their file.

    Raises `ConfigError` with everything that cannot be streamed, if the config demands it.
    """
    engine, data = config.spec.training.engine, _in_file(config.spec)
    is_streamed = engine in ("stream", "dask")
    issues = [*_of_cluster(config.spec), *(_issues(config.spec, data) if is_streamed else ())]
    if issues:
        raise config.source.error(issues)
    if data is None:
        return read
    if is_streamed:
        return _read_stored
    if engine == "memory":
        _refuse_too_large(config, data.path)
        return read
    note = _too_large(config.spec, data)
    if note is not None:
        return _NotedReader(note)
    _refuse_too_large(config, data.path)
    return read


def _refuse_too_large(config: Config, path: Path) -> None:
    """Raises `ConfigError` for a table that cannot be read into memory.

    Arrays are mapped into memory; what training needs is known once they are.
    """
    from bpcli.data.files.array_files import is_array_file

    size = path.stat().st_size if path.is_file() and not is_array_file(path) else 0
    if size > _LARGE and size > (free := available_memory()):
        message = (
            f"{path.name} has {size_text(size)}, and {size_text(free)} of memory are free: use "
            f"fewer rows{or_stream(config.spec)}"
        )
        raise config.source.error([ConfigIssue(message, ("data", "file"))])


_LARGE = 2**24
"""Below so many bytes the free memory is not asked for, which takes 0.3 ms."""


def _in_file(spec: Spec) -> FileData | None:
    if not spec.data.files:
        return None
    from bpcli.config.file_models import FileData  # here: other configs do not need it

    return spec.data if isinstance(spec.data, FileData) else None


def _issues(spec: Spec, data: FileData | None) -> Iterator[ConfigIssue]:
    """Everything that keeps the rows from being streamed."""
    if data is None:
        yield ConfigIssue(
            "only the rows of a .npy or .parquet file can be streamed: remove this key, or name "
            "such a file by `data.file`",
            ("training", "engine"),
        )
        return
    for reason in _of_source(data):
        yield ConfigIssue(str(reason), ("data", reason.key or "file"))
    yield from _of_keys(spec, data)


def _of_source(data: FileData) -> list[DataError]:
    try:
        return list(data.stored_source.not_streamed())
    except DataError as error:  # there is no such file
        return [error]


def _of_keys(spec: Spec, data: FileData) -> Iterator[ConfigIssue]:
    """Keys that need all rows, or a number for each."""
    instead = "remove this key, or use `training.engine: memory`"
    for key in ("folds", "order_by"):
        if getattr(data.split, key) is not None:
            yield ConfigIssue(
                f"the rows of `{key}` cannot be streamed: {instead}", ("data", "split", key)
            )
    if data.weight is not None:
        yield ConfigIssue(f"streamed rows have no weights: {instead}", ("data", "weight"))
    if spec.training.calibration is not None:
        yield ConfigIssue(
            f"streamed rows are not used to calibrate: {instead}", ("training", "calibration")
        )
    if spec.training.class_weights is not None:
        yield ConfigIssue(
            f"streamed rows have no weights: {instead}", ("training", "class_weights")
        )


def _of_cluster(spec: Spec) -> Iterator[ConfigIssue]:
    """What the workers of a cluster cannot do: they compute losses and gradients of all rows."""
    training = spec.training
    if training.engine != "dask":
        if training.scheduler is not None:
            yield ConfigIssue(
                "only `training.engine: dask` uses a scheduler: set it, or remove this key",
                ("training", "scheduler"),
            )
        return
    if training.batch_size != "full":
        yield ConfigIssue(
            "a cluster computes sums over all rows, not over mini-batches: use `full`, or "
            "`training.engine: stream`",
            ("training", "batch_size"),
        )
    if training.optimizer.needs_sum_of_squares:
        yield ConfigIssue(
            "this optimizer needs more than the gradient, and a cluster computes only that: use "
            "`lbfgs`, or `training.engine: stream`",
            ("training", "optimizer"),
        )


def _too_large(spec: Spec, data: FileData) -> str | None:
    """A note if the rows do not fit in memory, and can be streamed; None otherwise."""
    from bpcli.data.files.array_files import is_array_file
    from bpcli.data.files.parquet import is_parquet

    if not (is_array_file(data.path) or is_parquet(data.path)) or [*_issues(spec, data)]:
        return None
    try:
        size = data.stored_source.size()
    except DataError:
        return None  # reading the rows reports it
    needed, free = _bytes_in_memory(spec, size), available_memory()
    if needed <= free:
        return None
    return (
        f"the rows would need about {size_text(needed)} of memory, and {size_text(free)} are "
        f"free: they are read from {data.path.name} in every epoch (`training.engine: stream`)"
    )


def _bytes_in_memory(spec: Spec, size: StoredSize) -> int:
    """The memory that training would need with all rows in memory."""
    first, *others = spec.network.layers
    inputs = max(1, size.columns - 1) if first == "auto" else first
    sizes = [inputs, *(1 if units == "auto" else units for units in others)]
    network = network_of_sizes(spec, sizes)
    return total(needs(spec, network, size.rows, size.loaded))


def _read_stored(spec: Spec) -> RawTable:
    """The rows, which stay in their file. Raises `DataError`."""
    data = _in_file(spec)
    assert data is not None, "other rows are not streamed"
    return data.stored_source.table()


class _NotedReader:
    """Reads like `_read_stored`, and adds a note."""

    def __init__(self, note: str) -> None:
        self._note = note

    def __call__(self, spec: Spec) -> RawTable:
        table = _read_stored(spec)
        return replace(table, notes=(*table.notes, self._note))
