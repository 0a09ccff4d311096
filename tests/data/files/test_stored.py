"""What a file says of itself goes into its dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpcli.data.files.dialect import MISSING, Dialect
from bpcli.data.files.stored import stored_categories, stored_notes, with_stored_gaps

ARFF = "@relation r\n@attribute a real\n@attribute c {1,2}\n@data\n1,2\n"


@pytest.fixture
def arff(tmp_path: Path) -> Path:
    path = tmp_path / "t.arff"
    path.write_text(ARFF)
    return path


@pytest.mark.parametrize(
    ("asked", "missing"),
    [(MISSING, ("",)), ((*MISSING, "x"), ("", "x")), (("x",), ("x",)), ((), ())],
)
def test_words_for_gaps(arff: Path, asked: tuple[str, ...], missing: tuple[str, ...]) -> None:
    assert with_stored_gaps(arff, Dialect(missing=asked)).missing == missing


def test_categories_by_their_places(arff: Path) -> None:
    assert stored_categories(arff, Dialect(), ("a", "c")) == ["c"]
    assert stored_notes(arff, Dialect()) == []


def test_a_text_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    assert with_stored_gaps(path, Dialect()) == Dialect()
    assert stored_categories(path, Dialect(), ("a", "b")) == []
    assert stored_notes(path, Dialect()) == []
