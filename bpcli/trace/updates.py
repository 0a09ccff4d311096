"""Updates with all their numbers, to show what training does.

The numbers come from the code that trains: the kernel's forward and backward pass, the objective,
and the steps of the training loop. Samples are columns; sums are over the rows of the objective.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bpcli.errors import Diverged
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.network import Layer, Network
from bpcli.nn.propagation import LayerPass, Workspace, backward, forward, forward_rows
from bpcli.optimizers import GradientDescent, Optimizer, StepFailed
from bpcli.optimizers.base import State
from bpcli.training.objective import NetworkObjective
from bpcli.training.state import TrainState
from bpcli.training.steps import Training


@dataclass(frozen=True)
class Forward:
    """One layer's forward pass: z = W below + b, a = f(z); b is None for a layer without bias."""

    layer: Layer
    W: Array
    b: Vector | None
    below: Array
    z: Array
    a: Array

    @property
    def slope(self) -> Array | None:
        """f'(z), by the pullback of ones; None if f is not elementwise (softmax, maxout)."""
        if not self.layer.activation.is_elementwise:
            return None
        slope = np.empty_like(self.z)
        self.layer.activation.pullback(self.z, self.a, np.ones_like(self.a), slope)
        return slope


@dataclass(frozen=True)
class Backward:
    """One layer's backward pass. `loss` is Σ_i w_i loss_i; the objective scales it and adds L2.

    `grad_a` is ∂loss/∂a: W[l+1]ᵀ delta[l+1] below the last layer, and None if the loss gives delta,
    ∂loss/∂z, directly. Both include the row's weight. A frozen bias has a derivative of the loss,
    but 0 as derivative of the objective.
    """

    grad_a: Array | None
    delta: Array
    loss_by_W: Array  # noqa: N815  # as in the formulas
    loss_by_b: Vector | None
    objective_by_W: Array  # noqa: N815  # as in the formulas
    objective_by_b: Vector | None


@dataclass(frozen=True)
class Loss:
    """The loss: loss_i of each row, Σ_i w_i loss_i, the L2 term, the objective."""

    per_row: Vector
    total: float
    penalty: float
    objective: float


@dataclass(frozen=True)
class Pass:
    """Forward, loss and backward at one parameter vector, layers input side first.

    `moves` are the layers, from 1, that the gradient of this pass updates.
    """

    forward: tuple[Forward, ...]
    loss: Loss
    backward: tuple[Backward, ...]
    moves: tuple[int, ...]

    @property
    def grad(self) -> dict[str, Array]:
        """∂objective/∂W and ∂objective/∂b by the tensor's name."""
        grad: dict[str, Array] = {}
        for number, down in enumerate(self.backward, start=1):
            grad[f"W{number}"] = down.objective_by_W
            if down.objective_by_b is not None:
                grad[f"b{number}"] = down.objective_by_b
        return grad


@dataclass(frozen=True)
class Update:
    """One step of the optimizer: the states before and after, and the passes of its gradients.

    With `update: layerwise` there is one pass per layer, the last layer's first.
    """

    passes: tuple[Pass, ...]
    before: TrainState
    after: TrainState
    diagnostics_before: dict[str, float]
    diagnostics_after: dict[str, float]
    objective_after: float

    @property
    def ended(self) -> StepFailed | None:
        """Why training ends with this update; None if it does not."""
        return self.after.ended

    @property
    def is_made(self) -> bool:
        """Whether a step was made; an optimizer that finds none ends training."""
        return self.after.params is not self.before.params

    def pass_of(self, layer: int) -> Pass:
        """The pass whose gradient updates a layer, counted from 1."""
        return next(one for one in self.passes if layer in one.moves)


def trace_updates(training: Training, optimizer: Optimizer, count: int) -> Iterator[Update]:
    """Make up to `count` steps on the full batch; fewer if the optimizer finds no more.

    Raises `Diverged` if the objective is not finite.
    """
    before = training.start
    for number in range(count):
        before = _evaluated(training, before, number)
        after = _evaluated(training, training.advance(before, 1), number + 1)
        yield Update(
            tuple(_passes(training.objective, optimizer, before.params, after.params)),
            before,
            after,
            training.diagnostics(before),
            training.diagnostics(after),
            after.point.evaluate(training.objective).value,
        )
        if after.ended is not None:
            return
        before = after


