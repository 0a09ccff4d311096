"""Programs in an interpreter of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BUFFERED = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
"""The environment of a program whose output may stay in a buffer."""


def output_of(program: str, *, shell: str = "", cwd: Path | None = None) -> str:
    """What a program prints, in an interpreter of its own, with a shell's redirections."""
    command = ["bash", "-c", f'exec "$0" -c "$1" {shell}', sys.executable, program]
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=BUFFERED
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout
