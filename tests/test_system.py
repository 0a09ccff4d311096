"""What stands in for the calls that a system lacks, and what is said of this process's limits."""

from __future__ import annotations

import errno
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bpcli import system

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to these limits")
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such calls")


BUFFERED = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


def output_of(program: str, *, shell: str = "", cwd: Path | None = None) -> str:
    """What a program prints, in an interpreter of its own, with a shell's redirections."""
    command = ["bash", "-c", f'exec "$0" -c "$1" {shell}', sys.executable, program]
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=BUFFERED
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


# Files.


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("lacks", [(), ("O_NOFOLLOW", "O_NONBLOCK")])
def test_neither_a_link_nor_a_pipe_is_opened(
    lacks: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in lacks:
        monkeypatch.delattr(os, name)
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises(OSError, match=r".") as caught:
            system.open_file(tmp_path / name, os.O_WRONLY | os.O_CREAT)
        assert caught.value.errno in (errno.ELOOP, errno.ENXIO, errno.EINVAL)
    handle = system.open_file(tmp_path / "new", os.O_WRONLY | os.O_CREAT)
    os.write(handle, b"1\n")
    os.close(handle)
    assert (tmp_path / "new").read_bytes() == b"1\n"


@pytest.mark.parametrize("act", [system.replace, system.rename])
def test_windows_waits_for_who_reads_a_file_and_others_do_not(
    act: Callable[[Path, Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, calls = tmp_path / "a", []
    name = act.__name__
    real = getattr(Path, name)

    def busy(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) < 3:
            raise PermissionError(errno.EACCES, "it is in use")
        return real(path, target)

    source.write_bytes(b"content")
    monkeypatch.setattr(Path, name, busy)
    monkeypatch.setattr(system, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(PermissionError):
        act(source, tmp_path / "b")
    assert len(calls) == 1
    monkeypatch.setattr(sys, "platform", "win32")
    act(source, tmp_path / "b")
    assert len(calls) == 3
    assert (tmp_path / "b").read_bytes() == b"content"


def test_windows_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "it is in use")

    monkeypatch.setattr(Path, "unlink", busy)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(system, "_PATIENCE_SECONDS", 0.05)
    with pytest.raises(PermissionError):
        system.unlink(tmp_path / "a")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_sync_that_fails_is_no_sync_that_is_lacking(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", fail)
    monkeypatch.setattr(sys, "platform", "darwin")
    with (tmp_path / "f").open("wb") as file, pytest.raises(OSError, match=os.strerror(number)):
        system.sync_file(file.fileno())
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        system.sync_folder(tmp_path)


@posix
def test_room_for_files_is_what_the_limit_leaves() -> None:
    program = (
        "import os, resource; from bpcli import system\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        "print(system.most_open_files(), system.has_room_for_files(15))\n"
        "held = [os.dup(1) for _ in range(20 - 3 - 5)]\n"
        "print(system.has_room_for_files(5), system.has_room_for_files(6))"
    )
    assert output_of(program) == "20 True\nTrue False\n"


# Locks.


def test_a_lock_is_held_by_one_handle(tmp_path: Path) -> None:
    one, two, three = (
        system.open_file(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(3)
    )
    try:
        assert system.take_lock(one)
        assert not system.take_lock(two)
        assert not system.take_lock(two, is_shared=True)
        system.close_locked(one)
        assert system.take_lock(two, is_shared=True)
        assert not system.take_lock(three)
    finally:
        for handle in (two, three):
            system.close_locked(handle)


# Processes.


def test_cores_are_counted_where_nothing_says_which_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert system.usable_cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert system.usable_cores() == 1


@pytest.mark.parametrize(
    ("platform", "has_fork", "expected"),
    [("linux", True, True), ("linux", False, False), ("darwin", True, False)],
)
def test_forking_is_safe_on_linux_alone(
    platform: str, has_fork: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    if has_fork:
        monkeypatch.setattr(os, "fork", lambda: 0, raising=False)
    else:
        monkeypatch.delattr(os, "fork", raising=False)
    assert system.can_fork() is expected


@pytest.mark.parametrize("platform", [sys.platform, "win32"])
def test_another_program_takes_the_place_of_this_one(platform: str) -> None:
    program = (
        "import os, subprocess, sys; from bpcli import system\n"
        f"sys.platform = {platform!r}\n"
        "print('before', end=' ')\n"  # in the buffer, which is not to be lost
        "system.restart([sys.executable, '-c', 'import os; print(os.environ[\"A\"]); exit(7)'],"
        " {**os.environ, 'A': 'after'})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=BUFFERED
    )
    assert (done.returncode, done.stdout) == (7, "before after\n"), done.stderr


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


# Signals.


def test_the_signals_are_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    assert {signal.SIGINT, signal.SIGTERM, 21} <= set(system.stop_signals())
    monkeypatch.delattr(signal, "SIGHUP", raising=False)
    assert system.stop_signals() == [signal.SIGINT, signal.SIGTERM, 21]
    assert signal.getsignal(signal.SIGTERM) is before


# Limits.


@on_linux
def test_limits_of_memory_are_told_with_what_is_used() -> None:
    program = (
        "import resource; from bpcli import system\n"
        "assert system.memory_limits() == []\n"
        "before = system.available_memory()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (2**29, 2**29))\n"
        "for limit in system.memory_limits():\n"
        "    print(limit.command, limit.what, limit.most, 2**22 < limit.used < 2**28)\n"
        "print(system.available_memory() < 2**29 <= before)"
    )
    assert output_of(program) == (
        f"ulimit -v address space {2**30} True\nulimit -d data {2**29} True\nTrue\n"
    )


def test_where_there_are_no_limits_none_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert system.memory_limits() == []
    assert system.most_open_files() == math.inf


def test_looking_at_the_limits_takes_no_time() -> None:
    system.memory_limits()
    began = time.perf_counter()
    for _ in range(100):
        system.memory_limits()
    assert time.perf_counter() - began < 0.1


def test_a_processor_has_a_name_if_the_kernel_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("processor : 0\nmodel name\t: A fast one\n")
    assert system.cpu_model(str(tmp_path)) == "A fast one"
    monkeypatch.setattr("platform.processor", lambda: "another")
    assert system.cpu_model(str(tmp_path / "nowhere")) == "another"


# Memory.


def written(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


MACHINE = {"proc/meminfo": "MemTotal:  4000 kB\nMemAvailable:  3000 kB\n"}


def test_the_machine_tells_what_is_available(tmp_path: Path) -> None:
    assert system.available_memory(written(tmp_path, MACHINE)) == 3000 * 1024


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # The second version: a limit, less what is used, but for caches that are given up.
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "1000000\n",
                "sys/fs/cgroup/a/b/memory.current": "600000\n",
                "sys/fs/cgroup/a/b/memory.stat": "anon 5\ninactive_file 100000\n",
            },
            500_000,
        ),
        # A group around the own one has the smaller limit.
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "max\n",
                "sys/fs/cgroup/a/b/memory.current": "600000\n",
                "sys/fs/cgroup/a/memory.max": "800000\n",
                "sys/fs/cgroup/a/memory.current": "700000\n",
            },
            100_000,
        ),
        # In a container the path leads nowhere, and the group is at the top.
        (
            {
                "proc/self/cgroup": "0::/elsewhere\n",
                "sys/fs/cgroup/memory.max": "900000\n",
                "sys/fs/cgroup/memory.current": "1000000\n",
            },
            0,
        ),
        # The first version.
        (
            {
                "proc/self/cgroup": "5:cpu,memory:/c\n0::/\n",
                "sys/fs/cgroup/memory/c/memory.limit_in_bytes": "500000\n",
                "sys/fs/cgroup/memory/c/memory.usage_in_bytes": "200000\n",
                "sys/fs/cgroup/memory/c/memory.stat": "total_inactive_file 50000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "300000\n",
            },
            350_000,
        ),
        ({"proc/self/cgroup": "0::/\n"}, 3000 * 1024),
    ],
)
def test_control_groups_may_leave_less(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    assert system.available_memory(written(tmp_path, MACHINE | files)) == expected


def test_other_systems_tell_their_pages(tmp_path: Path) -> None:
    assert system.available_memory(str(tmp_path)) > 0
