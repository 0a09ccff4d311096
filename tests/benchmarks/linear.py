"""Does an epoch cost what its work costs? Time against rows and against parameters, and its fit."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import problem
from benchmarks.process import Child
from benchmarks.results import Line, Results
from benchmarks.timing import Patience, epochs_for, interleaved
from benchmarks.workloads import Workload

_FITTED_FROM = 1.0  # milliseconds: below them, calls cost more than arithmetic
_NARROW = (10, 32, 32, 1)
_FIXED_ROWS = 2_000


def lines(dtype: str, patience: Patience) -> list[Line]:
    """Both lines, for one worker: more of them start to pay somewhere on the way."""
    rows = [round(rows) for rows in np.geomspace(1e3, 1e6, 10)]
    narrow = {count: Workload("rows", count, _NARROW) for count in rows}
    widths = [round(width) for width in np.geomspace(27, 3_155, 9)]
    nets = [Workload("params", _FIXED_ROWS, (10, width, width, 1)) for width in widths]
    return [
        _line("rows", narrow[1_000].size.partition("×")[2], narrow, dtype, patience),
        _line(
            "parameters",
            f"{_FIXED_ROWS} rows",
            {net.n_params: net for net in nets},
            dtype,
            patience,
        ),
    ]


def _line(
    against: str, fixed: str, workloads: Mapping[int, Workload], dtype: str, patience: Patience
) -> Line:
    x = list(workloads)
    milliseconds = [_milliseconds(workload, dtype, patience) for workload in workloads.values()]
    return Line(against, fixed, dtype, x, milliseconds, *fit(x, milliseconds))


def _milliseconds(workload: Workload, dtype: str, patience: Patience) -> float:
    with tempfile.TemporaryDirectory() as folder, Child("bpnet") as child:
        problem.describe(Path(folder), workload, dtype)
        child.load(folder=folder, workers=1)
        epochs = epochs_for(child.seconds, patience.seconds)
        series = interleaved({"bpnet": child.subject(epochs)}, patience)["bpnet"]
    return series.median / epochs * 1e3


def fit(x: Sequence[int], milliseconds: Sequence[float]) -> tuple[float, float, float, float]:
    """Exponent of a power law, c0 and c1 of c0 + c1 x, and the worst ratio of a time to the latter.

    Times below a millisecond take no part. c0 + c1 x is fitted to relative errors, c0 not negative.
    """
    kept = [(a, t) for a, t in zip(x, milliseconds, strict=True) if t >= _FITTED_FROM]
    if len(kept) < 2:
        return (float("nan"),) * 4
    a, t = np.array(kept, float).T
    exponent = np.polyfit(np.log(a), np.log(t), 1)[0]
    base, each = np.linalg.lstsq(np.column_stack([1 / t, a / t]), np.ones_like(t), rcond=None)[0]
    if base < 0:
        base, each = 0.0, np.sum(a / t) / np.sum((a / t) ** 2)
    residual = t / (base + each * a)
    return float(exponent), float(base), float(each), float(np.max([residual, 1 / residual]))


def draw(results: Results, path: Path) -> None:
    """Measured times and fitted lines, on logarithmic scales."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for panel, line in zip(panels, results.lines, strict=True):
        x = [x for x, t in zip(line.x, line.milliseconds, strict=True) if t >= _FITTED_FROM]
        fitted = [line.base_milliseconds + line.milliseconds_each * each for each in x]
        panel.loglog(line.x, line.milliseconds, "o", label="measured")
        panel.loglog(x, fitted, "-", label=f"c0 + c1 x (free slope {line.exponent:.2f})")
        panel.set(xlabel=line.against, ylabel="ms per epoch", title=f"{line.fixed}, {line.dtype}")
        panel.legend()
    figure.savefig(path)
    pyplot.close(figure)
