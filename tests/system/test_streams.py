"""Standard streams that are closed or have no reader."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from programs import output_of

from bpcli import system
from bpcli.system.streams import flush_streams

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such calls")


@posix
@pytest.mark.parametrize("closed", ["<&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-", "2>&-"])
def test_no_file_gets_the_number_of_a_stream_that_the_shell_closed(
    closed: str, tmp_path: Path
) -> None:
    program = (
        "import os, sys; from bpcli import system\n"
        "system.open_standard_streams()\n"
        "print('x'); print('y', file=sys.stderr, flush=True)\n"
        "with open('f', 'w') as file: file.write(str(file.fileno()))\n"
        "os.write(2, b'z')"
    )
    output_of(program, shell=closed, cwd=tmp_path)
    assert int((tmp_path / "f").read_text()) > 2


def test_who_waits_for_an_abandoned_stream_gets_nothing() -> None:
    program = (
        "import sys; from bpcli import system\n"
        "sys.stdout.write('lost'); system.abandon(sys.stdout); sys.stdout.flush(); print('lost')"
    )
    assert output_of(program) == ""


def test_flushing_minds_neither_a_missing_stream_nor_one_without_a_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken:
        def flush(self) -> None:
            raise BrokenPipeError

    flushed = io.StringIO()
    monkeypatch.setattr(flushed, "flush", lambda: flushed.write("flushed"))
    for stdout in (None, Broken()):
        monkeypatch.setattr(sys, "stdout", stdout)
        monkeypatch.setattr(sys, "stderr", flushed)
        flush_streams()
    assert flushed.getvalue() == "flushed" * 2


def test_a_stream_without_a_file_can_be_abandoned_and_leaves_none_open() -> None:
    def next_number() -> int:
        number = os.open(os.devnull, os.O_RDONLY)
        os.close(number)
        return number

    before = next_number()
    system.abandon(io.StringIO())
    assert next_number() == before
