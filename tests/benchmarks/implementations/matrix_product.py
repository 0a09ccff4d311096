"""The product of two large square matrices by numpy's BLAS: as fast as this machine multiplies."""

from __future__ import annotations

import time

import numpy as np
import threadpoolctl


class Trainer:
    """Its epochs are products of `size`² matrices with `threads` BLAS threads."""

    def __init__(self, size: int, dtype: str, threads: int) -> None:
        rng = np.random.default_rng(0)
        self._a, self._b = rng.standard_normal((2, size, size)).astype(dtype)
        self._out = np.empty_like(self._a)
        threadpoolctl.threadpool_limits(threads, "blas")
        self.run(1)

    def run(self, epochs: int) -> float:
        began = time.perf_counter()
        for _ in range(epochs):
            np.dot(self._a, self._b, self._out)
        return time.perf_counter() - began
