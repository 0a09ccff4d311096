from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_configs import load
from trainings import moons

from bpcli.config.load import Config
from bpcli.errors import ConfigError
from bpcli.sweeps.run_plan import PlanResults
from bpcli.sweeps.size import (
    PlannedSearch,
    Sizes,
    parsed_sizes,
    plan_search,
    size_document,
)
from bpcli.sweeps.training import Training, TrainingResult

TWO_FOLDS = "data.split={folds: 2}"
BAYESIAN = ("training.optimizer=bayesian_regularization", "training.stop={}", "data.split={}")
SINE = """\
name: sine
data: {generator: sine, n_samples: 40, noise: 0.1}
network: {layers: [1, 3, 1], activations: [tanh, identity]}
loss: mse
training: {epochs: 5}
"""


def searched(
    planned: PlannedSearch, results: Mapping[tuple[int, int, int], dict[str, Any]]
) -> dict[str, Any]:
    """The document of made-up results by size, seed and restart."""
    done = {
        training.name: result(training, **results[at])
        for training in planned.trainings
        if (at := (training.setting, training.seed, training.restart or 0)) in results
    }
    return size_document(planned, PlanResults(planned.plan(Path("runs/search")), done, None))


def result(
    training: Training, train: float = 0, val: float = 0, evidence: float | None = None,
    **changes: Any,
) -> TrainingResult:  # fmt: skip
    diagnostics = {} if evidence is None else {"log_evidence": evidence, "effective_params": 7.0}
    plain = TrainingResult(
        training.name, training.setting, training.seed, None, None, "finished",
        epochs=10, seconds=0.5, n_params=9, metrics={"train.loss": train, "val.loss": val},
        diagnostics=diagnostics,
    )  # fmt: skip
    return replace(plain, **changes)


# What a search says, by hand.

VALUES = {1: (0.5, 0.6, 0.7), 2: (0.30, 0.34, 0.38), 3: (0.31, 0.33, 0.35), 4: (0.4, 0.4, 0.4)}
"""Means 0.6, 0.34, 0.33 and 0.4; the standard error of the third is 0.02 / √3 = 0.011547."""


def by_hand() -> tuple[PlannedSearch, dict[tuple[int, int, int], dict[str, Any]]]:
    """Each second restart has the lower training loss, each first one the lower validation loss."""
    planned = plan_search(moons(), Sizes([1, 2, 3, 4], 2, 3))
    results = {}
    for size, values in VALUES.items():
        for split, value in enumerate(values):
            results[size, split, 0] = {"train": 0.2, "val": 0.01}
            results[size, split, 1] = {"train": 0.1, "val": value}
    return planned, results


def test_the_smallest_size_within_one_standard_error_of_the_best_is_enough() -> None:
    document = searched(*by_hand())
    assert (document["best"], document["enough"]) == (3, 2)
    assert document["limit"] == pytest.approx(0.33 + 0.02 / math.sqrt(3))
    assert (document["splits"], document["restarts"], document["repetitions"]) == (3, 2, 3)
    assert document["counts"] == {"trainings": 24, "finished": 24, "failed": 0, "missing": 0}
    first = document["sizes"][0]
    assert first["values"] == [0.5, 0.6, 0.7], "those of the restarts with the lowest training loss"
    assert (first["lowest"], first["highest"], first["epochs"]) == (0.5, 0.7, 10)
    assert first["mean"] == pytest.approx(0.6)
    assert first["sd"] == pytest.approx(0.1)
    assert first["se"] == pytest.approx(0.1 / math.sqrt(3))
    assert (first["evidence"], first["effective_params"], first["test"]) == (None, None, None)


def test_a_mean_just_above_the_limit_is_not_enough() -> None:
    planned, results = by_hand()
    for split, value in enumerate((0.342, 0.342, 0.342)):
        results[2, split, 1] = {"train": 0.1, "val": value}
    document = searched(planned, results)
    assert (document["best"], document["enough"]) == (3, 3)


def test_failures_are_counted_and_other_restarts_count_instead() -> None:
    planned, results = by_hand()
    results[2, 0, 1]["status"] = "diverged"
    for restart in range(2):
        results[4, 1, restart]["status"] = "failed"
    document = searched(planned, results)
    second, fourth = document["sizes"][1], document["sizes"][3]
    assert (second["values"], second["failed"]) == ([0.01, 0.34, 0.38], 1)
    assert (fourth["values"], fourth["failed"]) == ([0.4, None, 0.4], 2)
    assert fourth["se"] == 0
    assert document["counts"]["failed"] == 3


def test_what_is_missing_is_counted_and_nothing_is_best_without_results() -> None:
    planned, results = by_hand()
    some = {at: found for at, found in results.items() if at[0] == 1}
    document = searched(planned, some)
    assert document["counts"] == {"trainings": 24, "finished": 6, "failed": 0, "missing": 18}
    assert (document["best"], document["enough"]) == (1, None), "others may be better"
    document = searched(planned, {})
    assert (document["best"], document["enough"], document["limit"]) == (None, None, None)
    assert [each["mean"] for each in document["sizes"]] == [None] * 4


def test_with_one_split_every_restart_counts() -> None:
    planned = plan_search(moons(), Sizes([1, 2], 3, 1))
    results = {(1, 0, n): {"train": n, "val": 0.5 + 0.1 * n} for n in range(3)}
    document = searched(planned, results)
    assert document["sizes"][0]["values"] == pytest.approx([0.5, 0.6, 0.7])
    assert document["repetitions"] == 3


