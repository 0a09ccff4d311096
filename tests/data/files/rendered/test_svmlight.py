"""LIBSVM's text: recognised by its lines where the file's name does not tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.data.files.delimited import layout_of, read
from bpcli.data.files.dialect import Dialect
from bpcli.data.files.rendered import is_rendered, rendering
from bpcli.data.files.rendered.svmlight import is_svmlight
from bpcli.errors import DataError


@pytest.mark.parametrize("name", ["t.txt", "t", "t.scale", "t.csv"])
def test_pairs_are_read_as_such_with_a_note(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("+1 1:0.7 2:1 \n-1 1:-.5 3:2e-1\n")
    layout = layout_of(path, Dialect())
    assert layout.notes == (
        f"{name}: each line has a label and pairs `index:value`: read as LIBSVM format",
    )
    frame, _ = read(layout)
    assert list(frame) == ["x1", "x2", "x3", "label"]
    assert frame.to_numpy().tolist() == [[0.7, 1, 0, 1], [-0.5, 0, 0.2, -1]]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("1 1:1 9:1\n0 3:1 9:1\n", True),
        ("# a comment\n1 1:1 9:1\n\n0 3:1 9:1 # another\n", True),
        ("1 qid:1 1:1 9:1\n0 qid:2 3:1 9:1\n", True),
        ("1 1:1 9:1\n0\n0 2:1 3:4\n", True),
        ("1 1:1 9:1\n", False),
        ("1 9:1 1:1\n0 3:1 9:1\n", False),
        ("1 1:1\n0 3:1\n", False),
        ("7 10:30 11:45\n8 09:15 12:00\n", False),
        ("a b:1 c:2\na b:1 c:2\n", False),
        ("1,1:1 9:1\n0,3:1 9:1\n", False),
        ("1 1:1 9:1\n0 3:1 9:1\n" * 5 + "a,b\n", False),
        ("", False),
        ("1" * 50_000 + "\n" + "1" * 50_000, False),
    ],
)
def test_which_lines_are_pairs(text: str, is_one: bool) -> None:
    assert is_svmlight(text) is is_one


def test_a_long_file_is_judged_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1 1:0.25 2:0.5\n" * 10_000)
    assert is_rendered(path)


def test_an_index_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.svm"
    path.write_text("1 1:1 1000000000:1\n")
    with pytest.raises(DataError, match="are more than the 100,000,000 values allowed"):
        rendering(path)
