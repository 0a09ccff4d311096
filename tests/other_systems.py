"""Other operating systems, as far as one can play them on Linux, and what lacks a single call.

Windows: handles are of text unless they are opened otherwise, a file that is open or mapped keeps
its name and its folder's, locks are mandatory and exclusive, and there is nothing of POSIX. macOS:
a call that syncs for good, no /proc, and forking is unsafe. Run with a system's name and a list of
command lines, which all happen in this process, it prints a line of JSON for each.

    python tests/other_systems.py windows '[["train", "configs/xor.yaml"], ["runs", "list"]]'
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import json
import os
import platform
import shutil
import signal
import stat
import sys
import sysconfig
import tempfile
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import threadpoolctl

_REAL = types.SimpleNamespace(
    open=os.open, close=os.close, write=os.write, fsync=os.fsync, lseek=os.lseek,
    listdir=os.listdir, readlink=os.readlink, fstat=os.fstat, io_open=io.open,
)  # fmt: skip

counts: dict[str, int] = {}
"""How often the calls that only another system has were made."""


def _count(what: str) -> None:
    counts[what] = counts.get(what, 0) + 1


def _lose(*names: str, module: Any = os) -> None:
    for name in names:
        if hasattr(module, name):
            delattr(module, name)


def _lose_module(name: str) -> None:
    sys.modules[name] = None  # type: ignore[assignment]  # which is how an import fails


def _lose_files_of_the_kernel() -> None:
    """No /proc and no /sys, but for what threadpoolctl reads of the real system."""

    def opened(file: Any, *arguments: Any, **options: Any) -> Any:
        if str(file).startswith(("/proc", "/sys")) and file != "/proc/self/maps":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
        return _REAL.io_open(file, *arguments, **options)

    io.open = builtins.open = opened


def _lose_folder_sync() -> None:
    """A file system that opens folders, and does not sync them."""

    def fsync(handle: int) -> None:
        if stat.S_ISDIR(_REAL.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        _REAL.fsync(handle)

    os.fsync = fsync


def _lose_locks_of_the_file_system() -> None:
    def flock(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    fcntl.flock = flock


def _lose_pages() -> None:
    _lose_files_of_the_kernel()
    _lose("sysconf", "sysconf_names")


def _lose_nonblocking() -> None:
    """As on a system that cannot open folders: Python does not remove trees by handles there."""
    _lose("O_NONBLOCK")
    shutil._use_fd_functions = False


LOSSES: dict[str, Callable[[], None]] = {
    **{
        name: (lambda name=name: _lose(name))
        for name in ("O_NOFOLLOW", "O_CLOEXEC", "fork", "register_at_fork", "sched_getaffinity")
    },
    "O_NONBLOCK": _lose_nonblocking,
    **{name: (lambda name=name: _lose_module(name)) for name in ("fcntl", "resource")},
    "SIGHUP": lambda: _lose("SIGHUP", module=signal),
    "/proc": _lose_files_of_the_kernel,
    "sysconf": _lose_pages,
    "fsync of folders": _lose_folder_sync,
    "flock": _lose_locks_of_the_file_system,
}  # fmt: skip
"""Linux without one thing."""


def _name(system: str) -> None:
    """What Python calls the system; not for what asks the real one."""
    platform.platform(), sysconfig.get_config_vars()  # which are remembered
    sys.platform = system
    real = types.SimpleNamespace(**vars(sys))
    real.platform = "linux"
    threadpoolctl.sys = real


# macOS.


def play_macos(*, has_full_sync: bool = True) -> None:
    """The `has_full_sync` is that of the file system."""
    _name("darwin")
    _lose_files_of_the_kernel()
    _lose("sched_getaffinity")
    full_sync, call = 51, fcntl.fcntl

    def fcntl_(handle: int, command: int, argument: Any = 0) -> Any:
        if command != full_sync:
            return call(handle, command, argument)
        _count("full sync")
        if not has_full_sync:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        _REAL.fsync(handle)
        return 0

    def fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(_REAL.fstat(handle).st_mode)
        _count("sync of a folder" if is_folder else "sync of a file")
        _REAL.fsync(handle)

    def fork() -> int:
        raise AssertionError("nothing is forked on macOS")

    fcntl.F_FULLFSYNC, fcntl.fcntl = full_sync, fcntl_  # type: ignore[attr-defined]
    os.fsync, os.fork = fsync, fork


# Windows.


def play_windows() -> None:
    _name("win32")
    _lose_files_of_the_kernel()
    _lose(
        "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "fork", "register_at_fork",
        "sched_getaffinity", "sysconf", "sysconf_names", "getuid", "geteuid", "getppid", "waitid",
    )  # fmt: skip
    _lose("SIGHUP", "SIGKILL", "SIGALRM", "SIGUSR1", "pthread_sigmask", module=signal)
    shutil._use_fd_functions = False
    _open_text()
    _pin_open_files()
    tempfile.TemporaryFile = _temporary_file
    sys.modules["msvcrt"] = _msvcrt()
    _lose_module("fcntl")
    _lose_module("resource")


_BINARY = 1 << 30


def _open_text() -> None:
    """Handles translate ends of lines unless they are opened as binary; folders have none."""
    os.O_BINARY = _BINARY  # type: ignore[attr-defined]
    text: set[int] = set()

    def open_(path: Any, flags: int, mode: int = 0o777, **options: Any) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        handle: int = _REAL.open(path, flags & ~_BINARY, mode, **options)
        if not flags & _BINARY:
            text.add(handle)
        return handle

    def close(handle: int) -> None:
        text.discard(handle)
        _REAL.close(handle)

    def write(handle: int, content: Any) -> int:
        if handle not in text:
            return _REAL.write(handle, content)  # type: ignore[no-any-return]
        _REAL.write(handle, bytes(content).replace(b"\n", b"\r\n"))
        return len(content)

    os.open, os.close, os.write = open_, close, write


def _opened() -> dict[int, str]:
    """The paths of all handles of this process."""
    found = {}
    for handle in _REAL.listdir("/proc/self/fd"):
        try:
            found[int(handle)] = _REAL.readlink(f"/proc/self/fd/{handle}")
        except OSError:  # that of the listing itself
            continue
    return found


def _mapped() -> set[str]:
    with _REAL.io_open("/proc/self/maps") as lines:
        return {line.split(maxsplit=5)[-1].strip() for line in lines}


def _pin_open_files() -> None:
    """What is open or mapped is neither removed, nor renamed, nor replaced, nor is its folder."""

    def pinned(call: Callable[..., Any]) -> Callable[..., Any]:
        def act(*paths: Any, **options: Any) -> Any:
            for path in paths:
                real = str(Path(path).parent.resolve() / Path(path).name)
                for used in (*_opened().values(), *_mapped()):
                    if used == real or used.startswith(f"{real}/"):
                        _count("refused")
                        raise PermissionError(errno.EACCES, "it is in use", str(path))
            return call(*paths, **options)

        return act

    for name in ("unlink", "remove", "rename", "replace", "rmdir"):
        setattr(os, name, pinned(getattr(os, name)))


@contextmanager
def _temporary_file() -> Iterator[IO[bytes]]:
    """Which has a name there, until it is closed."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        yield file
    os.unlink(file.name)  # noqa: PTH108  # as it is played here


