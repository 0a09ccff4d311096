"""The summary of a cross-validation, and which runs belong to it."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tampered import RECORD_OF_A_RUN, a_record

from bpcli.runs.folds import Summary, document_of, siblings
from bpcli.runs.layout import CONFIG, RECORD
from bpcli.runs.run_json import RunRecord
from bpcli.runs.sealed import write_sealed
from bpcli.runs.store import Run

END = {
    "status": "finished", "stop_reason": "epochs", "stop_message": None, "diagnostics": {},
    "epochs": 1, "best_epoch": 1, "ended": "2026-01-01T12:00:01+0000", "seconds": 1.0,
    "watching_seconds": 0.0, "stop": [], "metrics": {}, "baselines": {},
    "sha256": dict.fromkeys(
        ("config.yaml", "split.npz", "resolved.yaml", "metrics.jsonl", "weights.safetensors"),
        "0" * 64,
    ),
}  # fmt: skip
"""What a record has of a training that has ended."""


def fold(number: int, of: int = 3, group: str = "g", **changes: Any) -> RunRecord:
    return a_record(
        run_id=f"20260101-12000{number}-xor-aaaa",
        fold={"number": number, "of": of, "group": group},
        **changes,
    )


def ended(number: int, accuracy: float | None, **metrics: float) -> RunRecord:
    scores = {"test.accuracy": accuracy, **metrics}
    baselines = {"constant": {"test.accuracy": number / 10}}
    return fold(number, **END | {"metrics": scores, "baselines": baselines})


@given(st.lists(st.floats(-1e6, 1e6), min_size=2))
def test_mean_and_deviation_are_those_of_a_sample(values: list[float]) -> None:
    found = Summary.of(values)
    assert found.values == values
    assert found.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    assert found.sd == pytest.approx(np.std(values, ddof=1), rel=1e-9, abs=1e-9)


def test_what_there_is_too_little_of_has_no_mean_or_deviation() -> None:
    assert Summary.of([]) == Summary(None, None, [], 0)
    assert Summary.of([None, None]) == Summary(None, None, [None, None], 0)
    assert Summary.of([None, 3.0]) == Summary(3.0, None, [None, 3.0], 1)
    assert Summary.of([1.0, None, 3.0]) == Summary(2.0, math.sqrt(2), [1.0, None, 3.0], 2)
    largest = sys.float_info.max
    assert Summary.of([largest, -largest]) == Summary(0.0, None, [largest, -largest], 2)


def test_the_document_counts_only_folds_that_were_trained_to_the_end() -> None:
    document = document_of([ended(1, 0.5), fold(2), ended(3, 0.75)])
    assert (document["group"], document["of"], document["finished"]) == ("g", 3, 2)
    assert [each["run_id"][13:15] for each in document["folds"]] == ["01", "02", "03"]
    accuracy = document["summary"]["test.accuracy"]
    assert (accuracy["mean"], accuracy["values"]) == (0.625, [0.5, 0.75])
    constant = document["baselines"]["constant"]["test.accuracy"]
    assert constant["values"] == [0.1, 0.3]


def test_a_score_that_a_fold_lacks_is_a_gap() -> None:
    document = document_of([ended(1, 0.5, **{"test.roc_auc": 0.9}), ended(2, None)])
    assert document["summary"]["test.roc_auc"]["values"] == [0.9, None]
    assert document["summary"]["test.roc_auc"]["folds"] == 1
    assert document["summary"]["test.accuracy"]["mean"] == 0.5
    later = document_of([ended(1, None), ended(2, 0.5, **{"test.roc_auc": 0.9})])
    assert later["summary"]["test.roc_auc"]["values"] == [None, 0.9]


def test_without_a_fold_that_ended_there_is_no_summary() -> None:
    document = document_of([fold(1), fold(2)])
    assert (document["finished"], document["summary"], document["baselines"]) == (0, {}, {})
    assert len(document["folds"]) == 2


def written(runs_dir: Path, number: int, group: str | None, made: int) -> None:
    run = Run(runs_dir / f"20260101-1200{made:02}-xor-aaaa")
    run.folder.mkdir()
    run.path(CONFIG).touch()
    of = {} if group is None else {"fold": {"number": number, "of": 3, "group": group}}
    write_sealed(run.path(RECORD), RECORD_OF_A_RUN | of)


def test_siblings_are_the_folds_of_the_same_group_in_order(tmp_path: Path) -> None:
    for made, (number, group) in enumerate([(3, "g"), (1, "g"), (2, "h"), (2, "g"), (0, None)]):
        written(tmp_path, number, group, made)
    damaged = Run(tmp_path / "20260101-120009-xor-aaaa")
    damaged.folder.mkdir()
    damaged.path(RECORD).write_text("{}")
    found = siblings(fold(2), tmp_path)
    assert [each.fold.number for each in found if each.fold] == [1, 2, 3]
    assert {each.fold.group for each in found if each.fold} == {"g"}
    assert siblings(a_record(), tmp_path) == []
