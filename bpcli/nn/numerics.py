"""The state of numpy and BLAS in which everything is computed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def repeatable_numerics() -> Iterator[None]:
    """Pin BLAS to one thread: no bit of a result may depend on how many it would take.

    Overflow raises no warning here: a loss or a metric that is not finite is noticed and explained.
    """
    import threadpoolctl

    with threadpoolctl.threadpool_limits(1, "blas"), np.errstate(over="ignore", invalid="ignore"):
        yield