def _msvcrt() -> types.ModuleType:
    """Locks of a byte at the place where the handle stands, each against all other handles."""
    module = types.ModuleType("msvcrt")
    module.LK_UNLCK, module.LK_LOCK, module.LK_NBLCK = 0, 1, 2  # type: ignore[attr-defined]

    def locking(handle: int, mode: int, count: int) -> None:
        place = _REAL.lseek(handle, 0, os.SEEK_CUR)
        assert count == 1
        assert place > _REAL.fstat(handle).st_size + 2**20, "others could not read what is locked"
        assert place < 2**31, "the C library asks for a place of 32 bits"
        _count("lock")
        how = fcntl.LOCK_UN if mode == 0 else fcntl.LOCK_EX | fcntl.LOCK_NB
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None

    module.locking = locking  # type: ignore[attr-defined]
    return module


SYSTEMS: dict[str, Callable[[], None]] = {
    "here": lambda: None,
    "windows": play_windows,
    "macos": play_macos,
    "macos on another file system": lambda: play_macos(has_full_sync=False),
    **{f"without {name}": lose for name, lose in LOSSES.items()},
}


def _content(stream: Any) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[no-any-return]


def run(system: str, commands: list[list[str]]) -> list[dict[str, Any]]:
    """Play the system, for good, and run the commands: exit codes and what they print."""
    from bpcli.cli.main import main

    before = sys.stdout, sys.stderr
    SYSTEMS[system]()
    results = []
    for command in commands:
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        try:
            code = main(command)
            out, err = map(_content, (sys.stdout, sys.stderr))
        finally:
            sys.stdout, sys.stderr = before
        results.append({"code": code, "out": out, "err": err, "counts": dict(counts)})
        if __name__ == "__main__":
            print(json.dumps(results[-1]), flush=True)
    return results


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    import safetensors.numpy  # noqa: F401  # libraries ask the real system

    import bpcli.training.loop  # noqa: F401

    run(sys.argv[1], json.loads(sys.argv[2]))
