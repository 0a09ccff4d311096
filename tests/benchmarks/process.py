"""A child process as the harness sees it: asked one thing at a time, and always ended."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import child_environment, tree_seconds
from benchmarks.timing import Subject


class ChildFailed(Exception):
    """A child answered with an error, or not at all."""


class Child:
    """Speaks to `python -m PROGRAM MODULE`."""

    def __init__(self, module: str, program: str = "benchmarks.child", **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", program, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=child_environment() | environment,
        )
        self.megabytes_at_birth = self._answer()["megabytes"]

    @property
    def pid(self) -> int:
        return self._process.pid

    def load(self, **options: Any) -> None:
        self.ask({"load": options})

    def run(self, epochs: int) -> dict[str, float]:
        """Seconds of that many epochs from the start, and the process's peak megabytes."""
        return self.ask({"run": epochs})

    def seconds(self, epochs: int) -> float:
        return self.run(epochs)["seconds"]

    def subject(self, epochs: int) -> Subject:
        """That many epochs, as something to be timed."""
        return Subject(lambda: self.seconds(epochs), lambda: tree_seconds(self.pid))

    def params_after(self, epochs: int) -> dict[str, np.ndarray]:
        """The parameters after that many epochs from the start."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "params.npz"
            self.ask({"run": epochs, "save": str(file)})
            with np.load(file) as arrays:
                return dict(arrays)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request. Raises `ChildFailed`."""
        assert self._process.stdin is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the process ended"}
        if "error" in answer:
            raise ChildFailed(answer["error"])
        return answer
