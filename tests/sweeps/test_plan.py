"""The document of a sweep, worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from trainings import VAL_LOSS, moons, result, trainings_of

from bpcli.sweeps.plan import Plan, spread
from bpcli.sweeps.ranking import Criterion
from bpcli.sweeps.training import Training, TrainingResult
from bpcli.terminal.sweep import summary_lines, sweep_table, training_line

RATES = (0.1, 0.5, 2.0)
TRAININGS = trainings_of([moons(f"training.learning_rate={rate}") for rate in RATES], (4, 5))
SETTINGS = {number: {"training.learning_rate": rate} for number, rate in enumerate(RATES)}


def a_plan(
    trainings: list[Training] = TRAININGS, criterion: Criterion = VAL_LOSS, noun: str = "setting"
) -> Plan:
    return Plan(
        "moons", Path("runs/a-sweep"), noun, criterion, "test.accuracy", SETTINGS, trainings
    )


def by_name(*results: TrainingResult) -> dict[str, TrainingResult]:
    return {each.name: each for each in results}


RESULTS = by_name(
    result(TRAININGS[0], 0.5, epochs=10, seconds=1.0, n_params=17,
           metrics={"val.loss": 0.5, "test.accuracy": 0.75}),
    result(TRAININGS[1], 0.25, epochs=20, seconds=2.0, n_params=17,
           metrics={"val.loss": 0.25, "test.accuracy": 1.0}),
    result(replace(TRAININGS[2], until=4), 0.25),
    result(TRAININGS[3], None, error="no rows"),
    result(TRAININGS[4], None, status="diverged", stop_reason="diverged"),
)  # fmt: skip


def test_settings_have_means_over_their_trainings_and_the_best_is_first() -> None:
    document = a_plan().document(RESULTS)
    assert [each["setting"] for each in document["settings"]] == [1, 0, 2]
    second, first, third = document["settings"]
    assert first == {
        "setting": 0, "values": {"training.learning_rate": 0.1}, "trainings": 2, "failed": 0,
        "stopped": None, "mean": 0.375, "sd": pytest.approx(0.125 * math.sqrt(2), rel=1e-15),
        "values_by_training": [0.5, 0.25],
        "test": {"metric": "test.accuracy", "mean": 0.875,
                 "sd": pytest.approx(0.125 * math.sqrt(2), rel=1e-15)},
        "epochs": 15, "seconds": 1.5, "n_params": 17,
    }  # fmt: skip
    assert (second["stopped"], second["failed"], second["mean"], second["sd"]) == (4, 1, 0.25, None)
    assert second["values_by_training"] == [0.25, None]
    assert (third["mean"], third["failed"], third["epochs"]) == (None, 1, None)
    assert third["test"] == {"metric": "test.accuracy", "mean": None, "sd": None}


def test_trainings_are_in_the_order_of_their_numbers_with_their_status() -> None:
    document = a_plan().document(RESULTS, is_interrupted=True)
    assert [each["status"] for each in document["trainings"]] == [
        "finished", "finished", "stopped", "failed", "diverged", "missing",
    ]  # fmt: skip
    assert document["counts"] == {
        "settings": 3, "trainings": 6, "finished": 2, "failed": 2, "stopped": 1, "missing": 1,
    }  # fmt: skip
    assert document["interrupted"] is True
    first, *_, last = document["trainings"]
    assert first["label"] == "setting 0, seed 4"
    assert first["folder"] == str(Path("runs/a-sweep/trainings/0000-4"))
    assert (first["value"], first["metrics"]) == (0.5, {"val.loss": 0.5, "test.accuracy": 0.75})
    assert not {"name", "until", "n_params"} & {*first}
    assert last == {
        "label": "setting 2, seed 5", "setting": 2, "seed": 5, "fold": None,
        "folder": str(Path("runs/a-sweep/trainings/0002-5")), "value": None, "status": "missing",
    }  # fmt: skip


def test_the_head_says_what_is_swept_and_what_ranks() -> None:
    document = a_plan().document({})
    del document["settings"], document["trainings"], document["counts"]
    assert document == {
        "sweep": "a-sweep", "name": "moons", "folder": str(Path("runs/a-sweep")),
        "noun": "setting", "metric": "val.loss", "greater_is_better": False,
        "keys": ["training.learning_rate"], "seeds": [4, 5], "folds": None, "interrupted": False,
    }  # fmt: skip
    greater = a_plan(criterion=Criterion("test.accuracy")).document(RESULTS)
    assert (greater["metric"], greater["greater_is_better"]) == ("test.accuracy", True)
    assert [each["setting"] for each in greater["settings"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("noun", "seeds", "folds", "restart", "label"),
    [
        ("setting", (0,), (None,), None, "setting 0"),
        ("setting", (0, 1), (1, 2), None, "setting 0, seed 0, fold 1"),
        ("size", (3,), (2,), 4, "size 0, fold 2, restart 4"),
        ("restart", (0,), (2,), None, "restart 0"),
    ],
)
def test_a_label_has_what_tells_trainings_apart(
    noun: str,
    seeds: tuple[int, ...],
    folds: tuple[int | None, ...],
    restart: int | None,
    label: str,
) -> None:
    trainings = [
        replace(each, fold=fold, restart=restart)
        for each in trainings_of([moons()], seeds)
        for fold in folds
    ]
    document = a_plan(trainings, noun=noun).document({})
    assert document["trainings"][0]["label"] == label
    assert document["folds"] == (None if folds == (None,) else len(folds))


def test_the_document_is_json_and_can_be_shown() -> None:
    plan = a_plan()
    for results in ({}, RESULTS):
        document = plan.document(results)
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        sweep_table(document)
        assert summary_lines(document)
        for each in document["trainings"]:
            if each["status"] != "missing":
                assert each["label"] in training_line(each, document)


@pytest.mark.parametrize(
    ("values", "mean", "sd"),
    [
        ([], None, None), ([None, math.nan, math.inf], None, None), ([2.0, None], 2.0, None),
        ([1.0, 2.0, 3.0], 2.0, 1.0), ([1e308, 1e308], 1e308, 0.0),
    ],
)  # fmt: skip
def test_the_spread_is_that_of_the_known_values(
    values: list[float | None], mean: float | None, sd: float | None
) -> None:
    assert spread(values) == {"mean": mean, "sd": sd}
