"""What depends on the operating system: files, locks, processes, signals, memory and limits.

All such calls of the package are made here, each with what stands in for it where a system lacks
it. A call is looked for when it is needed, not when this is imported, which costs next to nothing.
"""

from __future__ import annotations

import errno
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from pathlib import Path  # which takes longer to import than all of this

Result = TypeVar("Result")


# Files.


def open_file(path: Path, flags: int) -> int:
    """A handle on a file of bytes, made where there is none if the flags say so.

    A link may lead elsewhere, and a pipe might never open: neither is opened. Nor is a file to be
    written that has another name, under which it would change too. Raises `OSError`.
    """
    for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if not hasattr(os, "O_NONBLOCK") and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file", str(path))
    handle = os.open(path, flags, 0o666)
    if flags & (os.O_WRONLY | os.O_RDWR) and os.fstat(handle).st_nlink > 1:
        os.close(handle)
        raise OSError(
            errno.EMLINK, "it is a hard link, so another file would change too", str(path)
        )
    return handle


def sync_file(handle: int) -> None:
    """Have the disk write down what a file holds.

    On macOS, fsync alone leaves it in the disk's own memory.
    """
    if sys.platform == "darwin" and _is_fully_synced(handle):
        return
    os.fsync(handle)


def _is_fully_synced(handle: int) -> bool:
    """Whether the call of macOS has done it, which some file systems lack."""
    try:
        import fcntl

        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined]  # of macOS
    except (ImportError, AttributeError):
        return False
    except OSError as error:
        if error.errno in _LACKS_THE_CALL:
            return False
        raise
    return True


_LACKS_THE_CALL = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.ENOTTY, errno.EOPNOTSUPP)


def sync_folder(folder: Path) -> None:
    """Make the new name of a file in it last.

    Windows opens no folders, and some file systems have no such call.
    """
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EBADF, *_LACKS_THE_CALL):
            raise
    finally:
        os.close(handle)


def replace(source: Path, target: Path) -> None:
    """Give a file the name of another, which is gone then."""
    _patiently(lambda: source.replace(target))


def rename(source: Path, target: Path) -> Path:
    """Give a file or folder a new name."""
    return _patiently(lambda: source.rename(target))


def unlink(path: Path) -> None:
    """Remove a file, if it is there."""
    _patiently(lambda: path.unlink(missing_ok=True))


def pins_open_files() -> bool:
    """Whether an open file, and the folder that it is in, can be neither removed nor renamed."""
    return sys.platform == "win32"


_PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.01


def _patiently(act: Callable[[], Result]) -> Result:
    """Do it; on Windows once more while another process reads the file, which it may not then."""
    until = monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return act()
        except PermissionError:
            if not pins_open_files() or monotonic() > until:
                raise
        sleep(_PAUSE_SECONDS)


def has_room_for_files(count: int) -> bool:
    """Whether this process may open so many files more."""
    handles: list[int] = []
    try:
        while len(handles) < count:
            handles.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return False
    finally:
        for handle in handles:
            os.close(handle)
    return True


# Locks.

_LOCKED_BYTE = 2**30
"""Far behind all content: on Windows nobody else can read bytes that are locked."""


def take_lock(handle: int, *, is_shared: bool = False) -> bool:
    """Lock a file until its handle is closed; false where another handle has locked it.

    True also where the file system has no locks. Where `has_shared_locks` is false, all of them
    exclude each other.
    """
    try:
        import fcntl
    except ImportError:
        return _take_byte(handle)
    kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def has_shared_locks() -> bool:
    """Whether several handles can have a shared lock at once."""
    try:
        import fcntl
    except ImportError:
        return False
    return hasattr(fcntl, "LOCK_SH")


def close_locked(handle: int) -> None:
    """Close a file that may be locked, and release the lock.

    Windows does the latter in its own time. Elsewhere it belongs to a parent's handle too, if this
    process was forked: it stays until all are closed.
    """
    if not has_shared_locks():
        with suppress(ImportError, OSError):
            _lock_byte(handle, "LK_UNLCK")
    os.close(handle)


def _take_byte(handle: int) -> bool:
    try:
        _lock_byte(handle, "LK_NBLCK")
    except ImportError:
        return True
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EDEADLK)
    return True


def _lock_byte(handle: int, mode: str) -> None:
    """Lock or unlock one byte, which need not be there, as Windows does."""
    import msvcrt

    place = os.lseek(handle, 0, os.SEEK_CUR)
    os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(handle, getattr(msvcrt, mode), 1)  # type: ignore[attr-defined]  # of Windows
    finally:
        os.lseek(handle, place, os.SEEK_SET)


# Processes.


def can_fork() -> bool:
    """Whether forked workers are safe here: on Linux, in a process that has no other thread."""
    if sys.platform != "linux" or not hasattr(os, "fork"):
        return False
    import threading

    return threading.active_count() == 1


def after_fork_in_child(act: Callable[[], None]) -> None:
    """Have something done at the beginning of every forked process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=act)


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def restart(arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Run a program, by its path and arguments, in the place of this process.

    On Windows, a caller that waits for this process would not wait for that one: there it runs
    beside this one, which hands on its exit code.
    """
    _flush_streams()
    if sys.platform == "win32":
        leave(_exit_code_of(arguments, environment))
    else:
        os.execve(arguments[0], [*arguments], environment)


