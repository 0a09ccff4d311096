from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.facts import gather
from benchmarks.linear import fit
from benchmarks.machine import foreign_share
from benchmarks.report import markdown
from benchmarks.results import Products, Results, Training, WholeProcess
from benchmarks.session import disagreement
from benchmarks.tables import TASKS, seconds_of, write
from benchmarks.timing import Patience, Subject, epochs_for, interleaved
from benchmarks.workloads import DTYPES, WORKLOADS, Workload
from bpcli.config.load import load_config
from bpcli.experiment import build


def _results(**milliseconds: float) -> Results:
    trainings = [
        Training("tiny", "float32", name, 1e-7, 100, [value / 10], value)
        for name, value in milliseconds.items()
    ]
    facts = {"date": "", "cpu": "", "cores": 2, "blas": [], "python": "", "versions": {}}
    products = [Products("tiny", "float32", "1", 1000, 100, [2.5, 2.0])]  # 100 Gflop/s at best
    return Results(facts, {}, trainings, products)


def test_products_are_counted_without_the_inputs_gradient() -> None:
    # Forward 3·4 + 4·1, weight gradients the same, deltas 4·1; two operations each; five rows.
    assert Workload("w", 5, (3, 4, 1)).flops() == 2 * 5 * (16 + 16 + 4)


@pytest.mark.parametrize("name", ["tiny", "small", "medium"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_config_builds_what_its_workload_says(tmp_path: Path, name: str, dtype: str) -> None:
    workload = WORKLOADS[name]
    path = tmp_path / "config.yaml"
    path.write_text(workload.config(dtype))
    experiment = build(load_config(path))
    part = experiment.splits["train"]
    shapes = (part.X.shape, part.Y.shape)
    assert shapes == ((workload.rows, workload.layers[0]), (workload.rows, workload.layers[-1]))
    assert experiment.initial_params.dtype == dtype
    assert len(experiment.initial_params) == workload.n_params
    assert not workload.has_classes or part.Y.any(axis=0).all()


def test_foreign_is_what_others_used_of_all_cores() -> None:
    assert foreign_share(busy=1.0, own=0.8, elapsed=0.5, cores=2) == pytest.approx(0.2)
    assert foreign_share(busy=0.5, own=0.6, elapsed=0.5, cores=2) == 0


def test_ratios_follow_from_medians() -> None:
    results = _results(bpnet=2.0, bpnet_1=6.0, jax_scan=5.0)
    assert results.ratio("tiny", "float32", "jax_scan") == 2.5
    assert results.ratio("tiny", "float64", "jax_scan") is None
    assert results.speedup("tiny", "float32") == 3
    rate = WORKLOADS["tiny"].flops() / 6e-3
    assert results.product_fraction("tiny", "float32", "1") == pytest.approx(rate / 100e9)


def test_results_survive_json_and_print(tmp_path: Path) -> None:
    results = _results(bpnet=2.0, jax_scan=5.0)
    results.whole = [WholeProcess("tiny", name, [1.0], 1.0, 0, 1) for name in ("bpnet", "jax")]
    results.tables = [
        WholeProcess("tall", "pandas", [2.0], 2.0, 0, 0),
        WholeProcess("tall", "read", [3.0], 3.0, 0, 0),
    ]
    results.save(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == results
    assert "| tiny 50×3-4-1 relu | float32 | 2.5 |" in markdown(results)
    assert "| tall | float64 | 2.00 | 3.00 (1.5×) |" in markdown(results)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_on_a_table_can_be_timed(tmp_path: Path, task: str) -> None:
    write(tmp_path / "t.csv", 40, 5)
    assert seconds_of(task, tmp_path / "t.csv") > 0


def test_disagreement_is_relative_to_the_change() -> None:
    start, end = {"W1": np.zeros(2)}, {"W1": np.array([3.0, 4.0])}
    assert disagreement({"W1": np.array([3.0, 4.5])}, end, start) == pytest.approx(0.1)
    assert disagreement({"W2": np.zeros(2)}, end, start) == np.inf


def test_a_line_is_fitted_from_a_millisecond_up() -> None:
    x = [10, 1_000, 2_000, 4_000, 8_000]
    exponent, base, each, residual = fit(x, [0.5, 1.5, 2.5, 4.5, 8.5])
    assert (base, each, residual) == pytest.approx((0.5, 1e-3, 1))
    assert 0.8 < exponent < 1


def test_repeats_are_interleaved_and_epochs_fill_the_time() -> None:
    calls = []
    subjects = {
        name: Subject(lambda name=name: calls.append(name) or 1.0, lambda: 0.0) for name in "ab"
    }
    series = interleaved(subjects, Patience(repeats=2, retries=0))
    assert calls == ["a", "b", "a", "b"]
    assert series["a"].median == 1.0
    assert epochs_for(lambda epochs: epochs * 1e-4, seconds=0.5) == 5_000
    assert epochs_for(lambda epochs: epochs * 10.0, seconds=0.5) == 1


def test_facts_name_the_machine_and_the_versions() -> None:
    facts = gather()
    assert facts["cores"] >= 1
    assert all(facts[name] for name in ("date", "cpu", "blas", "python"))
    assert {"bpcli", "numpy", "scikit-learn"} <= facts["versions"].keys()
