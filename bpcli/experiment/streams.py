"""Independent streams of random numbers, one per purpose."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from bpcli.config.models import Spec

Stream: TypeAlias = Literal["data", "split", "init", "batches", "intervals"]
_STREAMS: tuple[Stream, ...] = ("data", "split", "init", "batches", "intervals")


def stream(seed: int, name: Stream) -> np.random.Generator:
    """The random generator of a purpose, independent of the others.

    A change of the network therefore keeps the data and the split.
    """
    spawned = np.random.SeedSequence(seed, spawn_key=(_STREAMS.index(name),))
    return np.random.default_rng(spawned)


def stream_of(spec: Spec, name: Stream) -> np.random.Generator:
    """The random generator of a purpose, independent of the others."""
    return stream(seed_of(spec, name), name)


def seed_of(spec: Spec, name: Stream) -> int:
    """The seed of a purpose: its own in `seeds`, else `seed`."""
    own: int | None = getattr(spec.seeds, name, None)
    return spec.seed if own is None else own