def _exit_code_of(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program beside this process to its end. It gets Ctrl-C too, which is for it alone."""
    import signal
    import subprocess

    signal.signal(signal.SIGINT, lambda *_: None)
    code = subprocess.run(arguments, env=environment, check=False).returncode
    return code if code < 2**31 else code - 2**32  # Windows has no negative ones


def leave(code: int) -> NoReturn:
    """End this process without Python's own end, which takes its time over what is left anyway."""
    _flush_streams()
    os._exit(code)


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):  # the reader has left, or there is no stream
            stream.flush()


def open_standard_streams() -> None:
    """Where the shell closed an input or output, what is written there goes nowhere.

    The next file that is opened would get its number: what C libraries print would stand in it.
    """
    with suppress(OSError):
        while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
            os.set_inheritable(handle, True)
        os.close(handle)
    for number, name in enumerate(("stdout", "stderr"), _STDOUT):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115


_STDOUT, _STDERR = 1, 2


def abandon(stream: Any) -> None:
    """Have what is still to be written to a stream go nowhere: its reader has left."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


# Signals.


def stop_signals() -> list[int]:
    """The signals that ask a process to end, as far as this system has them.

    Under nohup the end of the terminal is none of them.
    """
    import signal

    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    found = {name: getattr(signal, name) for name in names if hasattr(signal, name)}
    if "SIGHUP" in found and signal.getsignal(found["SIGHUP"]) is signal.SIG_IGN:
        del found["SIGHUP"]
    return list(found.values())


def end_on_interrupts() -> None:
    """Have Ctrl-C end the process as it ends others, unless it is to be ignored."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def hear_interrupts() -> None:
    """Have Ctrl-C raise `KeyboardInterrupt` again, or end the process where that gets lost."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = _end_where_it_gets_lost


def _end_where_it_gets_lost(lost: sys.UnraisableHookArgs) -> None:
    """As in a callback of the import system, of which there are many when a command begins."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)


# Memory and limits.


class Limit:
    """A limit on this process's address space or data, and what it uses of that, in bytes."""

    def __init__(self, is_of_data: bool, most: int, used: int) -> None:
        self.is_of_data, self.most, self.used = is_of_data, most, used

    @property
    def what(self) -> str:
        """What it limits."""
        return "data" if self.is_of_data else "address space"

    @property
    def command(self) -> str:
        """What sets it in a shell, in KiB."""
        return "ulimit -d" if self.is_of_data else "ulimit -v"


def memory_limits(root: str = "") -> list[Limit]:
    """The limits on this process's memory that there are; only Linux keeps to them.

    `root` is the folder of a system's files.
    """
    if sys.platform != "linux":
        return []
    try:
        import resource
    except ImportError:
        return []
    most = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    if most == [resource.RLIM_INFINITY] * 2:
        return []
    pages = _text(f"{root}/proc/self/statm").split()
    if len(pages) < _PAGES_OF_DATA:
        return []
    page = resource.getpagesize()
    found = [
        Limit(False, most[0], int(pages[0]) * page),
        Limit(True, most[1], int(pages[_PAGES_OF_DATA - 1]) * page),
    ]
    return [limit for limit in found if limit.most != resource.RLIM_INFINITY]


_PAGES_OF_DATA = 6
"""Which figure of statm counts them."""


def most_open_files() -> float:
    """How many files this process may have open at once."""
    try:
        import resource
    except ImportError:
        return math.inf
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return math.inf if most == resource.RLIM_INFINITY else most


def available_memory(root: str = "") -> float:
    """Bytes that this process can still have: of the machine, its groups, and its own limits.

    Infinite where the system does not tell.
    """
    limits = (limit.most - limit.used for limit in memory_limits(root))
    return max(0.0, min([_of_machine(root), *_of_groups(root), *limits]))


def _of_machine(root: str) -> float:
    """MemAvailable of Linux; elsewhere the free pages, or all there are."""
    for name, value in _lines(f"{root}/proc/meminfo"):
        if name == "MemAvailable:":
            return float(value.split()[0]) * 1024
    known = getattr(os, "sysconf_names", {})
    for pages in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        if pages in known:
            return float(os.sysconf(pages) * os.sysconf("SC_PAGE_SIZE"))
    return math.inf


def _of_groups(root: str) -> Iterator[float]:
    """What the control groups leave, those of Linux's second version and of the first."""
    for line in _text(f"{root}/proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_path(f"{root}/sys/fs/cgroup", path, _SECOND)
        elif "memory" in controllers.split(","):
            yield from _of_path(f"{root}/sys/fs/cgroup/memory", path, _FIRST)


_SECOND = ("memory.max", "memory.current", "inactive_file")
_FIRST = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _of_path(mount: str, path: str, names: tuple[str, str, str]) -> Iterator[float]:
    """What a group and all groups around it leave; in a container the path may lead nowhere."""
    limit, usage, cache = names
    parts = [part for part in path.split("/") if part]
    for length in range(len(parts), -1, -1):
        group = "/".join([mount, *parts[:length]])
        most, used = _text(f"{group}/{limit}").strip(), _text(f"{group}/{usage}").strip()
        if most.isdecimal() and used.isdecimal():
            stat = dict(_lines(f"{group}/memory.stat"))
            yield float(most) - float(used) + float(stat.get(cache, 0))  # caches are given up


def cpu_model(root: str = "") -> str:
    """The first processor's name; the kernel takes its time over the lines of the others."""
    try:
        with open(f"{root}/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    import platform

    return platform.processor()


def _lines(path: str) -> Iterator[tuple[str, str]]:
    """The first word of each line, and the rest."""
    for line in _text(path).splitlines():
        name, _, rest = line.partition(" ")
        yield name, rest


def _text(path: str) -> str:
    """A file of the system; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""
