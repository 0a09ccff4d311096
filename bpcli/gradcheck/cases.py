"""The objective's derivatives on trial: the cases to check, hints, and wrong passes to reject.

The passes in `CORRUPTIONS` are errors found in real course notes and student code. Each is the
shipping pass with one thing wrong, so rejecting them shows that the check can fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, product
from typing import get_args

import numpy as np

from bpcli.engine.rows import Rows
from bpcli.errors import Diverged
from bpcli.gradcheck.derivatives import (
    Place,
    Surroundings,
    TensorCheck,
    check_hessian,
    check_jacobian,
    check_tensors,
    choose_entries,
)
from bpcli.nn.activations import ACTIVATIONS, Activation
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.initializers import Normal
from bpcli.nn.jacobian import jacobian_rows, write_jacobian
from bpcli.nn.losses import LOSSES, legal_losses
from bpcli.nn.network import Bias, Layer, Network
from bpcli.nn.propagation import Workspace, backward
from bpcli.training.objective import NetworkObjective, Reduction


def check_objective(
    objective: NetworkObjective,
    params: Vector,
    *,
    most_entries: int | None = None,
    seed: int = 0,
) -> list[TensorCheck]:
    """One check for each tensor of the data term, then of the L2 term if there is one.

    Then one for each tensor of the residuals' Jacobian if the loss is a sum of squares, and one of
    products with the objective's Hessian.

    `params` are float64; checks all entries, or at most `most_entries` of each tensor. Raises
    `Diverged` where the objective or its gradient is not finite there, or so large that no
    difference of it is.
    """
    network, data_term = objective.network, objective.like(l2=0.0)
    chosen = choose_entries(network, most_entries, np.random.default_rng(seed))
    around = Surroundings(network, *objective.data.columns)
    place = Place.of(around, params, chosen)
    scale = 1.0 if objective.reduction == "mean" else float(objective.n_rows)
    size = scale * around.size_of_terms(params)
    _refuse_overflow(objective, place, size)
    grad = data_term.value_and_grad(params).grad
    checks = check_tensors("data", place, data_term.value, grad, size)
    if objective.l2:
        grad = objective.penalty_grad(params)
        checks += check_tensors("l2", place.without_kinks(), objective.penalty, grad, 0.0)
    if network.loss.is_sum_of_squares:
        checks += _check_jacobian(objective, place, around)
    product = objective.hessian_product
    return [*checks, check_hessian("hessian", place, around, objective.grad, product, scale)]


def _refuse_overflow(objective: NetworkObjective, place: Place, size_of_terms: float) -> None:
    """Raises `Diverged`, with the key to change, where differences of the objective overflow.

    Looks at values and at bounds of gradients alone: a gradient that is not finite where these are
    is wrong.
    """
    of_data = np.abs(objective.like(l2=0.0).value(place.params)), size_of_terms * objective.n_rows
    max_slope = objective.l2 * objective.n_rows * np.abs(place.params).max()
    of_penalty = np.abs(objective.penalty(place.params)), max_slope
    smallest = float(place.steps.min())  # 0 where an activation overflows
    room = float(np.abs(place.params).sum() + 1) / smallest if smallest else np.inf
    for bounds, hint in (
        (
            of_data,
            "scale the data (`data.scale`), or begin with smaller parameters (`network.init`)",
        ),
        (of_penalty, "lower `training.l2`"),
    ):
        if not np.isfinite(max(bounds) * room):
            raise Diverged(
                "The objective or its gradient is not finite here, or too large to be checked: "
                f"{hint}."
            )


def _check_jacobian(
    objective: NetworkObjective, place: Place, around: Surroundings
) -> list[TensorCheck]:
    network, inputs = objective.network, objective.data.columns[0]
    J = jacobian_rows(network, place.params, inputs, place.entries, objective.jacobian)
    size = around.size_of_jacobian(place.params)
    return check_jacobian("jacobian", place, inputs, J, size)


# The cases that `bpnet gradcheck` covers without a config.


@dataclass(frozen=True)
class Case:
    """One objective to check, and the factors it stands for."""

    loss: str
    output: str
    hidden: str | None
    depth: int
    bias: Bias
    reduction: Reduction
    l2: float
    row_weights: bool

    def objective(self, seed: int = 0) -> tuple[NetworkObjective, Vector]:
        """A small objective with random data, and random parameters to check it at."""
        rng = np.random.default_rng(seed)
        network = self._network()
        X = rng.normal(size=(_CASE_ROWS, network.inputs))
        Y = _targets(LOSSES[self.loss].targets, network.outputs, rng)
        weight = rng.uniform(0.5, 2, _CASE_ROWS) if self.row_weights else None
        data = Rows.of(network, X, Y, np.dtype(np.float64), weight)
        objective = NetworkObjective(network, data, l2=self.l2, reduction=self.reduction)
        return objective, network.initial_params(Normal(std=0.6), rng)

    def _network(self) -> Network:
        sizes = [*[3, 4, 4][: self.depth], 3]
        names = [self.hidden] * (self.depth - 1) + [self.output]
        layers = tuple(
            Layer(inputs, units, ACTIVATIONS[name or self.output](), self.bias)
            for inputs, units, name in zip(sizes[:-1], sizes[1:], names, strict=True)
        )
        return Network(layers, LOSSES[self.loss]())


_CASE_ROWS = 7


def _targets(kind: str, outputs: int, rng: np.random.Generator) -> Array:
    if kind == "values":
        return rng.normal(size=(_CASE_ROWS, outputs))
    positive = rng.uniform(0, 1, (_CASE_ROWS, outputs))
    return positive if kind == "probabilities" else positive / positive.sum(axis=1, keepdims=True)


def all_cases() -> Iterator[Case]:
    """Every legal loss × output × hidden activation at depths 2 and 3, and each pair at depth 1.

    Bias, reduction, L2 and row weights run through all their combinations in turn, so that every
    two values of any two factors meet in some case.
    """
    others = cycle(product(get_args(Bias), get_args(Reduction), (0.0, 0.3), (False, True)))
    for output in ACTIVATIONS:
        for loss in legal_losses(output):
            for hidden, depth in [(None, 1), *product(ACTIVATIONS, (2, 3))]:
                bias, reduction, l2, row_weights = next(others)
                yield Case(loss, output, hidden, depth, bias, reduction, l2, row_weights)


# What a failing check tells.


def explain(checks: list[TensorCheck], rows: int, outputs: int) -> str | None:
    """The likely error behind a failing check, from which tensors fail and by how much."""
    failed = {(check.term, check.tensor): check for check in checks if not check.passed}
    if not failed:
        return None
    terms = {term for term, _ in failed}
    if "data" not in terms and terms & {"jacobian", "hessian"}:
        return _explain_second_order(terms)
    if terms == {"l2"}:
        only_biases = all(tensor.startswith("b") for _, tensor in failed)
        return (
            "only the L2 term of biases is wrong: L2 shrinks weights, never biases"
            if only_biases
            else "only the L2 term is wrong: its gradient is c λ/n W"
        )
    data = {check.tensor: check for check in checks if check.term == "data" and check.checked}
    wrong = {tensor: check for tensor, check in data.items() if not check.passed}
    return _explain_ratio(wrong, len(wrong) == len(data), rows, outputs) or _explain_place(
        set(data), set(wrong)
    )


def _explain_second_order(terms: set[str]) -> str:
    if "jacobian" in terms:
        return (
            "the gradient is right and the Jacobian of the residuals is not: each output's sweep "
            "starts from delta[L] = J_L(z[L])ᵀ e_k"
        )
    return "the gradient is right and its derivative, the Hessian, is not"


def _explain_ratio(
    wrong: dict[str, TensorCheck], everywhere: bool, rows: int, outputs: int
) -> str | None:
    ratios = [check.ratio for check in wrong.values() if check.ratio is not None]
    if len(ratios) < len(wrong):
        return None
    possible = [
        (-1, "the sign is wrong"),
        (rows, f"off by exactly n = {rows}, the number of rows: is 1/n missing?"),
        (rows**2, f"off by exactly n² = {rows**2}: n stands where 1/n belongs"),
        (1 / rows, f"off by exactly 1/n, n = {rows} rows: is 1/n applied twice?"),
        (2, "off by exactly 2: is the loss the one with the factor ½?"),
        (0.5, "off by exactly ½: is the loss the one without the factor ½?"),
        (outputs, f"off by exactly {outputs}, the number of outputs"),
        (1 / outputs, f"off by exactly 1/{outputs}, one over the number of outputs"),
    ]
    found = [
        text
        for factor, text in possible
        if factor != 1
        and all(abs(ratio / factor - 1) < 1e-5 for ratio in ratios if ratio is not None)
    ]
    where = "every tensor" if everywhere else ", ".join(wrong)
    return f"{where}: {', or '.join(found)}" if found else None


def _explain_place(checked: set[str], wrong: set[str]) -> str:
    layers = {int(tensor[1:]) for tensor in wrong}
    if all(tensor.startswith("b") for tensor in wrong):
        return (
            "only bias gradients are wrong: they are delta[l] summed over the rows, "
            "one number a unit"
        )
    top = max(layers)
    below_is_right = top > 1 and layers == {top}
    biases_are_right = any(f"b{layer}" in checked - wrong for layer in layers)
    if wrong == {f"W{layer}" for layer in layers} and (biases_are_right or below_is_right):
        return "bias gradients are right, so delta is right: the error is in delta[l] a[l-1]ᵀ: " + (
            "is it the sum over rows of products, not the product of sums?"
            if 1 in layers
            else "is a[l-1] that layer's own input, not x?"
        )
    last = max(int(tensor[1:]) for tensor in checked)
    if last not in layers:
        return (
            f"the last layer is right and layer {max(layers)} is not: the error is in "
            "delta[l] = f'(z[l]) ∘ (W[l+1]ᵀ delta[l+1]), or gradients are stored with the wrong "
            "layer"
        )
    return "several layers are wrong in different ways: is each gradient stored with its own layer?"


# Wrong backward passes.


@dataclass(frozen=True)
class Corruption:
    """One classical error, as a change of a right objective into a wrong one."""

    meaning: str
    needs: str
    corrupt: Callable[[NetworkObjective], NetworkObjective]


def _after_backward(
    mend: Callable[[Workspace], None],
) -> Callable[[NetworkObjective], NetworkObjective]:
    """The objective whose backward pass is followed by `mend`, which spoils its result."""

    def wrong(work: Workspace, y: Array, row_weight: Array | None) -> None:
        backward(work, y, row_weight)
        mend(work)

    return lambda objective: objective.like(backward=wrong)


@dataclass(frozen=True)
class _NoDerivative(Activation):
    """An activation whose pullback forgets f'(z)."""

    honest: Activation

    def pullback(self, z: Array, a: Array, grad_a: Array, out: Array) -> None:
        np.copyto(out, np.repeat(grad_a, self.honest.rows_per_unit, axis=0))


