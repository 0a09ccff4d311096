"""Run folders as somebody changes them who knows the format: digests and seals fit again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.numpy import save

from bpcli.runs.checkpoint import seal_checkpoint
from bpcli.runs.files import file_digest
from bpcli.runs.layout import METRICS, RECORD, WEIGHTS
from bpcli.runs.run_json import RunRecord
from bpcli.runs.saved import check
from bpcli.runs.sealed import SEAL, write_sealed
from bpcli.runs.store import Run

RECORD_OF_A_RUN: dict[str, Any] = {
    "run_id": "20260101-120000-xor-aaaa", "identity": "0" * 16, "status": "running",
    "started": "2026-01-01T12:00:00+0000", "name": "xor", "config": {}, "seed": 0, "loss": "mse",
    "reduction": "mean", "l2": 0.0, "class_weights": None, "weighted": False,
    "optimizer": {"name": "adam"}, "learning_rate": 0.1, "batch_size": "full", "dtype": "float64",
    "overrides": [], "targets_scaled": False, "task": "regression", "data_files": {},
    "rows": {"train": 1, "val": 0, "test": 0},
    "layers": [{"inputs": 1, "units": 1, "activation": {"name": "identity"}, "bias": "none"}],
    "n_params": 1, "n_frozen": 0, "workers": 1, "shards": 1, "block": 1, "argv": [],
    "data_sha256": "0" * 64, "sha256": {"config.yaml": "0" * 64, "split.npz": "0" * 64},
    "versions": {}, "platform": "", "cpu": "", "cores": 1, "blas": [], "numerics": "native",
    "simd": [], "warnings": [],
}  # fmt: skip
"""The least that run.json holds of a run in training."""


def a_record(**changes: Any) -> RunRecord:
    """A record that holds no more than it must, but for the changes, as if read from a file."""
    return check(RunRecord, RECORD_OF_A_RUN | changes, Path(RECORD))


def save_arrays(path: Path, arrays: Mapping[str, Any], meta: Any) -> None:
    """As bpnet does, but for what it would not write: lone surrogates, NaN."""
    path.write_bytes(save(dict(arrays), {"bpnet": json.dumps(meta)}))


def record_of(run: Run) -> dict[str, Any]:
    """run.json as it stands there, without its seal."""
    record: dict[str, Any] = json.loads(run.path(RECORD).read_bytes())
    record.pop(SEAL)
    return record


def log_of(run: Run) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl as they stand there."""
    return [json.loads(line) for line in run.path(METRICS).read_text().splitlines()]


def change_record(run: Run, changes: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> None:
    """Change keys of run.json, or leave some out."""
    record = record_of(run) | changes
    write_sealed(run.path(RECORD), {key: record[key] for key in record if key not in without})


def vouch(run: Run) -> None:
    """Give run.json the digests of the files as they are now."""
    known = record_of(run)["sha256"]
    files = [file for file in known if run.path(file).is_file()]
    change_record(run, {"sha256": known | {file: file_digest(run.path(file)) for file in files}})


def vouch_for_all(run: Run) -> None:
    """As `vouch`; checkpoints, which vouch for the log and the path, are gone."""
    for checkpoint in run.folder.glob("checkpoint-*"):
        checkpoint.unlink()
    vouch(run)


def change_arrays(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
    """Change arrays and what describes them, of weights or of a checkpoint, and vouch for them."""
    with safe_open(path, framework="numpy") as file:  # which bpnet may refuse to read by now
        arrays = {name: file.get_tensor(name).copy() for name in file.keys()}  # noqa: SIM118
        meta = json.loads(file.metadata()["bpnet"])
    change(arrays, meta)
    if path.name == WEIGHTS:
        save_arrays(path, arrays, meta)
        vouch(Run(path.parent))
    else:
        path.write_bytes(seal_checkpoint(arrays, meta))
