"""Independent streams of random numbers, one per purpose."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

Stream: TypeAlias = Literal["data", "split", "init", "batches", "intervals"]
_STREAMS: tuple[Stream, ...] = ("data", "split", "init", "batches", "intervals")


def stream(seed: int, name: Stream) -> np.random.Generator:
    """The random generator of a purpose, independent of the others.

    A change of the network therefore keeps the data and the split.
    """
    spawned = np.random.SeedSequence(seed, spawn_key=(_STREAMS.index(name),))
    return np.random.default_rng(spawned)
