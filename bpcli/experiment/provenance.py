"""What a run records about the machine, the software and the data it was made with."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

import bpcli
from bpcli.data.drawn import row_blocks
from bpcli.data.table import Table
from bpcli.system import usable_cores


def machine() -> dict[str, Any]:
    """Versions, processor and BLAS: what the last bits of a result may depend on."""
    import threadpoolctl

    libraries = [info for info in threadpoolctl.threadpool_info() if info["user_api"] == "blas"]
    return {
        "versions": {
            "python": platform.python_version(),
            "bpcli": bpcli.__version__,
            "numpy": np.__version__,
            **_version_of_scikit_learn(),
            "safetensors": safetensors.__version__,
        },
        "platform": _platform(),
        "cpu": _cpu_model(),
        "cores": usable_cores(),
        "blas": sorted(  # in the order in which they were loaded, which is no one's choice
            ({key: info.get(key) for key in _BLAS} for info in libraries), key=str
        ),
    }


_BLAS = ("internal_api", "version", "architecture")


def _version_of_scikit_learn() -> dict[str, str]:
    """Nothing where the data did not need it: then it was not imported."""
    sklearn = sys.modules.get("sklearn")
    return {} if sklearn is None else {"scikit-learn": sklearn.__version__}


def _platform() -> str:
    """The system, its release and C library, as `platform.platform()` spells them.

    On Linux that starts a process, to ask for what it then leaves out.
    """
    if sys.platform != "linux":
        return platform.platform()
    system = platform.uname()
    libc = "".join(platform.libc_ver())
    return "-".join(filter(None, (system.system, system.release, system.machine, "with", libc)))


def _cpu_model() -> str:
    """The first processor's name; the kernel takes its time over the lines of the others."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def data_digest(table: Table) -> str:
    """SHA-256 of inputs, targets and weights, so that a run can tell that its data has changed."""
    arrays: Iterable[Any] = (table.X, table.Y, table.labels, table.weight)
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            for some in row_blocks(array.shape):
                digest.update(np.ascontiguousarray(array[some]).data)
    return digest.hexdigest()
