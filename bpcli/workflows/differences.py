"""Compare a run with a second training: data, split, log, weights and record.

`…_findings` yield the differences, and nothing if all bits are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from bpcli.errors import RunError
from bpcli.experiment import Experiment
from bpcli.nn.arrays import Array
from bpcli.runs.layout import PATH, SPLIT
from bpcli.runs.metrics_log import LogLine, Numbers
from bpcli.runs.parameter_path import load_path
from bpcli.runs.provenance import data_digest
from bpcli.runs.record import split_arrays, split_bytes
from bpcli.runs.run_json import RunRecord
from bpcli.runs.saved import Figure
from bpcli.runs.saved_weights import WeightsMeta
from bpcli.runs.store import Run
from bpcli.runs.trained import SavedWeights, load_weights
from bpcli.workflows.verdict import Difference, Differences, relative_difference

_FACTS = (
    "name", "seed", "loss", "reduction", "l2", "optimizer", "batch_size", "dtype", "task", "rows",
    "layers", "n_params", "n_frozen", "weighted", "targets_scaled",
)  # fmt: skip
_CHANGED_BY_VERIFY = (
    "training.epochs",
    "training.stop",
    "training.checkpoint_every",
    "training.engine",
    "training.scheduler",
    "data.file",  # it may have been moved; its rows are compared
)
_LARGEST_HEADER = 2**12

Losses: TypeAlias = Mapping[int, float | None]
"""Losses by epoch; None for one that is not finite."""

Findings: TypeAlias = Iterator[Difference]


def compare_inputs(differences: Differences, saved: SavedWeights, experiment: Experiment) -> None:
    """Compare the data and the split. Raises `RunError` if split.npz is damaged."""
    differences.add("data", data_findings(saved.record, experiment))
    differences.add("split", split_findings(saved.run, experiment))


def compare_results(differences: Differences, saved: SavedWeights, other: Run) -> None:
    """Compare the logs, weights and records of the two trainings."""
    saved_again = load_weights(other)
    then, again = saved.record, saved_again.record
    ends = (then.epochs, again.epochs)
    differences.add("epoch", count_findings("the number of epochs", *ends))
    differences.add("line", line_findings(saved.run.metrics(), other.metrics()))
    differences.add("tensor", tensor_findings(saved.arrays, saved_again.arrays))
    differences.add("record", description_findings(saved.meta, saved_again.meta))
    differences.add("record", fact_findings(then, again))
    if has_metrics(then):
        differences.add("metric", metric_findings(then, again))


def compare_paths(differences: Differences, run: Run, other: Run, experiment: Experiment) -> int:
    """Compare the recorded parameters, if any; return the number of rows compared."""
    if not experiment.spec.training.record_params:
        return 0
    n_params, dtype = experiment.network.n_params, experiment.dtype
    then, again = (load_path(each, n_params, dtype) for each in (run, other))
    differences.add("path", path_findings(then, again))
    return len(then)


def has_metrics(record: RunRecord) -> bool:
    """True if there are metrics to compare: an interrupted training may have none."""
    return bool(record.metrics) or record.status != "interrupted"


def data_findings(record: RunRecord, experiment: Experiment) -> Findings:
    """Compare digests of the data, without a distance, as losses and weights show the effect."""
    then, again = record.data_sha256, data_digest(experiment.table)
    if then != again:
        yield Difference("the SHA-256 of the data", then, again, None)


def split_findings(run: Run, experiment: Experiment) -> Findings:
    """Compare the rows of each split, in order."""
    file, content = run.checked(SPLIT), split_bytes(experiment)
    size = file.stat().st_size
    if size > 2 * len(content) + _LARGEST_HEADER:  # a small archive may unpack to gigabytes
        yield Difference(f"the size of {SPLIT}", size, len(content))
    elif file.read_bytes() != content:
        arrays = split_arrays(experiment)
        saved = _saved_split(run, arrays)
        for name, again in arrays.items():
            yield from _rows_findings(name, saved[name], again)


def _rows_findings(name: str, then: Array, again: Array) -> Findings:
    what = f"the {name} split in {SPLIT}"
    if then.shape != again.shape:
        yield Difference(f"the rows of {what}", len(then), len(again))
    elif (then != again).any():
        row = int(np.argmax(then != again))
        yield Difference(f"row {row} of {what}", int(then[row]), int(again[row]))


def loss_findings(then: Losses, again: Losses) -> Findings:
    """Compare the losses of the epochs that both have."""
    both = [(number, then[number], again[number]) for number in sorted(again)]
    first = next(((number, a, b) for number, a, b in both if a != b), None)
    if first is not None:
        number, a, b = first
        losses = np.array([[a, b] for _, a, b in both], float)  # None becomes NaN
        relative = relative_difference(losses[:, 0], losses[:, 1])
        yield Difference(f"the loss of epoch {number}", a, b, relative, "the losses")


def count_findings(what: str, then: int | None, again: int | None) -> Findings:
    """Compare a count, such as the number of epochs."""
    if then != again:
        yield Difference(what, then, again)


def line_findings(then: Sequence[LogLine], again: Sequence[LogLine]) -> Findings:
    """Compare the epochs that both logs have, except for losses and times.

    What no line of the first log has a number for was not logged: the run of an estimator has
    losses only.
    """
    ends = [log[-1].epoch if log else None for log in (then, again)]
    yield from count_findings("the last epoch in the log", *ends)
    others = {line.epoch: line.numbers() for line in again}
    skipped = {"epoch", "loss", "seconds"} | _without_numbers(then)
    for line in then:
        other = others.get(line.epoch, {})
        for key, value in line.numbers().items():  # in order: the first that differs is named
            if key in other and key not in skipped:
                yield from _number_findings(f"{key} of epoch {line.epoch}", value, other[key])


def _without_numbers(log: Sequence[LogLine]) -> set[str]:
    """The keys that are null in every line."""
    lines = [line.numbers() for line in log]
    keys = {key for line in lines for key in line}
    return {key for key in keys if all(_is_null(line.get(key)) for line in lines)}


def _is_null(value: Numbers) -> bool:
    return value is None or (isinstance(value, list) and all(each is None for each in value))


def tensor_findings(then: Mapping[str, Array], again: Mapping[str, Array]) -> Findings:
    """Compare the tensors of weights.safetensors by name."""
    for name in sorted(then.keys() | again.keys()):
        first, second = then.get(name), again.get(name)
        if first is None or second is None or _shape_and_type(first) != _shape_and_type(second):
            yield Difference(f"the size of {name}", _size(first), _size(second))
        elif first.tobytes() != second.tobytes():
            yield _first_entry(name, first, second)


def path_findings(then: Array, again: Array) -> Findings:
    """Compare the recorded parameters, one row per epoch."""
    if _shape_and_type(then) != _shape_and_type(again):
        yield Difference(f"the size of {PATH}", _size(then), _size(again))
        return
    for epoch, (first, second) in enumerate(zip(then, again, strict=True)):
        if first.tobytes() != second.tobytes():
            yield _first_entry(f"{PATH}[{epoch}]", first, second)


def description_findings(then: WeightsMeta, again: WeightsMeta) -> Findings:
    """Compare the metadata of the weights, with a distance for numeric fills of missing values."""
    for key, value in vars(then).items():
        if key != "columns":
            yield from _text_findings(f"`{key}` of the weights", value, getattr(again, key))
    columns = [meta.columns.inputs if meta.columns else [] for meta in (then, again)]
    for one, other in zip(*columns, strict=False):
        if isinstance(one.fill, int | float) and isinstance(other.fill, int | float):
            yield from _number_findings(f"the fill of {one.name}", one.fill, other.fill)
            one = replace(one, fill=other.fill)
        yield from _text_findings(f"the column {one.name}", one, other)


def fact_findings(then: RunRecord, again: RunRecord) -> Findings:
    """Compare facts and configs of the records, except for the keys that `verify` changes."""
    for key in _FACTS:
        yield from _text_findings(f"`{key}`", getattr(then, key), getattr(again, key))
    for key, value in again.config.items():
        if not key.startswith(_CHANGED_BY_VERIFY):
            yield from _text_findings(f"`{key}` of the config", then.config.get(key), value)


def metric_findings(then: RunRecord, again: RunRecord) -> Findings:
    """Compare the final metrics and baselines, the best epoch and the class weights."""
    yield from _number_findings("the best epoch", then.best_epoch, again.best_epoch)
    yield from _score_findings("", then.metrics, again.metrics)
    weights = [record.class_weights or {} for record in (then, again)]
    yield from _score_findings("weight of class ", *weights)
    for label in dict.fromkeys([*then.baselines, *again.baselines]):
        scores = (record.baselines.get(label, {}) for record in (then, again))
        yield from _score_findings(f"{label} baseline, ", *scores)


def _score_findings(
    prefix: str, then: Mapping[str, Figure], again: Mapping[str, Figure]
) -> Findings:
    for name in dict.fromkeys([*then, *again]):
        yield from _number_findings(f"{prefix}{name}", then.get(name), again.get(name))


def _number_findings(what: str, then: Numbers, again: Numbers) -> Findings:
    if then != again:
        a, b = (np.atleast_1d(np.array(value, float)) for value in (then, again))
        yield Difference(what, str(then), str(again), relative_difference(a, b))


def _text_findings(what: str, then: object, again: object) -> Findings:
    if then != again:
        yield Difference(what, str(then), str(again))


def _first_entry(name: str, then: Array, again: Array) -> Difference:
    """Return the first entry whose bits differ: compared as numbers, -0 and 0 would be equal."""
    bits = np.dtype(f"u{then.itemsize}")
    index: Any = tuple(np.argwhere(then.view(bits) != again.view(bits))[0].tolist())
    entries = then[index].item(), again[index].item()
    return Difference(f"{name}{list(index)}", *entries, relative_difference(then, again), name)


def _shape_and_type(array: Array) -> tuple[tuple[int, ...], np.dtype]:
    return array.shape, array.dtype


def _size(array: Array | None) -> int:
    return 0 if array is None else array.nbytes


def _saved_split(run: Run, names: Iterable[str]) -> dict[str, Array]:
    """Return the row numbers of each split in split.npz. Raises `RunError` if it is damaged."""
    file = run.checked(SPLIT)
    try:
        with np.load(file, allow_pickle=False) as saved:
            splits: dict[str, Array] = {name: saved[name] for name in names}
    except MemoryError:
        raise
    except Exception as error:  # archives and headers raise a dozen types
        raise RunError(f"{file} is damaged: {error}.") from None
    for name, rows in splits.items():
        if not isinstance(rows, np.ndarray) or rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise RunError(f"{file} is damaged: its {name} split is not a list of row numbers.")
    return splits
