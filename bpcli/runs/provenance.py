"""What a run records about the machine, the software and the data it was made with."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable

import numpy as np
import safetensors

import bpcli
from bpcli.data.drawn import Inputs, row_blocks
from bpcli.data.table import Table
from bpcli.nn.numerics import blas_libraries, in_force, simd_groups
from bpcli.runs.machines import changes, in_words
from bpcli.runs.run_json import Machine, RunRecord
from bpcli.system import cpu_model


def machine() -> Machine:
    """Versions, processor, and what numpy and BLAS use of it."""
    libraries = blas_libraries()
    return Machine(
        versions={
            "python": platform.python_version(),
            "bpcli": bpcli.__version__,
            "numpy": np.__version__,
            **_versions_of_loaded(),
            "safetensors": safetensors.__version__,
        },
        platform=_platform(),
        cpu=cpu_model(),
        numerics=in_force(libraries),
        simd=simd_groups(),
        blas=sorted(  # in the order in which they were loaded, which is no one's choice
            ({key: info.get(key) for key in _BLAS} for info in libraries), key=str
        ),
    )


_BLAS = ("internal_api", "version", "architecture")


def _versions_of_loaded() -> dict[str, str]:
    """Those of packages that only some data need, where they were imported."""
    packages = {"scikit-learn": "sklearn", "scipy": "scipy"}
    loaded = {name: sys.modules.get(module) for name, module in packages.items()}
    return {name: module.__version__ for name, module in loaded.items() if module is not None}


def _platform() -> str:
    """The system, its release and C library, as `platform.platform()` spells them.

    On Linux that starts a process, to ask for what it then leaves out.
    """
    if sys.platform != "linux":
        return platform.platform()
    system = platform.uname()
    libc = "".join(platform.libc_ver())
    return "-".join(filter(None, (system.system, system.release, system.machine, "with", libc)))


def since(record: RunRecord) -> str:
    """A sentence, after a blank, on what this machine does not have as that of a record; or none.

    It may be why rows that are made, or read, come out with other bits.
    """
    found = changes(record.machine, machine())
    return f" Since then, these have changed: {in_words(found)}." if found else ""


def data_digest(table: Table) -> str:
    """SHA-256 of inputs, targets and weights, so that a run can tell that its data has changed."""
    arrays: Iterable[Inputs | None] = (table.X, table.Y, table.labels, table.weight)
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(f"{array.shape}{array.dtype.str}".encode())
            for some in row_blocks(array.shape):
                digest.update(np.ascontiguousarray(array[some]).data)
    return digest.hexdigest()
