"""The work that a worker's programs do for clients: begun, asked for, stopped and dropped by keys.

Each piece of work occupies one thread of the worker, which waits for the program's process.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from bpcli.cluster.programs import Program

_SECONDS_BETWEEN_LOOKS = 5.0
_ABANDONED_AFTER_SECONDS = 60.0
"""Work whose client does not ask for the answer any more is ended."""

_IDLE_SECONDS = 30.0
"""A process without work is ended: it holds the rows that it read last."""


@dataclass(eq=False)
class _Job:
    """A piece of work; `fate` says how its process ended, if it gave no answer."""

    module: str
    work: bytes
    program: Program | None = None
    answer: bytes | None = None
    fate: str = "did not begin"
    is_stopped: bool = False
    asked: float = field(default_factory=monotonic)
    future: Any = None

    def stop(self) -> None:
        """Ask its process to end soon; work that waits for a thread does not begin."""
        self.is_stopped = True
        if self.program is not None:
            self.program.stop()

    def drop(self) -> None:
        """End its process at once."""
        self.is_stopped = True
        if self.program is not None:
            self.program.kill()


class Jobs:
    """The requests `run`, `answer`, `stop` and `drop` of a worker."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._jobs: dict[str, _Job] = {}
        self._idle: deque[Program] = deque()
        self._is_looking = False

    @property
    def requests(self) -> dict[str, Any]:
        """The functions that answer requests, by their names."""
        return {each.__name__: each for each in (self.run, self.answer, self.stop, self.drop)}

    def run(self, key: str, module: str, work: bytes) -> dict[str, Any]:
        """Begin a piece of work as soon as a thread is free."""
        loop = asyncio.get_running_loop()
        job = self._jobs[key] = _Job(module, work)
        job.future = loop.run_in_executor(self._worker.executors["default"], self._do, job)
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(_SECONDS_BETWEEN_LOOKS, self._look)
        return {}

    async def answer(self, key: str, seconds: float) -> dict[str, Any]:
        """Wait for so many seconds; the answer, or the fate of the process, or `running`."""
        job = self._jobs.get(key)
        if job is None:
            return {"unknown": True}
        job.asked = monotonic()
        await asyncio.wait({job.future}, timeout=seconds)
        if not job.future.done():
            return {"running": True}
        self._jobs.pop(key, None)
        if job.future.exception() is not None:
            return {"fate": f"did not start: {job.future.exception()}"}
        return {"fate": job.fate} if job.answer is None else {"answer": job.answer}

    def stop(self, key: str) -> dict[str, Any]:
        """Ask for the end of a piece of work; its answer comes soon."""
        job = self._jobs.get(key)
        if job is not None:
            job.stop()
        return {}

    def drop(self, key: str) -> dict[str, Any]:
        """End a piece of work at once, and forget it."""
        job = self._jobs.pop(key, None)
        if job is not None:
            job.drop()
        return {}

    def close(self) -> None:
        """End all processes."""
        for key in [*self._jobs]:
            self.drop(key)
        while self._idle:
            self._idle.pop().close()

    # In a thread of the worker.

    def _do(self, job: _Job) -> None:
        if job.is_stopped:
            return
        program = job.program = self._program(job.module)
        self._pass_on(job)
        answer = program.exchange(job.work)
        job.program = None
        if answer is None:
            job.fate = program.fate()
            return
        job.answer = answer
        program.idle_since = monotonic()
        self._idle.append(program)

    @staticmethod
    def _pass_on(job: _Job) -> None:
        """Ask a process to end if that was asked for while it was started."""
        if job.is_stopped and job.program is not None:
            job.program.stop()

    def _program(self, module: str) -> Program:
        """A process without work, or a new one."""
        for _ in range(len(self._idle)):
            try:
                program = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if program.module == module and not program.has_ended:
                return program
            program.close()
        return Program(module, self._worker.local_directory)

    # In the event loop.

    def _look(self) -> None:
        """End what nobody asks for any more, and look again as long as there is anything."""
        now = monotonic()
        for key, job in [*self._jobs.items()]:
            if now - job.asked > _ABANDONED_AFTER_SECONDS:
                self.drop(key)
        for _ in range(len(self._idle)):
            try:
                program = self._idle.popleft()
            except IndexError:
                break
            if now - program.idle_since > _IDLE_SECONDS:
                program.close()
            else:
                self._idle.append(program)
        self._is_looking = bool(self._jobs or self._idle)
        if self._is_looking:
            asyncio.get_running_loop().call_later(_SECONDS_BETWEEN_LOOKS, self._look)
