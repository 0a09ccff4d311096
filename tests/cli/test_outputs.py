from __future__ import annotations

import io
import sys

import pytest

from bpcli import system
from bpcli.cli.outputs import Log, Output, lasting_outputs


class Full(io.StringIO):
    """A stream that has no room for so many of its next writes."""

    def __init__(self, refused: int, error: OSError | None = None) -> None:
        super().__init__()
        self.refused = refused
        self.error = error or OSError(28, "No space left on device")

    def write(self, text: str) -> int:
        if self.refused:
            self.refused -= 1
            raise self.error
        return super().write(text)


@pytest.fixture(autouse=True)
def abandoned(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The streams that were given up."""
    streams: list[object] = []
    monkeypatch.setattr(system, "abandon", streams.append)
    return streams


def test_results_without_a_reader_are_given_up_in_silence(abandoned: list[object]) -> None:
    stream = Full(1, BrokenPipeError(32, "Broken pipe"))
    assert Output(stream).write("abc") == 3
    assert abandoned == [stream]


def test_results_that_cannot_be_written_are_an_error(abandoned: list[object]) -> None:
    with pytest.raises(OSError, match="No space left"):
        Output(Full(1)).write("abc")
    assert abandoned == []


def test_all_else_is_the_streams() -> None:
    stream = io.StringIO()
    output = Output(stream)
    print("a", file=output, flush=True)
    assert output.getvalue() == "a\n"
    assert output.closed is False


def test_a_log_counts_lost_lines_and_goes_on() -> None:
    log = Log(Full(2))
    log.write("a\nb\n")
    assert log.note == (
        "note: 2 lines could not be written to stderr in time: No space left on device."
    )
    log.write("c\n")
    log.write("d\n")
    log.flush()
    assert log.stream.getvalue() == "d\n"
    assert log.note is not None
    assert log.note.startswith("note: 3 lines")


def test_one_lost_line_is_one_line() -> None:
    log = Log(Full(1))
    log.write("a\n")
    assert log.note is not None
    assert log.note.startswith("note: 1 line could")


def test_lines_that_were_flushed_are_not_lost_later() -> None:
    log = Log(Full(0))
    log.write("a\nb\n")
    log.flush()
    log.stream.refused = 1
    log.write("c\n")
    assert log.note is not None
    assert log.note.startswith("note: 1 line could")


def test_a_log_without_losses_reports_nothing() -> None:
    log, results = Log(io.StringIO()), Output(io.StringIO())
    log.write("a\n")
    log.report(results)
    assert (log.note, log.stream.getvalue(), results.getvalue()) == (None, "a\n", "")


@pytest.mark.parametrize("is_prose", [True, False])
def test_what_is_missing_is_reported_in_the_log_else_among_results_for_people(
    is_prose: bool,
) -> None:
    log, results = Log(Full(1)), Output(io.StringIO())
    results.is_prose = is_prose
    log.write("a\n")
    log.report(results)
    assert log.stream.getvalue() == f"{log.note}\n"
    assert results.getvalue() == ""
    log.stream.refused = 1
    log.report(results)
    assert results.getvalue() == f"{log.note}\n" * is_prose


def test_the_streams_are_put_back_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), Full(1)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)

    def fail() -> None:
        with lasting_outputs():
            print("result")
            sys.stderr.write("progress\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (sys.stdout, sys.stderr) == (out, err)
    assert out.getvalue() == "result\n"
    assert err.getvalue().startswith("note: 1 line could not be written to stderr")
