"""Rows that stay in their file against rows in memory: time per row and epoch, memory, digests.

`python -m benchmarks.streaming FOLDER [GIB] [dtype]` writes a .npy file of so many GiB (4) of 20
inputs and a target in single precision into FOLDER, unless it is there, and trains 20-50-1 on it by
gradient descent: once streamed, once in memory, in turns. Time per epoch is that of the training,
without reading the config or the rows; the file is in the page cache. Memory is that of all
processes of the training, pages that they share counted once.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.machine import MemoryPeak, child_environment

INPUTS = 20
EPOCHS = 4
REPEATS = 3
_ROWS_AT_ONCE = 200_000
_CONFIG = """\
data: {{file: {file}, scale: {{inputs: standard}}}}
network: {{layers: [auto, 50, 1], activations: [tanh, identity], dtype: {dtype}}}
loss: mse
training:
  optimizer: gradient_descent
  learning_rate: 0.1
  epochs: {epochs}
  log_every: {epochs}
"""


@dataclass(frozen=True)
class Measured:
    """One training: ns per row and epoch, most megabytes of memory, and the weights' digest."""

    engine: str
    nanoseconds: float
    megabytes: float
    digest: str


def write_rows(path: Path, gibibytes: float) -> int:
    """Write the file; return its number of rows."""
    rows = int(gibibytes * 2**30 / (4 * (INPUTS + 1)))
    if path.is_file():
        return rows
    rng = np.random.default_rng(0)
    weights = rng.normal(size=INPUTS)
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, INPUTS + 1)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, rows, _ROWS_AT_ONCE):
            X = rng.normal(size=(min(_ROWS_AT_ONCE, rows - start), INPUTS))
            noise = 0.1 * rng.normal(size=len(X))
            y = np.tanh(X @ weights / 3) + noise
            file.write(np.column_stack([X, y]).astype("<f4").tobytes())
    return rows


def measured(folder: Path, file: str, rows: int, engine: str, dtype: str) -> Measured:
    """Train in a process of its own."""
    config = folder / "streaming.yaml"
    config.write_text(_CONFIG.format(file=file, dtype=dtype, epochs=EPOCHS))
    command = [sys.executable, "-m", "bpcli", "train", str(config), "--json"]
    command += ["--runs-dir", str(folder / "runs"), "--set", f"training.engine={engine}"]
    with (
        subprocess.Popen(command, env=child_environment(), stdout=subprocess.PIPE) as process,
        MemoryPeak(process.pid) as peak,
    ):
        out, _ = process.communicate()
    record: dict[str, Any] = json.loads(out)
    nanoseconds = record["seconds"] / EPOCHS / rows * 1e9
    return Measured(engine, nanoseconds, peak.megabytes, record["sha256"]["weights.safetensors"])


def main(folder: Path, gibibytes: float, dtype: str) -> None:
    """Print the measurements, and the ratio of the medians."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"rows-{gibibytes:g}.npy"
    rows = write_rows(path, gibibytes)
    found: dict[str, list[Measured]] = {"stream": [], "memory": []}
    for _ in range(REPEATS):
        for engine, series in found.items():
            series.append(measured(folder, path.name, rows, engine, dtype))
            print(series[-1], flush=True)
    times = {
        engine: median(each.nanoseconds for each in series) for engine, series in found.items()
    }
    digests = {each.digest for series in found.values() for each in series}
    print(f"{rows:,} rows, {dtype}: {times['stream']:.1f} against {times['memory']:.1f} ns per row")
    print(f"ratio {times['stream'] / times['memory']:.2f}; {len(digests)} digest(s)")


if __name__ == "__main__":
    asked = sys.argv[1:]
    main(
        Path(asked[0]),
        float(asked[1]) if len(asked) > 1 else 4.0,
        asked[2] if len(asked) > 2 else "float64",
    )
