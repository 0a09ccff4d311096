"""run.json: what is written is what was read, and of the end only what there is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tampered import RECORD_OF_A_RUN, a_record

from bpcli.runs.layout import METRICS, RESOLVED, WEIGHTS
from bpcli.runs.run_json import OF_THE_END, Rule, RunRecord
from bpcli.runs.saved import check
from bpcli.runs.sealed import read_sealed
from bpcli.runs.store import Run

DIGESTS = dict.fromkeys((METRICS, RESOLVED, WEIGHTS), "1" * 64)
RULE = Rule("epochs", "epochs", 0, 9, 9, False)


def ended(**changes: object) -> RunRecord:
    record = a_record()
    end = {"status": "finished", "ended": "now", "stop": [RULE], "stop_reason": "epochs"}
    return replace(record, **end | {"sha256": record.sha256 | DIGESTS} | changes)


def test_a_record_in_training_has_no_key_of_the_end(tmp_path: Path) -> None:
    Run(tmp_path).write_record(a_record())
    written = json.loads((tmp_path / "run.json").read_text())
    assert written.pop("seal")
    assert written == RECORD_OF_A_RUN
    assert list(written)[:5] == ["run_id", "identity", "status", "started", "name"]


def test_a_record_that_has_ended_has_all_of_them_and_is_read_as_it_was(tmp_path: Path) -> None:
    record = ended(metrics={"train.loss": None, "train.accuracy": 1})
    Run(tmp_path).write_record(record)
    written = json.loads((tmp_path / "run.json").read_text())
    assert {*OF_THE_END} <= written.keys()
    assert written["stop"] == [
        {"name": "epochs", "meaning": "epochs", "start": 0, "now": 9, "target": 9, "falls": False}
    ]
    assert "resumed" not in written
    path = tmp_path / "run.json"
    found = check(RunRecord, read_sealed(path), path)
    assert found == record
    assert type(found.stop[0].now) is int  # whole or not: nothing is converted


def test_results_of_an_end_before_a_run_was_resumed_are_kept() -> None:
    resumed = replace(
        ended(epochs=9, seconds=0.5), status="running", ended="", stop=[], stop_reason=""
    )
    assert (resumed.has_ended, resumed.has_results) == (False, True)
    assert resumed.to_json().keys() & {*OF_THE_END} == {"epochs", "seconds"}
    assert not a_record().has_results
