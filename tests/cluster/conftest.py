"""A local cluster of two workers for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from helpers_path import finding_tests

if TYPE_CHECKING:
    from bpcli.cluster.connection import ClusterConnection
    from bpcli.cluster.local import LocalCluster


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
