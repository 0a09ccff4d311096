from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tampered import a_record

from bpcli.errors import RunError
from bpcli.runs.listing import differences, differing_keys, sorted_by
from bpcli.runs.run_json import RunRecord, Unreadable


def record(run_id: str, accuracy: float | None = None, **config: Any) -> RunRecord:
    metrics = {"test.accuracy": accuracy, "test.loss": None if accuracy is None else 1 - accuracy}
    return replace(a_record(run_id=run_id, config=config), status="finished", metrics=metrics)


DAMAGED = Unreadable("d", "damaged", "a file is damaged.")


RUNS = [
    record("a", 0.5, rate=0.1, kind="gd"),
    record("b", None, rate=3.0, kind="gd"),
    record("c", 0.9, rate=0.1, kind="adam"),
    DAMAGED,
]


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("test.accuracy", "cabd"),  # the greatest is the best
        ("test.loss", "cabd"),  # the least is
        ("rate", "acbd"),
        ("kind", "cabd"),
        ("status", "dabc"),
        ("run_id", "abcd"),
    ],
)
def test_order(key: str, order: str) -> None:
    assert "".join(each.run_id for each in sorted_by(RUNS, key)) == order


def test_the_best_of_a_single_target_comes_first() -> None:
    metrics = [{"test.r2.a.b": 0.5, "test.mae.c": 1.0}, {"test.r2.a.b": 0.75, "test.mae.c": 2.0}]
    runs = [replace(record(name), metrics=each) for name, each in zip("ab", metrics, strict=True)]
    assert [each.run_id for each in sorted_by(runs, "test.r2.a.b")] == ["b", "a"]
    assert [each.run_id for each in sorted_by(runs, "test.mae.c")] == ["a", "b"]


def test_a_key_that_no_run_has() -> None:
    with pytest.raises(RunError, match=r"No run has `acuracy` to sort by: give a metric such as"):
        sorted_by(RUNS, "acuracy")
    assert sorted_by([], "acuracy") == []


def test_numbers_and_words_under_one_key() -> None:
    mixed = [record("a", batch="full"), record("b", batch=8), record("c", batch=2)]
    assert [each.run_id for each in sorted_by(mixed, "batch")] == ["c", "b", "a"]


def test_keys_that_differ_those_of_the_data_last() -> None:
    runs = [
        record("a", name="x", **{"data.noise": 1, "rate": 0.1, "seed": 0}),
        record("b", name="y", **{"data.noise": 2, "rate": 0.1, "seed": 1}),
        record("c", name="z", **{"data.noise": 2, "rate": 0.1, "seed": 1, "new": None, "l2": 1}),
        DAMAGED,
    ]
    assert differing_keys(runs) == ["seed", "l2", "data.noise"]
    assert differing_keys(runs[3:]) == []


def test_differences_tell_true_from_1_but_not_missing_from_null() -> None:
    """An earlier version wrote no key that came later, whose default is null."""
    one, other = {"a": 1, "b": [1], "c": None, "e": 5}, {"a": True, "b": [1], "d": 2, "e": 5}
    assert differences(one, other) == {"a": [1, True], "d": [None, 2]}
    assert differences(other, one) == {"a": [True, 1], "d": [2, None]}
    assert differences({"c": 0}, {}) == {"c": [0, None]}
