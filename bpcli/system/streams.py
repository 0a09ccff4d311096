"""The standard streams, which may be closed or have no reader."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any


def flush_streams() -> None:
    """Flush stdout and stderr."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):  # the reader is gone, or there is no stream
            stream.flush()


def open_standard_streams() -> None:
    """Open the null device for each standard stream that the shell closed.

    Otherwise the next opened file would get the stream's number, and receive the output of C
    libraries.
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
    """Discard pending output to a stream whose reader is gone."""
    with suppress(OSError):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
