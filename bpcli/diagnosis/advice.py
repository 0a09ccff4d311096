"""What to change, for several rules: remedies, and the settings and commands that try them."""

from __future__ import annotations

from collections.abc import Sequence

from bpcli.diagnosis.evidence import Evidence, setting_of
from bpcli.optimizers import OPTIMIZERS

SMALLER = "use another `seed`, smaller initial weights (`network.init`), or scaled inputs"

_EPOCHS = 40
"""The fewest epochs that are advised."""

_MANY_LAYERS = 3

_ANY_SIZE = ("uniform", "normal", "constant")
"""Initializers whose weights may have any size. Those of the others fit the width of the layers."""


def smaller_rate(evidence: Evidence, factor: float) -> tuple[str, str]:
    """A smaller learning rate as remedy, and the command that tries it."""
    assert evidence.rate is not None, "the optimizer has one"
    key, other = evidence.rate_key, float(f"{factor * evidence.rate:.2g}")
    remedy = f"try a smaller `{key}`, such as {other:g} instead of {evidence.rate:g}"
    return remedy, evidence.train_with(f"{key}={other:g}")


def more_epochs(evidence: Evidence) -> tuple[str, str]:
    """More epochs as remedy, and the command that trains longer."""
    epochs = evidence.record.epochs
    command = evidence.train_with(f"training.epochs={max(_EPOCHS, 4 * epochs)}")
    return f"use more `training.epochs` than {epochs}", command


def other_optimizer(evidence: Evidence) -> str:
    """A command that trains with another optimizer; with `rprop`, from another seed."""
    if not evidence.is_full_batch or evidence.optimizer == "rprop":
        return evidence.train_with(f"seed={evidence.record.seed + 1}")
    return evidence.train_with("training.optimizer=rprop", "training.learning_rate=null")


def what_to_change(evidence: Evidence) -> str:
    """What may help if the cause is not known."""
    record = evidence.record
    longer = "more epochs, " * (record.stop_reason == "epochs")
    size = "fewer layers" if len(record.layers) > _MANY_LAYERS else "more units"
    other = "another `training.learning_rate`" if evidence.rate else "other initial weights"
    return f"use {longer}{size}, {other} or other inputs"


def wider(evidence: Evidence) -> list[str]:
    """Settings that double the hidden units, or add a hidden layer where there is none."""
    layers = evidence.record.layers
    sizes = [layers[0].inputs, *(layer.units for layer in layers)]
    if len(layers) == 1:
        units = f"network.layers=[{sizes[0]}, 16, {sizes[1]}]"
        activations = f"network.activations=[tanh, {setting_of(layers[0].activation)}]"
        return [units, activations, "network.bias=true", *drawn(evidence)]
    inner = ", ".join(str(2 * size) for size in sizes[1:-1])
    return [f"network.layers=[{sizes[0]}, {inner}, {sizes[-1]}]", *drawn(evidence)]


def drawn(evidence: Evidence) -> list[str]:
    """The setting that draws the initial parameters, if the config gives them."""
    return ["network.parameters=null"] * evidence.record.has_given_parameters


def other_start(evidence: Evidence) -> list[str]:
    """Settings for smaller initial weights, or for others if they are small."""
    init = "xavier_uniform"
    has_it = evidence.record.config.get("network.init.name") == init
    if has_it and not drawn(evidence):
        return [f"seed={evidence.record.seed + 1}"]
    return [f"network.init={init}", *drawn(evidence)]


def shorter_steps(evidence: Evidence, failed: Sequence[int]) -> tuple[str, str] | None:
    """Another rate, if units of the layers `failed` did not fail before the training.

    Not if the initial weights may be far too large: then the first steps are not the only cause.
    """
    lines = evidence.subject.lines
    first = lines[0].dead_units, lines[0].saturated_units
    layers = evidence.record.layers
    is_known = all(len(counts) == len(layers) for counts in first)
    if evidence.rate is None or not is_known or _may_have_any_size(evidence):
        return None
    if any(2 * sum(counts[k] for counts in first) >= layers[k].units for k in failed):
        return None
    return smaller_rate(evidence, 0.1)


def sized(evidence: Evidence, init: str) -> list[str]:
    """Settings for initial weights that fit the layers, unless those of the run do."""
    return [f"network.init={init}"] * _may_have_any_size(evidence) + drawn(evidence)


def _may_have_any_size(evidence: Evidence) -> bool:
    """Whether initial weights are drawn from a distribution that does not fit the layers."""
    config = evidence.record.config
    return not drawn(evidence) and config.get("network.init.name") in _ANY_SIZE


def for_other_rows(evidence: Evidence) -> tuple[str, str]:
    """Remedy and command if what was learned of the training rows does not hold for others.

    Where the rows are split in their order, the command tells whether that is the reason.
    """
    if settings := at_random(evidence):
        return AT_RANDOM, evidence.train_with(*settings)
    if OPTIMIZERS[evidence.optimizer].finds_l2:
        return "use fewer units, more rows or other inputs", ""
    l2 = max(1.0, 10 * evidence.record.l2)
    remedy = "use fewer units, more rows, other inputs or `training.l2`"
    return remedy, evidence.train_with(f"training.l2={l2:g}")


def at_random(evidence: Evidence) -> list[str]:
    """Settings that split the rows at random; none if they are."""
    config = evidence.record.config
    if config.get("data.split.order", "random") == "random":
        return []
    has_column = config.get("data.split.order_by") is not None
    return ["data.split.order=random", *["data.split.order_by=null"] * has_column]


AT_RANDOM = (
    "see whether a split at random helps: if so, the rule changes along the rows, and the network "
    "needs newer rows or other inputs"
)
"""The remedy of these settings."""
