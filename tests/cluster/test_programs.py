"""A program in a process of its own: its answers, and its end in every way."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("distributed", reason='needs pip install "bpcli[dask]"')

import psutil
from echo_program import MODULE
from helpers_path import finding_tests
from work import no_hang

from bpcli.cluster.programs import Program, environment, read_frame, write_frame


@pytest.fixture(autouse=True)
def _never_for_ever() -> Iterator[None]:
    with no_hang(), finding_tests():
        yield


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(MODULE, str(tmp_path))
    yield made
    made.close()


@pytest.mark.parametrize("content", [b"", b"x", bytes(70_000)])
def test_a_frame_is_read_as_it_was_written(content: bytes) -> None:
    stream = io.BytesIO()
    write_frame(stream, content)
    write_frame(stream, b"next")
    stream.seek(0)
    assert (read_frame(stream), read_frame(stream), read_frame(stream)) == (content, b"next", None)


@pytest.mark.parametrize("size", [0, 3, 8, 11])
def test_a_frame_that_ends_in_the_middle_is_none(size: int) -> None:
    stream = io.BytesIO()
    write_frame(stream, b"work")
    assert read_frame(io.BytesIO(stream.getvalue()[:size])) is None


def test_a_process_does_one_piece_of_work_after_another(program: Program) -> None:
    pid = program.exchange(b"pid")
    assert program.exchange(b"a" * 100_000) == b"A" * 100_000
    assert program.exchange(b"pid") == pid
    assert pid not in (None, str(os.getpid()).encode())


@pytest.mark.parametrize(
    ("work", "fate"), [(b"exit", "ended with status 7"), (b"kill", "was killed by signal 9")]
)
def test_a_process_that_gives_no_answer(work: bytes, fate: str, program: Program) -> None:
    assert program.exchange(work) is None
    assert program.fate() == fate
    assert program.has_ended
    assert program.exchange(b"more") is None


def waiting(program: Program, tmp_path: Path) -> Thread:
    """Let a program wait in the middle of its work."""
    thread = Thread(target=program.exchange, args=(b"wait",))
    thread.start()
    while not [*tmp_path.glob("*/waits")]:
        pass
    return thread


def test_a_process_that_is_asked_to_end(program: Program, tmp_path: Path) -> None:
    thread = waiting(program, tmp_path)
    program.stop()
    thread.join()
    assert program.fate() == "was killed by signal 15"


def test_its_folder_is_removed_with_it(program: Program, tmp_path: Path) -> None:
    thread = waiting(program, tmp_path)
    assert len([*tmp_path.iterdir()]) == 1
    program.kill()
    thread.join()
    program.close()
    assert not [*tmp_path.iterdir()]
    assert not [each for each in psutil.Process().children() if MODULE in each.cmdline()]


def test_warnings_as_errors_are_not_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = environment()
    assert "PYTHONWARNINGS" not in found
    first, second = found["PYTHONPATH"].split(os.pathsep)
    assert Path(first, "bpcli", "cluster", "programs.py").is_file()
    assert second == "/elsewhere"


def test_programs_do_not_import_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "colorsys.py").write_text("raise SystemExit('of the current folder')")
    command = [sys.executable, "-c", "import colorsys"]
    subprocess.run(command, cwd=tmp_path, env=environment(), check=True)
