"""The process of one solver: `python -m benchmarks.solution.child MODULE`.

As `benchmarks.child`, but a request to run has a target (or none) and a budget, and is answered
with a solution.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib import import_module
from typing import Any

from benchmarks.child import answer_requests


def _run(solver: Any, run: dict[str, Any]) -> dict[str, Any]:
    return asdict(solver.run(**run))


if __name__ == "__main__":
    name = sys.argv[1]
    answer_requests(lambda: import_module(f"benchmarks.solution.solvers.{name}").Solver, _run)
