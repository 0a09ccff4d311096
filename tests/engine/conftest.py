"""Pools for the tests of whatever they compute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pools import POOLS

from bpcli.engine.pool.base import WorkerPool


@pytest.fixture(params=POOLS.values(), ids=POOLS)
def some_pool(request: pytest.FixtureRequest) -> Iterator[WorkerPool]:
    made = request.param()
    yield made
    made.close()
