"""A program that a worker can run: it answers in capitals, and may end or wait instead."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread

from bpcli.cluster.programs import read_frame, write_frame

MODULE = "echo_program"


def main() -> None:
    while (work := read_frame(sys.stdin.buffer)) is not None:
        if work == b"exit":
            os._exit(7)
        if work == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if work == b"wait":
            Path(sys.argv[1], "waits").touch()
            Thread(target=_end_with_the_input).start()
            time.sleep(1000)
        if work == b"pid":
            work = str(os.getpid()).encode()
        write_frame(sys.stdout.buffer, work.upper())


def _end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
