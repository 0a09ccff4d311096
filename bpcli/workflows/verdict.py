"""The result of training a run again: differences, their size, and possible causes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from bpcli.nn.arrays import Array
from bpcli.runs.machines import Break, changes, in_words
from bpcli.runs.run_json import Machine

UNEXPLAINED = (
    "No recorded property of the machine has changed: the run was edited, or bpnet, memory or disk "
    "made an error, then or now."
)
ASPECTS = ("data", "split", "epoch", "line", "tensor", "record", "metric", "path")


@dataclass(frozen=True)
class Difference:
    """A value that differs, None if it is not finite, and the relative difference of its tensor.

    That is max|a - b| / max|a| over the entries, a of the run and b of the second training. It is
    infinite if an entry is finite in one of them only, if all a are 0 but not all b, or if the
    values cannot be subtracted, such as tensors of different sizes. It is None if other differences
    show its effect. `of` names the tensor, if it is not the value itself.
    """

    what: str
    then: float | str | None
    again: float | str | None
    relative: float | None = math.inf
    of: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.what} was {_exact(self.then)} and is {_exact(self.again)}"


def _exact(value: float | str | None) -> str:
    return "not finite" if value is None else str(value)


@dataclass
class Differences:
    """The first difference of each aspect; the largest relative difference, and where it is."""

    first: dict[str, Difference] = field(default_factory=dict)
    largest: float = 0.0
    largest_in: str | None = None

    def add(self, aspect: str, findings: Iterable[Difference]) -> None:
        """Add the differences of an aspect, one of `ASPECTS`."""
        for each in findings:
            self.first.setdefault(aspect, each)
            if each.relative is None:
                continue
            if self.largest_in is None or each.relative > self.largest:
                self.largest, self.largest_in = each.relative, each.of or each.what


def relative_difference(then: Array, again: Array) -> float:
    """max|then - again| / max|then|, as defined by `Difference`."""
    if then.shape != again.shape:
        return math.inf
    a, b = then.astype(np.float64), again.astype(np.float64)
    is_finite = np.isfinite(a)
    if (is_finite != np.isfinite(b)).any():
        return math.inf
    a, b = a[is_finite], b[is_finite]
    largest = float(np.abs(a - b).max(initial=0.0))
    scale = float(np.abs(a).max(initial=0.0))
    if largest == 0:
        return 0.0
    return largest / scale if scale else math.inf


@dataclass(frozen=True)
class Counts:
    """The numbers of things compared."""

    epochs: int
    losses: int
    tensors: int
    metrics: int
    path_rows: int

    @property
    def text(self) -> str:
        path = f", {self.path_rows} rows of recorded parameters" if self.path_rows else ""
        return (
            f"{self.losses} losses, {self.tensors} tensors, {self.metrics} metrics{path} and the "
            f"split after {self.epochs} epochs"
        )


@dataclass(frozen=True)
class Verdict:
    """The result of comparing two trainings: the first difference of each aspect, if any.

    `largest` is the largest relative difference, and `largest_in` names its tensor or value.
    """

    run_id: str
    counts: Counts
    differences: Mapping[str, Difference]
    largest: float
    largest_in: str | None
    tolerance: float | None
    then: Machine
    now: Machine
    breaks: Sequence[Break]

    @property
    def is_identical(self) -> bool:
        return not self.differences

    @property
    def is_accepted(self) -> bool:
        """Identical, or within the tolerance."""
        tolerance = self.tolerance
        return self.is_identical or (tolerance is not None and self.largest <= tolerance)

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        if self.is_identical:
            return f"bit-identical: {self.counts.text}"
        sentences = "; ".join(each.sentence for each in self.differences.values())
        if self.is_accepted:
            return f"within tolerance {self.tolerance:g} ({self.counts.text}): {sentences}"
        return f"not identical ({self.counts.text}): {sentences}"

    @property
    def distance_text(self) -> str:
        """The largest relative difference in a sentence."""
        if math.isinf(self.largest):
            return f"the largest relative difference is infinite: {self.largest_in}"
        where = f", in {self.largest_in}" if self.largest_in else ""
        return f"the largest relative difference is {self.largest:.3g}{where}"

    @property
    def explanation(self) -> list[str]:
        """Possible causes, one sentence each; empty if there is no difference."""
        if self.is_identical:
            return []
        sentences = [
            f"From epoch {each.epoch} on, the run was trained under different conditions than "
            "before, so a single machine may not reproduce it bit for bit: "
            f"{in_words(each.changes)}."
            for each in self.breaks
        ]
        since = changes(self.then, self.now)
        if since:
            sentences.append(f"Since the run began, these have changed: {in_words(since)}.")
        return sentences or [UNEXPLAINED]

    def _json_of(self, aspect: str) -> dict[str, object] | None:
        difference = self.differences.get(aspect)
        keys = ("what", "then", "again")
        return None if difference is None else {key: getattr(difference, key) for key in keys}

    def to_json(self) -> dict[str, object]:
        return {
            "run_id": self.run_id,
            "identical": self.is_identical,
            "accepted": self.is_accepted,
            "tolerance": self.tolerance,
            "largest_relative_difference": self.largest,
            "largest_in": self.largest_in,
            **asdict(self.counts),
            **{f"first_{aspect}": self._json_of(aspect) for aspect in ASPECTS},
            "then": self.then.to_json(),
            "now": self.now.to_json(),
            "breaks": [asdict(each) for each in self.breaks],
            "explanation": self.explanation,
        }
