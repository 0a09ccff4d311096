"""What is printed of a conversion."""

from __future__ import annotations

import io

import pytest

from bpcli.terminal.console import Console
from bpcli.terminal.conversion import facts_of
from bpcli.terminal.progress import conversion
from bpcli.terminal.progress.conversion import (
    LiveConversion,
    PlainConversion,
    progress_of,
    read_line,
)
from bpcli.terminal.stream import Stream

DOCUMENT = {
    "file": "t.npy", "names": "t.npy.json", "bytes": 1234, "dtype": "float64",
    "why_dtype": "as requested", "rows": 1000, "columns": ["a", "b", "p", "q"],
    "targets": ["p", "q"], "classes": {"q": ["no", "yes"]},
    "left_out": {"without_target": 1, "with_missing_values": 20},
}  # fmt: skip


def test_the_facts_of_an_array() -> None:
    assert facts_of(DOCUMENT) == [
        ("file", "t.npy, 1,234 bytes"),
        ("names", "t.npy.json"),
        ("numbers", "float64: as requested"),
        ("rows", "1,000"),
        ("inputs", "2: `a`, `b`"),
        ("targets", "p (numbers), q (2 classes)"),
        ("left out", "1 row without a target, 20 rows with a missing value"),
    ]


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        ((0, 0, 12_000, 0, 1.0), "read 12,000 rows"),
        ((3_210_000, 0, 5, 3_210_000, 1.0), "read 3.2 MB, 5 rows, 3.2 MB/s"),
        (
            (10**9, 4 * 10**9, 10**6, 5 * 10**8, 10.0),
            "read 1.0 GB of 4.0 GB (25%), 1,000,000 rows, 50.0 MB/s, 60 s left",
        ),
    ],
)
def test_a_line_on_how_far_it_is(progress: tuple[int, int, int, int, float], line: str) -> None:
    assert read_line(*progress) == line


def test_a_pipe_gets_notes_alone() -> None:
    out = io.StringIO()
    with progress_of(Stream(out)) as progress:
        assert type(progress) is PlainConversion
        progress.note("a\x1b[2Jb " + "x" * 300)
        progress.read(10, 20, 3)
        progress.written(1, 2)
    assert out.getvalue().startswith("note: a\\x1b[2Jb xxx")
    assert len(out.getvalue().splitlines()) == 1
    assert len(out.getvalue()) < 210


def test_a_terminal_gets_a_line_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_REFRESH_SECONDS", 0.0)
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with progress_of(console) as progress:
        assert isinstance(progress, LiveConversion)
        progress.note("a note")
        progress.read(10**7, 10**8, 5000)
        progress.written(10, 20)
    text = out.getvalue()
    assert "note: a note" in text
    assert "read 10.0 MB of 100.0 MB (10%), 5,000 rows" in text
    assert "wrote 10 of 20 rows" in text
    assert text.rstrip().endswith("\x1b[2K") or "\x1b[2K" in text.rpartition("rows")[2]
