"""Rules that read the rows: their number, their scales, their classes, and rows that repeat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import UNBALANCED
from bpcli.diagnosis.evidence import Evidence
from bpcli.diagnosis.finding import Finding, Severity
from bpcli.diagnosis.rule import Rule
from bpcli.experiment import facts
from bpcli.experiment.scales import Misfit, reaching, setting_of
from bpcli.metrics.metrics import pieces
from bpcli.nn.arrays import Array
from bpcli.runs.subject import SPLIT_NAMES
from bpcli.text import plural

LOW_RECALL = 0.5
"""The recall of the smallest class below which the imbalance is a likely mistake: the network
misses most of its rows."""

LEAK = 0.1
"""The share of the test rows that are also training rows, from which scores are likely to be too
good: a network that had memorized the training rows would gain up to 10 points of accuracy
by them. Fewer are noted."""

REPEATED = 0.5
"""The share of training rows that repeat another one, from which repeated rows are natural, as in
tables of a few categories."""


def few_rows(evidence: Evidence) -> Iterator[Finding]:
    """Fewer training rows than parameters."""
    fact = facts.few_rows(evidence.experiment)
    if fact is not None:
        rows, params = evidence.rows("train"), evidence.record.n_params
        numbers = f"{params / rows:.2g} parameters for each training row, and no weight decay"
        cause = "such a network can memorize the rows"
        command = evidence.train_with("training.l2=1")
        yield Finding.of("few_rows", "note", fact, numbers, cause, facts.FEW_ROWS_REMEDY, command)


def constant_inputs(evidence: Evidence) -> Iterator[Finding]:
    """Inputs with one value in all training rows."""
    experiment = evidence.experiment
    fact = facts.constant_inputs(experiment)
    if fact is not None:
        count, inputs = len(experiment.constant_inputs), len(experiment.table.input_names)
        numbers = f"{'it is' if count == 1 else 'they are'} {count} of {plural(inputs, 'input')}"
        cause = "an input that is always the same carries no information about the target"
        yield Finding.of("constant_inputs", "note", fact, numbers, cause, "leave out such inputs")


def unscaled(evidence: Evidence) -> Iterator[Finding]:
    """Inputs or targets whose scale slows or breaks training."""
    scales = evidence.experiment.scales
    misfits = scales.misfits
    if not misfits:
        return
    keys = " and ".join(misfit.key for misfit in misfits)
    rows = plural(evidence.rows("train"), "training row")
    cause = "the loss is much steeper along some weights than along others, which no rate suits"
    yield Finding.of(
        "unscaled",
        "warning",
        scales.facts,
        f"measured over {rows}, as the network gets the {keys}",
        cause,
        setting_of(misfits),
        evidence.train_with(*map(_scaled, misfits)),
    )


def _scaled(misfit: Misfit) -> str:
    return f"data.scale.{misfit.key}={misfit.rule}"


def out_of_range(evidence: Evidence) -> Iterator[Finding]:
    """Targets that the outputs cannot reach."""
    misfit = evidence.experiment.scales.unreachable
    if misfit is None:
        return
    top = len(evidence.record.layers) - 1
    identity = f"network.activations.{top}=identity"
    command = evidence.train_with(_scaled(misfit) if misfit.rule else identity)
    left = evidence.remaining("train")
    numbers = "no output is outside its range, however long the training"
    if left is not None:
        numbers = f"the training loss is {left:.3g} times that of a constant prediction"
    cause = "the activation of the output layer has bounds"
    yield Finding.of(
        "out_of_range", "error", misfit.fact, numbers, cause, reaching(misfit), command
    )


def imbalance(evidence: Evidence) -> Iterator[Finding]:
    """Classes of very different sizes, which are not weighted."""
    labels = evidence.experiment.splits["train"].labels
    if labels is None or evidence.record.class_weights is not None:
        return
    names = evidence.experiment.preprocessor.class_names
    counts = np.bincount(labels, minlength=len(names))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] < UNBALANCED * counts[least]:
        return
    recall = _recall(evidence, least)
    severity: Severity = "note" if recall is None or recall >= LOW_RECALL else "warning"
    title = (
        f"the classes are unbalanced: {plural(int(counts[most]), 'training row')} of "
        f"`{names[most]}`, {counts[least]:,} of `{names[least]}`"
    )
    share = 100 * counts[most] / counts.sum()
    numbers = f"always predicting `{names[most]}` is correct for {share:.1f} % of the rows"
    if recall is not None:
        of = f"`{names[least]}` rows of the {evidence.subject.split_name} set"
        numbers += f"; the network recognises {100 * recall:.0f} % of the {of}"
    cause = "a rare class has little influence on the mean loss"
    remedy = "give all classes equal influence (`training.class_weights`), and judge by the F1"
    command = evidence.train_with("training.class_weights=balanced")
    if not counts[least]:
        cause = "a class without training rows cannot be learned"
        remedy, command = "choose the training rows so that each class has some", ""
    yield Finding.of("imbalance", severity, title, numbers, cause, remedy, command)


def _recall(evidence: Evidence, label: int) -> float | None:
    """The share of a class's rows, in the split to show, that are recognised; None without rows."""
    true, predicted = evidence.subject.rows.labels, evidence.subject.predictions.classes
    if true is None or predicted is None or not (true == label).any():
        return None
    return float((predicted[true == label] == label).mean())


def leak(evidence: Evidence) -> Iterator[Finding]:
    """Held-out rows that are training rows too."""
    name = evidence.held_out
    if name is None:
        return
    splits = evidence.experiment.splits
    known, held = _hashes(splits["train"]), _hashes(splits[name])
    distinct = {*known}
    repeated, again = sum(each in distinct for each in held), len(known) - len(distinct)
    if not repeated:
        return
    share = repeated / len(held)
    is_natural = again >= REPEATED * len(known)
    severity: Severity = "warning" if share >= LEAK and not is_natural else "note"
    split, verb = SPLIT_NAMES[name], "is" if repeated == 1 else "are"
    title = f"{repeated:,} of {plural(len(held), f'{split} row')} {verb} also in the training set"
    numbers = (
        f"{100 * share:.1f} % of the {split} rows equal a training row in all inputs and targets; "
        f"{again:,} of {plural(len(known), 'training row')} repeat another one"
    )
    cause = f"a network can memorize these rows, so that the {split} scores are too good"
    remedy = "remove repeated rows from the table before it is split"
    yield Finding.of("leak", severity, title, numbers, cause, remedy)


def _hashes(split: Split) -> list[int]:
    """A hash of each row, inputs and targets as in the table; 64 bits hardly ever collide."""
    return [
        hash(row.tobytes())
        for start, stop in pieces(0, len(split))
        for row in _numbers(split.piece(start, stop))
    ]


def _numbers(rows: Split) -> Array:
    table, index = rows.table, rows.index[:]
    targets = table.Y if table.labels is None else table.labels[:, np.newaxis]
    parts = [table.X[index]] if targets is None else [table.X[index], targets[index]]
    return np.concatenate(parts, axis=1, dtype=np.float64) + 0.0  # -0 becomes 0


RULES = (
    Rule("unscaled inputs or targets", unscaled, needs=("network",)),
    Rule("targets outside the range of the outputs", out_of_range, needs=("network",)),
    Rule("more parameters than training rows", few_rows, needs=("network",)),
    Rule("constant inputs", constant_inputs, needs=("network",), at_end=False),
    Rule("unbalanced classes", imbalance, needs=("network",), at_end=False),
    Rule("test rows that are also training rows", leak, needs=("network",), at_end=False),
)
