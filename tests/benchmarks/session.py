"""One session: who agrees with bpnet, how long each takes, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import problem
from benchmarks.linear import lines
from benchmarks.machine import MemoryPeak, child_environment, tree_megabytes
from benchmarks.process import Child, ChildFailed
from benchmarks.registry import CORES, IMPLEMENTATIONS, SCRIPTS, Implementation, installed
from benchmarks.results import Products, Results, Training
from benchmarks.tables import table_times
from benchmarks.timing import Patience, epochs_for, interleaved
from benchmarks.whole_process import whole_processes
from benchmarks.workloads import DTYPES, WORKLOADS, Workload

_WEIGHED_EPOCHS = 2
"""More of them need no more memory."""

_PRODUCT_SIZES = (1024, 2048, 3072)


@dataclass(frozen=True)
class Plan:
    """What a session measures, and how patiently."""

    workloads: Sequence[str] = tuple(WORKLOADS)
    dtypes: Sequence[str] = DTYPES
    implementations: Sequence[str] = tuple(IMPLEMENTATIONS)
    patience: Patience = field(default_factory=Patience)
    whole_repeats: int = 5
    has_lines: bool = True
    table_repeats: int = 5


def measure(
    plan: Plan,
    say: Callable[[str], None] = lambda _: None,
    keep: Callable[[Results], None] = lambda _: None,
) -> Results:
    """All figures of a session; `say` is told what comes next, `keep` is given what there is."""
    results = Results(_facts(), {**asdict(plan), "cores": CORES})
    names = installed(plan.implementations, IMPLEMENTATIONS)
    for dtype in plan.dtypes:
        say(f"products of large matrices, {dtype}")
        sizes = {cores: _best_size(dtype, cores, plan.patience) for cores in _CORES}
        for workload in plan.workloads:
            say(f"{workload}, {dtype}")
            trainings, products = _compare(WORKLOADS[workload], dtype, names, sizes, plan.patience)
            results.trainings += trainings
            results.products += products
            keep(results)
    if plan.whole_repeats:
        say("whole processes")
        scripts = {name: SCRIPTS[name].module for name in installed(SCRIPTS, SCRIPTS)}
        results.whole = whole_processes(plan.workloads, scripts, plan.whole_repeats, plan.patience)
    if plan.table_repeats:
        say("tables")
        results.tables = table_times(plan.table_repeats, plan.patience)
    if plan.has_lines:
        say("time against rows and parameters")
        results.lines = lines(plan.dtypes[0], plan.patience)
    keep(results)
    return results


def _facts() -> dict:
    command = [sys.executable, "-m", "benchmarks.facts"]
    done = subprocess.run(command, env=child_environment(), capture_output=True, check=True)
    return json.loads(done.stdout)


@contextmanager
def _written(workload: Workload, dtype: str) -> Iterator[Path]:
    """A folder with a workload's config, rows, targets and start, written by a bpnet process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        problem.describe(folder, workload, dtype)
        command = [sys.executable, "-m", "benchmarks.problem", name]
        subprocess.run(command, env=child_environment(), check=True)
        yield folder


def _compare(
    workload: Workload,
    dtype: str,
    names: Sequence[str],
    sizes: Mapping[str, int],
    patience: Patience,
) -> tuple[list[Training], list[Products]]:
    trainings = {name: Training(workload.name, dtype, name) for name in names}
    products = [Products(workload.name, dtype, cores, sizes[cores], 0, []) for cores in _CORES]
    with _written(workload, dtype) as folder:
        with ExitStack() as stack:
            children = _loaded(stack, folder, trainings)
            _check_agreement(workload, folder, children, trainings)
            agreeing = {name: children[name] for name in children if trainings[name].agrees}
            _take_times(agreeing, trainings, _multipliers(stack, products), patience)
        for name in agreeing:
            _weigh(folder, IMPLEMENTATIONS[name], trainings[name])
    return list(trainings.values()), products


