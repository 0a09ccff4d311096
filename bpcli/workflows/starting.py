"""The file of the network that a training starts from: a file of another program, or a run."""

from __future__ import annotations

import json
from pathlib import Path

from bpcli.export.json_file import json_text
from bpcli.export.model import load_model, uncalibrated
from bpcli.imports.read import READERS
from bpcli.nn.numerics import repeatable_numerics
from bpcli.runs.files import write_atomically
from bpcli.runs.references import find_run


def overrides_for(reference: str, runs_dir: Path, folder: Path) -> tuple[str, ...]:
    """The setting of a config that starts from a run or a file.

    A run is written to `folder` as JSON, named by its id: its training keeps a copy. Raises
    `RunError` if there is no such run, or it is damaged.
    """
    path = Path(reference)
    if path.suffix.lower() not in READERS:
        run = find_run(reference, runs_dir)
        path = folder / f"{run.run_id}.json"
        with repeatable_numerics():
            write_atomically(path, json_text(uncalibrated(load_model(run), run)).encode())
    return (f"network.parameters={json.dumps({'file': str(path.absolute())})}",)
