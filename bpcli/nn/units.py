"""Dead units, which pass no gradient, and saturated units, whose slope is small on most rows.

Both are defined for every activation by its derivative, s_ui = f'(z_ui) of unit u on row i:

    dead       s_ui = 0 on every row i
    saturated  not dead, and s_ui < 0.05 max f' on at least 95 % of the rows

A dead relu is inactive on all rows (Maas, Hannun & Ng 2013, Rectifier nonlinearities improve neural
network acoustic models; Lu et al. 2019, arXiv:1903.06733). A sigmoid or tanh whose output rounds to
its bound on all rows is dead too. A leaky relu is never dead, nor is a maxout: one of its rows
always passes the gradient.

Only a function whose derivative falls to 0 gradually, a soft-saturating one (Gulcehre et al. 2016,
arXiv:1603.00391, sec. 2), can be saturated: mostly near its asymptotes (Rakitianskaia &
Engelbrecht 2015, Measuring saturation in neural networks, doi:10.1109/SSCI.2015.202). The 0.05 and
the 95 % are our choice. With them, a tanh is saturated beyond |a| = 0.975, a sigmoid within 0.013
of 0 or 1, and a softsign beyond |a| = 0.776; a softplus and an elu saturate only for negative z.
The slope of an exponential has no maximum, so it is never saturated.

Output units whose delta does not contain f' are never counted: those of a softmax, and of a sigmoid
or an exponential with its canonical loss, where delta = a - y.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import LayerPass, Workspace, bytes_per_sample, forward

_MOST_ROWS = 1000
FLAT = 0.05
"""A slope below this fraction of the largest is small."""

NEARLY_ALL = 0.95
"""A unit is saturated if its slope is small on at least this share of the rows."""

_BYTES_AT_ONCE = 2**20


class UnitCounts(NamedTuple):
    """The numbers of dead and of saturated units in each layer, first layer first."""

    dead: list[int]
    saturated: list[int]


def rows_to_look_at(count: int) -> Array:
    """The indices of at most 1,000 of `count` rows, evenly spaced, starting with the first."""
    return np.arange(0, count, max(1, -(-count // _MOST_ROWS)))


class UnitCounter:
    """Counts dead and saturated units over samples, the columns of `inputs` as in `forward`."""

    def __init__(self, network: Network, inputs: Array) -> None:
        self._network = network
        self._inputs = inputs
        self._unused = np.zeros(network.n_params, inputs.dtype)  # unwritten: takes no memory
        self._work = Workspace(network, self._unused, in_place=True)

    def count(self, params: Vector) -> UnitCounts:
        """Count with these parameters."""
        work, samples = self._work, self._inputs.shape[1]
        work.read(params)
        tallies = [_Tally(layer) for layer in work.layers]
        counted = [tally for number, tally in enumerate(tallies) if can_fail(self._network, number)]
        size = max(1, _BYTES_AT_ONCE // bytes_per_sample(self._network, params.dtype))
        for start in range(0, samples, size):
            block = self._inputs[:, start : start + size]
            work.fit(block.shape[1])
            forward(work, block)
            for tally in counted:
                tally.update()
        work.read(self._unused)  # release the parameters
        counts = [tally.counts(samples) if tally in counted else (0, 0) for tally in tallies]
        return UnitCounts([dead for dead, _ in counts], [saturated for _, saturated in counts])


def can_fail(network: Network, number: int) -> bool:
    """Whether units of a layer, counted from 0, can be dead or saturated.

    They can if f' of each unit is a factor of its delta.
    """
    is_output = number == len(network.layers) - 1
    has_canceled = is_output and network.loss.is_canonical
    return not has_canceled and not network.layers[number].activation.mixes_units


class _Tally:
    """The slopes of a layer's units over the samples so far."""

    def __init__(self, layer: LayerPass) -> None:
        self._layer = layer
        self._max_slope = layer.activation.max_slope
        self._largest: Array = np.full(layer.layer.units, -np.inf)
        self._flat_rows: Array = np.zeros(layer.layer.rows, np.int64)

    def update(self) -> None:
        """Add the samples of the latest forward pass. Overwrites `delta`, `grad_a` and a."""
        slopes = slopes_of(self._layer)
        largest = slopes.reshape(len(self._largest), -1).max(axis=1)
        np.maximum(self._largest, largest, out=self._largest)
        if self._max_slope is not None:
            self._flat_rows += (slopes < FLAT * self._max_slope).sum(axis=1)

    def counts(self, samples: int) -> tuple[int, int]:
        """The numbers of dead and of saturated units."""
        dead = int((self._largest == 0).sum())
        if self._max_slope is None:
            return dead, 0
        return dead, int((self._flat_rows >= NEARLY_ALL * samples).sum()) - dead


def slopes_of(layer: LayerPass) -> Array:
    """f'(z), (rows, samples): the pullback of ones. Overwrites `delta`, `grad_a` and maybe a."""
    layer.grad_a[...] = 1
    layer.activation.pullback(layer.z, layer.a, layer.grad_a, layer.delta)
    return layer.delta
