"""The time of a Levenberg-Marquardt step, over a bound: the product that its matrix needs.

A step needs JᵀJ, P² multiplications and additions a row: as long as BLAS takes for it at the rate
of one symmetric product of P rows and some samples, made between the steps.

`python -m benchmarks.solution.steps FOLDER REPEATS` measures the config of a folder, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time

import numpy as np

from benchmarks.machine import child_environment
from benchmarks.solution.results import Step
from benchmarks.solution.workloads import LM, Workload

SIZES = ((8, 10, 1), (10, 25, 1), (18, 50, 1))
_SAMPLES = 1_500
_LONG_ENOUGH = 0.02


def measured_step(
    layers: Sequence[int], rows: int, repeats: int, environment: Mapping[str, str]
) -> Step:
    """In a process of its own, whose BLAS has one thread."""
    inputs, hidden, outputs = layers
    workload = Workload("step", LM, rows, (inputs, hidden, outputs), 0)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_text(workload.config(0))
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.solution.steps", folder, str(repeats)],
            env=child_environment() | dict(environment),
            stdout=subprocess.PIPE,
            check=True,
        )
    return Step(rows, workload.n_params, **json.loads(done.stdout))


def times(config: Path, repeats: int) -> dict[str, object]:
    """Seconds of steps that follow each other, and of products between them.

    A step that tries more than one damping solves more than once: it is left out, and so is the
    first step, which is slower.
    """
    from benchmarks.solution.solvers.bpnet import Counted
    from bpcli.config.load import load_config
    from bpcli.experiment import build
    from bpcli.nn.numerics import repeatable_numerics

    experiment, counts = build(load_config(config)), Counter[str]()
    training = experiment.training(Counted(experiment.objective(), counts))
    J = np.random.default_rng(0).standard_normal((len(experiment.initial_params), _SAMPLES))
    steps: list[float] = []
    products: list[float] = []
    with repeatable_numerics():
        state = training.advance(training.start, 1)
        while len(steps) < repeats and state.ended is None:
            counts.clear()
            began = process_time()
            state = training.advance(state, 1)
            seconds = process_time() - began
            if counts["gradients"] + counts["losses"] == 1:
                steps.append(seconds)
                products.append(_seconds_of_product(J, seconds))
    return {"samples": _SAMPLES, "steps": steps, "products": products}


def _seconds_of_product(J: np.ndarray, most: float) -> float:
    """Of J Jᵀ: the mean of several that together take some clock ticks, or `most`."""
    began, count, seconds = process_time(), 0, 0.0
    while seconds < min(_LONG_ENOUGH, most):
        J.dot(J.T)
        count, seconds = count + 1, process_time() - began
    return seconds / count


if __name__ == "__main__":
    print(json.dumps(times(Path(sys.argv[1]) / "config.yaml", int(sys.argv[2]))))
