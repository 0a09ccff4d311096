"""Sweeps in processes of their own, and what of their results does not depend on time or place."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpcli.runs.layout import JOURNAL, RECORD, SWEEP

SINE = """\
name: sine
data: {generator: sine, n_samples: 40, noise: 0.1, split: {val: 0.25, test: 0.25}}
network: {layers: [1, 3, 1], activations: [tanh, identity]}
loss: mse
training: {epochs: 30, learning_rate: 0.1}
"""
DIVERGES = "1e+9"
"""A learning rate with which no training of `SINE` gets to its end."""
_SECONDS = 3600 if os.environ.get("BPNET_FULL") else 120
"""After which a process counts as hung; the searches in full take several minutes."""


def lasting(document: Mapping[str, Any]) -> dict[str, Any]:
    """A sweep's document without times, without folders, and without what was interrupted."""
    kept = dict(document)
    for changing in ("sweep", "folder", "figure", "interrupted", "schema", "error"):
        kept.pop(changing, None)
    for part in ("settings", "trainings", "sizes"):
        if part in kept:
            kept[part] = [
                {key: each[key] for key in each if key not in ("seconds", "folder")}
                for each in kept[part]
            ]
    return kept


def digests(document: Mapping[str, Any]) -> dict[str, str | None]:
    """The digests of the weights of all trainings."""
    return {each["label"]: each.get("weights_sha256") for each in document["trainings"]}


def journal(sweep: Path) -> list[dict[str, Any]]:
    """The whole lines of a sweep's journal."""
    path = sweep / JOURNAL
    content = path.read_bytes() if path.is_file() else b""
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]


def ended_runs(sweep: Path) -> dict[str, tuple[str, str, int]]:
    """The trainings that have ended: when each began, and when its record was last written."""
    ended = {}
    for path in sweep.glob(f"trainings/*/{RECORD}"):
        record = json.loads(path.read_text())
        if record["status"] in ("finished", "diverged", "failed"):
            ended[path.parent.name] = (
                record["started"], record["status"], path.stat().st_mtime_ns
            )  # fmt: skip
    return ended


class Process:
    """`bpnet` in a process group of its own, which nothing that this process is sent reaches."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bpcli", *arguments],
            cwd=folder, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip

    def sweep(self) -> Path:
        """The only sweep in the folder `runs`, once it has a record."""
        return self._await(lambda: next(self._folder.glob(f"runs/*/{SWEEP}"), None)).parent

    def at_line(self, count: int, rng: random.Random) -> None:
        """Wait until so many trainings have ended, and a random moment more."""
        sweep = self.sweep()
        self._await(lambda: len(journal(sweep)) >= count)
        time.sleep(rng.uniform(0, 0.02))

    def _await(self, condition: Any) -> Any:
        until = time.monotonic() + _SECONDS
        while not (found := condition()):
            assert self._process.poll() is None, self._process.communicate()
            assert time.monotonic() < until, "it hangs"
            time.sleep(0.001)
        return found

    def kill(self) -> bool:
        """Kill the whole group with SIGKILL; return whether it had not ended before."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=_SECONDS)
        return self._process.returncode == -signal.SIGKILL

    def interrupt(self) -> None:
        """Send the whole group what Ctrl-C sends."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; its exit code and its output."""
        out, err = self._process.communicate(timeout=_SECONDS)
        assert "Traceback" not in err, err
        return self._process.returncode, out, err


def document_of(folder: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run `bpnet … --json` to its end; its one document."""
    found, out, err = Process(folder, *arguments, "--json").end()
    assert found == code, err
    document: dict[str, Any] = json.loads(out)
    return document
