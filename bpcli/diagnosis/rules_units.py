"""Rules that read the units and the gradients of layers: dead, saturated, vanishing, exploding.

Layers count from 1, as in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bpcli.diagnosis.advice import SMALLER, drawn, other_start, shorter_steps, sized
from bpcli.diagnosis.evidence import Evidence, setting_of
from bpcli.diagnosis.finding import Finding, Severity
from bpcli.diagnosis.rule import Rule
from bpcli.diagnosis.rules_loss import NOT_LEARNED
from bpcli.nn.losses import LOSSES, canonical_loss
from bpcli.nn.propagation import Workspace, forward
from bpcli.nn.units import FLAT, NEARLY_ALL, slopes_of
from bpcli.registry import name_of
from bpcli.runs.run_json import LayerRecord
from bpcli.text import plural

MANY_DEAD = 0.5
"""The share of a layer's units whose death is worth a finding. Measured: up to 0.4 of a layer of
relu units are dead in healthy runs of configs/."""

MANY_SATURATED = 0.5
"""The share of saturated units in a layer. Measured: up to 0.3 in healthy runs of configs/; XOR and
symmetry end with saturated units because they are solved, so a good fit is no finding."""

SATURATED_FIT = 0.1
"""The training loss, as a fraction of the constant baseline's, up to which saturated units are no
problem: they have switched to where the targets want them."""

VANISHING = 1e-3
"""The largest gradient norm of the first layer as a fraction of that of the last, in the first
tenth of the training. A layer of sigmoid units passes at most a quarter of the gradient per unit of
weight (max f' = 1/4; Hochreiter 1991; Glorot & Bengio 2010, Understanding the difficulty of
training deep feedforward neural networks): 4⁻⁵ ≈ 10⁻³ after five layers. Measured: at least 0.02 in
healthy runs of configs/."""

EXPLODING = 1e3
"""The same where gradients grow from the last layer to the first. Measured: at most 60 in healthy
runs of configs/."""

FAR = 0.5
"""An output is wrong if it is farther from its target than this fraction of the outputs' range."""

WRONG_ROWS = 0.05
"""The share of rows in which the same output is flat and wrong. Measured: below 0.01 in healthy
runs of configs/."""


def dead_units(evidence: Evidence) -> Iterator[Finding]:
    """Layers of which half the units or more are dead at the end."""
    dead, _ = _counts(evidence)
    layers = evidence.record.layers
    many = [k for k, count in enumerate(dead) if count and count >= MANY_DEAD * layers[k].units]
    if not many or evidence.is_good_fit:
        return
    is_all = any(dead[k] == layers[k].units for k in many)
    severity: Severity = "error" if is_all else "warning"
    if not is_all and evidence.has_learned(NOT_LEARNED):
        severity = "note"
    title = _failing(dead, layers, many)
    numbers = f"dead units by layer: {_by_layer(dead, layers)}"
    cause = "the slope of a dead unit is 0 on every row, so that no gradient changes its weights"
    remedy, command = _against_dead(evidence, many)
    yield Finding.of("dead_units", severity, f"{title} dead", numbers, cause, remedy, command)


def _against_dead(evidence: Evidence, layers: Sequence[int]) -> tuple[str, str]:
    if steps := shorter_steps(evidence, layers):
        return steps
    records = evidence.record.layers
    relus = [k for k in layers if records[k].activation["name"] == "relu"]
    if relus:
        settings = [f"network.activations.{k}=leaky_relu" for k in relus]
        remedy = "use `leaky_relu`, smaller initial weights (`network.init`) or a smaller step"
        return remedy, evidence.train_with(*settings, *sized(evidence, "he_normal"))
    return SMALLER, evidence.train_with(*other_start(evidence))


