"""The one walk through a trace, from which every format for people is made."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpcli.nn.activations import ACTIVATIONS
from bpcli.nn.arrays import Array, Vector
from bpcli.nn.losses import LOSSES
from bpcli.optimizers import OPTIMIZERS
from bpcli.optimizers.schedules import Schedule, rate_at
from bpcli.registry import name_of
from bpcli.trace import formulas
from bpcli.trace.blocks import Arrays, Block, Chain, Formula, Heading, Named, Prose
from bpcli.trace.cells import has_cut, number
from bpcli.trace.entry import Worked, scaled_formula, terms
from bpcli.trace.numbers import Setting, Trace
from bpcli.trace.updates import Backward, Forward, Pass, Update, is_layerwise, slots


def walk(trace: Trace) -> list[Block]:
    """All that a page shows, from the top; at the end, whether something had to be left out."""
    blocks = list(_blocks(trace))
    if any(isinstance(block, Arrays) and has_cut(block) for block in blocks):
        blocks.append(Prose("… stands for what a page has no room for: --format json has it all."))
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
    weights = "" if setting.weight is None else " w holds the weights of the rows."
    columns = (
        "A row of the table is a column of a0, z, a and delta."
        if len(setting.rows) > 1
        else "The row of the table is the column a0."
    )
    yield Prose(f"{columns} A row of W is a unit. Entries count from 1.{weights}")


def _described(setting: Setting, has_updates: bool) -> str:
    loss = name_of(LOSSES, setting.network.loss)
    if not has_updates:
        return f"{setting.described}."
    optimizer = name_of(OPTIMIZERS, setting.optimizer)
    rate = rate_at(setting.learning_rate, 0)
    at_first = " at first" * isinstance(setting.learning_rate, Schedule)
    options = [] if rate is None else [f"η = {number(rate)}{at_first}"]
    momentum = getattr(setting.optimizer, "momentum", 0.0)
    options += [f"μ = {number(momentum)}"] if momentum else []
    options += ["nesterov"] if getattr(setting.optimizer, "nesterov", False) else []
    options += ["layer by layer"] if is_layerwise(setting.optimizer) else []
    how = f"{optimizer} with {', '.join(options)}" if options else optimizer
    return f"{setting.described}; loss {loss}; optimizer {how}."


# One update.


def _update(trace: Trace, update: Update) -> Iterator[Block]:
    setting = trace.setting
    for one in update.passes:
        if is_layerwise(setting.optimizer):
            yield Heading(2, f"For layer {one.moves[0]}, with the layers above as they are by now")
        yield from _pass(setting, one)
        yield from _step(setting, update, one)
        if trace.entry is not None and trace.entry.layer in one.moves:
            yield from Worked(setting, trace.entry, update).blocks()
    yield from _ending(update)


def _pass(setting: Setting, one: Pass) -> Iterator[Block]:
    yield from _forward(setting, one.forward)
    yield from _loss(setting, one)
    yield Heading(2, "Backward")
    for layer in reversed(range(min(one.moves), len(one.forward) + 1)):
        yield from _backward(setting, one, layer)


def _forward(setting: Setting, layers: tuple[Forward, ...]) -> Iterator[Block]:
    yield Heading(2, "Forward")
    yield from _data(setting, layers[0].below)
    for place, layer in enumerate(layers, start=1):
        yield Heading(3, f"Layer {place}: {_units(layer)}")
        for text in formulas.forward_formulas(layer.layer, place):
            yield Formula(text)
        yield Arrays(_tensors(place, layer.W, layer.b))
        if layer.layer.activation.is_identity:
            yield _by_row(setting, (f"z{place} = a{place}", layer.z))
        else:
            yield _by_row(setting, (f"z{place}", layer.z), (f"a{place}", layer.a))


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


def _backward(setting: Setting, one: Pass, place: int) -> Iterator[Block]:
    up, down = one.forward[place - 1], one.backward[place - 1]
    yield Heading(3, f"Layer {place}")
    activation = up.layer.activation
    slope = formulas.slope_formula(activation, place)
    cancels = place == len(one.forward) and setting.network.loss.is_canonical
    delta = formulas.delta_formulas(setting.network, place, setting.weight is not None)
    if slope is not None and not cancels:
        yield Formula(slope)
    for text in delta:
        yield Formula(text)
    if cancels:
        yield Prose(f"f'(z{place}) is not missing: with this loss it cancels.")
    yield _by_row(setting, *_delta_arrays(one, place))
    if place in one.moves:
        yield from _gradient(setting, up, down, place)


def _delta_arrays(one: Pass, place: int) -> Iterator[tuple[str, Array]]:
    """What delta is made of, where it is more than a difference, and delta."""
    up, down = one.forward[place - 1], one.backward[place - 1]
    activation, is_last = up.layer.activation, place == len(one.forward)
    if down.grad_a is not None and not activation.is_identity:
        source = f"∂loss/∂a{place}" if is_last else f"W{place + 1}ᵀ delta{place + 1}"
        yield (source if activation.is_elementwise else f"g{place}"), down.grad_a
        if up.slope is not None:
            yield f"f'(z{place})", up.slope
    yield f"delta{place}", down.delta


def _gradient(setting: Setting, up: Forward, down: Backward, place: int) -> Iterator[Block]:
    many = len(setting.rows) > 1
    yield Formula(f"∂loss/∂W{place} = delta{place} a{place - 1}ᵀ")
    if up.b is not None:
        yield Formula(f"∂loss/∂b{place} = {'Σ_i ' if many else ''}delta{place}")
    yield _gradients("loss", place, down.loss_by_W, down.loss_by_b)
    is_frozen = up.layer.bias == "frozen"
    if setting.l2 or scaled_formula(setting, "loss") != "loss":
        yield from _objective_gradient(setting, up, down, place)
    elif is_frozen:
        yield Prose(f"b{place} is frozen: training leaves it as it is.")


def _objective_gradient(
    setting: Setting, up: Forward, down: Backward, place: int
) -> Iterator[Block]:
    scaled = scaled_formula(setting, f"∂loss/∂W{place}")
    if setting.l2:
        factor = "" if setting.factor == 1 else f"{number(setting.factor)} · "
        scaled += f" + ({factor}{number(setting.l2)}/{setting.training_rows}) W{place}"
    yield Formula(f"∂objective/∂W{place} = {scaled}")
    if up.layer.bias == "frozen":
        yield Prose(f"b{place} is frozen: training leaves it as it is.")
    elif up.b is not None:
        bias = scaled_formula(setting, f"∂loss/∂b{place}")
        yield Formula(f"∂objective/∂b{place} = {bias}")
    yield _gradients("objective", place, down.objective_by_W, down.objective_by_b)


def _gradients(what: str, place: int, by_W: Array, by_b: Vector | None) -> Arrays:
    items = [Named(f"∂{what}/∂W{place}", by_W)]
    if by_b is not None:
        items.append(Named(f"∂{what}/∂b{place}", by_b[:, np.newaxis]))
    return Arrays(tuple(items))


# The step.


def _step(setting: Setting, update: Update, one: Pass) -> Iterator[Block]:
    network, optimizer = setting.network, setting.optimizer
    yield Heading(2, f"The update, by {name_of(OPTIMIZERS, optimizer)}")
    before, after = (dict(network.tensors(place.params)) for place in (update.before, update.after))
    moved = [
        name
        for place in one.moves
        for name in (f"W{place}", f"b{place}")
        if name in before and (name[0] == "W" or network.layers[place - 1].bias == "trained")
    ]
    for text in formulas.update_formulas(optimizer, moved):
        yield Formula(text)
    if optimizer.notation:
        yield Prose(optimizer.notation)
    if update.ended is not None:
        yield Prose(f"No step was made. {update.ended}")
        return
    states = slots(network, update.after.optimizer_state)
    for place in one.moves:
        for tensors in states.items():
            yield _slot(*tensors, place)
        yield Arrays(_tensors(place, before[f"W{place}"], before.get(f"b{place}")))
        yield Arrays(_tensors(place, after[f"W{place}"], after.get(f"b{place}"), " new"))


def _slot(name: str, tensors: dict[str, Array], place: int) -> Arrays:
    named = _tensors(place, tensors[f"W{place}"], tensors.get(f"b{place}"))
    return Arrays(tuple(Named(f"{name} {item.name}", item.array) for item in named))


def _ending(update: Update) -> Iterator[Block]:
    objective = update.passes[0].loss.objective
    yield Prose(
        f"The objective was {number(objective, 9)} before and is "
        f"{number(update.objective_after, 9)} after this update."
    )
    figures = [
        f"{name} {number(update.diagnostics_before[name])} → {number(value)}"
        for name, value in update.diagnostics_after.items()
        if update.diagnostics_before[name] != value
    ]
    if figures:
        yield Prose(f"Of the optimizer: {', '.join(figures)}.")


# Arrays.


def _tensors(place: int, W: Array, b: Vector | None, mark: str = "") -> tuple[Named, ...]:
    weights = Named(f"W{place}{mark}", W)
    return (weights,) if b is None else (weights, Named(f"b{place}{mark}", b[:, np.newaxis]))


def _by_row(setting: Setting, *items: tuple[str, Array]) -> Arrays:
    headers = tuple(f"row {row}" for row in setting.rows)
    return Arrays(tuple(Named(name, array, headers) for name, array in items))
