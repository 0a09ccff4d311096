"""A run's folder: its record as it stands there, and what is said where it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tampered import a_record, change_record

from bpcli.errors import RunError
from bpcli.runs.files import NotRead
from bpcli.runs.layout import CONFIG, RECORD
from bpcli.runs.run_json import BROKEN_OFF, RunRecord, Unreadable
from bpcli.runs.store import Run

RUN_ID = "20260101-120000-xor-aaaa"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(tmp_path / RUN_ID)
    made.folder.mkdir()
    made.write(CONFIG, "")
    made.write_record(a_record(run_id=RUN_ID))
    return made


def refuse(self: Path, *arguments: object) -> bytes:
    raise PermissionError(13, "Permission denied", str(self))


def test_a_record_has_the_id_of_its_folder_and_says_whether_it_was_broken_off(run: Run) -> None:
    renamed = Run(run.folder.rename(run.folder.with_name("other")))
    record = renamed.record()
    assert (record.run_id, record.status) == ("other", BROKEN_OFF)
    lock = renamed.lock()
    assert renamed.record().status == "running"
    lock.close()


def test_a_file_does_not_say_that_a_run_was_broken_off(run: Run) -> None:
    change_record(run, {"status": BROKEN_OFF})
    with pytest.raises(RunError, match=r"see its `status`: its value is `running` in a file"):
        run.record()


def test_a_record_that_may_not_be_read_is_not_called_damaged(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(NotRead, match=r"run\.json cannot be read: Permission denied\.$"):
        run.record()
    listed = run.record_or_damage()
    assert isinstance(listed, Unreadable)
    assert listed.status == "unreadable"


def test_a_log_that_may_not_be_read_is_not_called_damaged(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write("metrics.jsonl", "")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(NotRead, match=r"metrics\.jsonl cannot be read: Permission denied\.$"):
        run.metrics()


def test_what_is_wrong_with_a_run_stands_in_the_place_of_its_record(run: Run) -> None:
    assert isinstance(run.record_or_damage(), RunRecord)
    run.path(CONFIG).unlink()
    missing = Unreadable(RUN_ID, "damaged", f"{run.path(CONFIG)} is missing.")
    assert run.record_or_damage() == missing
    assert missing.to_json() == {"run_id": RUN_ID, "status": "damaged", "error": missing.error}
    run.write(CONFIG, "")
    run.path(RECORD).write_text("{}")
    assert run.record_or_damage().status == "damaged"
