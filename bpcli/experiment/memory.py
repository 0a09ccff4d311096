"""What a training will need of memory, told from its config, and what the machine has left.

It is compared before anything large is made, from what the config alone says, and once more when
the data are there: what would not fit is refused in one sentence, with no run begun.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bpcli.config.models import Spec
from bpcli.config.source import Location
from bpcli.engine.rows import equal_size
from bpcli.engine.shards import shards_needed
from bpcli.errors import ConfigIssue
from bpcli.nn.network import Network
from bpcli.nn.propagation import block_size, bytes_per_sample
from bpcli.optimizers import OPTIMIZERS
from bpcli.registry import name_of
from bpcli.system import available_memory, usable_cores


@dataclass(frozen=True)
class Need:
    """Something that takes memory, the key that it comes from, and what would make it less."""

    what: str
    bytes: int
    location: Location
    remedy: str


def needs(spec: Spec, network: Network, rows: int, table_bytes: int) -> list[Need]:
    """All that a training has in memory at once, to its order of magnitude.

    `table_bytes` is what the source has yet to make of the rows; 0 once they are there.
    """
    found = [*_of_network(spec, network, rows), *_of_rows(spec, network, rows, table_bytes)]
    return [need for need in found if need.bytes]


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
        "take fewer units",
    )
    yield Need(
        f"what `{name_of(OPTIMIZERS, training.optimizer)}` remembers or solves",
        training.optimizer.memory_bytes(network.n_params, dtype.itemsize),
        ("training", "optimizer"),
        "take `conjugate_gradient`, which needs a few vectors only",
    )
    yield Need(
        f"activations of {block} rows at a time",
        (workers + _OTHER_PASSES) * bytes_per_sample(network, dtype) * block,
        _LAYERS,
        "take fewer units",
    )
    yield Need(
        f"parameters after each of {training.epochs:,} epochs",
        vector * training.epochs * _COPIES_OF_PATH * training.record_params,
        ("training", "record_params"),
        "leave `record_params` out",
    )


_LAYERS: Location = ("network", "layers")


def _of_rows(spec: Spec, network: Network, rows: int, table_bytes: int) -> Iterator[Need]:
    """The rows as the network reads them, and the table that they come from."""
    dtype, at = np.dtype(spec.network.dtype), _key_of_rows(spec)
    numbers = network.layers[0].columns + network.outputs
    what = f"{rows:,} rows in {dtype}"
    yield Need(what, rows * numbers * dtype.itemsize, at, "take fewer rows")
    yield Need("the table", table_bytes, at, "take fewer rows")
    width = network.outputs + _COLUMNS_BESIDE_OUTPUTS
    scores = rows * width * _COPIES_OF_OUTPUTS * 8
    yield Need("outputs and metrics of all rows", scores, at, "take fewer rows")


_VECTORS_IN_USE = 9
"""Parameters and their copy for the workers, the new ones, best, velocity, and gradients: of a
block, added up, scaled, and of the latest evaluation. To these comes the gradient of each shard."""

_OTHER_PASSES = 2
"""Passes whose arrays stay beside those of the workers: over validation rows, and to predict."""

_COLUMNS_BESIDE_OUTPUTS = 4
_COPIES_OF_OUTPUTS = 4
"""What metrics hold of every row, in double precision: outputs, targets, their differences and
squares, and as wide as a few outputs more the row's number, its class, and what is drawn."""

_COPIES_OF_PATH = 2
"""Training writes the path as it comes, but its plot reads all of it: itself and its distances
from the end. What nobody could look at is not begun."""


def _key_of_rows(spec: Spec) -> Location:
    return ("data", "n_samples") if hasattr(spec.data, "n_samples") else ("data",)


def of_memory(found: Sequence[Need]) -> Iterator[ConfigIssue]:
    """What there is no room for, at the key that it comes from; or, all together, the largest's."""
    room = available_memory()
    alone = [need for need in found if need.bytes > room]
    for need in alone:
        yield ConfigIssue(
            f"about {size_text(need.bytes)} of memory for {need.what}, and {size_text(room)} are "
            f"free: {need.remedy}",
            need.location,
        )
    total = sum(need.bytes for need in found)
    if total > room and not alone:
        largest = sorted(found, key=lambda need: -need.bytes)
        told = [need for need in largest if need.bytes > total / 100]
        splits = ", ".join(f"{size_text(need.bytes)} for {need.what}" for need in told)
        yield ConfigIssue(
            f"this takes about {size_text(total)} of memory ({splits}), and {size_text(room)} are "
            f"free: {largest[0].remedy}",
            largest[0].location,
        )


def size_text(size: float) -> str:
    """Bytes in the unit that suits them."""
    for factor, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= factor:
            number = size / factor
            return f"{number:,.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"
    return f"{size:.0f} bytes"
