"""Train a run again, from what its folder says, and compare what comes of it bit by bit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bpcli.config.load import validate
from bpcli.config.overrides import override
from bpcli.config.source import Source
from bpcli.data.types import SPLITS
from bpcli.errors import Interrupted, RunError
from bpcli.experiment import Experiment, build
from bpcli.nn.arrays import Array
from bpcli.runs.files import file_digest
from bpcli.runs.integrity import check_files
from bpcli.runs.layout import RESOLVED, SPLIT, WEIGHTS
from bpcli.runs.machines import Break, breaks_of, changes, in_words, sessions_of
from bpcli.runs.metrics_log import LogLine, Numbers
from bpcli.runs.parameter_path import load_path
from bpcli.runs.provenance import data_digest
from bpcli.runs.record import split_bytes
from bpcli.runs.references import reference_to
from bpcli.runs.run_json import Machine, RunRecord
from bpcli.runs.saved import Figure
from bpcli.runs.saved_weights import WeightsMeta
from bpcli.runs.store import Run
from bpcli.runs.trained import SavedWeights, load_weights
from bpcli.training.loop import Epoch
from bpcli.training.stopping import Stopping
from bpcli.workflows.scores import EpochScores
from bpcli.workflows.session import Outcome
from bpcli.workflows.train import train


@dataclass(frozen=True)
class Difference:
    """What differs; None is a number that is not finite."""

    what: str
    then: float | str | None
    again: float | str | None

    @property
    def sentence(self) -> str:
        return f"{self.what} was {_exact(self.then)} and is {_exact(self.again)}"


def _exact(value: float | str | None) -> str:
    return "not finite" if value is None else str(value)


@dataclass
class Distance:
    """The largest relative difference of all that was compared, and of what it is.

    That of a tensor is max|a - b| / max|a| over its entries, a of the run and b of the second
    training; infinite where an entry is finite on one side alone, where all a are 0 but not all b,
    or where there is nothing to subtract, such as another number of entries.
    """

    relative: float = 0.0
    what: str | None = None

    def see(self, what: str, then: Array, again: Array) -> None:
        """Tensors that are not the same bits."""
        self.note(what, relative_difference(then, again))

    def note(self, what: str, relative: float) -> None:
        if self.what is None or relative > self.relative:
            self.relative, self.what = relative, what


def relative_difference(then: Array, again: Array) -> float:
    """max|then - again| / max|then|, as `Distance` says."""
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
    """How much was compared."""

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
    """What the second training found: of each kind the first thing that differs, if any does."""

    run_id: str
    counts: Counts
    differences: Mapping[str, Difference]
    distance: Distance
    tolerance: float | None
    then: Machine
    now: Machine
    breaks: Sequence[Break]

    @property
    def is_identical(self) -> bool:
        return not self.differences

    @property
    def is_accepted(self) -> bool:
        """Identical, or no further off than is tolerated."""
        tolerance = self.tolerance
        return self.is_identical or (tolerance is not None and self.distance.relative <= tolerance)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.is_identical:
            return f"bit-identical: {self.counts.text}"
        found = "; ".join(each.sentence for each in self.differences.values())
        if self.is_accepted:
            return f"within tolerance {self.tolerance:g}, of {self.counts.text}: {found}"
        return f"not identical, of {self.counts.text}: {found}"

    @property
    def distance_text(self) -> str:
        """The largest relative difference in words."""
        if math.isinf(self.distance.relative):
            return f"the largest relative difference is infinite: {self.distance.what}"
        place = f", in {self.distance.what}" if self.distance.what else ""
        return f"the largest relative difference is {self.distance.relative:.3g}{place}"

    @property
    def explanation(self) -> list[str]:
        """What may have made the difference, a sentence each; nothing where there is none."""
        if self.is_identical:
            return []
        sentences = [
            f"From epoch {each.epoch} on, the run was trained under other conditions than before, "
            f"and no single machine may repeat its bits: {in_words(each.changes)}."
            for each in self.breaks
        ]
        since = changes(self.then, self.now)
        if since:
            sentences.append(f"Since the run began, these have changed: {in_words(since)}.")
        return sentences or [UNEXPLAINED]

    def _json_of(self, kind: str) -> dict[str, object] | None:
        found = self.differences.get(kind)
        return None if found is None else asdict(found)

    def to_json(self) -> dict[str, object]:
        return {
            "run_id": self.run_id,
            "identical": self.is_identical,
            "accepted": self.is_accepted,
            "tolerance": self.tolerance,
            "largest_relative_difference": self.distance.relative,
            "largest_in": self.distance.what,
            **asdict(self.counts),
            **{f"first_{kind}": self._json_of(kind) for kind in _KINDS},
            "then": self.then.to_json(),
            "now": self.now.to_json(),
            "breaks": [asdict(each) for each in self.breaks],
            "explanation": self.explanation,
        }


UNEXPLAINED = (
    "Nothing that the run recorded of its machine differs from this one: somebody changed the run, "
    "or bpnet, memory or disk made an error, then or now."
)
_KINDS = ("data", "split", "epoch", "line", "tensor", "record", "metric", "path")
_FACTS = (
    "name", "seed", "loss", "reduction", "l2", "optimizer", "batch_size", "dtype", "task", "rows",
    "layers", "n_params", "n_frozen", "weighted", "targets_scaled",
)  # fmt: skip
_CHANGED_HERE = ("training.epochs", "training.stop", "training.checkpoint_every")


@dataclass
class _Log:
    """Watches the second training with the log of the first in hand."""

    losses: Mapping[int, float | None]
    epochs: list[int] = field(init=False)
    again: dict[int, float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.epochs = sorted(self.losses, reverse=True)

    def start(self, record: RunRecord, stopping: Stopping) -> None: ...

    def next_due(self, number: int) -> int:
        """The next epoch that has a line."""
        while self.epochs and self.epochs[-1] <= number:
            self.epochs.pop()
        return self.epochs[-1] if self.epochs else number + 2**62

    def see(self, epoch: Epoch, scores: EpochScores, is_last: bool) -> None:
        if epoch.number in self.losses:
            self.again[epoch.number] = epoch.loss if math.isfinite(epoch.loss) else None


@dataclass
class _Comparison:
    """Gathers what differs: the first of each kind, and the largest relative difference."""

    differences: dict[str, Difference] = field(default_factory=dict)
    distance: Distance = field(default_factory=Distance)

    def found(self, kind: str, difference: Difference) -> None:
        self.differences.setdefault(kind, difference)

    def cannot_be_compared(self, kind: str, difference: Difference) -> None:
        """A difference without a size, which no tolerance accepts."""
        self.found(kind, difference)
        self.distance.note(difference.what, math.inf)

    def data(self, saved: SavedWeights, experiment: Experiment) -> None:
        """Data alone have no size of difference: losses and weights show what comes of it."""
        then, again = saved.record.data_sha256, data_digest(experiment.table)
        if then != again:
            self.found("data", Difference("the SHA-256 of the data", then, again))

    def split(self, run: Run, experiment: Experiment) -> None:
        file, made = run.checked(SPLIT), split_bytes(experiment)
        if file.stat().st_size > 2 * len(made) + 2**12:  # a small archive may unpack to gigabytes
            sizes = (file.stat().st_size, len(made))
            self.cannot_be_compared("split", Difference(f"the size of {SPLIT}", *sizes))
            return
        if file.read_bytes() == made:
            return
        saved = _split(run)
        for name in SPLITS:
            then, again = saved[name], experiment.splits[name].index
            what = f"the {name} split in {SPLIT}"
            if then.shape != again.shape:
                sizes = (len(then), len(again))
                self.cannot_be_compared("split", Difference(f"the rows of {what}", *sizes))
            elif (then != again).any():
                place = int(np.argmax(then != again))
                rows = (int(then[place]), int(again[place]))
                self.cannot_be_compared("split", Difference(f"row {place} of {what}", *rows))

    def epochs(self, log: _Log, then: int, again: int) -> None:
        both = [(number, log.losses[number], log.again[number]) for number in sorted(log.again)]
        first = next(((number, a, b) for number, a, b in both if a != b), None)
        if first is not None:
            number, a, b = first
            self.found("epoch", Difference(f"the loss of epoch {number}", a, b))
            losses = np.array([[a, b] for _, a, b in both], float)  # None becomes NaN
            self.distance.see("the losses", losses[:, 0], losses[:, 1])
        if then != again:
            self.cannot_be_compared("epoch", Difference("the number of epochs", then, again))

    def tensors(self, then: Mapping[str, Array], again: Mapping[str, Array]) -> None:
        for name in sorted(then.keys() | again.keys()):
            first, second = then.get(name), again.get(name)
            if first is None or second is None or _form(first) != _form(second):
                sizes = (_size(first), _size(second))
                self.cannot_be_compared("tensor", Difference(f"the size of {name}", *sizes))
            elif first.tobytes() != second.tobytes():
                self.found("tensor", _first_entry(name, first, second))
                self.distance.see(name, first, second)

    def description(self, then: WeightsMeta, again: WeightsMeta) -> None:
        """What describes the weights; a number that fills gaps may differ in its last bits."""
        for key, value in vars(then).items():
            other = getattr(again, key)
            if key != "columns" and value != other:
                difference = Difference(f"`{key}` of the weights", str(value), str(other))
                self.cannot_be_compared("record", difference)
        columns = [meta.columns.inputs if meta.columns else [] for meta in (then, again)]
        for one, other in zip(*columns, strict=False):
            if isinstance(one.fill, int | float) and isinstance(other.fill, int | float):
                self.numbers("record", f"the fill of {one.name}", one.fill, other.fill)
                one = replace(one, fill=other.fill)
            if one != other:
                difference = Difference(f"the column {one.name}", str(one), str(other))
                self.cannot_be_compared("record", difference)

    def facts(self, then: RunRecord, again: RunRecord) -> None:
        """What the record says of the training, but for what `verify` itself changes."""
        facts = {f"`{key}`": (getattr(then, key), getattr(again, key)) for key in _FACTS}
        for key, value in again.config.items():
            if not key.startswith(_CHANGED_HERE):
                facts[f"`{key}` of the config"] = (then.config.get(key), value)
        for what, (one, other) in facts.items():
            if one != other:
                self.cannot_be_compared("record", Difference(what, str(one), str(other)))

    def lines(self, then: Sequence[LogLine], again: Sequence[LogLine]) -> None:
        """All else that both logs have of an epoch, but for the time it took."""
        ends = [log[-1].epoch if log else None for log in (then, again)]
        if ends[0] != ends[1]:
            self.cannot_be_compared("line", Difference("the last epoch in the log", *ends))
        others = {line.epoch: line.numbers() for line in again}
        for line in then:
            other = others.get(line.epoch, {})
            for key, value in line.numbers().items():  # in order: the first that differs is named
                if key in other and key not in ("epoch", "loss", "seconds"):
                    self.numbers("line", f"{key} of epoch {line.epoch}", value, other[key])

    def metrics(self, then: RunRecord, again: RunRecord) -> int:
        """The final metrics, and what stands beside them; how many metrics there are.

        A run that was given up has none.
        """
        if not then.metrics and then.status == "interrupted":
            return 0
        self.numbers("metric", "the best epoch", then.best_epoch, again.best_epoch)
        self.scores("", then.metrics, again.metrics)
        self.scores("weight of class ", then.class_weights or {}, again.class_weights or {})
        for label in dict.fromkeys([*then.baselines, *again.baselines]):
            pair = (record.baselines.get(label, {}) for record in (then, again))
            self.scores(f"{label} baseline, ", *pair)
        return len(again.metrics)

    def scores(self, prefix: str, then: Mapping[str, Figure], again: Mapping[str, Figure]) -> None:
        """Numbers by name."""
        for name in dict.fromkeys([*then, *again]):
            self.numbers("metric", f"{prefix}{name}", then.get(name), again.get(name))

    def numbers(self, kind: str, what: str, then: Numbers, again: Numbers) -> None:
        """A number, or a list of numbers; null is one that is not finite, or not there."""
        if then == again:
            return
        a, b = (np.atleast_1d(np.array(value, float)) for value in (then, again))
        self.found(kind, Difference(what, *(str(value) for value in (then, again))))
        self.distance.see(what, a, b)

    def path(self, run: Run, other: Run, experiment: Experiment) -> int:
        """The parameters of every epoch, a row each; how many rows there are."""
        if not experiment.spec.training.record_params:
            return 0
        n_params, dtype = experiment.network.n_params, experiment.dtype
        then, again = (load_path(each, n_params, dtype) for each in (run, other))
        if _form(then) != _form(again):
            sizes = (_size(then), _size(again))
            self.cannot_be_compared("path", Difference("the size of params_path.npy", *sizes))
            return len(then)
        for epoch, (first, second) in enumerate(zip(then, again, strict=True)):
            if first.tobytes() != second.tobytes():
                what = f"params_path.npy[{epoch}]"
                self.found("path", _first_entry(what, first, second))
                self.distance.see(what, first, second)
        return len(then)


def verify(run: Run, tolerance: float | None = None) -> Verdict:
    """Train as many epochs again, in a folder that is deleted, and compare all there is.

    What ended the first training does not matter, and neither does where it was resumed: both are
    the same steps. `tolerance` is the largest relative difference (see `Distance`) to accept.

    Raises `RunError` where the run has no end to compare with, where a file is damaged, where its
    data files have changed, or where its learning rate changed on the way.
    """
    saved = load_weights(run)
    record = saved.record
    _refuse_unrepeatable(run, record)
    check_files(run, record)
    experiment = _experiment(saved)
    log = _Log(_losses(run, record.epochs))
    comparison = _Comparison()
    comparison.data(saved, experiment)
    comparison.split(run, experiment)
    with TemporaryDirectory(prefix="bpnet-verify-") as scratch:
        outcome = _trained_again(run, experiment, Path(scratch), log)
        again = load_weights(outcome.run)
        other = again.record
        comparison.epochs(log, record.epochs, other.epochs)
        comparison.lines(run.metrics(), outcome.run.metrics())
        comparison.tensors(saved.arrays, again.arrays)
        comparison.description(saved.meta, again.meta)
        comparison.facts(record, other)
        metrics = comparison.metrics(record, other)
        path_rows = comparison.path(run, outcome.run, experiment)
    counts = Counts(record.epochs, len(log.again), len(saved.arrays), metrics, path_rows)
    return Verdict(
        run.run_id,
        counts,
        comparison.differences,
        comparison.distance,
        tolerance,
        sessions_of(record)[0][1],
        other.machine,
        breaks_of(record),
    )


def _trained_again(run: Run, experiment: Experiment, folder: Path, log: _Log) -> Outcome:
    outcome = train(experiment, folder, log)
    if isinstance(outcome.failure, Interrupted):
        number = outcome.failure.signal_number
        raise Interrupted("The verification was interrupted.", number)
    if not outcome.run.path(WEIGHTS).is_file():
        raise outcome.failure or RunError(f"{run.run_id} could not be trained again.")
    return outcome


def _refuse_unrepeatable(run: Run, record: RunRecord) -> None:
    run_id = run.run_id
    if not record.has_ended:
        raise RunError(
            f"{run_id} has not come to its end: its status is `{record.status}`. Go on with: "
            f"bpnet train --resume {reference_to(run)}"
        )
    for number, session in enumerate(record.resumed, start=1):
        changed = any(key.startswith("training.learning_rate") for key in session.changed)
        until = min((later.at_epoch for later in record.resumed[number:]), default=record.epochs)
        if changed and 0 < session.at_epoch < until:  # it has epochs that are left
            raise RunError(
                f"{run_id} had another learning rate from epoch {session.at_epoch} on: no one "
                "config trains it again."
            )


def _experiment(saved: SavedWeights) -> Experiment:
    """The run's own experiment, for as many epochs as it had, whatever ended it."""
    source = Source.read(saved.run.checked(RESOLVED))
    for assignment in (
        f"training.epochs={saved.record.epochs}",
        "training.stop={}",
        "training.checkpoint_every={seconds: 1e9}",
    ):
        override(source, assignment)
    config = validate(source)
    for file in config.spec.data.files:
        known = saved.record.data_files.get(str(file))
        if known is not None and file.is_file() and file_digest(file) != known:
            raise RunError(
                f"{saved.run.run_id} cannot be verified: {file} has changed since it was trained."
            )
    return build(config)


