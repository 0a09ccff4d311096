"""The script of a peer: read the arrays, reach the target, save the objective.

`python -m benchmarks.solution.script MODULE FOLDER TARGET BUDGET`.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

module, folder, target, budget = sys.argv[1:]
solver = import_module(f"benchmarks.solution.solvers.{module}").Solver(Path(folder))
solution = solver.run(float(target), float(budget), counted=False)
Path("solution.json").write_text(json.dumps(solution.objective))
sys.exit(solution.objective > float(target))
