from __future__ import annotations

import re
from pathlib import Path

import pytest
from tampered import a_record

from bpcli.errors import RunError
from bpcli.runs.layout import CONFIG
from bpcli.runs.references import find_run, list_runs
from bpcli.runs.store import Run
from bpcli.runs.tags import TAGS, add_tag, remove_tag, tags_of


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    for run_id in ("20260101-120000-xor-aaaa", "20260102-120000-xor-bbbb"):
        run = Run(tmp_path / run_id)
        run.folder.mkdir()
        run.write(CONFIG, "")
        run.write_record(a_record())
    return list_runs(tmp_path)


def test_a_tag_stands_for_its_run(runs: list[Run], tmp_path: Path) -> None:
    add_tag(runs[1], "best", runs)
    add_tag(runs[1], "a.2", runs)
    assert tags_of(runs[1]) == ["a.2", "best"]
    assert find_run("best", tmp_path) == runs[1]


def test_a_tag_belongs_to_one_run_and_can_be_moved(runs: list[Run], tmp_path: Path) -> None:
    add_tag(runs[0], "best", runs)
    with pytest.raises(RunError, match=f"a tag of {runs[0].run_id}; --force moves it"):
        add_tag(runs[1], "best", runs)
    add_tag(runs[0], "best", runs)  # once more: nothing to complain of
    add_tag(runs[1], "best", runs, moves=True)
    assert (tags_of(runs[0]), tags_of(runs[1])) == ([], ["best"])
    assert find_run("best", tmp_path) == runs[1]


def test_a_tag_is_taken_away(runs: list[Run], tmp_path: Path) -> None:
    add_tag(runs[0], "best", runs)
    remove_tag(runs[0], "best")
    assert tags_of(runs[0]) == []
    with pytest.raises(RunError, match="no tag `best`: it has no tags"):
        remove_tag(runs[0], "best")
    add_tag(runs[0], "other", runs)
    with pytest.raises(RunError, match="its tags are other"):
        remove_tag(runs[0], "best")


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("", "cannot be a tag: at most 64"),
        ("../x", "cannot be a tag"),
        ("a b", "cannot be a tag"),
        ("a\nb", "cannot be a tag"),
        ("\x1b[31m", "cannot be a tag"),
        ("-x", "cannot be a tag"),
        ("x" * 65, "cannot be a tag"),
        ("latest", "could be the beginning of an id, or `latest`"),
        ("20260101", "could be the beginning"),
        ("20260101-12", "could be the beginning"),
        ("xor", "is already the name of runs"),
    ],
)
def test_words_that_cannot_be_tags(tag: str, message: str, runs: list[Run]) -> None:
    with pytest.raises(RunError, match=re.escape(message)):
        add_tag(runs[0], tag, runs)
    assert not runs[0].path(TAGS).exists()


@pytest.mark.parametrize(
    "content", ["", "{}", "[1, null]", '["../x", "\\u001b[2J"]', "[" * 9999, "\udcff"]
)
def test_a_file_that_is_not_ours_holds_no_tags(content: str, runs: list[Run]) -> None:
    runs[0].path(TAGS).write_bytes(content.encode("utf-8", "surrogateescape"))
    assert tags_of(runs[0]) == []


def test_a_folder_in_the_place_of_the_file_holds_no_tags(runs: list[Run]) -> None:
    runs[0].path(TAGS).mkdir()
    assert tags_of(runs[0]) == []
