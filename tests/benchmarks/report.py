"""A session as Markdown. Nothing is measured or judged here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.registry import IMPLEMENTATIONS, SCRIPTS
from benchmarks.results import BOUNDS, Results, Training
from benchmarks.workloads import WORKLOADS


def markdown(results: Results) -> str:
    """All that was measured."""
    parts = [
        _header(results),
        _time_table(results),
        _ratio_table(results),
        _product_table(results),
        _memory_table(results),
        _whole_table(results),
        _line_table(results),
        _tables_table(results),
        _conditions(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _header(results: Results) -> str:
    facts = results.facts
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return "\n".join(
        [
            "# Benchmarks of bpnet",
            "",
            f"- {facts['date']}, {facts['cpu']}, {facts['cores']} cores",
            f"- BLAS: {'; '.join(facts['blas'])}",
            f"- Python {facts['python']}, {versions}",
        ]
    )


# Tables over workloads and dtypes.


def _names(results: Results) -> list[str]:
    """The implementations that were measured, in the registry's order."""
    found = {training.implementation for training in results.trainings}
    return [name for name in IMPLEMENTATIONS if name in found]


def _peers(results: Results) -> list[str]:
    return [name for name in _names(results) if not IMPLEMENTATIONS[name].is_bpnet]


def _cases(results: Results) -> list[tuple[str, str]]:
    found = {(training.workload, training.dtype) for training in results.trainings}
    dtypes = sorted({dtype for _, dtype in found})
    return [(name, dtype) for name in WORKLOADS for dtype in dtypes if (name, dtype) in found]


def _by_case(results: Results, names: Sequence[str], cell: Callable[[str, str, str], str]) -> str:
    """A row for each workload and dtype, a column for each implementation."""
    rows = [
        [WORKLOADS[workload].size, dtype, *(cell(workload, dtype, name) for name in names)]
        for workload, dtype in _cases(results)
    ]
    for row, (workload, _) in zip(rows, _cases(results), strict=True):
        row[0] = f"{workload} {row[0]}"
    return table(["workload", "dtype", *(IMPLEMENTATIONS[name].title for name in names)], rows)


def _time_table(results: Results) -> str:
    if not results.trainings:
        return ""

    def cell(workload: str, dtype: str, name: str) -> str:
        training = results.training(workload, dtype, name)
        if training is None or training.milliseconds is None:
            return _why_not(training)
        return number(training.milliseconds) + "†" * bool(training.disturbed)

    return "## Milliseconds per epoch\n\n" + _by_case(results, _names(results), cell)


def _why_not(training: Training | None) -> str:
    if training is None:
        return "–"
    if training.disagreement is None:
        return "failed"
    return f"differs by {training.disagreement:.0e}"


def _ratio_table(results: Results) -> str:
    if not _peers(results):
        return ""

    def cell(workload: str, dtype: str, name: str) -> str:
        return number(results.ratio(workload, dtype, name))

    return "## Times bpnet's time per epoch\n\n" + _by_case(results, _peers(results), cell)


def _product_table(results: Results) -> str:
    rows = []
    for workload, dtype in _cases(results):
        cells = [workload, dtype]
        for cores in ("1", "all"):
            cells.append(number(results.gigaflops(workload, dtype, cores)))
            cells.append(_percent(results.product_fraction(workload, dtype, cores)))
        rows.append([*cells, number(results.speedup(workload, dtype))])
    if not rows:
        return ""
    head = [
        "workload", "dtype", "Gflop/s, one core", "bpnet's", "all cores", "bpnet's",
        "all workers over one",
    ]  # fmt: skip
    return (
        "## Matrix products: bpnet's over the machine's best rate\n\n"
        "The best rate is that of large square products by BLAS, made between the same repeats.\n\n"
        + table(head, rows)
    )


