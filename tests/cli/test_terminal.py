"""Training in a real terminal: a pseudo-terminal of some size."""

from __future__ import annotations

import codecs
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from systems import CONFIGS

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
import fcntl  # noqa: E402  # as above
import struct  # noqa: E402
import termios  # noqa: E402

ENTER, LEAVE, HOME = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H"


class Terminal:
    """A command that runs in a terminal, and what it has written there."""

    def __init__(self, folder: Path, size: tuple[int, int], *command: str, **environ: str) -> None:
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._process, self._file = pty.fork()
        if self._process == 0:
            os.chdir(folder)
            # LINES and COLUMNS, which pytest's own terminal may have set, would hold for good.
            kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
            program = [sys.executable, "-m", "bpcli", *command]
            os.execve(sys.executable, program, {**kept, "PYTHONUTF8": "1", **environ})
        self.resize(size)

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def interrupt(self) -> None:
        os.kill(self._process, signal.SIGINT)

    def read_until(self, is_seen: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + 60
        while not is_seen(self.text):
            assert time.monotonic() < deadline, self.text[-3000:]
            self.text += self._decoder.decode(os.read(self._file, 65536))

    def end(self) -> int:
        """Read the rest; the exit code."""
        try:
            while chunk := os.read(self._file, 65536):
                self.text += self._decoder.decode(chunk)
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(self._file)
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])


def sizes(text: str) -> list[tuple[int, int]]:
    """Width and height of the whole frames that were drawn."""
    frames = text.partition(ENTER)[2].partition(LEAVE)[0].split(HOME)[2:-1]
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", each).split("\r\n") for each in frames]
    return [(len(each[0]), len(each)) for each in lines]


def test_the_live_view_follows_a_resized_terminal_and_gives_it_back(tmp_path: Path) -> None:
    command = ("train", str(CONFIGS / "xor.yaml"), "--set", "training.epochs=100000000")
    terminal = Terminal(tmp_path, (80, 24), *command, TERM="xterm", NO_COLOR="1")
    for size in ((80, 24), (40, 10), (130, 40)):
        terminal.resize(size)
        terminal.read_until(lambda text, size=size: size in sizes(text))
    terminal.interrupt()
    assert terminal.end() == 130
    assert not re.search(r"\x1b\[(\d+;)*3\dm", terminal.text)
    before, _, rest = terminal.text.partition(ENTER)
    after = rest.partition(LEAVE)[2]
    assert "parameters" in before
    assert after.startswith("\x1b[?25h")  # the cursor
    assert "loss (log axis)   ⠤⠤ train" in after
    assert "bpnet train --resume" in after


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    command = ("train", str(CONFIGS / "xor.yaml"), "--set", "training.epochs=100")
    terminal = Terminal(tmp_path, (80, 24), *command, TERM="dumb")
    assert terminal.end() == 0
    assert "\x1b" not in terminal.text
    assert re.search(r"^ +100 +0\.69", terminal.text, re.MULTILINE)