def _evaluated(training: Training, state: TrainState, number: int) -> TrainState:
    """The state with value and gradient. Raises `Diverged` if they are not finite."""
    if np.isfinite(state.params).all():
        state = state.evaluated(training.objective)
        if state.has_finite_loss:
            return state
    where = f"after update {number}" if number else "with these parameters"
    raise Diverged(
        f"The loss {where} is not finite: check the scale of the data (`data.scale`)"
        f"{' and `training.learning_rate`' if training.learning_rate else ''}."
    )


def _passes(
    objective: NetworkObjective, optimizer: Optimizer, params: Vector, after: Vector
) -> Iterator[Pass]:
    slices = objective.network.layer_slices
    numbers = tuple(range(1, len(slices) + 1))
    if not is_layerwise(optimizer):
        yield trace_pass(objective, params, numbers)
        return
    for number in reversed(numbers):
        yield trace_pass(objective, params, (number,))
        params = params.copy()
        params[slices[number - 1]] = after[slices[number - 1]]


def is_layerwise(optimizer: Optimizer) -> bool:
    """Whether layers are updated one after the other, each along a new gradient."""
    return isinstance(optimizer, GradientDescent) and optimizer.update == "layerwise"


def trace_pass(objective: NetworkObjective, params: Vector, moves: tuple[int, ...] = ()) -> Pass:
    """Forward, loss and backward over all rows of an objective."""
    data = objective.data
    inputs, Y = data.columns
    work = Workspace(objective.network, params)
    work.fit(len(data))
    forward(work, inputs)
    top = work.layers[-1]
    per_row = objective.network.loss.per_sample(top.z, top.a, Y)
    total = per_row.sum() if data.weight is None else per_row.dot(data.weight)
    grad_a = _grad_by_outputs(objective.network, top, Y, data.weight)
    backward(work, Y, data.weight)
    loss = Loss(
        per_row,
        float(total),
        float(objective.penalty(params).real),
        float(objective.value(params).real),
    )
    down = _backward(work, objective.grad(params), grad_a)
    without_ones = inputs[: objective.network.inputs]
    return Pass(_forward(work, params, without_ones), loss, down, moves)


def trace_forward(network: Network, params: Vector, X: Array) -> tuple[Forward, ...]:
    """The forward pass for the rows of X (n, inputs)."""
    work = Workspace(network, params)
    forward_rows(work, X)
    return _forward(work, params, X.astype(params.dtype).T)


def _forward(work: Workspace, params: Vector, inputs: Array) -> tuple[Forward, ...]:
    """The layers of the latest forward pass, which was over `inputs` (inputs, rows)."""
    tensors = dict(work.network.tensors(params))
    activations = [inputs, *(layer.a for layer in work.layers)]
    return tuple(
        Forward(layer.layer, tensors[f"W{number}"], tensors.get(f"b{number}"), below, layer.z, a)
        for number, (layer, (below, a)) in enumerate(
            zip(work.layers, pairwise(activations), strict=True), start=1
        )
    )


def _grad_by_outputs(
    network: Network, top: LayerPass, Y: Array, row_weight: Vector | None
) -> Array | None:
    """∂loss/∂a; None for a canonical loss, whose delta is a - y."""
    if network.loss.is_canonical:
        return None
    grad_a = np.empty_like(top.a)
    network.loss.write_grad_a(top.a, Y, grad_a)
    return grad_a if row_weight is None else grad_a * row_weight


def _backward(work: Workspace, grad: Vector, grad_by_outputs: Array | None) -> tuple[Backward, ...]:
    of_loss, of_objective = (dict(work.network.tensors(vector)) for vector in (work.grad, grad))
    by_a = [*(layer.grad_a for layer in work.layers[:-1]), grad_by_outputs]
    return tuple(
        Backward(
            grad_a,
            layer.delta,
            of_loss[f"W{number}"],
            of_loss.get(f"b{number}"),
            of_objective[f"W{number}"],
            of_objective.get(f"b{number}"),
        )
        for number, (layer, grad_a) in enumerate(zip(work.layers, by_a, strict=True), start=1)
    )


def slots(network: Network, state: State) -> dict[str, dict[str, Array]]:
    """The optimizer's vectors of the parameters' size, such as velocity, tensor by tensor."""
    return {
        name: dict(network.tensors(slot))
        for name, slot in state.items()
        if slot.shape == (network.n_params,)
    }
