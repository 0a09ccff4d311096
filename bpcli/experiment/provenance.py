"""What a run records about the machine, the software and the data it was made with."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from bpcli.data.table import Table

_PACKAGES = ("bpcli", "numpy", "scikit-learn", "safetensors")


def machine() -> dict[str, Any]:
    """Versions, processor and BLAS: what the last bits of a result may depend on."""
    import threadpoolctl

    libraries = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
        },
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "blas": [
            {key: info.get(key) for key in ("internal_api", "version", "architecture")}
            for info in libraries
        ],
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def usable_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def data_digest(table: Table) -> str:
    """SHA-256 of the inputs and targets, so that a run can tell that its data has changed."""
    arrays: Iterable[Any] = (table.X, table.Y, table.labels)
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
