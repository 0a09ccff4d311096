"""A local cluster of two workers for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection
    from bpcli.cluster.local import LocalCluster

TESTS = str(Path(__file__).parent.parent)


def finding_tests() -> AbstractContextManager[Any]:
    """Let the workers that are started find the helpers of tests."""
    return patch.dict(os.environ, PYTHONPATH=TESTS)


@pytest.fixture(scope="package")
def local() -> Iterator[LocalCluster]:
    from bpcli.cluster.local import local_cluster

    with finding_tests(), local_cluster(2, None, "127.0.0.1:0") as started:
        yield started


@pytest.fixture
def cluster(local: LocalCluster) -> Iterator[ClusterConnection]:
    from bpcli.cluster.connection import connected

    with connected(local.address) as connection:
        yield connection
