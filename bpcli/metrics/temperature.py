"""Temperature scaling: probabilities of the output layer's z / T, with one T > 0 for all rows.

T is that of the lowest log loss on rows that were not trained on. As z / T has the order and the
signs of z, no predicted class changes. Guo, Pleiss, Sun & Weinberger 2017, On Calibration of Modern
Neural Networks, ICML, sec. 4.2.
"""

from __future__ import annotations

import math

import numpy as np

from bpcli.metrics.metrics import output_activations
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Network

LARGEST = 100.0
"""T is looked for between this number and its inverse."""


def temperature(network: Network, Z: Array, Y: Array) -> float | None:
    """The T of the lowest cross-entropy of the outputs a(z / T) with the targets.

    `Z` and `Y` (outputs, n) are the output layer's z and the targets, each 0 or 1. The output is a
    softmax or sigmoid. With β = 1/T the loss is convex in β, and its derivative
    Σ_i Σ_k (a_k(β z_i) - y_ik) z_ik does not fall, so its root is bracketed.

    None if there is no such T from 1/100 to 100: the loss falls until T = 0 if all rows are
    predicted correctly, and until T = ∞ if equal probabilities are better than the outputs.
    """
    from scipy.optimize import brentq

    Z = Z.astype(np.float64)
    if not np.isfinite(Z).all():
        return None

    def slope(log_beta: float) -> float:
        A = output_activations(network, math.exp(log_beta) * Z)
        return float(((A - Y) * Z).sum())

    end = math.log(LARGEST)
    if not slope(-end) < 0 < slope(end):
        return None
    return math.exp(-brentq(slope, -end, end, xtol=1e-14))


def with_temperature(network: Network, params: Vector, T: float) -> Vector:
    """The parameters of the network whose output layer has z / T: its W and b are divided by T."""
    scaled = params.copy()
    network.matrices(scaled)[-1][:] /= T
    return scaled
