"""What bpnet promises of its speed and memory: ratios from one session, never seconds.

`pytest -m benchmark` measures a session first, which takes a while. BPNET_BENCHMARKS names the JSON
file of a session already measured by `python tests/benchmarks --json FILE`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from benchmarks.registry import IMPLEMENTATIONS, SCRIPTS
from benchmarks.results import BOUNDS, Results
from benchmarks.session import Plan, measure
from benchmarks.workloads import DTYPES, WORKLOADS

pytestmark = pytest.mark.benchmark

MEGABYTES_OVER_DATA = 40
WORST_RESIDUAL = 1.5
WORKERS_OVER_ONE = 1.8
PYTORCH = ("pytorch_eager", "pytorch_compiled")
JAX_SCAN = {"small": 1.5, "wide": 2.5, "mnist": 1.25, "big": 1.1}
JAX_SCAN_BY_DTYPE = {"tiny": {"float32": 0.5, "float64": 0.4},
                     "medium": {"float32": 1.1, "float64": 1.25}}  # fmt: skip
PRODUCT_FRACTIONS = {"medium": 0.5, "mnist": 0.7, "big": 0.85}
TIMES_PANDAS = {
    ("tall", "read"): 1.5,
    ("wide", "read"): 1.5,
    ("wide", "describe"): 4,
    ("wide", "prepare"): 4,
}
WHOLE_PROCESS = {"tiny": 3, "small": 3, "medium": 1.5}


def _least_ratio(workload: str, dtype: str, peer: str) -> float:
    """How many times bpnet's time per epoch a peer must take."""
    if peer == "jax_scan":
        return JAX_SCAN.get(workload) or JAX_SCAN_BY_DTYPE[workload][dtype]
    if workload in ("tiny", "small", "wide"):
        return 3
    if workload == "big":
        return 1.1
    return 2 if (workload, dtype) == ("medium", "float32") and peer in PYTORCH else 1.25


def _ratio_cases() -> Iterator[Any]:
    for workload, dtype in product(WORKLOADS, DTYPES):
        for peer in (*PYTORCH, "scikit_learn", "jax_scan"):
            least = _least_ratio(workload, dtype, peer)
            yield pytest.param(workload, dtype, peer, least, id=f"{workload}-{dtype}-{peer}")
    for dtype in DTYPES:
        yield pytest.param("tiny", dtype, "jax_stepped", 2.5, id=f"tiny-{dtype}-jax_stepped")


@pytest.fixture(scope="session")
def results() -> Results:
    measured = os.environ.get("BPNET_BENCHMARKS")
    return Results.read(Path(measured)) if measured else measure(Plan())


def known(value: float | None) -> float:
    """A figure of the session, or else a skipped test."""
    if value is None:
        pytest.skip("the session did not measure this")
    return value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_all_end_at_the_same_parameters(
    results: Results, name: str, workload: str, dtype: str
) -> None:
    training = results.training(workload, dtype, name)
    if training is None:
        pytest.skip("the session did not measure this")
    assert training.error is None
    assert training.disagreement is not None
    assert training.disagreement <= BOUNDS[dtype]


@pytest.mark.parametrize(("workload", "dtype", "peer", "least"), list(_ratio_cases()))
def test_an_epoch_takes_peers_longer(
    results: Results, workload: str, dtype: str, peer: str, least: float
) -> None:
    assert known(results.ratio(workload, dtype, peer)) >= least


@pytest.mark.parametrize("peer", SCRIPTS)
@pytest.mark.parametrize("workload", WHOLE_PROCESS)
def test_a_whole_process_takes_peers_longer(results: Results, workload: str, peer: str) -> None:
    assert known(results.whole_ratio(workload, peer)) >= WHOLE_PROCESS[workload]


@pytest.mark.parametrize(("table", "task"), TIMES_PANDAS)
def test_a_table_takes_little_longer_than_pandas_reads_it(
    results: Results, table: str, task: str
) -> None:
    assert known(results.table_ratio(table, task)) <= TIMES_PANDAS[table, task]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("workload", PRODUCT_FRACTIONS)
def test_matrix_products_run_near_the_machines_best(
    results: Results, workload: str, dtype: str
) -> None:
    fraction = known(results.product_fraction(workload, dtype, "all"))
    assert fraction >= PRODUCT_FRACTIONS[workload]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("workload", ["medium", "wide", "mnist"])
def test_two_workers_are_nearly_twice_as_fast(results: Results, workload: str, dtype: str) -> None:
    if results.settings["cores"] < 2:
        pytest.skip("there is one core")
    assert known(results.speedup(workload, dtype)) >= WORKERS_OVER_ONE


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("workload", ["tiny", "small", "medium", "wide"])
def test_memory_is_little_more_than_the_data(results: Results, workload: str, dtype: str) -> None:
    over = known(results.megabytes_over_imports(workload, dtype, "bpnet"))
    assert over <= WORKLOADS[workload].data_bytes(dtype) / 2**20 + MEGABYTES_OVER_DATA


@pytest.mark.parametrize("peer", PYTORCH)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("workload", WORKLOADS)
def test_memory_is_at_most_half_of_pytorchs(
    results: Results, workload: str, dtype: str, peer: str
) -> None:
    assert known(results.memory_ratio(workload, dtype, peer)) >= 2


@pytest.mark.parametrize("against", ["rows", "parameters"])
def test_time_grows_in_proportion(results: Results, against: str) -> None:
    (residual,) = [line.worst_residual for line in results.lines if line.against == against] or [
        None
    ]
    assert known(residual) <= WORST_RESIDUAL