def _memory_table(results: Results) -> str:
    if not any(training.peak_megabytes for training in results.trainings):
        return ""

    def cell(workload: str, dtype: str, name: str) -> str:
        if name == "data":
            return f"{WORKLOADS[workload].data_bytes(dtype) / 2**20:.1f}"
        training = results.training(workload, dtype, name)
        over = results.megabytes_over_imports(workload, dtype, name)
        if training is None or over is None:
            return "–"
        return f"{training.imports_megabytes:.0f} + {over:.0f}"

    rows = [
        [workload, dtype, *(cell(workload, dtype, name) for name in ("data", *_names(results)))]
        for workload, dtype in _cases(results)
    ]
    head = ["workload", "dtype", "data", *(IMPLEMENTATIONS[name].title for name in _names(results))]
    return (
        "## Peak memory in MB: interpreter with its imports + all the rest\n\n"
        "`data` is X and Y in the training dtype; shared pages count once.\n\n" + table(head, rows)
    )


# Whole processes, lines.


def _whole_table(results: Results) -> str:
    if not results.whole:
        return ""
    peers = [name for name in SCRIPTS if name in {item.implementation for item in results.whole}]
    rows = []
    for workload in dict.fromkeys(item.workload for item in results.whole):
        cells = [_whole_cell(results, workload, name) for name in ("bpnet", *peers)]
        rows.append([workload, "float64", *cells])
    head = ["workload", "dtype", "bpnet", *(SCRIPTS[peer].title for peer in peers)]
    return "## Seconds of a whole process of 500 epochs, and times bpnet's\n\n" + table(head, rows)


def _whole_cell(results: Results, workload: str, name: str) -> str:
    found = results.whole_process(workload, name)
    if found is None:
        return "–"
    ratio = "" if name == "bpnet" else f" ({number(results.whole_ratio(workload, name))}×)"
    return f"{found.median:.2f}{'†' * bool(found.disturbed)}{ratio}"


def _line_table(results: Results) -> str:
    if not results.lines:
        return ""
    rows = [
        [
            line.against,
            line.fixed,
            line.dtype,
            f"{line.exponent:.2f}",
            f"{number(line.base_milliseconds)} + {line.milliseconds_each:.3g} x",
            f"{line.worst_residual:.2f}",
        ]
        for line in results.lines
    ]
    head = ["against", "fixed", "dtype", "free exponent", "ms per epoch", "worst ratio to the line"]
    return "## Cost of an epoch, one worker, fitted from 1 ms up\n\n" + table(head, rows)


def _tables_table(results: Results) -> str:
    tasks = list(dict.fromkeys(item.implementation for item in results.tables))
    rows = {item.workload: [item.workload, "float64"] for item in results.tables}
    for item in results.tables:
        ratio = results.table_ratio(item.workload, item.implementation)
        shown = "" if item.implementation == "pandas" else f" ({number(ratio)}×)"
        rows[item.workload].append(f"{item.median:.2f}{'†' * bool(item.disturbed)}{shown}")
    if not rows:
        return ""
    return "## Seconds for a table, and times pandas' read_csv\n\n" + table(
        ["table", "dtype", *tasks], list(rows.values())
    )


def _conditions(results: Results) -> str:
    measured = [
        item for item in (*results.trainings, *results.whole, *results.tables) if item.seconds
    ]
    thrown_away = sum(item.thrown_away for item in measured)
    disturbed = sum(item.disturbed for item in measured)
    kept = sum(len(item.seconds) for item in measured)
    repeats = (
        f"Medians of interleaved repeats: {kept} kept, {thrown_away} thrown away because other "
        f"processes used the machine, {disturbed} kept all the same (†)."
    )
    return "\n".join([repeats, *_worst_disagreements(results)])


def _worst_disagreements(results: Results) -> Iterator[str]:
    for dtype, bound in BOUNDS.items():
        found = [
            training.disagreement
            for training in results.trainings
            if training.dtype == dtype and training.disagreement is not None
        ]
        if found:
            yield (
                f"Parameters after the same epochs from the same start, {dtype}: ‖difference from "
                f"bpnet's‖ / ‖bpnet's change‖ is {max(found):.1e} at most (allowed: {bound:g})."
            )


# Text.


def table(head: Sequence[str], rows: Sequence[Sequence[str]], columns: int | None = None) -> str:
    """Two columns of text, then numbers; `columns` of them if a text has several, with bars."""
    marks = ["---", "---", *["---:"] * (len(head) - 2 if columns is None else columns)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *rows))


def number(value: float | None) -> str:
    """Three digits, without an exponent."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"
