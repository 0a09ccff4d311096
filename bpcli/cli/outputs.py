"""Standard output and standard error while a command runs, and what happens if they fail.

Results that cannot be written are an error, unless the reading process has ended. A log that cannot
be written does not stop a training: how many lines are missing is reported at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from bpcli import system


class Output:
    """A stream that survives some errors, and otherwise behaves like the one it wraps."""

    survived: tuple[type[OSError], ...] = (BrokenPipeError,)
    is_prose = False
    """Whether the stream contains text for people, so that a note may be added to it."""

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
        """Discard what was written, and all that follows."""
        system.abandon(self.stream)


class Log(Output):
    """Standard error; counts the lines that could not be written, and still tries each new one."""

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
        """A note on missing lines, for the end."""
        if not self._reason:
            return None
        lines = f"{self._lost} lines" if self._lost > 1 else "1 line"
        return f"note: {lines} could not be written to stderr in time: {self._reason}."

    def report(self, results: Output) -> None:
        """Print the note here if possible, else among results that are text for people."""
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
    """Replace standard output and standard error by streams that survive such errors."""
    before = sys.stdout, sys.stderr
    results, log = Output(sys.stdout), Log(sys.stderr)
    sys.stdout, sys.stderr = cast(Any, results), cast(Any, log)
    try:
        yield
    finally:
        log.report(results)
        sys.stdout, sys.stderr = before
