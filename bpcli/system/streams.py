"""The standard streams, some of which may be closed or have no reader."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any


def flush_streams() -> None:
    """Write what is in the buffers of stdout and stderr."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):  # the reader has left, or there is no stream
            stream.flush()


def open_standard_streams() -> None:
    """Open the null device in place of each standard stream that the shell closed.

    Else the next file that is opened would get its number, and what C libraries print.
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
    """Discard what is still to be written to a stream whose reader has left."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
