"""Random numbers of an explanation: one generator per task, the same in any worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from bpcli.data.types import Labels
from bpcli.nn.arrays import Array

Purpose: TypeAlias = Literal["permutation", "background", "bootstrap", "orders"]
_PURPOSES: tuple[Purpose, ...] = ("permutation", "background", "bootstrap", "orders")
_OWN = 101
"""Keeps these streams apart from those of a training with the same seed."""

Outputs: TypeAlias = Callable[[Array], Array]
"""The network's outputs (n, K) in original units, for encoded rows X (n, d) in original units."""

RESAMPLES = 200
LEVEL = 0.95


def generator(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """The generator of one numbered task of a purpose, independent of all others."""
    key = (_OWN, _PURPOSES.index(purpose), *numbers)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def resample_counts(rows: int, seed: int) -> Array:
    """How often each row is in each of the bootstrap's resamples: (RESAMPLES, rows)."""
    rng = generator(seed, "bootstrap")
    drawn = rng.integers(rows, size=(RESAMPLES, rows))
    return np.stack([np.bincount(each, minlength=rows) for each in drawn]).astype(np.float64)


def evenly_spaced(count: int, most: int) -> Labels:
    """The positions of at most `most` of `count` rows."""
    return np.linspace(0, count - 1, min(count, most)).round().astype(np.intp)
