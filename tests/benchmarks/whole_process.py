"""From the shell's point of view: `bpnet train CONFIG` against the shortest script of each peer.

Imports, making the data, training in float64, saving parameters and loss history: all of it counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.machine import child_environment
from benchmarks.results import WholeProcess
from benchmarks.timing import Patience, Subject, interleaved
from benchmarks.workloads import WORKLOADS, Workload

EPOCHS = 500
NAMES = ("tiny", "small", "medium")
_SCRIPTS = Path(__file__).parent / "scripts"


def whole_processes(
    workloads: Sequence[str], scripts: Mapping[str, str], repeats: int, patience: Patience
) -> list[WholeProcess]:
    """The times of all commands on those of the workloads that end soon enough."""
    patience = replace(patience, repeats=repeats)
    found = []
    for name in NAMES:
        if name in workloads:
            found += _compare(WORKLOADS[name], scripts, patience)
    return found


def _compare(
    workload: Workload, scripts: Mapping[str, str], patience: Patience
) -> list[WholeProcess]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / f"{workload.name}.yaml"
        config.write_text(workload.config("float64", EPOCHS))
        commands = {"bpnet": _bpnet(config)}
        for implementation, script in scripts.items():
            commands[implementation] = [sys.executable, str(_SCRIPTS / script), *_sizes(workload)]
        subjects = {
            implementation: Subject(_runner(command, folder), seconds_of_ended_children)
            for implementation, command in commands.items()
        }
        for subject in subjects.values():
            subject.work()  # once unmeasured: files are in memory from then on
        series = interleaved(subjects, patience)
    return [
        WholeProcess(
            workload.name, name, item.seconds, item.median, item.thrown_away, item.disturbed
        )
        for name, item in series.items()
    ]


def _bpnet(config: Path) -> list[str]:
    return [str(Path(sys.executable).with_name("bpnet")), "train", str(config)]


def _sizes(workload: Workload) -> list[str]:
    """What the scripts are told: rows, layers, hidden activation, learning rate, epochs."""
    layers = "-".join(map(str, workload.layers))
    return [str(workload.rows), layers, workload.hidden, str(workload.learning_rate), str(EPOCHS)]


def _runner(command: list[str], folder: Path) -> Callable[[], float]:
    """Runs a command in a new folder of its own, its output thrown away."""

    def run() -> float:
        own = tempfile.mkdtemp(dir=folder)
        began = time.perf_counter()
        subprocess.run(
            command,
            cwd=own,
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - began

    return run


def seconds_of_ended_children() -> float:
    times = os.times()
    return times.children_user + times.children_system
