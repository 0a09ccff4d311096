"""Check the derivatives of an objective: gradient, L2 term, Jacobian and Hessian."""

from __future__ import annotations

import numpy as np

from bpcli.errors import Diverged
from bpcli.gradient_check.comparison import TensorCheck
from bpcli.gradient_check.hessian import check_hessian
from bpcli.gradient_check.probe import Point, Probe, choose_entries
from bpcli.gradient_check.tensors import check_gradient, check_jacobian
from bpcli.nn.arrays import Vector
from bpcli.nn.jacobian import jacobian_rows
from bpcli.training.objective import NetworkObjective


def check_objective(
    objective: NetworkObjective, params: Vector, *, most_entries: int | None = None
) -> list[TensorCheck]:
    """Check each tensor of the data term, and of the L2 term if there is one.

    Then checks each tensor of the residuals' Jacobian if the loss is a sum of squares, and products
    with the objective's Hessian.

    `params` are float64; checks all entries, or at most `most_entries` of each tensor. Raises
    `Diverged` if the objective or its gradient is not finite, or too large for differences.
    """
    network = objective.network
    probe = Probe(network, *objective.data.columns)
    chosen = choose_entries(network, most_entries, np.random.default_rng(0))
    point = Point.of(probe, params, chosen)
    scale = 1.0 if objective.reduction == "mean" else float(objective.n_rows)
    size = scale * probe.size_of_terms(params)
    _refuse_overflow(objective, point, size)
    checks = _check_data_term(objective, point, size)
    if objective.l2:
        grad = objective.penalty_grad(params)
        checks += check_gradient("l2", point.without_kinks(), objective.penalty, grad, 0.0)
    if network.loss.is_sum_of_squares:
        checks += _check_jacobian(objective, point, probe)
    product = objective.hessian_product
    return [*checks, check_hessian(point, probe, objective.grad, product, scale)]


def _check_data_term(objective: NetworkObjective, point: Point, size: float) -> list[TensorCheck]:
    data_term = objective.like(l2=0.0)
    grad = data_term.value_and_grad(point.params).grad
    return check_gradient("data", point, data_term.value, grad, size)


def _check_jacobian(objective: NetworkObjective, point: Point, probe: Probe) -> list[TensorCheck]:
    network, inputs = objective.network, objective.data.columns[0]
    J = jacobian_rows(network, point.params, inputs, point.entries, objective.sweep)
    size = probe.size_of_jacobian(point.params)
    return check_jacobian(point, inputs, J, size)


def _refuse_overflow(objective: NetworkObjective, point: Point, size_of_terms: float) -> None:
    """Raise `Diverged`, with the key to change, if differences of the objective overflow.

    Uses only values and bounds of gradients: if these are finite and a gradient is not, it is
    wrong.
    """
    params, data_term = point.params, objective.like(l2=0.0)
    data_bound = max(np.abs(data_term.value(params)), size_of_terms * objective.n_rows)
    max_slope = objective.l2 * objective.n_rows * np.abs(params).max()
    penalty_bound = max(np.abs(objective.penalty(params)), max_slope)
    smallest = float(point.steps.min())  # 0 where an activation overflows
    room = float(np.abs(params).sum() + 1) / smallest if smallest else np.inf
    data_hint = "scale the data (`data.scale`), or use smaller initial parameters (`network.init`)"
    for bound, hint in ((data_bound, data_hint), (penalty_bound, "lower `training.l2`")):
        if not np.isfinite(bound * room):
            raise Diverged(
                f"The objective or its gradient is not finite here, or too large to check: {hint}."
            )
