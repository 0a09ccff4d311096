"""Rules that read the course of the loss: it diverges, oscillates, falls too slowly, or not at all.

`remaining` is the training loss as a fraction of that of the constant baseline.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpcli.diagnosis.advice import more_epochs, other_optimizer, smaller_rate, what_to_change, wider
from bpcli.diagnosis.evidence import STUCK, Curve, Evidence
from bpcli.diagnosis.finding import Finding, Severity
from bpcli.diagnosis.rule import Rule
from bpcli.text import plural

GREW = 2.0
"""A training that ends at this many times its initial loss has diverged, though to finite numbers.
Measured: no healthy run of configs/ ends above its initial loss."""

FEWEST_LINES = 10
"""The fewest lines of the log from which a course is judged: with 10, a share of 0.2 is two."""

RISES = 0.2
"""The share of steps from line to line, in the last half of the training, in which the loss of an
oscillating training rises. Measured: 0 in all healthy runs of configs/ with full batches."""

RISE = 0.01
"""The relative rise that counts with full batches, where a sufficiently small step never raises
the loss (Nesterov 2004, Introductory Lectures on Convex Optimization, eq. 1.2.13)."""

RISE_OF_BATCHES = 0.25
"""The same with mini-batches, whose gradients vary. Measured: the loss of healthy runs of configs/
rises by up to 5 % from line to line in a quarter of the steps, and hardly ever by 25 %."""

TOO_SLOW = 0.5
"""The loss falls too slowly if it falls in the second half of the training by at least this much of
its fall in the first half, and if the gradient at the end is at least this much of the first one.
An exponential approach to a minimum over one time constant or more gives less than e⁻¹ᐟ² = 0.61 for
the loss and less than e⁻¹ = 0.37 for the gradient."""

FELL = 0.02
"""The fall of the loss in the second half of the epochs, as a fraction of the constant baseline's,
from which a training without a learning rate ended too early, if it is also `TOO_SLOW` of what was
learned before: of the fall below the constant baseline, since the first steps of such an optimizer
remove most of what random outputs add to the loss, and of the gradient. Measured: at most 0.004 in
healthy runs of public tables that `NOT_LEARNED` calls not learned."""

NOT_LEARNED = 0.5
"""`remaining` from which a training has not learned. Measured: the healthy runs of configs/ with
noisy targets (`diabetes`) end at up to 0.5."""

FLAT = 0.01
"""On a plateau, the loss stays within this fraction. Measured: where the loss falls like 1/epoch,
as in the healthy runs of configs/, it falls by 1 % in 1 % of the epochs."""

LONG_PLATEAU = 0.25
"""The share of the epochs that is worth a note. Measured: at most 0.12 in healthy runs of
configs/."""

TOO_LONG_PLATEAU = 0.5
"""The share of the epochs from which a plateau is a likely mistake: most of the time was lost."""

FALL_AFTER = 0.9
"""After a plateau, the loss falls at least to this fraction; else it is no plateau, but the end."""


def _numbers(curve: Curve) -> str:
    (number, lowest), epochs = curve.lowest, curve.epochs
    return (
        f"the training loss was {curve.first:.4g} at epoch {epochs[0]}, lowest at epoch {number} "
        f"({lowest:.4g}), and {curve.last:.4g} at epoch {epochs[-1]}"
    )


def diverging(evidence: Evidence) -> Iterator[Finding]:
    """The loss is no longer finite, or ended far above its beginning."""
    has_diverged = evidence.record.status == "diverged"
    curve = evidence.loss
    if not has_diverged and not (curve and curve.last > GREW * curve.first):
        return
    title = "the training diverged: its loss is no longer finite"
    if not has_diverged:
        title = f"the loss grew from {curve.first:.4g} to {curve.last:.4g}"
    numbers = _numbers(curve) if curve else "the loss of the initial parameters is not finite"
    if evidence.rate is None or not curve or len(curve.values) < 2:
        remedy = "scale the data (`data.scale`), or use smaller initial weights (`network.init`)"
        command = evidence.train_with("data.scale.inputs=standard")
        yield Finding.of(
            "diverging", "error", title, numbers, "numbers are too large", remedy, command
        )
        return
    cause = "the steps are too long for the curvature of the loss, so that each overshoots more"
    yield Finding.of("diverging", "error", title, numbers, cause, *smaller_rate(evidence, 0.1))


def oscillating(evidence: Evidence) -> Iterator[Finding]:
    """The loss goes up and down in the last half of the training."""
    late = evidence.loss.since(0.5)
    if len(late.values) < FEWEST_LINES or evidence.rate is None or evidence.is_good_fit:
        return
    rise = RISE if evidence.is_full_batch else RISE_OF_BATCHES
    with np.errstate(divide="ignore", invalid="ignore"):
        rises = np.diff(late.values) / late.values[:-1]
    count = int((rises > rise).sum())
    if count < RISES * len(rises):
        return
    numbers = (
        f"from epoch {late.epochs[0]} on, the loss rose by more than {100 * rise:.0f} % in {count} "
        f"of {len(rises)} steps of the log, between {late.values.min():.4g} and "
        f"{late.values.max():.4g}"
    )
    cause = "the steps are too long: they overshoot the minimum from side to side"
    remedy, command = smaller_rate(evidence, 1 / 3)
    if not evidence.is_full_batch:
        cause = "the gradients of batches vary, and the steps are too long to average them"
        cosine = f"{{schedule: cosine, start: {evidence.rate:g}}}"
        remedy = f"let the rate fall (`learning_rate: {cosine}`), or use larger batches"
        command = evidence.train_with(f"training.learning_rate={cosine}")
    yield Finding.of(
        "oscillating", "warning", "the loss oscillates", numbers, cause, remedy, command
    )


def rate_too_small(evidence: Evidence) -> Iterator[Finding]:
    """The loss still falls as fast as at the beginning."""
    if evidence.rate is None or not _is_cut(evidence):
        return
    curve, gradient, rate = evidence.loss, evidence.grad_norm, evidence.rate
    early, late = curve.first - curve.at(0.5), curve.at(0.5) - curve.last
    if early <= 0 or late < TOO_SLOW * early or gradient.last < TOO_SLOW * gradient.first:
        return
    numbers = (
        f"the training loss fell by {early:.3g} in the first half of the epochs and by {late:.3g} "
        f"in the second, to {curve.last:.4g}; the gradient norm was {gradient.first:.3g} at first "
        f"and {gradient.last:.3g} at the end"
    )
    more, _ = more_epochs(evidence)
    remedy = f"{more}, or a larger `{evidence.rate_key}` than {rate:g}"
    cause = "the steps are too short for the number of epochs"
    command = evidence.train_with(f"{evidence.rate_key}={10 * rate:g}")
    yield Finding.of("rate_too_small", "warning", FALLS, numbers, cause, remedy, command)


FALLS = "the loss was still falling"


def too_few_epochs(evidence: Evidence) -> Iterator[Finding]:
    """The same with an optimizer that has no learning rate."""
    constant = evidence.constant("train")
    if evidence.rate is not None or constant is None or not _is_cut(evidence):
        return
    curve = evidence.loss
    half, last = curve.at(0.5), curve.last
    late = half - last
    if late < FELL * constant or late < TOO_SLOW * (min(curve.first, constant) - half):
        return
    numbers = (
        f"in the second half of the epochs, the training loss fell from {half:.4g} to {last:.4g}; "
        f"that of a constant prediction is {constant:.4g}"
    )
    cause = "the training ended before it came near a minimum"
    remedy, command = more_epochs(evidence)
    yield Finding.of("too_few_epochs", "warning", FALLS, numbers, cause, remedy, command)


def hardly_trained(evidence: Evidence) -> Iterator[Finding]:
    """A limit of very few epochs ended a training that had not learned.

    Without any epoch, it is a note where given weights predict better than a constant.
    """
    epochs, curve, constant = evidence.record.epochs, evidence.loss, evidence.constant("train")
    if constant is None or not evidence.is_hardly_trained or evidence.has_learned(NOT_LEARNED):
        return
    if curve.last > curve.first:
        return  # the steps are too long
    title = f"the training ended after {plural(epochs, 'epoch')}"
    cause = "so few steps hardly change the network"
    if not epochs:
        title = "the network is not trained: `training.epochs` is 0"
        cause = "its weights are the initial ones"
    numbers = (
        f"the training loss is {curve.last:.4g}, and that of a constant prediction is "
        f"{constant:.4g}"
    )
    severity: Severity = "warning" if epochs or not evidence.has_learned(STUCK) else "note"
    remedy, command = more_epochs(evidence)
    yield Finding.of("too_few_epochs", severity, title, numbers, cause, remedy, command)


def _is_cut(evidence: Evidence) -> bool:
    """Whether a limit ended a training that had not learned, and its course is known."""
    is_limit = evidence.record.stop_reason in ("epochs", "max_seconds")
    is_known = len(evidence.loss.values) >= FEWEST_LINES
    return is_limit and is_known and not evidence.has_learned(NOT_LEARNED)


def stuck(evidence: Evidence) -> Iterator[Finding]:
    """The training loss is that of a constant prediction."""
    remaining, constant = evidence.remaining("train"), evidence.constant("train")
    if remaining is None or remaining < STUCK or not evidence.record.epochs:
        return
    if evidence.has_better_accuracy("train") or evidence.has_learned_later:
        return
    loss = evidence.scores["train.loss"]
    title = f"the training loss is {loss:.4g}, and that of a constant prediction is {constant:.4g}"
    numbers = (
        f"after {plural(evidence.record.epochs, 'epoch')}, not even the training rows are learned"
    )
    if gradient := evidence.grad_norm:
        numbers += f"; the gradient norm went from {gradient.first:.2g} to {gradient.last:.2g}"
    yield Finding.of("stuck", "error", title, numbers, *_why_stuck(evidence))


def _why_stuck(evidence: Evidence) -> tuple[str, str, str]:
    """Cause, remedy and command."""
    if evidence.record.l2:
        remedy = f"use a smaller `training.l2` than {evidence.record.l2:g}, or other inputs"
        cause = "the weight decay keeps the weights near 0, or the inputs carry no information"
        return cause, remedy, evidence.train_with("training.l2=0")
    is_constant = (evidence.remaining("train") or 0) < 2 - STUCK
    if is_constant and len(evidence.record.layers) == 1:
        cause = "a network without hidden units can learn linear rules only"
        command = evidence.train_with(*wider(evidence))
        return cause, "use hidden units, or other inputs", command
    cause = "the outputs have become constant" if is_constant else "the outputs are still wrong"
    return cause, what_to_change(evidence), other_optimizer(evidence)


def plateau(evidence: Evidence) -> Iterator[Finding]:
    """The loss stayed nearly the same for a large part of the training, and then fell."""
    curve = evidence.loss
    if len(curve.values) < FEWEST_LINES:
        return
    begin, end = _longest_plateau(curve)
    share = (end - begin) / curve.epochs[-1]
    if share < LONG_PLATEAU:
        return
    level = float(curve.values[curve.epochs == begin][0])
    if evidence.is_small(level):
        return
    title = f"the loss was on a plateau from epoch {begin} to epoch {end}"
    numbers = (
        f"for {100 * share:.0f} % of the epochs, the training loss stayed within "
        f"{100 * FLAT:.0f} % of {level:.4g}; then it fell to {curve.last:.4g}"
    )
    cause = "the gradient is small there, because the units compute nearly the same"
    severity: Severity = "warning" if share >= TOO_LONG_PLATEAU else "note"
    if evidence.optimizer == "gradient_descent" and not evidence.record.optimizer["momentum"]:
        remedy = "use a `momentum` of 0.9, a larger `training.learning_rate`, or `rprop`"
        momentum = "training.optimizer={name: gradient_descent, momentum: 0.9}"
        command = evidence.train_with(momentum)
    else:
        remedy = "use `rprop` or `lbfgs`, or larger initial weights (`network.init`)"
        command = other_optimizer(evidence)
    yield Finding.of("plateau", severity, title, numbers, cause, remedy, command)


def _longest_plateau(curve: Curve) -> tuple[int, int]:
    """The first and last epoch of the longest plateau that the loss left; twice 0 without one."""
    lowest = np.minimum.accumulate(curve.values)
    ends = np.searchsorted(-lowest, -(1 - FLAT) * lowest, side="right") - 1
    has_fallen = lowest[-1] <= FALL_AFTER * lowest[ends]
    lengths = np.where(has_fallen, curve.epochs[ends] - curve.epochs, 0)
    first = int(lengths.argmax())
    return int(curve.epochs[first]), int(curve.epochs[ends[first]]) if lengths[first] else 0


RULES = (
    Rule("a loss that diverges", diverging, needs=()),
    Rule("a loss that oscillates", oscillating),
    Rule("a learning rate that is too small", rate_too_small),
    Rule("too few epochs", too_few_epochs),
    Rule("a training with very few steps", hardly_trained),
    Rule("a loss that stays at that of a constant prediction", stuck),
    Rule("a plateau", plateau),
)
