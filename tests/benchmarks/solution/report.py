"""A session as Markdown. Nothing is measured or judged here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from benchmarks.report import number, table
from benchmarks.solution.registry import SOLVERS
from benchmarks.solution.results import TOLERANCES, Results
from benchmarks.solution.workloads import LBFGS, LM, RPROP, Workload

_FAMILIES = {LM: "Levenberg-Marquardt", LBFGS: "L-BFGS", RPROP: "RPROP"}
AREA_LIMIT = 64.0


def markdown(results: Results) -> str:
    """All that was measured."""
    parts = [_header(results)]
    for optimizer, title in _FAMILIES.items():
        if _measured(results, optimizer):
            parts += [f"## {title}", *_family(results, optimizer)]
    parts += [_step_table(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(results: Results) -> str:
    facts, seeds = results.facts, 1 + max(problem.seed for problem in results.problems)
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    lines = [
        "# Time to solution",
        "",
        f"- {facts['date']}, {facts['cpu']}, one core, processor time, {seeds} seeds",
        f"- BLAS: {'; '.join(facts['blas'])}",
        f"- Python {facts['python']}, {versions}",
    ]
    lines += [
        f"- {SOLVERS[name].title}: not measured, {why}" for name, why in results.absent.items()
    ]
    return "\n".join(lines)


def _measured(results: Results, optimizer: str) -> list[Workload]:
    """The workloads of the session, with the sizes that they had in it."""
    planned = [Workload(**each) for each in results.settings["workloads"]]
    return [each for each in planned if each.optimizer == optimizer and results.of(each.name)]


def _family(results: Results, optimizer: str) -> Iterator[str]:
    workloads = _measured(results, optimizer)
    names = list(dict.fromkeys(name for each in workloads for name in results.solvers(each.name)))
    for tolerance in TOLERANCES:
        yield _time_table(results, workloads, names, tolerance)
    yield _lowest_table(results, workloads, names)
    yield _cold_table(results, workloads, names)
    yield _whole_table(results, workloads, names)
    yield _areas(results, optimizer)
    yield "\n".join(_errors(results, workloads))


def _time_table(
    results: Results, workloads: Sequence[Workload], names: Sequence[str], tolerance: float
) -> str:
    def cells(workload: Workload) -> Iterator[str]:
        for name in names:
            reached = results.reached(workload.name, name, tolerance)
            evaluations = results.evaluations(workload.name, name, tolerance)
            counts = f"{number(evaluations)} | {reached}/{len(results.of(workload.name))}"
            yield f"{_time(results, workload.name, name, tolerance)} | {counts}"

    head = [f"{SOLVERS[name].title} | evaluations | seeds" for name in names]
    return (
        f"Seconds of bpnet to {tolerance:g} of the way above the lowest objective, and times "
        "bpnet's seconds:\n\n" + _table(workloads, head, cells, 3 * len(names))
    )


def _time(results: Results, workload: str, name: str, tolerance: float) -> str:
    if name == "bpnet":
        return number(results.seconds(workload, name, tolerance))
    ratio = results.ratio(workload, name, tolerance)
    if ratio is None:
        return "–"
    return f"{'> ' * ratio.is_bound}{number(ratio.value)}×"


def _lowest_table(results: Results, workloads: Sequence[Workload], names: Sequence[str]) -> str:
    def cells(workload: Workload) -> Iterator[str]:
        for name in names:
            lowest = results.lowest(workload.name, name)
            yield "–" if lowest is None else f"{lowest:.5g}"

    head = [SOLVERS[name].title for name in names]
    return "Lowest objective within the budget:\n\n" + _table(workloads, head, cells, len(head))


def _cold_table(results: Results, workloads: Sequence[Workload], names: Sequence[str]) -> str:
    compiled = [name for name in names if SOLVERS[name].is_compiled]
    if not compiled:
        return ""

    def cells(workload: Workload) -> Iterator[str]:
        for name in compiled:
            yield number(results.compile_seconds(workload.name, name))
            ratio = results.cold_ratio(workload.name, name)
            yield "–" if ratio is None else f"{number(ratio)}×"

    head = [
        part
        for name in compiled
        for part in (f"{SOLVERS[name].title}, seconds to compile", "with them")
    ]
    return f"Solvers that compile, to {TOLERANCES[0]:g}, with the time for compiling:\n\n" + _table(
        workloads, head, cells, len(head)
    )


def _whole_table(results: Results, workloads: Sequence[Workload], names: Sequence[str]) -> str:
    if not results.processes:
        return ""

    def cells(workload: Workload) -> Iterator[str]:
        yield number(results.whole(workload.name, "bpnet"))
        for name in names[1:]:
            ratio = results.whole_ratio(workload.name, name)
            yield "–" if ratio is None else f"{number(ratio)}×"

    head = [SOLVERS[name].title for name in names]
    return (
        f"Whole process to {TOLERANCES[0]:g}, first seed: seconds of `bpnet train`, and times "
        "these seconds:\n\n" + _table(workloads, head, cells, len(head))
    )


def _table(
    workloads: Sequence[Workload],
    head: Sequence[str],
    cells: Callable[[Workload], Iterable[str]],
    columns: int,
) -> str:
    """A row for each workload."""
    rows = [
        [f"{workload.name} {workload.size}", str(workload.n_params), *cells(workload)]
        for workload in workloads
    ]
    return table(["workload", "parameters", *head], rows, columns)


def _areas(results: Results, optimizer: str) -> str:
    profiles = {
        cost: results.profiles(optimizer, cost, TOLERANCES) for cost in ("evaluations", "seconds")
    }
    if not all(profiles.values()):
        return ""
    rows = [
        [
            SOLVERS[name].title,
            f"{profiles['seconds'].solved(name):.2f}",
            *(f"{profiles[cost].area(name, AREA_LIMIT):.2f}" for cost in profiles),
        ]
        for name in profiles["seconds"].ratios
    ]
    return (
        "Performance profiles over workloads, seeds and tolerances: problems solved, and the area "
        f"under the profile up to a factor of {AREA_LIMIT:g}:\n\n"
        + table(["solver", "solved", "evaluations", "processor time"], rows)
    )


def _errors(results: Results, workloads: Sequence[Workload]) -> Iterator[str]:
    for workload in workloads:
        for problem in results.of(workload.name):
            for name, error in problem.errors.items():
                last = error.strip().splitlines()[-1]
                yield f"- {SOLVERS[name].title}, {workload.name}, seed {problem.seed}: {last}"


def _step_table(results: Results) -> str:
    if not results.steps:
        return ""
    rows = [
        [
            str(step.n_params),
            str(step.rows),
            number(1e3 * step.seconds),
            number(step.gigaflops),
            number(1e3 * step.bound),
            f"{step.ratio:.2f}",
        ]
        for step in results.steps
    ]
    head = ["parameters", "rows", "ms per step", "Gflop/s of J Jᵀ", "ms of JᵀJ alone", "ratio"]
    return "## Steps of Levenberg-Marquardt, over their bound\n\n" + table(head, rows)