def _losses(run: Run, epochs: int) -> dict[int, float | None]:
    return {line.epoch: line.loss for line in run.metrics() if line.epoch <= epochs}


def _split(run: Run) -> dict[str, Array]:
    """The row numbers of each split in split.npz. Raises `RunError` where it is damaged."""
    file = run.checked(SPLIT)
    try:
        with np.load(file, allow_pickle=False) as saved:
            found: dict[str, Array] = {name: saved[name] for name in SPLITS}
    except MemoryError:
        raise
    except Exception as error:  # archives and headers fail in a dozen ways
        raise RunError(f"{file} is damaged: {error}.") from None
    odd = [name for name, rows in found.items() if not _is_row_numbers(rows)]
    if odd:
        raise RunError(f"{file} is damaged: its {odd[0]} split is not a list of row numbers.")
    return found


def _is_row_numbers(rows: Any) -> bool:
    return isinstance(rows, np.ndarray) and rows.ndim == 1 and rows.dtype.kind in "iu"


def _first_entry(name: str, then: Array, again: Array) -> Difference:
    """The first entry whose bits differ: of numbers, -0 and 0 would be equal."""
    bits = np.dtype(f"u{then.itemsize}")
    place: Any = tuple(np.argwhere(then.view(bits) != again.view(bits))[0].tolist())
    return Difference(f"{name}{list(place)}", then[place].item(), again[place].item())


def _form(array: Array) -> tuple[tuple[int, ...], np.dtype]:
    return array.shape, array.dtype


def _size(array: Array | None) -> int:
    return 0 if array is None else array.nbytes
