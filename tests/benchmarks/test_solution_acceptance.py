"""What bpnet aims at in its time to solution: ratios from one session, never seconds.

Not reached on 2026-12-01: twice the speed of scipy, scikit-learn and jaxopt by L-BFGS on digits,
and of jaxopt on regression; and three times the speed of scripts with scipy as whole processes.

`pytest -m benchmark` measures a session first, which takes a while. BPNET_SOLUTIONS names the JSON
file of a session already measured by `python -m benchmarks.solution --json FILE`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.solution.registry import SOLVERS
from benchmarks.solution.results import Results
from benchmarks.solution.session import Plan, measure
from benchmarks.solution.workloads import LBFGS, LM, RPROP, WORKLOADS

pytestmark = pytest.mark.benchmark

TIMES = {LM: 1.5, LBFGS: 2, RPROP: 4}
ON_THE_CURVE = {"minpack": 1, "optimistix": 1}
WHOLE = 3
STEP_OVER_BOUND = {101: 2.5, 301: 1.6, 1001: 1.6}


def known(value: Any) -> Any:
    """A figure of the session, or else a skipped test."""
    if value is None:
        pytest.skip("the session did not measure this, or no seed was solved by both")
    return value


@pytest.fixture(scope="session")
def results() -> Results:
    measured = os.environ.get("BPNET_SOLUTIONS")
    return Results.read(Path(measured)) if measured else measure(Plan())


def _cases() -> Iterator[Any]:
    for workload in WORKLOADS.values():
        for name, solver in SOLVERS.items():
            if name != "bpnet" and workload.optimizer in solver.optimizers:
                least = TIMES[workload.optimizer]
                if workload.name == "curve":
                    least = ON_THE_CURVE.get(name, least)
                yield pytest.param(workload.name, name, least, id=f"{workload.name}-{name}")


@pytest.mark.parametrize(("workload", "peer", "least"), list(_cases()))
def test_a_solution_takes_peers_longer(
    results: Results, workload: str, peer: str, least: float
) -> None:
    ratio = known(results.ratio(workload, peer))
    if ratio.is_bound and ratio.value < least:
        pytest.skip(f"the peer's budget ended after {ratio.value:.2f} times bpnet's time")
    assert ratio.value >= least


@pytest.mark.parametrize(("workload", "peer", "least"), list(_cases()))
def test_no_peer_reaches_more_targets(
    results: Results, workload: str, peer: str, least: float
) -> None:
    """One seed more may be luck: the solvers find different minima."""
    known(results.of(workload) or None)
    assert results.reached(workload, "bpnet") >= results.reached(workload, peer) - 1


@pytest.mark.parametrize(("workload", "peer", "least"), list(_cases()))
def test_a_whole_process_takes_peers_longer(
    results: Results, workload: str, peer: str, least: float
) -> None:
    if peer == "minpack":
        pytest.skip("a script with scipy alone starts as fast, and steps cost little")
    assert known(results.whole_ratio(workload, peer)) >= WHOLE


@pytest.mark.parametrize(("n_params", "most"), STEP_OVER_BOUND.items())
def test_a_step_costs_little_more_than_its_product(
    results: Results, n_params: int, most: float
) -> None:
    (ratio,) = [step.ratio for step in results.steps if step.n_params == n_params] or [None]
    assert known(ratio) <= most
