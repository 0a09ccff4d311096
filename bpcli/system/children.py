"""Child processes: copies of this process that do pieces of work, one after another."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bpcli.system.processes import can_fork
from bpcli.system.suspension import off_suspension, on_suspension


class Child:
    """A copy of this process that does pieces of work, each named by a text and answered by one.

    Ctrl-C in a terminal does not reach it: `stop` tells it to end its work. It ends with this
    process, in whatever way that ends, and is suspended and continued with it. Where processes
    cannot be forked safely, the work is done by this process, before `begin` returns.
    """

    def __init__(self, work: Callable[[str], str]) -> None:
        self._work = work
        self._process: Any = None
        self._answer: str | None = None
        if can_fork():
            self._fork()

    def _fork(self) -> None:
        import multiprocessing

        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._work, other))
        with warnings.catch_warnings():
            # Python warns about threads: those of BLAS have ended, `can_fork` allows no others.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        other.close()
        on_suspension(self)

    def begin(self, name: str) -> None:
        """Begin a piece of work."""
        if self._process is None:
            self._answer = self._work(name)
        else:
            with suppress(ConnectionError):  # it has been killed, so that there is no answer
                self._pipe.send_bytes(name.encode())

    @property
    def has_answer(self) -> bool:
        """Whether the work is done, or the process has ended before that, even without work."""
        return self._process is None or self._pipe.poll()

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process is not None and not self._process.is_alive()

    def answer(self) -> str | None:
        """The answer; None if the process has ended before that."""
        if self._process is None:
            return self._answer
        try:
            return str(self._pipe.recv_bytes(), "utf-8")
        except (EOFError, OSError):  # it ended, perhaps in the middle of the answer
            self._process.join()
            off_suspension(self)
            return None

    @property
    def fate(self) -> str:
        """How a process ended that gave no answer."""
        code = self._process.exitcode
        return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"

    def stop(self) -> None:
        """Ask it to end its work soon, as a signal asks a training."""
        if self._process is not None:
            self._process.terminate()

    def suspend(self) -> None:
        """Suspend the process and its own workers, as this one is about to be."""
        import signal

        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue it."""
        import signal

        self._signal(signal.SIGCONT)

    def resize(self) -> None:
        """It writes to no terminal."""

    def _signal(self, number: int) -> None:
        """Send a signal to the process group of the process, or to it alone as it begins."""
        if self._process.is_alive():
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                os.kill(self._process.pid, number)

    def close(self) -> None:
        """End the process at once."""
        if self._process is not None:
            off_suspension(self)
            self._process.kill()
            self._process.join()
            self._pipe.close()


def wait_for(children: Sequence[Child], seconds: float) -> None:
    """Wait until one of some children has an answer, but at most for so many seconds."""
    if all(child._process is not None for child in children):
        from multiprocessing.connection import wait

        wait([child._pipe for child in children], seconds)


def _serve(work: Callable[[str], str], pipe: Any) -> None:
    """Do the work of a child, which writes nothing to the terminal, until the pipe is closed."""
    os.setpgid(0, 0)  # out of reach of the terminal's Ctrl-C
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    _end_with_the_parent()
    while True:
        answer = work(str(pipe.recv_bytes(), "utf-8"))
        pipe.send_bytes(answer.encode("utf-8", "backslashreplace"))


def _end_with_the_parent() -> None:
    """Have the system kill this process when its parent ends: prctl(2), PR_SET_PDEATHSIG."""
    import ctypes
    import multiprocessing
    import signal

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is None or os.getppid() != parent.pid:  # it has ended before
        os._exit(1)


_PR_SET_PDEATHSIG = 1