def _failing(counts: Sequence[int], layers: Sequence[LayerRecord], many: Sequence[int]) -> str:
    """How many units of the first of the layers `many` fail, to go before 'dead'."""
    named = [f"{counts[k]} of {plural(layers[k].units, 'unit')} in layer {k + 1}" for k in many[:3]]
    verb = "is" if [counts[k] for k in many] == [1] else "are"
    return " and ".join(named) + " and others" * (len(many) > 3) + f" {verb}"


def _by_layer(counts: Sequence[int], layers: Sequence[LayerRecord]) -> str:
    return ", ".join(
        f"{count} of {layer.units}" for count, layer in zip(counts, layers, strict=True)
    )


def _counts(evidence: Evidence) -> tuple[Sequence[int], Sequence[int]]:
    """Dead and saturated units by layer in the last line that has them; empty without one."""
    layers = len(evidence.record.layers)
    for line in reversed(evidence.subject.lines):
        if len(line.dead_units) == len(line.saturated_units) == layers:
            return line.dead_units, line.saturated_units
    return (), ()


def saturated_units(evidence: Evidence) -> Iterator[Finding]:
    """Layers of which half the units or more are saturated, in a network that does not fit well."""
    _, saturated = _counts(evidence)
    layers = evidence.record.layers
    many = [k for k, n in enumerate(saturated) if n and n >= MANY_SATURATED * layers[k].units]
    if not many or evidence.has_learned(SATURATED_FIT):
        return
    title = _failing(saturated, layers, many)
    numbers = f"saturated units by layer: {_by_layer(saturated, layers)}"
    cause = "at the flat ends of its activation, a unit passes almost no gradient"
    remedy, command = shorter_steps(evidence, many) or (
        SMALLER,
        evidence.train_with(*other_start(evidence)),
    )
    title += " saturated"
    yield Finding.of("saturated_units", "warning", title, numbers, cause, remedy, command)


def vanishing(evidence: Evidence) -> Iterator[Finding]:
    """Almost no gradient arrives at the first layer, or far more than at the last."""
    largest = _largest_norms(evidence)
    layers = evidence.record.layers
    if len(layers) < 3 or not len(largest) or not largest[-1] or not largest[0]:
        return
    ratio = largest[0] / largest[-1]
    norms = ", ".join(f"{norm:.2g}" for norm in largest)
    numbers = f"largest gradient norms by layer, in the first tenth of the epochs: {norms}"
    if ratio < VANISHING and not evidence.has_learned(NOT_LEARNED):
        yield _vanishing(evidence, f"{ratio:.1g} of that in layer {len(layers)}", numbers)
    elif ratio > EXPLODING:
        yield _exploding(evidence, f"{ratio:.1g} times that in layer {len(layers)}", numbers)


def _vanishing(evidence: Evidence, size: str, numbers: str) -> Finding:
    title = f"the gradient vanishes: in layer 1 it is {size}"
    cause = "each layer multiplies it by small slopes and weights"
    remedy = "use fewer layers, `relu` or `tanh` units, or larger initial weights"
    command = evidence.train_with(*_relu(evidence.record.layers), *drawn(evidence))
    return Finding.of("vanishing_gradients", "error", title, numbers, cause, remedy, command)


def _exploding(evidence: Evidence, size: str, numbers: str) -> Finding:
    title = f"the gradient explodes: in layer 1 it is {size}"
    cause = "each layer multiplies it by large weights"
    remedy = "use smaller initial weights (`network.init`), or fewer layers"
    command = evidence.train_with(*other_start(evidence))
    return Finding.of("exploding_gradients", "warning", title, numbers, cause, remedy, command)


def _relu(layers: Sequence[LayerRecord]) -> list[str]:
    """Settings that make all hidden units relu units."""
    hidden = "relu, " * (len(layers) - 1)
    return [
        f"network.activations=[{hidden}{setting_of(layers[-1].activation)}]",
        "network.init=he_normal",
    ]


def _largest_norms(evidence: Evidence) -> np.ndarray:
    """The largest gradient norm of each layer in the first tenth of the epochs."""
    epochs, norms = evidence.subject.layer_series("grad_norms")
    if not len(epochs):
        return np.zeros(0)
    early = norms[epochs <= max(1, 0.1 * epochs[-1])]
    return np.nanmax(early, axis=0) if np.isfinite(early).any(axis=0).all() else np.zeros(0)


