"""A shell with job control in a pseudo-terminal, to suspend and continue commands in it."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ENTER, LEAVE, HOME = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H"
SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


class Shell:
    """An interactive bash, and what it and its jobs have written since `text` was emptied."""

    def __init__(self, folder: Path) -> None:
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.process, self._file = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
            environ = {"PS1": "$ ", "TERM": "xterm", "NO_COLOR": "1", "PYTHONUTF8": "1"}
            environ["PYTHONPATH"] = str(Path(__file__).parents[1])  # the code beside these tests
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], kept | environ)

    def send(self, keys: str) -> None:
        self.text = ""
        os.write(self._file, keys.encode())

    def read_until(self, is_seen: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not is_seen():
            assert time.monotonic() < deadline, self.text[-3000:]
            if select.select([self._file], [], [], 0.05)[0]:
                self.text += self._decoder.decode(os.read(self._file, 65536))

    def expect(self, pattern: str) -> None:
        self.read_until(lambda: re.search(pattern, self.text) is not None)

    def states(self) -> set[str]:
        """The states of the other processes of this terminal: T for suspended ones."""
        return {*self.jobs().values()}

    def jobs(self) -> dict[int, str]:
        """The other processes of this terminal, and their states."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, rest = int(path.parent.name), path.read_text().rpartition(")")[2]
            except OSError:  # it has ended
                continue
            state, _, _, session, *_ = rest.split()
            if int(session) == self.process != pid:
                found[pid] = state
        return found

    def end(self) -> None:
        """End the shell and all of its jobs."""
        for pid in [*self.jobs(), self.process]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._file)
