"""`python -m benchmarks.solution`, in `tests/`: how long to a solution. See `--help`."""

from __future__ import annotations

from benchmarks.solution.command import main

main()
