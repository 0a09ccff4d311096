"""Child processes: copies of this process that each do one piece of work and end."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from bpcli.system.processes import can_fork


class Child:
    """A copy of this process that does some work, which returns a text.

    Ctrl-C in a terminal does not reach it: `stop` tells it to end. It ends at once when this
    process has ended, in whatever way. Where processes cannot be forked safely, the work is done by
    this process, before `Child(work)` returns.
    """

    def __init__(self, work: Callable[[], str]) -> None:
        self._process: Any = None
        if not can_fork():
            self._text = work()
            return
        import multiprocessing

        context = multiprocessing.get_context("fork")
        self._result, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_do, args=(work, sender))
        with warnings.catch_warnings():
            # Python warns about threads: those of BLAS have ended, `can_fork` allows no others.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        sender.close()

    @property
    def has_ended(self) -> bool:
        return self._process is None or not self._process.is_alive()

    def stop(self) -> None:
        """Ask it to end soon, as a signal asks a training."""
        if not self.has_ended:
            self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def text(self) -> str | None:
        """The text that the work returned, once it has ended; None if it ended before that."""
        if self._process is None:
            return self._text
        self._process.join()
        try:
            return str(self._result.recv_bytes(), "utf-8", "ignore")  # a letter may be cut
        except EOFError:
            return None
        finally:
            self._result.close()

    @property
    def fate(self) -> str:
        """How a child ended that returned no text."""
        code = self._process.exitcode
        return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"


def wait_for(children: Sequence[Child], seconds: float) -> None:
    """Wait until one of some children has ended, but at most for so many seconds."""
    if any(child._process is None for child in children):
        return
    from multiprocessing.connection import wait

    wait([child._process.sentinel for child in children], seconds)


def _do(work: Callable[[], str], sender: Any) -> None:
    """Do the work in the child, which writes nothing to the terminal."""
    os.setpgid(0, 0)  # out of reach of the terminal's Ctrl-C
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    sender.send_bytes(work().encode("utf-8", "backslashreplace")[:_MOST_BYTES])


_MOST_BYTES = 4000
"""Of a text, which is read once the child has ended: the smallest pipe has 4,096, and takes so many
whole or not at all."""


def _end_with_the_parent() -> None:
    import multiprocessing

    parent = multiprocessing.parent_process()
    assert parent is not None, "only a child runs this"
    parent.join()
    os._exit(1)
