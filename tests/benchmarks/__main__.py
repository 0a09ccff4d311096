"""`python tests/benchmarks`: one command that measures everything. See `--help`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # so that it finds itself as a package

from benchmarks.command import main  # noqa: E402  # the line above comes first

main()
