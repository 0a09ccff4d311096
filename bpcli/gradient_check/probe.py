"""The entries, the steps and the rounding bounds of a gradient check.

A step of central differences moves z by 6e-6 at most. No method works across a kink of the
function, so an entry whose step moves any unit, or any residual, to another smooth piece is skipped
and counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from bpcli.gradient_check.comparison import norm
from bpcli.gradient_check.derivatives import CENTRAL_STEP, moved
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network
from bpcli.nn.propagation import Workspace, forward


class Probe:
    """Forward passes of a network over fixed rows: step sizes, bounds of rounding, and kinks.

    `inputs` (inputs [+1], n) and `targets` (outputs, n) have samples as columns.
    """

    def __init__(self, network: Network, inputs: Array, targets: Array) -> None:
        self.network = network
        self._params = np.empty(network.n_params)
        self._work = Workspace(network, self._params)
        self._work.fit(inputs.shape[1])
        self._inputs = inputs
        self._targets = targets

    def central_steps(self, params: Vector) -> Vector:
        """A step for every parameter; it moves z by `CENTRAL_STEP` at most.

        An entry of W[l] moves z[l] by the step times an entry of a[l-1], which may be large.
        """
        self._forward(params)
        steps = np.empty(len(params))
        layers = zip(self._work.layers, self.network.matrices(steps), strict=True)
        for layer, matrix in layers:
            matrix[:] = CENTRAL_STEP / np.maximum(1, np.abs(layer.below).max(axis=1))
        return steps

    def size_of_terms(self, params: Vector) -> float:
        """A bound on the terms of the sum that is the mean loss's gradient, for its rounding.

        It multiplies absolute values, with 1 for f', its maximum, and |a| + |y| for delta. If units
        are saturated, outputs are right or rows cancel, the gradient itself is much smaller.
        """
        self._forward(params)
        top = np.abs(self._work.layers[-1].a) + np.abs(self._targets)
        return self._size(top) / float(self._inputs.shape[1])

    def size_of_jacobian(self, params: Vector) -> float:
        """The same bound for the whole Jacobian of the residuals."""
        self._forward(params)
        return self._size(np.ones_like(self._work.layers[-1].a))

    def size_of_curvature(self, params: Vector, direction: Vector) -> float:
        """The same bound for the change of the gradient along a direction of length 1.

        It is the sum of the gradient's terms at both ends, times 1 plus the largest change of z.
        """
        end = self.size_of_terms(params + direction)
        start = self.size_of_terms(params)
        largest = max(float(np.abs(layer.below).max()) for layer in self._work.layers)
        return (start + end) * (1 + largest * float(np.abs(direction).sum()))

    def has_kink(self, params: Vector, step: Vector) -> bool:
        """Whether params + step and params - step lie on different smooth pieces."""
        return self._regions(params - step) != self._regions(params + step)

    def _size(self, top: Array) -> float:
        """The norm of Σ_samples |delta| |a| over all layers, from the output's |delta| down."""
        norms, below = [], top
        for layer in reversed(self._work.layers):
            delta = np.repeat(below, layer.activation.rows_per_unit, axis=0)
            norms.append(norm(delta @ np.abs(layer.below).T))
            below = np.abs(layer.W).T @ delta
        return math.hypot(*norms)

    def _forward(self, params: Vector) -> None:
        self._params[:] = params
        forward(self._work, self._inputs)

    def _regions(self, params: Vector) -> list[bytes]:
        """The linear region of every unit and residual."""
        self._forward(params)
        regions = [layer.activation.linear_region(layer.z) for layer in self._work.layers]
        regions.append(self.network.loss.linear_region(self._work.layers[-1].a, self._targets))
        return [region.tobytes() for region in regions if region is not None]


def choose_entries(network: Network, most: int | None, rng: np.random.Generator) -> Vector:
    """True for the entries to check: all trained ones, or at most `most` of each tensor."""
    chosen = np.zeros(network.n_params, dtype=bool)
    for _, tensor in network.tensors(chosen):
        picked = rng.permutation(tensor.size)[:most]
        tensor[np.unravel_index(picked, tensor.shape)] = True
    chosen[network.frozen] = False
    return chosen


@dataclass(frozen=True)
class Point:
    """The point of a check: `params`, and the `chosen` entries, of which the `kinked` are skipped.

    `steps` are the steps of the central differences.
    """

    network: Network
    params: Vector
    chosen: Vector
    kinked: Vector
    steps: Vector

    @classmethod
    def of(cls, probe: Probe, params: Vector, chosen: Vector) -> Point:
        """Find the kinks within twice the steps."""
        steps, kinked = probe.central_steps(params), np.zeros_like(chosen)
        for entry in np.flatnonzero(chosen).tolist():
            step = moved(np.zeros_like(params), entry, 2 * float(steps[entry]))
            kinked[entry] = probe.has_kink(params, step)
        return cls(probe.network, params, chosen, kinked, steps)

    def without_kinks(self) -> Point:
        """The same point for a function without kinks."""
        return replace(self, kinked=np.zeros_like(self.kinked))

    @property
    def entries(self) -> Array:
        """The entries to differentiate by."""
        return np.flatnonzero(self.chosen & ~self.kinked)
