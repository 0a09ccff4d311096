"""The process in which an exported Python file is tried."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from bpcli.errors import GateFailed
from bpcli.export import child, python_child
from bpcli.export.python_child import predictions

ECHO = b"import numpy\npredict = lambda rows: {'y': numpy.array(rows['x'], float)}\n"
"""A file that predicts its only column."""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("raise SystemExit(3)", "failed in a test run and was not written: exit code 3"),
        ("raise ValueError('too hot\\x1b[31m')", "not written: ValueError: too hot"),
        ("this is no Python", "not written: SyntaxError"),
        ("predict = None", "not written: TypeError"),
        ("", "not written: KeyError: 'predict'"),
        ("import os; os._exit(0)", "printed something other than its predictions"),
        ("print('hello')\npredict = lambda rows: {}", "printed something other than its predictio"),
        ("import json\njson.dump = lambda *_: print('[]')\npredict = lambda rows: {}",
         "printed something other than its predictions"),
    ],
)  # fmt: skip
def test_a_file_that_fails_is_told_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(GateFailed, match=complaint) as caught:
        predictions(text.encode(), [{"x": [1.0]}])
    assert "\n" not in str(caught.value)


def test_a_file_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "TIMEOUT", 0.5)
    with pytest.raises(GateFailed, match=r"did not finish within 0\.5 s: it was not written\.$"):
        predictions(b"import time; time.sleep(60)", [])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_programs_that_it_has_started_end_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `soffice` does, which is a script. The pipe ends with the last program that writes it."""
    monkeypatch.setattr(child, "TIMEOUT", 2.0)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with child.workspace("Excel", {}) as workspace, pytest.raises(GateFailed, match="within 2 s"):
        workspace.run(["sh", "-c", f"sleep 60 >'{pipe}' & wait"])
    is_over, _, _ = select.select([reader], [], [], 20)
    os.close(reader)
    assert is_over


@pytest.mark.parametrize(("program", "named"), [("", "no Python"), ("/no/such/py", "/no/such/py")])
def test_without_an_interpreter_it_says_so(
    program: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_child.sys, "executable", program)
    with pytest.raises(GateFailed, match=rf"could not be run: {named} does not start \(.*\)\. It"):
        predictions(ECHO, [])


def test_the_file_is_tried_alone_in_an_empty_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In isolated mode, without the environment and without this process's modules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BPNET_SECRET", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "math.py").write_text("raise SystemExit('a planted module')")
    (tmp_path / "json.py").write_text("raise SystemExit('a planted module')")
    checks = (
        b"import os, sys\n"
        b"assert sys.flags.isolated and not sys.stdin.read()\n"
        b"assert 'BPNET_SECRET' not in os.environ and 'HOME' not in os.environ, os.environ\n"
        b"assert os.listdir() == ['exported.py'] and 'bpcli' not in sys.modules\n"
    )
    assert predictions(checks + ECHO, [{"x": [0.5]}]) == [{"y": [0.5]}]


@pytest.mark.skipif(os.name == "nt", reason="the script is for the shell of a POSIX system")
def test_numpy_is_found_where_the_interpreter_does_not_look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # without site-packages
    program.chmod(0o755)
    monkeypatch.setattr(python_child.sys, "executable", str(program))
    assert predictions(ECHO, [{"x": [0.5]}]) == [{"y": [0.5]}]


def test_predictions_of_all_tables_come_back_to_the_last_bit() -> None:
    values = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3]
    first, second = predictions(ECHO, [{"x": values}, {"x": [2.0]}])
    assert [value.hex() for value in first["y"]] == [value.hex() for value in values]
    assert second == {"y": [2.0]}
    gaps = b"import numpy\npredict = lambda rows: {'y': numpy.array([str(v) for v in rows['x']])}"
    (found,) = predictions(gaps, [{"x": [None, float("nan"), True, 1.0, "a"]}])
    assert found["y"] == ["None", "nan", "True", "1.0", "a"]
