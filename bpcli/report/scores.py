"""The scores of a run on each split, beside its baselines, and what they amount to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Literal, NamedTuple, TypeAlias

from bpcli.data.types import SPLITS, SplitName
from bpcli.errors import BpnetError
from bpcli.metrics.bootstrap import Interval
from bpcli.metrics.metrics import greater_is_better
from bpcli.report.once import once
from bpcli.runs.subject import Subject
from bpcli.workflows.evaluate import MOST_ROWS_WITH_INTERVALS, SplitDetail, detail

MOST_WITH_REPORT = MOST_ROWS_WITH_INTERVALS
"""Splits of more rows are not passed through the network again: their scores are in the record."""

CONSTANT = "constant"


class Score(NamedTuple):
    """A metric of the chosen weights on a split; the values of baselines by their names."""

    split: SplitName
    metric: str
    value: float | None
    interval: Interval | None
    baselines: Mapping[str, float | None]


Comparison: TypeAlias = Literal["better", "unclear", "worse", "unknown"]
"""How a score compares with the constant baseline, with regard to its interval."""


@once
def details(subject: Subject) -> Mapping[SplitName, SplitDetail]:
    """What is known of each split that has few enough rows; empty if there is no network.

    Rows that were streamed are only a sample: they have no intervals of its scores.
    """
    if subject.rebuilt is None:
        return {}
    by_split: dict[SplitName, SplitDetail] = {}
    for name, split in subject.experiment.splits.items():
        if 0 < len(split) <= MOST_WITH_REPORT:
            with suppress(BpnetError):  # the record has its scores
                by_split[name] = detail(subject.rebuilt, name)
    return by_split


def rows_of(subject: Subject, name: SplitName) -> int:
    """The rows of a split in training; a streamed run has a sample of them in memory."""
    count: int = getattr(subject.record.rows, name)
    return count


def is_sampled(subject: Subject) -> bool:
    """Whether only some rows of the run are in memory."""
    if subject.rebuilt is None:
        return False
    splits = subject.experiment.splits
    return any(len(splits[name]) != rows_of(subject, name) for name in SPLITS)


def scores(subject: Subject) -> list[Score]:
    """Every score in the record, metric by metric, with intervals where they are computed."""
    by_metric: dict[str, list[Score]] = {}
    for path, value in subject.record.metrics.items():
        split, _, metric = path.partition(".")
        if split in SPLITS:
            by_metric.setdefault(metric, []).append(_score(subject, split, metric, value))
    return [score for group in by_metric.values() for score in group]


def _score(subject: Subject, split: SplitName, metric: str, value: float | None) -> Score:
    path = f"{split}.{metric}"
    baselines = {
        name: values[path] for name, values in subject.record.baselines.items() if path in values
    }
    return Score(split, metric, value, _interval(subject, split, metric), baselines)


def _interval(subject: Subject, split: SplitName, metric: str) -> Interval | None:
    known = details(subject).get(split)
    if known is None or known.intervals is None or is_sampled(subject):
        return None
    return known.intervals.get(metric)


def is_log_loss(subject: Subject) -> bool:
    """Whether the loss of a run is its log loss, so that its numbers need to be shown only once.

    A cross-entropy is, unless rows or classes have weights in the loss alone.
    """
    scores = subject.record.metrics
    known = [name for name in SPLITS if f"{name}.loss" in scores]
    is_likelihood = subject.record.loss in ("binary_cross_entropy", "cross_entropy")
    return is_likelihood and bool(known) and all(_are_equal(scores, name) for name in known)


def _are_equal(scores: Mapping[str, float | None], name: SplitName) -> bool:
    loss, log_loss = scores[f"{name}.loss"], scores.get(f"{name}.log_loss")
    return loss is not None and log_loss is not None and math.isclose(loss, log_loss)


def main_score(subject: Subject) -> Score | None:
    """The score that the verdict is about: the first metric, on the split to show."""
    all_scores = scores(subject)
    for name in reversed(SPLITS):
        of_split = [
            score for score in all_scores if score.split == name and score.value is not None
        ]
        metrics = [score for score in of_split if not score.metric.startswith("loss")]
        if of_split:
            return (metrics or of_split)[0]
    return None


def rounded(value: float | None, metric: str) -> float | None:
    """A value without the rounding errors of an R² of 0, and without its sign."""
    return round(value, 12) + 0.0 if value is not None and metric.startswith("r2") else value


def compared(score: Score) -> Comparison:
    """Whether a score is better than that of the constant baseline."""
    constant, value = score.baselines.get(CONSTANT), score.value
    if constant is None or value is None:
        return "unknown"
    low, high = score.interval or (value, value)
    if not greater_is_better(score.metric):
        low, high, constant = -high, -low, -constant
    if low > constant:
        return "better"
    return "worse" if high < constant or score.interval is None else "unclear"
