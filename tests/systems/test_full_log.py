"""Nothing depends on the log: a training whose log cannot be written is trained and saved."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from systems import CONFIGS

from bpcli.runs.layout import WEIGHTS
from bpcli.runs.store import Run

FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")

TRAIN = ["train", str(CONFIGS / "xor.yaml"), "--set", "training.epochs=300"]
NOTE = "could not be written to stderr in time: No space left on device.\n"


def bpnet(
    folder: Path, shell: str, *arguments: str, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run a command line with a shell's redirections."""
    return subprocess.run(
        ["bash", "-c", f'exec "$0" -m bpcli "$@" {shell}', sys.executable, *arguments],
        cwd=folder, capture_output=True, text=True, check=False, **options,
    )  # fmt: skip


def only_run(folder: Path) -> Run:
    (path,) = (folder / "runs").iterdir()
    return Run(path)


def assert_finished(folder: Path) -> None:
    run = only_run(folder)
    assert run.record().status == "finished"
    assert run.metrics()[-1].epoch == 300
    assert run.path(WEIGHTS).is_file()
    (path,) = run.folder.glob("checkpoint-*")
    assert path.name == "checkpoint-300.safetensors"


def test_a_full_disk_under_the_log_is_noted_among_the_results(tmp_path: Path) -> None:
    done = bpnet(tmp_path, "2>/dev/full", *TRAIN)
    assert (done.returncode, done.stderr) == (0, "")
    assert_finished(tmp_path)
    *results, note = done.stdout.splitlines(keepends=True)
    assert any(line.startswith("saved in runs/") for line in results)
    assert note.startswith("note: ")
    assert int(note.split()[1]) > 20, "lines"
    assert note.endswith(NOTE)


@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_results_for_a_program_stay_as_they_are(option: str, tmp_path: Path) -> None:
    # A warning is said even where nothing else is.
    assert bpnet(tmp_path, "", *TRAIN, "--quiet").returncode == 0
    run = only_run(tmp_path)
    (checkpoint,) = run.folder.glob("checkpoint-*")
    broken = checkpoint.with_name("checkpoint-299.safetensors")
    broken.write_bytes(checkpoint.read_bytes()[:-1])
    on = ("train", "--resume", "latest", "--set", "training.epochs=310", option)
    done = bpnet(tmp_path, "2>/dev/full", *on)
    assert (done.returncode, done.stderr) == (0, "")
    if option == "--json":
        assert json.loads(done.stdout)["epochs"] == 310
    else:
        assert done.stdout == f"{run.run_id}\n"


def test_errors_keep_their_codes_where_they_cannot_be_told(tmp_path: Path) -> None:
    assert bpnet(tmp_path, "2>/dev/full", "train", "missing.yaml").returncode == 2
    for encoding in ("utf-8", "ascii"):  # which click writes past Python's own stream
        env = {**os.environ, "PYTHONIOENCODING": encoding}
        assert bpnet(tmp_path, "2>/dev/full", "train", "--nothing", env=env).returncode == 2
    diverging = (str(CONFIGS / "linear_regression.yaml"), "--set", "training.learning_rate=50")
    assert bpnet(tmp_path, "2>/dev/full", "train", *diverging).returncode == 3
    assert only_run(tmp_path).record().status == "diverged"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    _mount(folder, "size=8k")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def _mount(folder: Path, options: str) -> None:
    asked = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")


def test_where_there_is_room_again_the_log_goes_on_and_has_the_note(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        log = disk / "log"
        process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" -m bpcli "$@" 2>{log}', sys.executable, *TRAIN,
             "--set", "training.epochs=100000000", "--set", "training.log_every=50",
             "--set", "training.metrics_every=50"],
            cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        _wait_for_size(log, 8192)
        time.sleep(0.2)
        assert process.poll() is None
        _mount(disk, "remount,size=20m")
        _wait_for_size(log, 20_000)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        said = log.read_text().splitlines()
    assert process.returncode == 130
    assert out == ""
    assert said[-1].startswith("note: ")
    assert f"{said[-1]}\n".endswith(NOTE)
    assert "The run is saved as" in said[-3]
    assert only_run(tmp_path).record().status == "interrupted"


def _wait_for_size(log: Path, size: int) -> None:
    deadline = time.monotonic() + 30
    while not log.exists() or log.stat().st_size < size:
        time.sleep(0.01)
        assert time.monotonic() < deadline


def test_full_results_are_an_error_and_the_run_is_kept(tmp_path: Path) -> None:
    for number, option in enumerate([[], ["--json"], ["--quiet"]], start=1):
        done = bpnet(tmp_path, ">/dev/full", *TRAIN, *option)
        assert done.returncode == 2
        said = "Error: output could not be read or written: No space left on device.\n"
        assert done.stderr.endswith(said)
        assert "Traceback" not in done.stderr
        assert len(list((tmp_path / "runs").iterdir())) == number
    done = bpnet(tmp_path, ">/dev/full 2>&1", *TRAIN)
    assert done.returncode == 2
    for folder in (tmp_path / "runs").iterdir():
        assert Run(folder).record().status == "finished"


@pytest.mark.parametrize("what", ["stderr", "stdout", "both"])
def test_a_reader_that_leaves_ends_nothing(what: str, tmp_path: Path) -> None:
    shell = {"stderr": "2> >(head -n 3 >&2)", "stdout": "> >(true)", "both": "|& head -n 3"}[what]
    shell = shell if what != "both" else "2>&1 | head -n 3; exit ${PIPESTATUS[0]}"
    command = f'"$0" -m bpcli "$@" {shell}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, *TRAIN],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    assert_finished(tmp_path)
    if what == "stderr":
        assert len(done.stderr.splitlines()) == 3
        assert done.stdout.splitlines()[-1].endswith("in time: Broken pipe.")


@pytest.mark.parametrize("terminal", ["xterm", "dumb"])
def test_a_terminal_that_vanishes_ends_nothing_under_nohup(terminal: str, tmp_path: Path) -> None:
    """The live view and the plain one meet EIO; the hangup itself is ignored, as by nohup."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bpcli", *TRAIN, "--set", "training.epochs=100000000"],
        cwd=tmp_path, stdin=side, stdout=subprocess.PIPE, stderr=side, text=True,
        env={**os.environ, "TERM": terminal}, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    os.close(side)
    deadline = time.monotonic() + 30
    said = b""
    while b"1000" not in said:
        said += os.read(main, 65536)
        assert time.monotonic() < deadline
    os.close(main)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    assert only_run(tmp_path).record().status == "interrupted"
    assert "Traceback" not in out


def test_a_log_that_may_not_grow_is_noted(tmp_path: Path) -> None:
    """The same by a limit on the size of files, which the log alone meets."""
    (tmp_path / "log").write_bytes(b"0" * 300_000)
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_100, 300_100))\n"
        "import sys; from bpcli.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    with (tmp_path / "log").open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-c", program, *TRAIN],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=log, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].endswith("in time: File too large.")
    assert_finished(tmp_path)