def _without_hidden_derivatives(work: Workspace, y: Array, row_weight: Array | None) -> None:
    honest = [layer.activation for layer in work.layers]
    for layer in work.layers[:-1]:
        layer.activation = _NoDerivative(layer.activation)
    backward(work, y, row_weight)
    for layer, activation in zip(work.layers, honest, strict=True):
        layer.activation = activation


def _with_linear_outputs(objective: NetworkObjective) -> NetworkObjective:
    def wrong(work: Workspace, row_weight: Array | None, out: Array) -> None:
        top = work.layers[-1]
        honest, top.activation = top.activation, _NoDerivative(top.activation)
        write_jacobian(work, row_weight, out)
        top.activation = honest

    return objective.like(jacobian=wrong)


def _with_untransposed_weights(objective: NetworkObjective) -> NetworkObjective:
    def wrong(work: Workspace, y: Array, row_weight: Array | None) -> None:
        honest = [layer.W for layer in work.layers]
        for layer in work.layers:
            layer.W = np.resize(layer.W.T, layer.W.shape)
        backward(work, y, row_weight)
        for layer, W in zip(work.layers, honest, strict=True):
            layer.W = W

    return objective.like(backward=wrong)


def _sum_before_product(work: Workspace) -> None:
    for layer in work.layers:
        delta, below = layer.delta.sum(axis=1), layer.below.mean(axis=1)
        layer.grad[:] = np.outer(delta, below)