def saturated_outputs(evidence: Evidence) -> Iterator[Finding]:
    """Outputs at the flat ends of their activation, wrong or right, where the loss has no slope."""
    network = evidence.experiment.network
    top = network.layers[-1].activation
    low, high = top.bounds
    if network.loss.is_canonical or top.max_slope is None or not np.isfinite([low, high]).all():
        return
    a, y, slopes = _outputs(evidence)
    is_flat = slopes < FLAT * top.max_slope
    is_wrong = np.abs(a - y) > FAR * (high - low)
    flat_and_wrong = int((is_flat & is_wrong).sum(axis=1).max())
    if flat_and_wrong >= WRONG_ROWS * a.shape[1]:
        yield _wrong_ends(evidence, flat_and_wrong, a.shape[1])
    elif is_flat.mean() >= NEARLY_ALL and not is_wrong.any():
        yield _right_ends(evidence, float(is_flat.mean()))


def _wrong_ends(evidence: Evidence, count: int, rows: int) -> Finding:
    output, loss = evidence.output, evidence.record.loss
    title = f"the outputs are at the flat ends of `{output}`, where `{loss}` has no slope"
    numbers = f"in {count} of {rows} rows, the same output is flat and far from its target"
    cause = "the slope of the output is a factor of the gradient, so no step corrects it"
    remedy, command = _against_flat_ends(evidence)
    return Finding.of("saturated_outputs", "error", title, numbers, cause, remedy, command)


def _right_ends(evidence: Evidence, share: float) -> Finding:
    title = f"the minimum lies at the flat ends of `{evidence.output}`"
    numbers = f"{100 * share:.0f} % of the outputs are flat, and near their targets"
    cause = (
        "only infinite weights reach these targets, so the weights keep growing, ever more slowly"
    )
    remedy = f"if this takes too long, use targets inside the range, such as {_inside(evidence)}"
    return Finding.of("saturated_outputs", "note", title, numbers, cause, remedy)


def _outputs(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs, targets and slopes f'(z), each (outputs, rows), for some training rows."""
    network, block = evidence.experiment.network, evidence.blocks("train").some()
    work = Workspace(network, evidence.subject.params)
    work.fit(block.samples)
    forward(work, block.inputs)
    top = work.layers[-1]
    return top.a, block.targets, slopes_of(top)


def _inside(evidence: Evidence) -> str:
    return "0.1 and 0.9" if evidence.output == "sigmoid" else "-0.9 and 0.9"


def _against_flat_ends(evidence: Evidence) -> tuple[str, str]:
    if steps := _steps_to_flat_ends(evidence):
        return steps
    canonical = canonical_loss(evidence.output)
    other = "" if canonical is None else f"`loss: {name_of(LOSSES, canonical)}`, "
    remedy = (
        f"use {other}targets inside the range of the outputs, such as {_inside(evidence)}, another "
        "`seed`, or smaller initial weights (`network.init`)"
    )
    if canonical is not None:
        loss = f"loss={name_of(LOSSES, canonical)}"
        return remedy, evidence.train_with(loss, *sized(evidence, "xavier_uniform"))
    return remedy, evidence.train_with(*other_start(evidence))


def _steps_to_flat_ends(evidence: Evidence) -> tuple[str, str] | None:
    """Shorter steps, if the outputs are known to be at their flat ends since some step."""
    has_log = bool(evidence.subject.lines)
    return shorter_steps(evidence, [len(evidence.record.layers) - 1]) if has_log else None


RULES = (
    Rule("dead units", dead_units),
    Rule("saturated units", saturated_units),
    Rule("gradients that vanish or explode from layer to layer", vanishing),
    Rule("outputs at the flat ends of their activation", saturated_outputs, needs=("network",)),
)
