"""From the shell's point of view: `bpnet train` to a goal, against a script of each peer.

Imports, compiling, reading (bpnet makes its data), the solution and saving it: all of it counts, as
processor time of the process and its children. The first seed of each workload, the first
tolerance, and the peers that reach it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.machine import child_environment
from benchmarks.solution import problem
from benchmarks.solution.registry import SOLVERS
from benchmarks.solution.results import MAIN, Process, Results
from benchmarks.solution.workloads import Workload
from benchmarks.whole_process import seconds_of_ended_children

_STARTING = 10.0
"""Seconds that are allowed beside the budget, as libraries start slowly."""

_LONG = 2.0
"""Seconds of a process that needs no repeats."""


def whole_processes(
    workloads: Sequence[Workload], results: Results, repeats: int, environment: Mapping[str, str]
) -> list[Process]:
    """The times of all commands, made in turns."""
    found = []
    for workload in workloads:
        first = results.of(workload.name)[0]
        solvers = [name for name in first.solved if first.seconds(name, MAIN) is not None]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            problem.write(folder, workload, first.seed)
            commands = {
                solver: _command(solver, folder, first.target(MAIN), workload.budget)
                for solver in solvers
            }
            found += _in_turns(workload.name, commands, folder, repeats, environment)
    return found


def _command(solver: str, folder: Path, goal: float, budget: float) -> list[str]:
    if solver == "bpnet":
        bpnet = str(Path(sys.executable).with_name("bpnet"))
        return [bpnet, "train", str(folder / "config.yaml"), f"--set=training.stop.goal={goal!r}"]
    module = SOLVERS[solver].module
    script = "benchmarks.solution.script"
    return [
        sys.executable,
        "-m",
        script,
        module,
        str(folder),
        repr(goal),
        str(_STARTING + 2 * budget),
    ]


def _in_turns(
    workload: str,
    commands: Mapping[str, list[str]],
    folder: Path,
    repeats: int,
    environment: Mapping[str, str],
) -> list[Process]:
    processes = {solver: Process(workload, solver, []) for solver in commands}
    for turn in range(repeats):
        for solver, command in commands.items():
            taken = processes[solver].seconds
            if turn == 0 or (taken and taken[0] < _LONG):
                with suppress(subprocess.CalledProcessError):  # it has no time, then
                    taken.append(_seconds(command, folder, environment))
    return list(processes.values())


def _seconds(command: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Of a command in a new folder of its own, its output thrown away."""
    before = seconds_of_ended_children()
    subprocess.run(
        command,
        cwd=tempfile.mkdtemp(dir=folder),
        env=child_environment() | dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return seconds_of_ended_children() - before
