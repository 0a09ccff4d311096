"""Independent streams of random numbers, one for each purpose."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

Stream: TypeAlias = Literal["data", "split", "init", "batches", "intervals"]
_STREAMS: tuple[Stream, ...] = ("data", "split", "init", "batches", "intervals")


def stream(seed: int, name: Stream) -> np.random.Generator:
    """An independent source of random numbers for each purpose.

    Changing the network therefore keeps the data and the split.
    """
    spawned = np.random.SeedSequence(seed, spawn_key=(_STREAMS.index(name),))
    return np.random.default_rng(spawned)
