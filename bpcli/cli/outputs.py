"""Standard output and standard error while a command runs: what may fail, and what then happens.

Results that cannot be written are an error, unless their reader has left. Nothing depends on the
log: a training goes on without it and is saved, and what the log lacks is said at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from bpcli import system


class Output:
    """A stream that does not fail in some ways; in all else it is as it was."""

    survived: tuple[type[OSError], ...] = (BrokenPipeError,)
    is_prose = False
    """Whether it is read by people, so that a note among it does no harm."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        try:
            self.stream.write(text)
        except self.survived as error:
            self.lose(error)
        return len(text)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except self.survived as error:
            self.lose(error)

    def lose(self, error: OSError) -> None:
        """What was written has gone nowhere, and so will what follows."""
        system.abandon(self.stream)


class Log(Output):
    """Standard error, and what it could not take: when the disk has room again it goes on."""

    survived = (OSError,)

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._reason = ""
        self._lost = self._waiting = 0

    def write(self, text: str) -> int:
        self._waiting += text.count("\n")
        return super().write(text)

    def flush(self) -> None:
        super().flush()
        self._waiting = 0

    def lose(self, error: OSError) -> None:
        self._reason = error.strerror or str(error)
        self._lost += self._waiting
        self._waiting = 0

    @property
    def note(self) -> str | None:
        """What is to be told at the end, if anything."""
        if not self._reason:
            return None
        lines = f"{self._lost} lines" if self._lost > 1 else "1 line"
        return f"note: {lines} could not be written to stderr when they were due: {self._reason}."

    def tell(self, results: Output) -> None:
        """Say what is missing: here if it can be, else among results that are not for a program."""
        note = self.note
        if note is None:
            return
        try:
            print(note, file=self.stream, flush=True)
        except OSError:
            system.abandon(self.stream)
            if results.is_prose:
                with suppress(OSError):
                    print(note, file=results, flush=True)


@contextmanager
def lasting_outputs() -> Iterator[None]:
    """Standard output and standard error that survive what a command need not end for."""
    before = sys.stdout, sys.stderr
    results, log = Output(sys.stdout), Log(sys.stderr)
    sys.stdout, sys.stderr = cast(Any, results), cast(Any, log)
    try:
        yield
    finally:
        log.tell(results)
        sys.stdout, sys.stderr = before
