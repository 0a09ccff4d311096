"""The process of one implementation: answers requests, one JSON document a line.

`python -m benchmarks.child MODULE` imports benchmarks.implementations.MODULE and says so. Then
{"load": {…}} makes its `Trainer`, and {"run": epochs, "save": path} trains from the start, saves
the parameters if a path is given, and answers with seconds and peak resident megabytes.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np


def serve(module: str) -> None:
    answer_requests(lambda: import_module(f"benchmarks.implementations.{module}").Trainer, _run)


def answer_requests(kind_of: Callable[[], Any], run: Callable[..., dict[str, Any]]) -> None:
    """Answer until the requests end; `run` is given what was made and the request's numbers."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    kind = kind_of()
    trainer = None
    _say(answers, {"megabytes": _peak_megabytes()})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "load" in request:
                trainer = kind(**_with_path(request["load"]))
                _say(answers, {})
            else:
                _say(answers, run(trainer, **request))
        except Exception:
            _say(answers, {"error": traceback.format_exc()})


def _with_path(options: dict[str, Any]) -> dict[str, Any]:
    return options | ({"folder": Path(options["folder"])} if "folder" in options else {})


def _run(trainer: Any, run: int, save: str | None = None) -> dict[str, Any]:
    seconds = trainer.run(run)
    if save is not None:
        np.savez(save, **trainer.params())
    return {"seconds": seconds, "megabytes": _peak_megabytes()}


def _peak_megabytes() -> float:
    """The most this process ever held; used where the system does not tell more."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _say(answers: Any, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
