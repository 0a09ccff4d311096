"""The memory that a training needs, estimated from its config, and the memory that is free.

The two are compared twice: from the config alone, before anything large is made, and again when the
data exist. A training that would not fit is refused in one sentence, before a run is created.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.config.models import Spec
from bpcli.config.source import Location
from bpcli.engine.gauss_newton import factor_bytes
from bpcli.engine.rows import equal_size
from bpcli.engine.shards import shards_needed
from bpcli.errors import ConfigIssue
from bpcli.nn.network import Network
from bpcli.nn.propagation import block_size, bytes_per_sample
from bpcli.optimizers import OPTIMIZERS
from bpcli.registry import name_of
from bpcli.system import available_memory, usable_cores
from bpcli.text import plural


@dataclass(frozen=True)
class Need:
    """A use of memory, the key that causes it, and a way to reduce it."""

    what: str
    bytes: int
    location: Location
    remedy: str


def needs(
    spec: Spec, network: Network, rows: int, table_bytes: int, buffer_bytes: int | None = None
) -> list[Need]:
    """All uses of memory at one time, to their order of magnitude.

    `table_bytes` is the size of a table that is not made yet; 0 once it exists. `buffer_bytes` is
    what each process needs to read some rows, if these stay in their file.
    """
    of_rows = _of_rows(spec, network, rows, table_bytes)
    if buffer_bytes is not None:
        of_rows = _of_streamed(spec, rows, buffer_bytes)
    every = [*_of_network(spec, network, rows), *of_rows]
    return [need for need in every if need.bytes]


def _of_network(spec: Spec, network: Network, rows: int) -> Iterator[Need]:
    """Parameters, the optimizer's state, activations, and the recorded path."""
    dtype, training = np.dtype(spec.network.dtype), spec.training
    vector = network.n_params * dtype.itemsize
    block = equal_size(rows, block_size(network, dtype), dtype)
    shards = shards_needed(rows, network, dtype, block)
    workers = min(shards, usable_cores() if training.workers == "auto" else training.workers)
    yield Need(
        f"{network.n_params:,} parameters with their gradients and copies",
        vector * (_VECTORS_IN_USE + shards),
        _LAYERS,
        "use fewer units",
    )
    yield Need(
        f"the state and equations of `{name_of(OPTIMIZERS, training.optimizer)}`",
        training.optimizer.memory_bytes(network.n_params, dtype.itemsize),
        ("training", "optimizer"),
        "use `conjugate_gradient`, which needs only a few vectors",
    )
    if training.optimizer.needs_matrix:
        yield Need(
            "the factors of JᵀJ",
            factor_bytes(network, rows, dtype),
            ("training", "optimizer"),
            "use `lbfgs`, which needs no matrix",
        )
    yield Need(
        f"activations of {plural(block, 'row')} at a time",
        (workers + _OTHER_PASSES) * bytes_per_sample(network, dtype) * block,
        _LAYERS,
        "use fewer units",
    )
    yield Need(
        f"parameters after each of {training.epochs:,} epochs",
        vector * training.epochs * _COPIES_OF_PATH * training.record_params,
        ("training", "record_params"),
        "remove `record_params`",
    )


_LAYERS: Location = ("network", "layers")


def _of_rows(spec: Spec, network: Network, rows: int, table_bytes: int) -> Iterator[Need]:
    """The rows as stored for the kernel, and the table that they come from."""
    dtype = np.dtype(spec.network.dtype)
    at: Location = ("data", "n_samples") if hasattr(spec.data, "n_samples") else ("data",)
    numbers = network.layers[0].columns + network.outputs
    what, remedy = f"{rows:,} rows in {dtype}", f"use fewer rows{or_stream(spec)}"
    yield Need(what, rows * numbers * dtype.itemsize, at, remedy)
    yield Need("the table", table_bytes, at, remedy)
    width = network.outputs + _COLUMNS_BESIDE_OUTPUTS
    scores = rows * width * _COPIES_OF_OUTPUTS * 8
    yield Need("outputs and metrics of all rows", scores, at, remedy)


