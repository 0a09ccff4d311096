"""Rules that read how a training ended: where its best weights are, and why it stopped."""

from __future__ import annotations

from collections.abc import Iterator

from bpcli.diagnosis.advice import (
    SMALLER,
    for_other_rows,
    other_optimizer,
    smaller_rate,
    what_to_change,
)
from bpcli.diagnosis.evidence import Evidence
from bpcli.diagnosis.finding import Finding
from bpcli.diagnosis.rule import Rule
from bpcli.nn.units import can_fail
from bpcli.optimizers.base import ZERO_GRADIENT
from bpcli.optimizers.plateau import SMALLEST_RATE
from bpcli.text import plural


def never_fell(evidence: Evidence) -> Iterator[Finding]:
    """The best weights are the initial ones."""
    record, curve = evidence.record, evidence.val_loss
    if not (curve and record.epochs and record.rows.val) or record.best_epoch:
        return
    if record.restarts is not None or not record.has_ended:
        return
    if record.started_from is not None and evidence.has_learned_later:
        return  # a network that was trained before may have no more to learn for other rows
    title = "the validation loss never fell below its initial value"
    numbers = (
        f"the validation loss was {curve.first:.4g} at first, and {curve.last:.4g} at epoch "
        f"{record.epochs}: the weights that were kept are the initial ones"
    )
    yield Finding.of("never_fell", "warning", title, numbers, *_why_never(evidence))


def _why_never(evidence: Evidence) -> tuple[str, str, str]:
    """Cause, remedy and command."""
    if evidence.has_learned_later:
        cause = "what was learned from the training rows does not generalize to the validation rows"
        return cause, *for_other_rows(evidence)
    if l2 := evidence.record.l2:
        cause = "the weight decay is too strong, or the steps are too long"
        remedy = f"use a smaller `training.l2` than {l2:g}"
        return cause, remedy, evidence.train_with(f"training.l2={l2 / 10:g}")
    cause = "the steps are too long, or the inputs carry no information about the target"
    if evidence.rate is None:
        return cause, what_to_change(evidence), other_optimizer(evidence)
    return cause, *smaller_rate(evidence, 0.1)


def no_step(evidence: Evidence) -> Iterator[Finding]:
    """The optimizer found no step, although the loss is still high."""
    record = evidence.record
    if record.stop_message is None or evidence.advice is None or evidence.is_good_fit:
        return
    is_rate = record.stop_reason == SMALLEST_RATE
    what = "the loss no longer fell" if is_rate else "no step was found that lowers the loss"
    title = f"{what} (`{record.stop_reason}`)"
    numbers = f"the training ended after {plural(record.epochs, 'epoch')}: {record.stop_message}"
    yield Finding.of("no_step", "warning", title, numbers.removesuffix("."), "", "")


def vanished(evidence: Evidence) -> Iterator[Finding]:
    """The gradient has become zero, although the training loss is not small."""
    record = evidence.record
    if record.stop_reason != ZERO_GRADIENT or evidence.is_good_fit:
        return
    layer = _failing_layer(evidence)
    if not layer:
        return
    title = "the gradient has vanished"
    numbers = (
        f"the training ended after {plural(record.epochs, 'epoch')} with `{record.stop_reason}`"
    )
    cause = f"all units in layer {layer} are dead or saturated"
    yield Finding.of(
        "vanished_gradient", "error", title, numbers, cause, SMALLER, other_optimizer(evidence)
    )


def _failing_layer(evidence: Evidence) -> int:
    """The last layer, from 1, whose units are all dead or saturated; 0 if there is none.

    The output layer comes first: its delta is a factor of all gradients.
    """
    experiment = evidence.experiment
    counts = experiment.unit_counter().count(evidence.subject.params)
    layers = experiment.network.layers
    for k in reversed(range(len(layers))):
        failing = counts.dead[k] + counts.saturated[k]
        if failing == layers[k].units and can_fail(experiment.network, k):
            return k + 1
    return 0


RULES = (
    Rule("a gradient that has become zero", vanished, needs=("network",)),
    Rule("no step that lowers the loss", no_step, needs=("log", "network")),
    Rule("a validation loss that never falls", never_fell),
)
