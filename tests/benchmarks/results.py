"""The figures of one session, and what follows from them; nothing is measured here.

Everything here is plain data that JSON keeps.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.workloads import WORKLOADS

BOUNDS = {"float32": 1e-3, "float64": 1e-9}
"""The most that ‖params - bpnet's‖ / ‖bpnet's - start‖ may be."""


@dataclass
class Training:
    """One implementation on one workload in one dtype."""

    workload: str
    dtype: str
    implementation: str
    disagreement: float | None = None
    epochs: int = 0
    seconds: list[float] = field(default_factory=list)
    milliseconds: float | None = None
    thrown_away: int = 0
    disturbed: int = 0
    imports_megabytes: float | None = None
    peak_megabytes: float | None = None
    error: str | None = None

    @property
    def agrees(self) -> bool:
        return self.disagreement is not None and self.disagreement <= BOUNDS[self.dtype]


@dataclass
class Products:
    """Square products by BLAS on one core or on all, between the repeats of a workload.

    `cores` is "1" or "all"; `gigaflops` is the best repeat's rate.
    """

    workload: str
    dtype: str
    cores: str
    size: int
    products: int
    seconds: list[float]

    @property
    def gigaflops(self) -> float:
        return 2 * self.size**3 * self.products / min(self.seconds) / 1e9


@dataclass
class WholeProcess:
    """One command from its start to its end."""

    workload: str
    implementation: str
    seconds: list[float]
    median: float
    thrown_away: int
    disturbed: int


@dataclass
class Line:
    """Time per epoch of bpnet with one worker, against rows or parameters."""

    against: str
    fixed: str
    dtype: str
    x: list[int]
    milliseconds: list[float]
    exponent: float
    base_milliseconds: float
    milliseconds_each: float
    worst_residual: float


@dataclass
class Results:
    """One session."""

    facts: dict
    settings: dict
    trainings: list[Training] = field(default_factory=list)
    products: list[Products] = field(default_factory=list)
    whole: list[WholeProcess] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    tables: list[WholeProcess] = field(default_factory=list)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Results:
        found = json.loads(path.read_text())
        found["trainings"] = [Training(**item) for item in found["trainings"]]
        found["products"] = [Products(**item) for item in found["products"]]
        found["whole"] = [WholeProcess(**item) for item in found["whole"]]
        found["tables"] = [WholeProcess(**item) for item in found.get("tables", [])]
        found["lines"] = [Line(**item) for item in found["lines"]]
        return cls(**found)

    # One figure.

    def training(self, workload: str, dtype: str, implementation: str) -> Training | None:
        key = (workload, dtype, implementation)
        for item in self.trainings:
            if (item.workload, item.dtype, item.implementation) == key:
                return item
        return None

    def milliseconds(self, workload: str, dtype: str, implementation: str) -> float | None:
        """Median time per epoch; None where it was not measured."""
        found = self.training(workload, dtype, implementation)
        return None if found is None else found.milliseconds

    def peak_megabytes(self, workload: str, dtype: str, implementation: str) -> float | None:
        found = self.training(workload, dtype, implementation)
        return None if found is None else found.peak_megabytes

    def megabytes_over_imports(
        self, workload: str, dtype: str, implementation: str
    ) -> float | None:
        """What data and training add to the interpreter with its imports, at the peak."""
        found = self.training(workload, dtype, implementation)
        if found is None or found.peak_megabytes is None or found.imports_megabytes is None:
            return None
        return found.peak_megabytes - found.imports_megabytes

    def gigaflops(self, workload: str, dtype: str, cores: str) -> float | None:
        """The machine's best rate of products, while the workload was measured."""
        for item in self.products:
            if (item.workload, item.dtype, item.cores) == (workload, dtype, cores):
                return item.gigaflops
        return None

    def whole_process(self, workload: str, implementation: str) -> WholeProcess | None:
        return _found(self.whole, workload, implementation)

    # What follows.

    def ratio(self, workload: str, dtype: str, peer: str, to: str = "bpnet") -> float | None:
        """How many times as long as bpnet a peer takes for an epoch."""
        return _quotient(
            self.milliseconds(workload, dtype, peer), self.milliseconds(workload, dtype, to)
        )

    def whole_ratio(self, workload: str, peer: str) -> float | None:
        """The same for a whole process."""
        theirs, ours = self.whole_process(workload, peer), self.whole_process(workload, "bpnet")
        return None if theirs is None or ours is None else theirs.median / ours.median

    def table_ratio(self, table: str, task: str) -> float | None:
        """How many times as long as pandas' `read_csv` a task takes."""
        ours, theirs = (_found(self.tables, table, name) for name in (task, "pandas"))
        return None if ours is None or theirs is None else ours.median / theirs.median

    def memory_ratio(self, workload: str, dtype: str, peer: str) -> float | None:
        """How many times bpnet's peak memory a peer needs."""
        return _quotient(
            self.peak_megabytes(workload, dtype, peer),
            self.peak_megabytes(workload, dtype, "bpnet"),
        )

    def product_fraction(self, workload: str, dtype: str, cores: str) -> float | None:
        """bpnet's matrix products a second, over the machine's best; `cores` is "1" or "all"."""
        milliseconds = self.milliseconds(workload, dtype, _WITH_CORES[cores])
        best = self.gigaflops(workload, dtype, cores)
        if milliseconds is None or best is None:
            return None
        return WORKLOADS[workload].flops() / (milliseconds / 1e3) / (best * 1e9)

    def speedup(self, workload: str, dtype: str) -> float | None:
        """How many times as fast as one worker all are."""
        return self.ratio(workload, dtype, "bpnet_1", to="bpnet")


_WITH_CORES = {"1": "bpnet_1", "all": "bpnet"}


def _found(items: list[WholeProcess], workload: str, implementation: str) -> WholeProcess | None:
    for item in items:
        if (item.workload, item.implementation) == (workload, implementation):
            return item
    return None


def _quotient(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a / b
