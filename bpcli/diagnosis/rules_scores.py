"""Rules that compare scores: of splits, with baselines, with neighbours, and of several trainings.

The excess of a split is its loss as a fraction of that of the constant baseline on the same split.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from bpcli.data.types import SplitName
from bpcli.diagnosis.advice import (
    AT_RANDOM,
    at_random,
    for_other_rows,
    more_epochs,
    other_optimizer,
    what_to_change,
    wider,
)
from bpcli.diagnosis.evidence import STUCK, Evidence
from bpcli.diagnosis.finding import Finding
from bpcli.diagnosis.rule import Rule
from bpcli.diagnosis.rules_loss import NOT_LEARNED
from bpcli.runs.run_json import RunRecord
from bpcli.runs.subject import SPLIT_NAMES
from bpcli.text import plural

CLEARLY = 1e-3
"""A loss is better than the constant baseline's if it is lower by this fraction: with vanishing
gradients it ends slightly lower."""

GAP = 0.5
"""The excess of held-out rows minus that of the training rows from which a network overfits: half
of what there is to learn is learned of the training rows alone. Measured: at most 0.2 in healthy
runs of configs/."""

ROSE = 0.2
"""The excess by which the validation loss ends above its minimum, from which that is noted: since
then, the training did harm. The fraction of 20 % is PROBEN1's GL20 (Prechelt 1994), of the constant
baseline instead of the minimum, as minima near 0 are exceeded by any noise."""

FEW = 5
"""With this many rows for each parameter, a gap is hardly due to the number of parameters: least
squares would raise the error of new rows by 20 % only (Akaike 1970, FPE)."""

STILL_FALLS, LATE = 1e-2, 0.9
"""A loss still falls if it fell by this fraction in the last tenth of the epochs."""

WIDE = 0.1
"""The smallest difference of two accuracies that is significant, from which a note says that the
test set is small: with 95 % confidence, p the accuracy and n the test rows, it is 1.96 √(2p(1-p)/n)
(p with two more right and two more wrong rows; Agresti & Coull 1998)."""

WIDE_LOSS = 0.5
"""The same for a regression: the significant difference of two mean losses, as a fraction."""

SPREAD = 0.1
"""How far above the best a training of several ended, as a fraction of the constant baseline's
loss, if it is counted as another minimum."""

MANY_OTHERS = 0.25
"""The share of trainings in another minimum that is worth a finding: a single training misses the
best minimum as often."""

CHANCE = 1e-3
"""The probability that folds of equal networks differ as much by chance."""


class Gap(NamedTuple):
    """How held-out rows fit beside training rows: losses as fractions of the constant baseline's.

    `rose` is by how much the validation loss ended above its minimum, as such a fraction.
    """

    split: SplitName
    of_train: float
    of_held: float
    rose: float

    @property
    def verdict(self) -> Literal["overfits", "later", "holds"]:
        """Whether the kept weights overfit, or only those of the last epochs, or none."""
        if self.of_held - self.of_train >= GAP:
            return "overfits"
        return "later" if self.rose >= ROSE else "holds"


def gap_of(evidence: Evidence) -> Gap | None:
    """The gap; None if no rows are held out, or the training rows were not learned either."""
    name = evidence.held_out
    if name is None or not evidence.record.best_epoch:
        return None
    of_train, of_held = evidence.remaining("train"), evidence.remaining(name)
    if of_train is None or of_held is None or of_train >= STUCK:
        return None
    return Gap(name, of_train, of_held, _rose(evidence))


def overfitting(evidence: Evidence) -> Iterator[Finding]:
    """Held-out rows fit much worse than training rows, or did so at the end."""
    gap = gap_of(evidence)
    if gap is None or gap.verdict == "holds":
        return
    numbers = (
        f"as a fraction of that of a constant prediction, the training loss is {gap.of_train:.3g} "
        f"and the {SPLIT_NAMES[gap.split]} loss {gap.of_held:.3g}{_since(evidence, gap.rose)}"
    )
    rule = _overfitted if gap.verdict == "overfits" else _overfitted_later
    yield rule(evidence, numbers)


def _overfitted(evidence: Evidence, numbers: str) -> Finding:
    """The finding if the weights that were kept overfit."""
    title = "the network overfits the training rows"
    cause = _why_overfitted(evidence.record)
    remedy, command = _against_overfitting(evidence)
    return Finding.of("overfitting", "warning", title, numbers, cause, remedy, command)


def _against_overfitting(evidence: Evidence) -> tuple[str, str]:
    """Remedy and command; fewer parameters do not help if they are few."""
    if _are_few_params(evidence.record) and not at_random(evidence):
        return "look for differences between the rows of the splits", ""
    return for_other_rows(evidence)


def _overfitted_later(evidence: Evidence, numbers: str) -> Finding:
    """The finding if the weights of an earlier epoch were kept."""
    title = "the last epochs overfit the training rows, but earlier weights were kept"
    remedy = "end the training early with `training.stop.max_fail`, which saves time"
    patience = max(10, evidence.record.best_epoch)
    command = evidence.train_with(f"training.stop.max_fail={patience}")
    cause = _why_overfitted(evidence.record)
    return Finding.of("overfitting", "note", title, numbers, cause, remedy, command)


def _why_overfitted(record: RunRecord) -> str:
    rows, params = record.rows.train, plural(record.n_params, "parameter")
    if _are_few_params(record):
        return (
            f"{params} are few for {rows:,} training rows: the other rows may follow a "
            "different rule, for example because they are more recent"
        )
    return (
        f"with {params} for {plural(rows, 'training row')}, it learns details that other rows do "
        "not have"
    )


def _are_few_params(record: RunRecord) -> bool:
    return FEW * record.n_params < record.rows.train


def _rose(evidence: Evidence) -> float:
    """The excess by which the validation loss ended above its minimum; 0 without one."""
    curve, constant = evidence.val_loss, evidence.constant("val") if evidence.val_loss else None
    return (curve.last - curve.lowest[1]) / constant if constant else 0.0


def _since(evidence: Evidence, rose: float) -> str:
    """Since which epoch the network overfits, if there is a validation set."""
    if not evidence.val_loss:
        return "; without a validation set, the epoch when this began is unknown"
    number, lowest = evidence.val_loss.lowest
    if rose <= 0:
        return ""
    return (
        f"; the validation loss was lowest at epoch {number} ({lowest:.4g}) and ended at "
        f"{evidence.val_loss.last:.4g}"
    )


def worse_than_constant(evidence: Evidence) -> Iterator[Finding]:
    """A held-out split, or any without training, is scored no better than by a constant.

    It is better if its loss is lower, with the weights of rows and classes, or its accuracy clearly
    higher. Accuracy alone does not decide: with unbalanced classes, a network may have a lower
    accuracy but much better probabilities.
    """
    name = evidence.last_split
    if name == "train" and evidence.record.epochs:
        return  # `stuck` says it
    constant, loss = evidence.constant(name), evidence.scores.get(f"{name}.loss")
    if constant is None or (loss is not None and loss < (1 - CLEARLY) * constant):
        return
    if evidence.has_better_accuracy(name):
        return
    of_loss = "not finite" if loss is None else f"{loss:.4g}"
    split = SPLIT_NAMES[name]
    title = f"the {split} loss is {of_loss}, and that of a constant prediction is {constant:.4g}"
    numbers = _scores_beside(evidence, name)
    cause, remedy, command = _why_worse(evidence)
    yield Finding.of("worse_than_constant", "error", title, numbers, cause, remedy, command)


def _scores_beside(evidence: Evidence, name: SplitName) -> str:
    """The main score beside that of the constant baseline."""
    baseline = evidence.record.baselines.get("constant", {})
    for metric in ("accuracy", "r2", "rmse"):
        score, usual = evidence.scores.get(f"{name}.{metric}"), baseline.get(f"{name}.{metric}")
        if score is not None and usual is not None:
            return f"`{name}.{metric}` is {score:.4g}, and that of the constant is {usual:.4g}"
    return f"the {SPLIT_NAMES[name]} set has {plural(evidence.rows(name), 'row')}"


def _why_worse(evidence: Evidence) -> tuple[str, str, str]:
    """Cause, remedy and command."""
    if _was_cut(evidence) and not evidence.has_learned(NOT_LEARNED):
        return "the loss was still falling", *more_epochs(evidence)
    if evidence.has_learned(STUCK):
        cause = "what was learned from the training rows does not generalize to these rows"
        return cause, *for_other_rows(evidence)
    cause = "not even the training rows were learned"
    return cause, what_to_change(evidence), other_optimizer(evidence)


def _was_cut(evidence: Evidence) -> bool:
    """Whether the epochs ended while the loss was falling."""
    curve = evidence.loss
    is_falling = bool(curve) and curve.last < (1 - STILL_FALLS) * curve.before(LATE)
    return is_falling and evidence.record.stop_reason == "epochs"


def underfitting(evidence: Evidence) -> Iterator[Finding]:
    """The rows nearest to a row tell its target better than the network does."""
    from bpcli.diagnosis.neighbours import neighbours

    comparison = neighbours(evidence)
    if comparison is None or not comparison.are_clearly_better:
        return
    title = f"the network underfits: {comparison.title}"
    cause = "the rows have a structure that the network has not learned"
    remedy, command = _against_underfitting(evidence)
    yield Finding.of("underfitting", "warning", title, comparison.evidence, cause, remedy, command)


def _against_underfitting(evidence: Evidence) -> tuple[str, str]:
    """Remedy and command: first what is sure to hold the network back."""
    l2 = evidence.record.l2
    if l2:
        remedy = f"use a smaller `training.l2` than {l2:g}, or more hidden units"
        return remedy, evidence.train_with(f"training.l2={l2 / 10:g}")
    if _was_cut(evidence) or evidence.is_hardly_trained:
        return more_epochs(evidence)
    remedy = "use more hidden units, or train longer or with another optimizer"
    return remedy, evidence.train_with(*wider(evidence))


def few_test_rows(evidence: Evidence) -> Iterator[Finding]:
    """So few test rows that two runs can hardly be told apart; those of a fold are not judged."""
    rows, folds = evidence.rows("test"), evidence.experiment.spec.data.split.folds
    if not rows or folds is not None:
        return
    accuracy = evidence.scores.get("test.accuracy")
    if accuracy is not None:
        p = (accuracy * rows + 2) / (rows + 4)
        width, most, of = 1.96 * math.sqrt(2 * p * (1 - p) / rows), WIDE, "accuracies"
        text = f"{100 * width:.0f} percentage points"
    else:
        width, most, of = _relative_width(evidence), WIDE_LOSS, "losses"
        text = f"{100 * width:.0f} %"
    if not most <= width < math.inf:
        return
    title = f"{plural(rows, 'test row')} can hardly distinguish two runs"
    numbers = (
        f"the test {of} of two runs must differ by {text} to be significantly different (95 %)"
    )
    cause = "a score on few rows depends strongly on which rows were chosen"
    remedy = "compare runs by cross-validation (`data.split.folds`), or hold out more rows"
    yield Finding.of("few_test_rows", "note", title, numbers, cause, remedy, _folds(evidence))


def _relative_width(evidence: Evidence) -> float:
    """The significant difference of two mean test losses, as a fraction; 0 if it is unknown."""
    predicted, Y = evidence.subject.predictions, evidence.subject.rows.values
    if evidence.subject.split != "test" or Y is None or len(Y) < 2:
        return 0.0
    squares = ((predicted.outputs - Y) ** 2).mean(axis=1)
    mean = squares.mean()
    return float(1.96 * squares.std() * math.sqrt(2 / len(Y)) / mean) if mean > 0 else 0.0


def _folds(evidence: Evidence) -> str:
    """The command of a cross-validation, where the split is by fractions."""
    split = evidence.experiment.spec.data.split
    if not split.test or split.order == "time":
        return ""
    train = ["data.split.train=null"] * (split.train is not None)
    return evidence.train_with(*train, "data.split.test=0", "data.split.folds=5")


def disagreeing_restarts(evidence: Evidence) -> Iterator[Finding]:
    """Trainings from other initialisations that end in other minima."""
    restarts = evidence.record.restarts
    if restarts is None or restarts.criterion not in ("objective", "val.loss"):
        return
    name: SplitName = "val" if restarts.criterion == "val.loss" else "train"
    constant = evidence.constant(name)
    if constant is not None and name == "train" and evidence.record.reduction == "sum":
        constant *= evidence.rows(name)
    values = [each.value for each in restarts.trainings if each.value is not None]
    if len(values) < 2 or constant is None:
        return
    best = min(values)
    others = sum(value > best + SPREAD * constant for value in values)
    if others < MANY_OTHERS * len(values):
        return
    title = f"{others} of {len(values)} initialisations ended in a different minimum than the best"
    numbers = (
        f"their `{restarts.criterion}` ranges from {best:.4g} to {max(values):.4g}; that of a "
        f"constant prediction is {constant:.4g}"
    )
    cause = (
        "the loss has several minima or plateaus, and the initial weights decide which one "
        "is reached"
    )
    remedy = "use more restarts, or more hidden units, which make bad minima rarer"
    command = evidence.train_with(options=f"--restarts {2 * len(restarts.trainings)}")
    yield Finding.of("disagreement", "warning", title, numbers, cause, remedy, command)


def disagreeing_folds(evidence: Evidence) -> Iterator[Finding]:
    """Folds whose accuracies differ more than by chance."""
    ended = [each for each in evidence.subject.folds if each.status == "finished"]
    known = [
        (score, each.rows.test)
        for each in ended
        if (score := each.metrics.get("test.accuracy")) is not None and each.rows.test
    ]
    if len(known) < 3:
        return
    accuracies, rows = np.array(known).T
    mean = float((accuracies * rows).sum() / rows.sum())
    if not 0 < mean < 1:
        return
    chi2 = float((rows * (accuracies - mean) ** 2).sum() / (mean * (1 - mean)))
    limit = _limit(len(known) - 1)
    if chi2 < limit:
        return
    low, high = accuracies.min(), accuracies.max()
    title = f"the folds disagree: their accuracies range from {low:.3g} to {high:.3g}"
    numbers = (
        f"chi² is {chi2:.1f} with {len(known) - 1} degrees of freedom; up to "
        f"{limit:.1f} could be chance"
    )
    cause = (
        "some trainings ended in a bad minimum, or the rows of some folds differ from the others"
    )
    remedy, command = _against_disagreement(evidence)
    yield Finding.of("disagreement", "warning", title, numbers, cause, remedy, command)


def _against_disagreement(evidence: Evidence) -> tuple[str, str]:
    """Remedy and command, which trains all folds again."""
    fold = evidence.record.config.get("data.split.fold")
    all_folds = ["data.split.fold=null"] * (fold is not None)
    if settings := at_random(evidence):
        return AT_RANDOM, evidence.train_with(*settings, *all_folds)
    remedy = "use `training.restarts`, and look at the rows of the worst fold"
    return remedy, evidence.train_with("training.restarts=5", *all_folds)


def _limit(freedom: int) -> float:
    """The 1 - `CHANCE` quantile of chi²."""
    from scipy.special import chdtri

    return float(chdtri(freedom, CHANCE))


OVERFITTING = Rule("overfitting", overfitting, needs=("log", "network"))

RULES = (
    OVERFITTING,
    Rule("scores that are worse than a constant prediction", worse_than_constant, ("network",)),
    Rule("underfitting", underfitting, needs=("network",), at_end=False),
    Rule("too few test rows to compare runs", few_test_rows, needs=("network",), at_end=False),
    Rule("restarts that disagree", disagreeing_restarts, needs=("network",), at_end=False),
    Rule("folds that disagree", disagreeing_folds, needs=(), at_end=False),
)
