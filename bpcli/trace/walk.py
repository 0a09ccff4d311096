"""The walk through a trace that yields its blocks, for all formats but JSON."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.notation.layers import forward_formulas
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import Schedule, first_rate
from bpcli.registry import name_of
from bpcli.trace import formulas
from bpcli.trace.blocks import Arrays, Block, Chain, Formula, Heading, Named, Prose
from bpcli.trace.cells import has_cut, number
from bpcli.trace.entry import Worked, scaled_formula
from bpcli.trace.numbers import Setting, Trace
from bpcli.trace.row_equations import terms
from bpcli.trace.updates import Backward, Forward, Pass, Update, is_layerwise, slots


def walk(trace: Trace) -> list[Block]:
    """The blocks of a trace in order; at the end, a note if numbers are not shown."""
    blocks = list(_blocks(trace))
    if any(isinstance(block, Arrays) and has_cut(block) for block in blocks):
        blocks.append(Prose("… marks numbers that do not fit: --format json prints all of them."))
    return blocks


def _blocks(trace: Trace) -> Iterator[Block]:
    setting = trace.setting
    yield from _opening(trace)
    if not trace.updates:
        yield from _forward(setting, trace.forward)
    for count, update in enumerate(trace.updates, start=1):
        if len(trace.updates) > 1:
            yield Heading(1, f"Update {count}")
        yield from _update(trace, update)


# The opening.


def _opening(trace: Trace) -> Iterator[Block]:
    setting = trace.setting
    count = len(trace.updates)
    what = {0: "Forward pass", 1: "One update"}.get(count, f"{count} updates")
    yield Heading(1, f"{what} of {setting.name} on {setting.shown}")
    yield Prose(_described(setting, count > 0))
    for note in setting.notes:
        yield Prose(note)
    weights = "" if setting.weight is None else " w contains the weights of the rows."
    columns = (
        "Each data row is a column of a0, z, a and delta."
        if len(setting.rows) > 1
        else "The data row is the column a0."
    )
    yield Prose(f"{columns} Each row of W is a unit. Indices start at 1.{weights}")


def _described(setting: Setting, has_updates: bool) -> str:
    loss = name_of(LOSSES, setting.network.loss)
    if not has_updates:
        return f"{setting.network.summary}."
    optimizer = name_of(OPTIMIZERS, setting.optimizer)
    rate = first_rate(setting.learning_rate)
    at_first = " at first" * isinstance(setting.learning_rate, Schedule)
    options = [] if rate is None else [f"η = {number(rate)}{at_first}"]
    momentum = getattr(setting.optimizer, "momentum", 0.0)
    options += [f"μ = {number(momentum)}"] if momentum else []
    options += ["nesterov"] if getattr(setting.optimizer, "nesterov", False) else []
    options += ["layer by layer"] if is_layerwise(setting.optimizer) else []
    how = f"{optimizer} with {', '.join(options)}" if options else optimizer
    return f"{setting.network.summary}; loss {loss}; optimizer {how}."


# One update.


def _update(trace: Trace, update: Update) -> Iterator[Block]:
    setting = trace.setting
    for one in update.passes:
        if is_layerwise(setting.optimizer):
            yield Heading(2, f"For layer {one.moves[0]}, with the layers above already updated")
        yield from _pass(setting, one)
        yield from _step(setting, update, one)
        if trace.entry is not None and trace.entry.layer in one.moves:
            yield from Worked(setting, trace.entry, update).blocks()
    yield from _ending(update)


def _pass(setting: Setting, one: Pass) -> Iterator[Block]:
    yield from _forward(setting, one.forward)
    yield from _loss(setting, one)
    yield Heading(2, "Backward")
    for layer_number in reversed(range(min(one.moves), len(one.forward) + 1)):
        yield from _backward(setting, one, layer_number)


def _forward(setting: Setting, layers: tuple[Forward, ...]) -> Iterator[Block]:
    yield Heading(2, "Forward")
    yield from _data(setting, layers[0].below)
    for layer_number, layer in enumerate(layers, start=1):
        yield Heading(3, f"Layer {layer_number}: {_units(layer)}")
        for text in forward_formulas(layer.layer, layer_number):
            yield Formula(text)
        yield Arrays(_tensors(layer_number, layer.W, layer.b))
        if layer.layer.activation.is_identity:
            yield _by_row(setting, (f"z{layer_number} = a{layer_number}", layer.z))
        else:
            yield _by_row(setting, (f"z{layer_number}", layer.z), (f"a{layer_number}", layer.a))


def _data(setting: Setting, X: Array) -> Iterator[Block]:
    targets = [] if setting.targets is None else [("y", setting.targets)]
    yield _by_row(setting, ("a0", X), *targets)
    if setting.weight is not None:
        yield _by_row(setting, ("w", setting.weight[np.newaxis]))


def _units(layer: Forward) -> str:
    activation = layer.layer.activation
    rows = activation.rows_per_unit
    pieces = f" of {rows} pieces" if rows > 1 else ""
    plural = "" if layer.layer.units == 1 else "s"
    return f"{layer.layer.units} {name_of(ACTIVATIONS, activation)} unit{plural}{pieces}"


def _loss(setting: Setting, one: Pass) -> Iterator[Block]:
    yield Heading(2, "Loss")
    yield Formula(formulas.loss_formula(setting.network))
    per_row, loss = one.loss.per_row, one.loss
    if len(per_row) > 1:
        yield _by_row(setting, ("loss_i", per_row[np.newaxis]))
    weights = "" if setting.weight is None else "w_i "
    numbers = [_weighted(setting, i, value) for i, value in enumerate(per_row)]
    symbols = f"{'Σ_i ' if len(per_row) > 1 else ''}{weights}loss_i"
    yield Chain(("loss", symbols, *terms(numbers), number(loss.total)))
    scaled = scaled_formula(setting, "loss")
    if setting.l2:
        penalty = f"{_l2_factor(setting)} Σ W²"
        plain = f"{number(loss.objective - loss.penalty)} + {number(loss.penalty)}"
        yield Chain(("objective", f"{scaled} + {penalty}", plain, number(loss.objective)))
    else:
        yield Chain(("objective", scaled, number(loss.objective)))


def _weighted(setting: Setting, i: int, value: float) -> str:
    if setting.weight is None:
        return number(value)
    return f"{number(setting.weight[i])} · {number(value)}"


def _l2_factor(setting: Setting) -> str:
    factor = "" if setting.factor == 1 else f"{number(setting.factor)} · "
    return f"({factor}{number(setting.l2)}/(2 · {setting.training_rows}))"


# Backward.


def _backward(setting: Setting, one: Pass, layer_number: int) -> Iterator[Block]:
    up, down = one.forward[layer_number - 1], one.backward[layer_number - 1]
    yield Heading(3, f"Layer {layer_number}")
    activation = up.layer.activation
    slope = formulas.slope_formula(activation, layer_number)
    cancels = layer_number == len(one.forward) and setting.network.loss.is_canonical
    delta = formulas.delta_formulas(setting.network, layer_number, setting.weight is not None)
    if slope is not None and not cancels:
        yield Formula(slope)
    for text in delta:
        yield Formula(text)
    if cancels:
        yield Prose(f"f'(z{layer_number}) does not appear: it cancels with this loss.")
    yield _by_row(setting, *_delta_arrays(one, layer_number))
    if layer_number in one.moves:
        yield from _gradient(setting, up, down, layer_number)


def _delta_arrays(one: Pass, layer_number: int) -> Iterator[tuple[str, Array]]:
    """The factors of delta, if it is more than a difference, and delta."""
    up, down = one.forward[layer_number - 1], one.backward[layer_number - 1]
    activation, is_last = up.layer.activation, layer_number == len(one.forward)
    if down.grad_a is not None and not activation.is_identity:
        source = (
            f"∂loss/∂a{layer_number}"
            if is_last
            else f"W{layer_number + 1}ᵀ delta{layer_number + 1}"
        )
        yield (source if activation.is_elementwise else f"g{layer_number}"), down.grad_a
        if up.slope is not None:
            yield f"f'(z{layer_number})", up.slope
    yield f"delta{layer_number}", down.delta


def _gradient(setting: Setting, up: Forward, down: Backward, layer_number: int) -> Iterator[Block]:
    many = len(setting.rows) > 1
    yield Formula(f"∂loss/∂W{layer_number} = delta{layer_number} a{layer_number - 1}ᵀ")
    if up.b is not None:
        yield Formula(f"∂loss/∂b{layer_number} = {'Σ_i ' if many else ''}delta{layer_number}")
    yield _gradients("loss", layer_number, down.loss_by_W, down.loss_by_b)
    is_frozen = up.layer.bias == "frozen"
    if setting.l2 or scaled_formula(setting, "loss") != "loss":
        yield from _objective_gradient(setting, up, down, layer_number)
    elif is_frozen:
        yield Prose(f"b{layer_number} is frozen: training does not change it.")


def _objective_gradient(
    setting: Setting, up: Forward, down: Backward, layer_number: int
) -> Iterator[Block]:
    scaled = scaled_formula(setting, f"∂loss/∂W{layer_number}")
    if setting.l2:
        factor = "" if setting.factor == 1 else f"{number(setting.factor)} · "
        scaled += f" + ({factor}{number(setting.l2)}/{setting.training_rows}) W{layer_number}"
    yield Formula(f"∂objective/∂W{layer_number} = {scaled}")
    if up.layer.bias == "frozen":
        yield Prose(f"b{layer_number} is frozen: training does not change it.")
    elif up.b is not None:
        bias = scaled_formula(setting, f"∂loss/∂b{layer_number}")
        yield Formula(f"∂objective/∂b{layer_number} = {bias}")
    yield _gradients("objective", layer_number, down.objective_by_W, down.objective_by_b)


def _gradients(what: str, layer_number: int, by_W: Array, by_b: Vector | None) -> Arrays:
    items = [Named(f"∂{what}/∂W{layer_number}", by_W)]
    if by_b is not None:
        items.append(Named(f"∂{what}/∂b{layer_number}", by_b[:, np.newaxis]))
    return Arrays(tuple(items))


# The step.


def _step(setting: Setting, update: Update, one: Pass) -> Iterator[Block]:
    network, optimizer = setting.network, setting.optimizer
    yield Heading(2, f"The update, by {name_of(OPTIMIZERS, optimizer)}")
    before, after = (dict(network.tensors(state.params)) for state in (update.before, update.after))
    moved = [
        name
        for layer_number in one.moves
        for name in (f"W{layer_number}", f"b{layer_number}")
        if name in before and (name[0] == "W" or network.layers[layer_number - 1].bias == "trained")
    ]
    for text in formulas.update_formulas(optimizer, moved):
        yield Formula(text)
    if optimizer.notation:
        yield Prose(optimizer.notation)
    if not update.is_made:
        yield Prose(f"No step was made. {update.ended}")
        return
    states = slots(network, update.after.optimizer_state)
    for layer_number in one.moves:
        for tensors in states.items():
            yield _slot(*tensors, layer_number)
        yield Arrays(
            _tensors(layer_number, before[f"W{layer_number}"], before.get(f"b{layer_number}"))
        )
        yield Arrays(
            _tensors(layer_number, after[f"W{layer_number}"], after.get(f"b{layer_number}"), " new")
        )


def _slot(name: str, tensors: dict[str, Array], layer_number: int) -> Arrays:
    named = _tensors(layer_number, tensors[f"W{layer_number}"], tensors.get(f"b{layer_number}"))
    return Arrays(tuple(Named(f"{name} {item.name}", item.array) for item in named))


def _ending(update: Update) -> Iterator[Block]:
    objective = update.passes[0].loss.objective
    yield Prose(
        f"The objective was {number(objective, 9)} before and is "
        f"{number(update.objective_after, 9)} after this update."
    )
    if update.ended is not None and update.is_made:
        yield Prose(f"Training ends with this update. {update.ended}")
    changes = [
        f"{name} {number(update.diagnostics_before[name])} → {number(value)}"
        for name, value in update.diagnostics_after.items()
        if update.diagnostics_before[name] != value
    ]
    if changes:
        yield Prose(f"Optimizer: {', '.join(changes)}.")


# Arrays.


def _tensors(layer_number: int, W: Array, b: Vector | None, mark: str = "") -> tuple[Named, ...]:
    weights = Named(f"W{layer_number}{mark}", W)
    return (weights,) if b is None else (weights, Named(f"b{layer_number}{mark}", b[:, np.newaxis]))


def _by_row(setting: Setting, *items: tuple[str, Array]) -> Arrays:
    headers = tuple(f"row {row}" for row in setting.rows)
    return Arrays(tuple(Named(name, array, headers) for name, array in items))