def or_stream(spec: Spec) -> str:
    """How the rows of a file can be used without reading all of them into memory."""
    if not spec.data.files:
        return ""
    file = spec.data.files[0]
    if file.suffix.lower() in (".npy", ".parquet"):
        return ", or read them in pieces by `training.engine: stream`"
    return (
        f", or convert the file by `bpnet data convert {file.name}`: rows in a .npy or .parquet "
        "file can be read in pieces"
    )


def _of_streamed(spec: Spec, rows: int, buffer_bytes: int) -> Iterator[Need]:
    """What is kept of rows that stay in their file: pieces of them, and their splits."""
    training, split = spec.training, spec.data.split
    processes = usable_cores() if training.workers == "auto" else training.workers
    at: Location = ("data",)
    pieces = (_PIECE_BYTES + buffer_bytes) * (processes + 1)
    yield Need("pieces of the file", pieces, at, "use fewer `training.workers`")
    has_codes = split.order in ("random", "interleaved") and bool(split.val or split.test)
    in_order = "use `data.split.order: time`, which needs none"
    yield Need(f"the splits of {rows:,} rows", rows * has_codes, at, in_order)
    has_batches = training.batch_size != "full"
    yield Need(
        f"the order of {rows:,} rows in batches",
        _BYTES_PER_INDEX * rows * has_batches,
        ("training", "batch_size"),
        "use `batch_size: full`",
    )
    is_sorted = "robust" in (spec.data.scale.inputs, spec.data.scale.targets)
    yield Need(
        f"a column of {rows:,} numbers to sort",
        _BYTES_TO_SORT * rows * is_sorted,
        ("data", "scale"),
        "use `standard` instead of `robust`",
    )


_PIECE_BYTES = 16 * 2**20
"""Of each process: rows that are prepared, and laid out for the kernel."""

_BYTES_PER_INDEX = 8
_BYTES_TO_SORT = 24

_VECTORS_IN_USE = 9
"""Parameters and their copy for the workers, new and best parameters, velocity; and gradients: of a
block, summed, scaled, and of the latest evaluation. Gradients of shards are counted separately."""

_OTHER_PASSES = 2
"""Passes with arrays of their own besides the workers': over validation rows, and to predict."""

_COLUMNS_BESIDE_OUTPUTS = 4
_COPIES_OF_OUTPUTS = 4
"""Arrays of all rows that metrics use in double precision: outputs, targets, their differences and
squares; and a few more columns for the row's number, its class, and plots."""

_COPIES_OF_PATH = 2
"""Training writes the path epoch by epoch, but its plot reads all of it and its distances from the
end. A path that could not be plotted is refused."""


_TOO_LITTLE_TO_ASK = 16 * 2**20
"""Below so many bytes the free memory is not asked for: that takes 0.3 ms, a tenth of what a fit of
an estimator on little data takes besides its training."""


def of_memory(needs: Sequence[Need]) -> Iterator[ConfigIssue]:
    """Each need larger than the free memory; or the total, at the key of the largest need."""
    if total(needs) < _TOO_LITTLE_TO_ASK:
        return
    room = available_memory()
    alone = [need for need in needs if need.bytes > room]
    for need in alone:
        yield ConfigIssue(
            f"this needs about {size_text(need.bytes)} of memory for {need.what}, and "
            f"{size_text(room)} are free: {need.remedy}",
            need.location,
        )
    together = total(needs)
    if together > room and not alone:
        largest = sorted(needs, key=lambda need: -need.bytes)
        listed = [need for need in largest if need.bytes > together / 100]
        uses = ", ".join(f"{size_text(need.bytes)} for {need.what}" for need in listed)
        yield ConfigIssue(
            f"this needs about {size_text(together)} of memory ({uses}), and {size_text(room)} are "
            f"free: {largest[0].remedy}",
            largest[0].location,
        )


def total(needs: Sequence[Need]) -> int:
    """The bytes of all needs."""
    return sum(need.bytes for need in needs)


def size_text(size: float) -> str:
    """A number of bytes in a suitable unit."""
    for factor, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= factor:
            number = size / factor
            return f"{number:,.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"
    return f"{size:.0f} bytes"
