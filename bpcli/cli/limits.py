"""Limits on memory and open files, checked before a library reaches them.

Numerical libraries do not survive a limit: some end the process, others retry forever.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

from bpcli import system
from bpcli.errors import LimitTooLow

_MEGABYTE = 2**20

_START = (40, 25)
_LIBRARIES = {
    "numpy": (170, 110),
    "pandas": (150, 100),
    "scipy": (190, 120),
    "sklearn": (290, 190),
    "matplotlib": (150, 130),
    "pyarrow": (270, 120),
    "pyarrow.parquet": (450, 200),
    "onnx": (60, 40),
    "onnxruntime": (240, 120),
}
"""Megabytes of address space and of data that each needs, including its imports and computation: a
quarter more than was measured. Listed libraries that it imports are checked again."""

_VARIATION = 8 * _MEGABYTE
"""What a start of Python may need more than another one: 2 MB were seen."""

_FEWEST_FILES = 16
"""A training with workers and a recorded path has 11 files open at once."""


def require_enough_to_start() -> None:
    """End this process with one sentence if its limits are too low for any command."""
    try:
        _require("bpnet", _START)
        if system.most_open_files() < _FEWEST_FILES:
            raise LimitTooLow(
                f"bpnet needs {_FEWEST_FILES} open files, and the limit is "
                f"{system.most_open_files()}: raise it with `ulimit -n {_FEWEST_FILES}` or more."
            )
    except LimitTooLow as error:
        if sys.stderr is not None:  # None if the shell closed it
            with suppress(OSError):
                print(f"Error: {error}", file=sys.stderr)
        system.leave(error.exit_code)


def require_room_for(library: str) -> None:
    """Raises `LimitTooLow` if too little memory is left to import and use a library."""
    _require(library.partition(".")[0], _LIBRARIES[library])


def guard_imports() -> None:
    """Refuse to import a library that has too little memory; without a limit, do nothing.

    Some memory is kept for the error message, in case all else is used up.
    """
    if system.memory_limits() and not any(isinstance(each, _Guard) for each in sys.meta_path):
        sys.meta_path.insert(0, _Guard())
        _reserve.append(bytearray(4 * _MEGABYTE))


_reserve: list[bytearray] = []


class _Guard:
    """A finder that checks memory before a module is searched for."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        """Raises `LimitTooLow`; returns no module."""
        if name in _LIBRARIES:
            require_room_for(name)


def missing_resource(error: BaseException) -> str | None:
    """Return what the system refused, if that caused the failure."""
    _reserve.clear()
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
            return (
                f"more files must be open at once than the {system.most_open_files()} that the "
                "system allows: raise the limit with `ulimit -n`."
            )
        if _is_out_of_memory(cause):
            message = f"this needs more memory than is available. {cause}".strip(" .")
            return f"{message}.{_allowed()}"
    if isinstance(error, OSError):
        return f"{error.filename or 'output'} could not be read or written: {error.strerror}."
    return None


def _allowed() -> str:
    limits = system.memory_limits()
    return "".join(f" `{each.command}` allows {each.most // _MEGABYTE} MiB." for each in limits)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield a failure and its causes."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, ImportError | SystemError):  # such as of a file that could not be mapped
        is_missing = isinstance(error, ModuleNotFoundError)
        is_limited = bool(system.memory_limits()) and not is_missing
        return is_limited or "failed to map segment" in str(error)
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno == errno.ENOMEM
    )


def _require(what: str, megabytes: tuple[int, int]) -> None:
    for limit in system.memory_limits():
        needed = limit.used + megabytes[limit.is_of_data] * _MEGABYTE
        if needed > limit.most:
            raise LimitTooLow(
                f"{what} needs about {needed // _MEGABYTE} MiB of {limit.what}, and the limit is "
                f"{limit.most // _MEGABYTE} MiB: raise it with `{limit.command} "
                f"{(needed + _VARIATION) // 1024}` or more."
            )
