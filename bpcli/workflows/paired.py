"""Whether one run is better than another on the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bpcli.data.preprocessing import Split
from bpcli.data.types import Labels, SplitName
from bpcli.errors import RunError
from bpcli.experiment import Experiment, stream_of
from bpcli.metrics.bootstrap import Interval, bootstrap_intervals
from bpcli.metrics.measures import Measures, Scores
from bpcli.metrics.metrics import METRICS, METRICS_OF, Sample, predictions
from bpcli.metrics.paired import PairedTest, Winner, difference_of, mcnemar, wilcoxon
from bpcli.nn.arrays import Array, Vector
from bpcli.runs.trained import Trained
from bpcli.text import plural, rounded
from bpcli.workflows.evaluate import MOST_ROWS_WITH_INTERVALS


@dataclass(frozen=True)
class PairedEvaluation:
    """The scores of two runs on the same rows, and what their differences say.

    `names` are those by which a text calls them. `differences` are those of the first run minus
    those of the second.
    """

    run_ids: tuple[str, str]
    names: tuple[str, str]
    split: SplitName
    rows: int
    scores: tuple[Scores, Scores]
    differences: Scores
    intervals: dict[str, Interval | None] | None
    test: PairedTest
    notes: tuple[str, ...]

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return next(iter(self.differences))

    @property
    def better(self) -> Winner | Literal["unclear"]:
        """The better run, if the interval of the metric and the test agree on it."""
        return self.test.better if self._by_interval in {None, self.test.better} else "unclear"

    @property
    def _by_interval(self) -> Winner | None:
        """The better run by the interval of the metric; None without one."""
        interval = (self.intervals or {}).get(self.metric)
        if interval is None:
            return None
        if interval.low <= 0 <= interval.high:
            return "neither"
        return "first" if (interval.low > 0) == METRICS[self.metric].greater_is_better else "second"

    @property
    def sentences(self) -> tuple[str, ...]:
        """Which run is better, and the numbers that say so."""
        first, second = self.names
        verdict = {
            "first": f"{first} is better than {second}",
            "second": f"{second} is better than {first}",
            "neither": f"{first} and {second} do not differ significantly",
            "unclear": f"It is unclear whether {first} or {second} is better",
        }[self.better]
        return f"{verdict} on {_these(self.rows)}.", *self._by_difference(), self._by_rows()

    def _by_difference(self) -> Iterator[str]:
        difference = self.differences[self.metric]
        interval = (self.intervals or {}).get(self.metric)
        if difference is not None:
            ends = "" if interval is None else f", with the 95 % interval {_ends(interval)}"
            yield f"The {self.metric} differs by {rounded(difference, 4)}{ends}."

    def _by_rows(self) -> str:
        (first, second), test = self.names, self.test
        if test.name == "mcnemar":
            counts = f"only {first} is right on {plural(test.first, 'row')}, only {second} on "
            return f"{counts}{test.second:,}: p = {test.p:.2g} (McNemar's exact test)."
        counts = f"{first} is closer on {plural(test.first, 'row')}, {second} on {test.second:,}"
        return f"{counts}: p = {test.p:.2g} (Wilcoxon's signed-rank test)."

    def to_json(self) -> dict[str, Any]:
        """The evaluation under metric paths such as `test.accuracy`."""
        document: dict[str, Any] = {
            "runs": [
                {"run_id": run_id, "name": name, "metrics": self._paths(scores)}
                for run_id, name, scores in zip(self.run_ids, self.names, self.scores, strict=True)
            ],
            "split": self.split,
            "rows": self.rows,
            "differences": self._paths(self.differences),
        }
        if self.intervals is not None:
            document["intervals"] = self._paths(self.intervals)
        document["test"] = self.test._asdict()
        return document | {"better": self.better, "sentences": [*self.sentences]}

    def _paths(self, scores: Mapping[str, Any]) -> dict[str, Any]:
        return {f"{self.split}.{metric}": value for metric, value in scores.items()}


def _these(rows: int) -> str:
    return "this row" if rows == 1 else f"these {rows:,} rows"


def _ends(interval: Interval) -> str:
    return f"{rounded(interval.low, 4)} to {rounded(interval.high, 4)}"


def paired(
    first: Trained, second: Trained, split: SplitName, with_intervals: bool | None = None
) -> PairedEvaluation:
    """Compare two runs on the rows that a split has in both.

    By default, intervals are computed if they take little time. Raises `RunError` if the runs
    predict other things, were trained on other data, or have no common rows in the split.
    """
    _require_comparable(first, second, split)
    return paired_on_rows(first, second, split, with_intervals)


def paired_on_rows(
    first: Trained, second: Trained, split: SplitName, with_intervals: bool | None = None
) -> PairedEvaluation:
    """`paired` for runs whose row numbers mean the same rows."""
    experiments, notes = _on_common_rows(first, second, split)
    one, other = (
        _Scored.of(experiment, split, trained.params)
        for experiment, trained in zip(experiments, (first, second), strict=True)
    )
    pairs = {
        name: difference_of(sample, other.samples[name]) for name, sample in one.samples.items()
    }
    rows = len(one.split)
    if with_intervals is None:
        with_intervals = rows <= MOST_ROWS_WITH_INTERVALS
    rng = stream_of(first.experiment.spec, "intervals")
    return PairedEvaluation(
        (first.run.run_id, second.run.run_id),
        _names(first, second),
        split,
        rows,
        (one.scores, other.scores),
        {name: _difference(one.scores[name], other.scores[name]) for name in pairs},
        bootstrap_intervals(pairs, rng) if with_intervals else None,
        _test(one, other),
        tuple(notes),
    )


def _names(first: Trained, second: Trained) -> tuple[str, str]:
    """The names of the runs; their ids if the names are equal."""
    if first.record.name == second.record.name:
        return first.run.run_id, second.run.run_id
    return first.record.name, second.record.name


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _test(one: _Scored, other: _Scored) -> PairedTest:
    if one.split.preprocessor.class_names:
        return mcnemar(one.errors == 0, other.errors == 0)
    return wilcoxon(one.errors, other.errors)


@dataclass(frozen=True)
class _Scored:
    """A run's scores on a split, and its error in each row (n,).

    The error is 0 or 1 for classes, the number of wrong labels, whose equal differences are exact
    ties, or the sum of the absolute residuals of all targets.
    """

    split: Split
    samples: dict[str, Sample]
    scores: Scores
    errors: Vector

    @classmethod
    def of(cls, experiment: Experiment, name: SplitName, params: Vector) -> _Scored:
        split, network = experiment.splits[name], experiment.network
        Z = experiment.output_z(name, params)
        measures = Measures.of_network(
            network, split, METRICS_OF[experiment.table.task], in_detail=False
        )
        predicted = predictions(network, Z, experiment.preprocessor)
        if predicted.classes is not None and split.labels is not None:
            errors = (predicted.classes != split.labels).astype(np.float64)
        else:
            assert split.values is not None, "targets that are no classes are values"
            answers = predicted.outputs if predicted.labels is None else predicted.labels
            errors = np.abs(answers - split.values).sum(axis=1)
        return cls(split, measures.samples(Z), measures.of(Z), errors)


# Rows that both runs have.


def _require_comparable(first: Trained, second: Trained, split: SplitName) -> None:
    if first.run.run_id == second.run.run_id:
        raise RunError(f"{first.run.run_id} was given twice: name another run.")
    one, other = first.experiment.table, second.experiment.table
    if one.task != other.task:
        raise RunError(
            f"{first.run.run_id} has the task {one.task} and {second.run.run_id} {other.task}: "
            "only runs with the same targets can be compared."
        )
    if one.is_stored or other.is_stored:
        raise RunError(
            "A comparison on the same rows needs the rows in memory, and those of a run are "
            "streamed: name a smaller file with --data."
        )
    if split != "data" and not _has_same_rows(first, second):
        raise RunError(
            f"{first.run.run_id} and {second.run.run_id} were trained on different data: name a "
            "file with rows for both with --data."
        )


def _has_same_rows(first: Trained, second: Trained) -> bool:
    """Whether row numbers mean the same rows: of equal tables, or of the same single file."""
    one, other = first.record, second.record
    files = one.data_files
    is_same_file = len(files) == 1 and [*files.values()] == [*other.data_files.values()]
    return one.data_sha256 == other.data_sha256 or is_same_file


def _on_common_rows(
    first: Trained, second: Trained, name: SplitName
) -> tuple[list[Experiment], list[str]]:
    """The experiments with only the common rows in the split, and a note on the others."""
    experiments = first.experiment, second.experiment
    numbers = _numbers(experiments[0], name), _numbers(experiments[1], name)
    common = np.intersect1d(*numbers)
    run_ids = f"{first.run.run_id} and {second.run.run_id}"
    if not len(common):
        raise RunError(
            f"No row is in the {name} split of both {run_ids}: train them with the same "
            "`seeds.split`, or name a file with --data."
        )
    cut = [
        _with_rows(experiment, name, np.flatnonzero(np.isin(own, common)))
        for experiment, own in zip(experiments, numbers, strict=True)
    ]
    if not np.array_equal(_targets(cut[0], name), _targets(cut[1], name)):
        raise RunError(f"{run_ids} predict different targets: they cannot be compared.")
    left_out = [len(own) - len(common) for own in numbers]
    notes = []
    if any(experiment.splits[name].weight is not None for experiment in cut):
        notes.append("the test, unlike the metrics, ignores the weights of rows")
    if any(left_out):
        notes.append(
            f"only the {plural(len(common), 'row')} in the {name} split of both runs "
            f"{'is' if len(common) == 1 else 'are'} compared; {left_out[0]} and {left_out[1]} are "
            "in that of one"
        )
    return cut, notes


def _numbers(experiment: Experiment, name: SplitName) -> Labels:
    split = experiment.splits[name]
    return experiment.table.numbers_of(split.index[:])


def _with_rows(experiment: Experiment, name: SplitName, positions: Labels) -> Experiment:
    """The experiment with only the rows of a split at some positions, in the order of the table."""
    index = experiment.splits[name].index[:][positions]
    order = np.argsort(experiment.table.numbers_of(index))
    split = experiment.preprocessor.split(name, experiment.table, index[order])
    return replace(experiment, splits=experiment.splits | {name: split})


def _targets(experiment: Experiment, name: SplitName) -> Array:
    """The targets of a split in original units; names of classes."""
    split = experiment.splits[name]
    if split.labels is not None:
        return np.array(split.preprocessor.class_names)[split.labels]
    assert split.values is not None, "targets that are no classes are values"
    return split.values
