"""The workers of a cluster as a pool: they compute the sums over streamed rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bpcli.cluster.connection import ClusterConnection
from bpcli.cluster.sums import ClusterSums
from bpcli.engine.passes import Tally
from bpcli.engine.rows import StreamedRows
from bpcli.engine.sums import RemotePool, Sums
from bpcli.nn.network import Network


class ClusterPool(RemotePool):
    """Workers that read their rows themselves."""

    def __init__(self, connection: ClusterConnection) -> None:
        super().__init__()
        self._connection = connection

    def sums(
        self, network: Network, data: StreamedRows, dtype: np.dtype, tallies: Sequence[Tally]
    ) -> Sums:
        return ClusterSums(network, data, dtype, self._connection, tallies)
