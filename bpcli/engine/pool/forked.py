"""Forked processes that share a pool's work."""

from __future__ import annotations

import math
import mmap
import os
import signal
import socket
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from time import monotonic as clock

import numpy as np
import numpy.typing as npt

from bpcli.engine.pool.base import Runner, Task, WorkerPool
from bpcli.errors import WorkerLost
from bpcli.nn.arrays import Array

_CHECK_SECONDS = 0.1
_CHECK_TIMEVAL = struct.pack("ll", 0, int(_CHECK_SECONDS * 1e6))
_AWAKE_SECONDS = 5e-4
"""How long a waiting process polls before it sleeps.

Waking it takes 30 to 100 µs, in an epoch that may last one millisecond.
"""
_FAILED = 70


class ForkPool(WorkerPool):
    """Copies of this process, forked when the first task is run.

    They see all arrays that exist by then, and share those of `allocate_shared`. Task numbers are
    bytes in a socket; each free worker, this process included, takes the next. A worker ends when
    the socket closes, which always happens when this process ends. A round trip takes
    10 µs; two processes were 1.9 times as fast as one, threads 0.5 (10-32-32-3) to 1.5 times.
    """

    def __init__(self, size: int, check: Callable[[], object] | None = None) -> None:
        super().__init__(check)
        self.size = size
        self._current_task = self.allocate_shared((1,), np.int64)
        self._post, self._numbers = socket.socketpair()
        self._done, self._report = socket.socketpair()
        self._done.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _CHECK_TIMEVAL)
        self._workers: list[int] = []
        self._has_forked = False
        self._is_usable = True
        self._next_check = 0.0

    def allocate_shared(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        size = math.prod(shape)
        try:
            memory = mmap.mmap(-1, max(1, size * np.dtype(dtype).itemsize))
        except OSError as error:
            raise MemoryError(error.strerror) from None
        return np.frombuffer(memory, dtype, size).reshape(shape)

    def register(self, task: Task) -> Runner:
        assert not self._has_forked, "workers know only the tasks that existed before the fork"
        return super().register(task)

    def close(self) -> None:
        for worker in self._workers:
            # The system may have reaped one that has ended already.
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(worker, signal.SIGKILL)  # workers hold no unsaved data
                os.waitpid(worker, 0)
        self._workers.clear()
        self._is_usable = False
        for end in (self._post, self._numbers, self._done, self._report):
            end.close()
        super().close()

    def _run(self, task: int, count: int) -> None:
        assert self._is_usable, "an earlier failure left bytes in the sockets"
        if count == 1:
            self._tasks[task](0)
            return
        if not self._has_forked:
            self._fork()
        self._is_usable = False
        self._current_task[0] = task
        self._post.sendall(bytes(range(count)))
        mine = 0
        while number := self._take_now():
            self._tasks[task](number[0])
            mine += 1
        self._await(count - mine)
        if clock() > self._next_check:  # an idle worker may have been killed
            self._raise_if_lost()
        self._is_usable = True

    def _take_now(self) -> bytes:
        """The next number, or an empty string if all are taken."""
        try:
            return self._numbers.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""

    def _await(self, missing: int) -> None:
        """Wait until the workers have finished their tasks."""
        while missing:
            try:
                missing -= len(_received(self._done, missing))
            except BlockingIOError:
                self._raise_if_lost()

    def _raise_if_lost(self) -> None:
        self._next_check = clock() + _CHECK_SECONDS
        for worker in self._workers:
            try:
                ended, status = os.waitpid(worker, os.WNOHANG)
            except ChildProcessError:  # if SIGCHLD is ignored, the system reaps them
                raise WorkerLost(_end_of_worker(None)) from None
            if ended:
                self._workers.remove(worker)
                raise WorkerLost(_end_of_worker(os.waitstatus_to_exitcode(status)))

    def _fork(self) -> None:
        """Fork the workers; fewer if the system allows no more processes."""
        self._has_forked = True
        # No signal may reach a worker before it has dropped this process's handlers.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            with warnings.catch_warnings(), suppress(BlockingIOError):
                # Python warns about threads: those of BLAS have ended, `can_fork` allows no others.
                warnings.simplefilter("ignore", DeprecationWarning)
                while len(self._workers) < self.size - 1:
                    worker = os.fork()
                    if worker == 0:
                        self._work(blocked)
                    self._workers.append(worker)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _work(self, blocked: set[int | signal.Signals]) -> None:
        """A worker's loop: take a number, run the task, report it. Never returns."""
        status = _FAILED
        try:
            for unwanted in _SIGNALS:  # the main process handles them
                signal.signal(unwanted, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            self._post.close()
            self._done.close()
            while number := _received(self._numbers, 1):
                self._tasks[self._current_task[0]](number[0])
                self._report.send(b".")
            status = 0
        finally:
            os._exit(status)


def _received(end: socket.socket, most: int) -> bytes:
    """The received bytes: at least one, or none if the other end is closed.

    Raises `BlockingIOError` after the socket's own timeout, if it has one.
    """
    sleep = clock() + _AWAKE_SECONDS
    while clock() < sleep:
        with suppress(BlockingIOError):
            return end.recv(most, socket.MSG_DONTWAIT)
    return end.recv(most)


_SIGNALS = {signal.SIGINT, signal.SIGTERM} | (
    {signal.SIGHUP} if hasattr(signal, "SIGHUP") else set()
)


def _end_of_worker(status: int | None) -> str:
    """The message for a worker that ended with this exit code, or with an unknown one."""
    if status is None:
        end = "ended with unknown status"
    elif status == _FAILED:
        end = "failed, perhaps for lack of memory"
    else:
        end = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"A worker process {end}. Set `training.workers: 1` to train without worker processes."