def _loaded(stack: ExitStack, folder: Path, trainings: dict[str, Training]) -> dict[str, Child]:
    children = {}
    for name, training in trainings.items():
        implementation = IMPLEMENTATIONS[name]
        try:
            child = stack.enter_context(Child(implementation.module))
            child.load(folder=str(folder), **implementation.options)
            children[name] = child
        except ChildFailed as failure:
            training.error = str(failure)
    return children


# Agreement.


def _check_agreement(
    workload: Workload, folder: Path, children: dict[str, Child], trainings: dict[str, Training]
) -> None:
    """Nobody's time counts who does not end where bpnet ends."""
    with np.load(folder / "start.npz") as file:
        start = dict(file)
    with Child("bpnet") as reference:
        reference.load(folder=str(folder))
        end = reference.params_after(workload.agreement_epochs)
    for name, child in children.items():
        params = child.params_after(workload.agreement_epochs)
        trainings[name].disagreement = disagreement(params, end, start)


def disagreement(
    params: dict[str, np.ndarray], reference: dict[str, np.ndarray], start: dict[str, np.ndarray]
) -> float:
    """‖params - reference‖ / ‖reference - start‖ over all tensors."""
    if params.keys() != reference.keys():
        return float("inf")
    return _distance(params, reference) / _distance(reference, start)


def _distance(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> float:
    differences = [np.subtract(a[name], b[name], dtype=np.float64) for name in b]
    return float(np.sqrt(sum(np.sum(difference**2) for difference in differences)))


# Time.


def _take_times(
    children: dict[str, Child],
    trainings: dict[str, Training],
    multipliers: dict[str, tuple[Child, Products]],
    patience: Patience,
) -> None:
    """Between the repeats large matrices are multiplied: the machine is not always as fast."""
    for name, child in children.items():
        trainings[name].epochs = epochs_for(child.seconds, patience.seconds)
    subjects = {name: child.subject(trainings[name].epochs) for name, child in children.items()}
    for name, (child, products) in multipliers.items():
        products.products = epochs_for(child.seconds, patience.seconds / 2)
        subjects[name] = child.subject(products.products)
    for name, series in interleaved(subjects, patience).items():
        if name in multipliers:
            multipliers[name][1].seconds = series.seconds
            continue
        training = trainings[name]
        training.seconds = series.seconds
        training.milliseconds = series.median / training.epochs * 1e3
        training.thrown_away, training.disturbed = series.thrown_away, series.disturbed


_CORES = {"1": 1, "all": CORES}
"""BLAS threads of what multiplies on one core, and on all."""


def _multipliers(
    stack: ExitStack, products: Sequence[Products]
) -> dict[str, tuple[Child, Products]]:
    """Who multiplies large matrices, by a name that no implementation has."""
    found = {}
    for one in products:
        child = stack.enter_context(Child("matrix_product"))
        child.load(size=one.size, dtype=one.dtype, threads=_CORES[one.cores])
        found[f"products, {one.cores}"] = (child, one)
    return found


def _best_size(dtype: str, cores: str, patience: Patience) -> int:
    """The size of square matrices whose products are fastest."""
    rates = {}
    for size in _PRODUCT_SIZES:
        with Child("matrix_product") as child:
            child.load(size=size, dtype=dtype, threads=_CORES[cores])
            epochs = epochs_for(child.seconds, patience.seconds / 2)
            series = interleaved({"product": child.subject(epochs)}, patience)["product"]
        rates[size] = size**3 * epochs / min(series.seconds)
    return max(rates, key=rates.__getitem__)


# Memory.


def _weigh(folder: Path, implementation: Implementation, training: Training) -> None:
    """Peak memory from the imports to the end of a training, in a process that did nothing else."""
    with Child(implementation.module) as child:
        training.imports_megabytes = tree_megabytes(child.pid) or child.megabytes_at_birth
        with MemoryPeak(child.pid) as peak:
            child.load(folder=str(folder), **implementation.options)
            reported = child.run(min(training.epochs, _WEIGHED_EPOCHS))["megabytes"]
        training.peak_megabytes = peak.megabytes or reported