def test_evidence_ranks_sizes_where_regularization_is_bayesian() -> None:
    planned = plan_search(load(SINE, *BAYESIAN), Sizes([1, 2, 3], 2, 2))
    assert planned.criterion.name == "log_evidence"
    evidences = {1: -51.1, 2: -50.9, 3: -50.0}
    results = {
        (size, split, restart): {"evidence": evidence + restart - 1}
        for size, evidence in evidences.items()
        for split in range(2)
        for restart in range(2)
    }
    document = searched(planned, results)
    assert (document["best"], document["enough"]) == (3, 2), "0.9 is not worth mentioning, 1.1 is"
    assert document["limit"] == pytest.approx(-51.0)
    assert document["greater_is_better"] is True
    assert document["constant"] is None
    (third,) = [each for each in document["sizes"] if each["hidden"] == 3]
    assert third["values"] == [-50.0, -50.0], "the restart with the highest evidence"
    assert third["evidence"] == {"mean": -50.0, "sd": 0.0, "highest": -50.0}
    assert third["effective_params"] == 7.0


# What is trained.


def sizes_of(config: Config, *arguments: Any) -> PlannedSearch:
    return plan_search(config, Sizes(*arguments))


def test_each_size_has_the_same_splits_and_initialisations() -> None:
    planned = sizes_of(moons(), [2, 5], 2, 3)
    names = [training.name for training in planned.trainings]
    assert names[:3] == ["0002-0-restart0", "0002-0-restart1", "0002-1-restart0"]
    assert [name[4:] for name in names[:6]] == [name[4:] for name in names[6:]]
    layers = {training.setting: training.config.spec.network.layers for training in
              planned.trainings}  # fmt: skip
    assert layers == {2: [2, 2, 1], 5: [2, 5, 1]}
    inits = [training.config.spec.seeds for training in planned.trainings[:2]]
    assert inits[0] != inits[1]


def test_all_hidden_layers_get_the_size() -> None:
    config = moons("network.layers=[2, 4, 4, 1]", "network.activations=[tanh, tanh, sigmoid]")
    planned = sizes_of(config, [3], 1, 1)
    assert planned.trainings[0].config.spec.network.layers == [2, 3, 3, 1]
    assert searched(planned, {})["hidden_layers"] == 2


def test_folds_are_ranked_by_their_test_loss() -> None:
    planned = sizes_of(moons(TWO_FOLDS), [2, 3], 2, 2)
    assert planned.criterion.name == "test.loss"
    assert len(planned.trainings) == 2 * 2 * 2  # sizes, folds and restarts: folds are the splits
    assert {training.fold for training in planned.trainings} == {1, 2}
    assert searched(planned, {})["repetitions"] == 2


def test_a_split_that_is_not_random_is_one_split(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "".join(f"{n},{n % 3}\n" for n in range(30)))
    text = f"""\
name: t
data: {{file: {table}, targets: y, task: regression, split: {{val: 0.3, order: time}}}}
network: {{layers: [auto, 3, auto], activations: [tanh, identity]}}
loss: mse
training: {{epochs: 5}}
"""
    planned = sizes_of(load(text), [2], 3, 5)
    assert (planned.sizes.splits, len(planned.trainings)) == (1, 3)
    assert sizes_of(load(text, "data.split.order=random"), [2], 3, 5).sizes.splits == 5


def test_restarts_and_a_sweep_of_the_config_are_no_part_of_a_search() -> None:
    config = moons("training.restarts=7", "sweep={grid: {training.l2: [1, 2]}}")
    planned = sizes_of(config, [2], 2, 1)
    assert [each.config.spec.training.all_restarts.count for each in planned.trainings] == [1, 1]
    assert not [note for note in planned.notes if "sweep" in note]


def test_a_network_without_a_hidden_layer_has_no_size() -> None:
    config = moons("network.layers=[2, 1]", "network.activations=[sigmoid]")
    with pytest.raises(ConfigError, match=r"no hidden layer .*: add one to `network\.layers`"):
        sizes_of(config, [2], 1, 1)


def test_without_validation_rows_there_is_nothing_to_compare() -> None:
    with pytest.raises(ConfigError, match=r"no validation rows .* --set data\.split\.val=0\.2"):
        sizes_of(moons("data.split={}"), [2], 1, 1)


# Sizes in a text.


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("1..4", [1, 2, 3, 4]), ("8, 2,4", [2, 4, 8]), ("7", [7]), ("range(2, 6, 2)", [2, 4, 6])],
)
def test_sizes_are_a_range_or_a_list(text: str, sizes: list[int]) -> None:
    assert parsed_sizes(text) == sizes


@pytest.mark.parametrize(
    "text",
    ["0", "-1", "1.5", "true", "x", "", " ", "[", "1..0", "a..b", "1,1", "1..1000000000", "10001",
     "choice(1, 2)", "{a: 1}", "1, [2]", "a\n1"],
)  # fmt: skip
def test_other_texts_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed_sizes(text)
    assert str(caught.value) == (
        f"--hidden {text}: expected different numbers of hidden units from 1 to 10,000, such as "
        "1..20 or 1,2,4,8."
    )