def _inputs_below(work: Workspace) -> None:
    x = work.layers[0].below[: work.network.inputs]
    for layer in work.layers[1:]:
        inputs = layer.layer.inputs
        layer.grad[:, :inputs] = layer.delta @ np.resize(x, (inputs, x.shape[1])).T


def _times_n_squared(work: Workspace) -> None:
    work.grad *= work.samples**2


def _times_n(work: Workspace) -> None:
    work.grad *= work.samples


def _negated_top(work: Workspace) -> None:
    work.layers[-1].grad *= -1


def _bias_of_one_sample(work: Workspace) -> None:
    for layer in work.layers:
        if layer.layer.has_bias:
            layer.grad[:, -1] = layer.delta[:, 0]


def _swapped_layers(work: Workspace) -> None:
    first, second = work.layers[0].grad, work.layers[1 % len(work.layers)].grad
    kept = first.copy()
    first[:] = np.resize(second, first.shape)
    second[:] = np.resize(kept, second.shape)


class _L2OnBiases(NetworkObjective):
    def penalty_grad(self, params: Vector) -> Vector:
        return self._decay * params


CORRUPTIONS: dict[str, Corruption] = {
    "no-derivative": Corruption(
        "f'(z) left out of the hidden layers' deltas",
        "a hidden layer whose f' is not 1",
        lambda objective: objective.like(backward=_without_hidden_derivatives),
    ),
    "sum-before-product": Corruption(
        "delta summed over the rows before the product with a[l-1]",
        "more than one row",
        _after_backward(_sum_before_product),
    ),
    "inputs-for-activations": Corruption(
        "x in place of a[l-1] in the weight gradients",
        "a second layer",
        _after_backward(_inputs_below),
    ),
    "times-n": Corruption(
        "n in place of 1/n", "more than one row", _after_backward(_times_n_squared)
    ),
    "no-mean": Corruption("1/n forgotten", "more than one row", _after_backward(_times_n)),
    "no-transpose": Corruption(
        "W in place of its transpose in the deltas (entries reread where it is not square)",
        "a second layer with several units",
        _with_untransposed_weights,
    ),
    "l2-on-biases": Corruption(
        "L2 shrinks the biases too",
        "L2, and biases that are not 0 (those of a trained run, say)",
        lambda objective: objective.like(_L2OnBiases),
    ),
    "sign": Corruption(
        "the output layer's gradient with the wrong sign",
        "a gradient that is not 0",
        _after_backward(_negated_top),
    ),
    "bias-not-summed": Corruption(
        "the bias gradient of the first row alone, not the sum over rows",
        "biases, and more than one row",
        _after_backward(_bias_of_one_sample),
    ),
    "swapped-layers": Corruption(
        "the gradients of the first two layers exchanged",
        "two layers",
        _after_backward(_swapped_layers),
    ),
    "linear-jacobian": Corruption(
        "f'(z) of the outputs left out of the residuals' Jacobian",
        "outputs whose f' is not 1, and a loss that is a sum of squares",
        _with_linear_outputs,
    ),
}
