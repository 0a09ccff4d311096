"""Classes of points, most of them in the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcli.data.generators.base import Generator, Samples, class_table
from bpcli.data.table import Table
from bpcli.nn.arrays import Array


@dataclass(frozen=True)
class _Region(Generator):
    n_samples: Samples = 500

    def table(self, rng: np.random.Generator) -> Table:
        X = rng.uniform(-1, 1, (self.n_samples, 2))
        return class_table(X, self._inside(np.abs(X)), count=2)

    @staticmethod
    def _inside(distance: Array) -> Any:
        raise NotImplementedError


class Diamond(_Region):
    """1 inside |x1| + |x2| < 1, x uniform on [-1, 1]²."""

    @staticmethod
    def _inside(distance: Array) -> Any:
        return distance.sum(axis=1) < 1


class Square(_Region):
    """1 inside max(|x1|, |x2|) < 0.5, x uniform on [-1, 1]²."""

    @staticmethod
    def _inside(distance: Array) -> Any:
        return distance.max(axis=1) < 0.5
