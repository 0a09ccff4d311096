"""The journal: what was written whole counts, and whatever else stands there is refused."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confused import ODD
from trainings import restarts, result
from work import no_hang

from bpcli.errors import RunError
from bpcli.sweeps.journal import Journal, read_journal
from bpcli.sweeps.training import TrainingResult

FIRST, SECOND = (result(training, 0.25, error="ünï\r\n") for training in restarts(2))


def written(path: Path, *results: TrainingResult) -> bytes:
    size = read_journal(path)[1]
    with closing(Journal(path, size)) as journal:
        for each in results:
            journal.append(each)
    return path.read_bytes()


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "trainings.jsonl") == ([], 0)


def test_results_come_back_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "trainings.jsonl"
    written(path, SECOND)
    content = written(path, FIRST, SECOND)
    assert content.count(b"\n") == 3
    assert read_journal(path) == ([SECOND, FIRST, SECOND], len(content))


def test_each_line_is_on_the_disk_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    path = tmp_path / "trainings.jsonl"
    monkeypatch.setattr(
        "bpcli.system.sync_file", lambda handle: synced.append(os.fstat(handle).st_size)
    )
    content = written(path, FIRST, SECOND)
    assert synced == [content.index(b"\n") + 1, len(content)]


def test_a_torn_last_line_does_not_count_and_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "trainings.jsonl"
    content = written(path, FIRST, SECOND)
    end = content.index(b"\n") + 1
    for size in (*range(end, len(content), 7), len(content) - 1):
        path.write_bytes(content[:size])
        assert read_journal(path) == ([FIRST], end)
        assert written(path, SECOND) == content


def line(**changes: Any) -> bytes:
    return json.dumps(FIRST.to_json() | changes).encode()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (b"", "Expecting value"),
        (b"x", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"\xff", "'utf-8' codec can't decode"),
        (10**5 * b"[", "recursion"),
        (b"[]", "see its `top level`: Input should be an object"),
        (b"{}", "see its `name`: Field required"),
        (line(more=1), "see its `more`: Extra inputs are not permitted"),
        (line(seconds=float("nan")), "JSON has no NaN"),
        (line(setting=-1), "see its `setting`: Input should be greater than or equal to 0"),
        (line(status="stopped"), "see its `status`: Input should be 'finished'"),
        (line(weights_sha256="x"), "see its `weights_sha256`: String should match"),
        (line(name="../../etc"), "`../../etc` is not the name of its training."),
        (line(name="\x1b[31m"), r"`\x1b[31m` is not the name of its training."),
        (line(setting=1), "`0000-0` is not the name of its training."),
        (line(seed=1), "`0000-0` is not the name of its training."),
        (line(fold=1), "`0000-0` is not the name of its training."),
        (line(name="0000-0-restart"), "`0000-0-restart` is not the name of its training."),
    ],
)
def test_damage_is_one_error_wherever_it_is(damage: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "trainings.jsonl"
    whole = line() + b"\n"
    for content in (damage + b"\n" + whole, whole + damage + b"\n"):
        path.write_bytes(content)
        with pytest.raises(RunError) as caught:
            read_journal(path)
        assert message in str(caught.value)
        assert str(caught.value).startswith(f"{path} is damaged")
        assert str(caught.value).isprintable()


def test_whatever_stands_in_the_place_of_a_value_is_accepted_or_refused(tmp_path: Path) -> None:
    said = [
        refusal(tmp_path / "trainings.jsonl", line(**{key: odd}))
        for key in FIRST.to_json()
        for odd in ODD
    ]
    assert len([each for each in said if each]) > 300
    assert "".join(said).isprintable()


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content + b"\n")
    try:
        read_journal(path)
    except RunError as error:
        return str(error)
    return ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "trainings.jsonl"
    os.mkfifo(path)
    with no_hang(), pytest.raises(RunError, match="is damaged: it is not a file"):
        read_journal(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(RunError, match="is damaged: it is not a file"):
        read_journal(path)
